"""Out-of-fold probabilities of every method, none of which has learned from the record."""

import warnings
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split

from ..scores.inference import corrected_interval
from .errors import ReportError
from .methods import FINAL_LIMIT, N_FOLDS, RAW, make_final_classifier, make_imputation


@dataclass(frozen=True, eq=False)
class Comparison:
    """Out-of-fold probabilities and AUCs of every method."""

    methods: tuple
    y: np.ndarray
    probability: np.ndarray  # (n_methods, n_trials, n)
    areas: np.ndarray  # (n_methods, n_trials * n_folds)
    n_train: float
    n_test: float

    @property
    def means(self):
        """Mean AUC of each method over trials, each from all its records together."""
        return np.array([_mean_area(self.y, p) for p in self.probability])

    def errors(self):
        """Standard error of the difference between any two methods, (k, k)."""
        k = len(self.areas)
        found = np.zeros((k, k))
        for i in range(k):
            for j in range(i):
                lead = self.areas[i] - self.areas[j]
                mean, _, high = corrected_interval(lead, self.n_train, self.n_test)
                t = stats.t.ppf(0.975, len(lead) - 1)
                found[i, j] = found[j, i] = (high - mean) / t
        return found

    def lead(self, method, other):
        """AUC of one method less that of another, fold by fold."""
        return self.areas[self.methods.index(method)] - self.areas[self.methods.index(other)]

    def curve(self, k):
        """Class, and the probability that method number `k` told, mean over trials."""
        return self.y, self.probability[k].mean(axis=0)

    @property
    def sizes(self):
        """Records in a training and in a test fold."""
        return self.n_train, self.n_test


def _mean_area(y, probability):
    return float(np.mean([roc_auc_score(y, p) for p in probability]))


def splits_of(y, groups, n_trials, seed):
    """Train and test rows of every trial and fold; folds without both classes are left out."""
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    for trial in range(n_trials):
        folds = kind(N_FOLDS, shuffle=True, random_state=seed + trial)
        for train, test in folds.split(np.zeros(len(y)), y, groups):
            yield trial, train, test


def compare_methods(methods, Z, y, groups, n_trials, seed, bar):
    """Predict every record by every method, none of which has learned from it."""
    splits = list(splits_of(y, groups, n_trials, seed))
    rows = [(train, test) for _, train, test in splits]
    Z, filled = _varying(Z, rows), {}
    for imputation in dict.fromkeys(imputation for imputation, _ in methods):
        filled[imputation] = _filled_tables(imputation, Z, rows, seed)
        bar.update()
    probability = np.full((len(methods), n_trials, len(y)), np.nan)
    for k, (imputation, classifier) in enumerate(methods):
        told = _predict(classifier, filled[imputation], y, rows, seed)
        for (trial, _, test), p in zip(splits, told, strict=True):
            probability[k, trial, test] = p
        bar.update()
    usable = [(t, test) for t, _, test in splits if 0 < y[test].sum() < len(test)]
    areas = [[roc_auc_score(y[test], p[t, test]) for t, test in usable] for p in probability]
    sizes = [np.mean([len(part[i]) for part in rows]) for i in (0, 1)]
    return Comparison(methods, y, probability, np.array(areas), *sizes)


def _varying(Z, rows):
    """The columns that have two values or more in the training rows of every fold."""
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # columns without a value
        ranges = [np.nanmax(Z[train], axis=0) - np.nanmin(Z[train], axis=0) for train, _ in rows]
    kept = np.all(np.array(ranges) > 0, axis=0)
    if not kept.any():
        raise ReportError(
            "no attribute has two different values in four fifths of the records: gather more "
            "records, or attributes that are known more often"
        )
    return Z[:, kept]


def _filled_tables(imputation, Z, rows, seed):
    """Training and test table of each fold, filled by what the training rows teach."""
    if imputation == RAW:
        return [(Z[train], Z[test]) for train, test in rows]
    make = partial(make_imputation, imputation, seed, _most_records(rows))
    if "autoencoder" in imputation:
        models = make().fit_many([Z[train] for train, _ in rows])
    else:
        models = [make().fit(Z[train]) for train, _ in rows]
    pairs = zip(models, rows, strict=True)
    return [(model.transform(Z[train]), model.transform(Z[test])) for model, (train, test) in pairs]


def _most_records(rows):
    """Records in the largest training fold."""
    return max(len(train) for train, _ in rows)


def _predict(classifier, tables, y, rows, seed):
    """Probabilities of the positive class for each fold's test rows."""
    make = partial(make_final_classifier, classifier, seed, _most_records(rows))
    data = [(X, y[train]) for (X, _), (train, _) in zip(tables, rows, strict=True)]
    models = make().fit_many(data) if "AC-GAN" in classifier else [make().fit(*d) for d in data]
    return [m.predict_proba(X)[:, 1] for m, (_, X) in zip(models, tables, strict=True)]


def from_holes(prepared, seed):
    """Class, and out-of-fold probability from the mask alone, of up to 20,000 records."""
    rows = some_rows(prepared.y, FINAL_LIMIT, seed, prepared.groups)
    y, groups = prepared.y[rows], None if prepared.groups is None else prepared.groups[rows]
    holes = prepared.X.iloc[rows].isna()
    holes = holes.loc[:, holes.any()].to_numpy(np.float64)
    told = np.full(len(y), y.mean())
    if holes.size:
        for _, train, test in splits_of(y, groups, 1, seed):
            model = LogisticRegression(max_iter=2000).fit(holes[train], y[train])
            told[test] = model.predict_proba(holes[test])[:, 1]
    return y, told


def some_rows(y, limit, seed, groups=None):
    """At most so many rows, drawn by class, or by whole groups; in their order."""
    if len(y) <= limit:
        return np.arange(len(y))
    if groups is None or len(np.unique(groups)) > 0.9 * len(y):
        rows, _ = train_test_split(
            np.arange(len(y)), train_size=limit, stratify=y, random_state=seed
        )
        return np.sort(rows)
    order = np.random.default_rng(seed).permutation(np.unique(groups))
    sizes = pd.Series(groups).value_counts().reindex(order).cumsum()
    return np.flatnonzero(np.isin(groups, order[: max(int((sizes <= limit).sum()), 2 * N_FOLDS)]))
