"""What passes between a notebook and what runs it: its surroundings, and its scores; light."""

import os
from pathlib import Path

__all__ = ["record"]

RECORD = "EHRGAN_RECORD"  # names the file, where a sweep runs the notebook
OWN = ("key", "version", "source", "duration", "peak_memory_mb")  # columns that a sweep adds
PARAMETER = "parameter_"  # and what it puts before the name of a parameter
QUIET_KERNEL = {
    "TF_CPP_MIN_LOG_LEVEL": "3",  # TensorFlow's lines are about the machine, not the study
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # kernels side by side share a card
    "OMP_WAIT_POLICY": "PASSIVE",  # kernels side by side: a waiting thread that spins holds up all
    "TQDM_DISABLE": "1",  # on a page a bar that has run is noise, and its widget fetches scripts
    "JUPYTER_PREFER_ENV_PATH": "1",  # a kernel registered in the home folder must not win over ours
}


def record(table):
    """Hand a table of scores to the sweep that runs this notebook; alone, do nothing.

    Parameters
    ----------
    table : DataFrame
        Tidy scores, such as ``StudyResult.scores``. Tables recorded one after another are stacked.

    Raises
    ------
    TypeError
        If it is no DataFrame.
    ValueError
        If a column has a name that the sweep uses itself: key, version, source, duration,
        peak_memory_mb, or one that starts with ``parameter_``.

    Examples
    --------
    >>> import pandas as pd
    >>> from ehrgan.sweeps.handover import record
    >>> record(pd.DataFrame({"accuracy": [0.9]}))
    """
    import pandas as pd  # whoever has a table has it loaded; a sweep's own start needs none

    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"table must be a DataFrame, got {type(table).__name__}")
    for name in map(str, table.columns):
        if name in OWN or name.startswith(PARAMETER):
            raise ValueError(f"table has a column {name!r}, which the sweep adds; rename it")
    path = os.environ.get(RECORD)
    if path is None:
        return
    if Path(path).exists():
        table = pd.concat([pd.read_parquet(path), table], ignore_index=True)
    table.to_parquet(path, index=False)
