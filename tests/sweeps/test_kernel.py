"""A kernel ends in order: nothing has to kill it, and it leaves nothing behind."""

import ast

import nbformat
import psutil
import pytest
from jupyter_client.provisioning import LocalProvisioner
from nbformat.v4 import new_code_cell, new_notebook

from ehrgan.sweeps.notebooks import run_notebook

JOBLIB = "import joblib\njoblib.Parallel(2)(joblib.delayed(abs)(i) for i in range(4))"
SLEEP = "import subprocess\nsubprocess.Popen(['sleep', '60'])"
CHILDREN = "import psutil\nprint([p.pid for p in psutil.Process().children(recursive=True)])"


@pytest.mark.parametrize(("cell", "at_least"), [(JOBLIB, 3), (SLEEP, 1)])
def test_a_kernel_with_children_ends_by_itself_and_they_with_it(
    tmp_path, monkeypatch, capfd, cell, at_least
):
    ended, terminate = [], LocalProvisioner.terminate

    async def told(self, restart=False):
        ended.append(self)
        await terminate(self, restart=restart)

    monkeypatch.setattr(LocalProvisioner, "terminate", told)
    monkeypatch.setattr(LocalProvisioner, "get_shutdown_wait_time", lambda self, recommended: 40.0)
    cells = [new_code_cell(cell), new_code_cell(CHILDREN)]
    nbformat.write(new_notebook(cells=cells), tmp_path / "a.ipynb")
    assert run_notebook(tmp_path / "a.ipynb", tmp_path / "out.ipynb", progress=False) == []
    (output,) = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1].outputs
    children = ast.literal_eval(output.text)
    assert len(children) >= at_least
    psutil.wait_procs([psutil.Process(p) for p in children if psutil.pid_exists(p)], timeout=10)
    assert not any(psutil.pid_exists(pid) for pid in children)
    assert ended == []
    assert "Task" not in capfd.readouterr().err
