"""Tests on differences, against SciPy and against Holm's procedure step by step."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ehrgan.scores.inference import (
    Equivalence,
    corrected_interval,
    corrected_test,
    holm,
    practical_equivalence,
)

differences = st.lists(st.floats(-0.1, 0.1), min_size=2, max_size=12).filter(
    lambda values: np.std(values) > 1e-4
)


sizes = st.tuples(st.integers(50, 500), st.integers(10, 200))


def posterior(values, n_train, n_test):
    """Student's t of the mean difference, written out."""
    variance = np.var(values, ddof=1) * (1 / len(values) + n_test / n_train)
    return stats.t(len(values) - 1, loc=np.mean(values), scale=np.sqrt(variance))


@given(differences, sizes)
def test_the_test_is_the_t_test_with_a_wider_error(values, sizes):
    t, J = stats.ttest_1samp(values, 0).statistic, len(values)
    n_train, n_test = sizes
    shrunk = t * np.sqrt((1 / J) / (1 / J + n_test / n_train))
    expected = 2 * stats.t.sf(abs(shrunk), J - 1)
    assert corrected_test(values, *sizes) == pytest.approx(expected, rel=1e-6)
    assert corrected_test(np.negative(values), *sizes) == pytest.approx(expected, rel=1e-6)


def test_the_test_of_differences_without_spread():
    assert corrected_test([0.0, 0.0, 0.0], 400, 100) == 1
    assert corrected_test([0.25, 0.25], 400, 100) == corrected_test([-0.25, -0.25], 400, 100) == 0


@given(differences, sizes, st.floats(0, 0.1))
def test_equivalence_cuts_the_posterior_at_both_ends_of_the_rope(values, sizes, rope):
    mean = posterior(values, *sizes)
    expected = mean.cdf(-rope), mean.cdf(rope) - mean.cdf(-rope), mean.sf(rope)
    got = practical_equivalence(values, *sizes, rope=rope)
    assert got == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert (got.worse, got.equal, got.better) == tuple(got)
    # with the two methods' roles exchanged, worse and better change places
    mirrored = practical_equivalence(np.negative(values), *sizes, rope=rope)
    assert mirrored == pytest.approx(tuple(got)[::-1], rel=1e-6, abs=1e-9)


def test_equivalence_by_default_takes_one_hundredth_as_no_difference():
    values = [0.01, 0.02, 0.0, 0.01, 0.03]
    assert practical_equivalence(values, 4, 1) == practical_equivalence(values, 4, 1, rope=0.01)


@pytest.mark.parametrize(
    ("difference", "rope", "expected"),
    [
        (-0.5, 0.25, Equivalence(worse=1, equal=0, better=0)),
        (0.5, 0.25, Equivalence(worse=0, equal=0, better=1)),
        (0.25, 0.25, Equivalence(worse=0, equal=1, better=0)),
        (-0.25, 0.25, Equivalence(worse=0, equal=1, better=0)),
        (0.0, 0.0, Equivalence(worse=0, equal=1, better=0)),
    ],
)
def test_equivalence_of_differences_without_spread(difference, rope, expected):
    assert practical_equivalence([difference] * 3, 400, 100, rope=rope) == expected


def test_holm_by_hand():
    # in order 0.005, 0.01, 0.03, 0.04, times 4, 3, 2, 1; the last may not fall below the third
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.7, 0.6]).tolist() == [1, 1]
    assert holm([0.2]).tolist() == [0.2]


@given(st.lists(st.sampled_from([0.0, 0.004, 0.012, 0.02, 0.03, 0.3, 1.0]), min_size=1, max_size=8))
def test_holm_rejects_what_his_steps_reject(p):
    rejected, order = set(), np.argsort(p, kind="stable")
    for step, i in enumerate(order):
        if p[i] * (len(p) - step) > 0.05:
            break
        rejected.add(int(i))
    assert set(np.flatnonzero(holm(p) <= 0.05)) == rejected
    assert holm(p[::-1]).tolist() == holm(p)[::-1].tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: corrected_test([0.1], 400, 100), "differences must be two or more, got 1"),
        (lambda: corrected_test([0.1, 0.2], 0, 100), "n_train and n_test must be positive"),
        (lambda: practical_equivalence([0.1], 400, 100), "differences must be two or more"),
        (lambda: practical_equivalence([0.1, 0.2], 4, 1, rope=-0.1), "rope must be at least 0"),
        (lambda: practical_equivalence([0.1, 0.2], 4, 1, rope=np.nan), "rope must be at least 0"),
        (lambda: holm([]), "p_values must be one or more numbers from 0 to 1"),
        (lambda: holm([[0.1], [0.2]]), "p_values must be one or more"),
        (lambda: holm([0.1, 1.1]), "p_values must be one or more"),
        (lambda: holm([-0.1]), "p_values must be one or more"),
        (lambda: holm([np.nan]), "p_values must be one or more"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_interval_by_hand():
    # s^2 = 1, J = 4, n_test / n_train = 1/4: variance of the mean 1/2; t(3) at 97.5 % is 3.182446.
    values = np.array([-1.0, -1.0, 1.0, 1.0]) * np.sqrt(3) / 2 + 5
    mean, low, high = corrected_interval(values, 400, 100)
    assert (mean, low, high) == pytest.approx((5, 5 - 3.182446 / 2**0.5, 5 + 3.182446 / 2**0.5))


def test_interval_covers_where_the_plain_one_does_not():
    # Scores of J folds that share a random part, as overlapping training sets make them do: the
    # correlation n_test / (n_train + n_test) = 0.2 is what the correction assumes.
    rng = np.random.default_rng(0)
    covered = {n_test: 0 for n_test in (1e-9, 25)}
    for _ in range(400):
        scores = np.sqrt(0.2) * rng.normal() + np.sqrt(0.8) * rng.normal(size=50)
        for n_test in covered:
            _, low, high = corrected_interval(scores, 100, n_test)
            covered[n_test] += low < 0 < high
    assert covered[25] / 400 == pytest.approx(0.95, abs=0.03)
    assert covered[1e-9] / 400 < 0.6


def test_interval_of_one_and_of_equal_values():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mean, low, high = corrected_interval([0.9], 400, 100)
    assert mean == 0.9
    assert np.isnan([low, high]).all()
    assert corrected_interval([0.9, 0.9], 400, 100) == pytest.approx((0.9, 0.9, 0.9))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 1, 1), "values"),
        (([[1.0]], 1, 1), "values"),
        (([1.0], 0, 1), "n_train and n_test"),
        (([1.0], 1, 0), "n_train and n_test"),
        (([1.0], 1, 1, 0), "level must be between 0 and 1, got 0"),
        (([1.0], 1, 1, 1), "level must be between 0 and 1, got 1"),
        (([1.0], 1, 1, 95), "level must be between 0 and 1, got 95"),
    ],
)
def test_interval_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        corrected_interval(*arguments)
