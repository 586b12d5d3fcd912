"""Who is at which run: what sweeps into one folder hold against each other."""

import json
import math
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

from filelock import lock_descriptor

__all__ = ["Claim", "DiskClaims", "StoreClaims"]

BEAT = 20.0  # seconds between two signs of life of a sweep on an object store
LEASE = 3 * BEAT  # seconds of silence after which its claims are free


class Claim(ExitStack):
    """A run that is held against other sweeps; closing it lets go.

    Parameters
    ----------
    write : callable
        Takes the claim's note as bytes, and puts it where others read it.
    note : dict
        What others are told: notebook, parameters, status ("running" or "queued") and since when.

    Examples
    --------
    >>> with Claim(print, {"status": "queued"}) as claim:
    ...     claim.tell(status="running")
    b'{"status": "running"}'
    """

    def __init__(self, write, note):
        super().__init__()
        self._write, self._note = write, note

    def text(self):
        """The note as bytes."""
        return json.dumps(self._note).encode()

    def tell(self, **news):
        """Write the note, with what is new in it."""
        self._note = self._note | news
        self._write(self.text())


class DiskClaims:
    """Claims by locks on files of this machine, which the system frees when their holder ends.

    Parameters
    ----------
    fs : fsspec.AbstractFileSystem
        The local one.
    root : str
        The sweep's folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Path(folder, "runs").mkdir()
    ...     one, two = DiskClaims(None, folder), DiskClaims(None, folder)
    ...     with one.take("key", {"status": "running"}):
    ...         print(two.take("key", {}), two.held())
    None {'key': {'status': 'running'}}
    """

    patience = 0.2  # seconds between two looks at what another sweep is at

    def __init__(self, fs, root):
        self.folder = Path(root, "runs")

    def take(self, key, note):
        """Claim a run for a sweep.

        Parameters
        ----------
        key : str
            The run's.
        note : dict
            What others are told of it, see :class:`~ehrgan.sweeps.claims.Claim`.

        Returns
        -------
        Claim or None
            None if another holds the run.
        """

        def write(content):
            file.truncate(0)
            file.write(b" " + content)  # Windows lets nobody read the first byte, which is locked

        claim = Claim(write, note)
        try:
            file = claim.enter_context(open(self.folder / f".{key}.lock", "ab", buffering=0))
            if not lock_descriptor(file.fileno(), blocking=False):
                claim.close()
                return None
            claim.tell()
        except OSError:
            pass  # the disk is full, or its file system has no locks: on without them
        return claim

    def held(self):
        """Notes of the runs that are held, by key."""
        found = {}
        for path in self.folder.glob(".*.lock"):
            with suppress(OSError), path.open("rb", buffering=0) as file:
                if not lock_descriptor(file.fileno(), blocking=False):
                    file.seek(1)
                    with suppress(ValueError):  # about to be written
                        found[path.stem[1:]] = json.loads(file.read())
        return found

    def close(self):
        """Do nothing: claims end one by one."""


