"""A notebook of no work, and a stand-in that takes the place of its runs."""

import threading

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from standin import PARAMETERS, outcome

from ehrgan.sweeps import sweep as sweeps


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    path = tmp_path_factory.mktemp("toy") / "toy.ipynb"
    cell = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[cell]), path)
    return path


@pytest.fixture
def runs(monkeypatch):
    """What was executed, in order; ``runs.does`` may be replaced, and gets x and the number of
    this try."""

    class Executed(list):
        does = staticmethod(lambda x, n_try: outcome(x))

    executed = Executed()
    lock = threading.Lock()

    def stand_in(content, parameters, source, workdir=None, timeout=None, stop=None):
        with lock:
            executed.append((content, parameters, source, workdir, timeout, stop))
            n_try = executed.xs().count(parameters["x"])
        return executed.does(parameters["x"], n_try)

    Executed.xs = lambda self: [one[1]["x"] for one in self]
    monkeypatch.setattr(sweeps, "execute", stand_in)
    return executed
