"""Whether printed scores agree with each other, and how they can have been averaged.

A share of 212 records can be 0.9340 but not 0.9345: one pass of cross-validation tests every
record once, so its pooled shares are whole counts over the number of records. The mean of ten
passes is a multiple of a tenth of that. A printed number is known to half a unit of its last
digit, and every test here asks whether *any* number within that rounding would do.
"""

import numpy as np
import pandas as pd

from ..scores.metrics import check_columns

__all__ = ["READINGS", "granularity", "implied", "simulate_reading"]

SHARES = ["sensitivity", "specificity", "accuracy"]
SLACK = 1e-9  # a printed decimal is not a whole number of binary digits
#: Ways to average over folds: folds that each have the table's share of positive records, folds
#: dealt without regard to the class, and folds of the first kind in which each metric comes from
#: the epoch that suits it best.
READINGS = ("stratified folds", "unstratified folds", "an epoch for each metric")


def granularity(table, n_positive, n_negative, n_trials, digits=4):
    """Ask of each row whether its shares are whole counts, as one run gives, or means of several.

    Parameters
    ----------
    table : DataFrame
        Columns sensitivity, specificity and accuracy, rounded, each from 0 to 1; one row for each
        classifier.
    n_positive, n_negative : int
        Records of each class that a run tests, each once; at least 1.
    n_trials : int
        Runs that the numbers are said to be means of, at least 2.
    digits : int, default=4
        Digits printed after the point, trailing zeros included.

    Returns
    -------
    DataFrame
        With the index of `table`. Columns sensitivity, specificity and accuracy: what each share is
        by itself, in records (``0.9340`` of 212 is 198.01). Columns of bool: ``one run``, whether
        whole numbers of records called rightly in each class give all three as printed; and ``mean
        of runs``, whether multiples of ``1 / n_trials`` do. ``chance``: how often a mean of
        `n_trials` runs looks like one run, if all counts are equally likely. A row that is neither
        was averaged in another way, such as over folds of unlike sizes.

    Raises
    ------
    ValueError
        If a column is absent, a share lies outside 0 to 1, or a number is below its least.

    Notes
    -----
    The test has no power where counts lie closer than the rounding: with four digits above some
    5,000 records of a class, `chance` nears 1. A mean of runs that are all alike, such as of a
    classifier without randomness on the same folds, is whole too.

    Examples
    --------
    >>> table = pd.DataFrame({"sensitivity": [0.9340, 0.9498], "specificity": [0.9272, 0.9898],
    ...     "accuracy": [0.9297, 0.9752]}, index=["tree", "AC-GAN"])
    >>> granularity(table, 212, 357, n_trials=10)[["one run", "mean of runs"]]
            one run  mean of runs
    tree       True          True
    AC-GAN    False         False
    """
    shares = _checked(table, SHARES, n_positive, n_negative)
    if n_trials < 2:
        raise ValueError(f"n_trials must be at least 2, got {n_trials}")
    half = 0.5 * 10.0**-digits
    sizes = np.array([n_positive, n_negative, n_positive + n_negative])
    found = pd.DataFrame(shares * sizes, columns=SHARES, index=table.index)
    found["one run"] = _countable(shares, sizes, half)
    found["mean of runs"] = _countable(shares, sizes * n_trials, half)
    return found.assign(chance=np.prod([_chance(n, n_trials, half) for n in sizes[:2]]))


def _checked(table, columns, n_positive, n_negative):
    check_columns("table", table, columns)
    for name, n in {"n_positive": n_positive, "n_negative": n_negative}.items():
        if n < 1:
            raise ValueError(f"{name} must be at least 1, got {n}")
    shares = table[columns].to_numpy(dtype=np.float64)
    if not np.all((shares >= 0) & (shares <= 1)):
        raise ValueError(f"table must hold numbers from 0 to 1 in the columns {columns}")
    return shares


def _countable(shares, sizes, half):
    """Whether counts of both classes give the first two shares, and their sum the third."""
    least = np.ceil((shares - half) * sizes - SLACK)
    most = np.floor((shares + half) * sizes + SLACK)
    lowest = np.maximum(least[:, :2].sum(axis=1), least[:, 2])
    highest = np.minimum(most[:, :2].sum(axis=1), most[:, 2])
    return (least <= most).all(axis=1) & (lowest <= highest)


def _chance(n, n_trials, half):
    """How many of the multiples of 1 / n_trials, from 0 to n, print like a whole number."""
    runs = np.arange(n * n_trials + 1) / n_trials
    printed = np.round(runs / n / (2 * half)) * 2 * half
    return np.mean(np.abs(printed - np.round(printed * n) / n) <= half + SLACK)


