"""Read a table from a file, cell by cell as it stands there."""

import bz2
import codecs
import csv
import gzip
import io
import lzma
import re
import unicodedata
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
from charset_normalizer import from_bytes

from . import typed
from .convert import DEFAULT_MISSING, read, tidy
from .describe import describe_column
from .errors import ReportError, refuse_repeated

__all__ = ["DEFAULT_MISSING", "Cells", "iter_cells", "read_cells", "read_table"]

DELIMITERS = ",;\t|"
BLOCK = 1 << 24  # characters of text that are read at a time
HEAD = 1 << 20  # those that tell how it is laid out
#: Characters that no one sees around a cell: all of Unicode's blanks, and those of no width.
BLANKS = "".join(c for c in map(chr, range(0x3001)) if c.isspace()) + "\u200b\u2060\ufeff"
MARKS = {  # the longer of those that begin alike come first
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
#: Encodings among which a file's own is looked for.
ENCODINGS = (
    "cp1252 gb18030 shift_jis big5 euc_kr euc_jp cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 koi8_r"
).split()
PACKED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
#: What is no table, by its beginning, and the cure.
OTHERS = {
    rb"%PDF|\{\\rtf": "a document: save its table as CSV",
    rb"(\xef\xbb\xbf)?\s*<[!?a-zA-Z]": "a web page or XML, whatever its name: open it in a "
    "spreadsheet program and save it as CSV",
    rb'(\xef\xbb\xbf)?\s*(\{|\[\s*[\[{"])': "JSON: make a table of it, as by "
    "pandas.json_normalize, and save that as CSV",
    rb"7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd": "an archive of a kind that is not read: unpack it",
    rb"version https://git-lfs": "a pointer of Git LFS: fetch the file itself by git lfs pull",
    rb"SQLite format 3": "a database: save the table as CSV",
}
WORKBOOKS = (b"PK", b"\xd0\xcf\x11\xe0")  # those of today, and those of old
#: A number or a date, in whatever notation.
NUMBER = re.compile(r"\W*\d[\d\W]*([eE][+-]?\d+)?")


@dataclass(frozen=True, eq=False)
class Cells:
    """A table as its file writes it.

    Parameters
    ----------
    table : DataFrame
        From text, columns of text without the blanks around, "" where a cell is blank. From other
        formats typed columns, NaN where nothing is; a workbook's column that mixes kinds is text.
    fields : dict of str to dict
        What the file itself declares of a column, in the words of Table Schema: type, title,
        categories, categoriesOrdered, missingValues. Text declares nothing.
    dialect : dict
        Arguments of :func:`~ehrgan.report.files.read_cells` that read another such file alike:
        those given, and the encoding that was found if it is not one of Unicode's.
    notes : list of str
        Sentences that the reader must know.
    """

    table: pd.DataFrame
    fields: dict
    dialect: dict
    notes: list


def read_cells(path, *, encoding=None, delimiter=None, header=None, sheet=None):
    r"""Read a table from a file of any usual format, and change none of its cells.

    Parameters
    ----------
    path : path-like
        Separated text, Parquet, feather; with ``pip install 'ehrgan[files]'`` also SPSS, Stata,
        SAS, xlsx, xls and ods. What it holds decides, not its name. It may be packed by gzip,
        bzip2, xz or zip.
    encoding : str, optional
        Of text. By default UTF-8, what a byte order mark says, or else a guess, which is told.
    delimiter : str, optional
        The character between cells. By default comma, semicolon, tab or bar, whichever splits
        most lines alike.
    header : int, optional
        Line or row that names the columns, counted from 1. By default the first that is not blank.
    sheet : str, optional
        Sheet of a workbook; needed if several hold cells.

    Returns
    -------
    Cells

    Raises
    ------
    ReportError
        No such file, no table, a line of another length than the header (with its number), a
        header that is none or names two columns alike; several encodings, delimiters, sheets or
        packed files to choose from.

    Notes
    -----
    100,000 rows of 50 columns take less than a second, and 300 MB in all.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "toy.csv"
    >>> _ = path.write_text("age;ldl\n63; 1,5\n-9;\n")
    >>> read_cells(path).table.to_numpy().tolist()
    [['63', '1,5'], ['-9', '']]
    """
    options = {"encoding": encoding, "delimiter": delimiter, "header": header, "sheet": sheet}
    parts = list(iter_cells(path, **options))
    table = pd.concat([part.table for part in parts], ignore_index=True)
    return Cells(table, parts[0].fields, parts[0].dialect, parts[0].notes)


def iter_cells(path, *, encoding=None, delimiter=None, header=None, sheet=None):
    r"""Read a long table part by part: the arguments of `read_cells`, and what it raises.

    Yields
    ------
    Cells
        Of text about 16 MB, of Parquet 100,000 rows, of other formats all; rows from 0 in each.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "toy.csv"
    >>> _ = path.write_text("age\n63\n")
    >>> [part.table["age"].tolist() for part in iter_cells(path)]
    [['63']]
    """
    path, rows = Path(path), 0
    options = {"encoding": encoding, "delimiter": delimiter, "header": header, "sheet": sheet}
    dialect = {key: value for key, value in options.items() if value is not None}
    try:
        opened = _opener(path)
        with opened() as stream:
            head = stream.read(4096)
            stream.seek(0)
            for table, *rest in _parts(path, head, stream, opened, dialect):
                rows += len(table)
                yield Cells(table, *rest)
    except FileNotFoundError:
        raise ReportError(
            f"path '{path}' does not exist: check the folder and the spelling"
        ) from None
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError) as e:
        raise ReportError(f"path '{path}' cannot be read ({e}): write the file again") from e
    if not rows:
        raise ReportError(f"path '{path}' has no rows below the names: add the records")


