"""Write a file whole or not at all."""

import os
import tempfile
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path, content):
    """Write a file whole or not at all: to a temporary file beside it, then rename.

    Parameters
    ----------
    path : path-like
        The file; an older one is replaced.
    content : bytes or str
        What it shall hold; text is written as UTF-8.

    Raises
    ------
    OSError
        The folder is missing or not writable. An older file is then as it was.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from ehrgan.files import write_whole
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "a.txt", "whole")
    ...     [(p.name, p.read_text()) for p in Path(folder).iterdir()]
    [('a.txt', 'whole')]
    """
    path = Path(path)
    content = content.encode() if isinstance(content, str) else content
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".partial-") as folder:
        partial = Path(folder) / path.name  # opened in the usual way, so with the usual rights
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
