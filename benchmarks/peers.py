"""The same AC-GAN in Keras, from its best to its slowest, and a training step's floor.

All share the paper's networks: generator (noise, class)-50-30, discriminator 30-50-2, Adam.
What users would pick for a part of the work is here, too: scikit-learn's network, and processes.
"""

import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from ehrgan.nets.backend import tensorflow
from ehrgan.nets.engine import deal

tf = tensorflow()
keras = tf.keras


def networks(noise_dim=10, n_classes=2, hidden=50, d=30):
    """Return generator and discriminator as Keras models."""
    z, c = keras.Input((noise_dim,)), keras.Input((n_classes,))
    h = keras.layers.Dense(hidden, "relu")(keras.layers.Concatenate()([z, c]))
    generator = keras.Model([z, c], keras.layers.Dense(d, "sigmoid")(h))
    x = keras.Input((d,))
    h = keras.layers.Dense(hidden, "relu")(x)
    discriminator = keras.Model(x, [keras.layers.Dense(1)(h), keras.layers.Dense(1)(h)])
    return generator, discriminator


def cross_entropy(labels, logits):
    """Mean binary cross-entropy of logits."""
    labels = tf.cast(labels, "float32")
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, tf.squeeze(logits, 1)))


class KerasACGAN(keras.Model):
    """An AC-GAN with its own ``train_step``, to be trained by ``fit``."""

    def __init__(self, noise_dim=10, **compilation):
        super().__init__()
        self.noise_dim = noise_dim
        self.generator, self.discriminator = networks(noise_dim)
        self.g_optimizer, self.d_optimizer = keras.optimizers.Adam(), keras.optimizers.Adam()
        self.compile(**compilation)

    def train_step(self, data):
        """Equations 4 and 5 on one minibatch; a tape for each network, none that persists."""
        x, c = data
        n, one_hot = tf.shape(x)[0], tf.one_hot(c, 2)
        with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
            z = tf.random.normal((n, self.noise_dim))
            fake = self.generator([z, one_hot], training=True)
            s, k = self.discriminator(tf.concat([x, fake], 0), training=True)
            L_S = -cross_entropy(tf.ones(n), s[:n]) - cross_entropy(tf.zeros(n), s[n:])
            L_C = -cross_entropy(c, k[:n]) - cross_entropy(c, k[n:])
            loss_D, loss_G = -(L_C + L_S), -(L_C - L_S)
        for net, optimizer, tape, loss in (
            (self.discriminator, self.d_optimizer, d_tape, loss_D),
            (self.generator, self.g_optimizer, g_tape, loss_G),
        ):
            variables = net.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
        return {"loss_D": loss_D, "loss_G": loss_G}