def _parts(path, head, stream, opened, dialect):
    """Table, fields, dialect and notes of each part of a file that begins so."""
    if not head.strip():
        raise ReportError(f"path '{path}' is empty: it needs a line of names and the records")
    if found := typed.tables_of(path, head, stream):
        return ((*part, dialect, []) for part in found)
    if head.startswith(WORKBOOKS):
        return [(*_sheet(path, stream, dialect), dialect, [])]
    for start, what in OTHERS.items():
        if re.match(start, head):
            raise ReportError(f"path '{path}' is {what}")
    return _text(path, opened, dialect)


def _opener(path):
    """A function that opens the file anew, unpacked."""
    if path.is_dir():
        raise ReportError(f"path '{path}' is a folder: name the file in it")
    with path.open("rb") as stream:
        head = stream.read(8)
    for start, unpack in PACKED.items():
        if head.startswith(start):
            return lambda: unpack(path, "rb")
    if head.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n[-1] != "/" and "__MACOSX" not in n]
        if not {"[Content_Types].xml", "mimetype"} & set(names):  # a workbook is packed by itself
            if len(names) != 1:
                raise ReportError(
                    f"path '{path}' packs the files {names[:5]}: unpack it, and name one"
                )
            return lambda: zipfile.ZipFile(path).open(names[0])
    return lambda: path.open("rb")


def _sheet(path, stream, dialect):
    grid = typed.sheet_rows(path, stream, dialect.get("sheet"))
    texts = [[typed.shown(value).strip(BLANKS) for value in row] for row in grid[:200]]
    rows = [(number, row) for number, row in enumerate(texts, 1) if any(row)]
    number, names = _header(path, rows, dialect.get("header"), "row")
    records = [row for row in grid[number:] if any(value != "" for value in row)]
    columns = [typed.sheet_column(values) for values in zip(*records, strict=True)]
    table = pd.DataFrame(dict(zip(names, columns, strict=bool(columns))))
    nothing = [n for n in table if n.startswith("unnamed ") and table[n].isna().all()]
    table = table.drop(columns=nothing)
    return table, typed.declared(table)


# ---------------------------------------------------------------- where the names stand


