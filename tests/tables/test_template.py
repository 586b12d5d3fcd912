"""A table goes out in the dress that it came in."""

import numpy as np
import pandas as pd
import pytest

from ehrgan.tables.template import Template


def test_a_table_goes_out_in_the_dress_it_came_in():
    frame = pd.DataFrame({"a": [1, 2], "b": [True, False], "c": np.float32([0.5, 1.5])})
    back = Template.of(frame).dress(frame.to_numpy(np.float64))
    pd.testing.assert_frame_equal(back, frame)
    for array in (np.array([[1, 0]], np.int8), np.array([[True, False]]), np.array([[3]], "u2")):
        back = Template.of(array).dress(array.astype(np.float64))
        assert back.dtype == array.dtype and np.array_equal(back, array)
    for other in (np.array([[0.5]], np.float32), [[1, 2]]):
        assert Template.of(other).dress(np.array([[0.5]])).dtype == np.float64


@pytest.mark.parametrize(
    ("column", "back"),
    [
        (pd.Series(pd.Categorical([0, 1, 4])), [0, 1, 4]),
        (pd.Series([0, 1, 4], dtype=object), [0, 1, 4]),
        (pd.Series(["0", "1", "4"]), ["0", "1", "4"]),
        (pd.Series([0.5, 1, 4], dtype=object), [-0.2, 0.8, 4.4]),
        (pd.Series([False, True, True], dtype="bool[pyarrow]"), [True, True, True]),
    ],
)
def test_generated_numbers_become_the_values_that_their_column_holds(column, back):
    found = Template.of(column.to_frame("v")).dress(np.array([[-0.2], [0.8], [4.4]]))["v"]
    assert found.dtype == column.dtype and found.tolist() == back
