"""Fill the holes of a table of mixed columns: code it, fill the codes, turn them back."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from ..tables.coding import TableCoder

__all__ = ["MixedImputer"]


class MixedImputer(TransformerMixin, BaseEstimator):
    """Fill the holes of a table of mixed columns, in its own categories and dtypes.

    Parameters
    ----------
    imputer : transformer, optional
        Any of scikit-learn's kind, for numbers with NaN;
        :class:`~ehrgan.nets.autoencoder.StackedAutoencoderImputer` by default.
    max_categories : int, default=20
        As for :class:`~ehrgan.tables.coding.TableCoder`.

    Attributes
    ----------
    coder_ : TableCoder
        Turns the table into numbers.
    imputer_ : transformer
        Fills them.

    Notes
    -----
    Observed cells come back as they were. A column that had no value in `fit` stays empty.

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
            As :meth:`~ehrgan.tables.coding.TableCoder.fit`, and if no cell is observed.
        """
        from .autoencoder import StackedAutoencoderImputer

        self.coder_ = TableCoder(self.max_categories).fit(X)
        Z = self.coder_.transform(X)
        self._seen = ~np.isnan(Z).all(axis=0)
        if not self._seen.any():
            raise ValueError("X has no observed cell: there is nothing to learn from")
        chosen = StackedAutoencoderImputer() if self.imputer is None else self.imputer
        self.imputer_ = clone(chosen).fit(Z[:, self._seen])
        return self

    def transform(self, X):
        """Fill the holes.

        Parameters
        ----------
        X : DataFrame of shape (n_records, n_attributes)
            The columns of `fit`.

        Returns
        -------
        DataFrame of shape (n_records, n_attributes)
            Index, order and dtypes as given.

        Raises
        ------
        TypeError, ValueError
            As :meth:`~ehrgan.tables.coding.TableCoder.transform`.
        """
        check_is_fitted(self)
        Z = self.coder_.transform(X)
        Z[:, self._seen] = self.imputer_.transform(Z[:, self._seen])
        filled = self.coder_.inverse_transform(Z).set_index(X.index)
        return pd.DataFrame({name: _fill(X[name], filled[name]) for name in X.columns})

    def get_feature_names_out(self, input_features=None):
        """Give the names of the table's columns; `input_features` is ignored."""
        check_is_fitted(self)
        return self.coder_.feature_names_in_


def _fill(cells, filled):
    """The column with its holes filled, its other cells as they were."""
    holes = cells.isna()
    if not holes.any():
        return cells
    if isinstance(cells.dtype, pd.CategoricalDtype):
        new = [c for c in filled[holes].dropna().unique() if c not in cells.cat.categories]
        cells = cells.cat.add_categories(new)
    return cells.where(~holes, filled)
