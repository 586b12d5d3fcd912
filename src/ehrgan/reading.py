"""Anybody's table: read it, find what each column is, and refuse what cannot be studied."""

import csv
import difflib
import gzip
import hashlib
import io
import re
import unicodedata
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

__all__ = ["DEFAULT_MISSING", "Prepared", "ReportError", "as_learned", "prepare", "read_table"]

#: Cells that mean "missing" unless others are named; a blank one always does.
DEFAULT_MISSING = (
    *("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan"),
    *("null", "NULL", "None", "?", "."),
)
#: Fewest records of the rarer class.
FEWEST = 10
#: Fewest groups that must hold records of a class, for folds that keep groups whole.
FEWEST_GROUPS = 5
#: Most attributes that are studied.
MOST_ATTRIBUTES = 1000
#: Fewest known cells of an attribute.
FEWEST_KNOWN = 5
#: Greatest size of a number, and inverse of the least range of an attribute.
LARGEST = 1e30
#: Different values that a number needs to tell records apart, and how many records may be expected
#: to share a record's numbers by chance, for an equal one to count as its copy.
FINE_VALUES = 10
BY_CHANCE = 0.05
#: A text column with more values needs FEWEST_OF_A_VALUE records of each, on average.
MOST_CATEGORIES = 50
FEWEST_OF_A_VALUE = 100
#: Share of cells that may be no number in a column of numbers.
ODD_SHARE = 0.05
#: Share of distinct values from which a column may be an identifier.
DISTINCT_SHARE = 0.95
#: Single-attribute AUC that gives the outcome away, and the records of each class that it needs.
LEAK = 0.99
FEWEST_SEEN = 8

DELIMITERS = ",;\t|"
SUSPICIOUS = (-9, -99, -999, -9999, 999, 9999, 99999)
YES = set(
    "1 yes y true t died dead death deceased positive pos case malignant ill disease diseased sick "
    "event relapse recurrence present abnormal ja oui si sí sim да".split()
)
NO = set(
    "0 no n false f alive survived survivor negative neg control benign healthy well none absent "
    "normal nein non nao não нет".split()
)
DATE = re.compile(
    r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([T ].*)?"  # 2024-01-31, 31.01.2024 10:15
    r"|\d{1,2}[ -][^\W\d_]{3,9}\.?,?[ -]\d{2,4}.*|[^\W\d_]{3,9}\.? \d{1,2},? \d{4}.*"  # 31 Jan 2024
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
)
#: A number with a sign of a detection limit before it, commas between thousands, or % behind it.
DRESSED = re.compile(
    r"(?:[<>≤≥~]=?)?\s*([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*%?"
)
EPOCH = pd.Timestamp("1970-01-01", tz="UTC")
KEY_WORDS = {"id", "ids", "identifier", "mrn", "uuid", "guid", "pid", "patid", "subjid"}
PERSONS = {"patient", "subject", "person", "participant", "pat", "subj"}
NUMBER_WORDS = {"number", "nr", "num", "no", "key", "code", "record", "index", "rownames"}
ALL_IN_ONE = re.compile(
    r"(patient|subj|subject|person|participant|record|sample|case|study|enc|encounter|visit|stay"
    r"|hadm|admission|row)(id|nr|no|num|number)"
)


class ReportError(ValueError):
    """A table or an argument that cannot be studied; says which, what it holds and the cure.

    Examples
    --------
    >>> from ehrgan.reading import ReportError, read_table
    >>> try:
    ...     read_table("nowhere.csv")
    ... except ReportError as error:
    ...     print(error)
    path 'nowhere.csv' does not exist: check the folder and the spelling
    """


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


# ---------------------------------------------------------------------------- files


