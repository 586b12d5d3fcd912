"""What all figures share.

Figures stand on white in both themes. Categories differ in colour (Okabe and Ito's palette, which
colour-blind readers can tell apart) and again in marker, line or hatch: greyscale is enough.
"""

from contextlib import contextmanager
from functools import wraps

import matplotlib.pyplot as plt
import seaborn as sns

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7700DD")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
PAPER_MARK = {"marker": "o", "mfc": "white", "mec": "black", "ms": 6.5, "ls": "", "zorder": 4}
CLASS_COLOURS = {0: COLOURS[0], 1: COLOURS[1]}


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
        return made

    return finished


def band(axis, x, table, colour, alpha=0.13):
    """Shade from ``low`` to ``high`` of a table."""
    axis.fill_between(x, table["low"], table["high"], color=colour, alpha=alpha, lw=0)


def spread(table, mean="mean"):
    """How far the interval of each row of a table reaches, down and up, as error bars want it."""
    return [table[mean] - table["low"], table["high"] - table[mean]]


def name_rows(axis, names):
    """A row for each name, the first on top."""
    axis.set_yticks(range(len(names)), list(names))
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)
