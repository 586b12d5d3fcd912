"""One run of a sweep in a process of its own: ``python -m ehrgan.sweeps.worker FOLDER WORKDIR``.

Light to import, so that a run costs little more than papermill alone.
"""

import json
import os
import shutil
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

if __name__ == "__main__":
    # a check of international addresses that no notebook needs; its grammar takes a second
    sys.modules.setdefault("rfc3987_syntax", None)

import psutil
from nbclient.exceptions import DeadKernelError

from .family import end_family
from .notebooks import NotebookError, run_notebook

LOOK = 0.5  # seconds between two looks at the memory; each lists all processes of the machine


def work(folder, workdir):
    """Run ``notebook.ipynb`` of a folder with ``parameters.json``; leave ``outcome.json`` there."""
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    parameters = json.loads((folder / "parameters.json").read_text())
    began, status, error = time.monotonic(), "done", ""
    ended = threading.Event()
    with ThreadPoolExecutor(1) as beside:
        peak = beside.submit(_peak_memory, ended)
        try:
            run_notebook(
                folder / "notebook.ipynb", folder / "executed.ipynb", parameters, cwd=workdir,
                progress=False,
            )  # fmt: skip
        except NotebookError as failure:
            status = "lost" if isinstance(failure.__context__, DeadKernelError) else "failed"
            error = str(failure).split("\n")[0].replace(f"{folder}{os.sep}", "")
        finally:
            ended.set()
    outcome = {
        "status": status,
        "error": error,
        "duration": time.monotonic() - began,
        "peak_memory_mb": peak.result() / 2**20,
    }
    (folder / "outcome.json").write_text(json.dumps(outcome))


def _peak_memory(ended):
    """Most bytes that the kernel and its children were seen to hold together until the end."""
    worker, peak = psutil.Process(), 0
    while not ended.wait(LOOK):
        held = 0
        for process in worker.children(recursive=True):
            with suppress(psutil.Error):  # it has just ended
                held += process.memory_info().rss
        peak = max(peak, held)
    return peak


def _end_with_parent(folder):
    """Wait until standard input ends, as a killed sweep's does; then leave nothing behind."""
    sys.stdin.buffer.read()
    for child in psutil.Process().children():
        end_family(child.pid)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    work(Path(sys.argv[1]), Path(sys.argv[2]))
    os._exit(0)  # the watching thread still waits for the parent
