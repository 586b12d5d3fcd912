"""Probabilities that come true: what to make of those that do not, and where to act on them."""

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin

from ..scores.calibration import calibration_line
from ..scores.metrics import score, threshold_at
from .performance import CLIP, benefit

__all__ = ["Recalibrated", "needs_recalibration", "recalibrated", "threshold_table"]

SENSITIVITIES = (0.99, 0.95, 0.9, 0.8)
ACTED_AT = (0.05, 0.1, 0.2, 0.3, 0.5)


class Recalibrated(ClassifierMixin, BaseEstimator):
    """A classifier of two classes whose log-odds are moved along a line (Platt, 1999).

    Parameters
    ----------
    classifier : classifier
        Unfitted.
    intercept, slope : float, default=0, 1
        Log-odds become intercept + slope * log-odds.

    References
    ----------
    Platt, "Probabilistic outputs for support vector machines", 1999.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> model = Recalibrated(DummyClassifier(strategy="prior"), slope=2.0)
    >>> model.fit([[0]] * 4, [0, 1, 1, 1]).predict_proba([[0]]).round(2).tolist()
    [[0.1, 0.9]]
    """

    def __init__(self, classifier, intercept=0.0, slope=1.0):
        self.classifier = classifier
        self.intercept = intercept
        self.slope = slope

    def fit(self, X, y):
        """Train the classifier; the line is given."""
        self.classifier_ = self.classifier.fit(X, y)
        self.classes_ = self.classifier_.classes_
        return self

    def predict_proba(self, X):
        """Give the moved probabilities of both classes."""
        p = moved(self.classifier_.predict_proba(X)[:, 1], self.intercept, self.slope)
        return np.column_stack([1 - p, p])

    def predict(self, X):
        """Give the likelier class."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def moved(p, intercept, slope):
    """Probabilities whose log-odds are moved along a line."""
    return expit(intercept + slope * logit(np.clip(p, CLIP, 1 - CLIP)))


def needs_recalibration(performance):
    """Whether slope or shift of out-of-fold probabilities are off beyond doubt; of two classes."""
    rows = performance.set_index("measure")
    if "calibration slope" not in rows.index:
        return False
    slope, shift = rows.loc["calibration slope"], rows.loc["calibration shift"]
    return bool(slope["low"] > 1 or slope["high"] < 1 or shift["low"] > 0 or shift["high"] < 0)


def recalibrated(y, told, fold):
    """Out-of-fold probabilities moved along a line that other folds have taught.

    Parameters
    ----------
    y : ndarray of shape (n,)
        1 for the positive class.
    told : ndarray of shape (n_trials, n)
        Out-of-fold probabilities.
    fold : int ndarray of shape (n_trials, n)
        In which fold of a trial each record was predicted.

    Returns
    -------
    probability : ndarray of shape (n_trials, n)
    line : tuple of float
        Intercept and slope that all records teach, for records to come.

    Notes
    -----
    The line of a fold is learned from the predictions of the trial's other folds, whose models had
    its records among those that they learned from; a line has two numbers, so this tells little.
    """
    found = np.empty_like(told)
    for p, folds, out in zip(told, fold, found, strict=True):
        for k in np.unique(folds):
            out[folds == k] = moved(p[folds == k], *line_of(y[folds != k], p[folds != k]))
    n_trials = len(told)
    return found, line_of(np.tile(y, n_trials), told.ravel())


def line_of(y, p):
    """Intercept and slope along which log-odds of probabilities p come true."""
    line = calibration_line(y, p, clip=CLIP)
    whole = line.intercept.value, line.slope.value
    # without a slope that fits, or with one that turns the order, the average alone is mended
    return whole if line.slope.value > 0 else (line.in_the_large.value, 1.0)


def threshold_table(y, p, groups=None):
    """What acting above a threshold finds and costs, for thresholds by sensitivity and by odds.

    Parameters
    ----------
    y : ndarray of shape (n,)
        1 for the positive class.
    p : ndarray of shape (n,)
        Out-of-fold probabilities.
    groups : int ndarray of shape (n,), optional
        Records of one number belong to one person.

    Returns
    -------
    DataFrame
        Columns threshold, chosen for, sensitivity, specificity, acted on (share of the records),
        of those positive, net benefit (in true positives per record; a false one costs the odds
        of the threshold) with its 95 % interval (low, high), and that of acting on all.

    References
    ----------
    Vickers and Elkin, "Decision curve analysis", Medical Decision Making 26, 2006.

    Examples
    --------
    >>> y, p = np.array([0, 0, 1, 0, 1, 1] * 20), np.array([0.1, 0.3, 0.4, 0.6, 0.7, 0.9] * 20)
    >>> table = threshold_table(y, p).set_index("chosen for")
    >>> table.loc["sensitivity 90%", ["threshold", "sensitivity", "specificity"]].tolist()
    [0.35, 1.0, 0.6666666666666667]
    """
    by_sensitivity = [(f"sensitivity {s:.0%}", threshold_at(y, p, sensitivity=s)) for s in
                      SENSITIVITIES]  # fmt: skip
    rows = []
    for chosen, cut in [*by_sensitivity, *((f"risk {t:.0%}", t) for t in ACTED_AT)]:
        found, called = score(y, p, cut), p > cut
        row = [cut, chosen, found["sensitivity"], found["specificity"], called.mean()]
        precision = y[called].mean() if called.any() else np.nan
        gained = benefit(y, p, [min(max(cut, 0), 1 - 1e-9)], groups).loc[0]
        rows.append([*row, precision, *gained[["model", "low", "high", "act on all"]]])
    names = ["threshold", "chosen for", "sensitivity", "specificity", "acted on"]
    names += ["of those positive", "net benefit", "low", "high", "net benefit of acting on all"]
    return pd.DataFrame(rows, columns=names)
