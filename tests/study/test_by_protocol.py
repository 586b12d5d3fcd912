"""One protocol of the explorer's table, computed anew from a study's predictions."""

import numpy as np
import pandas as pd
import pytest
from told import FOLDS, KEYS, auc, of_fold, roc

from ehrgan.scores.metrics import METRICS
from ehrgan.study import by_protocol
from ehrgan.tables.records import load_wdbc


@pytest.fixture
def ran(monkeypatch, result):
    runs = []

    def run_study(records, **settings):
        runs.append((records, settings))
        return result

    monkeypatch.setattr(by_protocol, "run_study", run_study)
    return runs


def test_a_protocol_holds_scores_of_every_fold_and_curves_averaged_over_them(ran, result):
    table = by_protocol.one_protocol()
    assert set(table["imputer"]) == {"mean", "autoencoder"}
    scores = table[table["fpr"].isna()].set_index([*KEYS, "metric"])["value"].sort_index()
    assert set(scores.index.get_level_values("metric")) == {*METRICS, "brier"}
    assert len(scores) == 4 * 2 * 2 * 6
    curves = table[table["metric"] == "tpr"]
    assert len(curves) == 2 * 2 * len(by_protocol.FPR)
    assert (curves[["trial", "fold"]] == -1).all(axis=None)
    assert (curves[["n_train", "n_test"]] == 0).all(axis=None)
    for (imputer, classifier), curve in curves.groupby(["imputer", "classifier"]):
        np.testing.assert_array_equal(curve["fpr"], by_protocol.FPR)
        folds = [of_fold(result, (*key, imputer, classifier)) for key in FOLDS]
        mean = np.mean([roc(*fold, by_protocol.FPR) for fold in folds], axis=0)
        np.testing.assert_allclose(curve["value"], mean)
        for key, (y, p) in zip(FOLDS, folds, strict=True):
            own = scores.loc[(*key, imputer, classifier)]
            called = p > 0.5
            found, alarms = np.sum(called & (y == 1)), np.sum(called & (y == 0))
            assert own["accuracy"] == pytest.approx(np.mean(called == y))
            assert own["sensitivity"] == pytest.approx(found / y.sum())
            assert own["specificity"] == pytest.approx(1 - alarms / (1 - y).sum())
            assert own["f_score"] == pytest.approx(2 * found / (y.sum() + found + alarms))
            assert own["auc_roc"] == pytest.approx(auc(y, p))
            assert own["brier"] == pytest.approx(np.mean((p - y) ** 2))


@pytest.mark.parametrize(
    ("protocol", "chosen"),
    [
        ("honest", {}),  # the very study that the chapters share
        ("paper", {"imputers": ("mean", "autoencoder"), "protocol": "paper"}),
        ("peek", {"imputers": ("mean", "autoencoder"), "protocol": "peek",
                  "classifiers": ("AC-GAN",)}),
    ],
)  # fmt: skip
def test_a_protocol_is_the_study_that_was_asked_for(ran, protocol, chosen):
    by_protocol.one_protocol(protocol, 0.3, n_trials=3, n_folds=4, seed=9)
    ((records, settings),) = ran
    pd.testing.assert_frame_equal(records.X, load_wdbc().X)
    told = {"n_trials": 3, "n_folds": 4, "missing_fraction": 0.3, "n_masked": 15, "seed": 9}
    assert settings == told | chosen


def test_the_defaults_are_the_books_study(ran):
    by_protocol.one_protocol()
    told = {"n_trials": 10, "n_folds": 5, "missing_fraction": 0.5, "n_masked": 15, "seed": 0}
    assert ran[0][1] == told
