"""One column of a table as numbers, and back: what kind it is, its levels and their codes."""

import warnings
from decimal import Decimal
from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd

__all__ = ["Column", "learn_column", "onto_simplex"]

KINDS = {"boolean": (bool, np.bool_), "number": (Real, Decimal), "text": str}


class Column(NamedTuple):
    """How one column is coded.

    Parameters
    ----------
    name : label
        Its name.
    kind : {"number", "nominal", "ordered"}
        Yes or no is nominal, of the levels False and True.
    dtype : dtype
        As the table had it.
    whole : bool
        Whether a number is a whole one.
    levels : tuple
        Categories, in the order of their codes; those after ``kept`` share one code.
    shares : tuple of float
        How frequent each level is among those that share its code.
    kept : int
        Levels with a code of their own.
    cumulative : bool
        Code of ordered levels: a column for each step of the order, 1 above it; else the place.
    late : bool
        Whether the shared code is there from the first, for levels that have not occurred yet.
    counts : tuple of int
        How often each of the levels that share a code has occurred, where more may come.
    """

    name: object
    kind: str
    dtype: object
    whole: bool = False
    levels: tuple = ()
    shares: tuple = ()
    kept: int = 0
    cumulative: bool = False
    late: bool = False
    counts: tuple = ()

    def to_plain(self):
        """The column without types of pandas, as lists and texts."""
        dtype = str(self.dtype)
        if isinstance(self.dtype, pd.CategoricalDtype):
            dtype = [self.dtype.categories.tolist(), bool(self.dtype.ordered)]
        return [*self._replace(dtype=dtype)]

    @classmethod
    def from_plain(cls, plain):
        """The column that :meth:`to_plain` has given."""
        column = cls(*plain)
        if isinstance(column.dtype, str):
            return column._replace(dtype=pd.api.types.pandas_dtype(column.dtype))
        return column._replace(dtype=pd.CategoricalDtype(*column.dtype))

    @property
    def codes(self):
        """Code of each level that has its own, of shape (levels, columns of numbers)."""
        n = self.kept + 1 if self.late else min(len(self.levels), self.kept + 1)
        if n < 2 or (self.kind == "ordered" and not self.cumulative):
            return np.arange(float(n))[:, None]
        return np.tri(n, n - 1, -1) if self.kind == "ordered" or n == 2 else np.eye(n)

    @property
    def width(self):
        """Columns of numbers that it takes."""
        return 1 if self.kind == "number" else self.codes.shape[1]

    @property
    def has_probabilities(self):
        """Whether estimates of its code are probabilities of its levels."""
        return self.kind == "nominal" or (self.kind == "ordered" and self.cumulative)

    def names(self):
        """Names of its columns of numbers."""
        if self.width == 1:
            return [self.name]
        if self.kind == "ordered":
            return [f"{self.name}>{level}" for level in self.levels[:-1]]
        shown = [f"{self.name}={level}" for level in self.levels[: self.kept]]
        return [*shown, f"{self.name}=infrequent"][: self.width]

    def encode(self, cells):
        """Code the cells.

        Parameters
        ----------
        cells : Series of shape (n,)

        Returns
        -------
        ndarray of float64, shape (n, width)
            NaN where missing or of a level that is not known, which a warning names.

        Raises
        ------
        ValueError
            A column of numbers holds something else.
        """
        if self.kind == "number":
            return self._floats(cells)[:, None]
        places = self.places(cells)
        strange = (places < 0) & cells.notna().to_numpy()
        if strange.any():
            warnings.warn(
                f"column {self.name!r}: {_some(cells[strange].unique())} did not occur in fit, "
                f"{strange.sum()} of {len(cells)} cells; they count as missing",
                stacklevel=4,
            )
        codes = np.vstack([self.codes, np.full(self.width, np.nan)])
        return codes[np.minimum(places, len(codes) - 2)]

    def places(self, cells):
        """Find each cell among the levels.

        Parameters
        ----------
        cells : Series of shape (n,)

        Returns
        -------
        int ndarray of shape (n,)
            Its place, -1 where missing or not known.
        """
        if isinstance(cells.dtype, pd.CategoricalDtype):  # each category is sought but once
            known = {level: place for place, level in enumerate(self.levels)}
            found = [known.get(category, -1) for category in cells.dtype.categories]
            return np.array([*found, -1])[cells.cat.codes]
        try:
            places = pd.Index(self.levels, dtype=object).get_indexer(cells.astype(object))
        except TypeError as error:
            raise ValueError(f"column {self.name!r} holds what is no category: {error}") from error
        return np.where(cells.isna(), -1, places)

    def _floats(self, cells):
        if isinstance(cells.dtype, np.dtype) and cells.dtype.kind in "biuf":
            return cells.to_numpy(np.float64)
        if not _is_number(cells.dtype):
            found = [v for v in cells.dropna() if _kind(type(v)) not in ("number", "boolean")]
            if found:
                raise ValueError(
                    f"column {self.name!r} held numbers in fit and now holds {_some(found)}: turn "
                    "them into numbers, or NaN where they mean a missing value"
                )
            cells = cells.astype(object).map(float, na_action="ignore")
        return cells.astype("Float64").to_numpy(np.float64, na_value=np.nan)

    def decode(self, Z, rng=None):
        """Give the column again.

        Parameters
        ----------
        Z : ndarray of shape (n, width)
            Codes, or estimates of them.
        rng : numpy.random.Generator, optional
            Draws levels by their probabilities, in place of the likeliest.

        Returns
        -------
        Series of shape (n,)
        """
        if self.kind == "number":
            return self._number(Z[:, 0])
        places = np.where(np.isnan(Z).any(axis=1), -1, self._levels_of(Z, rng))
        if isinstance(self.dtype, pd.CategoricalDtype):
            found = np.append(self.dtype.categories.get_indexer(list(self.levels)), -1)[places]
            return pd.Series(pd.Categorical.from_codes(found, dtype=self.dtype))
        values = np.array([*self.levels, None], dtype=object)[places]
        if self.dtype == bool and None in values:
            return pd.Series(values, dtype="boolean")
        return pd.Series(values, dtype=object).astype(self.dtype)

    def _levels_of(self, Z, rng):
        if not self.levels:
            return np.full(len(Z), -1)
        Z = np.nan_to_num(Z)
        if self.has_probabilities and rng is not None:
            below = np.cumsum(self.probabilities(Z), axis=1)[:, :-1]
            return (rng.random((len(Z), 1)) >= below).sum(axis=1)
        if self.has_probabilities:
            return self.probabilities(Z).argmax(axis=1)
        return np.clip(np.rint(Z[:, 0]), 0, len(self.levels) - 1).astype(int)

    def probabilities(self, Z):
        """Read estimates of the code as probabilities, or as the nearest that are.

        Parameters
        ----------
        Z : ndarray of shape (n, width)
            None missing.

        Returns
        -------
        ndarray of shape (n, levels)
        """
        n = len(self.codes)
        if n < 2:
            return np.ones((len(Z), n))
        if self.late and len(self.levels) <= self.kept:  # nothing has come late: nobody shares
            if len(self.levels) < 2:
                return np.ones((len(Z), len(self.levels)))
            return onto_simplex(Z[:, : len(self.levels)])
        if self.width < n:  # a column says how likely it is that the level lies above a step
            Z = -np.diff(Z, prepend=1.0, append=0.0, axis=1)
        places = np.minimum(np.arange(len(self.levels)), n - 1)
        return onto_simplex(Z)[:, places] * np.array(self.shares)

    def joined(self, cells):
        """The column after more cells: late levels share a code, and no width changes.

        Parameters
        ----------
        cells : Series of shape (n,)

        Returns
        -------
        Column

        Raises
        ------
        ValueError
            A column of numbers holds something else, or one of categories numbers.
        """
        if self.kind == "number":
            seen = self._floats(cells)
            seen = seen[~np.isnan(seen)]
            if not self.whole or np.array_equal(seen, np.rint(seen)):
                return self
            return self._replace(whole=False, dtype=np.dtype(np.float64))
        if not self.late:
            return self
        seen = cells.dropna().astype(object)
        if found := [v for v in seen.drop_duplicates() if _kind(type(v)) != "text"]:
            raise ValueError(
                f"column {self.name!r} held text in fit and now holds {_some(found)}: give it one "
                "kind, and let a table say so by its dtype before the column has a value"
            )
        known = dict(zip(self.levels[self.kept :], self.counts, strict=True))
        for level, n in seen[~seen.isin(self.levels[: self.kept])].value_counts().items():
            known[level] = known.get(level, 0) + int(n)
        counts = dict(sorted(known.items(), key=lambda pair: (-pair[1], str(pair[0]))))
        total = sum(counts.values())
        return self._replace(
            levels=(*self.levels[: self.kept], *counts),
            counts=tuple(counts.values()),
            shares=(*(1,) * self.kept, *(n / total for n in counts.values())),
        )

    def _number(self, z):
        values = pd.Series(np.rint(z) if self.whole else z, dtype=np.float64)
        if pd.api.types.is_object_dtype(self.dtype):
            return values.astype(object).map(int if self.whole else float, na_action="ignore")
        if self.whole:  # an estimate may lie outside what the type can hold
            info = np.iinfo(getattr(self.dtype, "numpy_dtype", self.dtype))
            most = min(float(info.max), np.nextafter(float(info.max) + 1, 0))
            values = values.clip(float(info.min), most)
        if pd.api.types.is_extension_array_dtype(self.dtype):
            return values.astype("Float64").astype(self.dtype)
        return values if self.whole and values.isna().any() else values.astype(self.dtype)


