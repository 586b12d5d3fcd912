"""What a column may be used for: attribute, or why not; and what looks odd in it."""

import re

import numpy as np
import pandas as pd

from .convert import DATES, LIMIT, NUMBERS, is_category, loosely, numbers, read_plain
from .notation import DAYS_OF_2200, NAMES, UNIT, asked, births_among
from .outcome import PLAINLY
from .schema import OTHER_TYPES

#: Codes for missing that are as often a word: missing only where the same table writes them for a
#: number.
DOUBTFUL = {"NA", "None"}
#: Fewest known cells of an attribute.
FEWEST_KNOWN = 5
#: Greatest size of a number, and inverse of the least range of an attribute.
LARGEST = 1e30
#: Share of distinct values from which a column may be an identifier, of so many records at least.
DISTINCT_SHARE = 0.95
FEWEST_NAMED = 20
#: Records that would share a number by chance, were it a measurement.
BY_CHANCE = 5
#: Digits that no measurement has.
MANY_DIGITS = 1e7

NESTED = "its cells hold lists or bytes; make columns of single values from it"
#: Categories from which it is told that they look like numbers.
MANY_CATEGORIES = 10
#: A number that stands in brackets, quotes or a formula, or has a mark behind.
DRESSED = r"[='\"(+-]* ?\d[\d.,]*[)'\"*+-]*"
#: Dates as a spreadsheet shows them that it makes of 3-5.
SHORT_DATES = ("%d-%b", "%b-%y")
#: Numbers that are codes in many tables: 9, 99, 888, -99.9.
CODE = re.compile(r"-?([789])\1*(\.\1+)?")
#: Days since 1970 between which most dates in records of health lie: 1800 to 2200.
EARLIEST, LATEST = -62_091, DAYS_OF_2200

A_TIME = (
    "it holds times of day; make a number of it that is known in time, or keep it (hours since "
    "midnight)"
)
A_DATE = (
    "it holds dates; make a number of it that is known in time, such as days since a start, or "
    "keep it (days since 1970)"
)


def is_nested(cells):
    """Whether cells hold lists, records or bytes."""
    if not (cells.dtype == object or isinstance(cells.dtype, pd.ArrowDtype)):
        return False
    seen = cells.dropna()
    inside = pd.api.types.infer_dtype(seen)
    return inside == "bytes" or bool(seen.map(pd.api.types.is_list_like).any())


def standing(field, cells, codes):
    """The field with its role, why, codes for missing, how sure it is, and notes.

    `cells` are plain; `codes` may mean missing, true for those that were named for this column.
    """
    if field["type"] in OTHER_TYPES:
        unread = f"its type is {field['type']}, which is not read"
        seen = cells.mask(cells.isin(field.get("missingValues", [])))
        why = unusable(seen)[1] if seen.isna().all() else unread
        return {"role": "left out", "why": why} | field | {"sure": "yes"}
    gone = field.get("missingValues", [""])
    notes = [f"{field['name']!r}: {note}" for note in field.get("notes", ())]
    field = {key: value for key, value in field.items() if key != "notes"}
    if field["type"] in NUMBERS:
        gone, said = _with_codes(field, gone, cells, codes)
        notes, field = notes + said, {**field, "missingValues": gone}
    values, unread = read_plain(field, cells)
    if field["type"] == "string" and not field.get("categories"):
        unread &= False
    role, why = (field["role"], "") if "role" in field else _use(field, cells, values)
    notes += _unread_notes(field, cells[unread], cells)
    if field["type"] in NUMBERS and role == "attribute":
        notes += _number_notes(field["name"], values.dropna().to_numpy())
    if field["type"] in DATES:
        notes += _date_notes(field, cells, values)
    for error in [code for code in gone if code.startswith("#")]:
        n = (cells == error).sum()
        said = f"{field['name']!r} has {n} cells {error}, where a formula has failed"
        notes.append(f"{said}: they are missing.")
    if field["type"] == "string":
        notes += _text_notes(field["name"], field, cells)
    n = cells.notna().sum()
    sure = f"all but {unread.sum()} of {n} cells" if unread.any() else "yes"
    found = {"missingValues": gone, "role": role} | ({"why": why} if why else {}) | field
    return found | {"sure": sure} | ({"notes": notes} if notes else {})


# ---------------------------------------------------------------- roles


