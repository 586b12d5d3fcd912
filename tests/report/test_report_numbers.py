"""The report's numbers and words from hand-made scores, without any training."""

import base64
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from ehrgan.report import areas, choice, compare, fitting, methods, page, report, words
from ehrgan.report.describe import describe
from ehrgan.report.errors import ReportError
from ehrgan.report.methods import ADVERSARY, CANDIDATES, PAPERS
from ehrgan.report.model import read_model
from ehrgan.report.page import NOT_A_DEVICE
from ehrgan.report.reading import Prepared, prepare
from ehrgan.scores.estimate import Estimate
from ehrgan.scores.metrics import threshold_at

N, N_POSITIVE, TRIALS, FOLDS = 48, 18, 2, 5
N_TRAIN, N_TEST = 38.4, 9.6


def scored(y, methods=CANDIDATES, seed=0, strength=None, trials=TRIALS):
    """Scores as five-fold cross-validation would leave them, from made-up probabilities."""
    rng = np.random.default_rng(seed)
    strength = np.linspace(0.6, 1.4, len(methods)) if strength is None else strength
    risk = rng.normal(size=(len(methods), trials, len(y))) + np.outer(strength, y)[:, None]
    told = (1 / (1 + np.exp(-risk))).round(2)  # with ties
    splits = [
        (t, test)
        for t in range(trials)
        for _, test in StratifiedKFold(FOLDS, shuffle=True, random_state=t).split(y, y)
    ]
    folds = np.empty((trials, len(y)), int)
    for k, (t, test) in enumerate(splits):
        folds[t, test] = k
    areas = [[roc_auc_score(y[test], p[t, test]) for t, test in splits] for p in told]
    return compare.Comparison(tuple(methods), y, told, folds, np.array(areas), N_TRAIN, N_TEST)


def area_of(scores, k, rows=slice(None)):
    """AUC of a method among some records, from pairs of one fold, counted one by one."""
    y, right, pairs = scores.y[rows], 0.0, 0
    for p, folds in zip(scores.probability[k][:, rows], scores.fold[:, rows], strict=True):
        for i, j in product(np.flatnonzero(y == 1), np.flatnonzero(y == 0)):
            if folds[i] == folds[j]:
                right += (p[i] > p[j]) + (p[i] == p[j]) / 2
                pairs += 1
    return right / pairs if pairs else np.nan


def table_of(n=N, n_positive=N_POSITIVE, holes=True, **more):
    """A table as read, with three attributes and holes that tell a little."""
    rng = np.random.default_rng(3)
    y = rng.permutation(np.arange(n) < n_positive).astype(np.int64)
    X = pd.DataFrame(rng.normal(size=(n, 3)).round(2), columns=["a", "b", "c"])
    if holes:
        X = X.mask(rng.uniform(size=X.shape) < np.outer(0.1 + 0.3 * y, [1, 1, 0.0]))
    about = pd.DataFrame(
        [(k, "number", X[k].nunique(), X[k].isna().mean(), "1, 2", True, "") for k in X],
        columns=["name", "kind", "n_values", "missing", "examples", "used", "reason"],
    )
    given = {"groups": None, "notes": ["a note"], "fingerprint": "f" * 64, "n_rows": n + 7}
    given["schema"] = describe(X)
    return Prepared(X, y, ("no", "yes"), columns=about, **(given | more))


SETTINGS = {"seed": 0, "n_trials": TRIALS, "n_folds": FOLDS, "n_compared": N}


@pytest.fixture(scope="module", autouse=True)
def few_draws():
    patch = pytest.MonkeyPatch()
    patch.setattr(choice, "N_BOOT", 25)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def prepared():
    return table_of()


@pytest.fixture(scope="module")
def scores(prepared):
    return scored(prepared.y)


@pytest.fixture(scope="module")
def found(prepared, scores):
    return report._reported(prepared, scores, 1.0, np.arange(N), SETTINGS)


def spread(values):
    """Standard error of a mean over folds whose training sets overlap, and its t."""
    values = np.asarray(values)
    se = values.std(ddof=1) * np.sqrt(1 / len(values) + N_TEST / N_TRAIN)
    return se, stats.t.ppf(0.975, len(values) - 1)


def holms(p):
    """Holm's adjustment, step by step."""
    order, worst, adjusted = np.argsort(p), 0.0, np.empty(len(p))
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = worst
    return adjusted


def p_value(values):
    return 2 * stats.t.sf(abs(np.mean(values)) / spread(values)[0], len(values) - 1)


# ---------------------------------------------------------------- comparison


