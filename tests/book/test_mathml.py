"""Equations of the book as files show them that run no script."""

import re
from pathlib import Path

import nbformat
import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from ehrgan.book.mathml import as_mathml

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "book").glob("*.md")), *sorted((ROOT / "notebooks").glob("*.ipynb"))]
MARKDOWN = MarkdownIt().use(dollarmath_plugin)


def equations(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    tokens = MARKDOWN.parse(text)
    every = [*tokens, *(child for token in tokens for child in token.children or [])]
    directives = [token.content for token in every if token.info == "{math}"]
    return [
        *(re.sub(r"^:label:.*$", "", content, flags=re.MULTILINE) for content in directives),
        *(token.content for token in every if token.type.startswith("math_")),
    ]


def test_equations_are_found():
    assert sum(len(equations(path)) for path in PAGES) > 200


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_equation_is_converted_whole(path):
    """A command or an environment that the converter does not know stays as it was written."""
    made = {equation: as_mathml(equation) for equation in equations(path)}
    left = re.compile(r"\\[a-zA-Z]|>&<|>&amp;<|\$")
    assert [equation for equation, mathml in made.items() if left.search(mathml)] == []
