"""The study of missingness: its grid, its committed results, its page."""

import re
import shlex
from pathlib import Path

import pytest

from ehrgan import cli
from ehrgan.missingness import GROUPS, VANISHING, committed, one_setting
from ehrgan.records import load_wdbc
from ehrgan.sweep import plan, read_grid, read_sweep, sweep

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "sweeps" / "one_setting.ipynb"
KEYS = ["trial", "fold", "imputer", "classifier", "metric"]


def test_the_committed_results_cover_the_grid():
    runs = plan(NOTEBOOK, read_grid(ROOT / "sweeps" / "missingness.yml"))
    setting = ["mechanism", "fraction", "vanishing", "seed"]
    asked = {tuple(run.parameters[name] for name in setting) for run in runs}
    results = committed()
    assert set(results[setting].itertuples(index=False, name=None)) == asked
    assert not results.duplicated([*setting, *KEYS]).any()
    assert len(set(results["source"])) == 1


def test_a_committed_cell_can_be_made_again():
    live = one_setting("monotone", 0.1, n_trials=1)
    kept = committed().query("mechanism == 'monotone' and fraction == 0.1 and seed == 0")
    assert set(kept["vanishing"]) == {"first fifteen"}
    both = live.merge(kept, on=KEYS, suffixes=("", "_kept"))
    assert len(both) == len(live)
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


def test_the_sweeps_notebook_records_what_the_function_gives(tmp_path):
    small = {"mechanism": "MCAR", "fraction": 0.2, "n_trials": 1, "n_folds": 2}
    (about,) = sweep(NOTEBOOK, [small], tmp_path, progress=False)
    assert about["status"] == "done", about["error"]
    table = read_sweep(tmp_path).set_index(KEYS)["value"]
    direct = one_setting("MCAR", 0.2, n_trials=1, n_folds=2).set_index(KEYS)["value"]
    assert table.to_numpy() == pytest.approx(direct.loc[table.index].to_numpy(), abs=0.02)


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
