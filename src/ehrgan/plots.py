"""Every figure of the book, one function each.

Figures stand on white in both themes. Categories differ in colour (Okabe and Ito's palette, which
colour-blind readers can tell apart) and again in marker, line or hatch: greyscale is enough.
"""

from contextlib import contextmanager

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D1F")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
CLASS_COLOURS = {0: COLOURS[0], 1: COLOURS[1]}


@contextmanager
def _style():
    """The look of every figure: white ground, quiet grid, text that stays readable at 400 px."""
    looks = {
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "figure.dpi": 110,
        "font.size": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "legend.frameon": False,
        "figure.constrained_layout.use": True,
    }
    with sns.axes_style("whitegrid"), plt.rc_context(looks):
        yield


def _closed(figure):
    """Close a figure so that a notebook shows it once, where it is returned."""
    plt.close(figure)
    return figure


# --- chapter 03 -----------------------------------------------------------------------------------


def classifier_intervals(summary, paper, metric="accuracy"):
    """One metric of every classifier and imputation with its interval, beside the paper's number.

    Parameters
    ----------
    summary : DataFrame
        Columns imputer, classifier, metric, mean, low, high, as `evaluation.summarise` gives them.
    paper : DataFrame
        Columns imputer, classifier and the metrics, as `evaluation.paper_tables` gives them.
    metric : str, default="accuracy"
        Which metric to draw.

    Returns
    -------
    Figure
    """
    ours = summary[summary["metric"] == metric]
    told = paper[paper["classifier"].isin(ours["classifier"])].assign(mean=lambda t: t[metric])
    with _style():
        figure, axis = plt.subplots(figsize=(7, 6.2))
        _dodged_intervals(axis, ours, hollow=told)
        axis.set_xlim(
            right=min(1, axis.get_xlim()[1])
        )  # intervals may reach past it; scores cannot
        axis.set_xlabel(f"{metric.replace('_', ' ')}, mean over test folds")
        handles = _imputer_handles(axis)
        hollow = plt.Line2D(
            [], [], color="black", marker="d", ls="", mfc="white", label="the paper"
        )
        figure.legend(handles=[*handles, hollow], loc="outside upper left", ncols=4, fontsize=10)
    return _closed(figure)


def paired_differences(table, label):
    """Differences between classifiers on the same folds, with their intervals and a line at zero.

    Parameters
    ----------
    table : DataFrame
        Columns imputer, classifier, mean, low, high.
    label : str
        What the differences are.

    Returns
    -------
    Figure
    """
    with _style():
        figure, axis = plt.subplots(figsize=(7, 4.6))
        axis.axvline(0, color="black", lw=1)
        _dodged_intervals(axis, table)
        axis.set_xlabel(label)
        figure.legend(handles=_imputer_handles(axis), loc="outside upper left", ncols=3)
    return _closed(figure)


def _dodged_intervals(axis, table, hollow=None):
    """Draw a row for each classifier, and in it a dot and interval for each imputation."""
    rows = {name: i for i, name in enumerate(table["classifier"].unique())}
    imputers = table["imputer"].unique()
    shifts = dict(
        zip(imputers, 0.22 * (np.arange(len(imputers)) - (len(imputers) - 1) / 2), strict=True)
    )
    for i, imputer in enumerate(imputers):
        own = table[table["imputer"] == imputer]
        y = own["classifier"].map(rows) + shifts[imputer]
        spread = [own["mean"] - own["low"], own["high"] - own["mean"]]
        axis.errorbar(
            own["mean"],
            y,
            xerr=spread,
            fmt=MARKERS[i],
            color=COLOURS[i],
            ms=6,
            lw=1.6,
            label=imputer,
        )
        if hollow is not None:
            told = hollow[hollow["imputer"] == imputer]
            y = told["classifier"].map(rows) + shifts[imputer]
            axis.plot(told["mean"], y, "d", mfc="white", mec="black", ms=6, zorder=4)
    axis.set_yticks(range(len(rows)), list(rows))
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    for i in range(1, len(rows), 2):
        axis.axhspan(i - 0.5, i + 0.5, color="0.95", zorder=0)


def _imputer_handles(axis):
    """Legend entries of the imputations: the marker alone, without its interval."""
    handles, _ = axis.get_legend_handles_labels()
    return [
        plt.Line2D(
            [], [], color=h[0].get_color(), marker=h[0].get_marker(), ls="", label=h.get_label()
        )
        for h in handles
    ]


