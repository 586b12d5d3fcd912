"""Whether probabilities can be taken at their word, and what a known prevalence makes of them."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from .estimate import Estimate
from .inference import check_level
from .metrics import checked_predictions

__all__ = [
    "CalibrationLine", "believed_prevalence", "calibration_line", "reprior",
    "threshold_by_prevalence",
]  # fmt: skip

NOTHING = Estimate(np.nan, np.nan, np.nan)


class CalibrationLine(NamedTuple):
    """The line logit P(y = 1) = intercept + slope logit(p), which is 0 + 1 logit(p) for true p.

    Parameters
    ----------
    slope : Estimate
        Below 1 the probabilities are too extreme, above 1 too timid.
    intercept : Estimate
        Where the line crosses p = 1/2.
    in_the_large : Estimate
        The intercept where the slope is held at 1: below 0 the probabilities are too high on
        average, above 0 too low. What is often called "the" calibration intercept.
    """

    slope: Estimate
    intercept: Estimate
    in_the_large: Estimate


def calibration_line(y_true, probability, *, clip=None, weight=None, level=0.95):
    """Regress outcomes on the logit of their predicted probabilities.

    Parameters
    ----------
    y_true : array-like of shape (n_records,)
        1 for the positive class, 0 for the negative; both must occur.
    probability : array-like of shape (n_records,)
        Predicted for records that did not teach, each once: the intervals take records as
        independent.
    clip : float, optional
        Nearest that a probability may come to 0 and to 1, above 0 and below 1/2; those beyond are
        moved there. By default none is moved.
    weight : array-like of shape (n_records,), optional
        How many records each stands for, above 0; 1 by default.
    level : float, default=0.95
        Coverage of the intervals (Wald's), between 0 and 1.

    Returns
    -------
    CalibrationLine
        Slope and intercept are NaN where a cut parts the classes wholly, or where there is but one
        probability: no finite line fits best then.

    Raises
    ------
    ValueError
        If the predictions are not as in :func:`~ehrgan.scores.metrics.score`, a probability is
        exactly 0 or 1 and `clip` is not given, or another argument is out of its range.

    References
    ----------
    Cox, "Two further applications of a model for binary regression", Biometrika 45, 1958. Van
    Calster et al., "A calibration hierarchy for risk models was defined", Journal of Clinical
    Epidemiology 74, 2016.

    Examples
    --------
    Four in ten of those with p = 0.2, and eight in ten of those with p = 0.9:

    >>> y, p = [1, 1, 0, 0, 0] * 20 + [1, 1, 1, 1, 0] * 20, [0.2] * 100 + [0.9] * 100
    >>> line = calibration_line(y, p)
    >>> print(f"{line.slope:.2f}; {line.intercept:+.2f}")
    0.50 (0.32–0.68); +0.29 (-0.02 to +0.60)
    """
    check_level(level)
    y, x, weight = _log_odds(y_true, probability, clip, weight)
    quantile = norm.ppf((1 + level) / 2)
    found = [NOTHING, NOTHING]
    if x[y].min() < x[~y].max() and x[~y].min() < x[y].max():
        model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10, max_iter=1000)
        model.fit(x[:, None], y, sample_weight=weight)
        slope, intercept = model.coef_[0, 0], model.intercept_[0]
        inputs = np.column_stack([x, np.ones_like(x)])
        information = (inputs.T * _variance(intercept + slope * x, weight)) @ inputs
        errors = np.sqrt(np.diag(np.linalg.inv(information)))
        found = [_wald(*each, quantile) for each in zip((slope, intercept), errors, strict=True)]
    shift = _shift(x, y, weight)
    error = _variance(shift + x, weight).sum() ** -0.5
    return CalibrationLine(*found, _wald(shift, error, quantile))


def believed_prevalence(y_true, probability, *, clip=None, weight=None):
    """The prevalence at which a model's probabilities are right on average.

    What to hand to :func:`reprior` as ``trained`` where the model's word is not to be taken for it:
    too few records, or generated ones, move a model less than resampling and weights intend. Ask
    about records that did not teach, such as the held-out folds of the training records.

    Parameters
    ----------
    y_true, probability : array-like of shape (n_records,)
    clip, weight : optional
        As for :func:`calibration_line`.

    Returns
    -------
    float
        Above 0 and below 1. With it as ``trained`` and the share of positive records as
        ``deployed``, as many are expected as there are.

    Raises
    ------
    ValueError
        As :func:`calibration_line` raises it.

    Examples
    --------
    >>> y, p = [1] * 10 + [0] * 90, [0.8] * 10 + [0.2] * 90
    >>> t = believed_prevalence(y, p)
    >>> round(t, 2), round(float(reprior(p, t, 0.1).mean()), 6)
    (0.32, 0.1)
    """
    y, x, weight = _log_odds(y_true, probability, clip, weight)
    return float(expit(logit(np.average(y, weights=weight)) - _shift(x, y, weight)))


def _log_odds(y_true, probability, clip, weight):
    """Outcomes, finite log-odds and weights; or say what is wrong with them."""
    y, p = checked_predictions(y_true, probability)
    weight = _checked_weight(weight, y)
    if clip is not None:
        if not 0 < clip < 0.5:
            raise ValueError(f"clip must be above 0 and below 1/2, got {clip}")
        p = np.clip(p, clip, 1 - clip)
    certain = int(np.sum((p == 0) | (p == 1)))
    if certain:
        raise ValueError(
            f"probability is exactly 0 or 1 in {certain} of {len(p)} records, where the logit is "
            "infinite; clip must say how near they may come"
        )
    return y, logit(p), weight


def _checked_weight(weight, y):
    weight = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
    if weight.shape != y.shape or not (np.isfinite(weight) & (weight > 0)).all():
        raise ValueError("weight must be a number above 0 for each record")
    return weight


def _variance(log_odds, weight):
    return weight * expit(log_odds) * expit(-log_odds)


def _wald(value, error, quantile):
    half = quantile * error
    return Estimate(float(value), float(value - half), float(value + half))


def _shift(x, y, weight):
    """What to add to all log-odds so that as many positive records are expected as there are."""

    def excess(shift):
        return np.average(expit(x + shift) - y, weights=weight)

    centre = logit(np.average(y, weights=weight))
    return brentq(excess, centre - x.max() - 1, centre - x.min() + 1, xtol=1e-12)


def reprior(p, trained, deployed):
    """Move probabilities from the prevalence that a model was trained at to that where it is used.

    Bayes's rule with another prior: the odds of each class are multiplied by how much more frequent
    it has become. Right where the classes themselves look the same in both places.

    Parameters
    ----------
    p : array-like of shape (n,) or (n, K)
        Probabilities of the positive class, or of each of K classes (rows that add up to 1).
    trained : float, or array-like of shape (K,)
        Share of the positive class among the records that the model learned from, after any
        resampling or weighting; of K classes the share of each. Above 0; a float also below 1.
        With few records the model may not have taken that in: :func:`believed_prevalence` finds
        out.
    deployed : float, or array-like of shape (K,)
        The same where the model is to be used.

    Returns
    -------
    ndarray of the shape of `p`
        Order is kept, and so is every ROC curve; 0 stays 0 and 1 stays 1.

    Raises
    ------
    ValueError
        If a probability lies outside 0 to 1, rows do not add up to 1, or shares are not as said.

    References
    ----------
    Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori
    probabilities", Neural Computation 14, 2002, equation 2.4. Elkan, "The foundations of
    cost-sensitive learning", IJCAI 2001, theorem 2.

    Examples
    --------
    Of a model trained on balanced classes, for a disease that one in fifty has:

    >>> reprior([0.5, 0.98], 0.5, 0.02).round(3).tolist()
    [0.02, 0.5]
    >>> reprior([[0.5, 0.25, 0.25]], [0.5, 0.25, 0.25], [0.8, 0.1, 0.1]).round(3).tolist()
    [[0.8, 0.1, 0.1]]
    """
    p = np.asarray(p, np.float64)
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError("p must lie from 0 to 1 throughout")
    if p.ndim == 2:
        if not np.allclose(p.sum(axis=1), 1, atol=1e-6):
            raise ValueError("p must add up to 1 in every row, one column for each class")
        shares = [_shares_of_classes(*each, p.shape[1]) for each in
                  (("trained", trained), ("deployed", deployed))]  # fmt: skip
        P = p * (shares[1] / shares[0])
        return P / P.sum(axis=1, keepdims=True)
    positive, negative = (
        after / before
        for before, after in zip(
            _both_shares("trained", trained), _both_shares("deployed", deployed), strict=True
        )
    )
    return p * positive / (p * positive + (1 - p) * negative)


def _both_shares(name, share):
    if np.ndim(share) or not 0 < share < 1:
        raise ValueError(f"{name} must be a share above 0 and below 1, got {share!r}")
    return float(share), 1 - float(share)


def _shares_of_classes(name, shares, n_classes):
    shares = np.asarray(shares, np.float64)
    fits = shares.shape == (n_classes,) and (shares > 0).all() and np.isclose(shares.sum(), 1)
    if not fits:
        raise ValueError(
            f"{name} must hold {n_classes} shares above 0 that add up to 1, got {shares.tolist()}"
        )
    return shares


def threshold_by_prevalence(trained, deployed=0.5, *, threshold=0.5):
    """The threshold that decides as another would after :func:`reprior`, with no probability moved.

    Parameters
    ----------
    trained, deployed : float
        As for :func:`reprior`. By default the decisions of a model that was trained on balanced
        classes are asked of one that was not: its threshold is then the prevalence.
    threshold : float, default=0.5
        Threshold on probabilities at the prevalence `deployed`, from 0 to 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> round(threshold_by_prevalence(0.05), 3)
    0.05
    >>> p, t = np.array([0.01, 0.1, 0.4]), threshold_by_prevalence(0.05, 0.2)
    >>> (p > t).tolist() == (reprior(p, 0.05, 0.2) > 0.5).tolist()
    True
    """
    if np.ndim(threshold):
        raise ValueError(f"threshold must be one number from 0 to 1, got {threshold!r}")
    return float(reprior(threshold, deployed, trained))
