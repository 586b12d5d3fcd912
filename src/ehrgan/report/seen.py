"""What a model keeps of the records that it has learned from: counts and quantiles, no record."""

import numpy as np
import pandas as pd

from .convert import is_category

__all__ = ["joined", "new_patterns", "recalled", "summary"]

N_QUANTILES = 101
MOST_PATTERNS = 10_000  # of holes; of more none is kept, and none can be called new


def summary(X, y, classes):
    """Plain data on records, column by column.

    Parameters
    ----------
    X : DataFrame of shape (n, d)
        Values, as :class:`~ehrgan.report.reading.Prepared` has them.
    y : int ndarray of shape (n,)
        Number of each record's class.
    classes : sequence of str
        Names of the classes.

    Returns
    -------
    dict
        n; classes (name to count); columns (name to number missing, and quantiles or counts of
        categories); patterns of holes that occurred, a text of 0 and 1 each.

    Examples
    --------
    >>> X = pd.DataFrame({"age": [30.0, 50.0, np.nan]})
    >>> about = summary(X, np.array([0, 1, 1]), ("no", "yes"))
    >>> about["classes"], about["columns"]["age"]["missing"], about["patterns"]
    ({'no': 1, 'yes': 2}, 1, ['0', '1'])
    """
    counts = np.bincount(y, minlength=len(classes))
    patterns = sorted(set(_patterns(X)))
    return {
        "n": len(X),
        "classes": {str(name): int(n) for name, n in zip(classes, counts, strict=True)},
        "columns": {str(name): _of_column(X[name]) for name in X},
        "patterns": patterns if len(patterns) <= MOST_PATTERNS else [],
    }


def _of_column(cells):
    known = cells.dropna()
    told = {"missing": int(cells.isna().sum())}
    if is_category(cells):
        counts = known.value_counts()
        return told | {"counts": {str(name): int(n) for name, n in counts.items()}}
    at = np.linspace(0, 1, N_QUANTILES)
    known = known.to_numpy(dtype=np.float64)
    return told | {"quantiles": np.quantile(known, at).tolist() if len(known) else []}


def recalled(about, classes):
    """A table whose columns are spread as those of the records were, each by itself.

    Parameters
    ----------
    about : dict
        From :func:`summary`.
    classes : sequence of str
        Names of the classes, in the order of their numbers.

    Returns
    -------
    X : DataFrame of shape (n, d)
        No record: values of a row have nothing to do with one another.
    y : int ndarray of shape (n,)
    """
    n, found = about["n"], {}
    for name, told in about["columns"].items():
        known = n - told["missing"]
        if "counts" in told:
            values = np.repeat(list(told["counts"]), list(told["counts"].values()))
            cells = pd.Series(np.append(values.astype(object), [None] * told["missing"]))
            found[name] = cells.astype("category")
            continue
        quantiles = told["quantiles"]
        at = (np.arange(known) + 0.5) / max(known, 1)
        values = np.interp(at, np.linspace(0, 1, N_QUANTILES), quantiles) if quantiles else []
        found[name] = pd.Series(np.append(values, np.full(told["missing"], np.nan)))
    sizes = [about["classes"][name] for name in classes]
    return pd.DataFrame(found), np.repeat(np.arange(len(sizes)), sizes)


def joined(about, X, y, classes):
    """The summary of the records of one and of more."""
    X = X.rename(columns=str)
    old, y_old = recalled(about, classes)
    both = {
        name: pd.concat([old[name].astype(object), X[name].astype(object)], ignore_index=True)
        for name in X
    }
    for name in X:
        kind = "category" if is_category(X[name]) else np.float64
        cells = both[name].map(str, na_action="ignore") if kind == "category" else both[name]
        both[name] = cells.astype(kind)
    new = summary(pd.DataFrame(both), np.concatenate([y_old, y]), classes)
    patterns = sorted({*about["patterns"], *_patterns(X)}) if about["patterns"] else []
    return new | {"patterns": patterns if len(patterns) <= MOST_PATTERNS else []}


def new_patterns(about, X):
    """Which records lack a set of attributes that none lacked before.

    Returns
    -------
    bool ndarray of shape (n,)
    """
    if not about["patterns"]:
        return np.zeros(len(X), bool)
    return ~np.isin(_patterns(X), about["patterns"])


def _patterns(X):
    """The holes of each record, as a text of 0 and 1."""
    holes = np.where(X.isna().to_numpy(), "1", "0")
    return ["".join(row) for row in holes]
