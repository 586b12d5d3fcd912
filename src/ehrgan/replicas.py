"""Networks with a leading replica axis, trained together in one compiled loop.

Every weight carries a leading axis of M replicas: ``W`` has shape ``(M, in, out)``, ``b`` has shape
``(M, 1, out)``, a batch has shape ``(M, B, in)``, and a layer is still ``x @ W + b``.
One network is M = 1. Losses are sums over replicas, so gradients never mix, and Adam works cell by
cell, so a replica ends where it would have ended alone.
"""

import functools
import os
import sys
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone
from tqdm import tqdm

THREEFRY_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
THREEFRY_PARITY = 0x1BD11BDA
ORDER_CELLS = 2**22  # cells of a chunk's batch orders: 16 MiB of int32
MEMORY_BUDGET = (
    2**30
)  # bytes of records that one compiled call may hold before replicas are chunked


@contextmanager
def _quiet_stderr():
    """Send file descriptor 2 to nowhere: TensorFlow's C++ start-up lines ignore ``sys.stderr``."""
    sys.stderr.flush()
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


@functools.cache
def tensorflow():
    """Import TensorFlow on first use, without its start-up lines.

    Returns
    -------
    module
        TensorFlow. Importing ``ehrgan`` alone does not load it.

    Examples
    --------
    >>> from ehrgan.replicas import tensorflow
    >>> tensorflow().__name__
    'tensorflow'
    """
    with _quiet_stderr():
        import tensorflow as tf

        tf.zeros(1)  # opens the devices, which is when the last of those lines are printed
    return tf


# --- layers ---------------------------------------------------------------------------------------


def init_layers(seeds, sizes):
    """Draw the weights of M dense networks, each from its own seed (Glorot uniform, zero biases).

    Parameters
    ----------
    seeds : sequence of M numpy.random.SeedSequence
        One per replica.
    sizes : sequence of int
        Units of each layer, input first.

    Returns
    -------
    list of ndarray
        ``[W1, b1, W2, b2, ...]`` with shapes ``(M, in, out)`` and ``(M, 1, out)``, float32.

    References
    ----------
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010, equation 16.

    Examples
    --------
    >>> import numpy as np
    >>> from ehrgan.replicas import init_layers
    >>> [p.shape for p in init_layers([np.random.SeedSequence(0)], (30, 50, 2))]
    [(1, 30, 50), (1, 1, 50), (1, 50, 2), (1, 1, 2)]
    """
    generators = [np.random.default_rng(seed) for seed in seeds]
    layers = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
        limit = np.sqrt(6 / (n_in + n_out))
        W = np.stack([rng.uniform(-limit, limit, (n_in, n_out)) for rng in generators])
        layers += [W.astype(np.float32), np.zeros((len(generators), 1, n_out), np.float32)]
    return layers


def forward(x, layers, *, xp=np):
    """Pass a batch through dense layers: ReLU between them, a linear output.

    Parameters
    ----------
    x : array or tensor of shape (M, B, in)
        A batch for each replica; ``(B, in)`` broadcasts to all of them.
    layers : list
        ``[W1, b1, ...]`` as :func:`init_layers` makes them.
    xp : module, default=numpy
        ``numpy`` or TensorFlow: one definition serves training and prediction.

    Returns
    -------
    array or tensor of shape (M, B, out)

    Examples
    --------
    >>> import numpy as np
    >>> from ehrgan.replicas import forward
    >>> W, b = np.ones((1, 2, 1)), np.zeros((1, 1, 1))
    >>> forward(np.array([[[1.0, 2.0]]]), [W, b])
    array([[[3.]]])
    """
    for i in range(0, len(layers), 2):
        W, b = layers[i], layers[i + 1]
        x = x @ W + b
        if i + 2 < len(layers):
            x = xp.maximum(x, 0.0)
    return x


# --- random numbers: one stream per replica -------------------------------------------------------


