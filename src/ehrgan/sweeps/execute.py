"""One run of a notebook, in a process of its own."""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ..source import source_fingerprint
from .family import end_family
from .handover import QUIET_KERNEL, RECORD

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
              "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")  # fmt: skip

OTHER_SOURCE = (
    "the library there is not the one that planned this sweep: every machine needs the same, and "
    "it must not be edited while a sweep runs"
)
OWN_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # as a session is on Windows
PATIENCE = 0.2  # seconds between two looks at what a process is doing


class RunLost(RuntimeError):
    """A run that was killed from outside, so that another try may do better; holds its outcome."""


def failure(error):
    """The outcome of a run that could not be made."""
    return {"status": "failed", "error": error, "duration": 0.0, "peak_memory_mb": 0.0,
            "notebook": b"", "scores": b""}  # fmt: skip


def execute(content, parameters, source, workdir=None, timeout=None, stop=None):
    """Run a notebook once, in a process of its own.

    Parameters
    ----------
    content : bytes
        The notebook.
    parameters : dict
        Its parameters.
    source : str
        Fingerprint that the library's source must have here, so that no two are mixed.
    workdir : str, optional
        Folder that the notebook works in; an empty one of its own by default.
    timeout : float, optional
        Seconds that it may take.
    stop : threading.Event, optional
        Ends the run when set.

    Returns
    -------
    dict
        status, error, duration (seconds), peak_memory_mb, notebook (bytes, partial if it failed)
        and scores (bytes of Parquet, empty if there are none).

    Raises
    ------
    RunLost
        If its process was killed, by the system or because of `stop`.
    """
    if source_fingerprint() != source:
        return failure(OTHER_SOURCE)
    if workdir is not None and not os.path.isdir(workdir):
        return failure(f"there is no folder {workdir} to work in; --workdir names another")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ehrgan-run-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        in_time = _wait(_start(folder, content, parameters, workdir), timeout, stop)
        outcome = _collected(folder)
    if not in_time:
        late = {"status": "failed", "error": f"took longer than {timeout:g} s"}
        return {**outcome, **late, "duration": time.monotonic() - began}
    if outcome["status"] == "lost":
        raise RunLost({**outcome, "duration": time.monotonic() - began})
    return outcome if source_fingerprint() == source else failure(OTHER_SOURCE)


def _start(folder, content, parameters, workdir):
    """Start a worker in a folder; it ends when its standard input does, so with the sweep."""
    (folder / "notebook.ipynb").write_bytes(content)
    (folder / "parameters.json").write_text(json.dumps(parameters))
    environment = {**os.environ, **QUIET_KERNEL, RECORD: str(folder / "scores.parquet")}
    environment |= dict.fromkeys(ONE_THREAD, "1")
    with (folder / "stderr.txt").open("wb") as stderr:
        return subprocess.Popen(
            [sys.executable, "-m", "ehrgan.sweeps.worker", str(folder), str(workdir or folder)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=stderr, env=environment,
            cwd=folder,
            # Ctrl-C is for the sweep, which then ends its workers
            start_new_session=True, creationflags=OWN_GROUP,
        )  # fmt: skip


def _wait(worker, timeout, stop):
    """Wait for a worker, or end it when its time is up or the sweep stops; say if in time."""
    end = math.inf if timeout is None else time.monotonic() + timeout
    in_time = True
    with worker.stdin:
        while True:
            try:
                worker.wait(min(PATIENCE, end - time.monotonic()))
                return in_time
            except subprocess.TimeoutExpired:
                in_time = time.monotonic() < end
                if not in_time or (stop is not None and stop.is_set()):
                    end_family(worker.pid)


def _collected(folder):
    """What a worker left in its folder; status "lost" if it had no time to say how it went."""

    def read(name):
        return (folder / name).read_bytes() if (folder / name).exists() else b""

    notebook = read("executed.ipynb")
    try:
        json.loads(notebook)
    except ValueError:
        notebook = b""  # killed while it wrote
    try:
        outcome = json.loads(read("outcome.json"))
    except ValueError:
        said = read("stderr.txt").decode(errors="replace").strip().rpartition("\n")[2]
        error = f"its process ended early: {said}" if said else "its process was killed"
        outcome = {**failure(error), "status": "lost"}
    return {**outcome, "notebook": notebook, "scores": read("scores.parquet")}
