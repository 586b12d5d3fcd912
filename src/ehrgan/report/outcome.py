"""The outcome of a table: which values are its two classes."""

import json

import numpy as np
import pandas as pd

from .convert import categories_of, label, read
from .errors import ReportError

#: Fewest records of a class, and most classes.
FEWEST = 10
MOST_CLASSES = 10

YES = set(
    "1 yes y true t died dead death deceased positive pos case malignant ill disease diseased sick "
    "event relapse recurrence present abnormal ja oui si sí sim да".split()
)
NO = set(
    "0 no n false f alive survived survivor negative neg control benign healthy well none absent "
    "normal nein non nao não нет".split()
)

#: Words that answer a question, so that a third beside them answers none.
PLAINLY = set(
    "yes y true t ja oui si sí sim tak da да так ναι evet نعم כן हाँ 是 はい 有 예 "
    "no n false f nein non nao não nie ne nee nej нет ні όχι hayır لا לא नहीं 否 いいえ 无 無 "
    "아니요".split()
)


def outcome_of(field, cells, positive, decided, notes):
    """Which records have an outcome, the numbers of their classes, and the classes' names.

    Of two classes, and where `positive` is held against all others, number 1 is the positive one.
    `decided` says that every value is a class, however many there are.
    """
    name = field["name"]
    known, labels = labels_of(field, cells)
    labels = _one_spelling(name, labels, notes)
    counts = labels.value_counts()
    _refuse_outcome(name, counts, positive, decided)
    if not known.all():
        notes.append(f"{(~known).sum()} records have no {name!r} and are left out.")
    if len(counts) > 2 and positive is None:
        classes = tuple(_in_order(field, counts.index))
        shown = ", ".join(f"{c!r} ({counts[c]})" for c in classes)
        notes.append(f"{len(classes)} classes are told apart, each against the others: {shown}.")
    else:
        chosen, why = _positive(name, counts, positive)
        others = [value for value in counts.index if value != chosen]
        classes = others[0] if len(others) == 1 else f"not {chosen}", chosen
        n = counts[chosen]
        notes.append(f"The positive class is {chosen!r} ({n} of {len(labels)} records): {why}.")
    y = numbered(labels, classes)
    _refuse_few(name, y, classes)
    return known, y, classes


def labels_of(field, cells):
    """Which records have an outcome, and its names as text."""
    values, _ = read(field, cells)
    known = values.notna().to_numpy()
    shown = values[known].map(
        lambda value: label(value) if isinstance(value, str) else f"{value:.15g}"
    )
    return known, shown.astype(object)


def numbered(labels, classes):
    """Number of each label's class, -1 where it is none; all are "not A" but A."""
    places = {name.casefold(): k for k, name in enumerate(classes)}
    is_rest = len(classes) == 2 and classes[0] == f"not {classes[1]}"
    found = labels.str.casefold().map(places).fillna(0 if is_rest else -1)
    return found.to_numpy(dtype=np.int64)


def _in_order(field, values):
    """Names of classes as the schema orders them, else numbers by size and words by letters."""
    told = [shown for shown, _ in categories_of(field)] if field["type"] == "string" else []
    if {*values} <= {*told}:
        return [name for name in told if name in values]
    numbers = pd.to_numeric(pd.Series(values, dtype=object), errors="coerce")
    return [values[k] for k in (numbers if numbers.notna().all() else pd.Series(values)).argsort()]


def _refuse_few(name, y, classes):
    """Refuse a class of too few records."""
    sizes = np.bincount(y, minlength=len(classes))
    if sizes.min() < FEWEST:
        shown = ", ".join(f"{n} {c!r}" for n, c in zip(sizes[::-1], classes[::-1], strict=True))
        rarest = "rarer class" if len(classes) == 2 else "rarest class, which may be a slip,"
        raise ReportError(
            f"outcome {name!r} has {sizes.min()} records of its {rarest} ({shown}): at least "
            f"{FEWEST} are needed, and fifty or more for an answer that is worth having"
        )


def _one_spelling(name, labels, notes):
    """Labels with the commonest spelling of those that differ in upper and lower case alone."""
    values = labels.value_counts().index.to_series()
    spellings = values.groupby(values.str.casefold().to_numpy(), sort=False).agg(list)
    spellings = [group for group in spellings if len(group) > 1]
    for first, *others in spellings:
        notes.append(f"{name!r} has {first!r} also as {', '.join(map(repr, others))}: one class.")
    return labels.replace({other: first for first, *others in spellings for other in others})


