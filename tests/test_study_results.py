"""The tables that chapters 08 and 12 draw from a study, computed anew from its predictions."""

import numpy as np
import pandas as pd
import pytest

from ehrgan import ACGANClassifier, explorer, missingness, sweep
from ehrgan.baselines import make_classifier
from ehrgan.evaluation import METRICS
from ehrgan.protocol import StudyResult
from ehrgan.records import load_wdbc

FOLDS = [(0, 0), (0, 1), (1, 0), (1, 1)]
KEYS = ["trial", "fold", "imputer", "classifier"]


@pytest.fixture(scope="module")
def result():
    """Two trials of two folds, 30 records: what three imputations and two classifiers said."""
    rng = np.random.default_rng(6)
    predictions, imputation = [], []
    for imputer in ("zero", "mean", "autoencoder"):
        for classifier in ("AC-GAN", "Naive Bayes"):
            for trial in (0, 1):
                order = rng.permutation(30)
                for fold, test in enumerate((order[:14], order[14:])):
                    y = (np.arange(len(test)) % 3 == 0).astype(int)
                    predictions.append(pd.DataFrame({
                        "trial": trial, "fold": fold, "record": test, "y": y, "imputer": imputer,
                        "classifier": classifier, "threshold": 0.5,
                        "probability": np.clip(0.3 * y + rng.random(len(y)), 0, 1).round(2),
                    }))  # fmt: skip
        imputation += [(*key, imputer, rng.random()) for key in FOLDS]
    return StudyResult(
        pd.concat(predictions, ignore_index=True),
        pd.DataFrame(imputation, columns=["trial", "fold", "imputer", "rmse"]),
        pd.DataFrame(),
        pd.DataFrame(),
        {},
    )


def of_fold(result, key):
    keys = dict(zip(KEYS, key, strict=True))
    own = result.predictions
    for name, value in keys.items():
        own = own[own[name] == value]
    return own["y"].to_numpy(), own["probability"].to_numpy()


def auc(y, p):
    """Share of pairs of a positive and a negative record that are told in their order."""
    above = p[y == 1][:, None] - p[y == 0]
    return np.mean(above > 0) + np.mean(above == 0) / 2


def roc(y, p, rates):
    """The ROC curve, straight between the points of all thresholds; the upper of two at a step."""
    cuts = np.concatenate([[np.inf], np.unique(p)[::-1]])
    fpr = np.array([np.mean(p[y == 0] >= cut) for cut in cuts])
    tpr = np.array([np.mean(p[y == 1] >= cut) for cut in cuts])
    at = []
    for rate in rates:
        k = np.flatnonzero(fpr <= rate)[-1]
        more = 0 if fpr[k] == rate else (rate - fpr[k]) / (fpr[k + 1] - fpr[k])
        at.append(tpr[k] + more * (tpr[min(k + 1, len(tpr) - 1)] - tpr[k]))
    return np.array(at)


# ---------------------------------------------------------------- one setting of missingness


@pytest.fixture
def asked(monkeypatch, result):
    """What was asked of a study that gives the result at once."""
    made = []

    class Made:
        def __init__(self, records, **settings):
            made.append({"records": records, **settings})

        def run(self, progress=True):
            made[-1]["progress"] = progress
            return result

    monkeypatch.setattr(missingness, "Study", Made)
    return made


def test_a_setting_holds_the_scores_and_errors_of_every_fold(asked, result):
    table = missingness.one_setting("MCAR", 0.3)
    assert list(table) == [*KEYS, "metric", "value", "n_train", "n_test"]
    assert not table.duplicated([*KEYS, "metric"]).any() and not table.isna().any(axis=None)
    assert len(table) == 4 * 3 * (2 * 2 + 1)
    found = table.set_index([*KEYS, "metric"])["value"]
    for key in result.predictions[KEYS].drop_duplicates().itertuples(index=False, name=None):
        y, p = of_fold(result, key)
        assert found[(*key, "accuracy")] == pytest.approx(np.mean((p > 0.5) == y))
        assert found[(*key, "auc_roc")] == pytest.approx(auc(y, p))
    for row in result.imputation.itertuples(index=False):
        assert found[(row.trial, row.fold, row.imputer, "", "rmse")] == row.rmse
    sizes = table["fold"].map({0: 14, 1: 16})
    assert (table["n_test"] == sizes).all() and (table["n_train"] == 30 - sizes).all()


@pytest.mark.parametrize(
    ("mechanism", "vanishing", "columns"),
    [
        ("block", "first fifteen", range(15)),
        ("block", "nothing", ()),
        ("monotone", "mean + worst", [*range(10), *range(20, 30)]),
        ("MCAR", "first fifteen", range(15)),
        ("MNAR quantile", "first fifteen", range(15)),
    ],
)
def test_a_setting_is_the_study_that_was_asked_for(asked, mechanism, vanishing, columns):
    missingness.one_setting(mechanism, 0.3, vanishing=vanishing, n_trials=3, n_folds=4, seed=9)
    (study,) = asked
    pd.testing.assert_frame_equal(study.pop("records").X, load_wdbc().X)
    arms = study.pop("classifiers")
    whole = mechanism in ("block", "monotone")
    own = ("autoencoder",) if whole else ()  # it needs complete records to learn from
    assert study == {
        "n_trials": 3, "n_folds": 4, "missing_fraction": 0.3, "mechanism": mechanism,
        "attributes": tuple(columns), "seed": 9, "n_jobs": 1, "progress": False,
        "imputers": ("mean", "nearest neighbours", "chained ridge", *own, "denoising"),
    }  # fmt: skip
    names = ["Logistic regression", "Random Forest", "SVM (RBF)"]
    assert list(arms) == [*names, "AC-GAN"]
    wanted = {name: make_classifier(name) for name in names} | {"AC-GAN": ACGANClassifier()}
    for name, arm in arms.items():
        assert repr(arm.estimator) == repr(wanted[name])
        assert (arm.draws, arm.grid, arm.specificity) == (0, (), None)


