"""Mechanisms that make holes: the paper's block, and cells missing completely at random.

Every mask is a boolean array of one row per record and one column per attribute; ``True`` means
that the cell is hidden.
"""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

__all__ = ["apply_mask", "block_mask", "mcar_mask", "sparsity"]


def block_mask(y, n_attributes, *, fraction=0.5, n_masked=15, attributes=None, random_state=None):
    """Hide the same attributes in a share of the records of each class, as the paper does.

    Parameters
    ----------
    y : array-like of shape (n_records,)
        Class of each record; two classes or more.
    n_attributes : int
        Number of attributes of the table.
    fraction : float, default=0.5
        Share of the records *of each class* that lose the block, from 0 to 1. The number of
        records is rounded, a half to the even neighbour: of 357 benign records 178 are hit, of
        212 malignant ones 106.
    n_masked : int, default=15
        How many attributes go: the first `n_masked`, from 0 to `n_attributes`. Not used where
        `attributes` is given.
    attributes : sequence of int, optional
        The column indices to hide, in place of the first `n_masked`.
    random_state : int, RandomState instance or None, default=None
        Decides which records are hit.

    Returns
    -------
    ndarray of bool, shape (n_records, n_attributes)
        True where the cell is hidden.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, lies outside its range, or `y` has a single class.

    References
    ----------
    The paper, Materials and Methods, *Dataset*: "we selected and removed the first 15 attributes
    arbitrarily [...] from half of the samples in each class".

    Examples
    --------
    >>> import numpy as np
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
        True where the cell is hidden.

    Raises
    ------
    TypeError, ValueError
        If `shape` is not two positive integers or `fraction` lies outside 0 to 1.

    Examples
    --------
    >>> float(mcar_mask((1000, 30), fraction=0.25, random_state=0).mean().round(2))
    0.25
    """
    if not isinstance(shape, tuple) or len(shape) != 2:
        raise ValueError(f"shape must be a tuple (n_records, n_attributes), got {shape!r}")
    _check_integer("shape[0]", shape[0], low=1)
    _check_integer("shape[1]", shape[1], low=1)
    _check_fraction(fraction)
    return check_random_state(random_state).random_sample(shape) < fraction


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
    >>> import numpy as np
    >>> sparsity([[1.0, np.nan], [3.0, 4.0]])
    array([0.5, 0. ])
    """
    X = np.asarray(X, dtype=np.float64)
    if X.ndim != 2 or X.shape[1] == 0:
        raise ValueError(f"X must be a table with at least one attribute, got shape {X.shape}")
    return np.isnan(X).mean(axis=1)


def _block_columns(n_attributes, n_masked, attributes):
    """Column indices of the block, checked against the table's width."""
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
    """Raise unless `value` is an integer from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < low or (high is not None and value > high):
        wanted = f"at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} must be {wanted}, got {value}")


def _check_fraction(fraction):
    """Raise unless `fraction` is a number from 0 to 1."""
    if isinstance(fraction, bool) or not isinstance(fraction, Real):
        raise TypeError(f"fraction must be a number from 0 to 1, got {fraction!r}")
    if not 0 <= fraction <= 1:  # written so that NaN fails too
        raise ValueError(f"fraction must be from 0 to 1, got {fraction}")
