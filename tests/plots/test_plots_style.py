"""What all figures share."""

import inspect
import re
from base64 import b64decode
from importlib import import_module
from io import BytesIO
from pathlib import Path
from pkgutil import iter_modules

import matplotlib.pyplot as plt
import numpy as np
import pytest
from artists import places
from IPython.core.formatters import DisplayFormatter
from matplotlib.colors import to_hex
from matplotlib.text import Text
from PIL import Image

from ehrgan import plots
from ehrgan.plots import style


def test_every_figure_is_offered_by_name():
    modules = [import_module(f"ehrgan.plots.{m.name}") for m in iter_modules(plots.__path__)]
    drawn = {
        name
        for module in modules
        if module is not style
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and name[0] != "_"
    }
    assert sorted(plots.__all__) == plots.__all__
    assert set(plots.__all__) == drawn


def test_a_figure_is_drawn_in_the_style_closed_and_handed_on():
    figure, other = plt.figure(), plt.figure()
    before = dict(plt.rcParams)

    @style.drawn
    def one(number, *, same):
        """What it shows."""
        assert number == same and plt.rcParams["figure.constrained_layout.use"]
        return figure

    assert one(1, same=1) is figure and one.__doc__ == "What it shows."
    assert plt.get_fignums() == [other.number] and dict(plt.rcParams) == before
    plt.close(other)


@pytest.mark.parametrize("theme", ["default", "dark_background"])
def test_figures_stand_on_white_whatever_the_readers_theme(theme):
    with plt.style.context(theme):
        before = dict(plt.rcParams)
        with style.style():
            figure, axis = plt.subplots()
            axis.set_title("a title")
            assert to_hex(plt.rcParams["savefig.facecolor"]) == "#ffffff"
        assert dict(plt.rcParams) == before
        with pytest.raises(ZeroDivisionError), style.style():
            1 / 0  # noqa: B018
        assert dict(plt.rcParams) == before
    plt.close(figure)
    assert to_hex(figure.get_facecolor()) == to_hex(axis.get_facecolor()) == "#ffffff"
    shown = {side for side, spine in axis.spines.items() if spine.get_visible()}
    assert shown == {"left", "bottom"}
    assert axis.get_title(loc="left") == "a title"
    assert figure.get_layout_engine() is not None
    assert axis.xaxis.get_gridlines()[0].get_visible()


def test_every_figure_is_made_by_what_knows_phones():
    for path in Path(style.__file__).parent.glob("*.py"):
        made = re.findall(r"plt\.(?:subplots|figure)\(", path.read_text(encoding="utf-8"))
        assert len(made) == 2 * (path.stem == "style")


def two_by_two(used=None, **alike):
    """A figure of panels that say where they stand in the grid."""
    figure, axes = style.subplots(2, 2, figsize=(8, 4), squeeze=False, used=used, **alike)
    for (row, column), axis in np.ndenumerate(axes):
        if axis is not None:
            axis.plot([0, 1 + row], [0, 1], label=f"a rather long name of the line {row}{column}")
            axis.set_title(f"{row}{column}", fontsize=8)
    style.label_edges(axes, "x", "y")
    figure.legend(loc="outside right upper", ncols=4)
    return figure


@pytest.mark.parametrize(("used", "n"), [(None, 4), (3, 3)])
def test_a_phone_gets_all_panels_one_below_the_other_in_letters_that_it_can_show(used, n):
    figure = style.narrow(lambda: two_by_two(used, sharex=True, sharey=True))
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["00", "01", "10", "11"][:n]
    assert places(figure) == [(row, 0) for row in range(n)]
    figure.draw_without_rendering()
    heights = [axis.get_window_extent().height for axis in figure.axes]
    assert min(heights) > 0.6 * figure.dpi  # the legend leaves them their room
    (legend,) = figure.legends
    assert legend.get_window_extent().width <= figure.bbox.width == style.PHONE * figure.dpi
    assert {axis.get_title(loc="left") for axis in figure.axes if axis.get_xlabel()} == {
        ["00", "01", "10", "11"][n - 1]
    }
    assert all(axis.get_ylabel() == "y" for axis in figure.axes)
    assert min(text.get_fontsize() for text in figure.findobj(Text)) == style.LEAST


def test_panels_of_a_row_keep_their_scale_on_a_phone():
    figure = style.narrow(lambda: two_by_two(sharex="row"))
    ends = [axis.get_xlim()[1] for axis in figure.axes]
    assert ends[0] == ends[1] < ends[2] == ends[3]


def test_a_wide_screen_gets_the_grid_and_no_panel_that_is_empty():
    with style.style():
        figure = two_by_two(3, sharex=True)
    plt.close(figure)
    assert places(figure) == [(0, 0), (0, 1), (1, 0)]
    at_the_bottom = [axis.xaxis.get_tick_params()["labelbottom"] for axis in figure.axes]
    assert at_the_bottom == [False, True, True]


def test_rows_with_long_names_break_them_and_stay_apart():
    names = [f"a method with a name of many words, number {i}" for i in range(6)]

    def rows_close_together():
        figure, axis = style.subplots(figsize=(8, 1.5))
        axis.plot(np.zeros(6), range(6), "o")
        style.name_rows(axis, names)
        axis.set_xlabel("what all of this is about, told at a length that no phone has room for")
        return figure

    figure = style.narrow(rows_close_together)
    figure.draw_without_rendering()
    (axis,) = figure.axes
    boxes = [label.get_window_extent() for label in axis.get_yticklabels()]
    assert [label.get_text().replace("\n", " ") for label in axis.get_yticklabels()] == names
    assert all(lower.y1 <= upper.y0 + 1 for upper, lower in zip(boxes, boxes[1:], strict=False))
    assert axis.xaxis.label.get_window_extent().width <= figure.bbox.width
    assert axis.get_window_extent().width > 0.4 * figure.bbox.width


@pytest.mark.parametrize("width", [4.9, 8.0])
def test_a_notebook_keeps_a_picture_for_phones_of_what_is_too_wide_for_them(width):
    @style.drawn
    def one():
        return style.subplots(1, 2, figsize=(width, 2))[0]

    figure = one()
    kept = DisplayFormatter().mimebundle_formatter(figure)
    if width < style.PHONE:
        assert kept == ({}, {})
        return
    data, about = kept
    picture = about[style.NARROW]
    assert data == {}  # what a notebook shows is the wide one
    with Image.open(BytesIO(b64decode(picture))) as shown:
        # ten points on 352 of these pixels are nine or more: what a phone 400 wide can show
        assert style.LEAST * figure.dpi / 72 * 352 / shown.width >= 9
        assert shown.height > 3 * figure.dpi


def test_each_class_has_the_colour_of_its_marker():
    assert {0: style.COLOURS[0], 1: style.COLOURS[1]} == style.CLASS_COLOURS
