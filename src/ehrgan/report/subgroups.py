"""For whom the recommended method works: its scores within groups of records."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from ..scores.estimate import Estimate
from .areas import added_by_records, area_of, has_all, interval_of_area, units_of
from .convert import is_category, written
from .errors import ReportError
from .performance import around, spread

__all__ = ["bands", "subgroups"]

#: Fewest records of each class for a group to be scored, and most groups of a column.
FEWEST = 20
MOST_GROUPS = 12
N_BANDS = 4


def bands(name, values, field):
    """Groups of a column: its categories, or four bands of numbers with as many records each.

    Where a value is that of very many records, there are fewer bands.

    Parameters
    ----------
    name : str
        Name of the column, for the error.
    values : Series
        Values of the records, or None where the column is not read.
    field : dict
        The schema's field of the column, so that days are told as dates.

    Returns
    -------
    Series of str
        "missing" where a value is.

    Raises
    ------
    ReportError
        The column is not read, or has too many categories.

    Examples
    --------
    >>> ages = pd.Series([None, *range(30, 46)])
    >>> bands("age", ages, {"type": "number"}).unique().tolist()
    ['missing', '30 to 33', '34 to 37', '38 to 41', '42 to 45']
    """
    if values is None:
        raise ReportError(f"by {name!r} is not read, so it has no groups: name another column")
    if not is_category(values) and values.nunique() > MOST_GROUPS:
        places = pd.Series(np.searchsorted(_tops(values), values), index=values.index)
        ends = values.groupby(places).agg(["min", "max"]).map(lambda v: written(field, v))
        names = ends.agg(lambda row: " to ".join(dict.fromkeys(row)), axis=1)
        shown = places.map(names)
    else:
        shown = values.map(lambda v: written(field, v) if isinstance(v, float) else str(v))
    shown = shown.astype(object).where(values.notna(), "missing")
    if shown.nunique() > MOST_GROUPS:
        raise ReportError(
            f"by {name!r} has {shown.nunique()} groups, and at most {MOST_GROUPS} are told apart: "
            "make fewer categories of it"
        )
    return shown


def _tops(values):
    """Greatest values of all bands but the last."""
    known = np.sort(values.dropna().to_numpy())
    tops = np.quantile(known, np.arange(1, N_BANDS) / N_BANDS)
    below = known[np.searchsorted(known, known[-1]) - 1]  # the last band is never empty
    return np.unique(np.minimum(tops, below))


def subgroups(groups, y, told, cut, persons=None):
    """Scores within groups of records, and how they differ from the others.

    Parameters
    ----------
    groups : dict of str to Series of str
        For each column the group of each record.
    y : int ndarray of shape (n,)
        Number of each record's class.
    told : ndarray of shape (n,) or (n, n_classes)
        Out-of-fold probabilities.
    cut : float or None
        Threshold for the sensitivity; none with several classes.
    persons : int ndarray of shape (n,), optional
        Records of one number belong to one person.

    Returns
    -------
    table : DataFrame
        Columns column, group, records, rarest (of a class), measure, value, low, high: AUC, and of
        two classes expected less seen (mean probability less share) and sensitivity. NaN for groups
        with fewer than twenty records of a class.
    words : list of str
        Groups whose AUC differs from that of the others beyond doubt, by Bonferroni over all
        groups, and those too small to tell.
    """
    scored = [(column, name) for column, of in groups.items() for name in sorted(of.unique())]
    rows, words = [], []
    for column, name in scored:
        own = (groups[column] == name).to_numpy()
        sizes = np.bincount(y[own], minlength=y.max() + 1)
        about = {"column": column, "group": name, "records": own.sum(), "rarest": sizes.min()}
        if sizes.min() < FEWEST:
            words.append(
                f"{column} {name}: only {sizes.min()} of {own.sum()} records are of the rarest "
                "class, too few to tell for whom it works."
            )
            rows.append({**about, "measure": "AUC", "value": np.nan, "low": np.nan, "high": np.nan})
            continue
        theirs = None if persons is None else persons[own]
        for measure, estimate in _measured(y[own], told[own], cut, theirs):
            rows.append({**about, "measure": measure, **estimate._asdict()})
        if has_all(y[~own], y.max() + 1):
            lead = _lead(own, y, told, persons, 1 - 0.05 / len(scored))
            how = {1: "better", -1: "worse"}.get(lead.sign)
            said = f"{column} {name}: it works {how} than for the others, by {lead:+.3f} of AUC."
            words += [said] if how else []
    return pd.DataFrame(rows), words


def _measured(y, told, cut, persons):
    """Names of measures of a group, and their estimates."""
    area = area_of(y, told)
    added = added_by_records(y, told)
    ends = interval_of_area(area, spread(added, persons) ** 2, units_of(y, persons))
    yield "AUC", Estimate(area, *ends)
    if told.ndim > 1:
        return
    gap, called = told - y, (told > cut)[y == 1]
    yield "expected less seen", around(gap.mean(), (gap - gap.mean()) / len(y), persons)
    theirs = np.arange(len(called)) if persons is None else persons[y == 1]
    yield "sensitivity", _share(called, theirs)


def _share(called, persons):
    """A share with Wilson's interval, of as many persons as its spread shows; at most those."""
    share, most = called.mean(), len(np.unique(persons))
    error = spread((called - share) / len(called), persons)
    n = min(most, share * (1 - share) / error**2) if error else most
    z = norm.ppf(0.975)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return Estimate(float(share), float(centre - half), float(centre + half))


def _lead(own, y, told, persons, level):
    """AUC of a group less that of all others."""
    lead = area_of(y[own], told[own]) - area_of(y[~own], told[~own])
    added = np.empty(len(y))
    added[own], added[~own] = (
        added_by_records(y[own], told[own]),
        -added_by_records(y[~own], told[~own]),
    )
    return around(lead, added, persons, level)
