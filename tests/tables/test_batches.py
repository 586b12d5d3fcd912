"""Tables that are read batch by batch."""

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pytest

from ehrgan.tables.batches import read_batches

TABLE = pd.DataFrame(
    {
        "age": np.arange(1000.0),
        "site": np.where(np.arange(1000) % 3, "lung", None),
        "ill": np.arange(1000) % 2,
    }
)


@pytest.fixture
def folder(tmp_path):
    TABLE[:600].to_parquet(tmp_path / "a.parquet", row_group_size=250)
    TABLE[600:].to_parquet(tmp_path / "b.parquet", row_group_size=250)
    return tmp_path


def test_all_records_come_once_in_order_in_batches_of_the_size_at_most(folder):
    parts = list(read_batches(folder, target="ill", size=120))
    assert max(len(X) for X, _ in parts) == 120
    whole = pd.concat([X for X, _ in parts], ignore_index=True)
    pd.testing.assert_frame_equal(whole, TABLE[["age", "site"]], check_dtype=False)
    np.testing.assert_array_equal(np.concatenate([y for _, y in parts]), TABLE["ill"])


def test_some_columns_alone_and_other_sources(folder):
    source = ds.dataset([str(folder / "b.parquet")])
    X = pd.concat(list(read_batches(source, columns=["ill"], size=150)))
    assert X.columns.tolist() == ["ill"] and len(X) == 400


def test_what_cannot_be_read_is_refused_before_anything_is(folder):
    with pytest.raises(ValueError, match="size is 0"):
        read_batches(folder, size=0)
    with pytest.raises(ValueError, match=r"lacks \['dead'\]"):
        read_batches(folder, target="dead")
    with pytest.raises(FileNotFoundError):
        read_batches(folder / "none.parquet")
