"""Mixed tables: what goes to numbers comes back, and nothing observed changes."""

import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.impute import SimpleImputer

from ehrgan import ACGANClassifier
from ehrgan.nets.mixed import MixedImputer
from ehrgan.tables.coding import TableCoder
from ehrgan.tables.column import onto_simplex

GRADES = pd.CategoricalDtype(["low", "middle", "high"], ordered=True)


@st.composite
def tables(draw):
    """Tables of every kind of column, with holes."""
    n = draw(st.integers(4, 25))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    holes = rng.uniform(size=(n, 7)) < draw(st.floats(0, 0.7))
    table = pd.DataFrame(
        {
            "number": rng.normal(size=n),
            "count": pd.array(rng.integers(0, 9, n), dtype="Int64"),
            "flag": pd.array(rng.uniform(size=n) < 0.5, dtype="boolean"),
            "grade": pd.Categorical.from_codes(rng.integers(0, 3, n), dtype=GRADES),
            "town": rng.choice(["Łódź", "Köln", "Oslo", "Rome"], n).astype(object),
            "two": pd.Categorical(rng.choice(["a", "b"], n), categories=["b", "a"]),
            "word": pd.array(rng.choice(["x", "y", "z"], n), dtype="string"),
        }
    )
    return pd.DataFrame({c: table[c].mask(holes[:, j]) for j, c in enumerate(table)})


@settings(max_examples=60)
@given(table=tables())
def test_what_is_coded_comes_back(table):
    coder = TableCoder().fit(table)
    Z = coder.transform(table)
    assert Z.shape == (len(table), len(coder.get_feature_names_out()))
    back = coder.inverse_transform(Z)
    assert_frame_equal(back.isna(), table.isna())
    assert_frame_equal(back.where(back.notna(), None), table.where(table.notna(), None))
    assert back.dtypes.to_dict() == table.dtypes.to_dict()
    assert_frame_equal(coder.inverse_transform(coder.transform(table[table.columns[::-1]])), back)


@settings(max_examples=40)
@given(table=tables())
def test_filling_keeps_observed_cells_and_known_values(table):
    filled = MixedImputer(SimpleImputer(keep_empty_features=True)).fit_transform(table)
    assert filled.dtypes.to_dict() == table.dtypes.to_dict()
    for name in table:
        seen = table[name].notna()
        assert filled.loc[seen, name].tolist() == table.loc[seen, name].tolist()
        if seen.any():
            assert filled[name].notna().all()
        if name in ("grade", "town", "two", "word"):
            known = set(GRADES.categories if name == "grade" else table[name].dropna())
            assert set(filled[name].dropna()) <= known


def test_rare_categories_share_a_column():
    table = pd.DataFrame({"site": ["a"] * 5 + ["b"] * 4 + ["c"] * 2 + ["d"]})
    coder = TableCoder(max_categories=3).fit(table)
    assert coder.get_feature_names_out().tolist() == ["site=a", "site=b", "site=infrequent"]
    assert coder.inverse_transform(coder.transform(table))["site"].tolist()[-3:] == ["c"] * 3


def test_an_unknown_category_is_missing_but_stays_in_a_filled_table():
    table = pd.DataFrame({"site": ["a", "b", "a"], "x": [1.0, 2.0, 3.0]})
    new = pd.DataFrame({"site": ["zzz", None], "x": [np.nan, 2.0]})
    assert np.isnan(TableCoder().fit(table).transform(new)[0, 0])
    imputer = MixedImputer(SimpleImputer(strategy="most_frequent")).fit(table)
    assert imputer.transform(new)["site"].tolist() == ["zzz", "a"]


