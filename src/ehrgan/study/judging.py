"""Arms of a study: what a classifier learns from the tables of every fold, and says of the rest."""

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from ..nets.acgan import ACGANClassifier
from .baselines import predict_score
from .checks import check_count
from .selection import averaged, select_many

__all__ = ["Arm", "Mean"]


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
    >>> from ehrgan.study.judging import Arm
    >>> Arm(SVC(gamma="scale"))
    Arm(estimator=SVC(), draws=0, grid=(), specificity=None)
    """

    estimator: object
    draws: int = 0
    grid: tuple = ()
    specificity: float | None = None

    def __post_init__(self):
        """Check that the parts go together."""
        check_count("draws", self.draws, 0)
        if self.grid and not self.adversarial:
            raise ValueError(f"grid needs an ACGANClassifier, got {self.estimator!r}")
        if self.specificity is not None and not self.grid:
            raise ValueError("specificity needs a grid: its threshold comes from inner folds")

    @property
    def adversarial(self):
        """Whether it trains on the replica axis."""
        return isinstance(self.estimator, ACGANClassifier)


@dataclass(frozen=True)
class Mean:
    """An ensemble: the mean of the probabilities that other arms of a study give.

    Parameters
    ----------
    members : tuple of str
        Names of those arms, two or more. Each is judged on its own as well, so that an ensemble
        trains nothing anew.

    Raises
    ------
    ValueError
        If there are fewer than two members, or one comes twice.

    Examples
    --------
    >>> Mean(("SVM (RBF)", "Logistic regression")).members
    ('SVM (RBF)', 'Logistic regression')
    """

    members: tuple

    def __post_init__(self):
        """Check that there is something to average."""
        if isinstance(self.members, str) or len(set(self.members)) < max(2, len(self.members)):
            raise ValueError(f"members must be two names or more, each once, got {self.members!r}")

    def judge(self, judged):
        """What the ensemble says of the test records, given what each arm said."""
        said = [judged[name].probability for name in self.members]
        probability = [np.mean(fold, axis=0) for fold in zip(*said, strict=True)]
        return Judged(probability, [0.5] * len(probability))


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


class Table(NamedTuple):
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


class Judged(NamedTuple):
    """What an arm said of the test records, fold by fold."""

    probability: list  # arrays of shape (n_test,)
    threshold: list
    curves: list = ()  # error on the watched records after each epoch
    choices: list = ()


def judge(arm, folds, tables, *, watch=False, n_jobs=None, label=None):
    """Train an arm on the training table of every fold, and ask it about the test table.

    With `watch` an AC-GAN keeps the epoch that does best on the test records. A scikit-learn
    classifier takes `n_jobs` processes, by default one for each core.
    """
    if arm.adversarial:
        return _judge_together(arm, folds, tables, watch, label)
    tasks = [
        joblib.delayed(_judge_one)(arm.estimator, *table.draws(arm.draws), fold.y_train, fold.seed)
        for fold, table in zip(folds, tables, strict=True)
    ]
    n_jobs = min(n_jobs or joblib.cpu_count(), len(tasks))
    found = joblib.Parallel(n_jobs, return_as="generator")(tasks)
    bar = tqdm(found, total=len(tasks), desc=label, disable=label is None or None)
    return Judged(list(bar), [0.5] * len(tasks))


def _judge_one(estimator, train, test, y, seed):
    """Probabilities of a scikit-learn classifier, the mean over imputation draws."""
    model = clone(estimator)
    own = [name for name in model.get_params() if name.rpartition("__")[2] == "random_state"]
    model.set_params(**dict.fromkeys(own, seed))  # in a pipeline its steps', a sampler's too
    weight = _weight_of_draws(model, *train.shape[:2])
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the MLP's 200 epochs, see SILENCES
        model.fit(train.reshape(-1, train.shape[-1]), np.tile(y, len(train)), **weight)
        return np.mean([predict_score(model, X) for X in test], axis=0)


def _judge_together(arm, folds, tables, watch, label):
    """The same for an AC-GAN: the networks of all folds train together."""
    estimator = clone(arm.estimator).set_params(verbose=label is not None)
    used = [table.draws(arm.draws) for table in tables]
    params, chosen = [{"random_state": fold.seed} for fold in folds], []
    if arm.grid:
        chosen = select_many(
            estimator,
            [(train, fold.y_train) for (train, _), fold in zip(used, folds, strict=True)],
            arm.grid,
            specificity=arm.specificity,
            seeds=[fold.seed for fold in folds],
        )
        params = [{**p, **choice.params} for p, choice in zip(params, chosen, strict=True)]
    watched = None
    if watch:
        patience = {"n_iter_no_change": estimator.epochs}
        estimator.set_params(early_stopping=True, stopping_criterion="error", **patience)
        watched = [(t.test, f.y_test) for t, f in zip(tables, folds, strict=True)]
    models = estimator.fit_many(
        [
            (train.reshape(-1, train.shape[-1]), np.tile(fold.y_train, len(train)))
            for (train, _), fold in zip(used, folds, strict=True)
        ],
        params=params,
        watched=watched,
    )
    return Judged(
        [averaged(model, test)[:, 1] for model, (_, test) in zip(models, used, strict=True)],
        [choice.threshold for choice in chosen] or [0.5] * len(folds),
        [model.history_["validation"] for model in models] if watch else [],
        chosen,
    )


def _weight_of_draws(model, n_draws, n):
    """Weights that let D draws of a record count as one: else a penalty would weaken D-fold."""
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    if n_draws == 1 or not has_fit_parameter(last, "sample_weight"):
        return {}
    name = f"{model.steps[-1][0]}__sample_weight" if last is not model else "sample_weight"
    return {name: np.full(n_draws * n, 1 / n_draws)}
