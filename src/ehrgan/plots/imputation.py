"""Figures of the chapter on imputation."""

import numpy as np

from .style import COLOURS, DASHES, band, drawn, label_edges, name_rows, spread, subplots

LOOKS = {"zero": (COLOURS[3], "^"), "mean": (COLOURS[0], "s"), "autoencoder": (COLOURS[1], "D")}
INPUTS = {  # what the autoencoder is given in the cells that it ought to guess
    "zeros in the holes": (*LOOKS["autoencoder"], "-"),
    "means in the holes": ("black", "v", "-."),
    "all cells given": (COLOURS[2], "o", ":"),
}


@drawn
def imputation_errors(folds, summary):
    """Error of each imputation, every test fold as a small dot, their mean with its interval.

    Imputations that other figures know look as they do there.

    Parameters
    ----------
    folds : DataFrame
        Columns imputer and rmse, one row for each test fold, as in `StudyResult.imputation`.
    summary : DataFrame
        Columns mean, low and high, indexed by imputer, in the order of the rows.
    """
    figure, axis = subplots(figsize=(5.4, 0.7 * len(summary) + 0.8))
    for i, (name, row) in enumerate(summary.iterrows()):
        errors = folds.loc[folds["imputer"] == name, "rmse"]
        heights = i + np.linspace(0.18, 0.34, len(errors))  # side by side, in the folds' order
        axis.plot(errors, heights, ".", color="0.55", ms=4)
        spread = [[row["mean"] - row["low"]], [row["high"] - row["mean"]]]
        colour, marker = LOOKS.get(name, (COLOURS[2], "o"))
        axis.errorbar(
            row["mean"], i, xerr=spread, fmt=marker, color=colour, ms=8, lw=2.2, capsize=4
        )
        axis.annotate(f"{row['mean']:.3f}", (row["mean"], i), (0, 9), ha="center",
                      textcoords="offset points", fontsize=10)  # fmt: skip
    axis.set_yticks(range(len(summary)), list(summary.index))
    axis.set_ylim(len(summary) - 0.4, -0.55)
    axis.set_xlim(left=0)
    axis.grid(axis="y", visible=False)
    axis.set_xlabel("RMSE on hidden cells (lower is better)")
    return figure


@drawn
def toy_fills(x1, x2, fills, mean):
    """What each of several networks puts for a hidden attribute, over the one that is visible.

    Parameters
    ----------
    x1, x2 : ndarray of shape (n_records,)
        The visible attribute, in rising order, and the truth of the hidden one.
    fills : sequence of ndarray of shape (n_records,)
        The hidden attribute as each network fills it.
    mean : float
        What mean imputation fills.
    """
    figure, axis = subplots(figsize=(5.4, 3.9))
    for i, fill in enumerate(fills):
        label = f"{len(fills)} autoencoders" if i == 0 else None
        axis.plot(x1, fill, color=LOOKS["autoencoder"][0], lw=1, alpha=0.75, label=label)
    axis.plot(x1, x2, color="black", lw=2.6, label="truth")
    axis.axhline(mean, color=LOOKS["mean"][0], lw=2.2, ls="--", label="mean")
    axis.set(xlabel="visible attribute $x_1$", ylabel="hidden attribute $x_2$, as filled in")
    axis.set(xlim=(x1.min(), x1.max()), ylim=(x2.min(), x2.max()))
    figure.legend(loc="outside upper left", ncols=3)
    return figure


@drawn
def toy_guesses(records, x, guesses):
    """What each of several methods guesses for a hidden attribute, among the records.

    Parameters
    ----------
    records : ndarray of shape (n_records, 2)
        The visible and the hidden attribute.
    x : ndarray of shape (n,)
        Values of the visible attribute, in rising order.
    guesses : dict of str to ndarray of shape (n,)
        By the name of the method.
    """
    figure, axis = subplots(figsize=(5.4, 3.9))
    axis.plot(*records.T, ".", color="0.7", ms=4, label="records")
    for i, (name, guess) in enumerate(guesses.items()):
        axis.plot(x, guess, ls=DASHES[i], color=COLOURS[i], lw=2.2, label=name)
    axis.set(xlabel="visible attribute $x_1$", ylabel="hidden attribute $x_2$")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


@drawn
def toy_fillings(records, fillings):
    """Filled records among those that were complete, a panel for each way of filling.

    Parameters
    ----------
    records : ndarray of shape (n_records, 2)
        Complete records.
    fillings : dict of str to ndarray of shape (n, 2)
        Filled records, by the way in which they were filled.
    """
    size = {"sharex": True, "sharey": True, "figsize": (6.2, 3.4)}
    figure, axes = subplots(1, len(fillings), squeeze=False, **size)
    for axis, (name, filled) in zip(axes.flat, fillings.items(), strict=True):
        axis.plot(*records.T, ".", color="0.75", ms=4, label="complete records")
        axis.plot(*filled.T, "D", color=COLOURS[1], mfc="none", ms=4, label="filled records")
        axis.set_title(name, fontsize=11)
    label_edges(axes, "$x_1$", "$x_2$")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


