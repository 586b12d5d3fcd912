"""What a study hands to its classifiers, told by spies that keep all they were shown.

The last attribute of the table is the record's number and never goes missing, so every row that a
spy meets can be traced to its record, its label and its imputation draw.
"""

import numpy as np
import pandas as pd
import pytest
from spies import GRID, SEEN, Filler, Gan, Spy, arms, told

from ehrgan import ACGANClassifier, StackedAutoencoderImputer
from ehrgan import source as sources
from ehrgan.nets import autoencoder
from ehrgan.study import protocol
from ehrgan.study import result as result_module
from ehrgan.study.judging import Arm
from ehrgan.study.protocol import Study
from ehrgan.study.selection import select_many
from ehrgan.tables.records import Records

SMALL = {"n_trials": 2, "n_folds": 2, "n_masked": 2, "n_jobs": 1, "seed": 3}
DENOISING = {"epochs": 7}
DRAWS = {"guess": 0, "one": 1, "three": 3, "no weights": 2, "gan": 2, "gan chosen": 2}
TESTED = [(trial, fold) for trial in (0, 1) for fold in (0, 1)]


@pytest.fixture(scope="module")
def filling():
    """Let studies impute with networks that learn at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "StackedAutoencoderImputer", Filler)
        yield


@pytest.fixture(scope="module")
def records():
    rng = np.random.default_rng(8)
    y = (np.arange(40) % 3 == 0).astype(int)
    X = rng.normal(size=(40, 5)) * [1, 20, 3, 0, 0] + y[:, None] + [5, -30, 0, 0, 0]
    X[:, 3] = np.arange(40) == 7  # does not vary where record 7 is tested
    X[:, 4] = np.arange(40)
    X[[4, 21, 22], 2] = np.nan
    return Records(X, y)


def spied(study):
    """Run a study; return its result and what its spies saw."""
    SEEN.clear()
    result = study.run(progress=False)
    return result, list(SEEN)


@pytest.fixture(scope="module")
def studied(records, filling):
    study = Study(records, **SMALL, imputers=("denoising", "zero"), denoising=DENOISING,
                  classifiers=arms())  # fmt: skip
    return study, *spied(study)


def holed(records, fold):
    return np.where(fold.mask, np.nan, records.X.to_numpy())


def flattened(known, X):
    """Test records in which an attribute that does not vary among the known holds its one value."""
    X = X.copy()
    for j in range(X.shape[1]):
        values = np.unique(known[~np.isnan(known[:, j]), j])
        if len(values) == 1:
            X[~np.isnan(X[:, j]), j] = values[0]
    return X


def recomputed(records, fold, imputer, access=(), model=None):
    """Training and test records of a fold, filled and scaled; lists of draws beside the guess."""
    X = holed(records, fold)
    known = X if "imputation" in access else X[fold.train]
    ruler = X if "scaling" in access else X[fold.train]
    low, high = np.nanmin(ruler, axis=0), np.nanmax(ruler, axis=0)
    width = np.where(high > low, high - low, 1.0)
    parts = [X[fold.train], flattened(known, X[fold.test])]
    if model is not None:
        guesses = [model.transform(part) for part in parts]
        draws = [model.draw(part, 3, random_state=fold.seed) for part in parts]
    else:
        fill = {"mean": np.nanmean(known, axis=0), "zero": low}[imputer]
        guesses = [np.where(np.isnan(part), fill, part) for part in parts]
        draws = [guess[None] for guess in guesses]
    return [(table - low) / width for table in guesses], [(table - low) / width for table in draws]


@pytest.fixture(scope="module")
def expected(records, studied):
    folds = studied[0].folds
    models = Filler(**DENOISING).fit_many(
        [holed(records, fold)[fold.train] for fold in folds],
        params=[{"random_state": fold.seed} for fold in folds],
    )
    tables = {}
    for fold, model in zip(folds, models, strict=True):
        tables["denoising", fold.trial, fold.fold] = recomputed(records, fold, "", model=model)
        tables["zero", fold.trial, fold.fold] = recomputed(records, fold, "zero")
    return tables


def by_draw(guess, draws, arm):
    """The tables that an arm learns from, (draws, records, attributes)."""
    wanted = DRAWS[arm]
    return draws[: min(wanted, len(draws))] if wanted else guess[None]


def seen_by(studied, arm, imputer, fold):
    """What an arm's spy was fitted on in a fold, under an imputation."""
    study, _, seen = studied
    name = {"gan": "gan 1", "gan chosen": "gan 2"}.get(arm, arm)
    own = [s for s in seen if s["name"] == name and s["seed"] == fold.seed]
    if arm == "gan chosen":
        own = [s for s in own if s["watched"] is None]  # not those of the inner folds
    assert len(own) == len(study.imputers)
    return own[study.imputers.index(imputer)]


