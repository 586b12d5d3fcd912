"""Generators: what they make is a table like the one they learned from, and holds to its law."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixed_tables import mixed
from sklearn.impute import SimpleImputer

from ehrgan import ACGANClassifier
from ehrgan.synthetic.generators import (
    GENERATORS,
    ACGANGenerator,
    Bootstrap,
    GaussianGenerator,
    make_generator,
)
from ehrgan.synthetic.latents import Latents

QUICK = {
    "AC-GAN": ACGANGenerator(ACGANClassifier(epochs=3), random_state=0),
    "ADC-GAN": ACGANGenerator(ACGANClassifier(class_loss="adc", epochs=3), random_state=0),
}
NAMES = [name for name in GENERATORS if name in QUICK or "AC-GAN" not in name]


def quick(name):
    return QUICK.get(name) or make_generator(name)


def made(name, table, n=300, **how):
    generator = quick(name).fit(table.drop(columns="died"), table["died"])
    return generator.sample(n, random_state=1, **how)


@pytest.mark.parametrize("name", NAMES)
def test_a_table_comes_out_in_the_dress_in_which_it_came(name):
    table = mixed(400, 0)
    real = table.drop(columns="died")
    fake, y = made(name, table)
    assert list(fake) == list(real) and (fake.dtypes == real.dtypes).all()
    assert list(fake.index) == list(range(300)) and set(y) <= {"yes", "no"}
    for column in ("age", "low", "high", "lab"):
        assert fake[column].dropna().between(real[column].min(), real[column].max()).all()
    low = fake["low"].dropna()
    np.testing.assert_array_equal(low, low.round(1))  # as many decimals as in training
    assert set(fake["site"].dropna()) <= set(real["site"].dropna())


@pytest.mark.parametrize("name", NAMES)
def test_holes_come_in_the_patterns_of_the_class_or_not_at_all(name):
    table = mixed(400, 0)
    table.loc[table["died"] == "yes", "lab"] = np.nan
    fake, y = made(name, table)
    patterns = {
        word: set(map(tuple, table[table["died"] == word].drop(columns="died").isna().to_numpy()))
        for word in ("yes", "no")
    }
    rows = map(tuple, fake.isna().to_numpy())
    assert all(row in patterns[word] for row, word in zip(rows, y, strict=True))
    assert fake["lab"].isna()[y == "yes"].all() and fake["lab"].notna()[y == "no"].any()
    whole, _ = made(name, table, missing="none")
    assert not whole.isna().any().any()


@pytest.mark.parametrize("numbers", ["units", "scores"])
def test_a_gaussian_is_learned_back(numbers):
    rng = np.random.default_rng(0)
    y = rng.random(4000) < 0.25
    covariance = np.array([[1.0, 0.6], [0.6, 1.0]])
    X = rng.multivariate_normal([0, 0], covariance, 4000) + np.outer(y, [2.0, 0.0])
    generator = GaussianGenerator(numbers=numbers, random_state=0).fit(pd.DataFrame(X), y)
    fake, own = generator.sample(20_000)
    assert abs(own.mean() - 0.25) < 0.03
    for kind in (False, True):
        np.testing.assert_allclose(fake[own == kind].mean(), X[y == kind].mean(axis=0), atol=0.12)
        np.testing.assert_allclose(fake[own == kind].corr(), covariance, atol=0.12)


def test_a_copula_keeps_each_distribution_whatever_its_shape():
    rng = np.random.default_rng(0)
    skewed = np.where(rng.random(3000) < 0.4, 0.0, np.exp(2 * rng.normal(size=3000)))
    words = rng.choice(["a", "b", "c"], 3000, p=[0.9, 0.09, 0.01])
    table = pd.DataFrame({"skewed": skewed, "words": words})
    y = rng.random(3000) < 0.5
    fake, _ = make_generator("Gaussian copula").fit(table, y).sample(20_000)
    assert abs((fake["skewed"] == 0).mean() - 0.4) < 0.03
    np.testing.assert_allclose(fake["skewed"].median(), np.median(skewed), rtol=0.25)
    shares = fake["words"].value_counts(normalize=True)
    np.testing.assert_allclose(shares[["a", "b", "c"]], [0.9, 0.09, 0.01], atol=0.015)


def test_classes_are_those_asked_for_and_a_seed_makes_the_same_again():
    table = mixed(200, 0)
    generator = make_generator("Gaussian copula").fit(table.drop(columns="died"), table["died"])
    asked = ["yes"] * 7 + ["no"] * 3
    fake, y = generator.sample(10, asked, random_state=5)
    assert y.tolist() == asked
    pd.testing.assert_frame_equal(fake, generator.sample(10, asked, random_state=5)[0])
    assert not fake.equals(generator.sample(10, asked, random_state=6)[0])
    assert generator.sample(4, "yes")[1].tolist() == ["yes"] * 4


def test_the_bootstrap_is_verbatim_and_others_are_not():
    table = mixed(300, 0).drop(columns=["site", "stage", "smokes"])
    real = set(map(tuple, table.drop(columns="died").astype(object).fillna("").to_numpy()))
    for name in ("bootstrap", "Gaussian copula", "SMOTE"):
        fake, _ = made(name, table)
        copied = [tuple(row) in real for row in fake.astype(object).fillna("").to_numpy()]
        assert np.mean(copied) == (name == "bootstrap"), name


def test_holes_are_filled_as_the_other_cells_suggest():
    """With a hole in half of y = x, the correlation is learned; means would halve it."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=2000)
    table = pd.DataFrame({"x": x, "y": np.where(rng.random(2000) < 0.5, np.nan, x)})
    c = rng.random(2000) < 0.5

    def learned(imputer):
        generator = GaussianGenerator(imputer=imputer, random_state=0).fit(table, c)
        return generator.sample(5000, missing="none")[0].corr().loc["x", "y"]

    assert learned(None) > 0.98 and learned(SimpleImputer()) < 0.85


