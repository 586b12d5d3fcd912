"""Streams: each record is predicted before it is learned."""

import numpy as np
import pandas as pd
import pytest

from ehrgan.study import stream as streams
from ehrgan.study.stream import (
    STREAMS,
    Stream,
    alarms,
    area_after,
    areas_by_day,
    filled,
    make_stream,
    one_stream,
)

RNG = np.random.default_rng(5)
X = RNG.normal(size=(400, 4))
Y = (X[:, 0] + 0.5 * RNG.normal(size=400) > 0).astype(int)
ACGAN = {"partial_epochs": 2, "epochs": 2}


def made(name, **how):
    return make_stream(name, X, Y, np.random.default_rng(1), **how)


@pytest.mark.parametrize("name", STREAMS)
def test_every_record_comes_once_with_its_own_class(name):
    stream = made(name, per_day=30)
    records = {tuple(x[2:4]): y for x, y in zip(X, Y, strict=True)}
    assert [records[tuple(x[2:4])] for x in stream.X] == stream.y.tolist()
    assert len({tuple(x[2:4]) for x in stream.X}) == 400
    assert np.bincount(stream.day).tolist() == [30] * 13 + [10] and stream.turn == 7


def test_what_changes_is_what_was_said():
    late = made("late attributes", columns=[1, 3])
    hidden = np.isnan(late.X)
    assert (hidden[:, [1, 3]] == (late.day < late.turn)[:, None]).all()
    assert not hidden[:, [0, 2]].any()
    rising = made("rising prevalence")
    first, last = rising.y[rising.day < 5].mean(), rising.y[rising.day >= 15].mean()
    assert first < 0.35 < 0.6 < last
    habit = made("another habit", columns=[1])
    done = habit.X[:, -1] == 1
    assert (np.isnan(habit.X[:, 1]) == ~done).all()
    before, ill = habit.day < habit.turn, habit.y == 1
    assert done[before & ill].mean() > 0.8 > 0.4 > done[before & ~ill].mean()
    assert done[~before & ~ill].mean() > 0.8
    assert not np.isnan(made("shuffled").X).any()


def test_days_are_filled_by_what_was_known_before_them():
    stream = made("late attributes", per_day=100)
    other = stream._replace(X=stream.X.copy())
    other.X[stream.day == 3] *= 100  # a day that is yet to come
    kinds = {"partial_epochs": 1, "neighbours": False}
    one, two = filled(stream, 0, **kinds).X, filled(other, 0, **kinds).X
    np.testing.assert_array_equal(one[stream.day < 3], two[stream.day < 3])
    assert not np.isnan(one).any()
    known = ~np.isnan(stream.X)
    np.testing.assert_array_equal(one[known], stream.X[known])
    assert filled(made("shuffled"), 0).X is not None


@pytest.mark.parametrize("arm", ["refit on all", "no replay", "reservoir", "generator", "river"])
def test_no_record_has_taught_who_predicts_it(arm):
    """The classes of a day and of later ones change nothing of what was said on it."""
    pytest.importorskip("river")
    stream = made("shuffled", per_day=100)
    turned = stream._replace(y=np.where(stream.day >= 2, 1 - stream.y, stream.y))
    one, two = (one_stream(s, 0, arms=(arm,), acgan=ACGAN) for s in (stream, turned))
    said = one["probability"].to_numpy(), two["probability"].to_numpy()
    until = (one["day"] <= 2).to_numpy()
    np.testing.assert_allclose(said[0][until], said[1][until], atol=1e-6)
    assert not np.allclose(said[0][~until], said[1][~until], atol=1e-6)
    assert sorted(set(one["day"])) == [1, 2, 3] and set(one["arm"]) == {arm}


def test_each_arm_learns_with_its_own_memory(monkeypatch):
    asked = []

    def learned(stream, model):
        asked.append(model.replay)
        return np.zeros(len(stream.y))

    monkeypatch.setattr(streams, "_batch_by_batch", learned)
    one_stream(made("shuffled"), 0, arms=("no replay", "reservoir", "generator"))
    assert asked == [None, "reservoir", "generator"]
    with pytest.raises(ValueError, match="arms"):
        one_stream(made("shuffled"), 0, arms=("nobody",))


def told_of(areas_by_trial, arm="a"):
    """Two records a day, told rightly on a share of the days."""
    rows = [
        [trial, arm, day, y, 0.9 if (day < right) == (y == 1) else 0.1]
        for trial, right in enumerate(areas_by_trial)
        for day in range(1, 11)
        for y in (0, 1)
    ]
    return pd.DataFrame(rows, columns=["trial", "arm", "day", "y", "probability"])


def test_areas_look_back_over_their_window_alone():
    table = areas_by_day(told_of([6, 6]), window=2).set_index("day")["mean"]
    assert table.index.tolist() == list(range(2, 11))
    assert table[5] == 1.0 and table[6] == 0.5 and table[7] == 0.0


def test_a_lead_is_paired_by_trial():
    both = pd.concat([told_of([11, 1]), told_of([11, 1], "b")])
    lead = area_after(both, 1, "a", "b")
    assert lead.value == lead.low == lead.high == 0
    alone = area_after(both, 1, "a")
    assert tuple(alone) == (0.5, 0.0, 1.0)


def test_a_detector_rings_after_errors_rise_and_not_when_they_fall():
    pytest.importorskip("river")
    rng = np.random.default_rng(0)
    day = np.arange(1200) // 20
    for before, after in ((0.9, 0.1), (0.1, 0.9)):
        p = np.where(day < 30, before, after) + 0.05 * rng.normal(size=1200)
        told = pd.DataFrame({"day": day, "y": 1, "arm": "a", "probability": p})
        rung = alarms(told, "a")
        assert (30 <= rung[0] <= 33) if before > after else not rung


def test_a_class_that_has_not_come_is_told_by_its_share():
    stream = Stream(X[:80], np.repeat([0, 1], 40), np.arange(80) // 20, 2)
    told = one_stream(stream, 0, arms=("refit on all",), acgan=ACGAN)
    assert (told.loc[told["day"] <= 2, "probability"] == 0).all()
    assert told.loc[told["day"] == 3, "probability"].between(0, 1, inclusive="neither").all()
