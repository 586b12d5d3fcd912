"""Anybody's table: read it, find what each column is, and refuse what cannot be studied."""

import difflib
import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from .columns import (
    BY_CHANCE,
    FEWEST_KNOWN,
    FINE_VALUES,
    NESTED,
    USED,
    column_of,
    is_category,
    label,
    names_a_key,
    plain_cells,
)
from .errors import ReportError, refuse_repeated
from .outcome import outcome_of

__all__ = ["Prepared", "prepare"]

#: Fewest groups that must hold records of a class, for folds that keep groups whole.
FEWEST_GROUPS = 5
#: Most attributes that are studied.
MOST_ATTRIBUTES = 1000

#: Single-attribute AUC that gives the outcome away, and the records of each class that it needs.
LEAK = 0.99
FEWEST_SEEN = 8


@dataclass(frozen=True, eq=False)
class Prepared:
    """A table fit for training: attributes, classes, groups, and what was found on the way.

    Parameters
    ----------
    X : DataFrame of shape (n_records, n_attributes)
        float64 where the attribute is a number, "category" of text where it is not, ordered from
        low to high where its values are; NaN marks a missing cell. Rows count from 0.
    y : ndarray of int, shape (n_records,)
        1 for the positive class, 0 for the other.
    positive, negative : str
        The two classes as the table writes them; "not A" where A is studied against several.
    groups : ndarray of int, shape (n_records,), or None
        Records of one number belong in one fold: one patient's, or equal ones.
    columns : DataFrame
        A row for each column of the table: name, kind, n_values, missing (share), examples, used,
        and reason, which says why a column was left out and what to do about it.
    notes : list of str
        Sentences for the reader: how the classes were told apart, what was changed or looks odd.
    fingerprint : str
        SHA-256 of the table's names, size and cells, 64 hexadecimal digits.
    n_rows : int
        Rows of the table, those without an outcome included.
    """

    X: pd.DataFrame
    y: np.ndarray
    positive: str
    negative: str
    groups: np.ndarray | None
    columns: pd.DataFrame
    notes: list
    fingerprint: str
    n_rows: int


def prepare(table, outcome, *, positive=None, keep=(), ordered=None, group=None):
    """Find what each column is, and make attributes and classes of what can be studied.

    Parameters
    ----------
    table : DataFrame
        From :func:`~ehrgan.report.files.read_table`, or one's own; NaN marks a missing cell.
    outcome : str
        The column to predict. Records without it are left out.
    positive : str, optional
        The value that is the positive class, against all others. By default, of two values: the
        one that means yes; if words do not tell, the rarer. Numbers match by value.
    keep : tuple of str, default=()
        Columns to keep as attributes though they would be left out; a date becomes days.
    ordered : dict of str to sequence of str, optional
        Columns whose values have an order, with all values from low to high.
    group : str, optional
        Column that tells which records belong together, such as a hospital; by default a patient's
        identifier that occurs several times, else records that are equal share a group.

    Returns
    -------
    Prepared

    Raises
    ------
    ReportError
        An unknown column or value, an outcome that is no pair of classes with at least 10 records
        each, too few groups, no attribute left or more than 1000; each with the cure.

    Notes
    -----
    An attribute that alone separates the classes, with an area under the ROC curve of 0.99 or more
    by its value or by being missing, is left out as a leak and named. Categories are judged by
    class rates of the other four fifths of the records, so that many values alone make no leak.
    100,000 rows of 50 columns take about fifteen seconds.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [30.5, 41, 52, 63] * 10, "sex": ["f", "f", "m"] * 13 + ["m"],
    ...     "died": ["no", "no", "yes", "no"] * 10})
    >>> found = prepare(table, "died", keep=("age",))
    >>> found.positive, int(found.y.sum()), found.X.shape
    ('yes', 10, (40, 2))
    >>> found.columns[["name", "kind", "used"]].to_numpy().tolist()
    [['age', 'number', True], ['sex', 'yes/no', True], ['died', 'outcome', False]]
    """
    notes = list(table.attrs.get("notes", ()))
    table, nested = _plain_table(table)
    outcome = _known("outcome", outcome, table)
    keep = [_known("keep", n, table) for n in ((keep,) if isinstance(keep, str) else keep)]
    ordered = _orders(ordered, table)
    group = None if group is None else _known("group", group, table)
    for argument, names in (("keep", keep), ("ordered", ordered), ("group", [group])):
        if outcome in names:
            raise ReportError(f"{argument} names the outcome {outcome!r}: name another column")
    if outcome in nested:
        raise ReportError(f"outcome {outcome!r} cannot be told: {NESTED.reason}")
    fingerprint = _fingerprint(table)
    known, y, words = outcome_of(table[outcome], positive, notes)
    table, n_rows = table[known].reset_index(drop=True), len(table)
    columns = {
        name: NESTED if name in nested else column_of(name, cells, ordered.get(name))
        for name, cells in table.items()
        if name != outcome
    }
    groups, columns = _grouped(table, columns, y, group, notes)
    columns = _without_leaks(columns, y, keep)
    columns = _without_copies(columns, keep)
    columns = {name: _kept(c) if name in keep else c for name, c in columns.items()}
    used = [name for name, column in columns.items() if column.kind in USED and not column.reason]
    _refuse_nothing(used, columns)
    if len(used) > MOST_ATTRIBUTES:
        raise ReportError(
            f"table has {len(used)} attributes, and at most {MOST_ATTRIBUTES} are studied: keep "
            "those that may tell something, chosen without a look at the outcome"
        )
    X = pd.DataFrame({name: columns[name].values for name in used})
    if groups is None:
        groups = _equal_records(X, y, notes)
    notes += [note for column in columns.values() for note in column.notes]
    notes += [f"{name!r} is left out: {c.reason}" for name, c in columns.items() if c.reason]
    about = _about(table, columns, outcome, used)
    return Prepared(X, y, *words, groups, about, notes, fingerprint, n_rows)


