"""Mixed tables: what goes to numbers comes back, and nothing observed changes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.impute import SimpleImputer

from ehrgan import ACGANClassifier
from ehrgan.mixed import MixedImputer, TableCoder

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


@settings(max_examples=60, deadline=None)
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


@settings(max_examples=40, deadline=None)
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
    with pytest.raises(ValueError, match="max_categories must be at least 2"):
        TableCoder(1).fit(pd.DataFrame({"a": [1.0]}))
