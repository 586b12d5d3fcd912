"""Scores of predictions at another prevalence than that of the records they are tested on."""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from .metrics import checked_predictions, threshold_at

__all__ = ["score_at_prevalence", "weights_at_prevalence"]


def weights_at_prevalence(y_true, prevalence):
    """Weights of records by which the positive class has a given share.

    Parameters
    ----------
    y_true : array-like of shape (n_records,)
        1 for the positive class, 0 for the negative; both must occur.
    prevalence : float
        Share of the positive class, above 0 and below 1.

    Returns
    -------
    ndarray of shape (n_records,)
        Their mean is 1.

    Raises
    ------
    ValueError
        If the prevalence is out of its range.

    Examples
    --------
    >>> weights_at_prevalence([1, 1, 0, 0], 0.25).tolist()
    [0.5, 0.5, 1.5, 1.5]
    """
    if not 0 < prevalence < 1:
        raise ValueError(f"prevalence must be above 0 and below 1, got {prevalence}")
    y = np.asarray(y_true, dtype=bool)
    return np.where(y, prevalence / y.mean(), (1 - prevalence) / (1 - y.mean()))


def score_at_prevalence(y_true, probability, prevalence, *, threshold=0.5, specificity=0.95):
    """Score predictions as they would do where the positive class is rarer.

    A rare disease leaves few positive records to test on. Those of a table where it is frequent
    serve as well, with less weight: sensitivity and specificity do not depend on how frequent the
    classes are, and all else here follows from weighted records.

    Parameters
    ----------
    y_true, probability : array-like of shape (n_records,)
        As in :func:`~ehrgan.scores.metrics.score`.
    prevalence : float
        Share of positive records where the scores are to hold, above 0 and below 1.
    threshold : float, default=0.5
        A record is called positive above it.
    specificity : float, default=0.95
        From 0 to 1; see "matched" below.

    Returns
    -------
    dict of float
        ``auc_roc``, ``average_precision``, ``brier``; ``ratio``, the mean predicted probability
        over the prevalence; ``sensitivity``, ``specificity`` and ``f_score`` at the threshold; and
        ``matched``, the sensitivity at the least threshold that reaches the given specificity on
        these very records, which compares rankings.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> found = score_at_prevalence([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1], 0.1)
    >>> round(found["f_score"], 3), found["matched"], round(found["ratio"], 2)
    (0.167, 0.5, 3.8)
    """
    y, p = checked_predictions(y_true, probability)
    weight = weights_at_prevalence(y, prevalence)
    called = p > threshold
    sensitivity, false_alarms = called[y].mean(), called[~y].mean()
    found = prevalence * sensitivity
    cut = threshold_at(y, p, specificity=specificity)
    values = {
        "auc_roc": roc_auc_score(y, p),
        "average_precision": average_precision_score(y, p, sample_weight=weight),
        "brier": np.average((p - y) ** 2, weights=weight),
        "ratio": np.average(p, weights=weight) / prevalence,
        "sensitivity": sensitivity,
        "specificity": 1 - false_alarms,
        "f_score": 2 * found / (prevalence + found + (1 - prevalence) * false_alarms),
        "matched": np.mean(p[y] > cut),
    }
    return {metric: float(value) for metric, value in values.items()}
