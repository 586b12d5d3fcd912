"""Networks with a leading replica axis, trained together in one compiled loop.

Every weight carries a leading axis of M replicas: ``W`` has shape ``(M, in, out)``, ``b`` has shape
``(M, 1, out)``, a batch has shape ``(M, B, in)``, and a layer is still ``x @ W + b``.
One network is M = 1. Losses are sums over replicas, so gradients never mix, and Adam works cell by
cell, so a replica ends where it would have ended alone.
"""

import functools
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import joblib
import numpy as np
from joblib.parallel import get_active_backend
from tqdm import tqdm

from ..bars import no_bars
from .backend import tensorflow
from .noise import Noise
from .optimisers import OPTIMIZERS

WIDTH = 5  # replicas in a compiled call at most: enough to keep a core busy, few enough to share
GOES_ON = ("params", "m", "v", "t", "average")  # parts of the state that outlive a call
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

    def draw(self, table, index, noise):
        """Return the batch of each replica: rows ``index`` (M, B) of its own records."""
        rows = table.starts[:, None] + index
        return {name: tensorflow().gather(a, rows) for name, a in table.data.items()}

    def validation(self, params, data):
        """Return the validation loss of each replica, shape (M,), lower is better."""
        raise NotImplementedError


class Table(NamedTuple):
    """The training records of all replicas, table after table.

    Parameters
    ----------
    data : dict of tensors (N, ...)
        Replicas that learn from the same records share them.
    starts, lengths : int32 tensors of shape (M,)
        Row where the records of each replica begin, and batch places in its epoch.
    orders : int32 tensor of shape (M, steps, B)
        Rows of all batches of the epoch at hand, -1 where a batch is not full.
    """

    data: dict
    starts: object
    lengths: object
    orders: object = ()


class Plan(NamedTuple):
    """The static part of a training run: with the shapes of the data, what a compilation is for."""

    problem: Problem
    optimizer: str
    validates: bool
    averages: bool


class Inputs(NamedTuple):
    """What training reads and never writes; all but the records with the replica axis in front."""

    table: Table
    validation: dict
    key: object
    hyper: dict


def train_step(plan, state, inputs, index):
    """One minibatch for every replica: losses, gradients of each group, Adam, weight average."""
    tf = tensorflow()
    weight = tf.cast(index >= 0, "float32")
    active = tf.reduce_max(weight, axis=1) * state["running"]
    weight = weight / tf.maximum(tf.reduce_sum(weight, axis=1, keepdims=True), 1.0)
    noise, hyper = Noise(inputs.key, state["t"]), inputs.hyper
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(state["params"])
        batch = plan.problem.draw(inputs.table, tf.maximum(index, 0), noise)
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
        new["average"] = _each(lambda a, p: a + pull * (p - a), state["average"], new["params"])
    new["t"] = state["t"] + tf.cast(active, "int32")
    new["terms"] = state["terms"] + terms * active[:, None]
    new["steps"] = state["steps"] + active
    return new


def _end_of_epoch(plan, state, inputs, patience):
    """Score the epoch; keep the best weights of each replica; stop those out of patience."""
    tf = tensorflow()
    now = state["average"] if plan.averages else state["params"]
    loss = plan.problem.validation(now, inputs.validation)
    better = (loss < state["best_loss"]) & (state["running"] > 0)
    wait = tf.where(better, 0, state["wait"] + 1)
    return loss, {
        **state,
        "best": _each(
            lambda old, new: tf.where(better[:, None, None], new, old), state["best"], now
        ),
        "best_loss": tf.where(better, loss, state["best_loss"]),
        "best_epoch": tf.where(better, state["epoch"], state["best_epoch"]),
        "wait": wait,
        "running": tf.where(wait >= patience, 0.0, state["running"]),
    }


def _each(function, *structures):
    return tensorflow().nest.map_structure(function, *structures)


def _epoch(plan, state, inputs, orders, n_steps, patience):
    """One pass of every replica over its records; returns its row of the history."""
    tf = tensorflow()

    def one(step, state):
        return step + 1, train_step(plan, state, inputs, orders[:, step])

    inputs = inputs._replace(table=inputs.table._replace(orders=orders))
    was_running = state["running"]
    zeros = {"terms": tf.zeros_like(state["terms"]), "steps": tf.zeros_like(state["steps"])}
    _, state = tf.while_loop(lambda step, _: step < n_steps, one, (0, {**state, **zeros}))
    row = state["terms"] / tf.maximum(state["steps"], 1.0)[:, None]
    if plan.validates:
        loss, state = _end_of_epoch(plan, state, inputs, patience)
        row = tf.concat([row, loss[:, None]], axis=1)
    row = tf.where(was_running[:, None] > 0, row, np.nan)
    state["epoch"] = state["epoch"] + 1
    more = tf.cast(state["epoch"], "float32") < inputs.hyper["epochs"]
    state["running"] = tf.where(more, state["running"], 0.0)
    return state, row


