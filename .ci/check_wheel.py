"""Build sdist and wheel, install the wheel alone in a clean environment, use it as the README says.

``python .ci/check_wheel.py DIST`` leaves both files in DIST. It needs a Python with venv and a
package index, no clone once the wheel is built, and runs on every system.
"""

import ast
import csv
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
TABLE = """
import numpy as np
from sklearn.datasets import load_breast_cancer
X, y = load_breast_cancer(return_X_y=True)
X, y = X[::4], y[::4]
X[::2, :15] = np.nan
"""
SCORES = "print(scores)\nassert len(scores) == 5 and scores.mean() > 0.8"
RECORDS = """
import pandas as pd
table = pd.DataFrame(X[:, ::5]).add_prefix("measure_").assign(died=np.where(y == 0, "yes", "no"))
table.to_csv("my.csv", index=False)
table.drop(columns="died")[::3].to_csv("new.csv", index=False)
"""
NOTEBOOK = """
import nbformat
from nbformat.v4 import new_code_cell, new_notebook
given = new_code_cell("n = 1", metadata={"tags": ["parameters"]})
code = "import pandas\\nfrom ehrgan.sweeps.handover import record\\n"
code += "record(pandas.DataFrame({'double': [2 * n]}))"
nbformat.write(new_notebook(cells=[given, new_code_cell(code)]), "toy.ipynb")
open("grid.yml", "w").write("product: {n: [1, 2, 3]}")
"""
TYPED = """
from ehrgan import ACGANClassifier, load_wdbc

model: ACGANClassifier = ACGANClassifier()
load_wdbc(no_such=1)  # type: ignore[call-arg]
"""
SWEPT = """
from ehrgan.sweeps.sweep import read_sweep
assert sorted(read_sweep("swept")["double"]) == [2, 4, 6]
"""


def fences(language):
    """What stands in the README's fences of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def imports(path):
    """What a chapter imports, as lines of Python."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "%pip" not in source:
            nodes = ast.walk(ast.parse(source))
            yield from (ast.unparse(n) for n in nodes if isinstance(n, ast.Import | ast.ImportFrom))


class Environment:
    """A clean virtual environment and an empty folder beside it, in which commands run."""

    def __init__(self, folder):
        venv.create(folder / "venv", with_pip=True)
        self.bin = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        self.folder = folder / "work"
        self.folder.mkdir()

    def run(self, name, *arguments):
        """Run a command of the environment; it must end well."""
        print("$", name, *arguments, flush=True)
        command = [str(self.bin / name), *map(str, arguments)]
        subprocess.run(command, cwd=self.folder, check=True)

    def python(self, *code):
        """Run lines of Python."""
        subprocess.run(
            [str(self.bin / "python"), "-c", "\n".join(code)], cwd=self.folder, check=True
        )

    def predictions(self):
        """What ``ehrgan predict`` has written."""
        with (self.folder / "predictions.csv").open(encoding="utf-8") as file:
            return list(csv.DictReader(file))


def build(folder, dist):
    """Build the sdist, and the wheel from it."""
    here = Environment(folder)
    here.run("pip", "install", "--quiet", "build")
    here.run("python", "-m", "build", "--outdir", dist, ROOT)
    (wheel,) = dist.glob("*.whl")
    return wheel


def use(folder, wheel):
    """Do with the wheel what the README does, from fitting to predicting without TensorFlow."""
    here = Environment(folder)
    here.run("pip", "install", "--quiet", wheel)
    here.run("ehrgan", "--version")
    here.run("ehrgan", "--help")
    five_lines, *_ = fences("python")
    here.python(TABLE, five_lines, SCORES)
    here.python(TABLE, RECORDS)
    lines = [line for fence in fences("bash") for line in fence.splitlines()]
    commands = [line for line in lines if line.startswith(".venv/bin/ehrgan ")]
    for line in commands:
        here.run("ehrgan", *shlex.split(line, comments=True)[1:])
    for chapter in CHAPTERS:
        print("imports of", chapter.name, flush=True)
        here.python(*imports(chapter))

    here.run("pip", "install", "--quiet", f"ehrgan[sweep] @ {wheel.as_uri()}", "mypy")
    here.python(NOTEBOOK)
    here.run("ehrgan", "sweep", "toy.ipynb", "grid.yml", "--out", "swept")
    here.python(SWEPT)
    (here.folder / "typed.py").write_text(TYPED)
    here.run("mypy", "--warn-unused-ignores", "typed.py")
    as_in_colab(here, wheel)

    before = here.predictions()
    here.run("pip", "uninstall", "--quiet", "--yes", "tensorflow")
    here.run("ehrgan", *shlex.split(commands[-1], comments=True)[1:])
    assert len(before) > 10 and here.predictions() == before


def as_in_colab(here, wheel):
    """Run a chapter where the library is missing, with an index of this one wheel."""
    here.run("pip", "uninstall", "--quiet", "--yes", "ehrgan")
    index = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheel.parent),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    os.environ.update(index)
    here.run("papermill", "--kernel", "python3", CHAPTERS[0], "out.ipynb", "--no-progress-bar")
    for name in index:
        del os.environ[name]
    here.run("ehrgan", "--version")


def main(dist):
    """Build, check, and say where the files are."""
    dist = Path(dist).resolve()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for name in ("build", "use"):
            Path(folder, name).mkdir()
        wheel = build(Path(folder, "build"), dist)
        use(Path(folder, "use"), wheel)
    print(f"{wheel.name} does what the README says; it is in {dist}")


if __name__ == "__main__":
    main(sys.argv[1])
