"""Two stages or one: imputers with a classifier after them, and both trained together."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import MinMaxScaler

from ..nets.acgan import ACGANClassifier
from ..nets.autoencoder import StackedAutoencoderImputer
from ..nets.joint import JointACGANClassifier
from ..nets.labels import UNLABELLED
from ..scores.metrics import rmse, score_predictions
from ..tables.coding import TableCoder
from ..tables.datasets import DATASETS, load_dataset
from ..tables.masking import MECHANISMS, apply_mask, make_mask
from ..tables.records import load_wdbc
from .baselines import fill_in_range, make_imputer
from .checks import check_count, check_names, check_share
from .judging import Arm, Table, judge
from .neumiss import NeuMissClassifier
from .protocol import DENOISING

__all__ = [
    "ARMS", "CLASSIFIERS", "OWN_HOLES", "RECORDED", "SETTINGS", "one_or_two", "planted_hole",
]  # fmt: skip

#: The mechanism of tables whose cells are missing because nobody measured or recorded them.
RECORDED = "as recorded"
#: Settings of the joint arms that differ from the default.
JOINT = {
    "joint": {},
    "joint, gradient stopped": {"stop_gradient": True},
    "joint, class alone": {"reconstruction_weight": 0.0, "adversarial_weight": 0.0},
    "joint, best test epoch": {"early_stopping": True, "stopping_criterion": "error"},
}
#: Arms of the contest. The first four fill the holes, then train an AC-GAN; the joint ones do both
#: at once: with all its losses, with the class kept from the imputer, with nothing but the class,
#: and with the epoch that does best on the test records; the last two fill nothing: a network that
#: is made for holes, and trees that split on them.
ARMS = (
    "mean", "chained ridge", "denoising", "denoising and indicators", *JOINT, "NeuMiss",
    "gradient boosting",
)  # fmt: skip
#: What tells the class, where it is no AC-GAN.
CLASSIFIERS = {"NeuMiss": "network", "gradient boosting": "trees"}
#: Settings of the committed sweep in words: table, mechanism, fraction, unlabelled and n_records.
SETTINGS = {
    "block": ("wdbc", "block", 0.5, 0.0, 0),
    "block, 100 records": ("wdbc", "block", 0.5, 0.0, 100),
    "block, 50 records": ("wdbc", "block", 0.5, 0.0, 50),
    "block, 20 % of labels": ("wdbc", "block", 0.5, 0.8, 0),
    "MCAR 50 %": ("wdbc", "MCAR", 0.5, 0.0, 0),
    "HexaGAN's": ("wdbc", "MCAR", 0.2, 0.2, 0),
    "MNAR 70 %": ("wdbc", "MNAR", 0.7, 0.0, 0),
    "liver": ("pbc", RECORDED, 0.0, 0.0, 0),
    "thyroid": ("hypothyroid", RECORDED, 0.0, 0.0, 1000),
    "hospital": ("support2", RECORDED, 0.0, 0.0, 600),
}
#: Those with holes of their own.
OWN_HOLES = [words for words, setting in SETTINGS.items() if setting[1] == RECORDED]


def planted_hole(n, random_state=None):
    """Draw records of which a hole tells the class, to those alone who fill it with that in mind.

    A second measurement repeats the first, to within a hundredth. It is recorded of nearly all
    healthy records (class 0) and of no ill one (class 1), in which it would have been higher.
    What is most likely by all that was ever recorded is that it repeats the first; filled so, ill
    and healthy records look alike.

    Parameters
    ----------
    n : int
        Records, at least 2.
    random_state : int or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n, 4)
        Two measurements, the second with holes, and two attributes that say nothing.
    y : ndarray of shape (n,)
        1 for half of the records.

    Examples
    --------
    >>> X, y = planted_hole(1000, 0)
    >>> bool(np.isnan(X[y == 1, 1]).all()), float(np.isnan(X[y == 0, 1]).mean().round(1))
    (True, 0.0)
    >>> seen = ~np.isnan(X[:, 1])
    >>> bool(np.abs(X[seen, 1] - X[seen, 0]).max() < 0.05)
    True
    """
    rng = np.random.default_rng(random_state)
    y = rng.permutation(np.arange(n) % 2)
    X = rng.uniform(-1, 1, (n, 4))
    X[:, 1] = X[:, 0] + 0.01 * rng.normal(size=n)
    X[(y == 1) | (rng.random(n) < 0.02), 1] = np.nan
    return X, y


class Split(NamedTuple):
    """One fold: records that teach, with the labels that are known, and records to predict.

    The ruler, the range of each attribute in the whole table, measures errors and teaches nothing.
    """

    trial: int
    fold: int
    seed: int
    train: np.ndarray
    y_train: np.ndarray
    test: np.ndarray
    y_test: np.ndarray
    truth: np.ndarray
    ruler: np.ndarray
    record: np.ndarray


def one_or_two(
    table="wdbc", mechanism="block", fraction=0.5, *, unlabelled=0.0, n_records=0,
    n_trials=2, n_folds=5, seed=0, arms=ARMS,
):  # fmt: skip
    """Scores of every arm on the same folds of one table.

    Parameters
    ----------
    table : {"wdbc", "pbc", "hypothyroid", "hepatitis", "support2"}, default="wdbc"
        The first is complete, and gets holes; the others have their own.
    mechanism : str, default="block"
        What makes the holes: from :data:`~ehrgan.tables.masking.MECHANISMS` for the first table,
        :data:`RECORDED` for the others.
    fraction : float, default=0.5
        Share of what the mechanism may hide, from 0 to 1; 0 where it hides nothing more.
    unlabelled : float, default=0.0
        Share of the training records whose class is hidden, at least 0 and below 1. The AC-GANs of
        two stages and the trees learn from the others; imputers from all.
    n_records : int, default=0
        Records drawn for each trial; 0 takes all.
    n_trials, n_folds, seed : int, default=2, 5, 0
        As for :class:`~ehrgan.study.protocol.Study`.
    arms : tuple of str, default=ARMS
        From :data:`ARMS`.

    Returns
    -------
    DataFrame
        trial, fold, imputer, classifier, metric, value, n_train, n_test: the metrics of
        :data:`~ehrgan.scores.metrics.METRICS` with the arm as imputer, and "rmse" of hidden test
        cells where the truth is known, each attribute from 0 to 1, with an empty classifier.

    Raises
    ------
    TypeError, ValueError
        An argument out of its range, named, before anything is trained.

    Notes
    -----
    About a minute and a half on one core with two trials of five folds.
    """
    arms = check_names("arms", arms, ARMS)
    check_share("unlabelled", unlabelled)
    if unlabelled == 1:
        raise ValueError("unlabelled must be below 1, so that a class is known of some records")
    check_share("fraction", fraction)
    check_count("n_trials", n_trials, 1)
    check_count("n_folds", n_folds, 2)
    check_count("seed", seed, 0)
    check_names("table", (table,), ("wdbc", *DATASETS))
    check_names("mechanism", (mechanism,), MECHANISMS if table == "wdbc" else (RECORDED,))
    source = load_wdbc() if table == "wdbc" else load_dataset(table)
    check_count("n_records", n_records, 0, len(source.y), "the records that there are")
    coder = TableCoder(ordered="cumulative").fit(source.X)  # learns which categories there are
    Z, y, groups = coder.transform(source.X), source.y, coder.category_groups()
    splits = []
    for trial in range(n_trials):
        entropy = np.random.SeedSequence([seed, trial])
        chosen, seen = _holed(Z, y, mechanism, fraction, n_records, entropy)
        splits += _split(Z, y, chosen, seen, trial, n_folds, unlabelled, entropy)
    said = {arm: _said(arm, splits, groups) for arm in arms}
    return _scores(splits, said)


def _holed(Z, y, mechanism, fraction, n_records, entropy):
    """Records of a trial, and the table with its holes."""
    draw_seed, mask_seed = entropy.spawn(1)[0].generate_state(2)
    order = np.random.default_rng(draw_seed).permutation(len(y))
    chosen = np.sort(order[: n_records or None])
    if mechanism == RECORDED:
        return chosen, Z
    mask = np.zeros(Z.shape, bool)
    mask[chosen] = make_mask(
        mechanism, Z[chosen], y[chosen], fraction=fraction, random_state=mask_seed
    )
    return chosen, apply_mask(Z, mask)


def _split(Z, y, chosen, seen, trial, n_folds, unlabelled, entropy):
    """Folds of a trial; of some training records the class is hidden."""
    ruler = np.nanmax(Z, axis=0) - np.nanmin(Z, axis=0)
    split_seed, *seeds = entropy.generate_state(1 + n_folds)
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=split_seed)
    for k, places in enumerate(splitter.split(Z[chosen], y[chosen])):
        train, test = (chosen[rows] for rows in places)
        rng = np.random.default_rng(seeds[k])
        labels = y[train].copy()
        labels[rng.permutation(len(train))[: round(unlabelled * len(train))]] = UNLABELLED
        parts = (seen[train], labels, seen[test], y[test], Z[test], ruler, test)
        yield Split(trial, k, int(seeds[k] >> 1), *parts)


class Said(NamedTuple):
    """What an arm says of the test records of each fold, and what it put into their holes."""

    probability: list
    filled: list | None = None


def _said(arm, splits, groups):
    """Train an arm on every fold and ask it about the test records."""
    if arm in JOINT:
        models = _joint(JointACGANClassifier(categories=groups, **JOINT[arm]), splits)
        filled = [model.impute(split.test) for model, split in zip(models, splits, strict=True)]
        return Said(_probabilities(models, splits), filled)
    if arm == "NeuMiss":
        return Said(_probabilities(_joint(NeuMissClassifier(), splits), splits))
    if arm == "gradient boosting":
        raw = [(split.train, split.test) for split in splits]
        return Said(_after(HistGradientBoostingClassifier(), raw, splits))
    name, *indicators = arm.split(" and ")
    filled = _filled(name, splits, groups)
    tables = filled
    if indicators:
        tables = [
            (np.hstack([train, np.isnan(s.train)]), np.hstack([test, np.isnan(s.test)]))
            for (train, test), s in zip(filled, splits, strict=True)
        ]
    return Said(_after(ACGANClassifier(), tables, splits), [test for _, test in filled])


def _joint(model, splits):
    """A network that takes holes, for all folds at once."""
    watched = None
    if model.early_stopping:  # an epoch is looked for among all
        model.set_params(n_iter_no_change=model.epochs)
        watched = [(split.test, split.y_test) for split in splits]
    return model.fit_many(
        [(split.train, _labels(split)) for split in splits],
        params=[{"random_state": split.seed} for split in splits],
        watched=watched,
    )


def _probabilities(models, splits):
    return [m.predict_proba(s.test)[:, 1] for m, s in zip(models, splits, strict=True)]


def _labels(split):
    """Classes of the training records, NaN where hidden."""
    return np.where(split.y_train == UNLABELLED, np.nan, split.y_train)


def _filled(name, splits, groups):
    """Training and test records of every fold with the holes filled."""
    if name == "denoising":
        imputer = StackedAutoencoderImputer(
            **DENOISING, keep_empty_features=True, categories=groups
        )
        seeds = [{"random_state": split.seed} for split in splits]
        models = imputer.fit_many([split.train for split in splits], params=seeds)
        pairs = zip(models, splits, strict=True)
        return [(model.transform(s.train), model.transform(s.test)) for model, s in pairs]
    return [_filled_in_range(make_imputer(name), split) for split in splits]


def _filled_in_range(imputer, split):
    """The same by an imputer of scikit-learn, in original units."""
    scaler = MinMaxScaler().fit(split.train)
    filled = fill_in_range(imputer, scaler, split.train, (split.train, split.test))
    return [np.nan_to_num(scaler.inverse_transform(X)) for X in filled]


def _after(classifier, tables, splits):
    """What a classifier says of the test records after it has learned from the labelled ones."""
    labelled = [split.y_train != UNLABELLED for split in splits]
    folds = [s._replace(y_train=s.y_train[own]) for s, own in zip(splits, labelled, strict=True)]
    learned = [
        Table(train[own], test, np.nan) for (train, test), own in zip(tables, labelled, strict=True)
    ]
    return judge(Arm(classifier), folds, learned, n_jobs=1).probability


def _scores(splits, said):
    """Metrics of every fold and arm, and errors of what was filled where the truth is known."""
    predictions, errors = [], []
    for arm, own in said.items():
        classifier = CLASSIFIERS.get(arm, "AC-GAN")
        for i, s in enumerate(splits):
            key = {"trial": s.trial, "fold": s.fold, "imputer": arm, "classifier": classifier}
            told = {"record": s.record, "y": s.y_test, "probability": own.probability[i]}
            predictions.append(pd.DataFrame({**key, **told}))
            hidden = np.isnan(s.test) & ~np.isnan(s.truth)
            if own.filled and hidden.any():
                error = rmse(s.truth / s.ruler, own.filled[i] / s.ruler, hidden)
                errors.append({**key, "classifier": "", "metric": "rmse", "value": error})
    scores = score_predictions(pd.concat(predictions))
    sizes = scores.groupby(["trial", "fold"])[["n_train", "n_test"]].first().reset_index()
    if errors:
        errors = pd.DataFrame(errors).merge(sizes, on=["trial", "fold"])
        scores = pd.concat([scores, errors], ignore_index=True)
    return scores
