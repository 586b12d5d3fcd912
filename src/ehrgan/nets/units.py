"""The scales on which networks work, learned from observed cells."""

from typing import NamedTuple

import numpy as np
from scipy.stats import skew

LOG_OFFSET = 0.3  # share of (mean - least) added before a logarithm, so that it stays finite
LEAST_SHARE = 0.05  # of cells at the least value, from which on "auto" takes no logarithm
FARTHEST = 1e15  # from the centre on a network's scale: float32 holds its square
ORDINARY_SPREAD = 2.0**-10  # of a column's size: what float32 blurs is then far below the spread
ORDINARY_SIZE = 60  # powers of two either way: float32 holds the square


def frames(low, high, eps):
    """Say from where, and in which power of two, columns are counted before they are scaled.

    Ordinary columns are counted from 0 in ones, which changes no bit of them. One that float32
    would blur (a small spread far from 0) or could not hold (a huge or tiny size) is counted from
    its least value, in a power of two near its range, so that nothing overflows on the way.

    Parameters
    ----------
    low, high : ndarray of shape (d,)
        Least and greatest value of each column.
    eps : float
        Precision of the type that the columns came in, above 0.

    Returns
    -------
    origin : ndarray of shape (d,)
    power : int ndarray of shape (d,)
    constant : bool ndarray of shape (d,)
        Whether a column varies by no more than rounding does.

    Examples
    --------
    >>> low, high = np.array([5.0, 1e9, 0.0, 7.0]), np.array([9.0, 1e9 + 4, 1e200, 7.0])
    >>> origin, power, constant = frames(low, high, 2e-16)
    >>> origin.tolist(), power.tolist(), constant.tolist()
    ([0.0, 1000000000.0, 0.0, 0.0], [0, 3, 665, 0], [False, False, False, True])
    """
    mantissa, size = np.frexp(np.maximum(np.abs(low), np.abs(high)))
    spread = np.ldexp(high, -size) - np.ldexp(low, -size)
    constant = spread <= 10 * eps * mantissa
    ordinary = (constant | (spread >= ORDINARY_SPREAD)) & (np.abs(size) <= ORDINARY_SIZE)
    power = np.where(ordinary, 0, size + np.frexp(spread)[1])
    return np.where(ordinary, 0.0, low), power, constant


def framed(X, origin, power):
    """Count records in the frames of their columns.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        In their own units.
    origin, power : ndarray of shape (d,)
        As :func:`frames` gives them.

    Returns
    -------
    ndarray of shape (n, d)
        In float64; a cell far beyond those that told the frame may be inf.
    """
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(X.astype(np.float64), -power) - np.ldexp(origin, -power)


def unframed(X, origin, power):
    """Return from the frames of columns to original units, as :func:`framed` left them."""
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(X + np.ldexp(origin, -power), power)


def scaled(X, shift, scale):
    """Scale framed records for a network.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        As :func:`framed` gives them.
    shift, scale : ndarray of shape (d,)
        Subtracted, then divided by.

    Returns
    -------
    ndarray of shape (n, d)
        In float32; what lies further out than ``FARTHEST`` is held there.
    """
    return np.float32(np.clip((X - shift) / scale, -FARTHEST, FARTHEST))


class Units(NamedTuple):
    """The scale of each attribute that the autoencoder sees.

    Parameters
    ----------
    low, high : ndarray of shape (d,)
        Least and greatest value seen.
    origin, power : ndarray of shape (d,)
        Frame that the others are counted in, see :func:`frames`.
    offset : ndarray of shape (d,)
        Added before the logarithm; NaN where none is taken.
    shift, scale : ndarray of shape (d,)
        Subtracted, then divided by.
    """

    low: np.ndarray
    high: np.ndarray
    origin: np.ndarray
    power: np.ndarray
    offset: np.ndarray
    shift: np.ndarray
    scale: np.ndarray

    @classmethod
    def learn(cls, X, columns, scaling, coded=()):
        """Learn from the observed cells of some columns, one at a time; codes stay 0 and 1."""
        low, high = np.float64([[np.nanmin(X[:, j]), np.nanmax(X[:, j])] for j in columns]).T
        codes = np.isin(columns, list(coded))
        low[codes], high[codes] = 0.0, 1.0
        origin, power, constant = frames(low, high, np.finfo(X.dtype).eps)
        own = [
            (np.nan, framed(low[i], origin[i], power[i]), 1.0)
            if constant[i] or codes[i]
            else of_column(framed(X[~np.isnan(X[:, j]), j], origin[i], power[i]), scaling)
            for i, j in enumerate(columns)
        ]
        return cls(low, high, origin, power, *np.array(own).reshape(-1, 3).T)

    def to_network(self, X):
        """Scale records; cells below the range seen go no lower than half the offset."""
        return scaled(self.unscaled(X), self.shift, self.scale)

    def unscaled(self, X):
        """Records in their frames, with logarithms, before shift and scale."""
        Z = framed(X, self.origin, self.power)
        logged = ~np.isnan(self.offset)
        raised = Z[:, logged] - self._in_frame(self.low)[logged] + self.offset[logged]
        Z[:, logged] = np.log(np.maximum(raised, 0.5 * self.offset[logged]))
        return Z

    def from_network(self, Z):
        """Return to original units, kept within the range seen."""
        X = Z.astype(np.float64) * self.scale + self.shift
        logged = ~np.isnan(self.offset)
        low, high = (self._in_frame(end)[logged] for end in (self.low, self.high))
        top = np.log(high - low + self.offset[logged])
        raised = np.exp(np.minimum(X[:, logged], top))
        X[:, logged] = raised - self.offset[logged] + low
        return np.clip(unframed(X, self.origin, self.power), self.low, self.high)

    def _in_frame(self, x):
        return framed(x, self.origin, self.power)


def of_column(x, scaling):
    """Offset, shift and scale of a column's observed cells."""
    x = np.sort(x)  # the sum then forgets the order given
    low, high = x[0], x[-1]
    if scaling == "minmax":
        return np.nan, low, high - low
    offset = LOG_OFFSET * (x.mean() - low)
    logs = np.log(x - low + offset)
    if scaling == "log" or (scaling == "auto" and _gains_by_logarithm(x, logs)):
        return offset, logs.mean(), logs.std()
    return np.nan, x.mean(), x.std()


def _gains_by_logarithm(x, logs):
    """Whether sorted values become less skew; a heap at the least value would stay one."""
    return np.mean(x == x[0]) < LEAST_SHARE and abs(skew(logs)) < abs(skew(x))
