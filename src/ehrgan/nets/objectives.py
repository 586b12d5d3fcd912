"""What one minibatch teaches: the losses of each method, and how an autoencoder loses cells."""

from dataclasses import dataclass

import numpy as np

from .backend import tensorflow
from .engine import Problem
from .losses import (
    acgan_losses,
    class_log_likelihood,
    joint_losses,
    reconstruction_loss,
    source_log_likelihood,
)
from .networks import Autoencoder, Discriminator, Generator

__all__ = [
    "AdversarialObjective", "JointObjective", "ReconstructionObjective", "asked_classes",
    "hidden_cells",
]  # fmt: skip

CLASS_CONDITIONS = ("batch", "balanced", "opposite")
LEAST_WEIGHT = 1e-9  # of a class beside the mean of all, so that a level can be found

MOST_HIDDEN = 0.5  # greatest share of cells that are hidden at random in training
LOOKED_UP = 512  # records among which a training step looks for neighbours


@dataclass(frozen=True)
class AdversarialObjective(Problem):
    """Both networks' losses on one minibatch: equations 4 and 5.

    Parameters
    ----------
    G : Generator
    D : Discriminator
    class_loss, generator_loss : str
        As in :func:`~ehrgan.nets.losses.acgan_losses`.
    criterion : {"loss", "error"}
        What validation measures: the class loss, or the share of records called wrongly.
    class_conditions : {"batch", "balanced", "opposite"}, default="batch"
    class_weights : tuple of float, default=()
        See :func:`asked_classes`.
    """

    G: Generator
    D: Discriminator
    class_loss: str
    generator_loss: str
    criterion: str
    class_conditions: str = "batch"
    class_weights: tuple = ()
    terms = ("L_S_real", "L_S_fake", "L_C_real", "L_C_fake", "loss_D", "loss_G")

    def objectives(self, params, batch, weight, noise, hyper):
        """Losses of D and G on real records and as many fake ones."""
        tf = tensorflow()
        x_real, c = batch["X"], batch["c"]
        asked = self.G.n_classes, self.class_conditions, self.class_weights
        c_fake = asked_classes(c, weight, noise, *asked)
        z = noise.normal((c.shape[1], self.G.noise_dim))
        x_fake = self.G(params["G"], z, c_fake, xp=tf)
        S, C = self.D(params["D"], tf.concat([x_real, x_fake], 1), xp=tf)
        (s_real, s_fake), (C_real, C_fake) = tf.split(S, 2, 1), tf.split(C, 2, 1)
        L_S = {
            "real": source_log_likelihood(s_real, True, weight),
            "fake": source_log_likelihood(s_fake, False, weight),
            "fooled": source_log_likelihood(s_fake, True, weight),
        }
        L_C = {
            "real": class_log_likelihood(C_real, c, weight),
            "fake": class_log_likelihood(C_fake, c_fake, weight),
        }
        if self.D.fake_classes:
            K = self.D.n_classes
            L_C |= {"fake": class_log_likelihood(C_fake, K + c_fake, weight), "fooled": L_C["fake"]}
        loss_D, loss_G = acgan_losses(
            L_S, L_C, adversarial_weight=hyper["adversarial_weight"],
            class_loss=self.class_loss, generator_loss=self.generator_loss,
        )  # fmt: skip
        losses = {"D": loss_D + weight_decay(params["D"], hyper), "G": loss_G}
        seen = (L_S["real"], L_S["fake"], L_C["real"], L_C["fake"], loss_D, loss_G)
        return losses, tf.stack(seen, axis=1)

    def validation(self, params, data):
        """Class loss, or share of wrong calls, on records that do not teach."""
        tf = tensorflow()
        _, C = self.D(params["D"], data["X"], xp=tf)
        return _class_error(self.D.of_real(C), data, self.criterion)


