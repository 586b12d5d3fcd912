"""Networks with a leading replica axis, trained together in one compiled loop.

Every weight carries a leading axis of M replicas: ``W`` has shape ``(M, in, out)``, ``b`` has shape
``(M, 1, out)``, a batch has shape ``(M, B, in)``, and a layer is still ``x @ W + b``.
One network is M = 1. Losses are sums over replicas, so gradients never mix, and Adam works cell by
cell, so a replica ends where it would have ended alone.
"""

import functools
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from ..bars import no_bars
from .backend import tensorflow
from .noise import Noise
from .optimisers import OPTIMIZERS

ORDER_CELLS = 2**22  # cells of a chunk's batch orders: 16 MiB of int32


class Problem:
    """What a pair of estimators must tell the training loop; subclasses are frozen dataclasses.

    A problem is hashable and holds only what changes the compiled graph (layer sizes, variants).
    What may differ between replicas without recompiling (learning rate, penalties) arrives as
    ``hyper``, a dict of tensors of shape (M,).
    """

    terms = ()
    """Names of the loss terms that :meth:`objectives` reports."""

    def objectives(self, params, batch, weight, noise, hyper):
        """Return ``({group: loss (M,)}, terms (M, k))``; a group's loss trains that group alone."""
        raise NotImplementedError

    def draw(self, data, index, noise):
        """Return the batch of each replica: rows ``index`` (M, B) of every table in ``data``."""
        return {k: tensorflow().gather(a, index) for k, a in data.items()}

    def validation(self, params, data):
        """Return the validation loss of each replica, shape (M,), lower is better."""
        raise NotImplementedError


class Plan(NamedTuple):
    """The static part of a training run: with the shapes of the data, what a compilation is for."""

    problem: Problem
    optimizer: str
    validates: bool
    averages: bool


def train_step(plan, state, data, starts, index, key, hyper):
    """One minibatch for every replica: losses, gradients of each group, Adam, weight average."""
    tf = tensorflow()
    weight = tf.cast(index >= 0, "float32")
    active = tf.reduce_max(weight, axis=1) * state["running"]
    weight = weight / tf.maximum(tf.reduce_sum(weight, axis=1, keepdims=True), 1.0)
    noise = Noise(key, state["t"])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(state["params"])
        batch = plan.problem.draw(data, starts[:, None] + tf.maximum(index, 0), noise)
        losses, terms = plan.problem.objectives(state["params"], batch, weight, noise, hyper)
        totals = {group: tf.reduce_sum(loss) for group, loss in losses.items()}
    new = dict(state)
    for part in ("params", "m", "v"):
        new[part] = dict(state[part])
    for group, total in totals.items():
        grads = tape.gradient(total, state["params"][group])
        new["params"][group], new["m"][group], new["v"][group] = OPTIMIZERS[plan.optimizer](
            state["params"][group], grads, state["m"][group], state["v"][group],
            state["t"], hyper, active,
        )  # fmt: skip
    if plan.averages:
        pull = (active * (1 - hyper["averaging"]))[:, None, None]
        move = lambda a, p: a + pull * (p - a)  # noqa: E731
        new["average"] = tf.nest.map_structure(move, state["average"], new["params"])
    new["t"] = state["t"] + tf.cast(active, "int32")
    new["terms"] = state["terms"] + terms * active[:, None]
    new["steps"] = state["steps"] + active
    return new


def _end_of_epoch(plan, state, validation, patience):
    """Score the epoch; keep the best weights of each replica; stop those out of patience."""
    tf = tensorflow()
    now = state["average"] if plan.averages else state["params"]
    loss = plan.problem.validation(now, validation)
    better = (loss < state["best_loss"]) & (state["running"] > 0)
    keep = lambda old, new: tf.where(better[:, None, None], new, old)  # noqa: E731
    wait = tf.where(better, 0, state["wait"] + 1)
    return loss, {
        **state,
        "best": tf.nest.map_structure(keep, state["best"], now),
        "best_loss": tf.where(better, loss, state["best_loss"]),
        "best_epoch": tf.where(better, state["epoch"], state["best_epoch"]),
        "wait": wait,
        "running": tf.where(wait >= patience, 0.0, state["running"]),
    }


def _shapes(args):
    return tuple((tuple(a.shape), a.dtype.name) for a in tensorflow().nest.flatten(args))