def read_table(path, missing=DEFAULT_MISSING):
    r"""Read a CSV, TSV or Parquet file, gzipped or not.

    Parameters
    ----------
    path : path-like
        Text may be separated by comma, semicolon, tab or bar, in UTF-8, UTF-16 with a byte order
        mark, or Windows' Latin alphabet; its first line names the columns.
    missing : tuple of str, default=DEFAULT_MISSING
        Cells that mean "missing", compared without surrounding blanks and, for numbers, by value:
        "-9" is also "-9.0". An empty cell always is missing.

    Returns
    -------
    DataFrame
        Columns of text from a text file, typed ones from Parquet; NaN where missing. Where the
        delimiter is a semicolon, columns of numbers with a decimal comma get a point.
        ``attrs["notes"]`` lists what the reader should know.

    Raises
    ------
    ReportError
        No such file, a folder, another format, no header, names given twice, no rows, or a row of
        another length than the header, with its line.

    Notes
    -----
    100,000 rows of 50 columns take about five seconds and 1 GB.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "toy.csv"
    >>> _ = path.write_text("age;ldl\n63; 1,5\n-9;2\n")
    >>> read_table(path, missing=("-9",))
       age  ldl
    0   63  1.5
    1  NaN    2
    """
    path = Path(path)
    codes = _codes(missing)
    data = _bytes(path)
    if data[:4] == b"PAR1":
        return _without_codes(_parquet(path, data).apply(_stripped), codes)
    if path.suffix.lower() in (".parquet", ".pq"):
        raise ReportError(f"path '{path}' is no Parquet file: write it again, or rename it to .csv")
    text, notes = _text_of(path, data)
    text, delimiter = _delimiter(text)
    names, rows = _rows(path, text, delimiter)
    table = pd.DataFrame(
        {
            name: _stripped(pd.Series(list(cells), dtype="str"))
            for name, cells in zip(names, zip(*rows, strict=True), strict=True)
        }
    )
    del rows
    if delimiter == ";":
        table = table.apply(_with_point, texts=codes[0])
    table = _without_codes(table, codes)
    table.attrs["notes"] = notes
    return table


def _codes(missing):
    """Texts and numbers that mean missing."""
    codes = (missing,) if isinstance(missing, str | int | float) else tuple(missing)
    texts = {str(code).strip() for code in codes} | {""}
    numbers = pd.to_numeric(pd.Series(sorted(texts), dtype="str"), errors="coerce").dropna()
    return sorted(texts), numbers.tolist()


def _bytes(path):
    """The file's content, unzipped."""
    if path.is_dir():
        raise ReportError(f"path '{path}' is a folder: name the file in it")
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except FileNotFoundError:
        raise ReportError(
            f"path '{path}' does not exist: check the folder and the spelling"
        ) from None
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ReportError(
            f"path '{path}' cannot be read ({error}): write the file again"
        ) from error
    if not data.strip():
        raise ReportError(f"path '{path}' is empty: it needs a line of names and a line per record")
    return data


def _parquet(path, data):
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        _refuse_repeated(file.schema_arrow.names)
        table = file.read().to_pandas()
    except (pa.ArrowException, OSError, TypeError, ValueError) as error:
        if isinstance(error, ReportError):
            raise
        raise ReportError(f"path '{path}' is broken Parquet ({error}): write it again") from error
    named = any(name is not None for name in table.index.names)
    table = table.reset_index(drop=not named, allow_duplicates=True)
    if not len(table):
        raise ReportError(f"path '{path}' has no rows: it needs one per record")
    return table


def _text_of(path, data):
    """The decoded text, and a note if its encoding had to be guessed."""
    if data[:2] == b"PK":
        raise ReportError(f"path '{path}' is a workbook or archive, no text: save the sheet as CSV")
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise ReportError(f"path '{path}' is broken UTF-16: save it as CSV in UTF-8")
    if "\0" in text:
        raise ReportError(
            f"path '{path}' is no text: save the table as CSV in UTF-8, or as Parquet"
        )
    guessed = encoding in ("cp1252", "latin-1")
    note = f"The file is not UTF-8; it was read as {encoding}, so check letters with accents."
    return unicodedata.normalize("NFC", text), [note] * guessed


def _delimiter(text):
    """The text, and the separator that splits its header, and the most rows as the header."""
    told = re.match(r"sep=(.)\r?\n", text)  # as Excel writes it
    if told:
        return text[told.end() :], told[1]
    head = text[: 1 << 16]
    scores = {}
    for mark in DELIMITERS:
        try:
            rows = list(islice(csv.reader(io.StringIO(head, ""), delimiter=mark), 200))
        except csv.Error:
            continue
        rows = [row for row in rows if any(cell.strip() for cell in row)]
        if len(head) < len(text):
            rows = rows[:-1]  # may be cut
        if rows and len(rows[0]) > 1:
            even = np.mean([len(row) == len(rows[0]) for row in rows])
            scores[mark] = (even, len(rows[0]))
    return text, max(scores, key=scores.get, default=",")


