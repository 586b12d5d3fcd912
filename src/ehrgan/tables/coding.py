"""Tables of numbers, yes or no, ordered and unordered categories: to numbers, and back."""

from itertools import count
from numbers import Integral

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from .column import Column, learn_column

__all__ = ["TableCoder", "as_frame"]


class TableCoder(TransformerMixin, BaseEstimator):
    """Turn a table of mixed columns into numbers with NaN in the holes, and back.

    Numbers, and yes or no as 1 and 0, stay as they are, of whatever dtype. An ordered categorical
    becomes its place in the order, from 0. Unordered categories and texts become one column of 0
    and 1 if there are two, else one for each (NaN together where missing).

    Parameters
    ----------
    max_categories : int, default=20
        At least 2. Of an unordered column with more categories the rarest share one column; turned
        back, that column means the most frequent of them.
    ordered : {"place", "cumulative"}, default="place"
        Code of an ordered categorical: its place, or a column for each step of the order that is 1
        where the category lies above the step. Estimates of the latter are probabilities.

    Attributes
    ----------
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the table's columns.
    n_features_in_ : int
        How many there are.

    Notes
    -----
    A category that `fit` has not seen counts as missing, with a warning that names it. Text that
    reads as numbers, and a column of numbers and texts, are refused: nothing is guessed. Other
    frames that speak Arrow, such as those of polars, are taken as well. scikit-learn's
    ``ColumnTransformer`` codes as well, but cannot turn back, which filled and generated records
    need. A column without any value stays a column of NaN. Cost: linear in cells.

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

    __metadata_request__inverse_transform = {"rng": UNUSED}  # it is no metadata to route
    _parameter_constraints = {
        "max_categories": [Interval(Integral, 2, None, closed="left")],
        "ordered": [StrOptions({"place", "cumulative"})],
    }

    def __init__(self, max_categories=20, ordered="place"):
        self.max_categories = max_categories
        self.ordered = ordered

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
            If `X` is no DataFrame, or a column holds dates or other objects, values of several
            kinds, or numbers written as text.
        ValueError
            If there is no column, names repeat or a parameter is out of its range.
        """
        self._validate_params()
        return self._learn(as_frame(X), late=False)

    def partial_fit(self, X, y=None):
        """Learn from one more batch of records, whose codes stay as many; `y` is ignored.

        Parameters
        ----------
        X : DataFrame of shape (n_records, n_attributes)
            As :meth:`fit` takes it, with the same columns each time, in any order.

        Returns
        -------
        TableCoder

        Raises
        ------
        TypeError, ValueError
            As in :meth:`fit` for the first batch; later as in :meth:`transform`, or a column of
            texts holds something else.

        Notes
        -----
        A column of texts has a code for each category of the first batch and one that all later
        ones share, so that a network that learns from the codes keeps its inputs. Where the
        categories are known beforehand, give the column a categorical dtype: each then has its own
        code from the first. A column without any value in the first batch is of the kind that its
        dtype says. After :meth:`fit` no code is left for categories that it has not seen.

        Examples
        --------
        >>> coder = TableCoder().partial_fit(pd.DataFrame({"site": ["lung", "colon", None]}))
        >>> coder = coder.partial_fit(pd.DataFrame({"site": ["skin", "lung"]}))
        >>> coder.get_feature_names_out().tolist()
        ['site=colon', 'site=lung', 'site=infrequent']
        >>> coder.inverse_transform([[0.1, 0.2, 0.7]])["site"].tolist()
        ['skin']
        """
        self._validate_params()
        X = as_frame(X)
        if not hasattr(self, "_columns"):
            return self._learn(X, late=True)
        self._check_columns(X)
        self._columns = [column.joined(X[column.name]) for column in self._columns]
        return self

    def _learn(self, X, late):
        rule = (self.max_categories, self.ordered == "cumulative", late)
        self._columns = [learn_column(name, X[name], *rule) for name in X.columns]
        self._names = X.columns
        self.feature_names_in_ = X.columns.to_numpy(dtype=object)
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
            If it is no DataFrame, columns lack or are new, or a column of numbers holds others.

        Warns
        -----
        UserWarning
            Names categories that `fit` has not seen; they count as missing.
        """
        check_is_fitted(self)
        X = as_frame(X)
        self._check_columns(X)
        return np.hstack([column.encode(X[column.name]) for column in self._columns])

    def _check_columns(self, X):
        """Refuse a table of other columns."""
        lacking = self._names.difference(X.columns, sort=False)
        new = X.columns.difference(self._names, sort=False)
        if len(lacking) or len(new):
            raise ValueError(
                f"X must have the columns of fit: lacks {lacking.tolist()}, "
                f"has besides {new.tolist()}"
            )

    def inverse_transform(self, X, *, rng=None):
        """Give the table again.

        Parameters
        ----------
        X : array-like of shape (n_records, n_coded)
            Numbers as :meth:`transform` gives them, or estimates of them: whole numbers are
            rounded, of categories the nearest or likeliest is taken (of two equally so the first).
        rng : numpy.random.Generator, optional
            Draws categories by the :meth:`probabilities` that the estimates mean, instead.

        Returns
        -------
        DataFrame of shape (n_records, n_attributes)
            In the original dtypes; integers with NaN become floats, booleans nullable.

        Raises
        ------
        ValueError
            If the number of columns is another.
        """
        parts = self._parts(X)
        table = {i: column.decode(part, rng) for i, (column, part) in enumerate(parts)}
        return pd.DataFrame(table).set_axis(self._names, axis=1)

    def probabilities(self, X):
        """Give the probability of each category, by column.

        Parameters
        ----------
        X : array-like of shape (n_records, n_coded)
            Estimates as for :meth:`inverse_transform`, read as probabilities; those that are none
            become the nearest that are. None missing.

        Returns
        -------
        dict of DataFrame of shape (n_records, n_categories)
            For each column of yes or no, of categories or text, and with ``ordered="cumulative"``
            of ordered categories. A code that rare categories share is dealt among them as often as
            they occurred in :meth:`fit`.

        Raises
        ------
        ValueError
            If the number of columns is another.

        Examples
        --------
        >>> coder = TableCoder().fit(pd.DataFrame({"site": ["lung", "colon", "skin"]}))
        >>> coder.probabilities([[0.5, 0.25, 0.25]])["site"].to_dict("records")
        [{'colon': 0.5, 'lung': 0.25, 'skin': 0.25}]
        """
        return {
            column.name: pd.DataFrame(
                column.probabilities(part), columns=pd.Index(column.levels, dtype=object)
            )
            for column, part in self._parts(X)
            if column.has_probabilities
        }

    def category_groups(self):
        """Tell which columns of numbers code one category.

        Returns
        -------
        tuple of (tuple of int, bool)
            Places of the columns, and whether they are the steps of an order; of the columns that
            :meth:`probabilities` tells of, where there are two categories at least.
        """
        check_is_fitted(self)
        starts = np.cumsum([0, *(column.width for column in self._columns)]).tolist()
        return tuple(
            (tuple(range(start, start + column.width)), column.kind == "ordered")
            for start, column in zip(starts, self._columns, strict=False)
            if column.has_probabilities and len(column.codes) > 1
        )

    def __getstate__(self):
        """Plain data alone, so that a file of it needs no pickle."""
        state = dict(super().__getstate__())
        if "_columns" in state:
            state["_columns"] = [column.to_plain() for column in self._columns]
            del state["_names"]
        return state

    def __setstate__(self, state):
        """What :meth:`__getstate__` has given."""
        super().__setstate__(state)
        if "_columns" in state:
            self._columns = [Column.from_plain(plain) for plain in state["_columns"]]
            self._names = pd.Index(self.feature_names_in_)

    def _parts(self, X):
        """Columns and their numbers."""
        check_is_fitted(self)
        Z = np.asarray(X, dtype=np.float64)
        widths = [column.width for column in self._columns]
        if Z.ndim != 2 or Z.shape[1] != sum(widths):
            raise ValueError(f"X must have {sum(widths)} columns, got shape {Z.shape}")
        return list(zip(self._columns, np.split(Z, np.cumsum(widths)[:-1], axis=1), strict=True))

    def get_feature_names_out(self, input_features=None):
        """Give the names of the columns of numbers; `input_features` is ignored.

        Of two that would be called alike, as the column "sex=f" and the category "f" of a column
        "sex", the later one gets a number.
        """
        check_is_fitted(self)
        names = []
        for name in (name for column in self._columns for name in column.names()):
            alike = (f"{name} ({i})" for i in count(2))
            names.append(name if name not in names else next(a for a in alike if a not in names))
        return pd.Index(names, tupleize_cols=False).to_numpy(dtype=object)


def as_frame(X):
    """Give a table as a pandas DataFrame, with each column named once.

    Parameters
    ----------
    X : DataFrame
        Of pandas, or any that speaks Arrow (``__arrow_c_stream__``), such as one of polars.

    Returns
    -------
    pandas.DataFrame
        The very same if it was one.

    Raises
    ------
    TypeError
        If it is no DataFrame.
    ValueError
        If it has no column, or two of one name.

    Examples
    --------
    >>> import pyarrow as pa
    >>> as_frame(pa.table({"age": [61, None]}))["age"].dtype
    int64[pyarrow]
    """
    if not isinstance(X, pd.DataFrame):
        if not hasattr(X, "__arrow_c_stream__") or not hasattr(X, "columns"):
            raise TypeError(
                "X must be a pandas DataFrame, or one that speaks Arrow (of polars, of pyarrow), "
                f"got {type(X).__name__}"
            )
        X = pa.table(X).to_pandas(types_mapper=_kept_in_arrow)
    if not len(X.columns):
        raise ValueError("X has no column")
    repeated = X.columns[X.columns.duplicated()].unique().tolist()
    if repeated:
        raise ValueError(f"X must name each column once, got twice: {repeated}")
    return X


def _kept_in_arrow(kind):
    """Type for what pandas' own types cannot hold beside holes: whole numbers, yes or no, dates."""
    if pa.types.is_primitive(kind) or pa.types.is_decimal(kind):
        return pd.ArrowDtype(kind)
