"""What the figure of the planted hole draws."""

import numpy as np
from artists import title
from matplotlib.colors import to_rgb

from ehrgan import plots
from ehrgan.plots.style import CLASS_COLOURS


def test_each_imputer_has_a_panel_and_each_kind_of_cell_its_marks():
    x, y = np.arange(5.0), np.array([0, 0, 1, 1, 0])
    hole = np.array([False, False, True, True, True])
    fills = {"two stages": 2 * x, "joint": x - 7}
    figure = plots.planted_fills(x, y, hole, fills)
    assert [title(axis) for axis in figure.axes] == list(fills)
    kinds = {
        "recorded, healthy": (~hole, 0),
        "filled, healthy": (hole & (y == 0), 0),
        "filled, ill": (hole & (y == 1), 1),
    }
    for axis, filled in zip(figure.axes, fills.values(), strict=True):
        drawn = {marks.get_label(): marks for marks in axis.collections}
        assert list(drawn) == list(kinds)
        for name, (own, of) in kinds.items():
            np.testing.assert_array_equal(drawn[name].get_offsets(), np.c_[x, filled][own])
            edge = drawn[name].get_edgecolor()[0, :3]
            np.testing.assert_allclose(edge, to_rgb(CLASS_COLOURS[of]))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(kinds)
    assert figure.axes[0].get_ylabel() and all(axis.get_xlabel() for axis in figure.axes)
