"""Purity and mixing of sets of points, against every deal of their labels."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ehrgan.scores.mixing import mixing, neighbour_purity


def test_sets_apart_are_pure_and_do_not_mix():
    rng = np.random.default_rng(0)
    points = np.r_[rng.normal(size=(40, 3)), 100 + rng.normal(size=(20, 3))]
    labels = np.repeat(["real", "fake"], [40, 20])
    assert neighbour_purity(points, labels) == 1
    assert mixing(points, labels) == 0


@pytest.mark.parametrize("sizes", [(100, 100), (170, 30), (80, 60, 60)])
def test_labels_dealt_at_random_mix_to_one(sizes):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(200, 2))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    values = [mixing(points, rng.permutation(labels), k=5) for _ in range(60)]
    assert np.mean(values) == pytest.approx(1, abs=4 * np.std(values) / 60**0.5)


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.integers(3, 5), st.data())
def test_purity_and_mixing_against_every_deal_of_the_labels(seed, n_points, data):
    rng = np.random.default_rng(seed)
    points, k = rng.normal(size=(n_points, 2)), data.draw(st.integers(1, n_points - 1))
    some = st.lists(st.sampled_from("abc"), min_size=n_points, max_size=n_points)
    labels = np.array(data.draw(some.filter(lambda drawn: len(set(drawn)) > 1)))
    distance = np.linalg.norm(points[:, None] - points, axis=2)
    nearest = np.argsort(distance, axis=1)[:, 1 : k + 1]  # the nearest is the point itself

    def purity(dealt):
        return np.mean([dealt[j] == dealt[i] for i in range(n_points) for j in nearest[i]])

    assert neighbour_purity(points, labels, k) == pytest.approx(purity(labels))
    deals = np.mean([1 - purity(deal) for deal in set(itertools.permutations(labels))])
    assert mixing(points, labels, k) == pytest.approx((1 - purity(labels)) / deals)


def test_ten_neighbours_are_asked_by_default():
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(40, 2)), np.arange(40) % 2
    assert neighbour_purity(points, labels) == neighbour_purity(points, labels, k=10)
    assert mixing(points, labels) == mixing(points, labels, k=10)


def test_with_every_other_point_a_neighbour_sets_mix_fully():
    assert mixing([[0.0], [1.0], [9.0], [10.0]], ["a", "a", "a", "b"], k=3) == pytest.approx(1)


def test_a_copy_beside_each_point_mixes_above_one():
    points = np.random.default_rng(0).normal(size=(50, 2))
    assert mixing(np.r_[points, points + 1e-9], np.repeat([0, 1], 50), k=1) > 1.9


@pytest.mark.parametrize(
    ("labels", "k", "message"),
    [
        ([0, 1, 1], 3, "k must be from 1 to 2"),
        ([0, 1, 1], 0, "k must be from 1 to 2"),
        ([0, 0, 0], 1, "two sets"),
        ([0, 1], 1, "one per"),
    ],
)
def test_neighbours_refuse(labels, k, message):
    with pytest.raises(ValueError, match=message):
        mixing([[0.0], [1.0], [2.0]], labels, k)
