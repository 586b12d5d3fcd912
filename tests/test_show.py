"""What is shown is the code that runs, and it can be read."""

import functools
import re

import pytest

from ehrgan import masking
from ehrgan.show import Source, show


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
