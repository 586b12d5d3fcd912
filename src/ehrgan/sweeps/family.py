"""Processes that are to be ended with all that they have started."""

import psutil

__all__ = ["end_family"]


def end_family(pid):
    """Kill a process and every process that it has started.

    Parameters
    ----------
    pid : int
        The process; one that is gone already is no error.

    Examples
    --------
    >>> import subprocess
    >>> process = subprocess.Popen(["sleep", "60"])
    >>> end_family(process.pid)
    >>> process.wait()
    -9
    """
    try:
        first = psutil.Process(pid)
        family = [*first.children(recursive=True), first]
    except psutil.NoSuchProcess:
        return
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
