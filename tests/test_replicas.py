"""The replica engine: known random bits, independence of replicas, chunking, early stopping."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ehrgan import replicas


@dataclass(frozen=True)
class Quadratic(replicas.Problem):
    """Least squares of y on X with one layer: a problem whose answer is known."""

    terms = ("loss",)

    def objectives(self, params, batch, weight, noise, hyper):
        """Mean squared error."""
        tf = replicas.tensorflow()
        out = replicas.forward(batch["X"], params["W"], xp=tf)[..., 0]
        loss = tf.reduce_sum(weight * (out - batch["y"]) ** 2, axis=1)
        return {"W": loss}, loss[:, None]

    def validation(self, params, data):
        """Mean squared error on held-out records."""
        tf = replicas.tensorflow()
        out = replicas.forward(data["X"], params["W"], xp=tf)[..., 0]
        return tf.reduce_mean((out - data["y"]) ** 2, axis=1)


def problem_data(sizes, seed=0):
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(n, 2)) for n in sizes]
    y = [x @ [1.0, -2.0] + 0.5 for x in X]
    starts, n_rows = replicas.end_to_end(sizes)
    data = {"X": np.zeros((n_rows, 2), np.float32), "y": np.zeros(n_rows, np.float32)}
    data["X"][: sum(sizes)], data["y"][: sum(sizes)] = np.concatenate(X), np.concatenate(y)
    return data, starts


def fit(sizes, epochs=60, **options):
    seeds = [np.random.SeedSequence(m) for m in range(len(sizes))]
    first = {
        "W": replicas.init_layers([np.random.SeedSequence(m) for m in range(len(sizes))], (2, 1))
    }
    hyper = {"learning_rate": 0.05, "beta_1": 0.9, **options.pop("hyper", {})}
    return replicas.train(
        Quadratic(), first, *problem_data(sizes), sizes, seeds,
        epochs=epochs, batch_size=8, hyper=hyper, **options,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_gives_the_known_answers_of_random123(counter, key, expected):
    tf = replicas.tensorflow()
    words = [tf.constant([w], "uint32") for w in (*key, *counter)]
    assert tuple(int(b[0]) for b in replicas.threefry(words[:2], words[2:])) == expected


def test_noise_is_normal_and_streams_differ():
    tf = replicas.tensorflow()
    noise = replicas.Noise(tf.constant([[1, 2], [3, 4]], "uint32"), tf.constant([5, 5]))
    z = noise.normal((100, 101)).numpy()
    assert z.shape == (2, 100, 101)
    assert abs(z.mean()) < 0.02 and abs(z.std() - 1) < 0.02 and abs(np.corrcoef(z[0].T)[0, 1]) < 0.4
    assert not np.allclose(z[0], z[1])
    u = noise.uniform((999,), stream=1).numpy()
    assert u.min() >= 0 and u.max() < 1 and abs(u.mean() - 0.5) < 0.03
    assert not np.array_equal(u, noise.uniform((999,), stream=2).numpy())


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_training_finds_the_least_squares_answer(optimizer):
    result = fit([64], epochs=200, optimizer=optimizer, hyper={"decay": 1.0})
    W, b = result.params["W"]
    np.testing.assert_allclose(W[0, :, 0], [1.0, -2.0], atol=1e-3)
    np.testing.assert_allclose(b[0, 0], [0.5], atol=1e-3)
    assert result.history[-1, 0, 0] < 1e-4 < result.history[0, 0, 0]


@settings(max_examples=8, deadline=None)
@given(others=st.lists(st.integers(3, 30), min_size=2, max_size=2))
def test_a_replica_ignores_its_company(others):
    alone = fit([20], epochs=5)
    together = fit([20, *others], epochs=5)
    for a, b in zip(alone.params["W"], together.params["W"], strict=True):
        np.testing.assert_allclose(a[0], b[0], rtol=1e-5, atol=1e-6)


def test_short_replicas_stand_still_while_long_ones_finish_an_epoch():
    history = fit([4, 29], epochs=3).history
    alone = fit([4], epochs=3).history
    np.testing.assert_allclose(history[:, 0], alone[:, 0], rtol=1e-5)


def test_validation_keeps_the_best_epoch_and_stops():
    rng = np.random.default_rng(1)
    held_out = {"X": rng.normal(size=(1, 10, 2)).astype("f"), "y": np.full((1, 10), 9.0, "f")}
    result = fit([20], epochs=80, validation=held_out, patience=5)
    validation = result.history[:, 0, 1]
    ran = np.count_nonzero(~np.isnan(validation))
    assert result.best_epoch[0] == np.nanargmin(validation)
    assert ran == min(80, result.best_epoch[0] + 6)


def test_chunks_respect_the_limit_and_cover_everyone():
    runs = replicas.chunks(103, 10**7, max_replicas=None)
    assert max(len(r) for r in runs) <= replicas.MEMORY_BUDGET // 10**7 + 1
    assert np.array_equal(np.concatenate(runs), np.arange(103))


@given(st.integers(1, 10**7))
def test_padding_wastes_at_most_an_eighth(n):
    padded = replicas.padded_length(n)
    assert n <= padded <= n + max(15, n / 8)


def test_repeated_fits_compile_once():
    fit([20], epochs=2)
    before = replicas._compiled_epochs.cache_info().misses
    for n in (17, 18, 20):
        fit([n], epochs=2, hyper={"learning_rate": 0.01 * n})
    assert replicas._compiled_epochs.cache_info().misses == before


def test_canonical_order_forgets_the_order_given():
    rng = np.random.default_rng(0)
    X, c = rng.normal(size=(50, 3)), rng.integers(0, 2, 50)
    shuffle = rng.permutation(50)
    a = X[replicas.canonical_order(X, c)]
    b = X[shuffle][replicas.canonical_order(X[shuffle], c[shuffle])]
    np.testing.assert_array_equal(a, b)
