"""The same AC-GANs in JAX: ``vmap`` over the replicas, ``scan`` over epochs and minibatches."""

from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np


def first_weights(key, noise_dim=10, n_classes=2, hidden=50, d=30):
    """Draw the first weights of one generator and one discriminator."""
    shapes = [(noise_dim + n_classes, hidden), (hidden, d), (d, hidden), (hidden, 2)]
    glorot = jax.nn.initializers.glorot_uniform()
    keys = jax.random.split(key, 4)
    layers = [(glorot(k, s), jnp.zeros(s[1])) for k, s in zip(keys, shapes, strict=True)]
    return {"G": layers[:2], "D": layers[2:]}


def network(layers, x):
    """Pass through one hidden layer."""
    (W1, b1), (W2, b2) = layers
    return jax.nn.relu(x @ W1 + b1) @ W2 + b2


def objectives(params, x, c, weight, z):
    """Equations 4 and 5 on one minibatch: L_S and L_C."""
    n, sign = len(x), 2 * c - 1
    fake = network(params["G"], jnp.concatenate([z, jax.nn.one_hot(c, 2)], 1))
    out = network(params["D"], jnp.concatenate([x, jax.nn.sigmoid(fake)]))
    s, k = out.T
    wrong = jax.nn.softplus
    L_S = -jnp.sum(weight * (wrong(-s[:n]) + wrong(s[n:])))
    L_C = -jnp.sum(weight * (wrong(-sign * k[:n]) + wrong(-sign * k[n:])))
    return L_S, L_C


def adam(params, gradients, m, v, t, rate=1e-3, beta_1=0.9, beta_2=0.999, tiny=1e-7):
    """Adam's step t, counted from 1."""
    m = jax.tree.map(lambda m, g: beta_1 * m + (1 - beta_1) * g, m, gradients)
    v = jax.tree.map(lambda v, g: beta_2 * v + (1 - beta_2) * g * g, v, gradients)
    rate = rate * jnp.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + tiny), params, m, v), m, v


def step(carry, batch):
    """One minibatch: one way forward, and both networks' gradients from one way back each."""
    params, m, v, t = carry
    _, pull = jax.vjp(lambda p: objectives(p, *batch), params)
    gradients = {"D": pull((-1.0, -1.0))[0]["D"], "G": pull((1.0, -1.0))[0]["G"]}
    return (*adam(params, gradients, m, v, t + 1), t + 1), None


def training(n, epochs, batch_size=64, noise_dim=10):
    """Compile the training of any number of replicas on n records each, for some epochs."""
    steps = -(-n // batch_size)
    full = jnp.concatenate([jnp.ones(n), jnp.zeros(steps * batch_size - n)])
    weight = full.reshape(steps, batch_size)
    weight = weight / weight.sum(1, keepdims=True)

    def train(key, X, y):
        first, later = jax.random.split(key)
        params = first_weights(first, noise_dim)
        zeros = jax.tree.map(jnp.zeros_like, params)

        def epoch(carry, key):
            shuffle, draw = jax.random.split(key)
            order = jnp.resize(jax.random.permutation(shuffle, n), (steps, batch_size))
            z = jax.random.normal(draw, (steps, batch_size, noise_dim))
            return jax.lax.scan(step, carry, (X[order], y[order], weight, z))

        start = (params, zeros, zeros, 0)
        (params, *_), _ = jax.lax.scan(epoch, start, jax.random.split(later, epochs))
        return params

    return jax.jit(jax.vmap(train))


class JaxACGANs:
    """AC-GANs on tables of equal length, in one call or in blocks on threads."""

    def __init__(self, folds, epochs):
        n = min(len(X) for X, _ in folds)  # vmap needs one length: a record less for some
        self.X = np.stack([X[:n] for X, _ in folds]).astype(np.float32)
        self.y = np.stack([y[:n] for _, y in folds]).astype(np.int32)
        self.keys = jax.random.split(jax.random.key(0), len(folds))
        self.run = training(n, epochs)

    def fit(self, width=None, threads=1):
        """Train all, `width` in a call; return the weights of each call."""
        width = width or len(self.X)

        def block(start):
            own = slice(start, start + width)
            return jax.block_until_ready(self.run(self.keys[own], self.X[own], self.y[own]))

        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(block, range(0, len(self.X), width)))
