"""Cells to values: the one place where a cell becomes a number, a day or a category."""

import re
import unicodedata

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute

from .errors import ReportError, refuse_repeated

__all__ = ["DEFAULT_MISSING", "read", "written"]

#: Texts that mean "missing" among numbers and dates unless a schema says otherwise.
DEFAULT_MISSING = (
    *("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan"),
    *("null", "NULL", "None", "?", "."),
)
NUMBERS = ("number", "integer", "year")
DATES = ("date", "datetime", "time", "yearmonth")
CATEGORIES = ("string", "boolean")
#: Formats of Table Schema where a field names none.
DEFAULT_FORMATS = {
    **{"date": "%Y-%m-%d", "datetime": "ISO8601", "time": "%H:%M:%S", "yearmonth": "%Y-%m"}
}
TRUE, FALSE = ("true", "1"), ("false", "0")
EPOCH = pd.Timestamp("1970-01-01", tz="UTC")
#: Signs that people and programs write in place of - ' . , and a blank.
SIGNS = str.maketrans(
    "\u2212\u2013\ufe63\uff0d\u2019\u02bc\u066b\uff0e\u066c\uff0c\xa0\u202f\u2009", "----''..,,   "
)
LIMIT = r"(?:[<>\u2264\u2265~\u2248]=?\s*)?"


def read(field, cells):
    """Give the values of a column, as a field of a schema says that they are written.

    Parameters
    ----------
    field : dict
        A field of a Table Schema, with its type: see :mod:`ehrgan.report.schema`.
    cells : Series
        Text as the file has it, or typed; NaN or "" where blank.

    Returns
    -------
    values : Series
        float64 where the field is a number or a date (days since 1970; hours for a time of day),
        else categories of text; NaN where missing.
    unread : Series of bool
        Cells that hold something, and no code for missing, that the field cannot read. They are
        missing among the values: nothing is guessed.

    Notes
    -----
    Every different text is read once. Categories are also found in another spelling, such as F for
    f, if only one of them can be meant. A cell that two formats of a field, or two centuries, read
    as different days is not read.

    Examples
    --------
    >>> field = {"name": "crp", "type": "number", "decimalChar": ",", "missingValues": ["-9"]}
    >>> values, unread = read(field, pd.Series(["1,5", "-9", "3.5", ""]))
    >>> values.tolist(), unread.tolist()
    ([1.5, nan, nan, nan], [False, False, True, False])
    """
    return read_plain(field, plain(cells))


def read_plain(field, cells):
    """What :func:`read` gives, of cells that :func:`plain` has given."""
    kind = field["type"]
    gone = pd.Series([*map(str, field.get("missingValues", ())), ""], dtype="str")
    codes = numbers(field, gone) if kind in NUMBERS else np.array([])
    codes = codes[~np.isnan(codes)]
    if kind in DATES and pd.api.types.is_datetime64_any_dtype(cells.dtype):
        coded, values = False, _days(cells, kind == "time")
    elif kind in NUMBERS and pd.api.types.is_numeric_dtype(cells.dtype):
        values = cells.astype("Float64").astype(np.float64)
        coded = values.isin(codes)
        values = values.mask(coded | np.isinf(values) | _broken(kind, values))
    else:
        coded, values = _by_kinds(field, cells, gone, codes)
    return values.rename(cells.name), cells.notna() & ~coded & values.isna()


def _by_kinds(field, cells, gone, codes):
    """Where codes for missing stand, and values, each different cell read once."""
    places, kinds = pd.factorize(cells.astype(object) if is_category(cells) else cells)
    named = field["type"] in CATEGORIES and bool(categories_of(field))  # 1.0 then is 1
    is_text = pd.api.types.is_string_dtype(kinds.dtype) and not named
    texts = pd.Series(kinds if is_text else [*map(label, kinds)], dtype="str")
    away = texts.isin(gone).to_numpy(dtype=bool)
    if field["type"] in CATEGORIES:
        found = np.append(np.where(away, -1, places_of(field, texts)), -1)[places]
        names = [shown for shown, _ in categories_of(field)]
        ordered = bool(field.get("categoriesOrdered"))
        values = pd.Categorical.from_codes(found, names, ordered=ordered)
    else:
        found = (numbers if field["type"] in NUMBERS else days)(field, texts)
        away = away | np.isin(found, codes)
        values = np.append(np.where(away, np.nan, found), np.nan)[places]
    coded = pd.Series(np.append(away, False)[places], cells.index)
    return coded, pd.Series(values, cells.index)


