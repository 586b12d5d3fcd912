"""What the cures for rare classes do, at one prevalence: one setting of that study."""

import numpy as np
import pandas as pd
from imblearn.over_sampling import ADASYN, SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from ..nets.acgan import ACGANClassifier
from ..nets.objectives import CLASS_CONDITIONS
from ..nets.oversampler import ACGANOverSampler
from ..scores.calibration import (
    believed_prevalence,
    calibration_line,
    reprior,
    threshold_by_prevalence,
)
from ..scores.rare import score_at_prevalence, weights_at_prevalence
from ..tables.coding import TableCoder
from ..tables.datasets import load_dataset
from ..tables.records import load_wdbc
from .baselines import make_imputer
from .checks import check_count, check_names
from .judging import Arm, Fold, Table, judge

__all__ = ["BALANCED", "CURES", "TABLES", "one_prevalence"]

TABLES = ("wdbc", "hypothyroid")


def _logistic(*before, **settings):
    return Arm(make_pipeline(*before, LogisticRegression(max_iter=1000, **settings)))


#: Cures by name: the first is none. Neighbours are sought among standardised records.
CURES = {
    "none": _logistic(StandardScaler()),
    "class weights": _logistic(StandardScaler(), class_weight="balanced"),
    "random oversampling": _logistic(StandardScaler(), RandomOverSampler()),
    "SMOTE": _logistic(StandardScaler(), SMOTE()),
    "ADASYN": _logistic(StandardScaler(), ADASYN()),
    "AC-GAN oversampling": _logistic(ACGANOverSampler(), StandardScaler()),
    **{
        f"AC-GAN, {conditions}": Arm(ACGANClassifier(class_conditions=conditions))
        for conditions in CLASS_CONDITIONS
    },
}
#: How far each cure moves the prevalence that is learned from towards one half: 0 not at all, 1 all
#: the way. The AC-GAN learns half from real records and half from those that it asks for.
BALANCED = dict.fromkeys(CURES, 1.0) | {"none": 0.0, "AC-GAN, batch": 0.0, "AC-GAN, balanced": 0.5}
CLIP = 1e-6  # of probabilities, where their logits count
N_SAMPLED = 500  # generated records of the rare class, whose spread is measured
SETTLED = 40  # last epochs, in which losses should have settled


