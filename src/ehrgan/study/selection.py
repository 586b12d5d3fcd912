"""Nested selection: epochs and hyper-parameters of an AC-GAN, chosen inside the training records.

All candidates of all inner folds of all datasets train at once on the replica axis, so that
choosing costs a few times what training costs, not hundreds of times.
"""

from typing import NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedKFold

from ..nets.acgan import HYPER
from ..scores.metrics import threshold_at

__all__ = ["Choice", "select_many"]


class Choice(NamedTuple):
    """What nested selection chose for one dataset.

    Parameters
    ----------
    params : dict
        The candidate of least held-out loss, with its number of ``epochs``.
    loss : float
        Its class loss per held-out record, in nats: the mean over inner folds at that epoch.
    threshold : float
        Probability above which a record is called positive, see :func:`select_many`.
    """

    params: dict
    loss: float
    threshold: float


def select_many(estimator, datasets, grid, *, n_folds=3, specificity=None, seeds=None):
    """Choose a candidate and a number of epochs for each dataset by inner cross-validation.

    Parameters
    ----------
    estimator : ACGANClassifier
        Its ``epochs`` are the most that can be chosen.
    datasets : list of (X, y)
        X of shape (n, d), or (D, n, d) where each record comes in D imputation draws, which then
        stay on one side of every split; y of shape (n,).
    grid : sequence of dict
        Candidates: values for the parameters in ``ehrgan.nets.acgan.HYPER``.
    n_folds : int, default=3
        Inner folds, at least 2.
    specificity : float, optional
        Where given, in (0, 1]: the threshold is the least at which this share of the held-out
        negative records is called negative; 0.5 by default.
    seeds : sequence of int, optional
        One for each dataset, for its inner splits and networks; 0 by default.

    Returns
    -------
    list of Choice
        One for each dataset.

    Raises
    ------
    ValueError
        If the grid is empty or varies what changes the shape of a network, or a class has fewer
        records than there are inner folds.

    Notes
    -----
    Trains datasets x n_folds x candidates networks for ``epochs``, one member each. Held-out
    probabilities for the threshold are those of the chosen candidate's networks, each at its epoch
    of least held-out loss: a little flattering to them, and nothing that an outer test fold sees.

    References
    ----------
    Varma and Simon, "Bias in error estimation when using cross-validation for model selection", BMC
    Bioinformatics 7, 2006.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from ehrgan import ACGANClassifier
    >>> data, grid = load_breast_cancer(return_X_y=True), [{"l2": 0.01}, {"l2": 10.0}]
    >>> (choice,) = select_many(ACGANClassifier(epochs=30), [data], grid)
    >>> choice.params["l2"], 1 <= choice.params["epochs"] <= 30, choice.threshold
    (0.01, True, 0.5)
    """
    grid = _checked_grid(grid)
    seeds = [0] * len(datasets) if seeds is None else list(seeds)
    tasks = []
    for (X, y), seed in zip(datasets, seeds, strict=True):
        X = X[None] if np.ndim(X) == 2 else X
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        for k, (fit, held_out) in enumerate(splitter.split(y, y)):
            tasks.append((X[:, fit], y[fit], X[:, held_out], y[held_out], seed + k))
    inner = _train_inner(estimator, tasks, grid)
    chosen = []
    for i in range(0, len(tasks), n_folds):
        own = slice(i, i + n_folds)
        chosen.append(_least_loss(tasks[own], inner[own], grid, specificity))
    return chosen


def _checked_grid(grid):
    grid = [dict(candidate) for candidate in grid]
    strange = sorted({name for candidate in grid for name in candidate} - set(HYPER))
    if not grid or strange:
        raise ValueError(
            f"grid must list one candidate or more over {list(HYPER)}, "
            f"got {strange or 'none'}; what changes a network's shape cannot be trained beside it"
        )
    return grid


def _train_inner(estimator, tasks, grid):
    """Train every candidate of every inner fold at once; a list of models for each fold."""
    watching = {"early_stopping": True, "n_iter_no_change": estimator.epochs, "n_members": 1}
    estimator = type(estimator)(**{**estimator.get_params(), **watching})
    models = estimator.fit_many(
        [(_stacked(fit), np.tile(c, len(fit))) for fit, c, *_ in tasks for _ in grid],
        params=[{**candidate, "random_state": task[-1]} for task in tasks for candidate in grid],
        watched=[(_stacked(X), np.tile(y, len(X))) for *_, X, y, _ in tasks for _ in grid],
    )
    return [models[i : i + len(grid)] for i in range(0, len(models), len(grid))]


def _stacked(draws):
    return draws.reshape(-1, draws.shape[-1])


def _least_loss(tasks, inner, grid, specificity):
    """Least mean held-out loss over candidates and epochs; then the threshold."""
    losses = np.mean([[m.history_["validation"] for m in models] for models in inner], axis=0)
    best, epoch = np.unravel_index(np.argmin(losses), losses.shape)
    threshold = 0.5
    if specificity is not None:
        chosen = [models[best] for models in inner]
        P = [averaged(m, task[2])[:, 1] for m, task in zip(chosen, tasks, strict=True)]
        y = np.concatenate([task[3] for task in tasks])
        threshold = threshold_at(y, np.concatenate(P), specificity=specificity)
    return Choice({**grid[best], "epochs": int(epoch) + 1}, float(losses[best, epoch]), threshold)


def averaged(model, draws):
    """Mean over imputation draws (D, n, d) of a fitted model's probabilities, of shape (n, K)."""
    P = model.predict_proba(_stacked(draws))
    return P.reshape(*draws.shape[:2], -1).mean(axis=0)