@pytest.mark.parametrize("arm", DRAWS)
@pytest.mark.parametrize("imputer", ["denoising", "zero"])
def test_each_row_bears_the_label_and_the_share_of_its_record(studied, records, arm, imputer):
    n_draws = max(1, DRAWS[arm]) if imputer == "denoising" else 1
    for fold in studied[0].folds:
        seen = seen_by(studied, arm, imputer, fold)
        low, high = fold.train.min(), fold.train.max()
        who = np.rint(seen["X"][:, 4] * (high - low) + low).astype(int)
        np.testing.assert_array_equal(np.sort(who), np.repeat(fold.train, n_draws))
        np.testing.assert_array_equal(seen["y"], records.y[who])
        holes = np.flatnonzero(fold.mask[fold.train].any(axis=1))
        drawn = pd.DataFrame(seen["X"]).groupby(who)[0].nunique()
        assert (drawn.drop(fold.train[holes]) == 1).all()
        assert (drawn.loc[fold.train[holes]] == n_draws).all()
        weight = seen.get("weight")
        if arm in ("one", "three") and n_draws > 1:
            np.testing.assert_allclose(weight, 1 / n_draws)
        else:
            assert weight is None


@pytest.mark.parametrize("arm", DRAWS)
@pytest.mark.parametrize("imputer", ["denoising", "zero"])
def test_training_tables_are_the_folds_own_filled_and_scaled(studied, expected, arm, imputer):
    for fold in studied[0].folds:
        guesses, draws = expected[imputer, fold.trial, fold.fold]
        wanted = by_draw(guesses[0], draws[0], arm)
        np.testing.assert_allclose(
            seen_by(studied, arm, imputer, fold)["X"], wanted.reshape(-1, 5), atol=1e-12
        )


@pytest.mark.parametrize("arm", DRAWS)
@pytest.mark.parametrize("imputer", ["denoising", "zero"])
def test_a_prediction_is_the_mean_over_all_draws_of_the_record(studied, expected, arm, imputer):
    study, result, _ = studied
    own = result.predictions.query("classifier == @arm and imputer == @imputer")
    for fold in study.folds:
        guesses, draws = expected[imputer, fold.trial, fold.fold]
        tables = by_draw(guesses[1], draws[1], arm)
        l2 = seen_by(studied, arm, imputer, fold).get("own", {"l2": 0})["l2"]
        wanted = np.mean([told(table, fold.seed, l2) for table in tables], axis=0)
        found = own.query("trial == @fold.trial and fold == @fold.fold").set_index("record")
        np.testing.assert_allclose(found.loc[fold.test, "probability"], wanted, atol=1e-12)
        np.testing.assert_array_equal(found.loc[fold.test, "y"], study.records.y[fold.test])