class StoreClaims:
    """Claims on an object store, which has no locks: they count as long as their sweep is heard.

    A claim is a numbered object that only one sweep can create, and names that sweep, which gives
    signs of life in an object of its own. The claim of a sweep that has fallen silent is taken over
    by creating the next number.

    Parameters
    ----------
    fs : fsspec.AbstractFileSystem
        The store. One that cannot create an object only where there is none (on S3:
        ``If-None-Match``) lets every sweep run.
    root : str
        The sweep's folder.

    Notes
    -----
    Whether another sweep is heard is told by the time that passes here between two of its signs, so
    that clocks may differ. A claim costs two requests, a sweep one more every 20 seconds. A sweep
    that slept for a minute and wakes does its runs beside the one that took them over.

    Examples
    --------
    >>> import fsspec
    >>> fs = fsspec.filesystem("memory")
    >>> one, two = StoreClaims(fs, "/sweep"), StoreClaims(fs, "/sweep")
    >>> with one.take("key", {"status": "running"}):
    ...     print(two.take("key", {}), list(two.held()))
    None ['key']
    >>> one.close()
    """

    patience = 2.0  # each look is a few requests

    def __init__(self, fs, root):
        self.fs, self.root, self.name = fs, f"{root}/claims", uuid.uuid4().hex
        self._beginning, self._ended, self._beating = threading.Lock(), threading.Event(), None
        self._heard = {}  # of every other sweep its last sign, and when that was new to us

    def take(self, key, note):
        """Claim a run for a sweep.

        Parameters
        ----------
        key : str
            The run's.
        note : dict
            What others are told of it, see :class:`~ehrgan.sweeps.claims.Claim`.

        Returns
        -------
        Claim or None
            None if another holds the run.
        """
        before = self._paths(key)
        if before and self._lives(before[-1]):
            return None
        self._begin()
        number = int(before[-1].rpartition("/")[2]) + 1 if before else 0
        path = f"{self.root}/{key}/{number:06d}"
        claim = Claim(lambda content: self.fs.pipe_file(path, content), {**note, "by": self.name})
        try:
            self.fs.pipe_file(path, claim.text(), mode="create")
        except Exception:  # it exists, or the store has an error of its own: who has it now?
            if self._note(path).get("by", self.name) != self.name:
                return None
        for each in (path, *reversed(before)):  # so the last goes first
            claim.callback(self._remove, each)
        return claim

    def held(self):
        """Notes of the runs that are held, by key."""
        last = {}
        for path in sorted(self.fs.find(self.root)):
            last[path.split("/")[-2]] = path
        last.pop("sweeps", None)
        with ThreadPoolExecutor(8) as pool:  # an object store takes its time for each
            found = dict(zip(last, pool.map(self._note, last.values()), strict=True))
        notes = {key: note for key, note in found.items() if note}
        heard = {name: self._age(name) < LEASE for name in {n["by"] for n in notes.values()}}
        return {key: note for key, note in notes.items() if heard[note["by"]]}

    def close(self):
        """End the signs of life."""
        self._ended.set()
        if self._beating:
            self._beating.join()
            self._remove(self._sign_of(self.name))

    def _begin(self):
        """Give signs of life from now on."""
        with self._beginning:
            if self._beating is None:
                self._sign()
                self._beating = threading.Thread(target=self._beat, daemon=True)
                self._beating.start()

    def _beat(self):
        while not self._ended.wait(BEAT):
            self._sign()

    def _sign(self):
        with suppress(Exception):  # the next one may be heard
            self.fs.pipe_file(self._sign_of(self.name), str(time.time_ns()).encode())

    def _sign_of(self, name):
        return f"{self.root}/sweeps/{name}"

    def _lives(self, path):
        """Whether the sweep of a claim is heard, by our clock alone: others may go wrong."""
        name = self._note(path).get("by")
        if name == self.name:
            return True
        try:
            sign = self.fs.cat_file(self._sign_of(name))
        except FileNotFoundError:  # it has ended
            return False
        except Exception:  # the store does not answer now
            return True
        if sign != self._heard.get(name, (None, 0))[0]:
            self._heard[name] = sign, time.monotonic()
        return time.monotonic() - self._heard[name][1] < LEASE

    def _age(self, name):
        """Seconds since a sweep was heard, by the clocks: one look cannot tell otherwise."""
        try:
            return time.time() - self.fs.modified(self._sign_of(name)).timestamp()
        except FileNotFoundError:
            return math.inf

    def _paths(self, key):
        """Claims of a run, the one that counts last."""
        try:
            return sorted(self.fs.ls(f"{self.root}/{key}", detail=False))
        except Exception:  # none yet, or the store does not answer now
            return []

    def _note(self, path):
        try:
            return json.loads(self.fs.cat_file(path))
        except Exception:  # let go in the meantime
            return {}

    def _remove(self, path):
        with suppress(Exception):  # gone, or found to be of an ended sweep later
            self.fs.rm_file(path)
