"""Results of long sweeps that come with the library.

``python -m ehrgan.book.committed NAME FOLDER`` puts a finished sweep there, where the chapters read
it.
"""

import sys
from importlib.resources import files
from pathlib import Path

import pandas as pd

from ..files import write_whole

__all__ = ["SWEEPS", "committed"]

#: The parameters that each committed sweep varies.
SWEEPS = {
    "by_ladder": ["table", "seed"],
    "by_mechanism": ["mechanism", "fraction", "vanishing", "seed"],
    "by_prevalence": ["table", "seed"],
    "by_protocol": ["protocol", "fraction", "seed"],
    "by_seed": ["reading", "seed"],
    "by_stages": ["table", "mechanism", "fraction", "unlabelled", "n_records", "seed"],
}
SCORES = ["value", "n_train", "n_test", "version", "source"]
CIRCUMSTANCES = ["key", "duration", "peak_memory_mb"]


def committed(name):
    """Read the results of a sweep that came with the library.

    Parameters
    ----------
    name : str
        A sweep of :data:`SWEEPS`: many calls of :func:`ehrgan.study.by_ladder.one_ladder`, of
        :func:`ehrgan.study.by_mechanism.one_setting`, of
        :func:`ehrgan.study.by_prevalence.one_prevalence`, of
        :func:`ehrgan.study.by_protocol.one_protocol`, of :func:`ehrgan.study.by_seed.one_seed`, or
        of :func:`ehrgan.study.by_stages.one_or_two`.

    Returns
    -------
    DataFrame
        What those functions return, with the parameters that the sweep varies, and the version and
        source that made them.

    Raises
    ------
    ValueError
        If there is no such sweep, or nobody has run it yet.

    Examples
    --------
    >>> sorted(set(committed("by_mechanism")["metric"]))
    ['accuracy', 'auc_roc', 'rmse']
    """
    source = _file(name)
    if not source.is_file():
        raise ValueError(f"the sweep {name!r} has no results yet; `make sweep` makes them")
    with source.open("rb") as file:
        return pd.read_parquet(file)


def collect(name, folder):
    """Put a finished sweep's table into the package's data."""
    from ..sweeps.sweep import read_sweep  # whose own libraries a reader of results may lack

    setting, target = SWEEPS.get(name, []), Path(str(_file(name)))
    table = read_sweep(folder).rename(columns={f"parameter_{one}": one for one in setting})
    noted = {*SCORES, *CIRCUMSTANCES, *setting}
    found = [c for c in table.columns if c not in noted and not c.startswith("parameter_")]
    table = table[[*setting, *found, *SCORES]].sort_values([*setting, *found], ignore_index=True)
    write_whole(target, table.to_parquet(index=False))
    print(f"{len(table)} rows of {len(table[setting].drop_duplicates())} runs in {target}")


def _file(name):
    if name not in SWEEPS:
        raise ValueError(f"name must be one of {list(SWEEPS)}, got {name!r}")
    return files("ehrgan").joinpath(f"data/results/{name}.parquet")


if __name__ == "__main__":
    collect(*sys.argv[1:])
