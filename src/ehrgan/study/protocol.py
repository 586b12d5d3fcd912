"""The study: repeated stratified cross-validation, and what each protocol may look at."""

import warnings
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from ..bars import no_bars
from ..nets.acgan import PAPER_ACGAN, ACGANClassifier
from ..nets.autoencoder import PAPER_AUTOENCODER, StackedAutoencoderImputer
from ..scores.metrics import rmse
from ..tables.masking import MECHANISMS, apply_mask, make_mask
from ..tables.records import Records
from .baselines import (
    BASELINES,
    PAPER_IMPUTERS,
    PEER_IMPUTERS,
    make_classifier,
    make_imputer,
    predict_score,
)
from .result import StudyResult
from .selection import averaged, select_many

__all__ = ["Arm", "CLASSIFIERS", "IMPUTERS", "PROTOCOLS", "Study"]

#: What test records teach under each protocol: the scaling of all attributes, the imputation, and
#: the epoch at which the AC-GAN's training stops. Under "honest" they teach nothing.
PROTOCOLS = {
    "honest": (),
    "paper": ("scaling", "imputation"),
    "peek": ("scaling", "imputation", "epoch"),
}
ACCESSES = PROTOCOLS["peek"]  # the laxest protocol has them all
#: Imputations of a study; "denoising" is `StackedAutoencoderImputer` with its defaults.
IMPUTERS = (*PAPER_IMPUTERS, *PEER_IMPUTERS, "denoising")
CLASSIFIERS = (*BASELINES, "AC-GAN")

KEYS = ("trial", "fold", "imputer", "classifier")


@dataclass(frozen=True)
class Arm:
    """A classifier, and how a study uses it.

    Parameters
    ----------
    estimator : classifier
        :class:`~ehrgan.nets.acgan.ACGANClassifier` or any of scikit-learn's, for records scaled
        to 0..1.
    draws : int, default=0
        Learn from this many imputation draws of each record, which together weigh as much as one,
        and average the probabilities over as many of the record to predict; 0 uses the one best
        guess. Imputations that draw none, such as the mean, always give their one guess.
    grid : tuple of dict, default=()
        Candidates for nested selection, of an AC-GAN only; see
        :func:`~ehrgan.study.selection.select_many`.
    specificity : float, optional
        With a grid: the threshold is chosen, inside the training fold, to reach it.

    Raises
    ------
    ValueError
        If a grid or specificity goes with another classifier, or a specificity with no grid.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from ehrgan.study.protocol import Arm
    >>> Arm(SVC(gamma="scale"))
    Arm(estimator=SVC(), draws=0, grid=(), specificity=None)
    """

    estimator: object
    draws: int = 0
    grid: tuple = ()
    specificity: float | None = None

    def __post_init__(self):
        """Check that the parts go together."""
        _check_count("draws", self.draws, 0)
        if self.grid and not self.adversarial:
            raise ValueError(f"grid needs an ACGANClassifier, got {self.estimator!r}")
        if self.specificity is not None and not self.grid:
            raise ValueError("specificity needs a grid: its threshold comes from inner folds")

    @property
    def adversarial(self):
        """Whether it trains on the replica axis."""
        return isinstance(self.estimator, ACGANClassifier)


