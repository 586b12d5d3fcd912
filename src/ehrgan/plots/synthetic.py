"""Figures of records that nobody lived."""

from .style import CLASS_COLOURS, COLOURS, MARKERS, drawn, name_rows, spread, subplots


@drawn
def against_chance(table):
    """A row for each measure of fidelity or privacy, with its interval and what chance gives.

    Parameters
    ----------
    table : DataFrame
        mean, low, high, chance, by measure: from :func:`~ehrgan.synthetic.fidelity.fidelity`,
        :func:`~ehrgan.synthetic.fidelity.column_distances` or
        :func:`~ehrgan.synthetic.privacy.privacy`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = subplots(figsize=(6.4, 1.1 + 0.33 * len(table)))
    rows = range(len(table))
    looks = {"fmt": "o", "color": COLOURS[0], "capsize": 2, "label": "measured"}
    axis.errorbar(table["mean"], rows, xerr=spread(table), **looks)
    axis.plot(table["chance"], rows, "|", color="0.35", ms=13, mew=2, label="by chance")
    name_rows(axis, table.index)
    axis.set(xlabel="distance, area or share", xlim=(min(-0.03, table["low"].min()), 1.03))
    figure.legend(loc="outside upper left", ncols=2)
    return figure


@drawn
def use_of_fakes(table, metric="AUC"):
    """How well classifiers know real records, by what they learned from.

    Parameters
    ----------
    table : DataFrame
        From :func:`~ehrgan.synthetic.utility.utility`.
    metric : {"AUC", "accuracy"}, default="AUC"

    Returns
    -------
    matplotlib.figure.Figure
        A row for each classifier, a mark for each kind of training records.
    """
    own = table[(table["metric"] == metric) & ~table["trained"].str.contains(" less ")]
    names = list(own["classifier"].unique())
    figure, axis = subplots(figsize=(6.4, 1.2 + 0.5 * len(names)))
    for i, (trained, part) in enumerate(own.groupby("trained", sort=False)):
        place = part["classifier"].map(names.index) + 0.2 * (i - 1)
        looks = {"fmt": MARKERS[i], "color": COLOURS[i], "capsize": 2, "label": f"on {trained}"}
        axis.errorbar(part["mean"], place, xerr=spread(part), **looks)
    name_rows(axis, names)
    axis.set(xlabel=f"{metric} on real records")
    figure.legend(loc="outside upper left", ncols=3)
    return figure


@drawn
def three_axes(table):
    """A panel for each generator: how far it is from ideal in fidelity, utility and privacy.

    Parameters
    ----------
    table : DataFrame
        Columns set, generator, axis, mean, low, high: in points of AUC, 0 where ideal and greater
        where worse.

    Returns
    -------
    matplotlib.figure.Figure
        Rows are the axes, marks the sets, all panels on one scale.
    """
    generators, axes_of, sets = (list(table[key].unique()) for key in ("generator", "axis", "set"))
    n_rows = -(-len(generators) // 2)
    size = {"figsize": (7.4, 0.9 + n_rows * (0.6 + 0.36 * len(axes_of))), "used": len(generators)}
    figure, axes = subplots(n_rows, 2, sharex=True, sharey=True, squeeze=False, **size)
    for axis, generator in zip(axes.flat, generators, strict=False):
        axis.axvline(0, color="0.35", lw=1, ls=":")
        for i, name in enumerate(sets):
            own = table[(table["generator"] == generator) & (table["set"] == name)]
            place = own["axis"].map(axes_of.index) + 0.22 * (i - (len(sets) - 1) / 2)
            looks = {"fmt": MARKERS[i], "color": COLOURS[i], "capsize": 2, "label": name}
            axis.errorbar(own["mean"], place, xerr=spread(own), **looks)
        axis.set_title(generator, fontsize=11)
        name_rows(axis, axes_of)
    figure.supxlabel("points of AUC from ideal: farther right is worse", fontsize=11)
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper left", ncols=len(sets))
    return figure


@drawn
def map_of_fakes(points, classes):
    """A panel for each generator: its records on one map, over the real ones.

    Parameters
    ----------
    points : DataFrame
        Columns source ("real" or a generator), y (the class, 0 or 1), t1 and t2 (place on the map,
        without a unit).
    classes : dict of int to str
        Words for the classes.

    Returns
    -------
    matplotlib.figure.Figure
        Real records grey and open, made ones filled, in the colour and mark of their class.
    """
    generators = [name for name in points["source"].unique() if name != "real"]
    n_rows = -(-len(generators) // 2)
    size, shared = (7.4, 0.8 + 3.1 * n_rows), {"sharex": True, "sharey": True}
    figure, axes = subplots(n_rows, 2, figsize=size, used=len(generators), squeeze=False, **shared)
    for axis, generator in zip(axes.flat, generators, strict=False):
        for source in ("real", generator):
            for y, word in classes.items():
                own = points[(points["source"] == source) & (points["y"] == y)]
                made = source != "real"
                axis.scatter(
                    own["t1"], own["t2"], s=16, lw=0.8, marker="^D"[y] if made else "os"[y],
                    facecolor=CLASS_COLOURS[y] if made else "none",
                    edgecolor=CLASS_COLOURS[y] if made else "0.55",
                    label=f"{'made' if made else 'real'}, {word}",
                )  # fmt: skip
        axis.set_title(generator, fontsize=11)
        axis.set(xticks=[], yticks=[], aspect="equal")
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=4, markerscale=1.4)
    return figure
