"""Rubin's rules: one estimate and its interval from tables that were imputed several times."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from .inference import check_level

__all__ = ["Pooled", "rubin_rules"]


class Pooled(NamedTuple):
    """An estimate pooled over imputed tables, or an array of such.

    Parameters
    ----------
    value : float or ndarray
        The estimate.
    low, high : float or ndarray
        Ends of its interval.
    error : float or ndarray
        Its standard error.
    df : float or ndarray
        Degrees of freedom of the interval's Student's t.
    missing_information : float or ndarray
        Fraction of the information on the quantity that the holes have taken, from 0 to 1.
    """

    value: float
    low: float
    high: float
    error: float
    df: float
    missing_information: float


def rubin_rules(estimates, variances, *, df_complete=np.inf, level=0.95):
    """Pool what an analysis says of each of m imputed tables.

    With the mean Q of the estimates, the mean U of their variances and the variance B between them,
    Q has variance T = U + (1 + 1/m) B.

    Parameters
    ----------
    estimates : array-like of shape (m, ...)
        One estimate for each table, m at least 2; of several quantities at once, each is pooled by
        itself.
    variances : array-like of the same shape
        Their squared standard errors, above 0.
    df_complete : float or array-like, default=inf
        Degrees of freedom that the estimate would have without holes, above 0: n - k for a
        regression with k coefficients. Infinite for large samples.
    level : float, default=0.95
        Coverage aimed at, between 0 and 1.

    Returns
    -------
    Pooled

    Raises
    ------
    ValueError
        If there are fewer than two tables, shapes differ, a number is not finite, a variance or
        ``df_complete`` is not positive, or ``level`` is not between 0 and 1.

    References
    ----------
    Rubin, *Multiple imputation for nonresponse in surveys*, Wiley 1987, sections 3.1 to 3.3.
    Barnard and Rubin, "Small-sample degrees of freedom with multiple imputation", Biometrika 86,
    1999. van Buuren, *Flexible imputation of missing data*, 2nd ed., CRC 2018, section 2.3.

    Examples
    --------
    >>> pooled = rubin_rules([1.0, 1.2, 0.9], [0.04, 0.05, 0.04], df_complete=98)
    >>> print(*(f"{number:.3f}" for number in pooled))
    1.033 0.421 1.646 0.273 9.505 0.511
    """
    Q, U = np.asarray(estimates, np.float64), np.asarray(variances, np.float64)
    if Q.ndim == 0 or len(Q) < 2 or Q.shape != U.shape:
        raise ValueError(
            "estimates and variances must be alike in shape, with two tables or more in front; "
            f"got shapes {Q.shape} and {U.shape}"
        )
    if not (np.isfinite(Q).all() and np.isfinite(U).all() and (U > 0).all()):
        raise ValueError("estimates must be finite, and variances finite and above 0")
    nu = np.asarray(df_complete, np.float64)
    if not (nu > 0).all():
        raise ValueError(f"df_complete must be above 0, got {df_complete}")
    check_level(level)
    m, within = len(Q), U.mean(axis=0)
    between = (1 + 1 / m) * Q.var(axis=0, ddof=1)
    total = within + between
    # the reciprocal of what Barnard and Rubin call nu_obs, which is finite where nu is not
    observed = (1 + 3 / nu) / (1 + 1 / nu) / nu * total / within
    with np.errstate(divide="ignore"):  # no holes and a large sample
        df = 1 / ((between / total) ** 2 / (m - 1) + observed)
    missing = (between + within * 2 / (df + 3)) / total
    error, value = np.sqrt(total), Q.mean(axis=0)
    half = stats.t.ppf((1 + level) / 2, df) * error
    found = (value, value - half, value + half, error, df, missing)
    return Pooled(*(float(part) if part.ndim == 0 else part for part in found))
