"""Figures of a report on anybody's records."""

import matplotlib.pyplot as plt
import numpy as np

from .style import COLOURS, MARKERS, closed, style


def method_intervals(table, chosen):
    """AUC of each method with its interval, a colour and marker for each classifier.

    Parameters
    ----------
    table : DataFrame
        Columns imputation, classifier, auc, low, high, in the order of the rows to draw.
    chosen : int
        The row to mark as recommended.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with style():
        figure, axis = plt.subplots(figsize=(7, 0.8 + 0.33 * len(table)))
        for i, (name, own) in enumerate(table.groupby("classifier", sort=False)):
            spread = np.array([own["auc"] - own["low"], own["high"] - own["auc"]])
            looks = {"fmt": MARKERS[i], "color": COLOURS[i], "label": name, "capsize": 2}
            axis.errorbar(own["auc"], own.index, xerr=spread, **looks)
        axis.plot(table.loc[chosen, "low"], chosen, marker=">", color="black", ms=9, clip_on=False)
        axis.annotate("recommended ", (table.loc[chosen, "low"], chosen), ha="right", va="center")
        axis.set(xlabel="AUC", yticks=range(len(table)), yticklabels=table["imputation"])
        axis.invert_yaxis()
        axis.margins(x=0.15)
        figure.legend(loc="outside upper center", ncols=2)
    return closed(figure)


def methods_on_sets(table):
    """AUC of every method on several tables: a panel each, a row for each imputation.

    Parameters
    ----------
    table : DataFrame
        Columns set, imputation, classifier, auc, low, high.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows, names = list(table["imputation"].unique()), list(table["set"].unique())
    with style():
        figure, axes = plt.subplots(len(names), 1, figsize=(7, 2.3 * len(names)), squeeze=False)
        for axis, name in zip(axes[:, 0], names, strict=True):
            panel = table[table["set"] == name]
            for i, (classifier, own) in enumerate(panel.groupby("classifier", sort=False)):
                place = own["imputation"].map(rows.index) + 0.18 * (i - 1.5)
                spread = np.array([own["auc"] - own["low"], own["high"] - own["auc"]])
                looks = {"fmt": MARKERS[i], "color": COLOURS[i], "label": classifier}
                axis.errorbar(own["auc"], place, xerr=spread, **looks)
            axis.set(title=name, yticks=range(len(rows)), yticklabels=rows)
            axis.invert_yaxis()
        axes[-1, 0].set_xlabel("AUC")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return closed(figure)
