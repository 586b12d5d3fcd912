"""The study: repeated stratified cross-validation, and what each protocol may look at."""

import hashlib
import os
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from numbers import Integral, Real
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import MinMaxScaler
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from . import acgan, autoencoder, replicas
from .baselines import CLASSIFIERS, IMPUTERS, make_classifier, make_imputer, predict_score
from .evaluation import rmse, score_predictions, summarise
from .masking import apply_mask, block_mask
from .records import Records

__all__ = ["CLASSIFIERS", "IMPUTERS", "PROTOCOLS", "Study", "StudyResult", "run_study"]

PROTOCOLS = ("honest",)
CLASSIFIERS = (*CLASSIFIERS, "AC-GAN")
PRESENTATION = {
    "show",
    "book",
    "notebooks",
    "readme",
    "scorecard",
}  # modules that make no numbers; plots/ too
VERSIONED = ("numpy", "pandas", "scikit-learn", "scipy", "tensorflow")


class Fold(NamedTuple):
    """One split of one trial: a table with holes, its complete original and who teaches."""

    trial: int
    fold: int
    train: np.ndarray
    test: np.ndarray
    mask: np.ndarray
    seed: int


@dataclass
class Study:
    """Repeated stratified cross-validation of imputations and classifiers.

    Each trial draws its own mask and its own split. Under the protocol "honest" scaling, imputation
    and classifiers learn from the training folds alone.

    Parameters
    ----------
    records : Records
        The table, n records and d attributes.
    n_trials : int, default=10
        Repetitions, at least 1.
    n_folds : int, default=5
        Folds of each, from 2 to the size of the smaller class.
    missing_fraction : float, default=0.5
        Share of the records of each class that lose the block, from 0 to 1.
    n_masked : int, default=15
        Attributes in the block, the first ones, from 0 to d.
    imputers : tuple of str, default=IMPUTERS
        From :data:`IMPUTERS`.
    classifiers : tuple of str, default=CLASSIFIERS
        From :data:`CLASSIFIERS`.
    protocol : {"honest"}, default="honest"
        What training may look at.
    seed : int, default=0
        Makes masks, splits and every estimator reproducible; at least 0.
    n_jobs : int or None, default=None
        Processes for the scikit-learn classifiers; None means one for each core.
    autoencoder : dict, optional
        Arguments of :class:`~ehrgan.autoencoder.StackedAutoencoderImputer`; the paper's by default.
    acgan : dict, optional
        Arguments of :class:`~ehrgan.acgan.ACGANClassifier`; the paper's by default.

    Raises
    ------
    TypeError, ValueError
        An argument out of its range, named, before anything is trained.

    References
    ----------
    Sections "Dataset", "Preprocessing" and "Implementation" of the paper.

    Examples
    --------
    >>> from ehrgan.protocol import Study
    >>> from ehrgan.records import load_wdbc
    >>> study = Study(load_wdbc(), n_trials=1, imputers=("mean",), classifiers=("Naive Bayes",))
    >>> result = study.run()
    >>> len(result.predictions)
    569
    """

    records: Records
    n_trials: int = 10
    n_folds: int = 5
    missing_fraction: float = 0.5
    n_masked: int = 15
    imputers: tuple = IMPUTERS
    classifiers: tuple = CLASSIFIERS
    protocol: str = "honest"
    seed: int = 0
    n_jobs: int | None = None
    autoencoder: dict | None = None
    acgan: dict | None = None
    folds: list = field(init=False, repr=False)

    def __post_init__(self):
        """Check every argument, and draw the masks and folds."""
        smallest = int(np.bincount(self.records.y).min())
        _check_count("n_trials", self.n_trials, 1)
        _check_count("n_folds", self.n_folds, 2, smallest, "the size of the smaller class")
        _check_count("seed", self.seed, 0)
        _check_share("missing_fraction", self.missing_fraction)
        self.imputers = _check_names("imputers", self.imputers, IMPUTERS)
        self.classifiers = _check_names("classifiers", self.classifiers, CLASSIFIERS)
        _check_names("protocol", (self.protocol,), PROTOCOLS)
        self._autoencoder = autoencoder.StackedAutoencoderImputer(
            **{**autoencoder.PAPER, "keep_empty_features": True, **(self.autoencoder or {})}
        )
        self._acgan = acgan.ACGANClassifier(**{**acgan.PAPER, **(self.acgan or {})})
        self.folds = [fold for trial in range(self.n_trials) for fold in self._split(trial)]

    def _split(self, trial):
        """Draw the mask and the folds of a trial."""
        y, d = self.records.y, self.records.X.shape[1]
        mask_seed, split_seed, *seeds = np.random.SeedSequence([self.seed, trial]).generate_state(
            2 + self.n_folds
        )
        mask = block_mask(
            y, d, fraction=self.missing_fraction, n_masked=self.n_masked, random_state=mask_seed
        )
        splitter = StratifiedKFold(self.n_folds, shuffle=True, random_state=split_seed)
        for k, (train, test) in enumerate(splitter.split(self.records.X, y)):
            yield Fold(trial, k, train, test, mask, int(seeds[k] >> 1))

    def run(self, *, progress=True):
        """Run the study.

        Parameters
        ----------
        progress : bool, default=True
            Show progress bars; they stay quiet where the environment sets ``CI`` or
            ``TQDM_DISABLE``.

        Returns
        -------
        StudyResult

        Notes
        -----
        The 10 x 5 study of three imputations and nine classifiers takes one to three minutes on two
        cores; all autoencoders are trained together, and all AC-GANs of an imputation likewise.
        """
        hidden = not progress or replicas.no_bars()
        tables = {name: self._impute(name, hidden) for name in self.imputers}
        predictions = self._baselines(tables, hidden)
        if "AC-GAN" in self.classifiers:
            predictions += [self._adversarial(name, tables[name], hidden) for name in self.imputers]
        imputation = [
            {"trial": f.trial, "fold": f.fold, "imputer": name, "rmse": table.rmse}
            for name in self.imputers
            for f, table in zip(self.folds, tables[name], strict=True)
            if f.mask[f.test].any()
        ]
        columns = ["trial", "fold", "imputer", "rmse"]
        return StudyResult(
            self._in_order(pd.concat(predictions, ignore_index=True)),
            pd.DataFrame(imputation, columns=columns),
            self.settings(),
        )

    def settings(self):
        """Return the study's parameters as a dict of plain values, without the records."""
        own = {k: v for k, v in vars(self).items() if k not in ("records", "folds", "n_jobs")}
        return {k: v for k, v in own.items() if not k.startswith("_")}

    def _tables(self, fold):
        """Training and test records with their holes, in original units."""
        X = apply_mask(self.records.X.to_numpy(), fold.mask)
        return X[fold.train], X[fold.test]

    def _impute(self, name, hidden):
        """Fill the holes of every fold, scaled to 0..1 by what the training fold shows."""
        if name != "autoencoder":
            return [self._scaled(fold, make_imputer(name)) for fold in self.folds]
        estimator = self._autoencoder.set_params(verbose=not hidden)
        fitted = estimator.fit_many(
            [self._tables(fold)[0] for fold in self.folds],
            params=[{"random_state": fold.seed} for fold in self.folds],
        )
        return [self._scaled(f, m) for f, m in zip(self.folds, fitted, strict=True)]

    def _scaled(self, fold, imputer):
        X_train, X_test = self._tables(fold)
        scaler = MinMaxScaler().fit(X_train)
        if isinstance(imputer, autoencoder.StackedAutoencoderImputer):
            train, test = (scaler.transform(imputer.transform(X)) for X in (X_train, X_test))
        else:
            train = imputer.fit_transform(scaler.transform(X_train))
            test = imputer.transform(scaler.transform(X_test))
        # an attribute that no training record has is not scaled; all imputers then give it 0
        train, test = np.nan_to_num(train), np.nan_to_num(test)
        return _Table(train, test, self._error(fold, scaler.inverse_transform(test)))

    def _error(self, fold, filled):
        """Error on the cells that the mask hid, scaled 0..1 by the whole complete table."""
        X = self.records.X.to_numpy()
        hidden = fold.mask[fold.test] & ~np.isnan(X[fold.test]) & ~np.isnan(filled)
        if not hidden.any():
            return np.nan
        ruler = MinMaxScaler().fit(X)  # measures the result; teaches nothing
        return rmse(ruler.transform(X[fold.test]), ruler.transform(filled), hidden)

    def _baselines(self, tables, hidden):
        """Every scikit-learn classifier on every table, one process for each core."""
        names = [name for name in self.classifiers if name != "AC-GAN"]
        if not names:
            return []
        tasks = [
            joblib.delayed(_fit_baselines)(names, tables[imputer][i], fold, self.records.y, imputer)
            for i, fold in enumerate(self.folds)
            for imputer in self.imputers
        ]
        n_jobs = min(self.n_jobs or joblib.cpu_count(), len(tasks))
        results = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
        bar = tqdm(results, total=len(tasks), desc="baselines", disable=hidden or None)
        return [frame for frames in bar for frame in frames]

    def _adversarial(self, imputer, tables, hidden):
        """All AC-GANs of an imputation, trained together on the replica axis."""
        estimator = self._acgan.set_params(verbose=not hidden)
        y = self.records.y
        fitted = estimator.fit_many(
            [(table.train, y[f.train]) for table, f in zip(tables, self.folds, strict=True)],
            params=[{"random_state": fold.seed} for fold in self.folds],
        )
        frames = [
            _predictions(fold, y, imputer, "AC-GAN", model.predict_proba(table.test)[:, 1])
            for fold, model, table in zip(self.folds, fitted, tables, strict=True)
        ]
        return pd.concat(frames, ignore_index=True)

    def _in_order(self, predictions):
        """Sort by imputer and classifier as they were asked for, then trial, fold and record."""
        for name, order in (("imputer", self.imputers), ("classifier", self.classifiers)):
            predictions[name] = pd.Categorical(predictions[name], categories=order, ordered=True)
        keys = ["imputer", "classifier", "trial", "fold", "record"]
        predictions = predictions.sort_values(keys, ignore_index=True)
        return predictions.astype({"imputer": str, "classifier": str})


