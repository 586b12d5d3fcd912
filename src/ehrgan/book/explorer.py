"""Look up any result of the audit: by protocol, imputation, classifier and share of holes."""

from itertools import product

import numpy as np
import pandas as pd

from ..scores.estimate import Estimate
from ..scores.metrics import METRIC_WORDS, METRICS, summarise
from ..study.by_protocol import FPR, ROC, TABLE_IMPUTERS
from ..study.protocol import CLASSIFIERS, PROTOCOLS
from ..templates import render

__all__ = ["Explorer"]

FIRST = {"protocol": "honest", "imputer": "autoencoder", "classifier": "AC-GAN", "fraction": 0.5}
LABELS = "Protocol", "Imputation", "Classifier", "Records with holes"


class Explorer:
    """Results to look up by four choices: a table of five scores and a ROC curve.

    Parameters
    ----------
    results : DataFrame
        As :func:`ehrgan.book.committed.committed` gives them.

    Raises
    ------
    ValueError
        If the results do not hold what the page shows first.

    Notes
    -----
    In a notebook it displays as a form whose results are all in the page, about 100 kB: no server,
    and no other host is asked. Without JavaScript the first choice is shown, and a table of every
    accuracy.

    Examples
    --------
    >>> from ehrgan.book.committed import committed
    >>> explorer = Explorer(committed("by_protocol"))
    >>> mean, low, high = explorer.lookup("peek", "mean", "SVM (RBF)", 0.5)["accuracy"]
    >>> low < mean < high
    True
    """

    def __init__(self, results):
        self.cells = {}
        for (protocol, fraction), own in results.groupby(["protocol", "fraction"]):
            scores = own[own["metric"].isin(METRICS)]
            for key, rows in summarise(scores, bounds=(0, 1)).groupby(["imputer", "classifier"]):
                found = rows.set_index("metric")[["mean", "low", "high"]].round(4)
                cell = {m: found.loc[m].tolist() for m in METRICS}
                curve = own.query("metric == @ROC and imputer == @key[0] and classifier == @key[1]")
                cell[ROC] = curve.sort_values("fpr")["value"].round(3).tolist()
                self.cells["|".join([protocol, *key, f"{fraction:g}"])] = cell
        if self.key(**FIRST) not in self.cells:
            raise ValueError(f"results must hold {FIRST}, got {sorted(self.cells)[:3]} ...")

    @staticmethod
    def key(protocol, imputer, classifier, fraction):
        """Name of a cell."""
        return f"{protocol}|{imputer}|{classifier}|{fraction:g}"

    def lookup(self, protocol, imputer, classifier, fraction):
        """Give the scores under one choice.

        Parameters
        ----------
        protocol, imputer, classifier : str
            As in the results; under "peek" a classifier without epochs is as under "paper".
        fraction : float
            Share of records with holes.

        Returns
        -------
        dict
            Metric to [mean, low, high], and "tpr" to the curve at the rates of :data:`FPR`.

        Raises
        ------
        KeyError
            If the results do not hold it.
        """
        wanted = self.key(protocol, imputer, classifier, fraction)
        if protocol == "peek" and wanted not in self.cells:
            wanted = self.key("paper", imputer, classifier, fraction)
        return self.cells[wanted]

    def options(self):
        """Give the values of each choice, in the book's order."""
        parts = [key.split("|") for key in self.cells]
        found = [set(column) for column in zip(*parts, strict=True)]
        orders = (PROTOCOLS, TABLE_IMPUTERS, CLASSIFIERS, sorted(found[3], key=float))
        chosen = [[value for value in o if value in f] for o, f in zip(orders, found, strict=True)]
        return dict(zip(FIRST, chosen, strict=True))

    def every_accuracy(self):
        """Lay every accuracy out in a table, for readers without JavaScript."""
        rows = {}
        for *key, fraction in product(*self.options().values()):
            accuracy = Estimate(*self.lookup(*key, float(fraction))["accuracy"])
            rows.setdefault(tuple(key), {})[_percent(fraction)] = f"{accuracy:.4f}"
        return pd.DataFrame(rows).T.rename_axis(["protocol", "imputation", "classifier"])

    def _repr_html_(self):
        first, options = self.lookup(**FIRST), self.options()
        shown = {**FIRST, "fraction": f"{FIRST['fraction']:g}"}
        return render(
            "explorer.html",
            options={
                name: [(value, _choice_in_words(name, value)) for value in values]
                for name, values in options.items()
            },
            labels=dict(zip(FIRST, LABELS, strict=True)),
            shown=shown,
            said=", ".join(_choice_in_words(name, value) for name, value in shown.items()),
            first={metric: Estimate(*first[metric]) for metric in METRICS},
            names=METRIC_WORDS,
            path=_path(first[ROC]),
            frame=self.every_accuracy().reset_index(),
            data={"cells": self.cells, "fpr": FPR.tolist(), "metrics": list(METRICS)},
        )


def _choice_in_words(name, value):
    return _percent(value) if name == "fraction" else value


def _percent(share):
    return f"{float(share):.0%}".replace("%", " %")


def _path(tpr):
    """The ROC curve as an SVG path, in a square of 300 units."""
    points = zip(300 * FPR, 300 * (1 - np.array(tpr)), strict=True)
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in [(0.0, 300.0), *points])
