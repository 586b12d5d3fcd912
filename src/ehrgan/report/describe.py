"""Find what each column of a table is, by what reads its cells; what stays open is asked."""

import re

import numpy as np
import pandas as pd

from .columns import DISTINCT_SHARE, DOUBTFUL, FEWEST_NAMED, NESTED, is_nested, standing
from .convert import (
    DATES,
    DEFAULT_MISSING,
    NUMBERS,
    is_category,
    label,
    numbers,
    plain,
    tidy,
)
from .errors import ReportError
from .notation import DIGITS, as_clock, as_dates, as_digits, as_numbers, asked
from .schema import OTHER_TYPES, Schema

__all__ = ["describe"]

#: A text column with more values needs FEWEST_OF_A_VALUE records of each, on average.
MOST_CATEGORIES = 50
FEWEST_OF_A_VALUE = 100
#: What a spreadsheet of any language writes where a formula has failed: #DIV/0!, #N/A, #WERT!
FAILED = re.compile(r"#[\u00a1\u00bf]?[^\W\d_]+(/0)?[!?]|#[^\W\d_]/[^\W\d_]|#NV")


def describe(table, given=None, *, missing=()):
    """Find what each column of a table is: its type, its codes for missing, its role.

    Parameters
    ----------
    table : DataFrame
        Text as a file has it, or typed; NaN or "" where blank. Of pandas, polars or any other
        library that hands its frames on. ``attrs["schema"]`` is what its file tells.
    given : ehrgan.report.schema.Schema, optional
        What is known: a property that a field has stays as it is, and only what lacks is found.
    missing : sequence of str, default=()
        Further codes that mean missing: ``"-9"`` wherever it is no number among others, and
        ``"crp=-9"`` in the column crp alone.

    Returns
    -------
    Schema
        With a field for each column. Where several readings of a column hold and differ, the field
        has no role but ``ask``, which says what to write into it.

    Raises
    ------
    ReportError
        No table, or `given` has a field that is no column.

    Notes
    -----
    A column is of numbers or dates if one way to write them reads all its cells, or all but one in
    twenty, which then are missing and told. Of several ways that read as many the one is taken that
    the other columns of the table settle. 100,000 rows of 50 columns take about a second.

    Examples
    --------
    >>> shown = pd.DataFrame({"mg": ["1,500", "2,250"] * 30})
    >>> print(describe(shown)["mg"]["ask"])
    '1,500' may be 1.5 or 1500: write "decimalChar": "," or "groupChar": "," into this field
    """
    table = tidy(table)
    if not len(table):
        raise ReportError("table has no rows: it needs one per record")
    missing = (*table.attrs.get("missing", ()), *missing)
    filed = Schema(**table.attrs.get("schema", {"fields": []}))
    table.attrs = {}  # which pandas would copy with every column
    filed = Schema([f for f in filed.fields if f["name"] in table], filed.dialect)
    given = filed if given is None else filed.changed({f["name"]: f for f in given.fields})
    known = {f["name"]: f for f in given.fields}
    lacking = [name for name in known if name not in table]
    if lacking:
        raise ReportError(f"the schema has the fields {lacking}, which are no columns of the table")
    own = {name: _own_codes(missing, name, table) for name in table}
    fields = {n: describe_column(n, c, known.get(n, {}), own[n], {}) for n, c in table.items()}
    hints = _hints(fields.values())
    _say_other_marks(fields)
    for name, found in fields.items():
        if "ask" in found or ("words" in hints and found["type"] == "string"):
            found = describe_column(name, table[name], known.get(name, {}), own[name], hints)
            fields[name] = found
        if found["type"] in NUMBERS and "ask" not in found:
            usual = "," if found.get("groupChar") == "." else "."
            found.setdefault("decimalChar", hints.get("decimalChar", usual))
    used = {code for f in fields.values() for code in f.get("missingValues", ())}
    told = " ".join(note for f in fields.values() for note in f.get("notes", ()))
    idle = sorted({c for codes in own.values() for c in codes if c not in used} - {*told.split()})
    notes = [f"The code {code!r} for missing is found nowhere." for code in idle]
    return Schema(list(fields.values()), given.dialect, [*given.notes, *notes])


def _own_codes(missing, name, table):
    """Codes that may mean missing in a column, and whether each was named for it alone."""
    found = {}
    for code in map(str, missing):
        column, mark, own = code.partition("=")
        if mark and column in table:
            found |= {own.strip(): True} if column == name else {}
        elif code.strip() not in DEFAULT_MISSING:
            found.setdefault(code.strip(), False)
    return found


def _hints(fields):
    """What columns that are sure tell of those that are not: one table is written in one way."""
    sure = [f for f in fields if "ask" not in f]
    marks = {f["decimalChar"] for f in sure if f["type"] == "number" and "decimalChar" in f}
    dates = [f["format"] for f in sure if f["type"] in DATES and "format" in f]
    orders = {{"%d": "dmy", "%m": "mdy"}.get(f[:2]) for f in dates if "%b" not in f.lower()}
    read = [f for f in sure if f["type"] in (*NUMBERS, *DATES)]
    words = DOUBTFUL & {code for f in read for code in f.get("missingValues", ())}
    hints = {"decimalChar": marks, "order": orders - {None}}
    hints = {key: next(iter(values)) for key, values in hints.items() if len(values) == 1}
    return hints | ({"words": words} if words else {})


