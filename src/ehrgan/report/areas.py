"""Areas under the ROC curve from cross-validation, and how far they would vary with other records.

Only records of one fold are compared: scores of models that learned from different records are not
on one scale, and pooling them makes areas of pure noise fall below one half.
"""

import numpy as np
from scipy import stats
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ..study.baselines import predict_score

N_FOLDS = 5
#: Times that the records are halved to see how an area varies.
N_HALVINGS = 6


def splits_of(y, groups, n_trials, seed, n_folds=N_FOLDS):
    """Trial, training rows and test rows of every fold; no group stands on both sides."""
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    for trial in range(n_trials):
        folds = kind(n_folds, shuffle=True, random_state=seed + trial)
        for train, test in folds.split(np.zeros(len(y)), y, groups):
            yield trial, train, test


def area_in_folds(X, y, groups, n_trials, seed, model=None):
    """Mean over folds of the area that a model reaches, else a regression; NaN where it cannot.

    Holes get the means of the training rows.
    """
    limits = np.bincount(y, minlength=2).min(), N_FOLDS if groups is None else len(set(groups))
    n_folds = min(N_FOLDS, *limits)
    if model is None:
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    model = make_pipeline(SimpleImputer(keep_empty_features=True), model)
    found = []
    for _, train, test in splits_of(y, groups, n_trials, seed, n_folds) if n_folds > 1 else ():
        if has_both(y[train]) and has_both(y[test]):
            fitted = clone(model).fit(X[train], y[train])
            found.append(roc_auc_score(y[test], predict_score(fitted, X[test])))
    return float(np.mean(found)) if found else np.nan


def has_both(y):
    """Whether some records are of one class and some of the other."""
    return 0 < y.sum() < len(y)


def class_sizes(y):
    """Records of the positive and of the negative class."""
    return int(y.sum()), int((y == 0).sum())


def variance_of_area(area, n_positive, n_negative):
    """Variance of an AUC from so many records of each class (Hanley and McNeil, 1982)."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    spread = (
        area * (1 - area) + (n_positive - 1) * (q1 - area**2) + (n_negative - 1) * (q2 - area**2)
    )
    return spread / (n_positive * n_negative)


def effect_of_training(X, y, groups, seed):
    """How many times the variance of independent test records that of a cross-validated area is.

    Other records would also train other models, and records of one group are worth fewer than
    their number. Both show where the records are halved: the areas within the two halves are
    independent (Nadeau and Bengio, 2003, section 5), and their variance is twice that of all. A
    logistic regression stands for all methods. At least 1.
    """
    gaps, kind = [], StratifiedKFold if groups is None else StratifiedGroupKFold
    for k in range(N_HALVINGS):
        halves = kind(2, shuffle=True, random_state=seed + k).split(X, y, groups)
        one, other = (
            area_in_folds(X[rows], y[rows], None if groups is None else groups[rows], 1, seed + k)
            for _, rows in halves
        )
        gaps.append(one - other)
    usable = np.isfinite(gaps)
    plain = variance_of_area(area_in_folds(X, y, groups, 1, seed), *class_sizes(y))
    if not usable.any() or not plain > 0:
        return 1.0  # halves with one class alone; or classes that never overlap
    return max(1.0, float(np.mean(np.square(gaps)[usable]) / 4 / plain))


def interval_of_area(area, variance, level=0.95):
    """An interval on the logit scale, so that it stays between 0 and 1."""
    area = np.clip(area, 1e-4, 1 - 1e-4)
    half = stats.norm.ppf((1 + level) / 2) * np.sqrt(variance) / (area * (1 - area))
    return tuple(float(v) for v in expit(logit(area) + np.array([-half, half])))