def tidy(table):
    """A table with text for names, each once, and rows from 0, whatever library made it."""
    told = getattr(table, "attrs", {})
    if not isinstance(table, pd.DataFrame):
        if not hasattr(table, "__arrow_c_stream__") and not hasattr(table, "__dataframe__"):
            raise ReportError(f"table must be a DataFrame, got {type(table).__name__}")
        table = (
            pa.table(table).to_pandas()
            if hasattr(table, "__arrow_c_stream__")
            else pd.api.interchange.from_dataframe(table)
        )
    table = table.copy(deep=False)
    table.attrs = {}  # pandas would copy them with every column
    names = [unicodedata.normalize("NFC", str(name)) for name in table.columns]
    table = table.set_axis(pd.Index(names, dtype="str"), axis=1).reset_index(drop=True)
    refuse_repeated(names)
    blank = [name for name, cells in table.items() if cells.dtype == "str"]
    table = table.assign(**{name: table[name].mask(table[name] == "") for name in blank})
    table.attrs = told
    return table


def plain(cells):
    """A column as text, float64, Int64, boolean, moments in UTC or categories of text."""
    if isinstance(cells.dtype, pd.SparseDtype):
        cells = cells.sparse.to_dense()
    if isinstance(cells.dtype, pd.ArrowDtype):
        array = pa.array(cells)
        exact = {"i": "Int64", "u": "UInt64", "b": "boolean"}.get(cells.dtype.kind)
        cells = cells.astype(exact) if exact else pd.Series(array.to_pandas(), cells.index)
    inside = pd.api.types.infer_dtype(cells, skipna=True)
    if inside == "boolean":
        return cells.astype("boolean")
    if inside in ("integer", "floating", "mixed-integer-float", "decimal"):
        if pd.api.types.is_object_dtype(cells.dtype):
            cells = cells.astype("str").astype(np.float64)
        return cells.astype(np.float64) if cells.dtype.kind == "f" else cells.astype("Int64")
    if inside in ("timedelta", "timedelta64"):
        return pd.to_timedelta(cells).dt.total_seconds() / 86_400
    if inside in ("date", "datetime", "datetime64"):
        return pd.to_datetime(cells, errors="coerce", utc=True)
    if inside == "period":
        freq = cells.dropna().iloc[0].freq
        return plain(cells.astype(pd.PeriodDtype(freq)).dt.to_timestamp())
    if is_category(cells):
        names = [label(value) for value in cells.cat.categories]
        if len({*names}) == len(names):
            return cells.cat.rename_categories(names)
        cells = cells.astype(object)
    if pd.api.types.is_object_dtype(cells.dtype):
        cells = cells.map(label, na_action="ignore")
    texts = cells.astype("str").where(cells.notna())
    texts = texts.str.strip()
    return texts.mask(texts == "")


def label(value):
    """A value as text; whole numbers without a decimal point, however they were written."""
    text = unicodedata.normalize("NFC", str(value)).strip()
    return re.sub(r"^([+-]?(?:0|[1-9]\d*))\.0+$", r"\1", text)


def is_category(cells):
    return isinstance(cells.dtype, pd.CategoricalDtype)


def _broken(kind, values):
    """Where a number is none of the whole ones that its type wants."""
    return (values != np.round(values)) if kind in ("integer", "year") else values != values


# ---------------------------------------------------------------- numbers


def numbers(field, texts):
    """Numbers of a Series of text as float64, NaN where a text is none."""
    decimal, group = field.get("decimalChar", "."), field.get("groupChar", "")
    pattern = number_pattern(decimal, group)
    texts = texts.fillna("")
    if not texts.str.isascii().all():
        texts = texts.map(_plain_digits)
    if not field.get("bareNumber", True):
        unit = "|".join(re.escape(u.casefold()) for u in field.get("unit", ()))
        ways = rf"({pattern})\s*(?:{unit})|(?:{unit})\s*({pattern})" if unit else f"({pattern})"
        found = texts.str.casefold().str.extract(rf"^{LIMIT}(?:{ways})$")
        texts = found[0].fillna(found[1]) if unit else found[0]  # bfill goes row by row
    array = pa.array(texts.fillna(""))  # what is undressed may be nothing
    good = pa.compute.match_substring_regex(array, f"^(?:{pattern})$")
    inner = array.filter(good)
    if group:
        inner = pa.compute.replace_substring(inner, group.translate(SIGNS), "")
    if decimal != ".":
        inner = pa.compute.replace_substring(inner, decimal, ".")
    found = np.full(len(texts), np.nan)
    found[np.asarray(good)] = np.asarray(inner.cast(pa.float64()))
    found[np.isinf(found) | _broken(field["type"], found)] = np.nan
    return found


