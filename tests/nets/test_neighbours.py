"""The mean over near records: by hand, in both libraries, and where records are far or absent."""

import numpy as np
import pytest

from ehrgan import StackedAutoencoderImputer
from ehrgan.nets import engine
from ehrgan.nets.backend import tensorflow
from ehrgan.nets.neighbours import first_metric, near_mean
from ehrgan.nets.networks import Autoencoder
from ehrgan.nets.objectives import ReconstructionObjective

RNG = np.random.default_rng(0)
M, B, S, D = 2, 5, 7, 3


def case():
    x = RNG.normal(size=(M, B, D))
    seen = (RNG.random(x.shape) < 0.6).astype(float)
    records = np.where(RNG.random((M, S, D)) < 0.3, np.nan, RNG.normal(size=(M, S, D)))
    metric = [RNG.normal(size=(M, 1, D)), RNG.normal(size=(M, 1, D))]
    return x * seen, seen, records, metric, (RNG.random((M, B, S)) < 0.8).astype(float)


def by_hand(x, seen, records, metric, apart, m, b, j):
    """The mean of attribute j, record by record and attribute by attribute."""
    total = weights = 0.0
    for s in range(S):
        distance = 0.0
        for k in range(D):
            if seen[m, b, k]:
                apart_by = (x[m, b, k] - records[m, s, k]) ** 2
                unknown = np.isnan(apart_by)
                distance += np.exp(metric[0][m, 0, k]) * (
                    np.exp(metric[1][m, 0, k]) if unknown else apart_by
                )
        if apart[m, b, s] and not np.isnan(records[m, s, j]):
            total += np.exp(-distance) * records[m, s, j]
            weights += np.exp(-distance)
    return total / weights if weights else 0.0


@pytest.mark.parametrize("library", ["numpy", "tensorflow"])
def test_the_mean_is_that_of_its_definition(library):
    args = case()
    xp = np if library == "numpy" else tensorflow()
    found = np.asarray(near_mean(*args, xp=xp))
    places = [(m, b, j) for m in range(M) for b in range(B) for j in range(D)]
    expected = [by_hand(*args, *place) for place in places]
    np.testing.assert_allclose([found[place] for place in places], expected, rtol=1e-6, atol=1e-9)


def test_far_records_and_none_leave_finite_means_and_gradients():
    tf = tensorflow()
    x, seen = np.float32([[[0.0, 0.0]]]), np.float32([[[1.0, 0.0]]])
    # the one at hand lacks the attribute, the other is so far that its weight nearly vanishes
    for far in (5.0, 9.0, 1e3, 1e15):
        records = np.float32([[[0.0, np.nan], [far, 1.0]]])
        metric = [tf.constant(a) for a in first_metric(1, 2)]
        with tf.GradientTape() as tape:
            tape.watch(metric)
            mean = near_mean(x, seen, records, metric, np.ones((1, 1, 2), np.float32), xp=tf)
        gradients = tape.gradient(mean, metric)
        assert np.isfinite(mean.numpy()).all()
        assert all(np.isfinite(g.numpy()).all() for g in gradients)
    assert near_mean(x, seen, np.full((1, 1, 2), np.nan), first_metric(1, 2)).tolist() == [[[0, 0]]]


def objective(d=4):
    network = Autoencoder(d, (6,), told=True, linear_skip=True, n_passes=2, neighbours=True)
    return network, ReconstructionObjective(network, True, 0.5, 0.1)


def test_training_looks_up_only_what_a_replica_learns_from_and_never_the_record_itself():
    tf = tensorflow()
    X = np.arange(20.0, dtype=np.float32)[:, None] * np.ones((1, 4), np.float32)
    orders = np.full((1, 2, 4), -1, np.int32)
    orders[0, 0], orders[0, 1, :2] = [3, 3, 5, 7], [5, 9]
    table = engine.Table({"X": X}, tf.constant([2]), tf.constant([6]), tf.constant(orders))
    key = tf.constant([[1, 2]], "uint32")
    noise = engine.Noise(key, tf.constant([0]))
    batch = objective()[1].draw(table, tf.constant([[3, 9]]), noise)
    found = batch["records"].numpy()[0, :, 0]
    assert set(found) == {5.0, 7.0, 9.0, 11.0}  # rows 3, 5, 7 and 9, counted from row 2
    apart = batch["apart"].numpy()[0]
    np.testing.assert_array_equal(apart, [found != 5.0, found != 11.0])


def test_a_record_alike_fills_the_hole_where_no_line_does():
    rng = np.random.default_rng(0)
    kind = rng.integers(12, size=360)
    X = rng.normal(size=(12, 4))[kind] + 0.02 * rng.normal(size=(360, 4))
    holes = np.where(rng.random(X.shape) < 0.2, np.nan, X)

    def error(**settings):
        model = StackedAutoencoderImputer(epochs=40, random_state=0, **settings).fit(holes[:240])
        return np.sqrt(
            np.mean((model.transform(holes[240:]) - X[240:])[np.isnan(holes[240:])] ** 2)
        )

    assert error() < 0.75 * error(neighbours=False)


def test_a_network_looks_up_what_it_learned_from_and_its_bootstrap_alone():
    X = np.random.default_rng(0).normal(size=(40, 3))
    model = StackedAutoencoderImputer(epochs=1, n_members=1, n_draws=3, random_state=0).fit(X)

    def known(weights, member):
        records = weights[-1][member]
        records = model.units_.from_network(records[~np.isnan(records).any(axis=1)])
        return set(np.abs(records[:, None] - X).max(axis=2).argmin(axis=1))

    assert known(model.weights_, 0) == set(range(40))
    bootstraps = [known(model.drawing_.weights, b) for b in range(3)]
    assert all(15 < len(own) < 35 for own in bootstraps)
    assert len({*map(frozenset, bootstraps)}) == 3


def test_a_record_of_the_training_table_does_not_find_itself():
    X = np.random.default_rng(0).normal(size=(60, 3))
    X[0, 2] = np.nan
    model = StackedAutoencoderImputer(epochs=1, n_members=1, random_state=0).fit(X)
    found = model.transform(X[:1])
    own = np.isclose(model.weights_[-1][0, :, :2], model.units_.to_network(X[:1])[:, :2]).all(
        axis=1
    )
    assert own.sum() == 1
    model.weights_[-1] = model.weights_[-1][:, ~own]
    np.testing.assert_array_equal(model.transform(X[:1]), found)
