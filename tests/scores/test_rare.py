"""Scores at another prevalence are those of records repeated until the prevalence is theirs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score

from ehrgan.scores.metrics import score
from ehrgan.scores.rare import score_at_prevalence, weights_at_prevalence


def predictions(n, n_positive, seed):
    rng = np.random.default_rng(seed)
    y = (np.arange(n) < n_positive).astype(int)
    return y, np.round(rng.beta(1 + 2 * y, 3 - 2 * y), 2)  # with ties


@given(st.integers(2, 19), st.integers(0, 1000), st.floats(0.05, 0.95))
def test_at_their_own_prevalence_scores_are_the_usual_ones(n_positive, seed, threshold):
    y, p = predictions(20, n_positive, seed)
    found, usual = score_at_prevalence(y, p, y.mean(), threshold=threshold), score(y, p, threshold)
    for metric in ("auc_roc", "sensitivity", "specificity", "brier", "f_score"):
        assert found[metric] == pytest.approx(usual[metric])
    assert found["ratio"] == pytest.approx(p.mean() / y.mean())


@given(st.integers(1, 5), st.integers(1, 30), st.integers(0, 1000))
def test_rarer_positives_are_repeated_negatives(n_positive, times, seed):
    y, p = predictions(12, n_positive, seed)
    repeats = np.where(y == 1, 1, times)
    many_y, many_p = np.repeat(y, repeats), np.repeat(p, repeats)
    found = score_at_prevalence(y, p, many_y.mean())
    assert found["brier"] == pytest.approx(np.mean((many_p - many_y) ** 2))
    assert found["ratio"] == pytest.approx(many_p.mean() / many_y.mean())
    assert found["f_score"] == pytest.approx(f1_score(many_y, many_p > 0.5))
    assert found["average_precision"] == pytest.approx(average_precision_score(many_y, many_p))


def test_matched_sensitivity_depends_on_the_ranking_alone():
    y, p = predictions(200, 60, 0)
    low, high = (score_at_prevalence(y, q, 0.1)["matched"] for q in (p / 100, np.sqrt(p)))
    assert low == high > 0.2
    assert score_at_prevalence(y, p, 0.1, specificity=0.5)["matched"] > low


def test_weights_have_a_mean_of_one_and_the_share_that_is_asked():
    y = np.array([1, 0, 0, 1, 0])
    weight = weights_at_prevalence(y, 0.1)
    assert weight.mean() == pytest.approx(1) and weight[y == 1].sum() / 5 == pytest.approx(0.1)


@pytest.mark.parametrize("prevalence", [0, 1, -0.1, np.nan])
def test_a_prevalence_out_of_range_is_refused(prevalence):
    with pytest.raises(ValueError, match="prevalence"):
        score_at_prevalence([0, 1], [0.2, 0.8], prevalence)
