"""Metrics, their spread over folds, ROC curves and imputation error."""

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score, roc_curve

from .inference import check_level, half_width

__all__ = [
    "METRICS", "decision_curve", "rmse", "roc_over_folds", "score", "score_predictions",
    "summarise", "threshold_at",
]  # fmt: skip

#: The paper's five metrics, in the order of its tables.
METRICS = ("accuracy", "sensitivity", "specificity", "auc_roc", "f_score")
#: How figures and tables call a metric, where that is not its own name.
METRIC_WORDS = {"auc_roc": "AUC", "brier": "Brier score", "f_score": "F-score"}


def score(y_true, probability, threshold=0.5):
    """Score one set of predictions by the paper's five metrics and the Brier score.

    Parameters
    ----------
    y_true : array-like of shape (n_records,)
        1 for the positive class, 0 for the negative; both must occur.
    probability : array-like of shape (n_records,)
        Score for the positive class, from 0 to 1.
    threshold : float or array-like of shape (n_records,), default=0.5
        A record is called positive where its probability is *above* the threshold. At one half
        exactly it is negative, as in scikit-learn's `predict`.

    Returns
    -------
    dict of float
        The five of `METRICS` and ``"brier"``, the mean squared difference of probability and
        outcome (for scores that are not probabilities, such as the SVM's, it means little). The
        F-score is 0 where no positive record is found.

    Raises
    ------
    ValueError
        If `y_true` holds anything but both of 0 and 1, lengths differ, or a probability lies
        outside 0 to 1.

    Examples
    --------
    >>> scores = score([0, 0, 1, 1], [0.1, 0.6, 0.7, 0.9])
    >>> scores["accuracy"], scores["specificity"], scores["auc_roc"]
    (0.75, 0.5, 1.0)
    """
    y, probability = checked_predictions(y_true, probability)
    called = probability > np.asarray(threshold)
    true_positive, false_positive = np.sum(called & y), np.sum(called & ~y)
    n_positive, n_negative = np.sum(y), np.sum(~y)
    right = true_positive + n_negative - false_positive
    values = {
        "accuracy": right / len(y),
        "sensitivity": true_positive / n_positive,
        "specificity": 1 - false_positive / n_negative,
        "auc_roc": roc_auc_score(y, probability),
        "f_score": 2 * true_positive / (n_positive + true_positive + false_positive),
        "brier": np.mean((probability - y) ** 2),
    }
    return {metric: float(value) for metric, value in values.items()}


def score_predictions(predictions, *, pooled=False, threshold=None):
    """Score every fold, or every trial's pooled folds, of a study's predictions.

    Parameters
    ----------
    predictions : DataFrame
        Columns trial, fold, record, y, imputer, classifier, probability: every record once per
        trial, imputer and classifier.
    pooled : bool, default=False
        False scores each fold by itself, so F-score and AUC are later averaged over folds. True
        puts the folds of a trial together first: one score per trial over all records. The two
        agree for accuracy up to the folds' sizes; they differ for the F-score, which is not
        linear, and for the AUC, where pooling compares scores of models that differ.
    threshold : float, optional
        As in `score`; by default the column threshold of `predictions`, or 0.5 where there is none.

    Returns
    -------
    DataFrame
        Long form: trial, fold (absent where pooled), imputer, classifier, metric, value, n_train,
        n_test. Where pooled the two numbers are missing: every trial scores the same records, so
        its spread is that of splits and masks only and bears no interval for other patients.

    Notes
    -----
    About 1 ms for each fold, imputer and classifier.

    Examples
    --------
    >>> predictions = pd.DataFrame({"trial": 0, "fold": [0, 0, 1, 1], "record": [0, 1, 2, 3],
    ...     "y": [0, 1, 0, 1], "imputer": "mean", "classifier": "MLP",
    ...     "probability": [0.1, 0.2, 0.6, 0.9]})
    >>> for pooled in (False, True):
    ...     scores = score_predictions(predictions, pooled=pooled)
    ...     print(scores.query("metric == 'auc_roc'")["value"].tolist())
    [1.0, 1.0]
    [0.75]
    """
    unit = ["trial"] if pooled else ["trial", "fold"]
    keys = [*unit, "imputer", "classifier"]
    check_columns("predictions", predictions, [*keys, "record", "y", "probability"])
    n_records = predictions.groupby("trial")["record"].nunique()
    rows = []
    for key, group in predictions.groupby(keys, sort=False):
        row = dict(zip(keys, key, strict=True))
        n_test = np.nan if pooled else len(group)
        sizes = {"n_train": n_records[row["trial"]] - n_test, "n_test": n_test}
        own = group.get("threshold", 0.5) if threshold is None else threshold
        scores = score(group["y"], group["probability"], own)
        rows += [{**row, "metric": m, "value": value, **sizes} for m, value in scores.items()]
    return pd.DataFrame(rows)


