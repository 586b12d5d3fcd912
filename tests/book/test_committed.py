"""A finished sweep goes into the package's data, and the chapters read it there."""

import numpy as np
import pandas as pd
import pytest

from ehrgan.book import committed as results
from ehrgan.sweeps import sweep

KEYS = ["trial", "fold", "imputer", "classifier"]


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        (
            "by_mechanism",
            {"mechanism": "MCAR", "fraction": 0.1, "vanishing": "nothing", "seed": 3},
        ),
        ("by_protocol", {"protocol": "paper", "fraction": 0.1, "seed": 3}),
        ("by_ladder", {"table": "complete", "seed": 3}),
    ],
)
def test_a_finished_sweep_is_put_in_order_into_the_data(tmp_path, monkeypatch, name, setting):
    rows = [
        (0, 1, "mean", "AC-GAN", "auc_roc", 0.4),
        (1, 0, "mean", "AC-GAN", "auc_roc", 0.5),
        (0, 0, "mean", "AC-GAN", "auc_roc", 0.3),
        (0, 0, "mean", "AC-GAN", "accuracy", 0.2),
        (0, 0, "mean", "A", "auc_roc", 0.1),
        (0, 0, "autoencoder", "AC-GAN", "auc_roc", 0.0),
    ]
    run = pd.DataFrame(rows, columns=[*KEYS, "metric", "value"]).assign(
        n_train=20, n_test=10, version="1", source="abc", key="k", duration=1.0, peak_memory_mb=2.0
    )  # fmt: skip
    more = ["fpr"] if name == "by_protocol" else []
    run = run.assign(**dict.fromkeys(more, np.nan))
    given = {**setting, "n_trials": 2}
    first = run.assign(**{f"parameter_{one}": value for one, value in given.items()})
    table = pd.concat([first.assign(parameter_seed=4, value=run["value"] + 1), first])
    (tmp_path / "data" / "results").mkdir(parents=True)
    monkeypatch.setattr(results, "files", {"ehrgan": tmp_path}.get)
    monkeypatch.setattr(sweep, "read_sweep", {"here": table}.get)
    results.collect(name, "here")
    assert [path.name for path in (tmp_path / "data" / "results").iterdir()] == [f"{name}.parquet"]
    kept = results.committed(name)
    values = np.arange(6) / 10
    assert kept["value"].tolist() == pytest.approx([*values, *(values + 1)])
    assert kept["seed"].tolist() == [3] * 6 + [4] * 6
    for one, value in setting.items():
        assert one == "seed" or set(kept[one]) == {value}
    assert list(kept) == [*setting, *KEYS, "metric", *more, "value", "n_train", "n_test",
                          "version", "source"]  # fmt: skip


@pytest.mark.parametrize("what", [results.committed, lambda name: results.collect(name, "x")])
def test_no_other_sweep_comes_with_the_library(what):
    with pytest.raises(ValueError, match=r"one of \['by_ladder', .*\], got 'by_eye'"):
        what("by_eye")


def test_a_sweep_that_nobody_ran_is_said_to_have_no_results(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "files", {"ehrgan": tmp_path}.get)
    with pytest.raises(ValueError, match="'by_seed' has no results yet; `make sweep`"):
        results.committed("by_seed")
