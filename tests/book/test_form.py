"""Every chapter has the form that CONTRIBUTING.md describes: what it found can be retold."""

import ast
import re

import nbformat
import pytest
from chapters import CHAPTERS
from nbformat.v4 import new_code_cell, new_markdown_cell

MOST_HIDDEN = 0.3
#: What lays results out, or hands them on: a cell that does nothing else computes nothing.
FORMATTING = set(
    """
    DataFrame Markdown Series all any assign display drop dropna dict estimates float format hold
    idxmax idxmin int items join len list map max merge min pivot_table print query rename round
    rounded save set_axis set_index show show_silences show_table sorted sum tabulate tell to_frame
    tuple values xs zip
""".split()
)
CLOSING = ["What to notice", "Try it yourself"]


def cells_of(path):
    """Cells that a page shows: all but the one that installs the library."""
    return [c for c in nbformat.read(path, as_version=4).cells if c.get("id") != "install"]


def is_hidden(cell):
    tags = set(cell.metadata.get("tags", []))
    assert tags.isdisjoint({"remove-input", "remove-cell", "remove-output", "hide-cell"})
    return "hide-input" in tags


def lines_of(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


def words_of(cells):
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def sentences_of(box):
    """How many sentences a finding has; what a role shows may hold a dot."""
    text = re.sub(r"\{[\w:]+\}`[^`]*`", "x", box).replace("> ", "").replace("*", "")
    return len(re.findall(r"[.!?](?=\s|$)", text))


def figure_of(cell):
    return cell.metadata.get("mystnb", {}).get("figure", {}).get("name")


def only_formats(cell):
    nodes = (n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Call))
    called = {n.func.id if isinstance(n.func, ast.Name) else n.func.attr for n in nodes}
    return called <= FORMATTING


def unread(cells):
    """Figures that are not followed by a sentence: by more code, or by a heading."""
    found = []
    for cell, then in zip(cells, [*cells[1:], None], strict=True):
        if figure_of(cell) and (not then or then.cell_type == "code" or then.source[0] == "#"):
            found.append(figure_of(cell))
    return found


def lost(cells):
    """Tables and figures that no page shows: a notebook displays a cell's last value alone."""
    found = []
    for cell in cells:
        for line in ast.parse(cell.source).body[:-1] if cell.cell_type == "code" else []:
            called = ast.unparse(line).partition("(")[0]
            if called in {"show", "show_table"} or called.startswith("plots."):
                found.append(called)
    return found


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
        "two sentences in the finding": bool(box) and sentences_of(box[1]) == 2,
        "a number in the finding": bool(box) and "{glue:text}" in box[1],
        "parameters, then one folded cell with the figure": [
            cells[1].metadata.get("tags"), is_hidden(cells[2]), "figure" in str(cells[2].metadata),
        ] == [["parameters"], True, True],
        "why it matters, first": heads[:1] == ["Why it matters"],
        "the closing": heads[-2:] == CLOSING,
        "an uncomfortable point": "Uncomfortable" in text,
        "solutions, folded": "<summary>Solutions</summary>" in closing,
        "where to go next": re.search(r"\*\*Next:\*\* [^\n]*\{doc\}", closing) is not None,
        "a sentence after each figure": unread(cells) == [],
        "every table and figure shown": lost(cells) == [],
        "code that is seen": share <= MOST_HIDDEN,
        "something computed in the last three cells": not all(map(only_formats, code[-3:])),
        "words between folded cells": not any(
            a.cell_type == b.cell_type == "code" and is_hidden(a) and is_hidden(b)
            for a, b in zip(cells, cells[1:], strict=False)
        ),
    }  # fmt: skip
    return [words for words, holds in held.items() if not holds]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_the_form(path):
    assert faults_of(cells_of(path)) == []


def code_cell(source, *tags, figure=None):
    about = {"mystnb": {"figure": {"name": figure}}} if figure else {}
    return new_code_cell(source, metadata={"tags": list(tags), **about})


def a_chapter():
    """The least that has the form."""
    return [
        new_markdown_cell("# T\n\n> **A finding.**\n> Since {glue:text}`a_b:.3f` is low.\n"),
        code_cell("n = 1", "parameters"),
        code_cell("plots.fit(n)", "hide-input", figure="fig-a"),
        new_markdown_cell("One sees.\n\n## Why it matters\n\nSo."),
        code_cell("\n".join(f"a_{i} = train({i})" for i in range(9))),
        new_markdown_cell(
            "## What to notice\n\n3. **Uncomfortable: it is.**\n\n## Try it yourself\n\n"
            "<details>\n<summary>Solutions</summary>\n\n</details>\n\n**Next:** {doc}`02_b`"
        ),
    ]


def changed(at, old, new):
    cells = a_chapter()
    assert old in cells[at].source
    cells[at].source = cells[at].source.replace(old, new)
    return cells


def with_cell(at, cell):
    cells = a_chapter()
    cells.insert(at, cell)
    return cells


@pytest.mark.parametrize(
    ("cells", "lacking"),
    [
        (a_chapter(), []),
        (changed(0, " low.", " low. And so on."), ["two sentences in the finding"]),
        (changed(0, "{glue:text}`a_b:.3f`", "0.9"), ["a number in the finding"]),
        (changed(3, "One sees.\n\n## W", "## W"), ["a sentence after each figure"]),
        (
            with_cell(5, code_cell("show_table(a, caption='x')\nfit()")),
            ["every table and figure shown"],
        ),
        (with_cell(3, code_cell("fit()")), ["a sentence after each figure"]),
        (changed(3, "## Why it matters", "## How"), ["why it matters, first"]),
        (with_cell(5, code_cell("fit()\n" * 5, "hide-input")), ["code that is seen"]),
        (
            a_chapter()[:5] + [code_cell("show_table(len(a))")] * 3 + a_chapter()[5:],
            ["something computed in the last three cells"],
        ),
        (changed(5, "**Next:**", "Then"), ["where to go next"]),
        (changed(5, "## Try it yourself", "## More"), ["the closing", "solutions, folded",
                                                       "where to go next"]),
    ],
)  # fmt: skip
def test_what_a_chapter_lacks_is_named(cells, lacking):
    assert faults_of(cells) == lacking


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_other_chapters_are_named_by_their_titles(path):
    """Numbers change when chapters move; a link shows the title."""
    text = words_of(cells_of(path))
    assert re.findall(r"\b[Cc]hapters? \d+", text) == []
    assert re.findall(r"\{doc\}`[^<`]*<[^>`]*\d\d_", text) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_code_is_as_wide_as_a_page(path):
    code = [cell.source for cell in cells_of(path) if cell.cell_type == "code"]
    assert max(len(line) for source in code for line in source.splitlines()) <= 88
