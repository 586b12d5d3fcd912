"""What each column of a table is: number, date, category, or nothing to learn from."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .errors import ReportError

__all__ = ["as_learned"]

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

SUSPICIOUS = (-9, -99, -999, -9999, 999, 9999, 99999)

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


@dataclass(frozen=True, eq=False)
class Column:
    """A column as it would enter the attributes, or why it does not."""

    kind: str
    values: pd.Series | None
    reason: str = ""
    notes: tuple = ()


NESTED = Column(
    "nested", None, "its cells hold lists or bytes; make columns of single values from it"
)
#: Kinds that are attributes.
USED = ("number", "yes/no", "ordered", "category")


def plain_cells(cells):
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


def label(value):
    """A value as text; whole numbers without a decimal point, however they were written."""
    text = str(value).strip()
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else text


def spellings_of(labels):
    """Groups of values that differ in upper and lower case alone, the commonest first."""
    values = labels.value_counts().index.to_series()
    groups = values.groupby(values.str.casefold().to_numpy(), sort=False).agg(list)
    return [group for group in groups if len(group) > 1]


def column_of(name, cells, order):
    """What a column is, and its values as an attribute."""
    seen = cells.dropna()
    if seen.empty:
        return Column("empty", None, "it has no value at all; delete it")
    if len(seen) < FEWEST_KNOWN:
        return Column("empty", None, f"only {len(seen)} of its cells are known: too few; delete it")
    if is_category(cells) and cells.cat.ordered and order is None:
        kept = cells.cat.remove_unused_categories()
        if len(kept.cat.categories) > 1:
            return Column("ordered", kept.cat.rename_categories(str))
    if order is not None:
        return _in_order(name, cells, order)
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return _date(cells)
    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype):
        return number_column(name, cells.astype("Float64").astype(np.float64), ())
    texts = seen.astype(str)
    numbers = numbers_of(texts)
    odd = numbers.isna()
    if odd.mean() <= ODD_SHARE and len(numbers.dropna().unique()) > 1:
        notes = _odd_notes(name, texts, numbers)
        return number_column(name, numbers.reindex(cells.index), notes)
    return text_column(name, cells, texts)


def numbers_of(texts):
    """Numbers of cells of text, NaN where a cell is none."""
    found = pd.to_numeric(texts, errors="coerce").astype(np.float64)
    rest = texts[found.isna()].dropna().astype("str")
    inner = rest[rest.str.fullmatch(DRESSED.pattern)].str.extract(DRESSED.pattern)[0]
    found[inner.index] = pd.to_numeric(inner.str.replace(",", "", regex=False)).to_numpy(float)
    return found


def _odd_notes(name, texts, numbers):
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
    labels = cells.dropna().astype(object).map(label).reindex(cells.index)
    unknown = sorted(set(labels.dropna()) - set(order))
    if unknown:
        raise ReportError(f"ordered for {name!r} lacks the values {unknown[:5]}: list all of them")
    return Column("ordered", pd.Series(pd.Categorical(labels, order, ordered=True), cells.index))


def _date(cells):
    reason = "it holds dates; make a number of it that is known in time, such as days since a start"
    return Column("date", _days(cells), f"{reason}, or keep it (days since 1970)")


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
    return len(texts) > 0 and texts.str.fullmatch(DATE.pattern).mean() >= 0.9


def number_column(name, values, notes):
    """A column of numbers: an attribute, constant, or an identifier."""
    endless = np.isinf(values)
    if endless.any():
        values = values.mask(endless)
        notes = (*notes, f"{name!r} has {endless.sum()} infinite cells, which count as missing.")
    seen = values.dropna()
    if len(seen.unique()) <= 1:
        return constant(values)
    if seen.abs().max() > LARGEST or np.ptp(seen) < 1 / LARGEST:
        reason = f"its values run from {seen.min():g} to {seen.max():g}; give it another unit"
        return Column("number", None, f"{reason}, or take logarithms")
    whole = (seen == seen.round()).all()
    if whole and seen.between(19_000_101, 21_001_231).all() and _are_day_numbers(seen):
        return Column("date", values, "it holds dates as numbers; make days since a start of it")
    if whole and seen.nunique() >= DISTINCT_SHARE * len(seen) and len(seen) >= 20:
        steps = np.diff(np.sort(seen.unique()))
        if names_a_key(name) or (len(steps) and (steps == 1).mean() > 0.98):
            return Column("identifier", values, "it numbers the records; delete it, or keep it")
    notes = (*notes, *_suspicious(name, seen))
    return Column("number", values, notes=notes)


def constant(cells):
    """A column of one value."""
    reason = "it has one value throughout, which tells nothing"
    if cells.isna().any():
        reason += "; if its empty cells mean something, such as no, write that into them"
    return Column("constant", None, reason)


def _suspicious(name, seen):
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


def text_column(name, cells, texts):
    """A column of text: categories, dates, an identifier, or prose."""
    values, n = texts.nunique(), len(texts)
    if values == 1:
        return constant(cells)
    if _are_dates(texts):
        return _date(cells)
    categories = pd.Series(pd.Categorical(texts.map(label).reindex(cells.index)), cells.index)
    if n >= 20 and values >= DISTINCT_SHARE * n:
        if texts.str.len().mean() > 30 or texts.str.contains(" ").mean() > 0.9:
            return Column("free text", categories, "it is free text; make categories of it")
        return Column("identifier", categories, "it names the records; delete it")
    if values > MOST_CATEGORIES and n < values * FEWEST_OF_A_VALUE:
        reason = f"it has {values} different texts; {_cure_of_texts(texts)}"
        return Column("free text", categories, reason)
    alike = spellings_of(texts.map(label))
    notes = tuple(
        f"{name!r} has {first!r} also as {', '.join(map(repr, others))}: write them alike."
        for first, *others in alike[:3]
    )
    return Column("yes/no" if values == 2 else "category", categories, notes=notes)


def _cure_of_texts(texts):
    """What to do about a column of many texts, perhaps numbers with a word for missing."""
    odd = texts[numbers_of(texts).isna()]
    if len(odd) > len(texts) / 2:
        return "make fewer categories of it"
    word = odd.value_counts().index[0]
    return (
        f"{1 - len(odd) / len(texts):.0%} of the cells are numbers: if {word!r} means missing, "
        f"name it as a code (--missing {word!r})"
    )


def names_a_key(name):
    """Whether a column's name says that it identifies records or patients."""
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    words = {word for word in re.split(r"[\W_\d]+", words.casefold()) if word}
    if words & KEY_WORDS or any(ALL_IN_ONE.fullmatch(word) for word in words):
        return True
    return bool(words & PERSONS) and (len(words) == 1 or bool(words & NUMBER_WORDS))


def is_category(cells):
    return isinstance(cells.dtype, pd.CategoricalDtype)


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
        if is_category(cells):
            cells = cells.astype(object)
        labels = cells.dropna().map(label).reindex(cells.index)
        labels = labels.where(labels.isin(dtype.categories))  # pandas 4 refuses others
        return pd.Series(pd.Categorical(labels, dtype=dtype), cells.index)
    cells = plain_cells(cells)
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return _days(cells)
    if pd.api.types.is_numeric_dtype(cells.dtype):
        numbers = cells.astype("Float64").astype(np.float64)
    else:
        numbers = numbers_of(cells.astype(object))
        if numbers.isna().all() and _are_dates(cells.dropna().astype(str)):
            return _days(cells)
    return numbers.mask(np.isinf(numbers))
