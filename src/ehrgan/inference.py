"""Is one method better than another? Tests on differences of cross-validated scores."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from .evaluation import corrected_interval

__all__ = ["Equivalence", "corrected_test", "holm", "practical_equivalence"]


def corrected_test(differences, n_train, n_test):
    """Test whether two methods score alike on average, with overlapping training sets allowed for.

    Parameters
    ----------
    differences : array-like of shape (J,)
        Score of one method less that of the other, fold by fold, all trials together; J at least 2.
    n_train, n_test : float
        Records in a training and in a test fold, as for
        :func:`~ehrgan.evaluation.corrected_interval`.

    Returns
    -------
    float
        Two-sided p-value; 1 where all differences are zero.

    Raises
    ------
    ValueError
        If there are fewer than two differences, or a size is not positive.

    References
    ----------
    Nadeau and Bengio, *Inference for the generalization error*, Machine Learning 52, 2003.

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
    differences : array-like of shape (J,)
        Score of one method less that of the other, fold by fold, all trials together; J at least 2.
    n_train, n_test : float
        Records in a training and in a test fold.
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
