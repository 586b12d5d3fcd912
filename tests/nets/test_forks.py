"""Processes that are forked before and after TensorFlow was used."""

import multiprocessing
import os
import subprocess
import sys

import pytest

from ehrgan.nets import backend

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning"),
]

UNUSED = """
import os, sys
from ehrgan.nets import backend
if {imports}:
    import tensorflow
child = os.fork()
if child == 0:
    os._exit(len(backend._left_behind))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def ask(answers):
    """What a child is told that asks for TensorFlow, at once and again."""
    for _ in range(2):
        try:
            answers.put(repr(backend.tensorflow()))
        except RuntimeError as error:
            answers.put(str(error))


def test_a_fork_after_use_is_told_at_once_what_to_do():
    backend.tensorflow()
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=ask, args=(answers,))
    child.start()
    told = {answers.get(timeout=30) for _ in range(2)}
    child.join()
    (words,) = told
    assert "forked from one that had already used TensorFlow" in words
    assert "'spawn'" in words and "'loky'" in words
    assert backend.tensorflow().zeros(1).shape == (1,)  # the parent goes on


@pytest.mark.parametrize("imports", [False, True])
def test_a_fork_before_the_first_use_is_free_to_use_it(imports):
    assert subprocess.run([sys.executable, "-c", UNUSED.format(imports=imports)]).returncode == 0
