"""Categories as codes: probabilities, losses and draws against sums written out by hand."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax

from ehrgan import StackedAutoencoderImputer
from ehrgan.nets.categories import Categories
from ehrgan.nets.losses import reconstruction_loss
from ehrgan.nets.networks import Autoencoder
from ehrgan.nets.noise import Noise
from ehrgan.nets.objectives import ReconstructionObjective, hidden_cells

#: A number, yes or no, one of three, a number, and four ordered levels.
GROUPS = (((1,), False), ((2, 3, 4), False), ((6, 7, 8), True))
MIXED = Categories(9, GROUPS)
STEPS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]])  # codes of four ordered levels


def outputs(seed=0, shape=(2, 5)):
    return np.random.default_rng(seed).normal(0, 2, (*shape, 9))


def codes(rng, n):
    """Records of two numbers and three categories."""
    one_hot, steps = np.eye(3)[rng.integers(0, 3, n)], STEPS[rng.integers(0, 4, n)]
    yes, numbers = rng.integers(0, 2, (n, 1)), rng.normal(size=(n, 2))
    return np.hstack([numbers[:, :1], yes, one_hot, numbers[:, 1:], steps])


def test_expected_codes_are_logistic_softmax_and_steps_above_ordered_levels():
    eta = outputs()
    E = MIXED.expected(eta)
    np.testing.assert_array_equal(E[..., [0, 5]], eta[..., [0, 5]])
    np.testing.assert_allclose(E[..., 1], expit(eta[..., 1]))
    np.testing.assert_allclose(E[..., 2:5], softmax(eta[..., 2:5], axis=-1))
    # each output is the log-odds of a level against the level below
    weights = np.exp(np.concatenate([np.zeros((2, 5, 1)), np.cumsum(eta[..., 6:], -1)], -1))
    P = weights / weights.sum(-1, keepdims=True)
    np.testing.assert_allclose(E[..., 6], P[..., 1:].sum(-1))
    np.testing.assert_allclose(E[..., 8], P[..., 3])
    assert np.isfinite(MIXED.expected(1e4 * eta)).all()


def test_tensors_give_what_arrays_give():
    from ehrgan.nets.backend import tensorflow

    eta = np.float32(outputs())
    both = MIXED.expected(tensorflow().constant(eta), xp=tensorflow()), MIXED.expected(eta)
    np.testing.assert_allclose(*both, rtol=1e-5, atol=1e-6)


def test_the_loss_is_cross_entropy_of_categories_beside_squared_error_of_numbers():
    rng = np.random.default_rng(1)
    eta, x = outputs(1, (1, 40)), codes(rng, 40)[None]
    cells = rng.integers(0, 2, (1, 40, 9)).astype(float)[..., MIXED.leading]
    yes = np.log(np.where(x[..., 1] > 0, expit(eta[..., 1]), expit(-eta[..., 1])))
    one = (x[..., 2:5] * log_softmax(eta[..., 2:5], axis=-1)).sum(-1)
    levels = log_softmax(eta[..., 6:] @ STEPS.T, axis=-1)
    step = np.take_along_axis(levels, x[..., 6:].sum(-1, keepdims=True).astype(int), -1)[..., 0]
    errors = np.stack([(eta - x)[..., 0] ** 2, -yes, -one, (eta - x)[..., 5] ** 2, -step], -1)
    weights = cells[..., [0, 1, 2, 5, 6]]
    wanted = (errors * weights).sum() / weights.sum()
    np.testing.assert_allclose(reconstruction_loss(eta, x, cells, MIXED), [wanted], rtol=1e-5)


def test_the_loss_is_least_where_probabilities_are_the_frequencies():
    x = np.repeat(STEPS[None], [1, 2, 3, 4], axis=1)  # levels 1 to 4 times
    own = Categories(3, (((0, 1, 2), True),))
    best = np.log([2 / 1, 3 / 2, 4 / 3])
    eta = np.broadcast_to(best, x.shape)
    np.testing.assert_allclose(own.expected(eta)[0, 0], x.mean(axis=(0, 1)))
    least = float(reconstruction_loss(eta, x, np.ones(x.shape), own)[0])
    for shift in 0.3 * np.vstack([np.eye(3), -np.eye(3)]):
        assert float(reconstruction_loss(eta + shift, x, np.ones(x.shape), own)[0]) > least


def test_columns_of_a_category_are_hidden_together():
    from ehrgan.nets.backend import tensorflow

    tf = tensorflow()
    noise = Noise(tf.constant([[1, 2]], "uint32"), tf.constant([3]))
    donor = tf.constant(codes(np.random.default_rng(0), 500)[None], "float32")
    hidden = hidden_cells(donor, noise, 0.0, MIXED).numpy()[0]
    for columns, _ in GROUPS:
        assert (hidden[:, columns] == hidden[:, columns[:1]]).all()
    assert 0.15 < hidden[:, 2].mean() < 0.35 and (hidden[:, 0] != hidden[:, 2]).any()


def test_later_passes_see_probabilities_in_the_holes():
    net = Autoencoder(9, (4,), told=True, linear_skip=True, n_passes=2, groups=GROUPS)
    weights = net.first_weights([np.random.SeedSequence(0)])
    x = codes(np.random.default_rng(2), 6)[None]
    seen = np.ones_like(x)
    seen[:, ::2, 1:5] = 0.0
    first, second = net(weights, x * seen, seen)
    once = Autoencoder(9, (4,), told=True, linear_skip=True, n_passes=1)
    # the same second pass by hand: holes hold the expected codes, but count as not seen
    by_hand = np.where(seen > 0, x, MIXED.expected(first))
    layers, skip = weights[:-2], weights[-2:]
    h = np.maximum(np.concatenate([by_hand, seen], 2) @ layers[0] + layers[1], 0)
    wanted = h @ layers[2] + layers[3] + by_hand @ skip[0] + skip[1]
    np.testing.assert_allclose(second, wanted)
    np.testing.assert_allclose(first, once(weights, x * seen, seen)[0])


def test_draws_are_codes_as_often_as_their_probabilities_say():
    P = np.tile([5.0, 0.3, 0.2, 0.5, 0.3, 6.0, 0.9, 0.6, 0.1], (20_000, 1))
    drawn = MIXED.draw(P, np.random.default_rng(0))
    np.testing.assert_allclose(drawn.mean(axis=0), P[0], atol=0.02)
    assert (drawn[:, 2:5].sum(axis=1) == 1).all() and (np.diff(drawn[:, 6:]) <= 0).all()
    assert set(np.unique(drawn[:, 1:5])) == {0, 1}


def test_the_validation_error_knows_categories():
    net = Autoencoder(9, (4,), told=True, linear_skip=False, n_passes=1, groups=GROUPS)
    weights = {"AE": net.first_weights([np.random.SeedSequence(0)])}
    x = np.float32(codes(np.random.default_rng(2), 6)[None])
    hide = np.zeros_like(x)
    hide[..., 2:5] = 1.0
    data = {"X": x, "hide": hide, "cells": hide}
    found = ReconstructionObjective(net, True, 0.5, 0.1).validation(weights, data)
    eta = net(weights["AE"], x * (1 - hide), 1 - hide)[0]
    wanted = -(x[..., 2:5] * log_softmax(eta[..., 2:5], axis=-1)).sum(-1).mean()
    np.testing.assert_allclose(found, [wanted], rtol=1e-5)


def related(n=300, seed=0):
    """A number, and what it says of three categories: a sign, a third, a place on a scale."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    place = np.digitize(z + 0.3 * rng.normal(size=n), [-1, 0, 1])
    third = np.digitize(z, [-0.5, 0.5])
    yes = rng.random(n) < expit(4 * z)
    return np.column_stack([z, yes, np.eye(3)[third], rng.normal(size=n), STEPS[place]])


