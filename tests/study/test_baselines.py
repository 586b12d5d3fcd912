"""The paper's settings, and scores with one operating point."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.svm import SVC

from ehrgan.paper.tables import paper_tables
from ehrgan.study.baselines import (
    BASELINES,
    PAPER_IMPUTERS,
    make_classifier,
    make_imputer,
    predict_score,
)


@pytest.fixture(scope="module")
def toy():
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    return rng.normal(size=(120, 6)) + 2 * y[:, None], y


def test_names_are_those_of_the_papers_tables():
    paper = set(paper_tables()["classifier"]) - {"AC-GAN"}
    assert set(BASELINES) - {"Logistic regression"} == paper
    assert set(paper_tables()["imputer"]) < set(PAPER_IMPUTERS)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("SVM (RBF)", {"kernel": "rbf", "C": 1.0, "gamma": "auto"}),
        ("AdaBoost", {"n_estimators": 10, "estimator__max_depth": 1}),
        ("Random Forest", {"n_estimators": 10, "max_features": 5, "bootstrap": True}),
        ("Gradient Boosting", {"n_estimators": 10}),
        ("MLP", {"hidden_layer_sizes": (50,), "solver": "adam", "activation": "relu"}),
        ("MLP", {"max_iter": 200}),
        ("Decision Tree", {"max_depth": None, "criterion": "gini"}),
        ("Logistic regression", {"logisticregression__C": 1.0, "standardscaler__with_std": True}),
    ],
)
def test_settings_that_the_paper_states_or_leaves_to_the_library(name, settings):
    parameters = make_classifier(name).get_params()
    assert {key: parameters[key] for key in settings} == settings


@pytest.mark.parametrize("name", BASELINES)
def test_a_classifier_that_draws_is_handed_its_seed(name):
    seeded, free = (make_classifier(name, random_state=seed).get_params() for seed in (7, None))
    assert ("random_state" in seeded) == (name not in ("Naive Bayes", "Logistic regression"))
    assert seeded.get("random_state", 7) == 7 and free.get("random_state") is None


def test_a_score_is_the_probability_or_the_logistic_of_the_distance(toy):
    X, y = toy
    bayes, svm = (make_classifier(name).fit(X, y) for name in ("Naive Bayes", "SVM (RBF)"))
    np.testing.assert_array_equal(predict_score(bayes, X), bayes.predict_proba(X)[:, 1])
    distance = svm.decision_function(X)
    np.testing.assert_allclose(predict_score(svm, X), 1 / (1 + np.exp(-distance)))


def test_a_hole_takes_the_mean_of_the_ten_nearest_records():
    X = np.column_stack([np.arange(13.0) ** 2, np.arange(13.0)])
    X[0, 1] = np.nan
    filled = make_imputer("nearest neighbours").fit_transform(X)
    assert filled[0, 1] == pytest.approx(np.mean(np.arange(1, 11)))
    np.testing.assert_array_equal(filled[1:], X[1:])


def test_the_chain_fills_by_regression_and_stays_within_the_scale():
    x = np.linspace(0, 1, 41)
    X = np.column_stack([x, 1 - x])
    X[10, 1] = np.nan
    filled = make_imputer("chained ridge").fit_transform(X)
    known = np.delete(x, 10)
    square = np.sum((known - known.mean()) ** 2)
    slope = -square / (square + 0.1)  # the penalty
    assert filled[10, 1] == pytest.approx(1 - known.mean() + slope * (x[10] - known.mean()))
    X = np.column_stack([x, np.clip(2 * x - 0.5, 0, 1)])
    X[0, 1] = X[40, 1] = np.nan
    filled = make_imputer("chained ridge").fit_transform(X)
    assert filled[0, 1] == 0 and filled[40, 1] == 1  # the regression alone leaves the scale
    again = make_imputer("chained ridge").fit_transform(X)
    np.testing.assert_array_equal(filled, again)
    X[:, 0] = np.nan
    assert (make_imputer("chained ridge").fit_transform(X)[:, 0] == 0).all()
    assert (make_imputer("nearest neighbours").fit_transform(X)[:, 0] == 0).all()


def test_every_call_makes_a_new_imputer():
    make_imputer("mean").set_params(strategy="median")
    assert make_imputer("mean").strategy == "mean"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", BASELINES)
def test_score_above_half_is_the_classifiers_own_decision(name, toy):
    X, y = toy
    estimator = make_classifier(name, random_state=0).fit(X[:80], y[:80])
    scores = predict_score(estimator, X[80:])
    assert ((scores >= 0) & (scores <= 1)).all()
    assert ((scores > 0.5) == estimator.predict(X[80:])).all()
    assert np.mean((scores > 0.5) == y[80:]) > 0.8
    again = clone(estimator).fit(X[:80], y[:80])
    assert (predict_score(again, X[80:]) == scores).all()


def test_every_call_makes_a_new_estimator():
    make_classifier("SVM (RBF)").set_params(C=7.0)
    assert make_classifier("SVM (RBF)").C == 1.0


def test_three_classes_have_no_single_score():
    svm = SVC().fit([[0.0], [1.0], [2.0]], [0, 1, 2])
    with pytest.raises(ValueError, match="estimator must have two classes"):
        predict_score(svm, [[0.0]])


def test_imputers_keep_an_attribute_nobody_has():
    X = np.array([[0.25, np.nan], [0.75, np.nan], [np.nan, np.nan]])
    assert make_imputer("mean").fit_transform(X).tolist() == [[0.25, 0], [0.75, 0], [0.5, 0]]
    assert make_imputer("zero").fit_transform(X).tolist() == [[0.25, 0], [0.75, 0], [0, 0]]


@pytest.mark.parametrize(
    ("make", "name"), [(make_classifier, "XGBoost"), (make_imputer, "autoencoder")]
)
def test_unknown_names_are_refused(make, name):
    with pytest.raises(ValueError, match=f"name must be one of .* got '{name}'"):
        make(name)