def _rows(path, text, delimiter):
    """Names and rows of cells, every row as long as the header."""
    reader = csv.reader(io.StringIO(text, ""), delimiter=delimiter, strict=True)
    names, rows = None, []
    try:
        for row in reader:
            if names is None:
                names = _header(path, row) if any(cell.strip() for cell in row) else None
            elif len(row) == len(names):
                rows.append(row)
            elif any(cell.strip() for cell in row):
                raise ReportError(
                    f"path '{path}' line {reader.line_num}: {len(row)} fields where the header has "
                    f"{len(names)} (separated by {delimiter!r}); put text that holds the separator "
                    "in double quotes, give every line as many fields, and let no line stand above "
                    "that of the names"
                )
    except csv.Error as error:
        raise ReportError(
            f"path '{path}' line {reader.line_num}: {error}; close every double quote, and write "
            'one inside a quoted field as ""'
        ) from error
    if names is None:
        raise ReportError(f"path '{path}' is blank: it needs a line of names")
    if not rows:
        raise ReportError(f"path '{path}' has no rows below the names {names[:5]}: add the records")
    return names, rows


def _header(path, row):
    """Names of the columns; a line that looks like a record is refused."""
    names = [cell.strip() for cell in row]
    numbers = pd.to_numeric(pd.Series(names, dtype="str"), errors="coerce").dropna()
    # 0, 1, 2, ... are names that many programs give
    counted = len(numbers) > 1 and (numbers.diff().dropna() == 1).all()
    if not counted and 2 * len(numbers) >= sum(map(bool, names)):
        raise ReportError(
            f"path '{path}' has no line of names: its first line is {names[:5]}; put the columns' "
            "names above the records"
        )
    names = [name or f"unnamed {k}" for k, name in enumerate(names, 1)]
    _refuse_repeated(names)
    return names


def _refuse_repeated(names):
    repeated = pd.Index(names)[pd.Index(names).duplicated()].unique().tolist()
    if repeated:
        raise ReportError(f"columns {repeated} occur more than once: give each its own name")


def _stripped(cells):
    # pandas counts categories of text as text, and stripping would lose their order
    texts = pd.api.types.is_string_dtype(cells) and not _is_category(cells)
    return cells.str.strip() if texts else cells


def _with_point(cells, texts):
    """Decimal points for decimal commas, if all cells are numbers of that kind."""
    seen = cells[~cells.isin(texts)]
    comma = seen.str.contains(",", regex=False)
    if not comma.any() or not seen.str.fullmatch(r"[+-]?\d*(,\d+)?([eE][+-]?\d+)?").all():
        return cells
    return cells.str.replace(",", ".", regex=False)


def _without_codes(table, codes):
    """The table with NaN where a cell holds a code for missing."""
    texts, numbers = codes
    found = {}
    for name, cells in table.items():
        if _is_category(cells):
            found[name] = cells.cat.remove_categories(
                [c for c in cells.cat.categories if str(c).strip() in texts or c in numbers]
            )
        elif pd.api.types.is_bool_dtype(cells):
            found[name] = cells
        elif pd.api.types.is_numeric_dtype(cells):
            found[name] = cells.mask(cells.isin(numbers)) if numbers else cells
        elif pd.api.types.is_string_dtype(cells):
            gone = cells.isin(texts)
            if numbers:
                gone |= pd.to_numeric(cells, errors="coerce").isin(numbers)
            found[name] = cells.mask(gone)
        else:
            found[name] = cells
    return pd.DataFrame(found, index=table.index)


# ---------------------------------------------------------------------------- columns


@dataclass(frozen=True, eq=False)
class _Column:
    """A column as it would enter the attributes, or why it does not."""

    kind: str
    values: pd.Series | None
    reason: str = ""
    notes: tuple = ()


