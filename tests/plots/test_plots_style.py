"""What all figures share."""

import inspect
from importlib import import_module
from pkgutil import iter_modules

import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import to_hex

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


def test_each_class_has_the_colour_of_its_marker():
    assert {0: style.COLOURS[0], 1: style.COLOURS[1]} == style.CLASS_COLOURS
