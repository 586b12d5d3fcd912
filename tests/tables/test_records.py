"""The table, its classes, and the tables that are refused."""

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from ehrgan.tables.records import Records, load_wdbc, zero_counts


def test_wdbc_is_the_papers_table():
    records = load_wdbc()
    assert records.X.shape == (569, 30)
    assert np.bincount(records.y).tolist() == [357, 212]
    assert (records.positive, records.negative) == ("malignant", "benign")
    assert records.attributes == load_breast_cancer().feature_names.tolist()
    bunch = load_breast_cancer()
    np.testing.assert_array_equal(records.X, bunch.data)
    # scikit-learn codes malignant as 0, the paper as 1
    assert records.y.tolist() == (1 - bunch.target).tolist()
    assert records.name == "Breast Cancer Wisconsin"
    # Malignant nuclei are larger: the classes are not swapped.
    radius = records.X["mean radius"]
    assert radius[records.y == 1].mean() > radius[records.y == 0].mean()


def test_seventy_eight_zeros_are_the_papers_missing_share():
    X = load_wdbc().X
    counts = zero_counts(X)
    assert round(100 * counts.sum() / X.size, 2) == 0.46
    assert counts.to_dict() == {
        f"{which}{what}{error}": 13
        for what in ("concavity", "concave points")
        for which, error in (("mean ", ""), ("", " error"), ("worst ", ""))
    }


def test_zeros_are_exact_and_attributes_without_one_are_left_out():
    X = pd.DataFrame({"a": [0.0, -0.0, 1.0], "b": [np.nan, 1e-300, -1.0], "c": [2.0, 0.0, 3.0]})
    assert zero_counts(X).to_dict() == {"a": 2, "c": 1}


@pytest.mark.parametrize("code", [int, bool, float])
def test_rows_labels_and_names_stay_in_order(code):
    X = pd.DataFrame({"b": [3, 1, 2], "a": [1.5, np.nan, np.nan], 7: [0, 0, 0]}, index=[9, 4, 6])
    records = Records(X, np.array([1, 0, 1]).astype(code), "toy", "ill", "well")
    pd.testing.assert_frame_equal(records.X, X.astype(float).rename(columns=str))
    assert records.attributes == ["b", "a", "7"]
    assert records.y.tolist() == [1, 0, 1] and records.y.dtype == np.int64
    assert repr(records) == "<Records 'toy': 3 records x 3 attributes, 2 ill, 2 cells missing>"
    assert list(X) == ["b", "a", 7]  # the table is a copy
    X.loc[9, "b"] = 99
    assert records.X.loc[9, "b"] == 3


def test_a_bare_table_has_plain_words():
    records = Records([[1.0, np.nan], [2.0, 3.0]], [1, 0])
    assert records.attributes == ["x0", "x1"]
    assert repr(records) == (
        "<Records 'records': 2 records x 2 attributes, 1 positive, 1 cell missing>"
    )
    assert records.negative == "negative"


def test_replace_cells_leaves_the_original_alone():
    records = Records(pd.DataFrame({"a": [1, 2], "b": [3, 4]}), [0, 1], "toy", "ill", "well")
    holed = records.replace_cells(np.array([[False, True], [False, False]]))
    expected = pd.DataFrame({"a": [1.0, 2.0], "b": [np.nan, 4.0]})
    pd.testing.assert_frame_equal(holed.X, expected)
    assert holed.y.tolist() == [0, 1]
    assert records.X.notna().all(axis=None)
    assert (holed.name, holed.positive, holed.negative) == ("toy", "ill", "well")
    with pytest.raises(ValueError, match="mask"):
        records.replace_cells(np.zeros((2, 3), dtype=bool))


def test_records_do_not_share_memory_and_cannot_be_reassigned():
    X, y = np.array([[1.0], [2.0]]), np.array([0, 1])
    records = Records(X, y)
    X[:], y[:] = 9.0, 1
    assert records.X["x0"].tolist() == [1.0, 2.0]
    assert records.y.tolist() == [0, 1]
    with pytest.raises(dataclasses.FrozenInstanceError):
        records.y = np.array([1, 0])


def test_records_survive_pickling():
    records = load_wdbc()
    again = pickle.loads(pickle.dumps(records))
    pd.testing.assert_frame_equal(again.X, records.X)
    assert len(again) == 569


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.empty((0, 3)), [], "X must have at least one record"),
        (np.empty((2, 0)), [0, 1], "X must have at least one record and one attribute"),
        ([[1.0], [2.0]], [1, 1], "y must hold both classes"),
        ([[1.0], [2.0]], [1, 2], "y must hold 1 .* and 0"),
        ([[1.0], [2.0]], [0.5, 1], "y must hold 1 .* and 0"),
        ([[1.0], [2.0]], [-1, 1], "y must hold 1 .* and 0"),
        ([[1.0], [2.0]], [0, 1, 1], "y must have one label per record"),
        ([[1.0], [2.0]], [[0], [1]], "y must have one label per record"),
        ([[1.0], [-np.inf]], [0, 1], r"infinity in \['x0'\]"),
        (pd.DataFrame({"a": [1, 2], "b": [np.inf, 0]}), [0, 1], r"infinity in \['b'\]"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=[1, "1"]), [0, 1], "distinct attribute names"),
        ([[1.0], [np.inf]], [0, 1], "infinity in"),
        (pd.DataFrame({"a": ["x", "y"]}), [0, 1], "X must hold numbers"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), [0, 1], "distinct attribute names"),
    ],
)
def test_bad_tables_are_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        Records(X, y)
