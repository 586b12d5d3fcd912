"""Read a table from a file of any usual format, cell by cell as it stands there."""

import bz2
import gzip
import lzma
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from . import separated, typed
from .errors import ReportError
from .header import BLANKS, header_of

__all__ = ["Cells", "iter_cells", "read_cells"]

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
    rb"\x80[\x02-\x05]": "a pickle, which may run code: save the table as Parquet",
    rb"\x89HDF|RD[AX][2-5]\n|X\n\0": "of a kind that is not read: save the table as CSV or Parquet",
    rb"(?s).{0,400}ASCII SPSS PORT FILE": "a portable file of SPSS: save it as .sav",
}
WORKBOOKS = (b"PK", b"\xd0\xcf\x11\xe0")  # those of today, and those of old


@dataclass(frozen=True, eq=False)
class Cells:
    """A table as its file writes it.

    Parameters
    ----------
    table : DataFrame
        From text, columns of text without the blanks around, "" where a cell is blank. From other
        formats typed columns, NaN where nothing is; a workbook's column that mixes kinds is text.
    fields : dict of str to dict
        What the file itself declares of a column, in the words of Table Schema: title, categories,
        categoriesOrdered, missingValues. Text declares nothing.
    dialect : dict
        Arguments of :func:`~ehrgan.report.cells.read_cells` that read another such file alike:
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
                _refuse_names_again(path, table, rows)
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


def _refuse_names_again(path, table, n_before):
    """Refuse names among the records, as where two files were joined."""
    if table.shape[1] < 2:
        return
    for row in np.flatnonzero(
        (table.iloc[:, 0] == table.columns[0]).to_numpy(bool, na_value=False)
    ):
        if [*table.iloc[row]] == [*table.columns]:
            raise ReportError(
                f"path '{path}' has its names again where record {n_before + row + 1} stands: "
                "delete that line"
            )


def _parts(path, head, stream, opened, dialect):
    """Table, fields, dialect and notes of each part of a file that begins so."""
    if not head.strip():
        raise ReportError(f"path '{path}' is empty: it needs a line of names and the records")
    if found := typed.tables_of(path, head, stream):
        return ((*part, dialect, []) for part in found)
    if head.startswith(WORKBOOKS):
        return [_sheet(path, stream, dialect)]
    for start, what in OTHERS.items():
        if re.match(start, head):
            raise ReportError(f"path '{path}' is {what}")
    return separated.tables_of(path, opened, dialect)


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
    """Table, fields, dialect and notes of a workbook's sheet."""
    grid, merged, notes = typed.sheet_rows(path, stream, dialect.get("sheet"))
    texts = [[typed.shown(value).strip(BLANKS) for value in row] for row in grid[:200]]
    rows = [(number, row) for number, row in enumerate(texts, 1) if any(row)]
    number, names = header_of(path, rows, dialect.get("header"), "row")
    merged = [span for span in merged if span[0][0] >= number]
    for (top, left), (bottom, right) in merged:
        for row in grid[top : bottom + 1]:
            row[left : right + 1] = [grid[top][left]] * (right + 1 - left)
    records = [row for row in grid[number:] if any(value != "" for value in row)]
    columns = [typed.sheet_column(values) for values in zip(*records, strict=True)]
    table = pd.DataFrame(dict(zip(names, columns, strict=bool(columns))))
    nothing = [n for n in table if n.startswith("unnamed ") and table[n].isna().all()]
    table = table.drop(columns=nothing)
    if merged:
        notes.append(f"{len(merged)} merged cells count in all the rows that they span.")
    return table, typed.declared(table), dialect, notes