def threshold_at(y_true, probability, *, sensitivity=None, specificity=None):
    """Find the threshold that reaches a chosen sensitivity or specificity.

    Parameters
    ----------
    y_true, probability : array-like of shape (n_records,)
        As in `score`.
    sensitivity : float, optional
        Share of the positive records to find, from 0 to 1: the greatest threshold that finds them.
    specificity : float, optional
        Share of the negative records to leave alone, from 0 to 1: the least threshold that does.

    Returns
    -------
    float
        Half way between two neighbouring probabilities (or 0 or 1 at the ends), so that a small
        change of either changes no decision.

    Raises
    ------
    ValueError
        If not exactly one of the two is given, or it lies outside 0 to 1.

    Notes
    -----
    A threshold chosen on the very records that are then scored is a look at the test set.

    Examples
    --------
    >>> y, probability = [0, 0, 1, 1], [0.1, 0.6, 0.7, 0.9]
    >>> round(threshold_at(y, probability, specificity=1.0), 3)
    0.65
    >>> round(threshold_at(y, probability, sensitivity=0.5), 3)
    0.8
    """
    y, probability = checked_predictions(y_true, probability)
    wanted = sensitivity if specificity is None else specificity
    if (sensitivity is None) == (specificity is None) or not 0 <= wanted <= 1:
        raise ValueError(
            "give one of sensitivity and specificity, from 0 to 1, "
            f"got {sensitivity} and {specificity}"
        )
    values = np.unique(probability)
    cuts = np.concatenate([[0.0], (values[1:] + values[:-1]) / 2, [1.0]])
    own = np.sort(probability[~y if sensitivity is None else y])
    below = np.searchsorted(own, cuts, side="right") / len(own)
    slack = 1e-12  # a share such as 7/10 is not a whole number of binary digits
    if sensitivity is None:
        return float(cuts[below >= specificity - slack][0])
    reached = cuts[1 - below >= sensitivity - slack]
    return float(reached[-1]) if len(reached) else 0.0  # a positive record was told exactly 0


def decision_curve(y_true, probability, thresholds):
    """Net benefit of acting on a model's advice, over the threshold at which one would act.

    Who acts at a probability of t says that a false alarm costs t / (1 - t) of what a found case
    is worth. Net benefit counts found cases less false alarms at that price, per record.

    Parameters
    ----------
    y_true, probability : array-like of shape (n_records,)
        As in `score`; probabilities should be calibrated.
    thresholds : array-like of shape (n_thresholds,)
        Probabilities t at which one would act, at least 0 and below 1.

    Returns
    -------
    DataFrame
        Columns threshold, model, act on all (the net benefit of treating everybody); treating
        nobody has none. In found cases per record, at most the share of positive records.

    Raises
    ------
    ValueError
        If a threshold lies outside its range, or the predictions are not as in `score`.

    References
    ----------
    Vickers and Elkin, *Decision curve analysis*, Medical Decision Making 26, 2006.

    Examples
    --------
    >>> decision_curve([0, 0, 1, 1], [0.1, 0.6, 0.7, 0.9], [0.5])
       threshold  model  act on all
    0        0.5   0.25         0.0
    """
    y, probability = checked_predictions(y_true, probability)
    t = np.asarray(thresholds, dtype=np.float64)
    if t.ndim != 1 or not np.all((t >= 0) & (t < 1)):
        raise ValueError(f"thresholds must be at least 0 and below 1, got {thresholds}")
    called = probability[:, None] > t
    price = t / (1 - t)
    benefit = np.mean(called & y[:, None], axis=0) - price * np.mean(called & ~y[:, None], axis=0)
    everybody = y.mean() - price * (1 - y.mean())
    return pd.DataFrame({"threshold": t, "model": benefit, "act on all": everybody})


