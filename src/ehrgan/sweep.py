"""Sweeps: many papermill runs of one notebook, on this machine or on a Dask cluster.

A run is known by its notebook, its parameters and the library's source; what is already there is
not run again. Each run leaves ``runs/KEY.ipynb`` (the executed notebook), ``runs/KEY.parquet`` (its
scores) and, last of all, ``runs/KEY.json`` (how it went), each whole or not at all.
"""

import fcntl
import hashlib
import io
import itertools
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import fsspec
import joblib
import nbformat
import pandas as pd
import psutil
import yaml
from tqdm import tqdm

from .handover import OWN, PARAMETER, RECORD
from .notebooks import QUIET_KERNEL, literal, parameter_defaults
from .protocol import source_fingerprint
from .replicas import no_bars
from .worker import end_family

__all__ = ["GridError", "Run", "plan", "read_grid", "read_sweep", "state", "sweep"]

MEMORY_OF_A_RUN = 1.5e9  # bytes that a TensorFlow kernel may need
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
              "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")  # fmt: skip
MOST_RUNS = 100_000  # more is rather a seed given as the number of seeds
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
SECTIONS = {
    "product": (dict, "names, each with a list of values"),
    "list": (list, "sets of values"),
    "fixed": (dict, "names with values"),
}
NOTE = {"key", "parameters", "notebook", "version", "source", "status", "error", "duration"}
OTHER_SOURCE = (
    "the library there is not the one that planned this sweep: every machine needs the same, and "
    "it must not be edited while a sweep runs"
)
PATIENCE = 0.2  # seconds between two looks at what another sweep or a process is doing


class GridError(ValueError):
    """A sweep that cannot start; the message says what to change."""


class RunLost(RuntimeError):
    """A run that was killed from outside, so that another try may do better; holds its outcome."""


class Run(NamedTuple):
    """One notebook run of a sweep.

    Parameters
    ----------
    key : str
        Twelve hexadecimal digits: a hash of notebook, parameters and library source.
    parameters : dict
        The values of the grid, and the notebook's own for every other parameter that it sets to a
        plain value.
    source : str
        Fingerprint of the library's source when the run was planned.
    notebook : str
        The notebook's name, ``@`` and a hash of its code.
    """

    key: str
    parameters: dict
    source: str
    notebook: str


# --- what to run ----------------------------------------------------------------------------------


class _GridLoader(yaml.SafeLoader):
    """YAML's safe loader, which also refuses a name that stands twice."""

    def construct_mapping(self, node, deep=False):
        if isinstance(node, yaml.MappingNode):
            names = [name.value for name, _ in node.value if isinstance(name, yaml.ScalarNode)]
            if twice := [name for name in names if names.count(name) > 1]:
                raise yaml.YAMLError(f"{twice[0]!r} stands twice{node.start_mark}")
        return super().construct_mapping(node, deep)