def test_generated_records_have_the_tables_own_values():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"age": rng.integers(20, 80, 60), "sex": rng.choice(["f", "m"], 60)})
    coder = TableCoder().fit(table)
    model = ACGANClassifier(epochs=2, random_state=0).fit(
        coder.transform(table), rng.integers(0, 2, 60)
    )
    made = coder.inverse_transform(model.sample(5, random_state=0)[0])
    assert made.dtypes.to_dict() == table.dtypes.to_dict()
    assert set(made["sex"]) <= {"f", "m"} and len(made) == 5


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        (np.zeros((2, 2)), TypeError, "X must be a pandas DataFrame"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ValueError, "each column once.*'a'"),
        (pd.DataFrame({"d": pd.to_datetime(["2020-01-01"])}), TypeError, "'d'.*days since"),
        (pd.DataFrame({"l": [[1]]}), TypeError, "'l'"),
        (pd.DataFrame({"d": pd.array(["2020-01-01"], "timestamp[ns][pyarrow]")}), TypeError, "'d'"),
        (pd.DataFrame({"m": [1.5, "unknown"]}), TypeError, r"'m' mixes number \(1.5\) and text"),
        (pd.DataFrame({"m": [2, None, True]}, dtype=object), TypeError, "'m' mixes number"),
        (pd.DataFrame({"t": ["1.5", None, "2"]}), TypeError, "'t' holds numbers written as text"),
        (pd.DataFrame({"t": ["1,5", "2,25"]}), TypeError, "'t' holds numbers written as text"),
        (pd.DataFrame(index=[1, 2]), ValueError, "no column"),
    ],
)
def test_bad_tables_are_refused_by_name(table, error, message):
    with pytest.raises(error, match=message):
        TableCoder().fit(table)


def test_other_columns_than_those_of_fit_are_refused():
    coder = clone(TableCoder()).fit(pd.DataFrame({"a": [1.0], "b": [2.0]}))
    with pytest.raises(ValueError, match=r"lacks \['b'\], has besides \['c'\]"):
        coder.transform(pd.DataFrame({"a": [1.0], "c": [2.0]}))
    with pytest.raises(ValueError, match="X must have 2 columns"):
        coder.inverse_transform([[1.0]])
    for senseless in ({"max_categories": 1}, {"ordered": "rank"}):
        with pytest.raises(ValueError, match=next(iter(senseless))):
            TableCoder(**senseless).fit(pd.DataFrame({"a": [1.0]}))


HOLED = pd.DataFrame(
    {
        "age": [61, 47, 70, 55],
        "dose": [0.5, None, 1.5, 2.0],
        "flag": pd.array([True, None, False, True], dtype="boolean"),
        "grade": pd.Categorical(["high", "low", None, "middle"], dtype=GRADES),
        "sex": ["m", None, "f", "f"],
        "site": pd.Categorical(["lung", "colon", "skin", None], ["skin", "none", "lung", "colon"]),
    },
    index=[7, 3, 9, 1],
)


def test_the_code_of_each_kind_of_column():
    coder = TableCoder().fit(HOLED)
    assert coder.get_feature_names_out().tolist() == [
        "age", "dose", "flag", "grade", "sex", "site=skin", "site=lung", "site=colon",
    ]  # fmt: skip
    nan = np.nan
    np.testing.assert_array_equal(
        coder.transform(HOLED),
        [
            [61, 0.5, 1, 2, 1, 0, 1, 0],
            [47, nan, nan, 0, nan, 0, 0, 1],
            [70, 1.5, 0, nan, 0, 1, 0, 0],
            [55, 2.0, 1, 1, 0, nan, nan, nan],
        ],
    )
    assert coder.n_features_in_ == 6 and coder.feature_names_in_.tolist() == list(HOLED)


def test_estimates_become_the_nearest_or_likeliest_value():
    coder = TableCoder().fit(HOLED)
    back = coder.inverse_transform(
        [
            [60.4, 0.25, 0.51, 1.4, 0.51, 0.2, 0.3, 0.1],
            [60.6, -1.0, 0.49, 1.6, 0.49, 0.9, 0.1, 0.8],
            [-3.0, 9.0, 7.0, 9.0, 5.0, -3.0, -2.0, -1.0],
            [0.0, 0.0, -7.0, -9.0, -5.0, 0.0, 0.0, 0.1],
        ]
    )
    assert back["age"].tolist() == [60, 61, -3, 0] and back["dose"].tolist() == [0.25, -1, 9, 0]
    assert back["flag"].tolist() == [True, False, True, False]
    assert back["grade"].tolist() == ["middle", "high", "high", "low"]
    assert back["sex"].tolist() == ["m", "f", "m", "f"]
    assert back["site"].tolist() == ["lung", "skin", "colon", "colon"]
    assert back.dtypes.to_dict() == HOLED.dtypes.to_dict()