def test_predictions_come_in_the_order_asked_for_and_each_record_once(studied):
    study, result, _ = studied
    wanted = [
        (imputer, arm, fold.trial, fold.fold, record)
        for imputer in ("denoising", "zero")
        for arm in study.classifiers
        for fold in study.folds
        for record in np.sort(fold.test)
    ]
    keys = ["imputer", "classifier", "trial", "fold", "record"]
    assert list(result.predictions[keys].itertuples(index=False, name=None)) == wanted
    assert list(result.predictions.columns) == [
        "trial", "fold", "record", "y", "imputer", "classifier", "probability", "threshold"
    ]  # fmt: skip
    assert result.predictions.index.equals(pd.RangeIndex(len(wanted)))
    assert result.curves.empty and list(result.curves) == [*protocol.KEYS, "epoch", "error"]


def test_the_error_of_each_fold_is_that_of_its_hidden_cells(studied, expected, records):
    study, result, _ = studied
    whole = records.X.to_numpy()
    width = np.nanmax(whole, axis=0) - np.nanmin(whole, axis=0)
    rows = []
    for imputer in study.imputers:
        for fold in study.folds:
            X = holed(records, fold)[fold.train]
            low, high = np.nanmin(X, axis=0), np.nanmax(X, axis=0)
            filled = expected[imputer, fold.trial, fold.fold][0][1] * (high - low) + low
            gap = ((filled - whole[fold.test]) / width)[fold.mask[fold.test]]
            rows.append((fold.trial, fold.fold, imputer, np.sqrt(np.mean(gap**2))))
    wanted = pd.DataFrame(rows, columns=["trial", "fold", "imputer", "rmse"])
    pd.testing.assert_frame_equal(result.imputation, wanted, atol=1e-12)
    assert wanted["rmse"].nunique() == 8


@pytest.mark.parametrize("imputer", ["denoising", "zero"])
def test_each_fold_is_trained_and_called_by_its_own_choice(studied, expected, records, imputer):
    study, result, _ = studied
    choices = result.choices.query("imputer == @imputer")
    assert list(choices[["trial", "fold"]].itertuples(index=False, name=None)) == TESTED
    assert set(result.choices["classifier"]) == {"gan chosen"}
    for fold in study.folds:
        guesses, draws = expected[imputer, fold.trial, fold.fold]
        table = by_draw(guesses[0], draws[0], "gan chosen")
        (choice,) = select_many(
            Gan(epochs=4),
            [(table, records.y[fold.train])],
            GRID,
            specificity=0.7,
            seeds=[fold.seed],
        )
        (row,) = choices.query("trial == @fold.trial and fold == @fold.fold").to_dict("records")
        assert row["choice"] == repr(choice.params)
        assert row["loss"] == pytest.approx(choice.loss)
        assert row["threshold"] == pytest.approx(choice.threshold, abs=1e-12)
        own = seen_by(studied, "gan chosen", imputer, fold)["own"]
        assert {**own, **choice.params, "random_state": fold.seed} == own
        assert not own["early_stopping"]
    keys = ["imputer", "classifier", "trial", "fold"]
    called = result.predictions.groupby(keys)["threshold"].unique()
    for row in choices.itertuples():
        assert called[imputer, "gan chosen", row.trial, row.fold] == [row.threshold]
        assert called[imputer, "gan", row.trial, row.fold] == [0.5]
    assert result.choices["threshold"].nunique() > 4
    assert len(set(result.choices["choice"])) > 1


def test_choices_lead_to_one_score_per_fold(studied):
    _, result, _ = studied
    called = result.predictions["probability"] > result.predictions["threshold"]
    keys = ["trial", "fold", "imputer", "classifier"]
    right = (called == result.predictions["y"].astype(bool)).groupby(
        [result.predictions[k] for k in keys]
    )
    scores = result.scores.query("metric == 'accuracy'").set_index(keys)
    pd.testing.assert_series_equal(
        scores["value"].sort_index(), right.mean().sort_index(), check_names=False
    )
    assert (scores["n_test"] == 20).all() and (scores["n_train"] == 20).all()
    row = result.summary.query("metric == 'accuracy'").set_index(["imputer", "classifier"])
    for key, own in scores.groupby(["imputer", "classifier"])["value"]:
        assert row.loc[key, "mean"] == pytest.approx(own.mean())