NESTED = _Column(
    "nested", None, "its cells hold lists or bytes; make columns of single values from it"
)
#: Kinds that are attributes.
USED = ("number", "yes/no", "ordered", "category")


def prepare(table, outcome, *, positive=None, keep=(), ordered=None, group=None):
    """Find what each column is, and make attributes and classes of what can be studied.

    Parameters
    ----------
    table : DataFrame
        From :func:`read_table`, or one's own; NaN marks a missing cell.
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
    >>> from ehrgan.reading import prepare
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
    known, y, words = _outcome(table[outcome], positive, notes)
    table, n_rows = table[known].reset_index(drop=True), len(table)
    columns = {
        name: NESTED if name in nested else _column(name, cells, ordered.get(name))
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
    _refuse_repeated(table.columns)
    if not len(table):
        raise ReportError("table has no rows: it needs one per record")
    nested = {name for name, cells in table.items() if _is_nested(cells)}
    shown = {name: table[name].map(repr) for name in nested}
    return table.assign(**shown).apply(_plain_cells), nested


def _is_nested(cells):
    """Whether a column holds lists, mappings or bytes."""
    if not pd.api.types.is_object_dtype(cells.dtype):
        return False
    seen = cells.dropna()
    inside = pd.api.types.infer_dtype(seen)
    return inside == "bytes" or bool(seen.map(pd.api.types.is_list_like).any())


def _plain_cells(cells):
    """Numbers for decimals, days for durations, and moments for dates, however they are kept."""
    inside = pd.api.types.infer_dtype(cells.dropna())
    if inside in ("timedelta", "timedelta64"):
        return pd.to_timedelta(cells).dt.total_seconds() / 86_400
    if inside == "decimal":
        return pd.to_numeric(cells).astype(np.float64)
    if inside in ("date", "datetime") and pd.api.types.is_object_dtype(cells.dtype):
        return pd.to_datetime(cells, errors="coerce", utc=True)
    if inside == "period":
        return cells.astype(pd.PeriodDtype(cells.dropna().iloc[0].freq)).dt.to_timestamp()
    if inside in ("interval", "time", "complex"):
        return cells.astype(str).where(cells.notna())
    return cells


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
    """Values from low to high, by column."""
    if ordered is not None and not isinstance(ordered, Mapping):
        raise ReportError(f"ordered must map columns to their values, got {ordered!r}")
    return {
        _known("ordered", name, table): [_label(v) for v in values]
        for name, values in (ordered or {}).items()
    }


def _label(value):
    """A value as text; whole numbers without a decimal point, however they were written."""
    text = str(value).strip()
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else text


def _fingerprint(table):
    """A hash of names, size and cells."""
    cells = pd.util.hash_pandas_object(table.astype(str), index=False).to_numpy()
    digest = hashlib.sha256(repr((list(table.columns), table.shape)).encode())
    digest.update(cells.tobytes())
    return digest.hexdigest()


# ---------------------------------------------------------------------------- outcome


def _outcome(cells, positive, notes):
    """Which records have an outcome, their classes, and the words for both."""
    name = cells.name
    known = cells.notna().to_numpy()
    labels = _one_spelling(name, cells[known].map(_label).astype(object), notes)
    counts = labels.value_counts()
    _refuse_outcome(name, counts, positive)
    if not known.all():
        notes.append(f"{(~known).sum()} records have no {name!r} and are left out.")
    chosen, why = _positive(name, counts, positive)
    others = [value for value in counts.index if value != chosen]
    negative = others[0] if len(others) == 1 else f"not {chosen}"
    y = (labels == chosen).to_numpy(dtype=np.int64)
    rarer = min(y.sum(), len(y) - y.sum())
    if rarer < FEWEST:
        raise ReportError(
            f"outcome {name!r} has {rarer} records of its rarer class "
            f"({y.sum()} {chosen!r}, {len(y) - y.sum()} {negative!r}): at least {FEWEST} are "
            "needed, and fifty or more for an answer that is worth having"
        )
    notes.append(f"The positive class is {chosen!r} ({y.sum()} of {len(y)} records): {why}.")
    return known, y, (chosen, negative)


def _one_spelling(name, labels, notes):
    """Labels with the commonest spelling of those that differ in upper and lower case alone."""
    spellings = _spellings(labels)
    if not spellings:
        return labels
    for first, *others in spellings:
        notes.append(f"{name!r} has {first!r} also as {', '.join(map(repr, others))}: one class.")
    return labels.replace({other: first for first, *others in spellings for other in others})


def _spellings(labels):
    """Groups of values that differ in upper and lower case alone, the commonest first."""
    values = labels.value_counts().index.to_series()
    groups = values.groupby(values.str.casefold().to_numpy(), sort=False).agg(list)
    return [group for group in groups if len(group) > 1]


def _refuse_outcome(name, counts, positive):
    """Refuse an outcome that has no two classes."""
    if len(counts) == 0:
        raise ReportError(f"outcome {name!r} has no value at all: name another column")
    if len(counts) == 1:
        raise ReportError(f"outcome {name!r} is {counts.index[0]!r} throughout: two are needed")
    if len(counts) == 2 or positive is not None:
        return
    numbers = pd.to_numeric(pd.Series(counts.index, dtype=object), errors="coerce").notna()
    if numbers.all() and len(counts) > 10:
        raise ReportError(
            f"outcome {name!r} has {len(counts)} different numbers, so it looks like a "
            "measurement: make a column of two classes from it, such as 1 where it is above a limit"
        )
    shown = ", ".join(f"{value!r} ({n})" for value, n in counts.iloc[:10].items())
    raise ReportError(
        f"outcome {name!r} has {len(counts)} classes: {shown}; say which is to be told from all "
        f"others, as in positive={counts.index[-1]!r} (--positive {counts.index[-1]!r}); if one of "
        f"them means unknown, name it as a code for missing (--missing)"
    )


def _positive(name, counts, positive):
    """The value that is the positive class, and why it is."""
    if positive is not None:
        chosen = _label(positive)
        same = [value for value in counts.index if value.casefold() == chosen.casefold()]
        chosen = same[0] if same else chosen
        if chosen not in counts.index:
            values = ", ".join(map(repr, counts.index[:20]))
            raise ReportError(f"positive {chosen!r} is no value of {name!r}, which has {values}")
        return chosen, "it was named" + (", against all others" if len(counts) > 2 else "")
    words = {value: value.casefold() for value in counts.index}
    yes = [value for value, word in words.items() if word in YES]
    no = [value for value, word in words.items() if word in NO]
    if set(words) == {"1", "2"}:  # many tables write 1 for the living and 2 for the dead
        yes = []
    if len(yes) == 1:
        return yes[0], "its name says so"
    if len(no) == 1:
        return next(value for value in words if value != no[0]), f"{no[0]!r} is the other"
    rarer = counts.index[-1]
    return rarer, "it is the rarer one, as the names do not tell; name another with positive"


# ---------------------------------------------------------------------------- kinds


def _column(name, cells, order):
    """What a column is, and its values as an attribute."""
    seen = cells.dropna()
    if seen.empty:
        return _Column("empty", None, "it has no value at all; delete it")
    if len(seen) < FEWEST_KNOWN:
        return _Column(
            "empty", None, f"only {len(seen)} of its cells are known: too few; delete it"
        )
    if _is_category(cells) and cells.cat.ordered and order is None:
        kept = cells.cat.remove_unused_categories()
        if len(kept.cat.categories) > 1:
            return _Column("ordered", kept.cat.rename_categories(str))
    if order is not None:
        return _in_order(name, cells, order)
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return _date(cells)
    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype):
        return _number(name, cells.astype("Float64").astype(np.float64), ())
    texts = seen.astype(str)
    numbers = _numbers(texts)
    odd = numbers.isna()
    if odd.mean() <= ODD_SHARE and len(numbers.dropna().unique()) > 1:
        notes = _odd_notes(name, texts, numbers)
        return _number(name, numbers.reindex(cells.index), notes)
    return _text(name, cells, texts)


def _numbers(texts):
    """Numbers of cells of text, NaN where a cell is none."""
    found = pd.to_numeric(texts, errors="coerce").astype(np.float64)
    rest = texts[found.isna()].dropna().astype("str")
    inner = rest[rest.str.fullmatch(DRESSED.pattern)].str.extract(DRESSED.pattern)[0]
    found[inner.index] = pd.to_numeric(inner.str.replace(",", "", regex=False)).to_numpy(float)
    return found


def _odd_notes(name, texts, numbers):
    """Notes on cells that are no plain numbers."""
    plain, odd = pd.to_numeric(texts, errors="coerce").notna(), numbers.isna()
    told = (
        (texts[odd], "cells are none ({}) and count as missing"),
        (texts[~plain & ~odd], "cells hold a number and a sign ({}), of which the number counts"),
    )
    notes = []
    for cells, words in told:
        if len(cells):
            shown = ", ".join(repr(value) for value in cells.value_counts().index[:3])
            notes.append(f"{name!r} is read as a number; {len(cells)} {words.format(shown)}.")
    return tuple(notes)


def _in_order(name, cells, order):
    labels = cells.dropna().astype(object).map(_label).reindex(cells.index)
    unknown = sorted(set(labels.dropna()) - set(order))
    if unknown:
        raise ReportError(f"ordered for {name!r} lacks the values {unknown[:5]}: list all of them")
    return _Column("ordered", pd.Series(pd.Categorical(labels, order, ordered=True), cells.index))


def _date(cells):
    reason = "it holds dates; make a number of it that is known in time, such as days since a start"
    return _Column("date", _days(cells), f"{reason}, or keep it (days since 1970)")


def _days(cells):
    """Days since 1970, so that a new table's dates count from where those learned from did."""
    if not pd.api.types.is_datetime64_any_dtype(cells.dtype):
        texts = cells.astype("str")
        first = pd.to_numeric(texts.str.extract(r"^(\d{1,2})[-/.]")[0])
        day_first = bool((first > 12).any() or texts.str.contains(r"^\d{1,2}\.").any())
        how = {"errors": "coerce", "format": "mixed", "dayfirst": day_first}
        cells = pd.to_datetime(cells, utc=True, **how)
    return (pd.to_datetime(cells, utc=True) - EPOCH).dt.total_seconds() / 86_400