def _plain_table(table):
    """The table with text for names, each once, and rows from 0; names of nested columns."""
    if not isinstance(table, pd.DataFrame):
        raise ReportError(f"table must be a DataFrame, got {type(table).__name__}: use read_table")
    table = table.rename(columns=str).reset_index(drop=True)
    refuse_repeated(table.columns)
    if not len(table):
        raise ReportError("table has no rows: it needs one per record")
    nested = {name for name, cells in table.items() if _is_nested(cells)}
    shown = {name: table[name].map(repr) for name in nested}
    return table.assign(**shown).apply(plain_cells), nested


def _is_nested(cells):
    if not pd.api.types.is_object_dtype(cells.dtype):
        return False
    seen = cells.dropna()
    inside = pd.api.types.infer_dtype(seen)
    return inside == "bytes" or bool(seen.map(pd.api.types.is_list_like).any())


def _known(argument, name, table):
    """The name of a column, or what it may have been meant to be."""
    name = unicodedata.normalize("NFC", str(name))
    if name in table.columns:
        return name
    near = difflib.get_close_matches(name, table.columns, n=3, cutoff=0.5)
    meant = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    names = ", ".join(table.columns[:30]) + (", ..." if table.shape[1] > 30 else "")
    if table.shape[1] == 1:
        names += " (one column: separate columns by comma, semicolon, tab or bar)"
    raise ReportError(f"{argument} {name!r} is no column of the table{meant} There are: {names}")


def _orders(ordered, table):
    if ordered is not None and not isinstance(ordered, Mapping):
        raise ReportError(f"ordered must map columns to their values, got {ordered!r}")
    return {
        _known("ordered", name, table): [label(v) for v in values]
        for name, values in (ordered or {}).items()
    }


def _fingerprint(table):
    cells = pd.util.hash_pandas_object(table.astype(str), index=False).to_numpy()
    digest = hashlib.sha256(repr((list(table.columns), table.shape)).encode())
    digest.update(cells.tobytes())
    return digest.hexdigest()


def _grouped(table, columns, y, group, notes):
    """Groups of records that belong in one fold, from a named column or a repeated identifier."""
    if group is None:
        found = [n for n, column in columns.items() if _repeats(table[n], n, column.kind)]
        group = found[0] if found else None
    if group is None:
        return None, columns
    cells = table[group]
    groups = pd.factorize(cells)[0]
    groups[groups < 0] = groups.max() + 1 + np.arange((groups < 0).sum())  # unknown: each alone
    fewest = min(len(np.unique(groups[y == c])) for c in (0, 1))
    if fewest < FEWEST_GROUPS:
        raise ReportError(
            f"group {group!r} tells which records belong together, and the records of one class "
            f"belong to only {fewest} of its values: at least {FEWEST_GROUPS} are needed, to test "
            "on others than those learned from; gather more, or, if records of one value have "
            "nothing to do with each other, delete the column"
        )
    reason = "it tells which records belong together, and folds keep those together"
    columns = columns | {group: replace(columns[group], kind="identifier", reason=reason)}
    n = len(np.unique(groups))
    notes.append(f"{len(groups)} records belong to {n} different {group!r}; folds keep each whole.")
    return groups, columns


