"""Anybody's table: find what each column is, and refuse what cannot be studied."""

import difflib
import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from .columns import is_nested, kind_of, unusable
from .convert import NUMBERS, is_category, label, plain, read, tidy
from .describe import describe
from .errors import ReportError
from .leaks import (
    FEWEST_GROUPS,
    LEAK,
    content,
    equal_records,
    gone_of,
    leak_of,
    refuse_sums,
)
from .outcome import outcome_of
from .persons import Suspect, alike, suspects, try_suspects
from .schema import TYPES, Schema
from .subgroups import bands

__all__ = ["Prepared", "prepare"]

#: Most attributes that are studied.
MOST_ATTRIBUTES = 1000


@dataclass(frozen=True, eq=False)
class Prepared:
    """A table fit for training: attributes, classes, groups, and what was found on the way.

    Parameters
    ----------
    X : DataFrame of shape (n_records, n_attributes)
        float64 where the attribute is a number, "category" of text where it is not, ordered from
        low to high where its values are; NaN marks a missing cell. Rows count from 0.
    y : ndarray of int, shape (n_records,)
        The place of each record's class in `classes`.
    classes : tuple of str
        The classes as the table writes them; of two the negative one, then the positive. "not A"
        where A is studied against several.
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
    schema : ehrgan.report.schema.Schema
        What each column was taken for, by which new records are to be read.
    time : ndarray of float64, shape (n_records,), optional
        When each record came, if a column was named that tells; NaN where it is missing.
    by : dict of str to Series of str
        For columns that were named, the group of each record.
    alike : list of ehrgan.report.persons.Alike
        Columns that may name persons by what records of one value share in different `groups`;
        none where a column was said to name persons.
    """

    X: pd.DataFrame
    y: np.ndarray
    classes: tuple
    groups: np.ndarray | None
    columns: pd.DataFrame
    notes: list
    fingerprint: str
    n_rows: int
    schema: Schema
    time: np.ndarray | None = None
    by: dict = field(default_factory=dict)
    alike: list = field(default_factory=list)

    @property
    def positive(self):
        """The positive class; None where there are several."""
        return self.classes[1] if len(self.classes) == 2 else None

    @property
    def negative(self):
        """The other class; None where there are several."""
        return self.classes[0] if len(self.classes) == 2 else None


@dataclass(frozen=True, eq=False)
class _Column:
    """A column as it would enter the attributes, and why it does not."""

    field: dict
    values: pd.Series | None
    kind: str
    reason: str = ""

    @property
    def used(self):
        return self.field["role"] == "attribute" and not self.reason


