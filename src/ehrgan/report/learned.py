"""The first step of a saved pipeline: new records are read as those were that it learned from."""

import warnings

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from .convert import read, tidy
from .describe import describe

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
        """Learn names and types of the columns; `y` is ignored."""
        schema = self.schema or describe(X)
        self.fields_ = {name: schema[name] for name in X}
        self.dtypes_ = X.dtypes.to_dict()
        return self

    def fit_transform(self, X, y=None):
        """Learn from attributes, which are values already."""
        self.fit(X)
        return X

    def transform(self, X):
        """Give the values of the attributes.

        Raises
        ------
        ValueError
            If `X` lacks a column.
        """
        values, told = self.read(X)
        for sentence in told:
            warnings.warn(sentence, stacklevel=2)
        return values

    def read(self, X):
        """Give the values of the attributes, and sentences on what could not be read.

        Parameters
        ----------
        X : DataFrame
            Records, their columns in any order, with others beside them.

        Returns
        -------
        values : DataFrame
        told : list of str

        Raises
        ------
        ValueError
            If `X` lacks a column.
        """
        X = tidy(X)
        lacking = [name for name in self.fields_ if name not in X]
        if lacking:
            raise ValueError(f"X lacks the columns {lacking}: the model has learned from them")
        found, told = {}, []
        for name, field in self.fields_.items():
            values, unread = read(field, X[name])
            if isinstance(self.dtypes_[name], pd.CategoricalDtype):
                new = values.notna() & ~values.isin(self.dtypes_[name].categories)
                values, unread = values.cat.set_categories(self.dtypes_[name].categories), unread | new
            if unread.any():
                shown = ", ".join(map(repr, X[name][unread].value_counts().index[:3]))
                told.append(f"{name!r}: {unread.sum()} cells are not read ({shown}) and count as missing")
            found[name] = values
        return pd.DataFrame(found), told