def test_a_row_of_the_comparison_is_what_trials_and_folds_say(found, scores):
    table, y = found.comparison, scores.y
    means = [area_of(scores, k) for k in range(len(scores.methods))]
    best = int(np.argmax(means))
    assert 0 < best and sorted(means)[-1] > sorted(means)[-2]
    assert list(zip(table["imputation"], table["classifier"], strict=True)) == list(CANDIDATES)
    np.testing.assert_allclose(table["auc"], means)
    raw = []
    for k in range(len(CANDIDATES)):
        se, t = spread(scores.areas[k])
        low, high = np.clip([means[k] - t * se, means[k] + t * se], 0, 1)
        brier = np.mean([(p - y) ** 2 for p in scores.probability[k]])
        np.testing.assert_allclose(
            table.loc[k, ["low", "high", "brier"]].tolist(), [low, high, brier]
        )
        if k == best:
            assert table.loc[k, ["behind", "behind_low", "behind_high", "p"]].tolist() == [
                0,
                0,
                0,
                1,
            ]
            continue
        lead = scores.areas[k] - scores.areas[best]
        se, t = spread(lead)
        wanted = [lead.mean(), lead.mean() - t * se, lead.mean() + t * se]
        columns = ["behind", "behind_low", "behind_high"]
        np.testing.assert_allclose(table.loc[k, columns].tolist(), wanted)
        raw.append(p_value(lead))
    np.testing.assert_allclose(table["p"].drop(best), holms(raw))


def test_errors_are_those_of_differences_fold_by_fold(scores):
    errors = scores.errors()
    for i in (0, 3, 12):
        for j in (1, 3, 7):
            wanted = 0 if i == j else spread(scores.areas[i] - scores.areas[j])[0]
            assert errors[i, j] == pytest.approx(wanted)
    assert (errors == errors.T).all() and scores.sizes == (N_TRAIN, N_TEST)


def test_the_choice_is_the_first_within_one_error_of_the_best():
    errors = np.array([[0, 0.3, 0.01], [0.3, 0, 0.05], [0.01, 0.05, 0]])
    assert choice.choose(np.array([0.80, 0.78, 0.82]), errors) == 1
    assert choice.choose(np.array([0.815, 0.78, 0.82]), errors) == 0
    assert choice.choose(np.array([0.80, 0.76, 0.82]), errors) == 2
    assert choice.choose(np.array([0.82, 0.80, 0.81]), errors) == 0
    half = np.array([[0, 0.25], [0.25, 0]])
    assert choice.choose(np.array([0.5, 0.75]), half) == 0  # just one error behind
    assert choice.choose(np.array([0.49, 0.75]), half) == 1


def test_a_curve_is_the_mean_over_trials_and_a_lead_has_its_sign(found, scores):
    y, told = found.curve(CANDIDATES[6])
    assert y is scores.y
    np.testing.assert_allclose(told, (scores.probability[6][0] + scores.probability[6][1]) / 2)
    mean, low, high = found.lead(CANDIDATES[6], CANDIDATES[2])
    lead = scores.areas[6] - scores.areas[2]
    se, t = spread(lead)
    np.testing.assert_allclose([mean, low, high], lead.mean() + t * se * np.array([0, -1, 1]))
    with pytest.raises(ValueError, match="not in tuple"):
        found.curve(("mean", "tea leaves"))


# ---------------------------------------------------------------- correction for the choice


def by_hand(scores, groups, seed):
    """Bootstrap bias-corrected AUC, draw by draw, and what was chosen."""
    units = np.arange(len(scores.y)) if groups is None else pd.factorize(groups)[0]
    size = units.max() + 1
    drawn = np.random.default_rng(seed).integers(0, size, (choice.N_BOOT, size))
    n_methods, outer, chosen = len(scores.methods), [], []
    for draw in drawn:
        inside = np.concatenate([np.flatnonzero(units == unit) for unit in draw])
        outside = np.setdiff1d(np.arange(len(scores.y)), inside)
        inner, own = (
            [area_of(scores, k, rows) for k in range(n_methods)] for rows in (inside, outside)
        )
        if np.isfinite([*inner, *own]).all():
            chosen.append(choice.choose(np.array(inner), scores.errors()))
            outer.append(own[chosen[-1]])
    return np.mean(outer), chosen


def part(scores, methods, rows=slice(None)):
    """The same scores of fewer methods and of other records."""
    return replace(
        scores,
        methods=tuple(scores.methods[k] for k in methods),
        y=scores.y[rows],
        probability=scores.probability[methods][:, :, rows],
        fold=scores.fold[:, rows],
        areas=scores.areas[methods],
    )


@pytest.mark.parametrize("grouped", [False, True])
def test_the_auc_is_corrected_on_the_records_that_a_draw_left_out(scores, grouped):
    few = part(scores, [3, 6, 9, 12])
    groups = np.arange(N) % 16 + 7 if grouped else None
    wanted, chosen = by_hand(few, groups, 5)
    assert len({*chosen}) > 1
    auc, named = choice.corrected_for_choice(few, groups, 5)
    assert auc == pytest.approx(wanted, rel=1e-5)
    np.testing.assert_allclose(named, np.bincount(chosen, minlength=4) / len(chosen))
    assert choice.corrected_for_choice(few, groups, 6)[0] != pytest.approx(wanted, rel=1e-5)


def test_where_no_draw_leaves_both_classes_out_the_plain_auc_stands(scores):
    groups = np.where(scores.y == 1, 1, 2)
    final = choice.choose(scores.means, scores.errors())
    auc, named = choice.corrected_for_choice(scores, groups, 0)
    assert auc == scores.means[final] and named.argmax() == final and named.sum() == 1


