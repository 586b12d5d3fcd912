"""MixedImputer: any dtype in, the same out, categories by probability, nothing guessed."""

import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.pipeline import make_pipeline, make_union

from ehrgan import StackedAutoencoderImputer
from ehrgan.nets.mixed import MixedImputer

ORDER = pd.CategoricalDtype(["low", "mid", "high"], ordered=True)


def filled(train, new=None, imputer=None):
    """What becomes of a column, alone in its table but for a number."""
    model = MixedImputer(imputer or SimpleImputer())
    tables = [pd.DataFrame({"v": v, "w": np.arange(len(v)) / 7}) for v in (train, new)
              if v is not None]  # fmt: skip
    return model.fit(tables[0]).transform(tables[-1])["v"]


@pytest.mark.parametrize(
    ("cells", "dtype", "value"),
    [
        ([1, 2, None, 6], object, 3),
        ([1.5, 2, None, 5.5], object, 3.0),
        ([np.float32(1.5), np.int64(2), None], object, 1.75),
        ([Decimal("1.5"), Decimal("2.5"), None], object, 2.0),
        ([True, False, True, None], object, True),
        ([1, 2, None, 2], "Int8", 2),
        ([1, 2, None, 3], "int64[pyarrow]", 2),
        ([1, 2, None, 3], "Float32", 2.0),
        ([1, 2, None, 3], "double[pyarrow]", 2.0),
        ([True, True, None, False], "boolean", True),
        ([True, True, None, False], "bool[pyarrow]", True),
        (["a", "b", None, "b"], "string[pyarrow]", "b"),
        (["a", "b", None, "b"], "str", "b"),
        ([2, 1, None, 2], "category", 2),
        (["low", "mid", None, "mid"], ORDER, "mid"),
    ],
)
def test_a_hole_gets_the_mean_or_mode_in_the_dtype_given(cells, dtype, value):
    column = pd.Series(cells, dtype=dtype)
    found = filled(column)
    assert found.dtype == column.dtype and found[column.isna()].tolist() == [value]
    seen = column.notna()
    assert found[seen].tolist() == column[seen].tolist()


@pytest.mark.parametrize(
    ("train", "new", "wanted", "dtype"),
    [
        ([1, 2, 3], [1.0, None], [1.0, 2.0], "float64"),
        ([1, 2, 3], [7.5, None], [7.5, 2.0], "float64"),
        ([1.0, 2.0, 4.5], pd.Series([7, None], dtype="Int64"), [7.0, 2.5], "float64"),
        ([True, True, False], [1.0, None], [1.0, 1.0], "float64"),
        ([1, 2, 3], [None, None], [2, 2], "int64"),
        (["a", "b", "a"], [np.nan, np.nan], ["a", "a"], "str"),
        (["a", "b", "a"], pd.Categorical(["b", None]), ["b", "a"], "category"),
        (pd.Categorical(["a", "b", "a"]), ["b", None], ["b", "a"], "str"),
        (pd.Categorical(["a", "b", "a"]), pd.Categorical([None]), ["a"], "category"),
    ],
)
def test_a_batch_of_another_dtype_or_with_other_categories(train, new, wanted, dtype):
    found = filled(pd.Series(train), pd.Series(new))
    assert found.tolist() == wanted and found.dtype == dtype


def test_an_order_survives_batches_that_show_a_part_of_it():
    train = pd.Series(["low", "mid", None, "mid", "high"], dtype=ORDER)
    part = pd.CategoricalDtype(["low", "high"], ordered=True)
    found = filled(train, pd.Series(["low", None, "high"], dtype=part))
    assert found.tolist() == ["low", "mid", "high"] and found.dtype == ORDER
    backwards = pd.CategoricalDtype(["high", "mid", "low"], ordered=True)
    found = filled(train, pd.Series(["low", None, "high"], dtype=backwards))
    assert found.tolist() == ["low", "mid", "high"] and found.dtype == backwards


