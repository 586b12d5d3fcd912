"""The text commits to findings, and a run with the book's settings is held to them."""

import nbformat
import pytest
from chapters import CHAPTERS

from ehrgan.book.findings import BOOK, Findings
from ehrgan.sweeps.cells import literal, parameter_defaults


def test_a_run_of_the_book_that_contradicts_the_text_stops():
    Findings(BOOK).hold("ours leads", True)
    with pytest.raises(AssertionError, match="contradicts what the text says: ours leads"):
        Findings(BOOK).hold("ours leads", False)
    assert repr(Findings(BOOK)) == "" and Findings(BOOK)._repr_markdown_() is None


@pytest.mark.parametrize("name", BOOK)
def test_any_other_setting_makes_a_quick_look_that_says_so(name):
    quick = Findings(BOOK | {name: 1})
    quick.hold("ours leads", False)
    assert f"{name} = 1 in place of {BOOK[name]}" in quick._repr_markdown_()


HELD = [path for path in CHAPTERS if "Findings(" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", HELD, ids=lambda path: path.stem)
def test_the_defaults_of_a_chapter_are_the_books_settings(path):
    own = {key: literal(text) for key, text in parameter_defaults(path).items()}
    assert {key: own[key] for key in BOOK} == BOOK
    cells = nbformat.read(path, as_version=4).cells
    code = "".join(cell.source for cell in cells if cell.cell_type == "code")
    assert "findings.hold(" in code


def test_some_chapters_are_held_to_their_text():
    assert {path.stem[:2] for path in HELD} >= {"02", "05", "06"}
