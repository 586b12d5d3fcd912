"""Sweeps where there is no fcntl and no resource, as on Windows."""

import subprocess
import sys

import yaml

CODE = """
import importlib, pkgutil, sys
import filelock, fsspec, papermill, psutil  # on this system these use them; that is their affair
sys.modules["fcntl"] = sys.modules["resource"] = None  # so importing them fails
import ehrgan.sweeps
for module in pkgutil.iter_modules(ehrgan.sweeps.__path__, "ehrgan.sweeps."):
    if module.name != "ehrgan.sweeps.kernel":  # loads terminals of this system; runs in a kernel
        importlib.import_module(module.name)
from ehrgan import cli
sys.exit(cli.main(sys.argv[1:]))
"""


def test_a_sweep_is_planned_without_modules_that_windows_lacks(toy, tmp_path):
    grid = tmp_path / "g.yml"
    grid.write_text(yaml.safe_dump({"product": {"x": [1, 2]}}))
    arguments = ["sweep", toy, grid, "--out", tmp_path / "out", "--dry-run"]
    command = [sys.executable, "-c", CODE, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "2 of 2 runs to do" in done.stdout


def test_modules_that_windows_lacks_are_refused_by_the_lint(tmp_path):
    for name in ("fcntl", "resource"):
        for line in (f"import {name}", f"from {name} import *"):
            check = [sys.executable, "-m", "ruff", "check", "--stdin-filename", "src/a.py", "-"]
            done = subprocess.run(check, input=line + "\n", capture_output=True, text=True)
            assert "TID251" in done.stdout