@functools.lru_cache(maxsize=64)
def _compiled_epochs(plan, shapes):
    """Compile the loop over epochs and minibatches, once per plan and shapes of its arguments."""
    tf = tensorflow()

    def epoch(e, state, history, data, starts, validation, orders, n_steps, key, hyper, patience):
        def one(step, state):
            index = orders[e, :, step]
            return step + 1, train_step(plan, state, data, starts, index, key, hyper)

        was_running = state["running"]
        zeros = {"terms": tf.zeros_like(state["terms"]), "steps": tf.zeros_like(state["steps"])}
        _, state = tf.while_loop(lambda s, _: s < n_steps, one, (0, {**state, **zeros}))
        row = state["terms"] / tf.maximum(state["steps"], 1.0)[:, None]
        if plan.validates:
            loss, state = _end_of_epoch(plan, state, validation, patience)
            row = tf.concat([row, loss[:, None]], axis=1)
        row = tf.where(was_running[:, None] > 0, row, np.nan)
        state["epoch"] = state["epoch"] + 1
        more = tf.cast(state["epoch"], "float32") < hyper["epochs"]
        state["running"] = tf.where(more, state["running"], 0.0)
        return e + 1, state, tf.tensor_scatter_nd_update(history, [[e]], [row])

    @tf.function(jit_compile=True)
    def run(state, data, starts, validation, orders, n_epochs, n_steps, key, hyper, patience):
        width = len(plan.problem.terms) + plan.validates
        history = tf.fill((orders.shape[0], orders.shape[1], width), np.float32(np.nan))
        more = lambda e, s, h: (e < n_epochs) & (tf.reduce_max(s["running"]) > 0)  # noqa: E731
        body = lambda e, s, h: epoch(  # noqa: E731
            e, s, h, data, starts, validation, orders, n_steps, key, hyper, patience
        )
        _, state, history = tf.while_loop(more, body, (0, state, history))
        return state, history

    return run


