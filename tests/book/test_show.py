"""What is shown is the code that runs, and it can be read."""

import functools
import inspect
import re

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from ehrgan.book.show import Source, show, show_silences, show_table
from ehrgan.paper.silences import SILENCES
from ehrgan.scores.estimate import Estimate
from ehrgan.tables import masking


class Sample:
    """A class."""

    def method(self, x):
        """Do something.

        At length.
        """
        # A comment that stays.
        text = """not a docstring"""
        return text, x

    def empty(self):
        """Only words."""

    def short(self): "On the line of its def."; return 1  # fmt: skip # noqa: D400, E702, E704


def test_docstrings_go_and_the_code_stays():
    code = show(Sample).code
    assert "Do something" not in code
    assert "A class" not in code
    assert "# A comment that stays." in code
    assert '"""not a docstring"""' in code
    assert "    def empty(self):\n        ..." in code
    names = {}
    exec(code, names)
    assert names["Sample"]().method(3) == Sample().method(3)
    assert names["Sample"]().short() == 1


def test_docstrings_stay_on_request():
    assert "At length." in show(Sample.method, docstring=True).code
    asked = show(masking.sparsity, docstring=True)
    assert asked.code == inspect.getsource(masking.sparsity).rstrip("\n")


def both():
    """Hold a function."""

    def inner():
        """Say one."""
        return 1

    async def waits():
        """Wait."""

        return 2  # after an empty line

    return inner, waits


def test_functions_within_and_the_lines_below_a_docstring_are_as_written():
    assert show(both).code == (
        "def both():\n    def inner():\n        return 1\n\n"
        "    async def waits():\n        return 2  # after an empty line\n\n"
        "    return inner, waits"
    )


@pytest.mark.parametrize(
    ("obj", "title"),
    [
        (masking.sparsity, "ehrgan.tables.masking.sparsity"),
        (Sample.method, f"{__name__}.Sample.method"),
        (Sample, f"{__name__}.Sample"),
        (masking, "ehrgan.tables.masking"),
    ],
)
def test_a_source_says_where_it_comes_from_and_is_that_and_no_other(obj, title):
    shown = show(obj)
    assert shown.title == title
    assert f'aria-label="Source of {title}"' in shown._repr_html_()
    kept = [line.strip() for line in shown.code.splitlines() if line.strip()]
    whole = [line.strip() for line in inspect.getsource(obj).splitlines() if line.strip()]
    added = [line for line in kept if line not in whole]
    assert added == ["..."] * added.count("...") and kept[0] in whole
    assert kept[-1] == ("..." if obj is Sample and whole[-1] == "..." else whole[-1])


def test_each_kind_of_token_is_marked_and_styled_on_light_and_on_dark_pages():
    html = Source('def f():\n    return "text"  # why', "t")._repr_html_()
    soup = BeautifulSoup(html, "html.parser")
    marks = {span.get_text(): span["class"][0] for span in soup.select("pre span")}
    assert (marks["def"], marks["f"], marks["return"]) == ("k", "nf", "k")
    assert marks["# why"] == "c1" and marks['"text"'] == "s2"
    rules = soup.style.get_text().splitlines()
    for kind in ("k", "nf", "c1", "s2"):
        light = [r for r in rules if r.startswith(f".ehrgan-source pre .{kind} {{")]
        dark = [r for r in rules if r.startswith(":is([data-theme=dark]") and f" .{kind} {{" in r]
        assert len(light) == len(dark) == 1, kind
        colours = [re.search(r" color: (#\w+)", rule)[1] for rule in (*light, *dark)]
        assert colours[0] != colours[1]
    assert not [rule for rule in rules if " .mi {" in rule]  # no number is there
    places = [i for i, rule in enumerate(rules) if "span { color: inherit" in rule]
    later = [i for i, rule in enumerate(rules) if "data-theme" in rule and " .k {" in rule]
    assert len(places) == 1 and places < later  # the reset comes before the dark colours


def test_a_table_of_text_is_named_captioned_and_aligned():
    table = pd.DataFrame({"word": ["a"], "n": ["1"], "more": ["b"]}, index=pd.Index([7], name="i"))
    table.columns.name = "c"
    soup = BeautifulSoup(
        show_table(table, "mine", "What it holds", ["more", "word"]).to_html(), "html.parser"
    )
    assert soup.table["id"] == "T_mine" and "dataframe" in soup.table["class"]
    assert soup.caption.get_text() == "What it holds"
    css = soup.style.get_text()
    left = set(re.findall(r"#T_mine \.(col\d) {\s*text-align: left", css))
    assert left == {"col0", "col2"}
    for cell in ("th", "td"):
        assert re.search(rf"#T_mine +{cell} {{[^}}]*text-align: right", css)
    assert re.search(r"#T_mine th.row_heading {[^}]*text-align: left", css)
    assert re.search(r"#T_mine caption {[^}]*caption-side: top", css)
    names = [cell.get_text(strip=True) for cell in soup.select("thead th")]
    assert names == ["", "word", "n", "more"]  # no names of axes take a line of their own
    assert [cell.get_text() for cell in soup.select("tbody td")] == ["a", "1", "b"]
    assert (table.index.name, table.columns.name) == ("i", "c")