def _use(field, cells, values):
    """The role of a column, and why it is no attribute."""
    if field["type"] == "string" and not field.get("categories"):
        return _use_of_texts(cells[~cells.isin(field.get("missingValues", []))].dropna())
    if why := unusable(values)[1]:
        return "left out", why
    if field["type"] in DATES:
        return "time", A_TIME if field["type"] == "time" else A_DATE
    if field["type"] in NUMBERS and numbers_records(values.dropna().to_numpy()):
        return "identifier", "it numbers the records; delete it, or keep it"
    return "attribute", ""


def unusable(values):
    """What values are that can be no attribute, and why; or nothing twice."""
    seen = values.dropna()
    if seen.empty:
        return "empty", "it has no value at all; delete it"
    if len(seen) < FEWEST_KNOWN:
        return "empty", f"only {len(seen)} of its cells are known: too few; delete it"
    if (seen == seen.iloc[0]).all():
        more = "; if its empty cells mean something, such as no, write that into them"
        more *= len(seen) < len(values)
        return "constant", f"it has one value throughout, which tells nothing{more}"
    if not is_category(seen) and (seen.abs().max() > LARGEST or np.ptp(seen) < 1 / LARGEST):
        reason = f"its values run from {seen.min():g} to {seen.max():g}; give it another unit"
        return "number", f"{reason}, or take logarithms"
    return "", ""


def kind_of(field, values):
    """What a column is, in a word or two; `values` are None where its type is not read."""
    if values is None:
        return "empty" if "no value" in field["why"] else "nested"
    if field["role"] in ("identifier", "person"):
        return "identifier"
    if field["role"] == "time":
        return "date"
    if field["type"] == "string" and not field.get("categories"):
        return "free text"
    plainly = "number" if not is_category(values) else "category"
    if is_category(values) and values.cat.ordered:
        plainly = "ordered"
    elif is_category(values) and values.nunique() == 2:
        plainly = "yes/no"
    return unusable(values)[0] or plainly


def numbers_records(seen):
    """Whether whole numbers name records: hardly two are alike, and no measurement is so.

    They count up, rise or fall with the rows, have more digits than a measurement, or all differ
    though chance would make pairs: n draws from a range R make about n(n - 1) / 2R.
    """
    n = len(seen)
    if n < FEWEST_NAMED or any((part != np.round(part)).any() for part in (seen[:100], seen)):
        return False
    kinds = np.unique(seen)
    steps, digits = np.diff(seen), np.abs(kinds)
    if digits.min() >= 2**53:  # beyond what a number tells apart
        return True
    if len(kinds) < DISTINCT_SHARE * n:
        return False
    differ = len(kinds) == n
    return bool(
        (np.diff(kinds) == 1).mean() > 0.98
        or (differ and ((steps > 0).all() or (steps < 0).all()))
        or (digits.min() >= MANY_DIGITS and (digits % 100 != 0).mean() > 0.9)
        or (differ and n * (n - 1) / (2 * (kinds[-1] - kinds[0])) > BY_CHANCE)
    )


def _use_of_texts(texts):
    """The role of a column of texts that are too many for categories."""
    texts = texts.astype("str")
    if texts.empty:
        return "left out", unusable(texts)[1]
    n, values = len(texts), texts.nunique()
    if cure := _numbers_within(texts.drop_duplicates().iloc[:1000]):
        return "left out", cure
    if n >= FEWEST_NAMED and values >= DISTINCT_SHARE * n:
        if texts.str.len().mean() > 30 or texts.str.contains(" ").mean() > 0.9:
            return "left out", "it is free text; make categories of it"
        return "identifier", "it names the records; delete it"
    return "left out", f"it has {values} different texts; make fewer categories of it"


def _numbers_within(kinds):
    """What to do about texts that hold numbers in several units, or two numbers each."""
    number = r"[+-]?\d+(?:[.,]\d+)?"
    if kinds.str.fullmatch(rf"{number} ?[^\w\s.,:] ?{number}").mean() > 0.9:
        return f"each cell holds two numbers, as {kinds.iloc[0]!r} does: make two columns of them"
    if kinds.str.fullmatch(r"\d+:[0-5]\d(:[0-5]\d)?").mean() > 0.9:
        return f"its cells are spans of time, as {kinds.iloc[0]!r} is: make one number of each"
    found = kinds.str.extract(rf"^({LIMIT}{number})\s*({UNIT})?$")
    units = found[1].fillna("none")
    if found[0].notna().mean() > 0.9 and 1 < units.nunique() < len(kinds) / 5:
        shown = ", ".join(map(repr, units.value_counts().index[:4]))
        return f"its numbers have different units ({shown}): write them in one unit"
    dressed = kinds.str.fullmatch(DRESSED) & ~kinds.str.isdecimal()
    plainly = kinds.str.contains(r"\d[.,]\d") & ~kinds.str.contains(r"[^\W\d_]")
    if (dressed | plainly).mean() > 0.9:
        odd = kinds[~kinds.str.fullmatch(number)]
        shown = (odd if len(odd) else kinds).iloc[0]
        return f"its numbers are written as {shown!r} is, which is not read: write them plainly"
    return ""


