"""Chapters run once for all tests that look at them, and the extension of the site."""

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from chapters import PROCESSES, run_chapter
from hypothesis import settings


def pytest_configure(config):
    """Give workers and their kernels, before any of them starts, a thread each; and tests time.

    Side by side, each with a thread for every core, they would wait for each other without end.
    What one of them has compiled the others load.
    """
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        compiled = tempfile.mkdtemp(prefix="ehrgan-compiled-")
        config.add_cleanup(lambda: shutil.rmtree(compiled, ignore_errors=True))
        os.environ |= {
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",  # else TensorFlow tells of each that it loads
            "TF_XLA_FLAGS": f"--tf_xla_persistent_cache_directory={compiled} "
            "--tf_xla_persistent_cache_device_types=CPU",
        }
    # the clock of a busy machine proves nothing
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Deal tests to workers file by file, since those of one file share compilations and fixtures.

    What has a group of its own, the chapters and the browser, takes longest and comes first.
    """
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def studies(tmp_path_factory):
    """The folder where all workers of a run keep the studies of chapters, so that they share."""
    folder = tmp_path_factory.getbasetemp()
    return (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "studies"


@pytest.fixture
def study_cache(studies, monkeypatch):
    """Let `run_study` find what the chapters ran."""
    monkeypatch.setenv("EHRGAN_CACHE", str(studies))


@pytest.fixture(scope="session")
def chapter(tmp_path_factory, studies):
    """Run a chapter by its name, once in a session: parameters, cells, glued and kept values."""
    done = {}

    def run(name):
        if name not in done:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("EHRGAN_CACHE", str(studies))
                if name not in PROCESSES:  # the workers of pytest use the cores
                    patch.setenv("LOKY_MAX_CPU_COUNT", "1")
                done[name] = run_chapter(name, tmp_path_factory.mktemp(name))
        return done[name]

    return run


@pytest.fixture(scope="session")
def extension():
    """The Sphinx extension, which lies beside the pages and is no module of the library."""
    path = Path(__file__).parents[1] / "book" / "_ext" / "ehrgan_site.py"
    spec = importlib.util.spec_from_file_location("ehrgan_site", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
