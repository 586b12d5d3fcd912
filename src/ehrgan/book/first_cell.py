"""The cell by which a chapter installs the library where it is missing, such as in Colab.

``python -m ehrgan.book.first_cell notebooks`` gives it to every chapter of a folder that lacks it.
The pages leave it out; where the library is there, it does nothing. It installs from the repository
that the notebook was opened from, which needs no release.
"""

import sys
from pathlib import Path

import nbformat
import yaml

from ..files import write_whole
from ..sweeps.cells import PARAMETERS_TAG, tags

__all__ = ["first_cell", "is_first_cell", "put_first_cell"]

SOURCE = """from importlib.util import find_spec

if find_spec("ehrgan") is None:
    %pip install --quiet git+{url}@{branch}"""
NAME = "install"  # the cell's id


def first_cell(config):
    """Write the cell for the repository of a book.

    Parameters
    ----------
    config : path-like
        The book's ``_config.yml``, which names repository and branch.

    Returns
    -------
    str
        The cell's source.

    Raises
    ------
    OSError, KeyError
        There is no such file, or it names no repository.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     config = Path(folder, "_config.yml")
    ...     _ = config.write_text("repository: {url: https://example.org/a, branch: main}")
    ...     print(first_cell(config).splitlines()[-1].strip())
    %pip install --quiet git+https://example.org/a@main
    """
    repository = yaml.safe_load(Path(config).read_text(encoding="utf-8"))["repository"]
    return SOURCE.format(url=repository["url"], branch=repository["branch"])


def is_first_cell(cell):
    """Whether a cell of a notebook is the one that installs the library.

    Examples
    --------
    >>> is_first_cell({"id": "install"}), is_first_cell({"id": "other"})
    (True, False)
    """
    return cell.get("id") == NAME


def put_first_cell(path, source):
    """Put the cell before the parameters of a notebook, in place of an older one.

    Parameters
    ----------
    path : path-like
        The notebook; it is changed in place. One without parameters is left alone.
    source : str
        What :func:`first_cell` gives.

    Raises
    ------
    OSError
        The notebook cannot be read or written.

    Examples
    --------
    >>> import tempfile
    >>> from nbformat.v4 import new_code_cell, new_notebook
    >>> given = new_code_cell("n = 1", metadata={"tags": ["parameters"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nbformat.write(new_notebook(cells=[given]), f"{folder}/a.ipynb")
    ...     put_first_cell(f"{folder}/a.ipynb", "import ehrgan")
    ...     cells = nbformat.read(f"{folder}/a.ipynb", as_version=4).cells
    >>> [is_first_cell(cell) for cell in cells]
    [True, False]
    """
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if not is_first_cell(cell)]
    places = [n for n, cell in enumerate(cells) if PARAMETERS_TAG in tags(cell)]
    if places:
        cell = nbformat.v4.new_code_cell(source, id=NAME, metadata={"tags": ["remove-cell"]})
        notebook.cells = [*cells[: places[0]], cell, *cells[places[0] :]]
        write_whole(path, nbformat.writes(notebook) + "\n")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for chapter in sorted(folder.glob("*.ipynb")):
        put_first_cell(chapter, first_cell(folder / ".." / "_config.yml"))
