"""Figures of the chapter on rare diseases."""

import matplotlib.pyplot as plt
import numpy as np

from .style import COLOURS, MARKERS, drawn, label_edges, name_rows, subplots


@drawn
def marks_by_setting(panels, label, reference):
    """A number of every method in every setting, on a scale where half and double are as far.

    Parameters
    ----------
    panels : dict of str to DataFrame
        A panel's title, and its numbers: a row for each method, a column for each setting, each
        cell an :class:`~ehrgan.scores.estimate.Estimate` above 0. All have the same rows and
        columns.
    label : str
        What is drawn.
    reference : float
        Where a line stands.

    Returns
    -------
    Figure
        Panels side by side.
    """
    methods, settings = (list(axis) for axis in next(iter(panels.values())).axes)
    size = {"figsize": (3.0 * len(panels) + 1.4, 0.42 * len(methods) + 1.5)}
    figure, axes = subplots(1, len(panels), sharex=True, sharey=True, squeeze=False, **size)
    for axis, (title, table) in zip(axes[0], panels.items(), strict=True):
        axis.axvline(reference, color="black", lw=1)
        for i, setting in enumerate(settings):
            at = np.arange(len(methods)) + 0.14 * (i - (len(settings) - 1) / 2)
            value, low, high = np.array([tuple(cell) for cell in table[setting]], dtype=float).T
            looks = {"color": COLOURS[i], "marker": MARKERS[i], "ls": "", "ms": 5, "lw": 1.2}
            low = np.maximum(low, value / 10)  # a logarithm has no end below
            reach = [value - low, high - value]
            axis.errorbar(value, at, xerr=reach, label=str(setting), **looks)
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter("{x:g}")
        axis.set_title(title, fontsize=11)
        axis.set_xlabel(label)
        name_rows(axis, methods)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


@drawn
def promises_after_mend(table, band, near):
    """What a cure promises after its mend, over how far off its log-odds were before.

    Parameters
    ----------
    table : DataFrame
        Columns setting, kind (of cure), shift (of the log-odds, see
        :func:`ehrgan.study.by_prevalence.one_prevalence`) and ratio (predicted over true after
        :func:`~ehrgan.scores.calibration.reprior`), a row for each cure and setting.
    band : float
        How far from 1 a ratio may be and still be called right, above 0.
    near : float
        How far from 0 a shift may be and still be called small, above 0.

    Returns
    -------
    Figure
        A colour for each kind, a mark for each setting; what is right and what is small is shaded.
    """
    figure, axis = subplots(figsize=(6.6, 4.0))
    axis.axhspan(1 - band, 1 + band, color="black", alpha=0.1, lw=0)
    axis.axvspan(-near, near, color="black", alpha=0.1, lw=0)
    kinds, settings = (list(dict.fromkeys(table[column])) for column in ("kind", "setting"))
    for (kind, setting), own in table.groupby(["kind", "setting"], sort=False):
        looks = {"marker": MARKERS[settings.index(setting)], "color": COLOURS[kinds.index(kind)]}
        axis.plot(own["shift"], own["ratio"], ls="", ms=7, mfc="none", mew=1.6, **looks)
    keys = [{"color": COLOURS[i], "marker": "o", "label": kind} for i, kind in enumerate(kinds)]
    keys += [{"color": "0.4", "marker": MARKERS[i], "label": s} for i, s in enumerate(settings)]
    handles = [plt.Line2D([], [], ls="", mfc="none", mew=1.6, **key) for key in keys]
    figure.legend(handles=handles, loc="outside right upper")
    axis.set(
        xlabel="log-odds too low by, where the classes are as it learned them",
        ylabel="predicted over true after the mend",
    )
    return figure


@drawn
def costs_of_cures(table, panels):
    """What every cure costs, a mark for each round.

    Parameters
    ----------
    table : DataFrame
        Column cure, and a row for each round.
    panels : dict of str to str
        A column to draw, and its words.

    Returns
    -------
    Figure
        Panels side by side, logarithmic.
    """
    cures = list(dict.fromkeys(table["cure"]))
    size = {"figsize": (3.2 * len(panels) + 1.2, 0.36 * len(cures) + 0.9)}
    figure, axes = subplots(1, len(panels), sharey=True, squeeze=False, **size)
    for axis, (column, words) in zip(axes[0], panels.items(), strict=True):
        for i, cure in enumerate(cures):
            own = table.loc[table["cure"] == cure, column]
            axis.plot(own, [i] * len(own), color=COLOURS[0], marker="o", ls="", ms=6, mfc="none")
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter("{x:g}")
        axis.set_xlabel(words)
        name_rows(axis, cures)
    return figure


@drawn
def losses_of_networks(histories, label):
    """One loss of many networks over training, a panel for each way to train them.

    Parameters
    ----------
    histories : dict of str to ndarray of shape (n_networks, n_epochs)
        A panel's title, and the losses in it.
    label : str
        What is drawn.

    Returns
    -------
    Figure
        A thin line for each network, a thick one for their median.
    """
    size = {"figsize": (2.5 * len(histories) + 0.6, 2.9)}
    figure, axes = subplots(1, len(histories), sharex=True, sharey=True, squeeze=False, **size)
    for i, (axis, (title, losses)) in enumerate(zip(axes[0], histories.items(), strict=True)):
        epochs = np.arange(1, losses.shape[1] + 1)
        axis.plot(epochs, losses.T, color=COLOURS[i], lw=0.7, alpha=0.45)
        axis.plot(epochs, np.median(losses, axis=0), color="black", lw=1.8)
        axis.set_title(title, fontsize=11)
    label_edges(axes, "epoch", label)
    return figure
