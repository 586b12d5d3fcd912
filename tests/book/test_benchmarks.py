"""What was measured comes back as it is, and summaries say what the rounds say."""

import numpy as np
import pandas as pd
import pytest

from ehrgan.book import benchmarks
from ehrgan.scores.inference import corrected_interval


@pytest.mark.parametrize("name", benchmarks.BENCHMARKS)
def test_each_benchmark_has_its_own_rows_and_machine(name):
    folder = benchmarks.files("ehrgan") / "data" / "results"
    lines = (folder / f"benchmark_{name}.csv").read_text().splitlines()
    table = benchmarks.read(name)
    assert ",".join(table.columns) == lines[0] and len(table) == len(lines) - 1
    about = benchmarks.machine(name)
    assert len(about["source"]) == 40 and about["cores"] >= 1


@pytest.mark.parametrize("ask", [benchmarks.read, benchmarks.machine])
def test_an_unknown_benchmark_is_refused(ask):
    with pytest.raises(ValueError, match="'speed'"):
        ask("speed")


def test_speed_is_told_by_median_range_and_ratio_within_a_round():
    rounds = pd.DataFrame(
        {
            "replicas": [50, 100, 50, 50],
            "ours": [1.0, 0.001, 2.0, 6.0],
            "train_step": [30.0, 900.0, 10.0, 24.0],
            "train_on_batch": [7.0, 900.0, 50.0, 18.0],
        }
    )
    table = benchmarks.speed_summary(rounds)
    assert table["way"].str.contains("train_on_batch").tolist() == [False, False, True]
    assert table["way"].str.contains("train_step").tolist() == [False, True, False]
    assert table["way"][0] == "ours, 50 networks at once"
    got = table[["median", "low", "high", "ratio"]].to_numpy().tolist()
    assert got == [[2, 1, 6, 1], [24, 10, 30, 5], [18, 7, 50, 7]]  # ratios 30 5 4 and 7 25 3
    other = benchmarks.speed_summary(rounds, replicas=100)
    assert other["way"][0] == "ours, 100 networks at once"
    assert other["median"].tolist() == [0.001, 900, 900]


def test_errors_are_told_by_mechanism_and_imputer():
    keys = [(m, i) for m in ("random", "block") for i in ("ours", "mean")]
    rows = []
    rng = np.random.default_rng(0)
    for k, (mechanism, imputer) in enumerate(keys):
        for fold in range(3):
            sizes = {"n_train": 80 + k + 3 * fold, "n_test": 20 - k}
            times = {"fit": [1, 2, 9][fold] + k, "transform": [0.1, 0.2, 0.9][fold] + k}
            rows.append({"mechanism": mechanism, "imputer": imputer, "rmse": rng.uniform(),
                         "fold": fold, **sizes, **times})  # fmt: skip
    rows = pd.DataFrame(rows)
    table = benchmarks.imputer_summary(rows)
    assert list(zip(table["mechanism"], table["imputer"], strict=True)) == keys
    for k, row in enumerate(table.itertuples()):
        own = rows.iloc[3 * k : 3 * k + 3]["rmse"]
        wanted = corrected_interval(own, 83 + k, 20 - k)
        np.testing.assert_allclose((row.mean, row.low, row.high), wanted)
        assert (row.fit, row.transform) == (2 + k, 0.2 + k)
