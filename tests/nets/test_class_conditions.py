"""Classes that the generator is asked for, counted minibatch by minibatch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ehrgan import ACGANClassifier
from ehrgan.nets.backend import tensorflow
from ehrgan.nets.noise import Noise
from ehrgan.nets.objectives import CLASS_CONDITIONS, asked_classes


def asked(c, conditions, n_classes, n=None, key=0):
    """Classes asked beside the first n records of each replica's minibatch."""
    tf, c = tensorflow(), np.atleast_2d(c)
    n = c.shape[1] if n is None else n
    weight = np.float32(np.arange(c.shape[1]) < n)[None].repeat(len(c), 0) / n
    keys = np.stack([np.arange(len(c)) + key, np.arange(len(c))], 1)
    noise = Noise(tf.constant(keys, "uint32"), tf.zeros(len(c), "int32"))
    found = asked_classes(tf.constant(c, "int32"), weight, noise, n_classes, conditions)
    return found.numpy()[:, :n]


def due(real, n):
    """Places that each class is due: what lies between its records and a level found by trying."""
    low, high = 0.0, float(n + real.max())
    for _ in range(60):
        level = (low + high) / 2
        low, high = (low, level) if np.maximum(level - real, 0).sum() > n else (level, high)
    return np.maximum(level - real, 0)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 5), st.integers(1, 12), st.integers(0, 2**20))
def test_real_and_fake_records_together_are_as_balanced_as_they_can_be(K, n, key):
    c = np.random.default_rng(key).choice(K, n, p=np.random.default_rng(key).dirichlet(np.ones(K)))
    counts = np.bincount(asked(c, "opposite", K, key=key)[0], minlength=K)
    assert counts.sum() == n
    assert (np.abs(counts - due(np.bincount(c, minlength=K), n)) < 1.001).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 5), st.integers(1, 20), st.integers(0, 2**20))
def test_each_class_is_asked_for_equally_often(K, n, key):
    counts = np.bincount(asked(np.zeros(n, int), "balanced", K, key=key)[0], minlength=K)
    assert counts.sum() == n and np.ptp(counts) <= 1


def test_a_broken_place_falls_to_each_class_in_turn():
    found = asked(np.zeros((600, 4), int), "balanced", 3)
    shares = np.bincount(found.ravel(), minlength=3) / found.size
    np.testing.assert_allclose(shares, 1 / 3, atol=0.02)


def test_of_two_classes_the_opposite_is_the_other_of_each_record():
    c = np.random.default_rng(0).integers(0, 2, (3, 64))
    np.testing.assert_array_equal(asked(c, "opposite", 2), 1 - c)
    np.testing.assert_array_equal(asked(c, "batch", 2), c)


@pytest.mark.parametrize(
    ("c", "counts"),
    [
        ([0] * 6, [0, 3, 3]),  # one class alone
        ([0, 0, 0, 1, 1, 1], [1, 1, 4]),  # a class that lacks
        ([0, 0, 0, 0, 0, 1], [0, 2.5, 3.5]),  # one that has more than its share of both already
        ([0, 0, 1, 1, 2, 2], [2, 2, 2]),
    ],
)
def test_what_a_minibatch_lacks_is_asked_for(c, counts):
    found = asked(np.tile(c, (400, 1)), "opposite", 3)
    each = np.array([np.bincount(row, minlength=3) for row in found])
    np.testing.assert_allclose(each.mean(axis=0), counts, atol=0.1)
    assert (np.abs(each - counts) < 1).all()


def test_places_without_a_record_do_not_count():
    full = asked([0, 0, 0, 1], "opposite", 3)
    np.testing.assert_array_equal(asked([0, 0, 0, 1, 2, 2, 2, 2], "opposite", 3, n=4), full)


@pytest.mark.parametrize("conditions", CLASS_CONDITIONS)
def test_the_classifier_hands_its_choice_to_the_training_step(conditions):
    model = ACGANClassifier(class_conditions=conditions)
    model.n_features_in_, model.classes_ = 3, np.array([0, 1])
    assert model._objective().class_conditions == conditions


def test_another_choice_is_refused():
    with pytest.raises(ValueError, match="'class_conditions' parameter"):
        ACGANClassifier(class_conditions="other").fit([[0.0], [1.0]], [0, 1])
