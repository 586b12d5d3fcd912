"""The recommended method, trained on all records or on some."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .compare import some_rows
from .methods import FINAL_LIMIT, NETWORKS, make_method
from .probabilities import Recalibrated

__all__ = ["fit_method", "told_by"]


def fit_method(prepared, method, seed, rows=None, line=None):
    """Train a method for records as a file has them.

    Parameters
    ----------
    prepared : ehrgan.report.reading.Prepared
        The table as it was read.
    method : tuple of (str, str)
        An imputation and a classifier.
    seed : int
        Of what is random in it.
    rows : int ndarray, optional
        Places of the records that teach; by default all.
    line : tuple of float, optional
        Intercept and slope along which log-odds are moved: see
        :class:`~ehrgan.report.probabilities.Recalibrated`.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Predicts the words of the table's own outcome, in the order of its ``classes_``.

    Notes
    -----
    Of very many records a network learns from 20,000, drawn by class; a chain of ridge regressions
    from as many, and each tree of a forest from as many of its own.
    """
    rows = np.arange(len(prepared.y)) if rows is None else rows
    if {*NETWORKS} & {*method} and len(rows) > FINAL_LIMIT:
        rows = rows[some_rows(prepared.y[rows], FINAL_LIMIT, seed)]
    X, labels = prepared.X.iloc[rows], np.array(prepared.classes, dtype=object)[prepared.y[rows]]
    model = make_method(*method, seed, len(X), prepared.schema)
    if line is not None:
        model.set_params(classifier=Recalibrated(model.named_steps["classifier"], *line))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, labels)


def told_by(pipeline, X, classes):
    """Probability of the second of two classes, or of each of several, told of values.

    `X` holds values as the pipeline's first step gives them, `classes` their names in order. A
    category that only these records have counts as missing; of other tables the report says so.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="column .* did not occur in fit")
        told = pipeline[1:].predict_proba(X)
    order = [pipeline.classes_.tolist().index(name) for name in classes]
    return told[:, order[1]] if len(classes) == 2 else told[:, order]
