"""Records that keep coming: each is predicted first and learned afterwards."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from ..nets.acgan import ACGANClassifier
from ..nets.autoencoder import StackedAutoencoderImputer
from ..scores.inference import corrected_interval
from .checks import check_count, check_names

__all__ = [
    "ARMS", "STREAMS", "Stream", "alarms", "all_streams", "area_after", "areas_by_day", "filled",
    "make_stream", "one_stream",
]  # fmt: skip

#: How a stream is made of a table, each drawn anew in every trial.
STREAMS = ("shuffled", "late attributes", "rising prevalence", "another habit")
#: Who learns: the AC-GAN from all records anew on each day, which is the ceiling; batch by batch
#: with nothing beside, with a stored sample and with records of its own generator; and river's
#: logistic regression, record by record.
ARMS = ("refit on all", "no replay", "reservoir", "generator", "river")
REPLAYS = {"no replay": None, "reservoir": "reservoir", "generator": "generator"}
ORDERED = {"before": (0.3, 0.9), "after": (0.9, 0.9)}  # share of each class that gets the test


class Stream(NamedTuple):
    """Records in the order in which they come.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Numbers, NaN in holes.
    y : int ndarray of shape (n,)
        0 or 1.
    day : int ndarray of shape (n,)
        The batch of each record, from 0.
    turn : int
        The first day after the change; half of the days where nothing changes.
    """

    X: np.ndarray
    y: np.ndarray
    day: np.ndarray
    turn: int


def make_stream(name, X, y, rng, *, per_day=20, columns=None):
    """Put records in an order, and let something change on the way.

    Parameters
    ----------
    name : str
        Of :data:`STREAMS`. "late attributes": some columns are missing until half of the days have
        passed, as in the paper's Figure 1. "rising prevalence": none of class 1 come at first, and
        the more the later the day. "another habit": until half of the days one test is chiefly done
        for those of class 1, then for nearly everybody; whether it was is a column.
    X : ndarray of shape (n, d)
        Numbers, NaN in holes.
    y : int ndarray of shape (n,)
        0 or 1.
    rng : numpy.random.Generator
    per_day : int, default=20
        Records of a batch; the last may be smaller.
    columns : sequence of int, optional
        Columns that appear late, by default the first half; the first of them is the test.

    Returns
    -------
    Stream

    Raises
    ------
    ValueError, TypeError
        An unknown name, or fewer records than four days need.

    Examples
    --------
    >>> X, y = np.arange(80.0).reshape(40, 2), np.arange(40) % 2
    >>> stream = make_stream("late attributes", X, y, np.random.default_rng(0), per_day=10)
    >>> np.isnan(stream.X).sum(axis=0).tolist(), np.bincount(stream.day).tolist(), stream.turn
    ([20, 0], [10, 10, 10, 10], 2)
    """
    check_names("name", (name,), STREAMS)
    check_count("per_day", per_day, 1, len(y) // 4, "a quarter of the records")
    columns = range(max(1, X.shape[1] // 2)) if columns is None else columns
    when = rng.random(len(y))
    if name == "rising prevalence":  # density 2t of those of class 1
        when = np.where(y == 1, np.sqrt(when), when)
    order = np.argsort(when)
    X, y, day = X[order].copy(), y[order], np.arange(len(y)) // per_day
    turn = int(day[-1] + 1) // 2
    if name == "late attributes":
        X[np.ix_(day < turn, columns)] = np.nan
    if name == "another habit":
        share = np.where(day < turn, *(np.take(ORDERED[k], y) for k in ("before", "after")))
        done = rng.random(len(y)) < share
        X[~done, columns[0]] = np.nan
        X = np.column_stack([X, done])
    return Stream(X, y, day, turn)


def filled(stream, seed, **parameters):
    """Fill holes day by day, by an imputer that has learned from the days before alone.

    Parameters
    ----------
    stream : Stream
    seed : int
    **parameters
        Of :class:`~ehrgan.nets.autoencoder.StackedAutoencoderImputer`.

    Returns
    -------
    Stream
        Without holes; the records of the first day are filled by an imputer that has seen them,
        for nobody predicts them. An attribute that has not appeared yet is 0.
    """
    if not np.isnan(stream.X).any():
        return stream
    own = {"n_members": 1, "keep_empty_features": True, "random_state": seed, **parameters}
    imputer, X = StackedAutoencoderImputer(**own), stream.X.copy()
    for day in range(stream.day[-1] + 1):
        rows = stream.day == day
        if day:
            X[rows] = imputer.transform(stream.X[rows])
        imputer.partial_fit(stream.X[rows])
        if not day:
            X[rows] = imputer.transform(stream.X[rows])
    return stream._replace(X=X)


def one_stream(stream, seed, *, arms=ARMS, acgan=None):
    """Predict each day, then learn it, with every arm.

    Parameters
    ----------
    stream : Stream
        Without holes.
    seed : int
        Of the networks.
    arms : sequence of str, default=ARMS
    acgan : dict, optional
        Parameters of :class:`~ehrgan.nets.acgan.ACGANClassifier`.

    Returns
    -------
    DataFrame
        day, y, arm, probability: a row for each record after the first day, and arm.
    """
    arms = check_names("arms", arms, ARMS)
    acgan = ACGANClassifier(random_state=seed, **(acgan or {}))
    tables = []
    for arm in arms:
        told = {"refit on all": _refitted, "river": _by_river}.get(arm, _batch_by_batch)
        p = told(stream, clone(acgan).set_params(replay=REPLAYS.get(arm)))
        later = stream.day > 0
        columns = {"day": stream.day, "y": stream.y, "arm": arm, "probability": p}
        tables.append(pd.DataFrame(columns)[later])
    return pd.concat(tables, ignore_index=True)


def all_streams(X, y, n_trials, seed, *, names=STREAMS, arms=ARMS, acgan=None):
    """Every kind of stream of one table, in several orders.

    Parameters
    ----------
    X, y : ndarray
        See :func:`make_stream`.
    n_trials : int
        Orders, at least 1.
    seed : int
        At least 0: draws orders and networks.
    names, arms : sequence of str
        Of :data:`STREAMS` and :data:`ARMS`.
    acgan : dict, optional
        See :func:`one_stream`.

    Returns
    -------
    told : dict of str to DataFrame
        By stream, what :func:`one_stream` gives, with a column ``trial``.
    turns : dict of str to int
        By stream, the first day after the change.

    Notes
    -----
    Two minutes on two cores for the paper's table in five orders; three quarters of it is the
    refitting on all.
    """
    check_count("n_trials", n_trials, 1)
    told, turns = {}, {}
    for name in check_names("names", names, STREAMS):
        parts = []
        for trial in range(n_trials):
            chance = np.random.default_rng([seed, trial])
            # some passes do: the imputer is no arm, and all arms get the same from it
            stream = filled(make_stream(name, X, y, chance), seed + trial, partial_epochs=5)
            told_here = one_stream(stream, seed + trial, arms=arms, acgan=acgan)
            parts.append(told_here.assign(trial=trial))
        told[name], turns[name] = pd.concat(parts, ignore_index=True), stream.turn
    return told, turns


def _batch_by_batch(stream, model):
    p = np.full(len(stream.y), np.nan)
    for day in range(stream.day[-1] + 1):
        rows = stream.day == day
        if day:
            p[rows] = model.predict_proba(stream.X[rows])[:, 1]
        model.partial_fit(stream.X[rows], stream.y[rows], classes=[0, 1])
    return p


def _refitted(stream, model):
    """All days' models at once; before both classes have come, the share of those that have."""
    p = np.full(len(stream.y), np.nan)
    days = range(1, stream.day[-1] + 1)
    past = {day: stream.day < day for day in days}
    able = [day for day in days if len(np.unique(stream.y[past[day]])) == 2]
    models = model.fit_many([(stream.X[past[day]], stream.y[past[day]]) for day in able])
    for day, fitted in zip(able, models, strict=True):
        rows = stream.day == day
        p[rows] = fitted.predict_proba(stream.X[rows])[:, 1]
    for day in {*days} - {*able}:
        p[stream.day == day] = stream.y[past[day]].mean()
    return p