def prepare(
    table,
    outcome=None,
    *,
    positive=None,
    keep=(),
    ordered=None,
    group=None,
    time=None,
    by=(),
    schema=None,
    missing=(),
):
    """Find what each column is, and make attributes and classes of what can be studied.

    Parameters
    ----------
    table : DataFrame
        From :func:`~ehrgan.report.files.read_table`, or one's own of any library; NaN, or a blank
        text, marks a missing cell.
    outcome : str, optional
        The column to predict; needed unless `schema` names it. Records without it are left out.
    positive : str, optional
        The value that is the positive class, against all others. By default, of two values: the
        one that means yes; if words do not tell, the rarer. Numbers match by value. Of three to ten
        values each is a class, if nothing speaks for fewer or `schema` lists them as categories.
    keep : tuple of str, default=()
        Columns to keep as attributes though they would be left out; a date becomes days.
    ordered : dict of str to sequence of str, optional
        Columns whose values have an order, with all values from low to high.
    group : str, optional
        Column that tells which records belong together, such as a hospital; by default a patient's
        identifier that occurs several times, else records that are equal share a group.
    time : str, optional
        Column of dates or numbers that tells when a record came; it is no attribute.
    by : sequence of str, default=()
        Columns for whose groups of records the scores are told, such as sex; numbers in bands.
    schema : ehrgan.report.schema.Schema, optional
        What the columns are; columns that it lacks are left out. By default
        :func:`~ehrgan.report.describe.describe` finds it.
    missing : sequence of str, default=()
        Further codes for missing, as describe takes them.

    Returns
    -------
    Prepared

    Raises
    ------
    ReportError
        An unknown column or value, an outcome without classes of at least 10 records each, a column
        to keep that can be read in several ways, a line of totals, too few groups, no attribute
        left or more than 1000; each with the cure.

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
    >>> found.classes, int(found.y.sum()), found.X.shape
    (('no', 'yes'), 10, (40, 2))
    >>> found.columns[["name", "kind", "used"]].to_numpy().tolist()
    [['age', 'number', True], ['sex', 'yes/no', True], ['died', 'outcome', False]]
    """
    table = tidy(table)
    notes = list(table.attrs.get("notes", ()))
    by = _all_known("by", by, table, notes)
    time = None if time is None else _known("time", time, table, notes)
    outcome, given = _given(table, outcome, keep, ordered, group, time, by, schema, notes)
    schema = describe(table, given, missing=missing)
    table.attrs = {}  # which pandas would copy with every column
    _refuse_unordered(schema, table, {_known("ordered", n, table, []) for n in ordered or {}})
    notes += [note for note in schema.notes if note not in notes]
    _refuse_open(schema, outcome)
    fingerprint = _fingerprint(table)
    refuse_sums(_numbers(schema, table))
    decided = "categories" in given[outcome]
    known, y, classes = outcome_of(schema[outcome], table[outcome], positive, decided, notes)
    table, n_rows = table[known].reset_index(drop=True), len(table)
    columns = {
        f["name"]: _column(f, table[f["name"]]) for f in schema.fields if f["name"] != outcome
    }
    _refuse_many([name for name, column in columns.items() if column.used])
    groups, columns, found = _grouped(table, columns, y, notes)
    columns = _without_leaks_and_copies(columns, y, notes)
    used = [name for name, column in columns.items() if column.used]
    _refuse_nothing(used, columns)
    X = pd.DataFrame({name: columns[name].values for name in used})
    if groups is None:
        groups = _tried(X, y, found, notes) if found else None
    if groups is None:
        groups = equal_records(X, y, notes)
    notes += [note for c in columns.values() for note in c.field.get("notes", ())]
    notes += [f"{name!r} is left out: {c.reason}" for name, c in columns.items() if c.reason]
    about = _about(table, columns)
    final = schema.changed(
        {n: {"role": "left out", "why": c.reason} for n, c in columns.items()
         if c.reason and c.field.get("role", "attribute") == "attribute" and "ask" not in c.field}
        | {n: {"role": "person", "why": c.reason} for n, c in columns.items()
           if c.field.get("role") == "person"}
    )  # fmt: skip
    when = None if time is None else _moments(columns, time)
    parts = {name: bands(name, columns[name].values, columns[name].field) for name in by}
    suspected = [] if given.named("person") else _parted(table, columns, groups)
    return Prepared(
        X, y, classes, groups, about, notes, fingerprint, n_rows, final, when, parts, suspected
    )


def _given(table, outcome, keep, ordered, group, time, by, schema, notes):
    """The outcome, and what is known of the columns before the table is looked at."""
    if outcome is None:
        named = schema.named("outcome") if schema else []
        if len(named) != 1:
            raise ReportError(
                'outcome is not named: name the column to predict, or write "role": "outcome" into '
                f"one field of the schema (it has {named})"
            )
        outcome = named[0]
    outcome = _known("outcome", outcome, table, notes)
    keep = _all_known("keep", keep, table, notes)
    if ordered is not None and not isinstance(ordered, Mapping):
        raise ReportError(f"ordered must map columns to their values, got {ordered!r}")
    ordered = {_known("ordered", n, table, notes): v for n, v in (ordered or {}).items()}
    group = None if group is None else _known("group", group, table, notes)
    named = {"keep": keep, "ordered": ordered, "group": [group], "time": [time], "by": by}
    for argument, names in named.items():
        if outcome in names:
            raise ReportError(f"{argument} names the outcome {outcome!r}: name another column")
    changes = {} if time is None else {time: {"role": "time", "why": "it parts past and later"}}
    changes |= {name: {"role": "attribute", "keep": True} for name in keep}
    for name, values in ordered.items():
        order = {"type": "string", "categories": [*map(label, values)], "categoriesOrdered": True}
        changes[name] = changes.get(name, {}) | order
    if group is not None:
        changes[group] = {"role": "person"}
    if schema is not None:
        lacks = {"type": "any", "role": "left out", "why": "the schema has no such field"}
        changes |= {n: lacks for n in table if n not in schema and n not in {*changes, outcome}}
        others = {*schema.named("outcome")} - {outcome}
        changes |= {n: {"role": "left out", "why": "it is another outcome"} for n in others}
    return outcome, (schema or Schema([])).changed(changes | {outcome: {"role": "outcome"}})