def learn_column(name, cells, most, cumulative, late=False):
    """Learn kind, levels and codes of a column, or say why it has none.

    Parameters
    ----------
    name : label
        Name of the column.
    cells : Series
        The column.
    most : int
        Levels that an unordered column codes at most, the shared code included.
    cumulative : bool
        See :class:`Column`.
    late : bool, default=False
        Whether more cells will come: texts keep a code for levels that have not occurred, and all
        categories of a categorical are known.

    Returns
    -------
    Column

    Raises
    ------
    TypeError
        If it holds dates or other objects, values of several kinds, or numbers written as text.
    """
    dtype, seen = cells.dtype, cells.dropna()
    categorical = isinstance(dtype, pd.CategoricalDtype)
    if categorical and dtype.ordered:
        n = len(dtype.categories)
        return Column(
            name, "ordered", dtype, False, tuple(dtype.categories), (1,) * n, n, cumulative
        )
    kind = "text" if categorical else _kind_of_values(name, cells, seen)
    if kind == "number":
        whole = pd.api.types.is_integer_dtype(dtype)
        if pd.api.types.is_object_dtype(dtype):
            whole = all(float(value).is_integer() for value in seen)
        return Column(name, "number", dtype, whole)
    if kind == "boolean":
        return Column(name, "nominal", dtype, False, (False, True), (1, 1), 2)
    if categorical and not late:
        levels = tuple(dtype.categories[np.unique(seen.cat.codes)])
        if len(levels) <= most:
            return Column(name, "nominal", dtype, False, levels, (1,) * len(levels), len(levels))
    counts = seen.astype(object).value_counts()
    if late and categorical:
        counts = counts.reindex(counts.index.union(dtype.categories, sort=False), fill_value=0)
    elif late:
        return _with_room(name, dtype, counts, most)
    if len(counts) <= most:
        levels = tuple(dtype.categories if categorical else sorted(counts.index, key=str))
        return Column(name, "nominal", dtype, False, levels, (1,) * len(levels), len(levels))
    rare = counts.iloc[most - 1 :]
    shares = (*(1,) * (most - 1), *(rare / rare.sum()))
    return Column(name, "nominal", dtype, False, tuple(counts.index), shares, most - 1)


