"""The replica engine: known random bits, independence of replicas, chunking, early stopping."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from ehrgan import bars
from ehrgan.nets import backend, engine, layers, optimisers
from ehrgan.nets import noise as noises


@dataclass(frozen=True)
class Quadratic(engine.Problem):
    """Least squares of y on X with one layer: a problem whose answer is known."""

    terms = ("loss",)

    def objectives(self, params, batch, weight, noise, hyper):
        """Mean squared error."""
        tf = backend.tensorflow()
        out = layers.forward(batch["X"], params["W"], xp=tf)[..., 0]
        loss = tf.reduce_sum(weight * (out - batch["y"]) ** 2, axis=1)
        return {"W": loss}, loss[:, None]

    def validation(self, params, data):
        """Mean squared error on held-out records."""
        tf = backend.tensorflow()
        out = layers.forward(data["X"], params["W"], xp=tf)[..., 0]
        return tf.reduce_mean((out - data["y"]) ** 2, axis=1)


def problem_data(sizes, seed=0):
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(n, 2)) for n in sizes]
    y = [x @ [1.0, -2.0] + 0.5 for x in X]
    starts, n_rows = engine.end_to_end(sizes)
    data = {"X": np.zeros((n_rows, 2), np.float32), "y": np.zeros(n_rows, np.float32)}
    data["X"][: sum(sizes)], data["y"][: sum(sizes)] = np.concatenate(X), np.concatenate(y)
    return data, starts


def fit(sizes, epochs=60, **options):
    seeds = [np.random.SeedSequence(m) for m in range(len(sizes))]
    first = {
        "W": layers.init_layers([np.random.SeedSequence(m) for m in range(len(sizes))], (2, 1))
    }
    hyper = {"learning_rate": 0.05, "beta_1": 0.9, **options.pop("hyper", {})}
    return engine.train(
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
    tf = backend.tensorflow()
    words = [tf.constant([w], "uint32") for w in (*key, *counter)]
    assert tuple(int(b[0]) for b in noises.threefry(words[:2], words[2:])) == expected


def test_noise_is_normal_and_streams_differ():
    tf = backend.tensorflow()
    noise = noises.Noise(tf.constant([[1, 2], [3, 4]], "uint32"), tf.constant([5, 5]))
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


@settings(max_examples=8)
@given(others=st.lists(st.integers(3, 30), min_size=2, max_size=2))
def test_a_replica_ignores_its_company(others):
    alone = fit([20], epochs=5)
    together = fit([20, *others], epochs=5)
    for a, b in zip(alone.params["W"], together.params["W"], strict=True):
        np.testing.assert_allclose(a[0], b[0], rtol=1e-5, atol=1e-6)


@given(st.integers(1, 10**7))
def test_padding_wastes_at_most_an_eighth(n):
    padded = engine.padded_length(n)
    assert n <= padded <= n + max(15, n / 8)


def test_repeated_fits_compile_once():
    fit([20], epochs=2)
    before = engine._compiled_epochs.cache_info().misses
    for n in (17, 18, 20):
        fit([n], epochs=2, hyper={"learning_rate": 0.01 * n})
    assert engine._compiled_epochs.cache_info().misses == before


# --- noise ----------------------------------------------------------------------------------------


class Scripted(noises.Noise):
    """Noise whose 24-bit numbers are given."""

    def _bits(self, n, stream):
        tf = backend.tensorflow()
        return [tf.constant([[0.0, 2.0**22, 3 * 2.0**22]])[:, :n] for _ in range(2)]


def test_no_two_draws_share_numbers():
    tf = backend.tensorflow()
    keys = tf.constant([[1, 2], [2, 1], [1, 3], [5, 2]], "uint32")
    drawn = [
        noises.Noise(keys, tf.constant([t, t, t, t])).uniform((25, 4), stream=stream).numpy()
        for t in (0, 1, 2, 3, 16, 17, 5000)
        for stream in range(16)
    ]
    values = np.concatenate([u.ravel() for u in drawn])
    # 24 bits for 45,000 numbers: some 60 meet by chance, and one shared draw would be 100 more
    assert len(values) - len(np.unique(values)) < 100


def test_the_bits_are_threefrys_for_the_key_the_index_and_the_step_and_stream():
    tf = backend.tensorflow()
    noise = noises.Noise(tf.constant([[1, 2], [3, 4]], "uint32"), tf.constant([5, 6]))
    found = np.array(noise._bits(7, 3))
    key = tf.constant([[1], [3]], "uint32"), tf.constant([[2], [4]], "uint32")
    counter = tf.range(7)[None], tf.constant([[5 * 16 + 3], [6 * 16 + 3]])
    counter = [tf.cast(word, "uint32") for word in counter]
    words = np.array(noises.threefry(key, counter, rounds=12))
    np.testing.assert_array_equal(found, words >> 8)


def test_steps_count_for_each_replica_apart():
    tf = backend.tensorflow()
    key = tf.constant([[7, 8]] * 3, "uint32")
    z = noises.Noise(key, tf.constant([3, 4, 3])).normal((50,)).numpy()
    later = noises.Noise(key, tf.constant([4, 4, 4])).normal((50,)).numpy()
    np.testing.assert_allclose(z[2], z[0], atol=1e-6)
    np.testing.assert_allclose(later, z[[1, 1, 1]], atol=1e-6)
    assert np.abs(z[0][:, None] - z[1]).min(axis=1).mean() > 1e-3


def test_bits_become_uniforms_and_normals_by_their_formulas():
    noise = Scripted(None, None)
    u = np.array([0.0, 0.25, 0.75])
    np.testing.assert_array_equal(noise.uniform((3, 2)).numpy(), np.append(u, u).reshape(1, 3, 2))
    np.testing.assert_array_equal(noise.uniform((5,))[0], np.append(u, u)[:5])
    radius = np.sqrt(-2 * np.log(u + 2.0**-25))
    z = np.append(radius * np.cos(2 * np.pi * u), radius * np.sin(2 * np.pi * u))
    atol = 4e-6  # 5.9 is the greatest radius, and the circle errs by 7e-7
    np.testing.assert_allclose(noise.normal((3, 2)).numpy().ravel(), z, atol=atol)
    np.testing.assert_allclose(noise.normal((5,))[0], z[:5], atol=atol)


@pytest.mark.parametrize("compiled", [False, True])
def test_the_circle_is_that_of_cosine_and_sine_over_the_whole_turn(compiled):
    tf = backend.tensorflow()
    at = np.arange(0, 2**24, 61)  # and all numbers near the ends and quarters
    near = np.arange(-50, 50) + 2**22 * np.arange(5)[:, None]
    turn = np.float32(np.union1d(at, near.clip(0, 2**24 - 1))) / np.float32(2**24)
    circle = tf.function(noises._on_circle, jit_compile=True) if compiled else noises._on_circle
    cosine, sine = (a.numpy() for a in circle(tf.constant(turn)))
    angle = 2 * np.pi * turn.astype(np.float64)
    assert np.abs(cosine - np.cos(angle)).max() < 8e-7
    assert np.abs(sine - np.sin(angle)).max() < 5e-7


def test_normals_are_normal_and_their_halves_independent():
    tf = backend.tensorflow()
    z = noises.Noise(tf.constant([[9, 9]], "uint32"), tf.constant([1])).normal((40_000,))[0]
    assert kstest(z, "norm").pvalue > 1e-4
    first, second = np.abs(z[:20_000]), np.abs(z[20_000:])
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.04
    assert abs(np.corrcoef(z[:-1], z[1:])[0, 1]) < 0.03


# --- single steps ---------------------------------------------------------------------------------

HYPER = {
    "learning_rate": np.float32([0.1, 0.01, 0.1]),
    "beta_1": np.float32([0.9, 0.5, 0.9]),
    "decay": np.float32([0.0, 1.0, 0.0]),
    "total_steps": np.float32([10, 4, 10]),
}


@pytest.mark.parametrize(
    ("t", "constant", "cosine", "half"),
    [(0, 0.2, 0.2, 0.2), (1, 0.2, 0.2 * (0.5 + 0.125**0.5), None), (2, 0.2, 0.1, 0.15),
     (4, 0.2, 0.0, 0.1), (9, 0.2, 0.0, 0.1)],
)  # fmt: skip
def test_the_rate_stays_or_falls_along_half_a_cosine(t, constant, cosine, half):
    hyper = {"learning_rate": 0.2, "total_steps": 4.0, "decay": np.float32([0, 1, 0.5])}
    rate = optimisers.learning_rate(t, hyper).numpy()
    np.testing.assert_allclose(rate[:2], [constant, cosine], atol=1e-7)
    assert half is None or rate[2] == pytest.approx(half)


def rates(t):
    falling = 0.5 + 0.5 * np.cos(np.pi * t / 4)
    return np.array([0.1, 0.01 * falling])


GRADS = np.array([[[[0.3, -2.0]], [[1e-6, 5.0]]], [[[-0.1, -1.0]], [[3e-6, 4.0]]]] * 2)


def three_steps(optimizer):
    """Three replicas, the third inactive; gradients that change their sign and size."""
    tf = backend.tensorflow()
    p, m, v = (tf.constant(np.full((3, 1, 2), x, "f")) for x in (1.0, 0.0, 0.0))
    seen = []
    for t in range(3):
        g = tf.constant(np.concatenate([GRADS[t], GRADS[t][:1]]), "float32")
        (p,), (m,), (v,) = optimisers.OPTIMIZERS[optimizer](
            [p], [g], [m], [v], tf.fill(3, t), HYPER, tf.constant([1.0, 1.0, 0.0])
        )
        seen.append(p.numpy())
    assert (seen[-1][2] == 1).all() and not m.numpy()[2].any() and not v.numpy()[2].any()
    return np.array(seen)[:, :2, 0]


def test_adam_takes_the_steps_of_algorithm_1():
    seen = three_steps("adam")
    # after the correction of bias, the first step is the rate itself, against the gradient's sign
    np.testing.assert_allclose(seen[0, 0], [0.9, 1.1], atol=1e-5)
    assert seen[0, 1, 1] == pytest.approx(0.99, abs=1e-6)
    beta_1, m, v, p = np.array([[0.9], [0.5]]), 0.0, 0.0, np.ones((2, 2))
    for t in range(3):
        g = GRADS[t][:, 0]
        m, v = beta_1 * m + (1 - beta_1) * g, 0.999 * v + 0.001 * g**2
        m_hat, v_hat = m / (1 - beta_1 ** (t + 1)), v / (1 - 0.999 ** (t + 1))
        epsilon = 1e-7 / np.sqrt(1 - 0.999 ** (t + 1))  # added before the correction
        p = p - rates(t)[:, None] * m_hat / (np.sqrt(v_hat) + epsilon)
        np.testing.assert_allclose(seen[t], p, rtol=2e-5)


def test_gradient_descent_gathers_momentum():
    seen = three_steps("sgd")
    np.testing.assert_allclose(seen[0, 0], [1 - 0.03, 1.2], rtol=1e-6)
    np.testing.assert_allclose(seen[1, 0], [1 - 0.03 - 0.017, 1.2 + 0.28], rtol=1e-6)
    momentum, p = 0.0, np.ones((2, 2))
    for t in range(3):
        momentum = np.array([[0.9], [0.5]]) * momentum + GRADS[t][:, 0]
        p = p - rates(t)[:, None] * momentum
        np.testing.assert_allclose(seen[t], p, rtol=1e-6)


@dataclass(frozen=True)
class Counting(engine.Problem):
    """A weight that grows by the rate at each step, so that its value tells which step it is of.

    The validation loss is a script: entry k - 1 after k steps at a rate of 1.
    """

    terms = ("first", "mean", "noise")

    def objectives(self, params, batch, weight, noise, hyper):
        """Report a batch's first record, its mean, and a random number."""
        tf = backend.tensorflow()
        mean = tf.reduce_sum(weight * batch["x"], axis=1)
        terms = batch["x"][:, 0], mean, noise.uniform((1,), stream=3)[:, 0]
        return {"P": -params["P"][0][:, 0, 0]}, tf.transpose(terms)

    def validation(self, params, data):
        """Look the loss up."""
        tf = backend.tensorflow()
        k = tf.cast(tf.round(params["P"][0][:, 0, 0]), "int32") // data["steps"] - 1
        return tf.gather(data["script"], k, batch_dims=1)


