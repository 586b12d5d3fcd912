"""Equations of the book as files show them that run no script."""

import re
from pathlib import Path

import nbformat
import pytest

from ehrgan.book.mathml import as_mathml

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "book").glob("*.md")), *sorted((ROOT / "notebooks").glob("*.ipynb"))]
EQUATIONS = re.compile(r"\$\$(.+?)\$\$|(?<![\\$])\$([^$`]+?)\$(?!\$)", re.DOTALL)


def equations(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    text = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)  # code, where $ is no equation
    return [displayed or inline for displayed, inline in EQUATIONS.findall(text)]


def test_equations_are_found():
    assert sum(len(equations(path)) for path in PAGES) > 200


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_equation_is_converted_whole(path):
    """A command or an environment that the converter does not know stays as it was written."""
    made = {equation: as_mathml(equation) for equation in equations(path)}
    left = re.compile(r"\\[a-zA-Z]|>&<|>&amp;<|\$")
    assert [equation for equation, mathml in made.items() if left.search(mathml)] == []
