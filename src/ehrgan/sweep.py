"""Sweeps: many papermill runs of one notebook, on this machine or on a Dask cluster.

A run is known by its notebook, its parameters and the library's source; what is already there is
not run again. Each run leaves ``runs/KEY.ipynb`` (the executed notebook), ``runs/KEY.parquet`` (its
scores) and, last of all, ``runs/KEY.json`` (how it went), each whole or not at all.
"""

import hashlib
import io
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import fsspec
import nbformat
import pandas as pd
import psutil
import yaml
from tqdm import tqdm

from .handover import RECORD
from .notebooks import QUIET_KERNEL, literal, parameter_defaults
from .protocol import source_fingerprint
from .replicas import no_bars
from .saving import write_whole
from .worker import end_family

__all__ = ["GridError", "Run", "plan", "read_grid", "read_sweep", "state", "sweep"]

MEMORY_OF_A_RUN = 1.5e9  # bytes that a TensorFlow kernel may need
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
              "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")  # fmt: skip
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


class GridError(ValueError):
    """A sweep that cannot start; the message says what to change."""


class Run(NamedTuple):
    """One notebook run of a sweep.

    Parameters
    ----------
    key : str
        Twelve hexadecimal digits: a hash of notebook, parameters and library source.
    parameters : dict
        Every parameter of the notebook with its value, defaults included.
    source : str
        Fingerprint of the library's source when the run was planned.
    """

    key: str
    parameters: dict
    source: str


# --- what to run ----------------------------------------------------------------------------------