def inputs(table, hyper, n_replicas):
    """Inputs of a run without validation, all replicas of one key."""
    tf = backend.tensorflow()
    hyper = {name: tf.constant(value) for name, value in hyper.items()}
    return engine.Inputs(table, {}, tf.constant([[1, 2]] * n_replicas, "uint32"), hyper)


def step(index, *, running=1.0, **options):
    """One step of Quadratic by gradient descent at rate 1: two replicas, tables of 3 and 4 rows."""
    tf = backend.tensorflow()
    M = len(index)
    plan = engine.Plan(Quadratic(), "sgd", False, True)
    state = engine._first_state(plan, {"W": [np.ones((M, 2, 1)), np.zeros((M, 1, 1))]})
    state["running"] = tf.constant([1.0, running])[:M]
    hyper = {"learning_rate": [1.0, 0.5], "beta_1": [0.0, 0.0], "decay": [0.0, 0.0]}
    hyper |= {"total_steps": [9.0, 9.0], "averaging": [0.75, 0.9], **options}
    X = tf.constant([[1, 0], [0, 2], [1, 1], [3, 0], [0, 1], [2, 2], [1, -1]], "float32")
    data = {"X": X, "y": tf.constant([0, 1, 2, 3, 4, 5, 6], "float32")}
    table = engine.Table(data, tf.constant([0, 3]), tf.constant([3, 4]))
    return state, engine.train_step(plan, state, inputs(table, hyper, M), tf.constant(index))