def one_prevalence(
    table="wdbc", prevalence=0.05, seed=0, *, cures=None, n_trials=10, n_folds=5, n_inner=3
):
    """Scores of every cure where the positive class has a given share of the training records.

    Positive records of the training folds are left out at random until the share is reached. Test
    folds keep theirs, weighted to the same share: a rare disease would leave a handful to test on.

    Parameters
    ----------
    table : {"wdbc", "hypothyroid"}, default="wdbc"
        The paper's table, or one with a rare outcome (4.8 %), its holes filled with means.
    prevalence : float, default=0.05
        Share of the positive class, above 0; no record is added where the table has fewer.
    seed : int, default=0
        At least 0.
    cures : tuple of str, optional
        From :data:`CURES`; all by default.
    n_trials, n_folds : int, default=10, 5
        Repetitions of the cross-validation, at least 1, and folds of each, at least 2.
    n_inner : int, default=3
        Folds of the training records, at least 2, whose held-out parts tell at which prevalence a
        cure is right on average; fewer where fewer are positive. 0 leaves that out.

    Returns
    -------
    DataFrame
        trial, fold, imputer, classifier, metric, value, n_train, n_test. Classifiers are the cures;
        with ", repriored" after :func:`~ehrgan.scores.calibration.reprior` to the share of the
        training records, from the share that the cure made; with ", recalibrated" the same from
        the :func:`~ehrgan.scores.calibration.believed_prevalence` of the inner folds; with
        ", threshold" decided at :func:`~ehrgan.scores.calibration.threshold_by_prevalence` in place
        of one half. Metrics:
        those of :func:`~ehrgan.scores.rare.score_at_prevalence`; "slope", of the calibration line
        over all folds of a trial (fold 0); of a cure itself "shift", how much higher its log-odds
        should be on average where the classes are as frequent as it learned them, again over a
        trial; of an AC-GAN also "spread", the standard deviation of generated records of the rare
        class over that of real ones, over all attributes, and "swing", the standard deviation of
        the generator's loss over the last epochs.

    Raises
    ------
    TypeError, ValueError
        An argument out of its range, or fewer than two positive records would be left.

    Notes
    -----
    Three minutes on one core for the defaults on the first table, twelve on the second; a third of
    that without inner folds.
    """
    check_names("table", (table,), TABLES)
    cures = check_names("cures", CURES if cures is None else cures, CURES)
    check_count("seed", seed, 0)
    check_count("n_trials", n_trials, 1)
    check_count("n_inner", n_inner, 0)
    if n_inner == 1:
        raise ValueError("n_inner must be 0 or at least 2, got 1")
    if not 0 < prevalence < 1:
        raise ValueError(f"prevalence must be above 0 and below 1, got {prevalence}")
    X, y = _numbers(table)
    folds = [
        fold for trial in range(n_trials) for fold in _folds(y, prevalence, [seed, trial], n_folds)
    ]
    tables = [_filled(X, fold) for fold in folds]
    rows = []
    for name in cures:
        said, models = _said(name, folds, tables)
        rows += [
            (*_key(fold), name, metric, value)
            for fold, *each in zip(folds, tables, models, strict=bool(models))
            for metric, value in _steadiness(fold, *each).items()
        ]
        believed = _believed(name, folds, tables, n_inner) if n_inner else [None] * len(folds)
        rows += _scores(name, folds, said, believed)
    columns = ["trial", "fold", "n_train", "n_test", "classifier", "metric", "value"]
    return pd.DataFrame(rows, columns=columns).assign(imputer="mean")


def _numbers(table):
    """Attributes with NaN in their holes, and outcomes."""
    if table == "wdbc":
        records = load_wdbc()
        return records.X.to_numpy(), records.y
    found = load_dataset(table)
    return TableCoder().fit_transform(found.X), found.y  # names of categories teach nothing


def _folds(y, prevalence, seed, n_folds):
    """The folds of a trial, with positive records of the training part left out."""
    split_seed, *seeds = np.random.SeedSequence(seed).generate_state(1 + n_folds)
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=split_seed)
    for k, (train, test) in enumerate(splitter.split(y, y)):
        own = int(seeds[k] >> 1)
        negative, positive = train[y[train] == 0], train[y[train] == 1]
        n = round(len(negative) * prevalence / (1 - prevalence))
        if n < 2:
            raise ValueError(f"prevalence {prevalence} leaves {n} positive records to learn from")
        left = np.random.default_rng(own).permutation(positive)[:n]
        train = np.sort(np.concatenate([negative, left]))
        yield Fold(seed[1], k, train, test, None, own, y[train], y[test])


def _filled(X, fold):
    imputer = make_imputer("mean").fit(X[fold.train])
    train, test = (imputer.transform(X[rows]) for rows in (fold.train, fold.test))
    return Table(train, test, np.nan)


def _key(fold):
    return fold.trial, fold.fold, len(fold.train), len(fold.test)


def _said(name, folds, tables):
    """What a cure says of the test records of each fold, and the AC-GANs that say it."""
    arm = CURES[name]
    if not arm.adversarial:
        least = min(np.bincount(fold.y_train)[1] for fold in folds)
        return judge(Arm(_among(arm.estimator, least)), folds, tables, n_jobs=1).probability, []
    models = arm.estimator.fit_many(
        [(table.train, fold.y_train) for fold, table in zip(folds, tables, strict=True)],
        params=[{"random_state": fold.seed} for fold in folds],
    )
    return [m.predict_proba(t.test)[:, 1] for m, t in zip(models, tables, strict=True)], models


