"""Scales that move as records come, and networks told again on the scale that moved.

A network works on scaled cells. When more records move the scale, its weights are written anew so
that it says of every record what it said before: no record that was learned is learned again, and
none has to be kept.
"""

from typing import NamedTuple

import numpy as np

from .units import Units, framed, frames, of_column, unframed

__all__ = ["Line", "Running", "facing_cells", "join_units", "making_cells", "unknown_units"]


class Line(NamedTuple):
    """How cells on the scale of before lie on that of now: before = slope * now + offset.

    Parameters
    ----------
    slope, offset : ndarray of shape (d,)
        1 and 0 for a column whose scale meant nothing yet.
    """

    slope: np.ndarray
    offset: np.ndarray

    @classmethod
    def between(cls, before, now, meant):
        """The line between two scales ``(shift, scale)`` of one frame, where the first meant any.

        Examples
        --------
        >>> line = Line.between((np.zeros(1), np.ones(1)), (np.ones(1), np.full(1, 2.0)), [True])
        >>> z = 3.0  # now; in units 1 + 2 * 3, which was 7 on the scale of before
        >>> (line.slope * z + line.offset).tolist()
        [7.0]
        """
        (shift, scale), (new_shift, new_scale) = before, now
        with np.errstate(all="ignore"):
            slope, offset = new_scale / scale, (new_shift - shift) / scale
        sound = meant & np.isfinite(slope) & np.isfinite(offset) & (slope > 0)
        return cls(np.where(sound, slope, 1.0), np.where(sound, offset, 0.0))


class Running(NamedTuple):
    """Range, mean and deviation of the columns of all records so far, in the columns' frames.

    What a column held while it was constant counts as one record: it says nothing of a scale, and
    an attribute that was filled with one number until it appeared is scaled by its own values.

    Parameters
    ----------
    n : ndarray of shape (d,)
        Known cells, or the sum of their weights.
    low, high : ndarray of shape (d,)
        Least and greatest value; NaN where no cell was known.
    origin, power : ndarray of shape (d,)
        See :func:`ehrgan.nets.units.frames`.
    mean, deviation : ndarray of shape (d,)
        Of the cells, in their frame.
    """

    n: np.ndarray
    low: np.ndarray
    high: np.ndarray
    origin: np.ndarray
    power: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def empty(cls, d):
        """Of no record at all."""
        nothing = np.full(d, np.nan)
        zero = np.zeros(d)
        return cls(zero, nothing, nothing, zero, np.zeros(d, int), zero, zero)

    def constant(self, eps):
        """Whether a column varies by no more than rounding does, or had no cell."""
        low, high = np.nan_to_num(self.low), np.nan_to_num(self.high)
        return frames(low, high, eps)[2]

    def framed_anew(self, low, high, eps, fixed=False):
        """The same moments in the frames of another range; columns that are ``fixed`` keep theirs.

        Returns
        -------
        Running
        """
        origin, power, _ = frames(np.nan_to_num(low), np.nan_to_num(high), eps)
        origin = np.where(fixed, self.origin, origin)
        power = np.where(fixed, self.power, power)
        same = (origin == self.origin) & (power == self.power)
        with np.errstate(over="ignore", under="ignore"):
            between = np.ldexp(self.origin, -power) - np.ldexp(origin, -power)
            mean = np.ldexp(self.mean, self.power - power) + between
            deviation = np.ldexp(self.deviation, self.power - power)
        return self._replace(
            low=low, high=high, origin=origin, power=power,
            mean=np.where(same, self.mean, mean),
            deviation=np.where(same, self.deviation, deviation),
        )  # fmt: skip

    def joined(self, H, weight, constant):
        """Moments after more records, as Chan, Golub and LeVeque join those of two samples.

        Parameters
        ----------
        H : ndarray of shape (n, d)
            The records, framed; NaN where missing.
        weight : ndarray of shape (n,)
            Their weights, above 0.
        constant : bool ndarray of shape (d,)
            Columns that had not varied before these.

        Returns
        -------
        Running

        References
        ----------
        Chan, Golub and LeVeque, "Algorithms for computing the sample variance", The American
        Statistician 1983.

        Examples
        --------
        >>> one = Running.empty(1)._replace(n=np.array([2.0]), mean=np.array([1.0]))
        >>> both = one.joined(np.array([[4.0], [np.nan]]), np.ones(2), np.array([False]))
        >>> both.n.tolist(), both.mean.tolist(), both.deviation.round(3).tolist()
        ([3.0], [2.0], [1.414])
        """
        known = ~np.isnan(H)
        w = known * weight[:, None]
        k, H = w.sum(axis=0), np.where(known, H, 0.0)
        mean = (w * H).sum(axis=0) / np.maximum(k, np.finfo(float).tiny)
        square = (w * (H - mean) ** 2).sum(axis=0)
        n = np.where(constant, np.minimum(self.n, 1.0), self.n)
        total = np.maximum(n + k, np.finfo(float).tiny)
        step = np.where(n > 0, mean - self.mean, 0.0)
        first = np.where(n > 0, self.mean, mean)
        variance = (n * self.deviation**2 + square + step**2 * n * k / total) / total
        told = k > 0
        return self._replace(
            n=np.where(told, n + k, self.n),
            mean=np.where(told, first + step * k / total, self.mean),
            deviation=np.where(told, np.sqrt(variance), self.deviation),
        )


