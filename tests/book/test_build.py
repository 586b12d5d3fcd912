"""The build: what it refuses, what it says, and what the repository promises to it."""

import posixpath
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ehrgan.book import build as building
from ehrgan.book import downloads, readme
from ehrgan.sweeps.cells import parameter_defaults
from ehrgan.sweeps.notebooks import NotebookError, run_notebook

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PYTHON3 = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def write_notebook(path, *sources, title="# A chapter"):
    """Write a notebook with a title, a parameters cell and code cells; gives back its path."""
    parameters = new_code_cell("n_trials = 10\nseed = 0", metadata={"tags": ["parameters"]})
    cells = [new_markdown_cell(title), parameters, *map(new_code_cell, sources)]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata=PYTHON3), path)
    return path


@pytest.fixture
def small_book(tmp_path):
    """A book of one page and one chapter, with the settings and extension of the real one."""
    shutil.copy(ROOT / "_config.yml", tmp_path)
    shutil.copytree(ROOT / "book" / "_ext", tmp_path / "book" / "_ext")
    for name in ("references.bib", "favicon.svg"):
        shutil.copy(ROOT / "book" / name, tmp_path / "book")
    toc = {"format": "jb-book", "root": "book/index", "chapters": [{"file": "notebooks/01_a"}]}
    (tmp_path / "_toc.yml").write_text(yaml.safe_dump(toc))
    (tmp_path / "book" / "index.md").write_text(
        "# A book\n\nThere were {glue:text}`../notebooks/01_a.ipynb::trials:.1f` trials.\n\n"
        "$$\\frac{a}{b}$$\n\n```{only} builder_html\n"
        '<a href="../ehrgan-book.epub" download>a</a> <a href="../ehrgan-book.pdf" download>b</a>\n'
        "```\n"
    )
    glue = "from myst_nb import glue\nglue('trials', float(n_trials), display=False)"
    write_notebook(tmp_path / "notebooks" / "01_a.ipynb", glue)
    return tmp_path


def build(root, *arguments):
    """Run the build command on a book."""
    return building.main(["--root", str(root), *arguments])


# ---------------------------------------------------------------- running notebooks


def test_parameters_and_python_reach_the_notebook(tmp_path):
    cell = "import sys\nprint(n_trials, seed, sys.executable)\nprint('aside', file=sys.stderr)"
    source = write_notebook(tmp_path / "a.ipynb", cell)
    stderr = run_notebook(source, tmp_path / "out.ipynb", {"n_trials": 3})
    outputs = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1].outputs
    assert str(tmp_path) not in (tmp_path / "out.ipynb").read_text()
    assert outputs[0].text == f"3 0 {sys.executable}\n"
    assert stderr == ["aside\n"]


def test_failing_cell_is_named(small_book, capsys):
    chapter = write_notebook(small_book / "notebooks/01_a.ipynb", "1", "raise ValueError('boom')")
    assert build(small_book, "-p", "n_trials", "1") == 1
    assert f"{chapter}, cell 4: ValueError: boom" in capsys.readouterr().err
    assert not (small_book / "_build" / "html").exists()


def test_cell_that_kills_its_kernel_is_named(tmp_path):
    source = write_notebook(tmp_path / "a.ipynb", "import os, signal; os.kill(os.getpid(), 9)")
    with pytest.raises(NotebookError, match=r"a\.ipynb, cell 3: .*died"):
        run_notebook(source, tmp_path / "out.ipynb")


def test_parameter_defaults_without_a_parameters_cell(tmp_path):
    nbformat.write(new_notebook(cells=[new_code_cell("n_trials = 10")]), tmp_path / "a.ipynb")
    assert parameter_defaults(tmp_path / "a.ipynb") == {}


# ---------------------------------------------------------------- refusals, before anything runs


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "n_trails", "1"], "no chapter takes the parameter 'n_trails'; there are n_trials"),
        (["--chapters", "07"], "no chapter is called '07'; there are 01_a"),
    ],
)
def test_unknown_names_are_refused(small_book, capsys, arguments, message):
    assert build(small_book, *arguments) == 1
    assert message in capsys.readouterr().err
    assert not (small_book / "_build").exists()


