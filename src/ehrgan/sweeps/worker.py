"""One run of a sweep in a process of its own: ``python -m ehrgan.sweeps.worker FOLDER WORKDIR``.

Light to import, so that a run costs little more than papermill alone.
"""

import json
import os
import resource
import shutil
import sys
import threading
import time
from pathlib import Path

if __name__ == "__main__":
    # a check of international addresses that no notebook needs; its grammar takes a second
    sys.modules.setdefault("rfc3987_syntax", None)

import psutil
from nbclient.exceptions import DeadKernelError

from .family import end_family
from .notebooks import NotebookError, run_notebook


def work(folder, workdir):
    """Run ``notebook.ipynb`` of a folder with ``parameters.json``; leave ``outcome.json`` there."""
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    parameters = json.loads((folder / "parameters.json").read_text())
    began, status, error = time.monotonic(), "done", ""
    try:
        run_notebook(
            folder / "notebook.ipynb", folder / "executed.ipynb", parameters, cwd=workdir,
            progress=False,
        )  # fmt: skip
    except NotebookError as failure:
        status = "lost" if isinstance(failure.__context__, DeadKernelError) else "failed"
        error = str(failure).split("\n")[0].replace(f"{folder}{os.sep}", "")
    outcome = {
        "status": status,
        "error": error,
        "duration": time.monotonic() - began,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }
    (folder / "outcome.json").write_text(json.dumps(outcome))


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
