"""Persons are found by what the records show, whatever their column is called and looks like."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from ehrgan.report import persons
from ehrgan.report.persons import suspects, try_suspects
from ehrgan.tables.datasets import DATASETS, load_dataset


def named(kind, numbers):
    """Persons' numbers as tables write them."""
    return {
        "number": numbers,
        "text": [f"{v:08d}" for v in numbers],
        "decimal": numbers + 0.5,
        "hash": [hashlib.md5(str(v).encode()).hexdigest() for v in numbers],
    }[kind]


def long_table(n_persons, each, kind="number", seed=0, shuffle=False, **constant):
    """Records of noise alone; each person has one outcome, and `constant` columns of their own."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(n_persons), each)
    table = pd.DataFrame(rng.normal(size=(len(who), 3)).round(2), columns=["hb", "crp", "na"])
    table["pulse"] = rng.integers(50, 120, len(who))
    for name, draw in constant.items():
        table[name] = draw(rng, n_persons)[who]
    table["x"] = np.array(named(kind, rng.permutation(np.arange(900, 900 + 37 * n_persons, 37))))[
        who
    ]
    y = rng.permutation(np.arange(n_persons) % 3 == 0).astype(int)[who]
    order = rng.permutation(len(who)) if shuffle else np.arange(len(who))
    return table.iloc[order].reset_index(drop=True), y[order], who[order]


CONSTANT = {
    "sex": lambda rng, n: rng.choice(["f", "m"], n),
    "born": lambda rng, n: rng.integers(1930, 1990, n),
    "height": lambda rng, n: rng.normal(170, 10, n).round(),
}


def same_partition(groups, who):
    pairs = pd.DataFrame({"groups": groups, "who": who}).drop_duplicates()
    return pairs["groups"].is_unique and pairs["who"].is_unique


@pytest.mark.parametrize("constant", [{}, CONSTANT], ids=["noise", "constants"])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("kind", ["number", "text", "decimal", "hash"])
@pytest.mark.parametrize(("n_persons", "each"), [(40, 25), (12, 200), (150, 2), (18, 20)])
def test_one_outcome_a_person_names_persons(n_persons, each, kind, shuffle, constant):
    table, y, who = long_table(n_persons, each, kind, 1, shuffle, **constant)
    (found,) = suspects(table, y)
    assert found.sure and str(found.n) in found.reason
    assert pd.Series(found.groups).groupby(who).nunique().max() == 1
    if n_persons > 12:
        assert found.names == ("x",) and found.n == n_persons
    else:  # of few persons hardly two may be of one height, which then names them as well
        assert "x" in (*found.names, *found.others) and found.n > 9


@pytest.mark.parametrize("seed", range(5))
def test_a_measurement_of_persons_with_holes_names_none_of_them(seed):
    weight = {"weight": lambda rng, n: rng.normal(70, 12, n).round(3)}  # as good as a name
    table, y, who = long_table(40, 25, seed=seed, **CONSTANT, **weight)
    table.loc[np.random.default_rng(seed).random(len(who)) < 0.3, "weight"] = np.nan
    (found,) = suspects(table, y)
    assert found.names == ("x",) and found.n == 40 and same_partition(found.groups, who)
    without = suspects(table.drop(columns="x"), y)
    assert without and not any(one.sure and "weight" in one.names for one in without)
    whole = min(try_suspects(table[["hb", "sex", "born"]], y, without), key=lambda one: one.whole)
    assert "weight" not in whole.suspect.names and whole.suspect.n <= 40


def test_a_name_of_persons_that_hardly_ever_lacks_is_one():
    table, y, who = long_table(40, 25)
    lacks = np.arange(len(who)) % 50 == 0
    (found,) = suspects(table.assign(x=table["x"].mask(lacks)), y)
    assert found.sure and found.names == ("x",) and found.n == 40
    assert len(np.unique(found.groups)) == 40 + lacks.sum()  # each of the others alone


def test_of_stays_of_a_patient_the_patient_groups_and_both_stay_out():
    rng = np.random.default_rng(3)
    table, _, who = long_table(40, 30, **CONSTANT)
    stay = 3 * who + np.arange(len(who)) % 30 // 10
    table["y"] = rng.permutation(np.arange(5000, 5120))[stay]
    y = (rng.random(120) < 0.4).astype(int)[stay]
    (found,) = suspects(table, y)
    assert found.sure and found.names == ("x",) and found.others == ("y",)
    assert same_partition(found.groups, who)


def test_patients_numbered_in_a_table_sorted_by_outcome_are_told_by_their_other_constants():
    table, _, who = long_table(40, 3, sex=CONSTANT["sex"], born=CONSTANT["born"])
    (found,) = suspects(table.assign(x=who), (who < 4).astype(int))
    assert found.sure and found.names == ("x",)


@pytest.mark.parametrize("name", DATASETS)
def test_tables_of_one_record_a_person_have_no_persons_that_recur(name):
    found = load_dataset(name)
    assert not [one.names for one in suspects(found.X, found.y) if one.sure]


def ordinary(n=600, seed=0):
    """One record a person: measurements with ties, twins of columns, sites, codes of diagnoses."""
    rng = np.random.default_rng(seed)
    age, site, code = rng.integers(18, 95, n), rng.integers(0, 5, n), rng.integers(0, 40, n)
    crea = np.exp(rng.normal(0, 0.4, n)).round(1)
    z = 0.06 * (age - 60) + np.log(crea) + 0.5 * rng.normal(size=5)[site]
    z += 0.5 * rng.normal(size=40)[code]
    table = pd.DataFrame(
        {"age": age, "decade": age // 10, "days": age * 365 + rng.integers(0, 365, n)}
    )
    table["site"], table["beds"] = site, np.array([300, 120, 80, 900, 45])[site]
    table["crea"], table["code"] = crea, [f"D{c:02d}" for c in code]
    table["chapter"] = [f"C{c // 8}" for c in code]
    return table, (rng.random(n) < 1 / (1 + np.exp(-2 * z))).astype(int)


@pytest.mark.parametrize("seed", range(6))
def test_measurements_sites_and_codes_are_no_persons(seed):
    table, y = ordinary(seed=seed)
    found = suspects(table, y)
    assert not any(one.sure for one in found)
    X = table.astype({"code": "category", "chapter": "category"})
    assert not [trial for trial in try_suspects(X, y, found) if trial.falls]


def test_a_measurement_that_predicts_is_no_person_though_it_often_lacks():
    """Counted as values beside each other, its holes would seem to part the outcome."""
    rng = np.random.default_rng(0)
    age = np.rint(rng.normal(60, 12, 4000))
    y = (rng.normal(size=4000) < (age - 60) / 12).astype(int)
    age[rng.random(4000) < 0.3] = np.nan
    table = pd.DataFrame({"age": age, "noise": rng.normal(size=4000)})
    assert suspects(table, y) == []


def test_copies_of_records_are_no_persons():
    table, y = ordinary()
    table["lab"] = np.random.default_rng(1).normal(size=len(y)).round(3)
    twice = pd.concat([table, table], ignore_index=True)
    assert not [one.names for one in suspects(twice, np.r_[y, y]) if one.sure]


def test_persons_without_any_name_are_found_by_what_is_theirs():
    table, y, who = long_table(500, 4, weight=CONSTANT["born"], **CONSTANT)
    table = table.drop(columns="x")
    X = table.astype({"sex": "category"})
    trials = try_suspects(X, y, suspects(table, y))
    together = [trial for trial in trials if len(trial.suspect.names) > 1]
    assert together
    for trial in together:
        assert trial.falls and trial.plain > 0.7 and trial.whole < 0.6
        assert {*trial.suspect.names} <= {*CONSTANT, "weight"}


def test_an_outcome_that_changes_within_a_person_is_told_by_the_trial():
    rng = np.random.default_rng(5)
    table, y, who = long_table(40, 25, **CONSTANT)
    y = np.where(rng.random(len(y)) < 0.3, rng.permutation(y), y)
    found = suspects(table, y)
    assert not any(one.sure for one in found)
    (own,) = [t for t in try_suspects(table.astype({"sex": "category"}), y, found)
              if t.suspect.names == ("x",)]  # fmt: skip
    assert own.falls and own.plain > 0.65 > 0.6 > own.whole
    low, high = own.interval
    assert low < own.plain < high


def test_a_trial_takes_some_records_of_every_suspect():
    rows = persons._some(np.repeat(np.arange(12), 5000))
    assert len(rows) == 2000 and len(np.unique(rows // 5000)) == 10
    whole = persons._some(np.repeat(np.arange(3000), 2))
    assert len(whole) == 2000 and (np.unique(whole // 2, return_counts=True)[1] == 2).all()


def test_numbers_written_as_text_have_the_order_of_numbers_and_holes_are_alone():
    assert persons._codes(pd.Series(["10", "9", None, "9.0"])).tolist() == [1, 0, -1, 0]
    assert persons._codes(pd.Series(["10", "9", "b"])).tolist() == [0, 1, 2]
    order = pd.Categorical(["lo", "hi", "lo"], ["lo", "mid", "hi"], ordered=True)
    assert persons._codes(pd.Series(order)).tolist() == [0, 1, 0]
    table, y, who = long_table(40, 25)
    table["x"] = table["x"].where(who < 30)
    (found,) = suspects(table, y)
    assert found.n == 30 and len(np.unique(found.groups)) == 30 + 10 * 25
