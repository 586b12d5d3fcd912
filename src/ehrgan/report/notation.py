"""In which ways a column of text can be read as numbers or as dates, and which of them holds."""

import json
import re
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute

from .convert import LIMIT, SIGNS, days, number_pattern, numbers

#: Share of cells that may be no number in a column of numbers, or no date in one of dates.
ODD_SHARE = 0.05
#: Different words, beside numbers, that may all be words for missing.
FEW_WORDS = 5
#: Different dates of a format from which it is told that all are early, or late, in a month.
FEWEST_OF_A_FORM = 10
#: Share of numbers that end with nought up to which they are not rounded.
ROUND_SHARE = 0.2
#: Different texts of six digits that must all be dates.
FEWEST_DAYS = 20
FORMATS = ("format", "otherFormats", "firstYear")
DAYS_OF_1900, DAYS_OF_2000, DAYS_OF_2200 = -25_567, 10_957, 84_006  # since 1970
#: Formats of dates of so many digits alone.
DIGITS = {
    6: ("%y%m%d", "%d%m%y", "%m%d%y", "%Y%m"),
    7: ("%Y%j",),
    8: ("%Y%m%d", "%d%m%Y", "%m%d%Y"),
    12: ("%Y%m%d%H%M",),
    14: ("%Y%m%d%H%M%S",),
}
#: What numbers may count: how many are a day, and the day since 1970 of the first.
CLOCKS = {
    "days as spreadsheets count them": (1, DAYS_OF_1900 - 2),
    "seconds since 1970": (86_400, 0),
    "milliseconds since 1970": (86_400e3, 0),
    "microseconds since 1970": (86_400e6, 0),
    "nanoseconds since 1970": (86_400e9, 0),
}
#: What may stand behind a number: letters of any script, % or a degree sign first.
UNIT = r"[^\d\s!-$&-/:-@\[-`{-~][^\s<>=]{0,11}(?: [^\W\d]{1,6})?"
MONEY = r"[$\u20ac\u00a3\u00a5]"
#: Leading zeros, digits around an E, more digits than a number tells apart: names as often.
NAMES = r"^[+-]?0\d|^\d+[eE]\d+$|^\d{16,}$"
#: Dates and times of day whose digits are all 9, with the strptime directive of each part as name.
DAY, MONTH, YEAR = "(?P<d>99?)", "(?P<m>99?)", "(?:(?P<Y>9999)|(?P<y>99))"
WORD, GAP = r"(?:(?P<b>[^\W\d_]{3})|(?P<B>[^\W\d_]{4,}))", r"(?:[^\w:]{1,3}|_)"
TIME = (
    r"(?P<H>99?):(?P<M>99)(?::(?P<S>99))?(?:\.(?P<f>9{1,9}))?(?: ?(?P<p>[AaPp][Mm]))?"
    r"(?: ?(?P<z>Z|[+-]99:?99))?"
)
NO_POINT = r"(?:[^\w.:]{1,3}|_)"
MARK = r"(?:[ T]|, |(?<=[^ ]99):)"  # SAS writes 31DEC2021:10:15
ANY_ORDER = (
    rf"(?P<Y>9999){GAP}{MONTH}(?:{GAP}{DAY})?",
    rf"(?P<Y>9999){GAP}?{WORD}{GAP}?{DAY}",
    rf"{DAY}{GAP}?{WORD}{GAP}?{YEAR}",
    rf"{WORD}{GAP}?{DAY}{GAP}{YEAR}",
    rf"{MONTH}{GAP}(?P<Y>9999)",
)
ORDERS = {
    "dmy": rf"{DAY}{GAP}{MONTH}{GAP}{YEAR}",
    # no country writes the month first and points
    "mdy": rf"{MONTH}{NO_POINT}{DAY}{NO_POINT}{YEAR}",
    "ymd": rf"(?P<y>99){GAP}{MONTH}{GAP}{DAY}",
}
SHAPES = {
    order: [re.compile(rf"{day}(?:{MARK}{TIME})?") for day in (*ANY_ORDER, own)]
    for order, own in ORDERS.items()
}


def best_of(readings, weights):
    """The readings that take most cells, each with its values: the first, and those that differ.

    `readings` are pairs of a field and the values of some texts, `weights` the cells of each text.
    """
    counts = [weights[~np.isnan(values)].sum() for _, values in readings]
    ahead = [r for r, n in zip(readings, counts, strict=True) if n == max(counts)]
    first = ahead[0][1]
    return [ahead[0], *(r for r in ahead[1:] if not np.array_equal(r[1], first, equal_nan=True))]