def test_the_variance_is_that_of_records_drawn_again_and_of_other_sizes():
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1], [160, 40]))
    told = y + rng.normal(size=200)
    spread = areas.spread_of(y, areas.added_by_records(y, told))
    for sizes in ([160, 40], [20, 100]):  # of other records, too
        rows = [rng.choice(np.flatnonzero(y == k), (800, n)) for k, n in enumerate(sizes)]
        again = [areas.area_of(y[own], told[own]) for own in np.hstack(rows)]
        variance = areas.variance_among(spread, np.repeat([0, 1], sizes))
        assert np.sqrt(variance) == pytest.approx(np.std(again), rel=0.15)
    copies = np.repeat(np.arange(200), 4)
    added = areas.added_by_records(y[copies], told[copies])
    held = areas.variance_among(areas.spread_of(y[copies], added, copies), y[copies])
    whole = areas.variance_among(spread, y)
    assert held == pytest.approx(whole, rel=0.02)  # four copies of a person are one
    assert areas.variance_among(areas.spread_of(y[copies], added), y[copies]) < 0.3 * whole


def test_an_interval_leaves_room_for_hard_cases_that_a_table_does_not_hold():
    rng, held = np.random.default_rng(0), []
    y = np.repeat([0, 1], [400, 75])
    truth = 0.98 * stats.norm.cdf(4 / np.sqrt(2)) + 0.02 / 2
    for _ in range(150):
        hard = rng.random(475) < 0.02  # a fifth of the tables holds none
        told = rng.normal(size=475) + 4 * (y == 1) * ~hard
        spread = areas.spread_of(y, areas.added_by_records(y, told))
        area, variance = areas.area_of(y, told), areas.variance_among(spread, y)
        low, high = areas.interval_of_area(area, variance, areas.units_of(y))
        held.append(low <= truth <= high)
    assert np.mean(held) > 0.9


def test_an_interval_is_symmetric_on_the_logit_scale():
    low, high = areas.interval_of_area(0.5, 0.01)
    wanted = 1 / (1 + np.exp(1.959964 * 0.1 / 0.25))
    assert (low, high) == pytest.approx((wanted, 1 - wanted), rel=1e-5)
    low, high = areas.interval_of_area(0.9, 0.002)
    odds = [np.log(v / (1 - v)) for v in (low, 0.9, high)]
    assert odds[1] - odds[0] == pytest.approx(odds[2] - odds[1])
    assert odds[2] - odds[1] == pytest.approx(1.959964 * np.sqrt(0.002) / 0.09, rel=1e-5)
    narrow = areas.interval_of_area(0.9, 0.002, level=0.9)
    assert low < narrow[0] < 0.9 < narrow[1] < high
    few = areas.interval_of_area(0.9, 0.002, units=5)
    odds = [np.log(v / (1 - v)) for v in (0.9, few[1])]
    hard = 0.4**2 / 5**2  # one of five might have been told by chance
    assert odds[1] - odds[0] == pytest.approx(2.776445 * np.sqrt(0.002 + hard) / 0.09, rel=1e-5)
    for area in (0, 1):
        low, high = areas.interval_of_area(area, 1e-9)
        assert 0 < low < high < 1


def test_intervals_of_the_report_take_the_sizes_of_both_tables(scores):
    long = table_of(3 * N, 100)  # more records than were compared
    rows = np.arange(N) % 12  # copies, so that persons tell less than records would
    scores = part(scores, list(range(len(CANDIDATES))), rows)
    for own, effect in ((None, 1.0), (rows, 1.7)):
        ready = replace(long, groups=None if own is None else np.arange(3 * N) % 12)
        made = report._reported(ready, scores, effect, np.arange(N), SETTINGS)
        auc, _ = choice.corrected_for_choice(scores, own, 0)
        spread = scores.spread(made.chosen, own)
        compared, others = (areas.variance_among(spread, y) for y in (scores.y, long.y))
        units = areas.units_of(scores.y, own)
        ends = areas.interval_of_area(auc, effect * compared, units)
        wider = areas.interval_of_area(auc, effect * compared + others, units)
        assert made.auc == auc and made.interval == pytest.approx(ends)
        assert made.prediction == pytest.approx(wider)
        assert made.promised(long.y) == pytest.approx(made.prediction)
        assert made.by_holes == compare.from_holes(ready, 0)
        assert made.settings is SETTINGS and made.prepared is ready


# ---------------------------------------------------------------- what imputation is worth


@pytest.mark.parametrize("named", ["random forest", "AC-GAN", "gradient boosting"])
def test_gains_are_differences_from_means_under_the_same_classifier(scores, named):
    own = "logistic regression" if named == "gradient boosting" else named
    gains = choice.gains_of_imputation(scores, named)
    assert gains["classifier"].tolist() == [own] * 3
    assert gains["imputation"].tolist() == list(methods.IMPUTATIONS[1:])
    area = dict(zip(scores.methods, scores.areas, strict=True))
    leads = [area[name, own] - area["mean", own] for name in gains["imputation"]]
    for row, lead in zip(gains.itertuples(), leads, strict=True):
        se, t = spread(lead)
        wanted = [lead.mean(), lead.mean() - t * se, lead.mean() + t * se]
        np.testing.assert_allclose([row.mean, row.low, row.high], wanted)
    np.testing.assert_allclose(gains["p"], holms([p_value(lead) for lead in leads]))


def gain(*rows):
    return pd.DataFrame(
        [("x" + str(i), "forest", m, m - 0.01, m + 0.01, p) for i, (m, p) in enumerate(rows)],
        columns=["imputation", "classifier", "mean", "low", "high", "p"],
    )


