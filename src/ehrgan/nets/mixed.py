"""Fill the holes of a table of mixed columns: code it, fill the codes, turn them back."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..tables.coding import TableCoder, as_frame

__all__ = ["MixedImputer"]


class MixedImputer(TransformerMixin, BaseEstimator):
    """Fill the holes of a table of mixed columns, in its own categories and dtypes.

    Holes among numbers get an estimate, holes among categories the most probable one.

    Parameters
    ----------
    imputer : transformer, optional
        Any of scikit-learn's kind, for numbers with NaN, that gives as many columns as it takes;
        :class:`~ehrgan.nets.autoencoder.StackedAutoencoderImputer` by default. One with a parameter
        ``categories`` is told which columns code a category. Others fill codes as they would
        numbers, and what they fill is read as probabilities: shares among the nearest neighbours
        with :class:`~sklearn.impute.KNNImputer`, frequencies with the mean.
    max_categories : int, default=20
        As for :class:`~ehrgan.tables.coding.TableCoder`.

    Attributes
    ----------
    coder_ : TableCoder
        Turns the table into numbers; ordered categories with one column for each step.
    imputer_ : transformer
        Fills them.

    Notes
    -----
    Observed cells come back as they were, also those of a category that `fit` has not seen. A
    column that had no value in `fit` stays empty.

    Examples
    --------
    >>> from sklearn.impute import SimpleImputer
    >>> from ehrgan.nets.mixed import MixedImputer
    >>> table = pd.DataFrame({"age": [60.0, None, 70.0], "sex": ["f", "f", None]})
    >>> MixedImputer(SimpleImputer(strategy="most_frequent")).fit_transform(table).to_dict("list")
    {'age': [60.0, 60.0, 70.0], 'sex': ['f', 'f', 'f']}
    """

    def __init__(self, imputer=None, max_categories=20):
        self.imputer = imputer
        self.max_categories = max_categories

    def fit(self, X, y=None):
        """Learn the coding, then the imputation; `y` is ignored.

        Parameters
        ----------
        X : DataFrame of shape (n_records, n_attributes)
            As for :meth:`~ehrgan.tables.coding.TableCoder.fit`.

        Returns
        -------
        MixedImputer

        Raises
        ------
        TypeError, ValueError
            As :meth:`~ehrgan.tables.coding.TableCoder.fit`, if no cell is observed, or if the
            imputer is to add indicators.
        """
        from .autoencoder import StackedAutoencoderImputer

        chosen = clone(StackedAutoencoderImputer() if self.imputer is None else self.imputer)
        parameters = chosen.get_params()
        if any(p.split("__")[-1] == "add_indicator" and on is True for p, on in parameters.items()):
            raise ValueError(
                "imputer has add_indicator=True, but indicators are no columns of the table: leave "
                "it False and join sklearn.impute.MissingIndicator beside MixedImputer"
            )
        coder = TableCoder(self.max_categories, ordered="cumulative").fit(X)
        Z = coder.transform(X)
        seen = np.flatnonzero(~np.isnan(Z).all(axis=0))
        if not len(seen):
            raise ValueError("X has no observed cell: there is nothing to learn from")
        if "categories" in parameters:
            groups = [
                (np.searchsorted(seen, g), o)
                for g, o in coder.category_groups()
                if np.isin(g, seen).all()
            ]
            chosen.set_params(categories=tuple((tuple(g.tolist()), o) for g, o in groups))
        self.imputer_ = chosen.fit(Z[:, seen])
        self.coder_, self._seen = coder, seen
        return self

    def transform(self, X):
        """Fill the holes, with the most probable category where one is missing.

        Parameters
        ----------
        X : DataFrame of shape (n_records, n_attributes)
            The columns of `fit`.

        Returns
        -------
        DataFrame of shape (n_records, n_attributes)
            Index, order and dtypes as given; where a dtype cannot hold what fills a column, or the
            column is all missing, that of `fit` or one that holds both.

        Raises
        ------
        TypeError, ValueError
            As :meth:`~ehrgan.tables.coding.TableCoder.transform`, and if the imputer gives another
            number of columns than it takes.
        """
        X, Z = self._coded(X)
        return self._decoded(X, self._filled(Z, self.imputer_.transform))

    def category_probabilities(self, X):
        """Give the probability of each category, for each column of categories.

        Parameters
        ----------
        X : DataFrame of shape (n_records, n_attributes)
            The columns of `fit`.

        Returns
        -------
        dict of DataFrame of shape (n_records, n_categories)
            By column of yes or no, of categories or text; they sum to 1 in every record. Of an
            observed cell they are 1 and 0, unless `fit` has not seen its category.

        Raises
        ------
        TypeError, ValueError
            As :meth:`transform`.

        Examples
        --------
        >>> from sklearn.impute import SimpleImputer
        >>> table = pd.DataFrame({"sex": ["f", "f", "f", "m", None]})
        >>> chances = MixedImputer(SimpleImputer()).fit(table).category_probabilities(table)
        >>> chances["sex"].loc[4].to_dict()
        {'f': 0.75, 'm': 0.25}
        """
        X, Z = self._coded(X)
        chances = self.coder_.probabilities(self._filled(Z, self.imputer_.transform))
        for name, table in chances.items():
            places = table.columns.get_indexer(X[name].astype(object))
            seen = places >= 0  # known for sure, also of rare categories, which share a code
            table.loc[seen] = np.eye(table.shape[1])[places[seen]]
        return {name: table.set_index(X.index) for name, table in chances.items()}

    def draw(self, X, n_imputations=None, *, random_state=None):
        """Fill the holes several times, each category as often as it is probable.

        Parameters
        ----------
        X : DataFrame of shape (n_records, n_attributes)
            The columns of `fit`.
        n_imputations : int, default=None
            Tables to draw, at least 1; by default as many as the imputer draws, which a
            :class:`~ehrgan.nets.autoencoder.StackedAutoencoderImputer` is told by ``n_draws``.
        random_state : int, RandomState instance or None, default=None
            Seeds the draws.

        Returns
        -------
        list of DataFrame of shape (n_records, n_attributes)
            As :meth:`transform` gives them.

        Raises
        ------
        AttributeError
            If the imputer cannot draw.
        TypeError, ValueError
            As :meth:`transform`.
        """
        X, Z = self._coded(X)
        asked = {} if n_imputations is None else {"n_imputations": n_imputations}
        tables = self.imputer_.draw(Z[:, self._seen], random_state=random_state, **asked)
        rng = np.random.default_rng(check_random_state(random_state).randint(2**31))
        return [self._decoded(X, self._filled(Z, lambda _, t=t: t), rng) for t in tables]

    def _coded(self, X):
        check_is_fitted(self)
        X = as_frame(X)
        return X, self.coder_.transform(X)

    def _filled(self, Z, fill):
        """The codes with those columns filled that had a value in `fit`."""
        filled, given = Z.copy(), Z[:, self._seen]
        values = np.asarray(fill(given))
        if values.shape != given.shape:
            raise ValueError(
                f"the imputer gave an array of shape {values.shape} for one of {given.shape}; "
                "MixedImputer needs a value for each column"
            )
        filled[:, self._seen] = values
        return filled

    def _decoded(self, X, Z, rng=None):
        filled = self.coder_.inverse_transform(Z, rng=rng)
        columns = [_fill(X[name].reset_index(drop=True), filled[name]) for name in X.columns]
        table = pd.concat(columns, axis=1, keys=range(len(columns)))
        return table.set_axis(X.index).set_axis(X.columns, axis=1)

    def get_feature_names_out(self, input_features=None):
        """Give the names of the table's columns; `input_features` is ignored."""
        check_is_fitted(self)
        return self.coder_.feature_names_in_


def _fill(cells, filled):
    """The column with its holes filled, its other cells as they were."""
    holes = cells.isna()
    if not holes.any():
        return cells
    if holes.all():
        return filled
    values = cells.astype(object).where(~holes, filled.astype(object))
    dtype = cells.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = _with_categories(dtype, values.dropna().unique(), filled.dtype)
    try:
        return values.astype(dtype)
    except (TypeError, ValueError, OverflowError):
        return values.infer_objects()


def _with_categories(dtype, values, learned):
    """The categorical dtype where it holds the values, else a wider one.

    An order stays where `fit` knows all of it.
    """
    if set(values) <= set(dtype.categories):
        return dtype
    if isinstance(learned, pd.CategoricalDtype) and set(dtype.categories) <= set(
        learned.categories
    ):
        return learned
    new = [value for value in values if value not in dtype.categories]
    return pd.CategoricalDtype([*dtype.categories, *new])
