"""Figures of the chapter on the classifiers."""

import matplotlib.pyplot as plt
import numpy as np

from .style import COLOURS, MARKERS, closed, style


def classifier_intervals(summary, paper, metric="accuracy"):
    """One metric of every classifier and imputation with its interval, beside the paper's number.

    Parameters
    ----------
    summary : DataFrame
        Columns imputer, classifier, metric, mean, low, high, as `evaluation.summarise` gives them.
    paper : DataFrame
        Columns imputer, classifier and the metrics, as `evaluation.paper_tables` gives them.
    metric : str, default="accuracy"
        Which metric to draw.

    Returns
    -------
    Figure
    """
    ours = summary[summary["metric"] == metric]
    told = paper[paper["classifier"].isin(ours["classifier"])].assign(mean=lambda t: t[metric])
    with style():
        figure, axis = plt.subplots(figsize=(7, 6.2))
        _dodged_intervals(axis, ours, hollow=told)
        axis.set_xlim(
            right=min(1, axis.get_xlim()[1])
        )  # intervals may reach past it; scores cannot
        axis.set_xlabel(f"{metric.replace('_', ' ')}, mean over test folds")
        handles = _imputer_handles(axis)
        hollow = plt.Line2D(
            [], [], color="black", marker="d", ls="", mfc="white", label="the paper"
        )
        figure.legend(handles=[*handles, hollow], loc="outside upper left", ncols=4, fontsize=10)
    return closed(figure)


def paired_differences(table, label):
    """Differences between classifiers on the same folds, with their intervals and a line at zero.

    Parameters
    ----------
    table : DataFrame
        Columns imputer, classifier, mean, low, high.
    label : str
        What the differences are.

    Returns
    -------
    Figure
    """
    with style():
        figure, axis = plt.subplots(figsize=(7, 4.6))
        axis.axvline(0, color="black", lw=1)
        _dodged_intervals(axis, table)
        axis.set_xlabel(label)
        figure.legend(handles=_imputer_handles(axis), loc="outside upper left", ncols=3)
    return closed(figure)


def _dodged_intervals(axis, table, hollow=None):
    """Draw a row for each classifier, and in it a dot and interval for each imputation."""
    rows = {name: i for i, name in enumerate(table["classifier"].unique())}
    imputers = table["imputer"].unique()
    shifts = dict(
        zip(imputers, 0.22 * (np.arange(len(imputers)) - (len(imputers) - 1) / 2), strict=True)
    )
    for i, imputer in enumerate(imputers):
        own = table[table["imputer"] == imputer]
        y = own["classifier"].map(rows) + shifts[imputer]
        spread = [own["mean"] - own["low"], own["high"] - own["mean"]]
        axis.errorbar(
            own["mean"],
            y,
            xerr=spread,
            fmt=MARKERS[i],
            color=COLOURS[i],
            ms=6,
            lw=1.6,
            label=imputer,
        )
        if hollow is not None:
            told = hollow[hollow["imputer"] == imputer]
            y = told["classifier"].map(rows) + shifts[imputer]
            axis.plot(told["mean"], y, "d", mfc="white", mec="black", ms=6, zorder=4)
    axis.set_yticks(range(len(rows)), list(rows))
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    for i in range(1, len(rows), 2):
        axis.axhspan(i - 0.5, i + 0.5, color="0.95", zorder=0)


def _imputer_handles(axis):
    """Legend entries of the imputations: the marker alone, without its interval."""
    handles, _ = axis.get_legend_handles_labels()
    return [
        plt.Line2D(
            [], [], color=h[0].get_color(), marker=h[0].get_marker(), ls="", label=h.get_label()
        )
        for h in handles
    ]
