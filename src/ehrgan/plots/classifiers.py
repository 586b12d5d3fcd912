"""Figures of the chapter on the classifiers."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from ..scores.metrics import METRIC_WORDS
from .style import COLOURS, PAPER_MARK, drawn, name_rows, spread, subplots

# Each imputation looks alike in every figure; the paper's circle stays apart in greyscale too.
LOOKS = {
    "mean": (COLOURS[0], "s"),
    "zero": (COLOURS[3], "^"),
    "autoencoder": (COLOURS[1], "D"),
    "denoising": (COLOURS[2], "v"),
    "complete": (COLOURS[6], "P"),  # nothing was hidden, so nothing imputed
}


@drawn
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
    """
    ours = summary[summary["metric"] == metric]
    told = paper[paper["classifier"].isin(ours["classifier"])].assign(mean=lambda t: t[metric])
    figure, axis = subplots(figsize=(5.6, 6.8))
    _rows_of_intervals(axis, ours, told)
    axis.set_xlim(right=min(1, axis.get_xlim()[1]))
    axis.set_xlabel(f"{METRIC_WORDS.get(metric, metric)}, mean over test folds")
    figure.legend(handles=_handles(axis, told), loc="outside upper left", ncols=4, fontsize=10)
    return figure


@drawn
def every_number(summary, paper):
    """Every metric of every classifier and imputation with its interval, beside the paper's.

    Parameters
    ----------
    summary : DataFrame
        Columns imputer, classifier, metric, mean, low, high, as
        :func:`ehrgan.scores.metrics.summarise` gives them; all metrics have the same classifiers.
    paper : DataFrame
        Columns imputer, classifier and the metrics: one panel for each of these that `summary` has.

    Returns
    -------
    Figure
        Panels in two columns, the same rows in each.
    """
    metrics = [metric for metric in paper if metric in set(summary["metric"])]
    n_rows = -(-len(metrics) // 2)
    height = 0.42 * summary["classifier"].nunique() + 0.9
    size = {"figsize": (7, n_rows * height), "used": len(metrics), "squeeze": False}
    figure, axes = subplots(n_rows, 2, sharey=True, **size)
    for axis, metric in zip(axes.flat, metrics, strict=False):
        ours = summary[summary["metric"] == metric]
        _rows_of_intervals(axis, ours, paper.assign(mean=paper[metric]))
        axis.set_title(METRIC_WORDS.get(metric, metric), fontsize=11)
        axis.xaxis.set_major_locator(MaxNLocator(4))
    handles = _handles(axes.flat[0], paper)
    figure.legend(handles=handles, loc="outside upper left", ncols=4, fontsize=10)
    return figure


@drawn
def paired_differences(table, label, paper=None):
    """Differences on the same folds with their intervals, a line at zero, and the paper's.

    Parameters
    ----------
    table : DataFrame
        Columns imputer, classifier, mean, low, high. A row of the figure for each classifier, or
        whatever stands in that column; in it a mark and interval for each imputer of `LOOKS`.
    label : str
        What the differences are.
    paper : DataFrame, optional
        The paper's differences: imputer, classifier and mean; rows that `table` lacks are ignored.
    """
    n_rows = table["classifier"].nunique()
    figure, axis = subplots(figsize=(5.6, 0.62 * n_rows + 1.5))
    axis.axvline(0, color="black", lw=1)
    _rows_of_intervals(axis, table, paper)
    axis.xaxis.set_major_locator(MaxNLocator(6))
    axis.set_xlabel(label)
    handles = _handles(axis, paper)
    if len(handles) > 1:
        figure.legend(handles=handles, loc="outside upper left", ncols=4, fontsize=10)
    return figure


def _rows_of_intervals(axis, table, paper):
    """Draw a row for each classifier, in it each imputation's interval and the paper's mark."""
    rows = {name: i for i, name in enumerate(table["classifier"].unique())}
    imputers = table["imputer"].unique()
    shifts = 0.26 * (np.arange(len(imputers)) - (len(imputers) - 1) / 2)
    for imputer, shift in zip(imputers, shifts, strict=True):
        colour, marker = LOOKS[imputer]
        own = table[table["imputer"] == imputer]
        looks = {"fmt": marker, "color": colour, "ms": 6, "lw": 1.6, "label": imputer}
        axis.errorbar(own["mean"], own["classifier"].map(rows) + shift, xerr=spread(own), **looks)
        if paper is not None:
            told = paper[(paper["imputer"] == imputer) & paper["classifier"].isin(rows)]
            at = [rows[name] + shift for name in told["classifier"]]
            axis.plot(told["mean"], at, **PAPER_MARK)
    name_rows(axis, rows)
    for i in range(1, len(rows), 2):
        axis.axhspan(i - 0.5, i + 0.5, color="0.95", zorder=0)


def _handles(axis, paper):
    """Legend entries: the marker of each imputation, without its interval, and the paper's."""
    bars, words = axis.get_legend_handles_labels()
    handles = [
        plt.Line2D([], [], color=bar[0].get_color(), marker=bar[0].get_marker(), ls="", label=word)
        for bar, word in zip(bars, words, strict=True)
    ]
    if paper is not None:
        handles.append(plt.Line2D([], [], label="the paper", **PAPER_MARK))
    return handles