def _decided(found, usual, texts, in_words, line):
    """The reading that is taken of those that differ, and what to say of it or to ask.

    One that is `usual` in other columns is taken and told. `line` gives the property that settles.
    """
    own = (usual or found)[0]
    rival = next((reading for reading in reversed(found) if reading is not own), None)
    if rival is None:
        return own, {}
    differ = own[1] != rival[1]
    k = (differ * (2 - np.isnan(own[1] + rival[1]))).argmax()  # at best one that both read
    value, other = in_words(own[1][k]), in_words(rival[1][k])
    if usual:
        said = f"{texts[k]!r} is read as {value}, as other columns are written so"
        return own, {"notes": [f"{said}; {asked(f'if it is {other}', line(rival[0]))}."]}
    what = f"{texts[k]!r} may be {value} or {other}"
    return own, {"ask": asked(what, line(own[0]), line(rival[0]))}


def as_numbers(counts, given, hints):
    """The field of a column of numbers, perhaps with what to ask; None if it is none.

    `counts` are the cells of each text, `given` what is known of the field, and `hints` what other
    columns tell.
    """
    texts, weights = pd.Series(counts.index, dtype="str"), counts.to_numpy()
    enough = 0 if "type" in given else (1 - ODD_SHARE) * weights.sum()
    # nothing but signs stands before a number
    begun = np.asarray(pa.compute.match_substring_regex(pa.array(texts), r"^\W*\pN"), dtype=bool)
    if 2 * weights[begun].sum() < enough:
        return None
    names = _names_among(texts) & (enough > 0)
    limits = texts.str.match("[<>\u2264\u2265~\u2248]").to_numpy(dtype=bool)
    if weights[names].sum() > weights.sum() - enough or 2 * weights[limits].sum() > weights.sum():
        if enough:  # 01067 is a name, and <65 and >=65 are two groups
            return None
    found = _best_numbers(texts, weights, given)
    mark = hints.get("decimalChar")  # settles what may be one here; it never makes thousands
    usual = [r for r in found if (r[0]["decimalChar"], r[0]["groupChar"]) == (mark, "")]
    (field, values), more = _decided(found, usual, texts, "{:.12g}".format, _mark_of)
    unread = np.isnan(values)
    if weights[~unread].sum() < enough:
        plain = numbers({**field, "bareNumber": True}, texts)
        return _words_among(counts, unread, len({*plain[~np.isnan(plain)]}), "numbers")
    if "ask" in more:
        return {"type": "number", **more}
    if names.any():
        what = f"{texts[names].iloc[0]!r} may be a number or a name"
        return {"type": "any", "ask": asked(what, {"type": "number"}, {"type": "string"})}
    if clock := as_clock(values[~unread], given):
        return clock
    marked = texts[~unread].str.contains(field["decimalChar"], regex=False).any()
    unused = {} if marked else {"decimalChar"}
    return {k: v for k, v in field.items() if v != "" and k not in unused} | more


def as_clock(kinds, given):
    """What to ask of different numbers that may all be moments from 2000 to today; None of others.

    Hardly anything else that is measured keeps within so narrow a range so far from nought.
    """
    if len(kinds) < FEWEST_DAYS or "type" in given or "role" in given:
        return None
    for what, (of_a_day, start) in CLOCKS.items():
        days_of = np.asarray(kinds, dtype=np.float64) / of_a_day + start
        if days_of.min() >= DAYS_OF_2000 and days_of.max() <= _tomorrow():
            said = f"{kinds[0]:.15g} may be a number, or count {what} ({_in_words(days_of[0])})"
            ways = {"type": "number"}, {"type": "number", "role": "time"}
            return {"type": "any", "ask": asked(said, *ways)}
    return None


def births_among(kinds):
    """What to say of sorted numbers that may be days of births as spreadsheets count them, or None.

    They are whole, of the last hundred years, and not round.
    """
    days_of = kinds + CLOCKS["days as spreadsheets count them"][1]
    within = days_of[0] > _tomorrow() - 36_525 and days_of[-1] <= _tomorrow()
    round_ones = (kinds % 10 == 0).mean()
    if len(kinds) < FEWEST_DAYS or not within or (kinds % 1).any() or round_ones > ROUND_SHARE:
        return None
    span = f"{_in_words(days_of[0])} to {_in_words(days_of[-1])}"
    line = asked("if it does", {"type": "number", "role": "time"})
    return f"may count days as spreadsheets do ({span}): {line}"


def _tomorrow():
    """Days since 1970."""
    return date.today().toordinal() - date(1970, 1, 1).toordinal() + 1


def _names_among(texts):
    """Which texts of digits are names as often as numbers."""
    names = texts.str.contains(NAMES).to_numpy(dtype=bool)
    if texts.str.contains("[.,]").any():  # then 1e3 is a number
        names = names & ~texts.str.contains("[eE]").to_numpy(dtype=bool)
    return names


