"""What the figures of the classifiers draw, theirs and ours."""

import numpy as np
import pandas as pd
import pytest
from artists import bars, legend, line_look, loose_lines, rows, ticks, title, xy
from matplotlib.colors import to_hex

from ehrgan import plots
from ehrgan.plots.classifiers import LOOKS

SUMMARY = pd.DataFrame(
    [
        ("mean", "k-NN", "accuracy", 0.70, 0.60, 0.72),
        ("mean", "SVM", "accuracy", 0.80, 0.79, 0.99),
        ("zero", "k-NN", "accuracy", 0.50, 0.20, 0.55),
        ("autoencoder", "SVM", "accuracy", 0.90, 0.85, 1.30),  # another order of classifiers
        ("autoencoder", "k-NN", "accuracy", 0.65, 0.64, 0.75),
        ("mean", "k-NN", "auc_roc", 0.11, 0.02, 0.12),
        ("mean", "SVM", "auc_roc", 0.22, 0.20, 0.35),
        ("autoencoder", "SVM", "auc_roc", 0.44, 0.10, 0.47),
        ("autoencoder", "k-NN", "auc_roc", 0.33, 0.29, 0.34),
    ],
    columns=["imputer", "classifier", "metric", "mean", "low", "high"],
)
PAPER = pd.DataFrame(
    [
        ("autoencoder", "k-NN", 0.61, 0.31),
        ("mean", "SVM", 0.81, 0.21),
        ("mean", "k-NN", 0.71, 0.13),
        ("autoencoder", "SVM", 0.91, 0.41),
        ("mean", "tree", 0.99, 0.98),  # ours has none
    ],
    columns=["imputer", "classifier", "accuracy", "auc_roc"],
)


def check_rows(axis, table, paper, names):
    """Each row's intervals and paper's marks are those of its classifier and imputation."""
    assert rows(axis) == names
    place = {word: at for at, word in ticks(axis, "y").items()}
    drawn = bars(axis)
    assert [b.label for b in drawn] == list(table["imputer"].unique())
    marks = [
        tuple(point) for line in loose_lines(axis) if line.get_marker() == "o" for point in xy(line)
    ]
    expected, shifts = set(), []
    for found in drawn:
        own = table[table["imputer"] == found.label]
        assert found.horizontal
        np.testing.assert_array_equal(found.middle, own["mean"])
        np.testing.assert_allclose([found.low, found.high], [own["low"], own["high"]])
        (shift,) = set(np.round(found.across - own["classifier"].map(place).to_numpy(), 9))
        shifts.append(shift)
        colour, marker = LOOKS[found.label]
        assert found.look[:2] == (to_hex(colour), marker)
        if paper is not None:
            told = paper[(paper["imputer"] == found.label) & paper["classifier"].isin(names)]
            expected |= {
                (value, round(float(place[name] + shift), 9))
                for name, value in zip(told["classifier"], told["mean"], strict=True)
            }
    assert shifts == sorted(shifts) and len(set(shifts)) == len(shifts)  # the first on top
    assert max(np.abs(shifts)) < 0.5 and sum(shifts) == pytest.approx(0)
    assert {(x, round(float(y), 9)) for x, y in marks} == expected
    grounds = [(p.get_y(), p.get_y() + p.get_height()) for p in axis.patches]
    assert grounds == [(i - 0.5, i + 0.5) for i in range(1, len(names), 2)]


@pytest.mark.parametrize("metric", [None, "auc_roc"])
def test_intervals_and_the_papers_marks_share_classifier_imputation_and_metric(metric):
    chosen = {} if metric is None else {"metric": metric}
    figure = plots.classifier_intervals(SUMMARY, PAPER, **chosen)
    metric = metric or "accuracy"
    (axis,) = figure.axes
    own = SUMMARY[SUMMARY["metric"] == metric]
    check_rows(axis, own, PAPER.assign(mean=PAPER[metric]), ["k-NN", "SVM"])
    entries = legend(figure)
    assert list(entries) == [*own["imputer"].unique(), "the paper"]
    for found in bars(axis):
        assert entries[found.label] == found.look
    assert entries["the paper"] == line_look(loose_lines(axis)[0])
    assert entries["the paper"].colour == "#000000"
    words = {"accuracy": "accuracy", "auc_roc": "AUC"}
    assert axis.get_xlabel() == f"{words[metric]}, mean over test folds"
    assert axis.get_xlim()[1] == 1 if metric == "accuracy" else axis.get_xlim()[1] < 0.6


def test_no_two_imputations_look_alike():
    for looks in zip(*LOOKS.values(), strict=True):
        assert len(set(looks)) == len(LOOKS)
    assert "o" not in {marker for _, marker in LOOKS.values()}  # the paper's


DIFFERENCES = pd.DataFrame(
    [
        ("mean", "one", 0.02, -0.01, 0.03),
        ("autoencoder", "two", -0.04, -0.05, 0.01),
        ("mean", "two", 0.01, 0.0, 0.06),
        ("denoising", "three", 0.03, 0.02, 0.09),
    ],
    columns=["imputer", "classifier", "mean", "low", "high"],
)


@pytest.mark.parametrize("with_paper", [False, True])
def test_differences_stand_beside_zero_and_the_papers_own(with_paper):
    told = [("mean", "two", -0.03), ("autoencoder", "two", 0.07), ("mean", "absent", 0.5)]
    told += [("denoising", "three", 0.04), ("zero", "one", 0.6)]  # the last is the paper's alone
    paper = pd.DataFrame(told, columns=["imputer", "classifier", "mean"]) if with_paper else None
    figure = plots.paired_differences(DIFFERENCES, "gain", paper)
    (axis,) = figure.axes
    check_rows(axis, DIFFERENCES, paper, ["one", "two", "three"])
    nothing = axis.lines[0]
    assert list(nothing.get_xdata()) == [0, 0]
    assert axis.get_xlabel() == "gain"
    words = ["mean", "autoencoder", "denoising"] + ["the paper"] * with_paper
    assert list(legend(figure)) == words
    for found in bars(axis):
        assert legend(figure)[found.label] == found.look


def test_one_series_needs_no_legend_until_the_paper_stands_beside_it():
    one = DIFFERENCES[DIFFERENCES["imputer"] == "mean"]
    assert plots.paired_differences(one, "gain").legends == []
    figure = plots.paired_differences(one, "gain", one[["imputer", "classifier", "mean"]])
    assert list(legend(figure)) == ["mean", "the paper"]


def test_every_number_has_a_panel_for_each_metric():
    figure = plots.every_number(SUMMARY[SUMMARY["imputer"] != "zero"], PAPER)
    assert [title(axis) for axis in figure.axes] == ["accuracy", "AUC"]
    for axis, metric in zip(figure.axes, ["accuracy", "auc_roc"], strict=True):
        axis.tick_params(labelleft=True)  # the same rows, which only the first panel names
        own = SUMMARY[(SUMMARY["metric"] == metric) & (SUMMARY["imputer"] != "zero")]
        check_rows(axis, own, PAPER.assign(mean=PAPER[metric]), ["k-NN", "SVM"])
    assert list(legend(figure)) == ["mean", "autoencoder", "the paper"]
    three = PAPER.assign(f_score=0.5)
    more = pd.concat([SUMMARY, SUMMARY[SUMMARY["metric"] == "auc_roc"].assign(metric="f_score")])
    assert len(plots.every_number(more, three).axes) == 3  # an empty place has no panel
