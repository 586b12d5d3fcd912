"""Metrics against scikit-learn and against known answers."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from ehrgan.paper.tables import beside_paper
from ehrgan.scores.inference import corrected_interval
from ehrgan.scores.metrics import (
    decision_curve,
    rmse,
    roc_over_folds,
    score,
    score_predictions,
    summarise,
    threshold_at,
)

predictions_of_a_fold = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0])), min_size=2, max_size=40
).filter(lambda pairs: len({y for y, _ in pairs}) == 2)


@settings(max_examples=50)
@given(predictions_of_a_fold, st.sampled_from([0.2, 0.5, 0.6]))
def test_score_agrees_with_scikit_learn(pairs, threshold):
    y, probability = np.array(pairs).T
    called = probability > threshold
    expected = {
        "accuracy": metrics.accuracy_score(y, called),
        "sensitivity": metrics.recall_score(y, called),
        "specificity": metrics.recall_score(y, called, pos_label=0),
        "auc_roc": metrics.roc_auc_score(y, probability),
        "f_score": metrics.f1_score(y, called, zero_division=0),
        "brier": metrics.brier_score_loss(y, probability),
    }
    assert score(y, probability, threshold) == pytest.approx(expected)
    # one threshold for each record, as of folds that chose their own
    assert score(y, probability, np.full(len(y), threshold)) == pytest.approx(expected)
    if threshold == 0.5:
        assert score(y, probability) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("y", "probability", "message"),
    [
        ([1, 1], [0.1, 0.2], "y_true must hold both 0 and 1"),
        ([0, 2], [0.1, 0.2], "y_true must hold both 0 and 1"),
        ([0, 1], [0.1], "one length"),
        ([0, 1], [0.1, 1.2], "probability must lie from 0 to 1"),
        ([0, 1], [-0.1, 0.5], "probability must lie from 0 to 1"),
        ([0, 1], [0.1, np.nan], "probability must lie from 0 to 1"),
        ([[0, 1]], [[0.1, 0.2]], "one-dimensional"),
    ],
)
def test_score_refuses(y, probability, message):
    with pytest.raises(ValueError, match=message):
        score(y, probability)


def test_thresholds_by_hand():
    y, p = [0, 0, 0, 0, 1, 1, 1], [0.1, 0.3, 0.5, 0.8, 0.4, 0.6, 0.9]
    # the least cut that leaves the wanted share of 0.1, 0.3, 0.5, 0.8 alone
    expected = {0.0: 0.0, 0.25: 0.2, 0.5: 0.35, 0.51: 0.55, 0.75: 0.55, 1.0: 0.85}
    for share, cut in expected.items():
        assert threshold_at(y, p, specificity=share) == pytest.approx(cut)
    # the greatest cut that finds the wanted share of 0.4, 0.6, 0.9
    for share, cut in {0.0: 1.0, 1 / 3: 0.85, 0.5: 0.55, 2 / 3: 0.55, 1.0: 0.35}.items():
        assert threshold_at(y, p, sensitivity=share) == pytest.approx(cut)


def test_shares_of_ten_are_reached_though_they_are_no_whole_binary_digits():
    y, p = np.r_[np.zeros(10), np.ones(10)], np.r_[np.arange(10), np.arange(10, 20)] / 20
    assert threshold_at(y, p, sensitivity=0.1) == pytest.approx(18.5 / 20)  # 1 - 9 / 10 < 0.1
    assert threshold_at(y, p, specificity=0.1 * 3) == pytest.approx(2.5 / 20)  # 0.1 * 3 > 3 / 10


def test_a_threshold_misses_no_positive_but_one_told_zero():
    # a negative told exactly 0 is left alone even there
    assert threshold_at([0, 0, 1], [0.0, 0.4, 1.0], specificity=0.5) == 0.0
    # to find a record told exactly 0 nothing is low enough: the least threshold there is
    assert threshold_at([0, 1], [0.6, 0.0], sensitivity=1.0) == 0.0
    # a negative told exactly 1 is left alone by calling nobody
    assert threshold_at([0, 1], [1.0, 0.4], specificity=1.0) == 1.0


@given(predictions_of_a_fold, st.data())
def test_thresholds_are_the_best_of_all_that_reach_their_share(pairs, data):
    y, p = np.array(pairs).T
    own = {"specificity": p[y == 0], "sensitivity": p[y == 1]}
    values = np.unique(p)
    cuts = [0.0, *((a + b) / 2 for a, b in itertools.pairwise(values)), 1.0]
    for aim, of_class in own.items():
        # exact shares, k of n, are where rounding would show
        hits = data.draw(st.integers(0, len(of_class)))
        share = hits / len(of_class)
        if aim == "specificity":
            expected = min(t for t in cuts if np.sum(of_class <= t) >= hits)
        else:
            expected = max((t for t in cuts if np.sum(of_class > t) >= hits), default=0.0)
        assert threshold_at(y, p, **{aim: share}) == pytest.approx(expected)


@pytest.mark.parametrize(
    "aims",
    [
        {},
        {"sensitivity": 0.5, "specificity": 0.5},
        {"sensitivity": 1.1},
        {"specificity": 1.1},
        {"sensitivity": -0.1},
        {"specificity": np.nan},
    ],
)
def test_a_threshold_needs_one_aim(aims):
    with pytest.raises(ValueError, match="^give one of sensitivity and specificity, from 0 to 1"):
        threshold_at([0, 1], [0.1, 0.2], **aims)


def test_decision_curve_by_hand():
    y, p = [0, 0, 0, 1, 1], [0.1, 0.6, 0.2, 0.7, 0.9]
    curve = decision_curve(y, p, [0, 0.25, 0.6, 0.75])
    assert curve["threshold"].tolist() == [0, 0.25, 0.6, 0.75]
    # found cases less false alarms at t / (1 - t); one told exactly 0.6 is not called at 0.6
    assert curve["model"].tolist() == pytest.approx([0.4, 0.4 - 0.2 / 3, 0.4, 0.2])
    assert curve["act on all"].tolist() == pytest.approx([0.4, 0.2, 0.4 - 0.9, 0.4 - 1.8])


@pytest.mark.parametrize("thresholds", [[1.0], [0.5, -0.1], [np.nan], [[0.5]], 0.5])
def test_decision_curve_refuses(thresholds):
    with pytest.raises(ValueError, match="^thresholds must be at least 0 and below 1, got"):
        decision_curve([0, 1], [0.1, 0.9], thresholds)


@pytest.fixture
def predictions():
    rng = np.random.default_rng(0)
    frames = []
    for trial in range(2):
        fold = rng.permutation(np.arange(60) % 3)
        for imputer in ("mean", "autoencoder"):
            for classifier in ("MLP", "AC-GAN", "Logistic regression"):
                y = np.arange(60) % 2
                frames.append(
                    pd.DataFrame(
                        {"trial": trial, "fold": fold, "record": np.arange(60), "y": y}
                        | {"imputer": imputer, "classifier": classifier}
                        | {"probability": np.clip(0.3 * y + 0.7 * rng.random(60), 0, 1)}
                    )
                )
    return pd.concat(frames, ignore_index=True)


def test_scores_of_folds_and_of_trials(predictions):
    scores = score_predictions(predictions)
    assert len(scores) == 2 * 3 * 2 * 3 * 6
    assert set(scores["n_test"]) == {20}
    assert set(scores["n_train"]) == {40}
    one = "trial == 1 and fold == 2 and imputer == 'mean' and classifier == 'MLP'"
    fold = predictions.query(one)
    expected = score(fold["y"], fold["probability"])
    assert scores.query(one).set_index("metric")["value"].to_dict() == expected

    pooled = score_predictions(predictions, pooled=True)
    trial = predictions.query("trial == 1 and imputer == 'mean' and classifier == 'MLP'")
    got = pooled.query("trial == 1 and imputer == 'mean' and classifier == 'MLP'")
    expected = score(trial["y"], trial["probability"])
    assert got.set_index("metric")["value"].to_dict() == expected


def recomputed(table, threshold):
    """The six numbers of some records by scikit-learn."""
    y, p = table["y"], table["probability"]
    called = p > threshold
    return {
        "accuracy": metrics.accuracy_score(y, called),
        "sensitivity": metrics.recall_score(y, called),
        "specificity": metrics.recall_score(1 - y, ~called),
        "auc_roc": metrics.roc_auc_score(y, p),
        "f_score": metrics.f1_score(y, called),
        "brier": np.mean((y - p) ** 2),
    }


@pytest.mark.parametrize(("pooled", "threshold"), [(False, None), (True, None), (False, 0.45)])
def test_each_cell_of_the_scores_is_that_of_its_own_predictions(predictions, pooled, threshold):
    # the second trial is one of fewer records and of uneven folds; each fold has its own threshold
    uneven = predictions.query("(trial == 0 or record < 49) and classifier != 'MLP'").copy()
    uneven["threshold"] = 0.3 + 0.1 * uneven["fold"] + 0.05 * uneven["trial"]
    scores = score_predictions(uneven, pooled=pooled, threshold=threshold)
    unit = ["trial"] if pooled else ["trial", "fold"]
    keys = [*unit, "imputer", "classifier"]
    assert list(scores) == [*keys, "metric", "value", "n_train", "n_test"]
    groups = uneven.groupby(keys)
    assert len(scores) == 6 * len(groups)
    for key, group in groups:
        own = scores[(scores[keys] == list(key)).all(axis=1)]
        expected = recomputed(group, group["threshold"] if threshold is None else threshold)
        assert dict(zip(own["metric"], own["value"], strict=True)) == pytest.approx(expected)
        if pooled:
            assert own[["n_train", "n_test"]].isna().all(axis=None)
        else:
            assert (own["n_test"] == len(group)).all()
            assert (own["n_train"] == (60, 49)[key[0]] - len(group)).all()


def test_summary_takes_the_mean_size_of_uneven_folds_group_by_group():
    rows = [("mean", 0.9, 90, 10), ("mean", 0.7, 80, 20), ("mean", 0.5, 70, 30)]
    rows += [("autoencoder", 0.8, 60, 40), ("autoencoder", 0.6, 50, 50)]
    scores = pd.DataFrame(rows, columns=["imputer", "value", "n_train", "n_test"])
    summary = summarise(scores.assign(classifier="MLP", metric="accuracy"))
    assert summary["imputer"].tolist() == ["mean", "autoencoder"]  # in the order of the scores
    assert summary["mean"].tolist() == pytest.approx([0.7, 0.7])
    assert summary["sd"].tolist() == pytest.approx([0.2, 0.02**0.5])
    # Student's t at 97.5 %: 4.302653 with two degrees of freedom and 12.706205 with one
    error = [0.2 * (1 / 3 + 20 / 80) ** 0.5, (0.02 * (1 / 2 + 45 / 55)) ** 0.5]
    half = [4.302653 * error[0], 12.706205 * error[1]]
    assert summary["half"].tolist() == pytest.approx(half)
    ends = [(0.7 - h, 0.7 + h) for h in half]
    assert summary[["low", "high"]].to_numpy() == pytest.approx(np.array(ends))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_no_interval_of_a_score_leaves_what_scores_can_be(values):
    scores = pd.DataFrame({"imputer": "mean", "classifier": "MLP", "metric": "auc_roc",
                           "value": values, "n_train": 8, "n_test": 2})  # fmt: skip
    (row,) = summarise(scores, bounds=(0, 1)).itertuples()
    whole = corrected_interval(values, 8, 2)
    assert 0 <= row.low <= row.mean + 1e-12 and row.mean - 1e-12 <= row.high <= 1
    assert (row.low, row.high) == pytest.approx(tuple(np.clip(whole[1:], 0, 1)))
    assert row.half == pytest.approx(whole.half)
    (row,) = summarise(scores.assign(value=scores["value"] - 0.5)).itertuples()
    assert (row.low, row.high) == pytest.approx((whole.low - 0.5, whole.high - 0.5))  # differences
    with pytest.raises(ValueError, match="within the bounds"):
        summarise(scores.assign(value=-0.1), bounds=(0, 1))


def test_summary_matches_the_interval_of_each_group(predictions):
    scores = score_predictions(predictions)
    summary = summarise(scores, level=0.9)
    assert len(summary) == 2 * 3 * 6
    for row in summary.itertuples():
        where = f"imputer == {row.imputer!r} and classifier == {row.classifier!r}"
        values = scores.query(f"{where} and metric == {row.metric!r}")["value"]
        expected = corrected_interval(values, 40, 20, level=0.9)
        assert (row.mean, row.low, row.high) == pytest.approx(tuple(expected))
        assert row.sd == pytest.approx(values.std())


def test_summary_of_pooled_scores_has_no_interval(predictions):
    pooled = summarise(score_predictions(predictions, pooled=True))
    assert pooled[["low", "high"]].isna().all(axis=None)
    assert pooled[["mean", "sd"]].notna().all(axis=None)
    by_fold = summarise(score_predictions(predictions))
    same = pooled["metric"] == "accuracy"  # folds of equal size: the one metric that is linear
    assert pooled.loc[same, "mean"].tolist() == pytest.approx(by_fold.loc[same, "mean"].tolist())


@pytest.mark.parametrize("function", [summarise, score_predictions, beside_paper])
def test_frames_without_columns_or_rows_are_refused(function):
    with pytest.raises(ValueError, match="must have rows and the columns"):
        function(pd.DataFrame({"metric": ["accuracy"]}))


def test_summary_refuses_no_rows_and_a_level_out_of_range(predictions):
    scores = score_predictions(predictions)
    with pytest.raises(ValueError, match="scores must have rows and the columns .*, lacks rows"):
        summarise(scores.iloc[:0])
    with pytest.raises(ValueError, match="level must be between 0 and 1, got 95"):
        summarise(scores, level=95)


@settings(max_examples=25)
@given(st.lists(predictions_of_a_fold, min_size=1, max_size=4))
def test_area_under_the_mean_curve_is_the_mean_area(folds):
    y, probability = zip(*(np.array(pairs).T for pairs in folds), strict=True)
    # A grid that holds every corner of every curve: there the trapezium rule is exact but for
    # vertical steps, which a far finer neighbour of each corner catches.
    corners = np.concatenate(
        [metrics.roc_curve(*fold)[0] for fold in zip(y, probability, strict=True)]
    )
    grid = np.unique(np.clip(np.r_[0, corners - 1e-9, corners, 1], 0, 1))
    curve = roc_over_folds(y, probability, grid)
    areas = [metrics.roc_auc_score(*fold) for fold in zip(y, probability, strict=True)]
    assert np.trapezoid(curve["tpr"], curve["fpr"]) == pytest.approx(np.mean(areas), abs=1e-6)
    assert (curve["low"] <= curve["high"]).all()
    assert (np.diff(curve["tpr"]) >= -1e-12).all()


def test_roc_of_a_perfect_and_of_a_blind_classifier():
    perfect = roc_over_folds([[0, 0, 1]] * 2, [[0.1, 0.2, 0.9]] * 2)
    assert perfect["fpr"].tolist() == np.linspace(0, 1, 1001).tolist()
    assert (perfect[["tpr", "low", "high"]] == 1).all(axis=None)
    blind = roc_over_folds([[0, 1]], [[0.5, 0.5]])
    assert np.allclose(blind["tpr"], blind["fpr"])


def test_roc_by_hand_and_its_band():
    # ranked from the top: positive, negative, positive, negative, negative
    y, p = [1, 0, 1, 0, 0], [0.9, 0.8, 0.6, 0.5, 0.1]
    grid = [0.0, 1 / 6, 0.3, 0.4, 1.0]
    curve = roc_over_folds([y], [p], grid)
    assert curve["fpr"].tolist() == grid
    assert curve["tpr"].tolist() == pytest.approx([0.5, 0.5, 0.5, 1.0, 1.0])
    # Five folds of one positive each, which k of ten negatives outrank: a curve steps from 0 to 1
    # at k / 10, so that at 0.25 three folds of five have found it.
    ranks, level = [1, 2, 2, 4, 8], 0.5
    labels = [[1] + [0] * 10] * 5
    told = [[(9.5 - k) / 20, *(np.arange(10) / 20)] for k in ranks]
    band = roc_over_folds(labels, told, [0.15, 0.25, 0.95], level=level)
    assert band["tpr"].tolist() == pytest.approx([1 / 5, 3 / 5, 1])
    assert band["low"].tolist() == [0, 0, 1]  # the quarter and three quarters of five 0s and 1s
    assert band["high"].tolist() == [0, 1, 1]
    wide = roc_over_folds(labels, told, [0.15, 0.25, 0.95])
    assert wide["high"].tolist() == pytest.approx([0.6, 1, 1])  # by default 10 % to 90 %
    assert roc_over_folds(labels, told, [0.85])["low"].tolist() == [1]
    assert roc_over_folds(labels, told, [0.75])["low"].tolist() == pytest.approx([0.4])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], []), "y and probabilities"),
        (([[0, 1]], []), "y and probabilities"),
        (([[0, 1]] * 2, [[0.1, 0.2]]), "y and probabilities"),
        (([[0, 1]], [[0.1, 0.2]], [0, 2]), "fpr_grid"),
        (([[0, 1]], [[0.1, 0.2]], [-1, 0]), "fpr_grid"),
        (([[0, 1]], [[0.1, 0.2]], []), "fpr_grid"),
        (([[0, 1]], [[0.1, 0.2]], [[0, 1]]), "fpr_grid"),
        (([[1, 1]], [[0.1, 0.2]]), "both 0 and 1"),
    ],
)
def test_roc_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        roc_over_folds(*arguments)


def test_rmse_counts_hidden_cells_only_and_alike():
    truth, mask = np.zeros((3, 2)), np.array([[True, True], [True, False], [False, False]])
    imputed = np.array([[3.0, 0.0], [0.0, 99.0], [99.0, 99.0]])
    assert rmse(truth, imputed, mask) == pytest.approx(3**0.5)
    assert rmse(imputed, truth, mask) == pytest.approx(3**0.5)
    # what is not hidden may be missing, and small unsigned numbers do not wrap round
    assert rmse([[1.0, np.nan]], [[4.0, np.nan]], [[True, False]]) == 3
    assert rmse(np.array([[3]], np.uint8), np.array([[1]], np.uint8), [[True]]) == 2
    with pytest.raises(ValueError, match="at least one cell"):
        rmse(truth, imputed, ~np.ones_like(mask))
    for arguments in ((truth, imputed[:2], mask), (truth, imputed, mask.astype(int))):
        with pytest.raises(ValueError, match="one shape"):
            rmse(*arguments)
    with pytest.raises(ValueError, match="NaN"):
        rmse(truth, np.full((3, 2), np.nan), mask)
