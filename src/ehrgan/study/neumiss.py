"""A network that sees holes and fills none: the theory's candidate beside imputing and diagnosing.

For a study of what imputing is good for, so it does no more than train and predict.
"""

from dataclasses import dataclass

import numpy as np

from ..nets.acgan import ACGANClassifier
from ..nets.backend import tensorflow
from ..nets.engine import Problem
from ..nets.joint import JointACGANClassifier
from ..nets.layers import init_layers
from ..nets.losses import class_log_likelihood
from ..nets.networks import Discriminator
from ..nets.objectives import shares_of, weight_decay, zeros_in_holes

__all__ = ["NeuMissClassifier", "NeuMissLayer"]

DEPTH = 5  # with first weights of spectral radius one half the series is then summed to a thirtieth
FIRST = 0.5  # that radius


@dataclass(frozen=True)
class NeuMissLayer:
    """Iterations that sum up, of what is seen, the series of an inverse that no pattern shares.

    The best prediction of Gaussian records, linear in them, needs the inverse of the covariance of
    the seen attributes, another one for each pattern of holes. With h = x - mu in seen cells and 0
    in holes, h <- seen (h W) + (x - mu) sums its Neumann series, with one W for all patterns.

    Parameters
    ----------
    n_attributes : int
        At least 1.
    depth : int, default=5
        Iterations, at least 0.

    References
    ----------
    Le Morvan, Josse, Moreau, Scornet and Varoquaux, "NeuMiss networks: differentiable programming
    for supervised learning with missing values", NeurIPS 2020; with the shared W of their "What's
    a good imputation to predict with missing values?", NeurIPS 2021.

    Examples
    --------
    >>> layer = NeuMissLayer(2, depth=1)
    >>> W, mu = np.array([[[0.0, 3.0], [2.0, 0.0]]]), np.array([[[1.0, 1.0]]])
    >>> x, seen = np.array([[[2.0, 2.0], [2.0, 0.0]]]), np.array([[[1.0, 1.0], [1.0, 0.0]]])
    >>> layer([W, mu], x, seen).tolist()
    [[[3.0, 4.0], [1.0, 0.0]]]
    """

    n_attributes: int
    depth: int = DEPTH

    def first_weights(self, seeds):
        """Draw ``[W, mu]`` for each seed; mu begins at the mean of scaled attributes."""
        W, mu = init_layers(seeds, (self.n_attributes, self.n_attributes))
        return [np.float32(FIRST) * W, mu]

    def __call__(self, weights, x, seen):
        """Pass records x (M, B, n_attributes) on, 0 where ``seen`` is 0; arrays or tensors."""
        W, mu = weights
        h = first = seen * (x - mu)
        for _ in range(self.depth):
            h = seen * (h @ W) + first
        return h


@dataclass(frozen=True)
class _ClassAlone(Problem):
    """The class loss of a layer with a discriminator behind it, on records as they are."""

    G: NeuMissLayer
    D: Discriminator
    terms = ("loss_D",)

    def objectives(self, params, batch, weight, noise, hyper):
        """Both groups of weights learn from the same loss."""
        tf = tensorflow()
        (x, seen), c = zeros_in_holes(batch["X"]), batch["c"]
        _, C = self.D(params["D"], self.G(params["G"], x, seen), xp=tf)
        told = shares_of(weight * tf.cast(c >= 0, "float32"))  # -1: nobody knows the class
        loss = -class_log_likelihood(C, c, told)
        return {"D": loss + weight_decay(params["D"], hyper), "G": loss}, loss[:, None]

    def filled(self, weights, x, seen, z, *, xp):
        """What the discriminator sees, in place of a filled record."""
        return self.G(weights, x, seen), None


class NeuMissClassifier(JointACGANClassifier):
    """A NeuMiss layer and, behind it, the network that tells the class in all AC-GANs here.

    Scaling, optimiser, epochs and penalty are those of
    :class:`~ehrgan.nets.joint.JointACGANClassifier`; what concerns imputing or the game has no
    effect, and ``impute`` and ``sample`` have no meaning.

    Examples
    --------
    >>> X, y = [[0.0, 1.0], [0.2, np.nan], [0.9, 5.0], [1.0, 4.0]], [0, 0, 1, 1]
    >>> NeuMissClassifier(epochs=40, random_state=0).fit(X, y).predict(X).tolist()
    [0, 0, 1, 1]
    """

    def _networks(self):
        d = len(self.kept_)
        return NeuMissLayer(d), Discriminator(d, self.hidden_units, len(self.classes_))

    def _objective(self):
        return _ClassAlone(*self._networks())

    _keep = ACGANClassifier._keep
