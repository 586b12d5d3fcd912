"""What a notebook asks for, read without the libraries that run it."""

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from papermill.translators import PythonTranslator

from ehrgan.sweeps.cells import parameter_defaults, read_cells, tags

ROOT = Path(__file__).parents[2]
BOOK = sorted([*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("sweeps/*.ipynb")])


@pytest.fixture
def defaults(tmp_path):
    """A function that gives the parameters of a cell."""

    def read(source):
        cell = new_code_cell(source, metadata={"tags": ["other", "parameters"]})
        nbformat.write(new_notebook(cells=[new_code_cell("no = 1"), cell]), tmp_path / "a.ipynb")
        return parameter_defaults(tmp_path / "a.ipynb")

    return read


def test_cells_and_parameters_of_the_book_are_what_the_usual_libraries_read():
    assert len(BOOK) > 10
    for path in BOOK:
        cells = nbformat.read(path, as_version=4).cells
        assert read_cells(path.read_bytes()) == cells
        tagged = [cell for cell in cells if "parameters" in tags(cell)]
        told = PythonTranslator.inspect(tagged[0]) if tagged else []
        assert parameter_defaults(path) == {one.name: one.default for one in told}


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("x = 1  # trials\n\n# words\nrate: float = 1e-3", {"x": "1", "rate": "1e-3"}),
        ("a = [1,  # one\n     2]\nb = 'x=1'", {"a": "[1, 2]", "b": "'x=1'"}),
        ("a = b = 2\nthird = 1 / 3", {"a": "2", "b": "2", "third": "1 / 3"}),
        ("x: int\nc, d = 1, 2\ne.f = 3\nprint(x)\nx += 1\nimport os", {}),
        ("x = 1\nx = 2", {"x": "2"}),
        ("%load_ext a\nx = 1\n!ls = 2\nfiles = !ls\nx?\nz = [\n 3]", {"x": "1", "z": "[3]"}),
        ("%%time\nif z:\n    %pylab\nx = '%d' % 1", {"x": "'%d' % 1"}),
        ("a = 1; b = 2", {"a": "1", "b": "2"}),
        ("where = 'age>=60'; opts = dict(a=1)", {"where": "'age>=60'", "opts": "dict(a=1)"}),
        ("", {}),
    ],
)
def test_parameters_are_the_assignments_of_one_name_each(defaults, source, wanted):
    assert list(defaults(source).items()) == list(wanted.items())


def test_an_old_notebook_and_lines_of_source_and_bare_cells_are_read():
    old = nbformat.v3.new_notebook(
        worksheets=[nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell("x = 1")])]
    )
    (cell,) = read_cells(json.dumps(old).encode())
    assert (cell["cell_type"], cell["source"]) == ("code", "x = 1")
    bare = {"nbformat": 4, "cells": [{"cell_type": "code", "source": ["a = 'ü'\n", "b = 2"]}]}
    (cell,) = read_cells(json.dumps(bare, ensure_ascii=False).encode())
    assert cell["source"] == "a = 'ü'\nb = 2" and tags(cell) == set()
    assert bare["cells"][0]["source"] == ["a = 'ü'\n", "b = 2"]