def test_the_defaults_are_the_papers_block_in_half_of_the_records(asked):
    missingness.one_setting()
    (study,) = asked
    told = ("mechanism", "missing_fraction", "attributes", "n_trials", "n_folds", "seed")
    assert [study[name] for name in told] == ["block", 0.5, tuple(range(15)), 2, 5, 0]


# ---------------------------------------------------------------- one protocol of the explorer


@pytest.fixture
def ran(monkeypatch, result):
    runs = []

    def run_study(records, **settings):
        runs.append((records, settings))
        return result

    monkeypatch.setattr(explorer, "run_study", run_study)
    return runs


def test_a_protocol_holds_scores_of_every_fold_and_curves_averaged_over_them(ran, result):
    table = explorer.one_protocol()
    assert set(table["imputer"]) == {"mean", "autoencoder"}
    scores = table[table["fpr"].isna()].set_index([*KEYS, "metric"])["value"].sort_index()
    assert set(scores.index.get_level_values("metric")) == {*METRICS, "brier"}
    assert len(scores) == 4 * 2 * 2 * 6
    curves = table[table["metric"] == "tpr"]
    assert len(curves) == 2 * 2 * len(explorer.FPR)
    assert (curves[["trial", "fold"]] == -1).all(axis=None)
    assert (curves[["n_train", "n_test"]] == 0).all(axis=None)
    for (imputer, classifier), curve in curves.groupby(["imputer", "classifier"]):
        np.testing.assert_array_equal(curve["fpr"], explorer.FPR)
        folds = [of_fold(result, (*key, imputer, classifier)) for key in FOLDS]
        mean = np.mean([roc(*fold, explorer.FPR) for fold in folds], axis=0)
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
    explorer.one_protocol(protocol, 0.3, n_trials=3, n_folds=4, seed=9)
    ((records, settings),) = ran
    pd.testing.assert_frame_equal(records.X, load_wdbc().X)
    told = {"n_trials": 3, "n_folds": 4, "missing_fraction": 0.3, "n_masked": 15, "seed": 9}
    assert settings == told | chosen


def test_the_defaults_are_the_books_study(ran):
    explorer.one_protocol()
    told = {"n_trials": 10, "n_folds": 5, "missing_fraction": 0.5, "n_masked": 15, "seed": 0}
    assert ran[0][1] == told


# ---------------------------------------------------------------- a sweep into the package's data


@pytest.mark.parametrize(
    ("module", "setting"),
    [
        (missingness, {"mechanism": "MCAR", "fraction": 0.1, "vanishing": "nothing", "seed": 3}),
        (explorer, {"protocol": "paper", "fraction": 0.1, "seed": 3}),
    ],
)
def test_a_finished_sweep_is_put_in_order_into_the_data(tmp_path, monkeypatch, module, setting):
    rows = [
        (0, 1, "mean", "AC-GAN", "auc_roc", 0.4),
        (1, 0, "mean", "AC-GAN", "auc_roc", 0.5),
        (0, 0, "mean", "AC-GAN", "auc_roc", 0.3),
        (0, 0, "mean", "AC-GAN", "accuracy", 0.2),
        (0, 0, "mean", "A", "auc_roc", 0.1),
        (0, 0, "autoencoder", "AC-GAN", "auc_roc", 0.0),
    ]
    run = pd.DataFrame(rows, columns=[*KEYS, "metric", "value"]).assign(
        n_train=20, n_test=10, fpr=np.nan, version="1", source="abc", key="k", duration=1.0
    )  # fmt: skip
    first = run.assign(**{f"parameter_{name}": value for name, value in setting.items()})
    table = pd.concat([first.assign(parameter_seed=4, value=run["value"] + 1), first])
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(module, "__file__", str(tmp_path / "module.py"))
    monkeypatch.setattr(sweep, "read_sweep", lambda folder: table if folder == "here" else None)
    module.collect("here")
    kept = pd.read_parquet(tmp_path / "data" / module.RESULTS)
    values = np.arange(6) / 10
    assert kept["value"].tolist() == pytest.approx([*values, *(values + 1)])
    assert kept["seed"].tolist() == [3] * 6 + [4] * 6
    for name, value in setting.items():
        assert name == "seed" or set(kept[name]) == {value}
    more = ["fpr"] if module is explorer else []
    assert list(kept) == [*setting, *KEYS, "metric", *more, "value", "n_train", "n_test",
                          "version", "source"]  # fmt: skip