@pytest.mark.parametrize("new", [["z", None], pd.Categorical(["z", None])])
def test_an_unseen_category_is_told_and_stays_as_it_is(new):
    with pytest.warns(UserWarning, match="column 'v': 'z' did not occur in fit, 1 of 2 cells"):
        assert filled(pd.Series(["a", "b", "a"]), pd.Series(new)).tolist() == ["z", "a"]
    with pytest.warns(UserWarning, match=r"column 'v': 7.0 did not occur"):
        assert filled(pd.Series([True, True, False]), pd.Series([7.0, None])).tolist() == [7, 1]


def test_numbers_of_dtype_object_are_filled_as_numbers():
    rng = np.random.default_rng(1)
    x = rng.normal(100, 15, 200)
    table = pd.DataFrame({"x": x, "z": 2 * x + rng.normal(size=200)}).astype(object)
    truth, hole = table["z"].astype(float), rng.random(200) < 0.2
    table.loc[hole, "z"] = np.nan
    found = MixedImputer(KNNImputer()).fit_transform(table)["z"].astype(float)
    assert np.sqrt(((found - truth)[hole] ** 2).mean()) < 6


@pytest.mark.parametrize(
    "imputer",
    [SimpleImputer(add_indicator=True), make_pipeline(KNNImputer(add_indicator=True)),
     StackedAutoencoderImputer(add_indicator=True)],
)  # fmt: skip
def test_indicators_are_refused_before_anything_is_learned(imputer):
    with pytest.raises(ValueError, match="add_indicator=True"):
        filled(pd.Series(["a", None]), imputer=imputer)


def test_an_imputer_that_gives_other_columns_than_it_takes_is_refused():
    with pytest.raises(ValueError, match=r"shape \(2, 4\) for one of \(2, 2\)"):
        filled(pd.Series(["a", None]), imputer=make_union(SimpleImputer(), SimpleImputer()))


def test_names_of_several_levels_and_rows_of_one_name():
    names = pd.MultiIndex.from_tuples([("lab", "crp"), ("person", "sex")], names=["of", "what"])
    table = pd.DataFrame([[1.0, "f"], [None, "m"], [3.0, None], [2.0, "m"]], [5, 5, 6, 6], names)
    model = MixedImputer(SimpleImputer()).fit(table)
    found = model.transform(table)
    assert found.columns.equals(names) and found.columns.names == names.names
    assert found.index.tolist() == [5, 5, 6, 6]
    assert found.to_numpy().tolist() == [[1, "f"], [2, "m"], [3, "m"], [2, "m"]]
    assert model.transform(table.iloc[[2]]).to_numpy().tolist() == [[3, "m"]]
    assert list(model.category_probabilities(table)) == [("person", "sex")]


def test_frames_that_speak_arrow_are_taken():
    import pyarrow as pa

    table = pa.table({"n": [1, None, 4], "b": [True, None, True], "s": ["u", "u", None],
                      "c": pa.array(["x", None, "x"]).dictionary_encode()})  # fmt: skip
    found = MixedImputer(SimpleImputer()).fit_transform(table)
    assert found.to_dict("list") == {
        "n": [1, 2, 4], "b": [True] * 3, "s": ["u"] * 3, "c": ["x"] * 3,
    }  # fmt: skip


def test_probabilities_are_shares_of_what_the_imputer_averages():
    table = pd.DataFrame(
        {
            "sex": ["f", "f", "f", "m", None],
            "well": pd.array([True, None, None, False, True], dtype="boolean"),
            "site": pd.Categorical(["a", "b", "c", "a", None]),
            "stage": pd.Categorical(["low", "mid", "mid", "high", None], dtype=ORDER),
            "age": [1.0, 2.0, 3.0, 4.0, 5.0],
        },
        index=list("pqrst"),
    )
    chances = MixedImputer(SimpleImputer()).fit(table).category_probabilities(table)
    assert list(chances) == ["sex", "well", "site", "stage"]
    assert chances["sex"].loc["t"].to_dict() == {"f": 0.75, "m": 0.25}
    assert chances["sex"].loc["p"].to_dict() == {"f": 1.0, "m": 0.0}
    np.testing.assert_allclose(chances["well"].loc["q"], [1 / 3, 2 / 3])
    np.testing.assert_allclose(chances["site"].loc["t"], [0.5, 0.25, 0.25])
    assert chances["stage"].loc["t"].to_dict() == {"low": 0.25, "mid": 0.5, "high": 0.25}


