"""Figures of the chapter on the AC-GAN."""

import matplotlib.pyplot as plt
import numpy as np

from ..scores.metrics import METRIC_WORDS
from .style import CLASS_COLOURS, COLOURS, DASHES, MARKERS, band, drawn, subplots


@drawn
def generated_records(real, y_real, fake, y_fake, attributes, classes):
    """Real records and generated ones, attribute by attribute and class by class.

    Parameters
    ----------
    real, fake : DataFrame
        Records in the same units.
    y_real, y_fake : array-like
        Their classes, 0 and 1.
    attributes : sequence of str
        One row of panels each.
    classes : dict of int to str
        One column of panels each: the class and its word.
    """
    shape = {"figsize": (7, 1.75 * len(attributes) + 0.6), "squeeze": False, "sharex": "row"}
    figure, axes = subplots(len(attributes), len(classes), **shape)
    for row, attribute in zip(axes, attributes, strict=True):
        both = np.concatenate([real[attribute], fake[attribute]])
        bins = np.linspace(both.min(), both.max(), 31)
        for axis, (c, word) in zip(row, classes.items(), strict=True):
            x = real.loc[np.asarray(y_real) == c, attribute]
            axis.hist(x, bins, density=True, color="0.75", label="real, holes filled by the mean")
            x = fake.loc[np.asarray(y_fake) == c, attribute]
            line = {"histtype": "step", "lw": 2, "color": CLASS_COLOURS[c], "ls": DASHES[c]}
            axis.hist(x, bins, density=True, label=f"generated {word}", **line)
            axis.set(yticks=[], title=f"{attribute}, {word}")
    handles = [axes[0, 0].get_legend_handles_labels()[0][0]]
    handles += [plt.Line2D([], [], lw=2, color=CLASS_COLOURS[c], ls=DASHES[c]) for c in classes]
    words = ["real, holes filled", *(f"generated {word}" for word in classes.values())]
    figure.legend(handles, words, loc="outside upper left", ncols=3, fontsize=10)
    return figure


@drawn
def discriminator_beside_optimum(x, densities, best, learned):
    """Two densities, and below them the best discriminator with the ones that were trained.

    Parameters
    ----------
    x : ndarray of shape (n_points,)
        Where the curves are drawn.
    densities : dict of str to ndarray of shape (n_points,)
        Name and values of the two densities.
    best : ndarray of shape (n_points,)
        The best discriminator's P(S = real | x).
    learned : ndarray of shape (M, n_points)
        The same from each trained network.
    """
    ratio = {"height_ratios": [2, 3]}
    figure, (top, axis) = subplots(2, 1, figsize=(6.5, 5), sharex=True, gridspec_kw=ratio)
    for i, (name, density) in enumerate(densities.items()):
        top.plot(x, density, color=COLOURS[i], ls=DASHES[i], lw=2, label=name)
    top.set(yticks=[], ylabel="density")
    top.legend(fontsize=10)
    lines = axis.plot(x, learned.T, color=COLOURS[2], lw=1, alpha=0.8)
    lines[0].set_label("trained networks, one line each")
    axis.plot(x, best, color="black", lw=2.5, ls="--", label="the best, $D^*(x)$")
    axis.axhline(0.5, color="0.5", lw=1)
    axis.set(xlabel="x", ylabel="D(x)", ylim=(-0.02, 1.02))
    axis.legend(fontsize=10)
    return figure


@drawn
def adversarial_curves(histories):
    """Every loss term of an AC-GAN over the epochs: the median network, and the band of them all.

    Parameters
    ----------
    histories : list of dict of ndarray of shape (epochs,)
        `ACGANClassifier.history_` of networks that differ in their seed.
    """
    half = np.log(0.5)
    panels = [
        ("$L_S$: real or fake?", {"L_S_real": "real records", "L_S_fake": "fake records"}),
        ("$L_C$: which class?", {"L_C_real": "real records", "L_C_fake": "fake records"}),
        ("What each network minimises", {"loss_D": "$D$", "loss_G": "$G$"}),
    ]
    lines = [[(half, r"$\ln\frac{1}{2}$")], [(half, r"$\ln\frac{1}{2}$")]]
    lines += [[(-2 * half, r"$2\ln 2$"), (half, r"$\ln\frac{1}{2}$")]]
    figure, axes = subplots(3, 1, figsize=(6.8, 7.6), sharex=True)
    for axis, (title, terms), levels in zip(axes, panels, lines, strict=True):
        for i, (term, label) in enumerate(terms.items()):
            _median_and_band(axis, np.array([h[term] for h in histories]), i, label)
        for level, name in levels:
            axis.axhline(level, color="black", lw=1, ls=":")
            axis.annotate(name, (1, level), (3, 0), xycoords=("axes fraction", "data"),
                          textcoords="offset points", va="center")  # fmt: skip
        axis.set_title(title)
        axis.legend(fontsize=10, ncols=2)
    axes[-1].set(xlabel="epoch", xscale="log")
    return figure


