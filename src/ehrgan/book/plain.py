"""The book by plain Sphinx: what jupyter-book tells it, told by us, from the same two files.

For what jupyter-book does not make (the book as one file), and to see that the book outlives it.
"""

import subprocess
import sys
from pathlib import Path

import yaml

__all__ = ["configuration", "render"]

EXTENSIONS = [
    "myst_nb",
    "sphinx_book_theme",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_external_toc",
    "sphinx_multitoc_numbering",
    "sphinx_togglebutton",
    "sphinxcontrib.bibtex",
]


def configuration(book):
    """What Sphinx is to be told of a book, from its ``_config.yml``.

    Parameters
    ----------
    book : path-like
        Folder that holds ``_config.yml`` and ``_toc.yml``, with chapters that have run.

    Returns
    -------
    dict
        Names and values of a ``conf.py``.

    Raises
    ------
    OSError, KeyError
        There is no such file, or it lacks a setting that the book has.
    """
    book = Path(book).resolve()
    told = yaml.safe_load((book / "_config.yml").read_text(encoding="utf-8"))
    sphinx, html, repository = told["sphinx"], told["html"], told["repository"]
    buttons = {name: value for name, value in html.items() if name.startswith("use_")}
    return {
        "project": told["title"],
        "html_title": told["title"],
        "author": told["author"],
        "copyright": told["copyright"],
        "language": "en",
        "extensions": [*EXTENSIONS, *sphinx["extra_extensions"], *sphinx["local_extensions"]],
        "external_toc_exclude_missing": told["only_build_toc_files"],
        "bibtex_bibfiles": [str(book / path) for path in told["bibtex_bibfiles"]],
        "myst_enable_extensions": told["parse"]["myst_enable_extensions"],
        "nb_execution_mode": told["execute"]["execute_notebooks"],
        "nb_output_stderr": told["execute"]["stderr_output"],
        "numfig": True,
        "html_theme": "sphinx_book_theme",
        "html_favicon": str(book / html["favicon"]),
        "html_theme_options": {
            "repository_url": repository["url"],
            "repository_branch": repository["branch"],
            "launch_buttons": told["launch_buttons"],
            "home_page_in_toc": html["home_page_in_navbar"],
            **buttons,
        },
        **sphinx["config"],
    }


def render(book, target, builder="html", *, strict=True, **changes):
    """Render a book with Sphinx alone.

    Parameters
    ----------
    book : path-like
        As for :func:`configuration`; nothing is written there.
    target : path-like
        Folder for the pages; what Sphinx keeps for itself is put beside them.
    builder : str, default="html"
        One of Sphinx's builders, such as "epub" or "singlehtml".
    strict : bool, default=True
        Whether a warning fails it.
    **changes
        Settings other than those of :func:`configuration`.

    Raises
    ------
    RuntimeError
        Sphinx failed or, if `strict`, warned; the message is what it said.
    """
    book, target = Path(book).resolve(), Path(target)
    told = yaml.safe_load((book / "_config.yml").read_text(encoding="utf-8"))["sphinx"]
    paths = [str(book / folder) for folder in told["local_extensions"].values()]
    settings = configuration(book) | changes
    target.mkdir(parents=True, exist_ok=True)
    lines = ["import sys", f"sys.path += {paths!r}", f"globals().update({settings!r})"]
    (target / "conf.py").write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-b", builder, "-q", "-c", target]
    command += ["-W", "-n", "--keep-going"] if strict else []
    done = subprocess.run([*command, book, target], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"Sphinx did not render {book} as {builder}:\n{done.stderr.strip()}")
