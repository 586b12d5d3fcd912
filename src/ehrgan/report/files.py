"""Read a table from a file: what is surely a number is one, all else stays as it is written."""

from .cells import read_cells
from .convert import DEFAULT_MISSING, read, tidy
from .describe import describe_column

__all__ = ["DEFAULT_MISSING", "read_table"]


def read_table(path, missing=(), **options):
    r"""Read a table: what every reading takes for the same number is one, all else stays text.

    Parameters
    ----------
    path : path-like
        As for :func:`~ehrgan.report.cells.read_cells`.
    missing : sequence of str, default=()
        Further codes that mean missing, for :func:`~ehrgan.report.reading.prepare`, which decides
        in which columns: see :func:`~ehrgan.report.describe.describe`.
    **options
        encoding, delimiter, header, sheet: as for :func:`~ehrgan.report.cells.read_cells`.

    Returns
    -------
    DataFrame
        NaN where a cell is blank, or holds no number where the others do but a usual word for
        missing. ``attrs`` keeps what the file tells beside its cells.

    Raises
    ------
    ReportError
        As :func:`~ehrgan.report.cells.read_cells`.

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
    fields = [{"name": n, **cells.fields.get(n, {})} for n in table]
    schema = {"fields": fields, "dialect": cells.dialect}
    table.attrs = {"notes": list(cells.notes), "schema": schema}
    return table
