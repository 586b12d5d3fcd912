"""Quick-look settings: small, said to be so, and only where asked."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ehrgan.book import quicklook
from ehrgan.book.quicklook import SETTINGS, main, pages_address, quick_look
from ehrgan.sweeps.cells import literal, parameter_defaults

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("source", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_gets_its_note_and_its_settings_once(source, tmp_path):
    path = Path(shutil.copy(source, tmp_path))
    changed = quick_look(path)
    known = {name: literal(text) for name, text in parameter_defaults(source).items()}
    larger = {n: v for n, v in SETTINGS.items() if (known.get(n) or v) > v}
    assert changed == larger
    after = nbformat.read(path, as_version=4)
    injected = [c for c in after.cells if "injected-parameters" in c.metadata.get("tags", [])]
    assert len(injected) == bool(changed)
    for name, value in changed.items():
        assert f"{name} = {value}" in injected[0].source
        assert any(
            f"`{name}` to {value} in place of {known[name]}" in c.source for c in after.cells
        )
    kept = path.read_bytes()
    assert quick_look(path) == {} and path.read_bytes() == kept


def test_a_quick_look_links_to_the_page_with_the_numbers_of_the_book(tmp_path, capsys):
    shutil.copy(NOTEBOOKS[0].parents[1] / "_config.yml", tmp_path)
    folder = tmp_path / "notebooks"
    folder.mkdir()
    path = Path(shutil.copy(NOTEBOOKS[4], folder))
    main(folder)
    assert f"{path.name} {{'n_trials': 2}}" in capsys.readouterr().out
    assert f".github.io/ehrgan-book/notebooks/{path.stem}.html)" in path.read_text()


def notebook(path, parameters):
    cells = [
        new_markdown_cell("# T"),
        new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        new_code_cell("print(n_trials)"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def test_only_what_is_larger_is_made_smaller_in_a_cell_below_the_parameters(tmp_path):
    text = "n_trials = 9\nn_draws = 3\nsmall = 1\nfound = None\nequal = 4"
    path = notebook(tmp_path / "a.ipynb", text)
    wanted = {"n_draws": 2, "small": 4, "found": 4, "equal": 4, "absent": 1, "n_trials": 5}
    assert quick_look(path, wanted, page="[Here](x)") == {"n_draws": 2, "n_trials": 5}
    after = nbformat.read(path, as_version=4)
    nbformat.validate(after)
    title, parameters, note, injected, code = after.cells
    assert (title.source, parameters.source, code.source) == ("# T", text, "print(n_trials)")
    assert note.cell_type == "markdown"
    assert "sets `n_draws` to 2 in place of 3, `n_trials` to 5 in place of 9." in note.source
    assert "[Here](x) has the numbers" in note.source
    assert injected.source.splitlines() == ["# Quick look", "n_draws = 2", "n_trials = 5"]
    assert "papermill" not in after.metadata
    assert not any("papermill" in cell.metadata for cell in after.cells)
    assert path.read_text().endswith("}\n")
    assert quick_look(path, {"n_draws": 1}) == {}  # a quick look is not made quicker


def test_the_usual_settings_are_few_trials_and_a_smaller_book_is_left_alone(tmp_path):
    assert SETTINGS == {"n_trials": 2}
    for n, changed in ((1, {}), (2, {}), (3, {"n_trials": 2})):
        path = notebook(tmp_path / f"{n}.ipynb", f"n_trials = {n}")
        before = path.read_bytes()
        assert quick_look(path) == changed
        assert (path.read_bytes() == before) == (not changed)
    assert quick_look(notebook(tmp_path / "n.ipynb", "n_trials = 9"), {}) == {}


def test_a_quick_look_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path, written = notebook(tmp_path / "a.ipynb", "n_trials = 9"), []
    before = path.read_bytes()
    monkeypatch.setattr(quicklook, "write_whole", lambda *given: written.append(given))
    quick_look(path)
    assert path.read_bytes() == before and written[0][0] == path
    assert "n_trials = 2" in written[0][1]


@pytest.mark.parametrize(
    ("repository", "address"),
    [
        ("https://github.com/who/what", "https://who.github.io/what/"),
        ("https://github.com/who/what/", "https://who.github.io/what/"),
        ("https://github.com/who", ""),
        ("https://github.com/who/what/tree", ""),
        ("", ""),
    ],
)
def test_a_repository_has_its_pages_where_github_serves_them(repository, address):
    assert pages_address(repository) == address


def test_every_notebook_of_a_folder_is_changed_and_told_of(tmp_path, capsys):
    (tmp_path / "n").mkdir()
    url = "https://github.com/who/what"
    (tmp_path / "_config.yml").write_text(f"repository: {{url: {url}}}")
    texts = {"a": "n_trials = 5", "b": "other = 5", "c": "n_trials = 7"}
    paths = {name: notebook(tmp_path / "n" / f"{name}.ipynb", t) for name, t in texts.items()}
    main(tmp_path / "n")
    assert capsys.readouterr().out.splitlines() == [
        "a.ipynb {'n_trials': 2}", "b.ipynb as in the book", "c.ipynb {'n_trials': 2}",
    ]  # fmt: skip
    for name in "ac":
        link = f"[The rendered page](https://who.github.io/what/n/{name}.html)"
        assert link in nbformat.read(paths[name], as_version=4).cells[2].source