def test_the_imputer_fills_categories_with_probabilities_that_are_right_of_unseen_records():
    X, new = related(), related(seed=1)
    rng = np.random.default_rng(0)
    X[(rng.random((300, 9)) < 0.2)[:, MIXED.leading]] = np.nan
    model = StackedAutoencoderImputer(categories=GROUPS, n_draws=20, random_state=0).fit(X)
    holes = new.copy()
    holes[:, [1, 2, 3, 4, 6, 7, 8]] = np.nan
    P = model.transform(holes)
    assert (P[:, 1:5] >= 0).all() and (P[:, 6:] <= 1).all()
    np.testing.assert_allclose(P[:, 2:5].sum(axis=1), 1.0)
    assert (np.diff(P[:, 6:]) <= 1e-12).all()
    truth = expit(4 * new[:, 0])
    assert np.abs(P[:, 1] - truth).mean() < 0.1
    assert (P[:, 2:5].argmax(axis=1) == new[:, 2:5].argmax(axis=1)).mean() > 0.85
    draws = model.draw(holes, random_state=0)
    assert set(np.unique(draws[..., 1:5])) == {0, 1} and (draws[..., 2:5].sum(axis=-1) == 1).all()
    assert (np.diff(draws[..., 6:]) <= 0).all()
    assert np.abs(draws[..., 1].mean(axis=0) - P[:, 1]).mean() < 0.1
    np.testing.assert_allclose(draws[..., 1].mean(), P[:, 1].mean(), atol=0.03)
    # drawn one after the other: those of a record go together, as yes and third do
    both = draws[..., 1] * draws[..., 4]
    np.testing.assert_allclose(both.mean(), (new[:, 1] * new[:, 4]).mean(), atol=0.06)


