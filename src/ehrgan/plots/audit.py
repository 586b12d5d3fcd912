"""Figures of the chapters that audit the claim and go past it."""

import numpy as np
from matplotlib.ticker import MaxNLocator
from sklearn.calibration import calibration_curve

from .style import COLOURS, DASHES, MARKERS, PAPER_MARK, band, drawn, is_narrow, name_rows, subplots


@drawn
def errors_by_epoch(curves):
    """Mean error on the test folds over training, and the epochs that a peek would choose.

    Parameters
    ----------
    curves : DataFrame
        Columns trial, fold, epoch and error, as in `StudyResult.curves`, of one arm.

    Returns
    -------
    Figure
        Above the mean error with the middle eight tenths of folds, below a histogram of the epoch
        of least test error of each fold, the first where several are equal.
    """
    by_epoch = curves.groupby("epoch")["error"]
    chosen = curves.pivot_table("error", ["trial", "fold"], "epoch").idxmin(axis="columns")
    low, high = by_epoch.quantile(0.1), by_epoch.quantile(0.9)
    figure, (above, below) = subplots(2, 1, sharex=True, figsize=(6, 4.6), height_ratios=[3, 1.2])
    above.fill_between(low.index, low, high, color=COLOURS[0], alpha=0.18, lw=0)
    above.plot(by_epoch.mean(), color=COLOURS[0], lw=2)
    top = min(0.2, 2 * high.iloc[len(high) // 4 :].max())
    above.set(ylabel="Error on the test fold", ylim=(0, top))
    bins = np.linspace(0, curves["epoch"].max(), 26)
    below.hist(chosen, bins=bins, color=COLOURS[1], edgecolor="black", lw=0.6)
    below.yaxis.set_major_locator(MaxNLocator(integer=True))
    below.set(xlabel="Epoch", ylabel="Folds")
    return figure


@drawn
def paper_arithmetic(counts, gaps, printed):
    """How whole the paper's counts are, and how its scores disagree beside ways to average them.

    Parameters
    ----------
    counts : DataFrame
        Columns sensitivity and specificity: what each printed share is in records, as
        :func:`ehrgan.paper.granularity.granularity` gives it; indexed by the words of a row.
    gaps : dict of str to DataFrame
        A way to average, and the columns accuracy and f_score of tables drawn in that way: score
        less what sensitivity and specificity imply.
    printed : DataFrame
        The same two columns for printed rows, indexed by their words.

    Returns
    -------
    Figure
        Above a row for each of `counts`, its distance from the nearest whole number of records;
        below a cloud for each of `gaps`, and the printed rows as stars.
    """
    figure, (above, below) = subplots(
        2, 1, figsize=(6.4, 0.27 * len(counts) + 5), height_ratios=[0.27 * len(counts) + 0.6, 3.6]
    )
    above.axvline(0, color="black", lw=1)
    for i, name in enumerate(["sensitivity", "specificity"]):
        away = counts[name] - counts[name].round()
        looks = {"color": COLOURS[i], "marker": MARKERS[i], "ls": "", "ms": 6, "label": name}
        above.plot(away, np.arange(len(counts)) + 0.2 * i - 0.1, **looks)
    name_rows(above, counts.index)
    above.set(xlim=(-0.55, 0.55), xlabel="Records from the nearest whole count")
    above.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    for i, (words, table) in enumerate(gaps.items()):
        looks = {"color": COLOURS[i], "marker": MARKERS[i], "ls": "", "ms": 3, "alpha": 0.5}
        looks["zorder"] = 2.9 - 0.1 * i  # the first on top
        below.plot(table["accuracy"], table["f_score"], label=words, **looks)
    for i, (words, row) in enumerate(printed.iterrows()):
        looks = {**PAPER_MARK, "marker": "*s"[i], "ms": [14, 8][i]}
        below.plot(row["accuracy"], row["f_score"], label=words, **looks)
    below.set(xlabel="Accuracy, less what is implied", ylabel="F-score, less what is implied")
    columns = 1 if is_narrow() else 2
    below.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, fontsize=10)
    return figure


@drawn
def optimism_of_looking(tables):
    """What the best of k looks at the test fold adds to accuracy, over k.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Words for a line, and its columns looks, mean, low and high.
    """
    figure, axis = subplots(figsize=(5.8, 3.4))
    axis.axhline(0, color="black", lw=1)
    for i, (words, table) in enumerate(tables.items()):
        looks = {"color": COLOURS[i], "marker": MARKERS[i], "ls": DASHES[i]}
        axis.plot(table["looks"], table["mean"], label=words, **looks)
        band(axis, table["looks"], table, COLOURS[i])
    axis.set(xscale="log", xlabel="Looks at the test fold", ylabel="Accuracy gained")
    axis.legend(loc="upper left")
    return figure


@drawn
def frontier(trades, points):
    """Sensitivity against specificity as the threshold moves, beside single points.

    Parameters
    ----------
    trades : dict of str to DataFrame
        Words for a method, and its columns threshold, sensitivity and specificity.
    points : dict of str to (specificity, sensitivity)
        Words for each point.

    Returns
    -------
    Figure
        A line for each method, with a large mark at the threshold next to one half.
    """
    figure, axis = subplots(figsize=(5.8, 3.8))
    for i, (words, table) in enumerate(trades.items()):
        half = int((table["threshold"] - 0.5).abs().to_numpy().argmin())
        looks = {"color": COLOURS[i], "ls": DASHES[i], "marker": MARKERS[i], "ms": 9}
        looks |= {"markevery": [half], "label": words}
        axis.plot(table["specificity"], table["sensitivity"], **looks)
    for words, point in points.items():
        axis.plot(*point, label=words, **PAPER_MARK)
    axis.set(xlabel="Specificity", ylabel="Sensitivity")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@drawn
def calibration_and_benefit(predictions, benefits, n_bins=8):
    """Calibration curves on the left, net benefit on the right.

    Parameters
    ----------
    predictions : dict of str to (y, probability)
        Words for a method, and the predictions of all its folds.
    benefits : dict of str to DataFrame
        The same words, and what :func:`ehrgan.scores.metrics.decision_curve` gives.
    n_bins : int, default=8
        Bins of equal width on the probability; empty ones are not drawn.
    """
    figure, (left, right) = subplots(1, 2, figsize=(6.6, 4))
    left.plot([0, 1], [0, 1], color="0.4", lw=1, ls=":")
    for i, (words, (y, probability)) in enumerate(predictions.items()):
        looks = {"color": COLOURS[i], "marker": MARKERS[i], "ls": DASHES[i], "ms": 5}
        observed, told = calibration_curve(y, probability, n_bins=n_bins)
        left.plot(told, observed, label=words, **looks)
        table = benefits[words]
        right.plot(table["threshold"], table["model"], markevery=(3 * i, 12), **looks)
    right.plot(table["threshold"], table["act on all"], color="0.4", lw=1, label="act on all")
    right.axhline(0, color="black", lw=1)
    right.set(xlabel="Threshold", ylabel="Net benefit", ylim=(-0.05, None))
    right.annotate("act on all", (0.42, 0.0), (0.5, 0.08), fontsize=9)
    left.set(xlabel="Predicted probability", ylabel="Share malignant", aspect="equal")
    words = left.get_legend_handles_labels()
    figure.legend(*words, loc="outside lower center", ncols=2, fontsize=10)
    return figure
