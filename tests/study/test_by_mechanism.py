"""The study of missingness: its grid, its committed results, its page."""

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from told import KEYS as FOLD_KEYS
from told import auc, of_fold

from ehrgan import ACGANClassifier, cli
from ehrgan.book.committed import committed
from ehrgan.study import by_mechanism
from ehrgan.study.baselines import make_classifier
from ehrgan.study.by_mechanism import GROUPS, VANISHING, one_setting
from ehrgan.sweeps.grid import read_grid
from ehrgan.sweeps.plan import plan
from ehrgan.sweeps.sweep import read_sweep, sweep
from ehrgan.tables.records import load_wdbc

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "sweeps" / "one_setting.ipynb"
KEYS = ["trial", "fold", "imputer", "classifier", "metric"]


def test_the_committed_results_cover_the_grid():
    runs = plan(NOTEBOOK, read_grid(ROOT / "sweeps" / "missingness.yml"))
    setting = ["mechanism", "fraction", "vanishing", "seed"]
    asked = {tuple(run.parameters[name] for name in setting) for run in runs}
    results = committed("by_mechanism")
    assert set(results[setting].itertuples(index=False, name=None)) == asked
    assert not results.duplicated([*setting, *KEYS]).any()
    assert len(set(results["source"])) == 1


def test_the_sweeps_notebook_makes_a_committed_cell_again(tmp_path):
    cell = {"mechanism": "monotone", "fraction": 0.1}
    (about,) = sweep(NOTEBOOK, [cell | {"n_trials": 1}], tmp_path, progress=False)
    assert about["status"] == "done", about["error"]
    kept = committed("by_mechanism").query(
        "mechanism == 'monotone' and fraction == 0.1 and seed == 0"
    )
    assert set(kept["vanishing"]) == {"first fifteen"}
    live = read_sweep(tmp_path)
    both = live.merge(kept, on=KEYS, suffixes=("", "_kept"))
    assert len(both) == len(live) > 0
    gap = (both["value"] - both["value_kept"]).abs().groupby(both["metric"]).mean()
    assert gap.max() < 0.005


def test_the_groups_that_vanish_are_what_they_are_called():
    names = load_wdbc().X.columns
    words = {"mean": "mean ", "standard error": " error", "worst": "worst "}
    for group in GROUPS:
        assert all(words[group] in names[i] for i in VANISHING[group])
    assert sorted(VANISHING[" + ".join(GROUPS)]) == list(range(len(names)))
    assert len(VANISHING) == 2 + 2 ** len(GROUPS) - 1


@pytest.mark.parametrize(("mechanism", "vanishing"), [("block", "best"), ("MAR", "mean")])
def test_a_group_that_cannot_vanish_is_refused(mechanism, vanishing):
    with pytest.raises(ValueError, match=f"vanishing must be .*got '{vanishing}'"):
        one_setting(mechanism, vanishing=vanishing)


def test_every_command_of_the_page_is_one():
    page = (ROOT / "book" / "sweeps.md").read_text()
    blocks = re.findall(r"```bash\n(.*?)```", page, re.S)
    lines = [shlex.split(line) for block in blocks for line in block.splitlines()]
    commands = [line[1:] for line in lines if line[0] == "ehrgan"]
    assert len(commands) >= 4
    for command in commands:
        options = cli.command_line().parse_args(command)
        assert options.notebook == "status" or (ROOT / options.notebook).is_file()
    (papermill,) = [line for line in lines if line[0] == "papermill"]
    assert (ROOT / papermill[1]).is_file()


@pytest.fixture
def asked(monkeypatch, result):
    """What was asked of a study that gives the result at once."""
    made = []

    class Made:
        def __init__(self, records, **settings):
            made.append({"records": records, **settings})

        def run(self, progress=True):
            made[-1]["progress"] = progress
            return result

    monkeypatch.setattr(by_mechanism, "Study", Made)
    return made


def test_a_setting_holds_the_scores_and_errors_of_every_fold(asked, result):
    table = by_mechanism.one_setting("MCAR", 0.3)
    assert list(table) == [*FOLD_KEYS, "metric", "value", "n_train", "n_test"]
    assert not table.duplicated([*FOLD_KEYS, "metric"]).any() and not table.isna().any(axis=None)
    assert len(table) == 4 * 3 * (2 * 2 + 1)
    found = table.set_index([*FOLD_KEYS, "metric"])["value"]
    for key in result.predictions[FOLD_KEYS].drop_duplicates().itertuples(index=False, name=None):
        y, p = of_fold(result, key)
        assert found[(*key, "accuracy")] == pytest.approx(np.mean((p > 0.5) == y))
        assert found[(*key, "auc_roc")] == pytest.approx(auc(y, p))
    for row in result.imputation.itertuples(index=False):
        assert found[(row.trial, row.fold, row.imputer, "", "rmse")] == row.rmse
    sizes = table["fold"].map({0: 14, 1: 16})
    assert (table["n_test"] == sizes).all() and (table["n_train"] == 30 - sizes).all()


@pytest.mark.parametrize(
    ("mechanism", "vanishing", "columns"),
    [
        ("block", "first fifteen", range(15)),
        ("block", "nothing", ()),
        ("monotone", "mean + worst", [*range(10), *range(20, 30)]),
        ("MCAR", "first fifteen", range(15)),
        ("MNAR quantile", "first fifteen", range(15)),
    ],
)
def test_a_setting_is_the_study_that_was_asked_for(asked, mechanism, vanishing, columns):
    by_mechanism.one_setting(mechanism, 0.3, vanishing=vanishing, n_trials=3, n_folds=4, seed=9)
    (study,) = asked
    pd.testing.assert_frame_equal(study.pop("records").X, load_wdbc().X)
    arms = study.pop("classifiers")
    whole = mechanism in ("block", "monotone")
    own = ("autoencoder",) if whole else ()  # it needs complete records to learn from
    assert study == {
        "n_trials": 3, "n_folds": 4, "missing_fraction": 0.3, "mechanism": mechanism,
        "attributes": tuple(columns), "seed": 9, "n_jobs": 1, "progress": False,
        "imputers": ("mean", "nearest neighbours", "chained ridge", *own, "denoising"),
    }  # fmt: skip
    names = ["Logistic regression", "Random Forest", "SVM (RBF)"]
    assert list(arms) == [*names, "AC-GAN"]
    wanted = {name: make_classifier(name) for name in names} | {"AC-GAN": ACGANClassifier()}
    for name, arm in arms.items():
        assert repr(arm.estimator) == repr(wanted[name])
        assert (arm.draws, arm.grid, arm.specificity) == (0, (), None)


def test_the_defaults_are_the_papers_block_in_half_of_the_records(asked):
    by_mechanism.one_setting()
    (study,) = asked
    told = ("mechanism", "missing_fraction", "attributes", "n_trials", "n_folds", "seed")
    assert [study[name] for name in told] == ["block", 0.5, tuple(range(15)), 2, 5, 0]