@pytest.mark.parametrize(
    ("most", "names", "back"),
    [
        (4, ["site=a", "site=b", "site=c", "site=d"], "aabbbbccd"),
        (3, ["site=b", "site=a", "site=infrequent"], "aabbbbccc"),
        (2, ["site"], "aabbbbaaa"),
    ],
)
def test_as_many_categories_have_codes_of_their_own_as_are_asked_for(most, names, back):
    table = pd.DataFrame({"site": list("aabbbbccd")})
    coder = TableCoder(most).fit(table)
    Z = coder.transform(table)
    assert coder.get_feature_names_out().tolist() == names and Z.shape == (9, len(names))
    assert coder.inverse_transform(Z)["site"].tolist() == list(back)
    if most == 2:
        assert Z.ravel().tolist() == [1, 1, 0, 0, 0, 0, 1, 1, 1]
    else:
        assert (Z.sum(axis=1) == 1).all()


class Remembering(TransformerMixin, BaseEstimator):
    """Fill holes with a number for each column, and remember what it was given."""

    def __init__(self, value=0.0):
        self.value = value

    def fit(self, X, y=None):
        """Remember."""
        self.fitted_ = X.copy()
        return self

    def transform(self, X):
        """Fill hole j with the value and j."""
        self.given_ = X.copy()
        return np.where(np.isnan(X), self.value + np.arange(X.shape[1]) / 10, X + 100.0)


def test_numbers_go_to_the_imputer_and_its_estimates_come_back_in_the_holes_alone():
    table = HOLED.assign(empty=pd.Series([None] * 4, dtype=float, index=HOLED.index))
    chosen = Remembering(0.45)
    imputer = MixedImputer(chosen).fit(table)
    coded = TableCoder(ordered="cumulative").fit(HOLED).transform(HOLED)
    np.testing.assert_array_equal(imputer.imputer_.fitted_, coded)
    assert not hasattr(chosen, "fitted_")  # a clone learns, not what was given
    other = table.iloc[[3, 1]][table.columns[::-1]]
    filled = imputer.transform(other)
    np.testing.assert_array_equal(imputer.imputer_.given_, coded[[3, 1]])
    assert filled.index.tolist() == [1, 3] and filled.columns.tolist() == list(other.columns)
    assert filled.dtypes.to_dict() == other.dtypes.to_dict()
    # what the imputer makes of observed cells, 100 more, is not taken over
    assert filled["age"].tolist() == [55, 47] and filled["grade"].tolist() == ["middle", "low"]
    assert filled["dose"].tolist() == [2.0, 0.55]
    assert filled["flag"].tolist() == [True, True]  # 0.65
    assert filled["sex"].tolist() == ["f", "m"]  # 0.95
    assert filled["site"].tolist() == ["colon", "colon"]  # 1.05, 1.15 and 1.25
    assert filled["empty"].isna().all()
    assert imputer.get_feature_names_out().tolist() == list(table)


def test_the_stacked_autoencoder_fills_where_no_imputer_is_given(monkeypatch):
    monkeypatch.setattr("ehrgan.nets.autoencoder.StackedAutoencoderImputer", Remembering)
    assert isinstance(MixedImputer().fit(HOLED).imputer_, Remembering)
    many = MixedImputer(Remembering(), max_categories=2).fit(HOLED)
    assert many.coder_.max_categories == 2 and many.imputer_.fitted_.shape[1] == 7
    with pytest.raises(ValueError, match="no observed cell"):
        MixedImputer(Remembering()).fit(pd.DataFrame({"a": [np.nan, np.nan]}))


def test_values_of_another_kind_are_refused():
    coder = TableCoder().fit(pd.DataFrame({"a": [1.0, 2.0]}))
    for text in ("x", "1.5"):  # never parsed: who wrote text must say that it means a number
        with pytest.raises(ValueError, match=f"'a' held numbers in fit and now holds '{text}'"):
            coder.transform(pd.DataFrame({"a": [2.5, text, None]}))
    given = pd.DataFrame({"a": pd.Series([2, None, True, Decimal("0.5")], dtype=object)})
    np.testing.assert_array_equal(coder.transform(given)[:, 0], [2, np.nan, 1, 0.5])
    with pytest.raises(TypeError, match="DataFrame"):
        coder.transform(np.zeros((1, 1)))


