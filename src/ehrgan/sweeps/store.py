"""The folder of a sweep, local or on an object store."""

import io
import json
import math
import os
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import fsspec

from .claims import DiskClaims, StoreClaims
from .grid import GridError
from .handover import OWN, PARAMETER

NOTE = {"key", "parameters", "notebook", "version", "source", "status", "error", "duration"}


class Store:
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
        claims = DiskClaims if self.local else StoreClaims
        self.claims = claims(self.fs, self.root)

    def path(self, key, suffix):
        """Where a file of a run lies."""
        return f"{self.root}/runs/{key}.{suffix}"

    def check_writable(self):
        """Refuse a target that cannot be written, before any run."""
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

    def claim(self, run, status="running"):
        """Hold a run against other sweeps; None if another is at it, else close it to let go.

        A killed holder lets go by itself: on this machine at once, on an object store when it has
        been silent for a while.
        """
        about = {"notebook": run.notebook, "parameters": run.parameters}
        return self.claims.take(run.key, {**about, "status": status, "since": time.time()})

    def held(self):
        """What sweeps are at, by key: notebook and parameters, since when, running or queued."""
        return self.claims.held()

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
    import pandas as pd  # half a second, which a sweep's start need not wait for

    table = pd.read_parquet(io.BytesIO(scores)) if scores else pd.DataFrame(index=[0])
    own = {k: about[k] for k in OWN}
    # one value for each row, so a list or a mapping goes in as text
    parameters = {
        f"{PARAMETER}{k}": json.dumps(v) if isinstance(v, list | dict) else v
        for k, v in about["parameters"].items()
    }
    return table.assign(**parameters, **own).to_parquet(index=False)
