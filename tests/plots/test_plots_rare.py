"""What the figures of rare diseases draw."""

import numpy as np
import pandas as pd
from artists import bars, line_look, rows

from ehrgan import plots
from ehrgan.scores.estimate import Estimate


def test_every_setting_has_its_mark_in_the_row_of_every_method():
    cells = [[Estimate(v, v / 2, 2 * v) for v in (1.0, 4.0)], [Estimate(0.5, -0.1, 0.9)] * 2]
    raw = pd.DataFrame(cells, ["SMOTE", "none"], [0.1, 0.02])
    figure = plots.marks_by_setting({"as trained": raw, "mended": raw}, "ratio", 1.0)
    assert [axis.get_title("left") for axis in figure.axes] == ["as trained", "mended"]
    assert rows(figure.axes[0]) == ["SMOTE", "none"]
    for axis in figure.axes:
        assert axis.get_xscale() == "log"
        drawn = {one.label: one for one in bars(axis)}
        assert set(drawn) == {"0.1", "0.02"}
        np.testing.assert_allclose(drawn["0.02"].middle, [4.0, 0.5])
        np.testing.assert_allclose(drawn["0.02"].high, [8.0, 0.9])
        np.testing.assert_allclose(drawn["0.02"].low, [2.0, 0.05])  # below 0 is cut
        np.testing.assert_array_equal(np.round(drawn["0.1"].across), [0, 1])
        assert drawn["0.1"].look != drawn["0.02"].look


def test_every_round_of_a_cure_is_a_mark():
    table = pd.DataFrame({"cure": ["b", "a"] * 2, "seconds": [1, 2, 3, 4]})
    table["growth"] = table["seconds"] + 4
    figure = plots.costs_of_cures(table, {"seconds": "s", "growth": "MB"})
    assert rows(figure.axes[0]) == ["b", "a"]
    assert [axis.get_xlabel() for axis in figure.axes] == ["s", "MB"]
    for axis, column in zip(figure.axes, ("seconds", "growth"), strict=True):
        for i, cure in enumerate("ba"):
            own = table.loc[table["cure"] == cure, column]
            assert axis.lines[i].get_xdata().tolist() == own.tolist()
            assert set(axis.lines[i].get_ydata()) == {i}


def test_every_network_is_a_line_and_their_median_a_thick_one():
    losses = {"batch": np.arange(12.0).reshape(3, 4), "opposite": np.ones((3, 4))}
    figure = plots.losses_of_networks(losses, "loss")
    assert [axis.get_title("left") for axis in figure.axes] == ["batch", "opposite"]
    for axis, own in zip(figure.axes, losses.values(), strict=True):
        *thin, thick = axis.lines
        np.testing.assert_array_equal([line.get_ydata() for line in thin], own)
        np.testing.assert_array_equal(thick.get_ydata(), np.median(own, axis=0))
        assert thick.get_linewidth() > 2 * thin[0].get_linewidth()
    first, second = (line_look(axis.lines[0]).colour for axis in figure.axes)
    assert first != second


def test_every_cure_and_setting_is_a_mark_between_what_was_off_and_what_it_promises():
    rows = [("5 %", "resampling", 0.5, 0.8), ("5 %", "AC-GAN", 2.0, 0.6),
            ("2 %", "resampling", 0.9, 0.7)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["setting", "kind", "shift", "ratio"])
    axis = plots.promises_after_mend(table, 0.1, 0.7).axes[0]
    drawn = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axis.lines]
    assert drawn == [(shift, ratio) for *_, shift, ratio in rows]
    first, second, third = (line_look(line) for line in axis.lines)
    assert first.marker == second.marker != third.marker
    assert first.colour == third.colour != second.colour
    to_data = axis.transData.inverted()
    across, along = (patch.get_extents().transformed(to_data) for patch in axis.patches)
    np.testing.assert_allclose([across.y0, across.y1], [0.9, 1.1])
    np.testing.assert_allclose([along.x0, along.x1], [-0.7, 0.7])
