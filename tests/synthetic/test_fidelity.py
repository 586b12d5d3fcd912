"""Fidelity: measures that a reader could compute by hand, chance beside them, orders that break."""

import numpy as np
import pandas as pd
import pytest
from mixed_tables import mixed
from scipy.stats import ks_2samp

from ehrgan.synthetic.compare import AXES, compare, records_of
from ehrgan.synthetic.constraints import broken_orders, orders
from ehrgan.synthetic.fidelity import column_distances, fidelity, spread


def test_distances_of_columns_are_those_of_the_textbook():
    real, fake = mixed(300, 0), mixed(200, 1)
    fake["low"] += 5
    found = column_distances(real, fake)
    expected = ks_2samp(real["low"], fake["low"]).statistic
    assert found.loc["low", "mean"] == pytest.approx(expected)
    shares = [t["smokes"].value_counts(normalize=True) for t in (real, fake)]
    expected = (shares[0] - shares[1]).abs().sum() / 2
    assert found.loc["smokes", "mean"] == pytest.approx(expected)
    filled = [t["lab"].fillna(-1) for t in (real, fake)]  # a hole lies below all values
    assert found.loc["lab", "mean"] == pytest.approx(ks_2samp(*filled).statistic)
    assert (found["low"] <= found["mean"]).all() and (found["mean"] <= found["high"]).all()


def test_records_of_one_kind_are_as_far_apart_as_chance_says():
    rng = np.random.default_rng(0)
    found = [
        fidelity(*(pd.DataFrame(rng.normal(size=(200, 4))) for _ in range(2)), seed=seed)
        for seed in range(8)
    ]
    for name in ("columns", "pairs"):
        gap = np.mean([t.loc[name, "mean"] - t.loc[name, "chance"] for t in found])
        assert abs(gap) < 0.15 * found[0].loc[name, "chance"]
    held = [t.loc["classifier", "low"] <= 0.5 <= t.loc["classifier", "high"] for t in found]
    assert np.mean(held) >= 0.75 and found[0].loc["broken orders", "mean"] == 0


@pytest.mark.parametrize("what", ["columns", "pairs", "classifier"])
def test_each_measure_sees_its_own_fault(what):
    rng = np.random.default_rng(0)
    covariance = [[1, 0.8], [0.8, 1]]
    real = pd.DataFrame(rng.multivariate_normal([0, 0], covariance, 600))
    fake = pd.DataFrame(rng.multivariate_normal([0, 0], covariance, 600))
    good = fidelity(real, fake)
    spoiled = {
        "columns": fake + 1,
        "pairs": pd.DataFrame({0: fake[0], 1: rng.permutation(fake[1])}),
        "classifier": fake.round(1),
    }[what]
    bad = fidelity(real, spoiled)
    assert bad.loc[what, "low"] > good.loc[what, "high"]
    if what == "pairs":  # a shuffled column keeps its distribution
        assert bad.loc["columns", "mean"] == pytest.approx(good.loc["columns", "mean"], abs=1e-9)


def test_a_generator_that_has_no_holes_is_seen():
    real = mixed(500, 0)
    fake = mixed(500, 1)
    fake["lab"] = fake["lab"].fillna(1.0)
    found = column_distances(real, fake)
    assert found.loc["lab", "low"] > found.loc["lab", "chance"]
    assert found.loc["low", "low"] < found.loc["low", "chance"] + 0.05


def test_persons_widen_the_interval():
    real = mixed(800, 0, persons=60)
    fake = mixed(800, 1)
    own = fidelity(real, fake, person="patient").loc["columns"]
    apart = fidelity(real.drop(columns="patient"), fake).loc["columns"]
    assert own["high"] - own["low"] > 1.3 * (apart["high"] - apart["low"])


def test_orders_that_always_held_are_found_and_their_breaking_told():
    real = mixed(400, 0)
    assert ("low", "high") in orders(real) and ("high", "low") not in orders(real)
    assert orders(real[["age", "lab"]]) == []  # ranges that do not overlap say nothing
    fake = mixed(100, 1)
    assert broken_orders(real, fake).empty
    fake.loc[[3, 4], "high"] = fake["low"] - 1
    (row,) = broken_orders(real, fake).query("smaller == 'low'").to_dict("records")
    assert (row["larger"], row["known"], row["fake"]) == ("high", 400, 2)
    assert row["low"] < row["mean"] == 0.02 < row["high"]
    assert fidelity(real, fake).loc["broken orders", "mean"] == 0.02


def test_equal_columns_are_an_order_both_ways():
    real = pd.DataFrame({"a": np.arange(50.0), "b": np.arange(50.0)})
    assert orders(real) == [("a", "b"), ("b", "a")]


def test_few_records_make_no_order():
    assert orders(pd.DataFrame({"a": np.arange(19.0), "b": np.arange(19.0) + 1})) == []


def test_holes_break_nothing():
    real = mixed(400, 0)
    fake = mixed(100, 1)
    fake.loc[0, "high"] = np.nan
    assert broken_orders(real, fake).empty


def test_too_few_records_are_refused():
    table = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match="5 persons of each kind"):
        fidelity(table, table)


def test_the_spread_is_that_of_each_class_about_its_own_mean():
    rng = np.random.default_rng(0)
    ill = np.arange(3000) % 3 == 0
    real = pd.DataFrame(rng.normal(size=(3000, 2))).assign(ill=ill)
    fake = real.copy()
    fake[[0, 1]] = rng.normal(size=(3000, 2)) * np.where(ill, 0.5, 1.0)[:, None]
    found = spread(real, fake, outcome="ill")
    assert found.index.tolist() == [False, True]
    # half as far; long tails count less there, and so does what lacks them
    np.testing.assert_allclose(found["mean"], [1.0, 0.6], atol=0.05)
    assert ((found["low"] < found["mean"]) & (found["mean"] < found["high"])).all()
    # where a heap lies is no width
    moved = [table[[0, 1]].add(2 * ill, axis=0).assign(ill=ill) for table in (real, fake)]
    assert spread(*moved, outcome="ill").loc[True, "mean"] < 0.65
    with pytest.raises(ValueError, match="'dead' is no column"):
        spread(real, fake, outcome="dead")
    with pytest.raises(ValueError, match="no fake record is of class True"):
        spread(real, fake[~ill], outcome="ill")


def test_persons_widen_the_interval_of_the_spread():
    real, fake = mixed(800, 0, persons=60), mixed(800, 1)
    own = spread(real, fake, outcome="died", person="patient")
    apart = spread(real.drop(columns="patient"), fake, outcome="died")
    assert ((own["high"] - own["low"]) > 1.1 * (apart["high"] - apart["low"])).all()


def test_a_comparison_is_of_one_split_and_draws_another_by_each_seed():
    first, again, other = (compare("pbc", "bootstrap", seed) for seed in (3, 3, 4))
    assert tuple(first["axis"]) == AXES
    pd.testing.assert_frame_equal(first.drop(columns="seconds"), again.drop(columns="seconds"))
    assert not np.array_equal(first["mean"], other["mean"])
    by_axis = first.set_index("axis")
    assert by_axis.loc["copies", "low"] > 0.4  # of the members two in three are drawn again
    assert by_axis.loc["spread of class 0", "mean"] == pytest.approx(1, abs=0.15)
    drawn = [set(records_of("support2", seed).index) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2] and len(drawn[0]) == 2000
    with pytest.raises(ValueError, match="table must be one of"):
        compare("iris", "bootstrap")
