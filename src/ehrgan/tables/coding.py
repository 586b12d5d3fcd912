"""Tables of numbers, yes or no, ordered and unordered categories: to numbers, and back."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

__all__ = ["TableCoder"]

PLAIN = (str, bool, Integral, float)  # of what an unordered column may consist


class _Column(NamedTuple):
    """How one column is coded."""

    name: str
    kind: str  # number, boolean, ordered or nominal
    dtype: object
    categories: tuple  # of ordered and nominal columns; those after `kept` share one code
    kept: int

    @property
    def width(self):
        """Columns of numbers that it takes."""
        n = min(len(self.categories), self.kept + 1)
        return n if self.kind == "nominal" and n > 2 else 1

    def names(self):
        """Names of its columns of numbers."""
        if self.width == 1:
            return [self.name]
        shown = [f"{self.name}={c}" for c in self.categories[: self.kept]]
        return [*shown, f"{self.name}=infrequent"][: self.width]

    def encode(self, cells):
        """Numbers of shape (n, width), NaN where missing or never seen."""
        if self.kind in ("number", "boolean"):
            return cells.astype("Float64").to_numpy(np.float64, na_value=np.nan)[:, None]
        codes = pd.Index(self.categories).get_indexer(cells.astype(object)).astype(np.float64)
        codes[(codes < 0) | cells.isna().to_numpy()] = np.nan
        if self.kind == "nominal":
            codes = np.minimum(codes, self.kept)
        if self.width == 1:
            return codes[:, None]
        return np.where(np.isnan(codes)[:, None], np.nan, codes[:, None] == np.arange(self.width))

    def decode(self, Z):
        """The column again, from numbers of shape (n, width) that need not be whole."""
        gone = np.isnan(Z).any(axis=1)
        if self.kind == "number":
            return self._number(Z[:, 0])
        if self.kind == "boolean":
            return self._boolean(np.where(gone, False, Z[:, 0] >= 0.5), gone)
        codes = np.where(np.isnan(Z), -np.inf, Z).argmax(axis=1)
        if self.width == 1:
            top = max(min(len(self.categories), self.kept + 1) - 1, 0)
            top = max(len(self.categories) - 1, 0) if self.kind == "ordered" else top
            codes = np.clip(np.rint(np.where(gone, 0, Z[:, 0])), 0, top).astype(int)
        if isinstance(self.dtype, pd.CategoricalDtype):
            places = self.dtype.categories.get_indexer(list(self.categories))
            found = np.append(places, -1)[codes]  # a column without any category is all missing
            values = pd.Categorical.from_codes(np.where(gone, -1, found), dtype=self.dtype)
            return pd.Series(values)
        values = np.array([*self.categories, None], dtype=object)[np.where(gone, -1, codes)]
        return pd.Series(values, dtype=object).astype(self.dtype)

    def _number(self, z):
        whole = pd.api.types.is_integer_dtype(self.dtype)
        values = pd.Series(np.rint(z) if whole else z, dtype=np.float64)
        extension = pd.api.types.is_extension_array_dtype(self.dtype)
        if extension:
            return values.astype("Float64").astype(self.dtype)
        return values if whole and values.isna().any() else values.astype(self.dtype)

    def _boolean(self, values, gone):
        if not gone.any():
            return pd.Series(values).astype(self.dtype)
        return pd.Series(np.where(gone, None, values), dtype="boolean")


class TableCoder(TransformerMixin, BaseEstimator):
    """Turn a table of mixed columns into numbers with NaN in the holes, and back.

    Numbers, and yes or no as 1 and 0, stay as they are. An ordered categorical becomes its place in
    the order, from 0. Unordered categories become one column of 0 and 1 if there are two, else one
    for each (NaN together where missing).

    Parameters
    ----------
    max_categories : int, default=20
        At least 2. Of an unordered column with more categories the rarest share one column; turned
        back, that column means the most frequent of them.

    Attributes
    ----------
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the table's columns.
    n_features_in_ : int
        How many there are.

    Notes
    -----
    A category that `fit` has not seen is missing. scikit-learn's ``ColumnTransformer`` codes as
    well, but cannot turn back, which filled and generated records need. A column without any value
    stays a column of NaN. Cost: linear in cells.

    Examples
    --------
    >>> from ehrgan.tables.coding import TableCoder
    >>> table = pd.DataFrame({"age": [61, 47, 70], "site": ["lung", None, "colon"]})
    >>> coder = TableCoder().fit(table)
    >>> coder.transform(table).tolist()
    [[61.0, 1.0], [47.0, nan], [70.0, 0.0]]
    >>> coder.inverse_transform([[55.2, 0.8]]).to_dict("records")
    [{'age': 55, 'site': 'lung'}]
    """

    def __init__(self, max_categories=20):
        self.max_categories = max_categories

    def fit(self, X, y=None):
        """Learn kinds and categories of the columns; `y` is ignored.

        Parameters
        ----------
        X : DataFrame of shape (n_records, n_attributes)
            Numbers, booleans, categoricals or text; NaN, None or NA where missing.

        Returns
        -------
        TableCoder

        Raises
        ------
        TypeError
            If `X` is no DataFrame, or a column holds dates or other objects.
        ValueError
            If names repeat or `max_categories` is below 2.
        """
        if not isinstance(self.max_categories, Integral) or self.max_categories < 2:
            raise ValueError(f"max_categories must be at least 2, got {self.max_categories!r}")
        check_table(X)
        self._columns = [_learn(name, X[name], self.max_categories) for name in X.columns]
        self.feature_names_in_ = np.array(X.columns, dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        return self

    def transform(self, X):
        """Give the numbers.

        Parameters
        ----------
        X : DataFrame of shape (n_records, n_attributes)
            The columns of `fit`, in any order.

        Returns
        -------
        ndarray of float64, shape (n_records, n_coded)

        Raises
        ------
        TypeError, ValueError
            If it is no DataFrame, or columns lack or are new.
        """
        check_is_fitted(self)
        check_table(X)
        lacking = [name for name in self.feature_names_in_ if name not in X]
        new = [name for name in X.columns if name not in set(self.feature_names_in_)]
        if lacking or new:
            raise ValueError(f"X must have the columns of fit: lacks {lacking}, has besides {new}")
        try:
            return np.hstack([column.encode(X[column.name]) for column in self._columns])
        except (TypeError, ValueError) as error:
            raise ValueError(f"X has values of another kind than in fit: {error}") from error

    def inverse_transform(self, X):
        """Give the table again.

        Parameters
        ----------
        X : array-like of shape (n_records, n_coded)
            Numbers as :meth:`transform` gives them, or estimates of them: whole numbers are
            rounded, of categories the nearest or likeliest is taken.

        Returns
        -------
        DataFrame of shape (n_records, n_attributes)
            In the original dtypes; integers with NaN become floats, booleans nullable.

        Raises
        ------
        ValueError
            If the number of columns is another.
        """
        check_is_fitted(self)
        Z = np.asarray(X, dtype=np.float64)
        widths = [column.width for column in self._columns]
        if Z.ndim != 2 or Z.shape[1] != sum(widths):
            raise ValueError(f"X must have {sum(widths)} columns, got shape {Z.shape}")
        parts = np.split(Z, np.cumsum(widths)[:-1], axis=1)
        pairs = zip(self._columns, parts, strict=True)
        return pd.DataFrame({column.name: column.decode(part) for column, part in pairs})

    def get_feature_names_out(self, input_features=None):
        """Give the names of the columns of numbers; `input_features` is ignored."""
        check_is_fitted(self)
        return np.array(sum((c.names() for c in self._columns), []), dtype=object)


def check_table(X):
    if not isinstance(X, pd.DataFrame):
        raise TypeError(f"X must be a pandas DataFrame, got {type(X).__name__}")
    repeated = X.columns[X.columns.duplicated()].unique().tolist()
    if repeated:
        raise ValueError(f"X must name each column once, got twice: {repeated}")


def _learn(name, cells, most):
    dtype, types = cells.dtype, pd.api.types
    categorical = isinstance(dtype, pd.CategoricalDtype)
    if types.is_bool_dtype(dtype):
        return _Column(name, "boolean", dtype, (), 0)
    if types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
        return _Column(name, "number", dtype, (), 0)
    if categorical and dtype.ordered:
        return _Column(name, "ordered", dtype, tuple(dtype.categories), 0)
    seen = cells.dropna()
    text = types.is_string_dtype(dtype) or types.is_object_dtype(dtype)
    if not (categorical or (text and all(isinstance(value, PLAIN) for value in seen))):
        raise TypeError(
            f"column {name!r} of dtype {dtype} is none of number, boolean, category and text: turn "
            "it into one of them (a date into days since a start) or leave it out"
        )
    counts = seen.astype(object).value_counts()
    if len(counts) <= most:
        values = dtype.categories if categorical else sorted(counts.index, key=str)
        found = tuple(value for value in values if value in counts.index)
        return _Column(name, "nominal", dtype, found, len(found))
    return _Column(name, "nominal", dtype, tuple(counts.index), most - 1)
