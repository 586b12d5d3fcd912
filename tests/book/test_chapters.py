"""Every chapter runs, from any folder, with small settings, and refuses settings of no sense."""

import re

import nbformat
import pytest
from chapters import CHAPTERS

from ehrgan.study.protocol import Study
from ehrgan.sweeps.cells import parameter_defaults
from ehrgan.sweeps.notebooks import NotebookError, run_notebook

BAD = {"n_trials": 0, "n_folds": 1, "missing_fraction": 1.5, "n_masked": 31}
ALL = [pytest.param(p, id=p.stem, marks=pytest.mark.xdist_group(p.stem)) for p in CHAPTERS]


@pytest.mark.parametrize("path", ALL)
def test_a_chapter_runs_with_small_settings(path, chapter):
    cells = chapter(path.stem).cells
    assert all(c.execution_count for c in cells if c.cell_type == "code")


@pytest.mark.parametrize("path", ALL)
def test_no_number_of_a_chapter_reads_minus_nothing(path, chapter):
    shown = [
        data
        for cell in chapter(path.stem).cells
        for output in cell.get("outputs", [])
        for kind, data in [*output.get("data", {}).items(), ("text/plain", output.get("text", ""))]
        if kind.startswith("text")
    ]
    assert re.findall(r"[-\N{MINUS SIGN}]0(?:\.0+)?(?![\d.])(?=[ )<*,;]|$)", "\n".join(shown)) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_keeps_the_rules(path):
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in code) == 1
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert len(code) <= 20
    assert max(len(cell.source.splitlines()) for cell in code) <= 30


def test_a_setting_of_no_sense_stops_at_the_first_cell(tmp_path):
    path = next(path for path in CHAPTERS if "evaluation" in path.stem)
    with pytest.raises(NotebookError, match="cell [23]: .*n_trials"):
        run_notebook(path, tmp_path / "out.ipynb", {"n_trials": 0}, progress=False)


STUDIES = [path for path in CHAPTERS if {"n_trials", "n_folds"} <= set(parameter_defaults(path))]


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_first_cells_of_a_chapter_refuse_a_setting_of_no_sense(path, name, monkeypatch):
    """Without a kernel: its first code after the parameters runs nothing with them."""
    monkeypatch.setattr(Study, "run", lambda self: pytest.fail("a study ran"))
    cells = nbformat.read(path, as_version=4).cells
    parameters, *first = [cell.source for cell in cells if cell.cell_type == "code"][:3]
    names = {"glue": None}
    exec(parameters, names)
    names[name] = BAD[name]
    with pytest.raises(ValueError, match=name):
        for source in first:
            exec(source, names)
