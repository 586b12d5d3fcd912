"""Chapters run where the library is missing, such as in Colab."""

import importlib.util
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from chapters import CHAPTERS
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ehrgan.book.first_cell import first_cell, is_first_cell, put_first_cell
from ehrgan.book.show import tell

CONFIG = Path(__file__).parents[2] / "_config.yml"
FIRST_CELL = first_cell(CONFIG)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_begins_with_the_cell_and_shows_it_on_no_page(path):
    """One that lacks it gets it by ``python -m ehrgan.book.first_cell notebooks``."""
    first = next(c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code")
    assert is_first_cell(first) and first.source == FIRST_CELL
    assert first.metadata == {"tags": ["remove-cell"]}


@pytest.mark.parametrize("there", [True, False])
def test_it_installs_what_is_missing_and_is_silent_where_it_is_there(monkeypatch, there, capsys):
    ran = []

    class Shell:
        def run_line_magic(self, *line):
            ran.append(line)

    if not there:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    exec(TransformerManager().transform_cell(FIRST_CELL), {"get_ipython": Shell})
    repository = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["repository"]
    wanted = f"install --quiet git+{repository['url']}@{repository['branch']}"
    assert ran == ([] if there else [("pip", wanted)])  # from where the notebook was opened
    assert capsys.readouterr() == ("", "")


def test_it_stands_once_before_the_parameters_whatever_stood_there(tmp_path):
    path, other = tmp_path / "a.ipynb", tmp_path / "b.ipynb"
    given = new_code_cell("n = 1", metadata={"tags": ["parameters"]})
    cells = [new_markdown_cell("# T"), new_code_cell("old", id="install"), given]
    nbformat.write(new_notebook(cells=cells), path)
    nbformat.write(new_notebook(cells=cells[:1]), other)
    for _ in range(2):
        put_first_cell(path, FIRST_CELL)
        after = nbformat.read(path, as_version=4)
        nbformat.validate(after)
        assert [cell.source for cell in after.cells] == ["# T", FIRST_CELL, "n = 1"]
    before = other.read_bytes()
    put_first_cell(other, FIRST_CELL)
    assert other.read_bytes() == before


def test_results_are_printed_where_no_book_can_be_built(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "myst_nb", None)
    tell("chapter", n=3, name="a")
    assert capsys.readouterr().out == "chapter_n = 3\nchapter_name = a\n"
