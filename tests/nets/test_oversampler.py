"""ACGANOverSampler: imbalanced-learn's own checks, its pipelines, and tables of mixed columns."""

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTENC
from imblearn.pipeline import make_pipeline
from imblearn.utils.estimator_checks import parametrize_with_checks
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score

from ehrgan import ACGANClassifier, ACGANOverSampler

QUICK = ACGANOverSampler(acgan=ACGANClassifier(epochs=3), random_state=0)


@parametrize_with_checks([QUICK])
def test_imbalanced_learn_conformity(estimator, check):
    check(estimator)


@pytest.fixture
def mixed():
    """A table of every kind of column, and an outcome that three in ten have."""
    rng = np.random.default_rng(0)
    y = np.array(["ill"] * 30 + ["well"] * 70)
    stages = pd.CategoricalDtype(["early", "late", "last"], ordered=True)
    stage = np.where(y == "ill", rng.integers(1, 3, 100), rng.integers(0, 2, 100))
    table = pd.DataFrame(
        {
            "age": rng.integers(20, 90, 100),
            "dose": rng.normal(size=100).astype("float32"),
            "visits": pd.array(rng.integers(0, 5, 100), dtype="Int64"),
            "smokes": rng.random(100) < 0.3,
            "site": pd.Categorical(rng.choice(["lung", "colon", "skin"], 100)),
            "word": rng.choice(["a", "b"], 100),
            "stage": pd.Categorical.from_codes(stage, dtype=stages),
        },
        index=np.arange(100) + 1000,
    )
    return table, y


def test_a_mixed_table_gets_records_of_valid_values_and_types(mixed):
    table, y = mixed
    made, labels = clone(QUICK).fit_resample(table, y)
    assert (made.dtypes == table.dtypes).all() and made.columns.equals(table.columns)
    pd.testing.assert_frame_equal(made.iloc[:100], table.reset_index(drop=True))
    assert labels[:100].tolist() == y.tolist() and labels[100:].tolist() == ["ill"] * 40
    new = made.iloc[100:]
    assert not new.isna().any(axis=None)
    assert new["age"].between(table["age"].min(), table["age"].max()).all()
    assert new["visits"].between(0, 4).all()
    assert set(new["word"]) <= {"a", "b"} and set(new["smokes"]) <= {True, False}
    assert set(new["site"]) == {"lung", "colon", "skin"}


def test_generated_categories_are_as_frequent_as_learned(mixed):
    table, y = mixed
    table = table.assign(site=pd.Categorical(np.where(y == "ill", "lung", "skin")))
    sampler = ACGANOverSampler(acgan=ACGANClassifier(epochs=300), random_state=0)
    made, _ = sampler.fit_resample(table[["age", "site"]], y)
    assert (made["site"].iloc[100:] == "lung").mean() > 0.8


def test_a_mixed_table_goes_through_smotenc_as_well(mixed):
    table, y = mixed
    sampler = SMOTENC(["smokes", "site", "word", "stage"], random_state=0)
    made, _ = sampler.fit_resample(table.assign(visits=table["visits"].astype(int)), y)
    assert set(made["site"]) == {"lung", "colon", "skin"} and made["stage"].cat.ordered


def test_numbers_keep_their_types_and_whole_ones_their_range(mixed):
    table = mixed[0][["age", "dose", "visits"]].assign(key=2**53 + np.arange(100))
    made, _ = clone(QUICK).fit_resample(table, mixed[1])
    assert (made.dtypes == table.dtypes).all()
    pd.testing.assert_frame_equal(made.iloc[:100], table.reset_index(drop=True))
    assert made["age"].iloc[100:].between(table["age"].min(), table["age"].max()).all()


def test_it_works_in_pipelines_and_searches_and_repeats_itself():
    X, y = load_breast_cancer(return_X_y=True)
    X, y = X[:120], y[:120]
    model = make_pipeline(clone(QUICK), LogisticRegression(max_iter=5000))
    first, second = (cross_val_score(model, X, y, cv=2, scoring="roc_auc") for _ in range(2))
    assert first.tolist() == second.tolist() and first.min() > 0.9
    grid = {"acganoversampler__sampling_strategy": ["auto", 0.8]}
    assert GridSearchCV(model, grid, cv=2).fit(X, y).best_params_.keys() == grid.keys()


def test_as_many_are_made_as_are_asked_for():
    X, y = load_breast_cancer(return_X_y=True)
    for strategy, expected in ((0.8, [285, 357]), ({0: 212, 1: 400}, [212, 400])):
        sampler = clone(QUICK).set_params(sampling_strategy=strategy)
        assert np.bincount(sampler.fit_resample(X, y)[1]).tolist() == expected
    balanced = np.concatenate([np.flatnonzero(y == 0)[:50], np.flatnonzero(y == 1)[:50]])
    same, labels = clone(QUICK).fit_resample(X[balanced], y[balanced])
    np.testing.assert_array_equal(same, X[balanced])
    np.testing.assert_array_equal(labels, y[balanced])


def test_the_generator_it_is_given_is_used_and_left_as_it_was():
    X, y = load_breast_cancer(return_X_y=True)
    own = ACGANClassifier(epochs=2, class_conditions="opposite")
    sampler = ACGANOverSampler(acgan=own, random_state=0).fit(X, y)
    sampler.fit_resample(X, y)
    assert sampler.acgan_.class_conditions == "opposite" and sampler.acgan_.n_iter_ == 2
    assert own.random_state is None and not hasattr(own, "classes_")


def test_holes_are_refused(mixed):
    table, y = mixed
    for name in ("dose", "site"):
        holed = table.copy()
        holed.loc[1003, name] = None
        with pytest.raises(ValueError, match="NaN"):
            clone(QUICK).fit_resample(holed, y)
        with pytest.raises(ValueError, match="NaN"):
            clone(QUICK).fit_resample(holed[["dose", "age"]].assign(age=np.nan), y)
    with pytest.raises(ValueError, match="inconsistent"):
        clone(QUICK).fit_resample(table, y[1:])
