"""Sweeps: many papermill runs of one notebook, on this machine or on a Dask cluster.

A run is known by its notebook, its parameters and the library's source; what is already there is
not run again. Each run leaves ``runs/KEY.ipynb`` (the executed notebook), ``runs/KEY.parquet`` (its
scores) and, last of all, ``runs/KEY.json`` (how it went), each whole or not at all.
"""

import io
import math
import os
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import NamedTuple

import psutil
from tqdm import tqdm

from ..bars import no_bars
from ..source import source_fingerprint
from .execute import RunLost, execute, failure
from .grid import GridError
from .plan import plan, read_notebook
from .store import Store

__all__ = ["read_sweep", "state", "sweep"]

MEMORY_OF_A_RUN = 1.5e9  # bytes that a TensorFlow kernel may need
BEGAN = "ehrgan-began"  # topic under which the workers of a cluster tell which run they begin
TOLD = ("key", "status", "duration", "error", "parameters", "notebook", "version")  # of each run


def state(out):
    """Say of every run in a folder whether it is done, running, queued or failed, and why.

    Parameters
    ----------
    out : path-like or str
        Folder of a sweep, or its ``s3://`` address.

    Returns
    -------
    DataFrame
        Columns key, status, duration (of a running one: so far, in seconds), error, parameters,
        notebook and version. Runs of another source than the installed library's have the status
        "stale", those that wait for a worker of a cluster "queued".

    Raises
    ------
    GridError
        If the folder cannot be read.
    """
    import pandas as pd  # half a second, which the command's start need not wait for

    return pd.DataFrame(runs_in(out), columns=TOLD)


def runs_in(out):
    """What :func:`state` tells, as a list of dict."""
    store, source = Store(out), source_fingerprint()
    rows = store.outcomes()
    for about in rows.values():
        if about["source"] not in (source, None):
            about["status"] = "stale"
    for key, note in store.held().items():
        since = time.time() - note["since"]
        rows[key] = {**note, "key": key, "duration": since, "error": "", "version": ""}
    return [{name: about[name] for name in TOLD} for about in rows.values()]


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
    import pandas as pd

    store = Store(out)
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


def sweep(
    notebook, sets, out, *, jobs=None, scheduler=None, resources=None, timeout=None, retries=2,
    workdir=None, shard=(1, 1), progress=True,
):  # fmt: skip
    """Run a notebook once for each set of parameters, leaving out what is already done.

    Parameters
    ----------
    notebook : path-like
        The notebook.
    sets : list of dict
        Its parameters, as :func:`~ehrgan.sweeps.grid.read_grid` gives them.
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
    workdir : path-like, optional
        Folder that the runs work in: their relative paths and imports start there. By default the
        notebook's own; with a scheduler, whose workers may not have it, an empty one for each run.
    shard : (int, int), default=(1, 1)
        Which share of the runs to do, and how many shares there are: ``(2, 3)`` takes the 2nd, 5th,
        8th, ... run of the plan.
    progress : bool, default=True
        Show a progress bar; quiet in CI.

    Returns
    -------
    list of dict
        How each run of the share went, in the order of the plan: key, parameters, status ("done" or
        "failed"), error and duration.

    Raises
    ------
    GridError
        If anything is wrong before a run starts.

    Notes
    -----
    Each run has a process of its own and one thread, so that its numbers do not depend on how many
    run beside it. The working folder they share: what one writes there under a fixed name, another
    overwrites. Two sweeps into one folder or address share the work; on an
    object store a run of a sweep that was killed is free again after a minute of silence.
    """
    check_options(jobs, scheduler, resources, timeout, workdir, shard)
    if workdir is None and scheduler is None:
        workdir = Path(notebook).parent
    workdir = workdir and os.path.abspath(workdir)
    content = read_notebook(notebook)  # once, so that what runs is what the keys were made of
    runs, store = share(plan(notebook, sets, content), shard), Store(out)
    store.check_writable()
    before = store.outcomes()
    found = {key: about for key, about in before.items() if about["status"] == "done"}
    todo = [run for run in runs if run.key not in found]
    job = _Job(store, before, content, workdir, timeout, retries)
    with ExitStack() as at_end:
        at_end.callback(store.claims.close)
        if scheduler is not None and todo:
            client = at_end.enter_context(connect(scheduler, resources))
            ending = _on_cluster(client, resources, todo, job)
        else:
            ending = _on_this_machine(n_places(jobs), todo, job)
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

    store: Store
    before: dict  # how runs went before this sweep, by key
    content: bytes  # the notebook
    workdir: str | None
    timeout: float | None
    retries: int

    def news(self, run):
        """How a run went that another sweep has run since this one began, else None."""
        try:
            about = self.store.outcome(run.key)
        except Exception:  # a store that does not answer now has no news
            return None
        return about if about != self.before.get(run.key) else None


