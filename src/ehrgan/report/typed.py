"""Read the formats that type their columns: Parquet, feather, SPSS, Stata, SAS, workbooks."""

import importlib
import io
import posixpath
import re
import zipfile
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .errors import ReportError, refuse_repeated

BATCH = 100_000  # rows of Parquet that are read at a time
#: Column, row and text of an .xlsx sheet's cell whose formula has failed.
FAILED = re.compile(
    rb'<(?:\w+:)?c r="([A-Z]+)(\d+)"[^>]* t="e"[^>]*>.*?<(?:\w+:)?v>([^<]*)<', re.DOTALL
)
#: One whose formula was never calculated, as where a program without a calculator wrote it.
WAITING = re.compile(
    rb'<(?:\w+:)?c r="([A-Z]+\d+)"(?![^>]* t="str")[^>]*>'
    rb"<(?:\w+:)?f[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>)(?:<(?:\w+:)?v(?: ?/>|></(?:\w+:)?v>))?</"
    rb"(?:\w+:)?c>"
)
#: Whole numbers keep every digit although some are missing.
EXACT = {
    pa.type_for_alias(name.lower()): pd.api.types.pandas_dtype(name)
    for name in "boolean Int8 Int16 Int32 Int64 UInt8 UInt16 UInt32 UInt64".split()
}
#: How a file of a statistics package begins, and pyreadstat's function for it.
PACKAGES = {
    b"$FL2": "read_sav",
    b"$FL3": "read_sav",
    b"<stata_dta>": "read_dta",
    b"HEADER RECORD*******LIB": "read_xport",
    bytes(12) + b"\xc2\xea\x81\x60": "read_sas7bdat",
    **{bytes((release, order, 1)): "read_dta" for release in range(102, 116) for order in (1, 2)},
}


def tables_of(path, head, stream):
    """Tables of a typed file that begins so, each with what it declares; None if it is another."""
    reader = next((name for start, name in PACKAGES.items() if head.startswith(start)), None)
    if reader:
        return [_package(path, stream, reader)]
    return _arrow(path, stream, head) if head.startswith((b"PAR1", b"ARROW1")) else None


def _arrow(path, stream, head):
    try:
        if head.startswith(b"PAR1"):
            batches = pq.ParquetFile(stream).iter_batches(BATCH)
        else:
            file = pa.ipc.open_file(stream)
            batches = map(file.get_batch, range(file.num_record_batches))
        for batch in batches:
            refuse_repeated(batch.schema.names)
            yield _frame(pa.Table.from_batches([batch]))
    except (pa.ArrowException, OSError) as error:
        raise ReportError(
            f"path '{path}' is broken Parquet or Arrow ({error}): write it again"
        ) from error


def _frame(found):
    # pandas' own notes in the file name types that other versions do not know
    told = (found.schema.pandas_metadata or {}).get("columns", ())
    table = found.to_pandas(types_mapper=EXACT.get, ignore_metadata=True)
    for name in [c["name"] for c in told if c["pandas_type"] == "categorical"]:
        table[name] = table[name].astype("category")  # of text alone it came back as such
    unnamed = table.columns[table.columns.str.fullmatch(r"__index_level_\d+__")]
    table = table.drop(columns=unnamed).apply(_stripped)
    return table, declared(table)


def _package(path, stream, reader):
    pyreadstat = _extra(path, "pyreadstat")
    options = {"user_missing": True} if reader == "read_sav" else {}
    try:
        found = getattr(pyreadstat, reader)(stream, dates_as_pandas_datetime=True, **options)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, OverflowError) as error:
        raise ReportError(f"path '{path}' cannot be read ({error}): save it again") from error
    table, about = found[0].apply(_stripped), found[1]
    fields = {name: {} for name in table}
    for name, cells in table.items():
        own, seen = fields[name], cells.dropna().unique()
        if title := about.column_names_to_labels.get(name):
            own["title"] = title
        missing = [v for v in seen for r in about.missing_ranges.get(name, ()) if _within(v, r)]
        if missing:
            own["missingValues"] = [shown(value) for value in sorted(missing)]
        labels = about.variable_value_labels.get(name, {})
        labels = {_plain(v): label for v, label in labels.items() if v not in missing}
        # a scale whose ends alone have words is a number
        if labels and {*map(_plain, seen)} <= {*labels, *map(_plain, missing), ""}:
            own["categories"] = [{"value": v, "label": label} for v, label in labels.items()]
            own["categoriesOrdered"] = about.variable_measure.get(name) == "ordinal"
    return table, fields


