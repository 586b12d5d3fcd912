"""Mechanisms that make holes: the paper's block, MCAR, MAR, MNAR and a monotone block.

Every mask is a boolean array of one row per record and one column per attribute; ``True`` means
that the cell is hidden. An argument of the wrong type raises a TypeError, any other that does not
fit a ValueError. The terms are Rubin's: cells are missing completely at random (MCAR) where
the mask depends on no value, at random (MAR) where it depends on observed values alone, and not at
random (MNAR) where it depends on the hidden values themselves.
"""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import rankdata
from sklearn.utils import check_random_state

__all__ = [
    "MECHANISMS", "apply_mask", "block_mask", "make_mask", "mar_mask", "mcar_mask", "mnar_mask",
    "monotone_mask", "sparsity",
]  # fmt: skip

#: Names that :func:`make_mask` knows.
MECHANISMS = ("block", "MCAR", "MAR", "MNAR", "MNAR quantile", "monotone")
STEEPNESS = 2.0  # change of log-odds per standard deviation of what a mask depends on


def block_mask(y, n_attributes, *, fraction=0.5, n_masked=15, attributes=None, random_state=None):
    """Hide the same attributes in a share of the records of each class, as the paper does.

    Parameters
    ----------
    y : array-like of shape (n_records,)
        Class of each record; two classes or more.
    n_attributes : int
        Number of attributes of the table.
    fraction : float, default=0.5
        Share of the records *of each class* that lose the block, from 0 to 1, rounded to whole
        records, a half to the even neighbour: of 357 benign records 178 are hit.
    n_masked : int, default=15
        How many attributes go, the first ones; from 0 to `n_attributes`.
    attributes : sequence of int, optional
        The column indices to hide, in place of the first `n_masked`.
    random_state : int, RandomState instance or None, default=None
        Decides which records are hit.

    Returns
    -------
    ndarray of bool, shape (n_records, n_attributes)

    References
    ----------
    The paper, Materials and Methods, *Dataset*: "we selected and removed the first 15 attributes
    arbitrarily [...] from half of the samples in each class".

    Examples
    --------
    >>> mask = block_mask([0, 0, 0, 0, 1, 1], 3, n_masked=2, random_state=0)
    >>> mask.sum(axis=0)
    array([3, 3, 0])
    """
    y = np.asarray(y)
    if y.ndim != 1 or len(np.unique(y)) < 2:
        raise ValueError(
            "y must be one-dimensional and hold at least two classes, "
            f"got shape {y.shape} with classes {np.unique(y).tolist()}"
        )
    _check_integer("n_attributes", n_attributes, low=1)
    _check_fraction(fraction)
    columns = _block_columns(n_attributes, n_masked, attributes)
    rng = check_random_state(random_state)
    mask = np.zeros((len(y), n_attributes), dtype=bool)
    for label in np.unique(y):
        members = np.flatnonzero(y == label)
        hit = rng.choice(members, size=round(fraction * len(members)), replace=False)
        mask[np.ix_(hit, columns)] = True
    return mask


def mcar_mask(shape, *, fraction, random_state=None):
    """Hide each cell with the same probability, whatever it or its neighbours hold.

    Parameters
    ----------
    shape : tuple of two ints
        (n_records, n_attributes) of the table.
    fraction : float
        Probability, from 0 to 1, that a cell is hidden. Cells are drawn independently, so the
        share that is hidden varies around it.
    random_state : int, RandomState instance or None, default=None
        Decides which cells are hidden.

    Returns
    -------
    ndarray of bool, shape (n_records, n_attributes)

    Examples
    --------
    >>> float(mcar_mask((1000, 30), fraction=0.25, random_state=0).mean().round(2))
    0.25
    """
    _checked_shape(shape)
    _check_fraction(fraction)
    return check_random_state(random_state).random_sample(shape) < fraction


