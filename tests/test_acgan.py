"""ACGANClassifier: conformity, weights, variants, generated records and refusals."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from ehrgan import ACGANClassifier
from ehrgan.acgan import PAPER
from ehrgan.records import load_wdbc

QUICK = {"epochs": 3, "random_state": 0}


@pytest.fixture(scope="module")
def wdbc():
    records = load_wdbc()
    return records.X.to_numpy(), records.y


@parametrize_with_checks([ACGANClassifier(random_state=0)])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


def test_it_learns_and_its_losses_are_recorded(wdbc):
    model = ACGANClassifier(random_state=0).fit(*wdbc)
    assert model.score(*wdbc) > 0.97
    assert set(model.history_) == {
        "L_S_real", "L_S_fake", "L_C_real", "L_C_fake", "loss_D", "loss_G",
    }  # fmt: skip
    assert model.history_["L_C_real"][-1] > model.history_["L_C_real"][0]
    assert len(model.loss_curve_) == model.n_iter_ == model.epochs


def test_labels_of_any_kind_and_more_than_two_classes():
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = ACGANClassifier(epochs=150, batch_size=16, random_state=0).fit(X, names)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert model.score(X, names) > 0.9
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    assert model.decision_function(X).shape == (150, 3)


def test_swapping_the_labels_swaps_the_probabilities_of_the_sorted_classes(wdbc):
    X, y = wdbc
    words = np.where(y == 1, "a malignant", "b benign")
    model = ACGANClassifier(epochs=40, random_state=0).fit(X, words)
    malignant = model.predict_proba(X)[:, 0]
    assert malignant[y == 1].mean() > 0.8 > 0.2 > malignant[y == 0].mean()


def test_whole_number_weights_are_repetition(wdbc):
    X, y = wdbc[0][:60], wdbc[1][:60]
    weight = np.random.default_rng(0).integers(0, 4, 60)
    weighted = ACGANClassifier(**QUICK).fit(X, y, sample_weight=weight)
    repeated = ACGANClassifier(**QUICK).fit(np.repeat(X, weight, 0), np.repeat(y, weight))
    np.testing.assert_array_equal(weighted.predict_proba(X), repeated.predict_proba(X))


def test_class_weight_moves_the_operating_point(wdbc):
    X, y = wdbc
    plain = ACGANClassifier(epochs=30, random_state=0).fit(X, y)
    heavy = ACGANClassifier(epochs=30, random_state=0, class_weight={0: 1, 1: 30}).fit(X, y)
    assert heavy.predict_proba(X)[:, 1].mean() > plain.predict_proba(X)[:, 1].mean() + 0.02


@pytest.mark.parametrize(
    "variant",
    [{"class_loss": "real"}, {"class_loss": "discriminator"}, {"generator_loss": "non_saturating"},
     {"averaging": 0.99}, {"n_members": 3}, {"early_stopping": True}, {"class_weight": "balanced"},
     PAPER],
)  # fmt: skip
def test_every_variant_trains_and_differs_from_the_default(wdbc, variant):
    settings = {"epochs": 20, "random_state": 0}
    default = ACGANClassifier(**settings).fit(*wdbc)
    other = ACGANClassifier(**{**variant, **settings}).fit(*wdbc)
    assert other.score(*wdbc) > 0.7
    assert not np.array_equal(default.predict_proba(wdbc[0]), other.predict_proba(wdbc[0]))


def test_warm_start_goes_on_from_the_last_weights(wdbc):
    model = ACGANClassifier(epochs=15, random_state=0, warm_start=True).fit(*wdbc)
    first = model.history_["L_C_real"][-1]
    assert model.fit(*wdbc).history_["L_C_real"][0] > first - 0.05
    with pytest.raises(ValueError, match="warm_start"):
        model.fit(wdbc[0], np.where(wdbc[1], "x", "y"))


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_datasets_trained_together_equal_datasets_trained_alone(seed):
    sets = [make_classification(n, 6, random_state=seed % 1000 + n) for n in (60, 35, 101)]
    model = ACGANClassifier(epochs=4, random_state=seed)
    for (X, y), together in zip(sets, model.fit_many(sets), strict=True):
        alone = clone(model).fit(X, y)
        np.testing.assert_allclose(
            together.predict_proba(X), alone.predict_proba(X), rtol=1e-3, atol=1e-5
        )


def test_fit_many_with_parameters_of_its_own_and_refusals(wdbc):
    X, y = wdbc
    strong, weak = ACGANClassifier(**QUICK).fit_many(
        [(X, y)] * 2, params=[{"l2": 1.0}, {"l2": 0.0}]
    )
    assert np.abs(strong.discriminator_[0]).sum() < np.abs(weak.discriminator_[0]).sum()
    assert strong.l2 == 1.0
    with pytest.raises(ValueError, match=r"datasets\[1\] has another number of attributes"):
        ACGANClassifier(**QUICK).fit_many([(X, y), (X[:, :3], y)])
    with pytest.raises(ValueError, match=r"datasets\[1\] has another number of classes"):
        ACGANClassifier(**QUICK).fit_many([(X, y), (X, np.arange(len(y)) % 3)])
    with pytest.raises(ValueError, match="datasets is empty"):
        ACGANClassifier(**QUICK).fit_many([])
    with pytest.raises(ValueError, match="params has 1"):
        ACGANClassifier(**QUICK).fit_many([(X, y), (X, y)], params=[{}])


def test_generated_records_look_like_their_class_in_units_and_types(wdbc):
    X = pd.DataFrame(wdbc[0][:, :3], columns=["radius", "texture", "perimeter"])
    X["grade"] = np.where(wdbc[1], 3, 1)
    X["flag"] = wdbc[1].astype(bool)
    y = np.where(wdbc[1], "malignant", "benign")
    model = ACGANClassifier(epochs=100, adversarial_weight=1.0, random_state=0).fit(X, y)
    fake, label = model.sample(300, "malignant", random_state=0)
    assert set(label) == {"malignant"} and fake.dtypes.equals(X.dtypes)
    assert set(fake["grade"]) <= {1, 2, 3}
    benign, _ = model.sample(300, "benign", random_state=0)
    assert fake["radius"].mean() > benign["radius"].mean()
    again, _ = model.sample(300, "benign", random_state=0)
    pd.testing.assert_frame_equal(benign, again)
    mixed = model.sample(2000, random_state=1)[1]
    assert abs((mixed == "malignant").mean() - 212 / 569) < 0.05


def test_sampling_refuses_what_it_does_not_know(wdbc):
    model = ACGANClassifier(**QUICK).fit(*wdbc)
    for n, y, wanted in ((0, None, "n is 0"), (2, 7, "y holds 7"), (2, [1], "y has shape")):
        with pytest.raises(ValueError, match=wanted):
            model.sample(n, y)


def test_grid_search_and_pipeline_with_weights(wdbc):
    X, y = wdbc
    pipe = make_pipeline(FunctionTransformer(), ACGANClassifier(**QUICK))
    grid = GridSearchCV(pipe, {"acganclassifier__l2": [0.0, 0.1]}, cv=2)
    grid.fit(X, y, acganclassifier__sample_weight=np.ones(len(y)))
    assert 0.5 < grid.best_score_ <= 1


@pytest.mark.parametrize(
    ("X", "y", "wanted"),
    [
        ([[1.0], [np.nan]], [0, 1], "NaN"),
        ([[1.0], [np.inf]], [0, 1], "infinity"),
        ([["a"], ["b"]], [0, 1], "convert"),
        ([[1.0], [2.0]], [1, 1], "one class"),
        ([[1.0], [2.0]], [0.5, 1.2], "Unknown label type"),
    ],
)
def test_bad_input_is_refused(X, y, wanted):
    with pytest.raises(ValueError, match=wanted):
        ACGANClassifier(**QUICK).fit(X, y)


def test_importing_the_package_loads_no_network_library():
    code = "import sys, ehrgan; print('tensorflow' in sys.modules, 'matplotlib' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]


def test_sample_weight_is_routed_through_searches(wdbc):
    X, y = wdbc
    weight = np.where(y == 1, 1.0, 0.0)
    weight[:40] = 1.0
    with config_context(enable_metadata_routing=True):
        model = ACGANClassifier(epochs=2, random_state=0).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=False)
        search = GridSearchCV(model, {"l2": [0.0, 0.1]}, cv=3).fit(X, y, sample_weight=weight)
    again = ACGANClassifier(epochs=2, random_state=0, **search.best_params_)
    again.fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(search.predict_proba(X), again.predict_proba(X))