def test_rare_categories_share_their_code_by_frequency_and_observed_ones_are_certain():
    table = pd.DataFrame({"s": [*"aaaabbcd", None]})
    model = MixedImputer(SimpleImputer(), max_categories=2).fit(table)
    chances = model.category_probabilities(pd.DataFrame({"s": ["d", None]}))["s"]
    assert chances.loc[0].to_dict() == {"a": 0, "b": 0, "c": 0, "d": 1}
    assert chances.loc[1].to_dict() == {"a": 0.5, "b": 0.25, "c": 0.125, "d": 0.125}


class Drawing(TransformerMixin, BaseEstimator):
    """Draw what the mean would fill."""

    def fit(self, X, y=None):
        """Learn the mean."""
        self.mean_ = np.nanmean(X, axis=0)
        return self

    def draw(self, X, n_imputations, random_state):
        """Fill it in each time."""
        return np.stack([np.where(np.isnan(X), self.mean_, X)] * n_imputations)


def test_categories_are_drawn_as_often_as_they_are_probable():
    table = pd.DataFrame({"s": [*"aaaabbcd", *[None] * 400], "x": 1.0})
    model = MixedImputer(Drawing(), max_categories=2).fit(table)
    draws = model.draw(table, 20, random_state=0)
    assert len(draws) == 20 and all(d["s"][:8].tolist() == [*"aaaabbcd"] for d in draws)
    shares = pd.concat([d["s"][8:] for d in draws]).value_counts(normalize=True)
    np.testing.assert_allclose(shares[["a", "b", "c", "d"]], [0.5, 0.25, 0.125, 0.125], atol=0.02)
    again = model.draw(table, 20, random_state=0)
    assert all(a.equals(b) for a, b in zip(draws, again, strict=True))
    with pytest.raises(AttributeError, match="draw"):
        MixedImputer(SimpleImputer()).fit(table).draw(table)


def related(n=240, seed=0):
    """A number, and categories that follow from it."""
    z = np.random.default_rng(seed).normal(size=n)
    stage = np.digitize(z, [-0.7, 0.7])
    return pd.DataFrame(
        {
            "z": z,
            "empty": np.nan,
            "site": np.array(["liver", "lung", "skin"])[(stage + 1) % 3],
            "stage": pd.Categorical.from_codes(stage, dtype=ORDER),
            "ill": z > 0,
        }
    )


def test_the_autoencoder_is_told_of_categories_and_gets_them_right():
    table, new = related(), related(seed=1)
    hide = np.random.default_rng(0).random((240, 3)) < 0.2
    for j, name in enumerate(["site", "stage", "ill"]):
        table[name] = table[name].mask(hide[:, j])
    model = MixedImputer(StackedAutoencoderImputer(n_draws=3, random_state=0)).fit(table)
    # codes of the empty column are left out: z, site (3), stage (2 steps), ill
    assert model.imputer_.categories == (((1, 2, 3), False), ((4, 5), True), ((6,), False))
    holes = new.assign(site=None, stage=pd.Series([None] * 240, dtype=ORDER), ill=None)
    found, chances = model.transform(holes), model.category_probabilities(holes)
    for name in ("site", "stage", "ill"):
        assert (found[name].astype(object) == new[name].astype(object)).mean() > 0.9
        np.testing.assert_allclose(chances[name].sum(axis=1), 1.0)
        likeliest = chances[name].idxmax(axis=1)
        assert (likeliest == found[name].astype(object)).all()
    draws = model.draw(holes, random_state=0)
    assert len(draws) == 3 and all(
        d[["site", "stage", "ill"]].notna().all(axis=None) for d in draws
    )
    assert found["empty"].isna().all() and found["stage"].dtype == ORDER


def test_nothing_is_warned_of_where_nothing_is_wrong():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        filled(pd.Series(["a", "b", None]), pd.Series([None, "a"]))