def _median_and_band(axis, curves, i, label):
    """Draw the median of the curves (M, epochs) and the band from the least to the greatest."""
    epochs = np.arange(1, curves.shape[1] + 1)
    ends = {"low": curves.min(axis=0), "high": curves.max(axis=0)}
    band(axis, epochs, ends, COLOURS[i], alpha=0.25)
    marker = MARKERS[i] if len(epochs) < 3 else None
    median = np.median(curves, axis=0)
    axis.plot(epochs, median, color=COLOURS[i], ls=DASHES[i], lw=2, marker=marker, label=label)


@drawn
def seed_spread(scores):
    """Scores of networks that differ in nothing but their seed, a dot each.

    Parameters
    ----------
    scores : DataFrame of shape (n_networks, n_metrics)
        One column per metric.
    """
    figure, axis = subplots(figsize=(6.5, 2.9))
    for i, metric in enumerate(scores):
        # equal scores would hide each other: a stack of dots shows how many there are
        rank = scores[metric].groupby(scores[metric].round(6)).cumcount()
        looks = {"color": COLOURS[0], "ms": 6, "mec": "white", "mew": 0.6}
        axis.plot(scores[metric], i - 0.09 * rank, "o", **looks)
        axis.plot(scores[metric].mean(), i + 0.22, "^", color="black", ms=7)
    axis.set_yticks(range(scores.shape[1]), [METRIC_WORDS.get(m, m) for m in scores])
    axis.invert_yaxis()
    axis.set_xlabel("score on the test fold")
    dot = plt.Line2D([], [], ls="", marker="o", color=COLOURS[0], label="one seed")
    mean = plt.Line2D([], [], ls="", marker="^", color="black", label="mean of the seeds")
    figure.legend(handles=[dot, mean], loc="outside upper left", ncols=2)
    return figure


@drawn
def spread_ratios(ratios, reference, words):
    """Spread of generated records over that of real ones, an attribute a row.

    Parameters
    ----------
    ratios : DataFrame
        Columns network, class, attribute, ratio.
    reference : DataFrame
        Columns class, attribute, ratio: the same for real records that were held out.
    words : dict of int to str
        The classes and their words, a panel each.
    """
    names = ratios["attribute"].unique()
    figure, axes = subplots(1, len(words), figsize=(7.4, 0.23 * len(names) + 1.3), sharey=True)
    rows = {name: i for i, name in enumerate(names)}
    for axis, (c, word) in zip(axes, words.items(), strict=True):
        own = ratios[ratios["class"] == c].groupby("attribute", sort=False)["ratio"]
        middle, low, high = own.median(), own.min(), own.max()
        y = middle.index.map(rows)
        axis.axvline(1, color="black", lw=1)
        axis.hlines(y, low, high, color=CLASS_COLOURS[c], lw=1.5)
        axis.plot(middle, y, MARKERS[c], color=CLASS_COLOURS[c], ms=5)
        told = reference[reference["class"] == c]
        axis.plot(told["ratio"], told["attribute"].map(rows), "d", mfc="white", mec="black", ms=5)
        axis.set(title=word, xlabel="spread, over that of real records", xlim=(0, None))
    axes[0].set_yticks(range(len(names)), names, fontsize=8.5)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    handles = [plt.Line2D([], [], ls="-", marker="o", color="0.3")]
    handles += [plt.Line2D([], [], ls="", marker="d", mfc="white", mec="black")]
    told = ["generated: median and range of seeds", "real, held out"]
    figure.legend(handles, told, loc="outside upper left", ncols=2, fontsize=10)
    return figure