# --- chapter 04 -----------------------------------------------------------------------------------


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

    Returns
    -------
    Figure
    """
    with _style():
        shape = {"figsize": (7, 1.75 * len(attributes) + 0.6), "squeeze": False, "sharex": "row"}
        figure, axes = plt.subplots(len(attributes), len(classes), **shape)
        for row, attribute in zip(axes, attributes, strict=True):
            both = np.concatenate([real[attribute], fake[attribute]])
            bins = np.linspace(both.min(), both.max(), 31)
            for axis, (c, word) in zip(row, classes.items(), strict=True):
                x = real.loc[np.asarray(y_real) == c, attribute]
                axis.hist(
                    x, bins, density=True, color="0.75", label="real, holes filled by the mean"
                )
                x = fake.loc[np.asarray(y_fake) == c, attribute]
                line = {"histtype": "step", "lw": 2, "color": CLASS_COLOURS[c], "ls": DASHES[c]}
                axis.hist(x, bins, density=True, label=f"generated {word}", **line)
                axis.set(yticks=[], title=f"{attribute}, {word}")
        handles = [axes[0, 0].get_legend_handles_labels()[0][0]]
        handles += [plt.Line2D([], [], lw=2, color=CLASS_COLOURS[c], ls=DASHES[c]) for c in classes]
        words = ["real, holes filled", *(f"generated {word}" for word in classes.values())]
        figure.legend(handles, words, loc="outside upper left", ncols=3, fontsize=10)
    return _closed(figure)


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

    Returns
    -------
    Figure
    """
    with _style():
        ratio = {"height_ratios": [2, 3]}
        figure, (top, axis) = plt.subplots(2, 1, figsize=(6.5, 5), sharex=True, gridspec_kw=ratio)
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
    return _closed(figure)


def adversarial_curves(histories):
    """Every loss term of an AC-GAN over the epochs: the median network, and the band of them all.

    Parameters
    ----------
    histories : list of dict of ndarray of shape (epochs,)
        `ACGANClassifier.history_` of networks that differ in their seed.

    Returns
    -------
    Figure
    """
    half = np.log(0.5)
    panels = [
        ("$L_S$: real or fake?", {"L_S_real": "real records", "L_S_fake": "fake records"}),
        ("$L_C$: which class?", {"L_C_real": "real records", "L_C_fake": "fake records"}),
        ("What each network minimises", {"loss_D": "$D$", "loss_G": "$G$"}),
    ]
    lines = [[(half, r"$\ln\frac{1}{2}$")], [(half, r"$\ln\frac{1}{2}$")]]
    lines += [[(-2 * half, r"$2\ln 2$"), (half, r"$\ln\frac{1}{2}$")]]
    with _style():
        figure, axes = plt.subplots(3, 1, figsize=(6.8, 7.6), sharex=True)
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
    return _closed(figure)


def _median_and_band(axis, curves, i, label):
    """Draw the median of the curves (M, epochs) and the band from the least to the greatest."""
    epochs = np.arange(1, curves.shape[1] + 1)
    axis.fill_between(
        epochs, curves.min(axis=0), curves.max(axis=0), color=COLOURS[i], alpha=0.25, lw=0
    )
    marker = MARKERS[i] if len(epochs) < 3 else None
    median = np.median(curves, axis=0)
    axis.plot(epochs, median, color=COLOURS[i], ls=DASHES[i], lw=2, marker=marker, label=label)


