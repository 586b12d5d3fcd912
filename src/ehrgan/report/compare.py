"""Out-of-fold probabilities of every method, none of which has learned from the record."""

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.model_selection import train_test_split

from ..scores.inference import corrected_interval
from .areas import (
    N_FOLDS,
    area_in_folds,
    area_of,
    coded,
    effect_of_training,
    has_all,
    interval_of_area,
    sides,
    splits_of,
    spread_in_folds,
    units_of,
    variance_among,
)
from .errors import ReportError
from .methods import FINAL_LIMIT, RAW, make_final_classifier, make_imputation

EFFECT_LIMIT = 3000  # records whose halves show what training adds to the spread of that area
HOLE_TRIALS = 4  # splits over which the area of the mask alone is averaged


@dataclass(frozen=True, eq=False)
class Comparison:
    """Out-of-fold probabilities and AUCs of every method."""

    methods: tuple
    y: np.ndarray
    probability: np.ndarray  # (n_methods, n_trials, n); of several classes (..., n, n_classes)
    fold: np.ndarray  # (n_trials, n)
    areas: np.ndarray  # (n_methods, n_trials * n_folds)
    n_train: float
    n_test: float

    @cached_property
    def means(self):
        """Mean AUC of each method."""
        return self.areas_under(np.ones((1, len(self.y))))[0]

    def areas_under(self, weight):
        """AUC of each method, mean over trials, with the records weighted in many ways.

        `weight` has shape (n_ways, n), the result (n_ways, n_methods); NaN where no fold has both
        classes. An AUC is the share of pairs, one record of each class and both of one fold, that
        stand in the right order; of several classes each stands against the others.
        """
        weight = weight.astype(np.float32)
        n_sides = 1 if self.probability.ndim == 3 else self.probability.shape[-1]
        found = np.zeros((n_sides, len(weight), len(self.methods)))
        pairs = np.zeros((n_sides, len(weight), 1))
        for trial, folds in enumerate(self.fold):
            for fold in np.unique(folds):
                rows = np.flatnonzero(folds == fold)
                of_methods = [sides(self.y[rows], p) for p in self.probability[:, trial, rows]]
                for side, told in enumerate(zip(*of_methods, strict=True)):
                    own = told[0][0]
                    W, V = weight[:, rows[own]], weight[:, rows[~own]]
                    pairs[side] += W.sum(axis=1, keepdims=True) * V.sum(axis=1, keepdims=True)
                    for k, (_, p) in enumerate(told):
                        gap = p[own][:, None] - p[~own]
                        right = ((gap > 0) + 0.5 * (gap == 0)).astype(np.float32)
                        found[side, :, k] += np.einsum("bi,bi->b", W @ right, V)
        with np.errstate(invalid="ignore"):
            return np.where(pairs > 0, found / pairs, np.nan).mean(axis=0)

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

    def spread(self, k, groups):
        """How far records make the AUC of method number `k` vary, in one trial; mean over trials.

        As ``ehrgan.report.areas.spread_in_folds`` gives it, of test records alone.
        """
        found = []
        for p, folds in zip(self.probability[k], self.fold, strict=True):
            parts = [np.flatnonzero(folds == k) for k in np.unique(folds)]
            told = [(rows, p[rows]) for rows in parts if has_all(self.y[rows], self.y.max() + 1)]
            found.append(spread_in_folds(self.y, told, groups))
        return np.mean(found, axis=0)

    @property
    def sizes(self):
        """Records in a training and in a test fold."""
        return self.n_train, self.n_test