def _among(estimator, n):
    """The estimator with no more neighbours than a record has among n."""
    counts = "__k_neighbors", "__n_neighbors"
    asked = {k: value for k, value in estimator.get_params().items() if k.endswith(counts)}
    fewer = {name: int(n) - 1 for name, value in asked.items() if value >= n}
    return clone(estimator).set_params(**fewer)


def _believed(name, folds, tables, n_inner):
    """The prevalence at which a cure is right on average, by records of each fold held back."""
    inner = [
        (i, *part)
        for i, (fold, table) in enumerate(zip(folds, tables, strict=True))
        for part in _held_back(fold, table, n_inner)
    ]
    said, _ = _said(name, [fold for _, fold, _ in inner], [table for _, _, table in inner])
    asked = [[] for _ in folds]
    for (i, fold, _), p in zip(inner, said, strict=True):
        asked[i].append((fold.y_test, p))
    return [
        believed_prevalence(*(np.concatenate(part) for part in zip(*parts, strict=True)), clip=CLIP)
        for parts in asked
    ]


def _held_back(fold, table, n_inner):
    """The training records of a fold as folds of their own."""
    y = fold.y_train
    splitter = StratifiedKFold(min(n_inner, int(y.sum())), shuffle=True, random_state=fold.seed)
    for train, held in splitter.split(y, y):
        parts = fold.train[train], fold.train[held], None, fold.seed, y[train], y[held]
        yield (
            Fold(fold.trial, fold.fold, *parts),
            Table(table.train[train], table.train[held], np.nan),
        )


def _steadiness(fold, table, model):
    """How varied the generated records of the rare class are, and how restless the training."""
    made, _ = model.sample(N_SAMPLED, 1, random_state=fold.seed)
    scaler, real = StandardScaler().fit(table.train), table.test[fold.y_test == 1]
    variances = [np.var(scaler.transform(X), axis=0, ddof=1).sum() for X in (made, real)]
    swing = np.std(model.history_["loss_G"][-SETTLED:])
    return {"spread": float(np.sqrt(variances[0] / variances[1])), "swing": float(swing)}


def _variants(name, prevalence, p, believed):
    """Probabilities and threshold of a cure, as it is and as a known prevalence mends it."""
    yield name, p, 0.5
    if name == "none":
        yield f"{name}, threshold", p, threshold_by_prevalence(prevalence)
    if BALANCED[name]:
        yield f"{name}, repriored", reprior(p, _learned(name, prevalence), prevalence), 0.5
    if believed is not None:
        yield f"{name}, recalibrated", reprior(p, believed, prevalence), 0.5


def _learned(name, prevalence):
    """The share of positive records that a cure learns from."""
    return prevalence + BALANCED[name] * (0.5 - prevalence)


def _scores(name, folds, said, believed):
    """Rows of one cure: every fold, and the calibration line of every trial."""
    rows, by_trial, learned = [], {}, {}
    for fold, p, own in zip(folds, said, believed, strict=True):
        prevalence = fold.y_train.mean()
        weight = weights_at_prevalence(fold.y_test, _learned(name, prevalence))
        learned.setdefault(fold.trial, []).append((fold.y_test, p, weight))
        for variant, moved, threshold in _variants(name, prevalence, p, own):
            scores = score_at_prevalence(fold.y_test, moved, prevalence, threshold=threshold)
            rows += [(*_key(fold), variant, metric, value) for metric, value in scores.items()]
            weight = weights_at_prevalence(fold.y_test, prevalence)
            by_trial.setdefault((variant, fold.trial), []).append((fold.y_test, moved, weight))
    first = {fold.trial: _key(fold) for fold in folds if fold.fold == 0}
    for (variant, trial), parts in by_trial.items():
        rows.append((*first[trial], variant, "slope", _line(parts).slope.value))
    for trial, parts in learned.items():
        rows.append((*first[trial], name, "shift", _line(parts).in_the_large.value))
    return rows


def _line(parts):
    """The calibration line of several folds' outcomes, probabilities and weights."""
    y, p, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
    return calibration_line(y, p, weight=weight, clip=CLIP)
