"""For whom a method works, what carries it, and who the records are."""

import numpy as np
import pandas as pd
import pytest

from ehrgan.report.describing import table_one
from ehrgan.report.errors import ReportError
from ehrgan.report.importance import importance
from ehrgan.report.methods import CANDIDATES
from ehrgan.report.reading import prepare
from ehrgan.report.subgroups import bands, subgroups


def scored(n=600, seed=0):
    """Good predictions for women, none for men."""
    rng = np.random.default_rng(seed)
    sex, y = rng.choice(["f", "m"], n), rng.integers(0, 2, n)
    p = np.where(sex == "f", np.clip(0.5 + (y - 0.5) * 0.5 + rng.normal(0, 0.2, n), 0.01, 0.99),
                 rng.uniform(0.01, 0.99, n))  # fmt: skip
    return pd.Series(sex), y, p


def test_a_group_for_whom_it_works_worse_is_named():
    sex, y, p = scored()
    table, words = subgroups({"sex": sex}, y, p, 0.4)
    told = table[table["measure"] == "AUC"].set_index("group")
    assert told.loc["f", "low"] > 0.9 and told.loc["m", "low"] < 0.5 < told.loc["m", "high"]
    assert [word.partition(", by")[0] for word in words] == [
        "sex f: it works better than for the others",
        "sex m: it works worse than for the others",
    ]
    own = (sex == "f") & (y == 1)
    sensitivity = table[(table["measure"] == "sensitivity") & (table["group"] == "f")]
    assert sensitivity["value"].item() == pytest.approx((p[own] > 0.4).mean())


def test_groups_that_do_not_differ_are_not_named():
    _, y, p = scored()
    named = sum(
        bool(subgroups({"x": pd.Series(np.random.default_rng(k).choice(list("abc"), 600))},
                       y, p, 0.4)[1]) for k in range(12)
    )  # fmt: skip
    assert named <= 2


def test_a_group_that_is_too_small_is_told_as_such():
    sex, y, p = scored()
    sex[:8] = "x"
    table, words = subgroups({"sex": sex}, y, p, 0.4)
    assert any(word.startswith("sex x: only ") and "too few" in word for word in words)
    assert table.loc[table["group"] == "x", "value"].isna().all()


def test_numbers_become_bands_and_what_has_no_groups_is_refused():
    age = pd.Series([*np.arange(20.0, 60.0), np.nan])
    number = {"type": "number"}
    found = bands("age", age, number)
    assert found.value_counts().tolist() == [10, 10, 10, 10, 1] and found.iloc[-1] == "missing"
    assert found.iloc[0] == "20 to 29" and found.iloc[39] == "50 to 59"
    few = bands("stage", pd.Series([1.0, 2.0, 2.0]), number)
    assert few.tolist() == ["1", "2", "2"]
    with pytest.raises(ReportError, match="by 'site' has 20 groups"):
        bands("site", pd.Series(pd.Categorical([f"s{k}" for k in range(20)])), {})
    with pytest.raises(ReportError, match="by 'note' is not read"):
        bands("note", None, {})


def test_bands_are_several_whatever_value_is_that_of_most_and_days_are_dates():
    few = np.arange(1.0, 21.0)
    for often, wanted in ((0.0, ["0", "1 to 20"]), (99.0, ["1 to 20", "99"])):
        found = bands("dose", pd.Series([*few, *[often] * 80]), {"type": "number"})
        assert sorted(found.unique()) == wanted
    days = bands("seen", pd.Series(18_000 + np.arange(40.0)), {"type": "date"})
    assert days.iloc[0] == "2019-04-14 to 2019-04-23"


def test_the_groups_of_a_table_are_those_of_its_records():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"age": rng.normal(60, 9, 80), "sex": rng.choice(["f", "m"], 80)})
    table["ill"] = np.where(np.arange(80) < 4, None, rng.choice(["no", "yes"], 80))
    ready = prepare(table, "ill", by=("Sex",))
    assert ready.by["sex"].tolist() == table["sex"][4:].tolist()
    with pytest.raises(ReportError, match="by names the outcome"):
        prepare(table, "ill", by="ill")


# ---------------------------------------------------------------- importance


def carried(n=300):
    rng = np.random.default_rng(0)
    ill = rng.integers(0, 2, n)
    table = pd.DataFrame({"noise": rng.normal(size=n), "marker": rng.normal(size=n) + ill})
    table["asked"] = np.where(rng.uniform(size=n) < 0.2 + 0.5 * ill, rng.normal(size=n), np.nan)
    return prepare(table.assign(ill=np.where(ill, "yes", "no")), "ill")


def test_what_carries_the_method_is_first_and_noise_is_nothing():
    ready = carried()
    found = importance(ready, CANDIDATES[0], np.arange(300), 0).set_index("attribute")
    assert found.index[0] == "marker" and found.loc["marker", "low"] > 0.05
    assert found.loc["noise", "low"] < 0 < found.loc["noise", "high"]


def test_what_is_told_by_being_missing_counts_where_the_method_sees_it():
    ready = carried()
    seen, unseen = (
        importance(ready, method, np.arange(300), 0).set_index("attribute").loc["asked", "value"]
        for method in (CANDIDATES[1], CANDIDATES[0])
    )
    assert CANDIDATES[1][0] == "mean and indicators" and seen > 0.05 > unseen + 0.03


# ---------------------------------------------------------------- table 1


def test_the_first_table_counts_each_class():
    table = pd.DataFrame(
        {
            "age": [*np.arange(20.0), *np.arange(20.0) + 100.5],
            "site": (["lung"] * 5 + ["skin"] * 10 + [None] * 5) * 2,
            "ill": ["no"] * 20 + ["yes"] * 20,
        }
    )
    day = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(40) % 20, unit="D")
    table["seen"] = day.strftime("%d.%m.%Y")
    found = table_one(prepare(table, "ill", keep=("age", "seen")))
    assert found.columns.tolist() == ["attribute", "all", "no (20)", "yes (20)", "missing"]
    rows = found.set_index("attribute")
    assert rows.loc["age", "no (20)"] == "9.5 (4.75 to 14.25)"
    assert rows.loc["seen", "all"] == "2020-01-10 (2020-01-05 to 2020-01-15)"  # dates, not days
    assert rows.loc["site: lung"].tolist() == ["10 (33%)", "5 (33%)", "5 (33%)", "25.0%"]
