"""The dress of a table."""

from typing import NamedTuple

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
    """

    columns: list | None
    dtypes: list | None

    @classmethod
    def of(cls, X):
        """Remember the columns and types of X."""
        if isinstance(X, pd.DataFrame):
            return cls(list(X.columns), [str(t) for t in X.dtypes])
        kind = getattr(getattr(X, "dtype", None), "kind", "f")
        return cls(None, [str(X.dtype)] if kind in "iub" else None)

    def dress(self, X):
        """Return float64 X as a DataFrame, an integer array or an array, as the template was."""
        if self.columns is None:
            return X if self.dtypes is None else X.astype(self.dtypes[0])
        frame = pd.DataFrame(X, columns=self.columns)
        return frame.astype(dict(zip(self.columns, self.dtypes, strict=True)))