def read_grid(path):
    r"""Read a grid file: which values to combine, which sets to add, which to hold fixed.

    Parameters
    ----------
    path : path-like
        YAML with any of ``product`` (name to list of values, all combined), ``list`` (sets of
        values), ``fixed`` (values for all that do not say otherwise) and ``seeds`` (a list, or how
        many, counted from 0).

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
        with open(path, encoding="utf-8") as file:
            grid = yaml.load(file, _GridLoader)
    except OSError as error:
        raise GridError(f"the grid {path} cannot be read: {error.strerror}") from None
    except (
        yaml.YAMLError,
        ValueError,
        RecursionError,
    ) as error:  # ValueError: 2026-13-45, or not UTF-8
        raise GridError(f"the grid {path} is not YAML: {' '.join(str(error).split())}") from None
    product, sets, fixed, seeds = _sections(path, grid)
    n_runs = (math.prod(map(len, product.values())) + len(sets)) * max(1, len(seeds))
    if n_runs > MOST_RUNS:
        raise GridError(f"the grid {path} asks for over {MOST_RUNS} runs; is that meant?")
    combined = [dict(zip(product, v, strict=True)) for v in itertools.product(*product.values())]
    runs = [*(combined if product else []), *sets]
    if seeds:
        runs = [{**run, "seed": seed} for run in runs or [{}] for seed in seeds]
    unique = list({_told(run): run for run in [{**fixed, **run} for run in runs]}.values())
    if not unique:
        raise GridError(f"the grid {path} is empty: it asks for no run")
    return unique


def _sections(path, grid):
    """The four parts of a grid, or a sentence on what is wrong with them."""
    known = {*SECTIONS, "seeds"}
    if not isinstance(grid, dict) or not set(grid) <= known:
        raise GridError(f"the grid {path} must hold {', '.join(sorted(known))} and nothing else")
    parts = {}
    for name, (kind, words) in SECTIONS.items():
        parts[name] = kind() if grid.get(name) is None else grid[name]
        if not isinstance(parts[name], kind):
            raise GridError(f"in {path}, {name} must hold {words}, got {parts[name]!r}")
    for name, values in parts["product"].items():
        if not isinstance(values, list):
            raise GridError(f"in {path}, product needs a list for {name}, got {values!r}")
        if not values:
            raise GridError(f"the grid {path} is empty: product has no value for {name}")
    for one in parts["list"]:
        if not isinstance(one, dict):
            raise GridError(f"in {path}, list needs sets such as {{name: value}}, got {one!r}")
    seeds = _seeds(path, grid.get("seeds"))
    held = [*parts["fixed"], *(["seed"] * bool(seeds))]
    given = {*parts["product"], *(name for one in parts["list"] for name in one if seeds)}
    if twice := [name for name in held if name in given or held.count(name) > 1]:
        raise GridError(f"in {path}, {twice[0]} is given twice, in two parts of the grid")
    return parts["product"], parts["list"], parts["fixed"], seeds


def _seeds(path, seeds):
    """Seeds as a list, from a list or from how many."""
    if seeds is None:
        return []
    if type(seeds) is int:
        found = range(min(seeds, MOST_RUNS + 1))
    else:
        found = seeds if isinstance(seeds, list) else []
    if not found or any(type(seed) is not int or seed < 0 for seed in found):
        raise GridError(
            f"in {path}, seeds must be how many, from 1, or a list of whole numbers from 0, "
            f"got {seeds!r}"
        )
    return found


def _told(values):
    """A set of parameters as text, the same for the same set; refuse what JSON cannot hold."""
    for name, value in values.items():
        if not isinstance(name, str):
            raise GridError(f"the name of a parameter must be text, got {name!r}")
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            hint = "; quotes make text of it" if hasattr(value, "isoformat") else ""
            raise GridError(
                f"{name} must be text, a finite number, true, false, null, or a list or mapping "
                f"of these, got {value!r}{hint}"
            ) from None
    return json.dumps(values, sort_keys=True)


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
        code = [cell.source for cell in cells if cell.cell_type == "code"]
        texts = parameter_defaults(notebook)
    except (OSError, ValueError) as error:
        raise GridError(f"the notebook {notebook} cannot be read: {error}") from None
    except Exception:  # nbformat raises errors of many kinds
        raise GridError(f"the notebook {notebook} is JSON, but no notebook") from None
    known = {name: literal(text) for name, text in texts.items()}
    known = {name: value for name, value in known.items() if _is_plain(value, texts[name])}
    runs, source, name = {}, source_fingerprint(), Path(notebook).name
    label = f"{name}@{hashlib.sha256(json.dumps(code).encode()).hexdigest()[:8]}"
    for values in sets:
        _told(values)
        values = {k: _checked(name, k, value, texts, known) for k, value in values.items()}
        parameters = {**known, **values}
        told = json.dumps([name, code, parameters, source], sort_keys=True)
        key = hashlib.sha256(told.encode()).hexdigest()[:12]
        runs[key] = Run(key, parameters, source, label)
    return list(runs.values())


def _is_plain(default, text):
    """Whether a default may be handed to the notebook as it is; a formula, say, may not."""
    try:
        return default != text and json.loads(json.dumps(default)) == default
    except (TypeError, ValueError):
        return False


def _checked(notebook, name, value, texts, known):
    """Give a value as the notebook takes it; refuse a name or a type that it does not."""
    if name not in texts:
        takes = f"it takes {', '.join(texts)}" if texts else "it has no cell tagged parameters"
        raise GridError(f"{notebook} takes no parameter {name!r}; {takes}")
    kind = type(known.get(name))
    fits = kind not in KINDS or isinstance(value, (int, float) if kind is float else kind)
    if not fits or (kind in (int, float) and isinstance(value, bool)):
        hint = "; YAML wants 1.0e-3, not 1e-3" if kind is float and isinstance(value, str) else ""
        raise GridError(f"{name} must be {KINDS[kind]}, got {value!r}{hint}")
    try:
        return float(value) if kind is float else value  # 1 and 1.0 are one run
    except OverflowError:
        raise GridError(f"{name} must be a number of double precision, got {value!r}") from None


# --- what is there --------------------------------------------------------------------------------


class _Store:
    """The folder of a sweep, local or on an object store that fsspec knows."""

    def __init__(self, out):
        self.out = out
        try:  # others write there too, so that no listing may be kept
            self.fs, self.root = fsspec.core.url_to_fs(str(out), use_listings_cache=False)
        except Exception as error:  # every store has errors of its own
            raise GridError(f"the target {out} cannot be used: {error}") from None
        if not str(out):
            raise GridError("the target must be a folder or an address, got ''")
        self.local = "file" in self.fs.protocol

    def path(self, key, suffix):
        return f"{self.root}/runs/{key}.{suffix}"

    def check_writable(self):
        try:
            if self.local:
                os.makedirs(f"{self.root}/runs", exist_ok=True)
                tempfile.TemporaryFile(dir=f"{self.root}/runs").close()
            else:
                self.fs.pipe_file(f"{self.root}/runs/.probe", b"")
                self.fs.rm_file(f"{self.root}/runs/.probe")
        except Exception as error:
            raise GridError(f"the target {self.out} cannot be written: {error}") from None

    def write(self, path, content):
        """Write a file whole or not at all; an object store's put is that by nature."""
        if not self.local:
            self.fs.pipe_file(path, content)
            return
        partial = f"{path}.partial"  # the claim makes it ours: what a killed sweep left is replaced
        try:
            with open(partial, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        finally:
            Path(partial).unlink(missing_ok=True)  # a full disk needs the room

    def names(self):
        """Names of all files, none if there is no such folder."""
        try:
            return {
                path.rsplit("/", 1)[1] for path in self.fs.ls(f"{self.root}/runs", detail=False)
            }
        except FileNotFoundError:
            return set()
        except Exception as error:
            raise GridError(f"{self.out} cannot be read: {error}") from None

    def outcomes(self):
        """How every run in the folder went, by its key."""
        names = self.names()
        keys = sorted(name[:12] for name in names if re.fullmatch(r"[0-9a-f]{12}\.json", name))
        with ThreadPoolExecutor(8) as pool:  # an object store takes its time for each
            notes = list(pool.map(lambda key: self.fs.cat_file(self.path(key, "json")), keys))
        return {key: _note(key, note, names) for key, note in zip(keys, notes, strict=True)}

    def outcome(self, key):
        """How one run went, or None if it has not ended."""
        try:
            note = self.fs.cat_file(self.path(key, "json"))
        except FileNotFoundError:
            return None
        files = (f"{key}.{suffix}" for suffix in ("ipynb", "parquet"))
        return _note(key, note, {f for f in files if self.fs.exists(f"{self.root}/runs/{f}")})

    def claim(self, run):
        """Hold a run against other sweeps; None if another is at it, else close it to let go.

        A killed holder lets go by itself. On an object store two sweeps may both run it, to the
        same result.
        """
        held = ExitStack()
        if self.local:
            try:
                path = self.path(f".{run.key}", "lock")
                lock = held.enter_context(open(path, "ab", buffering=0))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                lock.truncate(0)
                lock.write(json.dumps([run.notebook, run.parameters]).encode())
            except BlockingIOError:
                held.close()
                return None
            except OSError:
                pass  # the disk is full, or its file system has no locks: on without them
        return held

    def running(self):
        """Notebook, parameters and start of the runs that sweeps on this machine are at, by key."""
        found = {}
        for path in Path(self.root, "runs").glob(".*.lock") if self.local else ():
            with path.open() as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    since = os.fstat(lock.fileno()).st_mtime
                    found[path.stem[1:]] = *_told_by(lock.read()), since
        return found

    def publish(self, run, outcome):
        """Put a run's files in place, the verdict last; say how it went."""
        about = {
            "key": run.key, "parameters": run.parameters, "notebook": run.notebook,
            "version": version("ehrgan"), "source": run.source,
            **{k: outcome[k] for k in ("status", "error", "duration", "peak_memory_mb")},
        }  # fmt: skip
        about["error"] = about["error"].replace("notebook.ipynb", run.notebook.rpartition("@")[0])
        try:
            if outcome["notebook"]:
                self.write(self.path(run.key, "ipynb"), outcome["notebook"])
            if about["status"] == "done":
                self.write(self.path(run.key, "parquet"), _tidy(outcome["scores"], about))
            self.write(self.path(run.key, "json"), (json.dumps(about, indent=1) + "\n").encode())
        except Exception as error:  # a full disk, say, must not stop the other runs
            about |= {"status": "failed", "error": f"its results could not be written: {error}"}
        return about


def _told_by(lock):
    """Notebook and parameters from the text of a lock; it may be about to be written."""
    try:
        notebook, parameters = json.loads(lock)
    except ValueError:
        return "", {}
    return notebook, parameters


def _note(key, content, names):
    """How a run went, from its note; one whose files are not all there has failed."""
    damaged = {"key": key, "parameters": {}, "notebook": "", "version": "", "source": None,
               "status": "failed", "duration": math.nan}  # fmt: skip
    try:
        about = json.loads(content)
    except ValueError:
        about = None
    if not isinstance(about, dict) or not set(about) >= NOTE:
        return {**damaged, "error": f"its note {key}.json is damaged; the same command repairs it"}
    wanted = {f"{key}.ipynb", f"{key}.parquet"} if about["status"] == "done" else set()
    if lost := sorted(wanted - names):
        return {**about, "status": "failed", "error": f"{' and '.join(lost)} went missing"}
    return about


def _tidy(scores, about):
    """Scores with the run's parameters and circumstances in columns, as Parquet."""
    table = pd.read_parquet(io.BytesIO(scores)) if scores else pd.DataFrame(index=[0])
    own = {k: about[k] for k in OWN}
    # one value for each row, so a list or a mapping goes in as text
    parameters = {
        f"{PARAMETER}{k}": json.dumps(v) if isinstance(v, list | dict) else v
        for k, v in about["parameters"].items()
    }
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
        Columns key, status, duration (of a running one: so far, in seconds), error, parameters,
        notebook and version; runs of another source than the installed library's have the status
        "stale". Runs in progress show in a folder of this machine, not on an object store.

    Raises
    ------
    GridError
        If the folder cannot be read.
    """
    store, source = _Store(out), source_fingerprint()
    rows = store.outcomes()
    for about in rows.values():
        if about["source"] not in (source, None):
            about["status"] = "stale"
    for key, (notebook, parameters, since) in store.running().items():
        rows[key] = {"key": key, "status": "running", "duration": time.time() - since, "error": "",
                     "parameters": parameters, "notebook": notebook, "version": ""}  # fmt: skip
    columns = ["key", "status", "duration", "error", "parameters", "notebook", "version"]
    return pd.DataFrame(list(rows.values()), columns=columns)


def read_sweep(out, *, source=None, notebook=None):
    """Read the scores of a sweep as one table.

    Parameters
    ----------
    out : path-like or str
        Folder of a sweep, or its ``s3://`` address.
    source : str, optional
        Fingerprint of the library's source whose runs are wanted, where the folder holds several.
    notebook : str, optional
        The notebook whose runs are wanted, as :func:`state` names it, where the folder holds
        several or one that was edited.

    Returns
    -------
    DataFrame
        Every row of every finished run, sorted by key: what the notebook recorded, its parameters
        as ``parameter_*``, key, version, source, duration (seconds) and peak_memory_mb.

    Raises
    ------
    GridError
        If there is no finished run, a file of one cannot be read, or runs of several versions of
        the library or of the notebook would be mixed.
    """
    store = _Store(out)
    done = [about for about in store.outcomes().values() if about["status"] == "done"]
    done = [about for about in done if source in (None, about["source"])]
    done = [about for about in done if notebook in (None, about["notebook"])]
    if not done:
        of = [f"{k} {v}" for k, v in (("source", source), ("notebook", notebook)) if v]
        raise GridError(" of ".join([f"{out} holds no finished run", *of]))
    for name in ("source", "notebook"):
        versions = {about[name]: about["version"] for about in done}
        if len(versions) > 1:
            told = ", ".join(f"{one} (version {v})" for one, v in versions.items())
            raise GridError(f"{out} holds runs of several {name}s: {told}; choose one with {name}=")
    parts = []
    for about in done:
        try:
            content = store.fs.cat_file(store.path(about["key"], "parquet"))
            parts.append(pd.read_parquet(io.BytesIO(content)))
        except Exception as error:
            raise GridError(
                f"the scores of run {about['key']} in {out} cannot be read: {error}; delete its "
                "files and sweep again"
            ) from None
    return pd.concat(parts, ignore_index=True)


# --- running --------------------------------------------------------------------------------------


def sweep(
    notebook, sets, out, *, jobs=None, scheduler=None, resources=None, timeout=None, retries=2,
    progress=True,
):  # fmt: skip
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
    resources : dict of str to float, optional
        What a run takes of the resources that Dask's workers offer, such as ``{"GPU": 1}``.
    timeout : float, optional
        Seconds that one try of a run may take.
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
    Each run has a process and an empty working folder of its own and one thread, so that its
    numbers do not depend on how many run beside it. Two sweeps into one folder of one machine share
    the work.
    """
    check_options(jobs, scheduler, resources, timeout)
    runs, store = plan(notebook, sets), _Store(out)
    content = Path(notebook).read_bytes()
    store.check_writable()
    before = store.outcomes()
    found = {key: about for key, about in before.items() if about["status"] == "done"}
    todo = [run for run in runs if run.key not in found]
    if not store.local:  # without locks, sweeps side by side seldom meet if each has its own order
        random.shuffle(todo)
    job = _Job(store, before, content, timeout, retries)
    with ExitStack() as at_end:
        if scheduler is not None and todo:
            client = at_end.enter_context(connect(scheduler, resources))
            ending = _on_cluster(client, resources, todo, job)
        else:
            ending = _on_this_machine(places(jobs), todo, job)
        at_end.enter_context(closing(ending))  # however the sweep ends, so do its runs
        hidden = not progress or no_bars()
        done = {"total": len(runs), "initial": len(runs) - len(todo)}
        bar = at_end.enter_context(tqdm(**done, disable=hidden or None))
        for about in ending:
            found[about["key"]] = about
            bar.update()
    return [found[run.key] for run in runs]


class _Job(NamedTuple):
    """What all runs of a sweep have in common."""

    store: _Store
    before: dict  # how runs went before this sweep, by key
    content: bytes  # the notebook
    timeout: float | None
    retries: int

    def news(self, run):
        """How a run went that another sweep has run since this one began, else None."""
        try:
            about = self.store.outcome(run.key)
        except Exception:  # a store that does not answer now has no news
            return None
        return about if about != self.before.get(run.key) else None


def check_options(jobs=None, scheduler=None, resources=None, timeout=None):
    """Refuse options of a sweep that make no sense; see :func:`sweep`."""
    if jobs is not None and jobs < 1:
        raise GridError(f"jobs must be at least 1, got {jobs}")
    if jobs is not None and scheduler is not None:
        raise GridError("jobs is for this machine; with a scheduler its workers' threads count")
    if resources and scheduler is None:
        raise GridError("resources are what a cluster's workers offer; they need a scheduler")
    for name, amount in (resources or {}).items():
        if not (name and 0 < amount < math.inf):
            raise GridError(f"a resource needs a name and an amount above 0, got {name}={amount}")
    if timeout is not None and not 0 < timeout < math.inf:
        raise GridError(f"timeout must be a number of seconds above 0, got {timeout:g}")


def places(jobs=None, scheduler=None):
    """How many runs a sweep with these options has at a time; see :func:`sweep`.

    Returns
    -------
    int
        At least 1. On this machine one for each core, as far as memory goes; on a cluster one for
        each thread of the workers that are there now.

    Examples
    --------
    >>> places(jobs=3)
    3
    >>> places() >= 1
    True
    """
    if scheduler is not None:
        with connect(scheduler) as client:
            return max(1, sum(client.nthreads().values()))
    memory = psutil.virtual_memory().available // MEMORY_OF_A_RUN
    return jobs or max(1, min(joblib.cpu_count(), int(memory)))


def connect(scheduler, resources=None):
    """Open a client of a running Dask scheduler, or say in a sentence why not."""
    try:
        from distributed import Client

        client = Client(scheduler, timeout=10, set_as_default=False)
    except ImportError as error:
        raise GridError(f"a scheduler needs Dask, pip install 'ehrgan[cluster]': {error}") from None
    except Exception as error:  # each kind of address has errors of its own
        raise GridError(f"the scheduler {scheduler} does not answer: {error}") from None
    offers = [worker["resources"] for worker in client.scheduler_info()["workers"].values()]
    wanted = (resources or {}).items()
    if offers and not any(all(has.get(k, 0) >= v for k, v in wanted) for has in offers):
        client.close()
        told = ", ".join(f"{name}={amount:g}" for name, amount in wanted)
        raise GridError(f"no worker of {scheduler} offers {told}")
    return client


def _on_this_machine(jobs, todo, job):
    """Run on a pool of threads, each waiting for a process of its own; give verdicts as they come.

    What another sweep is at is left for later, and run if that sweep is killed or stopped.
    """
    stop = threading.Event()

    def one(run, patient):
        while (claim := job.store.claim(run)) is None:
            if not patient or stop.wait(PATIENCE):
                return None
        with claim:
            return job.news(run) or _tried(run, job, stop)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            for patient in (False, True):
                futures = {pool.submit(one, run, patient): run for run in todo}
                todo = []
                for future in as_completed(futures):
                    if about := future.result():
                        yield about
                    else:
                        todo.append(futures[future])
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _tried(run, job, stop):
    """Run once, and again if the run is lost; publish. None if the sweep stops."""
    for left in reversed(range(job.retries + 1)):
        try:
            outcome = execute(job.content, run.parameters, run.source, job.timeout, stop)
        except RunLost as lost:
            if stop.is_set():
                return None
            if left:
                continue
            outcome = _lost(lost, job)
        except OSError as error:  # no room for temporary files, say
            outcome = _failure(f"it could not be started: {error}")
        return job.store.publish(run, outcome)


def _on_cluster(client, resources, todo, job):
    """Run on a Dask cluster; results come back with the tasks and are written here."""
    from distributed import as_completed as as_they_come

    with ExitStack() as claims:
        for patient in (False, True):
            futures, later = {}, []
            for run in todo:
                while (claim := job.store.claim(run)) is None and patient:
                    time.sleep(PATIENCE)
                if claim is None:
                    later.append(run)
                    continue
                claims.push(claim)
                if about := job.news(run):
                    claim.close()
                    yield about
                    continue
                future = client.submit(
                    execute, job.content, run.parameters, run.source, job.timeout,
                    key=f"ehrgan-{run.key}", retries=job.retries, resources=resources, pure=False,
                )  # fmt: skip
                futures[future] = run, claim
            for future in as_they_come(list(futures), client.loop):
                run, claim = futures.pop(future)
                with claim:
                    yield job.store.publish(run, _fetched(future, job))
            todo = later


def _fetched(future, job):
    """How a run on the cluster came out."""
    try:
        return future.result()
    except RunLost as lost:
        return _lost(lost, job)
    except Exception as error:  # its workers were lost again and again, or the scheduler was
        said = " ".join(str(error).split())
        return _failure(f"the cluster did not run it: {type(error).__name__}: {said}")


def _lost(lost, job):
    """Make a failure of a run that was killed in every try."""
    (outcome,) = lost.args
    hint = "the system kills a process when memory runs out"
    error = f"{outcome['error']} ({job.retries + 1} tries; {hint})"
    return {**outcome, "status": "failed", "error": error}


def _failure(error):
    return {"status": "failed", "error": error, "duration": 0.0, "peak_memory_mb": 0.0,
            "notebook": b"", "scores": b""}  # fmt: skip


def execute(content, parameters, source, timeout=None, stop=None):
    """Run a notebook once, in a process of its own.

    Parameters
    ----------
    content : bytes
        The notebook.
    parameters : dict
        Its parameters.
    source : str
        Fingerprint that the library's source must have here, so that no two are mixed.
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
        return _failure(OTHER_SOURCE)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ehrgan-run-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        in_time = _wait(_start(folder, content, parameters), timeout, stop)
        outcome = _collected(folder)
    if not in_time:
        late = {"status": "failed", "error": f"took longer than {timeout:g} s"}
        return {**outcome, **late, "duration": time.monotonic() - began}
    if outcome["status"] == "lost":
        raise RunLost({**outcome, "duration": time.monotonic() - began})
    return outcome if source_fingerprint() == source else _failure(OTHER_SOURCE)


def _start(folder, content, parameters):
    """Start a worker in a folder; it ends when its standard input does, so with the sweep."""
    (folder / "notebook.ipynb").write_bytes(content)
    (folder / "parameters.json").write_text(json.dumps(parameters))
    environment = {**os.environ, **QUIET_KERNEL, RECORD: str(folder / "scores.parquet")}
    environment |= dict.fromkeys(ONE_THREAD, "1")
    with (folder / "stderr.txt").open("wb") as stderr:
        return subprocess.Popen(
            [sys.executable, "-m", "ehrgan.worker", str(folder)], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=stderr, env=environment, cwd=folder,
            start_new_session=True,  # Ctrl-C is for the sweep, which then ends its workers
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
        outcome = {**_failure(error), "status": "lost"}
    return {**outcome, "notebook": notebook, "scores": read("scores.parquet")}