def threefry(key, counter, *, rounds=20):
    """Threefry-2x32: random bits as a pure function of a key and a counter.

    A replica's noise depends on its key and its own step count, never on its company.

    Parameters
    ----------
    key : pair of uint32 tensors
    counter : pair of uint32 tensors
        Broadcast against the key.
    rounds : int, default=20
        Rounds of mixing, a multiple of 4.

    Returns
    -------
    pair of uint32 tensors

    References
    ----------
    Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Their known-answer
    vectors are in the tests.

    Examples
    --------
    >>> from ehrgan.replicas import tensorflow, threefry
    >>> zero = tensorflow().zeros(1, "uint32")
    >>> [hex(int(bits[0])) for bits in threefry((zero, zero), (zero, zero))]
    ['0x6b200159', '0x99ba4efe']
    """
    tf = tensorflow()
    bits, u32 = tf.bitwise, functools.partial(tf.constant, dtype="uint32")
    keys = (*key, bits.bitwise_xor(bits.bitwise_xor(*key), u32(THREEFRY_PARITY)))
    x0, x1 = counter[0] + keys[0], counter[1] + keys[1]
    for i in range(rounds):
        r = THREEFRY_ROTATIONS[i % 8]
        x0 = x0 + x1
        rotated = bits.bitwise_or(bits.left_shift(x1, u32(r)), bits.right_shift(x1, u32(32 - r)))
        x1 = bits.bitwise_xor(rotated, x0)
        if i % 4 == 3:
            s = i // 4 + 1
            x0 = x0 + keys[s % 3]
            x1 = x1 + keys[(s + 1) % 3] + u32(s)
    return x0, x1


