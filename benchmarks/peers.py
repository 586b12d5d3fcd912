"""The same AC-GAN in the two usual Keras styles, and a training step's floor.

All share the paper's networks: generator (noise, class)-50-30, discriminator 30-50-2, Adam.
"""

import numpy as np

from ehrgan.nets.backend import tensorflow

tf = tensorflow()
keras = tf.keras


def networks(noise_dim=10, n_classes=2, hidden=50, d=30):
    """Return generator and discriminator as Keras models."""
    z, c = keras.Input((noise_dim,)), keras.Input((n_classes,))
    h = keras.layers.Dense(hidden, "relu")(keras.layers.Concatenate()([z, c]))
    generator = keras.Model([z, c], keras.layers.Dense(d)(h))
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

    def __init__(self, noise_dim=10):
        super().__init__()
        self.noise_dim = noise_dim
        self.generator, self.discriminator = networks(noise_dim)
        self.g_optimizer, self.d_optimizer = keras.optimizers.Adam(), keras.optimizers.Adam()
        self.compile()

    def train_step(self, data):
        """Equations 4 and 5 on one minibatch."""
        x, c = data
        n, one_hot = tf.shape(x)[0], tf.one_hot(c, 2)
        with tf.GradientTape(persistent=True) as tape:
            z = tf.random.normal((n, self.noise_dim))
            fake = self.generator([z, one_hot], training=True)
            s, k = self.discriminator(tf.concat([x, fake], 0), training=True)
            L_S = -cross_entropy(tf.ones(n), s[:n]) - cross_entropy(tf.zeros(n), s[n:])
            L_C = -cross_entropy(c, k[:n]) - cross_entropy(c, k[n:])
            loss_D, loss_G = -(L_C + L_S), -(L_C - L_S)
        for net, optimizer, loss in (
            (self.discriminator, self.d_optimizer, loss_D),
            (self.generator, self.g_optimizer, loss_G),
        ):
            gradients = tape.gradient(loss, net.trainable_variables)
            optimizer.apply_gradients(zip(gradients, net.trainable_variables, strict=True))
        return {"loss_D": loss_D, "loss_G": loss_G}


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


def floor(M, batch_size=64, noise_dim=10, n_classes=2, hidden=50, d=30):
    """Return a function that runs n times the matrix products of one training step of M AC-GANs.

    The products alone, under XLA: forward and backward of both networks, without losses, noise,
    gathering of batches or Adam.
    """
    rng = np.random.default_rng(0)

    def normal(*shape):
        return tf.constant(rng.normal(size=shape) * 0.1, "float32")

    G = [normal(M, noise_dim + n_classes, hidden), normal(M, hidden, d)]
    D = [normal(M, d, hidden), normal(M, hidden, n_classes)]
    z, x = normal(M, batch_size, noise_dim + n_classes), normal(M, batch_size, d)

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

    @tf.function(jit_compile=True)
    def run(G, D, z, x, n):
        def body(i, G, D):
            return (i + 1, *products(G, D, z, x))

        return tf.while_loop(lambda i, *_: i < n, body, (0, G, D))

    return lambda n: run(G, D, z, x, tf.constant(n))[1][0].numpy()
