"""The loop that is written out and the compiled engine learn the same."""

import numpy as np
import pytest

from ehrgan.nets import engine
from ehrgan.nets.networks import Autoencoder, Discriminator, Generator
from ehrgan.nets.objectives import AdversarialObjective, ReconstructionObjective
from ehrgan.nets.reference import train_one

N, D = 37, 4  # not a whole number of batches


def adversarial(rng):
    networks = Generator(3, 2, 5, D), Discriminator(D, 5, 2)
    objective = AdversarialObjective(*networks, "both", "saturating", "loss")
    first, second = np.random.SeedSequence(1).spawn(2)
    params = {"G": networks[0].first_weights([first]), "D": networks[1].first_weights([second])}
    data = {"X": rng.normal(size=(1024, D)), "c": rng.integers(0, 2, 1024)}
    return objective, params, data, {"adversarial_weight": 0.5}


def reconstruction(rng):
    network = Autoencoder(D, (6,), told=True, linear_skip=True, n_passes=2)
    objective = ReconstructionObjective(network, True, 0.5, 0.1)
    X = np.where(rng.random((1024, D)) < 0.2, np.nan, rng.normal(size=(1024, D)))
    data = {"X": X, "start": np.array([0]), "n": np.array([N])}
    return objective, {"AE": network.first_weights([np.random.SeedSequence(1)])}, data, {}


def categories(rng):
    """A number, and one of three categories."""
    groups = (((1, 2, 3), False),)
    network = Autoencoder(D, (6,), told=True, linear_skip=True, n_passes=2, groups=groups)
    X = np.hstack([rng.normal(size=(1024, 1)), np.eye(3)[rng.integers(0, 3, 1024)]])
    X[rng.random(1024) < 0.2, 1:] = np.nan
    params = {"AE": network.first_weights([np.random.SeedSequence(1)])}
    return ReconstructionObjective(network, True, 0.5, 0.1), params, {"X": X}, {}


@pytest.mark.parametrize("problem", [adversarial, reconstruction, categories])
def test_the_plain_loop_and_the_engine_agree(problem):
    objective, params, data, own = problem(np.random.default_rng(0))
    data = {k: np.float32(a) if a.dtype == float else np.int32(a) for k, a in data.items()}
    hyper = {"learning_rate": 0.01, "beta_1": 0.5, "l2": 0.01, **own}
    settings = {"epochs": 3, "batch_size": 16, "hyper": hyper}
    plain, history = train_one(objective, params, data, N, np.random.SeedSequence(2), **settings)
    trained = engine.train(
        objective, params, data, [0], [N], [np.random.SeedSequence(2)], **settings
    )
    np.testing.assert_allclose(history, trained.history[:, 0], rtol=2e-5, atol=1e-6)
    for group, layers in plain.items():
        for ours, theirs, first in zip(layers, trained.params[group], params[group], strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
            assert not np.allclose(ours, first, atol=1e-3) or not first.any()
