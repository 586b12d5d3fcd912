"""The table, its classes, and the tables that are refused."""

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from ehrgan.records import Records, load_wdbc, zero_counts


def test_wdbc_is_the_papers_table():
    records = load_wdbc()
    assert records.X.shape == (569, 30)
    assert np.bincount(records.y).tolist() == [357, 212]
    assert (records.positive, records.negative) == ("malignant", "benign")
    assert records.attributes == load_breast_cancer().feature_names.tolist()
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


def test_replace_cells_leaves_the_original_alone():
    records = Records(pd.DataFrame({"a": [1, 2], "b": [3, 4]}), [0, 1], "toy", "ill", "well")
    holed = records.replace_cells(np.array([[False, True], [False, False]]))
    assert np.isnan(holed.X.loc[0, "b"])
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
        ([[1.0], [2.0]], [0, 1, 1], "y must have one label per record"),
        ([[1.0], [np.inf]], [0, 1], "infinity in"),
        (pd.DataFrame({"a": ["x", "y"]}), [0, 1], "X must hold numbers"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), [0, 1], "distinct attribute names"),
    ],
)
def test_bad_tables_are_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        Records(X, y)