def compare_methods(methods, X, y, groups, n_trials, seed, bar):
    """Predict every record by every method, none of which has learned from it.

    `X` is a DataFrame as :class:`~ehrgan.report.reading.Prepared` has it.
    """
    splits = list(splits_of(y, groups, n_trials, seed))
    rows = [(train, test) for _, train, test in splits]
    tables, filled = _equally_wide([_varying(X, *parts) for parts in rows]), {}
    for imputation in dict.fromkeys(imputation for imputation, _ in methods):
        filled[imputation] = _filled(imputation, tables, seed)
        bar.update()
    several = (y.max() + 1,) if y.max() > 1 else ()
    probability = np.full((len(methods), n_trials, len(y), *several), np.nan)
    folds = np.full((n_trials, len(y)), -1)
    for k, (trial, _, test) in enumerate(splits):
        folds[trial, test] = k
    for k, (imputation, classifier) in enumerate(methods):
        told = _predict(classifier, filled[imputation], y, rows, seed)
        for (trial, _, test), p in zip(splits, told, strict=True):
            probability[k, trial, test] = p
        bar.update()
    usable = [(t, test) for t, _, test in splits if has_all(y[test], y.max() + 1)]
    areas = [[area_of(y[test], p[t, test]) for t, test in usable] for p in probability]
    sizes = [np.mean([len(part[i]) for part in rows]) for i in (0, 1)]
    return Comparison(methods, y, probability, folds, np.array(areas), *sizes)


def _varying(X, train, test):
    """Training and test rows as numbers, without columns that have one value in training."""
    Z, Z_test = coded(X.iloc[train], X.iloc[test])
    low = np.where(np.isnan(Z), np.inf, Z).min(axis=0)
    kept = low < np.where(np.isnan(Z), -np.inf, Z).max(axis=0)
    if not kept.any():
        raise ReportError(
            "no attribute has two different values in four fifths of the records: gather more "
            "records, or attributes that are known more often"
        )
    return Z[:, kept], Z_test[:, kept]


def _equally_wide(tables):
    """The folds' tables, with columns of zeros where one has fewer: networks train at once."""
    width = max(Z.shape[1] for Z, _ in tables)
    return [
        tuple(np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in own) for own in tables
    ]


def _filled(imputation, tables, seed):
    """Training and test table of each fold, filled by what the training rows teach."""
    if imputation == RAW:
        return tables
    make = partial(make_imputation, imputation, seed, _most_records(tables))
    models = _learned(make, [Z for Z, _ in tables])
    return [
        (model.transform(Z), model.transform(Z_test))
        for model, (Z, Z_test) in zip(models, tables, strict=True)
    ]


def _most_records(tables):
    """Records in the largest training fold."""
    return max(len(Z) for Z, _ in tables)


def _predict(classifier, tables, y, rows, seed):
    """Probabilities of the positive class, or of all of several, for each fold's test rows."""
    make = partial(make_final_classifier, classifier, seed, _most_records(tables))
    data = [(Z, y[train]) for (Z, _), (train, _) in zip(tables, rows, strict=True)]
    models = _learned(make, data)
    told = [model.predict_proba(Z) for model, (_, Z) in zip(models, tables, strict=True)]
    return told if y.max() > 1 else [p[:, 1] for p in told]


def _learned(make, data):
    """A fitted model for each fold; networks train together."""
    if hasattr(make(), "fit_many"):
        return make().fit_many(data)
    return [make().fit(*own) if isinstance(own, tuple) else make().fit(own) for own in data]


def from_holes(prepared, seed):
    """AUC from the mask alone, of up to 20,000 records, with its 95 % interval."""
    rows = some_rows(prepared.y, FINAL_LIMIT, seed, prepared.groups)
    y, groups = prepared.y[rows], None if prepared.groups is None else prepared.groups[rows]
    holes = prepared.X.iloc[rows].isna()
    holes = holes.loc[:, holes.any() & ~holes.all()].astype(float)
    if holes.empty:
        return 0.5, 0.5, 0.5
    area, spread = area_in_folds(holes, y, groups, seed, n_trials=HOLE_TRIALS)
    # what training adds falls with the records: some show it, and at most too much of it
    few = some_rows(y, EFFECT_LIMIT, seed, groups)
    theirs = None if groups is None else groups[few]
    effect = effect_of_training(holes.iloc[few], y[few], theirs, seed)
    variance = effect * variance_among(spread, y)
    return area, *interval_of_area(area, variance, units_of(y, groups))


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
