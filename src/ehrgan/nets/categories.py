"""Categories as codes: how the autoencoder's outputs become probabilities of levels.

A category of K levels takes some columns of the table: one column of 0 and 1 for two levels, one
for each of more (one-hot), or one for each step of an order, 1 above it. Let C hold the code of
each level in a row, and x_out the network's outputs in those columns. Then

    P(level k) = softmax(C x_out)_k,   -log P(x) = logsumexp(C x_out) - x . x_out,   E[x] = C' P,

which is the logistic function, the softmax, and for ordered levels the logit of each against the
level below. E[x] is a reconstruction on the scale of x, as x_out itself is for numbers.
"""

from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import numpy as np
from scipy.special import softmax

from .backend import tensorflow

__all__ = ["Categories", "check_categories", "draw_codes", "groups_among"]

NEVER = -1e9  # logit of a level that a category has not


@dataclass(frozen=True)
class Categories:
    """The columns of a table that code categories.

    Parameters
    ----------
    d : int
        Columns of the table.
    groups : tuple of (tuple of int, bool)
        For each category its columns, and whether they are the steps of an order.

    References
    ----------
    Agresti, *Categorical Data Analysis*, 3rd ed., Wiley 2013, chapter 8: baseline-category and
    adjacent-categories logits.

    Examples
    --------
    >>> from ehrgan.nets.categories import Categories
    >>> categories = Categories(3, (((1, 2), True),))  # a number, and three ordered levels
    >>> categories.expected(np.array([7.0, 0.0, np.log(2.0)])).tolist()  # of weights 1, 1, 2
    [7.0, 0.75, 0.5]
    """

    d: int
    groups: tuple

    def __bool__(self):
        """Whether there are any."""
        return bool(self.groups)

    @cached_property
    def coded(self):
        """1 for the columns that code a category, 0 for numbers."""
        coded = np.zeros(self.d)
        coded[[j for columns, _ in self.groups for j in columns]] = 1.0
        return coded

    @cached_property
    def leading(self):
        """For each column the first of its category, itself for numbers."""
        leading = np.arange(self.d)
        for columns, _ in self.groups:
            leading[list(columns)] = columns[0]
        return leading

    @cached_property
    def _tables(self):
        """Codes C of all levels, one category after the other, padded, and logits of the padding.

        Shapes (d, groups * levels) and (groups, levels).
        """
        codes = [_codes(len(columns), steps) for columns, steps in self.groups]
        most = max(len(C) for C in codes)
        table, absent = np.zeros((self.d, len(codes), most)), np.zeros((len(codes), most))
        for g, ((columns, _), C) in enumerate(zip(self.groups, codes, strict=True)):
            table[list(columns), g, : len(C)] = C.T
            absent[g, len(C) :] = NEVER
        return table.reshape(self.d, -1), absent

    def logits(self, x_out, *, xp=np):
        """C x_out for each category.

        Parameters
        ----------
        x_out : array or tensor of shape (..., d)
        xp : module, default=numpy
            ``numpy`` or TensorFlow.

        Returns
        -------
        array or tensor of shape (..., groups, levels)
            Padded to the most levels that a category has.
        """
        table, absent = self._tables
        flat = x_out @ np.asarray(table, _dtype(x_out))
        shape = [*x_out.shape[:-1], *absent.shape]
        return xp.reshape(flat, shape) + np.asarray(absent, _dtype(x_out))

    def expected(self, x_out, *, xp=np):
        """E[x]: x_out for numbers, probabilities for the columns of a category.

        Parameters
        ----------
        x_out : array or tensor of shape (..., d)
        xp : module, default=numpy
            ``numpy`` or TensorFlow.

        Returns
        -------
        array or tensor of shape (..., d)
        """
        logits = self.logits(x_out, xp=xp)
        P = softmax(logits, axis=-1) if xp is np else xp.nn.softmax(logits)
        flat = xp.reshape(P, [*x_out.shape[:-1], self._tables[0].shape[1]])
        number = np.asarray(1.0 - self.coded, _dtype(x_out))
        return x_out * number + flat @ np.asarray(self._tables[0].T, _dtype(x_out))

    def surprise(self, x_out, x):
        """-log P(x) of each category.

        Parameters
        ----------
        x_out, x : tensors of shape (..., d)
            Outputs, and the codes that were to be reconstructed.

        Returns
        -------
        tensor of shape (..., groups)
        """
        tf = tensorflow()
        belongs = np.zeros((self.d, len(self.groups)), np.float32)
        for g, (columns, _) in enumerate(self.groups):
            belongs[list(columns), g] = 1.0
        return tf.reduce_logsumexp(self.logits(x_out, xp=tf), axis=-1) - (x_out * x) @ belongs

    def in_leading_columns(self, error, x_out, x_in, cells):
        """Errors and weights of cells with -log P in the first column of each category.

        Parameters
        ----------
        error, x_out, x_in, cells : tensors of shape (..., d)
            Errors of numbers, outputs, what was to be reconstructed, and weights of cells.

        Returns
        -------
        tuple of two tensors of shape (..., d)
            Errors and weights; the other columns of a category weigh nothing.
        """
        first = np.zeros((len(self.groups), self.d), np.float32)
        for g, (columns, _) in enumerate(self.groups):
            first[g, columns[0]] = 1.0
        number = np.float32(1.0 - self.coded)
        error = error * number + self.surprise(x_out, x_in) @ first
        return error, cells * (number + first.sum(axis=0))

    def draw(self, P, rng):
        """Draw levels by their probabilities: their codes in place of E[x].

        Parameters
        ----------
        P : ndarray of shape (n, d)
            Records, with E[x] in the columns of categories.
        rng : numpy.random.Generator

        Returns
        -------
        ndarray of shape (n, d)
            The records with codes in those columns.
        """
        drawn = P.copy()
        for columns, steps in self.groups:
            drawn[:, list(columns)] = draw_codes(P[:, list(columns)], steps, rng)
        return drawn