def share(runs, shard):
    """Every n-th run from the i-th on, for a shard (i, n): no two shards have one in common.

    Examples
    --------
    >>> share("abcdefg", (2, 3))
    'be'
    """
    i, n = shard
    return runs[i - 1 :: n]


def check_options(
    jobs=None, scheduler=None, resources=None, timeout=None, workdir=None, shard=(1, 1)
):
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
    if workdir is not None and scheduler is None and not Path(workdir).is_dir():
        raise GridError(f"workdir must be a folder that is there, got {str(workdir)!r}")
    i, n = shard
    if not 1 <= i <= n:
        raise GridError(f"a shard must be from 1/n to n/n, such as 2/3, got {i}/{n}")


def n_places(jobs=None, scheduler=None):
    """How many runs a sweep with these options has at a time, at least 1; see :func:`sweep`.

    On this machine one for each core, as far as memory goes; on a cluster one for each thread of
    the workers that are there now.
    """
    if scheduler is not None:
        with connect(scheduler) as client:
            return max(1, sum(client.nthreads().values()))
    if jobs is not None:
        return jobs
    import joblib  # knows the limits of containers, but takes a while to load

    memory = psutil.virtual_memory().available // MEMORY_OF_A_RUN
    return max(1, min(joblib.cpu_count(), int(memory)))


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
            if not patient or stop.wait(job.store.claims.patience):
                return None
        with claim:
            return job.news(run) or _tried(run, job, stop)

    before = _files_of(job.workdir)
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
    if jobs > 1 and (written := sorted(_files_of(job.workdir) - before)):
        warnings.warn(
            f"{written[0][0]} in {job.workdir} was written while runs that share this folder went "
            "on: if they wrote it under this one name, they may have read each other's. Let its "
            "name hold the parameters, or use --jobs 1.",
            stacklevel=3,
        )


def _files_of(folder):
    """Files of a folder, each with its size and when it was last written; none of no folder."""
    if folder is None:
        return set()
    found = set()
    for file in os.scandir(folder):
        with suppress(FileNotFoundError):  # gone meanwhile
            if file.is_file():
                found.add((file.name, file.stat().st_size, file.stat().st_mtime_ns))
    return found


def _tried(run, job, stop):
    """Run once, and again if the run is lost; publish. None if the sweep stops."""
    for left in reversed(range(job.retries + 1)):
        try:
            outcome = execute(
                job.content, run.parameters, run.source, job.workdir, job.timeout, stop
            )
        except RunLost as lost:
            if stop.is_set():
                return None
            if left:
                continue
            outcome = _lost(lost, job)
        except OSError as error:  # no room for temporary files, say
            outcome = failure(f"it could not be started: {error}")
        return job.store.publish(run, outcome)


def _on_cluster(client, resources, todo, job):
    """Run on a Dask cluster; results come back with the tasks and are written here."""
    from distributed import as_completed as as_they_come

    with ExitStack() as claims:
        queued = {}
        client.subscribe_topic(BEGAN, lambda event: _tell_began(queued, event[1]))
        for patient in (False, True):
            futures, later = {}, []
            for run in todo:
                while (claim := job.store.claim(run, "queued")) is None and patient:
                    time.sleep(job.store.claims.patience)
                if claim is None:
                    later.append(run)
                    continue
                claims.push(claim)
                if about := job.news(run):
                    claim.close()
                    yield about
                    continue
                queued[run.key] = claim
                future = client.submit(
                    _execute_there, run.key, job.content, run.parameters, run.source, job.workdir,
                    job.timeout, key=f"ehrgan-{run.key}", retries=job.retries, resources=resources,
                    pure=False,
                )  # fmt: skip
                futures[future] = run, claim
            for future in as_they_come(list(futures), client.loop):
                run, claim = futures.pop(future)
                queued.pop(run.key, None)
                with claim:
                    yield job.store.publish(run, _fetched(future, job))
            todo = later


def _execute_there(key, *arguments):
    """Run on a worker of a cluster, and let all sweeps know that it has begun."""
    from distributed import get_worker

    get_worker().log_event(BEGAN, key)
    return execute(*arguments)


def _tell_began(queued, key):
    """Note of a claim of ours that its run has left the queue."""
    if claim := queued.pop(key, None):
        with suppress(Exception):  # a store that does not answer now; only what others see is old
            claim.tell(status="running", since=time.time())


def _fetched(future, job):
    """How a run on the cluster came out."""
    try:
        return future.result()
    except RunLost as lost:
        return _lost(lost, job)
    except Exception as error:  # its workers were lost again and again, or the scheduler was
        said = " ".join(str(error).split())
        return failure(f"the cluster did not run it: {type(error).__name__}: {said}")


def _lost(lost, job):
    """Make a failure of a run that was killed in every try."""
    (outcome,) = lost.args
    hint = "the system kills a process when memory runs out"
    error = f"{outcome['error']} ({job.retries + 1} tries; {hint})"
    return {**outcome, "status": "failed", "error": error}