@functools.lru_cache(maxsize=64)
def _compiled_epochs(plan, shapes):
    """Compile the loop over epochs and minibatches, once per plan and shapes of its arguments."""
    tf = tensorflow()

    @tf.function(jit_compile=True, autograph=False)  # the loops are written out
    def run(state, inputs, orders, n_epochs, n_steps, patience):
        width = len(plan.problem.terms) + plan.validates
        history = tf.fill((orders.shape[0], orders.shape[1], width), np.float32(np.nan))

        def go_on(e, state, history):
            return (e < n_epochs) & (tf.reduce_max(state["running"]) > 0)

        def one(e, state, history):
            state, row = _epoch(plan, state, inputs, orders[e], n_steps, patience)
            return e + 1, state, tf.tensor_scatter_nd_update(history, [[e]], [row])

        _, state, history = tf.while_loop(go_on, one, (0, state, history))
        return state, history

    return run


_TRACING = threading.Lock()  # threads that need the same compilation wait for one


def _concrete(plan, args):
    shapes = tuple((tuple(a.shape), a.dtype.name) for a in tensorflow().nest.flatten(args))
    with _TRACING:
        return _compiled_epochs(plan, shapes).get_concrete_function(*args)


def padded_length(n):
    """Round a number of records up, by 15 or an eighth, so that nearby sizes share a compilation.

    Examples
    --------
    >>> [padded_length(n) for n in (5, 455, 456, 1_000_000)]
    [16, 480, 480, 1048576]
    """
    unit = max(16, 2 ** max(0, int(n).bit_length() - 4))
    return max(1, -(-int(n) // unit)) * unit


def end_to_end(lengths):
    """Lay tables of unequal length in one, one after the other.

    Returns
    -------
    starts : int32 ndarray
        Row where each table begins.
    n_rows : int
        Rows to hold them all, 1024 or more, rounded up by :func:`padded_length`: rows that no batch
        takes cost nothing, and small tables of all sizes share a compilation.

    Examples
    --------
    >>> starts, n_rows = end_to_end([3, 5])
    >>> starts.tolist(), n_rows
    ([0, 3], 1024)
    """
    ends = np.cumsum(lengths)
    return (ends - lengths).astype(np.int32), padded_length(max(1024, ends[-1]))


class _Orders:
    """Each replica's minibatch orders, from its own generator, a chunk of epochs at a time."""

    def __init__(self, seeds, lengths, batch_size, room):
        self.generators = [np.random.default_rng(seed) for seed in seeds]
        self.lengths, self.steps = lengths, -(-int(max(lengths)) // batch_size)
        self.shape = (len(lengths), padded_length(room), batch_size)
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
    goes_on : dict
        Where training stands, see :func:`train`; empty where it was not asked for.
    """

    params: dict
    history: np.ndarray
    best_epoch: np.ndarray
    goes_on: dict = {}


def train(problem, params, data, starts, lengths, seeds, *, epochs, batch_size, hyper,
          optimizer="adam", validation=None, patience=None, averaging=False, shares=None,
          goes_on=None, room=None, n_jobs=None, progress=None):  # fmt: skip
    """Train M replicas by minibatches, a block of them in each compiled call.

    Parameters
    ----------
    problem : Problem
        The losses.
    params : dict of list of ndarray (M, ...)
        First weights, by group.
    data, starts, lengths : dict of ndarray (N, ...), sequences of M ints
        See :class:`Table`, :func:`end_to_end`. A length is the number of training records, or the
        total of the ``shares``.
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
    goes_on : dict of arrays (M, ...), optional
        Where an earlier call stood (:attr:`Trained.goes_on`: weights, moments and step count of the
        optimiser, average of the weights), to go on from; a dict that lacks any begins with it.
    room : int, optional
        Batch places to compile for; by default the longest of the ``lengths``. Calls of any length
        up to it share a compilation.
    n_jobs : int, optional
        Threads, see :func:`threads`. No number depends on it.
    progress : str, optional
        Label of a progress bar.

    Returns
    -------
    Trained

    Notes
    -----
    One step costs the batched matrix products of the networks and little more; compiling costs one
    to three seconds per plan and shape, once in a process. TensorFlow lets go of the interpreter
    inside a compiled call, so threads are enough to use all cores.
    """
    tf = tensorflow()
    M, lengths = len(lengths), np.asarray(lengths, np.int32)
    limits = np.broadcast_to(epochs, M)
    plan = Plan(problem, optimizer, validation is not None, bool(averaging))
    steps = -(-lengths // batch_size)
    hyper = {"decay": 0.0, "averaging": 0.0, **hyper}
    hyper |= {"total_steps": limits * steps, "epochs": limits}
    hyper = {name: np.broadcast_to(np.float32(h), M) for name, h in hyper.items()}
    children = [seed.spawn(2) for seed in seeds]
    key = np.stack([c[1].generate_state(2, np.uint32) for c in children])
    starts, data = np.asarray(starts, np.int32), _each(tf.convert_to_tensor, data)
    blocks = deal(M)
    hidden = progress is None or no_bars()
    bar = tqdm(
        total=len(blocks) * int(limits.max()), desc=progress, unit="epoch", disable=hidden or None
    )

    def one(block):
        def own(a):
            return tf.convert_to_tensor(a[block])

        room_steps = int(steps.max()) if room is None else -(-room // batch_size)
        orders = _Orders([children[m][0] for m in block], lengths[block], batch_size, room_steps)
        table = Table(data, own(starts), own(lengths))
        inputs = Inputs(table, _each(own, validation or {}), own(key), _each(own, hyper))
        state = _first_state(plan, _each(own, params)) | _each(own, goes_on or {})
        weights = None if shares is None else [shares[m] for m in block]
        return _train_block(plan, state, inputs, orders, weights, int(limits.max()), patience, bar)

    with bar, ThreadPoolExecutor(min(threads(n_jobs), len(blocks))) as pool:
        trained = _joined(list(pool.map(one, blocks)), M)
    return trained if goes_on is not None else trained._replace(goes_on={})


def _train_block(plan, state, inputs, orders, shares, epochs, patience, bar):
    """Train a block of replicas until all have stopped."""
    tf = tensorflow()
    patience = tf.constant(min(patience or epochs, 2**30))
    history, done = [], 0
    while done < epochs and state["running"].numpy().max() > 0:
        n = min(orders.chunk, epochs - done)
        batches = tf.convert_to_tensor(orders.draw(shares, n))
        args = (state, inputs, batches, tf.constant(n), tf.constant(orders.steps), patience)
        state, rows = _concrete(plan, args)(*args)
        history.append(rows.numpy()[:n])
        done += n
        bar.update(n)
    bar.update(epochs - done)  # those that nothing was left to learn in
    kept = "best" if plan.validates else "average" if plan.averages else "params"
    weights = _each(lambda a: a.numpy(), state[kept])
    stands = {part: _each(lambda a: a.numpy(), state[part]) for part in GOES_ON if part in state}
    return Trained(weights, np.concatenate(history), state["best_epoch"].numpy(), stands)


def _joined(blocks, n_replicas):
    """Put blocks of replicas side by side again; a block that stopped early has no more history."""
    epochs = max(len(block.history) for block in blocks)
    history = [
        np.pad(b.history, ((0, epochs - len(b.history)), (0, 0), (0, 0)), constant_values=np.nan)
        for b in blocks
    ]

    def joined(*parts):
        return np.concatenate(parts)[:n_replicas]

    return Trained(
        _each(joined, *(b.params for b in blocks)),
        np.concatenate(history, axis=1)[:, :n_replicas],
        joined(*(b.best_epoch for b in blocks)),
        _each(joined, *(b.goes_on for b in blocks)),
    )


def deal(n_replicas):
    """Deal replicas out in blocks of one width, each the work of one compiled call.

    The blocks depend on the number of replicas alone, never on cores: so do the numbers. All have
    the same width, and so share a compilation; in the last, the last replica fills up.

    Examples
    --------
    >>> [block.tolist() for block in deal(7)]
    [[0, 1, 2, 3], [4, 5, 6, 6]]
    >>> len(deal(50)), len(deal(50)[0])
    (10, 5)
    """
    n_blocks = max(min(2, n_replicas), -(-n_replicas // WIDTH))
    width = -(-n_replicas // n_blocks)
    places = np.arange(n_blocks * width).reshape(-1, width)
    return list(np.minimum(places, n_replicas - 1))


def threads(n_jobs=None):
    """How many threads may train.

    Parameters
    ----------
    n_jobs : int, optional
        As scikit-learn takes it: -1 for all cores. By default what joblib's context grants: the
        ``n_jobs`` of a ``parallel_config``; inside a worker of joblib its share of the cores; else
        all cores, or ``OMP_NUM_THREADS`` of them where the environment sets that.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> with joblib.parallel_config(n_jobs=2):
    ...     threads(), threads(3)
    (2, 3)
    """
    backend, granted = get_active_backend()
    if n_jobs is not None or granted is not None:
        return joblib.effective_n_jobs(n_jobs)
    share = os.environ.get("OMP_NUM_THREADS", "")
    if share.isdecimal() and int(share):
        return min(int(share), joblib.cpu_count())
    return 1 if backend.nesting_level else joblib.cpu_count()


def _first_state(plan, params):
    tf = tensorflow()
    params = _each(lambda a: tf.cast(a, "float32"), params)
    M = next(iter(params.values()))[0].shape[0]
    zeros = _each(tf.zeros_like, params)
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