def asked_classes(c, weight, noise, n_classes, conditions, class_weights=()):
    """Classes that the generator is asked for beside a minibatch of real records.

    Parameters
    ----------
    c : int tensor of shape (M, B)
        Classes of the real records, 0 to K - 1.
    weight : tensor of shape (M, B)
        0 where the minibatch holds no record.
    noise : ehrgan.nets.noise.Noise
        Random numbers of the step.
    n_classes : int
        K, at least 2.
    conditions : {"batch", "balanced", "opposite"}
        The classes of the real records; each class equally often; or what makes real and fake
        records together as balanced as they can be. With two classes that is the other class of
        each record. With more, a class of which the minibatch holds more than its share of both is
        not asked for, and the others are raised to one level.
    class_weights : sequence of K floats, default=()
        How much each class is to weigh beside the others, at least 0 and one of them above: shares
        are in proportion to them in place of equal.

    Returns
    -------
    int tensor of shape (M, B)

    Notes
    -----
    Where a class is due a broken number of places, chance rounds it up or down, and is right on
    average.

    References
    ----------
    "Batch" is section "Disease Prediction" of the paper, "opposite" its section "Limitations and
    Future Work". "Balanced" is what BAGAN asks for (Mariani et al., 2018).

    Examples
    --------
    >>> from ehrgan.nets.backend import tensorflow
    >>> from ehrgan.nets.noise import Noise
    >>> noise = Noise(tensorflow().zeros((1, 2), "uint32"), tensorflow().zeros(1, "int32"))
    >>> c, weight = tensorflow().constant([[0, 0, 0, 1]]), tensorflow().fill((1, 4), 0.25)
    >>> asked_classes(c, weight, noise, 2, "opposite").numpy().tolist()
    [[1, 1, 1, 0]]
    >>> asked_classes(c, weight, noise, 2, "balanced").numpy().tolist()
    [[0, 0, 1, 1]]
    >>> asked_classes(c, weight, noise, 2, "balanced", (1.0, 3.0)).numpy().tolist()
    [[0, 1, 1, 1]]
    """
    tf = tensorflow()
    if conditions == "batch":
        return c
    if conditions == "opposite" and n_classes == 2 and not class_weights:
        return 1 - c
    widths = np.float32(class_weights or np.ones(n_classes))
    widths = np.maximum(widths / widths.mean(), LEAST_WEIGHT)
    there = tf.cast(weight > 0, "float32")
    n = tf.reduce_sum(there, axis=1, keepdims=True)
    beside = tf.reduce_sum(there[..., None] * tf.one_hot(c, n_classes), axis=1)
    if conditions == "balanced":
        beside = 0.0 * beside
    # water rises over the counts of the real records, each class as wide as it weighs, until n
    # places are under it
    order = tf.argsort(beside / widths, axis=1)
    filled = n + tf.cumsum(tf.gather(beside, order, batch_dims=1), axis=1)
    level = filled / tf.cumsum(tf.gather(widths, order), axis=1)
    level = tf.reduce_min(level, axis=1, keepdims=True)
    ends = tf.cumsum(tf.maximum(level * widths - beside, 0.0), axis=1)[:, None, :-1]
    places = tf.range(c.shape[1], dtype="float32") + noise.uniform((1,), stream=1)
    return tf.reduce_sum(tf.cast(places[..., None] >= ends, "int32"), axis=2)