def test_only_imputations_that_are_better_beyond_doubt_matter(prepared):
    gains = gain((0.02, 0.04), (-0.03, 0.001), (0.05, 0.06), (0.04, 0.01))
    said = words._matters(prepared, gains, (-0.01, -0.03, 0.02))
    assert said[0].startswith("Does the imputation matter? forest, less on means: yes: x0, x3. ")
    assert "x1: -0.030 (-0.040 to -0.020); x2: +0.050 (+0.040 to +0.060)" in said[0]
    assert said[1] == (
        "AC-GAN less logistic regression, both on means: "
        "-0.010 (95 % interval -0.030 to +0.020) of AUC."
    )
    for doubtful in (gain((0.02, 0.05)), gain((-0.02, 0.01))):
        said = words._matters(prepared, doubtful, (0.0, 0.0, 0.0))[0]
        assert "no imputation is beyond doubt better" in said and "yes" not in said
    said = words._matters(table_of(holes=False), gains, (0.01, 0, 0.02))
    assert said[0] == "No cell is missing, so imputation does not matter." and len(said) == 2


def test_the_adversary_is_ac_gan_less_logistic_regression(found, scores):
    index = [CANDIDATES.index(method) for method in ADVERSARY]
    assert ADVERSARY == (("mean", "AC-GAN"), ("mean", "logistic regression"))
    lead = scores.areas[index[0]] - scores.areas[index[1]]
    se, t = spread(lead)
    ends = [f"{v:+.3f}" for v in (lead.mean(), lead.mean() - t * se, lead.mean() + t * se)]
    assert abs(lead.mean()) > 0.01
    told = [word for word in found.words if word.startswith("AC-GAN less")]
    assert told == [
        "AC-GAN less logistic regression, both on means: "
        f"{ends[0]} (95 % interval {ends[1]} to {ends[2]}) of AUC."
    ]


# ---------------------------------------------------------------- words


def test_what_the_holes_tell_is_said_in_both_directions(prepared):
    said = words._doubts(prepared, (0.7, 0.51, 0.8))
    assert said[0] == (
        "From which cells are missing alone the AUC is 0.700 (0.510 to 0.800): "
        "missingness itself predicts here."
    )
    said = words._doubts(prepared, (0.6, 0.5, 0.7))
    assert said[0].endswith("(0.500 to 0.700): no sign that it predicts.")
    whole = words._doubts(table_of(holes=False), (0.7, 0.6, 0.8))
    assert not any("missing" in word for word in whole)


@pytest.mark.parametrize(
    ("n", "n_positive", "rarer"), [(250, 99, 99), (250, 151, 99), (250, 100, 0), (250, 150, 0)]
)
def test_fewer_than_a_hundred_of_a_class_are_few(n, n_positive, rarer):
    said = words._doubts(table_of(n, n_positive, holes=False), (0.5, 0.4, 0.6))
    wanted = f"There are only {rarer} records of the rarer class: the intervals are wide."
    assert said == ([wanted] if rarer else [])


def test_the_answer_names_method_area_intervals_and_threshold(prepared):
    y = np.repeat([1, 0], 10)
    told = np.r_[0.14, 0.3 + np.arange(9) / 20, np.arange(10) / 20 + 0.01]
    # 0.3 finds nine of ten; of the others 0.01 to 0.26 lie below it, and 0.31 to 0.46 above
    method = ("chained ridge", "random forest")
    said = words._answer(prepared, method, (y, told), Estimate(0.7, 0.6, 0.8), (0.45, 0.85))
    assert said[0].startswith("Recommended: random forest after imputation by chained ridge: the s")
    assert "AUC 0.700, corrected" in said[1] and "95 % interval 0.600 to 0.800." in said[1]
    assert f"In {N} other records" in said[1] and "between 0.450 and 0.850, 95" in said[1]
    assert said[2].startswith("At a threshold of 0.280, which finds 90 % of the records 'yes', ")
    assert "60% of the others are told rightly" in said[2] and len(said) == 3
    raw = (methods.RAW, "gradient boosting")
    said = words._answer(prepared, raw, (y, told), Estimate(0.6, 0.5, 0.8), (0.4, 0.9))
    assert said[0].startswith("Recommended: gradient boosting, holes as they are: the simplest")
    assert said[1] == "Nothing here predicts the outcome beyond doubt better than chance."
    assert len(said) == 4


def test_a_report_speaks_of_the_method_that_it_recommends(found, scores):
    assert found.chosen == choice.choose(scores.means, scores.errors()) > 0
    assert found.method == CANDIDATES[found.chosen] and found.method[1] != "logistic regression"
    pd.testing.assert_frame_equal(found.gains, choice.gains_of_imputation(scores, found.method[1]))
    y, told = found.scores.y, found.told
    cut = threshold_at(y, told, sensitivity=0.9)
    said = " ".join(found.words)
    assert f"At a threshold of {cut:.3f}, " in said and f"AUC {found.auc:.3f}, " in said
    assert f"{(told[y == 0] < cut).mean():.0%} of the others are told rightly" in said
    for (low, high), between in ((found.interval, "to"), (found.prediction, "and")):
        assert f"{low:.3f} {between} {high:.3f}" in said
    area, low, high = found.by_holes
    assert f"missing alone the AUC is {area:.3f} ({low:.3f} to {high:.3f})" in said
    assert f"only {N_POSITIVE} records of the rarer class" in said


