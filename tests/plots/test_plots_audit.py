"""What the figures of the audit and of the better models draw."""

import numpy as np
import pandas as pd
import pytest
from artists import (
    band,
    columns,
    labelled,
    legend,
    line_look,
    places,
    rows,
    xy,
)
from matplotlib.colors import to_hex

from ehrgan import plots


def curves_of(scale):
    """Errors of two trials of three folds at five epochs, skewed, and rising late."""
    rng = np.random.default_rng(2)
    index = pd.MultiIndex.from_product(
        [range(2), range(3), [0, 10, 20, 30, 50]], names=["trial", "fold", "epoch"]
    )
    return pd.DataFrame({"error": scale * rng.gamma(1, 1, len(index))}, index).reset_index()


@pytest.mark.parametrize("scale", [0.01, 1.0])
def test_errors_over_training_show_the_mean_and_eight_tenths_of_the_folds(scale):
    curves = curves_of(scale)
    # curves of several folds are often joined with their labels, which then repeat
    joined = pd.concat([own.reset_index(drop=True) for _, own in curves.groupby(["trial", "fold"])])
    assert joined.index.has_duplicates
    figure = plots.errors_by_epoch(joined)
    above, below = figure.axes
    assert places(figure) == [(0, 0), (1, 0)]
    own = curves.pivot_table(index=["trial", "fold"], columns="epoch", values="error")
    (line,) = above.lines
    np.testing.assert_allclose(xy(line), np.column_stack([own.columns, own.mean()]))
    (filled,) = above.collections
    at, low, high = band(filled)
    assert to_hex(filled.get_facecolor()[0]) == line_look(line).colour
    np.testing.assert_array_equal(at, own.columns)
    np.testing.assert_allclose([low, high], np.quantile(own, [0.1, 0.9], axis=0))
    bottom, top = above.get_ylim()
    assert bottom == 0
    # the first quarter, where errors fall, need not fit; nothing above 0.2 need be seen
    assert top == pytest.approx(min(0.2, 2 * high[1:].max()))
    edges = np.linspace(0, 50, 26)
    drawn = columns(below)
    np.testing.assert_allclose(drawn[:, 0], edges[:-1])
    np.testing.assert_allclose(drawn[:, 1], edges[1:])
    chosen = own.columns[own.to_numpy().argmin(axis=1)]
    np.testing.assert_array_equal(drawn[:, 2], np.histogram(chosen, edges)[0])
    assert drawn[:, 2].sum() == 6 and len(set(chosen)) > 1  # one for each fold
    assert (above.get_ylabel(), below.get_xlabel(), below.get_ylabel()) == (
        "Error on the test fold",
        "Epoch",
        "Folds",
    )
    assert above.get_xlim() == below.get_xlim()  # an epoch stands under itself


def test_the_papers_counts_stand_beside_whole_ones_and_its_gaps_in_the_clouds():
    counts = pd.DataFrame(
        {"sensitivity": [198.01, 201.36, 7.8], "specificity": [331.0, 353.4, 5.5]},
        ["tree", "AC-GAN", "toy"],
    )
    rng = np.random.default_rng(0)
    gaps = {
        name: pd.DataFrame(rng.normal(size=(9, 2)), columns=["accuracy", "f_score"])
        for name in ("one way", "another")
    }
    printed = pd.DataFrame({"accuracy": [0.3, 0.4], "f_score": [-1.0, 0.2]}, ["Table 1", "Table 2"])
    above, below = plots.paper_arithmetic(counts, gaps, printed).axes
    assert rows(above) == list(counts.index)
    away = {"sensitivity": [0.01, 0.36, -0.2], "specificity": [0.0, 0.4, -0.5]}
    for name, wanted in away.items():
        line = labelled(above)[name]
        np.testing.assert_allclose(line.get_xdata(), wanted)
        np.testing.assert_array_equal(np.round(line.get_ydata()), range(3))
        assert legend(above)[name] == line_look(line)
    assert above.get_xlim()[0] < -0.5 and above.get_xlim()[1] > 0.5
    drawn = labelled(below)
    assert list(drawn) == [*gaps, *printed.index]
    for name, table in gaps.items():
        np.testing.assert_array_equal(xy(drawn[name]), table)
    for name, row in printed.iterrows():
        np.testing.assert_array_equal(xy(drawn[name]), [row])
    assert len({line_look(line)[:2] for line in drawn.values()}) == 4


def test_optimism_has_a_line_and_a_band_for_each_table():
    tables = {
        "first": pd.DataFrame(
            {"looks": [1, 10, 100], "mean": [0, 0.02, 0.05], "low": [0, 0.01, 0.01],
             "high": [0.01, 0.07, 0.09]}
        ),
        "second": pd.DataFrame(
            {"looks": [1, 5], "mean": [-0.01, 0.03], "low": [-0.05, 0.02], "high": [0, 0.12]}
        ),
    }  # fmt: skip
    (axis,) = plots.optimism_of_looking(tables).axes
    assert list(labelled(axis)) == list(tables)
    for (words, table), filled in zip(tables.items(), axis.collections, strict=True):
        line = labelled(axis)[words]
        np.testing.assert_array_equal(xy(line), table[["looks", "mean"]])
        np.testing.assert_allclose(np.transpose(band(filled)), table[["looks", "low", "high"]])
        assert to_hex(filled.get_facecolor()[0]) == line_look(line).colour
        assert legend(axis)[words] == line_look(line)
    first, second = (line_look(line) for line in labelled(axis).values())
    assert all(a != b for a, b in zip(first, second, strict=True))
    nothing = axis.lines[0]
    assert list(nothing.get_ydata()) == [0, 0]
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "linear")
    assert axis.get_xlabel() == "Looks at the test fold"
    assert axis.get_ylabel() == "Accuracy gained"


