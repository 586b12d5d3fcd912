"""How sure one may be: intervals of cross-validated scores, and tests on their differences."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from .estimate import Estimate

__all__ = [
    "Equivalence", "corrected_interval", "corrected_test", "differences", "holm", "lead",
    "practical_equivalence",
]  # fmt: skip


def corrected_interval(values, n_train, n_test, level=0.95):
    """Mean over folds of repeated cross-validation, with the Nadeau-Bengio corrected interval.

    Training sets of different folds share most of their records, so scores of folds are not
    independent and the plain standard error, the root of s^2 / J, is too small. The correction
    takes s^2 (1 / J + n_test / n_train) as the variance of the mean over J folds, and Student's t
    with J - 1 degrees of freedom.

    Parameters
    ----------
    values : array-like of shape (J,)
        One score per fold, all trials together.
    n_train, n_test : float
        Records in a training and in a test fold; their means where folds differ.
    level : float, default=0.95
        Coverage aimed at, between 0 and 1.

    Returns
    -------
    Estimate
        The interval is symmetric and may reach beyond 0 or 1. A single value says nothing of its
        spread: `low` and `high` are then NaN.

    Raises
    ------
    ValueError
        If there is no value, a size is not positive, or `level` is not between 0 and 1.

    References
    ----------
    Nadeau and Bengio, *Inference for the generalization error*, Machine Learning 52, 2003. The
    paper gives no spread.

    Examples
    --------
    >>> print(f"{corrected_interval([0.94, 0.96, 0.95, 0.97, 0.93], 455, 114)}")
    0.950 (0.921–0.979)
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"values must be one score or more, got shape {values.shape}")
    if not (n_train > 0 and n_test > 0):
        raise ValueError(f"n_train and n_test must be positive, got {n_train} and {n_test}")
    check_level(level)
    sd = np.std(values, ddof=1) if values.size > 1 else np.nan
    half = float(half_width(sd, values.size, n_train, n_test, level))
    mean = float(values.mean())
    return Estimate(mean, mean - half, mean + half)


def half_width(sd, n_folds, n_train, n_test, level):
    """Half the width of the Nadeau-Bengio interval; NaN for a single fold."""
    standard_error = sd * np.sqrt(1 / n_folds + n_test / n_train)
    return stats.t.ppf((1 + level) / 2, n_folds - 1) * standard_error


def check_level(level):
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}")


def corrected_test(differences, n_train, n_test):
    """Test whether two methods score alike on average, with overlapping training sets allowed for.

    Parameters
    ----------
    differences : array-like of shape (J,)
        Score of one method less that of the other, fold by fold, all trials together; J at least 2.
    n_train, n_test : float
        As for :func:`corrected_interval`, whose variance it uses.

    Returns
    -------
    float
        Two-sided p-value; 1 where all differences are zero.

    Raises
    ------
    ValueError
        If there are fewer than two differences, or a size is not positive.

    Examples
    --------
    >>> round(corrected_test([0.01, 0.02, 0.00, 0.01, 0.02], 400, 100), 3)
    0.099
    """
    centre, scale, J = _posterior(differences, n_train, n_test)
    if scale == 0:
        return 1.0 if centre == 0 else 0.0
    return float(2 * stats.t.sf(abs(centre) / scale, J - 1))