def _are_day_numbers(seen):
    """Whether whole numbers are dates such as 20240131."""
    texts = seen.astype(np.int64).astype(str)
    return pd.to_datetime(texts, format="%Y%m%d", errors="coerce").notna().mean() > 0.99


def _are_dates(texts):
    """Whether the cells of a column of text are dates."""
    return len(texts) > 0 and texts.str.fullmatch(DATE.pattern).mean() >= 0.9


def _number(name, values, notes):
    """A column of numbers: an attribute, constant, or an identifier."""
    endless = np.isinf(values)
    if endless.any():
        values = values.mask(endless)
        notes = (*notes, f"{name!r} has {endless.sum()} infinite cells, which count as missing.")
    seen = values.dropna()
    if len(seen.unique()) <= 1:
        return _constant(values)
    if seen.abs().max() > LARGEST or np.ptp(seen) < 1 / LARGEST:
        reason = f"its values run from {seen.min():g} to {seen.max():g}; give it another unit"
        return _Column("number", None, f"{reason}, or take logarithms")
    whole = (seen == seen.round()).all()
    if whole and seen.between(19_000_101, 21_001_231).all() and _are_day_numbers(seen):
        return _Column("date", values, "it holds dates as numbers; make days since a start of it")
    if whole and seen.nunique() >= DISTINCT_SHARE * len(seen) and len(seen) >= 20:
        steps = np.diff(np.sort(seen.unique()))
        if _names_a_key(name) or (len(steps) and (steps == 1).mean() > 0.98):
            return _Column("identifier", values, "it numbers the records; delete it, or keep it")
    notes = (*notes, *_suspicious(name, seen))
    return _Column("number", values, notes=notes)


