"""Quick-look settings: small, said to be so, and only where asked."""

import shutil
from pathlib import Path

import nbformat
import pytest

from ehrgan.notebooks import literal, parameter_defaults
from ehrgan.quicklook import SETTINGS, quick_look

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