def test_one_step_learns_from_the_mean_over_the_rows_of_a_batch_alone():
    old, new = step([[2, 0, -1, -1], [0, 1, 3, -1]])
    # replica 0 sees rows 2 and 0: errors 0 and 1; replica 1 rows 3, 4 and 6: errors 0, -3, -6
    np.testing.assert_allclose(new["terms"].numpy()[:, 0], [0.5, 15])
    W, b = (p.numpy() for p in new["params"]["W"])
    np.testing.assert_allclose(W[0, :, 0], [1 - 2 * 1 / 2, 1 - 0])
    np.testing.assert_allclose(W[1, :, 0], [1 + 0.5 * 2 * 6 / 3, 1 + 0.5 * 2 * (3 - 6) / 3])
    np.testing.assert_allclose(b.ravel(), [-1, 0.5 * 2 * 9 / 3])
    for share, average, now, first in zip(
        (0.25, 0.1), new["average"]["W"][0].numpy(), W, old["params"]["W"][0].numpy(), strict=True
    ):
        np.testing.assert_allclose(average, first + share * (now - first), rtol=1e-6)
    assert new["t"].numpy().tolist() == [1, 1] and new["steps"].numpy().tolist() == [1, 1]


@pytest.mark.parametrize(("index", "running"), [([-1, -1], 1.0), ([0, 1], 0.0)])
def test_a_replica_without_a_batch_or_stopped_stays_as_it_is(index, running):
    tf = backend.tensorflow()
    old, new = step([[0, 1], index], running=running)
    for name in ("params", "average", "m", "terms", "steps", "t"):
        for a, b in zip(tf.nest.flatten(old[name]), tf.nest.flatten(new[name]), strict=True):
            assert np.array_equal(a[1], b[1]) and not np.array_equal(a[0], b[0])