class Fold(NamedTuple):
    """One split of one trial: a table with holes, its complete original and who teaches."""

    trial: int
    fold: int
    train: np.ndarray
    test: np.ndarray
    mask: np.ndarray
    seed: int
    y_train: np.ndarray
    y_test: np.ndarray


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
        Share of the records of each class that lose the block, from 0 to 1; under another mechanism
        the share of the cells that it may hide.
    n_masked : int, default=15
        Attributes in the block, the first ones, from 0 to d.
    attributes : tuple of int, optional
        Column indices of the block, in place of the first `n_masked`.
    mechanism : str, default="block"
        What makes the holes: from :data:`~ehrgan.tables.masking.MECHANISMS`.
    imputers : tuple of str, default=the paper's
        From :data:`IMPUTERS`.
    classifiers : tuple of str or dict of str to Arm, default=CLASSIFIERS
        Names from :data:`CLASSIFIERS`, or arms of one's own by name.
    protocol : str or tuple of str, default="honest"
        What training may learn from test records: a name from :data:`PROTOCOLS`, or any of
        "scaling", "imputation" and "epoch".
    shuffle_test_labels : bool, default=False
        Deal the labels of each test fold out anew, before anything that may look at them does: a
        control that nobody can pass without a look.
    seed : int, default=0
        Makes masks, splits and every estimator reproducible; at least 0.
    n_jobs : int or None, default=None
        Processes for the scikit-learn classifiers; None means one for each core.
    autoencoder : dict, optional
        Arguments of :class:`~ehrgan.nets.autoencoder.StackedAutoencoderImputer` for the imputation
        "autoencoder"; the paper's by default.
    denoising : dict, optional
        The same for the imputation "denoising"; the estimator's own by default.
    acgan : dict, optional
        Arguments of :class:`~ehrgan.nets.acgan.ACGANClassifier` for the arm "AC-GAN"; the paper's
        by default.

    Raises
    ------
    TypeError, ValueError
        An argument out of its range, named, before anything is trained.

    References
    ----------
    Sections "Dataset", "Preprocessing" and "Implementation" of the paper.

    Examples
    --------
    >>> from ehrgan.study.protocol import Study
    >>> from ehrgan.tables.records import load_wdbc
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
    attributes: tuple | None = None
    mechanism: str = "block"
    imputers: tuple = PAPER_IMPUTERS
    classifiers: tuple | dict = CLASSIFIERS
    protocol: str | tuple = "honest"
    shuffle_test_labels: bool = False
    seed: int = 0
    n_jobs: int | None = None
    autoencoder: dict | None = None
    denoising: dict | None = None
    acgan: dict | None = None
    folds: list = field(init=False, repr=False)

    def __post_init__(self):
        """Check every argument, and draw the masks and folds."""
        smallest = int(np.bincount(self.records.y).min())
        _check_count("n_trials", self.n_trials, 1)
        _check_count("n_folds", self.n_folds, 2, smallest, "the size of the smaller class")
        _check_count("seed", self.seed, 0)
        _check_share("missing_fraction", self.missing_fraction)
        _check_names("mechanism", (self.mechanism,), MECHANISMS)
        self.imputers = _check_names("imputers", self.imputers, IMPUTERS)
        if not isinstance(self.protocol, str) or self.protocol not in PROTOCOLS:
            if not isinstance(self.protocol, tuple | list):
                _check_names("protocol", (self.protocol,), PROTOCOLS)
            self.protocol = _check_names("protocol", self.protocol, ACCESSES)
        self._access = set(PROTOCOLS.get(self.protocol, self.protocol))
        self._arms = self._named_arms()
        shared = {"keep_empty_features": True}
        make = StackedAutoencoderImputer
        self._autoencoders = {
            "autoencoder": make(**{**PAPER_AUTOENCODER, **shared, **(self.autoencoder or {})}),
            "denoising": make(**{**shared, **(self.denoising or {})}),
        }
        self.folds = [fold for trial in range(self.n_trials) for fold in self._split(trial)]

    def _named_arms(self):
        """Arms by name, the library's own or those handed over."""
        if not isinstance(self.classifiers, dict):
            self.classifiers = _check_names("classifiers", self.classifiers, CLASSIFIERS)
            own = ACGANClassifier(**{**PAPER_ACGAN, **(self.acgan or {})})
            return {
                name: Arm(own if name == "AC-GAN" else make_classifier(name))
                for name in self.classifiers
            }
        strange = [k for k, arm in self.classifiers.items() if not isinstance(arm, Arm)]
        if strange or not self.classifiers:
            raise ValueError(f"classifiers must map names to Arm, got {strange or 'an empty dict'}")
        return dict(self.classifiers)

    def _split(self, trial):
        """Draw the mask and the folds of a trial."""
        y = self.records.y
        mask_seed, split_seed, *seeds = np.random.SeedSequence([self.seed, trial]).generate_state(
            2 + self.n_folds
        )
        mask = make_mask(
            self.mechanism,
            self.records.X,
            y,
            fraction=self.missing_fraction,
            n_masked=self.n_masked,
            attributes=self.attributes,
            random_state=mask_seed,
        )
        splitter = StratifiedKFold(self.n_folds, shuffle=True, random_state=split_seed)
        for k, (train, test) in enumerate(splitter.split(self.records.X, y)):
            seed, y_test = int(seeds[k] >> 1), y[test]
            if self.shuffle_test_labels:
                y_test = np.random.default_rng(seed).permutation(y_test)
            yield Fold(trial, k, train, test, mask, seed, y[train], y_test)

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
        hidden = not progress or no_bars()
        arms = {name: arm for name, arm in self._arms.items() if arm.adversarial}
        predictions, imputation, curves, choices = [], [], [], []
        for imputer in self.imputers:
            tables = self._impute(imputer, hidden)
            imputation += [
                (f.trial, f.fold, imputer, table.rmse)
                for f, table in zip(self.folds, tables, strict=True)
                if f.mask[f.test].any()
            ]
            predictions += self._baselines(imputer, tables, hidden)
            for name, arm in arms.items():
                found = self._adversarial(imputer, name, arm, tables, hidden)
                for own, more in zip((predictions, curves, choices), found, strict=True):
                    own += more
        return StudyResult(
            self._in_order(pd.concat(predictions, ignore_index=True)),
            pd.DataFrame(imputation, columns=[*KEYS[:3], "rmse"]),
            pd.concat(curves or [pd.DataFrame(columns=[*KEYS, "epoch", "error"])]),
            pd.DataFrame(choices, columns=[*KEYS, "choice", "loss", "threshold"]),
            self.settings(),
        )

    def settings(self):
        """Return the study's parameters as a dict of plain values and arms, without the records."""
        own = {k: v for k, v in vars(self).items() if k not in ("records", "folds", "n_jobs")}
        return {k: v for k, v in own.items() if not k.startswith("_")}

    def _tables(self, fold):
        """Records that may teach the imputation and the scaling, training and test records.

        An attribute that does not vary among the records that teach says nothing: test records get
        its one value, so that nothing untrained in a network meets another.
        """
        X = apply_mask(self.records.X.to_numpy(), fold.mask)
        train, test = X[fold.train], X[fold.test].copy()
        by_access = {True: X, False: train}
        scales = by_access["scaling" in self._access]
        known = by_access["imputation" in self._access]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # an attribute that all lack
            low, high = np.nanmin(known, axis=0), np.nanmax(known, axis=0)
        test[:, low == high] = np.where(np.isnan(test), np.nan, low)[:, low == high]
        return scales, known, train, test

    def _impute(self, name, hidden):
        """Fill the holes of every fold, scaled to 0..1 by what the records that teach show."""
        if name not in self._autoencoders:
            return [self._scaled(fold, make_imputer(name)) for fold in self.folds]
        estimator = self._autoencoders[name].set_params(verbose=not hidden)
        fitted = estimator.fit_many(
            [self._tables(fold)[1] for fold in self.folds],
            params=[{"random_state": fold.seed} for fold in self.folds],
        )
        return [self._scaled(f, m) for f, m in zip(self.folds, fitted, strict=True)]

    def _scaled(self, fold, imputer):
        scales, known, *parts = self._tables(fold)
        scaler = MinMaxScaler().fit(scales)
        draws = [None, None]
        if isinstance(imputer, StackedAutoencoderImputer):
            train, test = (scaler.transform(imputer.transform(X)) for X in parts)
            n_draws = max(arm.draws for arm in self._arms.values())
            if n_draws and imputer.corruption:
                drawn = [imputer.draw(X, n_draws, random_state=fold.seed) for X in parts]
                draws = [np.stack([scaler.transform(X) for X in table]) for table in drawn]
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # the chain's ten rounds
                imputer.fit(scaler.transform(known))
            train, test = (imputer.transform(scaler.transform(X)) for X in parts)
        # an attribute that no training record has is not scaled; all imputers then give it 0
        train, test = np.nan_to_num(train), np.nan_to_num(test)
        error = self._error(fold, scaler.inverse_transform(test))
        return _Table(train, test, error, *(d if d is None else np.nan_to_num(d) for d in draws))

    def _error(self, fold, filled):
        """Error on the cells that the mask hid, scaled 0..1 by the whole complete table."""
        X = self.records.X.to_numpy()
        hidden = fold.mask[fold.test] & ~np.isnan(X[fold.test]) & ~np.isnan(filled)
        if not hidden.any():
            return np.nan
        ruler = MinMaxScaler().fit(X)  # measures the result; teaches nothing
        return rmse(ruler.transform(X[fold.test]), ruler.transform(filled), hidden)

    def _baselines(self, imputer, tables, hidden):
        """Every scikit-learn classifier on every table, one process for each core."""
        arms = {name: arm for name, arm in self._arms.items() if not arm.adversarial}
        if not arms:
            return []
        tasks = [
            joblib.delayed(_fit_baselines)(arms, table, fold, imputer)
            for fold, table in zip(self.folds, tables, strict=True)
        ]
        n_jobs = min(self.n_jobs or joblib.cpu_count(), len(tasks))
        results = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
        bar = tqdm(results, total=len(tasks), desc=f"baselines, {imputer}", disable=hidden or None)
        return [frame for frames in bar for frame in frames]

    def _adversarial(self, imputer, name, arm, tables, hidden):
        """All AC-GANs of an imputation, trained together: predictions, curves and choices."""
        estimator = clone(arm.estimator).set_params(verbose=not hidden)
        keys = [(fold.trial, fold.fold, imputer, name) for fold in self.folds]
        used = [table.draws(arm.draws) for table in tables]
        params = [{"random_state": fold.seed} for fold in self.folds]
        chosen = self._select(estimator, arm, used)
        if chosen:
            params = [{**p, **choice.params} for p, choice in zip(params, chosen, strict=True)]
        watched = None
        if "epoch" in self._access:
            patience = {"n_iter_no_change": estimator.epochs}
            estimator.set_params(early_stopping=True, stopping_criterion="error", **patience)
            watched = [(t.test, f.y_test) for t, f in zip(tables, self.folds, strict=True)]
        fitted = estimator.fit_many(
            [
                (train.reshape(-1, train.shape[-1]), np.tile(f.y_train, len(train)))
                for (train, _), f in zip(used, self.folds, strict=True)
            ],
            params=params,
            watched=watched,
        )
        thresholds = [choice.threshold for choice in chosen] or [0.5] * len(self.folds)
        predictions = [
            _predictions(f, imputer, name, averaged(model, test)[:, 1], threshold)
            for f, model, (_, test), threshold in zip(
                self.folds, fitted, used, thresholds, strict=True
            )
        ]
        curves = [_curve(k, m) for k, m in zip(keys, fitted, strict=True)] if watched else []
        choices = [
            (*key, repr(choice.params), choice.loss, choice.threshold)
            for key, choice in zip(keys, chosen, strict=False)
        ]
        return predictions, curves, choices

    def _select(self, estimator, arm, used):
        """Nested selection inside every training fold, for an arm that has a grid."""
        if not arm.grid:
            return []
        return select_many(
            estimator,
            [(train, f.y_train) for (train, _), f in zip(used, self.folds, strict=True)],
            arm.grid,
            specificity=arm.specificity,
            seeds=[fold.seed for fold in self.folds],
        )

    def _in_order(self, predictions):
        """Sort by imputer and classifier as they were asked for, then trial, fold and record."""
        for name, order in (("imputer", self.imputers), ("classifier", list(self._arms))):
            predictions[name] = pd.Categorical(predictions[name], categories=order, ordered=True)
        keys = ["imputer", "classifier", "trial", "fold", "record"]
        predictions = predictions.sort_values(keys, ignore_index=True)
        return predictions.astype({"imputer": str, "classifier": str})


