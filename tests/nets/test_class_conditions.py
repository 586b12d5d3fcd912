"""Classes that the generator is asked for: counts by the minibatch, and training with them."""

import numpy as np
import pytest
from conformity import class_checks
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.metrics import roc_auc_score

from ehrgan import ACGANClassifier
from ehrgan.nets.backend import tensorflow
from ehrgan.nets.noise import Noise
from ehrgan.nets.objectives import CLASS_CONDITIONS, asked_classes
from ehrgan.tables.records import load_wdbc

NEW = ("balanced", "opposite")


def asked(c, conditions, n_classes, n=None, key=0, class_weights=()):
    """Classes asked beside the first n records of each replica's minibatch."""
    tf, c = tensorflow(), np.atleast_2d(c)
    n = c.shape[1] if n is None else n
    weight = np.float32(np.arange(c.shape[1]) < n)[None].repeat(len(c), 0) / n
    keys = np.stack([np.arange(len(c)) + key, np.arange(len(c))], 1)
    noise = Noise(tf.constant(keys, "uint32"), tf.zeros(len(c), "int32"))
    found = asked_classes(
        tf.constant(c, "int32"), weight, noise, n_classes, conditions, class_weights
    )
    return found.numpy()[:, :n]


def due(real, n, widths):
    """Places that each class is due: what lies between its records and a level found by trying."""
    low, high = 0.0, float(n + real.sum()) / widths.min()
    for _ in range(90):
        level = (low + high) / 2
        above = np.maximum(level * widths - real, 0)
        low, high = (low, level) if above.sum() > n else (level, high)
    return above


@settings(max_examples=25)
@given(st.integers(2, 5), st.integers(1, 12), st.integers(0, 2**20))
def test_real_and_fake_records_together_are_as_balanced_as_they_can_be(K, n, key):
    c = np.random.default_rng(key).choice(K, n, p=np.random.default_rng(key).dirichlet(np.ones(K)))
    counts = np.bincount(asked(c, "opposite", K, key=key)[0], minlength=K)
    assert counts.sum() == n
    assert (np.abs(counts - due(np.bincount(c, minlength=K), n, np.ones(K))) < 1.001).all()


@settings(max_examples=25)
@given(st.integers(2, 5), st.integers(1, 12), st.integers(0, 2**20), st.sampled_from(NEW))
def test_classes_that_weigh_more_are_asked_for_in_proportion(K, n, key, conditions):
    rng = np.random.default_rng(key)
    c, weights = rng.choice(K, n), np.exp(rng.normal(size=K))
    counts = np.bincount(asked(c, conditions, K, key=key, class_weights=tuple(weights))[0])
    real = np.bincount(c, minlength=K) * (conditions == "opposite")
    short = np.pad(counts, (0, K - len(counts))) - due(real, n, weights)
    assert counts.sum() == n and (np.abs(short) < 1.001).all()


def test_equal_weights_ask_as_none_do_and_a_class_of_no_weight_is_not_asked_for():
    c = np.random.default_rng(0).integers(0, 3, (50, 20))
    for conditions in NEW:
        same = asked(c, conditions, 3, class_weights=(2.0, 2.0, 2.0))
        np.testing.assert_array_equal(same, asked(c, conditions, 3))
        assert set(asked(c[c > 0][None], conditions, 3, class_weights=(0.0, 1.0, 1.0))[0]) <= {1, 2}


@settings(max_examples=25)
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


VARIANTS = [ACGANClassifier(random_state=0, class_conditions=c) for c in NEW]