def padded_length(n):
    """Round a number of records up, by 15 or an eighth, so that nearby sizes share a compilation.

    Parameters
    ----------
    n : int
        Number of records, at least 0.

    Returns
    -------
    int

    Examples
    --------
    >>> from ehrgan.nets.engine import padded_length
    >>> [padded_length(n) for n in (5, 455, 456, 1_000_000)]
    [16, 480, 480, 1048576]
    """
    unit = max(16, 2 ** max(0, int(n).bit_length() - 4))
    return max(1, -(-int(n) // unit)) * unit


def end_to_end(lengths):
    """Lay tables of unequal length in one, one after the other.

    Parameters
    ----------
    lengths : sequence of int
        Records of each table.

    Returns
    -------
    starts : int32 ndarray
        Row where each table begins.
    n_rows : int
        Rows to hold them all, 1024 or more, rounded up by :func:`padded_length`: rows that no batch
        takes cost nothing, and small tables of all sizes share a compilation.

    Examples
    --------
    >>> from ehrgan.nets.engine import end_to_end
    >>> starts, n_rows = end_to_end([3, 5])
    >>> starts.tolist(), n_rows
    ([0, 3], 1024)
    """
    ends = np.cumsum(lengths)
    return (ends - lengths).astype(np.int32), padded_length(max(1024, ends[-1]))


class _Orders:
    """Each replica's minibatch orders, from its own generator, a chunk of epochs at a time."""

    def __init__(self, seeds, lengths, batch_size):
        self.generators = [np.random.default_rng(seed) for seed in seeds]
        self.lengths, self.batch_size = lengths, batch_size
        self.steps = int(-(-max(lengths) // batch_size))
        self.shape = (len(lengths), padded_length(self.steps), batch_size)
        self.chunk = int(np.clip(ORDER_CELLS // np.prod(self.shape), 1, 64))

    def draw(self, shares, n_epochs):
        """Return int32 (chunk, M, steps, B): rows of each batch, -1 where a batch is not full.

        A weighted record is drawn in proportion: place k of n goes to the record whose cumulative
        share covers k + u, with one u for each epoch, so whole-number weights act as repetition.
        """
        out = np.full((self.chunk, *self.shape), -1, np.int32)
        flat = out.reshape(self.chunk, self.shape[0], -1)
        for m, (rng, n) in enumerate(zip(self.generators, self.lengths, strict=True)):
            for e in range(n_epochs):
                order, u = rng.permutation(n), rng.random()
                if shares is not None:
                    order = np.searchsorted(shares[m][:-1], order + u, side="right")
                flat[e, m, :n] = order
        return out


class Trained(NamedTuple):
    """What :func:`train` returns.

    Parameters
    ----------
    params : dict of list of ndarray (M, ...)
        Final weights: averaged where asked, of the best validation epoch where validated.
    history : ndarray of shape (epochs, M, terms)
        Mean of each loss term over the epoch, then the validation loss; NaN once stopped.
    best_epoch : ndarray of shape (M,)
        Epoch (from 0) whose weights were kept; -1 where nothing was validated.
    """

    params: dict
    history: np.ndarray
    best_epoch: np.ndarray


def train(problem, params, data, starts, lengths, seeds, *, epochs, batch_size, hyper,
          optimizer="adam", validation=None, patience=None, averaging=False, shares=None,
          progress=None):  # fmt: skip
    """Train M replicas at once by minibatches.

    Parameters
    ----------
    problem : Problem
        The losses.
    params : dict of list of ndarray (M, ...)
        First weights, by group.
    data : dict of ndarray (N, ...)
        Training records of all replicas, table after table (:func:`end_to_end`); replicas that
        learn from the same table share it.
    starts : sequence of M ints
        Row of ``data`` where the table of each replica begins.
    lengths : sequence of M ints
        Batch places to fill in an epoch of each replica: its number of training records, or the
        total of its ``shares``.
    seeds : sequence of M numpy.random.SeedSequence
        Batch orders and noise of each replica come from its own.
    epochs : int or sequence of M ints
        Most epochs, each replica's own where they differ.
    batch_size : int
        Records in a batch.
    hyper : dict of float or ndarray (M,)
        ``learning_rate``, ``beta_1``, ``decay`` (1 for a rate that falls along a cosine, else 0)
        and what the problem asks for.
    optimizer : {"adam", "sgd"}, default="adam"
        Adam, or gradient descent with momentum ``beta_1``.
    validation : dict of ndarray (M, n_val, ...), optional
        Where given, the weights of the epoch of least validation loss are kept.
    patience : int, optional
        Epochs without a better validation loss before a replica stops; never by default.
    averaging : bool, default=False
        Keep an exponential average of the weights (decay ``hyper["averaging"]``).
    shares : list of M ndarrays, optional
        Cumulative weights of the records, in batch places; one place each by default.
    progress : str, optional
        Label of a progress bar.

    Returns
    -------
    Trained

    Notes
    -----
    One step costs the batched matrix products of the networks and little more; compiling costs one
    to three seconds per plan and shape, once in a process.
    """
    tf = tensorflow()
    M = len(lengths)
    plan = Plan(problem, optimizer, validation is not None, bool(averaging))
    children = [seed.spawn(2) for seed in seeds]
    orders = _Orders([c[0] for c in children], lengths, batch_size)
    key = np.stack([c[1].generate_state(2, np.uint32) for c in children])
    steps = -(-np.asarray(lengths) // batch_size)
    limits = np.broadcast_to(epochs, M)
    epochs = int(limits.max())
    hyper = {"decay": 0.0, "averaging": 0.0, **hyper}
    hyper |= {"total_steps": limits * steps, "epochs": limits}
    hyper = {k: np.broadcast_to(np.float32(h), M) for k, h in hyper.items()}
    state = _first_state(plan, params, M)
    starts = np.asarray(starts, np.int32)
    fixed = (data, starts, validation or {}, key, hyper)
    data, starts, validation, key, hyper = tf.nest.map_structure(tf.convert_to_tensor, fixed)
    patience = tf.constant(min(patience or epochs, 2**30))
    history, done = [], 0
    hidden = progress is None or no_bars()
    with tqdm(total=epochs, desc=progress, unit="epoch", disable=hidden or None) as bar:
        while done < epochs and state["running"].numpy().max() > 0:
            n = min(orders.chunk, epochs - done)
            batches = tf.convert_to_tensor(orders.draw(shares, n))
            count = tf.constant(n), tf.constant(orders.steps)
            args = (state, data, starts, validation, batches, *count, key, hyper, patience)
            run = _compiled_epochs(plan, _shapes(args)).get_concrete_function(*args)
            state, rows = run(*args)
            history.append(rows.numpy()[:n])
            done += n
            bar.update(n)
    kept = "best" if plan.validates else "average" if plan.averages else "params"
    return Trained(
        tf.nest.map_structure(lambda a: a.numpy(), state[kept]),
        np.concatenate(history),
        state["best_epoch"].numpy(),
    )


def _first_state(plan, params, M):
    tf = tensorflow()
    params = tf.nest.map_structure(lambda a: tf.constant(a, "float32"), params)
    zeros = tf.nest.map_structure(tf.zeros_like, params)
    state = {
        "params": params,
        "m": zeros,
        "v": zeros,
        "t": tf.zeros(M, "int32"),
        "epoch": tf.constant(0),
        "running": tf.ones(M),
        "terms": tf.zeros((M, len(plan.problem.terms))),
        "steps": tf.zeros(M),
        "best_epoch": tf.fill((M,), -1),
    }
    if plan.averages:
        state["average"] = params
    if plan.validates:
        state |= {"best": params, "best_loss": tf.fill((M,), np.float32(np.inf))}
        state["wait"] = tf.zeros(M, "int32")
    return state