def groups_among(groups, kept):
    """The groups of :class:`Categories` in a table that keeps some columns only.

    Parameters
    ----------
    groups : sequence of (tuple of int, bool)
    kept : sequence of int
        Columns that stay, in order.

    Returns
    -------
    tuple of (tuple of int, bool)

    Examples
    --------
    >>> groups_among((((0, 1, 2), False), ((3,), False)), [3, 4])
    (((0,), False),)
    """
    place = {int(j): i for i, j in enumerate(kept)}
    there = [(own, bool(steps)) for own, steps in groups if all(j in place for j in own)]
    return tuple((tuple(place[j] for j in own), steps) for own, steps in there)


def draw_codes(P, steps, rng):
    """Draw levels of one category by their probabilities.

    Parameters
    ----------
    P : ndarray of shape (n, k)
        E[x] in the k columns of the category.
    steps : bool
        Whether they are the steps of an order.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n, k)
        Codes of 0 and 1.

    Examples
    --------
    >>> draw_codes(np.array([[0.0, 1.0, 0.0]]), False, np.random.default_rng(0)).tolist()
    [[0.0, 1.0, 0.0]]
    """
    u, k = rng.random((len(P), 1)), P.shape[1]
    if steps or k == 1:
        return (u < P).astype(np.float64)
    return np.eye(k)[(u >= np.cumsum(P, axis=1)[:, :-1]).sum(axis=1)]


def check_categories(groups, X):
    """Refuse a parameter that names no columns of a table, or columns that hold no codes.

    Parameters
    ----------
    groups : sequence of (tuple of int, bool)
        As for :class:`Categories`.
    X : ndarray of shape (n, d)
        NaN where missing.

    Raises
    ------
    ValueError
        It names columns that there are not or twice, or columns of which a record holds no code,
        or a part of one.
    """
    try:
        columns = [j for own, _ in groups for j in own]
        right = all(isinstance(j, Integral) and 0 <= j < X.shape[1] for j in columns)
        right &= len(set(columns)) == len(columns) and all(len(own) for own, _ in groups)
    except (TypeError, ValueError):
        right = False
    if not right:
        raise ValueError(
            f"categories is {groups!r}; it must hold pairs of columns and whether they are steps, "
            f"and name columns of 0 to {X.shape[1] - 1}, each once."
        )
    for own, steps in groups:
        _check_codes(X[:, list(own)], own, steps)


def _check_codes(Z, columns, steps):
    known = Z[~np.isnan(Z).all(axis=1)]
    right = np.isin(known, (0, 1)).all(axis=1)
    if len(columns) > 1:
        right &= (np.diff(known) <= 0).all(axis=1) if steps else known.sum(axis=1) == 1
    if not right.all():
        raise ValueError(
            f"columns {columns} of X code a category, {'steps' if steps else 'one-hot'}, but a "
            f"record has {known[~right][0].tolist()} there."
        )


def _codes(n_columns, steps):
    """Code of each level in a row."""
    if steps or n_columns == 1:
        return np.tri(n_columns + 1, n_columns, -1)
    return np.eye(n_columns)


def _dtype(x_out):
    return x_out.dtype if isinstance(x_out, np.ndarray) else x_out.dtype.as_numpy_dtype