def implied(table, n_positive, n_negative, digits=4):
    """Work out what sensitivity and specificity say of the other scores, beside what is printed.

    Parameters
    ----------
    table : DataFrame
        Columns sensitivity, specificity, accuracy, f_score and auc_roc, as for `granularity`.
    n_positive, n_negative, digits
        As for `granularity`.

    Returns
    -------
    DataFrame
        Indexed by score (accuracy, f_score, auc_roc) and the index of `table`. Columns printed,
        low, high (the least and the greatest value that the rounding of both shares allows), gap
        (printed less the middle of them) and agrees (whether rounding explains the gap). Accuracy
        and F-score are those of all records pooled. The AUC is that of a classifier which answers
        yes or no alone, such as a tree grown until its leaves are pure: half of both shares' sum.

    Raises
    ------
    ValueError
        As for `granularity`.

    Examples
    --------
    >>> table = pd.DataFrame({"sensitivity": [0.9498], "specificity": [0.9898],
    ...     "accuracy": [0.9752], "auc_roc": [0.9886], "f_score": [0.9647]}, index=["AC-GAN"])
    >>> implied(table, 212, 357)["agrees"].tolist()
    [False, False, False]
    """
    scores = ["accuracy", "f_score", "auc_roc"]
    shares = _checked(table, [*SHARES[:2], *scores], n_positive, n_negative)
    half = 0.5 * 10.0**-digits
    ends = [
        _from_shares(*np.clip(shares[:, :2].T + side, 0, 1), n_positive, n_negative)
        for side in (-half, half)  # each score rises with both
    ]
    parts = {}
    for score, printed, low, high in zip(scores, shares[:, 2:].T, *ends, strict=True):
        own = {"printed": printed, "low": low, "high": high, "gap": printed - (low + high) / 2}
        agrees = (printed >= low - half - SLACK) & (printed <= high + half + SLACK)
        parts[score] = pd.DataFrame({**own, "agrees": agrees}, index=table.index)
    return pd.concat(parts, names=["score"])


def _from_shares(sensitivity, specificity, n_positive, n_negative):
    """Accuracy, F-score and AUC of hard calls, of all records pooled."""
    found, spared = sensitivity * n_positive, specificity * n_negative
    accuracy = (found + spared) / (n_positive + n_negative)
    f_score = 2 * found / (n_positive + found + n_negative - spared)
    return accuracy, f_score, (sensitivity + specificity) / 2


def simulate_reading(
    reading, sensitivity, specificity, n_positive, n_negative,
    *, n_trials=10, n_folds=5, n_draws=1000, random_state=None,
):  # fmt: skip
    """Draw tables averaged over folds in one way, to see how far their scores disagree.

    Parameters
    ----------
    reading : str
        From :data:`READINGS`.
    sensitivity, specificity : float
        The classifier's true shares, from 0 to 1.
    n_positive, n_negative : int
        Records of each class.
    n_trials, n_folds : int, default=10 and 5
        Passes of cross-validation, and folds of each.
    n_draws : int, default=1000
        Tables to draw.
    random_state : int or Generator, optional
        Makes the draws reproducible.

    Returns
    -------
    DataFrame
        One row for each draw; columns accuracy and f_score: the mean over folds less what the means
        of sensitivity and specificity imply, see `implied`.

    Raises
    ------
    ValueError
        If `reading` is unknown.

    Notes
    -----
    Each record is called rightly by itself, with the class's share. Where each metric has its
    epoch, there are two to choose from, independent of each other: the least choice that there is.

    Examples
    --------
    >>> gaps = simulate_reading("stratified folds", 0.95, 0.99, 212, 357, random_state=0)
    >>> bool(gaps["accuracy"].abs().max() < 0.0001)
    True
    """
    if reading not in READINGS:
        raise ValueError(f"reading must be one of {READINGS}, got {reading!r}")
    rng, shape = np.random.default_rng(random_state), (n_draws, n_trials, n_folds)
    sizes = _parts(n_positive + n_negative, n_folds)
    if reading == "unstratified folds":
        ill = rng.multivariate_hypergeometric(sizes, n_positive, size=shape[:2])
        ill = np.clip(ill, 1, sizes - 1)  # a fold that lacks a class has no score
    else:
        ill = np.broadcast_to(_parts(n_positive, n_folds), shape)
    well = sizes - ill
    epochs = 2 if reading == "an epoch for each metric" else 1
    found = rng.binomial(ill, sensitivity, size=(epochs, *shape))
    spared = rng.binomial(well, specificity, size=(epochs, *shape))
    by_fold = found / ill, spared / well, (found + spared) / sizes
    by_fold = *by_fold, 2 * found / (ill + found + well - spared)
    means = [score.max(axis=0).mean(axis=(1, 2)) for score in by_fold]
    accuracy, f_score, _ = _from_shares(*means[:2], n_positive, n_negative)
    return pd.DataFrame({"accuracy": means[2] - accuracy, "f_score": means[3] - f_score})


def _parts(n, n_folds):
    """Sizes of folds as equal as can be."""
    return np.array([len(part) for part in np.array_split(range(n), n_folds)])
