"""Blocks of replicas on threads: how they are dealt, run and joined, and that no number notices."""

import functools
import threading
import time
from dataclasses import dataclass
from unittest import mock

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehrgan import ACGANClassifier, StackedAutoencoderImputer
from ehrgan.nets import backend, engine, layers

# --- dealing --------------------------------------------------------------------------------------


@given(n=st.integers(1, 2000), most=st.sampled_from([engine.WIDTH, 1, 8, 30]))
def test_every_replica_is_dealt_once_in_blocks_of_one_width(n, most):
    with mock.patch.object(engine, "WIDTH", most):
        blocks = engine.deal(n)
    dealt, width = np.concatenate(blocks), len(blocks[0])
    np.testing.assert_array_equal(dealt[:n], np.arange(n))
    assert (dealt[n:] == n - 1).all() and len(dealt) - n < width  # no block of filling alone
    assert {len(block) for block in blocks} == {width} and width <= most
    assert len(blocks) == max(min(2, n), -(-n // most))  # as few as may be, but two where there are


def test_the_deal_knows_nothing_of_cores_and_contexts(monkeypatch):
    dealt = [np.array(engine.deal(n)).tolist() for n in (1, 7, 23)]
    assert dealt[0] == [[0]] and dealt[1] == [[0, 1, 2, 3], [4, 5, 6, 6]]
    for cores in (1, 64):
        monkeypatch.setattr(engine.joblib, "cpu_count", lambda cores=cores: cores)
        monkeypatch.setenv("OMP_NUM_THREADS", str(cores))
        with joblib.parallel_config(n_jobs=cores):
            assert [np.array(engine.deal(n)).tolist() for n in (1, 7, 23)] == dealt


# --- whole runs -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Noisy(engine.Problem):
    """Least squares of y and noise on X: shaken, so that replicas stop at epochs of their own."""

    terms = ("loss", "share")

    def objectives(self, params, batch, weight, noise, hyper):
        """Mean squared error, and the replica's random number."""
        tf = backend.tensorflow()
        out = layers.forward(batch["X"], params["W"], xp=tf)[..., 0]
        wanted = batch["y"] + noise.normal((out.shape[1],))
        loss = tf.reduce_sum(weight * (out - wanted) ** 2, axis=1)
        return {"W": loss}, tf.stack([loss, noise.uniform((1,), stream=2)[:, 0]], axis=1)

    def validation(self, params, data):
        """Mean squared error on held-out records."""
        tf = backend.tensorflow()
        out = layers.forward(data["X"], params["W"], xp=tf)[..., 0]
        return tf.reduce_mean((out - data["y"]) ** 2, axis=1)


SIZES = (20, 9, 14, 20, 33, 5, 27, 16, 11, 8, 30, 12)
RNG = np.random.default_rng(3)
X = np.float32(RNG.normal(size=(1024, 2)))
Y = np.float32(X @ [1.0, -2.0] + 0.5)
WEIGHTS = [RNG.integers(0, 3, n) + 0.5 for n in SIZES]
SHARES = [np.cumsum(w) * (len(w) / w.sum()) for w in WEIGHTS]
STARTS, _ = engine.end_to_end(SIZES)
RATES, DECAYS = np.linspace(0.02, 0.2, 12), np.linspace(0.0, 0.9, 12)
CHECKS = np.float32(RNG.normal(size=(12, 6, 2)))
VALIDATION = {"X": CHECKS, "y": np.float32(CHECKS @ [1.0, -2.0] + 0.5)}
PLAIN = {}
STOPPING = {"validation": VALIDATION, "patience": 3}
ALL = {**STOPPING, "averaging": True, "shares": SHARES}
VARIANTS = pytest.mark.parametrize("options", [PLAIN, STOPPING, ALL], ids=["plain", "stops", "all"])


def run(which, *, problem=Noisy(), epochs=25, batch_size=8, **options):  # noqa: B008 (frozen)
    """Train some of the twelve replicas."""
    seeds = [[np.random.SeedSequence((m, k)) for m in which] for k in (0, 1)]
    which = np.array(which)
    if "validation" in options:
        options["validation"] = {k: a[which] for k, a in options["validation"].items()}
    if "shares" in options:
        options["shares"] = [options["shares"][m] for m in which]
    hyper = {"learning_rate": RATES[which], "beta_1": 0.9, "averaging": DECAYS[which]}
    return engine.train(
        problem, {"W": layers.init_layers(seeds[0], (2, 1))}, {"X": X, "y": Y}, STARTS[which],
        np.array(SIZES)[which], seeds[1], epochs=epochs, batch_size=batch_size, hyper=hyper,
        **options,
    )  # fmt: skip


@pytest.fixture
def short_chunks(monkeypatch):
    """Four epochs in a chunk of a block of four, so that blocks end after chunks of their own."""
    monkeypatch.setattr(engine, "ORDER_CELLS", 4 * 16 * 8 * 4)


def same(a, b):
    assert (a.history.shape, a.params.keys()) == (b.history.shape, b.params.keys())
    for one, other in zip([*a[1:], *a.params["W"]], [*b[1:], *b.params["W"]], strict=True):
        np.testing.assert_array_equal(one, other)


@VARIANTS
def test_no_number_depends_on_the_threads(options, short_chunks):
    which = range(12)  # three blocks
    alone = run(which, n_jobs=1, **options)
    for n_jobs in (2, 8):
        same(run(which, n_jobs=n_jobs, **options), alone)


@VARIANTS
def test_each_replica_gets_what_it_gets_alone_and_no_filling_shows(options, short_chunks):
    which = [0, 1, 2, 3, 4, 5, 6]  # two blocks of four, the last with one too many
    together = run(which, **options)
    assert together.history.shape[1] == len(together.best_epoch) == 7
    assert [len(p) for p in together.params["W"]] == [7, 7]
    ran = []
    for m in which:
        alone = run([m], **options)
        for a, b in zip(together.params["W"], alone.params["W"], strict=True):
            np.testing.assert_allclose(a[m], b[0], rtol=1e-5, atol=1e-6)
        n = min(len(together.history), len(alone.history))
        np.testing.assert_allclose(
            together.history[:n, m], alone.history[:n, 0], rtol=1e-4, atol=1e-6
        )
        assert np.isnan(together.history[n:, m]).all() and np.isnan(alone.history[n:]).all()
        assert together.best_epoch[m] == alone.best_epoch[0]
        ran.append(int((~np.isnan(alone.history[:, 0, 0])).sum()))
    if "validation" not in options:
        assert set(ran) == {25} and (together.best_epoch == -1).all()
        return
    first = np.nanargmin(together.history[:, :, 2], axis=0)
    np.testing.assert_array_equal(together.best_epoch, first)
    np.testing.assert_array_equal(ran, np.minimum(first + 4, 25))
    assert -(-max(ran[:4]) // 4) != -(-max(ran[4:]) // 4)  # blocks ended after unlike chunks


def test_joined_blocks_stand_side_by_side_and_a_short_history_ends_in_nan():
    def block(epochs, replicas):
        marks = np.array(replicas, np.float32)
        history = 100 * np.arange(epochs)[:, None, None] + marks[:, None] + np.array([0.0, 0.5])
        return engine.Trained({"W": [marks[:, None, None]]}, history, marks + 10)

    joined = engine._joined([block(2, [0, 1]), block(3, [2, 3]), block(1, [4, 4])], 5)
    assert joined.params["W"][0].ravel().tolist() == [0, 1, 2, 3, 4]
    assert joined.best_epoch.tolist() == [10, 11, 12, 13, 14]
    nan = np.nan
    np.testing.assert_array_equal(
        joined.history[..., 1],
        [
            [0.5, 1.5, 2.5, 3.5, 4.5],
            [100.5, 101.5, 102.5, 103.5, nan],
            [nan, nan, 202.5, 203.5, nan],
        ],
    )
    np.testing.assert_array_equal(joined.history[..., 0], joined.history[..., 1] - 0.5)


def test_all_blocks_share_one_compilation_also_when_they_ask_at_once(monkeypatch):
    compile_ = engine._compiled_epochs.__wrapped__

    @functools.lru_cache
    def slow(plan, shapes):
        time.sleep(0.1)  # long enough for the other threads to ask as well
        return compile_(plan, shapes)

    traced, objectives = [], Noisy.objectives

    def counted(*args):
        traced.append(threading.current_thread())
        return objectives(*args)

    monkeypatch.setattr(engine, "_compiled_epochs", slow)
    monkeypatch.setattr(Noisy, "objectives", counted)
    # steps of a block: 20, 33 and 30, which alone would be padded to 32, 48 and 32
    run(range(12), epochs=2, batch_size=1, n_jobs=3)
    assert slow.cache_info().misses == len(traced) == 1
    run(range(7), epochs=3, batch_size=1, n_jobs=2)  # as wide, with filling
    assert slow.cache_info().misses == len(traced) == 1


# --- threads --------------------------------------------------------------------------------------


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.setattr(engine.joblib, "cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def test_threads_that_are_asked_for_are_granted(monkeypatch, eight_cores):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    cores = joblib.effective_n_jobs(-1)
    assert [engine.threads(n) for n in (1, 3, 50)] == [1, 3, 50]
    assert engine.threads(-1) == cores and engine.threads(-2) == max(1, cores - 1)
    assert engine.threads(-1000) == 1
    with joblib.parallel_config(n_jobs=2):
        assert engine.threads(3) == 3
    with pytest.raises(ValueError, match="n_jobs == 0"):
        engine.threads(0)


@pytest.mark.parametrize("how", ["loky", "threading"])
def test_a_context_grants_its_threads_before_the_environment_does(monkeypatch, eight_cores, how):
    for omp in ("3", "", "many"):
        monkeypatch.setenv("OMP_NUM_THREADS", omp)
        with joblib.parallel_config(how, n_jobs=2):
            assert engine.threads() == 2
        with joblib.parallel_config(how, n_jobs=-1):
            assert engine.threads() == joblib.effective_n_jobs(-1)
        with joblib.parallel_config(how):  # it names no number
            assert engine.threads() == (3 if omp == "3" else 8)


@pytest.mark.parametrize(
    ("omp", "granted"),
    [
        ("3", 3),
        ("1", 1),
        ("64", 8),
        ("", 8),
        ("0", 8),
        ("-2", 8),
        ("many", 8),
        ("2.5", 8),
        (None, 8),
    ],
)
def test_without_a_context_all_cores_train_or_what_the_environment_says(
    monkeypatch, eight_cores, omp, granted
):
    if omp is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", omp)
    assert engine.threads() == granted


def test_a_worker_of_joblib_trains_on_its_share_of_the_cores(monkeypatch, eight_cores):
    def inside(depth=1, **options):
        ask = engine.threads if depth == 1 else functools.partial(inside, depth - 1)
        call = joblib.delayed(ask)(**options)
        return max(np.ravel(joblib.Parallel(n_jobs=2, backend="threading")([call] * 2)))

    assert inside() == 1 and inside(2) == 1 and inside(n_jobs=3) == 3
    with joblib.parallel_config(n_jobs=5):
        assert inside() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "4")  # as joblib sets it in its processes
    assert inside() == 4
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    assert inside() == 1
    assert engine.threads() == 8


class FakeBlock:
    """A block's training that lasts until as many others train as there should be."""

    def __init__(self, together):
        self.meeting = threading.Barrier(together)
        self.lock, self.now, self.most = threading.Lock(), 0, 0

    def __call__(self, plan, state, inputs, orders, shares, epochs, patience, bar):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.meeting.wait(timeout=10)
        time.sleep(0.01)
        with self.lock:
            self.now -= 1
        width = len(orders.lengths)
        marks = inputs.table.starts.numpy()
        return engine.Trained({"W": [marks]}, np.zeros((epochs, width, 2)), np.zeros(width))


@pytest.mark.parametrize(
    ("n_jobs", "granted", "together"), [(1, 4, 1), (2, 4, 2), (9, 1, 4), (None, 2, 2)]
)
def test_as_many_blocks_train_at_once_as_there_are_threads(monkeypatch, n_jobs, granted, together):
    monkeypatch.setattr(engine, "WIDTH", 3)  # four blocks
    fake = FakeBlock(together)
    monkeypatch.setattr(engine, "_train_block", fake)
    with joblib.parallel_config(n_jobs=granted):
        result = run(range(12), n_jobs=n_jobs)
    assert fake.most == together
    np.testing.assert_array_equal(result.params["W"][0], STARTS)


@pytest.mark.parametrize("model", [ACGANClassifier, StackedAutoencoderImputer])
def test_estimators_say_how_many_threads_and_learn_the_same(model):
    assert model().n_jobs is None and model(n_jobs=3).get_params()["n_jobs"] == 3
    few = {"n_members": 3, "epochs": 2, "random_state": 0}
    if model is ACGANClassifier:
        data, few = (X[:40], Y[:40] > 0), {**few, "hidden_units": 3}
    else:
        data, few = (X[:40],), {**few, "hidden_layers": (3,), "n_passes": 1}
    a, b = (model(**few, n_jobs=n).fit(*data) for n in (1, 2))
    answers = (m.predict_proba(X) if model is ACGANClassifier else m.weights_[0] for m in (a, b))
    np.testing.assert_array_equal(*answers)
    np.testing.assert_array_equal(a.loss_curve_, b.loss_curve_)


# --- the progress bar, and errors -----------------------------------------------------------------


class Bar:
    """A progress bar that counts and shows nothing."""

    made = []

    def __init__(self, *, total, desc, unit, disable):
        self.total, self.desc, self.unit, self.disable = total, desc, unit, disable
        self.n, self.is_open = 0, None
        Bar.made.append(self)

    def __enter__(self):
        self.is_open = True
        return self

    def __exit__(self, *error):
        self.is_open = False

    def update(self, n):
        assert self.is_open
        self.n += n


@pytest.fixture
def bars_made(monkeypatch):
    monkeypatch.setattr(Bar, "made", [])
    monkeypatch.setattr(engine, "tqdm", Bar)
    return Bar.made


@VARIANTS
def test_the_bar_counts_the_epochs_of_all_blocks_to_its_total(options, bars_made, short_chunks):
    epochs = np.arange(12) + 14 if options is PLAIN else 25  # blocks of unlike length, either way
    run(range(12), epochs=epochs, n_jobs=2, progress="networks", **options)
    (bar,) = bars_made
    assert bar.n == bar.total == 3 * 25 and bar.is_open is False
    assert (bar.desc, bar.unit) == ("networks", "epoch")


@pytest.mark.parametrize(
    ("progress", "unwanted", "disable"),
    [("networks", False, None), ("networks", True, True), (None, False, True)],
)
def test_a_bar_is_shown_where_it_is_asked_for_and_wanted(
    monkeypatch, bars_made, progress, unwanted, disable
):
    monkeypatch.setattr(engine, "no_bars", lambda: unwanted)
    monkeypatch.setattr(engine, "_train_block", FakeBlock(1))
    run(range(4), n_jobs=1, progress=progress)
    assert bars_made[0].disable is disable  # None lets tqdm ask whether a terminal is there


@dataclass(frozen=True)
class Broken(Noisy):
    """A problem whose losses cannot be written down."""

    def objectives(self, params, batch, weight, noise, hyper):
        """Fail while the loop is being compiled."""
        raise ArithmeticError("no such loss")


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_an_error_in_a_block_reaches_the_caller_and_the_next_run_goes_well(
    monkeypatch, bars_made, short_chunks, n_jobs
):
    running = threading.active_count()
    with pytest.raises(ArithmeticError, match="no such loss"):
        run(range(12), problem=Broken(), n_jobs=n_jobs)
    draw = engine._Orders.draw

    def last_fails(self, shares, n_epochs):
        if self.lengths[-1] == SIZES[-1]:
            raise MemoryError("the last block")
        return draw(self, shares, n_epochs)

    with monkeypatch.context() as patch, pytest.raises(MemoryError, match="the last block"):
        patch.setattr(engine._Orders, "draw", last_fails)
        run(range(12), n_jobs=n_jobs)
    assert threading.active_count() == running and not any(bar.is_open for bar in bars_made)
    same(run(range(12), n_jobs=n_jobs), run(range(12), n_jobs=1))
