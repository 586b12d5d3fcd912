"""Areas under the ROC curve from cross-validation, and how far they would vary with other records.

Only records of one fold are compared: scores of models that learned from different records are not
on one scale, and pooling them makes areas of pure noise fall below one half.
"""

import warnings

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
from ..tables.coding import TableCoder

N_FOLDS = 5
#: Times that the records are halved to see how an area varies.
N_HALVINGS = 12


def splits_of(y, groups, n_trials, seed, n_folds=N_FOLDS):
    """Trial, training rows and test rows of every fold; no group stands on both sides."""
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    for trial in range(n_trials):
        folds = kind(n_folds, shuffle=True, random_state=seed + trial)
        for train, test in folds.split(np.zeros(len(y)), y, groups):
            yield trial, train, test


def area_in_folds(X, y, groups, n_trials, seed, model=None, n_classes=None):
    """Mean over folds of the area that a model reaches, else a regression; NaN where it cannot.

    `X` is a DataFrame; the training rows tell how it is coded, and what fills its holes. Of the
    classes `y` may hold some, as a half of the records does.
    """
    n_classes = n_classes or max(2, y.max() + 1)
    fewest = np.bincount(y, minlength=n_classes).min()
    n_folds = min(N_FOLDS, fewest, N_FOLDS if groups is None else len(set(groups)))
    if model is None:
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    model = make_pipeline(SimpleImputer(keep_empty_features=True), model)
    found = []
    for _, train, test in splits_of(y, groups, n_trials, seed, n_folds) if n_folds > 1 else ():
        if has_all(y[train], n_classes) and has_all(y[test], n_classes):
            Z_train, Z_test = coded(X.iloc[train], X.iloc[test])
            fitted = clone(model).fit(Z_train, y[train])
            found.append(area_of(y[test], _told(fitted, Z_test)))
    return float(np.mean(found)) if found else np.nan


def coded(train, test):
    """Both parts of a table as numbers, by what the training part shows of its columns.

    A category that only the test part has is a hole there, as it is in new records.
    """
    coder = TableCoder().fit(train)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="column .* did not occur in fit")
        return coder.transform(train), coder.transform(test)


def _told(fitted, Z):
    several = len(fitted.classes_) > 2
    return fitted.predict_proba(Z) if several else predict_score(fitted, Z)


def has_all(y, n_classes):
    """Whether some records are of each class."""
    return len(np.unique(y)) == n_classes


def sides(y, told):
    """Whether each record is of a class, and how probable that was told to be, class by class.

    Of two classes the second alone; then `told` has one dimension, and else one column each.
    """
    return [(y == 1, told)] if told.ndim == 1 else [(y == k, p) for k, p in enumerate(told.T)]


def area_of(y, told):
    """Area under the ROC curve; of several classes the mean of each against the others."""
    return float(np.mean([roc_auc_score(own, p) for own, p in sides(y, told)]))


def brier_of(y, told):
    """Mean squared error of probabilities, summed over classes where there are several."""
    return float(sum(np.mean((p - own) ** 2) for own, p in sides(y, told)))


def variance_of(area, y):
    """Variance of an area among records of such classes; at most so much where there are several.

    The areas of classes against the others hang together: their mean varies no more than they do.
    """
    sizes = np.bincount(y)
    own = sizes[1:] if len(sizes) == 2 else sizes
    return float(np.mean([variance_of_area(area, n, len(y) - n) for n in own]))


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
            area_in_folds(
                X.iloc[rows],
                y[rows],
                None if groups is None else groups[rows],
                1,
                seed + k,
                n_classes=y.max() + 1,
            )
            for _, rows in halves
        )
        gaps.append(one - other)
    usable = np.isfinite(gaps)
    plain = variance_of(area_in_folds(X, y, groups, 1, seed), y)
    if not usable.any() or not plain > 0:
        return 1.0  # halves with one class alone; or classes that never overlap
    return max(1.0, float(np.mean(np.square(gaps)[usable]) / 4 / plain))


def units_of(y, groups=None):
    """Records, or else persons with a record, of the class that has the fewest."""
    if groups is None:
        return int(np.bincount(y).min())
    return min(len(np.unique(groups[y == k])) for k in range(y.max() + 1))


def interval_of_area(area, variance, units=np.inf, level=0.95):
    """An interval on the logit scale, so that it stays between 0 and 1.

    Student's t allows for a variance that so few units of the rarest class have told.
    """
    area = np.clip(area, 1e-4, 1 - 1e-4)
    quantile = stats.t.ppf((1 + level) / 2, max(units - 1, 1))
    half = quantile * np.sqrt(variance) / (area * (1 - area))
    return tuple(float(v) for v in expit(logit(area) + np.array([-half, half])))