def _by_river(stream, model):
    from river import linear_model, preprocessing

    model = preprocessing.StandardScaler() | linear_model.LogisticRegression()
    p = np.full(len(stream.y), np.nan)
    records = [dict(enumerate(x)) for x in stream.X.tolist()]
    for day in range(stream.day[-1] + 1):
        rows = np.flatnonzero(stream.day == day)
        for i in rows:
            p[i] = model.predict_proba_one(records[i]).get(True, 0.5)
        for i in rows:
            model.learn_one(records[i], bool(stream.y[i]))
    return p


def areas_by_day(told, window=5):
    """AUC of the last days' predictions, on each day: its mean over trials, with an interval.

    Parameters
    ----------
    told : DataFrame
        From :func:`one_stream`, of several orders of the same records: with a column ``trial``.
    window : int, default=5
        Days that an area looks back over, itself included.

    Returns
    -------
    DataFrame
        arm, day, mean, low, high. Days before the window is full, or with a window of one class in
        a trial, are left out.

    Notes
    -----
    Trials are orders of the same records, of which each is learned or scored in all of them. So
    intervals are those of Nadeau and Bengio for repeated splits, see
    :func:`~ehrgan.scores.inference.corrected_interval`: with records learned up to a day for those
    of a training set, and those in the window for a test set.

    Examples
    --------
    >>> told = pd.DataFrame({"trial": 0, "arm": "a", "day": [1, 1, 2, 2], "y": [0, 1, 0, 1]})
    >>> told["probability"] = [0.2, 0.7, 0.6, 0.1]
    >>> areas_by_day(told, window=2)[["day", "mean"]].to_dict("records")
    [{'day': 2, 'mean': 0.5}]
    """
    check_count("window", window, 1)
    rows = []
    for arm, own in told.groupby("arm", sort=False):
        for day in range(window, int(own["day"].max()) + 1):
            part = own[own["day"].between(day - window + 1, day)]
            areas = _areas(part)
            if areas.notna().all():
                rows.append([arm, day, *_over_trials(areas, own, part).cut()])
    return pd.DataFrame(rows, columns=["arm", "day", "mean", "low", "high"])