@dataclass(frozen=True)
class Rivals(engine.Problem):
    """Two groups whose losses both depend on both groups."""

    terms = ("product",)

    def objectives(self, params, batch, weight, noise, hyper):
        """A gains what B loses."""
        a, b = params["A"][0][:, 0, 0], params["B"][0][:, 0, 0]
        return {"A": a * b, "B": -3.0 * a * b}, (a * b)[:, None]


def test_the_loss_of_a_group_trains_that_group_alone_and_both_move_at_once():
    tf = backend.tensorflow()
    plan = engine.Plan(Rivals(), "sgd", False, False)
    first = {"A": [np.full((1, 1, 1), 2.0)], "B": [np.full((1, 1, 1), 5.0)]}
    state = engine._first_state(plan, first)
    hyper = {"learning_rate": [0.1], "beta_1": [0.0], "decay": [0.0], "total_steps": [1.0]}
    table = engine.Table({}, tf.constant([0]), tf.constant([1]))
    new = engine.train_step(plan, state, inputs(table, hyper, 1), tf.constant([[0]]))
    assert new["params"]["A"][0].numpy().item() == pytest.approx(2 - 0.1 * 5)
    assert new["params"]["B"][0].numpy().item() == pytest.approx(5 + 0.1 * 3 * 2)


@dataclass(frozen=True)
class Told(engine.Problem):
    """The validation loss is the weight itself."""

    terms = ()

    def validation(self, params, data):
        """Return the weight."""
        return params["P"][0][:, 0, 0]


