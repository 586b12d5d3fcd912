"""Which chapters there are, and how the tests run one."""

import ast
from pathlib import Path
from types import SimpleNamespace

import joblib
import nbformat

from ehrgan.sweeps.cells import parameter_defaults
from ehrgan.sweeps.notebooks import run_notebook

CHAPTERS = sorted((Path(__file__).parent.parent / "notebooks").glob("[0-9]*.ipynb"))
#: Two of each, so that a fault of the second trial, fold or draw shows.
SMALL = {"n_trials": 2, "n_folds": 2, "seed": 3, "limit": 120}
#: What a chapter runs with in place of SMALL. One trial of a report and of the live checks: their
#: chapters glue what was measured before, or count over tables, and a second costs 20 s. Two of the
#: tables with real holes, as each costs 30 s.
OWN = {
    "10_missingness": {"n_trials": 1},
    "11_real_records": {"n_trials": 1, "others": "hepatitis"},
    "12_your_records": {"n_trials": 1},
    "14_rare_diseases": {"n_trials": 1},
    "15_one_or_two": {"n_trials": 1},
    "18_explore": {"n_trials": 1},
}
#: Chapters that hand functions of their own to other processes, and are to show that this works.
PROCESSES = {"03_baselines"}
#: What the kernel of a chapter hands over at its end, for tests that compute its numbers anew.
KEPT = {
    "02_imputation": "result curves given mean_errors by_fold peers filled toys models fold",
    "03_baselines": "result rows coin",
    "04_acgan": "scores made X_train y_train X_test y_test gans",
    "05_evaluation": "result mixed",
    "06_audit": "honest paper peek changed",
    "08_denoising": "by_fold",
    "09_better": "result found gains",
    "11_real_records": "reports",
    "12_your_records": "report",
    "13_synthetic": "audits",
    "16_learn_as_they_come": "told turns toy late first",
    "17_benchmarks": "speed",
}


def run_chapter(name, folder):
    """Run a chapter with small settings: its parameters, cells, glued and kept values."""
    source = next(path for path in CHAPTERS if path.stem == name)
    known = parameter_defaults(source)
    given = {**SMALL, **OWN.get(name, {})}
    given = {key: value for key, value in given.items() if key in known}
    notebook = nbformat.read(source, as_version=4)
    names = KEPT.get(name, "").split()
    dump = f"import joblib; joblib.dump({{k: globals()[k] for k in {names}}}, 'kept.joblib')"
    notebook.cells.append(nbformat.v4.new_code_cell(dump))
    nbformat.write(notebook, folder / source.name)
    run_notebook(folder / source.name, folder / "out.ipynb", given, progress=False)
    cells = nbformat.read(folder / "out.ipynb", as_version=4).cells
    kept = joblib.load(folder / "kept.joblib")
    parameters = {key: ast.literal_eval(value) for key, value in known.items()} | given
    return SimpleNamespace(
        path=source,
        folder=folder,
        cells=cells,
        glued=glued(cells),
        kept=SimpleNamespace(**kept),
        parameters=SimpleNamespace(**parameters),
    )


def glued(cells):
    """What cells have glued: values as Python reads them, tables and Markdown as text."""
    values = {}
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        about = output.get("metadata", {}).get("scrapbook")
        if about:
            data = {
                kind.removeprefix(about["mime_prefix"]): text for kind, text in output.data.items()
            }
            plain = data["text/plain"]
            rich = data.get("text/markdown", data.get("text/html"))
            values[about["name"]] = ast.literal_eval(plain) if rich is None else rich
    return values
