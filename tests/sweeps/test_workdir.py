"""Where the runs of a sweep work: relative paths and imports start there, as in Jupyter."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from standin import outcome, swept

from ehrgan.sweeps.grid import GridError
from ehrgan.sweeps.sweep import read_sweep, sweep

CODE = """
import pandas as pd
from helper import twice
from ehrgan.sweeps.handover import record
record(pd.DataFrame({"rows": [twice(len(pd.read_csv("data/my.csv")))]}))
"""


def test_a_notebook_finds_what_lies_beside_it_or_in_the_folder_named(tmp_path):
    for name, rows in (("beside", "a\n1\n2\n3\n"), ("other", "a\n1\n")):
        (tmp_path / name / "data").mkdir(parents=True)
        (tmp_path / name / "data" / "my.csv").write_text(rows)
        (tmp_path / name / "helper.py").write_text("def twice(x):\n    return 2 * x\n")
    path = tmp_path / "beside" / "a.ipynb"
    seed = new_code_cell("seed = 0", metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[seed, new_code_cell(CODE)]), path)
    for workdir, rows in ((None, 6), (tmp_path / "other", 2)):
        out = tmp_path / f"out{rows}"
        (about,) = sweep(path, [{"seed": 1}], out, workdir=workdir, progress=False)
        assert about["status"] == "done", about["error"]
        assert read_sweep(out)["rows"].tolist() == [rows]
    assert sorted(p.name for p in path.parent.iterdir() if p.is_file()) == ["a.ipynb", "helper.py"]


def test_a_working_folder_that_is_not_there_is_refused_before_any_run(toy, tmp_path, runs):
    with pytest.raises(GridError, match="workdir must be a folder that is there, got '.*gone'"):
        swept(toy, tmp_path, workdir=tmp_path / "gone")
    assert not runs


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("jobs", [1, 2])
def test_runs_side_by_side_that_write_into_their_folder_are_told_of_it(toy, tmp_path, runs, jobs):
    (tmp_path / "kept.csv").write_text("1")

    def writes(x, n_try):
        (tmp_path / "same.csv").write_text(str(x))
        return outcome(x)

    runs.does = writes
    if jobs == 1:
        swept(toy, tmp_path / "out", jobs=jobs, workdir=tmp_path)  # a warning would be an error
        return
    with pytest.warns(UserWarning, match="^same.csv in .* was written while runs that share"):
        swept(toy, tmp_path / "out", jobs=jobs, workdir=tmp_path)
    runs.does = lambda x, n_try: outcome(x)
    swept(toy, tmp_path / "quiet", jobs=jobs, workdir=tmp_path)
