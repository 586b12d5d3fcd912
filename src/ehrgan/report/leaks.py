"""Columns that give the outcome away or repeat others, and records that repeat or sum others."""

import hashlib

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from .columns import FEWEST_KNOWN
from .convert import is_category
from .errors import ReportError

#: Fewest groups that must hold records of a class, for folds that keep groups whole.
FEWEST_GROUPS = 5
#: Single-attribute AUC that gives the outcome away, or is worth a word; the records of each class
#: that it needs.
LEAK, NEAR_LEAK = 0.99, 0.9
FEWEST_SEEN = 8
#: Chance below which a value that occurs in one class alone is worth a word.
ONE_SIDED = 1e-6
#: Values beside nought whose sum a line of totals holds, in so many columns at least.
FEWEST_SUMMED, FEWEST_SUMS = 10, 2
#: Different values that a number needs to tell records apart, and how many records may be expected
#: to share a record's numbers by chance, for an equal one to count as its copy.
FINE_VALUES = 10
BY_CHANCE = 0.05


def leak_of(name, values, y):
    """Why a column gives the outcome away, or nothing; and what to say where it nearly does.

    Of several classes each is held against the others.
    """
    n_classes = y.max() + 1
    sides = [y] if n_classes == 2 else [(y == k).astype(int) for k in range(n_classes)]
    how, area = max((_separates(values, own) for own in sides), key=lambda found: found[1])
    if area >= LEAK:
        return (
            f"{how} alone separates the classes (AUC {area:.3f}), as a consequence of the outcome "
            "would; if it is known beforehand, keep it"
        ), []
    if area >= NEAR_LEAK:
        said = f"{how} alone has an AUC of {area:.3f}"
        return "", [f"{name!r}: {said}; make sure that it is known before the outcome."]
    if is_category(values) and not values.cat.ordered:
        for value in values.cat.categories:
            own = y[(values == value).to_numpy()]
            if len(np.unique(own)) == 1 and (y == own[0]).mean() ** len(own) < ONE_SIDED:
                said = f"its {len(own)} records of {value!r} are of one class"
                return "", [f"{name!r}: {said}; make sure that it is known before the outcome."]
    return "", []


def _separates(values, y):
    """The better of two areas under the ROC curve: by value, by being missing."""
    gone, by_hole = values.isna().to_numpy(), gone_of(values, y)
    seen, shares = ~gone, [(~gone[y == c]).mean() for c in (0, 1)]
    enough = min((y[seen] == c).sum() for c in (0, 1)) >= FEWEST_SEEN
    if not enough or (seen.mean() < 0.5 and max(shares) < 1):
        return "that it is missing", by_hole
    if is_category(values) and not values.cat.ordered:
        score = _class_rates(values.cat.codes.to_numpy()[seen], y[seen])
    else:
        ranked = values.cat.codes if is_category(values) else values
        score = ranked.to_numpy()[seen]
    area = roc_auc_score(y[seen], score)
    by_value = max(area, 1 - area)
    return ("its value", by_value) if by_value >= by_hole else ("that it is missing", by_hole)


def gone_of(values, y):
    """Area under the ROC curve of being missing, in the better direction and of the worst class."""
    gone = values.isna().to_numpy()
    leads = [abs(gone[y == k].mean() - gone[y != k].mean()) for k in np.unique(y)]
    return 0.5 + max(leads) / 2


def _class_rates(codes, y):
    """Share of positives among the other folds' records of the same category."""
    score = np.empty(len(y))
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(codes, y):
        rates = pd.Series(y[train]).groupby(codes[train]).mean()
        score[test] = pd.Series(codes[test]).map(rates).fillna(y[train].mean())
    return score


def content(values):
    """A mark that only columns of the same content share, whatever words a coarse one uses."""
    codes, levels = pd.factorize(values)
    if len(levels) * FEWEST_KNOWN > len(values):  # many values differ record by record anyway
        codes = pd.util.hash_pandas_object(values, index=False).to_numpy()
    return hashlib.sha256(codes.tobytes()).digest()


def equal_records(X, y, notes):
    """Groups that hold records too alike for chance, or None if there are none.

    Records of a few coarse attributes are often equal by chance; to keep those in one fold would
    leave nothing like them to learn from.
    """
    marks = pd.factorize(pd.util.hash_pandas_object(X, index=False))[0]
    one_each = X[~pd.Series(marks).duplicated()]
    by_chance = np.full(len(X), len(one_each), dtype=np.float64)  # others with the same numbers
    for name, cells in one_each.items():
        if not is_category(cells) and cells.nunique() >= FINE_VALUES:
            share = cells.value_counts() / len(cells)
            by_chance *= X[name].map(share).fillna(1).to_numpy()
    groups = np.where(by_chance < BY_CHANCE, marks, len(X) + np.arange(len(X)))
    n = len(X) - len(np.unique(groups))
    if n == 0:
        return None
    fewest = min(len(np.unique(groups[y == c])) for c in np.unique(y))
    if fewest < FEWEST_GROUPS:
        raise ReportError(
            f"table has copies of records, and only {fewest} different ones of one class: at least "
            f"{FEWEST_GROUPS} are needed, to test on others than those learned from; gather more"
        )
    notes.append(f"{n} records repeat an earlier one in every attribute; folds keep them together.")
    return pd.factorize(groups)[0]


def refuse_sums(table):
    """Refuse a record that is the sum of all above it, or below it, as a line of totals is.

    `table` holds the columns of numbers, NaN where missing.
    """
    for side, rows in (("above", table), ("below", table[::-1])):
        same = pd.DataFrame({n: _sums_up(own.to_numpy()) for n, own in rows.items()}, rows.index)
        enough = np.full(len(same), FEWEST_SUMS)
        enough[-1:] = 1  # at the end of the table a single one is plain enough
        for row in same.index[same.sum(axis=1) >= enough][:1]:
            names = ", ".join(map(repr, same.columns[same.loc[row]][:3]))
            raise ReportError(
                f"table has the sums of the records {side} it ({names}) where record {row + 1} "
                "stands: delete that line"
            )


def _sums_up(own):
    """Where a size is the sum of those of enough others before it.

    Of sizes, as sums of both signs come back to every small number by chance.
    """
    known = np.abs(np.nan_to_num(own))
    with np.errstate(over="ignore"):
        sums = np.cumsum(known) - known
    same = np.isclose(known, sums, rtol=1e-9, atol=0)
    return same & (known > 0) & (np.cumsum(known > 0) > FEWEST_SUMMED)
