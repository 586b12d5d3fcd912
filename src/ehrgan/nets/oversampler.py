"""The generator of an AC-GAN as a sampler of imbalanced-learn."""

import numpy as np
import pandas as pd
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.utils import check_target_type
from scipy.sparse import issparse, vstack
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, column_or_1d, validate_data

from ..tables.coding import TableCoder
from .acgan import ACGANClassifier

__all__ = ["ACGANOverSampler"]

SPARSE = ["csr", "csc"]


class ACGANOverSampler(BaseOverSampler):
    """Make up for rare classes by records that an AC-GAN has generated.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        How many records each class is to have, as for all samplers of imbalanced-learn: "auto"
        brings each up to the most frequent; a float, for two classes, is the wished ratio of the
        rare to the frequent one.
    acgan : ACGANClassifier, optional
        Learns from the records, and generates; one with its default settings if not given.
    random_state : int, RandomState instance or None, default=None
        Seeds training and generation, in place of that of `acgan`.

    Attributes
    ----------
    acgan_ : ACGANClassifier
        As fitted.
    sampling_strategy_ : dict
        Records to generate of each class.
    n_features_in_ : int
        Number of attributes.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where X had names.

    See Also
    --------
    imblearn.over_sampling.SMOTENC : Draws lines between neighbours; takes mixed tables as well.

    Notes
    -----
    Takes what imbalanced-learn's samplers take: arrays, lists, data frames and sparse matrices
    (which it learns from as if they were dense), without holes. In a frame, columns of categories,
    of text and of yes or no come back with the values and the types that they had; a generated
    category is drawn by the probabilities that the generator gives. The records given come first,
    as they were. Cost: see :class:`~ehrgan.nets.acgan.ACGANClassifier`.

    Resampling moves the probabilities of any classifier that learns from it;
    :func:`ehrgan.scores.calibration.reprior` moves them back.

    References
    ----------
    The paper, *Limitations and Future Work*: imbalance "can also be solved using data generated
    from a GAN".

    Examples
    --------
    >>> from imblearn.pipeline import make_pipeline
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from ehrgan import ACGANClassifier, ACGANOverSampler
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> sampler = ACGANOverSampler(acgan=ACGANClassifier(epochs=20), random_state=0)
    >>> X_more, y_more = sampler.fit_resample(X, y)
    >>> np.bincount(y).tolist(), np.bincount(y_more).tolist()
    ([212, 357], [357, 357])
    >>> model = make_pipeline(sampler, LogisticRegression(max_iter=10_000)).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    """

    _parameter_constraints = {
        **BaseOverSampler._parameter_constraints,
        "acgan": [ACGANClassifier, None],
    }

    def __init__(self, *, sampling_strategy="auto", acgan=None, random_state=None):
        super().__init__(sampling_strategy=sampling_strategy)
        self.acgan = acgan
        self.random_state = random_state

    def _check_X_y(self, X, y):
        """Check numbers as scikit-learn does; a mixed table is left to its coder."""
        y, one_versus_all = check_target_type(y, indicate_one_vs_all=True)
        if _is_mixed(X):
            validate_data(self, X, skip_check_array=True)  # learns the names
            check_consistent_length(X, y)
            return X, column_or_1d(y), one_versus_all
        checked, y = validate_data(self, X, y, accept_sparse=SPARSE)
        return X if isinstance(X, pd.DataFrame) else checked, y, one_versus_all

    def _fit_resample(self, X, y):
        rng = check_random_state(self.random_state)
        coder = TableCoder().fit(X) if _is_mixed(X) else None
        numbers = coder.transform(X) if coder else self._dense(X)
        acgan = clone(self.acgan or ACGANClassifier()).set_params(random_state=rng.randint(2**31))
        self.acgan_ = acgan.fit(numbers, y)
        wanted = {label: n for label, n in self.sampling_strategy_.items() if n}
        if not wanted:
            return X, y
        labels = np.repeat(np.array(list(wanted), dtype=y.dtype), list(wanted.values()))
        if coder:
            made = self._table(coder, labels, rng)
        else:
            made, _ = self.acgan_.sample(len(labels), labels, random_state=rng)
        y = np.concatenate([y, labels])
        if isinstance(X, pd.DataFrame):
            made = pd.DataFrame(made, columns=X.columns).astype(X.dtypes)
            return pd.concat([X, made], ignore_index=True), y
        made = made.astype(X.dtype)
        if issparse(X):
            return vstack([X, type(X)(made)], format=X.format), y
        return np.concatenate([X, made]), y

    def _dense(self, X):
        """Numbers as an array, which is what networks learn from."""
        X = validate_data(self, X, reset=False, accept_sparse=SPARSE)
        return X.toarray() if issparse(X) else X

    def _table(self, coder, labels, rng):
        """Generated records of a mixed table."""
        codes, _ = self.acgan_._generated(len(labels), labels, rng)
        units = self.acgan_._in_units(codes.copy())
        for places, _ in coder.category_groups():  # rounding would leave no probabilities
            units[:, places] = codes[:, places]
        draws = np.random.default_rng(rng.randint(2**31))
        return coder.inverse_transform(units, rng=draws)


def _is_mixed(X):
    """Whether a table holds anything but numbers."""
    return isinstance(X, pd.DataFrame) and not all(
        pd.api.types.is_numeric_dtype(dtype) for dtype in X.dtypes
    )