def test_rows_are_named_in_words_and_a_running_count_is_no_name():
    soup = BeautifulSoup(show_table(pd.DataFrame({"n": [1, 2]}), "t", "T").to_html(), "html.parser")
    assert [row.get_text(strip=True) for row in soup.select("tr")] == ["n", "1", "2"]
    table = pd.DataFrame({"n": [1, 2]}, ["auc_roc", "accuracy"])
    soup = BeautifulSoup(show_table(table, "t", "T").to_html(), "html.parser")
    assert [cell.get_text() for cell in soup.select("tbody th")] == ["AUC", "accuracy"]


def test_a_table_writes_its_numbers_each_column_in_its_form():
    table = pd.DataFrame(
        {"word": ["a", "b"], "n": [1, 2], "gap": [-0.00001, np.nan],
         "score": [Estimate(0.9, 0.8, 1.0), Estimate(0.5, 0.25, 0.75)]}
    )  # fmt: skip
    forms = {"gap": "+.2f", "score": "±.2f"}
    soup = BeautifulSoup(show_table(table, "t", "T", form=forms).to_html(), "html.parser")
    cells = [[cell.get_text() for cell in row.select("td")] for row in soup.select("tbody tr")]
    assert cells == [["a", "1", "+0.00", "0.90 ± 0.10"], ["b", "2", "–", "0.50 ± 0.25"]]
    soup = BeautifulSoup(show_table(table, "t", "T").to_html(), "html.parser")
    assert soup.select_one("tbody tr").get_text(" ", strip=True).endswith("0.900 (0.800–1.000)")


def test_every_silence_is_listed_in_its_stage_with_its_setting():
    soup = BeautifulSoup(show_silences().data, "html.parser")
    stages = {fold.summary.b.get_text(): fold.select("tr") for fold in soup.select("details")}
    assert sum(map(len, stages.values())) == len(SILENCES)
    assert list(stages) == list(dict.fromkeys(silence.stage for silence in SILENCES))
    texts = [row.get_text() for rows in stages.values() for row in rows]
    assert all(s.parameter in t and s.why in t for s, t in zip(SILENCES, texts, strict=True))
    assert "gamma='auto'" in [code.get_text() for code in soup.select("code")]


def test_methods_are_dedented_and_decorated_functions_unwrapped():
    assert show(Sample.method).code.startswith("def method(self, x):")
    wrapped = functools.wraps(masking.sparsity)(lambda X: None)
    assert show(wrapped).code.startswith("def sparsity(X):")


def test_modules_lose_their_docstring_too():
    assert show(masking).code.startswith("from numbers import")


@pytest.mark.parametrize("obj", [3, len, "text"])
def test_what_has_no_source_is_refused(obj):
    with pytest.raises(TypeError, match="obj must be a function, method, class or module"):
        show(obj)


def test_html_shows_the_code_escaped_and_within_reach_of_the_keyboard():
    html = Source("if 1 < 2:\n    pass", "made <here>")._repr_html_()
    assert "&lt;" in html
    assert '<pre tabindex="0" role="group" aria-label="Source of made &lt;here&gt;">' in html
    text = re.sub(r"<style>.*?</style>|<[^>]+>", "", html, flags=re.DOTALL)
    assert text.strip() == "if 1 &lt; 2:\n    pass"


def luminance(colour):
    """Relative luminance of a hexadecimal colour, as WCAG 2 defines it."""
    digits = colour.lstrip("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_every_colour_is_readable_on_its_background(dark):
    html = show(masking, docstring=True)._repr_html_()
    rules = [r for r in html.split("</style>")[0].splitlines() if ("data-theme" in r) == dark]
    background = re.search(r"background: (#\w+)", "\n".join(rules)).group(1)
    colours = {
        m.group(1)
        for rule in rules
        if ".w {" not in rule  # white space has no ink
        for m in [re.search(r"[{;] color: (#\w+)", rule)]
        if m
    }
    assert len(colours) > 4
    for colour in colours:
        dim, bright = sorted([luminance(colour), luminance(background)])
        assert (bright + 0.05) / (dim + 0.05) >= 4.5, colour


def test_printed_it_is_plain_source():
    assert repr(show(masking.sparsity)) == show(masking.sparsity).code
