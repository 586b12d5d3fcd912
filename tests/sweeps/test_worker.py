"""The process of one run: how it went, and its end."""

import json
import subprocess
import sys

import psutil
from nbclient.exceptions import DeadKernelError

from ehrgan.sweeps import worker
from ehrgan.sweeps.notebooks import NotebookError


def test_a_process_is_ended_with_its_children():
    code = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True); "
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    parent = subprocess.Popen([sys.executable, "-c", code + "sys.stdin.read()"], **pipes)
    child = psutil.Process(int(parent.stdout.readline()))
    worker.end_family(parent.pid)
    parent.communicate()
    assert parent.returncode == -9
    _, alive = psutil.wait_procs([child], timeout=10)
    assert not alive
    worker.end_family(parent.pid)  # gone already


def test_a_worker_says_how_its_notebook_went(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "_end_with_parent", lambda folder: None)
    (tmp_path / "parameters.json").write_text('{"x": 3}')
    ran = []

    def run(source, target, parameters, cwd, progress):
        ran.append((source, target, parameters, cwd, progress))

    def fail(*_, **__):
        raise NotebookError(f"{tmp_path}/notebook.ipynb, cell 2: E: m\n\ntraceback")

    def die(*_, **__):
        try:
            raise DeadKernelError("died")
        except DeadKernelError:
            raise NotebookError("died") from None

    for does, status, error in (
        (run, "done", ""),
        (fail, "failed", "notebook.ipynb, cell 2: E: m"),
        (die, "lost", "died"),
    ):
        monkeypatch.setattr(worker, "run_notebook", does)
        worker.work(tmp_path, "beside")
        found = json.loads((tmp_path / "outcome.json").read_text())
        assert (found["status"], found["error"]) == (status, error)
        assert found["duration"] >= 0 and found["peak_memory_mb"] >= 0
    files = tmp_path / "notebook.ipynb", tmp_path / "executed.ipynb"
    assert ran == [(*files, {"x": 3}, "beside", False)]
