"""What all figures share.

Figures stand on white in both themes. Categories differ in colour (Okabe and Ito's palette, which
colour-blind readers can tell apart) and again in marker, line or hatch: greyscale is enough.

A figure too wide for a phone is drawn again where a notebook shows it: panels one below the other,
on a canvas whose letters a phone still shows at nine pixels. The notebook keeps both pictures.
"""

from base64 import b64encode
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from io import BytesIO
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import AutoLocator, FixedLocator

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7700DD")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
PAPER_MARK = {"marker": "o", "mfc": "white", "mec": "black", "ms": 6.5, "ls": "", "zorder": 4}
CLASS_COLOURS = {0: COLOURS[0], 1: COLOURS[1]}

PHONE = 5.0  # inches of a canvas that a phone shows 352 pixels wide
LEAST = 10  # points of a letter on it
NARROW = "ehrgan_narrow"  # in the metadata of a notebook's output: the picture, a PNG in base64
_for_a_phone = ContextVar("for a phone", default=False)


@contextmanager
def style():
    """The look of every figure: white ground, quiet grid, text that stays readable at 400 px."""
    looks = {
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "figure.dpi": 110,
        "font.size": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "legend.frameon": False,
        "figure.constrained_layout.use": True,
    }
    with sns.axes_style("whitegrid"), plt.rc_context(looks):
        yield


def drawn(figure):
    """Draw a figure in this look, and close it: a notebook shows it once, where it is returned."""

    @wraps(figure)
    def finished(*args, **kwargs):
        with style():
            made = figure(*args, **kwargs)
        plt.close(made)
        if made.get_figwidth() > PHONE:  # IPython asks the figure itself for more to show
            made._repr_mimebundle_ = partial(_narrow_bundle, partial(figure, *args, **kwargs))
        return made

    return finished


def narrow(draw):
    """Draw a figure for a phone, and close it.

    Parameters
    ----------
    draw : callable
        Returns a figure that it made by :func:`subplots`.

    Returns
    -------
    matplotlib.figure.Figure
        At most `PHONE` inches wide, without a letter below `LEAST` points.
    """
    token = _for_a_phone.set(True)
    try:
        with style():
            made = draw()
            for text in made.findobj(Text):
                text.set_fontsize(max(LEAST, text.get_fontsize()))
            made.draw_without_rendering()  # from here on it is known what takes how much room
            stretch = max(map(_make_room, made.axes), default=1)
            made.set_figheight(max(1, stretch) * made.get_figheight())
    finally:
        _for_a_phone.reset(token)
    plt.close(made)
    return made


def _make_room(axis):
    """Break the names of rows and the labels of axes where they are long; mark fewer places.

    Returns by how much the axis would have to grow for the names of its rows to stay apart.
    """
    box = axis.get_window_extent()
    points, stretch = axis.figure.dpi / 72, 1
    names = [label.get_text() for label in axis.get_yticklabels()]
    if isinstance(axis.yaxis.get_major_locator(), FixedLocator) and names:
        lines = box.height / len(names) / points / (1.5 * LEAST)
        broken = [fill(name, 22, break_long_words=False) for name in names]
        axis.set_yticks(axis.get_yticks(), broken)
        stretch = (1 + max(name.count("\n") for name in broken)) / lines
    for label, room in ((axis.xaxis.label, box.width), (axis.yaxis.label, box.height)):
        letters = room / points / (0.6 * label.get_fontsize())
        label.set_text(fill(label.get_text(), max(20, int(letters)), break_long_words=False))
    if isinstance(axis.xaxis.get_major_locator(), AutoLocator):
        axis.xaxis.get_major_locator().set_params(nbins=5)
    return stretch


def _narrow_bundle(draw, include=None, exclude=None):  # as IPython calls it
    picture = BytesIO()
    with style():
        narrow(draw).savefig(picture, format="png", bbox_inches="tight")
    return {}, {NARROW: b64encode(picture.getvalue()).decode()}


def is_narrow():
    """Whether a figure is being drawn for a phone."""
    return _for_a_phone.get()


def subplots(rows=1, columns=1, *, figsize, used=None, squeeze=True, **options):
    """Panels as of `plt.subplots`, but one below the other where they are drawn for a phone.

    Parameters
    ----------
    rows, columns : int, default=1
        Where the panels stand on a wide screen.
    figsize : tuple of float
        Inches on a wide screen.
    used : int, optional
        How many of the panels are drawn, row by row, by default all. There are no others.
    squeeze : bool, default=True
        As of `plt.subplots`.
    **options
        More of its options.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : Axes or ndarray of Axes
        Of shape (rows, columns), however they stand, unless squeezed; None where nothing is drawn.
    """
    used = used or rows * columns
    if is_narrow():
        figure, axes = _stacked(rows, columns, used, figsize, **options)
    else:
        figure, axes = plt.subplots(rows, columns, figsize=figsize, squeeze=False, **options)
        for unused in axes.flat[used:]:
            unused.remove()
        for above in axes.flat[used - columns : (rows - 1) * columns]:
            above.tick_params("x", labelbottom=True)  # it stands at the bottom now
    axes.flat[used:] = None
    return figure, axes if not squeeze else axes.squeeze() if axes.size > 1 else axes.item()


def _stacked(rows, columns, used, figsize, sharex=False, **options):
    size = min(figsize[0], PHONE), figsize[1] * used / rows
    shared = {"sharex": sharex if sharex != "row" else False, "squeeze": False, **options}
    figure, drawn = plt.subplots(used, 1, figsize=size, FigureClass=_Narrow, **shared)
    axes = np.full((rows, columns), None)
    axes.flat[:used] = drawn[:, 0]
    if sharex == "row":
        for first, *others in axes:
            for axis in filter(None, others):
                axis.sharex(first)
    return figure, axes


class _Narrow(Figure):
    """A figure whose legend stands above or below, in as many columns as fit."""

    def legend(self, *args, loc, ncols=1, **options):
        if "right" in loc:
            loc, ncols = "outside upper left", 4
        made = super().legend(*args, loc=loc, ncols=ncols, **options)
        if ncols > 1 and made.get_window_extent().width > self.bbox.width:
            made.remove()
            return self.legend(*args, loc=loc, ncols=ncols - 1, **options)
        return made


def band(axis, x, table, colour, alpha=0.13):
    """Shade from ``low`` to ``high`` of a table."""
    axis.fill_between(x, table["low"], table["high"], color=colour, alpha=alpha, lw=0)


def spread(table, mean="mean"):
    """How far the interval of each row of a table reaches, down and up, as error bars want it."""
    return [table[mean] - table["low"], table["high"] - table[mean]]


def label_edges(axes, x="", y=""):
    """Label the lowest panel of each column, and the panels at the left edge, where they stand."""
    places = {axis: axis.get_subplotspec() for axis in filter(None, axes.flat)}
    lowest = {place.colspan.start: axis for axis, place in places.items()}  # the last one stays
    for axis, place in places.items():
        if x and axis in lowest.values():
            axis.set_xlabel(x)
        if y and place.is_first_col():
            axis.set_ylabel(y)


def name_rows(axis, names):
    """A row for each name, the first on top."""
    axis.set_yticks(range(len(names)), list(names))
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)
