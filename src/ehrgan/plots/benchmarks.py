"""Figures of the chapter on speed and imputation error."""

import numpy as np
from matplotlib.ticker import NullFormatter

from .style import COLOURS, MARKERS, drawn, label_edges, subplots


@drawn
def speed_beside_peers(table):
    """Take a gain in time apart, step by step downwards, and set peers beside it.

    Parameters
    ----------
    table : DataFrame
        Columns words (one row each), median, low and high, in milliseconds, and gain: how many
        times less a row takes than the one above. Missing where a row is no step but a peer.

    Returns
    -------
    Figure
        Times on a logarithmic axis, where equal lengths are equal factors. A bar leads from each
        step's time to the next and says its gain.
    """
    figure, axis = subplots(figsize=(6.8, 0.62 * len(table) + 1.1))
    before = None
    for i, row in enumerate(table.itertuples()):
        step = row.gain > 0
        if step:
            ends = [before, row.median]
            axis.plot(ends, [i, i], color="0.8", lw=9, solid_capstyle="butt", zorder=1)
            right = max(before, row.high)
            axis.annotate(f"{row.gain:.2g} times less", (right, i), (7, 0), va="center",
                          textcoords="offset points", fontsize=9)  # fmt: skip
        k = 0 if step else 1
        spread = [[row.median - row.low], [row.high - row.median]]
        axis.errorbar(row.median, i, xerr=spread, fmt=MARKERS[k], color=COLOURS[k], ms=8, capsize=4)
        axis.annotate(f"{row.median:.2g}", (row.median, i), (0, 9), ha="center",
                      textcoords="offset points", fontsize=10)  # fmt: skip
        before = row.median
    axis.set_yticks(range(len(table)), table["words"])
    axis.set_ylim(len(table) - 0.5, -0.6)
    axis.set(xscale="log", xlabel="milliseconds per network and epoch (less is better)")
    axis.margins(x=0.28)
    axis.xaxis.set_major_formatter("{x:g}")
    axis.grid(axis="y", visible=False)
    return figure


@drawn
def growth_of_time(table):
    """Time of an epoch over records, attributes and replicas, beside straight proportion.

    Parameters
    ----------
    table : DataFrame
        Columns axis, size and seconds; several rounds of each.

    Returns
    -------
    Figure
        One panel for each axis, both scales logarithmic.
    """
    names = list(dict.fromkeys(table["axis"]))
    figure, axes = subplots(1, len(names), figsize=(6.8, 3.2), layout="constrained")
    for i, (panel, name) in enumerate(zip(axes, names, strict=True)):
        own = table[table["axis"] == name].groupby("size")["seconds"].median()
        panel.loglog(own.index, own, color=COLOURS[i], marker=MARKERS[i])
        sizes = np.array(own.index, dtype=float)
        panel.loglog(sizes, own.iloc[-1] * sizes / sizes[-1], color="0.4", ls=":", lw=1.2)
        ends = [sizes[0], sizes[-1]]  # labels between them would run into each other
        panel.set_xticks(ends, [f"{size:g}" for size in ends])
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.set(xlabel=name)
    label_edges(axes, y="seconds per epoch")
    return figure


@drawn
def imputers_beside_peers(summary):
    """Error of each imputer on hidden cells with its interval, one panel for each mechanism.

    Parameters
    ----------
    summary : DataFrame
        Columns mechanism, imputer, mean, low and high.

    Returns
    -------
    Figure
    """
    mechanisms = list(dict.fromkeys(summary["mechanism"]))
    names = list(dict.fromkeys(summary["imputer"]))
    figure, axes = subplots(
        1, len(mechanisms), sharey=True, sharex=True, figsize=(6.8, 0.42 * len(names) + 1.3)
    )
    for panel, mechanism in zip(axes, mechanisms, strict=True):
        own = summary[summary["mechanism"] == mechanism].set_index("imputer")
        for i, name in enumerate(names):
            if name in own.index:
                row = own.loc[name]
                spread = [[row["mean"] - row["low"]], [row["high"] - row["mean"]]]
                panel.errorbar(row["mean"], i, xerr=spread, fmt=MARKERS[i], color=COLOURS[i])
                panel.annotate(f"{row['mean']:.4f}", (row["mean"], i), (0, 6), ha="center",
                               textcoords="offset points", fontsize=9)  # fmt: skip
        panel.set_title(mechanism, fontsize=11)
        panel.set(xlabel="RMSE (less is better)", xlim=(0, None))
        panel.grid(axis="y", visible=False)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.5, -0.7)
    return figure
