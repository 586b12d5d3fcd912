"""Figures of a report on anybody's records."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from scipy.stats import binomtest

from .style import COLOURS, MARKERS, band, drawn, is_narrow, spread, subplots


@drawn
def method_intervals(table, chosen):
    """AUC of each method with its interval, a colour and marker for each classifier.

    Parameters
    ----------
    table : DataFrame
        Columns imputation, classifier, auc, low, high, in the order of the rows to draw.
    chosen : int
        The row to mark as recommended.
    """
    figure, axis = subplots(figsize=(7, 0.8 + 0.33 * len(table)))
    for i, (name, own) in enumerate(table.groupby("classifier", sort=False)):
        looks = {"fmt": MARKERS[i], "color": COLOURS[i], "label": name, "capsize": 2}
        axis.errorbar(own["auc"], own.index, xerr=spread(own, "auc"), **looks)
    axis.plot(table.loc[chosen, "low"], chosen, marker=">", color="black", ms=9, clip_on=False)
    place = (table.loc[chosen, "low"], chosen)
    beside = {"xytext": (-8, 0), "textcoords": "offset points"}  # left of the mark
    axis.annotate("recommended", place, **beside, ha="right", va="center")
    axis.set(xlabel="AUC", yticks=range(len(table)), yticklabels=table["imputation"])
    axis.invert_yaxis()
    axis.margins(x=0.4 if is_narrow() else 0.15)  # room for the word
    figure.legend(loc="outside upper center", ncols=2)
    return figure


@drawn
def methods_on_sets(table):
    """AUC of every method on several tables: a panel each, a row for each imputation.

    Parameters
    ----------
    table : DataFrame
        Columns set, imputation, classifier, auc, low, high.
    """
    rows, names = list(table["imputation"].unique()), list(table["set"].unique())
    classifiers = list(table["classifier"].unique())
    figure, axes = subplots(len(names), 1, figsize=(7, 2.3 * len(names)), squeeze=False)
    for axis, name in zip(axes[:, 0], names, strict=True):
        panel = table[table["set"] == name]
        for classifier, own in panel.groupby("classifier", sort=False):
            i = classifiers.index(classifier)  # the legend is the first panel's
            place = own["imputation"].map(rows.index) + 0.18 * (i - 1.5)
            looks = {"fmt": MARKERS[i], "color": COLOURS[i], "label": classifier}
            axis.errorbar(own["auc"], place, xerr=spread(own, "auc"), **looks)
        axis.set(title=name, yticks=range(len(rows)), yticklabels=rows)
        axis.invert_yaxis()
    axes[-1, 0].set_xlabel("AUC")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


@drawn
def holes_by_record(masks):
    """Records by attributes of several tables, hidden cells dark, equal patterns together.

    Parameters
    ----------
    masks : dict of str to DataFrame of bool, shape (n_records, n_attributes)
        Name of the table, and True where a cell is missing.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each table: attributes by how often they are missing, records by pattern.
    """
    figure, axes = subplots(len(masks), 1, figsize=(7, 3.1 * len(masks)), squeeze=False)
    for axis, (name, mask) in zip(axes[:, 0], masks.items(), strict=True):
        mask = mask[mask.mean().sort_values(ascending=False, kind="stable").index]
        cells = mask.sort_values(list(mask), ascending=False).to_numpy()
        extent = (-0.5, mask.shape[1] - 0.5, 1, 0)
        looks = {"cmap": ListedColormap(["0.86", "0.15"]), "vmin": 0, "vmax": 1}
        axis.imshow(cells, aspect="auto", interpolation="nearest", extent=extent, **looks)
        axis.set_xticks(range(mask.shape[1]), list(mask), rotation=90, fontsize=9)
        axis.set(title=name, ylabel="share of records", yticks=[0, 0.5, 1])
        axis.grid(visible=False)
    squares = [plt.Rectangle((0, 0), 1, 1, color=grey) for grey in ("0.15", "0.86")]
    figure.legend(squares, ["missing", "known"], loc="outside upper left", ncols=2)
    return figure


@drawn
def calibration(panels, n_bins=5):
    """Share of positive records over the predicted probability, in bins of equally many records.

    Parameters
    ----------
    panels : dict of str to dict of str to (y, probability)
        Title of each panel, and in it words for a method and its out-of-fold predictions.
    n_bins : int, default=5
        Bins; the bars are Wilson's 95 % intervals.
    """
    rows, columns = -(-len(panels) // 2), min(2, len(panels))
    size = 3.5 * columns + 0.6, 3.2 * rows + 0.7
    figure, axes = subplots(rows, columns, figsize=size, squeeze=False, used=len(panels))
    for axis, (title, methods) in zip(axes.flat, panels.items(), strict=False):
        axis.plot([0, 1], [0, 1], color="0.4", lw=1, ls=":")
        for i, (name, (y, probability)) in enumerate(methods.items()):
            told, share, low, high = _bins(y, probability, n_bins)
            looks = {"fmt": f"{MARKERS[i]}-", "color": COLOURS[i], "lw": 1, "capsize": 2}
            axis.errorbar(told, share, yerr=[share - low, high - share], label=name, **looks)
        top = min(1, 1.1 * max(line.get_ydata().max() for line in axis.lines[1:]) + 0.05)
        axis.set(xlim=(0, top), ylim=(0, top))
        if len(panels) > 1:
            axis.set_title(title)
    figure.supxlabel("predicted probability", fontsize=11)
    figure.supylabel("share that is positive", fontsize=11)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def _bins(y, probability, n_bins):
    """Mean probability, share of positives and its interval, bin by bin."""
    bins = pd.qcut(pd.Series(probability).rank(method="first"), min(n_bins, len(y)), labels=False)
    found = pd.DataFrame({"y": y, "p": probability}).groupby(bins.to_numpy())
    ends = [
        binomtest(int(k), int(n)).proportion_ci(method="wilson")
        for k, n in zip(found["y"].sum(), found["y"].size(), strict=True)
    ]
    low, high = np.array([(end.low, end.high) for end in ends]).T
    return found["p"].mean().to_numpy(), found["y"].mean().to_numpy(), low, high


@drawn
def net_benefit(curves):
    """Net benefit over the threshold of acting, beside acting on all and on none.

    Parameters
    ----------
    curves : dict of str to DataFrame
        Name of some records, and what :func:`~ehrgan.report.performance.benefit` gives of them;
        bands are its intervals.
    """
    figure, axis = subplots(figsize=(7, 3.6))
    axis.axhline(0, color="0.4", lw=1, ls=":", label="act on none")
    for i, (name, curve) in enumerate(curves.items()):
        axis.plot(curve["threshold"], curve["model"], color=COLOURS[i], label=name)
        band(axis, curve["threshold"], curve, COLOURS[i], alpha=0.15)
        looks = {"color": COLOURS[i], "lw": 1, "ls": "--", "label": f"{name}: act on all"}
        axis.plot(curve["threshold"], curve["act on all"], **looks)
    top = max(curve["high"].max() for curve in curves.values())
    axis.set(ylim=(-0.2 * top - 0.01, 1.1 * top + 0.01), xlabel="threshold", ylabel="net benefit")
    figure.legend(loc="outside upper center", ncols=2)
    return figure
