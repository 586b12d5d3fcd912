"""Every chapter runs, from any folder, with small settings, and refuses settings of no sense."""

from pathlib import Path

import nbformat
import pytest

from ehrgan.notebooks import NotebookError, parameter_defaults, run_notebook

CHAPTERS = sorted((Path(__file__).parent.parent / "notebooks").glob("[0-9]*.ipynb"))
SMALL = {"n_trials": 1, "n_folds": 2, "seed": 3, "limit": 120}
BAD = {"n_trials": 0, "n_folds": 1, "missing_fraction": 1.5, "n_masked": 31}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    """One cache for all chapters of a worker, so that they share the small study."""
    monkeypatch.setenv("EHRGAN_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_runs_with_small_settings(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = parameter_defaults(path)
    given = {name: value for name, value in SMALL.items() if name in known}
    run_notebook(path, tmp_path / "out.ipynb", given, progress=False)
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    assert all(c.execution_count for c in cells if c.cell_type == "code")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_keeps_the_rules(path):
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in code) == 1
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert len(code) <= 20
    assert max(len(cell.source.splitlines()) for cell in code) <= 30


@pytest.mark.parametrize("name", BAD)
def test_a_setting_of_no_sense_stops_at_the_first_cell(name, tmp_path):
    path = next(path for path in CHAPTERS if path.stem.startswith("05"))
    with pytest.raises(NotebookError, match=f"cell [23]: .*{name}"):
        run_notebook(path, tmp_path / "out.ipynb", {name: BAD[name]}, progress=False)
