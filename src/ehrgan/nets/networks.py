"""The three networks: generator, discriminator and autoencoder, each with its layers and shapes.

Sections "Disease Prediction" and "Missing Data Prediction" of the paper describe them; two heads on
a discriminator are from Odena, Olah and Shlens, ICML 2017.

A network here is its sizes. The weights come along at every call, with the replica axis in front,
so that one definition serves one network and a hundred, training (TensorFlow) and prediction
(NumPy).
"""

from dataclasses import dataclass

import numpy as np

from .categories import Categories
from .layers import forward, init_layers
from .neighbours import first_metric, near_mean

__all__ = ["Autoencoder", "Discriminator", "Generator"]


@dataclass(frozen=True)
class Generator:
    """G makes a record from noise and a class: X_fake = G(z, c).

    Layers: noise_dim + n_classes, hidden_units (ReLU), n_attributes.

    Parameters
    ----------
    noise_dim, n_classes, hidden_units, n_attributes : int
        Sizes, at least 1; two classes or more.
    output : {"linear", "sigmoid"}, default="linear"
        Activation of the output layer; sigmoid suits data scaled to [0, 1].

    Examples
    --------
    >>> from ehrgan.nets.networks import Generator
    >>> G = Generator(noise_dim=2, n_classes=2, hidden_units=3, n_attributes=2)
    >>> weights = [np.ones((1, 4, 3)), np.zeros((1, 1, 3)), np.ones((1, 3, 2)), np.zeros((1, 1, 2))]
    >>> G(weights, np.ones((1, 1, 2)), np.array([[1]]))
    array([[[9., 9.]]])
    """

    noise_dim: int
    n_classes: int
    hidden_units: int
    n_attributes: int
    output: str = "linear"

    def first_weights(self, seeds):
        """Draw ``[W1, b1, W2, b2]`` for each seed."""
        sizes = (self.noise_dim + self.n_classes, self.hidden_units, self.n_attributes)
        return init_layers(seeds, sizes)

    def __call__(self, weights, z, c, *, xp=np):
        """Make a record of class c (M, B) from each noise vector of z (M, B, noise_dim).

        Returns
        -------
        array or tensor of shape (M, B, n_attributes)
            Records in scaled units.
        """
        one_hot = xp.equal(c[..., None], np.arange(self.n_classes))
        one_hot = one_hot.astype(z.dtype) if xp is np else xp.cast(one_hot, z.dtype)
        x = forward(xp.concat([z, one_hot], axis=2), weights, xp=xp)
        return 0.5 * (1.0 + xp.tanh(0.5 * x)) if self.output == "sigmoid" else x


@dataclass(frozen=True)
class Discriminator:
    """D says of a record whether it is real (S) and of which class it is (C).

    Layers: n_attributes, hidden_units (ReLU), 1 for S and n_classes - 1 for C: log-odds against
    class 0, so that two classes need the one neuron that the paper gives them. Where it tells the
    classes of fake records from those of real ones, n_classes more, for those.

    Parameters
    ----------
    n_attributes, hidden_units, n_classes : int
        Sizes, at least 1; two classes or more.
    fake_classes : bool, default=False
        Whether the classes of fake records are classes of their own, K to 2 K - 1.

    Examples
    --------
    >>> from ehrgan.nets.networks import Discriminator
    >>> D = Discriminator(n_attributes=30, hidden_units=50, n_classes=3)
    >>> weights = D.first_weights([np.random.SeedSequence(0)])
    >>> S, C = D(weights, np.zeros((1, 7, 30)))
    >>> S.shape, C.shape
    ((1, 7), (1, 7, 2))
    """

    n_attributes: int
    hidden_units: int
    n_classes: int
    fake_classes: bool = False

    def first_weights(self, seeds):
        """Draw ``[W1, b1, W2, b2]`` for each seed."""
        n_outputs = self.n_classes * (2 if self.fake_classes else 1)
        return init_layers(seeds, (self.n_attributes, self.hidden_units, n_outputs))

    def __call__(self, weights, x, *, xp=np):
        """Judge the records x (M, B, n_attributes).

        Returns
        -------
        S : array or tensor of shape (M, B)
            Before the sigmoid: P(S = real | X) = sigmoid(S).
        C : array or tensor of shape (M, B, n_classes - 1)
            Log-odds of classes 1 to n_classes - 1 against class 0; with ``fake_classes`` to
            2 n_classes - 1.
        """
        out = forward(x, weights, xp=xp)
        return out[..., 0], out[..., 1:]

    def of_real(self, C):
        """Log-odds of the classes of a record that is real, (M, B, n_classes - 1)."""
        return C[..., : self.n_classes - 1]