def area_after(told, first, arm, beside=None):
    """AUC of all predictions from a day on, or its lead over another arm's on the same records.

    Parameters
    ----------
    told : DataFrame
        As for :func:`areas_by_day`.
    first : int
        The first day that counts.
    arm : str
    beside : str, optional
        The arm to compare with, trial by trial.

    Returns
    -------
    Estimate
        Mean over trials with its 95 % interval.
    """
    own = told[told["arm"] == arm]
    late = own[own["day"] >= first]
    areas = _areas(late)
    if beside is None:
        return _over_trials(areas, own, late).cut()
    areas = areas - _areas(told[(told["arm"] == beside) & (told["day"] >= first)])
    return _over_trials(areas, own, late)


def _areas(part):
    """AUC in each trial; NaN where one class is there alone."""
    return pd.Series(
        {
            trial: roc_auc_score(own["y"], own["probability"])
            if own["y"].nunique() == 2
            else np.nan
            for trial, own in part.groupby("trial")
        }
    )


def _over_trials(values, own, scored):
    """Mean and interval over orders of the same records."""
    n_trials, last = own["trial"].nunique(), scored["day"].max()
    n_learned = (own["day"] < last).sum() / n_trials
    return corrected_interval(values, max(n_learned, 1), len(scored) / n_trials)


def alarms(told, arm, **parameters):
    """Days on which a detector of drift takes the errors of an arm for others than before.

    Parameters
    ----------
    told : DataFrame
        From :func:`one_stream`.
    arm : str
    **parameters
        Of river's ``ADWIN``, such as ``delta``, the rate of false alarms that it allows.

    Returns
    -------
    list of int
        Days, in order, each once.

    Notes
    -----
    It watches the squared error of the probability, record by record; an error that *falls*, since
    the model learns, is an alarm as well, and is left out here.

    References
    ----------
    Bifet and Gavaldà, "Learning from time-changing data with adaptive windowing", SDM 2007.
    """
    from river.drift import ADWIN

    detector, days = ADWIN(**parameters), []
    own = told[told["arm"] == arm]
    errors = (own["probability"] - own["y"]) ** 2
    for day, error in zip(own["day"], errors, strict=True):
        before = detector.estimation
        detector.update(float(error))
        if detector.drift_detected and detector.estimation > before:
            days.append(int(day))
    return sorted(set(days))
