"""Run a notebook with parameters, and say exactly what went wrong where."""

import os
import re
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError

from .cells import tags
from .handover import QUIET_KERNEL

__all__ = [
    "NotebookError",
    "last_started",
    "run_notebook",
    "stderr_texts",
]

KERNEL = "ehrgan.sweeps.kernel.OrderlyKernel"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
ADDED_BY_PAPERMILL = {"injected-parameters", "papermill-error-cell-tag"}


class NotebookError(RuntimeError):
    """A notebook did not run to its end; the message names it, the cell and the error."""


def run_notebook(source, target, parameters=None, *, cwd=None, progress=None):
    """Execute a notebook into a new file.

    Parameters
    ----------
    source, target : path-like
        The notebook to execute, and where its executed copy goes.
    parameters : dict, optional
        Values for names that the notebook's parameters cell assigns; see
        :func:`~ehrgan.sweeps.cells.parameter_defaults`.
    cwd : path-like, optional
        The kernel's working folder, by default the folder of `target`.
    progress : bool, optional
        Whether to draw a bar; by default only on a terminal.

    Returns
    -------
    list of str
        What the notebook wrote to stderr, one text per cell that did.

    Raises
    ------
    NotebookError
        If a cell fails or the kernel dies. The partial notebook stays at `target`.

    Notes
    -----
    The kernel is the one of the running Python, whatever name the notebook's metadata holds.
    Memory: a bare kernel takes about 80 MB, one with TensorFlow about 700 MB.
    """
    source, target = Path(source), Path(target)
    for name, value in QUIET_KERNEL.items():
        os.environ.setdefault(name, value)
    disable = None if progress is None else not progress
    try:
        executed = papermill.execute_notebook(
            source,
            target,
            parameters or {},
            kernel_name="python3",
            language="python",
            cwd=cwd or target.parent,
            progress_bar={"desc": source.stem, "disable": disable, "leave": False},
            extra_arguments=["--log-level=CRITICAL", f"--IPKernelApp.kernel_class={KERNEL}"],
            iopub_timeout=120,  # by default a busy machine loses outputs after 4 s, in silence
            raise_on_iopub_timeout=True,
        )
    except PapermillExecutionError as error:
        traceback = COLOUR.sub("", "\n".join(error.traceback))
        where = f"{source}, cell {last_started(target)}"
        raise NotebookError(f"{where}: {error.ename}: {error.evalue}\n\n{traceback}") from None
    except (DeadKernelError, CellTimeoutError) as error:
        raise NotebookError(f"{source}, cell {last_started(target)}: {error}") from None
    for machine_path in ("input_path", "output_path"):  # the book offers this file for download
        del executed.metadata.papermill[machine_path]
    nbformat.write(executed, target)
    return stderr_texts(executed)


def last_started(target):
    """Position of the last cell that began to run, counted from 1 in the notebook as written."""
    cells = nbformat.read(target, as_version=4).cells
    written = [cell for cell in cells if not ADDED_BY_PAPERMILL & tags(cell)]
    started = [n for n, cell in enumerate(written, 1) if cell.metadata.papermill.start_time]
    return max(started, default=1)


def stderr_texts(notebook):
    """What each cell wrote to stderr, for the cells that did."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return [output.text for output in outputs if output.get("name") == "stderr"]
