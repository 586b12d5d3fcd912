"""What the figures of a report draw."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from artists import bars, cell, legend, line_look, loose_lines, places, rows, title, xy
from matplotlib.colors import to_hex
from scipy.stats import norm

from ehrgan import plots
from ehrgan.report import report

TABLE = pd.DataFrame(
    [
        ("mean", "logistic regression", 0.8, 0.7, 0.82),
        ("ridge", "logistic regression", 0.75, 0.72, 0.9),
        ("none", "gradient boosting", 0.6, 0.3, 0.65),
        ("mean", "random forest", 0.85, 0.84, 0.95),
        ("ridge", "random forest", 0.5, 0.2, 0.55),
    ],
    columns=["imputation", "classifier", "auc", "low", "high"],
)


def check_methods(figure, chosen):
    """Each row is one method's; the mark stands at the recommended one's lower end."""
    (axis,) = figure.axes
    assert rows(axis) == list(TABLE["imputation"])
    looks = []
    for found in bars(axis):
        own = TABLE[TABLE["classifier"] == found.label]
        assert found.horizontal
        np.testing.assert_array_equal(found.across, own.index)
        np.testing.assert_array_equal(found.middle, own["auc"])
        np.testing.assert_allclose([found.low, found.high], [own["low"], own["high"]])
        assert legend(figure)[found.label] == found.look
        looks.append(found.look)
    assert list(legend(figure)) == list(TABLE["classifier"].unique())
    assert len({look.colour for look in looks}) == len({look.marker for look in looks}) == 3
    (mark,) = loose_lines(axis)
    (word,) = axis.texts
    place = (TABLE.loc[chosen, "low"], chosen)
    np.testing.assert_array_equal(xy(mark), [place])
    assert tuple(word.xy) == place and word.get_text().strip() == "recommended"
    assert (mark.get_marker(), word.get_ha()) == (">", "right")  # both point at the interval
    assert axis.get_xlabel() == "AUC"


@pytest.mark.parametrize("chosen", [0, 3])
def test_the_recommended_method_is_marked_in_its_own_row(chosen):
    check_methods(plots.method_intervals(TABLE, chosen), chosen)


def test_a_report_draws_its_own_comparison():
    check_methods(report.Report.figure(SimpleNamespace(comparison=TABLE, chosen=2)), 2)


def test_every_set_has_a_panel_and_every_imputation_its_row():
    other = TABLE.iloc[[3, 4, 0, 2]].assign(  # another order of methods
        auc=lambda t: t["auc"] / 2, low=lambda t: t["low"] / 3, high=lambda t: t["high"] / 1.5
    )
    other = other.sort_values("classifier", key=lambda c: c != "logistic regression", kind="stable")
    table = pd.concat([TABLE.assign(set="first"), other.assign(set="second")])
    figure = plots.methods_on_sets(table)
    names = ["mean", "ridge", "none"]
    assert [title(axis) for axis in figure.axes] == ["first", "second"]
    assert places(figure) == [(0, 0), (1, 0)]
    for axis in figure.axes:
        assert rows(axis) == names
        part = table[table["set"] == title(axis)]
        assert {b.label for b in bars(axis)} == set(part["classifier"])
        for found in bars(axis):
            own = part[part["classifier"] == found.label]
            assert found.horizontal
            np.testing.assert_array_equal(found.middle, own["auc"])
            np.testing.assert_allclose([found.low, found.high], [own["low"], own["high"]])
            assert [names[round(at)] for at in found.across] == list(own["imputation"])
            assert legend(figure)[found.label] == found.look
        across = np.concatenate([found.across for found in bars(axis)])
        assert len(set(np.round(across, 6))) == len(part)  # none over another
    assert figure.axes[-1].get_xlabel() == "AUC"


def test_holes_are_dark_the_attribute_that_misses_most_first_and_patterns_together():
    masks = {
        "one": pd.DataFrame(
            {"a": [0, 0, 0, 0], "b": [1, 0, 1, 1], "c": [0, 0, 1, 0], "d": [1, 0, 0, 1]}
        ).astype(bool),
        "two": pd.DataFrame({"x": [0, 0, 1], "y": [0, 1, 1]}).astype(bool),
    }
    expected = {
        "one": (["b", "d", "c", "a"], ["1100", "1100", "1010", "0000"]),
        "two": (["y", "x"], ["11", "10", "00"]),
    }
    figure = plots.holes_by_record(masks)
    assert [title(axis) for axis in figure.axes] == ["one", "two"]
    assert places(figure) == [(0, 0), (1, 0)]
    shades = {word: shown.colour for word, shown in legend(figure).items()}
    assert shades == {"missing": to_hex("0.15"), "known": to_hex("0.86")}
    for axis in figure.axes:
        names, patterns = expected[title(axis)]
        assert [label.get_text() for label in axis.get_xticklabels()] == names
        assert list(axis.get_xticks()) == list(range(len(names)))
        for i, pattern in enumerate(patterns):  # from the top
            for j, hole in enumerate(pattern):
                seen, colour = cell(axis, j, (i + 0.5) / len(patterns))
                assert (int(seen), colour) == (
                    int(hole),
                    shades["missing" if hole == "1" else "known"],
                )
        assert axis.get_ylim() == (1, 0) and axis.get_ylabel() == "share of records"


def wilson(k, n):
    """The interval's textbook formula."""
    z = norm.ppf(0.975)
    middle, half = (k + z**2 / 2), z * np.sqrt(k * (n - k) / n + z**2 / 4)
    return (middle - half) / (n + z**2), (middle + half) / (n + z**2)