# ---------------------------------------------------------------- who teaches


@pytest.mark.parametrize("imputer", ["mean", "zero"])
@pytest.mark.parametrize(
    ("name", "access"),
    [
        ("honest", ()),
        (("scaling",), ("scaling",)),
        (("imputation",), ("imputation",)),
        ("paper", ("scaling", "imputation")),
        ("peek", ("scaling", "imputation")),
    ],
)
def test_each_protocol_fills_and_scales_by_the_records_that_may_teach(
    records, imputer, name, access
):
    study = Study(records, **SMALL, imputers=(imputer,), classifiers={"a": Arm(Spy())},
                  protocol=name)  # fmt: skip
    _, seen = spied(study)
    assert [s["seed"] for s in seen] == [fold.seed for fold in study.folds]
    for fold, own in zip(study.folds, seen, strict=True):
        (train, test), _ = recomputed(records, fold, imputer, access)
        np.testing.assert_allclose(own["X"], train, atol=1e-12)
        np.testing.assert_allclose(own["asked"], [test], atol=1e-12)


class Caught(Exception):
    """Raised by a network that has seen enough."""


@pytest.mark.parametrize("access", ["honest", ("scaling",), ("imputation",), "peek"])
@pytest.mark.parametrize(("name", "own"), [("autoencoder", {}), ("denoising", {"corruption": 0.3})])
def test_networks_that_impute_learn_from_the_records_that_may_teach(
    records, monkeypatch, access, name, own
):
    caught = {}

    def fit_many(self, datasets, *, params):
        caught.update(own=self.get_params(), datasets=datasets, params=params)
        raise Caught

    monkeypatch.setattr(protocol, "StackedAutoencoderImputer", StackedAutoencoderImputer)
    monkeypatch.setattr(StackedAutoencoderImputer, "fit_many", fit_many)
    study = Study(
        records, **SMALL, imputers=(name,), protocol=access, **{name: {"epochs": 7, **own}}
    )
    with pytest.raises(Caught):
        study.run(progress=False)
    for fold, table in zip(study.folds, caught["datasets"], strict=True):
        X = holed(records, fold)
        teaches = access in ("peek", ("imputation",))
        np.testing.assert_array_equal(table, X if teaches else X[fold.train])
    assert caught["params"] == [{"random_state": fold.seed} for fold in study.folds]
    base = autoencoder.PAPER_AUTOENCODER if name == "autoencoder" else protocol.DENOISING
    wanted = StackedAutoencoderImputer(**{**base, "keep_empty_features": True, "epochs": 7, **own})
    assert caught["own"] == wanted.get_params()