def holm(p_values):
    """Adjust p-values of several tests so that one false alarm in all of them stays rare.

    Parameters
    ----------
    p_values : array-like of shape (m,)
        One for each test, from 0 to 1.

    Returns
    -------
    ndarray of shape (m,)
        Adjusted p-values, in the order given; below 0.05 they reject with a family-wise error rate
        of 5 %.

    Raises
    ------
    ValueError
        If a p-value lies outside 0 to 1, or there is none.

    References
    ----------
    Holm, *A simple sequentially rejective multiple test procedure*, Scandinavian Journal of
    Statistics 6, 1979.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or p.size == 0 or not np.all((p >= 0) & (p <= 1)):
        raise ValueError(f"p_values must be one or more numbers from 0 to 1, got {p_values}")
    order = np.argsort(p)
    steps = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


class Equivalence(NamedTuple):
    """How probable it is that the first of two methods is worse, practically equal, or better.

    Parameters
    ----------
    worse, equal, better : float
        Posterior probabilities; they add up to 1.
    """

    worse: float
    equal: float
    better: float


def practical_equivalence(differences, n_train, n_test, rope=0.01):
    """Bayesian correlated t-test with a region of practical equivalence.

    Parameters
    ----------
    differences, n_train, n_test
        As for :func:`corrected_test`.
    rope : float, default=0.01
        Differences smaller than this, on the scale of the score, make no difference in practice;
        at least 0.

    Returns
    -------
    Equivalence

    Raises
    ------
    ValueError
        If `rope` is negative, there are fewer than two differences, or a size is not positive.

    Notes
    -----
    The posterior of the mean difference is Student's t with J - 1 degrees of freedom, the mean of
    the differences as its centre and the standard error of Nadeau and Bengio as its scale: the
    correlation between folds is taken as n_test / (n_train + n_test).

    References
    ----------
    Corani and Benavoli, *A Bayesian approach for comparing cross-validated algorithms on multiple
    data sets*, Machine Learning 100, 2015. Benavoli, Corani, Demsar and Zaffalon, *Time for a
    change*, Journal of Machine Learning Research 18, 2017.

    Examples
    --------
    >>> verdict = practical_equivalence([0.01, 0.02, 0.00, 0.01, 0.02], 400, 100, rope=0.005)
    >>> [round(p, 3) for p in verdict]
    [0.019, 0.121, 0.86]
    """
    if not rope >= 0:
        raise ValueError(f"rope must be at least 0, got {rope}")
    centre, scale, J = _posterior(differences, n_train, n_test)
    if scale == 0:
        return Equivalence(float(centre < -rope), float(abs(centre) <= rope), float(centre > rope))
    worse = float(stats.t.cdf((-rope - centre) / scale, J - 1))
    better = float(stats.t.sf((rope - centre) / scale, J - 1))
    return Equivalence(worse, 1 - worse - better, better)


def _posterior(differences, n_train, n_test):
    """Mean of the differences, its corrected standard error, and how many there are."""
    J = np.size(differences)
    if J < 2:
        raise ValueError(f"differences must be two or more, got {J}")
    mean, low, high = corrected_interval(differences, n_train, n_test)
    return mean, (high - low) / 2 / stats.t.ppf(0.975, J - 1), J


def differences(scores, metric, first, second):
    """Score of one method less that of another, fold by fold, with the sizes of the folds.

    Parameters
    ----------
    scores : DataFrame
        One row per fold, as ``StudyResult.scores``.
    metric : str
        One of :data:`~ehrgan.scores.metrics.METRICS` or ``"brier"``.
    first, second : tuple of (imputer, classifier)
        The methods; positive is in favour of the first.

    Returns
    -------
    values : Series of shape (J,)
        Indexed by trial and fold.
    n_train, n_test : float
        Mean numbers of records, as :func:`corrected_interval` and the tests take them.

    Raises
    ------
    ValueError
        If a method has no such scores, or the two were not scored on the same folds.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("tree", 0, 0.90), ("tree", 1, 0.94), ("forest", 0, 0.93), ("forest", 1, 0.95)]
    >>> scores = pd.DataFrame(rows, columns=["classifier", "fold", "value"]).assign(
    ...     imputer="mean", metric="accuracy", trial=0, n_train=400, n_test=100)
    >>> values, *sizes = differences(scores, "accuracy", ("mean", "forest"), ("mean", "tree"))
    >>> values.round(3).tolist(), [float(size) for size in sizes]
    ([0.03, 0.01], [400.0, 100.0])
    >>> round(lead(scores, "accuracy", ("mean", "forest"), ("mean", "tree")).value, 3)
    0.02
    """
    wanted = "metric == @metric and imputer == @imputer and classifier == @classifier"
    values = []
    for imputer, classifier in (first, second):
        own = scores.query(wanted)
        if own.empty:
            raise ValueError(f"scores hold no {metric} of {classifier!r} on {imputer!r}")
        values.append(own.set_index(["trial", "fold"])["value"])
    if set(values[0].index) != set(values[1].index):
        raise ValueError(f"{first} and {second} were not scored on the same folds")
    return values[0] - values[1], own["n_train"].mean(), own["n_test"].mean()


def lead(scores, metric, first, second):
    """Mean of the difference between two methods, fold by fold, with its corrected interval.

    Parameters
    ----------
    scores, metric, first, second
        As for :func:`differences`, which also says what is refused.

    Returns
    -------
    Estimate
        See :func:`corrected_interval`.
    """
    return corrected_interval(*differences(scores, metric, first, second))