def _refuse_open(schema, outcome):
    """Refuse what must be read and can be read in several ways."""
    if schema[outcome]["type"] in ("any", "object", "array"):
        why = schema[outcome].get("why", "")
        if why and "no value" not in why:
            raise ReportError(f"outcome {outcome!r} cannot be told: {why}")
        raise ReportError(f"outcome {outcome!r} has no value at all: name another column")
    for own in schema.fields:
        if "ask" in own and own.get("role") == "attribute":
            raise ReportError(f"{own['name']!r} cannot be kept: {own['ask']}")


def _numbers(schema, table):
    """The columns that are read as numbers, the outcome too."""
    known = [f for f in schema.fields if f["type"] in NUMBERS and "ask" not in f]
    return pd.DataFrame({f["name"]: read(f, table[f["name"]])[0] for f in known}, table.index)


def _column(field, cells):
    """A column, read as its field says."""
    if "ask" in field:
        return _Column({"role": "not decided", **field}, None, "number", field["ask"])
    if field["type"] not in TYPES:
        values = None
    else:
        values, _ = read(field, cells)
        if field["type"] in ("string", "boolean"):
            values = values.cat.remove_unused_categories()
    reason = (
        field.get("why", "it is left out by the schema") if field["role"] != "attribute" else ""
    )
    if field["role"] == "attribute" and values is not None:
        reason = unusable(values)[1]
    return _Column(field, values, kind_of(field, values), reason)


def _moments(columns, name):
    """When each record came."""
    values = columns[name].values
    if values is None or is_category(values):
        why = columns[name].field.get("ask", "nothing of it can be read")
        if values is not None:
            why = f"it holds {', '.join(map(repr, values.cat.categories[:3]))}"
        raise ReportError(f"time {name!r} must hold dates or numbers: {why}")
    return values.to_numpy(np.float64)


def _all_known(argument, names, table, notes):
    """Names of columns, one alone or several."""
    names = [names] if isinstance(names, str) else names
    return [_known(argument, name, table, notes) for name in names]


def _known(argument, name, table, notes):
    """The name of a column, told apart by case alone if need be, or what may have been meant."""
    name = unicodedata.normalize("NFC", str(name))
    if name in table.columns:
        return name
    same = [column for column in table if column.strip().casefold() == name.strip().casefold()]
    if len(same) == 1:
        notes.append(f"{argument} {name!r} is taken for the column {same[0]!r}.")
        return same[0]
    near = difflib.get_close_matches(name, table.columns, n=3, cutoff=0.5)
    meant = f"; did you mean {' or '.join(map(repr, near))}?" if near else "."
    names = ", ".join(table.columns[:30]) + (", ..." if table.shape[1] > 30 else "")
    if table.shape[1] == 1:
        names += " (one column: separate columns by comma, semicolon, tab or bar)"
    said = f"{argument} {name!r} is no column of the table{meant} There are: {names}"
    raise ReportError(" ".join([said, *notes]))


def _refuse_unordered(schema, table, ordered):
    for name in ordered:
        _, unread = read(schema[name], table[name])
        if unread.any():
            lacks = sorted({label(value) for value in table[name][unread]})[:5]
            raise ReportError(
                f"ordered for {name!r} lacks the values {lacks}: list all of them, those "
                "with a comma in double quotes"
            )


def _fingerprint(table):
    cells = pd.util.hash_pandas_object(table.astype(str), index=False).to_numpy()
    digest = hashlib.sha256(repr((list(table.columns), table.shape)).encode())
    digest.update(cells.tobytes())
    return digest.hexdigest()


def _grouped(table, columns, y, notes):
    """Groups of records that belong in one fold, from a named column or one that names persons."""
    named = [n for n, c in columns.items() if c.field.get("role") == "person"]
    named += [
        n for n, c in columns.items()
        if c.field.get("role") == "identifier" and table[n].nunique() < table[n].notna().sum()
    ]  # fmt: skip
    if named:
        groups = pd.factorize(table[named[0]])[0]
        groups[groups < 0] = groups.max() + 1 + np.arange((groups < 0).sum())  # each alone
        found = [Suspect((named[0],), groups, 1.0, 0.0, True, len(np.unique(groups)))]
    else:
        # a column that is known of one class alone, such as days to death, names no persons
        cells = {
            name: table[name] for name, c in columns.items()
            if c.kind != "nested" and not (c.used and gone_of(c.values, y) >= LEAK)
        }  # fmt: skip
        found = suspects(pd.DataFrame(cells), y) if cells else []
    sure = [suspect for suspect in found if suspect.sure]
    if not sure:
        return None, columns, found
    _hold_together(sure[0], y, "" if named else f": it {sure[0].reason}", notes)
    group, *_ = sure[0].names
    reason = "it tells which records belong together, and folds keep those together"
    alike = f"it names the same as {group!r}, or parts of it"
    reasons = {group: reason} | {name: alike for name in sure[0].others}
    persons = {
        n: replace(c, field={**c.field, "role": "person"}, kind="identifier", reason=reasons[n])
        for n, c in columns.items() if n in reasons
    }  # fmt: skip
    return sure[0].groups, columns | persons, []


