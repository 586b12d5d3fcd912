"""Where parts of studies are kept, so that none is made twice."""

import io
from contextlib import suppress
from hashlib import sha256
from itertools import chain, repeat
from pathlib import Path

import joblib
from filelock import FileLock, Timeout

from ..files import write_whole

__all__ = ["NoStore", "Store"]


class NoStore:
    """Where nothing is kept: every part is made, in the order asked for."""

    def in_turn(self, units, work):
        """Do a piece of work for each unit, given its name and key; what it gives, by name."""
        return {name: work(name, key) for name, key in units.items()}

    def once(self, key, make):
        """Make a part."""
        return make()


class Store(NoStore):
    """A folder of parts.

    Parameters
    ----------
    folder : path-like
        Made if it is not there.
    about : object
        What all parts come from.

    Raises
    ------
    OSError
        The folder cannot be made or, later, written to.
    """

    def __init__(self, folder, about):
        self.folder, self.about = Path(folder), about
        self.folder.mkdir(parents=True, exist_ok=True)

    def in_turn(self, units, work):
        """Work first at the units that no other study is at, then wait for the others."""
        left, done = dict(units), {}
        while left:
            name, lock = self._one_of(left)
            try:
                done[name] = work(name, left.pop(name))
            finally:
                lock.release()
        return done

    def _one_of(self, units):
        """Lock a unit that is free, or else the first that becomes so."""
        locks = {name: FileLock(self._path(key, "lock")) for name, key in units.items()}
        for timeout in chain([0], repeat(0.1)):
            for name, lock in locks.items():
                with suppress(Timeout):
                    lock.acquire(timeout)
                    return name, lock

    def once(self, key, make):
        """Fetch a part, or make it; one that is damaged, or another's, is made again."""
        path = self._path(key, "joblib")
        with suppress(Exception):  # absent, or damaged in one of many ways
            content = path.read_bytes()
            if content[:32] == _seal(path, content[32:]):
                return joblib.load(io.BytesIO(content[32:]))
        part, content = make(), io.BytesIO()
        joblib.dump(part, content)
        write_whole(path, _seal(path, content.getvalue()) + content.getvalue())
        return part

    def _path(self, key, suffix):
        return self.folder / f"{joblib.hash((self.about, key))}.{suffix}"


def _seal(path, content):
    """32 bytes by which a file's content is known to be whole, and its own."""
    return sha256(path.name.encode() + content).digest()
