"""Figure of what the seed alone does to a study's numbers."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from .style import COLOURS, MARKERS, drawn, name_rows, subplots


@drawn
def numbers_by_seed(means, paper, readings):
    """What studies of ten trials print, seed by seed, beside what the paper prints.

    Parameters
    ----------
    means : dict of str to DataFrame
        A panel's name, and the number of every study in it: a row for each seed, a column for each
        reading.
    paper : dict of str to float
        The paper's number in each panel.
    readings : dict of str to str
        Readings to show, and the words for each, from top to bottom.

    Returns
    -------
    Figure
        A panel for each number: a dot for each seed, a bar at their mean, a line for the paper.
    """
    figure, axes = subplots(
        len(means), 1, figsize=(6, (0.34 * len(readings) + 0.62) * len(means)), squeeze=False
    )
    for axis, (name, table) in zip(axes[:, 0], means.items(), strict=True):
        for row, reading in enumerate(readings):
            values = table[reading].dropna()
            shift = np.linspace(-0.22, 0.22, len(values))
            looks = {"color": COLOURS[row % len(COLOURS)], "alpha": 0.75, "lw": 0, "ms": 4}
            axis.plot(values, row + shift, marker=MARKERS[row % len(MARKERS)], **looks)
            axis.plot([values.mean()] * 2, [row - 0.36, row + 0.36], color="black", lw=2)
        axis.xaxis.set_major_locator(MaxNLocator(4))
        axis.axvline(paper[name], color="black", ls="--", lw=1.2)
        axis.set_title(f"{name} (the paper: {paper[name]:.4f})", fontsize=11)
        name_rows(axis, readings.values())
    return figure
