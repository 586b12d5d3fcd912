"""The first step of a saved pipeline: new records are read as those were that it learned from."""

import difflib
import warnings

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from .convert import DATES, read, tidy
from .describe import describe
from .errors import ReportError
from .seen import summary
from .unlike import Unlike

__all__ = ["AsLearned"]


class AsLearned(TransformerMixin, BaseEstimator):
    """Read new records by the schema of those that a model has learned from.

    Parameters
    ----------
    schema : ehrgan.report.schema.Schema, optional
        How the table was read; by default what :func:`~ehrgan.report.describe.describe` finds in
        the attributes themselves.

    Notes
    -----
    `fit` takes attributes as :func:`~ehrgan.report.reading.prepare` gives them, `transform` records
    as a file has them. What the schema cannot read, such as a word in a column of numbers or a
    category that was not seen, counts as missing, and a warning says so.

    Examples
    --------
    >>> learned = AsLearned().fit(pd.DataFrame({"age": [61.0, 47.5]}))
    >>> learned.transform(pd.DataFrame({"name": ["x"], "age": ["52"]}))["age"].tolist()
    [52.0]
    """

    def __init__(self, schema=None):
        self.schema = schema

    def fit(self, X, y=None):
        """Learn names and types of the columns, and how they are spread; `y` holds classes."""
        schema = self.schema or describe(X)
        self.fields_ = {name: schema[name] for name in X}
        of_words = X.select_dtypes("category")
        self.categories_ = {name: [*cells.cat.categories] for name, cells in of_words.items()}
        classes, y = np.unique([] if y is None else y, return_inverse=True)
        self.seen_ = summary(X, y, classes)
        return self

    def fit_transform(self, X, y=None):
        """Learn from attributes, which are values already."""
        self.fit(X, y)
        return X

    def transform(self, X):
        """Give the values of the attributes; warns of what is unlike those learned from.

        Raises
        ------
        ValueError
            If `X` lacks a column.
        """
        values, unread = self.read(X)
        seen = Unlike(self.fields_, self.seen_)
        seen.add(values, unread)
        for sentence in seen.words():
            warnings.warn(sentence, stacklevel=2)
        return values

    def read(self, X):
        """Give the values of the attributes, and what could not be read.

        Parameters
        ----------
        X : DataFrame
            Records as a file has them, columns in any order, with others beside them.

        Returns
        -------
        values : DataFrame
        unread : dict of str to dict
            By column, how many cells have each text that its schema cannot read.

        Raises
        ------
        ValueError
            If `X` lacks a column.
        """
        X = tidy(X)
        lacking = [name for name in self.fields_ if name not in X]
        if lacking:
            there = {name.casefold(): name for name in X.columns}
            near = difflib.get_close_matches(lacking[0].casefold(), there, n=1, cutoff=0.4)
            meant = f" ({there[near[0]]!r} is there)" if near else ""
            raise ReportError(
                f"X lacks the columns {lacking}{meant}: the model has learned from them"
            )
        found, gone = {}, {}
        for name, field in self.fields_.items():
            values, unread = _read_alike(field, X[name])
            if name in self.categories_:
                seen = self.categories_[name]
                unread |= values.notna() & ~values.isin(seen)
                values = values.cat.set_categories(seen)
            if unread.any():
                gone[name] = X.loc[unread, name].astype(str).value_counts().to_dict()
            found[name] = values
        return pd.DataFrame(found), gone


def _read_alike(field, cells):
    """What a field reads of cells; where most show another notation, only what both read alike.

    A model that knows days first, and meets 12/31/2021, no longer knows what 03/04/2021 means.
    """
    values, unread = read(field, cells)
    other = _otherwise(field)
    if other is None or not unread.any():
        return values, unread
    rival, _ = read(other, cells)
    theirs, ours = (unread & rival.notna()).sum(), (values.notna() & rival.isna()).sum()
    if theirs > ours:
        doubtful = values.notna() & rival.notna() & (values != rival)
        values, unread = values.mask(doubtful), unread | doubtful
    return values, unread


def _otherwise(field):
    """The field of the other usual notation, of day and month or of decimals; None of others."""
    if field["type"] in DATES:
        form = field.get("format", "")
        swapped = form.translate(str.maketrans("dm", "md"))
        return {**field, "format": swapped} if {"%d", "%m"} <= {form[:2], form[3:5]} else None
    if field["type"] != "number":
        return None
    decimal = field.get("decimalChar", ".")
    return {**field, "decimalChar": {".": ",", ",": "."}.get(decimal, "."), "groupChar": decimal}
