"""Look up any result of the audit: by protocol, imputation, classifier and share of holes.

``python -m ehrgan.explorer FOLDER`` puts a finished sweep into the package's data, where the book's
chapter reads it.
"""

import html
import json
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from .evaluation import METRICS, roc_over_folds, summarise
from .protocol import CLASSIFIERS, PROTOCOLS, run_study
from .records import load_wdbc
from .saving import write_whole

__all__ = ["FPR", "IMPUTERS", "NAMES", "Explorer", "committed", "one_protocol"]

#: False positive rates at which a page keeps a curve, closer to each other at the left.
FPR = np.round(np.linspace(0, 1, 41) ** 2, 4)
IMPUTERS = ("mean", "autoencoder")
#: How tables call a metric, where that is not its name with spaces.
NAMES = {"auc_roc": "AUC", "brier": "Brier score", "f_score": "F-score"}
ROC = "tpr"  # the metric whose rows are points of a ROC curve, averaged over folds
RESULTS = "explorer.parquet"
SETTING = ["protocol", "fraction", "seed"]
FIRST = {
    "protocol": "honest",
    "imputer": "autoencoder",
    "classifier": "AC-GAN",
    "fraction": 0.5,
}
LABELS = {
    "protocol": "Protocol",
    "imputer": "Imputation",
    "classifier": "Classifier",
    "fraction": "Records with holes",
}


def one_protocol(protocol="honest", fraction=0.5, *, n_trials=10, n_folds=5, seed=0):
    """Scores and mean ROC curves under one protocol at one share of records with holes.

    Parameters
    ----------
    protocol : {"honest", "paper", "peek"}, default="honest"
        What test records may teach; only the AC-GAN runs under "peek", as no other classifier has
        an epoch to choose.
    fraction : float, default=0.5
        Share of the records that lose their first 15 attributes, 0 to 0.95.
    n_trials : int, default=10
        Repetitions, at least 1.
    n_folds : int, default=5
        Folds of each, at least 2.
    seed : int, default=0
        At least 0.

    Returns
    -------
    DataFrame
        trial, fold, imputer, classifier, metric, value, n_train, n_test, fpr: a row for each fold
        and metric of :data:`~ehrgan.evaluation.METRICS`; and with the metric "tpr", trial and fold
        -1, one for each rate of :data:`FPR` of the ROC curve averaged over folds.

    Raises
    ------
    TypeError, ValueError
        As :class:`~ehrgan.protocol.Study`.

    Notes
    -----
    One to two minutes on two cores with the defaults. The study is cached, and the one that the
    chapters share where the settings are theirs.

    Examples
    --------
    >>> from ehrgan.explorer import FPR
    >>> FPR[[0, 1, -1]].tolist()
    [0.0, 0.0006, 1.0]
    """
    chosen = {"classifiers": ("AC-GAN",)} if protocol == "peek" else {}
    if protocol != "honest":
        chosen |= {"imputers": IMPUTERS, "protocol": protocol}
    settings = {"missing_fraction": fraction, "n_masked": 15, "seed": seed}
    result = run_study(load_wdbc(), n_trials=n_trials, n_folds=n_folds, **settings, **chosen)
    predictions = result.predictions[result.predictions["imputer"].isin(IMPUTERS)]
    scores = result.scores[result.scores["imputer"].isin(IMPUTERS)]
    curves = []
    for (imputer, classifier), own in predictions.groupby(["imputer", "classifier"], sort=False):
        folds = [fold for _, fold in own.groupby(["trial", "fold"])]
        curve = roc_over_folds([f["y"] for f in folds], [f["probability"] for f in folds], FPR)
        curve = curve[["fpr", "tpr"]].rename(columns={"tpr": "value"})
        curves.append(curve.assign(imputer=imputer, classifier=classifier, metric=ROC))
    curves = pd.concat(curves).assign(trial=-1, fold=-1, n_train=0, n_test=0)
    return pd.concat([scores, curves], ignore_index=True)


def committed():
    """Read the results that came with the library.

    Returns
    -------
    DataFrame
        As :func:`one_protocol`, with protocol, fraction and seed, and the version and source that
        made them.

    Examples
    --------
    >>> sorted(set(committed()["protocol"]))
    ['honest', 'paper', 'peek']
    """
    with files("ehrgan").joinpath(f"data/{RESULTS}").open("rb") as file:
        return pd.read_parquet(file)