# ---------------------------------------------------------------- holes and patterns


def test_the_holes_model_is_scored_on_records_that_it_has_not_seen():
    ready = table_of(90, 40)
    holes = ready.X[["a", "b"]].isna().to_numpy(float)  # c has none
    wanted = []
    for trial in range(compare.HOLE_TRIALS):
        folds = StratifiedKFold(5, shuffle=True, random_state=3 + trial)
        for train, test in folds.split(holes, ready.y):
            scaler = StandardScaler().fit(holes[train])
            model = LogisticRegression(max_iter=2000)
            model.fit(scaler.transform(holes[train]), ready.y[train])
            told = model.predict_proba(scaler.transform(holes[test]))[:, 1]
            wanted.append(roc_auc_score(ready.y[test], told))
    area, low, high = compare.from_holes(ready, 3)
    assert area == pytest.approx(np.mean(wanted)) and low < area < high
    assert compare.from_holes(table_of(90, 40, holes=False), 3) == (0.5, 0.5, 0.5)


def test_noise_has_an_area_of_one_half_and_strength_shows():
    rng = np.random.default_rng(0)
    found = [
        areas.area_in_folds(
            pd.DataFrame(rng.normal(size=(80, 5))),
            rng.permutation(80) % 3 // 2,
            None,
            0,
            n_trials=2,
        )[0]
        for _ in range(60)
    ]
    assert abs(np.mean(found) - 0.5) < 3 * np.std(found) / np.sqrt(60)
    y = rng.permutation(80) % 2
    X = pd.DataFrame(y[:, None] + rng.normal(size=(80, 1)) / 9)
    assert areas.area_in_folds(X, y, None, 0)[0] > 0.99


def test_training_widens_the_interval_of_noise_and_copies_widen_it_more():
    rng = np.random.default_rng(1)
    noise, signal, copied = [], [], []
    for k in range(12):
        X, y = pd.DataFrame(rng.normal(size=(160, 6))), rng.permutation(160) % 2
        noise.append(areas.effect_of_training(X, y, None, k))
        signal.append(areas.effect_of_training(X.add(2 * y, axis=0), y, None, k))
        few = np.repeat(np.arange(40), 4)  # each person four times: worth a quarter
        copied.append(areas.effect_of_training(X.iloc[few], y[few], few, k))
    assert np.mean(noise) > 1.4 and np.mean(copied) > 2 * np.mean(noise)
    assert min(signal) >= 1 and np.mean(signal) < np.mean(noise)