def _with_room(name, dtype, counts, most):
    """A column of texts of which more may come: the last code is for all that come late."""
    own = counts.iloc[: most - 1]
    rare = counts.iloc[most - 1 :]
    levels = (*sorted(own.index, key=str), *rare.index)
    shares = (*(1,) * len(own), *(rare / max(rare.sum(), 1)))
    rest = tuple(int(n) for n in rare)
    return Column(name, "nominal", dtype, False, levels, shares, len(own), False, True, rest)


def onto_simplex(Z):
    """The probabilities nearest to each row of estimates, in Euclidean distance.

    Parameters
    ----------
    Z : ndarray of shape (n, k)
        Estimates, none missing.

    Returns
    -------
    ndarray of shape (n, k)
        Each row at least 0 with sum 1, in the order of size that it had.

    References
    ----------
    Duchi et al., "Efficient projections onto the l1-ball for learning in high dimensions", ICML
    2008, figure 1.

    Examples
    --------
    >>> onto_simplex(np.array([[0.25, 0.75], [1.5, 0.25], [-3.0, -2.0]])).tolist()
    [[0.25, 0.75], [1.0, 0.0], [0.0, 1.0]]
    """
    falling = -np.sort(-Z, axis=1)
    above = (np.cumsum(falling, axis=1) - 1) / np.arange(1, Z.shape[1] + 1)
    last = (falling > above).sum(axis=1, keepdims=True) - 1
    return np.maximum(Z - np.take_along_axis(above, last, axis=1), 0.0)


def _kind_of_values(name, cells, seen):
    """Kind of a column that is no categorical: number, boolean or text."""
    if pd.api.types.is_bool_dtype(cells.dtype):
        return "boolean"
    if _is_number(cells.dtype):
        return "number"
    kinds = {}
    for value in seen[~seen.map(type).duplicated()]:
        kinds.setdefault(_kind(type(value)), value)
    if None in kinds:
        raise TypeError(
            f"column {name!r} of dtype {cells.dtype} holds {kinds[None]!r}, which is none of "
            "number, boolean, category and text: turn it into one of them (a date into days since "
            "a start) or leave it out"
        )
    if len(kinds) > 1:
        found = " and ".join(f"{kind} ({value!r})" for kind, value in kinds.items())
        raise TypeError(
            f"column {name!r} mixes {found}: make it one kind, with NaN where a value is missing"
        )
    kind = next(iter(kinds), "text")
    if kind == "text" and len(seen) and _read_as_numbers(seen):
        raise TypeError(
            f"column {name!r} holds numbers written as text ({seen.iloc[0]!r}): turn it into "
            "numbers (pandas.to_numeric), or into dtype category if they are names of categories"
        )
    return kind


def _read_as_numbers(texts):
    texts = texts.drop_duplicates().astype(str).str.replace(",", ".")
    return pd.to_numeric(texts, errors="coerce").notna().all()


def _kind(type_of_value):
    """Kind of a value by its type; yes or no is asked first, for a bool is a number, too."""
    found = (kind for kind, types in KINDS.items() if issubclass(type_of_value, types))
    return next(found, None)


def _is_number(dtype):
    types = pd.api.types
    return types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype)


def _some(values, most=3):
    shown = [repr(getattr(value, "item", lambda v=value: v)()) for value in values[:most]]
    return ", ".join(shown) + ", ..." * (len(values) > most)
