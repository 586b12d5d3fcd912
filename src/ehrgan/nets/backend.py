"""TensorFlow, loaded on first use and without its start-up lines."""

import functools
import os
import sys
from contextlib import contextmanager


@contextmanager
def _quiet_stderr():
    """Send file descriptor 2 to nowhere: TensorFlow's C++ start-up lines ignore ``sys.stderr``."""
    sys.stderr.flush()
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def tensorflow():
    """The module of TensorFlow, which importing ``ehrgan`` and predicting do not load.

    Raises
    ------
    ImportError
        It is not installed.
    RuntimeError
        In a process forked from one that has used it: its threads stayed behind, and whatever is
        asked of it here would wait for them for ever.
    """
    if _left_behind:
        raise RuntimeError(
            "this process was forked from one that had already used TensorFlow, which does not "
            "work after a fork: start processes with multiprocessing.get_context('spawn') or "
            "joblib's backend 'loky', use threads, or fork before the first fit"
        )
    return _loaded()


@functools.cache
def _loaded():
    with _quiet_stderr():
        try:
            import tensorflow as tf
        except ImportError as error:
            raise ImportError(
                "training needs TensorFlow, though predicting does not: "
                f"pip install tensorflow ({error})"
            ) from error
        tf.zeros(1)  # opens the devices, which is when the last of those lines are printed
    return tf


_left_behind = []  # holds something in a process whose parent had used TensorFlow


def _note_fork():
    """Note in a forked process whether its parent, by whatever way, had used TensorFlow."""
    eager = sys.modules.get("tensorflow.python.eager.context")
    context = getattr(eager, "_context", None)  # no public name tells without opening the devices
    if getattr(context, "_initialized", False):
        _left_behind.append(True)


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_note_fork)