def _best_numbers(texts, weights, given):
    """The readings as numbers that take most cells: plainly, or with signs of limits and a unit."""
    readings = [(field, numbers(field, texts)) for field in _marked(texts, given)]
    found = best_of(readings, weights)
    if not np.isnan(found[0][1]).any() or given.get("bareNumber") or "unit" in given:
        return found
    fields = [_dressed(field, texts) for field, _ in readings]
    return best_of([*readings, *((f, numbers(f, texts)) for f in fields)], weights)


def _marked(texts, given):
    """Fields of number formats: the marks that stand in some texts, as far as none is given."""
    shown = texts if texts.str.isascii().all() else texts.map(lambda text: text.translate(SIGNS))
    marks = [mark for mark in ".,' " if shown.str.contains(mark, regex=False).any()]
    decimals = [given["decimalChar"]] if "decimalChar" in given else ".,"
    groups = [given["groupChar"]] if "groupChar" in given else ["", *marks]
    kept = {"type": "number"} | {k: given[k] for k in ("type", "bareNumber", "unit") if k in given}
    commas = "," in marks or "decimalChar" in given  # else one reads no more than a point
    return [
        {**kept, "decimalChar": d, "groupChar": g}
        for g in groups for d in decimals if d != g and (g or commas or d == ".")
    ]  # fmt: skip


def _mark_of(field):
    """The property that settles a number format."""
    key = "groupChar" if field["groupChar"] else "decimalChar"
    return {key: field[key]}


def _dressed(field, texts):
    """The field with signs of a limit allowed, and the unit that stands behind numbers, if one."""
    field = {**field, "bareNumber": False}
    rest = texts[np.isnan(numbers(field, texts))]
    pattern = number_pattern(field["decimalChar"], field["groupChar"])
    behind = rest.str.extract(rf"^{LIMIT}(?:{pattern})\s*({UNIT}|{MONEY})$")[0]
    units = behind.fillna(rest.str.extract(rf"^{LIMIT}({MONEY})\s*(?:{pattern})$")[0]).dropna()
    units = sorted({*units[~units.str.match("[dDeE][+-]?[0-9]")]})  # exponents are no units
    alike = len({unit.casefold() for unit in units}) == 1
    return field | ({"unit": units} if alike else {})


def _words_among(counts, unread, n_values, what):
    """What to ask where few words stand among numbers or dates; None where it is another column."""
    words = counts[unread]
    if 2 * words.sum() > counts.sum() or len(words) > FEW_WORDS or n_values < 2 * len(words):
        return None
    shown = ", ".join(f"{word!r} ({n})" for word, n in words.items())
    share = 1 - words.sum() / counts.sum()
    said = f"{share:.0%} of the cells are {what}, the others {shown}; if that means missing"
    codes = {"missingValues": ["", *words.index]}
    ask = asked(said, codes, {"type": "string"})
    return {"type": "any", "ask": f"{ask} (or --missing 'COLUMN={words.index[0]}')"}


def asked(what, *ways):
    """A sentence that says what is open, and the lines of the schema that settle it."""
    told = [json.dumps(way, ensure_ascii=False)[1:-1] for way in ways]
    return f"{what}: write {' or '.join(told)} into this field"


# ---------------------------------------------------------------- dates


def as_dates(counts, given, hints):
    """The field of a column of dates, perhaps with what to ask; None if it is none."""
    texts, weights = pd.Series(counts.index, dtype="str"), counts.to_numpy()
    enough = 0 if "type" in given else (1 - ODD_SHARE) * weights.sum()
    if 2 * weights[texts.str.contains("[0-9]").to_numpy(dtype=bool)].sum() < enough:
        return None
    shapes = texts.str.replace(r"\d", "9", regex=True).unique()
    if len(shapes) > 1000:
        return None
    if given.get("format", "any") not in ("any", "default"):
        kind = given.get("type", _kind_of(given["format"]))
        fields = [{"type": kind} | {k: given[k] for k in given if k in FORMATS}]
    else:
        fields = [f for f in (_formats(shapes, order) for order in ("dmy", "mdy", "ymd")) if f]
    readings = [(field, days(field, texts)) for field in fields]
    if not readings:
        return None
    found = best_of(readings, weights)
    if weights[~np.isnan(found[0][1])].sum() < enough and len(readings) > 1:
        # each cell by what reads it; what both orders read differently is not read
        formats = [f for field in fields for f in (field["format"], *field["otherFormats"])]
        formats = list(dict.fromkeys(formats))
        both = {**fields[0], "format": formats[0], "otherFormats": formats[1:]}
        any_way = ~np.isnan([values for _, values in readings]).all(axis=0)
        if weights[any_way].sum() >= enough:
            return _with_century(both, texts, given)
    if len(found) > 1 and "%y" in str(found):
        # 21/12/31: the days of a month, taken for years, spread over a generation
        found = sorted(found, key=lambda reading: _span(reading[1]))
        found = found[:1] if 5 * _span(found[0][1]) < _span(found[1][1]) else found
    wanted = _formats(shapes, hints["order"]) if "order" in hints else None
    usual = [reading for reading in found if reading[0] == wanted]
    (field, values), more = _decided(found, usual, texts, _in_words, _formats_of)
    unread = np.isnan(values)
    if weights[~unread].sum() < enough:
        return _words_among(counts, unread, len({*values[~unread]}), "dates")
    if "ask" in more:
        return {"type": field["type"], **more}
    if "format" not in given and (swapped := _swapped(field, texts)):
        return swapped
    return _with_century(field, texts, given) | more


