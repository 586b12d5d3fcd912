"""Which attributes carry the recommended method: what is lost where one is shuffled."""

import numpy as np
import pandas as pd

from ..scores.inference import corrected_interval
from .areas import area_of, has_all, splits_of
from .fitting import fit_method, told_by

__all__ = ["importance"]

N_SHUFFLES = 3


def importance(prepared, method, rows, seed, line=None):
    """AUC that a method loses on records it has not seen where an attribute is shuffled.

    Parameters
    ----------
    prepared : ehrgan.report.reading.Prepared
        The table as it was read.
    method : tuple of (str, str)
        Imputation and classifier, which learn anew in each of five folds.
    rows : int ndarray
        The records to take.
    seed : int
        Of folds, training and shuffles.
    line : tuple of float, optional
        See :func:`~ehrgan.report.fitting.fit_method`.

    Returns
    -------
    DataFrame
        Columns attribute, value (the AUC lost), low, high (corrected 95 % interval over folds);
        the greatest loss first. Cells are shuffled with their holes, so that what an attribute
        tells by being missing is lost as well; the method imputes the shuffled table as any other.

    References
    ----------
    Breiman, "Random forests", Machine Learning 45, 2001, section 10.
    """
    y = prepared.y[rows]
    groups = None if prepared.groups is None else prepared.groups[rows]
    rng, lost, sizes = np.random.default_rng(seed), [], []
    for _, train, test in splits_of(y, groups, 1, seed):
        if not has_all(y[test], len(prepared.classes)):
            continue
        pipeline = fit_method(prepared, method, seed, rows[train], line)
        X = prepared.X.iloc[rows[test]].reset_index(drop=True)
        whole = area_of(y[test], told_by(pipeline, X, prepared.classes))
        copies = pd.concat([X] * N_SHUFFLES, ignore_index=True)
        orders = [rng.permutation(len(X)) + k * len(X) for k in range(N_SHUFFLES)]
        areas = []
        for name, cells in copies.items():
            cells = cells.iloc[np.concatenate(orders)].reset_index(drop=True)
            told = told_by(pipeline, copies.assign(**{name: cells}), prepared.classes)
            areas.append([area_of(y[test], part) for part in np.split(told, N_SHUFFLES)])
        lost.append(whole - np.mean(areas, axis=1))
        sizes.append((len(train), len(test)))
    found = [corrected_interval(own, *np.mean(sizes, axis=0)) for own in np.transpose(lost)]
    table = pd.DataFrame(found, columns=["value", "low", "high"])
    table.insert(0, "attribute", prepared.X.columns)
    return table.sort_values("value", ascending=False, kind="stable", ignore_index=True)
