"""Figures of the chapter on missingness."""

import re

import numpy as np

from ..scores.estimate import signed
from .style import COLOURS, DASHES, MARKERS, drawn, is_narrow, label_edges, spread, subplots


@drawn
def over_rates(summary, label):
    """A number of each imputation over the rate of missingness, one panel for each mechanism.

    Parameters
    ----------
    summary : DataFrame
        Columns mechanism, fraction, imputer, mean, low and high.
    label : str
        What is drawn.
    """
    mechanisms = list(dict.fromkeys(summary["mechanism"]))
    imputers = list(dict.fromkeys(summary["imputer"]))
    alike = {"sharex": True, "sharey": True, "squeeze": False, "used": len(mechanisms)}
    figure, axes = subplots(2, -(-len(mechanisms) // 2), figsize=(6.8, 5.4), **alike)
    for axis, mechanism in zip(axes.flat, mechanisms, strict=False):
        for i, name in enumerate(imputers):
            own = summary.query("mechanism == @mechanism and imputer == @name")
            looks = {"color": COLOURS[i], "marker": MARKERS[i], "ls": DASHES[i], "lw": 1.4, "ms": 5}
            at = own["fraction"] + 0.008 * (i - 2)
            axis.errorbar(at, own["mean"], yerr=spread(own), label=name, **looks)
        axis.set_title(mechanism, fontsize=11)
    label_edges(axes, "rate", label)
    handles = axes.flat[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=3)
    return figure


@drawn
def gain_map(table, label, across="rate"):
    """A heat map of gains with their numbers, darker where the gain is larger, either way.

    Parameters
    ----------
    table : DataFrame
        Rows mechanisms, columns rates or imputations; each cell an
        :class:`~ehrgan.scores.estimate.Estimate`. A star marks an interval that holds no zero at
        the three digits that are shown.
    label : str
        What is drawn.
    across : str, default="rate"
        What the columns are.
    """
    numbers = table.map(lambda cell: cell.value).to_numpy(dtype=float)
    most = float(np.nanmax(np.abs(numbers))) or 1.0
    figure, axis = subplots(figsize=(1.5 * table.shape[1], 0.5 * len(table) + 1.6))
    image = axis.imshow(numbers, cmap="PuOr", vmin=-most, vmax=most, aspect="auto")
    for i, row in enumerate(table.to_numpy()):
        for j, gain in enumerate(row):
            dark, star = abs(gain.value) > 0.65 * most, "*" if gain.rounded(3).sign else ""
            told = signed(gain.value) + star
            if is_narrow():  # columns stand close
                told = re.sub(r"^([+-])0\.", r"\1.", told)
            axis.text(j, i, told, ha="center", va="center",
                      color="white" if dark else "black", fontsize=10)  # fmt: skip
    words = any(isinstance(name, str) for name in table)
    slant = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if words else {}
    heads = table.columns if words else [f"{rate:g}" for rate in table]
    axis.set_xticks(range(table.shape[1]), heads, **slant)
    axis.set_yticks(range(len(table)), table.index)
    axis.set_xlabel(across)
    axis.grid(visible=False)
    figure.colorbar(image, label=label, location="bottom" if is_narrow() else "right")
    return figure
