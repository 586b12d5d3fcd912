"""What both estimators share: models are prepared one by one and trained together.

Each model brings a :class:`Task`: its records, which of them teach, and seeds for each of its
members. Tasks that may share a compiled loop are laid end to end in one table and become one run of
the engine, in which every member of every model is a replica.
"""

from functools import cached_property
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from .engine import end_to_end, padded_length, train
from .online import Online
from .saving import Savable

__all__ = ["ReplicaEstimator", "Task"]

MEMORY_BUDGET = 2**27  # bytes of records that one run of the engine may hold
BLOCK = 2**14  # records that are scaled, or pass through a network, at once


class Seeds(NamedTuple):
    """Where the chance of one member comes from."""

    weights: np.random.SeedSequence
    training: np.random.SeedSequence
    validation: np.random.SeedSequence
    bootstrap: np.random.SeedSequence


class Task:
    """One model's part of a training run.

    A subclass adds ``split()`` (rows to train and to validate on), ``scaled(rows)`` (records on the
    network's scale, float32), ``tables(n_rows)`` (blank training tables for a run), ``lay(tables,
    start)`` (write what teaches into them) and ``validation(seeds, length)`` (validation tables of
    one member, padded to a length).

    Parameters
    ----------
    model : ReplicaEstimator
        With its scaling learned.
    X : ndarray of shape (n, d)
        Its records, in their own units.
    rows : int ndarray
        The records that may teach, in an order that does not depend on the order given.
    """

    def __init__(self, model, X, rows):
        self.model, self.X, self.rows = model, X, rows
        self.seed = np.random.SeedSequence(check_random_state(model.random_state).randint(2**31))
        self.members = [Seeds(*seed.spawn(4)) for seed in self.seed.spawn(model._n_replicas)]

    @cached_property
    def parts(self):
        """Rows to train on, and rows to validate on (none without early stopping)."""
        return self.split() if self.model.early_stopping else (self.rows, self.rows[:0])

    def shares(self, member):
        """Cumulative weights of the rows to train on, in batch places; None for one place each."""
        return None

    def write(self, table, rows):
        """Write records, scaled, into the first rows of a table."""
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            table[start : start + len(block)] = self.scaled(block)

    @property
    def n_validation(self):
        """Records to validate on."""
        return len(self.parts[1])