FEW = (np.array([0, 1, 0, 0, 1, 1, 1]), np.array([0.3, 0.1, 0.1, 0.2, 0.9, 0.6, 0.6]))
BINS = {  # three bins of equally many, equal probabilities in the records' order
    # 0.1 0.1 0.2 | 0.3 0.6 | 0.6 0.9: positive 1 0 0 | 0 1 | 1 1
    3: [(0.4 / 3, 1, 3), (0.45, 1, 2), (0.75, 2, 2)],
}


def check_calibration(found, bins):
    """Probability across, share upward, and Wilson's interval on the share."""
    assert not found.horizontal
    told, k, n = np.transpose(bins)
    np.testing.assert_allclose(found.across, told)
    np.testing.assert_allclose(found.middle, k / n)
    np.testing.assert_allclose(np.transpose([found.low, found.high]), np.transpose(wilson(k, n)))


def test_calibration_counts_what_came_true_in_bins_of_equally_many():
    others = (np.array([1, 0, 0, 1, 0, 0]), np.array([0.5, 0.02, 0.2, 0.4, 0.3, 0.1]))
    bins = [(0.06, 0, 2), (0.25, 0, 2), (0.45, 2, 2)]
    panels = {
        "first": {"ours": FEW, "theirs": others},
        "second": {"ours": others, "theirs": FEW},
        "third": {"ours": FEW, "theirs": FEW},
    }
    figure = plots.calibration(panels, n_bins=3)
    expected = {
        "first": [BINS[3], bins],
        "second": [bins, BINS[3]],
        "third": [BINS[3], BINS[3]],
    }
    drawn = {title(axis): axis for axis in figure.axes if title(axis)}
    assert list(drawn) == list(panels)
    assert places(figure) == [(0, 0), (0, 1), (1, 0)]  # and no empty one
    for name, axis in drawn.items():
        (diagonal,) = loose_lines(axis)
        np.testing.assert_array_equal(xy(diagonal), [[0, 0], [1, 1]])
        assert [found.label for found in bars(axis)] == ["ours", "theirs"]
        for found, told in zip(bars(axis), expected[name], strict=True):
            check_calibration(found, told)
            assert found.look == legend(figure)[found.label]
            assert found.look != line_look(diagonal)
        assert axis.get_xlim() == axis.get_ylim()
        most = max(found.high.max() for found in bars(axis))
        assert most <= axis.get_ylim()[1] <= 1 and axis.get_ylim()[0] == 0
    ours, theirs = bars(figure.axes[0])
    assert ours.look.colour != theirs.look.colour and ours.look.marker != theirs.look.marker
    assert figure.get_supxlabel() == "predicted probability"
    assert figure.get_supylabel() == "share that is positive"


def test_rare_outcomes_are_drawn_at_their_own_scale():
    p = np.linspace(0.001, 0.04, 400)
    y = np.zeros(400, int)
    y[::57] = 1
    (axis,) = plots.calibration({"one": {"ours": (y, p)}}).axes
    (found,) = bars(axis)
    assert len(found.across) == 5  # bins, unless told otherwise
    np.testing.assert_allclose(found.across, p.reshape(5, 80).mean(axis=1))
    np.testing.assert_allclose(found.middle, y.reshape(5, 80).mean(axis=1))
    assert found.high.max() < axis.get_ylim()[1] < 0.2
    assert title(axis) == ""  # one panel needs no name
    two = plots.calibration({"one": {"ours": FEW}, "two": {"ours": FEW}})
    assert [title(axis) for axis in two.axes] == ["one", "two"]


def test_bins_are_no_more_than_records():
    (axis,) = plots.calibration({"": {"ours": (np.array([0, 1]), np.array([0.4, 0.2]))}}).axes
    check_calibration(bars(axis)[0], [(0.2, 1, 1), (0.4, 0, 1)])


def test_a_report_draws_the_calibration_of_the_method_that_it_recommends():
    y, p = FEW
    own = SimpleNamespace(
        method=("mean", "logistic regression"),
        prepared=SimpleNamespace(classes=["no", "yes"]),
        scores=SimpleNamespace(y=y),
        told=p,
    )
    (axis,) = report.Report.calibration(own).axes
    (found,) = bars(axis)
    order = np.argsort(p, kind="stable")
    parts = np.array_split(order, [2, 3, 4, 5])  # seven records in five bins: 2 1 1 1 2
    check_calibration(found, [(p[part].mean(), y[part].sum(), len(part)) for part in parts])
    assert "logistic regression" in found.label


def test_net_benefits_stand_in_the_bands_of_their_intervals():
    curve = {"threshold": [0.1, 0.5], "model": [0.2, 0.1], "low": [0.1, 0.0], "high": [0.3, 0.2]}
    curve = pd.DataFrame(curve | {"act on all": [0.15, -0.2]})
    (axis,) = plots.net_benefit({"here": curve, "there": curve / 2}).axes
    for k, band in enumerate(axis.collections):
        corners = {tuple(corner) for corner in band.get_paths()[0].vertices.round(6)}
        here = curve / (1, 2)[k]
        for end in ("low", "high"):
            assert {*zip(here["threshold"], here[end], strict=True)} <= corners
    assert len(axis.collections) == 2 and axis.get_ylim()[1] > 0.3