def endless_batches(X, y, batch_size=64):
    """Feed Keras in the fastest way found: in memory, shuffled, all batches of one size."""
    records = tf.data.Dataset.from_tensor_slices((np.float32(X), np.int32(y)))
    endless = records.cache().shuffle(len(X)).repeat()
    return endless.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def keras_at_best(X, y, batch_size=64):
    """Return a function that trains the Keras AC-GAN for some epochs: compiled, eight steps a call.

    An epoch is as many batches as :func:`endless_batches` needs to show each record once.
    """
    steps = -(-len(X) // batch_size)
    model = KerasACGAN(jit_compile=True, steps_per_execution=steps)
    return fed_by_data(model, X, y, batch_size)


def fed_by_data(model, X, y, batch_size=64):
    """Return a function that trains a Keras model for some epochs on :func:`endless_batches`."""
    batches, steps = endless_batches(X, y, batch_size), -(-len(X) // batch_size)
    fit = {"steps_per_epoch": steps, "shuffle": False, "verbose": 0}
    return lambda epochs: model.fit(batches, epochs=epochs, **fit)


_COMPILED = {}  # a worker's own: its model stays compiled between tasks


def keras_in_worker(X, y, epochs):
    """Train the Keras AC-GAN in a process of its own; return the CPU seconds that took."""
    if len(X) not in _COMPILED:
        _COMPILED[len(X)] = keras_at_best(X, y)
        _COMPILED[len(X)](2)
    start = time.process_time()
    _COMPILED[len(X)](epochs)
    return time.process_time() - start


def perceptron(X, y, epochs, batch_size=64, hidden=50):
    """Train scikit-learn's network of the discriminator's size: a classifier, without a GAN.

    It has no generator, no fake records, no noise and one output in place of two, hence less than
    half of an AC-GAN's arithmetic.
    """
    model = MLPClassifier(
        (hidden,), batch_size=batch_size, max_iter=epochs, n_iter_no_change=epochs, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    assert model.n_iter_ == epochs
    return model


class TrainOnBatchACGAN:
    """The tutorials' style: two compiled models and ``train_on_batch`` in a Python loop."""

    def __init__(self, noise_dim=10):
        self.noise_dim = noise_dim
        self.generator, self.discriminator = networks(noise_dim)
        losses = [keras.losses.BinaryCrossentropy(from_logits=True) for _ in range(2)]
        self.discriminator.compile(keras.optimizers.Adam(), losses)
        z, c = (keras.Input(i.shape[1:]) for i in self.generator.inputs)
        self.discriminator.trainable = False
        self.combined = keras.Model([z, c], self.discriminator(self.generator([z, c])))
        self.combined.compile(keras.optimizers.Adam(), losses)
        self.discriminator.trainable = True

    def fit(self, X, y, epochs, batch_size=64):
        """Train batch by batch."""
        rng = np.random.default_rng(0)
        for _ in range(epochs):
            order = rng.permutation(len(X))
            for start in range(0, len(X), batch_size):
                rows = order[start : start + batch_size]
                self._batch(X[rows], y[rows], rng)

    def _batch(self, x, c, rng):
        z = rng.standard_normal((len(x), self.noise_dim)).astype(np.float32)
        one_hot = np.eye(2, dtype=np.float32)[c]
        fake = self.generator.predict_on_batch([z, one_hot])
        c, ones, zeros = c.astype(np.float32)[:, None], np.ones((len(x), 1)), np.zeros((len(x), 1))
        self.discriminator.train_on_batch(x, [ones, c])
        self.discriminator.train_on_batch(fake, [zeros, c])
        self.combined.train_on_batch([z, one_hot], [ones, c])


def floor(M, threads=1, batch_size=64, noise_dim=10, n_classes=2, hidden=50, d=30):
    """Return a function that runs n times the matrix products of one training step of M AC-GANs.

    The products alone, under XLA: forward and backward of both networks, without losses, noise,
    gathering of batches or Adam; in the engine's blocks, on as many threads as are given.
    """
    rng, blocks = np.random.default_rng(0), deal(M)
    width = len(blocks[0])

    def normal(*shape):
        return tf.constant(rng.normal(size=shape) * 0.1, "float32")

    def tensors():
        G = [normal(width, noise_dim + n_classes, hidden), normal(width, hidden, d)]
        D = [normal(width, d, hidden), normal(width, hidden, n_classes)]
        z = normal(width, batch_size, noise_dim + n_classes)
        return G, D, z, normal(width, batch_size, d)

    def products(W, v, z, x):
        """Products of a step: each weight's gradient moves it a little, so that none is skipped."""
        (G1, G2), (D1, D2) = W, v
        t = lambda a: tf.linalg.matrix_transpose(a)  # noqa: E731
        h_G = z @ G1
        both = tf.concat([x, h_G @ G2], 1)
        h_D = both @ D1
        out = h_D @ D2
        back_h = out @ t(D2)
        dD2, dD1 = t(h_D) @ out, t(both) @ back_h
        fooled = out[:, batch_size:] @ t(D2)  # the generator's loss has a gradient of its own
        back_x = fooled @ t(D1)
        dG2, dG1 = t(h_G) @ back_x, t(z) @ (back_x @ t(G2))
        return [G1 - 1e-9 * dG1, G2 - 1e-9 * dG2], [D1 - 1e-9 * dD1, D2 - 1e-9 * dD2]

    @tf.function(jit_compile=True, autograph=False)
    def run(G, D, z, x, n):
        def body(i, G, D):
            return (i + 1, *products(G, D, z, x))

        return tf.while_loop(lambda i, *_: i < n, body, (0, G, D))

    own = [tensors() for _ in blocks]

    def all_blocks(n):
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(lambda block: run(*block, tf.constant(n))[1][0].numpy(), own))

    return all_blocks