def _say_other_marks(fields):
    """Note on columns of numbers whose decimal mark is not that of most."""
    marks = {
        name: f["decimalChar"] for name, f in fields.items()
        if f["type"] == "number" and "decimalChar" in f and "ask" not in f
    }  # fmt: skip
    usual = max(marks.values(), key=[*marks.values()].count, default="")
    for name in [name for name, mark in marks.items() if mark != usual]:
        said = f"{name!r} has the decimal mark {marks[name]!r}, and most columns have {usual!r}"
        line = asked("if its cells hold several values, or names", {"type": "string"})
        fields[name] = {
            **fields[name],
            "notes": [*fields[name].get("notes", ()), f"{said}; {line}."],
        }


def describe_column(name, cells, given=(), codes=(), hints=()):
    """The field of one column.

    `given` are properties of it that are known, `codes` those that may mean missing (true if named
    for this column alone), `hints` what other columns tell.
    """
    given, codes, hints = dict(given), dict(codes), dict(hints)
    known = {"name": name, **given}
    if is_nested(cells):
        return known | {"type": "any", "role": "left out", "why": NESTED, "sure": "yes"}
    cells = plain(cells)
    if given.get("type") in OTHER_TYPES:
        return standing(known, cells, codes)
    found = known | _written(cells, given, codes, hints) | given
    if "ask" in found and given.get("role") in ("outcome", "person"):  # its values are names
        found = known | _of_words(_counts(cells), given, codes, hints) | given
    if "ask" in found:
        return found | {"ask": found["ask"].replace("COLUMN", name), "sure": "no"}
    return standing(found, cells, codes)


def _counts(cells):
    """How many cells have each text, the commonest first."""
    counts = cells.dropna().value_counts()
    is_text = pd.api.types.is_string_dtype(counts.index.dtype)
    return counts if is_text else counts.set_axis([label(value) for value in counts.index])


def _written(cells, given, codes, hints):
    """How the cells are written: type, format, codes for missing; or what is to be asked."""
    if "categories" in given:
        return {"type": "string"}
    if is_category(cells):
        return _of_categories(cells)
    if pd.api.types.is_bool_dtype(cells.dtype):
        return {"type": "boolean"}
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return {"type": "datetime"}
    if pd.api.types.is_numeric_dtype(cells.dtype):
        seen = cells.dropna()
        if _is_dated(given):
            return as_dates(_counts(cells), given, hints) or {"type": "number"}
        digits = [f"{end:.0f}" for end in (seen.min(), seen.max())] if len(seen) else [""]
        days_alike = len({*map(len, digits)}) == 1 and len(digits[0]) in DIGITS
        found = as_digits(_counts(seen)) if days_alike else None
        return found or as_clock(seen.unique(), given) or {"type": "number"}
    return _of_text(_counts(cells), given, codes, hints)


def _is_dated(given):
    """Whether a format of dates is given."""
    return given.get("type", "date") in DATES and "%" in given.get("format", "")


def _of_categories(cells):
    """A column whose categories are told: those that occur, in their order."""
    names = [name for name in cells.cat.categories if (cells == name).any()]
    if names and {*names} <= {"True", "False"}:
        return {"type": "boolean"}
    return {"type": "string", "categories": names, "categoriesOrdered": bool(cells.cat.ordered)}


def _of_text(counts, given, codes, hints):
    """How a column of text is written, by the first type that reads it."""
    wanted = given.get("type")
    words = [c for c in codes if np.isnan(numbers({"type": "number"}, pd.Series([c], dtype="str")))]
    gone, rest = _gone(counts, given, [*DEFAULT_MISSING, *words])
    found = None if len(rest) else {"type": wanted or "any"}
    if wanted == "boolean" or {str(t).casefold() for t in rest.index[:9]} <= {"true", "false"}:
        found = found or {"type": "boolean"}
    dated = _is_dated(given)
    if wanted in (None, "date") and not dated:
        found = found or as_digits(rest)
    if wanted in (None, *NUMBERS) and not dated:
        found = found or as_numbers(rest, given, hints)
    if wanted in (None, *DATES):
        found = found or as_dates(rest, given, hints)
    if found is None:
        return _of_words(counts, given, codes, hints)
    return {"missingValues": ["", *gone]} | found


def _gone(counts, given, usual):
    """Texts that mean missing, as is given or else usual codes and failed formulas; and the others.

    `counts` are the cells of each text; those of the others are given back.
    """
    texts = counts.index
    failed = [text for text in texts[texts.str.startswith("#")] if FAILED.fullmatch(text)]
    gone = texts.isin(given.get("missingValues", [*usual, *failed]))
    return texts[gone], counts[~gone]


def _of_words(counts, given, codes, hints):
    """A column of words, with its categories unless they are too many."""
    doubtful = DOUBTFUL - hints.get("words", set()) - {*codes}
    usual = [code for code in (*DEFAULT_MISSING, *codes) if code not in doubtful]
    gone, rest = _gone(counts, given, usual)
    found = {"type": "string", "missingValues": ["", *gone]}
    n, values = rest.sum(), len(rest)
    many = values > MOST_CATEGORIES and n < values * FEWEST_OF_A_VALUE
    all_differ = n >= FEWEST_NAMED and values >= DISTINCT_SHARE * n
    if (many or all_differ) and given.get("role") not in ("attribute", "outcome"):
        return found
    return found | {"categories": sorted({label(text) for text in rest.index})}
