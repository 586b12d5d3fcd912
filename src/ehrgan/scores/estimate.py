"""One type for a number with its uncertainty."""

from typing import NamedTuple

import pandas as pd

__all__ = ["Estimate", "estimates", "readable", "signed", "tabulate"]


def signed(number, spec=".3f"):
    """Write a difference with its sign; one that rounds to nothing is ``+0.000``, never ``-0.000``.

    Parameters
    ----------
    number : float
        The difference.
    spec : str, default=".3f"
        A format of Python's, without a sign.

    Returns
    -------
    str

    Examples
    --------
    >>> signed(0.0123), signed(-0.00004), signed(-0.5, ".1f")
    ('+0.012', '+0.000', '-0.5')
    """
    return format(float(number), f"+z{spec}")


class Estimate(NamedTuple):
    """A number and its interval, which reads alike wherever it is shown.

    Parameters
    ----------
    value : float
        The number, in the unit of what it measures.
    low, high : float
        Ends of its interval; NaN where nothing is known of its spread.

    Notes
    -----
    A format applies to all three; without one it is ``.3f``. A signed format is for differences;
    one that begins with ± writes half the width of the interval, for narrow columns, and is for
    intervals that were not cut at 0 or 1. Where the interval leaves zero out, an end that the
    format would round to zero has more digits, so that what is read never contradicts `sign`.

    Examples
    --------
    >>> from ehrgan.scores.estimate import Estimate
    >>> f"{Estimate(0.9687, 0.949, 0.9889)}"
    '0.969 (0.949–0.989)'
    >>> f"{Estimate(-0.0012, -0.0142, 0.0118):+.4f}"
    '-0.0012 (-0.0142 to +0.0118)'
    >>> f"{Estimate(-0.02, -0.04, -0.00012):+.3f}"
    '-0.020 (-0.040 to -0.0001)'
    >>> f"{Estimate(0.9687, 0.9485, 0.9889):±.3f}"
    '0.969 ± 0.020'
    >>> for gain in (Estimate(0.02, 0.01, 0.03), Estimate(0.02, -0.01, 0.05)):
    ...     print(gain.sign, gain.compared(), gain.tie, gain.within(0.04), sep=", ")
    1, larger than, the two differ, outside
    0, not clearly different from, the two cannot be told apart, inside
    """

    value: float
    low: float
    high: float

    @property
    def sign(self):
        """1 or -1 where the whole interval lies above or below zero; else 0: it may be zero."""
        return int(self.low > 0) - int(self.high < 0)

    @property
    def half(self):
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    def rounded(self, digits=3):
        """The same, rounded: a figure that shows so many digits stars what they still show."""
        return Estimate(*(round(float(number), digits) for number in self))

    def cut(self, low=0.0, high=1.0):
        """The same, with the interval cut to what the quantity can be."""
        return Estimate(self.value, max(self.low, low), min(self.high, high))

    def holds(self, number):
        """Whether the interval holds a number, its ends included."""
        return self.low <= number <= self.high

    def within(self, number):
        """Where a number lies, "inside" or "outside" the interval."""
        return "inside" if self.holds(number) else "outside"

    @property
    def tie(self):
        """What the interval of a difference says of a tie."""
        return "the two differ" if self.sign else "the two cannot be told apart"

    def compared(
        self, smaller="smaller than", larger="larger than", neither="not clearly different from"
    ):
        """Words for the interval of a difference: below zero, above it, or neither."""
        return (neither, larger, smaller)[self.sign]

    def __format__(self, spec):
        """The number, then its interval in brackets, or half its width behind a ±."""
        if spec.startswith("±"):
            digits = spec.removeprefix("±") or ".3f"
            return f"{float(self.value):z{digits}} ± {float(self.half):{digits}}"
        is_signed, digits = spec.startswith("+"), spec.removeprefix("+") or ".3f"
        between = " to " if is_signed else "\N{EN DASH}"

        def write(number, spec=digits):
            return signed(number, spec) if is_signed else format(float(number), f"z{spec}")

        def end(number):
            text = write(number)
            hides = self.sign and digits.endswith("f") and not float(text)
            return write(number, ".1g") if hides else text

        return f"{write(self.value)} ({end(self.low)}{between}{end(self.high)})"


def estimates(table):
    """Take the rows of a table as estimates.

    Parameters
    ----------
    table : DataFrame
        Columns mean, low and high, such as :func:`~ehrgan.scores.metrics.summarise` gives.

    Returns
    -------
    Series of Estimate
        With the index of the table.

    Examples
    --------
    >>> estimates(pd.DataFrame({"mean": [0.5], "low": [0.25], "high": [0.75]})).iloc[0].half
    0.25
    """
    rows = zip(table["mean"], table["low"], table["high"], strict=True)
    return pd.Series([Estimate(*map(float, row)) for row in rows], table.index, dtype=object)


def readable(table, spec=".3f"):
    """Write the rows of a table as estimates.

    Parameters
    ----------
    table : DataFrame
        Columns mean, low and high.
    spec : str, default=".3f"
        A format, see :class:`Estimate`.

    Returns
    -------
    Series of str
        With the index of the table.

    Examples
    --------
    >>> readable(pd.DataFrame({"mean": [0.5], "low": [0.25], "high": [0.75]}), ".2f").tolist()
    ['0.50 (0.25\N{EN DASH}0.75)']
    """
    return estimates(table).map(lambda estimate: format(estimate, spec))


def tabulate(estimates):
    """Lay named estimates out in rows, as figures take them; :func:`estimates` undoes it.

    Parameters
    ----------
    estimates : dict of str or tuple to Estimate
        By name.

    Returns
    -------
    DataFrame
        Columns mean, low and high, indexed by name.

    Examples
    --------
    >>> tabulate({"a": Estimate(0.5, 0.25, 0.75)}).loc["a"].tolist()
    [0.5, 0.25, 0.75]
    """
    rows = list(estimates.values())
    return pd.DataFrame(rows, pd.Index(list(estimates))).set_axis(["mean", "low", "high"], axis=1)