def mar_mask(X, *, fraction, observed=0.5, random_state=None):
    """Hide cells at random given the observed attributes: a logistic model of those alone.

    A share of the attributes, drawn at random, stays observed. In each other attribute a cell is
    hidden with a probability that is logistic in a random combination of the observed ones.

    Parameters
    ----------
    X : array-like of shape (n_records, n_attributes)
        Complete table, in any units; two attributes or more.
    fraction : float
        Share of the cells of the attributes that are not kept which is hidden on average, from 0 to
        1. The share drawn lies within four standard deviations of it, 2 / sqrt(n_records) or less
        for each attribute.
    observed : float, default=0.5
        Share of the attributes that stay observed, above 0 and below 1; at least one is kept and at
        least one may lose cells.
    random_state : int, RandomState instance or None, default=None
        Decides which attributes stay, the combinations, and which cells go.

    Returns
    -------
    ndarray of bool, shape (n_records, n_attributes)

    References
    ----------
    Rubin, *Inference and missing data*, Biometrika 63, 1976. The logistic model is that of
    Muzellec, Josse, Boyer and Cuturi, *Missing data imputation using optimal transport*, ICML 2020.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(1000, 4))
    >>> mask = mar_mask(X, fraction=0.3, random_state=0)
    >>> mask.any(axis=0).sum(), round(float(mask[:, mask.any(axis=0)].mean()), 1)
    (np.int64(2), 0.3)
    """
    Z = _ranked(X, n_attributes=2)
    _check_fraction(fraction)
    _check_fraction(observed, "observed")
    rng = check_random_state(random_state)
    d = Z.shape[1]
    order = rng.permutation(d)
    n_kept = int(np.clip(round(observed * d), 1, d - 1))
    kept, losing = order[:n_kept], order[n_kept:]
    mask = np.zeros(Z.shape, dtype=bool)
    for j in losing:
        weights = rng.normal(size=n_kept)
        mask[:, j] = _logistic_holes(Z[:, kept] @ weights, fraction, rng)
    return mask


def mnar_mask(X, *, fraction, kind="self", random_state=None):
    """Hide cells by their own values: the higher a value, the likelier it is missing.

    Parameters
    ----------
    X : array-like of shape (n_records, n_attributes)
        Complete table, in any units.
    fraction : float
        Share of the cells which is hidden on average, from 0 to 1; the share drawn lies within
        2 / sqrt(n_records) of it for each attribute.
    kind : {"self", "quantile"}, default="self"
        "self": the probability is logistic in the value. "quantile": only the upper half of an
        attribute (or, for a fraction above one half, the upper share of that size) can be missing,
        each of its cells with the same probability.
    random_state : int, RandomState instance or None, default=None
        Decides which cells go.

    Returns
    -------
    ndarray of bool, shape (n_records, n_attributes)

    References
    ----------
    Rubin, 1976; self-masking and quantile censoring as in Muzellec et al., 2020.

    Examples
    --------
    >>> x = np.linspace(0, 1, 1000)[:, None]
    >>> mask = mnar_mask(x, fraction=0.3, random_state=0)
    >>> bool(x[mask].mean() > x[~mask].mean() + 0.2)
    True
    """
    Z = _ranked(X)
    _check_fraction(fraction)
    rng = check_random_state(random_state)
    if kind == "self":
        return np.column_stack([_logistic_holes(z, fraction, rng) for z in Z.T])
    if kind != "quantile":
        raise ValueError(f"kind must be 'self' or 'quantile', got {kind!r}")
    reach = max(0.5, fraction)
    ranks = (rankdata(Z, axis=0) - 0.5) / len(Z)
    return (ranks > 1 - reach) & (rng.random_sample(Z.shape) < fraction / reach)


