"""What is installed and cited: one version, one title, and names that type checkers know."""

import ast
import json
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

import ehrgan
from ehrgan import cli

ROOT = Path(__file__).parents[1]


def test_the_stub_knows_the_names_that_are_imported_lazily_and_where_they_come_from():
    stub = ast.parse(files("ehrgan").joinpath("__init__.pyi").read_text(encoding="utf-8"))
    told = {alias.asname: (node.module, alias.name) for node in stub.body for alias in node.names}
    assert told == {name: (home, name) for name, home in ehrgan._HOMES.items()}
    assert files("ehrgan").joinpath("py.typed").is_file()


def test_the_command_tells_its_version(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"ehrgan {version('ehrgan')}\n"


def test_zenodo_and_the_citation_say_the_same():
    """The version is in pyproject.toml alone: Zenodo takes it from the tag."""
    zenodo = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    for name in ("title", "license", "keywords"):
        assert zenodo[name] == cited[name]
    assert zenodo["creators"] == cited["authors"]
    (paper,) = cited["references"]
    assert [one["identifier"] for one in zenodo["related_identifiers"]] == [
        one["value"] for one in paper["identifiers"]
    ]
    assert "version" not in zenodo and "version" not in cited