def test_a_frontier_runs_over_specificity_and_marks_one_half():
    threshold = np.linspace(0, 1, 5)
    trades = {
        "ours": pd.DataFrame(
            {"threshold": threshold, "sensitivity": 1 - threshold**2, "specificity": threshold}
        ),
        "theirs": pd.DataFrame(
            {
                "threshold": threshold[::-1] + 0.02,  # none is one half, the middle is nearest
                "sensitivity": threshold,
                "specificity": 1 - threshold**3,
            }
        ),
    }
    figure = plots.frontier(trades, {"the paper": (0.9, 0.4)})
    (axis,) = figure.axes
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("Specificity", "Sensitivity")
    assert list(labelled(axis)) == [*trades, "the paper"]
    for words, table in trades.items():
        line = labelled(axis)[words]
        np.testing.assert_array_equal(xy(line), table[["specificity", "sensitivity"]])
        assert line.get_markevery() == [2]
        assert legend(figure)[words] == line_look(line)
    np.testing.assert_array_equal(xy(labelled(axis)["the paper"]), [[0.9, 0.4]])
    first, second = (line_look(labelled(axis)[words]) for words in trades)
    assert all(a != b for a, b in zip(first, second, strict=True))


def test_calibration_has_the_probability_across_and_the_share_upward():
    p = np.array([0.1, 0.1, 0.2, 0.9, 0.9, 0.6, 0.3])
    predictions = {
        "ours": (np.array([0, 1, 0, 1, 1, 0, 0]), p),
        "theirs": (np.array([0, 0, 0, 1, 0, 0, 1]), p**2),
    }
    threshold = np.linspace(0.02, 0.9, 30)
    act = 0.4 - threshold
    benefits = {
        "ours": pd.DataFrame({"threshold": threshold, "model": 0.4 - 0.2 * threshold**2}),
        "theirs": pd.DataFrame({"threshold": threshold, "model": 0.3 - 0.3 * threshold}),
    }
    benefits = {words: table.assign(**{"act on all": act}) for words, table in benefits.items()}
    figure = plots.calibration_and_benefit(predictions, benefits, n_bins=4)
    left, right = figure.axes
    assert places(figure) == [(0, 0), (0, 1)]
    assert (left.get_xlabel(), left.get_ylabel()) == ("Predicted probability", "Share malignant")
    assert (right.get_xlabel(), right.get_ylabel()) == ("Threshold", "Net benefit")
    diagonal = left.lines[0]
    np.testing.assert_array_equal(xy(diagonal), [[0, 0], [1, 1]])
    expected = {
        # bins of a quarter: 0.1 0.1 0.2 | 0.3 | 0.6 | 0.9 0.9
        "ours": [(0.4 / 3, 1 / 3), (0.3, 0), (0.6, 0), (0.9, 1)],
        # their squares: 0.01 0.01 0.04 0.09 | 0.36 | none | 0.81 0.81
        "theirs": [(0.15 / 4, 1 / 4), (0.36, 0), (0.81, 0.5)],
    }
    assert list(labelled(left)) == list(expected)
    for i, (words, points) in enumerate(expected.items()):
        line = labelled(left)[words]
        np.testing.assert_allclose(xy(line), points)
        benefit = right.lines[i]
        np.testing.assert_allclose(xy(benefit), benefits[words][["threshold", "model"]])
        assert legend(figure)[words] == line_look(line) == line_look(benefit)
    assert len({line_look(line).colour for line in left.lines}) == 3
    all_acted = labelled(right)["act on all"]
    np.testing.assert_allclose(all_acted.get_xdata(), threshold)
    np.testing.assert_allclose(all_acted.get_ydata(), act)  # it leaves the panel, not the truth
    assert act.min() < -0.05
    assert list(right.lines[-1].get_ydata()) == [0, 0]
    bottom, top = right.get_ylim()
    assert bottom == -0.05 and top > 0.4
    assert left.get_aspect() == 1
    (word,) = right.texts
    assert word.get_text() == "act on all"


def test_eight_bins_unless_told_otherwise():
    p = np.linspace(0.01, 0.99, 99)
    predictions = {"ours": ((p > 0.7).astype(int), p)}
    table = pd.DataFrame({"threshold": [0.1, 0.5], "model": [0.2, 0.1], "act on all": [0.1, -0.1]})
    left, _ = plots.calibration_and_benefit(predictions, {"ours": table}).axes
    told = labelled(left)["ours"].get_xdata()
    np.testing.assert_array_equal(np.floor(told * 8), range(8))
