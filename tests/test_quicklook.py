"""Quick-look settings: small, said to be so, and only where asked."""

import shutil
from pathlib import Path

import nbformat
import pytest

from ehrgan.notebooks import literal, parameter_defaults
from ehrgan.quicklook import SETTINGS, main, quick_look

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


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
