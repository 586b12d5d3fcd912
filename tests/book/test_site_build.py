"""The build's own steps: what is staged, run, checked and put in place, with no kernel or Sphinx.

One test alone runs two real chapters at once.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_notebook, new_output

from ehrgan.book import build as building
from ehrgan.sweeps import notebooks
from ehrgan.sweeps.notebooks import NotebookError, last_started, run_notebook, stderr_texts

GOOD = '<article><img src="a.png" alt="three good words"></article>'


def chapter(path, parameters, *code):
    cell = new_code_cell(parameters, metadata={"tags": ["parameters"]})
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=[cell, *map(new_code_cell, code)]), path)
    return path


@pytest.fixture
def root(tmp_path):
    """A book of two pages and three chapters."""
    for name in ("index", "last"):
        (tmp_path / "book" / "_ext" / "__pycache__").mkdir(parents=True, exist_ok=True)
        (tmp_path / "book" / f"{name}.md").write_text(f"# {name}")
    (tmp_path / "book" / "_ext" / "__pycache__" / "a.pyc").touch()
    (tmp_path / "book" / "_ext" / "a.py").write_text("1")
    names = {"01_a": "n_trials = 10\nseed = 0", "02_b": "n_trials = 5", "03_c": "other = 1"}
    for name, parameters in names.items():
        chapter(tmp_path / "notebooks" / f"{name}.ipynb", parameters)
    files = ["notebooks/01_a", "notebooks/02_b", "notebooks/03_c", "book/last"]
    toc = {"format": "jb-book", "root": "book/index", "chapters": [{"file": f} for f in files]}
    (tmp_path / "_toc.yml").write_text(yaml.safe_dump(toc))
    (tmp_path / "_config.yml").write_text("title: T")
    return tmp_path


@pytest.fixture
def ran(monkeypatch):
    """Notebooks that were run, and how; each leaves its parameters as its executed copy."""

    class Ran(dict):
        fails = ()
        stderr = ()

    found = Ran()

    def run(source, target, parameters, progress):
        found[source.stem] = (source, target, parameters, progress)
        if source.stem in found.fails:
            raise NotebookError(f"{source.stem} failed")
        target.write_text(f"executed {source.stem} {parameters}")
        return list(found.stderr)

    monkeypatch.setattr(building, "run_notebook", run)
    monkeypatch.setattr(building, "ProcessPoolExecutor", lambda jobs, mp_context: Pool(jobs))
    return found


class Pool(ThreadPoolExecutor):
    """Threads in place of processes, so that stand-ins reach them."""

    sizes = []

    def __init__(self, jobs):
        self.sizes.append(jobs)
        super().__init__(jobs)


@pytest.fixture
def rendered(monkeypatch):
    """A renderer that writes ``rendered.page``; notes what it was asked."""
    found = SimpleNamespace(page=GOOD, asked=[], staged={}, downloads=[])

    def render(staged, scratch, strict=True):
        found.asked.append((staged, strict))
        files = [path for path in staged.rglob("*") if path.is_file()]
        files = [path for path in files if path.parent.name != "results"]  # for download
        found.staged = {path.relative_to(staged).as_posix(): path.read_text() for path in files}
        (scratch / "html" / "deep").mkdir(parents=True)
        (scratch / "html" / "index.html").write_text("home")
        (scratch / "html" / "deep" / "page.html").write_text(found.page)
        return scratch / "html"

    def made(staged, *, target, **how):
        found.downloads.append((staged, target.name, how))
        target.write_text("the book as one file")

    monkeypatch.setattr(building, "render_site", render)
    monkeypatch.setattr(building, "find_browser", lambda: "a browser")
    for name in ("make_epub", "make_pdf"):
        monkeypatch.setattr(building, name, made)
    return found


# ---------------------------------------------------------------- from chapters to a site


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_build_runs_every_chapter_and_puts_the_checked_site_in_place(
    root, ran, rendered, capsys, jobs
):
    old = root / "_build" / "html" / "gone.html"
    old.parent.mkdir(parents=True)
    old.touch()
    Pool.sizes.clear()
    page = building.build(root, parameters={"n_trials": 2, "seed": 3}, jobs=jobs)
    assert page == root / "_build" / "html" / "index.html" and page.read_text() == "home"
    assert not old.exists() and (page.parent / "deep" / "page.html").exists()
    assert list(ran) == ["01_a", "02_b", "03_c"] or jobs == 2
    staged = root / "_build" / "book"
    given = {"01_a": {"n_trials": 2, "seed": 3}, "02_b": {"n_trials": 2}, "03_c": {}}
    for name, values in given.items():
        path = f"notebooks/{name}.ipynb"
        assert ran[name][:3] == (root / path, staged / path, values)
        assert rendered.staged[path] == f"executed {name} {values}"
    assert rendered.asked == [(staged, True)]
    files = {"ehrgan-book.epub": {}, "ehrgan-book.pdf": {"browser": "a browser"}}
    assert {name: how for _, name, how in rendered.downloads} == files
    assert all((page.parent / name).is_file() for name in files)
    assert {path.name for path in (root / "_build").iterdir()} == {"book", "html"}
    *lines, last = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [f"notebooks/{name}.ipynb" for name in given]
    assert last == "rendering"
    assert Pool.sizes == [2] * (jobs == 2)


@pytest.mark.parametrize(
    ("chapters", "jobs", "places", "workers"),
    [((), None, 2, [2]), ((), None, 1, []), ((), None, 64, [3]), ((), 2, 2, [2]), ((), 9, 9, [3]),
     (("02",), None, 8, []), (("02", "03"), None, 8, [2])],
)  # fmt: skip
def test_chapters_run_side_by_side_as_far_as_there_is_room_and_work(
    root, ran, rendered, monkeypatch, chapters, jobs, places, workers
):
    asked, alone, run = [], [], building.run_chapter
    monkeypatch.setattr(building, "n_places", lambda jobs: asked.append(jobs) or places)
    monkeypatch.setattr(
        building, "run_chapter", lambda *given: alone.append(given[3]) or run(*given)
    )
    Pool.sizes.clear()
    building.build(root, chapters=chapters, jobs=jobs)
    assert asked == [jobs] and Pool.sizes == workers
    assert alone == [not workers] * (len(chapters) or 3)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("fails", ["01_a", "02_b", "03_c"])
def test_one_failing_chapter_fails_the_build_however_many_run_at_once(
    root, ran, rendered, capsys, jobs, fails
):
    (root / "_build" / "html").mkdir(parents=True)
    (root / "_build" / "html" / "index.html").write_text("old")
    ran.fails = (fails,)
    assert building.main(["--root", str(root), "--jobs", str(jobs)]) == 1
    assert capsys.readouterr().err == f"error: {fails} failed\n"
    assert rendered.asked == []
    assert (root / "_build" / "html" / "index.html").read_text() == "old"


def test_two_chapters_at_once_in_processes_of_their_own_report_the_one_that_fails(root, capsys):
    for name, code in (("01_a", "print(n_trials)"), ("02_b", "raise ValueError('boom')")):
        chapter(root / "notebooks" / f"{name}.ipynb", "n_trials = 10", code)
    toc = {"format": "jb-book", "root": "book/index"}
    toc["chapters"] = [{"file": f"notebooks/{name}"} for name in ("01_a", "02_b")]
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    assert building.main(["--root", str(root), "--jobs", "2", "-p", "n_trials", "3"]) == 1
    said = capsys.readouterr()
    assert "02_b.ipynb, cell 2: ValueError: boom" in said.err
    assert said.out.startswith("notebooks/01_a.ipynb  ") and "02_b" not in said.out
    executed = nbformat.read(root / "_build" / "book" / "notebooks" / "01_a.ipynb", as_version=4)
    assert executed.cells[-1].outputs[0].text == "3\n"
    assert not (root / "_build" / "html").exists()


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ('<article><img src="b.png" alt="two words"></article>', "the picture b.png"),
        (f'{GOOD}<script src="https://e.org/a.js"></script>', "https://e.org/a.js would be"),
    ],
)
@pytest.mark.parametrize("chapters", [(), ("02",)])
def test_a_page_with_a_fault_does_not_replace_the_site(root, ran, rendered, page, words, chapters):
    target = root / "_build" / ("preview" if chapters else "") / "html"
    target.mkdir(parents=True)
    (target / "index.html").write_text("old")
    rendered.page = page
    with pytest.raises(building.BuildError, match=f"deep/page.html: {words}"):
        building.build(root, chapters=chapters)
    assert [path.name for path in target.iterdir()] == ["index.html"]
    assert (target / "index.html").read_text() == "old"
    assert not list(target.parent.glob("render-*"))


def test_a_preview_runs_its_chapters_keeps_the_others_and_touches_no_whole_site(
    root, ran, rendered
):
    building.build(root, parameters={"n_trials": 2})
    (root / "book" / "last.md").write_text("# edited")
    (root / "_build" / "html" / "index.html").write_text("whole")
    whole = {p: p.read_bytes() for p in (root / "_build" / "book").rglob("*") if p.is_file()}
    ran.clear()
    page = building.build(root, chapters=["02", "03"], parameters={"n_trials": 4})
    assert page == root / "_build" / "preview" / "html" / "index.html"
    assert list(ran) == ["02_b", "03_c"]
    assert rendered.asked[-1] == (root / "_build" / "preview" / "book", False)
    assert len(rendered.downloads) == 2  # a preview is no book to take along
    assert rendered.staged["notebooks/01_a.ipynb"] == "executed 01_a {'n_trials': 2}"
    assert rendered.staged["notebooks/02_b.ipynb"] == "executed 02_b {'n_trials': 4}"
    assert rendered.staged["book/last.md"] == "# edited"
    assert (root / "_build" / "html" / "index.html").read_text() == "whole"
    now = {p: p.read_bytes() for p in (root / "_build" / "book").rglob("*") if p.is_file()}
    assert now == whole


def test_what_is_staged_is_fresh_but_for_executed_chapters(root):
    documents = building.toc_documents(root)
    staged, executed = root / "_build" / "book", root / "_build" / "book"
    (staged / "notebooks").mkdir(parents=True)
    (staged / "notebooks" / "01_a.ipynb").write_text("executed")
    (staged / "notebooks" / "00_removed.ipynb").write_text("stale")
    (staged / "book").mkdir()
    (staged / "book" / "last.md").write_text("stale")
    assert building.stage(root, staged, documents, executed) == staged
    files = {p.relative_to(staged).as_posix(): p for p in staged.rglob("*") if p.is_file()}
    results = {name for name in files if name.startswith("book/results/")}
    assert "book/results/by_seed.parquet" in results  # for download
    files = {name: path for name, path in files.items() if name not in results}
    assert set(files) == {"_config.yml", "_toc.yml", "book/_ext/a.py", *map(str, documents)}
    for name, path in files.items():
        wanted = "executed" if "01_a" in name else (root / name).read_text()
        assert path.read_text() == wanted, name


# ---------------------------------------------------------------- names


def test_documents_stand_in_reading_order(root):
    names = ["book/index.md", *(f"notebooks/{n}.ipynb" for n in ("01_a", "02_b", "03_c"))]
    assert building.toc_documents(root) == [Path(name) for name in [*names, "book/last.md"]]


def test_chapters_are_chosen_by_a_part_of_their_names_in_the_books_order():
    paths = [Path("n") / f"{name}.ipynb" for name in ("01_a", "02_b", "10_02", "11_c")]
    assert building.select_chapters(paths, ()) == paths
    assert building.select_chapters(paths, ["11_c", "b"]) == [paths[1], paths[3]]
    assert building.select_chapters(paths, ["02"]) == paths[1:3]
    with pytest.raises(building.BuildError, match="no chapter is called 'd'; there are 01_a, 02_b"):
        building.select_chapters(paths, ["01", "d"])


def test_a_parameter_must_be_of_one_of_the_chapters_that_run(root):
    building.check_parameters(root, [Path(f"notebooks/{n}.ipynb") for n in ("02_b", "03_c")], {
        "other": 1, "n_trials": 2,
    })  # fmt: skip
    for chapters, wrong in ((["02_b"], "seed"), (["01_a", "02_b", "03_c"], "n_trial")):
        paths = [Path(f"notebooks/{name}.ipynb") for name in chapters]
        with pytest.raises(building.BuildError, match=f"no chapter takes the parameter '{wrong}'"):
            building.check_parameters(root, paths, {"n_trials": 1, wrong: 1})


def test_the_command_passes_on_all_that_it_is_given(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(
        building, "build", lambda root, **options: asked.append((root, options)) or "p"
    )
    arguments = ["--root", "r", "--chapters", "02,,05", "--jobs", "3"]
    assert building.main([*arguments, "-p", "a", "1.5", "-p", "b", "text", "-p", "c", "None"]) == 0
    assert building.main([]) == 0
    parameters = {"a": 1.5, "b": "text", "c": None}
    assert asked == [
        (Path("r"), {"chapters": ["02", "05"], "parameters": parameters, "jobs": 3}),
        (Path(), {"chapters": [], "parameters": {}, "jobs": None}),
    ]
    assert capsys.readouterr().out == 2 * "the book is in p\n"


# ---------------------------------------------------------------- steps


@pytest.mark.parametrize(
    ("alone", "terminal", "ci", "bar"),
    [(True, True, "", True), (False, True, "", False), (True, False, "", False),
     (True, True, "1", False)],
)  # fmt: skip
def test_a_chapter_says_how_it_went_and_draws_a_bar_only_alone_on_a_terminal(
    root, ran, monkeypatch, alone, terminal, ci, bar
):
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: terminal))
    monkeypatch.setenv("CI", ci)
    ran.stderr = (" a warning\n", "another")
    (root / "staged" / "notebooks").mkdir(parents=True)
    path = Path("notebooks/01_a.ipynb")
    said = building.run_chapter(root, root / "staged", {"seed": 4, "other": 5}, alone, path)
    first, *others = said.splitlines()
    assert first.startswith("notebooks/01_a.ipynb  ") and first.endswith(" s")
    assert others == [
        f"    stderr, not shown in the book: {words}" for words in ("a warning", "another")
    ]
    assert ran["01_a"][2] == {"seed": 4} and bool(ran["01_a"][3]) is bar


@pytest.mark.parametrize("strict", [True, False])
def test_warnings_fail_a_whole_build_and_are_told_by_a_preview(
    tmp_path, monkeypatch, capsys, strict
):
    done = SimpleNamespace(returncode=0, stdout="", stderr="")
    commands = []
    monkeypatch.setattr(building.subprocess, "run", lambda c, **_: commands.append(c) or done)
    staged, scratch = tmp_path / "staged", tmp_path / "scratch"
    assert building.render_site(staged, scratch, strict) == scratch / "_build" / "html"
    ((*_, build, source, option, target), flags) = commands[0][:7], commands[0][7:]
    assert (build, source, option, target) == ("build", staged, "--path-output", scratch)
    assert ("-W" in flags, "-n" in flags) == (strict, strict) and "--all" in flags
    assert capsys.readouterr().err == ""
    done.stderr = f"\x1b[91m{staged}{os.sep}a.md:1: WARNING: odd\x1b[0m\n"
    building.render_site(staged, scratch, strict)
    assert capsys.readouterr().err == "a.md:1: WARNING: odd\n"
    done.returncode = 1
    with pytest.raises(building.BuildError, match="without a warning:\na.md:1: WARNING: odd$"):
        building.render_site(staged, scratch, strict)
    done.stderr, done.stdout = "", "from stdout"
    with pytest.raises(building.BuildError, match="without a warning:\nfrom stdout$"):
        building.render_site(staged, scratch, strict)


def test_all_faults_of_all_pages_are_told_and_a_site_without_passes(tmp_path):
    (tmp_path / "b").mkdir()
    beside = '<article><div class="ehrgan-map"><img src="z.png" alt="">its words</div></article>'
    (tmp_path / "a.html").write_text(GOOD + beside)
    building.check_pages(tmp_path)
    bad = '<article><img src="{0}1.png"><img src="{0}2.png" alt="only two"></article>'
    (tmp_path / "b" / "a.html").write_text(bad.format("x") + '<iframe src="//e.org"></iframe>')
    (tmp_path / "c.html").write_text(bad.format("y"))
    with pytest.raises(building.BuildError) as error:
        building.check_pages(tmp_path)
    told = [line.split(" has the")[0] for line in str(error.value).splitlines()]
    assert told == [
        "b/a.html: the picture x1.png",
        "b/a.html: the picture x2.png",
        "b/a.html: //e.org would be loaded from another host",
        "c.html: the picture y1.png",
        "c.html: the picture y2.png",
    ]


@pytest.mark.parametrize(
    ("tag", "n_faults"),
    [
        ('<script src="{}">', 1), ('<img src="{}">', 1), ('<iframe src="{}">', 1),
        ('<link rel="stylesheet" href="{}">', 1), ('<link rel="preload" href="{}">', 1),
        ('<link rel="alternate stylesheet" href="{}">', 1),
        ('<link rel="canonical" href="{}">', 0), ('<a href="{}">', 0),
    ],
)  # fmt: skip
def test_what_a_page_loads_must_be_its_own(tag, n_faults):
    for url in ("https://e.org/a", "http://e.org/a", "//e.org/a"):
        page = BeautifulSoup(tag.format(url), "html.parser")
        assert len(building.request_faults(page)) == n_faults
    for url in ("a.js", "/a.js", "../a//b.js", "data:image/png;base64,AA", "x/https://e"):
        assert building.request_faults(BeautifulSoup(tag.format(url), "html.parser")) == []


def test_words_of_pictures_count_from_three_and_only_in_the_article():
    def faults(alt, tag="article"):
        return building.image_faults(
            BeautifulSoup(f'<{tag}><p><img src="a" alt="{alt}"></p></{tag}>', "html.parser")
        )

    assert faults("a b c") == [] == faults("", "nav")
    assert len(faults("a b")) == len(faults(" ")) == 1
    assert "the picture a has the alternative text 'a b'" in faults("a  b")[0]


@pytest.mark.parametrize("left_behind", [False, True])
@pytest.mark.parametrize("existed", [False, True])
def test_a_folder_is_replaced_by_renaming(tmp_path, monkeypatch, left_behind, existed):
    old, new = tmp_path / "html", tmp_path / "scratch" / "new"
    new.mkdir(parents=True)
    (new / "new.html").touch()
    for folder in [old] * existed + [tmp_path / "html.old"] * left_behind:
        folder.mkdir()
        (folder / "old.html").touch()
    number, usual, seen = new.stat().st_ino, building.shutil.rmtree, []

    def remove(path, **options):  # whatever is removed, a whole site stands there meanwhile
        assert path != old
        seen.append([file.name for file in old.glob("*")])
        usual(path, **options)

    monkeypatch.setattr(building.shutil, "rmtree", remove)
    building.replace_folder(old, new)
    assert old.stat().st_ino == number and [p.name for p in old.iterdir()] == ["new.html"]
    assert {path.name for path in tmp_path.iterdir()} == {"html", "scratch"} and not new.exists()
    assert all(files == ["new.html"] or (files == ["old.html"]) == existed for files in seen)
    assert seen[-1] == ["new.html"]


# ---------------------------------------------------------------- running a notebook


def cell_at(start, *, tags=(), outputs=()):
    cell = new_code_cell("1", metadata={"tags": list(tags)}, outputs=list(outputs))
    cell.metadata["papermill"] = {"start_time": start}
    return cell


def test_the_last_cell_that_began_is_counted_as_the_author_sees_it(tmp_path):
    cells = [
        cell_at("t"),
        cell_at("t", tags=["injected-parameters"]),
        cell_at("t"),
        cell_at("t", tags=["papermill-error-cell-tag"]),
        cell_at("t"),
        cell_at(None),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "a.ipynb")
    assert last_started(tmp_path / "a.ipynb") == 3
    nbformat.write(new_notebook(cells=[cell_at(None), cell_at(None)]), tmp_path / "a.ipynb")
    assert last_started(tmp_path / "a.ipynb") == 1


def test_texts_of_every_cell_that_wrote_to_stderr():
    def stream(name, text):
        return new_output("stream", name=name, text=text)

    cells = [cell_at("t", outputs=[stream("stdout", "a"), stream("stderr", "b")]), cell_at("t"),
             cell_at("t", outputs=[stream("stderr", "c")])]  # fmt: skip
    assert stderr_texts(new_notebook(cells=cells)) == ["b", "c"]


@pytest.mark.parametrize(("progress", "hidden"), [(None, None), (True, False), (False, True)])
def test_a_notebook_runs_in_this_python_beside_its_copy_and_tells_no_path(
    tmp_path, monkeypatch, progress, hidden
):
    asked = []

    def execute(*arguments, **options):
        asked.append((arguments, options))
        paths = {"input_path": "/a", "output_path": "/b", "parameters": {"x": 1}}
        return new_notebook(metadata={"papermill": paths})

    monkeypatch.setattr(notebooks.papermill, "execute_notebook", execute)
    environment = {"TQDM_DISABLE": "mine"}
    monkeypatch.setattr(notebooks, "os", SimpleNamespace(environ=environment))
    source, target = tmp_path / "a.ipynb", tmp_path / "out" / "b.ipynb"
    target.parent.mkdir()
    assert run_notebook(source, target, {"x": 1}, progress=progress) == []
    run_notebook(source, target, cwd=tmp_path)
    (arguments, options), (none, elsewhere) = asked
    assert arguments == (source, target, {"x": 1}) and none == (source, target, {})
    assert (options["cwd"], elsewhere["cwd"]) == (target.parent, tmp_path)
    assert (options["kernel_name"], options["language"]) == ("python3", "python")
    assert options["progress_bar"]["disable"] is hidden
    assert elsewhere["progress_bar"]["disable"] is None
    kept = nbformat.read(target, as_version=4)
    assert kept.metadata.papermill == {"parameters": {"x": 1}}
    assert environment == {**notebooks.QUIET_KERNEL, "TQDM_DISABLE": "mine"}