class _Table(NamedTuple):
    """A fold's records without holes, scaled, and the error of what was filled in the test part."""

    train: np.ndarray
    test: np.ndarray
    rmse: float


def _predictions(fold, y, imputer, classifier, probability):
    return pd.DataFrame(
        {
            "trial": fold.trial,
            "fold": fold.fold,
            "record": fold.test,
            "y": y[fold.test],
            "imputer": imputer,
            "classifier": classifier,
            "probability": probability,
        }
    )


def _fit_baselines(names, table, fold, y, imputer):
    frames = []
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the MLP's 200 epochs, see SILENCES
        for name in names:
            model = make_classifier(name, fold.seed).fit(table.train, y[fold.train])
            score = predict_score(model, table.test)
            frames.append(_predictions(fold, y, imputer, name, score))
    return frames


@dataclass(frozen=True)
class StudyResult:
    """What a study found.

    Parameters
    ----------
    predictions : DataFrame
        trial, fold, record, y, imputer, classifier, probability: each record once per trial,
        imputer and classifier, predicted by a model that has not seen it.
    imputation : DataFrame
        trial, fold, imputer, rmse: error on the hidden cells of the test fold, on the 0..1 scale of
        the whole complete table.
    settings : dict
        The study's parameters.
    """

    predictions: pd.DataFrame
    imputation: pd.DataFrame
    settings: dict

    @cached_property
    def scores(self):
        """Score of each trial, fold, imputer, classifier and metric (long form)."""
        return score_predictions(self.predictions)

    @cached_property
    def summary(self):
        """Mean and corrected 95 % interval of each imputer, classifier and metric."""
        return summarise(self.scores)