def test_numbers_written_as_text_are_categories_where_that_is_said():
    table = pd.DataFrame({"t": pd.Categorical(["10", "9", "10"])})
    assert TableCoder().fit_transform(table)[:, 0].tolist() == [0, 1, 0]


def test_steps_of_an_order_are_columns_of_their_own_where_asked():
    table = pd.DataFrame({"grade": pd.Categorical(["high", "low", None, "middle"], dtype=GRADES)})
    coder = TableCoder(ordered="cumulative").fit(table)
    assert coder.get_feature_names_out().tolist() == ["grade>low", "grade>middle"]
    Z = coder.transform(table)
    np.testing.assert_array_equal(Z, [[1, 1], [0, 0], [np.nan] * 2, [1, 0]])
    assert_frame_equal(coder.inverse_transform(Z), table)
    # P(low) = .4, P(middle) = .35, P(high) = .25
    chances = coder.probabilities([[0.6, 0.25]])["grade"]
    np.testing.assert_allclose(
        chances.loc[0, ["low", "middle", "high"]].astype(float), [0.4, 0.35, 0.25]
    )
    assert coder.inverse_transform([[0.6, 0.25]])["grade"].tolist() == ["low"]
    assert TableCoder().fit(table).probabilities([[1.0]]) == {}


def test_groups_are_the_columns_that_code_one_category():
    coder = TableCoder(ordered="cumulative").fit(HOLED)
    assert coder.category_groups() == (
        ((2,), False), ((3, 4), True), ((5,), False), ((6, 7, 8), False),
    )  # fmt: skip
    assert TableCoder().fit(HOLED).category_groups() == (
        ((2,), False), ((4,), False), ((5, 6, 7), False),
    )  # fmt: skip
    one = pd.DataFrame({"same": ["a", "a"], "none": [None, None]})
    assert TableCoder().fit(one).category_groups() == ()


@pytest.mark.parametrize(
    ("table", "most", "names"),
    [
        ({"sex": ["f", "m", "x"], "sex=f": [1, 2, 3]}, 20,
         ["sex=f", "sex=m", "sex=x", "sex=f (2)"]),
        ({"s": [*"bbb", "infrequent", "infrequent", "c", "d"]}, 3,
         ["s=b", "s=infrequent", "s=infrequent (2)"]),
    ],
)  # fmt: skip
def test_no_two_columns_of_numbers_share_a_name(table, most, names):
    coder = TableCoder(most).fit(pd.DataFrame(table))
    assert coder.get_feature_names_out().tolist() == names


@pytest.mark.parametrize(
    ("dtype", "wanted"),
    [("uint8", [0, 255, 7]), ("Int8", [-128, 127, 7]), ("int16", [-300, 300, 7])],
)
def test_estimates_beyond_what_a_type_can_hold_do_not_wrap_around(dtype, wanted):
    coder = TableCoder().fit(pd.DataFrame({"a": pd.Series([1, 2], dtype=dtype)}))
    assert coder.inverse_transform([[-300.0], [300.0], [7.2]])["a"].tolist() == wanted


@settings(max_examples=50)
@given(st.lists(st.lists(st.floats(-5, 5), min_size=3, max_size=3), min_size=1, max_size=5))
def test_estimates_become_the_nearest_probabilities(rows):
    Z = np.array(rows)
    P = onto_simplex(Z)
    np.testing.assert_allclose(P.sum(axis=1), 1.0)
    assert (P >= 0).all()
    other = np.random.default_rng(0).dirichlet(np.ones(3), 200)
    distance = ((Z[:, None] - other) ** 2).sum(axis=-1).min(axis=1)
    assert (((Z - P) ** 2).sum(axis=1) <= distance + 1e-9).all()


# --- batch after batch ----------------------------------------------------------------------------


def sites(*values, **columns):
    return pd.DataFrame({"site": pd.Series(values, dtype=object), **columns})


