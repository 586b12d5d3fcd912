"""Two stages or one: folds, what is hidden from whom, and what is scored."""

from pathlib import Path

import numpy as np
import pytest

from ehrgan.book.committed import SWEEPS, committed
from ehrgan.nets.labels import UNLABELLED
from ehrgan.study import by_stages
from ehrgan.sweeps.grid import read_grid
from ehrgan.sweeps.plan import plan
from ehrgan.tables.records import load_wdbc

SWEPT = Path(__file__).parents[2] / "sweeps"

QUIET = ("mean", "gradient boosting")


def test_the_committed_results_are_those_of_the_grid():
    runs = plan(SWEPT / "one_joint.ipynb", read_grid(SWEPT / "joint.yml"))
    setting, kept = SWEEPS["by_stages"], committed("by_stages")
    asked = {tuple(run.parameters[name] for name in setting) for run in runs}
    assert set(kept[setting].itertuples(index=False, name=None)) == asked
    arms = kept.groupby(setting)["imputer"].agg(set)
    assert (arms == set(by_stages.ARMS)).all()
    trials = {tuple(run.parameters[name] for name in setting): run.parameters for run in runs}
    for key, own in kept.groupby(setting):
        assert own["trial"].nunique() == trials[key]["n_trials"]


@pytest.fixture
def asked(monkeypatch):
    """Folds that the arms were given; every arm says 0.5, and fills holes with zeros."""
    found = {}

    def said(arm, splits, groups):
        found[arm] = splits
        filled = [np.nan_to_num(split.test) for split in splits]
        probability = [np.full(len(split.y_test), 0.5) for split in splits]
        return by_stages.Said(probability, None if arm == "gradient boosting" else filled)

    monkeypatch.setattr(by_stages, "_said", said)
    return found


def test_the_planted_hole_tells_the_class_and_nothing_else_does():
    X, y = by_stages.planted_hole(2000, 3)
    hole = np.isnan(X[:, 1])
    assert hole[y == 1].all() and 0 < hole[y == 0].mean() < 0.05 and y.mean() == 0.5
    assert not np.isnan(np.delete(X, 1, axis=1)).any()
    for j in (0, 2, 3):
        assert abs(X[y == 1, j].mean() - X[y == 0, j].mean()) < 0.1
    assert np.abs(X[~hole, 1] - X[~hole, 0]).std() < 0.02


def test_every_arm_sees_the_same_folds_and_no_arm_a_hidden_label(asked):
    scores = by_stages.one_or_two(unlabelled=0.5, n_records=200, seed=4, arms=QUIET)
    first, second = (asked[arm] for arm in QUIET)
    assert first is second and len(first) == 10
    records = load_wdbc()
    for split in first:
        hidden = split.y_train == UNLABELLED
        assert hidden.sum() == round(0.5 * len(split.train))
        assert len(split.train) + len(split.test) == 200
        assert (records.y[split.record] == split.y_test).all()
        seen = ~np.isnan(split.test)
        truth = records.X.to_numpy()[split.record]
        assert (split.test[seen] == truth[seen]).all() and (split.truth == truth).all()
    for trial in (0, 1):  # the block takes half of each class, whatever the folds
        parts = [np.isnan(split.test).any(axis=1) for split in first if split.trial == trial]
        assert np.concatenate(parts).mean() == pytest.approx(0.5, abs=0.01)
    assert len({split.seed for split in first}) == 10
    assert set(scores["n_train"] + scores["n_test"]) == {200}


def test_errors_are_measured_in_hidden_cells_of_test_records_where_the_truth_is_known(asked):
    scores = by_stages.one_or_two("wdbc", "MCAR", 0.3, n_trials=1, arms=QUIET)
    found = scores[scores["metric"] == "rmse"].sort_values("fold")
    ruler = np.ptp(load_wdbc().X.to_numpy(), axis=0)
    for split, value in zip(asked["mean"], found["value"], strict=True):
        hidden = np.isnan(split.test)
        error = (split.truth / ruler)[hidden]
        assert value == pytest.approx(np.sqrt(np.mean(error**2)))
        assert abs(hidden.mean() - 0.3) < 0.05
    assert set(found["imputer"]) == {"mean"} and set(found["classifier"]) == {""}
    recorded = by_stages.one_or_two("hepatitis", "as recorded", 0.0, n_trials=1, arms=QUIET)
    assert "rmse" not in set(recorded["metric"]) and set(recorded["imputer"]) == set(QUIET)


def test_folds_are_those_of_the_seed():
    def folds(seed):
        source = load_wdbc()
        entropy = np.random.SeedSequence([seed, 0])
        Z = source.X.to_numpy()
        chosen, seen = by_stages._holed(Z, source.y, "MCAR", 0.5, 100, entropy)
        return list(by_stages._split(Z, source.y, chosen, seen, 0, 3, 0.2, entropy))

    for a, b, c in zip(folds(1), folds(1), folds(2), strict=True):
        for name in ("train", "y_train", "test", "record"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert not np.array_equal(a.record, c.record)


def test_all_arms_learn_from_a_small_table_and_the_look_can_only_help():
    scores = by_stages.one_or_two(n_records=120, n_trials=1, n_folds=2, unlabelled=0.2)
    area = scores[scores["metric"] == "auc_roc"].groupby("imputer")["value"].mean()
    assert set(area.index) == set(by_stages.ARMS) and (area > 0.85).all()
    right = scores[scores["metric"] == "accuracy"].groupby("imputer")["value"].mean()
    assert right["joint, best test epoch"] >= right["joint"]
    filled = set(scores.loc[scores["metric"] == "rmse", "imputer"])
    assert filled == set(by_stages.ARMS) - {"NeuMiss", "gradient boosting"}


def test_mixed_columns_and_attributes_that_a_fold_lacks():
    scores = by_stages.one_or_two(
        "hepatitis", "as recorded", 0.0, n_trials=1, n_folds=2, arms=("denoising", "joint")
    )
    assert np.isfinite(scores["value"]).all()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"table": "iris"}, "table"),
        ({"mechanism": "as recorded"}, "mechanism"),
        ({"table": "pbc"}, "mechanism"),
        ({"unlabelled": 1}, "unlabelled"),
        ({"unlabelled": 1.5}, "unlabelled"),
        ({"fraction": -1}, "fraction"),
        ({"n_records": 10_000}, "n_records"),
        ({"n_folds": 1}, "n_folds"),
        ({"seed": -1}, "seed"),
        ({"arms": ("magic",)}, "arms"),
    ],
)
def test_arguments_out_of_range_are_refused_by_name(asked, given, wanted):
    with pytest.raises(ValueError, match=wanted):
        by_stages.one_or_two(**given)
    assert not asked
