"""Studies that have been run before are fetched, never run again."""

import os
from pathlib import Path

import joblib

from ..source import source_fingerprint
from .protocol import Study

__all__ = ["run_study"]


def run_study(records, **parameters):
    """Run a study, or fetch it from the cache if the same one has been run before.

    Parameters
    ----------
    records : Records
        The table.
    **parameters
        As for :class:`Study`.

    Returns
    -------
    StudyResult

    Raises
    ------
    TypeError, ValueError
        As for :class:`Study`.

    Notes
    -----
    The cache lies in ``$EHRGAN_CACHE``, else in ``ehrgan`` below ``$XDG_CACHE_HOME`` or
    ``~/.cache``. An entry is addressed by the parameters, the records, the source of every module
    that makes numbers and the versions of the numerical libraries: an edit never meets a stale one.

    Examples
    --------
    >>> from ehrgan.study.cache import run_study
    >>> from ehrgan.tables.records import load_wdbc
    >>> result = run_study(
    ...     load_wdbc(), n_trials=1, imputers=("mean",), classifiers=("Naive Bayes",)
    ... )
    >>> result.settings["classifiers"]
    ('Naive Bayes',)
    """
    study = Study(records, **parameters)
    memory = joblib.Memory(_cache_folder(), verbose=0)
    run = memory.cache(_run, ignore=["study"])
    settings = (
        study.settings(),
        list(study.settings()["classifiers"]),
    )  # a hash ignores dicts' order
    return run(study, settings, (records.X, records.y), source_fingerprint())


def _run(study, settings, table, fingerprint):
    return study.run()


def _cache_folder():
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("EHRGAN_CACHE") or Path(home) / "ehrgan")
