"""The text commits to findings, and a run with the book's settings is held to them."""

import ast
import re

import nbformat
import pytest
from chapters import CHAPTERS

from ehrgan.book.findings import BOOK, Findings
from ehrgan.sweeps.cells import literal, parameter_defaults


def test_a_run_of_the_book_that_contradicts_the_text_stops():
    Findings(BOOK).hold("ours leads", True)
    with pytest.raises(AssertionError, match="contradicts what the text says: ours leads"):
        Findings(BOOK).hold("ours leads", False)


@pytest.mark.parametrize("name", BOOK)
def test_any_other_setting_makes_a_quick_look_that_says_so(name, capsys):
    Findings(BOOK)._ipython_display_()
    assert capsys.readouterr().out == ""
    quick = Findings(BOOK | {name: 1})
    quick.hold("ours leads", False)
    assert f"{name} = 1 in place of {BOOK[name]}" in repr(quick)
    quick._ipython_display_()
    assert capsys.readouterr().out == f"{quick!r}\n"


def test_a_chapter_may_have_settings_of_its_own():
    own = {"limit": 600, "n_trials": 1}
    with pytest.raises(AssertionError):
        Findings(own, own).hold("ours leads", False)
    quick = Findings({**own, "limit": 100}, own)
    quick.hold("ours leads", False)
    assert quick.changed == {"limit": (100, 600)}


HELD = [path for path in CHAPTERS if "Findings(" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", HELD, ids=lambda path: path.stem)
def test_the_defaults_of_a_chapter_are_the_books_settings(path):
    defaults = {key: literal(text) for key, text in parameter_defaults(path).items()}
    cells = nbformat.read(path, as_version=4).cells
    code = "".join(cell.source for cell in cells if cell.cell_type == "code")
    own = re.search(r"(?:Findings\(\w+, |book = )({.*?})", code, re.DOTALL)
    book = ast.literal_eval(own[1]) if own else BOOK
    assert book.items() <= defaults.items()
    assert "findings.hold(" in code


def test_some_chapters_are_held_to_their_text():
    assert {path.stem[3:] for path in HELD} >= {"imputation", "evaluation", "audit"}