class ReplicaEstimator(Online, Savable, BaseEstimator):
    """An estimator whose networks train on the replica axis.

    A subclass says with which objective (``_objective``) and first weights (``_first_weights``) its
    networks learn, makes a :class:`Task` of its data (``_task``), and keeps the weights that come
    back (``_keep``).
    """

    _hyper = ()
    """Parameters that may differ between models of one run without another compilation."""
    _alike = ("batch_size", "n_members", "max_replicas", "n_jobs", "verbose")
    """Parameters that may not, besides those that the objective holds."""
    _name = ""
    """What a progress bar calls the networks."""
    _curve = ""
    """The term of ``history_`` that is ``loss_curve_``."""
    _parameter_constraints = {
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "max_replicas": [Interval(Integral, 1, None, closed="left"), None],
        "n_jobs": [
            Interval(Integral, None, -1, closed="right"),
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "verbose": ["boolean"],
    }

    @property
    def _n_replicas(self):
        """Networks that one model trains."""
        return self.n_members

    def _keep_arguments(self, arguments):
        """Keep all that ``__init__`` was given under its name, as scikit-learn wants it."""
        vars(self).update((name, given) for name, given in arguments.items() if name != "self")

    def _fit(self, *data):
        train_together([self._task(*data)])
        return self

    def fit_many(self, datasets, *, params=None):
        """Train one clone per data set, all at once on the replica axis.

        Parameters
        ----------
        datasets : list
            What ``fit`` takes, of each clone: a table, or a tuple of its arguments. Lengths may
            differ, numbers of attributes may not.
        params : list of dict, optional
            Parameters to set on each clone, such as another ``random_state``. What changes no shape
            costs no further compilation.

        Returns
        -------
        list of estimators
            Fitted clones, each as ``fit`` would have left it (to float tolerance).

        Raises
        ------
        ValueError
            Data sets that differ in their attributes, or an invalid one.

        Notes
        -----
        Up to a hundred small networks cost little more than the arithmetic of their matrix
        products; memory is bounded by ``max_replicas``.

        Examples
        --------
        >>> from ehrgan import StackedAutoencoderImputer
        >>> X = np.array([[1.0, 2.0], [2.0, np.nan], [3.0, 6.0], [4.0, 8.0]])
        >>> models = StackedAutoencoderImputer(epochs=1, random_state=0).fit_many([X, X[1:]])
        >>> [model.transform(X).shape for model in models]
        [(4, 2), (4, 2)]
        """
        tasks = self._tasks(datasets, params)
        train_together(tasks)
        return [task.model for task in tasks]

    def _tasks(self, datasets, params):
        """A task for a clone per data set, or say which data set cannot join the others."""
        datasets = [self._arguments(dataset, i) for i, dataset in enumerate(datasets)]
        if not datasets:
            raise ValueError("datasets is empty; fit_many needs at least one dataset.")
        params = [{}] * len(datasets) if params is None else list(params)
        if len(params) != len(datasets):
            raise ValueError(f"params has {len(params)} entries for {len(datasets)} datasets.")
        models = [clone(self).set_params(**own) for own in params]
        tasks = [model._task(*data) for model, data in zip(models, datasets, strict=True)]
        check_same("number of attributes", [model.n_features_in_ for model in models])
        return tasks

    def _arguments(self, dataset, i):
        """Arguments of ``fit`` from data set number i."""
        return (dataset,)

    def _together_with(self):
        """What models must have in common to share a compiled loop."""
        stopping = self.early_stopping and (self.n_iter_no_change, self.validation_fraction)
        alike = tuple(getattr(self, name) for name in self._alike)
        return (type(self), self._objective(), stopping, *alike, *self._options().values())

    def _options(self):
        """Further arguments of the engine, the same for all models of a run."""
        return {}

    def _refuse_diverged(self, weights):
        """Refuse weights that are not finite: every estimate of theirs would be NaN."""
        if not all(np.isfinite(p).all() for layers in weights.values() for p in layers):
            raise ValueError(
                f"training of the {self._name} diverged with learning_rate={self.learning_rate} "
                f"and scaling={self.scaling!r}: its weights are not finite. Lower the rate, or "
                "scale."
            )

    def _record(self, history, best_epoch):
        terms = (*self._objective().terms, "validation")
        self.history_ = mean_history(history, terms)
        self.loss_curve_ = self.history_[self._curve]
        self.n_iter_ = len(self.loss_curve_)
        self.best_epoch_ = int(best_epoch.mean()) + 1 if self.early_stopping else None


def train_together(tasks):
    """Fit the models of tasks; those that may share a compiled loop together, as memory allows."""
    groups = {}
    for task in tasks:
        groups.setdefault(task.model._together_with(), []).append(task)
    for group in groups.values():
        model = group[0].model
        size = max(padded_length(len(task.rows)) * task.bytes_per_row for task in group)
        limit = model.max_replicas and max(1, model.max_replicas // model._n_replicas)
        for chosen in chunks(len(group), size, limit):
            _train_run([group[i] for i in chosen])


def _train_run(tasks):
    """Train every member of every model as one replica, and hand each model its weights."""
    model, n = tasks[0].model, tasks[0].model._n_replicas
    first_rows, n_rows = end_to_end([len(task.parts[0]) for task in tasks])
    shares = [task.shares(m) for task in tasks for m in range(n)]
    lengths = np.repeat([len(task.parts[0]) for task in tasks], n)
    if shares[0] is not None:
        lengths = np.array([round(share[-1]) for share in shares])
    tables = tasks[0].tables(n_rows)
    for task, start in zip(tasks, first_rows, strict=True):
        task.lay(tables, start)
    seeds = [seeds for task in tasks for seeds in task.members]
    of_each = {
        name: np.repeat([float(getattr(task.model, name)) for task in tasks], n)
        for name in model._hyper
    }
    result = train(
        model._objective(),
        model._first_weights(tasks, [s.weights for s in seeds]),
        tables,
        np.repeat(first_rows, n),
        lengths,
        [s.training for s in seeds],
        epochs=np.repeat([task.model.epochs for task in tasks], n),
        batch_size=model.batch_size,
        hyper=of_each,
        validation=_validation(tasks) if model.early_stopping else None,
        patience=model.n_iter_no_change,
        shares=None if shares[0] is None else shares,
        n_jobs=model.n_jobs,
        progress=model._name if model.verbose else None,
        **model._options(),
    )
    for i, task in enumerate(tasks):
        own = slice(i * n, (i + 1) * n)
        averaged = slice(i * n, i * n + model.n_members)
        task.model._record(result.history[:, averaged], result.best_epoch[averaged])
        weights = {name: [p[own] for p in layers] for name, layers in result.params.items()}
        task.model._refuse_diverged(weights)
        task.model._close_stream()
        task.model._keep(weights, task)


def _validation(tasks):
    length = padded_length(max(task.n_validation for task in tasks))
    sets = [task.validation(seeds, length) for task in tasks for seeds in task.members]
    return {name: np.stack([tables[name] for tables in sets]) for name in sets[0]}


def chunks(n_models, bytes_per_model, most=None):
    """Split models into runs of near-equal size, ``most`` at once or as many as fit the budget.

    Examples
    --------
    >>> [c.tolist() for c in chunks(5, 1, most=2)]
    [[0, 1], [2, 3], [4]]
    """
    most = most or max(1, MEMORY_BUDGET // max(1, bytes_per_model))
    return np.array_split(np.arange(n_models), -(-n_models // most))


def canonical_order(X, c=None):
    """Order records by a hash of cells and class, so that a fit does not depend on the order given.

    Examples
    --------
    >>> X = np.array([[3.0], [1.0], [2.0]])
    >>> same = X[canonical_order(X)] == X[::-1][canonical_order(X[::-1])]
    >>> bool(same.all())
    True
    """
    return np.argsort(row_digests(X if c is None else np.column_stack([X, c])), kind="stable")


def row_digests(X):
    """A 64-bit hash of each record.

    Examples
    --------
    >>> a, b, c = row_digests(np.array([[1.0, np.nan], [1.0, 0.0], [1.0, np.nan]]))
    >>> bool(a == c), bool(a == b)
    (True, False)
    """
    digest = np.zeros(len(X), np.uint64)
    for column in X.T:
        cells = pd.util.hash_array(np.ascontiguousarray(column, np.float64))
        digest = digest * np.uint64(0x9E3779B97F4A7C15) + cells
    return digest


def check_same(what, values):
    """Refuse datasets that cannot share a replica axis, naming the first that differs."""
    for i, value in enumerate(values):
        if value != values[0]:
            raise ValueError(
                f"datasets[{i}] has another {what} ({value}) than datasets[0] ({values[0]}); "
                "networks that are trained together need the same."
            )


def mean_history(history, names):
    """Average the history of a model's members, epoch by epoch, as long as any of them trained."""
    alive = ~np.isnan(history).all(axis=(1, 2))
    mean = np.nanmean(history[alive], axis=1)
    return dict(zip(names[: mean.shape[1]], mean.T, strict=True))
