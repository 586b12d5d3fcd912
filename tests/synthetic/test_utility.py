"""Utility: what fake records teach, measured on others than those learned from."""

import numpy as np
import pandas as pd
import pytest
from mixed_tables import mixed

from ehrgan.synthetic.utility import utility

ONE = {"classifiers": ("logistic regression",)}


def rows(found, metric="AUC"):
    return found[found["metric"] == metric].set_index("trained")


def test_records_of_the_same_law_teach_as_much_and_shuffled_outcomes_nothing():
    real, fake, test = (mixed(500, seed) for seed in range(3))
    alike = rows(utility(real, fake, test, outcome="died"))
    assert alike["classifier"].nunique() == 3
    assert alike.loc["fake less real", "mean"].abs().max() < 0.06
    assert (alike.loc["fake", "mean"] > 0.8).all()
    fake["died"] = np.random.default_rng(0).permutation(fake["died"])
    spoiled = rows(utility(real, fake, test, outcome="died", **ONE))
    assert spoiled.loc["fake less real", "high"] < -0.1
    assert abs(spoiled.loc["fake", "mean"] - 0.5) < 0.2


def test_differences_are_of_the_same_draws():
    """So they are far surer than their terms."""
    real, fake, test = (mixed(500, seed) for seed in range(3))
    found = rows(utility(real, fake, test, outcome="died", **ONE))
    width = found["high"] - found["low"]
    gap = found.loc["fake", "mean"] - found.loc["real", "mean"]
    assert found.loc["fake less real", "mean"] == pytest.approx(gap)
    assert width["fake less real"] < 0.7 * width["real"]


def test_both_metrics_are_told_and_accuracy_counts_calls():
    real, fake, test = (mixed(300, seed) for seed in range(3))
    found = rows(utility(real, fake.assign(died="no"), test, outcome="died", **ONE), "accuracy")
    assert found.loc["fake", "mean"] == pytest.approx((test["died"] == "no").mean())


def test_one_class_alone_is_useless_not_an_error():
    real, fake, test = (mixed(300, seed) for seed in range(3))
    found = rows(utility(real, fake.assign(died="no"), test, outcome="died", **ONE))
    assert found.loc["fake", ["mean", "low", "high"]].tolist() == [0.5] * 3


def test_words_and_columns_that_only_one_side_has_are_no_error():
    real, fake, test = (mixed(300, seed) for seed in range(3))
    fake["lab"] = np.nan
    fake["site"] = fake["site"].where(fake["site"] != "skin")
    assert rows(utility(real, fake, test, outcome="died", **ONE)).loc["fake", "mean"] > 0.6


def test_persons_in_the_test_widen_the_interval_and_may_not_have_taught():
    real, test = mixed(400, 0, persons=400), mixed(600, 2, persons=40)
    fake = mixed(400, 1)
    test["patient"] = "t" + test["patient"]
    whole = rows(utility(real, fake, test, outcome="died", person="patient", **ONE))
    nameless = (real.drop(columns="patient"), fake, test.drop(columns="patient"))
    apart = rows(utility(*nameless, outcome="died", **ONE))
    widths = [t.loc["real", "high"] - t.loc["real", "low"] for t in (whole, apart)]
    assert widths[0] > 1.3 * widths[1]
    with pytest.raises(ValueError, match="real and test share"):
        utility(real, fake, real, outcome="died", person="patient")


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"outcome": "dead"}, "'dead' is no column"),
        ({"outcome": "site"}, "two classes"),
        ({"outcome": "stage"}, "two classes"),
        ({"classifiers": ("oracle",)}, "classifiers must be"),
        ({"classifiers": ()}, "classifiers must be"),
    ],
)
def test_what_cannot_be_tried_is_refused(change, complaint):
    real, fake, test = (mixed(100, seed) for seed in range(3))
    with pytest.raises(ValueError, match=complaint):
        utility(real, fake, test, **{"outcome": "died", **ONE} | change)


def test_a_class_that_only_fakes_have_is_refused():
    real, fake, test = (mixed(100, seed) for seed in range(3))
    with pytest.raises(ValueError, match="maybe"):
        utility(real, fake.assign(died="maybe"), test, outcome="died", **ONE)
    holed = pd.concat([real.assign(died=None).iloc[:1], real], ignore_index=True)
    with pytest.raises(ValueError, match="none missing"):
        utility(holed, fake, test, outcome="died", **ONE)
