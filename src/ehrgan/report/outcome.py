"""The outcome of a table: which values are its two classes."""

import numpy as np
import pandas as pd

from .convert import label, read
from .errors import ReportError

#: Fewest records of the rarer class.
FEWEST = 10

YES = set(
    "1 yes y true t died dead death deceased positive pos case malignant ill disease diseased sick "
    "event relapse recurrence present abnormal ja oui si sí sim да".split()
)
NO = set(
    "0 no n false f alive survived survivor negative neg control benign healthy well none absent "
    "normal nein non nao não нет".split()
)


def outcome_of(field, cells, positive, notes):
    """Which records have an outcome, their classes, and the words for both."""
    name = field["name"]
    values, _ = read(field, cells)
    known = values.notna().to_numpy()
    shown = values[known].map(
        lambda value: label(value) if isinstance(value, str) else f"{value:.15g}"
    )
    labels = _one_spelling(name, shown.astype(object), notes)
    counts = labels.value_counts()
    _refuse_outcome(name, counts, positive)
    if not known.all():
        notes.append(f"{(~known).sum()} records have no {name!r} and are left out.")
    chosen, why = _positive(name, counts, positive)
    others = [value for value in counts.index if value != chosen]
    negative = others[0] if len(others) == 1 else f"not {chosen}"
    y = (labels == chosen).to_numpy(dtype=np.int64)
    rarer = min(y.sum(), len(y) - y.sum())
    if rarer < FEWEST:
        raise ReportError(
            f"outcome {name!r} has {rarer} records of its rarer class "
            f"({y.sum()} {chosen!r}, {len(y) - y.sum()} {negative!r}): at least {FEWEST} are "
            "needed, and fifty or more for an answer that is worth having"
        )
    notes.append(f"The positive class is {chosen!r} ({y.sum()} of {len(y)} records): {why}.")
    return known, y, (chosen, negative)


def _one_spelling(name, labels, notes):
    """Labels with the commonest spelling of those that differ in upper and lower case alone."""
    values = labels.value_counts().index.to_series()
    spellings = values.groupby(values.str.casefold().to_numpy(), sort=False).agg(list)
    spellings = [group for group in spellings if len(group) > 1]
    for first, *others in spellings:
        notes.append(f"{name!r} has {first!r} also as {', '.join(map(repr, others))}: one class.")
    return labels.replace({other: first for first, *others in spellings for other in others})


def _refuse_outcome(name, counts, positive):
    if len(counts) == 0:
        raise ReportError(f"outcome {name!r} has no value at all: name another column")
    if len(counts) == 1:
        raise ReportError(f"outcome {name!r} is {counts.index[0]!r} throughout: two are needed")
    if len(counts) == 2 or positive is not None:
        return
    numbers = pd.to_numeric(pd.Series(counts.index, dtype=object), errors="coerce").notna()
    if numbers.all() and len(counts) > 10:
        raise ReportError(
            f"outcome {name!r} has {len(counts)} different numbers, so it looks like a "
            "measurement: make a column of two classes from it, such as 1 where it is above a limit"
        )
    shown = ", ".join(f"{value!r} ({n})" for value, n in counts.iloc[:10].items())
    short = [
        (a, b) for a in counts.index for b in counts.index
        if a != b and b.casefold().startswith(a.casefold()) and not numbers.any()
    ]  # fmt: skip
    alike = "".join(f"; if {a!r} and {b!r} are one class, write them alike" for a, b in short[:3])
    rare = counts.index[-1]
    raise ReportError(
        f"outcome {name!r} has {len(counts)} classes: {shown}{alike}; say which is to be told from "
        f"all others, as in positive={rare!r} (--positive {rare!r}); if a rare one is a slip, "
        f"correct it; if one of them means unknown, name it as a code for missing "
        f"(--missing '{name}={rare}')"
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
        return chosen, "it was named" + (", against all others" if len(counts) > 2 else "")
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