def test_the_papers_own_network_is_set_up_as_asked(records, monkeypatch):
    caught = []

    def fit_many(self, datasets, *, params, watched):
        caught.append(self.get_params())
        raise Caught

    monkeypatch.setattr(ACGANClassifier, "fit_many", fit_many)
    study = Study(records, **SMALL, imputers=("mean",), classifiers=("AC-GAN",), acgan={"l2": 0.5})
    with pytest.raises(Caught):
        study.run(progress=False)
    paper = {"scaling": "minmax", "generator_output": "sigmoid", "adversarial_weight": 1.0,
             "l2": 0.5, "beta_1": 0.9, "epochs": 500}  # fmt: skip
    assert caught == [ACGANClassifier(**paper).get_params()]


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("access", ["peek", ("epoch",), "paper", "honest"])
def test_only_who_may_see_the_epoch_watches_the_test_fold(records, access, shuffled):
    study = Study(records, **SMALL, imputers=("mean", "zero"), protocol=access,
                  classifiers={"b": Arm(Gan(epochs=3)), "a": Arm(Gan(epochs=5))},
                  shuffle_test_labels=shuffled)  # fmt: skip
    result, seen = spied(study)
    folds = [(i, k, f) for i in study.imputers for k in "ba" for f in study.folds]
    parts = () if access in ("honest", ("epoch",)) else ("scaling", "imputation")
    rows = []
    for (imputer, arm, fold), own in zip(folds, seen, strict=True):
        assert own["seed"] == fold.seed
        assert own["own"]["early_stopping"] == (access in ("peek", ("epoch",)))
        if access in ("paper", "honest"):
            assert own["watched"] is None
            continue
        assert own["own"]["stopping_criterion"] == "error"
        epochs = {"a": 5, "b": 3}[arm]
        assert own["own"]["n_iter_no_change"] == epochs
        X, y = own["watched"]
        np.testing.assert_allclose(X, recomputed(records, fold, imputer, parts)[0][1], atol=1e-12)
        np.testing.assert_array_equal(y, fold.y_test)
        error = np.random.default_rng([fold.seed, 1, len(own["X"])]).random(epochs)
        key = (fold.trial, fold.fold, imputer, arm)
        rows += [(*key, epoch, e) for epoch, e in enumerate(error, 1)]
    wanted = pd.DataFrame(rows, columns=[*protocol.KEYS, "epoch", "error"])
    assert len(result.curves) == len(wanted)
    if len(wanted):
        pd.testing.assert_frame_equal(result.curves.reset_index(drop=True), wanted)


def test_shuffled_labels_are_those_of_the_fold_dealt_anew_and_training_keeps_its_own(records):
    settings = {**SMALL, "imputers": ("mean",), "classifiers": {"a": Arm(Spy())}}
    study = Study(records, **settings, shuffle_test_labels=True)
    plain = Study(records, **settings)
    changed = []
    for fold, own in zip(study.folds, plain.folds, strict=True):
        np.testing.assert_array_equal(fold.test, own.test)
        np.testing.assert_array_equal(fold.y_train, records.y[fold.train])
        np.testing.assert_array_equal(own.y_test, records.y[own.test])
        np.testing.assert_array_equal(np.sort(fold.y_test), np.sort(own.y_test))
        changed.append(tuple(np.flatnonzero(fold.y_test != own.y_test)))
    assert all(changed) and len(set(changed)) == len(changed)
    (result, seen), (_, before) = spied(study), spied(plain)
    for a, b in zip(seen, before, strict=True):
        np.testing.assert_array_equal(a["X"], b["X"])
        np.testing.assert_array_equal(a["y"], b["y"])
    dealt = result.predictions.set_index(["trial", "fold", "record"])["y"]
    for fold in study.folds:
        assert dealt.loc[fold.trial, fold.fold].loc[fold.test].tolist() == fold.y_test.tolist()


@pytest.mark.parametrize("access", ["honest", "peek"])
def test_tampering_with_test_rows_changes_what_is_learned_under_a_peek_alone(
    records, access, filling
):
    settings = {**SMALL, "denoising": DENOISING, "classifiers": arms(), "protocol": access}
    settings |= {"imputers": ("mean", "zero", "nearest neighbours", "chained ridge", "denoising")}
    study = Study(records, **settings)
    first = study.folds[0]
    X, y = records.X.to_numpy(copy=True), records.y.copy()
    X[first.test] = X[first.test] * 50 - 7  # another range, other means
    X[first.test[::3], 2] = np.nan  # another pattern
    y[first.test] = 1 - y[first.test]
    tampered = Study(Records(X, y), **settings)
    tampered.folds = [first._replace(y_test=y[first.test]), *study.folds[1:]]
    results, learned = [], []
    for each in (study, tampered):
        result, seen = spied(each)
        results.append((result.choices.query("trial == 0 and fold == 0"),
                        result.predictions.query("trial == 0 and fold == 0")))  # fmt: skip
        learned.append(
            [(s["name"], s["X"].tolist(), s["y"].tolist(), str(s.get("own")))
             for s in seen if 0 <= s["seed"] - first.seed < 3]
        )  # fmt: skip
    (choices, predictions), (other_choices, other_predictions) = results
    same = [a == b for a, b in zip(*learned, strict=True)]
    assert len(same) == 5 * (6 + 3 * len(GRID))
    if access == "honest":
        assert all(same) and len(choices) == 5
        pd.testing.assert_frame_equal(choices, other_choices, check_exact=True)
    else:
        assert not any(same)
    assert not np.array_equal(predictions["probability"], other_predictions["probability"])
    assert (predictions["y"] == 1 - other_predictions["y"]).all()


