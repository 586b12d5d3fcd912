"""What a notebook hands to its sweep."""

import pandas as pd
import pytest

from ehrgan.sweeps.handover import OWN, RECORD, record


def test_tables_are_stacked_in_the_order_of_their_recording(tmp_path, monkeypatch):
    monkeypatch.setenv(RECORD, str(tmp_path / "scores.parquet"))
    for start in (0, 5, 7):
        record(pd.DataFrame({"a": [start, start + 1]}, index=[3, 9]))
    kept = pd.read_parquet(tmp_path / "scores.parquet")
    assert kept.to_dict("list") == {"a": [0, 1, 5, 6, 7, 8]} and list(kept.index) == list(range(6))
    monkeypatch.delenv(RECORD)
    record(pd.DataFrame({"a": [1]}))
    assert len(pd.read_parquet(tmp_path / "scores.parquet")) == 6


@pytest.mark.parametrize("name", [*OWN, "parameter_", "parameter_x"])
def test_no_column_of_the_sweeps_own_is_taken(name, tmp_path, monkeypatch):
    monkeypatch.setenv(RECORD, str(tmp_path / "scores.parquet"))
    with pytest.raises(ValueError, match=f"table has a column '{name}', which the sweep adds"):
        record(pd.DataFrame({"a": [1], name: [1]}))
    record(pd.DataFrame({f"my_{name}": [1], name.upper(): [2], 3: [4]}).rename(columns=str))
    assert len(pd.read_parquet(tmp_path / "scores.parquet")) == 1


@pytest.mark.parametrize(
    ("recorded", "error", "wanted"),
    [
        ([1], TypeError, "table must be a DataFrame, got list"),
        (pd.DataFrame({"key": [1]}), ValueError, "table has a column 'key', which the sweep adds"),
        (pd.DataFrame({"parameter_x": [1]}), ValueError, "table has a column 'parameter_x'"),
    ],
)
def test_what_a_sweep_could_not_keep_is_not_recorded(recorded, error, wanted):
    with pytest.raises(error, match=wanted):
        record(recorded)