def _constant(cells):
    """A column of one value."""
    reason = "it has one value throughout, which tells nothing"
    if cells.isna().any():
        reason += "; if its empty cells mean something, such as no, write that into them"
    return _Column("constant", None, reason)


def _suspicious(name, seen):
    """A note on numbers that look like codes for missing."""
    for code in SUSPICIOUS:
        hits = (seen == code).sum()
        rest = seen[seen != code]
        if hits < 2 or rest.nunique() < 2:
            continue
        low, high = rest.min(), rest.max()
        if code < low - (high - low) / 2 - 1 or code > high + (high - low) or code < 0 <= low:
            return (
                f"{name!r} is {code} in {hits} records, far from its other values ({low:g} to "
                f"{high:g}): if that means missing, name it as a code (--missing {code}).",
            )
    return ()


def _text(name, cells, texts):
    """A column of text: categories, dates, an identifier, or prose."""
    values, n = texts.nunique(), len(texts)
    if values == 1:
        return _constant(cells)
    if _are_dates(texts):
        return _date(cells)
    categories = pd.Series(pd.Categorical(texts.map(_label).reindex(cells.index)), cells.index)
    if n >= 20 and values >= DISTINCT_SHARE * n:
        if texts.str.len().mean() > 30 or texts.str.contains(" ").mean() > 0.9:
            return _Column("free text", categories, "it is free text; make categories of it")
        return _Column("identifier", categories, "it names the records; delete it")
    if values > MOST_CATEGORIES and n < values * FEWEST_OF_A_VALUE:
        reason = f"it has {values} different texts; {_cure_of_texts(texts)}"
        return _Column("free text", categories, reason)
    alike = _spellings(texts.map(_label))
    notes = tuple(
        f"{name!r} has {first!r} also as {', '.join(map(repr, others))}: write them alike."
        for first, *others in alike[:3]
    )
    return _Column("yes/no" if values == 2 else "category", categories, notes=notes)


