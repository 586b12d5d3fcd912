"""Dense layers with a leading replica axis."""

import numpy as np


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
    >>> W, b = np.ones((1, 2, 1)), np.zeros((1, 1, 1))
    >>> forward(np.array([[[1.0, 2.0]]]), [W, b])
    array([[[3.]]])
    """
    for W, b in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        x = xp.maximum(x @ W + b, 0.0)
    return x @ layers[-2] + layers[-1]
