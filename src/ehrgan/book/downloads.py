"""The whole book as one file: an ePub, and a PDF where a browser can print one."""

import posixpath
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from bs4 import BeautifulSoup

from ..files import write_whole
from .plain import EXTENSIONS, render

__all__ = ["find_browser", "make_epub", "make_pdf"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
LEFT_OUT = ("script", "iframe", "form", "button", "input", "label", "template")
READ_ONLY = {
    "extensions": [
        *(name for name in EXTENSIONS if name not in ("sphinx_book_theme", "sphinx_copybutton")),
        "ehrgan.book.mathml",
    ],
    "exclude_patterns": ["book/api*"],  # to look things up in, not to read
    "html_math_renderer": "mathml",
    "html_theme_options": {},
    "html_favicon": None,
}


def make_epub(book, target):
    """Put the book into an ePub.

    Parameters
    ----------
    book : path-like
        Folder that holds ``_config.yml``, with chapters that have run.
    target : path-like
        The file, replaced whole.

    Raises
    ------
    RuntimeError
        Sphinx failed, or a page is no XML, which readers would refuse.
    """
    with tempfile.TemporaryDirectory() as scratch:
        render(
            book, scratch, "epub", strict=False, **_settings(book), html_theme="epub",
            epub_css_files=["print.css"], epub_show_urls="no", epub_basename="book",
            epub_exclude_files=["conf.py"],
        )  # fmt: skip
        made, clean = Path(scratch, "book.epub"), Path(scratch, "clean.epub")
        with zipfile.ZipFile(made) as pages, zipfile.ZipFile(clean, "w") as out:
            for each in pages.infolist():
                content = pages.read(each)
                if each.filename.endswith(".xhtml"):
                    content = _as_xml(each.filename, content, pages.namelist())
                out.writestr(each, content)
        write_whole(target, clean.read_bytes())


def _settings(book):
    static = str(Path(book).resolve() / "book" / "_ext" / "static")
    return {**READ_ONLY, "html_static_path": [static], "html_css_files": ["print.css"]}


def _on_paper(content):
    """A page without what needs a script or a click: folded code goes, folded words open."""
    soup = BeautifulSoup(content, "html.parser")
    for idle in [*soup(LEFT_OUT), *soup.select("details.hide")]:
        idle.decompose()
    for folded in soup("details"):
        folded["open"] = "open"
    return soup


def _as_xml(name, content, kept=()):
    """A page of an ePub that keeps these files: extensions write some after all was packed."""
    soup = _on_paper(content)
    for link in soup("link"):
        if posixpath.normpath(posixpath.join(posixpath.dirname(name), link["href"])) not in kept:
            link.decompose()
    content = str(soup).encode()
    try:
        ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise RuntimeError(f"{name} of the ePub is no XML: {error}") from error
    return content


def find_browser():
    """Where a browser is that prints pages, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def make_pdf(book, target, browser):
    """Print the book into a PDF, with links and an outline.

    Parameters
    ----------
    book, target : path-like
        As for :func:`make_epub`.
    browser : path-like
        Chromium or one of its kin, see :func:`find_browser`.

    Raises
    ------
    RuntimeError
        Sphinx failed, or the browser did.
    """
    with tempfile.TemporaryDirectory() as scratch:
        render(book, scratch, "singlehtml", strict=False, **_settings(book), html_theme="basic")
        page = Path(scratch, "whole.html")  # where the pictures are sought
        page.write_bytes(str(_on_paper(Path(scratch, "book", "index.html").read_bytes())).encode())
        made = Path(scratch, "book.pdf")
        done = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
             "--generate-pdf-document-outline", "--virtual-time-budget=20000",
             f"--user-data-dir={scratch}/profile", f"--print-to-pdf={made}", page.as_uri()],
            capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode or not made.is_file():
            raise RuntimeError(f"{browser} printed no PDF: {done.stderr.strip()[-500:]}")
        write_whole(target, made.read_bytes())