def _header(path, rows, header, unit):
    """Number of the row that names the columns, and the names.

    `rows` are the first ones that are not blank, as pairs of number and cells of text.
    """
    row = dict(rows).get(header) if header else next((row for _, row in rows), None)
    if row is None:
        which = f"has nothing in {unit} {header} (header)" if header else "is blank"
        raise ReportError(f"path '{path}' {which}: it needs a {unit} of names")
    if not header:
        header = rows[0][0]
        _refuse_titles(path, rows, unit)
        _refuse_records(path, rows, unit)
    names = [name or f"unnamed {k}" for k, name in enumerate(row, 1)]
    refuse_repeated(names)
    return header, names


def _refuse_titles(path, rows, unit):
    """Refuse a first row that names too few columns, as a title would."""
    number, row = rows[0]
    width = max(len(cells) for _, cells in rows)
    filled = [k for k in range(width) if any(k < len(c) and c[k] for _, c in rows)]
    named = [k for k in filled if k < len(row) and row[k]]
    if named and named[-1] == filled[-1] and 2 * len(named) >= len(filled):
        return
    most = max(sum(map(bool, cells)) for _, cells in rows)
    likely = next((n for n, c in rows if sum(map(bool, c)) == most), number)
    likely = (
        likely if likely != number and not any(map(NUMBER.fullmatch, dict(rows)[likely])) else 3
    )
    raise ReportError(
        f"path '{path}' {unit} {number} ({row[:5]}) names {len(named)} of {len(filled)} columns: "
        f"name all, and let nothing stand above the names, or say which {unit} holds them, as in "
        f"header={likely}"
    )


def _refuse_records(path, rows, unit):
    """Refuse a first row that looks like the others."""
    number, row = rows[0]
    numbers = [name for name in row if NUMBER.fullmatch(name)]
    again = [
        name for k, name in enumerate(row)
        if name and name not in numbers and any(k < len(c) and c[k] == name for _, c in rows[1:])
    ]  # fmt: skip
    # 0, 1, 2, ... are names that many programs give
    counted = all(map(str.isdecimal, numbers)) and {*np.diff([int(n) for n in numbers])} == {1}
    named = sum(map(bool, row))
    if not counted and (2 * len(numbers) >= named or 2 * len(numbers + again) > named):
        raise ReportError(
            f"path '{path}' has no line of names: its {unit} {number} is {row[:5]}; put the "
            f"columns' names above the records, or say header={number} if these are the names"
        )


# ---------------------------------------------------------------- text


def _text(path, opened, dialect):
    encoding, notes = _encoding(path, opened, dialect.get("encoding"))
    if not encoding.startswith("utf"):
        dialect = {**dialect, "encoding": encoding}
    with io.TextIOWrapper(opened(), encoding, newline="") as stream:
        try:
            delimiter, line, names = _layout(path, stream.read(HEAD), dialect)
            stream.seek(0)
            for _ in islice(stream, line):  # down to the names
                pass
            for block in _blocks(stream):
                if "\0" in block:
                    raise ReportError(
                        f"path '{path}' is no text in {encoding}, as it holds NUL: save the table "
                        "as CSV in UTF-8, or name its encoding, as in encoding='utf-16-le'"
                    )
                block = unicodedata.normalize("NFC", block)
                yield _records(path, block, names, delimiter, line), {}, dialect, notes
                line += max(block.count("\n"), block.count("\r"))
        except UnicodeError as error:
            raise ReportError(
                f"path '{path}' is not {encoding} throughout ({error}): name its encoding, as in "
                "encoding='cp1252', or save it as CSV in UTF-8"
            ) from error


def _encoding(path, opened, encoding):
    """The file's encoding, and a note if it was guessed."""
    with opened() as stream:
        head = stream.read(4)
        stream.seek(0)
        for mark, name in MARKS.items():
            if head.startswith(mark):
                return name, []
        if encoding is None and all(map(_is_utf8, stream)):
            return "utf-8", []
    if encoding is None:
        with opened() as stream:
            return _guess(path, list(islice((k for k in stream if not k.isascii()), 200)))
    try:
        io.TextIOWrapper(io.BytesIO(), encoding)
    except LookupError:
        raise ReportError(f"encoding {encoding!r} is unknown: name one, as 'gbk'") from None
    return encoding, []