def summarise(scores, level=0.95, bounds=None):
    """Mean, interval and standard deviation of each metric, imputer and classifier.

    Parameters
    ----------
    scores : DataFrame
        Long form: imputer, classifier, metric, value, n_train, n_test; one row per fold.
    level : float, default=0.95
        Coverage of the intervals, see `corrected_interval`.
    bounds : tuple of float, optional
        Where values end, ``(0, 1)`` for scores: intervals are cut there, which loses no coverage
        since the truth cannot lie in what is cut off. Differences of scores need none.

    Returns
    -------
    DataFrame
        Columns imputer, classifier, metric, mean, low, high, half, sd, in the order of `scores`.
        `half` is half the width of the interval before it is cut; `sd` is that of single folds.
        With one value `sd`, `low`, `high` and `half` are NaN; with pooled scores all but `sd`.

    Raises
    ------
    ValueError
        If a column is absent, there is no row, a value lies outside `bounds`, or `level` is not
        between 0 and 1.

    Examples
    --------
    >>> scores = pd.DataFrame({"imputer": "mean", "classifier": "MLP", "metric": "accuracy",
    ...     "value": [0.94, 0.96, 0.95, 0.97, 0.93], "n_train": 455, "n_test": 114})
    >>> summarise(scores).round(3)
      imputer classifier    metric  mean    low   high   half     sd
    0    mean        MLP  accuracy  0.95  0.921  0.979  0.029  0.016
    """
    keys = ["imputer", "classifier", "metric"]
    check_columns("scores", scores, [*keys, "value", "n_train", "n_test"])
    check_level(level)
    table = scores.groupby(keys, sort=False, as_index=False).agg(
        mean=("value", "mean"),
        sd=("value", "std"),
        n_folds=("value", "size"),
        n_train=("n_train", "mean"),
        n_test=("n_test", "mean"),
    )
    half = half_width(table["sd"], table["n_folds"], table["n_train"], table["n_test"], level)
    table = table.assign(low=table["mean"] - half, high=table["mean"] + half, half=half)
    if bounds:
        if not scores["value"].between(*bounds).all():
            raise ValueError(f"scores must lie within the bounds {bounds}")
        table[["low", "high"]] = table[["low", "high"]].clip(*bounds)
    return table[[*keys, "mean", "low", "high", "half", "sd"]]