def test_document_missing_from_disk_is_refused(small_book, capsys):
    (small_book / "notebooks" / "01_a.ipynb").unlink()
    assert build(small_book) == 1
    assert "_toc.yml lists notebooks/01_a" in capsys.readouterr().err


def test_folder_without_a_book_is_refused(tmp_path, capsys):
    assert build(tmp_path) == 1
    assert "has no _toc.yml" in capsys.readouterr().err


# ---------------------------------------------------------------- pages


@pytest.mark.parametrize(
    "alt", ["", "_images/7d9f12cfff27.png", "7d9f12cfff272993f2816e92f23d81b4b0083807", "Figure 1"]
)
def test_picture_without_words_is_a_fault(alt):
    soup = BeautifulSoup(f'<article><img src="a.png" alt="{alt}"></article>', "html.parser")
    assert len(building.image_faults(soup)) == 1


def test_picture_with_words_is_none():
    words = "ROC curves of eight classifiers, nearly in the upper left corner"
    soup = BeautifulSoup(f'<article><img src="a.png" alt="{words}"></article>', "html.parser")
    assert building.image_faults(soup) == []


def test_request_to_another_host_is_a_fault():
    page = (
        '<script src="https://cdn.example/a.js"></script><link rel="stylesheet" href="//b/c.css">'
    )
    page += '<script src="_static/a.js"></script><a href="https://example.org">a link</a>'
    faults = building.request_faults(BeautifulSoup(page, "html.parser"))
    assert [fault.split()[0] for fault in faults] == ["https://cdn.example/a.js", "//b/c.css"]


def test_styles_keep_what_a_page_uses_and_no_more(extension):
    css = """a{b:c}.used,.idle{d:e}.idle .used{f:g}.used:not(.idle, :has(.idle)){h:i}
    @media print{.idle{j:k}}@media print{#used{l:m}}@keyframes turn{from{n:o}}"""
    kept = re.sub(r"\s", "", extension.used_rules(css, {"used"}))
    assert kept == (
        "a{b:c}.used{d:e}.used:not(.idle,:has(.idle)){h:i}"
        "@mediaprint{#used{l:m}}@keyframesturn{from{n:o}}"
    )


def test_numbers_are_written_for_ears_and_code_is_left_alone(extension):
    page = "<article><p>-0.5 (-.4 to 1-2) 95 % of 3-fold</p><b>7</b> %<code>-1 5 %</code></article>"
    soup = BeautifulSoup(page, "html.parser")
    extension.mend_numbers(soup)
    words = soup.article.get_text().replace("\N{NO-BREAK SPACE}", "_")
    assert words == "\N{MINUS SIGN}0.5 (\N{MINUS SIGN}.4 to 1-2) 95_% of 3-fold7_%-1 5 %"


def test_tables_of_a_chapter_are_numbered_named_and_headed(extension):
    table = "<table><caption>{}</caption><thead><tr><th></th><th>x</th></tr></thead></table>"
    title = '<h1><span class="section-number">4. </span>Title</h1>'
    page = f"<article>{title}{table.format('One')}{table.format('Two')}</article>"
    soup = BeautifulSoup(page, "html.parser")
    extension.mend_tables(soup)
    names = [frame["aria-label"] for frame in soup.select("[role=group][tabindex]")]
    assert names == ["Table 4.1 One", "Table 4.2 Two"]
    assert soup.select_one("#table-2 + div caption a")["href"] == "#table-2"
    assert [cell.get("scope") for cell in soup.select("thead tr")[0]] == [None, "col"]


