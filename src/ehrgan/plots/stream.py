"""Figures of records that keep coming."""

from .style import COLOURS, DASHES, band, drawn, label_edges, subplots


@drawn
def areas_over_days(tables, turns, shaded=(), lowest=None):
    """AUC of the last days, day by day: a panel for each stream, a line for each arm.

    Parameters
    ----------
    tables : dict of str to DataFrame
        A stream's name, and arm, day, mean, low, high: from
        :func:`~ehrgan.study.stream.areas_by_day`.
    turns : dict of str to int
        The day of each stream on which something changes, where it does.
    shaded : sequence of str, default=()
        Arms whose intervals are drawn.
    lowest : float, optional
        Where the axis of the AUC begins; lines may come in from below.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = min(2, len(tables))
    rows = -(-len(tables) // columns)
    size = (3.6 * columns, 0.7 + 2.3 * rows)
    alike = {"squeeze": False, "sharey": True, "used": len(tables)}
    figure, axes = subplots(rows, columns, figsize=size, **alike)
    arms = list(dict.fromkeys(arm for table in tables.values() for arm in table["arm"]))
    for axis, (name, table) in zip(axes.flat, tables.items(), strict=False):
        for arm, own in table.groupby("arm", sort=False):
            look = arms.index(arm)
            axis.plot(own["day"], own["mean"], color=COLOURS[look], ls=DASHES[look], label=arm)
            if arm in shaded:
                band(axis, own["day"], own, COLOURS[look])
        if name in turns:
            axis.axvline(turns[name], color="0.35", lw=1, ls=":")
        axis.set_title(name, fontsize=11)
    axes[0, 0].set_ylim(bottom=lowest)
    label_edges(axes, "day", "AUC of the last days")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure
