"""Parts of studies that have been run before are fetched, never run again.

A study is put together from parts: the tables of each imputation, and what each arm says after it.
Studies that share a part share its work, also two that run at the same moment.
"""

import os
from pathlib import Path

from platformdirs import user_cache_path

from ..source import source_fingerprint
from .protocol import Study
from .store import Store

__all__ = ["run_study"]


def run_study(records, **parameters):
    """Run a study, or fetch what of it has been run before.

    Parameters
    ----------
    records : Records
        The table.
    **parameters
        As for :class:`~ehrgan.study.protocol.Study`, which also says what is refused.

    Returns
    -------
    StudyResult

    Notes
    -----
    The cache lies in ``$EHRGAN_CACHE``, else where the system keeps caches: on Linux in ``ehrgan``
    below ``$XDG_CACHE_HOME`` or ``~/.cache``. A part is addressed by the parameters that it depends
    on, the records, the source of everything that makes numbers and the versions of the numerical
    libraries: an edit never meets a stale one.

    Examples
    --------
    >>> from ehrgan.tables.records import load_wdbc
    >>> result = run_study(
    ...     load_wdbc(), n_trials=1, imputers=("mean",), classifiers=("Naive Bayes",)
    ... )
    >>> result.settings["classifiers"]
    ('Naive Bayes',)
    """
    study = Study(records, **parameters)
    return study.run(store=Store(_cache_folder(), (records.X, records.y, source_fingerprint())))


def _cache_folder():
    return Path(os.environ.get("EHRGAN_CACHE") or user_cache_path("ehrgan", appauthor=False))
