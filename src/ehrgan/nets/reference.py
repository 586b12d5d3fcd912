"""The training loop for one network, written out: no replica axis but of length one, no compiling.

Read this before :mod:`ehrgan.nets.engine`, which does the same for many networks at once. A test
holds the two equal to float tolerance; nothing else uses this one.
"""

import numpy as np

from .backend import tensorflow
from .engine import Table
from .noise import Noise

__all__ = ["train_one"]


def train_one(objective, params, data, n, seed, *, epochs, batch_size, hyper):
    """Train one network (or one pair) by minibatches with Adam.

    Parameters
    ----------
    objective : ehrgan.nets.engine.Problem
        The losses; a group's loss trains that group alone.
    params, seed, epochs, batch_size, hyper
        As for :func:`ehrgan.nets.engine.train`, of one replica.
    data : dict of ndarray
        Training records in the first n rows of each table.
    n : int
        Number of training records.

    Returns
    -------
    params : dict of list of ndarray (1, ...)
        Trained weights.
    history : ndarray of shape (epochs, terms)
        Mean of each loss term over the steps of an epoch.

    Notes
    -----
    Adam is that of :func:`ehrgan.nets.optimisers.adam`. Some 40 times as slow as the engine for one
    network.
    """
    tf = tensorflow()
    order_seed, noise_seed = seed.spawn(2)
    rng, key = np.random.default_rng(order_seed), noise_seed.generate_state(2, np.uint32)[None]
    hyper = {name: tf.constant([value], "float32") for name, value in hyper.items()}
    params = {g: [tf.constant(p, "float32") for p in layers] for g, layers in params.items()}
    moments = {g: [(0.0 * p, 0.0 * p) for p in layers] for g, layers in params.items()}
    table = Table(data, np.array([0]), np.array([n]))
    history, t = [], 0
    for _ in range(epochs):
        order, _, terms_of_steps = rng.permutation(n), rng.random(), []
        for start in range(0, n, batch_size):
            batch = order[start : start + batch_size]
            index = np.pad(batch, (0, batch_size - len(batch)))[None]  # the last batch is padded
            weight = np.float32(np.arange(batch_size) < len(batch))[None] / len(batch)
            noise = Noise(tf.constant(key), tf.constant([t]))
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(params)
                records = objective.draw(table, index, noise)
                losses, terms = objective.objectives(params, records, weight, noise, hyper)
            gradients = {g: tape.gradient(loss, params[g]) for g, loss in losses.items()}
            t += 1
            for g, grads in gradients.items():
                steps = [_adam(*each, t, hyper) for each in zip(moments[g], grads, strict=True)]
                params[g] = [p - step for p, (step, _) in zip(params[g], steps, strict=True)]
                moments[g] = [pair for _, pair in steps]
            terms_of_steps.append(terms[0])
        history.append(np.mean(terms_of_steps, axis=0))
    return {g: [p.numpy() for p in layers] for g, layers in params.items()}, np.array(history)


def _adam(moments, gradient, t, hyper):
    """The step of one array of weights, and its two moments after it."""
    (m, v), beta_1, beta_2 = moments, hyper["beta_1"], 0.999
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    rate = hyper["learning_rate"] * (1 - beta_2**t) ** 0.5 / (1 - beta_1**t)
    return rate * m / (v**0.5 + 1e-7), (m, v)