def _repeats(cells, name, kind):
    """Whether a column identifies patients of whom several records are there."""
    n, values = cells.notna().sum(), cells.nunique()
    if kind == "identifier":
        return values < n
    return bool(names_a_key(name) and values >= 20 and n / 20 <= values < n)


def _without_leaks(columns, y, keep):
    found = {}
    for name, column in columns.items():
        if name not in keep and column.kind in USED and not column.reason:
            how, area = _separates(column.values, y)
            if area >= LEAK:
                reason = (
                    f"{how} alone separates the classes (AUC {area:.3f}), as a consequence of the "
                    "outcome would; if it is known beforehand, keep it"
                )
                column = replace(column, reason=reason)
        found[name] = column
    return found


def _separates(values, y):
    """The better of two areas under the ROC curve: by value, by being missing."""
    gone = values.isna().to_numpy()
    by_hole = 0.5 + abs(gone[y == 1].mean() - gone[y == 0].mean()) / 2
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


def _class_rates(codes, y):
    """Share of positives among the other folds' records of the same category."""
    score = np.empty(len(y))
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(codes, y):
        rates = pd.Series(y[train]).groupby(codes[train]).mean()
        score[test] = pd.Series(codes[test]).map(rates).fillna(y[train].mean())
    return score


def _without_copies(columns, keep):
    """Leave out attributes that repeat an earlier one cell by cell."""
    found, first = {}, {}
    for name, column in columns.items():
        if column.kind in USED and not column.reason:
            mark = _content(column.values)
            if mark in first and name not in keep:
                reason = f"it repeats {first[mark]!r} in every record"
                column = replace(column, reason=reason)
            first.setdefault(mark, name)
        found[name] = column
    return found


def _content(values):
    """A mark that only columns of the same content share, whatever words a coarse one uses."""
    codes, levels = pd.factorize(values)
    if len(levels) * FEWEST_KNOWN > len(values):  # many values differ record by record anyway
        codes = pd.util.hash_pandas_object(values, index=False).to_numpy()
    return hashlib.sha256(codes.tobytes()).digest()


def _kept(column):
    """A column that was left out, as an attribute after all, if it has values."""
    if column.values is None:
        return column
    kind = column.kind
    if kind not in USED:
        kind = "category" if isinstance(column.values.dtype, pd.CategoricalDtype) else "number"
    return replace(column, kind=kind, reason="")


def _refuse_nothing(used, columns):
    if not used:
        why = "; ".join(f"{name!r}: {column.reason}" for name, column in columns.items())
        raise ReportError(
            f"no attribute is left to predict from. {why or 'There is only one column.'}"
        )


def _equal_records(X, y, notes):
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
    fewest = min(len(np.unique(groups[y == c])) for c in (0, 1))
    if fewest < FEWEST_GROUPS:
        raise ReportError(
            f"table has copies of records, and only {fewest} different ones of one class: at least "
            f"{FEWEST_GROUPS} are needed, to test on others than those learned from; gather more"
        )
    notes.append(f"{n} records repeat an earlier one in every attribute; folds keep them together.")
    return pd.factorize(groups)[0]


def _about(table, columns, outcome, used):
    rows = []
    for name, cells in table.items():
        column = columns.get(name)
        kind = "outcome" if name == outcome else column.kind
        examples = ", ".join(cells.dropna().astype(str).unique()[:3])
        reason = "" if name == outcome else column.reason
        missing = float(cells.isna().mean() if name not in used else column.values.isna().mean())
        rows.append((name, kind, int(cells.nunique()), missing, examples, name in used, reason))
    names = ["name", "kind", "n_values", "missing", "examples", "used", "reason"]
    return pd.DataFrame(rows, columns=names)
