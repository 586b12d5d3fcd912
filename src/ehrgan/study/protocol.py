"""The study: repeated stratified cross-validation, and what each protocol may look at."""

import warnings
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import MinMaxScaler

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
    fill_in_range,
    make_classifier,
    make_imputer,
)
from .checks import check_count, check_names, check_share
from .judging import Arm, Fold, Mean, Table, judge
from .result import StudyResult
from .store import NoStore

__all__ = ["CLASSIFIERS", "DENOISING", "IMPUTERS", "PROTOCOLS", "Study"]

#: What test records teach under each protocol: the scaling of all attributes, the imputation, and
#: the epoch at which the AC-GAN's training stops. Under "honest" they teach nothing.
PROTOCOLS = {
    "honest": (),
    "paper": ("scaling", "imputation"),
    "peek": ("scaling", "imputation", "epoch"),
}
ACCESSES = PROTOCOLS["peek"]  # the laxest protocol has them all
#: Our imputer in a study: without the records that it may look up, which double the cost of a fit.
#: What they gain on this table has not been measured over all folds.
DENOISING = {"neighbours": False, "scaling": "log", "pattern_share": 0.8}
#: Imputations of a study; "denoising" is `StackedAutoencoderImputer` with :data:`DENOISING`.
IMPUTERS = (*PAPER_IMPUTERS, *PEER_IMPUTERS, "denoising")
CLASSIFIERS = (*BASELINES, "AC-GAN")

