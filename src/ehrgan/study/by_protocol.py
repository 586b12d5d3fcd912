"""What does each protocol give at each share of holes? One setting of that study."""

import numpy as np
import pandas as pd

from ..scores.metrics import roc_over_folds
from ..tables.records import load_wdbc
from .cache import run_study

__all__ = ["FPR", "TABLE_IMPUTERS", "one_protocol"]

#: False positive rates at which a page keeps a curve, closer to each other at the left.
FPR = np.round(np.linspace(0, 1, 41) ** 2, 4)
TABLE_IMPUTERS = ("mean", "autoencoder")

ROC = "tpr"  # the metric whose rows are points of a ROC curve, averaged over folds


def one_protocol(protocol="honest", fraction=0.5, *, n_trials=10, n_folds=5, seed=0):
    """Scores and mean ROC curves under one protocol at one share of records with holes.

    Parameters
    ----------
    protocol : {"honest", "paper", "peek"}, default="honest"
        What test records may teach; only the AC-GAN runs under "peek", as no other classifier has
        an epoch to choose.
    fraction : float, default=0.5
        Share of the records that lose their first 15 attributes, 0 to 0.95.
    n_trials, n_folds, seed : int, default=10, 5, 0
        As for :class:`~ehrgan.study.protocol.Study`.

    Returns
    -------
    DataFrame
        trial, fold, imputer, classifier, metric, value, n_train, n_test, fpr: a row for each fold
        and metric of :data:`~ehrgan.scores.metrics.METRICS`; and with the metric "tpr", trial and
        fold -1, one for each rate of :data:`FPR` of the ROC curve averaged over folds.

    Raises
    ------
    TypeError, ValueError
        As :class:`~ehrgan.study.protocol.Study`.

    Notes
    -----
    One to two minutes on two cores with the defaults. The study is cached, and the one that the
    chapters share where the settings are theirs.
    """
    chosen = {"classifiers": ("AC-GAN",)} if protocol == "peek" else {}
    if protocol != "honest":
        chosen |= {"imputers": TABLE_IMPUTERS, "protocol": protocol}
    settings = {"missing_fraction": fraction, "n_masked": 15, "seed": seed}
    result = run_study(load_wdbc(), n_trials=n_trials, n_folds=n_folds, **settings, **chosen)
    predictions = result.predictions[result.predictions["imputer"].isin(TABLE_IMPUTERS)]
    scores = result.scores[result.scores["imputer"].isin(TABLE_IMPUTERS)]
    curves = []
    for (imputer, classifier), own in predictions.groupby(["imputer", "classifier"], sort=False):
        folds = [fold for _, fold in own.groupby(["trial", "fold"])]
        curve = roc_over_folds([f["y"] for f in folds], [f["probability"] for f in folds], FPR)
        curve = curve[["fpr", "tpr"]].rename(columns={"tpr": "value"})
        curves.append(curve.assign(imputer=imputer, classifier=classifier, metric=ROC))
    curves = pd.concat(curves).assign(trial=-1, fold=-1, n_train=0, n_test=0)
    return pd.concat([scores, curves], ignore_index=True)