@pytest.mark.parametrize("averages", [False, True])
def test_the_end_of_an_epoch_keeps_what_is_better_and_counts_what_is_not(averages):
    tf = backend.tensorflow()
    now = np.float32([0.5, 1.0, 2.0, 0.5, 2.0])  # better, a tie, worse, better but stopped, worse
    plan = engine.Plan(Told(), "adam", True, averages)
    state = engine._first_state(plan, {"P": [np.zeros((5, 1, 1))]})
    state["average" if averages else "params"] = {"P": [tf.constant(now[:, None, None])]}
    state |= {
        "best_loss": tf.ones(5), "best_epoch": tf.fill(5, 3), "epoch": tf.constant(7),
        "wait": tf.constant([1, 1, 2, 0, 0]), "running": tf.constant([1.0, 1, 1, 0, 1]),
    }  # fmt: skip
    loss, new = engine._end_of_epoch(plan, state, inputs(None, {}, 5), 3)
    np.testing.assert_array_equal(loss, now)
    np.testing.assert_array_equal(new["best"]["P"][0].numpy().ravel(), [0.5, 0, 0, 0, 0])
    np.testing.assert_array_equal(new["best_loss"], [0.5, 1, 1, 1, 1])
    np.testing.assert_array_equal(new["best_epoch"], [7, 3, 3, 3, 3])
    np.testing.assert_array_equal(new["wait"][:3], [0, 2, 3])
    np.testing.assert_array_equal(new["running"], [1, 1, 0, 0, 1])


# --- whole runs of known steps --------------------------------------------------------------------

SIZES, BATCH = (5, 3, 8, 5), 3
RECORDS = np.arange(sum(SIZES), dtype=np.float32) * 10