def unknown_units(d):
    """The units of d attributes of which no cell is known yet: NaN, so that all are holes."""
    nothing, zero = np.full(d, np.nan), np.zeros(d)
    return Units(nothing, nothing, zero, zero.astype(int), nothing, nothing, nothing)


def join_units(units, n, X, scaling, codes):
    """Units of an imputer after more records.

    Parameters
    ----------
    units : Units
    n : ndarray of shape (d,)
        Cells that have told them.
    X : ndarray of shape (n, d)
        The records, NaN where missing.
    scaling : str
    codes : bool ndarray of shape (d,)
        Columns that code categories, which stay 0 and 1.

    Returns
    -------
    units : Units
    n : ndarray of shape (d,)
    line : Line
        From the scale of before to that of now.

    Notes
    -----
    A logarithm stays as it was taken: of the same sum of cell and offset. The range of its
    attribute falls by half of that offset at most at once.

    Examples
    --------
    >>> X = np.array([[1.0, np.nan], [3.0, np.nan]])
    >>> units, n, _ = join_units(unknown_units(2), np.zeros(2), X, "standard", np.zeros(2, bool))
    >>> n.tolist(), units.shift.tolist(), units.scale.tolist()
    ([2.0, 0.0], [2.0, nan], [1.0, nan])
    """
    eps = np.finfo(X.dtype).eps
    logged = ~np.isnan(units.offset)
    low, high = (ufunc.reduce(X, axis=0) for ufunc in (np.fmin, np.fmax))
    low, high = np.fmin(units.low, low), np.fmax(units.high, high)
    known = ~np.isnan(low)
    low[codes & known], high[codes & known] = 0.0, 1.0
    low, offset = _lowered(units, low, logged)
    scale = np.nan_to_num(units.scale, nan=1.0)
    seen = Running(n, units.low, units.high, units.origin, units.power,
                   np.nan_to_num(units.shift), scale)  # fmt: skip
    flat = seen.constant(eps) & ~codes
    seen = seen._replace(deviation=np.where(flat, 0.0, seen.deviation))
    before = seen.framed_anew(low, high, eps, fixed=logged | codes)
    grown = units._replace(
        low=low, high=high, origin=before.origin, power=before.power, offset=offset
    )
    now = before.joined(grown.unscaled(X), np.ones(len(X)), flat)
    still = now.constant(eps)
    shift, scale = now.mean, np.where(still | (now.deviation == 0), 1.0, now.deviation)
    if scaling == "minmax":
        ends = [framed(end[None], now.origin, now.power)[0] for end in (low, high)]
        shift = np.where(still, shift, ends[0])
        scale = np.where(still, scale, ends[1] - ends[0])
    shift, scale = np.where(codes, 0.0, shift), np.where(codes, 1.0, scale)
    for j in np.flatnonzero(flat & ~still):
        # now that it varies: what it held before counts as one record
        x = np.append(X[~np.isnan(X[:, j]), j], units.low[[j]][n[[j]] > 0])
        offset[j], shift[j], scale[j] = of_column(framed(x, now.origin[j], now.power[j]), scaling)
    line = Line.between((before.mean, before.deviation), (shift, scale), ~flat & ~codes)
    shift, scale = np.where(known, shift, np.nan), np.where(known, scale, np.nan)
    return grown._replace(offset=offset, shift=shift, scale=scale), now.n, line


def _lowered(units, low, logged):
    """Least values, and the offsets before logarithms that go with them."""
    frame = units.origin, units.power
    before, after = (framed(end[None], *frame)[0] for end in (units.low, low))
    fall = np.minimum(before - after, 0.5 * units.offset)
    held = unframed((before - fall)[None], *frame)[0]
    return np.where(logged, held, low), units.offset - np.where(logged, fall, 0.0)


def facing_cells(W, b, line):
    """First layer of a network whose inputs are cells, told again on the scale that moved.

    Parameters
    ----------
    W, b : ndarray of shape (M, d, units), (M, 1, units)
    line : Line

    Returns
    -------
    W, b : ndarray
        float32.

    Examples
    --------
    >>> line = Line(np.array([2.0]), np.array([1.0]))
    >>> W, b = facing_cells(np.full((1, 1, 1), 3.0), np.zeros((1, 1, 1)), line)
    >>> (4.0 * W + b).item(), 3.0 * (2.0 * 4.0 + 1.0)
    (27.0, 27.0)
    """
    return np.float32(W * line.slope[:, None]), np.float32(b + line.offset[None] @ np.float64(W))


def making_cells(W, b, line):
    """Last layer of a network whose outputs are cells, told again on the scale that moved.

    Examples
    --------
    >>> line = Line(np.array([2.0]), np.array([1.0]))
    >>> W, b = making_cells(np.full((1, 1, 1), 3.0), np.zeros((1, 1, 1)), line)
    >>> 2.0 * (4.0 * W + b).item() + 1.0, 3.0 * 4.0
    (12.0, 12.0)
    """
    return np.float32(W / line.slope), np.float32((b - line.offset) / line.slope)
