"""The reference of the library leaves nothing out that a module offers."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def offers(path):
    """What a module names in ``__all__``."""
    for line in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(line, ast.Assign) and getattr(line.targets[0], "id", "") == "__all__":
            return ast.literal_eval(line.value)
    return []


def test_every_module_that_offers_something_is_on_a_page_of_its_folder():
    pages = {p.stem: p.read_text(encoding="utf-8") for p in ROOT.glob("book/api*.md")}
    listed = {page: re.findall(r"automodule:: (\S+)", text) for page, text in pages.items()}
    everything = sum(listed.values(), [])
    assert len(everything) == len(set(everything)) > 60
    for path in (ROOT / "src/ehrgan").glob("**/*.py"):
        folder, *inner = path.relative_to(ROOT / "src/ehrgan").with_suffix("").parts
        if path.stem == "__init__" or folder in ("plots", "data") or not offers(path):
            continue  # figures are on one page, by the folder's own name
        page = f"api_{folder}" if inner else "api"
        assert ".".join(["ehrgan", folder, *inner]) in listed[page]
    assert listed["api_plots"] == ["ehrgan.plots"]