def run_study(records, **parameters):
    """Run a study, or fetch it from the cache if the same one has been run before.

    Parameters
    ----------
    records : Records
        The table.
    **parameters
        As for :class:`Study`.

    Returns
    -------
    StudyResult

    Raises
    ------
    TypeError, ValueError
        As for :class:`Study`.

    Notes
    -----
    The cache lies in ``$EHRGAN_CACHE``, else in ``ehrgan`` below ``$XDG_CACHE_HOME`` or
    ``~/.cache``. An entry is addressed by the parameters, the records, the source of every module
    that makes numbers and the versions of the numerical libraries: an edit never meets a stale one.

    Examples
    --------
    >>> from ehrgan.protocol import run_study
    >>> from ehrgan.records import load_wdbc
    >>> result = run_study(
    ...     load_wdbc(), n_trials=1, imputers=("mean",), classifiers=("Naive Bayes",)
    ... )
    >>> sorted(result.settings)[:3]
    ['acgan', 'autoencoder', 'classifiers']
    """
    study = Study(records, **parameters)
    memory = joblib.Memory(_cache_folder(), verbose=0)
    run = memory.cache(_run, ignore=["study"])
    return run(study, study.settings(), (records.X, records.y), source_fingerprint())


def _run(study, settings, table, fingerprint):
    return study.run()


def _cache_folder():
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("EHRGAN_CACHE") or Path(home) / "ehrgan")


def source_fingerprint():
    """Hash the modules that make numbers and the versions of the numerical libraries.

    Returns
    -------
    str
        40 hexadecimal digits.

    Examples
    --------
    >>> from ehrgan.protocol import source_fingerprint
    >>> len(source_fingerprint())
    40
    """
    digest = hashlib.sha1(usedforsecurity=False)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem not in PRESENTATION:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for name in VERSIONED:
        digest.update(f"{name}=={version(name)}".encode())
    return digest.hexdigest()


def _check_share(name, value):
    """Refuse a share that is no number from 0 to 1."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number from 0 to 1, got {value!r}")
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {value}")


def _check_count(name, value, low, high=None, why=""):
    """Refuse a count that is no whole number or out of range."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < low or (high is not None and value > high):
        top = "" if high is None else f" and at most {high} ({why})"
        raise ValueError(f"{name} must be at least {low}{top}, got {value}")


def _check_names(name, values, known):
    """Return the names as a tuple, or refuse an unknown or absent one."""
    values = (values,) if isinstance(values, str) else tuple(values)
    strange = [value for value in values if value not in known]
    if strange or not values:
        raise ValueError(f"{name} must be one or more of {list(known)}, got {list(values)}")
    return values
