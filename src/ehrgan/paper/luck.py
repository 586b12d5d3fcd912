"""How likely the paper's ten numbers are under each reading, given the luck of the seed."""

import numpy as np
import pandas as pd
from scipy import stats

from ..scores.metrics import METRICS, check_columns
from .tables import paper_tables

__all__ = ["FREE", "log_likelihood", "luck_table", "seed_means"]

#: Metrics that are free to vary; accuracy and F-score follow from the first two.
FREE = ("sensitivity", "specificity", "auc_roc")
ARM = "AC-GAN"


def seed_means(scores):
    """What one study of ten trials would print, seed by seed.

    Parameters
    ----------
    scores : DataFrame
        Columns reading, seed, imputer, classifier, metric, value, as
        ``committed("by_seed")`` gives; other classifiers than the AC-GAN are left out.

    Returns
    -------
    DataFrame of shape (n_readings x n_seeds, n_numbers)
        Rows (reading, seed), columns (imputer, metric): means over folds and trials.

    Raises
    ------
    ValueError
        If a column is missing, or a seed lacks a number.

    Examples
    --------
    >>> scores = pd.DataFrame({"reading": "honest", "seed": 1, "imputer": "mean",
    ...     "classifier": "AC-GAN", "metric": "accuracy", "value": [0.96, 0.98]})
    >>> float(seed_means(scores).loc[("honest", 1), ("mean", "accuracy")])
    0.97
    """
    check_columns("scores", scores, ["reading", "seed", "imputer", "classifier", "metric", "value"])
    own = scores[(scores["classifier"] == ARM) & scores["metric"].isin(METRICS)]
    means = own.pivot_table("value", ["reading", "seed"], ["imputer", "metric"], sort=False)
    if means.isna().to_numpy().any():
        lacking = means.index[means.isna().any(axis=1)].tolist()
        raise ValueError(f"scores lack a number of {lacking[:3]}: run those seeds again")
    return means


def luck_table(means):
    """How far the paper's numbers lie from those of each reading, in units of the seeds' spread.

    Parameters
    ----------
    means : DataFrame
        From :func:`seed_means`; two seeds or more of each reading.

    Returns
    -------
    DataFrame
        Rows (reading, imputer, metric); columns mean and sd over seeds, paper, and distance, the
        paper's number less the mean, in standard deviations.

    Examples
    --------
    >>> scores = pd.DataFrame({"reading": "peek", "seed": [0, 1], "imputer": "mean",
    ...     "classifier": "AC-GAN", "metric": "accuracy", "value": [0.9732, 0.9752]})
    >>> means = seed_means(scores)
    >>> float(luck_table(means).loc[("peek", "mean", "accuracy"), "distance"].round(2))
    0.71
    """
    long = means.melt(ignore_index=False)
    numbers = long.groupby(["reading", "imputer", "metric"], sort=False)["value"]
    table, told = numbers.agg(["mean", "std"]).rename(columns={"std": "sd"}), _told()
    table["paper"] = [told[imputer, metric] for _, imputer, metric in table.index]
    return table.assign(distance=(table["paper"] - table["mean"]) / table["sd"])


def log_likelihood(means, metrics=FREE):
    """Natural logarithm of how likely the paper's numbers are under each reading.

    Seeds are taken as draws of a normal distribution with unknown mean and covariance. One more
    study, the paper's, then follows the multivariate Student's t distribution with
    n_seeds - n_numbers degrees of freedom; its density at the paper's numbers is what is given.
    Differences between two readings are logarithms of a likelihood ratio.

    Parameters
    ----------
    means : DataFrame
        From :func:`seed_means`.
    metrics : tuple of str, default=FREE
        Metrics that count, of every imputation.

    Returns
    -------
    Series
        A value for each reading with more seeds than there are numbers, highest first.

    Raises
    ------
    ValueError
        If no reading has so many seeds.

    References
    ----------
    Gelman et al., *Bayesian Data Analysis*, third edition, section 3.6.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> index = pd.MultiIndex.from_product([["far", "near"], range(12)], names=["reading", "seed"])
    >>> values = np.repeat([0.9, 0.975], 12) + rng.normal(0, 0.002, 24)
    >>> means = pd.DataFrame({("mean", "accuracy"): values}, index)
    >>> list(log_likelihood(means, ("accuracy",)).index)
    ['near', 'far']
    """
    own = means.loc[:, means.columns.get_level_values(1).isin(metrics)]
    told, p = _told()[list(own.columns)].to_numpy(), own.shape[1]
    found = {}
    for reading, table in own.groupby(level="reading", sort=False):
        n = len(table)
        if n > p:
            scatter = np.cov(table.to_numpy().T, ddof=0).reshape(p, p) * n
            shape = scatter * (n + 1) / (n * (n - p))
            law = stats.multivariate_t(table.mean().to_numpy(), shape, df=n - p)
            found[reading] = float(law.logpdf(told))
    if not found:
        raise ValueError(f"means must have more than {p} seeds of a reading, got fewer of each")
    return pd.Series(found).sort_values(ascending=False)


def _told():
    paper = paper_tables().query("classifier == @ARM")
    return paper.melt("imputer", METRICS, "metric").set_index(["imputer", "metric"])["value"]
