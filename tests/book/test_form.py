"""Every chapter has the form that CONTRIBUTING.md describes: what it found can be retold."""

import re

import nbformat
import pytest
from chapters import CHAPTERS

#: Chapters that were written before the form; whoever rewrites one takes it off.
BEFORE_THE_FORM = {}
MOST_HIDDEN = 0.3
CLOSING = ["What to notice", "Try it yourself"]


def cells_of(path):
    """Cells that a page shows: all but the one that installs the library."""
    return [c for c in nbformat.read(path, as_version=4).cells if c.get("id") != "install"]


def is_hidden(cell):
    tags = set(cell.metadata.get("tags", []))
    assert tags.isdisjoint({"remove-input", "remove-cell"})
    return "hide-input" in tags


def lines_of(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


def words_of(cells):
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def faults_of(cells):
    """What a chapter lacks of the form, in words."""
    code = [cell for cell in cells if cell.cell_type == "code"]
    first, text = cells[0].source, words_of(cells)
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    box = re.fullmatch(r"# .+\n\n(> \*\*[^*]+\*\*\n(?:> .+\n?)+)", first)
    hidden = sum(len(lines_of(cell)) for cell in code if is_hidden(cell))
    share = hidden / sum(map(len, map(lines_of, code)))
    closing = text.partition("## Try it yourself")[2]
    held = {
        "a finding in bold, alone below the title": bool(box),
        "a number in the finding": "{glue:text}" in first,
        "parameters, then one folded cell with the figure": [
            cells[1].metadata.get("tags"), is_hidden(cells[2]), "figure" in str(cells[2].metadata),
        ] == [["parameters"], True, True],
        "why it matters, first": heads[:1] == ["Why it matters"],
        "the closing": heads[-2:] == CLOSING,
        "an uncomfortable point": "Uncomfortable" in text,
        "solutions, folded": "<summary>Solutions</summary>" in closing,
        "where to go next": re.search(r"\*\*Next:\*\* [^\n]*\{doc\}", closing) is not None,
        "code that is seen": share <= MOST_HIDDEN,
        "words between folded cells": not any(
            a.cell_type == b.cell_type == "code" and is_hidden(a) and is_hidden(b)
            for a, b in zip(cells, cells[1:], strict=False)
        ),
    }  # fmt: skip
    return [words for words, holds in held.items() if not holds]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_the_form(path):
    faults = faults_of(cells_of(path))
    if path.stem in BEFORE_THE_FORM:
        assert faults, "it has the form now: take it off the list"
    else:
        assert faults == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_other_chapters_are_named_by_their_titles(path):
    """Numbers change when chapters move; a link shows the title."""
    text = words_of(cells_of(path))
    assert re.findall(r"\b[Cc]hapters? \d+", text) == []
    assert re.findall(r"\{doc\}`[^<`]*<[^>`]*\d\d_", text) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_code_is_as_wide_as_a_page(path):
    if path.stem in BEFORE_THE_FORM:
        pytest.skip("written before the form")
    code = [cell.source for cell in cells_of(path) if cell.cell_type == "code"]
    assert max(len(line) for source in code for line in source.splitlines()) <= 88