def _is_utf8(line):
    try:
        return line.isascii() or bool(line.decode())
    except UnicodeDecodeError:
        return False


def _guess(path, lines):
    """The likeliest encoding, with the words by which a reader can tell."""
    if 2 * sum(map(_is_utf8, lines)) > len(lines):
        raise ReportError(
            f"path '{path}' is UTF-8 but for some lines: correct them, or name its encoding, as in "
            "encoding='cp1252'"
        )
    sample = b"".join(lines)
    found = list(from_bytes(sample, cp_isolation=ENCODINGS))
    best = [m for m in found if (m.chaos, m.coherence) == (found[0].chaos, found[0].coherence)]
    texts = {str(match): match.encoding for match in best} or {sample.decode("latin-1"): "latin-1"}
    usual = sample.decode("cp1252", "replace")  # of those alike the commonest, as it is told
    texts = {usual: "cp1252"} if usual in texts else texts
    words = {
        name: ", ".join(list(dict.fromkeys(re.findall(r"\w*[^\W\x00-\x7f]\w*", text)))[:3])
        for text, name in texts.items()
    }
    name, shown = next(iter(words)), " or ".join(f"{n} ({w})" for n, w in words.items())
    if len(words) > 1:
        raise ReportError(
            f"path '{path}' is not UTF-8, and its encoding may be {shown}: say which, as in "
            f"encoding={name!r}"
        )
    return name, [
        f"The file is not UTF-8; it was read as {shown}: if these letters are wrong, name its "
        "encoding."
    ]


def _layout(path, head, dialect):
    """Delimiter, number of the line that names the columns, and the names."""
    csv.field_size_limit(2**31 - 1)
    header, delimiter = dialect.get("header"), dialect.get("delimiter")
    first = header or 1
    if told := re.match(r'"?sep=(.)"?\r?\n', head):  # as Excel writes it
        delimiter, first = delimiter or told[1], max(first, 2)
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise ReportError(f"delimiter must be one character, as ';', got {delimiter!r}")
    heads, scores = {}, {}
    for mark in delimiter or DELIMITERS:
        rows = heads[mark] = _head_rows(head, mark, first)
        widths = Counter(len(cells) for _, cells in rows)
        width, n = max(widths.items(), key=lambda item: item[::-1], default=(0, 0))
        scores[mark] = (n / len(rows), width) if width > 1 else (0, 0)
    best = [mark for mark in scores if scores[mark] == max(scores.values())]
    if len(best) > 1 and scores[best[0]] > (0, 0):
        raise ReportError(
            f"path '{path}' splits alike by {' and by '.join(map(repr, best))}: say which "
            f"separates the columns, as in delimiter={best[0]!r}"
        )
    return best[0], *_header(path, heads[best[0]], header, "line")


def _head_rows(head, mark, first):
    """Of the first lines that are not blank, numbers (of the last of each row's) and cells."""
    rows = _reader(head, mark)
    found = []
    for row in islice(rows, 200):
        cells = [unicodedata.normalize("NFC", cell).strip(BLANKS) for cell in row]
        found += [(rows.line_num, cells)] if rows.line_num >= first and any(cells) else []
    # the last may be cut
    return found[:-1] if len(head) == HEAD and next(rows, None) is None else found


def _reader(text, delimiter, **how):
    lines = io.StringIO(text, newline="")
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, **how)


def _blocks(stream):
    """Text in pieces that end where a record does."""
    while block := stream.read(BLOCK):
        block += stream.readline()
        while block.count('"') % 2 and (more := stream.read(BLOCK)):
            block += more + stream.readline()
        yield block