# ---------------------------------------------------------------- what looks odd


def _with_codes(field, gone, cells, codes):
    """Codes for missing of a column of numbers with those that fit, and what to say of them."""
    notes, name = [], field["name"]
    for code, alone in codes.items():
        number = numbers({"type": "number"}, pd.Series([code], dtype="str"))[0]
        values, _ = read_plain({**field, "missingValues": gone}, cells)
        hits, rest = values == number, values[values != number]
        if code in gone or not hits.any():
            continue
        if alone or not rest.min() <= number <= rest.max():
            gone = [*gone, code]
            notes.append(f"{name!r} is {code} in {hits.sum()} records, which counts as missing.")
        else:
            notes.append(
                f"{name!r} is {code} in {hits.sum()} records, a number among others, and stays so; "
                f"if that means missing, {_missing(name, code)}."
            )
    return gone, notes


def _missing(name, code):
    """How to say that a code means missing."""
    return f'write "missingValues": ["", "{code}"] into this field (--missing \'{name}={code}\')'


def _unread_notes(field, odd, cells):
    """Sentences on cells that are not read, and on what was taken off those that are."""
    name, notes = field["name"], []
    shown = ", ".join(map(repr, odd.value_counts().index[:3]))
    n = len(odd)
    if n and field["type"] in NUMBERS and pd.api.types.is_numeric_dtype(odd.dtype):
        notes.append(f"{name!r} has {n} infinite cells, which count as missing.")
    elif n and field["type"] in NUMBERS:
        said = f"{n} cells are none ({shown}) and count as missing"
        notes.append(f"{name!r} is read as a number; {said}.")
    elif n and field["type"] in DATES:
        of_day = field["type"] == "time"
        said = f"{n} cells are no {'time' if of_day else 'day'}, or may be one of several ({shown})"
        said += ", and count as missing"
        line = '; settle it by one "format"' if field.get("otherFormats") else ""
        line += '; settle it by one "firstYear"' if "firstYear" in field else ""
        notes.append(f"{name!r} is read as a {'time of day' if of_day else 'date'}; {said}{line}.")
    elif n:
        notes.append(f"{name!r} has {n} cells of no category ({shown}), which count as missing.")
    if isinstance(first := field.get("firstYear"), int):
        notes.append(f"Years of two digits in {name!r} mean {first} to {first + 99}.")
    if field.get("bareNumber") is False:
        counts = cells.dropna().astype("str").value_counts()
        texts = counts.index.to_series()
        plainly, dressed = (numbers({**field, "bareNumber": bare}, texts) for bare in (True, False))
        dressed = counts[np.isnan(plainly) & ~np.isnan(dressed)]
        shown = ", ".join(map(repr, dressed.index[:3]))
        said = (
            f"{dressed.sum()} cells hold a number and a sign ({shown}), of which the number counts"
        )
        notes.append(f"{name!r} is read as a number; {said}.")
    return notes


def _number_notes(name, seen):
    """Sentences on numbers that look like codes, for missing or for things."""
    kinds, counts = np.unique(seen, return_counts=True)
    notes = [
        f"{name!r} is {code:.15g} in {hits} records, far from its other values ({low:g} to "
        f"{high:g}): if that means missing, {_missing(name, f'{code:.15g}')}."
        for code, hits, low, high in _apart(kinds, counts)
    ]
    whole = (kinds == np.round(kinds)).all() and kinds[0] >= 100 and len(kinds) <= len(seen) / 10
    if whole and not notes and 2 < len(kinds) <= 30 and len({*np.diff(kinds)}) > 1:
        shown = ", ".join(f"{kind:.15g}" for kind in kinds[:3])
        said = f"{name!r} has {len(kinds)} different numbers ({shown} ...), read as measured"
        notes.append(f"{said}; if they are names, {asked('say so', {'type': 'string'})}.")
    if len(kinds) and (said := births_among(kinds)):
        notes.append(f"{name!r} {said}.")
    return notes