@pytest.mark.parametrize(("estimator", "check"), class_checks(*VARIANTS))
def test_scikit_learn_conformity_with_every_conditioning(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def rare():
    """Twenty positive records in two thousand."""
    rng = np.random.default_rng(0)
    y = (np.arange(2000) < 20).astype(int)
    return rng.normal(size=(2000, 5)) + 2.0 * y[:, None], y


@pytest.mark.parametrize("conditions", CLASS_CONDITIONS)
def test_twenty_in_two_thousand_are_learned(rare, conditions):
    model = ACGANClassifier(epochs=40, class_conditions=conditions, random_state=0).fit(*rare)
    p = model.predict_proba(rare[0])[:, 1]
    assert roc_auc_score(rare[1], p) > 0.97
    assert np.isfinite(model.history_["loss_G"]).all()
    assert abs(p.mean() - 0.01) < 0.01  # what is generated hardly moves the odds of what is real


@pytest.mark.parametrize("conditions", NEW)
def test_three_classes_learn_where_minibatches_lack_some(conditions):
    X, y = load_iris(return_X_y=True)
    kept = np.concatenate([np.arange(100), [110, 120, 130, 140]])
    model = ACGANClassifier(epochs=200, batch_size=8, class_conditions=conditions, random_state=0)
    model.fit(X[kept], y[kept])
    assert model.score(X[:100], y[:100]) > 0.9 and model.score(X[100:], y[100:]) > 0.3


@pytest.mark.parametrize("conditions", NEW)
def test_weights_of_classes_and_records_go_together_with_it(rare, conditions):
    X, y = rare[0][::10], rare[1][::10]
    weight = np.random.default_rng(0).integers(1, 4, len(y))
    model = ACGANClassifier(epochs=3, class_conditions=conditions, random_state=0)
    weighted = clone(model).fit(X, y, sample_weight=weight)
    repeated = clone(model).fit(np.repeat(X, weight, 0), np.repeat(y, weight))
    np.testing.assert_array_equal(weighted.predict_proba(X), repeated.predict_proba(X))
    product = clone(model).fit(X, y, sample_weight=weight * np.where(y, 5, 1))
    both = clone(model).set_params(class_weight={0: 1, 1: 5}).fit(X, y, sample_weight=weight)
    p, of_records, of_classes = (m.predict_proba(X)[:, 1] for m in (weighted, product, both))
    assert p.mean() < of_records.mean() < of_classes.mean()  # what is generated weighs five, too


@pytest.mark.parametrize("conditions", CLASS_CONDITIONS)
def test_balanced_weights_leave_what_is_generated_as_it_is(rare, conditions):
    X, y = rare[0][::10], rare[1][::10]
    model = ACGANClassifier(epochs=3, class_conditions=conditions, random_state=0)
    weight = np.where(y, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    balanced = clone(model).set_params(class_weight="balanced").fit(X, y)
    np.testing.assert_array_equal(
        balanced.predict_proba(X), clone(model).fit(X, y, sample_weight=weight).predict_proba(X)
    )


@pytest.mark.parametrize("conditions", NEW)
def test_together_or_alone_saved_or_not_it_says_the_same(tmp_path, conditions):
    records = load_wdbc()
    X, y = records.X.to_numpy(), records.y
    sets = [(X[:60], y[:60]), (X[40:140], y[40:140])]
    model = ACGANClassifier(epochs=4, class_conditions=conditions, random_state=0)
    for own, fitted in zip(sets, model.fit_many(sets), strict=True):
        alone = clone(model).fit(*own)
        np.testing.assert_allclose(
            fitted.predict_proba(X), alone.predict_proba(X), rtol=1e-3, atol=1e-5
        )
    fitted.save(tmp_path / "model.safetensors")
    again = ACGANClassifier.load(tmp_path / "model.safetensors")
    assert again.class_conditions == conditions
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_what_is_asked_changes_what_is_learned(rare):
    model = ACGANClassifier(epochs=3, random_state=0)
    told = [
        clone(model).set_params(class_conditions=c).fit(*rare).predict_proba(rare[0])[:, 1]
        for c in CLASS_CONDITIONS
    ]
    assert told[0].mean() < told[1].mean() < told[2].mean()
    with pytest.raises(ValueError, match="class_conditions"):
        model.set_params(class_conditions="other").fit(*rare)
