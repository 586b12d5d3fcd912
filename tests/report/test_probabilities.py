"""Probabilities are mended where they do not come true, by folds that the record was not in."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from ehrgan.report.page import thresholds_in_words
from ehrgan.report.performance import benefit, performance
from ehrgan.report.probabilities import (
    Recalibrated,
    needs_recalibration,
    recalibrated,
    threshold_table,
)


def told(n=600, slope=1.0, shift=0.0, seed=0):
    """Outcomes, and probabilities whose true log-odds are shift + slope * theirs."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1.5, n)
    y = (rng.uniform(size=n) < expit(shift + slope * x)).astype(int)
    return y, expit(x), np.arange(n) % 5


@pytest.mark.parametrize(
    ("slope", "shift", "needed"), [(1, 0, False), (0.4, 0, True), (1, -1.5, True), (2.5, 0, True)]
)
def test_what_does_not_come_true_is_mended_and_what_does_is_left(slope, shift, needed):
    y, p, fold = told(slope=slope, shift=shift)
    assert needs_recalibration(performance(y, p, ("no", "yes"))) == needed
    mended, (intercept, found) = recalibrated(y, np.array([p, p]), np.array([fold, fold]))
    assert found == pytest.approx(slope, rel=0.2, abs=0.2) and intercept == pytest.approx(
        shift, abs=0.5
    )
    assert not needs_recalibration(performance(y, mended[0], ("no", "yes")))


def test_the_line_of_a_fold_is_learned_from_the_others():
    y, p, fold = told()
    other = y.copy()
    other[fold == 2] = 1 - other[fold == 2]
    one, two = (recalibrated(each, p[None], fold[None])[0][0] for each in (y, other))
    np.testing.assert_array_equal(one[fold == 2], two[fold == 2])
    assert not np.allclose(one[fold != 2], two[fold != 2])
    assert (np.argsort(one[fold == 0]) == np.argsort(p[fold == 0])).all()


def test_a_line_that_would_turn_the_order_only_shifts():
    y, p, fold = told(slope=-0.5)
    mended, (_, slope) = recalibrated(y, p[None], fold[None])
    assert slope == 1 and mended.mean() == pytest.approx(y.mean(), abs=0.02)


def test_a_recalibrated_classifier_moves_the_log_odds():
    X = np.random.default_rng(0).normal(size=(80, 2))
    y = np.where(X[:, 0] > 0, "ill", "well")
    plain = LogisticRegression().fit(X, y)
    model = Recalibrated(LogisticRegression(), intercept=0.5, slope=2.0).fit(X, y)
    wanted = 0.5 + 2 * logit(plain.predict_proba(X)[:, 1])
    np.testing.assert_allclose(logit(model.predict_proba(X)[:, 1]), wanted)
    assert model.predict(X).tolist() == np.where(wanted > 0, "well", "ill").tolist()


def test_thresholds_find_and_cost_what_counting_says():
    y, p, _ = told(200)
    table = threshold_table(y, p)
    assert (table["sensitivity"][:4] >= [0.99, 0.95, 0.9, 0.8]).all()
    for row in table.itertuples(index=False):
        called = p > row.threshold
        assert row.sensitivity == pytest.approx(called[y == 1].mean())
        assert row.specificity == pytest.approx((~called)[y == 0].mean())
        assert row[4] == called.mean() and row[5] == y[called].mean()
        odds = row.threshold / (1 - row.threshold)
        wanted = np.mean(called & (y == 1)) - odds * np.mean(called & (y == 0))
        assert row[6] == pytest.approx(wanted) and row.low < wanted < row.high
    assert table["chosen for"].tolist()[4:6] == ["risk 5%", "risk 10%"]


def test_the_interval_of_a_net_benefit_is_that_of_records_or_persons_drawn_again():
    y, p, _ = told(120)
    persons = np.arange(120) // 3
    persons = np.where(y == 1, persons, persons + 100)  # a person is of one class
    rng, cut = np.random.default_rng(0), 0.3
    for groups, units in ((None, np.arange(120)), (persons, pd.factorize(persons)[0])):
        gains = (p > cut) * np.where(y == 1, 1, -cut / (1 - cut))
        drawn = rng.integers(0, units.max() + 1, (4000, units.max() + 1))
        weight = np.array([np.bincount(d, minlength=units.max() + 1) for d in drawn])[:, units]
        again = weight @ gains / weight.sum(axis=1)
        found = benefit(y, p, [cut], groups).loc[0]
        assert found["model"] == pytest.approx(gains.mean())
        width = found["high"] - found["low"]
        # nobody's class is drawn apart from the others': persons weigh as they are many
        assert width == pytest.approx(2 * 1.96 * again.std(), rel=0.1)


def test_probabilities_that_part_the_classes_stop_nothing():
    y = np.repeat([0, 1], 30)
    p = np.where(y == 1, 1.0, 0.0)
    found = performance(y, p, ("no", "yes"))
    assert pd.isna(found.loc[1, "value"]) and not needs_recalibration(found)
    assert threshold_table(y, p)["sensitivity"].iloc[-1] == 1


def test_where_nobody_is_acted_on_the_page_tells_no_share():
    y, p = np.tile([0, 1], 50), np.full(100, 0.2) + np.tile([0, 0.01], 50)
    told = thresholds_in_words(threshold_table(y, p)).set_index("chosen for")
    assert told.loc["risk 50%", ["acted on", "of those positive"]].tolist() == ["0%", ""]
    assert told.loc["risk 5%", "of those positive"] == "50%"
