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