def _cure_of_texts(texts):
    """What to do about a column of many texts, perhaps numbers with a word for missing."""
    odd = texts[_numbers(texts).isna()]
    if len(odd) > len(texts) / 2:
        return "make fewer categories of it"
    word = odd.value_counts().index[0]
    return (
        f"{1 - len(odd) / len(texts):.0%} of the cells are numbers: if {word!r} means missing, "
        f"name it as a code (--missing {word!r})"
    )


def _names_a_key(name):
    """Whether a column's name says that it identifies records or patients."""
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    words = {word for word in re.split(r"[\W_\d]+", words.casefold()) if word}
    if words & KEY_WORDS or any(ALL_IN_ONE.fullmatch(word) for word in words):
        return True
    return bool(words & PERSONS) and (len(words) == 1 or bool(words & NUMBER_WORDS))


# ---------------------------------------------------------------------------- between columns


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
    return bool(_names_a_key(name) and values >= 20 and n / 20 <= values < n)


def _without_leaks(columns, y, keep):
    """Leave out attributes that alone give the outcome away."""
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
    if _is_category(values) and not values.cat.ordered:
        score = _class_rates(values.cat.codes.to_numpy()[seen], y[seen])
    else:
        ranked = values.cat.codes if _is_category(values) else values
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
        if not _is_category(cells) and cells.nunique() >= FINE_VALUES:
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


def _is_category(cells):
    return isinstance(cells.dtype, pd.CategoricalDtype)


def _about(table, columns, outcome, used):
    """A row on each column, for the report."""
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


def as_learned(cells, dtype):
    """Give the cells of a column the type that it had when a model learned from it.

    Parameters
    ----------
    cells : Series
        The column as read.
    dtype : dtype
        float64, or categorical with text categories.

    Returns
    -------
    Series
        NaN where a cell is no number, or a category that was not seen; dates become days.

    Examples
    --------
    >>> as_learned(pd.Series(["1.5", "high"]), np.dtype(float)).tolist()
    [1.5, nan]
    """
    if isinstance(dtype, pd.CategoricalDtype):
        if _is_category(cells):
            cells = cells.astype(object)
        labels = cells.dropna().map(_label).reindex(cells.index)
        labels = labels.where(labels.isin(dtype.categories))  # pandas 4 refuses others
        return pd.Series(pd.Categorical(labels, dtype=dtype), cells.index)
    cells = _plain_cells(cells)
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return _days(cells)
    if pd.api.types.is_numeric_dtype(cells.dtype):
        numbers = cells.astype("Float64").astype(np.float64)
    else:
        numbers = _numbers(cells.astype(object))
        if numbers.isna().all() and _are_dates(cells.dropna().astype(str)):
            return _days(cells)
    return numbers.mask(np.isinf(numbers))
