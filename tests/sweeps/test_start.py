"""What the command and a worker load before they begin: nothing that takes its time."""

import json
import subprocess
import sys

import pytest
import yaml
from standin import SETS, swept

CODE = """
import json, sys
from ehrgan import cli
assert cli.main(sys.argv[1:]) == 0
print(json.dumps(sorted(sys.modules)))
"""
#: Loaded by no part of a sweep in the process of the command itself, as long as no run begins.
HEAVY = {"tensorflow", "sklearn", "scipy", "pandas", "pyarrow", "matplotlib"}
HEAVY |= {"nbformat", "nbclient", "papermill", "jsonschema", "distributed"}

WORKER = """
import json, runpy, sys, threading
threading.Thread.start = lambda thread: None  # it would end us, as nobody writes to us
sys.argv[1:] = ["no such folder", "nor this"]
try:
    runpy.run_module("ehrgan.sweeps.worker", run_name="__main__")
except FileNotFoundError:
    print(json.dumps([name for name, module in sys.modules.items() if module]))
"""


def loaded(code, *arguments):
    """The modules that a process has loaded in the end, each as its whole name."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, input="")
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture
def folder(toy, tmp_path, runs):
    """A folder with a grid, and a finished sweep over it."""
    swept(toy, tmp_path / "out")
    (tmp_path / "g.yml").write_text(yaml.safe_dump({"list": SETS}))
    return tmp_path


@pytest.mark.parametrize("what", ["dry run", "status", "sweep"])
def test_a_sweep_starts_without_the_libraries_of_its_runs(toy, folder, what):
    grid, out = folder / "g.yml", folder / "out"
    arguments = {
        "dry run": ["sweep", toy, grid, "--out", out / "new", "--jobs", "2", "--dry-run"],
        "status": ["sweep", "status", out],
        "sweep": ["sweep", toy, grid, "--out", out, "--jobs", "2"],
    }[what]
    assert not HEAVY & loaded(CODE, *arguments)


def test_counting_cores_loads_no_numerical_library(toy, folder):
    found = loaded(CODE, "sweep", toy, folder / "g.yml", "--out", folder / "new", "--dry-run")
    assert not (HEAVY - {"distributed"}) & found and "joblib" in found


def test_a_worker_builds_no_grammar_of_addresses():
    found = loaded(WORKER)
    assert {"papermill", "ehrgan.sweeps.notebooks"} <= found
    assert not {"rfc3987_syntax", "lark", "pandas", "sklearn", "tensorflow"} & found