def test_categories_that_come_late_share_a_code_and_no_width_changes():
    coder = TableCoder().partial_fit(sites("lung", "colon", None, "lung"))
    names = coder.get_feature_names_out().tolist()
    assert names == ["site=colon", "site=lung", "site=infrequent"]
    before = coder.transform(sites("lung", "colon"))
    coder.partial_fit(sites("skin", "liver", "skin", "lung", None))
    assert coder.get_feature_names_out().tolist() == names
    np.testing.assert_array_equal(coder.transform(sites("lung", "colon")), before)
    late = coder.transform(sites("skin", "liver", None))
    np.testing.assert_array_equal(late, [[0, 0, 1], [0, 0, 1], [np.nan] * 3])
    assert coder.inverse_transform(late)["site"].tolist() == ["skin", "skin", None]
    told = coder.probabilities([[0.1, 0.3, 0.6]])["site"].iloc[0]
    assert told.round(3).to_dict() == {"colon": 0.1, "lung": 0.3, "skin": 0.4, "liver": 0.2}
    again = pickle.loads(pickle.dumps(coder)).partial_fit(sites("liver", "liver", "liver"))
    assert again.inverse_transform([[0, 0, 1.0]])["site"].tolist() == ["liver"]


def test_nothing_is_estimated_to_be_a_category_that_has_not_come():
    coder = TableCoder().partial_fit(sites("lung", "colon"))
    assert coder.inverse_transform([[0.1, 0.2, 0.7]])["site"].tolist() == ["lung"]
    one = TableCoder().partial_fit(sites("lung", "lung"))
    assert one.transform(sites("lung")).tolist() == [[0.0]]
    assert one.partial_fit(sites("skin")).transform(sites("skin", "lung")).tolist() == [[1], [0]]


def test_the_rarest_of_too_many_share_a_code_with_those_that_come_late():
    coder = TableCoder(max_categories=3).partial_fit(sites("a", "a", "a", "b", "b", "c", "d", "d"))
    assert coder.get_feature_names_out().tolist()[-1] == "site=infrequent"
    coder.partial_fit(sites("c", "c", "c", "e"))
    shared = coder.transform(sites("c", "e", "d", "a"))
    assert shared.shape == (4, 3) and shared[:, 2].tolist() in ([1, 1, 1, 0], [1, 1, 0, 0])
    assert coder.inverse_transform([[0, 0, 1.0]])["site"].tolist() == ["c"]


def test_a_categorical_dtype_tells_categories_before_they_come():
    kind = pd.CategoricalDtype(["f", "m"])
    first = pd.DataFrame({"sex": pd.Series(["f", "f"], dtype=kind)})
    coder = TableCoder().partial_fit(first)
    later = pd.DataFrame({"sex": pd.Series(["m", "f"], dtype=kind)})
    assert coder.partial_fit(later).transform(later).tolist() == [[1.0], [0.0]]
    empty = pd.DataFrame({"sex": pd.Series([None, None], dtype=kind)})
    assert TableCoder().partial_fit(empty).transform(later).tolist() == [[1.0], [0.0]]


def test_a_column_of_numbers_stays_one_and_forgets_that_it_was_whole():
    coder = TableCoder().partial_fit(pd.DataFrame({"age": [61, 47]}))
    coder.partial_fit(pd.DataFrame({"age": [50.0, np.nan]}))
    assert coder.inverse_transform([[55.2]])["age"].tolist() == [55]
    coder.partial_fit(pd.DataFrame({"age": [50.5]}))
    assert coder.inverse_transform([[55.2]])["age"].tolist() == [55.2]
    with pytest.raises(ValueError, match="held numbers in fit and now holds 'old'"):
        coder.partial_fit(pd.DataFrame({"age": ["old"]}))


def test_a_column_of_text_refuses_numbers_and_a_table_without_a_column_is_refused():
    coder = TableCoder().partial_fit(sites("lung", None))
    with pytest.raises(ValueError, match="held text in fit and now holds 3"):
        coder.partial_fit(sites(3))
    with pytest.raises(ValueError, match=r"lacks \['site'\]"):
        coder.partial_fit(pd.DataFrame({"place": ["lung"]}))
    assert coder.transform(sites("lung")).tolist() == [[0.0]]