@dataclass(frozen=True)
class Autoencoder:
    """The stacked autoencoder reconstructs a record from the cells that it sees.

    Layers: n_attributes (as many again for each of ``told`` and ``neighbours``) and noise_dim,
    hidden_layers (ReLU), n_attributes; beside them, if asked for, a linear map from input to
    output. With noise it is a generator that makes a record from what is seen of one.

    Parameters
    ----------
    n_attributes : int
        Attributes of a record, at least 1.
    hidden_layers : tuple of int
        Units of the hidden layers, each at least 1. The paper's are (20, 10, 20).
    told : bool
        Whether the network is told which cells it sees.
    linear_skip : bool
        Whether the linear map is there. It begins as the identity, and the layers beside it small.
    n_passes : int
        Passes, at least 1: each after the first sees the estimates of the last in the holes.
    groups : tuple
        Attributes that together code a category, see :class:`ehrgan.nets.categories.Categories`.
    neighbours : bool, default=False
        Whether it looks up records like the one at hand: their mean
        (:func:`~ehrgan.nets.neighbours.near_mean`) is what the first pass sees in the holes, and
        the layers see it in all cells.
    noise_dim : int, default=0
        Length of a noise vector z that the layers see as well.

    Examples
    --------
    >>> from ehrgan.nets.networks import Autoencoder
    >>> net = Autoencoder(30, (20, 10, 20), told=False, linear_skip=False, n_passes=1)
    >>> weights = net.first_weights([np.random.SeedSequence(0)])
    >>> [x_out.shape for x_out in net(weights, np.zeros((1, 7, 30)), np.ones((1, 7, 30)))]
    [(1, 7, 30)]
    """

    n_attributes: int
    hidden_layers: tuple
    told: bool
    linear_skip: bool
    n_passes: int
    groups: tuple = ()
    neighbours: bool = False
    noise_dim: int = 0

    @property
    def categories(self):
        """The categories among the attributes."""
        return Categories(self.n_attributes, self.groups)

    def first_weights(self, seeds):
        """Draw ``[W1, b1, ...]`` for each seed, then the linear map and the metric if asked for."""
        d, M = self.n_attributes, len(seeds)
        n_inputs = (1 + self.told + self.neighbours) * d + self.noise_dim
        weights = init_layers(seeds, (n_inputs, *self.hidden_layers, d))
        if self.linear_skip:
            weights[-2] *= 0.1  # begin near the identity: what is seen is returned as it is
            identity = np.tile(np.eye(d, dtype=np.float32), (M, 1, 1))
            weights += [identity, np.zeros((M, 1, d), np.float32)]
        return weights + (first_metric(M, d) if self.neighbours else [])

    def __call__(self, weights, x, seen, apart=None, z=None, *, xp=np):
        """Reconstruct the records x (M, B, n_attributes), 0 where ``seen`` is 0.

        With ``neighbours``, the records (M, S, n_attributes) to look up come last of the weights;
        ``apart`` (M, B, S) is 0 where one of them is x itself. ``z`` is (M, B, noise_dim), if any.

        Returns
        -------
        list of n_passes arrays or tensors of shape (M, B, n_attributes)
            The reconstruction after each pass; for a category what its probabilities are computed
            from, see :meth:`expected`.
        """
        near = []
        if self.neighbours:
            *weights, log_w, log_u, records = weights
            near = [near_mean(x, seen, records, [log_w, log_u], apart, xp=xp)]
        layers, skip = (weights[:-2], weights[-2:]) if self.linear_skip else (weights, None)
        beside = near + ([seen] if self.told else []) + ([z] if self.noise_dim else [])
        outs, x_in = [], x + (1.0 - seen) * near[0] if near else x
        for _ in range(self.n_passes):
            x_out = forward(xp.concat([x_in, *beside], axis=2), layers, xp=xp)
            if skip is not None:
                x_out = x_out + forward(x_in, skip, xp=xp)
            outs.append(x_out)
            x_in = x + (1.0 - seen) * self.expected(x_out, xp=xp)
        return outs

    def expected(self, x_out, *, xp=np):
        """The reconstruction with the probabilities of categories in their columns."""
        return self.categories.expected(x_out, xp=xp) if self.groups else x_out