def read_grid(path):
    r"""Read a grid file: which values to combine, which sets to add, which to hold fixed.

    Parameters
    ----------
    path : path-like
        YAML with any of ``product`` (name to list of values, all combined), ``list`` (sets of
        values), ``fixed`` (values for all) and ``seeds`` (a list, or how many, counted from 0).

    Returns
    -------
    list of dict
        One set of parameters for each run, none twice.

    Raises
    ------
    GridError
        If the file is missing, is no YAML of that form, or holds no run.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
    ...     _ = file.write("product: {a: [1, 2]}\nseeds: 2\nfixed: {b: x}\n")
    ...     file.flush()
    ...     read_grid(file.name)[:2]
    [{'b': 'x', 'a': 1, 'seed': 0}, {'b': 'x', 'a': 1, 'seed': 1}]
    """
    try:
        grid = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise GridError(f"the grid {path} cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise GridError(f"the grid {path} is not YAML: {' '.join(str(error).split())}") from None
    known = {"product", "list", "fixed", "seeds"}
    if not isinstance(grid, dict) or not set(grid) <= known:
        raise GridError(f"the grid {path} must hold {', '.join(sorted(known))} and nothing else")
    product, sets = grid.get("product") or {}, grid.get("list") or []
    bad = [name for name, values in product.items() if not isinstance(values, list)]
    if bad or not all(isinstance(one, dict) for one in sets):
        raise GridError(
            f"in {path}, product needs a list for {bad or 'each name'}, list needs sets"
        )
    combined = [dict(zip(product, v, strict=True)) for v in itertools.product(*product.values())]
    runs = [*(combined if product else []), *sets]
    seeds = grid.get("seeds", [])
    seeds = list(range(seeds)) if isinstance(seeds, int) else seeds
    if seeds:
        runs = [{**run, "seed": seed} for run in runs or [{}] for seed in seeds]
    runs = [{**(grid.get("fixed") or {}), **run} for run in runs]
    unique = list({json.dumps(run, sort_keys=True): run for run in runs}.values())
    if not unique:
        raise GridError(f"the grid {path} is empty: it asks for no run")
    return unique


def plan(notebook, sets):
    """Check sets of parameters against a notebook, and name each run.

    Parameters
    ----------
    notebook : path-like
        With one cell tagged ``parameters``.
    sets : list of dict
        As :func:`read_grid` gives them.

    Returns
    -------
    list of Run
        In the order given; sets that come to the same run stand once.

    Raises
    ------
    GridError
        If the notebook cannot be read, or a name or type of value is not the notebook's.
    """
    try:
        cells = nbformat.read(notebook, as_version=4).cells
        defaults = {name: literal(text) for name, text in parameter_defaults(notebook).items()}
    except (OSError, ValueError) as error:
        raise GridError(f"the notebook {notebook} cannot be read: {error}") from None
    for values in sets:
        for name, value in values.items():
            _check_parameter(notebook, name, value, defaults)
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    runs, source = {}, source_fingerprint()
    for values in sets:
        parameters = {**defaults, **values}
        told = json.dumps([Path(notebook).name, code, parameters, source], sort_keys=True)
        key = hashlib.sha256(told.encode()).hexdigest()[:12]
        runs[key] = Run(key, parameters, source)
    return list(runs.values())


def _check_parameter(notebook, name, value, defaults):
    """Refuse a name that the notebook does not take, or a value of another type."""
    if name not in defaults:
        raise GridError(
            f"{Path(notebook).name} takes no parameter {name!r}; it takes {', '.join(defaults)}"
        )
    kind = type(defaults[name])
    fits = kind not in KINDS or isinstance(value, (int, float) if kind is float else kind)
    if not fits or (kind in (int, float) and isinstance(value, bool)):
        raise GridError(f"{name} must be {KINDS[kind]}, got {value!r}")


# --- what is there --------------------------------------------------------------------------------


class _Store:
    """The folder of a sweep, local or on an object store that fsspec knows."""

    def __init__(self, out):
        try:
            self.fs, self.root = fsspec.core.url_to_fs(str(out))
        except (ImportError, ValueError) as error:
            raise GridError(f"the target {out} cannot be used: {error}") from None
        self.local = "file" in self.fs.protocol

    def path(self, key, suffix):
        return f"{self.root}/runs/{key}.{suffix}"

    def check_writable(self):
        probe = f"{self.root}/runs/.probe-{os.getpid()}"
        try:
            self.fs.makedirs(f"{self.root}/runs", exist_ok=True)
            self.fs.pipe_file(probe, b"")
            self.fs.rm_file(probe)
        except Exception as error:  # every store has errors of its own
            raise GridError(f"the target {self.root} cannot be written: {error}") from None

    def write(self, path, content):
        """Write a file whole or not at all; an object store's put is that by nature."""
        if self.local:
            write_whole(path, content)
        else:
            self.fs.pipe_file(path, content)

    def outcome(self, key):
        """How a run went, or None if it has not ended."""
        try:
            return json.loads(self.fs.cat_file(self.path(key, "json")))
        except FileNotFoundError:
            return None

    def is_done(self, key):
        """Whether a run has ended well."""
        return (self.outcome(key) or {}).get("status") == "done"

    def outcomes(self):
        """How every run in the folder went."""
        self.fs.invalidate_cache()
        paths = self.fs.glob(f"{self.root}/runs/*.json")
        return [json.loads(self.fs.cat_file(path)) for path in sorted(paths)]

    @contextmanager
    def claim(self, key):
        """Hold a run against other sweeps on this machine; a killed holder lets go by itself."""
        if not self.local:  # two sweeps may then both run it, to the same result
            yield
            return
        import fcntl

        with open(self.path(key, "lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def is_claimed(self, key):
        """Whether a sweep on this machine is at a run now."""
        path = Path(self.path(key, "lock"))
        if not self.local or not path.exists():
            return False
        import fcntl

        with path.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def publish(self, run, notebook_name, outcome):
        """Put a run's files in place, the verdict last."""
        about = {
            "key": run.key, "parameters": run.parameters, "notebook": notebook_name,
            "version": version("ehrgan"), "source": run.source,
            **{k: outcome[k] for k in ("status", "error", "duration", "peak_memory_mb")},
        }  # fmt: skip
        about["error"] = about["error"].replace("notebook.ipynb", notebook_name)
        if outcome["notebook"]:
            self.write(self.path(run.key, "ipynb"), outcome["notebook"])
        if outcome["status"] == "done":
            self.write(self.path(run.key, "parquet"), _tidy(outcome["scores"], about))
        self.write(self.path(run.key, "json"), (json.dumps(about, indent=1) + "\n").encode())


def _tidy(scores, about):
    """Scores with the run's parameters and circumstances in columns, as Parquet."""
    table = pd.read_parquet(io.BytesIO(scores)) if scores else pd.DataFrame(index=[0])
    own = {k: about[k] for k in ("key", "version", "source", "duration", "peak_memory_mb")}
    parameters = {f"parameter_{k}": v for k, v in about["parameters"].items()}
    return table.assign(**parameters, **own).to_parquet(index=False)


def state(out):
    """Say of every run in a folder whether it is done, running or failed, and why.

    Parameters
    ----------
    out : path-like or str
        Folder of a sweep, or its ``s3://`` address.

    Returns
    -------
    DataFrame
        Columns key, status, duration, error and parameters; runs of another source than the
        installed library's have the status "stale".
    """
    store, source = _Store(out), source_fingerprint()
    rows = {}
    for about in store.outcomes():
        stale = about["source"] != source
        status = "stale" if stale and about["status"] == "done" else about["status"]
        rows[about["key"]] = (status, about["duration"], about["error"], about["parameters"])
    for path in store.fs.glob(f"{store.root}/runs/*.lock"):
        key = Path(path).stem
        if store.is_claimed(key):
            rows[key] = "running", float("nan"), "", rows.get(key, ("", 0, "", {}))[3]
    columns = ["status", "duration", "error", "parameters"]
    return (
        pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        .rename_axis("key")
        .reset_index()
    )


def read_sweep(out, *, source=None):
    """Read the scores of a sweep as one table.

    Parameters
    ----------
    out : path-like or str
        Folder of a sweep, or its ``s3://`` address.
    source : str, optional
        Fingerprint of the library's source whose runs are wanted, where the folder holds several.

    Returns
    -------
    DataFrame
        Every row of every finished run, sorted by key: what the notebook recorded, its parameters
        as ``parameter_*``, key, version, source, duration (seconds) and peak_memory_mb.

    Raises
    ------
    GridError
        If there is no finished run, or runs of several versions of the library would be mixed.
    """
    store = _Store(out)
    done = [about for about in store.outcomes() if about["status"] == "done"]
    by_source = {about["source"]: about["version"] for about in done}
    if source is None and len(by_source) > 1:
        told = ", ".join(f"{s} (version {v})" for s, v in by_source.items())
        raise GridError(f"{out} holds runs of several sources: {told}; choose one with source=")
    keys = [a["key"] for a in done if source in (None, a["source"])]
    if not keys:
        raise GridError(f"{out} holds no finished run" + (f" of source {source}" if source else ""))
    parts = []
    for key in keys:
        with store.fs.open(store.path(key, "parquet"), "rb") as file:
            parts.append(pd.read_parquet(file))
    return pd.concat(parts, ignore_index=True)


# --- running --------------------------------------------------------------------------------------


def sweep(
    notebook, sets, out, *, jobs=None, scheduler=None, timeout=None, retries=2, progress=True
):
    """Run a notebook once for each set of parameters, leaving out what is already done.

    Parameters
    ----------
    notebook : path-like
        The notebook.
    sets : list of dict
        Its parameters, as :func:`read_grid` gives them.
    out : path-like or str
        Folder for the results, or an address that fsspec knows, such as ``s3://bucket/name``.
    jobs : int, optional
        Runs at a time on this machine; as many as cores and memory allow by default.
    scheduler : str, optional
        Address of a running Dask scheduler that takes the runs, such as ``tcp://host:8786``.
    timeout : float, optional
        Seconds that a run may take.
    retries : int, default=2
        How often a run is tried again whose process was killed. A cell that fails is not retried.
    progress : bool, default=True
        Show a progress bar; quiet in CI.

    Returns
    -------
    list of dict
        How each run went, in the order of the plan: key, parameters, status ("done" or "failed"),
        error and duration.

    Raises
    ------
    GridError
        If anything is wrong before a run starts.

    Notes
    -----
    Each run has a process of its own with one thread, so that its numbers do not depend on how many
    run beside it. Two sweeps into one folder of one machine share the work.
    """
    runs, store = plan(notebook, sets), _Store(out)
    store.check_writable()
    todo = [run for run in runs if not store.is_done(run.key)]
    content = Path(notebook).read_bytes()
    start = _on_cluster if scheduler else _on_this_machine
    hidden = not progress or no_bars()
    with tqdm(total=len(runs), initial=len(runs) - len(todo), disable=hidden or None) as bar:
        where = scheduler or jobs or most_jobs()
        for _ in start(where, todo, store, Path(notebook).name, content, timeout, retries):
            bar.update()
    return [store.outcome(run.key) for run in runs]


def most_jobs():
    """Runs that this machine holds at once: one for each core, as far as memory goes.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> most_jobs() >= 1
    True
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores, int(psutil.virtual_memory().available // MEMORY_OF_A_RUN)))


def _on_this_machine(jobs, todo, store, name, content, timeout, retries):
    """Run on a pool of threads, each waiting for a process of its own."""

    def one(run):
        with store.claim(run.key):
            if not store.is_done(run.key):
                outcome = execute(content, run.parameters, timeout, retries)
                store.publish(run, name, outcome)

    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(one, run) for run in todo]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _on_cluster(address, todo, store, name, content, timeout, retries):
    """Run on a Dask cluster; results come back with the tasks and are written here."""
    from distributed import Client
    from distributed import as_completed as as_they_come

    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError, TimeoutError) as error:
        raise GridError(f"the scheduler {address} does not answer: {error}") from None
    with client:
        futures = {
            client.submit(execute, content, run.parameters, timeout, retries,
                          key=f"ehrgan-{run.key}", retries=retries, pure=False): run
            for run in todo
        }  # fmt: skip
        for future in as_they_come(futures):
            error = future.exception()
            outcome = future.result() if error is None else _failure(f"the worker failed: {error}")
            store.publish(futures[future], name, outcome)
            yield


def _failure(error, notebook=b"", duration=0.0):
    return {"status": "failed", "error": error, "duration": duration, "peak_memory_mb": 0.0,
            "notebook": notebook, "scores": None}  # fmt: skip


def execute(content, parameters, timeout=None, retries=2):
    """Run a notebook in a process of its own, and again if that process is killed.

    Parameters
    ----------
    content : bytes
        The notebook.
    parameters : dict
        Its parameters.
    timeout : float, optional
        Seconds that it may take.
    retries : int, default=2
        How often it is tried again after its process was killed.

    Returns
    -------
    dict
        status, error, duration (seconds), peak_memory_mb, notebook (bytes, partial if it failed)
        and scores (Parquet bytes or None).
    """
    for _ in range(retries + 1):
        with tempfile.TemporaryDirectory(prefix="ehrgan-run-") as folder:
            outcome = _attempt(Path(folder), content, parameters, timeout)
        if outcome is not None:
            return outcome
    return _failure(f"its process was killed {retries + 1} times")


def _attempt(folder, content, parameters, timeout):
    """One attempt in a folder; None if the process was killed from outside."""
    (folder / "notebook.ipynb").write_bytes(content)
    (folder / "parameters.json").write_text(json.dumps(parameters))
    environment = {**os.environ, **QUIET_KERNEL, RECORD: str(folder / "scores.parquet")}
    environment |= dict.fromkeys(ONE_THREAD, "1")
    # the worker ends when its standard input does, so that none outlives a killed sweep
    with (folder / "stderr.txt").open("wb") as stderr:
        worker = subprocess.Popen(
            [sys.executable, "-m", "ehrgan.worker", str(folder)], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=stderr, env=environment, cwd=folder,
        )  # fmt: skip
    started = time.monotonic()
    try:
        worker.wait(timeout)
    except subprocess.TimeoutExpired:
        end_family(worker.pid)
        worker.wait()
        partial = folder / "executed.ipynb"
        notebook = partial.read_bytes() if partial.exists() else b""
        return _failure(f"took longer than {timeout:g} s", notebook, time.monotonic() - started)
    finally:
        worker.stdin.close()
    if worker.returncode < 0:
        return None
    if not (folder / "outcome.json").exists():
        said = (folder / "stderr.txt").read_text(errors="replace").strip()[-500:]
        return _failure(f"its process ended with {worker.returncode}: {said}")
    outcome = json.loads((folder / "outcome.json").read_text())
    for key, name in (("notebook", "executed.ipynb"), ("scores", "scores.parquet")):
        path = folder / name
        outcome[key] = path.read_bytes() if path.exists() else None
    return outcome
