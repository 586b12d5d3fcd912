"""Quick-look settings for a machine that others share, such as Binder's: small, and said to be so.

``python -m ehrgan.book.quicklook notebooks`` changes the notebooks of a folder in place; Binder
runs it once, when it builds the image. The repository's own notebooks keep the book's settings.
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import yaml
from nbformat.v4 import new_markdown_cell
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from ..files import write_whole
from ..sweeps.cells import literal, parameter_defaults, tags

__all__ = ["SETTINGS", "quick_look"]

#: What a quick look changes, in the chapters that have it.
SETTINGS = {"n_trials": 2}
BANNER = """> **Quick look.** This machine is small and shared, so the next cell sets {changes}.
> {page} has the numbers of the book's own settings; delete that cell to get them here."""


def pages_address(repository):
    """Where GitHub Pages serves a repository; empty if there is none."""
    parts = urlsplit(repository).path.strip("/").split("/")
    return f"https://{parts[0]}.github.io/{parts[1]}/" if len(parts) == 2 else ""


def quick_look(path, settings=None, page="The rendered page"):
    """Give a notebook quick-look settings, in a cell of its own below its parameters.

    Parameters
    ----------
    path : path-like
        The notebook; it is changed in place, or left alone if it has none of the settings or takes
        less already.
    settings : dict, optional
        Parameter to value; :data:`SETTINGS` by default.
    page : str, default="The rendered page"
        Where the book's own numbers are, in Markdown.

    Returns
    -------
    dict
        What was changed.

    Raises
    ------
    OSError
        The notebook cannot be read or written.

    Notes
    -----
    Applied twice, it changes nothing more.
    """
    known = {name: literal(text) for name, text in parameter_defaults(path).items()}
    wanted = SETTINGS if settings is None else settings
    # a default of None means that the notebook itself finds what is small enough
    taken = {n: v for n, v in wanted.items() if known.get(n) is not None and known[n] > v}
    notebook = load_notebook_node(str(path))
    if not taken or any("injected-parameters" in tags(cell) for cell in notebook.cells):
        return {}
    notebook = parameterize_notebook(notebook, taken, comment="Quick look")
    place = next(i for i, c in enumerate(notebook.cells) if "injected-parameters" in tags(c))
    changes = [f"`{name}` to {new} in place of {known[name]}" for name, new in taken.items()]
    banner = BANNER.format(changes=", ".join(changes), page=page)
    notebook.cells.insert(place, new_markdown_cell(banner))
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
    write_whole(path, nbformat.writes(notebook) + "\n")
    return taken


def main(folder):
    """Change every notebook of the book's folder, and say what was changed."""
    folder = Path(folder).resolve()
    config = yaml.safe_load((folder.parent / "_config.yml").read_text(encoding="utf-8"))
    site = pages_address(config["repository"]["url"])
    for path in sorted(folder.glob("*.ipynb")):
        page = f"[The rendered page]({site}{folder.name}/{path.stem}.html)"
        print(path.name, quick_look(path, page=page) or "as in the book")


if __name__ == "__main__":
    main(sys.argv[1])
