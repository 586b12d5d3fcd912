"""NeuMiss: a series that sums to the inverse of what is seen, and a network that learns from it."""

import numpy as np
import pytest

from ehrgan.study.neumiss import NeuMissClassifier, NeuMissLayer


def test_the_series_sums_to_the_inverse_of_the_seen_block():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(6, 20))
    S = A @ A.T / 20
    W, mu = np.eye(6) - S / np.linalg.norm(S, 2), rng.normal(size=6)
    seen = np.array([1.0, 0, 1, 1, 0, 1])
    x = seen * rng.normal(size=6)
    h = NeuMissLayer(6, depth=4000)([W[None], mu[None, None]], x[None, None], seen[None, None])
    own = seen == 1
    inverse = np.linalg.inv(S[np.ix_(own, own)] / np.linalg.norm(S, 2))
    np.testing.assert_allclose(h[0, 0, own], inverse @ (x - mu)[own], rtol=1e-6)
    assert (h[0, 0, ~own] == 0).all()


def test_first_weights_make_a_series_that_converges():
    W, mu = NeuMissLayer(40).first_weights([np.random.SeedSequence(i) for i in range(3)])
    assert W.shape == (3, 40, 40) and mu.shape == (3, 1, 40) and not mu.any()
    assert all(np.abs(np.linalg.eigvals(each)).max() < 0.7 for each in W)


@pytest.fixture(scope="module")
def table():
    """The class is a sum of correlated attributes, of which a third is missing."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(900, 1)) + 0.7 * rng.normal(size=(900, 5))
    y = (X.sum(axis=1) + rng.normal(size=900) > 0).astype(float)
    X[rng.random(X.shape) < 0.3] = np.nan
    return X, y


def test_it_learns_from_records_with_a_label_alone(table):
    X, y = table
    some = np.where(np.arange(900) % 3 == 0, y, np.nan)
    other = np.where(np.isnan(some), np.nan, 1 - some)
    model = NeuMissClassifier(epochs=60, random_state=0)
    right, wrong = (
        m.score(X[600:], y[600:])
        for m in model.fit_many([(X[:600], some[:600]), (X[:600], other[:600])])
    )
    assert right > 0.8 and wrong < 0.2
    assert set(model.fit(X, some).history_) == {"loss_D"}


def test_what_stands_behind_a_hole_and_who_else_is_asked_do_not_matter(table):
    X, y = table
    model = NeuMissClassifier(epochs=2, random_state=0).fit(X, y)
    p = model.predict_proba(X)
    assert np.ptp(model.predict_proba(np.full((2, 5), np.nan)), axis=0).max() == 0
    np.testing.assert_allclose(model.predict_proba(X[:1]), p[:1], rtol=1e-12)
