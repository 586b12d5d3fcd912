"""Optimisers that step every replica by itself."""

import numpy as np

from .backend import tensorflow


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