@pytest.mark.parametrize("few", [2, 3, 8, 9])
def test_no_record_is_alone_of_its_class_in_a_fold_where_that_can_be(few):
    y = np.repeat([0, 1], [40, few])
    X = pd.DataFrame(np.random.default_rng(few).normal(size=(len(y), 2)))
    folds = list(areas._by_fold(X, y, None, 0, None, 1, 2))
    assert 2 <= len(folds) <= 5
    assert min(np.bincount(y[test]).min() for _, test, _ in folds) >= min(few // 2, 2)


def test_halves_that_cannot_be_compared_leave_the_plain_variance():
    y = np.repeat([0, 1], 30)
    assert areas.effect_of_training(pd.DataFrame({"a": np.ones(60)}), y, y, 0) == 1.0
    assert (
        areas.effect_of_training(pd.DataFrame({"a": y + 0.0}), y, None, 0) == 1.0
    )  # never a mistake


def test_patterns_are_counted_with_their_share_of_positives():
    X = pd.DataFrame(1.0, index=range(20), columns=[f"v{k}" for k in range(15)])
    X.iloc[:4, 1] = np.nan
    X.iloc[4:7, :13] = np.nan
    X.iloc[7:9, 2:14] = np.nan
    X.iloc[9, 0] = np.nan
    y = np.array([1, 1, 1, 0, 0, 0, 1, 0, 0, 1] + [1, 0] * 5)
    found = report._patterns(replace(table_of(), X=X, y=y))
    twelve = ", ".join(f"v{k}" for k in range(12))
    assert found.to_numpy().tolist() == [
        [10, 0.5, 0.5, "nothing is missing"],
        [4, 0.2, 0.75, "v1"],
        [3, 0.15, pytest.approx(1 / 3), f"{twelve} and 1 more"],
        [2, 0.1, 0.0, ", ".join(f"v{k}" for k in range(2, 14))],
        [1, 0.05, 1.0, "v0"],
    ]
    assert found.columns.tolist() == ["records", "share", "positive", "missing attributes"]
    many = X.fillna(1.0).mask(np.arange(20)[:, None] == np.arange(15))
    assert len(report._patterns(replace(table_of(), X=many, y=y))) == report.PATTERNS


# ---------------------------------------------------------------- which records are compared


def test_a_sample_keeps_the_share_of_each_class_and_whole_groups():
    y = np.repeat([0, 1], [300, 100])
    assert compare.some_rows(y, 400, 0).tolist() == list(range(400))
    for groups in (None, np.arange(400)):  # groups of one record are none
        rows = compare.some_rows(y, 200, 1, groups)
        assert len({*rows}) == 200 and y[rows].sum() == 50 and (np.diff(rows) > 0).all()
    assert not np.array_equal(rows, compare.some_rows(y, 200, 2))
    groups = np.arange(400) % 80 + 5  # 80 persons of 5 records
    rows = compare.some_rows(y, 203, 1, groups)
    drawn = np.unique(groups[rows])
    assert len(rows) == 200 and len(drawn) == 40 and np.isin(groups, drawn).sum() == 200
    assert (np.diff(rows) > 0).all() and drawn.tolist() != np.unique(groups)[:40].tolist()
    few = np.arange(400) % 20
    rows = compare.some_rows(y, 100, 1, few)
    assert len(np.unique(few[rows])) == 10  # two for each fold at least


def test_folds_are_balanced_by_class_and_differ_between_trials():
    y = np.repeat([0, 1], [70, 30])
    found = list(compare.splits_of(y, None, 2, 4))
    assert [trial for trial, _, _ in found] == [0] * 5 + [1] * 5
    for trial in (0, 1):
        tests = [test for t, _, test in found if t == trial]
        assert sorted(np.concatenate(tests)) == list(range(100))
        assert [y[test].sum() for test in tests] == [6] * 5
    for _, train, test in found:
        assert sorted([*train, *test]) == list(range(100))
    first = [[set(test) for t, _, test in found if t == trial] for trial in (0, 1)]
    assert not any(one in first[1] for one in first[0])
    again = list(compare.splits_of(y, None, 1, 5))  # another seed is another trial
    assert [set(test) for _, _, test in again] == first[1]
    groups = np.arange(100) % 20
    for _, train, test in compare.splits_of(y, groups, 2, 0):
        assert not {*groups[train]} & {*groups[test]}
        assert sorted([*train, *test]) == list(range(100))


@pytest.mark.parametrize(
    ("n", "width", "given", "trials"),
    [
        *[(500, 3, None, 4), (501, 3, None, 2), (1500, 3, None, 2), (1501, 3, None, 1)],
        *[(300, 200, None, 4), (300, 201, None, 1), (300, 201, 3, 3), (900, 3, 5, 5)],
    ],
)
def test_the_smaller_the_table_the_more_trials(n, width, given, trials, monkeypatch):
    seen = {}

    def stand_in(methods, X, y, groups, n_trials, seed, bar):
        seen.update(methods=methods, X=X, y=y, groups=groups, n_trials=n_trials, seed=seed)
        raise StopIteration

    monkeypatch.setattr(report, "compare_methods", stand_in)
    y = np.arange(n) % 3 == 0
    X = pd.DataFrame(np.arange(n)[:, None] + np.zeros(width), columns=map(str, range(width)))
    ready = replace(table_of(), X=X, y=y.astype(int), groups=np.arange(n) // 2)
    with pytest.raises(StopIteration):
        report.make_report(ready, n_trials=given, seed=3)
    assert seen["n_trials"] == trials and seen["seed"] == 3 and seen["methods"] == CANDIDATES
    with pytest.raises(StopIteration):
        report.make_report(ready, n_trials=given, seed=3, limit=100, methods=CANDIDATES + PAPERS)
    rows = seen["X"]["0"].to_numpy().astype(int)  # records, classes and groups stay together
    assert rows.tolist() == compare.some_rows(ready.y, 100, 3, ready.groups).tolist()
    assert 99 <= len(rows) <= 100 and seen["methods"] == CANDIDATES + PAPERS
    assert (seen["y"] == (rows % 3 == 0)).all() and (seen["groups"] == rows // 2).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"methods": CANDIDATES[1:]}, "methods must hold all of SIMPLE"),
        ({"methods": (*CANDIDATES, ("mean", "tea leaves"))}, "methods must hold all of SIMPLE"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"seed": 0.5}, "seed must be"),
        ({"limit": 99}, "limit must be a whole number of at least 100, got 99"),
        ({"limit": 150.0}, "limit must be"),
        ({"n_trials": 0}, "n_trials must be a whole number of at least 1, got 0"),
        ({"n_trials": 1.5}, "n_trials must be"),
    ],
)
def test_arguments_out_of_range_are_refused_before_training(prepared, arguments, message):
    with pytest.raises(ReportError, match=message):
        report.make_report(prepared, **arguments)


# ---------------------------------------------------------------- what is shown and kept


class Page(HTMLParser):
    """Texts of a page by the tag that holds them, and the rows of its tables."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.items, self.rows, self.pictures = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "img":
            self.pictures.append(dict(attributes)["src"])
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "li":
            self.items.append("")
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data
        if self.open and self.open[-1] == "li":
            self.items[-1] += data


EVIL = "<script>alert('&amp;')</script>"


@pytest.fixture(scope="module")
def evil():
    """A report whose every text of the table's own would be a tag."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            f"age {EVIL}": rng.normal(size=N).round(3),
            "<b>site": rng.choice([f"x{EVIL}", f"X{EVIL.upper()}", "y"], N),
            f"same {EVIL}": EVIL,
            "<i>out": np.where(np.arange(N) < N_POSITIVE, f"ill {EVIL}", f"well {EVIL}"),
        }
    )
    table.iloc[::5, 0] = np.nan
    ready = prepare(table, "<i>out", positive=f"ill {EVIL}")
    return report._reported(ready, scored(ready.y), 1.0, np.arange(N), SETTINGS)


