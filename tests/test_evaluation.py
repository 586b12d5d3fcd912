"""Metrics against scikit-learn and against known answers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from ehrgan.evaluation import (
    METRICS,
    beside_paper,
    corrected_interval,
    mixing,
    neighbour_purity,
    paper_tables,
    rmse,
    roc_over_folds,
    score,
    score_predictions,
    summarise,
)

predictions_of_a_fold = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0])), min_size=2, max_size=40
).filter(lambda pairs: len({y for y, _ in pairs}) == 2)


@settings(deadline=None)  # the clock of a busy machine proves nothing
@given(predictions_of_a_fold)
def test_score_agrees_with_scikit_learn(pairs):
    y, probability = np.array(pairs).T
    called = probability > 0.5
    expected = {
        "accuracy": metrics.accuracy_score(y, called),
        "sensitivity": metrics.recall_score(y, called),
        "specificity": metrics.recall_score(y, called, pos_label=0),
        "auc_roc": metrics.roc_auc_score(y, probability),
        "f_score": metrics.f1_score(y, called, zero_division=0),
        "brier": metrics.brier_score_loss(y, probability),
    }
    assert score(y, probability) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("y", "probability", "message"),
    [
        ([1, 1], [0.1, 0.2], "y_true must hold both 0 and 1"),
        ([0, 2], [0.1, 0.2], "y_true must hold both 0 and 1"),
        ([0, 1], [0.1], "one length"),
        ([0, 1], [0.1, 1.2], "probability must lie from 0 to 1"),
        ([0, 1], [0.1, np.nan], "probability must lie from 0 to 1"),
    ],
)
def test_score_refuses(y, probability, message):
    with pytest.raises(ValueError, match=message):
        score(y, probability)


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
    mean, low, high = corrected_interval([0.9], 400, 100)
    assert mean == 0.9
    assert np.isnan([low, high]).all()
    assert corrected_interval([0.9, 0.9], 400, 100) == pytest.approx((0.9, 0.9, 0.9))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 1, 1), "values"),
        (([1.0], 0, 1), "n_train and n_test"),
        (([1.0], 1, 1, 95), "level must be between 0 and 1, got 95"),
    ],
)
def test_interval_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        corrected_interval(*arguments)


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


def test_summary_matches_the_interval_of_each_group(predictions):
    scores = score_predictions(predictions)
    summary = summarise(scores, level=0.9)
    assert len(summary) == 2 * 3 * 6
    for row in summary.itertuples():
        where = f"imputer == {row.imputer!r} and classifier == {row.classifier!r}"
        values = scores.query(f"{where} and metric == {row.metric!r}")["value"]
        expected = corrected_interval(values, 40, 20, level=0.9)
        assert (row.mean, row.low, row.high) == pytest.approx(expected)
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


def test_paper_tables_are_whole():
    paper = paper_tables()
    assert paper.groupby(["table", "imputer"]).size().to_dict() == {
        (1, "mean"): 8,
        (2, "autoencoder"): 8,
    }
    assert ((paper[list(METRICS)] > 0.8) & (paper[list(METRICS)] < 1)).all(axis=None)
    best = paper.set_index(["imputer", "classifier"]).loc[("autoencoder", "AC-GAN"), list(METRICS)]
    assert best.tolist() == [0.9777, 0.9521, 0.9925, 0.9889, 0.9688]  # the abstract


def test_beside_paper_puts_each_number_in_its_cell():
    paper = paper_tables().melt(["table", "imputer", "classifier"], var_name="metric")
    summary = paper.assign(mean=paper["value"] + 0.01, low=0.0, high=1.0).sample(
        frac=1, random_state=0
    )
    extra = summary.assign(classifier="Logistic regression")
    table = beside_paper(pd.concat([extra, summary]))
    assert table.shape == (16, 25)
    assert table.index.to_list() == list(
        paper_tables()[["imputer", "classifier"]].itertuples(index=False, name=None)
    )
    assert tuple(table.columns.get_level_values(0).unique()) == METRICS
    assert np.allclose(table.xs("difference", axis=1, level=1), 0.01)
    assert table.loc[("mean", "SVM (RBF)"), ("sensitivity", "paper")] == 0.8396


def test_beside_paper_takes_part_of_a_study():
    summary = pd.DataFrame(
        {"imputer": "mean", "classifier": ["MLP", "AC-GAN"], "metric": ["accuracy", "f_score"]}
        | {"mean": 0.9, "low": 0.8, "high": 1.0}
    )
    table = beside_paper(summary)
    assert table.index.to_list() == [("mean", "MLP"), ("mean", "AC-GAN")]
    assert np.isnan(table.loc[("mean", "AC-GAN"), ("accuracy", "ours")])


@settings(max_examples=25, deadline=None)
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
    assert len(perfect) == 1001
    assert (perfect[["tpr", "low", "high"]] == 1).all(axis=None)
    blind = roc_over_folds([[0, 1]], [[0.5, 0.5]])
    assert np.allclose(blind["tpr"], blind["fpr"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], []), "y and probabilities"),
        (([[0, 1]], []), "y and probabilities"),
        (([[0, 1]], [[0.1, 0.2]], [0, 2]), "fpr_grid"),
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
    with pytest.raises(ValueError, match="at least one cell"):
        rmse(truth, imputed, ~np.ones_like(mask))
    with pytest.raises(ValueError, match="one shape"):
        rmse(truth, imputed[:2], mask)
    with pytest.raises(ValueError, match="NaN"):
        rmse(truth, np.full((3, 2), np.nan), mask)


def test_sets_apart_are_pure_and_do_not_mix():
    rng = np.random.default_rng(0)
    points = np.r_[rng.normal(size=(40, 3)), 100 + rng.normal(size=(20, 3))]
    labels = np.repeat(["real", "fake"], [40, 20])
    assert neighbour_purity(points, labels) == 1
    assert mixing(points, labels) == 0


@pytest.mark.parametrize("sizes", [(100, 100), (170, 30), (80, 60, 60)])
def test_labels_dealt_at_random_mix_to_one(sizes):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(200, 2))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    values = [mixing(points, rng.permutation(labels), k=5) for _ in range(200)]
    assert np.mean(values) == pytest.approx(1, abs=4 * np.std(values) / 200**0.5)


def test_with_every_other_point_a_neighbour_sets_mix_fully():
    assert mixing([[0.0], [1.0], [9.0], [10.0]], ["a", "a", "a", "b"], k=3) == pytest.approx(1)


def test_a_copy_beside_each_point_mixes_above_one():
    points = np.random.default_rng(0).normal(size=(50, 2))
    assert mixing(np.r_[points, points + 1e-9], np.repeat([0, 1], 50), k=1) > 1.9


@pytest.mark.parametrize(
    ("labels", "k", "message"),
    [([0, 1, 1], 3, "k must be from 1 to 2"), ([0, 0, 0], 1, "two sets"), ([0, 1], 1, "one per")],
)
def test_neighbours_refuse(labels, k, message):
    with pytest.raises(ValueError, match=message):
        mixing([[0.0], [1.0], [2.0]], labels, k)