KEYS = ("trial", "fold", "imputer", "classifier")


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
    classifiers : tuple of str or dict of str to Arm or Mean, default=CLASSIFIERS
        Names from :data:`CLASSIFIERS`; or arms of one's own by name, and ensembles of them.
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
        The same for the imputation "denoising"; :data:`DENOISING` by default.
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
        check_count("n_trials", self.n_trials, 1)
        check_count("n_folds", self.n_folds, 2, smallest, "the size of the smaller class")
        check_count("seed", self.seed, 0)
        check_share("missing_fraction", self.missing_fraction)
        check_names("mechanism", (self.mechanism,), MECHANISMS)
        self.imputers = check_names("imputers", self.imputers, IMPUTERS)
        if not isinstance(self.protocol, str) or self.protocol not in PROTOCOLS:
            if not isinstance(self.protocol, tuple | list):
                check_names("protocol", (self.protocol,), PROTOCOLS)
            self.protocol = check_names("protocol", self.protocol, ACCESSES)
        self._access = set(PROTOCOLS.get(self.protocol, self.protocol))
        self._arms = self._named_arms()
        self._n_draws = max(arm.draws for arm in self._arms.values() if isinstance(arm, Arm))
        shared = {"keep_empty_features": True}
        make = StackedAutoencoderImputer
        self._autoencoders = {
            "autoencoder": make(**{**PAPER_AUTOENCODER, **shared, **(self.autoencoder or {})}),
            "denoising": make(**{**DENOISING, **shared, **(self.denoising or {})}),
        }
        self.folds = [fold for trial in range(self.n_trials) for fold in self._split(trial)]

    def _named_arms(self):
        """Arms by name, the library's own or those handed over."""
        if not isinstance(self.classifiers, dict):
            self.classifiers = check_names("classifiers", self.classifiers, CLASSIFIERS)
            own = ACGANClassifier(**{**PAPER_ACGAN, **(self.acgan or {})})
            return {
                name: Arm(own if name == "AC-GAN" else make_classifier(name))
                for name in self.classifiers
            }
        own = {name for name, arm in self.classifiers.items() if isinstance(arm, Arm)}
        strange = [
            name
            for name, arm in self.classifiers.items()
            if name not in own and not (isinstance(arm, Mean) and own.issuperset(arm.members))
        ]
        if strange or not own:
            raise ValueError(
                "classifiers must map names to Arm, or to Mean of such names, "
                f"got {strange or 'no Arm'}"
            )
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

    def run(self, *, progress=True, store=None):
        """Run the study.

        Parameters
        ----------
        progress : bool, default=True
            Show progress bars; they stay quiet where the environment sets ``CI`` or
            ``TQDM_DISABLE``.
        store : Store, optional
            Where parts of studies are kept, see :mod:`ehrgan.study.store`; none by default.

        Returns
        -------
        StudyResult

        Notes
        -----
        The 10 x 5 study of three imputations and nine classifiers takes about a minute on two
        cores; all autoencoders are trained together, and all AC-GANs of an imputation likewise.
        """
        hidden, store = not progress or no_bars(), store or NoStore()
        found = store.in_turn(
            {imputer: self._imputation_key(imputer) for imputer in self.imputers},
            lambda imputer, key: self._of(imputer, key, store, hidden),
        )
        predictions, imputation, curves, choices = [], [], [], []
        for imputer in self.imputers:
            errors, judged = found[imputer]
            for fold, error in zip(self.folds, errors, strict=True):
                if fold.mask[fold.test].any():
                    imputation.append((fold.trial, fold.fold, imputer, error))
            for name, own in judged.items():
                keys = [(fold.trial, fold.fold, imputer, name) for fold in self.folds]
                told = zip(self.folds, own.probability, own.threshold, strict=True)
                predictions += [_predictions(f, imputer, name, *said) for f, *said in told]
                curves += [_curve(*each) for each in zip(keys, own.curves, strict=False)]
                choices += [
                    (*key, repr(choice.params), choice.loss, choice.threshold)
                    for key, choice in zip(keys, own.choices, strict=False)
                ]
        return StudyResult(
            self._in_order(pd.concat(predictions, ignore_index=True)),
            pd.DataFrame(imputation, columns=[*KEYS[:3], "rmse"]),
            pd.concat(curves or [pd.DataFrame(columns=[*KEYS, "epoch", "error"])]),
            pd.DataFrame(choices, columns=[*KEYS, "choice", "loss", "threshold"]),
            self.settings(),
        )

    def _of(self, imputer, key, store, hidden):
        """Errors of an imputation by fold, and what every arm says after it, by name."""

        @cache
        def tables():
            asked = (*key, "tables", self._n_draws)
            return store.once(asked, lambda: self._impute(imputer, hidden))

        def judged(name, arm):
            watch = arm.adversarial and "epoch" in self._access
            looks = [fold.y_test for fold in self.folds] if watch else None
            # a hash ignores dicts' order, which the name of a choice has
            asked = (*key, arm, repr(arm.grid), looks, self._n_draws if arm.draws else 0)
            label = None if hidden else f"{name}, {imputer}"
            told = {"watch": watch, "n_jobs": self.n_jobs, "label": label}
            return store.once(asked, lambda: judge(arm, self.folds, tables(), **told))

        errors = store.once((*key, "errors"), lambda: [table.rmse for table in tables()])
        own = {name: judged(name, a) for name, a in self._arms.items() if isinstance(a, Arm)}
        return errors, {name: own.get(name) or a.judge(own) for name, a in self._arms.items()}

    def _imputation_key(self, name):
        """What the tables of an imputation come from, besides the records."""
        folds = [fold._replace(y_test=None) for fold in self.folds]  # holes, splits and seeds
        return folds, sorted(self._access - {"epoch"}), name, self._autoencoders.get(name)

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
        estimator = clone(self._autoencoders[name]).set_params(verbose=not hidden)
        if estimator.corruption:
            estimator.set_params(n_draws=self._n_draws)
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
            if imputer.n_draws:
                drawn = [imputer.draw(X, imputer.n_draws, random_state=fold.seed) for X in parts]
                draws = [np.stack([scaler.transform(X) for X in table]) for table in drawn]
        else:
            train, test = fill_in_range(imputer, scaler, known, parts)
        # an attribute that no training record has is not scaled; all imputers then give it 0
        train, test = np.nan_to_num(train), np.nan_to_num(test)
        error = self._error(fold, scaler.inverse_transform(test))
        return Table(train, test, error, *(d if d is None else np.nan_to_num(d) for d in draws))

    def _error(self, fold, filled):
        """Error on the cells that the mask hid, scaled 0..1 by the whole complete table."""
        X = self.records.X.to_numpy()
        hidden = fold.mask[fold.test] & ~np.isnan(X[fold.test]) & ~np.isnan(filled)
        if not hidden.any():
            return np.nan
        ruler = MinMaxScaler().fit(X)  # measures the result; teaches nothing
        return rmse(ruler.transform(X[fold.test]), ruler.transform(filled), hidden)

    def _in_order(self, predictions):
        """Sort by imputer and classifier as they were asked for, then trial, fold and record."""
        for name, order in (("imputer", self.imputers), ("classifier", list(self._arms))):
            predictions[name] = pd.Categorical(predictions[name], categories=order, ordered=True)
        keys = ["imputer", "classifier", "trial", "fold", "record"]
        predictions = predictions.sort_values(keys, ignore_index=True)
        return predictions.astype({"imputer": str, "classifier": str})


def _predictions(fold, imputer, classifier, probability, threshold):
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


def _curve(keys, error):
    """Error on the watched records, epoch by epoch."""
    epochs = np.arange(1, len(error) + 1)
    return pd.DataFrame({**dict(zip(KEYS, keys, strict=True)), "epoch": epochs, "error": error})
