"""Reads back what a figure shows: marks, intervals, bands, pictures and legends, in data units."""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D
from matplotlib.offsetbox import DrawingArea


class Look(NamedTuple):
    """What tells a series from the others, as far as its artist has it."""

    colour: str
    marker: str | None
    dashes: object = None


class Bars(NamedTuple):
    """Marks with intervals: `across` is their place, the others are values."""

    label: str
    look: Look
    horizontal: bool
    across: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray


def line_look(line):
    """The look of a line; of marks without a line the colour is that of their edge."""
    marker = None if line.get_marker() in (None, "None", "none", "") else line.get_marker()
    dashes = None if line.get_linestyle() in ("None", "") else line._unscaled_dash_pattern
    colour = line.get_color() if dashes else line.get_markeredgecolor()
    return Look(to_hex(colour), marker, dashes)


def look(artist):
    """The look of a line, a patch or a collection."""
    if isinstance(artist, Line2D):
        return line_look(artist)
    if hasattr(artist, "get_paths"):
        return Look(to_hex(artist.get_edgecolor()[0]), None)
    outline = artist.get_facecolor()[3] == 0 or not artist.get_fill()
    colour = artist.get_edgecolor() if outline else artist.get_facecolor()
    return Look(to_hex(colour), None, artist._unscaled_dash_pattern if outline else None)


def xy(line):
    """A line's points, one a row."""
    return np.column_stack([np.asarray(a, float) for a in line.get_data()])


def bars(axis):
    """Every series that was drawn with intervals, in the order of drawing."""
    found = []
    for container in axis.containers:
        if not isinstance(container, ErrorbarContainer):
            continue
        line, caps, (stems,) = container.lines
        assert container.has_xerr != container.has_yerr
        along = 0 if container.has_xerr else 1
        points, ends = xy(line), np.reshape(stems.get_segments(), (-1, 2, 2))
        np.testing.assert_array_equal(ends[:, :, 1 - along], points[:, [1 - along, 1 - along]])
        low, high = ends[:, 0, along], ends[:, 1, along]
        if caps:
            for cap, end in zip(caps, (low, high), strict=True):
                np.testing.assert_array_equal(xy(cap)[:, along], end)
        assert to_hex(stems.get_color()[0]) == line_look(line).colour
        found.append(
            Bars(
                str(container.get_label()),
                line_look(line),
                along == 0,
                points[:, 1 - along],
                points[:, along],
                low,
                high,
            )  # fmt: skip
        )
    return found


def labelled(axis):
    """Lines that have a label of their own, by it."""
    return {line.get_label(): line for line in axis.lines if not line.get_label().startswith("_")}


def loose_lines(axis):
    """Lines that no interval owns, in the order of drawing."""
    owned = [
        part
        for container in axis.containers
        if isinstance(container, ErrorbarContainer)
        for part in (container.lines[0], *container.lines[1])
    ]
    return [line for line in axis.lines if line not in owned]


def loose_collections(axis):
    """Bands, bundles of lines and clouds of points that no interval owns."""
    owned = [
        part
        for container in axis.containers
        if isinstance(container, ErrorbarContainer)
        for part in container.lines[2]
    ]
    return [found for found in axis.collections if found not in owned]


def band(collection):
    """A filled band: its places, the least and the greatest value at each."""
    corners = collection.get_paths()[0].vertices
    at = np.unique(corners[:, 0])
    ends = [corners[corners[:, 0] == x, 1] for x in at]
    return at, np.array([e.min() for e in ends]), np.array([e.max() for e in ends])


def columns(axis):
    """Upright bars, such as a histogram's: left edge, right edge and height of each."""
    return np.array([(p.get_x(), p.get_x() + p.get_width(), p.get_height()) for p in axis.patches])


def title(axis):
    """The words above a panel, wherever they stand."""
    return "".join(axis.get_title(loc=place) for place in ("left", "center", "right"))


def places(figure):
    """Row and column of each panel of a figure's grid."""
    specs = [axis.get_subplotspec() for axis in figure.axes]
    return [(spec.rowspan.start, spec.colspan.start) for spec in specs]


def ticks(axis, which):
    """Words at the ticks of an axis, by their place."""
    axis = {"x": axis.xaxis, "y": axis.yaxis}[which]
    words = [label.get_text() for label in axis.get_ticklabels()]
    return dict(zip(axis.get_ticklocs().tolist(), words, strict=True))


def rows(axis):
    """Words along the left edge as a reader meets them, from the top."""
    bottom, top = axis.get_ylim()
    told = sorted(ticks(axis, "y").items(), reverse=bool(top > bottom))
    assert all(min(bottom, top) < place < max(bottom, top) for place, _ in told)
    assert abs(told[-1][0] - bottom) < 1  # no empty row below the last
    return [word for _, word in told]


def legend(owner):
    """Each entry's words, and the look of its sample."""
    (found,) = getattr(owner, "legends", None) or [owner.get_legend()]
    samples = found.findobj(DrawingArea)
    entries = {}
    for sample, text in zip(samples, found.get_texts(), strict=True):
        parts = [look(part) for part in sample.get_children()]
        marker = [part.marker for part in parts if part.marker]
        dashes = [part.dashes for part in parts if part.dashes]
        entries[text.get_text()] = Look(
            parts[-1].colour, marker[-1] if marker else None, dashes[0] if dashes else None
        )
    assert len(entries) == len(samples)  # each entry once
    return entries


def cell(axis, x, y):
    """Value and colour that the axes' one picture shows at a place."""
    (image,) = axis.images
    lines = axis.xaxis.get_gridlines() + axis.yaxis.get_gridlines()
    assert not any(line.get_visible() for line in lines)  # they would cross the picture
    axis.get_xlim(), axis.get_ylim()  # settles the limits
    x, y = axis.transData.transform((x, y))
    value = image.get_cursor_data(SimpleNamespace(x=x, y=y))
    return value, to_hex(image.cmap(image.norm(value)))