def _records(path, block, names, delimiter, line):
    """Table of a block that stands below so many lines."""
    # a quote that does not begin, end or stand doubled in a quoted cell is left to Python's reader
    ends = rf"[\r\n{re.escape(delimiter)}]"
    quoted = rf'(?:^|(?<={ends}))"[^"]*(?:""[^"]*)*"(?={ends}|$)'
    table = None
    if delimiter.isascii() and ('"' not in block or '"' not in re.sub(quoted, "", block)):
        try:
            table = pa.csv.read_csv(
                pa.BufferReader(block.encode()),
                pa.csv.ReadOptions(column_names=names, block_size=1 << 22),
                pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values='"' in block),
                pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.large_string())),
            )
        except pa.ArrowInvalid:
            pass  # Python's reader is slower, and names the line
    if table is None:
        rows = _rows(path, block, names, delimiter, line)
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        table = pa.table([pa.array(list(c), pa.large_string()) for c in columns], names)
    columns = [pa.compute.utf8_trim(cells, characters=BLANKS) for cells in table.columns]
    return pa.table(columns, names).to_pandas()


def _rows(path, block, names, delimiter, line):
    """Rows of cells, every one as long as the header, or the line that is not."""
    reader = _reader(block, delimiter, strict=True)
    rows, start = [], line + 1
    try:
        for row in reader:
            if len(row) == len(names):
                rows.append(row)
            elif any(cell.strip(BLANKS) for cell in row):
                raise ReportError(
                    f"path '{path}' line {start}: {len(row)} fields where the header has "
                    f"{len(names)} (separated by {delimiter!r}); put text that holds the separator "
                    "in double quotes, give every line as many fields, and let no line stand above "
                    "that of the names unless you say which that is (header=3)"
                )
            start = line + reader.line_num + 1
    except csv.Error as error:
        raise ReportError(
            f"path '{path}' line {start}: {error}; close every double quote, and write one inside "
            'a quoted field as ""'
        ) from error
    return rows


# ---------------------------------------------------------------- what is sure


def read_table(path, missing=(), **options):
    r"""Read a table: what every reading takes for the same number is one, all else stays text.

    Parameters
    ----------
    path : path-like
        As for :func:`read_cells`.
    missing : sequence of str, default=()
        Further codes that mean missing, for :func:`~ehrgan.report.reading.prepare`, which decides
        in which columns: see :func:`~ehrgan.report.describe.describe`.
    **options
        encoding, delimiter, header, sheet: as for :func:`read_cells`.

    Returns
    -------
    DataFrame
        NaN where a cell is blank, or holds no number where the others do but a usual word for
        missing. ``attrs`` keeps what the file tells beside its cells.

    Raises
    ------
    ReportError
        As :func:`read_cells`.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "toy.csv"
    >>> _ = path.write_text("age;ldl;day\n63; 1,5;03/11/2020\nNA;2;\n")
    >>> read_table(path)
        age  ldl         day
    0  63.0  1.5  03/11/2020
    1   NaN  2.0         NaN
    """
    table = as_filed(read_cells(path, **options))
    for known in table.attrs["schema"]["fields"]:
        cells = table[known["name"]]
        if cells.dtype == "str" and "categories" not in known:
            found = describe_column(known["name"], cells)
            if found["type"] == "number" and found["sure"] == "yes" and "bareNumber" not in found:
                table[known["name"]] = read(found, cells)[0]
                marks = ("decimalChar", "groupChar", "missingValues")
                known.update({key: found[key] for key in marks if key in found})
    table.attrs["missing"] = (missing,) if isinstance(missing, str | int | float) else missing
    return table


def as_filed(cells):
    """The table of some cells, with what its file tells beside it in ``attrs``."""
    table = tidy(cells.table)
    # of types the cells know more
    fields = [{"name": n, **cells.fields.get(n, {})} for n in table]
    fields = [{key: f[key] for key in f if key != "type"} for f in fields]
    schema = {"fields": fields, "dialect": cells.dialect}
    table.attrs = {"notes": list(cells.notes), "schema": schema}
    return table