def test_nothing_of_the_table_becomes_a_tag(evil):
    notes = evil.prepared.notes
    assert any(EVIL in note for note in notes) and any(EVIL in word for word in evil.words)
    text = evil.to_html()
    page = Page(text)
    assert not {"script", "b", "i"} & {*page.tags}
    files = [item for item in page.items if item.startswith(": ")]
    assert page.items == [*evil.words[2:], *notes, *files]  # and nothing is escaped twice
    assert len(files) == 4 and f"{evil.words[0]} {evil.words[1]}" in unescape(text)
    cells = {cell for row in page.rows for cell in row}
    assert {f"age {EVIL}", "<b>site", f"same {EVIL}", "<i>out"} <= cells
    assert f"<title>Report on {'&#x27;'}ill &lt;script" in text.replace("&#34;", "&#x27;")
    short = Page(evil._repr_html_())
    assert short.items == evil.words and {*short.tags} == {"ul", "li"}


def test_the_page_shows_the_numbers_of_the_report(found):
    page = Page(found.to_html())
    c, rows = found.comparison, page.rows
    first = 1 + rows.index(["imputation", "classifier", "AUC", "less the best", "p (Holm)",
                            "Brier score", "recommended"])  # fmt: skip
    for k, row in enumerate(rows[first : first + len(c)]):
        v = c.loc[k]
        behind = [f"{x:+z.3f}" for x in (v["behind"], v["behind_low"], v["behind_high"])]
        assert row == [
            *CANDIDATES[k],
            f"{v['auc']:.3f} ({v['low']:.3f}\N{EN DASH}{v['high']:.3f})",
            f"{behind[0]} ({behind[1]} to {behind[2]})",
            *(f"{v['p']:.3f}", f"{v['brier']:.3f}", "yes" if k == found.chosen else ""),
        ]
    shares = found.missing.iloc[0]
    assert [str(shares["records"]), f"{shares['share']:.1%}", f"{shares['positive']:.1%}"] == rows[
        1 + rows.index(["records", "share", "positive", "missing attributes"])
    ][:3]
    share = f"{found.prepared.X['a'].isna().mean():.1%}"
    assert ["a", "number", str(found.prepared.X["a"].nunique()), share, "1, 2", "yes", ""] in rows
    text = found.to_html()
    assert f"2 x 5-fold cross-validation of {N} of {N} records, seed 0" in text
    assert "f" * 64 in text and NOT_A_DEVICE in text


def test_the_page_holds_its_pictures_in_their_places(found, monkeypatch):
    kinds = ("figure", "calibration", "benefit")
    names = {kind: getattr(found, kind)() for kind in kinds}
    for kind in kinds:
        monkeypatch.setattr(type(found), kind, lambda self, kind=kind: names[kind])
    monkeypatch.setattr(page, "_picture", lambda figure: f"{id(figure)}")
    pictures = [
        src.removeprefix("data:image/png;base64,") for src in Page(found.to_html()).pictures
    ]
    assert pictures == [f"{id(names[kind])}" for kind in kinds]
    monkeypatch.undo()
    assert base64.b64decode(page._picture(names["figure"])).startswith(b"\x89PNG")


def test_the_figures_are_of_the_comparison_and_of_the_recommended_method(found):
    axis = found.figure().axes[0]
    mark = next(line for line in axis.lines if line.get_marker() == ">")
    assert mark.get_xydata().tolist() == [[found.comparison.loc[found.chosen, "low"], found.chosen]]
    y, told = found.scores.y, found.told
    bins = pd.qcut(pd.Series(told).rank(method="first"), 5, labels=False)
    wanted = pd.DataFrame({"told": told, "share": y}).groupby(bins).mean()
    drawn = found.calibration().axes[0].lines[1].get_xydata()
    np.testing.assert_allclose(drawn, wanted.to_numpy())


# ---------------------------------------------------------------- training and saving


@pytest.fixture(scope="module")
def simple(prepared, scores):
    """A report that recommends logistic regression on means."""
    equal = replace(
        scores, probability=scores.probability[[12] * 13], areas=scores.areas[[12] * 13]
    )
    found = report._reported(prepared, equal, 1.0, np.arange(N), SETTINGS)
    found = replace(found, line=None)  # the made-up probabilities are too extreme
    assert found.method == ("mean", "logistic regression")
    return found


def test_the_recommended_method_learns_from_every_record_and_its_class(simple):
    model, X = simple.fit(), simple.prepared.X
    filled = X.fillna(X.mean())
    scaled = (filled - filled.mean()) / filled.std(ddof=0)
    wanted = LogisticRegression(max_iter=2000).fit(scaled, simple.prepared.y)
    assert model.classes_.tolist() == ["no", "yes"]
    np.testing.assert_allclose(model.predict_proba(X), wanted.predict_proba(scaled), atol=1e-4)