def monotone_mask(shape, *, fraction, n_masked=15, attributes=None, random_state=None):
    """Hide what was not yet recorded: each attribute of a block begins on a date of its own.

    Records are taken to be in order of date, the oldest first. A record lacks an attribute if it is
    older than the attribute's introduction, so whoever lacks one lacks all that came later.

    Parameters
    ----------
    shape : tuple of two ints
        (n_records, n_attributes) of the table.
    fraction : float
        Share of the cells of the block that is hidden, from 0 to 1, reached within half a record.
    n_masked, attributes
        The attributes that came late, as for :func:`block_mask`.
    random_state : int, RandomState instance or None, default=None
        Decides the dates.

    Returns
    -------
    ndarray of bool, shape (n_records, n_attributes)

    References
    ----------
    The paper, Figure 1: an attribute introduced on a date. Monotone patterns: Rubin, 1976.

    Examples
    --------
    >>> monotone_mask((4, 3), fraction=0.5, n_masked=2, random_state=0).sum(axis=0)
    array([3, 1, 0])
    """
    n, d = _checked_shape(shape)
    _check_fraction(fraction)
    columns = _block_columns(d, n_masked, attributes)
    mask = np.zeros((n, d), dtype=bool)
    if not len(columns):
        return mask
    rng = check_random_state(random_state)
    # dates lie in pairs round their mean, as far off as the ends of the table allow
    half = rng.random_sample(len(columns) // 2)
    offsets = rng.permutation(np.concatenate([half, -half, np.zeros(len(columns) % 2)]))
    begins = fraction * n + min(fraction, 1 - fraction) * n * offsets
    whole = np.floor(begins).astype(int)
    short = round(fraction * n * len(columns)) - whole.sum()
    for k in np.argsort(whole - begins)[: max(0, short)]:
        whole[k] += 1
    mask[:, columns] = np.arange(n)[:, None] < whole
    return mask


def make_mask(mechanism, X, y, *, fraction, n_masked=15, attributes=None, random_state=None):
    """Make a mask by the name of its mechanism.

    Parameters
    ----------
    mechanism : str
        One of :data:`MECHANISMS`. MCAR and MNAR may hide any cell; MAR keeps half of the
        attributes; "block" and "monotone" hide cells of `n_masked` attributes.
    X : array-like of shape (n_records, n_attributes)
        Complete table.
    y : array-like of shape (n_records,)
        Class of each record, which the block needs.
    fraction : float
        Share of the cells that the mechanism may hide which it does hide, from 0 to 1.
    n_masked, attributes, random_state
        As for :func:`block_mask`.

    Returns
    -------
    ndarray of bool, shape (n_records, n_attributes)

    Examples
    --------
    >>> float(make_mask("MNAR", np.ones((100, 4)), None, fraction=1.0).mean())
    1.0
    """
    shape, seeded = np.shape(X), {"fraction": fraction, "random_state": random_state}
    block = {"n_masked": n_masked, "attributes": attributes}
    if mechanism == "block":
        return block_mask(y, shape[1], **block, **seeded)
    if mechanism == "MCAR":
        return mcar_mask(shape, **seeded)
    if mechanism == "MAR":
        return mar_mask(X, **seeded)
    if mechanism in ("MNAR", "MNAR quantile"):
        return mnar_mask(X, kind="quantile" if "quantile" in mechanism else "self", **seeded)
    if mechanism == "monotone":
        return monotone_mask(shape, **block, **seeded)
    raise ValueError(f"mechanism must be one of {list(MECHANISMS)}, got {mechanism!r}")


def apply_mask(X, mask):
    """Return a copy of a table with NaN where the mask is True.

    Parameters
    ----------
    X : ndarray or DataFrame of shape (n_records, n_attributes)
        Numbers, in any units. Not changed.
    mask : array-like of bool, shape (n_records, n_attributes)
        True where the cell is hidden.

    Returns
    -------
    ndarray or DataFrame of float64, as `X`
        The table with holes; a DataFrame keeps its index and columns.

    Raises
    ------
    ValueError
        If `mask` is not boolean or its shape differs from that of `X`.

    Examples
    --------
    >>> apply_mask([[1, 2], [3, 4]], [[False, True], [False, False]])
    array([[ 1., nan],
           [ 3.,  4.]])
    """
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != np.shape(X):
        raise ValueError(
            f"mask must be boolean and of the table's shape {np.shape(X)}, "
            f"got {mask.dtype} of shape {mask.shape}"
        )
    if isinstance(X, pd.DataFrame):
        return X.astype(np.float64).mask(mask)
    return np.where(mask, np.nan, np.asarray(X, dtype=np.float64))


def sparsity(X):
    """Share of the attributes that are missing, for each record.

    Parameters
    ----------
    X : array-like of shape (n_records, n_attributes)
        A table, NaN where a cell is missing.

    Returns
    -------
    ndarray of float64, shape (n_records,)
        From 0 (complete) to 1 (empty).

    References
    ----------
    The paper, *Disease Prediction from EHRs with Missing Data*: records below a threshold of
    sparsity, "e.g., 0.1", train the autoencoder.

    Examples
    --------
    >>> sparsity([[1.0, np.nan], [3.0, 4.0]])
    array([0.5, 0. ])
    """
    X = np.asarray(X, dtype=np.float64)
    if X.ndim != 2 or X.shape[1] == 0:
        raise ValueError(f"X must be a table with at least one attribute, got shape {X.shape}")
    return np.isnan(X).mean(axis=1)


def _checked_shape(shape):
    if not isinstance(shape, tuple) or len(shape) != 2:
        raise ValueError(f"shape must be a tuple (n_records, n_attributes), got {shape!r}")
    _check_integer("shape[0]", shape[0], low=1)
    _check_integer("shape[1]", shape[1], low=1)
    return shape


def _ranked(X, n_attributes=1):
    """Standardised ranks of each attribute, so that no outlier rules a mask; or raise."""
    X = np.asarray(X, dtype=np.float64)
    if X.ndim != 2 or not len(X) or X.shape[1] < n_attributes:
        raise ValueError(
            f"X must be a table of at least {n_attributes} attributes, got shape {X.shape}"
        )
    if not np.isfinite(X).all():
        raise ValueError("X must be complete and finite: a mask is made from the values it hides")
    ranks = rankdata(X, axis=0)
    ranks -= ranks.mean(axis=0)
    spread = ranks.std(axis=0)
    return ranks / np.where(spread > 0, spread, 1.0)


def _logistic_holes(score, fraction, rng):
    """Draw holes with log-odds that rise with a score, their mean probability the fraction."""
    u = rng.random_sample(len(score))
    if fraction in (0, 1):
        return u < fraction
    spread = score.std()
    z = STEEPNESS * score / (spread if spread > 0 else 1.0)
    edge = 40 + np.abs(z).max()
    shift = brentq(lambda b: expit(z + b).mean() - fraction, -edge, edge)
    return u < expit(z + shift)


def _block_columns(n_attributes, n_masked, attributes):
    if attributes is None:
        _check_integer("n_masked", n_masked, low=0, high=n_attributes)
        return np.arange(n_masked)
    columns = np.asarray(attributes)
    if columns.size == 0:
        return np.arange(0)
    if columns.ndim != 1 or not np.issubdtype(columns.dtype, np.integer):
        raise TypeError(f"attributes must be a sequence of column indices, got {attributes!r}")
    in_range = columns.min() >= 0 and columns.max() < n_attributes
    if not in_range or len(np.unique(columns)) < len(columns):
        raise ValueError(
            f"attributes must be distinct column indices from 0 to {n_attributes - 1}, "
            f"got {columns.tolist()}"
        )
    return columns


def _check_integer(name, value, low, high=None):
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < low or (high is not None and value > high):
        wanted = f"at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} must be {wanted}, got {value}")


def _check_fraction(fraction, name="fraction"):
    if isinstance(fraction, bool) or not isinstance(fraction, Real):
        raise TypeError(f"{name} must be a number from 0 to 1, got {fraction!r}")
    if not 0 <= fraction <= 1:  # written so that NaN fails too
        raise ValueError(f"{name} must be from 0 to 1, got {fraction}")
