"""Fill README.md with numbers from the last build of the book: ``python -m ehrgan.book.readme``.

A chapter glues a value, say ``glue("readme_table", Markdown(table))``; README.md has a place::

    <!-- glue: readme_table -->
    <!-- /glue -->

So no number in the README is typed.
"""

import re
import sys
from pathlib import Path

import nbformat

from ..files import write_whole

PLACE = re.compile(r"(<!-- glue: (\S+) -->\n).*?(<!-- /glue -->)", re.DOTALL)


def glued_values(notebook):
    """Collect what an executed notebook has glued, as Markdown if it can be, else as plain text."""
    values = {}
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        glued = output.get("metadata", {}).get("scrapbook")
        if glued:
            prefix = glued.mime_prefix
            data = {name.removeprefix(prefix): text for name, text in output.data.items()}
            values[glued.name] = data.get("text/markdown", data.get("text/plain"))
    return values


def fill(text, values):
    r"""Replace what stands between the markers of a glued value by that value.

    Raises
    ------
    KeyError
        If `text` has a place for a value that is not among `values`.

    Examples
    --------
    >>> fill("<!-- glue: n -->\nold\n<!-- /glue -->", {"n": "new"})
    '<!-- glue: n -->\nnew\n<!-- /glue -->'
    """
    return PLACE.sub(lambda place: f"{place[1]}{values[place[2]].strip()}\n{place[3]}", text)


def main(root=Path()):
    """Fill README.md in `root`; returns the exit status."""
    values = {}
    for path in sorted((root / "_build" / "book" / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        if notebook.metadata.get("papermill", {}).get("parameters"):
            print(f"error: {path} ran with changed parameters: run `make book`", file=sys.stderr)
            return 1
        values |= glued_values(notebook)
    readme = root / "README.md"
    try:
        write_whole(readme, fill(readme.read_text(encoding="utf-8"), values))
    except KeyError as error:
        wanted = f"error: README.md wants {error}, which no chapter of the last build glues"
        print(f"{wanted}: run `make book`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
