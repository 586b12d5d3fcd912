"""Figures of the chapter that stands beside the paper."""

from .style import CLASS_COLOURS, COLOURS, DASHES, MARKERS, band, drawn, label_edges, subplots

_LABELS = {"mean": "mean-imputed", "autoencoder": "autoencoder-imputed", "zero": "zero-imputed"}


@drawn
def roc_curves(curves, corner=(0.2, 0.8)):
    """Draw the mean ROC curve of each classifier at full scale, and its upper left corner.

    Parameters
    ----------
    curves : DataFrame
        Columns imputer, classifier, fpr, tpr, low and high, see
        :func:`ehrgan.scores.metrics.roc_over_folds`; every imputer becomes a row of two panels.
    corner : tuple of float, default=(0.2, 0.8)
        Greatest false positive rate and least true positive rate of the corner.

    Returns
    -------
    Figure
        The last classifier is drawn thick and with its band over folds.
    """
    imputers = list(dict.fromkeys(curves["imputer"]))
    figure, axes = subplots(len(imputers), 2, figsize=(6.4, 3.4 * len(imputers) + 1.1))
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
    return figure


def _roc_lines(axis, curves):
    """One line for each classifier, in colour, dashes and a sparse marker of its own."""
    names = list(dict.fromkeys(curves["classifier"]))
    for i, name in enumerate(names):
        curve = curves[curves["classifier"] == name]
        last = i == len(names) - 1
        looks = {"lw": 2.8, "ls": "-", "color": "black"} if last else _line_looks(i)
        axis.plot(curve["fpr"], curve["tpr"], label=name, **looks)
        if last:
            band(axis, curve["fpr"], curve, "black", alpha=0.12)


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


@drawn
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
    figure, axes = subplots(
        1, len(panels), sharex=True, sharey=True, squeeze=False, figsize=(6.4, 4.3)
    )
    for axis, panel in zip(axes[0], panels, strict=True):
        _map_points(axis, points[points["panel"] == panel], classes)
        axis.set_title(panel, fontsize=11)
        axis.set(xticks=[], yticks=[], aspect="equal")
    label_edges(axes, "t-SNE 1", "t-SNE 2")
    entries = {}
    for axis in axes[0]:
        lines, labels = axis.get_legend_handles_labels()
        entries |= dict(zip(labels, lines, strict=True))
    figure.legend(
        entries.values(), entries.keys(), loc="outside lower center", ncols=2, markerscale=1.6
    )
    return figure


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
