"""Cures for rare classes at one prevalence: who is left out, what is mended, and what is kept."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit

from ehrgan.book.committed import committed
from ehrgan.scores.rare import score_at_prevalence
from ehrgan.study import by_prevalence
from ehrgan.study.by_prevalence import CURES, one_prevalence
from ehrgan.study.judging import Judged
from ehrgan.sweeps.grid import read_grid
from ehrgan.sweeps.plan import plan

ROOT = Path(__file__).parents[2]
KEYS = ["trial", "fold", "classifier", "metric"]
SMALL = {"n_trials": 2, "n_folds": 2, "seed": 3, "n_inner": 0}


def test_the_committed_results_are_those_of_the_grid():
    runs = plan(ROOT / "sweeps" / "one_prevalence.ipynb", read_grid(ROOT / "sweeps" / "rare.yml"))
    setting = ["table", "seed", "prevalence"]
    asked = {
        (run.parameters["table"], run.parameters["seed"], share)
        for run in runs
        for share in run.parameters["prevalences"]
    }
    kept = committed("by_prevalence")
    assert set(kept[setting].itertuples(index=False, name=None)) == asked
    assert set(CURES) <= set(kept["classifier"])
    assert not kept.duplicated([*setting, *KEYS]).any()


def test_a_committed_cell_can_be_made_again():
    live = one_prevalence("wdbc", 0.05, 1, cures=("none", "SMOTE"), n_trials=1, n_inner=0)
    kept = committed("by_prevalence").query("table == 'wdbc' and prevalence == 0.05 and seed == 1")
    both = live.merge(kept, on=KEYS, suffixes=("", "_kept"))
    assert len(both) == len(live)
    np.testing.assert_allclose(both["value"], both["value_kept"], rtol=0.02, atol=0.02)


@pytest.fixture
def told(monkeypatch):
    """What a judge is shown; it says for each record how large its first attribute is."""
    shown = {}

    def judge(arm, folds, tables, n_jobs):
        shown["folds"], shown["tables"] = folds, tables
        said = [expit((table.test[:, 0] - 18) / 2) for table in tables]
        return Judged(said, [0.5] * len(said))

    monkeypatch.setattr(by_prevalence, "judge", judge)
    return shown


def test_only_positive_records_of_training_folds_are_left_out(told):
    one_prevalence("wdbc", 0.05, cures=("none",), **SMALL)
    X, y = by_prevalence._numbers("wdbc")
    left = []
    for fold, table in zip(told["folds"], told["tables"], strict=True):
        assert set(fold.train) & set(fold.test) == set()
        assert set(np.flatnonzero(y == 0)) <= {*fold.train, *fold.test}
        assert abs(fold.y_train.mean() - 0.05) < 0.003 and abs(fold.y_test.mean() - 0.37) < 0.01
        np.testing.assert_array_equal(fold.y_train, y[fold.train])
        np.testing.assert_array_equal(table.test, X[fold.test])
        left.append(frozenset(fold.train[fold.y_train == 1]))
    assert len(set(left)) == 4  # each fold of each trial draws its own


def test_means_come_from_the_records_that_teach(told):
    one_prevalence("hypothyroid", 0.02, cures=("none",), **SMALL)
    X, _ = by_prevalence._numbers("hypothyroid")
    for fold, table in zip(told["folds"], told["tables"], strict=True):
        holes = np.isnan(X[fold.test])
        means = np.nanmean(X[fold.train], axis=0)
        np.testing.assert_allclose(table.test[holes], np.broadcast_to(means, holes.shape)[holes])
        assert abs(fold.y_train.mean() - 0.02) < 0.003


def test_a_known_prevalence_mends_threshold_and_probabilities(told):
    found = one_prevalence("wdbc", 0.1, cures=("none", "SMOTE"), **SMALL)
    assert list(dict.fromkeys(found["classifier"])) == [
        "none", "none, threshold", "SMOTE", "SMOTE, repriored",
    ]  # fmt: skip
    wide = found.pivot_table("value", ["trial", "fold"], ["classifier", "metric"])
    for fold, table in zip(told["folds"], told["tables"], strict=True):
        row, prevalence = wide.loc[fold.trial, fold.fold], fold.y_train.mean()
        odds = np.exp((table.test[:, 0] - 18) / 2) * prevalence / (1 - prevalence)
        p = odds / (1 + odds)
        expected = score_at_prevalence(fold.y_test, p, prevalence)
        for metric, value in expected.items():
            assert row["SMOTE, repriored", metric] == pytest.approx(value)
        shifted = row["none, threshold"]
        called = expit((table.test[:, 0] - 18) / 2) > prevalence
        assert shifted["sensitivity"] == pytest.approx(called[fold.y_test == 1].mean())
        assert shifted["brier"] == pytest.approx(row["none", "brier"])


def test_recalibration_hears_of_training_records_alone_and_keeps_the_promise_there(monkeypatch):
    heard = []

    def judge(arm, folds, tables, n_jobs):
        said = [expit((table.test[:, 0] - 16) / 2) for table in tables]
        heard.append((folds, tables, said))
        return Judged(said, [0.5] * len(said))

    monkeypatch.setattr(by_prevalence, "judge", judge)
    found = one_prevalence("wdbc", 0.1, cures=("SMOTE",), **SMALL | {"n_inner": 4})
    X, y = by_prevalence._numbers("wdbc")
    (folds, _, said), (inner, _, promised) = heard
    wide = found.pivot_table("value", ["trial", "fold"], ["classifier", "metric"])
    for fold, p in zip(folds, said, strict=True):
        own = [i for i, f in enumerate(inner) if (f.trial, f.fold) == (fold.trial, fold.fold)]
        held = np.concatenate([inner[i].test for i in own])
        assert sorted(held) == sorted(fold.train) and len(own) == 4
        for i in own:
            assert sorted([*inner[i].train, *inner[i].test]) == sorted(fold.train)
            np.testing.assert_array_equal(inner[i].y_test, y[inner[i].test])
        shift = by_prevalence.believed_prevalence(
            y[held], np.concatenate([promised[i] for i in own])
        )
        moved = by_prevalence.reprior(p, shift, fold.y_train.mean())
        expected = score_at_prevalence(fold.y_test, moved, fold.y_train.mean())
        assert wide.loc[fold.trial, fold.fold]["SMOTE, recalibrated", "ratio"] == pytest.approx(
            expected["ratio"]
        )


def test_recalibration_keeps_promises_where_the_prior_alone_does_not():
    found = one_prevalence("wdbc", 0.05, 5, cures=("class weights", "SMOTE"), n_trials=4)
    ratio = found[found["metric"] == "ratio"].groupby("classifier")["value"].mean()
    for cure in ("class weights", "SMOTE"):
        assert abs(ratio[f"{cure}, recalibrated"] - 1) < 0.1 < 1 - ratio[f"{cure}, repriored"]


def test_neighbours_are_sought_among_as_many_as_there_are():
    found = one_prevalence("wdbc", 0.02, 5, cures=("SMOTE", "ADASYN"), n_trials=1)
    assert np.isfinite(found["value"]).all()  # the inner folds learn from four ill records


@pytest.mark.parametrize(("cure", "learned"), [("none", 0.1), ("SMOTE", 0.5)])
def test_a_shift_puts_right_what_is_promised_where_the_classes_are_as_learned(told, cure, learned):
    found = one_prevalence("wdbc", 0.1, cures=(cure,), **SMALL)
    shift = found.query("metric == 'shift'").set_index("trial")["value"]
    assert len(shift) == 2
    for trial in (0, 1):
        off = 0.0
        for fold, table in zip(told["folds"], told["tables"], strict=True):
            if fold.trial == trial:
                ill = fold.y_test == 1
                share = learned if cure == "SMOTE" else fold.y_train.mean()
                p = expit((table.test[:, 0] - 18) / 2 + shift[trial])
                expected = share * p[ill].mean() + (1 - share) * p[~ill].mean()
                off += (expected - share) * len(ill)
        assert off == pytest.approx(0, abs=1e-6)


def test_records_that_are_real_spread_like_real_ones():
    X, y = by_prevalence._numbers("wdbc")
    fold = next(by_prevalence._folds(y, 0.1, [3, 0], 5))
    table = by_prevalence._filled(X, fold)
    real = table.test[fold.y_test == 1]
    model = SimpleNamespace(
        sample=lambda n, label, random_state: (
            real.mean(axis=0) + 2 * (real - real.mean(axis=0)),
            None,
        ),
        history_={"loss_G": np.array([9.0] * 5 + [1.0, 3.0] * 20)},
    )
    assert by_prevalence._steadiness(fold, table, model) == {"spread": pytest.approx(2), "swing": 1}


def test_every_cure_runs_and_the_generators_are_looked_at():
    found = one_prevalence("wdbc", 0.1, **SMALL | {"n_trials": 1, "n_inner": 2})
    by_cure = found.groupby("classifier")["metric"].agg(set)
    assert set(CURES) <= set(by_cure.index)
    for name in CURES:
        assert ({"spread", "swing"} <= by_cure[name]) == CURES[name].adversarial
        assert {"auc_roc", "ratio", "slope", "shift", "matched"} <= by_cure[name]
        assert {"auc_roc", "ratio", "slope"} <= by_cure[f"{name}, recalibrated"]
    assert np.isfinite(found["value"]).all()
    auc = found[found["metric"] == "auc_roc"].groupby("classifier")["value"].mean()
    assert auc.min() > 0.9
    assert found.query("metric == 'spread'")["value"].between(0.1, 3).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"table": "iris"}, "table must be"),
        ({"cures": ("prayer",)}, "cures must be"),
        ({"prevalence": 0.0}, "prevalence must be"),
        ({"prevalence": 1.0}, "prevalence must be"),
        ({"prevalence": 0.002}, "leaves 1 positive"),
        ({"seed": -1}, "seed must be"),
        ({"n_trials": 0}, "n_trials must be"),
        ({"n_inner": 1}, "n_inner must be"),
    ],
)
def test_settings_of_no_sense_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        one_prevalence(**change)


def test_no_record_is_added(told):
    one_prevalence("wdbc", 0.9, cures=("none",), **SMALL)
    assert all(fold.y_train.mean() == pytest.approx(0.373, abs=0.01) for fold in told["folds"])