def test_a_figure_is_shown_on_another_page_with_its_number(extension, tmp_path):
    figure = (
        '<figure id="f"><img src="../_images/a.png"><figcaption><span class="caption-number">'
        'Fig. 5.1 </span>Words<a class="headerlink">#</a></figcaption></figure>'
    )
    link = '<div class="ehrgan-figure"><p><a href="../n/b.html#f">Fig. 5.1</a></p></div>'
    home, chapter = (BeautifulSoup(text, "html.parser") for text in (link, figure))
    pages = {tmp_path / "p" / "a.html": home, tmp_path / "n" / "b.html": chapter}
    extension.bring_figures(home, tmp_path / "p" / "a.html", pages)
    assert home.select_one(".ehrgan-figure > figure img")["src"] == "../_images/a.png"
    assert home.select_one("figcaption").get_text() == "Fig. 5.1 Words"
    assert home.select_one("figcaption a")["href"] == "../n/b.html#f"
    assert str(chapter) == figure.replace('.png">', '.png"/>')


def test_replaced_folder_is_new_throughout(tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.html").touch()
    building.replace_folder(tmp_path / "old", tmp_path / "new")
    assert [path.name for path in tmp_path.rglob("*")] == ["old", "new.html"]


def test_a_preview_says_in_one_line_what_other_chapters_would_bring():
    open_ones = [
        "a.md:3: WARNING: No key 'x' found in glue data for this document. (use `print_keys`)",
        "a.md:5: WARNING: undefined label: 'fig-x'",
        "b.ipynb:9: WARNING: Glue reference 'y' not found in doc 'c' [mystnb.glue_ref]",
    ]
    other = "a.md:7: WARNING: unknown document: 'nowhere'"
    kept, summary = building.without_unrun("\n".join([*open_ones, other])).splitlines()
    assert kept == other and summary.startswith("3 references")
    assert building.without_unrun(other) == other


@pytest.mark.render
def test_site_is_replaced_only_by_a_whole_one(small_book, capsys):
    """Renders twice: a page with a warning, which leaves the old site, then a page without."""
    old = small_book / "_build" / "html" / "index.html"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    index = small_book / "book" / "index.md"
    good = index.read_text()
    index.write_text(good + "\nSee {doc}`nowhere`.\n")
    assert build(small_book) == 1
    assert "book/index.md" in capsys.readouterr().err
    assert old.read_text() == "old"

    index.write_text(good)
    assert build(small_book, "-p", "n_trials", "3") == 0
    page = BeautifulSoup((old.parent / "book" / "index.html").read_text(), "html.parser")
    assert page.select_one("article section p").get_text() == "There were 3.0 trials."
    assert page.select_one("#pst-primary-sidebar")["aria-label"]
    assert not list(small_book.glob("_build/render-*"))
    check_downloads(page, old.parent)


def check_downloads(page, site):
    """The page offers the files that are there, and the ePub holds the run's numbers."""
    offered = {link["href"].removeprefix("../") for link in page.select("a[download]")}
    pdf = ["ehrgan-book.pdf"] if downloads.find_browser() else []
    assert offered == {"ehrgan-book.epub", *pdf}
    assert all((site / name).read_bytes()[:4] == b"%PDF" for name in pdf)
    with zipfile.ZipFile(site / "ehrgan-book.epub") as epub:
        assert epub.testzip() is None and epub.namelist()[0] == "mimetype"
        assert epub.getinfo("mimetype").compress_type == zipfile.ZIP_STORED
        soup = BeautifulSoup(epub.read("book/index.xhtml"), "html.parser")
        used = [tag.get("href", tag.get("src")) for tag in soup(["link", "img", "a"])]
        used = [f"book/{place}" for place in used if "://" not in place]
        assert used and {posixpath.normpath(place.split("#")[0]) for place in used} <= {
            *epub.namelist()
        }
    assert soup.p.get_text() == "There were 3.0 trials."
    assert soup.math.mfrac and not soup("a", download=True)


def test_what_needs_a_click_or_a_script_is_not_on_paper():
    page = """<div><p>a<br>b</p><script>x</script><details class="hide"><p>code</p></details>
    <details><summary>Solutions</summary>words</details></div>"""
    told = downloads._as_xml("page", page).decode()
    assert "x<" not in told and "code" not in told and '<details open="open">' in told
    with pytest.raises(RuntimeError, match="page of the ePub is no XML"):
        downloads._as_xml("page", "<p>one</p><p>two</p><a b=1 @c>")


# ---------------------------------------------------------------- README


def test_readme_is_filled_from_glued_values():
    shown = new_output("display_data", {"text/plain": "1", "text/markdown": "**1**"})
    shown.metadata["scrapbook"] = {"name": "n", "mime_prefix": ""}
    hidden = new_output("display_data", {"application/papermill.record/text/plain": "0.5"})
    hidden.metadata["scrapbook"] = {"name": "m", "mime_prefix": "application/papermill.record/"}
    notebook = new_notebook(cells=[new_code_cell(outputs=[shown, hidden])])
    assert readme.glued_values(notebook) == {"n": "**1**", "m": "0.5"}


def test_readme_is_not_filled_from_a_quick_look(tmp_path, capsys):
    (tmp_path / "_build" / "book" / "notebooks").mkdir(parents=True)
    quick = new_notebook(metadata={"papermill": {"parameters": {"n_trials": 1}}})
    nbformat.write(quick, tmp_path / "_build" / "book" / "notebooks" / "01_a.ipynb")
    assert readme.main(tmp_path) == 1
    assert "changed parameters" in capsys.readouterr().err


# ---------------------------------------------------------------- the repository itself


def test_toc_lists_every_notebook_and_page():
    listed = {ROOT / path for path in building.toc_documents(ROOT)}
    assert listed >= {*NOTEBOOKS, *(ROOT / "book").glob("*.md")}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_clean_and_has_one_parameters_cell(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in code) == 1
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert notebook.metadata.kernelspec.name == "python3"


def test_binder_installs_the_lock_and_then_the_library():
    """In one go pip would ask for the library's own hash, too."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["dependencies"] == ["python=3.11", "pip", {"pip": ["-r requirements.txt"]}]
    after = (ROOT / "postBuild").read_text().splitlines()
    assert after.index("pip install --no-deps --editable .") < after.index(
        "python -m ehrgan.book.quicklook notebooks"
    )


def test_lock_holds_every_dependency_within_its_range():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = sum(project["optional-dependencies"].values(), project["dependencies"])
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = [Requirement(line.rstrip(" \\")) for line in lines if re.match(r"[a-z0-9]", line)]
    assert sum(line.startswith("    --hash=sha256:") for line in lines) >= len(pins)
    for requirement in map(Requirement, wanted):
        if requirement.name == project["name"]:  # an extra that holds another
            continue
        name = canonicalize_name(requirement.name)
        versions = [next(iter(pin.specifier)).version for pin in pins if pin.name == name]
        assert versions, f"{name} is not in requirements.txt: run `make lock`"
        assert all(requirement.specifier.contains(version) for version in versions), name


def test_only_the_deployment_may_write():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "publish.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    granted = {name: job.get("permissions") for name, job in workflow["jobs"].items()}
    write = {"contents": "read", "pages": "write", "id-token": "write"}
    assert granted == {"build": None, "deploy": write}


def test_the_oldest_dependencies_of_the_ranges_are_tested():
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text()
    assert "--resolution lowest-direct --requirement pyproject.toml --all-extras" in workflow


@pytest.fixture(scope="module")
def tracked():
    """Texts of the files that git tracks or would track, by path."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).is_file()]
    return {path.relative_to(ROOT).as_posix(): path.read_text(errors="ignore") for path in paths}


def test_no_file_names_a_machine_or_a_registry(tracked):
    pattern = "|".join(
        ["py" + "pi.org", "python" + "hosted", "npm" + "js.", "/ro" + "ot/", "/wo" + "rk/"]
    )
    assert [name for name, text in tracked.items() if re.search(pattern, text)] == []


def test_repository_address_stands_in_one_place(tracked):
    address = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    written = f"git+{address}@"  # into each chapter's first cell, from the configuration
    named = [name for name, text in tracked.items() if address in text.replace(written, "")]
    assert named == ["_config.yml", "book/index.md"]  # there in the BibTeX that readers copy