def _date_notes(field, cells, values):
    """Sentences on days that look like codes, such as 9999-12-31."""
    kinds, counts = np.unique(values.dropna().to_numpy(), return_counts=True)
    notes = []
    for code, hits, *_ in _apart(kinds, counts):
        shown = str(cells[values == code].iloc[0])
        said = f"{field['name']!r} is {shown!r} in {hits} records, far from its other days"
        notes.append(f"{said}: if that means missing, {_missing(field['name'], shown)}.")
    middle = kinds[len(kinds) // 2] if len(kinds) and field["type"] != "time" else 0
    if not EARLIEST <= middle <= LATEST:
        said = f"{field['name']!r} holds days such as {str(cells[values == middle].iloc[0])!r}"
        notes.append(f"{said}, read by our calendar: if they are of another, convert them first.")
    return notes


def _apart(kinds, counts):
    """Whole numbers at the ends of others, again and again and far away; and the others' ends."""
    for _ in range(3):  # codes may stand side by side, as 98 and 99
        for k in (0, len(kinds) - 1):
            code, rest = kinds[k], np.delete(kinds, k)
            hits = counts[k] / np.median(np.delete(counts, k)) if len(rest) else 0
            if counts[k] > 1 and len(rest) > 1 and _is_apart(code, rest, hits):
                yield code, counts[k], rest[0], rest[-1]
                kinds, counts = rest, np.delete(counts, k)
                break
        else:
            return


def _is_apart(code, rest, hits):
    """Whether a number stands far from sorted others, each of which is found once in its `hits`."""
    if CODE.fullmatch(f"{code:.15g}") and _is_beyond(code, rest, hits):
        return True
    if code != round(code):
        return False
    low, high = rest[0], rest[-1]
    if code == 0 and low > 0:  # as in tables of glucose or weight
        return len(rest) >= 10 and low > 5 * np.median(np.diff(rest[:20]))
    below = code < low - (high - low) / 2 - 1 or code < 0 <= low
    return below or code > high + max(2, (high - low) * (1 if len(rest) >= 10 else 2))


def _is_beyond(code, rest, hits):
    """Whether a usual code leaves a gap to numbers that are none, and is too frequent for one."""
    near = rest[:1000] if code < rest[0] else rest[-1000:]
    plain = np.array([value for value in near if not CODE.fullmatch(f"{value:.15g}")])
    if len(plain) < 2 or (len(plain) >= 10 and hits < 3):
        return False
    others = np.append(rest, code)  # 7, 8 and 9 go on from 0 to 6
    beyond = others - plain[-1] if code > plain[-1] else plain[0] - others
    return beyond[beyond > 0].min() >= 3 * np.median(np.diff(plain))


def _text_notes(name, field, cells):
    """Sentences on words that may mean missing, on spellings, and on digits taken for names."""
    notes, counts = [], cells.value_counts() if field.get("categories") else {}
    for word in sorted(DOUBTFUL & {*counts.keys()}):
        if word in field["missingValues"]:
            said = "counts as missing, as among the numbers of this table; if it is a category, "
            said += 'write "missingValues": [""] into this field'
        else:
            said = f"is taken for a category; if it means missing, {_missing(name, word)}"
        notes.append(f"{word!r} in {counts[word]} cells of {name!r} {said}.")
    groups = {}
    for text in counts.keys():
        groups.setdefault(loosely(str(text)), []).append(text)
    alike = [group for group in groups.values() if len(group) > 1]
    for first, *others in alike[:3]:
        notes.append(
            f"{name!r} has {first!r} also as {', '.join(map(repr, others))}: write them alike."
        )
    texts = pd.Series([*map(str, counts.keys())], dtype="str")
    words = {*texts.str.casefold()}
    if len(words) > 2 and words <= PLAINLY | {"0", "1"}:
        shown = ", ".join(map(repr, texts[:4]))
        notes.append(f"{name!r} says yes and no in several ways ({shown}): write them alike.")
    if len(texts) >= MANY_CATEGORIES and (cure := _numbers_within(texts)):
        notes.append(f"{name!r} is taken for {len(texts)} categories, though {cure}.")
    shorts = [pd.to_datetime(texts, format=form, errors="coerce") for form in SHORT_DATES]
    if len(made := texts[shorts[0].notna() | shorts[1].notna()]):
        said = f"{name!r} has {made.iloc[0]!r}, which a spreadsheet may have made of two numbers"
        notes.append(f"{said}, such as 3-5: look up what was meant.")
    named = texts[texts.str.contains(NAMES) & ~np.isnan(numbers({"type": "number"}, texts))]
    if len(named):
        said = f"{name!r} holds {named.iloc[0]!r}, which is read as a name"
        notes.append(f"{said}; if it is a number, {asked('say so', {'type': 'number'})}.")
    return notes
