"""Random numbers of training: one stream for each replica, a pure function of key and step."""

import functools
from typing import NamedTuple

import numpy as np

from .backend import tensorflow

THREEFRY_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
THREEFRY_PARITY = 0x1BD11BDA


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
    >>> from ehrgan.nets.backend import tensorflow
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
        shifted = [tf.bitwise.right_shift(b, tf.constant(8, "uint32")) for b in bits]
        return [tf.cast(tf.cast(b, "int32"), "float32") for b in shifted]

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
        cosine, sine = _on_circle(v * (1 / 2**24))
        z = tf.concat([radius * cosine, radius * sine], axis=1)[:, :n]
        return tf.reshape(z, (-1, *shape))


def _on_circle(turn):
    """Cosine and sine of turns in [0, 1), by Taylor series: XLA calls its own one by one.

    Half the angle, less a quarter of a turn, lies within a quarter of zero, where twelve terms err
    by 6e-8; the formulas of the double angle do the rest.
    """
    x = np.float32(np.pi) * (turn - 0.5)
    square = x * x
    sine, cosine = 0.0 * x, 0.0 * x
    for k in range(12, 0, -2):  # Horner's rule, from the last term to the first
        cosine = -(1.0 + cosine) * square / ((k - 1) * k)
        sine = -(1.0 + sine) * square / (k * (k + 1))
    sine, cosine = x * (1.0 + sine), 1.0 + cosine
    return 2.0 * sine * sine - 1.0, -2.0 * sine * cosine
