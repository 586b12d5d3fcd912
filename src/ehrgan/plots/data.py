"""Figures of the chapter on the records and the mask."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from .style import CLASS_COLOURS, COLOURS, MARKERS, drawn, subplots


@drawn
def missing_pattern(mask, y, classes, groups):
    """Records by attributes, hidden cells dark: the paper's Figure 1, from a real mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (n_records, n_attributes)
        True where a cell is hidden.
    y : array-like of shape (n_records,)
        Class of each record. Records are drawn class by class, those with fewer holes first.
    classes : dict of int to str
        The classes and their words.
    groups : dict of str to int
        Name and width of each group of neighbouring attributes, in the order of the columns.
    """
    y = np.asarray(y)
    order = np.lexsort((mask.sum(axis=1), y))
    figure, axis = subplots(figsize=(5.4, 4.6))
    axis.imshow(
        mask[order], cmap=ListedColormap(["0.86", "0.15"]), vmin=0, vmax=1, aspect="auto",
        interpolation="nearest", extent=(0.5, mask.shape[1] + 0.5, len(y), 0),
    )  # fmt: skip
    _class_strip(axis, y, classes)
    _group_ticks(axis, groups)
    axis.set(ylabel="record", xlim=(-0.7, mask.shape[1] + 0.5), ylim=(len(y), 0))
    axis.grid(visible=False)
    axis.spines[["left", "bottom"]].set_visible(False)
    squares = [plt.Rectangle((0, 0), 1, 1, color=grey) for grey in ("0.15", "0.86")]
    squares += [plt.Rectangle((0, 0), 1, 1, color=CLASS_COLOURS[c]) for c in classes]
    words = ["hidden", "visible", *classes.values()]
    figure.legend(squares, words, loc="outside upper left", ncols=4, fontsize=10)
    return figure


def _class_strip(axis, y, classes):
    """Name the classes along the left edge, and part them with a line."""
    start = 0
    for c, word in classes.items():
        stop = start + int((y == c).sum())
        axis.fill_betweenx([start, stop], -0.7, 0.2, color=CLASS_COLOURS[c], lw=0)
        axis.text(-0.25, (start + stop) / 2, word, rotation=90, ha="center", va="center",
                  color="white", fontweight="bold", fontsize=10)  # fmt: skip
        if start:
            axis.axhline(start, color="white", lw=2.5)
        start = stop


def _group_ticks(axis, groups):
    """Name the groups of attributes below the columns, and part them with thin lines."""
    ends = np.cumsum([0, *groups.values()])
    for end in ends[1:-1]:
        axis.axvline(end + 0.5, color="white", lw=1.5)
    words = [f"{name}\n{a + 1} to {b}" for name, a, b in zip(groups, ends, ends[1:], strict=False)]
    axis.set_xticks((ends[:-1] + ends[1:] + 1) / 2, words)
    axis.set_xlabel("attribute")


@drawn
def zeros_in_context(x, height, y, is_zero, classes, reach=3):
    """Records that are zero in one attribute, among their neighbours, over a second attribute.

    Parameters
    ----------
    x, height : Series of shape (n_records,)
        The second attribute and the one with zeros; their names label the axes.
    y : array-like of shape (n_records,)
        Class of each record.
    is_zero : array-like of bool, shape (n_records,)
        The records to mark.
    classes : dict of int to str
        The classes and their words.
    reach : float, default=3
        How far the axes go, in multiples of the marked records' greatest `x`; what lies beyond is
        not drawn.
    """
    y, is_zero = np.asarray(y), np.asarray(is_zero)
    figure, axis = subplots(figsize=(5.4, 4))
    for c, word in classes.items():
        own = (y == c) & ~is_zero
        axis.plot(x[own], height[own], MARKERS[c], mfc="none", mec=CLASS_COLOURS[c], ms=5,
                  alpha=0.8, label=word)  # fmt: skip
    axis.plot(x[is_zero], height[is_zero], "X", color="black", mec="white", mew=0.6, ms=9,
              label="zero in the table", clip_on=False, zorder=4)  # fmt: skip
    top = reach * x[is_zero].max()
    axis.set(xlabel=x.name, ylabel=height.name, xlim=(0, top), ylim=(0, top))
    figure.legend(loc="outside upper left", ncols=3)
    return figure


@drawn
def sparsity_counts(shares, threshold):
    """How many records miss which share of their attributes, a panel for each mask.

    Parameters
    ----------
    shares : dict of str to ndarray of shape (n_records,)
        Name of the mask and the sparsity of each record under it, from 0 to 1.
    threshold : float
        Records below it count as nearly complete.
    """
    figure, axes = subplots(
        len(shares), 1, sharex=True, squeeze=False, figsize=(5.4, 1.9 * len(shares) + 0.8)
    )
    for axis, (name, values) in zip(axes[:, 0], shares.items(), strict=True):
        at, count = np.unique(np.round(values, 6), return_counts=True)
        near = at < threshold
        for chosen, i, hatch in ((near, 2, None), (~near, 1, "///")):
            axis.bar(at[chosen], count[chosen], width=0.024, color=COLOURS[i], hatch=hatch,
                     edgecolor="white", lw=0.5)  # fmt: skip
        axis.axvline(threshold, color="black", lw=1.2, ls="--")
        axis.set(ylabel="records", title=name, xlim=(-0.03, 1.03))
    axes[-1, 0].set_xlabel("sparsity: share of a record's attributes that is hidden")
    squares = [plt.Rectangle((0, 0), 1, 1, fc=COLOURS[2])]
    squares += [plt.Rectangle((0, 0), 1, 1, fc=COLOURS[1], hatch="///", ec="white")]
    squares += [plt.Line2D([], [], color="black", lw=1.2, ls="--")]
    words = ["nearly complete", "the others", "threshold"]
    figure.legend(squares, words, loc="outside upper left", ncols=3, fontsize=10)
    return figure


@drawn
def strongest_partners(partners):
    """The visible attribute that tells most about each hidden one, and how much it tells.

    Parameters
    ----------
    partners : DataFrame
        One row per hidden attribute, its name in the index; columns partner (a name), overall and
        within (absolute correlations, from 0 to 1, over all records and within classes).
    """
    rows = np.arange(len(partners))
    figure, axis = subplots(figsize=(5.9, 0.36 * len(rows) + 1.6))
    axis.hlines(rows, 0, partners["overall"], color="0.75", lw=2)
    axis.plot(partners["overall"], rows, "o", color=COLOURS[0], ms=8, label="all records")
    axis.plot(partners["within"], rows, "d", mfc="white", mec="black", ms=6,
              label="within classes")  # fmt: skip
    for row, partner in zip(rows, partners["partner"], strict=True):
        axis.text(1.03, row, partner, va="center", fontsize=10)
    axis.text(1.03, -0.9, "strongest partner", va="center", fontsize=10, fontweight="bold")
    axis.set_yticks(rows, partners.index)
    axis.set(xlim=(0, 1), ylim=(len(rows) - 0.4, -1.4), xlabel="absolute correlation")
    axis.grid(axis="y", visible=False)
    figure.legend(loc="outside upper left", ncols=2)
    return figure