def _hold_together(suspect, y, why, notes):
    """Say that folds keep groups whole, if there are enough of them."""
    group = " and ".join(map(repr, suspect.names))
    fewest = min(len(np.unique(suspect.groups[y == c])) for c in np.unique(y))
    if fewest < FEWEST_GROUPS:
        raise ReportError(
            f"group {group} tells which records belong together{why}, and the records of one class "
            f"belong to only {fewest} of its values: at least {FEWEST_GROUPS} are needed, to test "
            "on others than those learned from; gather more, or, if records of one value have "
            "nothing to do with each other, delete the column"
        )
    n = suspect.n
    notes.append(f"{len(y)} records belong to {n} different {group}; folds keep each whole{why}.")


def _parted(table, columns, groups):
    """Columns that may name persons whom the groups do not keep whole."""
    told = {
        name: c for name, c in columns.items()
        if c.kind != "nested" and c.field.get("role") != "time"
    }  # fmt: skip
    cells = {
        name: plain(table[name]) if c.values is None or is_category(c.values) else c.values
        for name, c in told.items()
    }
    unused = {name for name, c in told.items() if not c.used}
    cells = pd.DataFrame(cells)
    if groups is not None:  # of different persons, no two records are alike
        cells = cells[~pd.Series(groups).duplicated()]
    return [one for one in alike(cells, unused) if not columns[one.name].field.get("keep")]


def _tried(X, y, found, notes):
    """Groups of the suspect without which the records predict too well, or None."""
    trials = [trial for trial in try_suspects(X, y, found) if trial.falls]
    if not trials:
        return None
    worst = min(trials, key=lambda trial: trial.whole)
    group = " and ".join(map(repr, worst.suspect.names))
    low, high = worst.interval
    said = (
        f"Records of one {group} know each other: a forest has an AUC of {worst.plain:.3f} "
        f"({low:.3f} to {high:.3f}) where folds mix them, and of {worst.whole:.3f} where they are "
        "kept whole"
    )
    told = []
    _hold_together(worst.suspect, y, "", told)
    notes[:0] = [f"{said}, which is used.", *told]
    return worst.suspect.groups


def _without_leaks_and_copies(columns, y, notes):
    """Leave out what gives the outcome away and what repeats an earlier column, unless kept."""
    found, first = {}, {}
    for name, column in columns.items():
        if column.used and not column.field.get("keep"):
            reason, said = leak_of(name, column.values, y)
            notes += said
            column = replace(column, reason=reason)
        if column.used:
            mark = content(column.values)
            if mark in first and not column.field.get("keep"):
                column = replace(column, reason=f"it repeats {first[mark]!r} in every record")
            first.setdefault(mark, name)
        found[name] = column
    return found


def _refuse_nothing(used, columns):
    if not used:
        why = "; ".join(f"{name!r}: {column.reason}" for name, column in columns.items())
        raise ReportError(
            f"no attribute is left to predict from. {why or 'There is only one column.'}"
        )


def _refuse_many(used):
    """Refuse a table that is too wide, before hours go by."""
    if len(used) > MOST_ATTRIBUTES:
        raise ReportError(
            f"table has {len(used)} attributes, and at most {MOST_ATTRIBUTES} are studied: keep "
            "those that may tell something, chosen without a look at the outcome"
        )


def _about(table, columns):
    rows = []
    for name, cells in table.items():
        cells = cells.map(repr) if is_nested(cells) else cells
        column = columns.get(name, _Column({"role": "outcome"}, None, "outcome"))
        examples = ", ".join(cells.dropna().astype(str).unique()[:3])
        missing = float((column.values if column.used else cells).isna().mean())
        about = (int(cells.nunique()), missing, examples, column.used, column.reason)
        rows.append((name, column.kind, *about))
    names = ["name", "kind", "n_values", "missing", "examples", "used", "reason"]
    return pd.DataFrame(rows, columns=names)
