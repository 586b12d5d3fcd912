"""Areas under the ROC curve from cross-validation, and how far they would vary with other records.

Only records of one fold are compared: scores of models that learned from different records are not
on one scale, and pooling them makes areas of pure noise fall below one half.
"""

import warnings

import numpy as np
from scipy import stats
from scipy.special import expit, logit
from scipy.stats import rankdata
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


def area_in_folds(X, y, groups, seed, model=None, n_trials=1, n_classes=None):
    """Mean over folds of the area that a model reaches, and the first trial's :func:`spread_of`.

    A regression where no model is given; an area of NaN where no fold holds all classes. `X` is a
    DataFrame; the training rows tell how it is coded, and what fills its holes. Of the classes `y`
    may hold some, as a half of the records does.
    """
    folds = list(_by_fold(X, y, groups, seed, model, n_trials, n_classes))
    areas = [area_of(y[test], told) for _, test, told in folds]
    first = [(test, told) for trial, test, told in folds if trial == 0]
    return float(np.mean(areas)) if areas else np.nan, spread_in_folds(y, first, groups)


def _by_fold(X, y, groups, seed, model, n_trials, n_classes):
    """Trial and test rows of each fold that holds all classes, and what was told of them."""
    n_classes = n_classes or max(2, y.max() + 1)
    fewest = np.bincount(y, minlength=n_classes).min()
    # one record alone of its class in a fold would not show how such records vary
    fewest = max(fewest // 2, min(fewest, 2))
    n_folds = min(N_FOLDS, fewest, N_FOLDS if groups is None else len(set(groups)))
    if model is None:
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    model = make_pipeline(SimpleImputer(keep_empty_features=True), model)
    splits = splits_of(y, groups, n_trials, seed, n_folds) if n_folds > 1 else ()
    for trial, train, test in splits:
        if has_all(y[train], n_classes) and has_all(y[test], n_classes):
            Z_train, Z_test = coded(X.iloc[train], X.iloc[test])
            yield trial, test, _told(clone(model).fit(Z_train, y[train]), Z_test)


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


def added_by_records(y, told):
    """What each record adds to an area: how far its pairs stand from the mean of all.

    References
    ----------
    DeLong et al., "Comparing the areas under two or more correlated receiver operating
    characteristic curves", Biometrics 44, 1988.
    """
    return np.mean([_added(own, p) for own, p in sides(y, told)], axis=0)


def _added(own, p):
    ranks, places = rankdata(p), np.empty(len(p))
    for part in (own, ~own):  # the share of the others that lie below, ties half
        places[part] = (ranks[part] - rankdata(p[part])) / (len(p) - part.sum())
    places[~own] = 1 - places[~own]
    n = np.where(own, own.sum(), (~own).sum())
    # their own mean stands so near to few that it would hide part of their spread
    return (places - places[own].mean()) / np.sqrt(n * np.maximum(n - 1, 1))


def spread_of(y, added, groups=None):
    """How far the records of each class make an area vary; see :func:`variance_among`.

    Records of one group are added up first: their spread is of groups, not of records.
    """
    spread = np.bincount(y, weights=added**2) * np.bincount(y)
    if groups is None or not added.any():
        return spread
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], weights=added)
    return spread * (sums**2).sum() / (added**2).sum() * len(sums) / max(len(sums) - 1, 1)


def spread_in_folds(y, folds, groups=None):
    """The :func:`spread_of` of a mean over folds: of each its rows, and what was told of them."""
    added = np.zeros(len(y))
    for rows, told in folds:
        added[rows] = added_by_records(y[rows], told) / len(folds)
    return spread_of(y, added, groups)


def variance_among(spread, y):
    """Variance of an area among records of classes `y`, which may be others than taught it."""
    return float((spread / np.bincount(y, minlength=len(spread))).sum())


def effect_of_training(X, y, groups, seed):
    """How many times the variance of independent test records that of a cross-validated area is.

    Other records would also train other models. It shows where the records are halved: the areas
    within the two halves are independent (Nadeau and Bengio, 2003, section 5), so their difference
    has the variance of both, and that of test records alone is known. A logistic regression stands
    for all methods. At least 1.
    """
    compared = []  # of each halving the squared difference, and its variance by test records
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    for k in range(N_HALVINGS):
        found = []
        for _, rows in kind(2, shuffle=True, random_state=seed + k).split(X, y, groups):
            own = None if groups is None else groups[rows]
            how = {"seed": seed + k, "n_classes": y.max() + 1}
            area, spread = area_in_folds(X.iloc[rows], y[rows], own, **how)
            found.append((area, np.nan if np.isnan(area) else variance_among(spread, y[rows])))
        (one, its), (other, others) = found
        if np.isfinite(one - other):
            compared.append(((one - other) ** 2, its + others))
    gap, plain = np.mean(compared, axis=0) if compared else (0.0, 0.0)
    # 1 where halves hold one class alone, or classes never overlap
    return max(1.0, float(gap / plain)) if plain > 0 else 1.0


def units_of(y, groups=None):
    """Records, or else persons with a record, of the class that has the fewest."""
    if groups is None:
        return int(np.bincount(y).min())
    return min(len(np.unique(groups[y == k])) for k in range(y.max() + 1))


def interval_of_area(area, variance, units=np.inf, level=0.95):
    """An interval on the logit scale, so that it stays between 0 and 1.

    Student's t allows for a variance that so few units of the rarest class have told. They may
    also hold none of the hard cases that others hold: one more, told by chance, is counted.
    """
    area = np.clip(area, 1e-4, 1 - 1e-4)
    variance = variance + ((area - 0.5) / units) ** 2
    quantile = stats.t.ppf((1 + level) / 2, max(units - 1, 1))
    half = quantile * np.sqrt(variance) / (area * (1 - area))
    return tuple(float(v) for v in expit(logit(area) + np.array([-half, half])))