def seed_spread(scores):
    """Scores of networks that differ in nothing but their seed, a dot each.

    Parameters
    ----------
    scores : DataFrame of shape (n_networks, n_metrics)
        One column per metric.

    Returns
    -------
    Figure
    """
    with _style():
        figure, axis = plt.subplots(figsize=(6.5, 2.9))
        for i, metric in enumerate(scores):
            # equal scores would hide each other: a stack of dots shows how many there are
            rank = scores[metric].groupby(scores[metric].round(6)).cumcount()
            axis.plot(
                scores[metric], i - 0.09 * rank, "o", color=COLOURS[0], ms=6, mec="white", mew=0.6
            )
            axis.plot(scores[metric].mean(), i + 0.22, "^", color="black", ms=7)
        axis.set_yticks(range(scores.shape[1]), [m.replace("_", " ") for m in scores])
        axis.invert_yaxis()
        axis.set_xlabel("score on the test fold")
        dot = plt.Line2D([], [], ls="", marker="o", color=COLOURS[0], label="one seed")
        mean = plt.Line2D([], [], ls="", marker="^", color="black", label="mean of the seeds")
        figure.legend(handles=[dot, mean], loc="outside upper left", ncols=2)
    return _closed(figure)


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

    Returns
    -------
    Figure
    """
    with _style():
        names = ratios["attribute"].unique()
        figure, axes = plt.subplots(
            1, len(words), figsize=(7.4, 0.23 * len(names) + 1.3), sharey=True
        )
        rows = {name: i for i, name in enumerate(names)}
        for axis, (c, word) in zip(axes, words.items(), strict=True):
            own = ratios[ratios["class"] == c].groupby("attribute", sort=False)["ratio"]
            middle, low, high = own.median(), own.min(), own.max()
            y = middle.index.map(rows)
            axis.axvline(1, color="black", lw=1)
            axis.hlines(y, low, high, color=CLASS_COLOURS[c], lw=1.5)
            axis.plot(middle, y, MARKERS[c], color=CLASS_COLOURS[c], ms=5)
            told = reference[reference["class"] == c]
            axis.plot(
                told["ratio"], told["attribute"].map(rows), "d", mfc="white", mec="black", ms=5
            )
            axis.set(title=word, xlabel="spread, over that of real records", xlim=(0, None))
        axes[0].set_yticks(range(len(names)), names, fontsize=8.5)
        axes[0].set_ylim(len(names) - 0.5, -0.5)
        handles = [
            plt.Line2D(
                [],
                [],
                ls="-",
                marker="o",
                color="0.3",
                label="generated: median and range of seeds",
            ),
            plt.Line2D([], [], ls="", marker="d", mfc="white", mec="black", label="real, held out"),
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=2, fontsize=10)
    return _closed(figure)


# --- chapter 05

_LABELS = {"mean": "mean-imputed", "autoencoder": "autoencoder-imputed", "zero": "zero-imputed"}
_METRIC_WORDS = {
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "auc_roc": "AUC-ROC",
    "f_score": "F-score",
}
_SOURCE_MARKERS = (("o", "none"), ("^", "full"))  # the real records open, the others filled


def beside_paper(summary, paper, metric="accuracy"):
    """Draw our mean and interval for each classifier, and the paper's number beside it.

    Parameters
    ----------
    summary : DataFrame
        From :func:`ehrgan.evaluation.summarise`.
    paper : DataFrame
        From :func:`ehrgan.evaluation.paper_tables`; its imputations become panels.
    metric : str, default="accuracy"
        One of :data:`ehrgan.evaluation.METRICS`.

    Returns
    -------
    Figure
        One panel for each imputation of the paper, classifiers from top to bottom.
    """
    ours = summary[summary["metric"] == metric]
    names = list(dict.fromkeys(ours["classifier"]))[::-1]
    imputers = list(dict.fromkeys(paper["imputer"]))
    with _style():
        figure, axes = plt.subplots(1, len(imputers), sharex=True, sharey=True, figsize=(6.4, 4.4))
        for axis, imputer, letter in zip(axes, imputers, "AB", strict=True):
            own = ours[ours["imputer"] == imputer].set_index("classifier").loc[names]
            theirs = paper[paper["imputer"] == imputer].set_index("classifier")[metric]
            spread = (own["mean"] - own["low"], own["high"] - own["mean"])
            axis.errorbar(
                own["mean"], np.arange(len(names)), xerr=spread, fmt="o", ms=6, lw=2,
                color=COLOURS[0], label="ours, 95 % interval",
            )  # fmt: skip
            axis.plot(
                theirs, [names.index(name) for name in theirs.index], "D", ms=7, mew=1.8,
                mfc="white", mec=COLOURS[1], label="the paper",
            )  # fmt: skip
            axis.set_yticks(np.arange(len(names)), names)
            axis.set_title(f"({letter}) {_LABELS[imputer]}", fontsize=11)
            axis.set_xlabel(_METRIC_WORDS[metric])
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return _closed(figure)


def roc_curves(curves, corner=(0.2, 0.8)):
    """Draw the mean ROC curve of each classifier at full scale, and its upper left corner.

    Parameters
    ----------
    curves : DataFrame
        Columns imputer, classifier, fpr, tpr, low and high, see
        :func:`ehrgan.evaluation.roc_over_folds`; every imputer becomes a row of two panels.
    corner : tuple of float, default=(0.2, 0.8)
        Greatest false positive rate and least true positive rate of the corner.

    Returns
    -------
    Figure
        The last classifier is drawn thick and with its band over folds.
    """
    imputers = list(dict.fromkeys(curves["imputer"]))
    with _style():
        figure, axes = plt.subplots(len(imputers), 2, figsize=(6.4, 3.4 * len(imputers) + 1.1))
        for row, imputer, letter in zip(axes, imputers, "AB", strict=False):
            for axis in row:
                _roc_lines(axis, curves[curves["imputer"] == imputer])
                axis.set(xlabel="1 - specificity", ylabel="Sensitivity", aspect="equal")
            row[0].set(xlim=(0, 1), ylim=(0, 1.005))
            row[0].set_title(f"({letter}) {_LABELS[imputer]}", fontsize=11)
            row[0].indicate_inset([0, corner[1], corner[0], 1 - corner[1]], edgecolor="black")
            row[1].set(xlim=(-0.002, corner[0]), ylim=(corner[1], 1.002))
            row[1].set_title("upper left corner", fontsize=11)
        handles, labels = axes[0, 1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=10)
    return _closed(figure)


def _roc_lines(axis, curves):
    """One line for each classifier, in colour, dashes and a sparse marker of its own."""
    names = list(dict.fromkeys(curves["classifier"]))
    for i, name in enumerate(names):
        curve = curves[curves["classifier"] == name]
        last = i == len(names) - 1
        looks = {"lw": 2.8, "ls": "-", "color": "black"} if last else _line_looks(i)
        axis.plot(curve["fpr"], curve["tpr"], label=name, **looks)
        if last:
            axis.fill_between(
                curve["fpr"], curve["low"], curve["high"], color="black", alpha=0.12, lw=0
            )


def _line_looks(i):
    """Colour, dashes and marker of line `i`; black and the solid line are kept free."""
    colours = [colour for colour in COLOURS if colour != "#000000"]
    return {
        "lw": 1.6,
        "ls": DASHES[1:][i % (len(DASHES) - 1)],
        "color": colours[i % len(colours)] if i < len(colours) else "0.45",
        "marker": MARKERS[i % len(MARKERS)],
        "markevery": (4 + 5 * i, 45),
        "ms": 5,
    }


def tsne_maps(points, classes):
    """Draw parts of a t-SNE map, each with the real records and one other set laid over them.

    Parameters
    ----------
    points : DataFrame
        Columns panel, source, y (the class, 0 or 1), t1 and t2 (place on the map, without a
        unit). In each panel the first source is drawn open, the second filled.
    classes : dict of int to str
        Words for the classes, such as ``{0: "benign", 1: "malignant"}``.

    Returns
    -------
    Figure
        Panels side by side on the same axes.
    """
    panels = list(dict.fromkeys(points["panel"]))
    with _style():
        figure, axes = plt.subplots(
            1, len(panels), sharex=True, sharey=True, squeeze=False, figsize=(6.4, 4.3)
        )
        for axis, panel in zip(axes[0], panels, strict=True):
            _map_points(axis, points[points["panel"] == panel], classes)
            axis.set_title(panel, fontsize=11)
            axis.set(xticks=[], yticks=[], xlabel="t-SNE 1", aspect="equal")
        axes[0, 0].set_ylabel("t-SNE 2")
        drawn = [axis.get_legend_handles_labels() for axis in axes[0]]
        entries = {
            label: line
            for lines, labels in drawn
            for line, label in zip(lines, labels, strict=True)
        }
        figure.legend(
            entries.values(), entries.keys(), loc="outside lower center", ncols=2, markerscale=1.6
        )
    return _closed(figure)


def _map_points(axis, points, classes):
    """Class gives colour and shape, source says whether the mark is open."""
    sources = list(dict.fromkeys(points["source"]))
    for i, source in enumerate(sources):
        for y, word in classes.items():
            own = points[(points["source"] == source) & (points["y"] == y)]
            colour = CLASS_COLOURS[y]
            axis.scatter(
                own["t1"], own["t2"], s=16, marker="os"[y] if i == 0 else "^D"[y], lw=0.8,
                facecolor="none" if i == 0 else colour, edgecolor=colour,
                alpha=0.9, label=f"{source}, {word}",
            )  # fmt: skip
