"""Equations 1, 4 and 5 against sums written out by hand."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax

from ehrgan.nets.losses import (
    acgan_losses,
    class_log_likelihood,
    reconstruction_loss,
    source_log_likelihood,
)

rng = np.random.default_rng(0)
WEIGHT = np.array([[0.25, 0.25, 0.5, 0.0], [0.1, 0.2, 0.3, 0.4]])


def test_reconstruction_loss_counts_the_cells_it_is_told_to():
    x_out, x_in = rng.normal(size=(2, 2, 4, 3))
    cells = rng.integers(0, 2, (2, 4, 3))
    expected = [((o - i) ** 2)[c > 0].mean() for o, i, c in zip(x_out, x_in, cells, strict=True)]
    np.testing.assert_allclose(reconstruction_loss(x_out, x_in, cells), expected, rtol=1e-5)


def test_reconstruction_loss_is_a_weighted_mean_and_nothing_where_no_cell_counts():
    x_in = np.zeros((2, 1, 2))
    loss = reconstruction_loss([[[1.0, 3.0]], [[1.0, 3.0]]], x_in, [[[1.0, 0.5]], [[0.0, 0.0]]])
    np.testing.assert_allclose(loss, [(1 + 4.5) / 1.5, 0.0])


def test_source_log_likelihood_is_the_log_of_the_sigmoid():
    s = rng.normal(size=(2, 4))
    np.testing.assert_allclose(
        source_log_likelihood(s, True, WEIGHT), (WEIGHT * np.log(expit(s))).sum(axis=1), rtol=1e-5
    )
    np.testing.assert_allclose(
        source_log_likelihood(s, False, WEIGHT), (WEIGHT * np.log(expit(-s))).sum(axis=1), rtol=1e-5
    )
    sure = source_log_likelihood([[200.0]], False, [[1.0]])  # no logarithm of 0
    np.testing.assert_allclose(sure, [-200.0])


@pytest.mark.parametrize("n_classes", [2, 4])
def test_class_log_likelihood_is_the_softmax_with_class_0_as_reference(n_classes):
    logits = rng.normal(size=(2, 4, n_classes - 1))
    c = rng.integers(0, n_classes, (2, 4))
    whole = np.concatenate([np.zeros((2, 4, 1)), logits], axis=2)
    picked = np.take_along_axis(log_softmax(whole, axis=2), c[..., None], 2)[..., 0]
    expected = (WEIGHT * picked).sum(axis=1)
    np.testing.assert_allclose(class_log_likelihood(logits, c, WEIGHT), expected, rtol=1e-5)


L_S = {"real": -1.0, "fake": -2.0, "fooled": -0.5}
L_C = {"real": -0.5, "fake": -0.25, "fooled": -0.75}


@pytest.mark.parametrize(
    ("options", "loss_D", "loss_G"),
    [
        ({}, 3.75, -1.75),
        ({"adversarial_weight": 0.0}, 0.75, 0.25),
        ({"class_loss": "real"}, 3.5, -1.75),
        ({"class_loss": "discriminator"}, 3.75, -2.0),
        ({"class_loss": "adc"}, 3.75, -1.5),
        ({"generator_loss": "non_saturating"}, 3.75, 0.75),
        ({"adversarial_weight": 0.1}, 1.05, 0.05),
        ({"adversarial_weight": 0.1, "generator_loss": "non_saturating"}, 1.05, 0.3),
        ({"generator_loss": "non_saturating", "class_loss": "discriminator"}, 3.75, 0.5),
    ],
)
def test_acgan_losses_of_each_variant(options, loss_D, loss_G):
    assert acgan_losses(L_S, L_C, **options) == (pytest.approx(loss_D), pytest.approx(loss_G))
