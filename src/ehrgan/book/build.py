"""Build the book: run every chapter, render the pages, put the site in place.

``python -m ehrgan.book.build`` leaves the site in ``_build/html``. Chapters run into a staged copy
of the book under ``_build``, and Sphinx renders that copy without running anything, so a page is
never older than the code. The old site stays until the new one is whole.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from importlib.resources import as_file, files
from multiprocessing import get_context
from pathlib import Path

from bs4 import BeautifulSoup
from sphinx_external_toc.parsing import parse_toc_yaml

from ..sweeps.cells import literal, parameter_defaults
from ..sweeps.notebooks import COLOUR, NotebookError, run_notebook
from ..sweeps.sweep import n_places
from .downloads import find_browser, make_epub, make_pdf

SUFFIXES = (".md", ".ipynb")
UNRUN = re.compile(r"WARNING: (No key '|undefined label|Glue reference ')")
JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"  # it cannot be run with -m


class BuildError(RuntimeError):
    """The book was not built; the message says which file is at fault and why."""


def build(root, *, chapters=(), parameters=None, jobs=None):
    """Run the chapters and render the site.

    Parameters
    ----------
    root : path-like
        The folder that holds ``_config.yml`` and ``_toc.yml``.
    chapters : sequence of str, optional
        Parts of file names, such as ``"evaluation"``. With them the result is a preview: only these
        chapters run, the others are as the last whole build left them, and warnings do not fail it.
    parameters : dict, optional
        Values for notebook parameters; each goes to the chapters that have it.
    jobs : int, optional
        How many chapters run at once, by default as many as cores and memory allow. Studies that
        two of them share are run once.

    Returns
    -------
    pathlib.Path
        The site's first page.

    Raises
    ------
    BuildError
        If a chapter or parameter is unknown, Sphinx warns, or a picture lacks words.
    ehrgan.sweeps.notebooks.NotebookError
        If a cell fails.
    """
    root = Path(root).resolve()
    documents = toc_documents(root)
    chosen = select_chapters([path for path in documents if path.suffix == ".ipynb"], chapters)
    check_parameters(root, chosen, parameters or {})
    target = root / "_build" / "preview" if chapters else root / "_build"
    staged = stage(root, target / "book", documents, executed=root / "_build" / "book")
    run_chapters(root, staged, chosen, parameters or {}, min(n_places(jobs), max(1, len(chosen))))
    with tempfile.TemporaryDirectory(dir=target, prefix="render-") as scratch:
        site = render(staged, Path(scratch), whole=not chapters)
        check_pages(site)
        offer_downloads(site)
        replace_folder(target / "html", site)
    return target / "html" / "index.html"


def toc_documents(root):
    """Every document of ``_toc.yml`` as a path relative to `root`, in reading order."""
    if not (root / "_toc.yml").is_file():
        raise BuildError(f"{root} has no _toc.yml: run from the repository or give --root")
    documents = []
    for name in parse_toc_yaml(root / "_toc.yml"):
        found = [root / f"{name}{suffix}" for suffix in SUFFIXES]
        found = [path.relative_to(root) for path in found if path.is_file()]
        if not found:
            raise BuildError(f"_toc.yml lists {name}, but there is no such .md or .ipynb file")
        documents += found[:1]
    return documents


def select_chapters(available, wanted):
    """The chapters whose file name holds one of the wanted texts; all if none is given.

    Examples
    --------
    >>> select_chapters([Path("n/01_data.ipynb"), Path("n/02_more.ipynb")], ["more"])
    [...Path('n/02_more.ipynb')]
    """
    for word in wanted:
        if not any(word in path.stem for path in available):
            names = ", ".join(path.stem for path in available)
            raise BuildError(f"no chapter is called {word!r}; there are {names}")
    return [p for p in available if not wanted or any(word in p.stem for word in wanted)]


def check_parameters(root, chapters, parameters):
    """Refuse a parameter that none of the chapters takes; papermill itself would only warn."""
    known = {name for path in chapters for name in parameter_defaults(root / path)}
    for name in parameters:
        if name not in known:
            raise BuildError(
                f"no chapter takes the parameter {name!r}; there are {', '.join(sorted(known))}"
            )


def stage(root, staged, documents, executed):
    """Lay a fresh copy of the book, keeping every path, with the last executed chapters if any."""
    kept = {path: executed / path for path in documents if path.suffix == ".ipynb"}
    kept = {path: copy.read_bytes() for path, copy in kept.items() if copy.is_file()}
    shutil.rmtree(staged, ignore_errors=True)
    shutil.copytree(root / "book", staged / "book", ignore=shutil.ignore_patterns("__pycache__"))
    with as_file(files("ehrgan") / "data" / "results") as results:  # pages offer them for download
        shutil.copytree(results, staged / "book" / "results")
    citation = [path.relative_to(root) for path in root.glob("CITATION.cff")]
    for path in [Path("_config.yml"), Path("_toc.yml"), *citation, *documents]:
        (staged / path).parent.mkdir(parents=True, exist_ok=True)
        (staged / path).write_bytes(kept.get(path) or (root / path).read_bytes())
    return staged


def run_chapters(root, staged, chapters, parameters, jobs):
    """Execute chapters into the staged book, `jobs` at a time, saying how long each one took."""
    run = partial(run_chapter, root, staged, parameters, jobs == 1)
    if jobs == 1:
        for line in map(run, chapters):
            print(line, flush=True)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        try:
            for line in pool.map(run, chapters):
                print(line, flush=True)
        except NotebookError:
            pool.shutdown(cancel_futures=True)
            raise


def run_chapter(root, staged, parameters, alone, path):
    """Execute one chapter with those parameters that it takes, and say how it went in a line."""
    taken = parameter_defaults(root / path)
    given = {name: value for name, value in parameters.items() if name in taken}
    bar = alone and sys.stderr.isatty() and not os.environ.get("CI")
    began = time.perf_counter()
    stderr = run_notebook(root / path, staged / path, given, progress=bar)
    line = f"{path}  {time.perf_counter() - began:.0f} s"
    return "\n    stderr, not shown in the book: ".join([line, *map(str.strip, stderr)])


def render(staged, scratch, whole):
    """Render the pages and, where the book is whole, the files that hold all of it, at once."""
    print("rendering", flush=True)
    makers = {}
    if whole:
        makers["ehrgan-book.epub"] = partial(make_epub, staged)
        if browser := find_browser():
            makers["ehrgan-book.pdf"] = partial(make_pdf, staged, browser=browser)
    with ThreadPoolExecutor() as pool:  # each waits for a process of its own
        site = pool.submit(render_site, staged, scratch, strict=whole)
        files = [pool.submit(make, target=scratch / name) for name, make in makers.items()]
    for done in [site, *files]:
        done.result()
    for name in makers:
        (scratch / name).rename(site.result() / name)
    return site.result()


def render_site(staged, scratch, strict=True):
    """Render the staged book with jupyter-book; any warning fails it if `strict`."""
    command = [sys.executable, "-c", JUPYTER_BOOK, "build", staged, "--path-output", scratch]
    command += ["--all", "--quiet", *(["-W", "-n", "--keep-going"] if strict else [])]
    done = subprocess.run(command, capture_output=True, text=True)
    said = COLOUR.sub("", done.stderr.replace(f"{staged}{os.sep}", "")).strip()
    if done.returncode:
        raise BuildError(f"the pages did not render without a warning:\n{said or done.stdout}")
    if said:
        print(without_unrun(said), file=sys.stderr)
    return scratch / "_build" / "html"


def without_unrun(said):
    """Put into one line what a preview lacks because chapters have not run, which is no fault."""
    lines = said.splitlines()
    kept = [line for line in lines if not UNRUN.search(line)]
    if len(kept) < len(lines):
        kept.append(
            f"{len(lines) - len(kept)} references to numbers and figures are left open: "
            "their chapters have not run yet, or lack them (`make book` names the latter)"
        )
    return "\n".join(kept)


def offer_downloads(site):
    """Take the links to files that this build has not made off the first page."""
    for page in site.glob("book/index.html"):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        for link in soup.select("a[download]"):
            if not (page.parent / link["href"]).is_file():
                link.decompose()
        page.write_text(str(soup), encoding="utf-8")


def check_pages(site):
    """Refuse pages with a picture that has no words, or that fetch anything from another host."""
    faults = []
    for page in sorted(site.rglob("*.html")):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        name = page.relative_to(site)
        faults += [f"{name}: {fault}" for fault in image_faults(soup) + request_faults(soup)]
    if faults:
        raise BuildError("\n".join(faults))


def image_faults(soup):
    """Pictures of a page whose alternative text is missing, a hash or a file name."""
    faults = []
    for image in soup.select("article img:not(.ehrgan-map *)"):  # these stand beside their words
        words = (image.get("alt") or "").split()
        if len(words) < 3:
            faults.append(
                f"the picture {image.get('src')} has the alternative text {' '.join(words)!r}; "
                "say what it shows (in a notebook: cell metadata mystnb.image.alt)"
            )
    return faults


def request_faults(soup):
    """Scripts, styles and pictures that a page would load from another host."""
    loaded = [tag.get("src") for tag in soup.select("script[src], img[src], iframe[src]")]
    loaded += [tag.get("href") for tag in soup.select("link[rel~=stylesheet], link[rel~=preload]")]
    outside = [url for url in loaded if url and re.match(r"(https?:)?//", url)]
    return [f"{url} would be loaded from another host" for url in outside]


def replace_folder(old, new):
    """Put the folder `new` in the place of `old` by renaming, so that `old` is never half new."""
    aside = old.with_name(f"{old.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    if old.exists():
        old.rename(aside)
    new.rename(old)
    shutil.rmtree(aside, ignore_errors=True)


def command_line():
    """Options of ``python -m ehrgan.book.build``."""
    prog, about = "python -m ehrgan.book.build", "Run and render the book."
    parser = argparse.ArgumentParser(prog, description=about)
    parser.add_argument("--root", type=Path, default=Path(), help="folder that holds _toc.yml")
    parser.add_argument("--chapters", default="", help="preview of a few, such as imputation,acgan")
    pair = {"nargs": 2, "metavar": ("NAME", "VALUE"), "action": "append", "default": []}
    parser.add_argument("-p", **pair, help="value for a notebook parameter; may be repeated")
    parser.add_argument("--jobs", type=int, help="how many chapters run at once")
    return parser


def main(arguments=None):
    """Build the book from the command line; returns the exit status."""
    options = command_line().parse_args(arguments)
    chapters = [word for word in options.chapters.split(",") if word]
    parameters = {name: literal(value) for name, value in options.p}
    try:
        page = build(options.root, chapters=chapters, parameters=parameters, jobs=options.jobs)
    except (BuildError, NotebookError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"the book is in {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
