"""The kernel that runs notebooks here; it ends in order."""

import psutil
from ipykernel.ipkernel import IPythonKernel

__all__ = ["OrderlyKernel"]

ENDING_THEMSELVES = ("joblib.externals.loky", "multiprocessing.resource_tracker")


class OrderlyKernel(IPythonKernel):
    """IPython's kernel, which waits only for such processes of its own as signals can end.

    Notes
    -----
    ipykernel ends its children by signals before it ends itself. Those that keep joblib's books
    ignore signals until the kernel is gone, and one that is dead stays in the list until somebody
    asks how it ended. So the kernel waited in vain, its loop was stopped in the middle of that
    ("Task was destroyed but it is pending!"), and 2.5 s later it had to be killed from outside.

    Examples
    --------
    >>> from ipykernel.ipkernel import IPythonKernel
    >>> issubclass(OrderlyKernel, IPythonKernel)
    True
    """

    def _process_children(self):
        children = super()._process_children()
        return [child for child in children if not _ends_itself(child)]


def _ends_itself(process):
    """Whether a process is dead, or watches the kernel and ends when that does."""
    try:
        line = " ".join(process.cmdline())
    except psutil.Error:  # dead, or gone in the meantime
        return True
    return any(name in line for name in ENDING_THEMSELVES)
