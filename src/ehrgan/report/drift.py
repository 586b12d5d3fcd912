"""What differs between the records here and those of another place or time, in words."""

import numpy as np
import pandas as pd
from scipy import stats

from ..scores.inference import holm
from .convert import is_category, written

__all__ = ["drift"]

LEVEL = 0.05
#: Differences of a share, and of two distributions (Kolmogorov's distance), that are worth a word.
SHARE, DISTANCE = 0.1, 0.15
MOST = 8  # attributes that are named
#: Ratio of medians from which another unit is likely.
RATIO = 3


def drift(here, there, y_here, y_there, classes, fields=None):
    """Sentences on what differs: shares of classes, holes, and values of each attribute.

    Parameters
    ----------
    here, there : DataFrame of shape (n_records, n_attributes)
        Attributes as :class:`~ehrgan.report.reading.Prepared` has them, of the same names.
    y_here, y_there : int ndarray of shape (n_records,)
        Number of each record's class.
    classes : sequence of str
        Names of the classes.
    fields : dict of str to dict, optional
        The schema's fields of the attributes, so that days are told as dates.

    Returns
    -------
    list of str
        Only of differences that are beyond doubt (5 %, by Holm over all attributes) and large
        enough to matter: a tenth of the records, or 0.15 of Kolmogorov's distance.

    Examples
    --------
    >>> here = pd.DataFrame({"crp": np.arange(100.0)})
    >>> y = np.tile([0, 1], 50)
    >>> drift(here, 10 * here, y, y, ("no", "yes"))
    ["'crp' has other values: its median is 495 there and 49.5 here; is its unit the same?"]
    """
    fields = {name: {"type": "number"} for name in here} | (fields or {})
    tests = [test for name in here for test in _tests(fields[name], name, here[name], there[name])]
    adjusted = holm([p for p, *_ in tests]) if tests else []
    told = [
        (size, words)
        for p, (_, size, words) in zip(adjusted, tests, strict=True)
        if p < LEVEL and size > 0
    ]
    told = [words for _, words in sorted(told, key=lambda each: -each[0])]
    more = [f"{len(told) - MOST} more attributes differ."] if len(told) > MOST else []
    return [*_classes(y_here, y_there, classes), *told[:MOST], *more]


def _classes(y_here, y_there, classes):
    """Sentences on classes that are rarer or commoner there."""
    for k in range(1 if len(classes) == 2 else 0, len(classes)):
        counts = [(y == k).sum() for y in (y_here, y_there)]
        p = _p_of_shares(*counts, len(y_here), len(y_there))
        if p < LEVEL / len(classes):
            here, there = counts[0] / len(y_here), counts[1] / len(y_there)
            yield f"{classes[k]!r} is {there:.1%} of the records there and {here:.1%} here."


def _tests(field, name, here, there):
    """For holes and for values: p-value, size of the difference (0: too small), words."""
    gone = [cells.isna().sum() for cells in (here, there)]
    shares = [n / len(cells) for n, cells in zip(gone, (here, there), strict=True)]
    size = abs(shares[1] - shares[0])
    words = f"{name!r} is missing in {shares[1]:.0%} of the records there and {shares[0]:.0%} here."
    if shares[1] == 1:
        words = f"{name!r} is not known of any record there, and of {1 - shares[0]:.0%} here."
    yield _p_of_shares(*gone, len(here), len(there)), size * (size >= SHARE), words
    here, there = here.dropna(), there.dropna()
    if not len(here) or not len(there):
        return
    if is_category(here):
        yield _of_categories(name, here, there)
    else:
        yield _of_numbers(field, name, here, there)


def _of_categories(name, here, there):
    shares = pd.DataFrame({"here": here.value_counts(), "there": there.value_counts()}).fillna(0)
    shares = shares[shares.sum(axis=1) > 0]
    p = stats.chi2_contingency(shares).pvalue if len(shares) > 1 else 1.0
    shares = shares / shares.sum()
    apart = (shares["there"] - shares["here"]).abs()
    size, most = apart.sum() / 2, apart.idxmax()
    pair = shares.loc[most]
    words = f"{name!r} is {most!r} in {pair['there']:.0%} of the records there"
    return p, size * (size >= DISTANCE), f"{words} and {pair['here']:.0%} here."


def _of_numbers(field, name, here, there):
    found = stats.ks_2samp(here, there, method="asymp")
    size = float(found.statistic)
    medians = np.median(there), np.median(here)
    shown = [written(field, value, 4) for value in medians]
    words = f"its median is {shown[0]} there and {shown[1]} here"
    ratio = medians[0] / medians[1] if medians[1] else 1.0
    unit = "; is its unit the same?" if max(abs(ratio), 1 / abs(ratio or 1)) >= RATIO else "."
    return found.pvalue, size * (size >= DISTANCE), f"{name!r} has other values: {words}{unit}"


def _p_of_shares(one, other, n_one, n_other):
    """Whether two shares differ: p-value of the chi-squared test."""
    table = np.array([[one, n_one - one], [other, n_other - other]])
    return stats.chi2_contingency(table).pvalue if table.sum(axis=0).all() else 1.0