@drawn
def learning_curve(history, best_epoch):
    """Training and validation error over the epochs, with the epoch that was kept.

    Parameters
    ----------
    history : dict of ndarray of shape (n_epochs,)
        ``reconstruction`` (training) and ``validation``, mean squared errors.
    best_epoch : int
        The epoch of least validation error, counted from 1.
    """
    names = {"reconstruction": "training records", "validation": "validation records"}
    figure, axis = subplots(figsize=(5.2, 3.6))
    for i, (key, label) in enumerate(names.items()):
        epochs = np.arange(1, len(history[key]) + 1)
        axis.plot(epochs, history[key], DASHES[i], color=COLOURS[i], lw=1.8, label=label)
    least = history["validation"][best_epoch - 1]
    axis.plot(best_epoch, least, "k*", ms=14, label=f"kept: epoch {best_epoch}", zorder=5)
    axis.set(yscale="log", xlabel="epoch", ylabel="squared error, mean over cells")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


@drawn
def filled_record(truth, told_all, filled, mean, n_hidden):
    """One record: the truth, and what a network makes of it with and without its cells.

    Parameters
    ----------
    truth : Series of shape (n_attributes,)
        The record on a scale common to all attributes, indexed by their names.
    told_all : array-like of shape (n_attributes,)
        Its reconstruction by a network that is given every cell.
    filled : array-like of shape (n_attributes,)
        Its reconstruction by the same network, given zeros in the holes.
    mean : array-like of shape (n_attributes,)
        What mean imputation puts into the holes.
    n_hidden : int
        The first `n_hidden` attributes were hidden; they stand on a darker ground.
    """
    y = np.arange(len(truth))
    figure, axis = subplots(figsize=(5.2, 8.2))
    axis.axhspan(-0.5, n_hidden - 0.5, color="0.92", lw=0, zorder=0)
    axis.plot(truth, y, "k|", ms=13, mew=2.6, label="truth")
    for name, x in {"all cells given": told_all, "zeros in the holes": filled}.items():
        colour, marker, _ = INPUTS[name]
        axis.plot(x, y, marker, color=colour, ms=7, mfc="none", mew=1.7, label=name)
    colour, marker = LOOKS["mean"]
    axis.plot(mean[:n_hidden], y[:n_hidden], marker, color=colour, ms=4, label="mean")
    axis.set_yticks(y, list(truth.index), fontsize=10)
    axis.set_ylim(len(truth) - 0.5, -0.5)
    axis.set_xlabel("value, from 0 (least) to 1 (greatest)")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


@drawn
def errors_by_attribute(table):
    """Error in each attribute, one mark and interval for each imputation.

    Parameters
    ----------
    table : DataFrame
        Columns attribute, imputer, mean, low and high.
    """
    rows = {name: i for i, name in enumerate(table["attribute"].unique())}
    figure, axis = subplots(figsize=(5.2, 0.38 * len(rows) + 1.5))
    for i, (name, own) in enumerate(table.groupby("imputer", sort=False)):
        y = own["attribute"].map(rows) + 0.24 * i - 0.12
        colour, marker = LOOKS[name]
        looks = {"fmt": marker, "color": colour, "ms": 6, "lw": 1.6, "label": name}
        axis.errorbar(own["mean"], y, xerr=spread(own), **looks)
    name_rows(axis, rows)
    axis.set_xlim(left=0)
    axis.set_xlabel("RMSE on hidden cells (lower is better)")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


@drawn
def errors_over_training(errors, mean):
    """Errors in the same cells of networks trained for more and more epochs, with intervals.

    Parameters
    ----------
    errors : dict of str to DataFrame
        What the networks are given in those cells, a key of `INPUTS`, and their errors: columns
        mean, low and high, indexed by the number of epochs.
    mean : float
        Error of mean imputation, a horizontal line.
    """
    figure, axis = subplots(figsize=(5.2, 4.4))
    for name, table in errors.items():
        colour, marker, dashes = INPUTS[name]
        band(axis, table.index, table, colour, alpha=0.15)
        axis.plot(
            table.index, table["mean"], marker=marker, ls=dashes, color=colour, lw=1.8,
            label=f"autoencoder, {name}",
        )  # fmt: skip
    axis.axhline(mean, color=LOOKS["mean"][0], lw=2, ls="--", label="mean imputation")
    axis.set(xscale="log", xlabel="epochs of training", ylabel="RMSE on the hidden cells")
    axis.set_ylim(bottom=0)
    axis.xaxis.set_major_formatter("{x:g}")
    figure.legend(loc="outside upper left", ncols=1)
    return figure
