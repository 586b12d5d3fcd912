"""Tables of one run and of ten are told apart, and scores that disagree are found."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from ehrgan.paper.granularity import READINGS, granularity, implied, simulate_reading
from ehrgan.paper.tables import paper_tables
from ehrgan.tables.records import load_wdbc


def planted(n_positive, n_negative, n_trials, rng, n_rows=14, digits=4):
    """A table that `n_trials` runs give, each pooled over its folds, then rounded."""
    rates = rng.uniform(0.8, 0.97, (n_rows, 1, 2))
    right = rng.binomial([n_positive, n_negative], rates, (n_rows, n_trials, 2)).mean(axis=1)
    accuracy = right.sum(axis=1) / (n_positive + n_negative)
    shares = np.column_stack([right / [n_positive, n_negative], accuracy])
    names = ["sensitivity", "specificity", "accuracy"]
    return pd.DataFrame(shares.round(digits), columns=names)


@settings(max_examples=40)
@given(st.integers(20, 900), st.integers(20, 900), st.integers(2, 20), st.integers(0, 10**6))
def test_planted_tables_of_one_run_and_of_several_are_told_apart(ill, well, trials, seed):
    rng = np.random.default_rng(seed)
    one = granularity(planted(ill, well, 1, rng, 40), ill, well, trials)
    assert one["one run"].all() and one["mean of runs"].all()
    several = granularity(planted(ill, well, trials, rng, 40), ill, well, trials)
    assert several["mean of runs"].all()
    chance = several["chance"].iloc[0]
    assert chance >= 1 / trials**2
    assert stats.binom.sf(several["one run"].sum() - 1, 40, chance) > 1e-6
    assert stats.binom.cdf(several["one run"].sum(), 40, chance) > 1e-6


def test_counts_closer_than_the_rounding_tell_nothing():
    rng = np.random.default_rng(0)
    found = granularity(planted(20_000, 30_000, 10, rng), 20_000, 30_000, 10)
    assert found["one run"].all() and found["chance"].iloc[0] == 1
    coarse = planted(212, 357, 10, rng, digits=2)
    assert granularity(coarse, 212, 357, 10, digits=2)["chance"].iloc[0] == 1
    assert granularity(coarse, 212, 357, 10, digits=2)["one run"].all()


def test_the_mean_over_folds_of_unlike_sizes_is_neither():
    rng, sizes = np.random.default_rng(1), np.array([[43, 43, 42, 42, 42], [71, 71, 71, 72, 72]])
    right = rng.binomial(sizes, 0.93, (30, 2, 5))
    shares = np.column_stack(
        [(right / sizes).mean(axis=2), (right.sum(axis=1) / sizes.sum(axis=0)).mean(axis=1)]
    )
    table = pd.DataFrame(shares.round(4), columns=["sensitivity", "specificity", "accuracy"])
    assert granularity(table, 212, 357, 10)["one run"].mean() < 0.2


def test_a_count_that_agrees_with_each_share_but_not_with_their_sum_is_refused():
    shares = {"sensitivity": [198 / 212] * 2, "specificity": [348 / 357] * 2}
    table = pd.DataFrame({**shares, "accuracy": [546 / 569, 547 / 569]}).round(4)
    assert granularity(table, 212, 357, 10)["one run"].tolist() == [True, False]


def test_a_share_at_the_edge_of_its_rounding_counts_as_printed():
    # 1/32 = 0.03125 may be printed 0.0312 or 0.0313
    table = pd.DataFrame({"sensitivity": [0.0312, 0.0313, 0.0314], "specificity": 0.5,
                          "accuracy": 17 / 64})  # fmt: skip
    assert granularity(table.round(4), 32, 32, 10)["one run"].tolist() == [True, True, False]


@pytest.fixture(scope="module")
def paper():
    return paper_tables().set_index(["imputer", "classifier"])


def test_the_papers_rivals_are_whole_counts_and_its_acgan_is_not(paper):
    found = granularity(paper, 212, 357, 10)
    rivals = found.drop("AC-GAN", level="classifier")
    assert len(rivals) == 14 and rivals["one run"].sum() == 12 and rivals["mean of runs"].all()
    assert set(rivals.index[~rivals["one run"]]) == {
        ("mean", "AdaBoost"),
        ("mean", "Random Forest"),
    }  # fmt: skip
    acgan = found.xs("AC-GAN", level="classifier")
    assert not acgan[["one run", "mean of runs"]].any(axis=None)
    assert found["chance"].iloc[0] == pytest.approx(0.01, rel=0.02)


def test_what_the_papers_shares_imply(paper):
    found = implied(paper, 212, 357)
    middle = ((found["low"] + found["high"]) / 2).round(4)
    assert (found["gap"] - (found["printed"] - middle)).abs().max() < 1e-4
    odd = {
        score: middle.xs(score)[~found.xs(score)["agrees"]].to_dict()
        for score in ("accuracy", "f_score", "auc_roc")
    }
    assert odd["accuracy"] == {("mean", "AC-GAN"): 0.9749, ("autoencoder", "AC-GAN"): 0.9774}
    assert odd["f_score"] == {
        ("mean", "MLP"): 0.9353, ("mean", "AC-GAN"): 0.9657,
        ("autoencoder", "SVM (RBF)"): 0.9300, ("autoencoder", "AC-GAN"): 0.9692,
    }  # fmt: skip
    assert odd["auc_roc"]["mean", "Decision Tree"] == 0.9306
    assert odd["auc_roc"]["autoencoder", "Decision Tree"] == 0.9282


def test_implied_scores_are_those_of_the_counts():
    rng = np.random.default_rng(2)
    y, called = rng.random(200) < 0.4, rng.random(200) < 0.5
    row = {"sensitivity": called[y].mean(), "specificity": 1 - called[~y].mean()}
    wanted = [np.mean(y == called), f1_score(y, called), roc_auc_score(y, called)]
    row |= dict(zip(["accuracy", "f_score", "auc_roc"], wanted, strict=True))
    found = implied(pd.DataFrame([row]), y.sum(), (~y).sum(), digits=12)
    assert found["gap"].abs().max() < 1e-9
    assert (found["high"] > found["low"]).all()
    edge = pd.DataFrame({"sensitivity": [1.0], "specificity": [1.0], "accuracy": [1.0],
                         "f_score": [1.0], "auc_roc": [1.0]})  # fmt: skip
    assert (implied(edge, 5, 7)["high"] == 1).all()


def test_the_auc_of_a_tree_grown_until_pure_is_its_balanced_accuracy():
    records = load_wdbc()
    X = records.X.to_numpy()
    train, test = next(StratifiedKFold(5, shuffle=True, random_state=0).split(X, records.y))
    tree = DecisionTreeClassifier(random_state=0).fit(X[train], records.y[train])
    y, p = records.y[test], tree.predict_proba(X[test])[:, 1]
    assert set(p) == {0.0, 1.0}
    balanced = (np.mean(p[y == 1]) + np.mean(1 - p[y == 0])) / 2
    assert roc_auc_score(y, p) == pytest.approx(balanced)


def test_readings_leave_traces_of_their_own():
    gaps = {
        reading: simulate_reading(reading, 0.95, 0.99, 212, 357, random_state=0)
        for reading in READINGS
    }
    stratified, unstratified, chosen = gaps.values()
    assert stratified["accuracy"].abs().max() < 1e-4 < unstratified["accuracy"].std()
    assert abs(unstratified["accuracy"].mean()) < 5e-5  # folds differ either way
    assert unstratified["f_score"].mean() < stratified["f_score"].mean() < 0
    # what is best by itself is better than what is best together
    assert (chosen["accuracy"] < -0.0005).all() and (chosen["f_score"] < -0.0005).all()
    again = simulate_reading(READINGS[1], 0.95, 0.99, 212, 357, random_state=0)
    pd.testing.assert_frame_equal(again, unstratified)


def test_bad_tables_are_refused():
    table = pd.DataFrame({"sensitivity": [0.9], "specificity": [0.9], "accuracy": [0.9]})
    with pytest.raises(ValueError, match="lacks .*'accuracy'"):
        granularity(table.drop(columns="accuracy"), 10, 10, 10)
    with pytest.raises(ValueError, match="numbers from 0 to 1"):
        granularity(table * 100, 10, 10, 10)
    for key, value in {"n_positive": 0, "n_negative": -1, "n_trials": 1}.items():
        with pytest.raises(ValueError, match=f"{key} must be at least"):
            granularity(table, **{"n_positive": 10, "n_negative": 10, "n_trials": 10, key: value})
    with pytest.raises(ValueError, match="reading must be one of"):
        simulate_reading("by moonlight", 0.9, 0.9, 10, 10)
