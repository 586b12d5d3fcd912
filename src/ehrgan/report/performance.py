"""How well probabilities do on records that did not teach them, each number with its interval.

A number's spread is read off its influence function: what each record adds to it. Records of one
person are added up first, so that their intervals are of persons, not of records.
"""

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from ..scores.calibration import calibration_line
from ..scores.estimate import Estimate
from ..scores.metrics import decision_curve
from .areas import added_by_records, brier_of, interval_of_area, sides, units_of

__all__ = ["benefit", "performance"]

#: Nearest that a probability comes to 0 and to 1 where its logit is needed.
CLIP = 1e-4


def performance(y, told, classes, groups=None, parts=None):
    """AUC, calibration and Brier score, with 95 % intervals.

    Parameters
    ----------
    y : int ndarray of shape (n,)
        Number of each record's class.
    told : ndarray of shape (n,) or (n, n_classes)
        Probability of class 1 of two, or of each of several.
    classes : sequence of str
        Names of the classes.
    groups : int ndarray of shape (n,), optional
        Records of one number belong to one person.
    parts : list of tuple of (ndarray, int ndarray), optional
        Where only probabilities of one fold are on one scale: those told in each trial, and the
        fold of each record. The AUC is then of pairs of records of one fold, mean over trials.

    Returns
    -------
    DataFrame
        Columns measure, value, low, high. Of several classes the AUC is the mean of each against
        the others, the Brier score the sum, and calibration is told class by class. The slope is 1
        and the shift (calibration in the large, in log-odds) 0 where probabilities come true; NaN
        where the classes do not overlap.

    References
    ----------
    DeLong et al., "Comparing the areas under two or more correlated receiver operating
    characteristic curves", Biometrics 44, 1988. Liang and Zeger, "Longitudinal data analysis using
    generalized linear models", Biometrika 73, 1986, for the spread of the line.

    Examples
    --------
    >>> y, p = np.array([0, 0, 1, 0, 1, 1] * 20), np.array([0.1, 0.3, 0.4, 0.6, 0.7, 0.9] * 20)
    >>> print(performance(y, p, ("no", "yes")).round(2).head(1).to_string(index=False))
    measure  value  low  high
        AUC   0.89 0.81  0.94
    """
    views = sides(y, told)
    names = [""] if told.ndim == 1 else [f" of {name}" for name in classes]
    parts = [(told, np.zeros(len(y), int))] if parts is None else parts
    areas, added = zip(*(area_within(y, *part) for part in parts), strict=True)
    area, variance = float(np.mean(areas)), spread(np.mean(added, axis=0), groups) ** 2
    ends = interval_of_area(area, variance, units_of(y, groups))
    rows = [("AUC", area, *ends)]
    for name, (own, p) in zip(names, views, strict=True):
        line = calibration_line(own, p, clip=CLIP)
        for measure, value, added in _lines(own, p, line):
            rows.append((f"calibration {measure}{name}", *around(value, added, groups)))
    errors = np.sum([(p - own) ** 2 for own, p in views], axis=0)
    brier = brier_of(y, told)
    rows.append(("Brier score", *around(brier, (errors - brier) / len(y), groups)))
    return pd.DataFrame(rows, columns=["measure", "value", "low", "high"])


def benefit(y, told, thresholds, groups=None):
    """Net benefit of acting above a threshold, with 95 % intervals.

    Parameters
    ----------
    y : int ndarray of shape (n,)
        1 for the positive class.
    told : ndarray of shape (n,)
        Its probability.
    thresholds : array-like of shape (n_thresholds,)
        At least 0 and below 1.
    groups : int ndarray of shape (n,), optional
        Records of one number belong to one person.

    Returns
    -------
    DataFrame
        What :func:`~ehrgan.scores.metrics.decision_curve` gives, with low and high beside it.

    Notes
    -----
    A net benefit is a mean over records: 1 for each that is found, less the odds of the threshold
    for each false alarm. So its spread is that of a mean, whether records or persons are drawn.

    References
    ----------
    Sande, Li, D'Agostino, Yin Wing and Cook, "Statistical inference for decision curve analysis",
    Statistics in Medicine 39, 2020.

    Examples
    --------
    >>> y, p = np.array([0, 0, 1, 0, 1, 1] * 20), np.array([0.1, 0.3, 0.4, 0.6, 0.7, 0.9] * 20)
    >>> print(benefit(y, p, [0.35])[["model", "low", "high"]].round(2).to_string(index=False))
     model  low  high
      0.41  0.3  0.52
    """
    curve = decision_curve(y, told, thresholds)
    t = curve["threshold"].to_numpy()
    gains = (told[:, None] > t) * np.where(y[:, None] == 1, 1.0, -t / (1 - t))
    added = (gains - gains.mean(axis=0)) / len(y)
    ends = [around(v, a, groups)[1:] for v, a in zip(curve["model"], added.T, strict=True)]
    return curve.assign(low=[low for low, _ in ends], high=[high for _, high in ends])


def spread(added, groups=None):
    """Standard error of a number to which each record adds so much."""
    sums = added if groups is None else pd.Series(added).groupby(groups).sum().to_numpy()
    taking_part = max(2, np.count_nonzero(sums))
    return float(np.sqrt((sums**2).sum() * taking_part / (taking_part - 1)))


def around(value, added, groups=None, level=0.95):
    """A number with its interval."""
    half = norm.ppf((1 + level) / 2) * spread(added, groups)
    return Estimate(float(value), float(value - half), float(value + half))


def area_within(y, told, fold):
    """AUC of pairs of records of one fold, and what each record adds to it; NaN of no pair."""
    areas, added = [], np.zeros(len(y))
    for own, p in sides(y, told):
        folds = [np.flatnonzero(fold == k) for k in np.unique(fold)]
        folds = [rows for rows in folds if 0 < own[rows].sum() < len(rows)]
        pairs = np.array([own[rows].sum() * (~own[rows]).sum() for rows in folds])
        found = [roc_auc_score(own[rows], p[rows]) for rows in folds]
        areas.append(pairs @ found / pairs.sum() if folds else np.nan)
        for n, area, rows in zip(pairs, found, folds, strict=True):
            # more pairs of a fold move the mean as well, by how far it stands from the others
            apart = np.where(own[rows], 1 / own[rows].sum(), 1 / (~own[rows]).sum())
            moved = added_by_records(own[rows] * 1, p[rows]) + (area - areas[-1]) * apart
            added[rows] += n / pairs.sum() * moved
    return float(np.mean(areas)), added / len(areas)


def _lines(own, p, line):
    """Slope and shift of a calibration line, with what each record adds to them."""
    x = logit(np.clip(p, CLIP, 1 - CLIP))
    slope = np.full(len(x), np.nan)
    if np.isfinite(line.slope.value):
        inputs = np.column_stack([np.ones_like(x), x])
        expected = expit(line.intercept.value + line.slope.value * x)
        information = (inputs.T * (expected * (1 - expected))) @ inputs
        slope = (np.linalg.inv(information) @ (inputs.T * (own - expected)))[1]
    expected = expit(line.in_the_large.value + x)
    shift = (own - expected) / (expected * (1 - expected)).sum()
    yield "slope", line.slope.value, slope
    yield "shift", line.in_the_large.value, shift
