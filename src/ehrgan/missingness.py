"""Under which missingness does which imputation help? One setting, and the results of a sweep.

``python -m ehrgan.missingness FOLDER`` puts a finished sweep into the package's data, where the
book's chapter reads it.
"""

import itertools
import sys
from importlib.resources import files
from pathlib import Path

import pandas as pd

from .acgan import ACGANClassifier
from .baselines import make_classifier
from .protocol import Arm, Study
from .records import load_wdbc
from .saving import write_whole

__all__ = ["GROUPS", "IMPUTERS", "METRICS", "VANISHING", "committed", "one_setting"]

#: Imputations compared. The paper's autoencoder needs nearly complete records to learn from, so it
#: joins under the mechanisms that leave some: the block and the monotone block.
IMPUTERS = ("mean", "nearest neighbours", "chained ridge", "autoencoder", "denoising")
LEAVES_COMPLETE = ("block", "monotone")
#: Metrics kept of each fold, besides the error of the imputation.
METRICS = ("accuracy", "auc_roc")
RESULTS = "missingness.parquet"
#: Of each of ten features of the cell nuclei the table holds these three, ten columns each.
GROUPS = ("mean", "standard error", "worst")
#: What the block hides, by name: the paper's first fifteen attributes, or any of the three groups.
VANISHING = {"first fifteen": tuple(range(15)), "nothing": ()} | {
    " + ".join(chosen): tuple(10 * GROUPS.index(group) + i for group in chosen for i in range(10))
    for n in (1, 2, 3)
    for chosen in itertools.combinations(GROUPS, n)
}


def one_setting(
    mechanism="block", fraction=0.5, *, vanishing="first fifteen", n_trials=2, n_folds=5, seed=0
):
    """Scores of every imputation and classifier under one mechanism at one rate.

    Parameters
    ----------
    mechanism : str, default="block"
        From :data:`~ehrgan.masking.MECHANISMS`.
    fraction : float, default=0.5
        Share of what the mechanism may hide, from 0 to 1.
    vanishing : str, default="first fifteen"
        What a block may hide, from :data:`VANISHING`; the other mechanisms choose for themselves.
    n_trials : int, default=2
        Repetitions, at least 1.
    n_folds : int, default=5
        Folds of each, at least 2.
    seed : int, default=0
        At least 0.

    Returns
    -------
    DataFrame
        trial, fold, imputer, classifier, metric, value, n_train, n_test: the metrics of
        :data:`METRICS`, and "rmse" with an empty classifier.

    Raises
    ------
    TypeError, ValueError
        As :class:`~ehrgan.protocol.Study`; if `vanishing` is unknown, or given to a mechanism that
        makes no block.

    Notes
    -----
    About a minute on one core with two trials of five folds, under the honest protocol.

    Examples
    --------
    >>> from ehrgan.missingness import METRICS
    >>> METRICS
    ('accuracy', 'auc_roc')
    """
    block = mechanism in LEAVES_COMPLETE
    if vanishing not in VANISHING or not (block or vanishing == "first fifteen"):
        wanted = f"one of {list(VANISHING)}" if block else "'first fifteen'"
        raise ValueError(f"vanishing must be {wanted} under {mechanism!r}, got {vanishing!r}")
    names = ("Logistic regression", "Random Forest", "SVM (RBF)")
    arms = {name: Arm(make_classifier(name)) for name in names}
    arms["AC-GAN"] = Arm(ACGANClassifier())
    chosen = [i for i in IMPUTERS if i != "autoencoder" or block]
    study = Study(
        load_wdbc(),
        n_trials=n_trials,
        n_folds=n_folds,
        missing_fraction=fraction,
        mechanism=mechanism,
        attributes=VANISHING[vanishing],
        imputers=tuple(chosen),
        classifiers=arms,
        seed=seed,
        n_jobs=1,
    )
    result = study.run(progress=False)
    scores = result.scores[result.scores["metric"].isin(METRICS)]
    sizes = scores.groupby(["trial", "fold"])[["n_train", "n_test"]].first().reset_index()
    error = result.imputation.rename(columns={"rmse": "value"}).merge(sizes, on=["trial", "fold"])
    return pd.concat([scores, error.assign(metric="rmse", classifier="")], ignore_index=True)


def committed():
    """Read the results of ``make sweep`` that came with the library.

    Returns
    -------
    DataFrame
        As :func:`one_setting`, with mechanism, fraction, vanishing and seed, and the version and
        source that made them.

    Examples
    --------
    >>> set(committed()["metric"]) == {"accuracy", "auc_roc", "rmse"}
    True
    """
    with files("ehrgan").joinpath(f"data/{RESULTS}").open("rb") as file:
        return pd.read_parquet(file)


def collect(folder):
    """Put a finished sweep's table into the package's data."""
    from .sweep import read_sweep

    table = read_sweep(folder)
    setting = ["mechanism", "fraction", "vanishing", "seed"]
    table = table.rename(columns={f"parameter_{name}": name for name in setting})
    keys = [*setting, "trial", "fold", "imputer", "classifier", "metric"]
    table = table[[*keys, "value", "n_train", "n_test", "version", "source"]]
    path = Path(__file__).parent / "data" / RESULTS
    write_whole(path, table.sort_values(keys, ignore_index=True).to_parquet(index=False))
    print(f"{len(table)} rows of {table[setting].drop_duplicates().shape[0]} runs in {path}")


if __name__ == "__main__":
    collect(sys.argv[1])
