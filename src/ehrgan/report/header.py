"""Which row of a table names its columns; what is none is refused."""

import re
from collections import Counter

import numpy as np

from .errors import ReportError, refuse_repeated

#: Characters that no one sees around a cell: all of Unicode's blanks, and those of no width.
BLANKS = "".join(c for c in map(chr, range(0x3001)) if c.isspace()) + "\u200b\u2060\ufeff"
#: A number or a date, in whatever notation.
NUMBER = re.compile(r"\W*\d[\d\W]*([eE][+-]?\d+)?")


def header_of(path, rows, header, unit):
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
    # a single line of another width is no fault of the names
    ((width, _),) = Counter(len(cells) for _, cells in rows).most_common(1)
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
    same = next((n for n, cells in rows[1:] if cells == row), None)
    twice = f"; or delete {unit} {same}, if it repeats them" if same else ""
    if not counted and (2 * len(numbers) >= named or 2 * len(numbers + again) > named):
        raise ReportError(
            f"path '{path}' has no line of names: its {unit} {number} is {row[:5]}; put the "
            f"columns' names above the records, or say header={number} if these are the names"
            f"{twice}"
        )