@dataclass(frozen=True)
class ReconstructionObjective(Problem):
    """The reconstruction error of one minibatch (equation 1), of hidden cells where some are.

    Parameters
    ----------
    AE : Autoencoder
    corrupts : bool
        Whether known cells are hidden from the network, and the loss measured on them.
    pattern_share : float
        See :func:`hidden_cells`.
    visible_weight : float
        Weight in the loss of cells that stay visible, beside the hidden ones.
    """

    AE: Autoencoder
    corrupts: bool
    pattern_share: float
    visible_weight: float
    terms = ("reconstruction",)

    def draw(self, table, index, noise):
        """Rows of each replica's batch, rows drawn for their holes, and rows to look up."""
        tf = tensorflow()
        batch = {"X": tf.gather(table.data["X"], table.starts[:, None] + index)}
        n = tf.cast(table.lengths, "float32")[:, None]
        if self.corrupts:
            donor = tf.cast(noise.uniform((index.shape[1],), stream=1) * n, "int32")
            batch["donor"] = tf.gather(table.data["X"], table.starts[:, None] + donor)
        if self.AE.neighbours:
            chosen = drawn_rows(table, LOOKED_UP, noise, stream=4)
            batch["records"] = tf.gather(table.data["X"], table.starts[:, None] + chosen)
            batch["apart"] = tf.cast(chosen[:, None, :] != index[:, :, None], "float32")
        return batch

    def objectives(self, params, batch, weight, noise, hyper):
        """Mean over passes of the error on the cells that count."""
        tf = tensorflow()
        x, known = zeros_in_holes(batch["X"])
        seen, cells = known, known
        if self.corrupts:
            hidden = hidden_cells(batch["donor"], noise, self.pattern_share, self.AE.categories)
            seen = known * (1 - hidden)
            cells = known - seen + self.visible_weight * seen
        weights = self._with_records(params["AE"], batch)
        outs = self.AE(weights, x * seen, seen, batch.get("apart"), xp=tf)
        cells = cells * tf.cast(weight > 0, "float32")[..., None]
        losses = [reconstruction_loss(x_out, x, cells, self.AE.categories) for x_out in outs]
        loss = tf.add_n(losses) / self.AE.n_passes
        layers = params["AE"][:-2] if self.AE.neighbours else params["AE"]  # a metric is no layer
        return {"AE": loss + weight_decay(layers, hyper)}, losses[-1][:, None]

    def validation(self, params, data):
        """Error of the last pass on cells that are hidden throughout."""
        tf = tensorflow()
        x, known = zeros_in_holes(data["X"])
        seen = known * (1 - data["hide"])
        x_out = self.AE(self._with_records(params["AE"], data), x * seen, seen, xp=tf)[-1]
        return reconstruction_loss(x_out, x, data["cells"], self.AE.categories)

    def _with_records(self, weights, tables):
        return [*weights, tables["records"]] if self.AE.neighbours else weights


@dataclass(frozen=True)
class JointObjective(Problem):
    """Losses of an imputer that is the generator, and of the discriminator: equations 1, 4 and 5.

    Parameters
    ----------
    G : Autoencoder
        Told which cells it sees, with noise.
    D : Discriminator
    pattern_share : float
        See :func:`hidden_cells`.
    class_loss : str
    stop_gradient : bool
        As in :func:`~ehrgan.nets.losses.joint_losses`.
    criterion : {"loss", "error"}
        As for :class:`AdversarialObjective`.
    """

    G: Autoencoder
    D: Discriminator
    pattern_share: float
    class_loss: str
    stop_gradient: bool
    criterion: str
    terms = ("L_R", "L_S_real", "L_S_fake", "L_C_real", "L_C_fake", "loss_D", "loss_G")

    def draw(self, table, index, noise):
        """Rows of each replica's batch, and rows drawn for their holes."""
        rows = table.starts[:, None] + drawn_rows(table, index.shape[1], noise, stream=1)
        donor = tensorflow().gather(table.data["X"], rows)
        return {**super().draw(table, index, noise), "donor": donor}

    def objectives(self, params, batch, weight, noise, hyper):
        """Losses of D and G on records as they are, and after more of their cells were hidden."""
        tf = tensorflow()
        (x, known), c = zeros_in_holes(batch["X"]), batch["c"]
        hidden = hidden_cells(batch["donor"], noise, self.pattern_share, self.G.categories)
        left = known * (1 - hidden)
        z = noise.normal((2 * c.shape[1], self.G.noise_dim))
        both = tf.concat([x, x * left], 1), tf.concat([known, left], 1)
        x_fill, x_out = self.filled(params["G"], *both, z, xp=tf)
        S, C = self.D(params["D"], x_fill, xp=tf)
        (s_real, s_fake), (C_real, C_fake) = tf.split(S, 2, 1), tf.split(C, 2, 1)
        cells = (known - left) * tf.cast(weight > 0, "float32")[..., None]
        L_R = reconstruction_loss(tf.split(x_out, 2, 1)[1], x, cells, self.G.categories)
        L_S = {
            "real": source_log_likelihood(s_real, True, weight),
            "fake": source_log_likelihood(s_fake, False, weight),
        }
        told = shares_of(weight * tf.cast(c >= 0, "float32"))  # -1: nobody knows the class
        L_C = {
            "real": class_log_likelihood(C_real, c, told),
            "fake": class_log_likelihood(C_fake, c, told),
        }
        loss_D, loss_G = joint_losses(
            L_R, L_S, L_C, reconstruction_weight=hyper["reconstruction_weight"],
            adversarial_weight=hyper["adversarial_weight"], class_loss=self.class_loss,
            stop_gradient=self.stop_gradient,
        )  # fmt: skip
        losses = {"D": loss_D + weight_decay(params["D"], hyper), "G": loss_G}
        seen = (L_R, L_S["real"], L_S["fake"], L_C["real"], L_C["fake"], loss_D, loss_G)
        return losses, tf.stack(seen, axis=1)

    def filled(self, weights, x, seen, z, *, xp):
        """Records with G's estimates in their holes, and what G put out."""
        x_out = self.G(weights, x, seen, z=z, xp=xp)[-1]
        return x + (1 - seen) * self.G.expected(x_out, xp=xp), x_out

    def validation(self, params, data):
        """Class loss, or share of wrong calls, on records that do not teach; without noise."""
        tf = tensorflow()
        x, known = zeros_in_holes(data["X"])
        z = tf.zeros((*x.shape[:2], self.G.noise_dim))
        x_fill, _ = self.filled(params["G"], x, known, z, xp=tf)
        _, C = self.D(params["D"], x_fill, xp=tf)
        return _class_error(C, data, self.criterion)


