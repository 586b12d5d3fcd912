"""Calibration lines against statsmodels and against truth; Bayes's rule for another prevalence."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from ehrgan.scores.calibration import (
    believed_prevalence,
    calibration_line,
    reprior,
    threshold_by_prevalence,
)

shares = st.floats(0.001, 0.999)
probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=20).map(np.array)


def predictions(n, slope=1.0, intercept=0.0, seed=0):
    """Outcomes, and predicted log-odds of which the true ones are that line."""
    rng = np.random.default_rng(seed)
    x = rng.normal(-1, 2, n)
    return (rng.random(n) < expit(intercept + slope * x)).astype(int), expit(x)


def test_the_line_and_its_intervals_are_statsmodels():
    y, p = predictions(400, 0.7, 0.3)
    line = calibration_line(y, p, level=0.9)
    fit = sm.Logit(y, sm.add_constant(logit(p))).fit(disp=0)
    ends = fit.conf_int(0.1)
    np.testing.assert_allclose(line.intercept, [fit.params[0], *ends[0]], rtol=1e-6)
    np.testing.assert_allclose(line.slope, [fit.params[1], *ends[1]], rtol=1e-6)
    held = sm.GLM(y, np.ones(400), offset=logit(p), family=sm.families.Binomial()).fit()
    expected = [held.params[0], *held.conf_int(0.1)[0]]
    np.testing.assert_allclose(line.in_the_large, expected, rtol=1e-5)


def test_true_probabilities_have_slope_one_and_intercept_nought():
    inside = [
        (line.slope.holds(1), line.intercept.holds(0), line.in_the_large.holds(0))
        for line in (calibration_line(*predictions(300, seed=seed)) for seed in range(200))
    ]
    assert (np.abs(np.mean(inside, axis=0) - 0.95) < 0.04).all()


def test_what_is_too_extreme_or_too_high_is_told_apart():
    extreme = calibration_line(*predictions(4000, slope=0.5))
    timid = calibration_line(*predictions(4000, slope=2.0))
    assert extreme.slope.high < 0.6 and timid.slope.low > 1.7
    high = calibration_line(*predictions(4000, intercept=-1.0))
    assert high.slope.holds(1) and high.in_the_large.high < -0.8 and high.intercept.high < -0.8


def test_weights_count_records():
    y, p = predictions(60)
    weight = np.random.default_rng(1).integers(1, 4, 60)
    weighted = calibration_line(y, p, weight=weight)
    repeated = calibration_line(np.repeat(y, weight), np.repeat(p, weight))
    np.testing.assert_allclose(np.array(weighted), np.array(repeated), rtol=1e-8)


@pytest.mark.parametrize("p", [[0.1, 0.2, 0.2, 0.7], [0.7, 0.6, 0.2, 0.1], [0.3, 0.3, 0.3, 0.3]])
def test_where_no_finite_line_fits_best_none_is_told(p):
    line = calibration_line([0, 0, 1, 1], p)
    assert np.isnan(line.slope).all() and np.isnan(line.intercept).all()
    expected = expit(logit(np.array(p)) + line.in_the_large.value).sum()
    assert expected == pytest.approx(2)


def test_one_record_out_of_order_is_enough_for_a_line():
    line = calibration_line([0, 1, 0, 1], [0.1, 0.2, 0.25, 0.7])
    assert line.slope.low < 0 < line.slope.value


def test_certainties_are_refused_unless_they_may_be_moved():
    y, p = [0, 1, 0, 1, 1], np.array([0.0, 0.3, 0.4, 1.0, 1.0])
    with pytest.raises(ValueError, match="in 3 of 5 records.*clip"):
        calibration_line(y, p)
    moved = calibration_line(y, p, clip=0.01)
    assert moved == calibration_line(y, np.clip(p, 0.01, 0.99))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"clip": 0.0}, "clip"),
        ({"clip": 0.5}, "clip"),
        ({"level": 1.0}, "level"),
        ({"weight": [1.0, 1.0]}, "weight"),
        ({"weight": [1.0, 0.0, 1.0, 1.0]}, "weight"),
        ({"y_true": [0, 1, 2, 1]}, "y_true"),
        ({"y_true": [1, 1, 1, 1]}, "y_true"),
        ({"probability": [0.1, 0.2, 0.3, np.nan]}, "probability"),
    ],
)
def test_bad_predictions_are_refused_by_name(change, words):
    asked = {"y_true": [0, 1, 0, 1], "probability": [0.1, 0.2, 0.3, 0.4], **change}
    with pytest.raises(ValueError, match=words):
        calibration_line(**asked)


@given(probabilities, shares, shares)
def test_there_and_back_again(p, there, here):
    moved = reprior(p, here, there)
    assert ((moved >= 0) & (moved <= 1)).all()
    assert ((moved == 0) == (p == 0)).all() or p[p > 0].min() < 1e-300
    np.testing.assert_allclose(reprior(moved, there, here), p, atol=1e-9)
    order = np.argsort(p, kind="stable")
    assert (np.diff(moved[order]) >= 0).all()


@given(probabilities, shares, shares)
def test_two_classes_are_the_general_case(p, before, after):
    P = reprior(np.column_stack([1 - p, p]), [1 - before, before], [1 - after, after])
    np.testing.assert_allclose(P[:, 1], reprior(p, before, after), rtol=1e-9, atol=1e-15)


@given(probabilities, shares, shares, st.floats(0.01, 0.99))
def test_a_threshold_decides_as_moved_probabilities_do(p, before, after, threshold):
    own = threshold_by_prevalence(before, after, threshold=threshold)
    clear = np.abs(p - own) > 1e-9
    moved = reprior(p, before, after)
    np.testing.assert_array_equal((p > own)[clear], (moved > threshold)[clear])


@given(st.floats(0.05, 0.95), st.integers(0, 2**20))
def test_what_a_model_believes_is_where_its_promises_come_true(believed, key):
    rng = np.random.default_rng(key)
    p = rng.uniform(0.01, 0.99, 400)
    y = rng.random(400) < p
    weight = rng.uniform(0.5, 2, 400)
    here = np.average(y, weights=weight)
    moved = reprior(p, here, believed)
    found = believed_prevalence(y, moved, weight=weight)
    assert np.average(reprior(moved, found, here), weights=weight) == pytest.approx(here, abs=1e-9)
    assert abs(found - believed) < 0.15  # the outcomes are those of p, but for chance


def test_what_a_model_believes_needs_finite_odds():
    with pytest.raises(ValueError, match="clip"):
        believed_prevalence([0, 1, 1], [0.0, 0.4, 0.6])
    assert 0 < believed_prevalence([0, 1, 1], [0.0, 0.4, 0.6], clip=1e-6) < 1


def test_a_known_prevalence_repairs_what_balancing_did():
    rng = np.random.default_rng(0)
    y = (rng.random(40_000) < 0.05).astype(int)
    X = rng.normal(size=(40_000, 2)) + y[:, None]
    half = slice(20_000, None)
    model = LogisticRegression(C=np.inf, class_weight="balanced").fit(X[half], y[half])
    p, true = model.predict_proba(X[:20_000])[:, 1], y[:20_000]
    assert p.mean() / true.mean() > 4
    repaired = reprior(p, 0.5, y[half].mean())
    assert repaired.mean() / true.mean() == pytest.approx(1, abs=0.1)
    line = calibration_line(true, repaired)
    # the model has errors of its own, which the line's interval does not know
    assert abs(line.slope.value - 1) < 0.15 and abs(line.in_the_large.value) < 0.15


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0.5], 0.0, 0.5), "trained must be a share"),
        (([0.5], 0.5, 1.0), "deployed must be a share"),
        (([0.5], [0.5, 0.5], 0.5), "trained must be a share"),
        (([1.5], 0.5, 0.5), "p must lie"),
        (([[0.5, 0.6]], [0.5, 0.5], [0.5, 0.5]), "add up to 1 in every row"),
        (([[0.5, 0.5]], 0.5, [0.5, 0.5]), "trained must hold 2 shares"),
        (([[0.5, 0.5]], [0.5, 0.5], [0.7, 0.7]), "deployed must hold 2 shares"),
        (([[0.5, 0.5]], [0.5, 0.5], [0.0, 1.0]), "deployed must hold 2 shares"),
    ],
)
def test_shares_that_are_none_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        reprior(*arguments)


def test_a_threshold_is_one_number():
    with pytest.raises(ValueError, match="threshold must be one number"):
        threshold_by_prevalence(0.1, threshold=[0.1, 0.2])
