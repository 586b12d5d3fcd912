"""Figures of streams."""

import pandas as pd

from ehrgan.plots import areas_over_days


def test_a_panel_for_each_stream_with_a_line_for_each_arm_and_the_day_of_the_change():
    table = pd.DataFrame({"arm": ["a", "a", "b", "b"], "day": [5, 6, 5, 6]})
    table["mean"] = [0.8, 0.9, 0.7, 0.6]
    table["low"], table["high"] = table["mean"] - 0.1, table["mean"] + 0.1
    figure = areas_over_days(
        {"one": table, "two": table.query("arm == 'b'")}, {"two": 6}, ("a",), 0.5
    )
    one, two = figure.axes
    assert [axis.get_title(loc="left") for axis in (one, two)] == ["one", "two"]
    assert one.get_ylim()[0] == two.get_ylim()[0] == 0.5
    lines = {line.get_label(): line.get_ydata().tolist() for line in one.lines}
    assert lines == {"a": [0.8, 0.9], "b": [0.7, 0.6]}
    assert len(one.collections) == 1 and not two.collections
    other, turn = two.lines
    assert other.get_color() == one.lines[1].get_color() and turn.get_xdata()[0] == 6