class Explorer:
    """Results to look up by four choices: a table of five scores and a ROC curve.

    Parameters
    ----------
    results : DataFrame
        As :func:`committed` gives them.

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
    >>> explorer = Explorer(committed())
    >>> explorer.lookup("honest", "autoencoder", "AC-GAN", 0.5)["accuracy"] == explorer.lookup(
    ...     "honest", "autoencoder", "AC-GAN", 0.5)["accuracy"]
    True
    """

    def __init__(self, results):
        self.cells = {}
        for (protocol, fraction), own in results.groupby(["protocol", "fraction"]):
            scores = own[own["metric"].isin(METRICS)]
            for key, rows in summarise(scores).groupby(["imputer", "classifier"]):
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
        orders = (PROTOCOLS, IMPUTERS, CLASSIFIERS, sorted(found[3], key=float))
        chosen = [[value for value in o if value in f] for o, f in zip(orders, found, strict=True)]
        return dict(zip(FIRST, chosen, strict=True))

    def every_accuracy(self):
        """Lay every accuracy out in a table, for readers without JavaScript."""
        options = self.options()
        rows = {
            (protocol, imputer, classifier): {
                _percent(fraction): "{:.4f} ({:.3f} to {:.3f})".format(
                    *self.lookup(protocol, imputer, classifier, float(fraction))["accuracy"]
                )
                for fraction in options["fraction"]
            }
            for protocol in options["protocol"]
            for imputer in options["imputer"]
            for classifier in options["classifier"]
        }
        return pd.DataFrame(rows).T.rename_axis(["protocol", "imputation", "classifier"])

    def _repr_html_(self):
        folder = files("ehrgan").joinpath("data")
        page = folder.joinpath("explorer.html").read_text(encoding="utf-8")
        script = folder.joinpath("explorer.js").read_text(encoding="utf-8")
        controls = [self._control(name, values) for name, values in self.options().items()]
        first = self.lookup(**FIRST)
        data = {"cells": self.cells, "fpr": FPR.tolist(), "metrics": list(METRICS)}
        parts = {
            "controls": "\n".join(controls),
            "rows": "\n".join(map(_row, METRICS, [first[m] for m in METRICS])),
            "path": _path(first[ROC]),
            "said": self._said(first),
            "every": self._table(),
            "data": json.dumps(data, separators=(",", ":")).replace("</", "<\\/"),
            "script": script,
        }
        for name, text in parts.items():
            page = page.replace(f"<!-- {name} -->", text)
        return page

    @staticmethod
    def _said(first):
        """What the page says of its first choice; the script says the same of others."""
        *words, fraction = FIRST.values()
        accuracy = f"accuracy {first['accuracy'][0]:.4f}"
        return html.escape(f"{', '.join([*words, _percent(fraction)])}: {accuracy}")

    @staticmethod
    def _control(name, values):
        """One labelled select."""
        options = []
        for value in values:
            words = _percent(value) if name == "fraction" else value
            chosen = " selected" if value in (FIRST[name], f"{FIRST['fraction']:g}") else ""
            options.append(f'<option value="{html.escape(value)}"{chosen}>{words}</option>')
        label = f'<label for="explorer-{name}">{LABELS[name]}</label>'
        return f'<div>{label}<select id="explorer-{name}">{"".join(options)}</select></div>'

    def _table(self):
        table = self.every_accuracy().reset_index()
        caption = "Accuracy with its 95 % interval, by share of records with holes"
        text = table.to_html(index=False, border=0)
        return text.replace("<thead>", f"<caption>{caption}</caption><thead>", 1)


def _percent(share):
    """A share in words."""
    return f"{float(share):.0%}".replace("%", " %")


def _row(metric, found):
    """A row of the table that the choices change."""
    cells = [*"{:.4f}|{:.3f} to {:.3f}".format(*found).split("|"), "0.0000"]
    numbers = "".join(f"<td>{cell}</td>" for cell in cells)
    words = NAMES.get(metric, metric)
    return f'<tr data-metric="{metric}"><th scope="row">{words}</th>{numbers}</tr>'


def _path(tpr):
    """The ROC curve as an SVG path, in a square of 300 units."""
    points = zip(300 * FPR, 300 * (1 - np.array(tpr)), strict=True)
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in [(0.0, 300.0), *points])


def collect(folder):
    """Put a finished sweep's table into the package's data."""
    from .sweep import read_sweep

    table = read_sweep(folder)
    table = table.rename(columns={f"parameter_{name}": name for name in SETTING})
    keys = [*SETTING, "trial", "fold", "imputer", "classifier", "metric", "fpr"]
    table = table[[*keys, "value", "n_train", "n_test", "version", "source"]]
    path = Path(__file__).parent / "data" / RESULTS
    write_whole(path, table.sort_values(keys, ignore_index=True).to_parquet(index=False))
    print(f"{len(table)} rows of {table[SETTING].drop_duplicates().shape[0]} runs in {path}")


if __name__ == "__main__":
    collect(sys.argv[1])