@pytest.mark.parametrize("chosen", [0, 3, 9])
def test_only_networks_learn_from_a_sample(simple, chosen, monkeypatch):
    seen = {}
    model = SimpleNamespace(fit=lambda X, y: seen.update(X=X, y=y))
    monkeypatch.setattr(
        fitting, "make_method", lambda *of: seen.update(method=of[:2], rest=of[2:]) or model
    )
    monkeypatch.setattr(fitting, "FINAL_LIMIT", 30)
    replace(simple, chosen=chosen, settings=SETTINGS | {"seed": 4}).fit()
    n = N if chosen == 0 else 30  # logistic regression; denoising autoencoder; AC-GAN
    ready = simple.prepared
    assert (seen["method"], seen["rest"]) == (CANDIDATES[chosen], (4, n, ready.schema))
    assert len(seen["X"]) == n
    rows = seen["X"].index.to_numpy()
    pd.testing.assert_frame_equal(seen["X"], ready.X.iloc[rows])
    assert seen["y"].tolist() == np.where(ready.y[rows] == 1, "yes", "no").tolist()


def test_what_is_saved_is_what_was_found_and_nothing_else(simple, tmp_path):
    folder = tmp_path / "new" / "r"
    paths = simple.save(str(folder))
    assert {key: path.name for key, path in paths.items()} == {
        **{"report": "report.html", "model": "model.skops"},
        **{"card": "model_card.md", "comparison": "comparison.csv", "schema": "schema.json"},
    }
    assert sorted(folder.iterdir()) == sorted(paths.values())
    X = simple.prepared.X
    model = read_model(paths["model"])
    np.testing.assert_array_equal(model.pipeline.predict_proba(X), simple.fit().predict_proba(X))
    assert model.about["card"] == simple.card() and model.about["fingerprint"] == "f" * 64
    assert paths["card"].read_text(encoding="utf-8") == simple.card()
    again = pd.read_csv(paths["comparison"])
    pd.testing.assert_frame_equal(again, simple.comparison)
    text = unescape(paths["report"].read_text(encoding="utf-8"))
    assert f'<p class="lead">{simple.words[0]} {simple.words[1]}</p>' in text


def test_files_are_written_whole_or_stay_as_they_were(simple, tmp_path, monkeypatch):
    names = ("model.skops", "model_card.md", "comparison.csv", "schema.json", "report.html")
    for name in names:
        (tmp_path / name).write_text("old")
    replaced = Path.replace

    def refused(self, target):
        assert self.stat().st_size > 100
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", refused)
    monkeypatch.setattr(type(simple), "fit", lambda self: list(range(1000)))
    for _ in range(4):
        with pytest.raises(OSError, match="no space left"):
            simple.save(tmp_path)
    assert {path.read_text() for path in tmp_path.iterdir()} == {"old"}
    assert len([*tmp_path.iterdir()]) == 5
    for k in range(1, 5):  # and each of the five goes that way
        calls = []

        def late(self, target, calls=calls, k=k):
            calls.append(target)
            return replaced(self, target) if len(calls) <= k else refused(self, target)

        monkeypatch.setattr(Path, "replace", late)
        with pytest.raises(OSError, match="no space left"):
            simple.save(tmp_path)
        changed = {path for path in tmp_path.iterdir() if path.read_bytes() != b"old"}
        assert changed == {*calls[:k]} and len(calls) == k + 1


def test_a_folder_that_cannot_be_made_is_an_os_error(simple, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        simple.save(tmp_path / "file" / "r")


def test_the_card_tells_data_protocol_scores_and_limits(simple):
    ready = replace(simple.prepared, classes=("no", "a yes"), notes=["one note", "another"])
    card = replace(simple, prepared=ready, settings=SETTINGS | {"seed": 9}).card()
    paragraphs = card.split("\n\n")
    assert paragraphs[:2] == ["# Model card: 'a yes' against 'no'", f"**{NOT_A_DEVICE}**"]
    assert "logistic regression after imputation by mean, trained " in card
    assert "Classes, in the order of `predict_proba`: ['a yes', 'no']. Positive: 'a yes'." in card
    holes = f"{ready.X.isna().to_numpy().mean():.1%}"
    assert (
        f"{N} records ({N_POSITIVE} 'a yes', {N - N_POSITIVE} 'no'); 3 attributes, {holes} of "
        f"their cells missing. Table of {N + 7} rows, SHA-256 fingerprint `{'f' * 64}`."
    ) in paragraphs
    assert "Attributes: a, b, c." in paragraphs
    assert f"2 x 5-fold cross-validation of {N} records, seed 9; " in card
    places = [paragraphs.index(f"- {said}") for said in (*ready.notes, *simple.words)]
    assert places == sorted(places)


def test_folds_with_few_of_a_class_do_not_hide_the_spread_of_an_area():
    """Truth by simulation: their own mean stands near to two or three, so plain sums fall short."""
    rng, found = np.random.default_rng(0), []
    y, fold = np.repeat([1, 0], [12, 90]), np.concatenate([np.arange(12), np.arange(90)]) % 5
    for _ in range(600):
        told, added, part = rng.normal(size=len(y)) + 1.2 * y, np.zeros(len(y)), []
        for k in range(5):
            rows = fold == k
            added[rows] = areas.added_by_records(y[rows], told[rows]) / 5
            part.append(areas.area_of(y[rows], told[rows]))
        found.append((np.mean(part), areas.variance_among(areas.spread_of(y, added), y)))
    area, claimed = np.array(found).T
    assert 0.9 < claimed.mean() / area.var() < 1.35
