"""How the recommended method does on records of another place, or of a later time."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..scores.estimate import Estimate, signed
from .convert import tidy
from .drift import drift
from .errors import ReportError
from .fitting import fit_method, told_by
from .learned import AsLearned
from .outcome import FEWEST, records_of, sizes_in_words
from .performance import performance
from .unlike import unread_in_words

__all__ = ["Outside", "Records", "elsewhere", "later", "other_records", "past_and_later"]

#: Share of the records, in the order of time, that are the past, as nearly as moments part them.
PAST = 0.8


@dataclass(frozen=True, eq=False)
class Records:
    """Records of another place, read as those here are."""

    name: str
    X: pd.DataFrame
    y: np.ndarray
    groups: np.ndarray | None
    notes: list


@dataclass(frozen=True, eq=False)
class Outside:
    """What the recommended method does on records that are not of the kind it learned from.

    Parameters
    ----------
    name : str
        Which records these are.
    performance : DataFrame
        As :func:`~ehrgan.report.performance.performance` gives it.
    promised : tuple of float
        Between which AUCs as many records of the same kind would lie, 95 times in 100.
    words : list of str
        The findings in sentences, differences between the records among them.
    y, told : ndarray
        Class and probability of each record.
    groups : int ndarray, or None
        Records of one number belong to one person.
    """

    name: str
    performance: pd.DataFrame
    promised: tuple
    words: list
    y: np.ndarray
    told: np.ndarray
    groups: np.ndarray | None = None


def other_records(name, table, prepared):
    """Read records of another place by the schema of those here.

    Parameters
    ----------
    name : str
        What to call them.
    table : DataFrame
        As :func:`~ehrgan.report.reading.prepare` takes it, outcome included.
    prepared : ehrgan.report.reading.Prepared
        The records here.

    Returns
    -------
    Records

    Raises
    ------
    ReportError
        A column lacks, or a class has fewer than ten records there.
    """
    table, schema = tidy(table), prepared.schema
    rows, y, notes = records_of(f"external {name!r}", schema, table, prepared.classes)
    table = table.iloc[rows].reset_index(drop=True)
    try:
        X, unread = AsLearned(schema).fit(prepared.X).read(table)
    except ReportError as error:
        raise ReportError(str(error).replace("X lacks", f"external {name!r} lacks")) from None
    notes += unread_in_words(unread)
    persons = [name for name in schema.named("person") if name in table]
    groups = pd.factorize(table[persons[0]], use_na_sentinel=False)[0] if persons else None
    return Records(name, X, y, groups, notes)


def past_and_later(prepared):
    """Rows of the earlier four fifths of the records, and of the later ones of other persons.

    Raises
    ------
    ReportError
        If a class has fewer than ten records in either part.
    """
    when = prepared.time
    moments = np.unique(when[~np.isnan(when)])
    if len(moments) < 2:
        raise ReportError("time must hold two moments at least: all records are of one, or none")
    shares = np.searchsorted(np.sort(when[~np.isnan(when)]), moments[1:]) / np.sum(~np.isnan(when))
    cut = moments[1:][np.argmin(np.abs(shares - PAST))]
    past, after = when < cut, when >= cut
    if prepared.groups is not None:
        after &= ~np.isin(prepared.groups, prepared.groups[past])
    for part, rows in (("before", past), ("after", after)):
        sizes = np.bincount(prepared.y[rows], minlength=len(prepared.classes))
        if sizes.min() < FEWEST:
            shown = sizes_in_words(prepared.y[rows], prepared.classes)
            raise ReportError(
                f"time parts the records at four fifths, and {part} it a class has "
                f"{sizes.min()} records ({shown}): at least {FEWEST} of each are needed"
            )
    return np.flatnonzero(past), np.flatnonzero(after)


def elsewhere(report, other):
    """Score the recommended method, trained on all records here, on those of another place.

    Parameters
    ----------
    report : ehrgan.report.report.Report
        With the recommendation.
    other : Records
        From :func:`other_records`.

    Returns
    -------
    Outside
    """
    prepared = report.prepared
    told = told_by(report.fit(), other.X, prepared.classes)
    found = performance(other.y, told, prepared.classes, other.groups)
    promised = report.promised(other.y)
    area = Estimate(*found.loc[0, ["value", "low", "high"]])
    lead = f"In {other.name} ({len(other.y)} records) the AUC is {area}: "
    words = [lead + _beside(area, promised), *_calibrated(found, other.name)]
    fields = {name: prepared.schema[name] for name in prepared.X}
    words += drift(prepared.X, other.X, prepared.y, other.y, prepared.classes, fields)
    words += other.notes
    return Outside(other.name, found, promised, words, other.y, told, other.groups)


def later(report, past, after):
    """Score the recommended method, trained on the past, on what came after.

    Parameters
    ----------
    report : ehrgan.report.report.Report
        With the recommendation.
    past, after : int ndarray
        Rows, from :func:`past_and_later`.

    Returns
    -------
    Outside
    """
    prepared, seed = report.prepared, report.settings["seed"]
    pipeline = fit_method(prepared, report.method, seed, past)
    X, y = prepared.X.iloc[after], prepared.y[after]
    groups = None if prepared.groups is None else prepared.groups[after]
    told = told_by(pipeline, X, prepared.classes)
    found = performance(y, told, prepared.classes, groups)
    promised = report.promised(y)
    area = Estimate(*found.loc[0, ["value", "low", "high"]])
    lead = (
        f"Trained on the {len(past)} earlier records and tested on {len(y)} later ones, the AUC is "
        f"{area}, {signed(area.value - report.auc)} beside random folds: "
    )
    words = [lead + _beside(area, promised), *_calibrated(found, "the later records")]
    if n := np.isnan(prepared.time).sum():
        words.append(f"{n} records have no time: they are among neither.")
    fields = {name: prepared.schema[name] for name in prepared.X}
    words += drift(prepared.X.iloc[past], X, prepared.y[past], y, prepared.classes, fields)
    return Outside("later records", found, promised, words, y, told, groups)


def _beside(area, promised):
    """Whether an AUC lies where it was promised, in words."""
    low, high = promised
    said = f"the {low:.3f} to {high:.3f} that as many records of the same kind would show"
    if area.value < low:
        return f"below {said}. These records are of another kind: do not rely on the model there."
    return f"above {said}." if area.value > high else f"within {said}."


def _calibrated(found, where):
    """Whether probabilities come true, in words."""
    numbers = found.set_index("measure")[["value", "low", "high"]]
    for measure, row in numbers.iterrows():
        told = Estimate(*row)
        if measure.startswith("calibration slope") and not np.isnan(told.low):
            of = measure.removeprefix("calibration slope")
            if told.high < 1 or told.low > 1:
                how = "too extreme" if told.high < 1 else "too timid"
                yield f"Probabilities{of} are {how} in {where}: the slope is {told:.2f}, not 1."
        if measure.startswith("calibration shift") and told.sign:
            of = measure.removeprefix("calibration shift")
            how = "too high" if told.sign < 0 else "too low"
            yield (
                f"Probabilities{of} are {how} on average in {where}: by {told:+.2f} in log-odds."
            )