@given(st.integers(0, 2**31), st.sampled_from(["units", "scores"]))
@settings(max_examples=25)
def test_what_is_encoded_is_decoded(seed, numbers):
    table = mixed(60, seed).drop(columns="died")
    latents = Latents.learn(table, np.arange(60) % 2, numbers)
    L = latents.encode(table, np.random.default_rng(seed))
    back = latents.decode(L)
    exact = [c for c in table if numbers == "units" or c not in ("age", "low", "high", "lab")]
    pd.testing.assert_frame_equal(back[exact], table[exact])
    np.testing.assert_array_equal(np.isnan(L), table.isna())


@pytest.mark.parametrize(
    "column, complaint",
    [
        (pd.to_datetime(["2020-01-01"] * 40), "dates|date"),
        ([np.inf, *range(39)], "'a' holds infinity"),
        ([f"patient {k}" for k in range(40)], "hand them out"),
        (["1", 2] * 20, "mixes"),
    ],
)
def test_a_column_that_cannot_be_learned_is_refused_by_name(column, complaint):
    with pytest.raises((TypeError, ValueError), match=complaint):
        Bootstrap().fit(pd.DataFrame({"a": column}), np.arange(40) % 2)


@pytest.mark.parametrize(
    "y, complaint",
    [
        (np.zeros(40), "two classes or more"),
        (np.r_[np.zeros(35), np.ones(5)], r"5 of 1\.0"),
        (np.zeros(39), "shape"),
        ([None, *["a", "b"] * 19, "a"], "lacks the label of 1"),
    ],
)
def test_classes_that_cannot_be_learned_are_refused(y, complaint):
    with pytest.raises(ValueError, match=complaint):
        Bootstrap().fit(pd.DataFrame({"a": np.arange(40.0)}), y)


@pytest.mark.parametrize(
    "asked, complaint",
    [
        ({"n": 0}, "n must be"),
        ({"n": 2.5}, "n must be"),
        ({"n": 3, "missing": "some"}, "missing must be"),
        ({"n": 3, "y": [0, 1]}, "3 labels"),
        ({"n": 2, "y": [0, 7]}, "y holds"),
    ],
)
def test_what_cannot_be_made_is_refused(asked, complaint):
    generator = Bootstrap().fit(pd.DataFrame({"a": np.arange(40.0)}), np.arange(40) % 2)
    with pytest.raises(ValueError, match=complaint):
        generator.sample(**asked)


def test_an_unknown_generator_is_refused():
    with pytest.raises(ValueError, match="generator must be one of"):
        make_generator("CTGAN")


def test_columns_without_a_value_or_of_one_value_stay_so():
    table = pd.DataFrame({"none": [np.nan] * 40, "one": [7] * 40, "x": np.arange(40.0)})
    for name in ("Gaussian copula", "class-wise Gaussians", "SMOTE"):
        fake, _ = quick(name).fit(table, np.arange(40) % 2).sample(30)
        assert fake["none"].isna().all() and (fake["one"] == 7).all()
