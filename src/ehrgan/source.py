"""What the numbers come from: a fingerprint of the code that makes them and of its libraries."""

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["source_fingerprint"]

#: Folders whose code makes numbers; each is hashed whole, so that none of it can be forgotten.
HASHED = ("nets", "scores", "study", "tables")
VERSIONED = ("numpy", "pandas", "scikit-learn", "scipy", "tensorflow")


def source_fingerprint():
    """Hash the folders whose code makes numbers, and the versions of the numerical libraries.

    Returns
    -------
    str
        40 hexadecimal digits.

    Notes
    -----
    Studies are cached, and runs of a sweep are known, by it: an edit below ``nets``, ``scores``,
    ``study`` or ``tables`` makes them anew; one of a figure, a page or the report does not.

    Examples
    --------
    >>> from ehrgan.source import source_fingerprint
    >>> len(source_fingerprint())
    40
    """
    digest = hashlib.sha1(usedforsecurity=False)
    root = Path(__file__).parent
    for path in sorted(path for folder in HASHED for path in (root / folder).rglob("*.py")):
        name = path.relative_to(root).as_posix()
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    for name in VERSIONED:
        digest.update(f"{name}=={_version(name)}".encode())
    return digest.hexdigest()


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:  # a machine that only predicts lacks TensorFlow
        return "none"
