"""Labels of which some may be missing, as scikit-learn's semi-supervised classifiers take them."""

import warnings

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

__all__ = ["UNLABELLED", "codes_of_classes"]

UNLABELLED = -1
"""Label of a record whose class nobody knows, beside NaN and None; and its code."""


def codes_of_classes(y, X):
    """Classes among labels of which some may be missing, and the code of each record.

    Parameters
    ----------
    y : array-like of shape (n,)
    X : array of shape (n, d)

    Returns
    -------
    classes : ndarray of shape (K,)
        Two or more.
    codes : int ndarray of shape (n,)
        -1 where the class is missing.

    Raises
    ------
    ValueError
        Another number of labels than records, labels that are none, or one class alone.

    Examples
    --------
    >>> classes, codes = codes_of_classes(["well", None, "ill"], np.zeros((3, 1)))
    >>> classes.tolist(), codes.tolist()
    (['ill', 'well'], [1, -1, 0])
    >>> codes_of_classes([0, 1, -1], np.zeros((3, 1)))[1].tolist()
    [0, 1, -1]
    """
    y = column_or_1d(np.asarray(y), warn=True)
    check_consistent_length(X, y)
    known = ~pd.isna(y)
    labels = y[known]
    if labels.dtype == object:
        labels = pd.Series(labels).infer_objects().to_numpy()
    if labels.dtype.kind in "if" and len(np.unique(labels)) > 2:
        known[known], labels = labels != UNLABELLED, labels[labels != UNLABELLED]
    elif labels.dtype.kind in "if" and (labels == UNLABELLED).any():
        warnings.warn(
            "y holds -1 and one other label at most: -1 is taken for a class. Give records whose "
            "class is not known the label NaN.",
            stacklevel=2,
        )
    classes = np.unique(labels)
    if len(classes) < 2:
        found = f"one class, {classes[0]}" if len(classes) else "no class, only missing labels"
        raise ValueError(
            f"y holds {found}; two classes or more are needed to learn to tell them apart."
        )
    check_classification_targets(labels)
    codes = np.full(len(y), UNLABELLED)
    codes[known] = np.searchsorted(classes, labels)
    return classes, codes
