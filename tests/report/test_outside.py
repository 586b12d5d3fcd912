"""Other places and later times: what drifts is told, what does not is not, and nothing leaks."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from ehrgan.report import outside, report
from ehrgan.report.drift import drift
from ehrgan.report.errors import ReportError
from ehrgan.report.methods import CANDIDATES
from ehrgan.report.outside import other_records, past_and_later
from ehrgan.report.performance import area_within, performance, spread
from ehrgan.report.reading import prepare
from ehrgan.report.report import Report


def records(n=400, seed=0, prevalence=0.0, strength=1.5):
    """A table whose outcome depends on crp and site; holes in hb."""
    rng = np.random.default_rng(seed)
    crp, site = rng.normal(0, 1, n), rng.choice(["lung", "skin"], n, p=[0.3, 0.7])
    risk = strength * crp + (site == "lung") - 1 + prevalence
    hb = np.where(rng.uniform(size=n) < 0.2, np.nan, rng.normal(13, 2, n).round(1))
    ill = rng.uniform(size=n) < 1 / (1 + np.exp(-risk))
    return pd.DataFrame(
        {
            "crp": np.exp(2 + crp / 2).round(2),
            "site": site,
            "hb": hb,
            "ill": np.where(ill, "yes", "no"),
        }
    )


class Simple(Report):
    """Logistic regression on means, whatever was compared."""

    method = CANDIDATES[0]


@pytest.fixture(scope="module")
def here():
    return prepare(records(), "ill")


def recommended(prepared, auc=0.8):
    """A report as far as other records need it."""
    y = prepared.y
    scores = type("Scores", (), {"y": y})
    rest = dict.fromkeys(
        ["comparison", "gains", "by_holes", "missing", "interval", "prediction", "named", "told",
         "line", "performance", "thresholds"]
    )  # fmt: skip
    return Simple(
        prepared, CANDIDATES, chosen=0, auc=auc, scores=scores, words=[], spread=0.1 * np.ones(2),
        effect=1.0, settings={"seed": 0}, rows=np.arange(len(y)), **rest,
    )  # fmt: skip


def tried(here, table, name="there.csv", auc=0.8):
    return outside.elsewhere(recommended(here, auc), other_records(name, table, here))


def test_records_of_the_same_kind_lie_where_it_was_promised_and_nothing_differs(here):
    found = tried(here, records(500, seed=1))
    assert len(found.words) == 1 and "within the" in found.words[0]
    assert "In there.csv (500 records) the AUC is 0." in found.words[0]
    numbers = found.performance.set_index("measure")
    low, high = numbers.loc["calibration slope", ["low", "high"]]
    assert low < 1 < high and numbers.loc["AUC", "low"] < numbers.loc["AUC", "value"]


def test_what_was_promised_and_is_not_held_comes_first(here):
    found = tried(here, records(500, seed=1, strength=0.0))
    assert "below the" in found.words[0] and "do not rely on the model" in found.words[0]
    assert any("too extreme in there.csv: the slope is" in word for word in found.words)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.assign(crp=t["crp"] * 10), "'crp' has other values.*is its unit the same"),
        (lambda t: t.assign(hb=np.nan), "'hb' is not known of any record there, and of 80% here"),
        (lambda t: t.assign(hb=t["hb"].where(np.arange(len(t)) % 2 == 0)), "'hb' is missing in 6"),
        (lambda t: t.assign(site="lung"), "'site' is 'lung' in 100% of the records there and 3"),
    ],
)
def test_each_drift_is_told_in_words_and_no_other(here, change, told):
    words = tried(here, change(records(500, seed=1))).words
    differ = [word for word in words if "there and" in word or "there, and" in word]
    assert len(differ) == 1 and pd.Series(differ).str.contains(told).all(), words


def test_another_prevalence_is_told_and_moves_the_probabilities(here):
    words = tried(here, records(800, seed=2, prevalence=-1.5)).words
    assert any(word.startswith("'yes' is 1") and "% here." in word for word in words)
    assert any("too high on average in there.csv: by -1." in word for word in words)


def test_small_differences_are_not_told_however_sure():
    rng = np.random.default_rng(0)
    X = [pd.DataFrame({"a": rng.normal(k / 10, 1, 20_000)}) for k in (0, 1)]
    y = np.tile([0, 1], 10_000)
    assert list(drift(*X, y, y, ("no", "yes"))) == []


def test_other_records_are_read_by_the_schema_and_what_it_cannot_read_is_told(here):
    table = records(300, seed=3)
    table["site"] = table["site"].str.upper().where(np.arange(300) > 9, "bone")
    table["ill"] = table["ill"].map({"yes": "YES", "no": "no"}).where(np.arange(300) > 4, "perhaps")
    other = other_records("there", table[table.columns[::-1]].assign(more=1), here)
    assert len(other.y) == 295 and list(other.X) == ["crp", "site", "hb"]
    assert other.y.tolist() == (table["ill"][5:] == "YES").astype(int).tolist()
    assert any("'bone'" in note for note in other.notes)
    assert any("5 records of external" in note for note in other.notes)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.drop(columns="ill"), "lacks the outcome 'ill'"),
        (lambda t: t.drop(columns="hb"), r"external 'there.csv' lacks the columns \['hb'\]"),
        (lambda t: t[t["ill"] == "no"], "has 0 records of its rarest class"),
        (
            lambda t: t.assign(ill="maybe"),
            "0 'yes'.: at least 10 of each are needed, under these names",
        ),
    ],
)
def test_other_records_that_cannot_be_scored_are_refused(here, change, told):
    with pytest.raises(ReportError, match=told):
        other_records("there.csv", change(records()), here)


# ---------------------------------------------------------------- time


def dated(n=400, **more):
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(
        np.random.default_rng(5).permutation(n), "D"
    )
    return records(n, seed=4).assign(day=days.strftime("%Y-%m-%d"), **more)


def test_the_past_teaches_and_what_came_after_is_predicted():
    table = dated()
    ready = prepare(table, "ill", time="day")
    past, after = past_and_later(ready)
    days = pd.to_datetime(table["day"])
    assert "day" not in ready.X and len(after) == 80
    assert days[past].max() < days[after].min()
    found = outside.later(recommended(ready), past, after)
    assert "320 earlier records and tested on 80 later ones" in found.words[0]
    assert len(found.y) == 80 and (found.y == ready.y[after]).all()


def test_moments_part_the_records_as_near_to_four_fifths_as_they_can():
    """Of many records at one moment, none is both past and later; of a single one there is none."""
    year = np.where(np.arange(400) < 350, 2020, 2021)
    ready = prepare(dated().assign(day=year), "ill", time="day")
    past, after = past_and_later(ready)
    assert len(past) == 350 and len(after) == 50
    lacking = dated()
    lacking.loc[:99, "day"] = np.nan
    past, after = past_and_later(prepare(lacking, "ill", time="day"))
    assert len(past) == 240 and len(after) == 60
    with pytest.raises(ReportError, match="two moments"):
        past_and_later(replace(ready, time=np.full(400, 7.0)))


def test_what_changes_with_time_is_told():
    table = dated(600)
    late = pd.to_datetime(table["day"]) > "2021-03-01"
    table["crp"] = table["crp"].where(~late, table["crp"] * 8)
    ready = prepare(table, "ill", time="day")
    words = outside.later(recommended(ready), *past_and_later(ready)).words
    assert any("'crp' has other values" in word and "unit" in word for word in words)


def test_a_person_of_the_past_is_no_later_record():
    table = dated(1200, person=np.arange(1200) // 4)
    ready = prepare(table, "ill", group="person", time="day")
    groups = np.where(np.arange(1200) < 600, np.arange(1200) // 4, 1000 + np.arange(1200))
    ready = type(ready)(**{**vars(ready), "groups": groups})
    past, after = past_and_later(ready)
    assert len(after) and not {*groups[past]} & {*groups[after]}


def test_a_time_that_is_none_or_parts_too_few_is_refused():
    with pytest.raises(ReportError, match="time 'site' must hold dates or numbers"):
        prepare(records(), "ill", time="site")
    table = dated()
    late = pd.to_datetime(table["day"]) >= "2020-11-10"
    ready = prepare(table.assign(ill=table["ill"].where(~late, "no")), "ill", time="day")
    with pytest.raises(ReportError, match="after it a class has 0 records"):
        past_and_later(ready)


def test_the_report_tries_what_it_is_given(monkeypatch, here):
    ready = prepare(dated(), "ill", time="day")
    monkeypatch.setattr(report, "compare_methods", lambda *of: None)
    monkeypatch.setattr(report, "effect_of_training", lambda *of: 1.0)
    monkeypatch.setattr(report, "_reported", lambda *of: recommended(ready))
    monkeypatch.setattr(report, "_looked_into", lambda made: made)
    found = report.make_report(ready, external={"b.csv": records(300, seed=8)})
    assert [one.name for one in found.outside] == ["b.csv", "later records"]
    assert found.words == [word for one in found.outside for word in one.words]
    with pytest.raises(ReportError, match="'b.csv' lacks the outcome"):
        report.make_report(ready, external={"b.csv": records()[["crp"]]})


# ---------------------------------------------------------------- performance


def test_intervals_of_persons_are_wider_than_of_as_many_records():
    rng = np.random.default_rng(0)
    y, p = np.tile([0, 1], 60), rng.uniform(size=120)
    p = 0.3 * y + 0.7 * p
    copies = np.repeat(np.arange(120), 4)
    alone, held = (performance(y[copies], p[copies], "ab", g).loc[0] for g in (None, copies))
    assert alone["value"] == held["value"]
    assert held["high"] - held["low"] > 1.5 * (alone["high"] - alone["low"])


def test_several_classes_are_scored_each_against_the_others():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    told = rng.dirichlet([1, 1, 1], 300) + np.eye(3)[y]
    told /= told.sum(axis=1, keepdims=True)
    found = performance(y, told, ("a", "b", "c")).set_index("measure")["value"]
    areas = [performance((y == k).astype(int), told[:, k], "xy").loc[0, "value"] for k in range(3)]
    assert found["AUC"] == pytest.approx(np.mean(areas)) and len(found) == 8
    assert found["Brier score"] == pytest.approx(((told - np.eye(3)[y]) ** 2).sum(axis=1).mean())


def test_intervals_are_those_of_records_drawn_again():
    rng = np.random.default_rng(0)
    persons = np.repeat(np.arange(100), 3)
    x = rng.normal(size=100)[persons] + rng.normal(size=300) / 2
    y = (rng.uniform(size=100) < 1 / (1 + np.exp(-x[::3]))).astype(int)[persons]
    p = 1 / (1 + np.exp(-0.8 * x))
    found = performance(y, p, "ab", persons).set_index("measure")
    half = (found["high"] - found["low"]) / 2 / 1.96
    drawn = []
    for _ in range(60):
        rows = (rng.integers(0, 100, 100)[:, None] * 3 + np.arange(3)).ravel()
        drawn.append(performance(y[rows], p[rows], "ab")["value"])
    np.testing.assert_allclose(half, np.std(drawn, axis=0), rtol=0.35)


def test_records_of_two_folds_are_not_compared():
    """Half of the records stand higher, whatever their class: only pairs of one fold count."""
    rng = np.random.default_rng(0)
    y, fold = rng.integers(0, 2, 300), np.repeat([0, 1], [200, 100])
    p = np.clip(0.3 + 0.2 * y + rng.normal(0, 0.15, 300), 0.01, 0.99)
    moved = np.where(fold == 1, 0.5 + p / 2, p / 2)
    plain, apart = (performance(y, told, "ab", parts=[(told, fold)]) for told in (p, moved))
    assert plain.loc[0].equals(apart.loc[0])
    inside = [roc_auc_score(y[fold == k], p[fold == k]) for k in (0, 1)]
    pairs = [np.prod(np.bincount(y[fold == k])) for k in (0, 1)]
    assert plain.loc[0, "value"] == pytest.approx(np.average(inside, weights=pairs))
    assert performance(y, moved, "ab").loc[0, "value"] < plain.loc[0, "value"] - 0.05
    drawn = []
    for _ in range(200):
        rows = rng.integers(0, 300, 300)
        drawn.append(area_within(y[rows], moved[rows], fold[rows])[0])
    error = spread(area_within(y, moved, fold)[1])
    assert error == pytest.approx(np.std(drawn), rel=0.2)
    assert np.isnan(performance(y, p, "ab", parts=[(p, y)]).loc[0, "value"])


def test_days_that_differ_are_told_as_dates():
    here, there = (pd.DataFrame({"seen": first + np.arange(200.0)}) for first in (18_262, 18_993))
    y, fields = np.tile([0, 1], 100), {"seen": {"name": "seen", "type": "date"}}
    (told,) = drift(here, there, y, y, ("no", "yes"), fields)
    assert told == "'seen' has other values: its median is 2022-04-10 there and 2020-04-09 here."
