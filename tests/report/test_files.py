"""What of a table is surely a number, and what stays as it is written."""

import numpy as np
import pandas as pd

from ehrgan.report.files import read_table


def test_a_table_that_was_read_gives_numbers_only_where_every_reading_agrees(tmp_path):
    table = pd.DataFrame(
        {
            "hb": np.resize(["13,1", "NA", "12"], 60),
            "open": np.resize(["1,234", "2,345"], 60),
            "limit": np.resize(["<5", "6"], 60),
            "zip": np.resize(["01067", "10115"], 60),
            "when": np.resize(["03/11/2023", "04/12/2023"], 60),
        }
    )
    table.to_csv(tmp_path / "a.csv", sep=";", index=False)
    found = read_table(tmp_path / "a.csv")
    assert found["hb"].iloc[[0, 2]].tolist() == [13.1, 12] and found["hb"].isna().sum() == 20
    for name in ("open", "limit", "zip", "when"):
        assert found[name].tolist() == table[name].tolist()
    found.to_parquet(tmp_path / "a.parquet")  # what rides with the table does not break it