def _swapped(field, texts):
    """What to ask where all days up to 12 are written in one way, and all later ones in another.

    A spreadsheet that took days for months leaves such a column: it turned what could be a date.
    """
    early, late = [], []
    for form in (field["format"], *field["otherFormats"]):
        own = pd.to_datetime(texts, format=form, errors="coerce", utc=True).dropna()
        first, last = own.dt.day.min(), own.dt.day.max()
        if len(own) >= FEWEST_OF_A_FORM and first < last:
            early += [texts[own.index[0]]] if last <= 12 else []
            late += [texts[own.index[0]]] if first > 12 else []
    if not early or not late:
        return None
    said = (
        f"dates written as {early[0]!r} all lie in the first 12 days of a month, and those as "
        f"{late[0]!r} in none, as where a spreadsheet took days for months; correct them, or if "
        "they are right"
    )
    return {"type": "any", "ask": asked(said, _formats_of(field))}


def _formats_of(field):
    """The properties that settle how dates are written."""
    return {key: field[key] for key in FORMATS if field.get(key)}


def as_digits(counts):
    """The field of dates of digits alone, as 20211231, 311221 or 202112; None if it is another.

    So many different measurements of six or seven digits are not all dates by chance.
    """
    texts, weights = pd.Series(counts.index, dtype="str"), counts.to_numpy()
    size, *others = texts.str.len().unique() if len(texts) else [0]
    if size not in DIGITS or others or not texts.str.fullmatch("[0-9]+").all():
        return None
    enough = weights.sum()
    if size >= 8 and texts.str.match("(19|20|21)|[0-9]{4}(19|20|21)").all():
        enough *= 1 - ODD_SHARE
    elif size >= 8 or len(texts) < FEWEST_DAYS:
        return None
    readings = []
    for order in DIGITS[size]:
        field = {"type": _kind_of(order), "format": order}
        values = days(field, texts)
        likely = (values > DAYS_OF_1900) & (values < DAYS_OF_2200)
        readings.append((field, np.where(likely, values, np.nan)))
    found = best_of(readings, weights)
    if weights[~np.isnan(found[0][1])].sum() < enough:
        return None
    (field, _), more = _decided(found, [], texts, _in_words, _formats_of)
    return {"type": field["type"], **more} if more else _with_century(field, texts, {})


def _span(values):
    return np.nanmax(values) - np.nanmin(values)


def _in_words(number):
    """The day of a number of days since 1970."""
    day = pd.Timestamp("1970-01-01") + pd.to_timedelta(number, unit="D")
    return f"{day.day} {day:%B %Y}"


def _with_century(field, texts, given):
    """The field with the years that two digits mean; both centuries where either may be meant."""
    formats = [field["format"], *field.get("otherFormats", ())]
    field = {k: v for k, v in field.items() if v}
    if "firstYear" in given or "%y" not in " ".join(formats):
        return field
    last = date.today().year
    field["firstYear"] = last - 99
    early = pd.Series(days(field, texts)).dropna() < DAYS_OF_2000
    if early.any() and not early.all():
        field["firstYear"] = [1900, last - 99]
    return field


def _formats(shapes, order):
    """The field of dates whose parts stand in an order, by what some texts look like; or None."""
    found = list(dict.fromkeys(f for shape in shapes if (f := _format(shape, order))))
    if not found:
        return None
    return {"type": _kind_of(" ".join(found)), "format": found[0], "otherFormats": found[1:]}


def _kind_of(form):
    """The type of what a format, or several, reads."""
    dated, timed = re.search("%[Yy]", form), re.search("%[HI]", form)
    if dated and timed:
        return "datetime"
    return "time" if timed else "date" if re.search("%[dj]", form) else "yearmonth"


def _format(shape, order):
    """The format, as of strptime, of a text that looks so; None if it is no date."""
    ways = (*SHAPES[order], re.compile(TIME))
    match = next(filter(None, (way.fullmatch(shape) for way in ways)), None)
    if match is None:
        return None
    parts = [(match.span(name), name) for name, part in match.groupdict().items() if part]
    for (start, end), name in sorted(parts, reverse=True):
        shape = f"{shape[:start]}%{name}{shape[end:]}"
    return shape.replace("%H", "%I") if "%p" in shape else shape
