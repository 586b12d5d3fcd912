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


@functools.cache
def tensorflow():
    """The module of TensorFlow, which importing ``ehrgan`` alone does not load."""
    with _quiet_stderr():
        import tensorflow as tf

        tf.zeros(1)  # opens the devices, which is when the last of those lines are printed
    return tf
