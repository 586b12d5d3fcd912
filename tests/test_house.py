"""The folders of the library: arrows point down, and what makes numbers is in the fingerprint."""

import ast
import shutil
from pathlib import Path

import pytest

import ehrgan
from ehrgan import source

ROOT = Path(ehrgan.__file__).parent
#: From the top down: a room may use rooms of lower lines only.
FLOORS = (
    {"cli"},
    {"synthetic"},
    {"book", "report"},
    {"paper"},
    {"study"},
    {"nets", "sweeps"},
    {"plots"},
    {"scores", "tables"},
    {"bars", "files", "source", "templates"},
)


def rooms_used(path):
    """Top-level folders and modules of the library that a module imports, wherever it does so."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = package[: len(package) + 1 - node.level]
            parts = (*above, *(node.module.split(".") if node.module else ()))
            yield from [parts[0]] if parts else [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ehrgan."):
            yield node.module.split(".")[1]


def test_every_arrow_points_down():
    floor = {room: n for n, rooms in enumerate(FLOORS) for room in rooms}
    found = {
        (path.relative_to(ROOT).with_suffix("").parts[0], used)
        for path in ROOT.rglob("*.py")
        if path != ROOT / "__init__.py"
        for used in rooms_used(path)
    }
    arrows = {(room, used) for room, used in found if room != used}
    assert arrows >= {("study", "nets"), ("report", "study")}  # the test sees something
    assert {(a, b) for a, b in arrows if floor[a] >= floor[b]} == set()


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of the library's source, which the fingerprint is told to look at."""
    copy = tmp_path / "ehrgan"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("data", "__pycache__"))
    monkeypatch.setattr(source, "__file__", str(copy / "source.py"))
    return copy


def edit(path):
    path.write_text(path.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")


def test_an_edit_of_anything_that_makes_numbers_changes_the_fingerprint(copied):
    seen = {source.source_fingerprint()}
    makers = [
        p
        for folder in ("nets", "scores", "study", "tables")
        for p in (copied / folder).glob("*.py")
    ]
    for path in makers:
        edit(path)
        seen.add(source.source_fingerprint())
    assert len(makers) > 20 and len(seen) == len(makers) + 1
    (copied / "study" / "new.py").write_text("")
    assert source.source_fingerprint() not in seen


def test_an_edit_of_a_figure_a_page_or_the_report_does_not(copied):
    before = source.source_fingerprint()
    for folder in ("plots", "report", "book", "paper", "sweeps"):
        for path in (copied / folder).glob("*.py"):
            edit(path)
    edit(copied / "cli.py")
    assert source.source_fingerprint() == before


def test_the_versions_of_the_numerical_libraries_count(monkeypatch):
    before = source.source_fingerprint()
    monkeypatch.setattr(source, "version", lambda name: "9.9" if name == "scipy" else "1.0")
    first = source.source_fingerprint()
    monkeypatch.setattr(source, "version", lambda name: "1.0")
    assert len({before, first, source.source_fingerprint()}) == 3


def test_the_names_that_a_user_needs_are_there_and_load_nothing_before_they_are_asked_for():
    assert {"ACGANClassifier", "StackedAutoencoderImputer", "make_report"} <= set(ehrgan.__all__)
    for name in ehrgan.__all__:
        assert getattr(ehrgan, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = ehrgan.Nothing
