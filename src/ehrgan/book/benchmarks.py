"""What ``make bench`` measured, as tables: speed, growth, errors, coverage, kept promises."""

import json
from importlib.resources import files

import pandas as pd
from scipy.stats import binomtest, sem, t

from ..scores.estimate import Estimate
from ..scores.inference import corrected_interval

__all__ = [
    "coverage_summary", "gain_by_step", "imputer_summary", "kept_promises", "league_places",
    "league_summary", "machine", "read", "speed_summary",
]  # fmt: skip

#: The benchmarks, and what each compares.
BENCHMARKS = (
    "keras", "floor", "device", "growth", "imputers", "league", "mixed", "halves",
    "halves_elsewhere", "studies", "coverage", "cures", "joint", "synthetic",
)  # fmt: skip

#: The ways to train that ``read("keras")`` compares, in words.
WAYS = {
    "keras": "Keras at its best",
    "ours_one": "one network in our compiled loop",
    "ours_one_thread": "our replica axis, one thread",
    "ours": "our replica axis, all cores",
    "jax_one": "JAX, one network",
    "jax": "JAX, vmap over all replicas",
    "jax_blocks": "JAX, vmap over our blocks, on threads",
    "keras_processes": "Keras at its best, a process for each core",
    "keras_no_jit": "Keras, tf.data, not compiled",
    "keras_arrays": "Keras, train_step fed by arrays",
    "keras_train_on_batch": "Keras, train_on_batch",
    "sklearn": "scikit-learn's MLPClassifier, no GAN",
}
STEPS = ("keras", "ours_one", "ours_one_thread", "ours")

#: Imputers of the league that fill with one draw, which errs more than a guess and is no worse.
DRAWN = ("autoencoder, a draw", "miceforest")


def read(name):
    """Read the raw rows of one benchmark, as they were measured.

    Parameters
    ----------
    name : str
        From :data:`BENCHMARKS`.

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
    ['round', 'replicas', 'threads', 'step', 'floor']
    """
    with _data(name, "csv").open(encoding="utf-8") as source:
        return pd.read_csv(source)


