"""Under which missingness does which imputation help? One setting of that study."""

import itertools

import pandas as pd

from ..nets.acgan import ACGANClassifier
from ..tables.records import load_wdbc
from .baselines import make_classifier
from .judging import Arm
from .protocol import Study

__all__ = ["COMPARED_IMPUTERS", "GROUPS", "KEPT_METRICS", "VANISHING", "one_setting"]

#: Imputations compared. The paper's autoencoder needs nearly complete records to learn from, so it
#: joins under the mechanisms that leave some: the block and the monotone block.
COMPARED_IMPUTERS = ("mean", "nearest neighbours", "chained ridge", "autoencoder", "denoising")
LEAVES_COMPLETE = ("block", "monotone")
#: Metrics kept of each fold, besides the error of the imputation.
KEPT_METRICS = ("accuracy", "auc_roc")

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
        From :data:`~ehrgan.tables.masking.MECHANISMS`.
    fraction : float, default=0.5
        Share of what the mechanism may hide, from 0 to 1.
    vanishing : str, default="first fifteen"
        What a block may hide, from :data:`VANISHING`; the other mechanisms choose for themselves.
    n_trials, n_folds, seed : int, default=2, 5, 0
        As for :class:`~ehrgan.study.protocol.Study`.

    Returns
    -------
    DataFrame
        trial, fold, imputer, classifier, metric, value, n_train, n_test: the metrics of
        :data:`METRICS`, and "rmse" with an empty classifier.

    Raises
    ------
    TypeError, ValueError
        As :class:`~ehrgan.study.protocol.Study`; if `vanishing` is unknown, or given to a mechanism
        that makes no block.

    Notes
    -----
    About a minute on one core with two trials of five folds, under the honest protocol.
    """
    block = mechanism in LEAVES_COMPLETE
    if vanishing not in VANISHING or not (block or vanishing == "first fifteen"):
        wanted = f"one of {list(VANISHING)}" if block else "'first fifteen'"
        raise ValueError(f"vanishing must be {wanted} under {mechanism!r}, got {vanishing!r}")
    names = ("Logistic regression", "Random Forest", "SVM (RBF)")
    arms = {name: Arm(make_classifier(name)) for name in names}
    arms["AC-GAN"] = Arm(ACGANClassifier())
    chosen = [i for i in COMPARED_IMPUTERS if i != "autoencoder" or block]
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
    scores = result.scores[result.scores["metric"].isin(KEPT_METRICS)]
    sizes = scores.groupby(["trial", "fold"])[["n_train", "n_test"]].first().reset_index()
    error = result.imputation.rename(columns={"rmse": "value"}).merge(sizes, on=["trial", "fold"])
    return pd.concat([scores, error.assign(metric="rmse", classifier="")], ignore_index=True)