def _refuse_outcome(name, counts, positive, decided):
    """Refuse an outcome whose classes cannot be told, or may be fewer than its values."""
    if len(counts) == 0:
        raise ReportError(f"outcome {name!r} has no value at all: name another column")
    if len(counts) == 1:
        raise ReportError(f"outcome {name!r} is {counts.index[0]!r} throughout: two are needed")
    if len(counts) == 2 or positive is not None:
        return
    words = [value.casefold() for value in counts.index]
    are_numbers = pd.to_numeric(pd.Series(words, dtype=object), errors="coerce").notna().all()
    if are_numbers and len(counts) > MOST_CLASSES:
        raise ReportError(
            f"outcome {name!r} has {len(counts)} different numbers, so it looks like a "
            "measurement: make a column of two classes from it, such as 1 where it is above a limit"
        )
    is_pair = sum(word in YES for word in words) == 1 == sum(word in NO for word in words)
    may_be_fewer = are_numbers or is_pair or not PLAINLY.isdisjoint(words)
    if len(counts) <= MOST_CLASSES and (decided or not may_be_fewer):
        return
    shown = ", ".join(f"{value!r} ({n})" for value, n in counts.iloc[:10].items())
    alike = [
        f"; if {a!r} and {b!r} are one class, write them alike"
        for a in counts.index for b in counts.index
        if a != b and b.casefold().startswith(a.casefold()) and not are_numbers
    ]  # fmt: skip
    rare, line = counts.index[-1], json.dumps([*counts.index], ensure_ascii=False)
    several = f'; if each is a class, write "type": "string", "categories": {line} into its field '
    several = f"{several}of the schema" if len(counts) <= MOST_CLASSES else ""
    raise ReportError(
        f"outcome {name!r} has {len(counts)} classes: {shown}{''.join(alike[:3])}; say which is to "
        f"be told from all others, as in positive={rare!r} (--positive {rare!r}); if a rare one is "
        "a slip, correct it; if one of them means unknown, name it as a code for missing "
        f"(--missing '{name}={rare}'){several}"
    )


def _positive(name, counts, positive):
    """The value that is the positive class, and why it is."""
    if positive is not None:
        chosen = label(positive)
        same = [value for value in counts.index if value.casefold() == chosen.casefold()]
        chosen = same[0] if same else chosen
        if chosen not in counts.index:
            values = ", ".join(map(repr, counts.index[:20]))
            raise ReportError(f"positive {chosen!r} is no value of {name!r}, which has {values}")
        others = ", ".join(f"{value!r} ({n})" for value, n in counts.drop(chosen).iloc[:10].items())
        return chosen, "it was named" + (f", against {others}" if len(counts) > 2 else "")
    words = {value: value.casefold() for value in counts.index}
    yes = [value for value, word in words.items() if word in YES]
    no = [value for value, word in words.items() if word in NO]
    if set(words) == {"1", "2"}:  # many tables write 1 for the living and 2 for the dead
        yes = []
    if len(yes) == 1:
        return yes[0], "its name says so"
    if len(no) == 1:
        return next(value for value in words if value != no[0]), f"{no[0]!r} is the other"
    rarer = counts.index[-1]
    return rarer, "it is the rarer one, as the names do not tell; name another with positive"


def records_of(where, schema, table, classes):
    """Other records whose outcome is one of the classes.

    Parameters
    ----------
    where : str
        What the records are, for errors.
    schema : ehrgan.report.schema.Schema
        With the outcome.
    table : DataFrame
        The records as their file has them.
    classes : sequence of str
        Names of the classes.

    Returns
    -------
    rows : int ndarray
        Places of records of the classes.
    y : int ndarray
        The number of each one's class.
    notes : list of str
        How many records are left out, and why.

    Raises
    ------
    ReportError
        The outcome lacks, or a class has fewer than ten records.
    """
    (outcome,) = schema.named("outcome") or [None]
    if outcome is None or outcome not in table:
        raise ReportError(f"{where} lacks the outcome {outcome!r}: it needs that column")
    known, labels = labels_of(schema[outcome], table[outcome])
    y, notes = numbered(labels, classes), []
    strange = labels[y < 0].value_counts()
    shown = ", ".join(f"{name!r} ({n})" for name, n in strange.head(MOST_CLASSES).items())
    if not known.all():
        notes.append(f"{(~known).sum()} records of {where} have no {outcome!r} that can be read.")
    if shown:
        notes.append(f"{strange.sum()} records of {where} are of other classes: {shown}.")
    sizes = np.bincount(y[y >= 0], minlength=len(classes))
    if sizes.min() < FEWEST:
        raise ReportError(
            f"{where} has {sizes.min()} records of its rarest class "
            f"({sizes_in_words(y[y >= 0], classes)}): at least {FEWEST} of each are needed, under "
            f"these names{f'; its other names are {shown}' if shown else ''}"
        )
    return np.flatnonzero(known)[y >= 0], y[y >= 0], notes


def sizes_in_words(y, classes):
    """How many records each class has, such as ``40 'no', 12 'yes'``."""
    sizes = np.bincount(y, minlength=len(classes))
    return ", ".join(f"{n} {str(name)!r}" for n, name in zip(sizes, classes, strict=True))