class _Table(NamedTuple):
    """A fold's records without holes, scaled, and the error of what was filled in the test part."""

    train: np.ndarray
    test: np.ndarray
    rmse: float
    train_draws: np.ndarray | None = None
    test_draws: np.ndarray | None = None

    def draws(self, n):
        """Training and test records as (draws, records, attributes): n draws, or the one guess."""
        if n and self.train_draws is not None:
            return self.train_draws[:n], self.test_draws[:n]
        return self.train[None], self.test[None]


def _predictions(fold, imputer, classifier, probability, threshold=0.5):
    return pd.DataFrame(
        {
            "trial": fold.trial,
            "fold": fold.fold,
            "record": fold.test,
            "y": fold.y_test,
            "imputer": imputer,
            "classifier": classifier,
            "probability": probability,
            "threshold": threshold,
        }
    )


def _curve(keys, model):
    """Error on the watched records, epoch by epoch."""
    error = model.history_["validation"]
    epochs = np.arange(1, len(error) + 1)
    return pd.DataFrame({**dict(zip(KEYS, keys, strict=True)), "epoch": epochs, "error": error})


def _fit_baselines(arms, table, fold, imputer):
    frames = []
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the MLP's 200 epochs, see SILENCES
        for name, arm in arms.items():
            train, test = table.draws(arm.draws)
            model = clone(arm.estimator)
            if "random_state" in model.get_params():
                model.set_params(random_state=fold.seed)
            weight = _weight_of_draws(model, *train.shape[:2])
            model.fit(
                train.reshape(-1, train.shape[-1]), np.tile(fold.y_train, len(train)), **weight
            )
            probability = np.mean([predict_score(model, X) for X in test], axis=0)
            frames.append(_predictions(fold, imputer, name, probability))
    return frames


def _weight_of_draws(model, n_draws, n):
    """Weights that let D draws of a record count as one: else a penalty would weaken D-fold."""
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    if n_draws == 1 or not has_fit_parameter(last, "sample_weight"):
        return {}
    name = f"{model.steps[-1][0]}__sample_weight" if last is not model else "sample_weight"
    return {name: np.full(n_draws * n, 1 / n_draws)}


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
