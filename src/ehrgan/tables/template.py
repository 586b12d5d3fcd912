"""The dress of a table."""

from typing import NamedTuple

import numpy as np
import pandas as pd

__all__ = ["Template"]


class Template(NamedTuple):
    """How a table came in, so that another can go out in the same dress.

    Parameters
    ----------
    columns : list or None
        Column names of a DataFrame.
    dtypes : list of str or None
        Their types, or the one type of an integer or boolean array.
    values : list or None
        For each column whose values are not of a type for numbers: its categories, or whether all
        its numbers are whole ones; None for the others.
    """

    columns: list | None
    dtypes: list | None
    values: list | None = None

    @classmethod
    def of(cls, X):
        """Remember the columns and types of X."""
        if isinstance(X, pd.DataFrame):
            values = [_values(X.iloc[:, j]) for j in range(X.shape[1])]
            return cls(list(X.columns), [str(t) for t in X.dtypes], values)
        kind = getattr(getattr(X, "dtype", None), "kind", "f")
        return cls(None, [str(X.dtype)] if kind in "iub" else None)

    def joined(self, other):
        """The template of records that came in two dresses: where types differ, plain numbers."""
        if self == other:
            return self
        if self.columns is None or other.columns is None:
            return Template(None, None)
        columns = zip(self.dtypes, self.values, other.dtypes, other.values, strict=True)
        kinds = [
            (kind, values) if (kind, values) == (kind_there, values_there) else ("float64", None)
            for kind, values, kind_there, values_there in columns
        ]
        return Template(self.columns, *map(list, zip(*kinds, strict=True)))

    def dress(self, X):
        """Return float64 X as a DataFrame, an integer array or an array, as the template was."""
        if self.columns is None:
            return X if self.dtypes is None else X.astype(self.dtypes[0])
        values = self.values or [None] * len(self.columns)
        each = zip(X.T, self.dtypes, values, strict=True)
        table = pd.concat([_column(*column) for column in each], axis=1)
        return table.set_axis(pd.Index(self.columns), axis=1)


def _values(cells):
    """What a column of another type than numbers holds, if its values are numbers."""
    if isinstance(cells.dtype, pd.CategoricalDtype):
        return [cells.cat.categories.tolist(), cells.cat.ordered]
    if not pd.api.types.is_string_dtype(cells.dtype):  # text, or objects
        return None
    return bool((pd.to_numeric(cells, errors="coerce").dropna() % 1 == 0).all())


def _column(x, dtype, values):
    """Numbers as the values that a column of that type holds."""
    if values is None:
        return pd.Series(x).astype(dtype)
    if isinstance(values, list):
        categories, ordered = values
        nearest = np.abs(x[:, None] - np.array(categories, dtype=np.float64)).argmin(axis=1)
        return pd.Series(pd.Categorical.from_codes(nearest, categories, ordered))
    return pd.Series([int(v) for v in np.rint(x)] if values else x.tolist(), dtype=object).astype(
        dtype
    )