def number_pattern(decimal, group):
    d, g = re.escape(decimal), re.escape(group.translate(SIGNS))
    whole = rf"\d+|[1-9]\d{{0,2}}(?:{g}\d{{3}})+" if group else r"\d+"
    return rf"[+-]?(?:(?:{whole})(?:{d}\d*)?|{d}\d+)(?:[eE][+-]?\d+)?"


def _plain_digits(text):
    """Digits of any script, minus signs and blanks, as ASCII has them."""
    text = text.translate(SIGNS)
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


# ---------------------------------------------------------------- days


def days(field, texts):
    """Days since 1970 of a Series of text, NaN where there is none or more than one."""
    formats = [field.get("format", "default"), *field.get("otherFormats", ())]
    formats = [DEFAULT_FORMATS[field["type"]] if f in ("default", "any") else f for f in formats]
    first = field.get("firstYear", 1969)  # as POSIX has it
    readings = []
    for pattern in formats:
        moments = pd.to_datetime(texts, format=pattern, errors="coerce", utc=True)
        for year in (first if isinstance(first, list) else [first]) if "%y" in pattern else [None]:
            own = moments if year is None else _in_century(moments, year)
            readings.append(_days(own, field["type"] == "time").to_numpy())
    return agreed(readings)


def _days(moments, of_day=False):
    if of_day:
        return (moments - moments.dt.normalize()).dt.total_seconds() / 3600
    return (pd.to_datetime(moments, utc=True) - EPOCH).dt.total_seconds() / 86_400


def written(field, value, digits=6):
    """A value of a field as people read it: a day as a date, a number to some digits."""
    if field["type"] in DATES and field["type"] != "time" and np.isfinite(value):
        return str((EPOCH + pd.to_timedelta(value, unit="D")).date())
    return f"{value:.{digits}g}"


def _in_century(moments, first):
    """The same days in the hundred years that begin with one."""
    years = first + (moments.dt.year - first) % 100
    parts = {"year": years, "month": moments.dt.month, "day": moments.dt.day}
    day = pd.to_datetime(pd.DataFrame(parts), errors="coerce", utc=True)
    return day + (moments - moments.dt.normalize())


def agreed(readings):
    """The value where all readings that have one have the same, else NaN; (n,) each."""
    table = np.array(readings)
    seen = ~np.isnan(table)
    low = np.where(seen, table, np.inf).min(axis=0)
    return np.where(low == np.where(seen, table, -np.inf).max(axis=0), low, np.nan)


# ---------------------------------------------------------------- categories


def categories_of(field):
    """Pairs of a category as shown, and the texts that mean it."""
    if field["type"] == "boolean":
        words = field.get("falseValues", FALSE), field.get("trueValues", TRUE)
        return [("False", ("False", *words[0])), ("True", ("True", *words[1]))]
    pairs = []
    for category in field.get("categories", ()):
        value = category["value"] if isinstance(category, dict) else category
        shown = category.get("label", value) if isinstance(category, dict) else value
        pairs.append((label(shown), (label(value), label(shown))))
    return pairs


def places_of(field, texts):
    """Places of texts among the categories, -1 where a text is none of them."""
    exact, loose = {}, {}
    for k, (_, words) in enumerate(categories_of(field)):
        for word in words:
            exact.setdefault(word, k)
            loose.setdefault(loosely(word), set()).add(k)
    if not exact:
        return np.full(len(texts), -1)
    loose = {word: k for word, (k, *more) in loose.items() if not more}
    texts = texts.map(label)
    found = texts.map(exact)
    return found.fillna(texts.map(loosely).map(loose)).fillna(-1).astype(int).to_numpy()


def loosely(text):
    """A text without what people hardly see: case, width, and kind and number of blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
