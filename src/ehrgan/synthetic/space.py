"""One space for several tables: where records of mixed columns with holes are near or far."""

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from ..tables.coding import as_frame
from ..tables.column import learn_column

__all__ = ["Space", "nearest", "same_columns"]

MOST_LEVELS = 20  # of an unordered category; the rarest share a place beyond
NOTHING = 1e-6  # a distance below it is the rounding of a computer


class Space:
    """Places of records of several tables.

    A number or an ordered category moves a record by the inverse hyperbolic sine of how far it lies
    from the median, in mean absolute deviations, so that long tails neither rule nor vanish; over
    all tables together such a column has unit variance. Another category moves it by 1, and so does
    a hole where another record has a value.

    Parameters
    ----------
    *tables : DataFrame of shape (n_records, n_attributes)
        With the same columns; real ones first.

    Attributes
    ----------
    places : list of ndarray of shape (n_records, n_axes)
        Of the records of each table.
    owners : int ndarray of shape (n_axes,)
        Which column of the table each axis is of.
    names : list
        Names of the columns.

    Raises
    ------
    TypeError, ValueError
        Columns differ, or as :func:`~ehrgan.tables.column.learn_column`.

    Examples
    --------
    >>> real = pd.DataFrame({"age": [40.0, 50.0, None], "sex": ["f", "m", "f"]})
    >>> space = Space(real, real)
    >>> space.places[0].shape, space.owners.tolist()
    ((3, 3), [0, 0, 1])
    """

    def __init__(self, *tables):
        tables = same_columns(*tables)
        together = pd.concat(tables, ignore_index=True)
        axes = [_axes(name, together[name]) for name in together.columns]
        ends = np.cumsum([len(table) for table in tables])[:-1]
        self.names = together.columns.tolist()
        self.owners = np.repeat(np.arange(len(axes)), [own.shape[1] for own in axes])
        self.places = np.split(np.hstack(axes), ends)


def same_columns(first, *others):
    """Tables as DataFrames, all with the columns of the first in its order.

    Parameters
    ----------
    first : DataFrame
        Real records.
    *others : DataFrame

    Returns
    -------
    list of DataFrame

    Raises
    ------
    TypeError
        One is no DataFrame.
    ValueError
        One is empty, or its columns are not those of the first.

    Examples
    --------
    >>> a, b = pd.DataFrame({"x": [1], "y": [2]}), pd.DataFrame({"y": [3], "x": [4]})
    >>> same_columns(a, b)[1].columns.tolist()
    ['x', 'y']
    """
    first = as_frame(first)
    found = [first]
    for other in map(as_frame, others):
        lacking = first.columns.difference(other.columns, sort=False).tolist()
        new = other.columns.difference(first.columns, sort=False).tolist()
        if lacking or new:
            raise ValueError(
                f"tables must have the same columns: one lacks {lacking}, and has besides {new}"
            )
        found.append(other[first.columns])
    if not all(len(table) for table in found):
        raise ValueError(f"tables must hold records, got {[len(table) for table in found]}")
    return found


def nearest(places, among, k=1):
    """Distance to the nearest records, and which those are.

    Parameters
    ----------
    places : ndarray of shape (n, n_axes)
    among : ndarray of shape (m, n_axes)
    k : int, default=1
        Neighbours, from 1 to m.

    Returns
    -------
    distance : ndarray of shape (n, k)
        Nearest first; 0 where it is that of a computer's rounding.
    which : int ndarray of shape (n, k)

    Notes
    -----
    All pairs are looked at, n m n_axes steps: 50,000 against 50,000 records of 50 axes take about
    half a minute on one core.

    Examples
    --------
    >>> nearest(np.array([[0.0]]), np.array([[2.0], [-1.0]]))
    (array([[1.]]), array([[1]]))
    """
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(among)
    distance, which = search.kneighbors(places)
    return np.where(distance < NOTHING, 0.0, distance), which


def _axes(name, cells):
    """Places of a column's cells, a column for each axis."""
    column = learn_column(name, cells, MOST_LEVELS, False)
    Z = column.encode(cells)
    if np.isinf(Z).any():
        raise ValueError(f"column {name!r} holds infinity: distances need finite numbers")
    holes = np.isnan(Z[:, :1])
    if column.kind == "nominal":
        Z = Z / np.sqrt(2) if column.width > 1 else Z
    elif not holes.all():
        far = Z - np.nanmedian(Z)
        unit = np.nanmean(np.abs(far))
        Z = np.arcsinh(far / unit) if unit > 0 else far
        spread = np.nanstd(Z)
        Z = Z / spread if spread > 0 else Z
    Z = np.nan_to_num(Z)
    return np.hstack([Z, holes]) if holes.any() else Z