def test_a_category_missing_from_the_table_is_left_out():
    X = related(40)
    X[:, 2:5] = np.nan
    model = StackedAutoencoderImputer(categories=GROUPS, epochs=1).fit(X)
    assert model.transform(X).shape == (40, 6)
    assert model._network().groups == (((1,), False), ((3, 4, 5), True))


@pytest.mark.parametrize(
    ("categories", "message"),
    [
        ((((9,), False),), "columns of 0 to 8, each once"),
        ((((1,), False), ((1,), False)), "each once"),
        (((1, 2),), "pairs"),
        ((1,), "pairs"),
        ((((), False),), "pairs"),
        ((((0,), False),), r"columns \(0,\) of X code a category"),
        ((((1, 2), False),), "one-hot, but a record has"),
        ((((8, 7, 6), True),), "steps, but a record has"),
    ],
)
def test_columns_that_code_no_category_are_refused(categories, message):
    with pytest.raises(ValueError, match=message):
        StackedAutoencoderImputer(categories=categories).fit(related(40))


def test_half_a_code_is_refused_in_new_records_too():
    model = StackedAutoencoderImputer(categories=GROUPS, epochs=1).fit(related(40))
    new = related(3)
    new[1, 3] = np.nan
    with pytest.raises(ValueError, match=r"columns \(2, 3, 4\)"):
        model.transform(new)


def test_tables_trained_together_equal_tables_trained_alone():
    tables = [related(60, seed=1), related(45, seed=2)]
    holes = related(10, seed=3)
    holes[:, 2:5] = np.nan
    model = StackedAutoencoderImputer(categories=GROUPS, epochs=5, random_state=0)
    for X, together in zip(tables, model.fit_many(tables), strict=True):
        alone = StackedAutoencoderImputer(categories=GROUPS, epochs=5, random_state=0).fit(X)
        found, wanted = together.transform(holes), alone.transform(holes)
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_a_saved_imputer_knows_its_categories(tmp_path):
    X = related(40)
    model = StackedAutoencoderImputer(categories=GROUPS, epochs=2, random_state=0).fit(X)
    model.save(tmp_path / "model")
    again = StackedAutoencoderImputer.load(tmp_path / "model")
    X[:, 2:5] = np.nan
    assert again.categories == GROUPS
    np.testing.assert_array_equal(again.transform(X), model.transform(X))