def test_a_fold_that_tests_no_hidden_cell_has_no_error(records):
    few = {**SMALL, "n_folds": 5, "missing_fraction": 0.05}  # one record of either class
    study = Study(records, **few, imputers=("mean",), classifiers={"a": Arm(Spy())})
    result, _ = spied(study)
    wanted = [(f.trial, f.fold) for f in study.folds if f.mask[f.test].any()]
    assert 2 <= len(wanted) <= 4
    found = result.imputation[["trial", "fold"]]
    assert list(found.itertuples(index=False, name=None)) == wanted
    assert result.imputation["rmse"].notna().all()


@pytest.mark.filterwarnings("ignore:All-NaN slice:RuntimeWarning")
def test_an_attribute_that_all_records_lack_is_zero_to_every_classifier(records, filling):
    study = Study(records, **SMALL, missing_fraction=1.0, imputers=("mean", "zero", "denoising"),
                  classifiers={"a": Arm(Spy()), "b": Arm(Spy(), draws=2)})  # fmt: skip
    result, seen = spied(study)
    assert len(seen) == 4 * 3 * 2
    for own in seen:
        assert (own["X"][:, :2] == 0).all()
        assert all((asked[:, :2] == 0).all() for asked in own["asked"])
        assert own["X"][:, 4].max() == pytest.approx(1)
    assert result.imputation["rmse"].isna().all() and len(result.imputation) == 12


# ---------------------------------------------------------------- what is kept


def test_what_is_saved_reads_back_as_it_was(studied, tmp_path, monkeypatch):
    import json
    from importlib.metadata import version

    study, result, _ = studied
    monkeypatch.setattr(result_module, "source_fingerprint", lambda: "abc")
    paths = result.save(tmp_path / "new" / "folder")
    names = ["predictions", "scores", "imputation", "curves", "choices"]
    assert [p.name for p in paths] == [*(f"{n}.parquet" for n in names), "settings.json"]
    for name, path in zip(names, paths, strict=False):
        wanted = getattr(result, name).reset_index(drop=True)
        kept = pd.read_parquet(path)
        if wanted.empty:
            assert kept.empty and list(kept) == list(wanted)
        else:
            pd.testing.assert_frame_equal(kept, wanted, check_exact=True)
    about = json.loads(paths[-1].read_text())
    assert about["source"] == "abc"
    assert {n: about[n] for n in sources.VERSIONED} == {n: version(n) for n in sources.VERSIONED}
    assert about["settings"]["seed"] == 3 and about["settings"]["n_folds"] == 2
    assert set(about["settings"]["classifiers"]) == set(study.classifiers)


def test_watched_curves_read_back_with_their_keys(records, tmp_path):
    study = Study(records, **SMALL, imputers=("mean",), protocol="peek",
                  classifiers={"a": Arm(Gan(epochs=3))})  # fmt: skip
    result, _ = spied(study)
    result.save(tmp_path)
    kept = pd.read_parquet(tmp_path / "curves.parquet")
    pd.testing.assert_frame_equal(kept, result.curves.reset_index(drop=True), check_exact=True)
    assert list(kept.groupby(["trial", "fold"]).size()) == [3] * 4
