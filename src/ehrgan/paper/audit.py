"""What a protocol adds to a score, how much peeking flatters, and which claims survive it."""

import numpy as np
import pandas as pd

from ..scores.inference import (
    corrected_interval,
    corrected_test,
    differences,
    holm,
    practical_equivalence,
)
from .scorecard import LEADS, contest, decisive, over_whom, told_lead

__all__ = ["across", "compare", "optimism", "verdicts"]

FOLD = ["trial", "fold"]


def across(first, second, arms=None):
    """Difference between two studies of the same folds, arm by arm and metric by metric.

    Parameters
    ----------
    first, second : DataFrame
        ``StudyResult.scores`` of two studies with the same seed, such as two protocols; arms that
        either lacks are left out.
    arms : list of (imputer, classifier), optional
        Which to compare; all by default.

    Returns
    -------
    DataFrame
        Columns imputer, classifier, metric, mean, low, high: first less second with the corrected
        95 % interval.

    Raises
    ------
    ValueError
        If no arm was scored on the same folds in both.

    Examples
    --------
    >>> scores = pd.DataFrame({"trial": 0, "fold": [0, 1, 2], "imputer": "mean",
    ...     "classifier": "MLP", "metric": "accuracy", "value": [0.95, 0.97, 0.96],
    ...     "n_train": 400, "n_test": 100})
    >>> better = scores.assign(value=[0.96, 0.98, 0.98])
    >>> across(better, scores).round(3)
      imputer classifier    metric   mean    low   high
    0    mean        MLP  accuracy  0.013 -0.006  0.032
    """
    keys = ["imputer", "classifier", "metric"]
    both = first.merge(second, on=[*FOLD, *keys], suffixes=("", "_second"))
    if arms is not None:
        both = both[pd.MultiIndex.from_frame(both[keys[:2]]).isin(arms)]
    if both.empty:
        raise ValueError("first and second share no arm that was scored on the same folds")
    rows = []
    for key, own in both.groupby(keys, sort=False):
        sizes = own["n_train"].mean(), own["n_test"].mean()
        rows.append((*key, *corrected_interval(own["value"] - own["value_second"], *sizes)))
    return pd.DataFrame(rows, columns=[*keys, "mean", "low", "high"])


def optimism(curves, looks=(1, 2, 5, 10, 20, 50, 100, 200, 500), sizes=(455, 114)):
    """How much the best of several looks at the test fold flatters, over the last epoch's error.

    Parameters
    ----------
    curves : DataFrame
        ``StudyResult.curves`` of one arm: trial, fold, epoch and error, every epoch of every fold.
    looks : sequence of int, default=(1, 2, 5, 10, 20, 50, 100, 200, 500)
        How often one looks, at even steps up to the last epoch; more than there are epochs count
        as all of them.
    sizes : tuple of float, default=(455, 114)
        Records in a training and in a test fold, for the interval.

    Returns
    -------
    DataFrame
        Columns looks, mean, low, high: accuracy at the best look less accuracy at the last epoch.
        0 for a single look; it cannot fall as looks are added to a look at every epoch.

    Raises
    ------
    ValueError
        If a number of looks is below 1.

    Examples
    --------
    >>> curves = pd.DataFrame({"trial": 0, "fold": [0, 0, 1, 1], "epoch": [1, 2, 1, 2],
    ...     "error": [0.03, 0.05, 0.04, 0.04]})
    >>> optimism(curves, looks=(1, 2), sizes=(400, 100))["mean"].round(3).tolist()
    [0.0, 0.01]
    """
    error = curves.pivot_table("error", FOLD, "epoch").to_numpy()
    n_epochs = error.shape[1]
    rows = []
    for k in sorted({min(int(k), n_epochs) for k in looks}):
        if k < 1:
            raise ValueError(f"looks must be 1 or more, got {k}")
        seen = np.rint(np.linspace(n_epochs / k, n_epochs, k)).astype(int) - 1
        gain = error[:, -1] - error[:, seen].min(axis=1)
        rows.append((k, *corrected_interval(gain, *sizes)))
    return pd.DataFrame(rows, columns=["looks", "mean", "low", "high"])


def verdicts(studies):
    """Test the leads that the paper claims in words under several protocols.

    Parameters
    ----------
    studies : dict of str to DataFrame
        ``StudyResult.scores`` by protocol, the stricter ones first.

    Returns
    -------
    DataFrame of str
        Rows are the names of :data:`~ehrgan.paper.scorecard.LEADS`; a column for each protocol with
        the lead over the rival that decides and its corrected 95 % interval, and ``verdict``: the
        strictest protocol under which the lead over every rival is clear.
    """
    rows = {}
    for name, claim in LEADS.items():
        sign = np.sign(told_lead(claim)[0])
        leads = {protocol: contest(scores, claim) for protocol, scores in studies.items()}
        found = {protocol: decisive(own, sign) for protocol, own in leads.items()}
        rows[name] = {
            protocol: over_whom(leads[protocol][rival], rival, claim)
            for protocol, (_, rival) in found.items()
        }
        rows[name]["verdict"] = _verdict({p: finding for p, (finding, _) in found.items()})
    return pd.DataFrame.from_dict(rows, orient="index")


def _verdict(found):
    """The strictest protocol under which a claim holds, or else what the strictest of all says."""
    strictest = next(iter(found))
    holding = [protocol for protocol, finding in found.items() if finding == "holds"]
    if not holding or holding[0] == strictest:
        return found[strictest]
    return f"holds from {holding[0]} on"


def compare(scores, metric, pairs, rope=0.01):
    """Compare methods two by two on the same folds, all tests adjusted together.

    Parameters
    ----------
    scores, metric
        As for :func:`~ehrgan.scores.inference.differences`, which also says what is refused.
    pairs : list of (first, second)
        Methods to compare, each (imputer, classifier).
    rope : float, default=0.01
        Differences smaller than this make no difference in practice.

    Returns
    -------
    DataFrame
        One row per pair, in order: first, second (the classifiers' names), mean, low, high (first
        less second, corrected 95 % interval), p (corrected t-test), holm (adjusted for all pairs),
        and worse, equal, better (posterior probabilities for the first).

    Examples
    --------
    >>> rows = [("tree", 0, 0.90), ("tree", 1, 0.94), ("forest", 0, 0.93), ("forest", 1, 0.95)]
    >>> scores = pd.DataFrame(rows, columns=["classifier", "fold", "value"]).assign(
    ...     imputer="mean", metric="accuracy", trial=0, n_train=400, n_test=100)
    >>> table = compare(scores, "accuracy", [(("mean", "forest"), ("mean", "tree"))])
    >>> table["mean"].round(3).tolist()
    [0.02]
    """
    rows = []
    for first, second in pairs:
        gap = differences(scores, metric, first, second)
        tests = corrected_test(*gap), *practical_equivalence(*gap, rope=rope)
        rows.append((first[1], second[1], *corrected_interval(*gap), *tests))
    columns = ["first", "second", "mean", "low", "high", "p", "worse", "equal", "better"]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(6, "holm", holm(table["p"]))
    return table