def machine(name):
    """Read where and with what a benchmark ran.

    Parameters
    ----------
    name : str
        From :data:`BENCHMARKS`.

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


def speed_summary(table):
    """Median and range over rounds of each way to train the same networks.

    Parameters
    ----------
    table : DataFrame
        ``read("keras")``: one row for each round and way, with threads, busy (cores kept busy) and
        milliseconds per network and epoch.

    Returns
    -------
    DataFrame
        Index way, in the order of ``WAYS`` and as far as measured. Columns words, threads, busy
        (median), median, low, high (of the milliseconds), and ratio: the median over rounds of that
        way's time to ours, all cores, in the same round.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "round": [0, 0, 1, 1], "way": ["ours", "keras"] * 2, "threads": 2, "busy": 1.5,
    ...     "milliseconds": [1.0, 20.0, 2.0, 60.0],
    ... })
    >>> speed_summary(table)["ratio"].to_dict()
    {'keras': 25.0, 'ours': 1.0}
    """
    times = _by_round(table)
    ways = [way for way in WAYS if way in times]
    groups = table.groupby("way")
    return pd.DataFrame(
        {
            "words": pd.Series(WAYS),
            "threads": groups["threads"].first(),
            "busy": groups["busy"].median(),
            "median": times.median(),
            "low": times.min(),
            "high": times.max(),
            "ratio": times.div(times["ours"], axis=0).median(),
        }
    ).loc[ways]


def gain_by_step(table):
    """Take the gain over Keras apart, one step after the other.

    Parameters
    ----------
    table : DataFrame
        ``read("keras")``.

    Returns
    -------
    Series
        For each step from Keras at its best to our library on all cores, how many times less it
        takes than the step before: the median over rounds.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "round": 0, "way": ["keras", "ours_one", "ours_one_thread", "ours"],
    ...     "milliseconds": [8.0, 2.0, 1.0, 0.5],
    ... })
    >>> gain_by_step(table).to_dict()
    {'ours_one': 4.0, 'ours_one_thread': 2.0, 'ours': 2.0}
    """
    times = _by_round(table)
    gains = {
        way: (times[before] / times[way]).median()
        for before, way in zip(STEPS[:-1], STEPS[1:], strict=True)
    }
    return pd.Series(gains)


def _by_round(table):
    return table.pivot_table("milliseconds", "round", "way")


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


def league_places(table):
    """Error and place of each imputer on each table that no default was chosen on.

    Parameters
    ----------
    table : DataFrame
        ``read("league")``: one row for each mechanism, table, seed and imputer, with held_out,
        rmse, energy, coverage, fit, transform and megabytes.

    Returns
    -------
    DataFrame
        The mean over seeds of its held-out rows, with columns error and distance (rmse and energy
        over those of filling with the mean), gap (the autoencoder's error less this one) and place
        (rank of the error among the imputers that guess, 1 is least; NaN for those that draw).

    Examples
    --------
    >>> table = pd.DataFrame({"mechanism": "block", "table": "a", "held_out": True, "seed": 0,
    ...     "imputer": ["mean", "autoencoder"], "rmse": [1.0, 0.5], "energy": [0.5, 0.2]})
    >>> league_places(table)[["imputer", "error", "distance", "gap", "place"]].values.tolist()
    [['mean', 1.0, 1.0, -0.5, 2.0], ['autoencoder', 0.5, 0.4, 0.0, 1.0]]
    """
    keys = ["mechanism", "table", "imputer"]
    rows = table[table["held_out"]].drop(columns=["held_out", "seed"])
    rows = rows.groupby(keys, sort=False).mean()

    def of(imputer, column):
        return rows.xs(imputer, level="imputer")[column].loc[rows.index.droplevel("imputer")].values

    rows["error"] = rows["rmse"] / of("mean", "rmse")
    rows["distance"] = rows["energy"] / of("mean", "energy")
    rows["gap"] = of("autoencoder", "error") - rows["error"]
    guesses = rows.drop(index=list(DRAWN), level="imputer", errors="ignore")
    rows["place"] = guesses.groupby(keys[:2])["error"].rank()
    return rows.reset_index()


def league_summary(places):
    """How imputers do over the tables of the league.

    Parameters
    ----------
    places : DataFrame
        As :func:`league_places` returns it.

    Returns
    -------
    DataFrame
        Indexed by mechanism and imputer. Columns error, gap, place and distance (means over tables,
        each an Estimate with the 95 % interval of Student's t over tables), coverage (mean), fit
        (median seconds) and megabytes (median).

    Examples
    --------
    >>> places = pd.DataFrame({"mechanism": "block", "imputer": "ours", "error": [0.6, 0.8],
    ...     "gap": 0.0, "place": [1.0, 2.0], "distance": 0.5, "coverage": 0.9,
    ...     "fit": [1.0, 3.0], "megabytes": 8.0})
    >>> found = league_summary(places).loc[("block", "ours")]
    >>> f"{found['error']:.2f}", float(found["fit"])
    ('0.70 (-0.57–1.97)', 2.0)
    """
    groups = places.groupby(["mechanism", "imputer"], sort=False)
    found = {name: groups[name].agg(_mean_over) for name in ("error", "gap", "place", "distance")}
    found["coverage"] = groups["coverage"].mean()
    return pd.DataFrame(found | {name: groups[name].median() for name in ("fit", "megabytes")})


def _mean_over(values):
    mean, half = values.mean(), t.ppf(0.975, len(values) - 1) * sem(values)
    return Estimate(float(mean), float(mean - half), float(mean + half))


def kept_promises(table, keys):
    """How often intervals held the truth, and on which side they missed it.

    Parameters
    ----------
    table : DataFrame
        What a benchmark of intervals measured, such as ``read("studies")``: a row for each
        interval, with its ends low and high, and truth.
    keys : list of str
        Columns that tell the kinds of interval apart.

    Returns
    -------
    DataFrame
        Indexed by those columns. Columns tables, held (an Estimate: the share of intervals that
        hold the truth, with Wilson's 95 % interval), and too low, too high: shares of intervals
        that lie wholly below the truth, or above it.

    Examples
    --------
    >>> table = pd.DataFrame({"n": 150, "low": [0.4, 0.6], "high": [0.6, 0.8], "truth": 0.5})
    >>> found = kept_promises(table, ["n"])
    >>> f"{found.loc[150, 'held']:.2f}", float(found.loc[150, "too high"])
    ('0.50 (0.09–0.91)', 0.5)
    """
    sides = table[keys].assign(
        **{"too low": table["high"] < table["truth"], "too high": table["low"] > table["truth"]}
    )
    groups = sides.groupby(keys, sort=False)
    found = groups.mean()
    found.insert(0, "tables", groups.size())
    held = []
    for n, missed in zip(found["tables"], found[["too low", "too high"]].sum(axis=1), strict=True):
        inside = binomtest(round(n * (1 - missed)), int(n))
        held.append(Estimate(inside.statistic, *inside.proportion_ci(method="wilson")))
    found.insert(1, "held", held)
    return found


def coverage_summary(table):
    """How often intervals held the truth, and how far estimates were off.

    Parameters
    ----------
    table : DataFrame
        ``read("coverage")``: one row for each scenario, mechanism, size, coefficient and way.

    Returns
    -------
    DataFrame
        Its rows, with columns mean, low, high (share of intervals that held the truth, with
        Wilson's 95 % interval), bias (in standard deviations of the estimate), ratio (mean claimed
        standard error over the spread that was found) and missing_information.

    Examples
    --------
    >>> row = {"inside": 380, "repetitions": 400, "bias": 0.01, "sd": 0.1, "error": 0.11,
    ...     "missing_information": 0.3}
    >>> found = coverage_summary(pd.DataFrame([row])).round(3)
    >>> found[["mean", "low", "high", "bias", "ratio"]].to_numpy().tolist()
    [[0.95, 0.924, 0.967, 0.1, 1.1]]
    """
    found = [
        binomtest(int(inside), int(n)).proportion_ci(method="wilson")
        for inside, n in zip(table["inside"], table["repetitions"], strict=True)
    ]
    keys = ["scenario", "mechanism", "n", "coefficient", "way"]
    return table.filter([*keys, "repetitions", "missing_information"]).assign(
        mean=table["inside"] / table["repetitions"],
        low=[interval.low for interval in found],
        high=[interval.high for interval in found],
        bias=table["bias"] / table["sd"],
        ratio=table["error"] / table["sd"],
    )


def synthetic_summary(table):
    """Mean over the seeds of what was measured of each generator, with its corrected interval.

    Parameters
    ----------
    table : DataFrame
        ``read("synthetic")``: a row for each table, generator, seed and axis.

    Returns
    -------
    DataFrame
        set (the table), generator, axis, mean, low, high: a 95 % interval, by
        :func:`~ehrgan.scores.inference.corrected_interval`, as half of the records teach and the
        other half measures, whichever the split.

    Examples
    --------
    >>> rows = {"table": "wdbc", "generator": "ours", "axis": "fidelity", "mean": [0.1, 0.3]}
    >>> float(synthetic_summary(pd.DataFrame(rows))["mean"][0])
    0.2
    """
    groups = table.groupby(["table", "generator", "axis"], sort=False)["mean"]
    rows = [(*names, *corrected_interval(values, 1, 1)) for names, values in groups]
    return pd.DataFrame(rows, columns=["set", "generator", "axis", "mean", "low", "high"])
