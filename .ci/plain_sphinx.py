"""Render the executed book without jupyter-book, and list what differs.

``python .ci/plain_sphinx.py SOURCE SITE`` takes the executed chapters that ``make book`` has left
in SOURCE (``_build/book``), renders them with plain Sphinx from the same ``_toc.yml`` into
``_build/plain``, and compares every page with that of SITE (``_build/html``): figures, tables,
numbers and links. It fails where the plain pages lack one.
"""

import re
import sys
from collections import Counter
from pathlib import Path

from bs4 import BeautifulSoup

from ehrgan.book.plain import render


def read_page(path):
    """What a page shows: figures, tables and links by what they say, and its numbers, counted."""
    article = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").article
    for noise in article.select(".headerlink, script, style"):
        noise.decompose()
    return {
        "figures": Counter(image.get("alt", "") for image in article.select("img")),
        "tables": Counter(len(table.select("tr")) for table in article.select("table")),
        "links": Counter(
            link["href"].removesuffix("index.html") for link in article.select("a[href]")
        ),
        "numbers": Counter(re.findall(r"\d+(?:\.\d+)?", article.get_text(" "))),
    }


def compare(site, plain):
    """Sentences on what pages of the one site lack in the other, page by page."""
    found = []
    pages = [path.relative_to(site) for path in sorted(site.rglob("*.html"))]
    for page in pages:
        if BeautifulSoup((site / page).read_bytes(), "html.parser").article is None:
            continue
        if not (plain / page).is_file():
            found.append(f"{page}: there is no such page")
            continue
        ours, theirs = read_page(site / page), read_page(plain / page)
        for kind, counted in ours.items():
            for sign, lost in (("lacks", counted - theirs[kind]), ("adds", theirs[kind] - counted)):
                if lost:
                    some = ", ".join(map(repr, sorted(lost, key=str)[:5]))
                    found.append(f"{page}: {sign} {lost.total()} {kind}: {some}")
    return found


def main(book, site):
    """Render, compare, and say what differs."""
    site = Path(site).resolve()
    plain = site.with_name("plain")
    render(book, plain, strict=False)
    found = compare(site, plain)
    print(*found, f"{len(found)} differences; the pages are in {plain}", sep="\n")
    return any(": adds " not in line for line in found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
