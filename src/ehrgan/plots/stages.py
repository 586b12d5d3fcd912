"""Figures on imputer and classifier, trained apart or together."""

import numpy as np

from .style import CLASS_COLOURS, drawn, label_edges, subplots


@drawn
def planted_fills(x, y, hole, fills):
    """What is recorded, and what imputers put into the holes, over the attribute that is known.

    Parameters
    ----------
    x : array-like of shape (n,)
        The attribute that is known of all records.
    y : array-like of int, shape (n,)
        Class of each record, 0 or 1.
    hole : array-like of bool, shape (n,)
        Where the other attribute is missing.
    fills : dict of str to array-like of shape (n,)
        The other attribute as each imputer returns it, a panel each.
    """
    x, y, hole = np.asarray(x), np.asarray(y), np.asarray(hole)
    figure, axes = subplots(
        1, len(fills), sharex=True, sharey=True, squeeze=False, figsize=(6.8, 3.6)
    )
    kinds = {
        "recorded, healthy": (~hole, "o", CLASS_COLOURS[0], "none"),
        "filled, healthy": (hole & (y == 0), "s", CLASS_COLOURS[0], CLASS_COLOURS[0]),
        "filled, ill": (hole & (y == 1), "D", CLASS_COLOURS[1], CLASS_COLOURS[1]),
    }
    for axis, (name, filled) in zip(axes[0], fills.items(), strict=True):
        for label, (own, marker, edge, face) in kinds.items():
            looks = {"marker": marker, "edgecolor": edge, "facecolor": face, "s": 16, "lw": 0.8}
            axis.scatter(x[own], np.asarray(filled)[own], label=label, **looks)
        axis.set_title(name, fontsize=11)
    label_edges(axes, "first measurement", "second measurement")
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=3)
    return figure
