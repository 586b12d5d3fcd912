"""What the figures of the records and the mask draw."""

import numpy as np
import pandas as pd
import pytest
from artists import cell, labelled, legend, line_look, places, rows, ticks, title, xy
from matplotlib.colors import to_hex

from ehrgan import plots
from ehrgan.plots.style import CLASS_COLOURS

CLASSES = {0: "benign", 1: "malignant"}
HEX = {c: to_hex(colour) for c, colour in CLASS_COLOURS.items()}
DARK, PALE = to_hex("0.15"), to_hex("0.86")


def test_hidden_cells_are_dark_class_by_class_those_with_fewer_holes_first():
    y = np.array([1, 0, 1, 0, 0])
    mask = np.array(
        [[1, 1, 0, 1], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 0]], dtype=bool
    )
    figure = plots.missing_pattern(mask, y, CLASSES, {"first": 3, "second": 1})
    (axis,) = figure.axes
    for at, record in enumerate([3, 1, 4, 2, 0]):  # from the top
        for column in range(4):
            hidden, colour = cell(axis, column + 1, at + 0.5)
            assert bool(hidden) == mask[record, column], (at, column)
            assert colour == (DARK if mask[record, column] else PALE)
    assert axis.get_ylim() == (5, 0) and axis.get_xlim()[1] == 4.5
    strips = [(s.get_paths()[0].get_extents(), s.get_facecolor()[0]) for s in axis.collections]
    words = {text.get_text(): text.get_position() for text in axis.texts}
    for c, (start, stop) in {0: (0, 3), 1: (3, 5)}.items():
        place, colour = strips[c]
        assert (place.y0, place.y1) == (start, stop) and place.x1 < 0.5
        assert to_hex(colour) == HEX[c]
        x, middle = words[CLASSES[c]]
        assert middle == (start + stop) / 2 and place.x0 < x < place.x1
    across = [line for line in axis.lines if line.get_ydata()[0] == line.get_ydata()[1]]
    upright = [line for line in axis.lines if line not in across]
    assert [line.get_ydata()[0] for line in across] == [3]  # between the classes
    assert [line.get_xdata()[0] for line in upright] == [3.5]  # between the groups
    assert ticks(axis, "x") == {2.0: "first\n1 to 3", 4.0: "second\n4 to 4"}
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("attribute", "record")
    assert {word: shown.colour for word, shown in legend(figure).items()} == {
        "hidden": DARK,
        "visible": PALE,
        "benign": HEX[0],
        "malignant": HEX[1],
    }


def test_records_with_a_zero_are_marked_among_those_of_their_class():
    x = pd.Series([0.1, 0.4, 0.2, 0.9, 0.3, 0.5], list("abcdef"), name="compactness")
    height = pd.Series([0.0, 0.7, 0.0, 0.8, 0.6, 0.05], list("abcdef"), name="concavity")
    y, is_zero = [0, 1, 1, 0, 0, 1], [True, False, True, False, False, False]
    figure = plots.zeros_in_context(x, height, y, is_zero, CLASSES)
    (axis,) = figure.axes
    drawn = labelled(axis)
    expected = {
        "benign": [[0.9, 0.8], [0.3, 0.6]],
        "malignant": [[0.4, 0.7], [0.5, 0.05]],
        "zero in the table": [[0.1, 0], [0.2, 0]],
    }
    assert list(drawn) == list(expected)
    for word, points in expected.items():
        np.testing.assert_array_equal(xy(drawn[word]), points)
        assert legend(figure)[word] == line_look(drawn[word])
    for c, word in CLASSES.items():
        assert line_look(drawn[word]).colour == HEX[c]
    assert len({line_look(line).marker for line in drawn.values()}) == 3
    assert axis.get_xlim() == axis.get_ylim() == pytest.approx((0, 0.6))  # thrice 0.2
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("compactness", "concavity")
    (axis,) = plots.zeros_in_context(x, height, y, is_zero, CLASSES, reach=2).axes
    assert axis.get_xlim() == axis.get_ylim() == pytest.approx((0, 0.4))


def test_records_are_counted_by_sparsity_on_either_side_of_the_threshold():
    shares = {
        "block": np.array([0.0, 0.5, 0.5, 0.0, 0.0, 0.5, 0.2]),
        "strewn": np.array([0.1, 0.2, 1 / 3, 0.1, 0.9, 0.1 + 1e-9, 0.2]),
    }
    figure = plots.sparsity_counts(shares, 0.2)
    assert [title(axis) for axis in figure.axes] == list(shares)
    assert places(figure) == [(0, 0), (1, 0)]
    entries = legend(figure)
    near, far = entries["nearly complete"].colour, entries["the others"].colour
    expected = {
        "block": [(0.0, 3, near), (0.2, 1, far), (0.5, 3, far)],  # at the threshold is not below
        "strewn": [(0.1, 3, near), (0.2, 2, far), (1 / 3, 1, far), (0.9, 1, far)],
    }
    for axis in figure.axes:
        seen = [
            (b.get_x() + b.get_width() / 2, b.get_height(), to_hex(b.get_facecolor()))
            for b in axis.patches
        ]
        for found, told in zip(sorted(seen), expected[title(axis)], strict=True):
            assert found[0] == pytest.approx(told[0], abs=1e-6) and found[1:] == told[1:]
        hatched = {to_hex(b.get_facecolor()) for b in axis.patches if b.get_hatch()}
        assert hatched == {far}
        (line,) = axis.lines
        assert list(line.get_xdata()) == [0.2, 0.2]
        assert line_look(line).colour == entries["threshold"].colour
        assert axis.get_ylabel() == "records"
        assert axis.get_xlim()[0] < 0 and axis.get_xlim()[1] > 1
    assert near != far and figure.axes[-1].get_xlabel().startswith("sparsity")


def test_each_hidden_attribute_stands_beside_its_own_partner():
    partners = pd.DataFrame(
        {"partner": ["x", "y", "x"], "overall": [0.9, 0.5, 0.7], "within": [0.2, 0.6, 0.4]},
        index=["a", "b", "c"],
    )
    figure = plots.strongest_partners(partners)
    (axis,) = figure.axes
    assert rows(axis) == ["a", "b", "c"]
    drawn = labelled(axis)
    for word, column in {"all records": "overall", "within classes": "within"}.items():
        np.testing.assert_array_equal(
            xy(drawn[word]), np.column_stack([partners[column], [0, 1, 2]])
        )
        assert legend(figure)[word] == line_look(drawn[word])
    assert line_look(drawn["all records"]) != line_look(drawn["within classes"])
    (stems,) = axis.collections
    np.testing.assert_array_equal(
        stems.get_segments(), [[[0, i], [r, i]] for i, r in enumerate(partners["overall"])]
    )
    head, *told = sorted(axis.texts, key=lambda text: text.get_position()[1])
    assert head.get_text() == "strongest partner"
    assert [(t.get_text(), t.get_position()[1]) for t in told] == [("x", 0), ("y", 1), ("x", 2)]
    assert all(text.get_position()[0] > 1 for text in axis.texts)  # right of the panel
    assert axis.get_xlim() == (0, 1) and axis.get_xlabel() == "absolute correlation"