class Noise(NamedTuple):
    """The random numbers of one training step: a key and a step count for each replica.

    Parameters
    ----------
    key : uint32 tensor of shape (M, 2)
    t : int32 tensor of shape (M,)
        Steps that the replica has taken; each draw within a step has a ``stream`` of its own.
    """

    key: object
    t: object

    def _bits(self, n, stream):
        tf = tensorflow()
        index = tf.cast(tf.range(n)[None], "uint32")
        step = tf.cast(self.t[:, None] * 16 + stream, "uint32")
        bits = threefry((self.key[:, :1], self.key[:, 1:]), (index, step), rounds=12)
        # 24 bits fill a float32; int32 on the way because uint32 -> float32 does not vectorise
        shift = tf.constant(8, "uint32")
        return [
            tf.cast(tf.cast(tf.bitwise.right_shift(b, shift), "int32"), "float32") for b in bits
        ]

    def uniform(self, shape, stream=0):
        """Draw uniforms on [0, 1) of shape ``(M, *shape)``."""
        tf = tensorflow()
        n = int(np.prod(shape))
        half = -(-n // 2)
        u = tf.concat(self._bits(half, stream), axis=1)[:, :n] * (1 / 2**24)
        return tf.reshape(u, (-1, *shape))

    def normal(self, shape, stream=0):
        """Draw standard normals of shape ``(M, *shape)`` (Box-Muller)."""
        tf = tensorflow()
        n = int(np.prod(shape))
        u, v = self._bits(-(-n // 2), stream)
        radius = tf.sqrt(-2.0 * tf.math.log((u + 0.5) * (1 / 2**24)))
        angle = v * (2 * np.pi / 2**24)
        z = tf.concat([radius * tf.cos(angle), radius * tf.sin(angle)], axis=1)[:, :n]
        return tf.reshape(z, (-1, *shape))


# --- Adam -----------------------------------------------------------------------------------------


def learning_rate(t, hyper):
    """Rate of step ``t``: constant, or falling to zero along half a cosine where ``decay`` is 1."""
    tf = tensorflow()
    done = tf.minimum(tf.cast(t, "float32") / hyper["total_steps"], 1.0)
    return hyper["learning_rate"] * (1 - hyper["decay"] * (0.5 - 0.5 * tf.cos(np.pi * done)))


def adam(params, grads, m, v, t, hyper, active):
    """One step of Adam, per replica; a replica that is not active stays as it is.

    Parameters
    ----------
    params, grads, m, v : list of float32 tensors of shape (M, ...)
        Weights, gradients, first and second moments.
    t : int32 tensor of shape (M,)
        Steps taken before this one.
    hyper : dict of float32 tensors of shape (M,)
        ``beta_1`` and what :func:`learning_rate` needs, each replica's own.
    active : float32 tensor of shape (M,)
        1 to step, 0 to stand still.

    Returns
    -------
    tuple of three lists
        New ``params``, ``m``, ``v``.

    References
    ----------
    Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
    """
    tf = tensorflow()
    beta_2, epsilon = 0.999, 1e-7
    step = tf.cast(t + 1, "float32")
    rate = learning_rate(t, hyper) * tf.sqrt(1 - beta_2**step) / (1 - hyper["beta_1"] ** step)
    first, second = active * (1 - hyper["beta_1"]), active * (1 - beta_2)
    rate, first, second = (a[:, None, None] for a in (active * rate, first, second))
    m = [a + first * (g - a) for a, g in zip(m, grads, strict=True)]
    v = [a + second * (g * g - a) for a, g in zip(v, grads, strict=True)]
    moved = zip(params, m, v, strict=True)
    return [p - rate * a / (tf.sqrt(c) + epsilon) for p, a, c in moved], m, v


def gradient_descent(params, grads, m, v, t, hyper, active):
    """One step of gradient descent with momentum ``beta_1``; arguments as in :func:`adam`."""
    keep = hyper["beta_1"][:, None, None]
    rate, active = (active * learning_rate(t, hyper))[:, None, None], active[:, None, None]
    m = [a + active * (keep * a + g - a) for a, g in zip(m, grads, strict=True)]
    return [p - rate * a for p, a in zip(params, m, strict=True)], m, v


OPTIMIZERS = {"adam": adam, "sgd": gradient_descent}

# --- the compiled training loop -------------------------------------------------------------------


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


def _train_step(plan, state, data, starts, index, key, hyper):
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
            return step + 1, _train_step(plan, state, data, starts, index, key, hyper)

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
    >>> from ehrgan.replicas import padded_length
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
    >>> from ehrgan.replicas import end_to_end
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


def no_bars():
    """Whether the environment asks for no progress bars: it sets ``CI`` or ``TQDM_DISABLE``.

    Examples
    --------
    >>> no_bars() in (True, False)
    True
    """
    return bool(os.environ.get("CI") or os.environ.get("TQDM_DISABLE"))


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


def chunks(n_replicas, bytes_per_replica, max_replicas=None):
    """Split replicas into runs of near-equal size that fit the memory budget.

    Parameters
    ----------
    n_replicas : int
        Replicas to train, at least 1.
    bytes_per_replica : int
        Bytes of records that one replica holds.
    max_replicas : int or None, default=None
        Most replicas at once; None lets :data:`MEMORY_BUDGET` decide.

    Returns
    -------
    list of ndarray
        Indices of each run.

    Examples
    --------
    >>> from ehrgan.replicas import chunks
    >>> [c.tolist() for c in chunks(5, 1, max_replicas=2)]
    [[0, 1], [2, 3], [4]]
    """
    most = max_replicas or max(1, MEMORY_BUDGET // max(1, bytes_per_replica))
    return np.array_split(np.arange(n_replicas), -(-n_replicas // most))


# --- what both estimators share -------------------------------------------------------------------


def canonical_order(X, c=None):
    """Order records by a hash of their cells, so that a fit does not depend on the order given.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    c : int ndarray of shape (n,), optional
        Class of each record.

    Returns
    -------
    int ndarray of shape (n,)
        Equal records lie side by side.

    Examples
    --------
    >>> import numpy as np
    >>> from ehrgan.replicas import canonical_order
    >>> X = np.array([[3.0], [1.0], [2.0]])
    >>> same = X[canonical_order(X)] == X[::-1][canonical_order(X[::-1])]
    >>> bool(same.all())
    True
    """
    digest = np.zeros(len(X), np.uint64)
    columns = list(X.T) if c is None else [*X.T, c]
    for column in columns:
        cells = pd.util.hash_array(np.ascontiguousarray(column, np.float64))
        digest = digest * np.uint64(0x9E3779B97F4A7C15) + cells
    return np.argsort(digest, kind="stable")


class Template(NamedTuple):
    """How a table came in, so that another can go out in the same dress.

    Parameters
    ----------
    columns : list or None
        Column names of a DataFrame.
    dtypes : list of str or None
        Their types, or the one type of an integer or boolean array.
    """

    columns: list | None
    dtypes: list | None

    @classmethod
    def of(cls, X):
        """Remember the columns and types of X."""
        if isinstance(X, pd.DataFrame):
            return cls(list(X.columns), [str(t) for t in X.dtypes])
        kind = getattr(getattr(X, "dtype", None), "kind", "f")
        return cls(None, [str(X.dtype)] if kind in "iub" else None)

    def dress(self, X):
        """Return float64 X as a DataFrame, an integer array or an array, as the template was."""
        if self.columns is None:
            return X if self.dtypes is None else X.astype(self.dtypes[0])
        frame = pd.DataFrame(X, columns=self.columns)
        return frame.astype(dict(zip(self.columns, self.dtypes, strict=True)))


def clones_for(estimator, datasets, params):
    """Clone an estimator once per dataset, each with its own parameters."""
    if not datasets:
        raise ValueError("datasets is empty; fit_many needs at least one dataset.")
    params = [{}] * len(datasets) if params is None else list(params)
    if len(params) != len(datasets):
        raise ValueError(f"params has {len(params)} entries for {len(datasets)} datasets.")
    return [clone(estimator).set_params(**p) for p in params]


def unpack(dataset, i, names):
    """Return a dataset's parts, or say which dataset is not the tuple it should be."""
    if not isinstance(dataset, tuple | list) or not 2 <= len(dataset) <= len(names):
        raise ValueError(f"datasets[{i}] must be a tuple ({', '.join(names)}), the last optional.")
    return dataset


def check_same(what, values):
    """Refuse datasets that cannot share a replica axis, naming the first that differs."""
    for i, value in enumerate(values):
        if value != values[0]:
            raise ValueError(
                f"datasets[{i}] has another {what} ({value}) than datasets[0] ({values[0]}); "
                "networks that are trained together need the same."
            )


def train_in_groups(models, parts, signature, bytes_of, run):
    """Train together the models that may share a compiled loop, in runs that fit the memory.

    Parameters
    ----------
    models : list of estimators
        With parameters ``n_members`` and ``max_replicas``.
    parts : list
        What each model brings to its training run.
    signature : callable
        ``signature(model)``: models of equal signature share a loop.
    bytes_of : callable
        ``bytes_of(model, part)``: bytes of records that the model holds in training.
    run : callable
        ``run(models, parts)`` trains one run.
    """
    groups = {}
    for i, model in enumerate(models):
        key = (signature(model), model.n_members, model.max_replicas, model.verbose)
        groups.setdefault(key, []).append(i)
    for group in groups.values():
        model = models[group[0]]
        size = max(bytes_of(models[i], parts[i]) for i in group)
        limit = model.max_replicas and max(1, model.max_replicas // model.n_members)
        for chosen in chunks(len(group), size, limit):
            run([models[group[i]] for i in chosen], [parts[group[i]] for i in chosen])


def mean_history(history, names):
    """Average the history of a model's members, epoch by epoch, as long as any of them trained."""
    alive = ~np.isnan(history).all(axis=(1, 2))
    mean = np.nanmean(history[alive], axis=1)
    return dict(zip(names[: mean.shape[1]], mean.T, strict=True))