def roc_over_folds(y, probabilities, fpr_grid=None, *, level=0.8):
    """Average the ROC curves of folds at given false positive rates.

    Parameters
    ----------
    y : sequence of J array-likes
        Labels of each fold, 1 for the positive class; folds may differ in length.
    probabilities : sequence of J array-likes
        Scores for the positive class, fold by fold.
    fpr_grid : array-like of shape (n_points,), optional
        False positive rates, from 0 to 1; by default 1001 of them, evenly spaced.
    level : float, default=0.8
        Share of the folds' curves that the band holds at each point, between 0 and 1: by default
        from the 10th to the 90th percentile.

    Returns
    -------
    DataFrame
        Columns fpr, tpr (the mean over folds of the true positive rate), low and high (the band).
        The area under the mean curve is the mean of the folds' areas, as in the tables.

    Raises
    ------
    ValueError
        If there is no fold, the numbers of folds differ, a fold lacks a class, or the grid leaves
        the range 0 to 1.

    Notes
    -----
    The paper's Figure 3. For one curve over pooled predictions hand over a single fold that holds
    them all.

    Examples
    --------
    >>> roc_over_folds([[0, 1], [0, 1]], [[0.2, 0.9], [0.9, 0.2]], [0.0, 0.5, 1.0])["tpr"].tolist()
    [0.5, 0.5, 1.0]
    """
    if len(y) == 0 or len(y) != len(probabilities):
        raise ValueError(
            "y and probabilities must list the same folds, one or more, "
            f"got {len(y)} and {len(probabilities)}"
        )
    grid = np.linspace(0, 1, 1001) if fpr_grid is None else np.asarray(fpr_grid, dtype=np.float64)
    if grid.ndim != 1 or grid.size == 0 or not np.all((grid >= 0) & (grid <= 1)):
        raise ValueError("fpr_grid must be one-dimensional, its values from 0 to 1")
    check_level(level)
    curves = np.empty((len(y), grid.size))
    for row, labels, probability in zip(curves, y, probabilities, strict=True):
        fpr, tpr, _ = roc_curve(*checked_predictions(labels, probability))
        row[:] = np.interp(grid, fpr, tpr)
    low, high = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return pd.DataFrame({"fpr": grid, "tpr": curves.mean(axis=0), "low": low, "high": high})


def rmse(truth, imputed, mask):
    """Root mean squared error of an imputation over all hidden cells.

    Parameters
    ----------
    truth, imputed : array-like of shape (n_records, n_attributes)
        The complete table and the imputed one, in the same units; where attributes differ in
        scale, scale both first.
    mask : array-like of bool, shape (n_records, n_attributes)
        True where a cell was hidden.

    Returns
    -------
    float
        In the units of the tables. Each hidden cell counts the same.

    Raises
    ------
    ValueError
        If shapes differ, `mask` is not boolean, nothing is hidden, or a hidden cell is NaN in
        either table.

    Examples
    --------
    >>> rmse([[1.0, 2.0], [3.0, 4.0]], [[1.0, 5.0], [7.0, 4.0]], [[False, True], [True, False]])
    3.5355339059327378
    """
    truth, imputed = np.asarray(truth, np.float64), np.asarray(imputed, np.float64)
    mask = np.asarray(mask)
    if mask.dtype != bool or not truth.shape == imputed.shape == mask.shape:
        raise ValueError(
            "truth, imputed and a boolean mask must have one shape, "
            f"got {truth.shape}, {imputed.shape} and {mask.dtype} of {mask.shape}"
        )
    if not mask.any():
        raise ValueError("mask must hide at least one cell, got none")
    error = imputed[mask] - truth[mask]
    if np.isnan(error).any():
        raise ValueError("truth and imputed must hold numbers in every hidden cell, got NaN")
    return float(np.sqrt(np.mean(error**2)))


def checked_predictions(y_true, probability):
    y, probability = np.asarray(y_true), np.asarray(probability, dtype=np.float64)
    if y.ndim != 1 or probability.shape != y.shape:
        raise ValueError(
            "y_true and probability must be one-dimensional and of one length, "
            f"got shapes {y.shape} and {probability.shape}"
        )
    labels = np.unique(y).tolist()
    if labels != [0, 1]:
        raise ValueError(f"y_true must hold both 0 and 1 and nothing else, got {labels}")
    if not np.all((probability >= 0) & (probability <= 1)):
        raise ValueError("probability must lie from 0 to 1 in every record")
    return y.astype(bool), probability


def check_columns(name, frame, columns):
    absent = [c for c in columns if c not in frame.columns]
    if absent or frame.empty:
        raise ValueError(
            f"{name} must have rows and the columns {columns}, lacks {absent or 'rows'}"
        )
