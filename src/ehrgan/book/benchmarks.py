"""What ``make bench`` measured, as tables: speed beside peers, growth, errors, kept promises."""

import json
from importlib.resources import files

import pandas as pd

from ..scores.inference import corrected_interval

__all__ = ["imputer_summary", "machine", "read", "speed_summary"]

#: The benchmarks, and what each compares.
BENCHMARKS = ("keras", "floor", "growth", "imputers", "halves")


def read(name):
    """Read the raw rows of one benchmark, as they were measured.

    Parameters
    ----------
    name : {"keras", "floor", "growth", "imputers", "halves"}

    Returns
    -------
    DataFrame

    Raises
    ------
    ValueError
        If there is no such benchmark.

    Examples
    --------
    >>> read("floor").columns.to_list()
    ['round', 'replicas', 'step', 'floor']
    """
    with _data(name, "csv").open(encoding="utf-8") as source:
        return pd.read_csv(source)


def machine(name):
    """Read where and with what a benchmark ran.

    Parameters
    ----------
    name : {"keras", "floor", "growth", "imputers", "halves"}

    Returns
    -------
    dict
        Processor, cores, versions, and the fingerprint of the library's source.

    Examples
    --------
    >>> "tensorflow" in machine("floor")
    True
    """
    return json.loads(_data(name, "json").read_text(encoding="utf-8"))


def _data(name, suffix):
    if name not in BENCHMARKS:
        raise ValueError(f"name must be one of {list(BENCHMARKS)}, got {name!r}")
    return files("ehrgan").joinpath(f"data/results/benchmark_{name}.{suffix}")


def speed_summary(table, replicas=50):
    """Median and range over rounds of each way to train the same networks.

    Parameters
    ----------
    table : DataFrame
        ``read("keras")``: columns replicas, ours, train_step and train_on_batch, milliseconds per
        network and epoch, one row for each round.
    replicas : int, default=50
        How many networks train together in the rows wanted.

    Returns
    -------
    DataFrame
        Columns way, median, low, high and ratio: the median over rounds of that way's time to ours
        in the same round.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"replicas": 50, "ours": [1.0, 2.0], "train_step": [20.0, 40.0], "train_on_batch": 90.0}
    ... )
    >>> speed_summary(table)["ratio"].tolist()
    [1.0, 20.0, 67.5]
    """
    own = table[table["replicas"] == replicas]
    ways = {
        "ours": f"ours, {replicas} networks at once",
        "train_step": "Keras, train_step under fit",
        "train_on_batch": "Keras, train_on_batch",
    }
    rows = [
        (
            words,
            own[way].median(),
            own[way].min(),
            own[way].max(),
            (own[way] / own["ours"]).median(),
        )
        for way, words in ways.items()
    ]
    return pd.DataFrame(rows, columns=["way", "median", "low", "high", "ratio"])


def imputer_summary(table):
    """Mean error of each imputer with its corrected 95 % interval, and its times.

    Parameters
    ----------
    table : DataFrame
        ``read("imputers")``: one row for each mechanism, seed, fold and imputer.

    Returns
    -------
    DataFrame
        Columns mechanism, imputer, mean, low, high (RMSE on hidden cells, scale 0 to 1), fit and
        transform (median seconds).

    Examples
    --------
    >>> rows = {"mechanism": "block", "imputer": "mean", "rmse": [0.14, 0.15], "n_train": 455,
    ...     "n_test": 114, "fit": 0.1, "transform": 0.2}
    >>> float(imputer_summary(pd.DataFrame(rows))["mean"][0].round(3))
    0.145
    """
    rows = []
    for (mechanism, imputer), own in table.groupby(["mechanism", "imputer"], sort=False):
        found = corrected_interval(own["rmse"], own["n_train"].mean(), own["n_test"].mean())
        rows.append((mechanism, imputer, *found, own["fit"].median(), own["transform"].median()))
    columns = ["mechanism", "imputer", "mean", "low", "high", "fit", "transform"]
    return pd.DataFrame(rows, columns=columns)