def _within(value, span):
    return (
        isinstance(value, str) == isinstance(span["lo"], str) and span["lo"] <= value <= span["hi"]
    )


def _plain(value):
    """A number without needless decimals, of Python's own types."""
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _extra(path, module):
    """A library of the optional extra, or the sentence that names it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ReportError(
            f"path '{path}' needs {module} to be read: pip install 'ehrgan[files]', or save the "
            "table as CSV"
        ) from error


def sheet_rows(path, stream, sheet):
    """Rows of a sheet's cells, the corners of merged ones, notes; of several sheets one is asked.

    A cell whose formula has failed holds the error, such as #DIV/0!.
    """
    _extra(path, "python_calamine")
    content = stream.read()
    try:
        file = pd.ExcelFile(io.BytesIO(content), engine="calamine")
        book = pd.read_excel(file, sheet_name=None, header=None, dtype=object, na_filter=False)
    except Exception as error:  # calamine and pandas raise many kinds
        raise ReportError(
            f"path '{path}' is no workbook that can be read ({error}): open it in a spreadsheet "
            "program and save the sheet as CSV"
        ) from error
    filled = [name for name, cells in book.items() if (cells.astype(str) != "").to_numpy().any()]
    if not filled:
        raise ReportError(f"path '{path}' has no cells on any sheet: save the table again")
    sheet = filled[0] if sheet is None and len(filled) == 1 else sheet
    if sheet not in filled:
        raise ReportError(
            f"path '{path}' has cells on the sheets {filled}: say which holds the table, as in "
            f"sheet={filled[0]!r}" + ("" if sheet is None else f", got {sheet!r}")
        )
    rows, notes = book[sheet].to_numpy().tolist(), []
    merged = file.book.get_sheet_by_name(sheet).merged_cell_ranges or []
    try:
        failed, waiting = _failed(content, sheet)
    except (zipfile.BadZipFile, KeyError):  # .xls, .xlsb and .ods
        failed, waiting = [], []
        notes.append("In a workbook of this kind a formula that has failed reads as a blank cell.")
    if waiting:
        raise ReportError(
            f"path '{path}' has {len(waiting)} formulas without a value ({waiting[0]}): open it in "
            "a spreadsheet program, which calculates them, and save it"
        )
    for row, column, error in failed:
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = error
    return rows, merged, notes


def _failed(content, sheet):
    """Of the cells of an .xlsx sheet that calamine gives as blank ones those that hold more.

    Row, column and error where a formula has failed, and the names of those not yet calculated.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        book = ElementTree.fromstring(parts.read("xl/workbook.xml"))
        own = {element.get("name"): element.attrib for element in book.iter()}[sheet]
        own = {key.rpartition("}")[2]: value for key, value in own.items()}
        links = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))
        target = {link.get("Id"): link.get("Target") for link in links}[own["id"]]
        cells = parts.read(posixpath.join("/xl", target).lstrip("/"))
    failed = []
    for letters, row, error in FAILED.findall(cells):
        column = 0
        for letter in letters:
            column = 26 * column + letter - 64
        failed.append((int(row) - 1, column - 1, error.decode()))
    return failed, [name.decode() for name in WAITING.findall(cells)]


def sheet_column(values):
    """A column of one kind of cells with that type, and of several as a spreadsheet shows them."""
    cells = pd.Series([None if value == "" else value for value in values], dtype=object)
    found = cells.convert_dtypes()
    if pd.api.types.is_object_dtype(found):
        found = cells.map(shown, na_action="ignore").astype("str")
    return found.astype(np.float64) if found.dtype == "Float64" else _stripped(found)


def shown(value):
    """A cell as a spreadsheet shows it."""
    if isinstance(value, bool):
        return str(value).upper()
    return str(_plain(value))


def declared(table):
    """What typed columns tell of themselves, in the words of Table Schema: their categories."""
    return {
        name: {
            "categories": cells.cat.categories.tolist(),
            "categoriesOrdered": bool(cells.cat.ordered),
        }
        for name, cells in table.items()
        if isinstance(cells.dtype, pd.CategoricalDtype)
    }


def _stripped(cells):
    # pandas counts categories of text as text, and stripping would lose their order
    texts = pd.api.types.is_string_dtype(cells) and not isinstance(cells.dtype, pd.CategoricalDtype)
    return cells.str.strip() if texts else cells