def drawn_rows(table, n, noise, stream):
    """Draw n rows of each replica's own table, as often as it learns from them."""
    tf = tensorflow()
    places = tf.reshape(table.orders, (table.orders.shape[0], -1))
    lengths = tf.cast(table.lengths, "float32")[:, None]
    place = tf.cast(noise.uniform((n,), stream=stream) * lengths, "int32")
    return tf.gather(places, place, batch_dims=1)


def hidden_cells(donor, noise, pattern_share, categories=None):
    """Draw which cells to hide in training: holes of other records, or cells at a random rate.

    Parameters
    ----------
    donor : tensor of shape (M, B, d)
        Records drawn at random, NaN in their holes.
    noise : ehrgan.nets.noise.Noise
        Random numbers of the step.
    pattern_share : float
        Share of the records that take the holes of their donor; the others lose cells at random,
        at a rate drawn uniformly from 0 to :data:`MOST_HIDDEN` for each record.
    categories : ehrgan.nets.categories.Categories, optional
        Columns that are lost together.

    Returns
    -------
    tensor of shape (M, B, d)
        1 where the cell is to be hidden.
    """
    tf = tensorflow()
    B, d = donor.shape[1:]
    pattern = tf.cast(tf.math.is_nan(donor), "float32")
    u = noise.uniform((B, 2), stream=2)
    rate = MOST_HIDDEN * u[..., 1:]
    v = noise.uniform((B, d), stream=3)
    if categories:
        v = tf.gather(v, categories.leading, axis=-1)
    at_random = tf.cast(v < rate, "float32")
    return tf.where(u[..., :1] < pattern_share, pattern, at_random)


def _class_error(C, data, criterion):
    """Class loss of the records to validate on, or the share of them that is called wrongly."""
    tf = tensorflow()
    if criterion == "loss":
        return -class_log_likelihood(C, data["c"], data["weight"])
    C = tf.concat([tf.zeros_like(C[..., :1]), C], axis=-1)
    wrong = tf.argmax(C, axis=-1, output_type="int32") != data["c"]
    return tf.reduce_sum(data["weight"] * tf.cast(wrong, "float32"), axis=1)


def weight_decay(weights, hyper):
    """l2 / 2 times the squared weights of each replica; biases are left alone."""
    tf = tensorflow()
    squares = [tf.reduce_sum(W * W, (1, 2)) for W in weights[::2]]
    return hyper["l2"] / 2 * tf.add_n(squares)


def shares_of(weight):
    """Weights that add up to one over each replica's batch, or stay 0 where there are none."""
    tf = tensorflow()
    return weight / tf.maximum(tf.reduce_sum(weight, axis=1, keepdims=True), 1e-9)


def zeros_in_holes(X):
    """Records with 0 in their holes, and 1 where a cell is known."""
    tf = tensorflow()
    holes = tf.math.is_nan(X)
    return tf.where(holes, 0.0, X), 1.0 - tf.cast(holes, "float32")
