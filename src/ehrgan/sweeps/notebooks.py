"""Run a notebook with parameters, and say exactly what went wrong where."""

import ast
import os
import re
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from papermill.translators import PythonTranslator

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PARAMETERS_TAG = "parameters"
ADDED_BY_PAPERMILL = {"injected-parameters", "papermill-error-cell-tag"}
QUIET_KERNEL = {
    "TF_CPP_MIN_LOG_LEVEL": "3",  # TensorFlow's lines are about the machine, not the study
    "TQDM_DISABLE": "1",  # on a page a bar that has run is noise, and its widget fetches scripts
    "JUPYTER_PREFER_ENV_PATH": "1",  # a kernel registered in the home folder must not win over ours
}


class NotebookError(RuntimeError):
    """A notebook did not run to its end; the message names it, the cell and the error."""


def parameter_defaults(path):
    """Names and default values of the parameters that a notebook takes.

    Parameters
    ----------
    path : path-like
        The notebook. One cell of it carries the tag ``parameters``.

    Returns
    -------
    dict of str to str
        Parameter name to the text of its default value; empty if there is no such cell.

    Notes
    -----
    The cell is read, not executed.
    """
    cells = nbformat.read(path, as_version=4).cells
    tagged = [cell for cell in cells if PARAMETERS_TAG in tags(cell)]
    found = PythonTranslator.inspect(tagged[0]) if tagged else []
    return {parameter.name: parameter.default for parameter in found}


def run_notebook(source, target, parameters=None, *, cwd=None, progress=None):
    """Execute a notebook into a new file.

    Parameters
    ----------
    source, target : path-like
        The notebook to execute, and where its executed copy goes.
    parameters : dict, optional
        Values for names that the notebook's parameters cell assigns; see `parameter_defaults`.
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
            extra_arguments=["--log-level=CRITICAL"],
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


def tags(cell):
    """The set of a cell's tags."""
    return set(cell.metadata.get("tags", []))


def stderr_texts(notebook):
    """What each cell wrote to stderr, for the cells that did."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return [output.text for output in outputs if output.get("name") == "stderr"]


def literal(text):
    """A command-line value as Python reads it, or the text itself.

    Examples
    --------
    >>> literal("3"), literal("0.3"), literal("None"), literal("honest")
    (3, 0.3, None, 'honest')
    """
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
