"""The study: who may look at what, reproducibility, the cache, and refusals before any work."""

import numpy as np
import pandas as pd
import pytest

from ehrgan.study import cache, protocol
from ehrgan.tables.records import Records, load_wdbc

FAST = {"n_trials": 1, "imputers": ("mean", "zero"), "classifiers": ("Naive Bayes",), "n_jobs": 1}
NETWORKS = {
    "n_trials": 1,
    "n_folds": 2,
    "imputers": ("autoencoder",),
    "classifiers": ("AC-GAN", "Decision Tree"),
    "autoencoder": {"epochs": 3},
    "acgan": {"epochs": 3},
    "n_jobs": 1,
}


@pytest.fixture(scope="module")
def records():
    return load_wdbc()


@pytest.fixture(scope="module")
def networks(records):
    return protocol.Study(records, **NETWORKS).run(progress=False)


def test_every_record_is_predicted_once_per_trial_and_arm(records, networks):
    counts = networks.predictions.groupby(["trial", "imputer", "classifier"])["record"]
    assert (counts.nunique() == len(records)).all() and (counts.size() == len(records)).all()
    assert networks.predictions["probability"].between(0, 1).all()
    assert set(networks.scores["metric"]) >= {"accuracy", "auc_roc", "f_score"}


def test_the_same_seed_gives_the_same_numbers(records, networks):
    again = protocol.Study(records, **NETWORKS).run(progress=False)
    pd.testing.assert_frame_equal(networks.predictions, again.predictions, check_exact=True)
    other = protocol.Study(records, **NETWORKS, seed=1).run(progress=False)
    assert not np.allclose(networks.predictions["probability"], other.predictions["probability"])


@pytest.mark.parametrize("imputer", ["mean", "zero", "autoencoder"])
def test_test_records_teach_nothing_under_the_honest_protocol(records, imputer):
    settings = {**NETWORKS, "imputers": (imputer,)}
    study = protocol.Study(records, **settings)
    first = study.folds[0]
    X = records.X.copy()
    X.iloc[first.test] = X.iloc[first.test] * 50 - 7  # changes range, mean and pattern
    tampered = protocol.Study(Records(X, records.y), **settings)
    before, after = study._impute(imputer, True)[0], tampered._impute(imputer, True)[0]
    np.testing.assert_array_equal(before.train, after.train)


def test_a_planted_leak_in_test_rows_changes_no_prediction_of_theirs(records):
    # the label, written into an attribute of the test rows of the first fold only, lies far outside
    # what training showed; trees that never split on it by label cannot gain from it
    study = protocol.Study(records, **{**FAST, "imputers": ("mean",), "missing_fraction": 0.0})
    fold = study.folds[0]
    X = records.X.assign(leak=0.0)
    plain = protocol.Study(Records(X, records.y), **study.settings()).run(progress=False)
    X.iloc[fold.test, -1] = records.y[fold.test]
    leaky = protocol.Study(Records(X, records.y), **study.settings()).run(progress=False)
    chosen = plain.predictions["fold"] == 0
    a, b = (r.predictions.loc[chosen, "probability"] > 0.5 for r in (plain, leaky))
    assert (a == b).mean() > 0.95


def test_rmse_of_a_fold_counts_hidden_cells_only(records):
    result = protocol.Study(records, **FAST).run(progress=False)
    mean, zero = (
        result.imputation.query("imputer == @name")["rmse"].mean() for name in FAST["imputers"]
    )
    assert 0.13 < mean < 0.16 < zero
    assert (
        protocol.Study(records, **FAST, missing_fraction=0.0).run(progress=False).imputation.empty
    )


def test_the_cache_returns_the_same_result_and_an_edit_misses_it(records, tmp_path, monkeypatch):
    monkeypatch.setenv("EHRGAN_CACHE", str(tmp_path))
    calls = []
    judge = protocol.judge
    monkeypatch.setattr(protocol, "judge", lambda *a, **kw: calls.append(1) or judge(*a, **kw))
    first = cache.run_study(records, **FAST)
    second = cache.run_study(records, **FAST)
    pd.testing.assert_frame_equal(first.predictions, second.predictions)
    assert len(calls) == 2
    cache.run_study(records, **FAST, seed=5)
    assert len(calls) == 4
    monkeypatch.setattr(cache, "source_fingerprint", lambda: "edited")
    cache.run_study(records, **FAST)
    assert len(calls) == 6


@pytest.mark.parametrize(
    ("argument", "value", "error"),
    [
        ("n_trials", 0, ValueError),
        ("n_trials", 1.5, TypeError),
        ("n_folds", 1, ValueError),
        ("n_folds", 213, ValueError),
        ("missing_fraction", 1.5, ValueError),
        ("n_masked", 31, ValueError),
        ("seed", -1, ValueError),
        ("imputers", ("median",), ValueError),
        ("classifiers", (), ValueError),
        ("protocol", "peak", ValueError),
        ("mechanism", "MARS", ValueError),
    ],
)
def test_senseless_arguments_are_refused_by_name_before_any_work(records, argument, value, error):
    wanted = "fraction" if argument == "missing_fraction" else argument
    with pytest.raises(error, match=wanted):
        protocol.Study(records, **{argument: value})


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_the_ends_of_the_missing_fraction_run(records, fraction):
    result = protocol.Study(records, **FAST, missing_fraction=fraction).run(progress=False)
    assert len(result.predictions) == 2 * len(records)


@pytest.mark.parametrize("mechanism", ["MCAR", "MAR", "MNAR", "monotone"])
def test_every_mechanism_runs_with_every_imputer_of_scikit_learn(records, mechanism):
    settings = {**FAST, "imputers": ("mean", "nearest neighbours", "chained ridge"), "n_folds": 2}
    result = protocol.Study(records, **settings, mechanism=mechanism, missing_fraction=0.3)
    error = result.run(progress=False).imputation.groupby("imputer")["rmse"].mean()
    assert (error.drop("mean") < error["mean"]).all()