def count(epochs, *, script=None, **options):
    """Train four replicas of Counting, whose steps are known; tables of 5, 3, 8 and 5 records."""
    starts, n_rows = engine.end_to_end(SIZES)
    data = {"x": np.pad(RECORDS, (0, n_rows - len(RECORDS)), constant_values=-1e6)}
    if script is not None:
        steps = -(-np.array(SIZES) // BATCH)
        options["validation"] = {"script": np.float32(script), "steps": steps.astype(np.int32)}
    hyper = {"learning_rate": 1.0, "beta_1": 0.0, **options.pop("hyper", {})}
    seeds = [np.random.SeedSequence(m) for m in (4, 5, 6, 4)]
    return engine.train(
        Counting(), {"P": [np.zeros((4, 1, 1))]}, data, starts, SIZES, seeds, epochs=epochs,
        batch_size=BATCH, hyper=hyper, optimizer="sgd", **options,
    )  # fmt: skip


def test_the_history_holds_the_mean_over_each_epochs_batches_of_the_replicas_own_stream():
    tf = backend.tensorflow()
    result = count(3)
    assert result.history.shape == (3, 4, 3) and (result.best_epoch == -1).all()
    steps = -(-np.array(SIZES) // BATCH)
    np.testing.assert_array_equal(result.params["P"][0].ravel(), 3 * steps)
    starts = np.cumsum((0, *SIZES[:-1]))
    for m, seed in enumerate((4, 5, 6, 4)):
        for_order, for_noise = np.random.SeedSequence(seed).spawn(2)
        rng, own = np.random.default_rng(for_order), RECORDS[starts[m] : starts[m] + SIZES[m]]
        key = tf.constant(for_noise.generate_state(2, np.uint32)[None])
        for epoch in range(3):
            order, _ = rng.permutation(SIZES[m]), rng.random()
            batches = [own[order[i : i + BATCH]] for i in range(0, SIZES[m], BATCH)]
            noise = [
                noises.Noise(key, tf.constant([t])).uniform((1,), stream=3).numpy().item()
                for t in range(epoch * steps[m], (epoch + 1) * steps[m])
            ]
            expected = [np.mean([b[0] for b in batches]), np.mean([b.mean() for b in batches])]
            np.testing.assert_allclose(
                result.history[epoch, m], [*expected, np.mean(noise)], rtol=1e-5
            )


def test_each_replica_has_its_own_epochs_and_rate_and_the_rate_ends_with_them():
    epochs, rate = np.array([3, 1, 2, 3]), np.array([1.0, 2.0, 3.0, 4.0])
    hyper = {"learning_rate": rate, "decay": np.array([1.0, 1.0, 1.0, 0.0])}
    result = count(epochs, hyper=hyper)
    totals = epochs * -(-np.array(SIZES) // BATCH)
    falling = [sum(0.5 + 0.5 * np.cos(np.pi * t / n) for t in range(n)) for n in totals]
    np.testing.assert_allclose(
        result.params["P"][0].ravel(), rate * [*falling[:3], totals[3]], rtol=1e-5
    )
    ran = (~np.isnan(result.history[..., 0])).sum(axis=0)
    np.testing.assert_array_equal(ran, epochs)
    assert np.isfinite(result.history[0]).all() and np.isnan(result.history[1:, 1]).all()


@pytest.fixture(scope="module")
def stopped():
    """Scripts of 70 epochs: more than a chunk of orders holds."""
    script = np.full((4, 70), 9.0)
    script[0, :5] = [5, 4, 4, 3.5, 3.5]  # a tie keeps the first; then nothing better
    script[1] = np.arange(70, 0, -1)  # better to the end
    script[2, 0] = 1.0  # best at once
    script[3, :7] = [5, 6, 6, 4, 6, 6, 6]  # better just before patience ends, then not again
    return script, count(70, script=script, patience=3)


def test_the_best_epoch_is_the_first_of_the_least_loss(stopped):
    script, result = stopped
    np.testing.assert_array_equal(result.best_epoch, [3, 69, 0, 3])
    np.testing.assert_array_equal(result.best_epoch, script.argmin(axis=1))
    steps = -(-np.array(SIZES) // BATCH)
    np.testing.assert_array_equal(result.params["P"][0].ravel(), (result.best_epoch + 1) * steps)


def test_a_replica_stops_after_as_many_epochs_without_a_better_one_as_patience_says(stopped):
    script, result = stopped
    ran = [7, 70, 4, 7]
    assert result.history.shape == (70, 4, 4)
    for m, n in enumerate(ran):
        np.testing.assert_array_equal(result.history[:n, m, 3], script[m, :n])
        assert np.isfinite(result.history[:n, m]).all() and np.isnan(result.history[n:, m]).all()


def test_without_patience_nothing_stops_and_with_all_stopped_the_run_ends(stopped):
    script, _ = stopped
    assert np.isfinite(count(70, script=script).history).all()
    script = script.copy()
    script[1] = script[2]
    assert len(count(70, script=script, patience=3).history) <= 64  # the second chunk never ran


def test_orders_drawn_in_small_chunks_are_the_same_orders(monkeypatch):
    whole = count(5)
    monkeypatch.setattr(engine, "ORDER_CELLS", 4 * 16 * BATCH * 2)
    np.testing.assert_array_equal(count(5).history, whole.history)


def test_averaged_weights_are_kept_where_asked():
    average, p = np.zeros(4), np.zeros(4)
    steps, decay = -(-np.array(SIZES) // BATCH), np.array([0.5, 0.9, 0.0, 0.25])
    for t in range(2 * steps.max()):
        active = t < 2 * steps
        p = p + active
        average = np.where(active, decay * average + (1 - decay) * p, average)
    result = count(2, averaging=True, hyper={"averaging": decay})
    np.testing.assert_allclose(result.params["P"][0].ravel(), average, rtol=1e-5)


# --- orders, layers, tables -----------------------------------------------------------------------


def test_every_epoch_takes_every_record_once_in_another_order():
    orders = engine._Orders([np.random.SeedSequence(s) for s in (1, 2)], [7, 10], 4, 3)
    drawn = orders.draw(None, 3)
    assert orders.steps == 3 and drawn.shape == (orders.chunk, 2, 16, 4)
    flat = drawn.reshape(orders.chunk, 2, -1)
    assert (flat[3:] == -1).all()
    for m, n in enumerate((7, 10)):
        assert (np.sort(flat[:3, m, :n]) == np.arange(n)).all() and (flat[:3, m, n:] == -1).all()
        assert len({tuple(row[:n]) for row in flat[:3, m]}) == 3
    assert not np.array_equal(np.argsort(flat[0, 0, :7]), np.argsort(flat[0, 1, :7]))
    alone = engine._Orders([np.random.SeedSequence(2)], [10], 4, 3).draw(None, 3)
    np.testing.assert_array_equal(alone[:3, 0], drawn[:3, 1])


def test_a_chunk_of_orders_keeps_to_its_cells():
    seeds = [np.random.SeedSequence(0)]
    for n, batch_size in ((10, 4), (50_000, 8), (6_000_000, 64)):
        orders = engine._Orders(seeds, [n], batch_size, -(-n // batch_size))
        assert 1 <= orders.chunk <= 64
        cells = np.prod(orders.shape)
        assert orders.chunk == 1 or orders.chunk * cells <= engine.ORDER_CELLS
        assert orders.chunk == 64 or (orders.chunk + 1) * cells > engine.ORDER_CELLS


def test_weighted_records_are_drawn_as_often_as_their_share_says():
    share = np.array([0.25, 2.0, 0.0, 1.5, 1.25])
    orders = engine._Orders([np.random.SeedSequence(s) for s in (0, 1)], [5, 5], 2, 3)
    whole = np.array([0.0, 3.0, 1.0, 0.0, 1.0])
    drawn = orders.draw([np.cumsum(share), np.cumsum(whole)], 64).reshape(64, 2, -1)[..., :5]
    counts = np.array([np.bincount(row, minlength=5) for row in drawn[:, 0]])
    assert (counts >= np.floor(share)).all() and (counts <= np.ceil(share)).all()
    np.testing.assert_allclose(counts.mean(axis=0), share, atol=0.2)
    assert all(np.array_equal(np.bincount(row, minlength=5), whole) for row in drawn[:, 1])
    assert len({tuple(row) for row in drawn[:, 1]}) > 10


def test_first_weights_are_glorots_uniform_each_replicas_own():
    a, b = (np.random.SeedSequence(s) for s in (3, 4))
    W1, b1, W2, b2 = layers.init_layers([a, b], (30, 50, 4))
    for W, n in ((W1, 80), (W2, 54)):
        limit = np.sqrt(6 / n)
        assert 0.97 * limit < np.abs(W).max() <= limit and abs(W.mean()) < 0.1 * limit
        assert W.std() == pytest.approx(limit / 3**0.5, rel=0.1) and W.dtype == np.float32
    assert not b1.any() and not b2.any() and (b1.shape, b2.shape) == ((2, 1, 50), (2, 1, 4))
    assert len(np.unique(W1)) > 0.99 * W1.size  # no two replicas share
    for together, alone in zip((W1, b1, W2, b2), layers.init_layers([b], (30, 50, 4)), strict=True):
        np.testing.assert_array_equal(together[1:], alone)
    assert len(np.intersect1d(W1[0, 0, :4] / W1.max(), W2[0, 0] / W2.max())) == 0


def test_layers_are_rectified_between_and_linear_at_the_end():
    weights = [[[[1.0, -1.0]], [[1.0, 2.0]]], [[[0.0, 0.5]], [[0.0, 0.0]]]]
    weights += [[[[-2.0], [1.0]], [[-3.0], [1.0]]], [[[0.25]], [[0.0]]]]
    weights = [np.array(p) for p in weights]
    x = np.array([[[2.0], [-3.0]]] * 2)
    # replica 0: (2, 0) and (0, 3.5) in the middle; replica 1: (2, 4) and (0, 0)
    expected = [[[-3.75], [3.75]], [[-2.0], [0.0]]]
    np.testing.assert_allclose(layers.forward(x, weights), expected)
    np.testing.assert_allclose(layers.forward(x[0], weights), expected)
    tf = backend.tensorflow()
    tensors = [tf.constant(p, "float32") for p in weights]
    np.testing.assert_allclose(layers.forward(tf.constant(x, "float32"), tensors, xp=tf), expected)


def test_tables_lie_end_to_end():
    starts, n_rows = engine.end_to_end([700, 1, 900])
    assert starts.tolist() == [0, 700, 701] and starts.dtype == np.int32
    assert n_rows == engine.padded_length(1601)


def test_bars_are_hidden_where_the_environment_asks(monkeypatch):
    for name in ("CI", "TQDM_DISABLE"):
        monkeypatch.delenv("CI", raising=False)
        monkeypatch.delenv("TQDM_DISABLE", raising=False)
        assert not bars.no_bars()
        monkeypatch.setenv(name, "1")
        assert bars.no_bars()
