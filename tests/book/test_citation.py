"""One file says how the book is cited; the first page, the button and the download repeat it."""

from pathlib import Path

import pytest
import yaml

from ehrgan.book.citation import bibtex

ROOT = Path(__file__).parents[2]
CONFIG = {"copyright": "2031", "repository": {"url": "https://example.org/a"}}


def test_a_group_stays_whole_and_persons_are_taken_apart():
    authors = [{"name": "The group"}, {"given-names": "Ada M.", "family-names": "Lovelace"}]
    entry = bibtex(yaml.safe_dump({"title": "A: b", "authors": authors}), CONFIG)
    assert entry == (
        "@misc{ehrgan,\n"
        "  author = {{The group} and Lovelace, Ada M.},\n"
        "  title  = {A: b},\n"
        "  year   = {2031},\n"
        "  url    = {https://example.org/a}\n"
        "}\n"
    )


@pytest.mark.parametrize("lacking", ["title", "authors", "copyright", "repository"])
def test_what_an_entry_needs_must_be_there(lacking):
    citation = {"title": "A", "authors": [{"name": "B"}]}
    config = {key: value for key, value in CONFIG.items() if key != lacking}
    citation.pop(lacking, None)
    with pytest.raises(KeyError, match=lacking):
        bibtex(yaml.safe_dump(citation), config)


def test_the_first_page_shows_the_entry():
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    entry = bibtex((ROOT / "CITATION.cff").read_text(encoding="utf-8"), config)
    page = (ROOT / "book/index.md").read_text(encoding="utf-8")
    assert f"```bibtex\n{entry}```" in page
