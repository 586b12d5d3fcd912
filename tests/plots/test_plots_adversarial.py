"""What the AC-GAN's figures draw."""

import numpy as np
import pandas as pd
import pytest
from artists import (
    band,
    labelled,
    legend,
    line_look,
    look,
    loose_collections,
    places,
    rows,
    title,
    xy,
)
from matplotlib.colors import to_hex
from matplotlib.patches import Polygon

from ehrgan import plots
from ehrgan.plots.style import CLASS_COLOURS

CLASSES = {0: "benign", 1: "malignant"}
HEX = {c: to_hex(colour) for c, colour in CLASS_COLOURS.items()}
LN_HALF = -0.6931471805599453


def test_generated_records_are_laid_over_real_ones_of_their_own_class():
    rng = np.random.default_rng(0)
    real = pd.DataFrame({"a": rng.normal(0, 1, 40), "b": rng.gamma(2, 1, 40)}, range(100, 140))
    fake = pd.DataFrame({"a": rng.normal(2, 3, 25), "b": rng.gamma(5, 2, 25)})
    y_real, y_fake = [0] * 27 + [1] * 13, np.array([1] * 7 + [0] * 18)
    figure = plots.generated_records(real, y_real, fake, y_fake, ["a", "b"], CLASSES)
    panels = {title(axis): axis for axis in figure.axes}
    assert list(panels) == ["a, benign", "a, malignant", "b, benign", "b, malignant"]
    assert places(figure) == [(0, 0), (0, 1), (1, 0), (1, 1)]  # an attribute a row
    for name in "ab":
        assert len({panels[f"{name}, {word}"].get_xlim() for word in CLASSES.values()}) == 1
        edges = np.linspace(
            min(real[name].min(), fake[name].min()), max(real[name].max(), fake[name].max()), 31
        )
        for c, word in CLASSES.items():
            axis = panels[f"{name}, {word}"]
            (outline,) = (p for p in axis.patches if isinstance(p, Polygon))
            bars = [p for p in axis.patches if p is not outline]
            own = real[name].to_numpy()[np.array(y_real) == c]
            expected = np.histogram(own, edges, density=True)[0]
            np.testing.assert_allclose([p.get_height() for p in bars], expected)
            np.testing.assert_allclose([p.get_x() for p in bars], edges[:-1])
            own = fake[name].to_numpy()[y_fake == c]
            expected = np.histogram(own, edges, density=True)[0]
            steps = outline.get_xy()
            middles = (edges[1:] + edges[:-1]) / 2
            seen = [steps[steps[:, 0] < m][-1, 1] for m in middles]
            np.testing.assert_allclose(seen, expected)
            assert to_hex(outline.get_edgecolor()) == HEX[c]
            assert {to_hex(p.get_facecolor()) for p in bars} == {to_hex("0.75")}
            assert list(axis.get_yticks()) == []
    entries = legend(figure)
    assert {word: shown.colour for word, shown in entries.items()} == {
        "real, holes filled": to_hex("0.75"),
        "generated benign": HEX[0],
        "generated malignant": HEX[1],
    }
    looks = [look(panels[f"a, {word}"].patches[-1]) for word in CLASSES.values()]
    assert looks == [entries["generated benign"], entries["generated malignant"]]
    assert looks[0].dashes != looks[1].dashes


def test_the_best_discriminator_stands_among_the_trained_ones():
    x = np.array([-1.0, 0.0, 2.0])
    densities = {"real, p": np.array([0.1, 0.3, 0.2]), "fake, q": np.array([0.4, 0.1, 0.0])}
    best, learned = np.array([0.2, 0.75, 1.0]), np.array([[0.3, 0.6, 0.9], [0.1, 0.8, 0.7]])
    figure = plots.discriminator_beside_optimum(x, densities, best, learned)
    above, below = figure.axes
    assert list(labelled(above)) == list(densities)
    for name, line in labelled(above).items():
        np.testing.assert_array_equal(xy(line), np.column_stack([x, densities[name]]))
        assert legend(above)[name] == line_look(line)
    assert len({line_look(line) for line in above.lines}) == 2
    drawn = labelled(below)
    np.testing.assert_array_equal(xy(drawn["the best, $D^*(x)$"]), np.column_stack([x, best]))
    level = below.lines[-1]
    np.testing.assert_array_equal(level.get_ydata(), [0.5, 0.5])
    trained = [line for line in below.lines if line not in (level, drawn["the best, $D^*(x)$"])]
    np.testing.assert_array_equal([line.get_xdata() for line in trained], [x, x])
    np.testing.assert_array_equal([line.get_ydata() for line in trained], learned)
    assert {line_look(line) for line in trained} == {
        legend(below)["trained networks, one line each"]
    }
    assert legend(below)["the best, $D^*(x)$"] == line_look(drawn["the best, $D^*(x)$"])
    assert below.get_ylim()[0] < 0 and below.get_ylim()[1] > 1  # a probability fits, upright
    assert places(figure) == [(0, 0), (1, 0)] and above.get_xlim() == below.get_xlim()
    assert list(above.get_yticks()) == []
    assert (below.get_xlabel(), below.get_ylabel(), above.get_ylabel()) == ("x", "D(x)", "density")


TERMS = {
    "$L_S$: real or fake?": {"real records": "L_S_real", "fake records": "L_S_fake"},
    "$L_C$: which class?": {"real records": "L_C_real", "fake records": "L_C_fake"},
    "What each network minimises": {"$D$": "loss_D", "$G$": "loss_G"},
}


@pytest.mark.parametrize("epochs", [2, 5])
def test_every_loss_term_is_told_by_its_median_and_range(epochs):
    rng = np.random.default_rng(1)
    names = [term for terms in TERMS.values() for term in terms.values()]
    histories = [{name: rng.gamma(1, 1, epochs) for name in names} for _ in range(4)]
    figure = plots.adversarial_curves(histories)
    assert [title(axis) for axis in figure.axes] == list(TERMS)
    for axis in figure.axes:
        terms = TERMS[title(axis)]
        assert list(labelled(axis)) == list(terms)
        for (word, term), filled in zip(terms.items(), loose_collections(axis), strict=True):
            curves = np.array([h[term] for h in histories])
            line = labelled(axis)[word]
            at = np.arange(1, epochs + 1)
            np.testing.assert_allclose(xy(line), np.column_stack([at, np.median(curves, axis=0)]))
            np.testing.assert_allclose(band(filled), [at, curves.min(0), curves.max(0)])
            assert to_hex(filled.get_facecolor()[0]) == line_look(line).colour
            assert legend(axis)[word] == line_look(line)
            assert bool(line_look(line).marker) == (epochs < 3)  # a line through one point is none
        looks = [line_look(line) for line in labelled(axis).values()]
        assert looks[0].colour != looks[1].colour and looks[0].dashes != looks[1].dashes
        assert axis.get_xscale() == "log" and axis.get_yscale() == "linear"
        levels = [line.get_ydata()[0] for line in axis.lines if line not in labelled(axis).values()]
        told = {text.xy[1]: text.get_text() for text in axis.texts}
        assert sorted(levels) == sorted(told)
        half = {LN_HALF: r"$\ln\frac{1}{2}$"}
        fine = half | ({-2 * LN_HALF: r"$2\ln 2$"} if "$D$" in terms else {})
        assert {round(level, 12): word for level, word in told.items()} == {
            round(level, 12): word for level, word in fine.items()
        }
    assert figure.axes[-1].get_xlabel() == "epoch"
    assert places(figure) == [(0, 0), (1, 0), (2, 0)]


def test_each_seed_has_a_dot_and_equal_scores_are_stacked():
    scores = pd.DataFrame(
        {"accuracy": [0.9, 0.8, 0.9, 0.9, 0.7], "auc_roc": [0.97, 0.93, 0.96, 0.95, 0.93]}
    )
    (axis,) = plots.seed_spread(scores).axes
    assert rows(axis) == ["accuracy", "AUC"]
    for i, metric in enumerate(scores):
        dots, mean = axis.lines[2 * i], axis.lines[2 * i + 1]
        np.testing.assert_array_equal(dots.get_xdata(), scores[metric])
        heights = i - np.asarray(dots.get_ydata())  # the axis points downward: a stack grows up
        expected = {"accuracy": [0, 0, 1, 2, 0], "auc_roc": [0, 0, 0, 0, 1]}[metric]
        np.testing.assert_allclose(heights / np.max(heights) * max(expected), expected)
        assert heights.max() < 0.5
        np.testing.assert_allclose(mean.get_xdata(), scores[metric].mean())
        assert i < mean.get_ydata()[0] < i + 0.5
        entries = legend(axis.figure)
        assert entries["one seed"].marker == line_look(dots).marker
        assert to_hex(dots.get_markerfacecolor()) == entries["one seed"].colour
        assert entries["mean of the seeds"] == line_look(mean)
    assert axis.get_xlabel() == "score on the test fold"


def test_spreads_of_generated_records_stand_beside_held_out_ones_of_their_class():
    ratios = pd.DataFrame(
        [
            (network, c, name, ratio)
            for c, name, values in [
                (0, "a", [0.2, 0.5, 0.9]),
                (0, "b", [1.1, 0.7, 0.6]),
                (0, "c", [0.3, 0.3, 1.9]),
                (1, "c", [0.4, 0.1, 0.8]),  # another order than that of the first class
                (1, "a", [1.5, 1.2, 2.2]),
                (1, "b", [0.85, 0.95, 0.15]),
            ]
            for network, ratio in enumerate(values)
        ],
        columns=["network", "class", "attribute", "ratio"],
    )
    told = [("a", 0, 0.81), ("b", 0, 1.21), ("c", 0, 0.91), ("b", 1, 1.01), ("a", 1, 1.31)]
    reference = pd.DataFrame(told, columns=["attribute", "class", "ratio"])
    figure = plots.spread_ratios(ratios, reference, CLASSES)
    assert [title(axis) for axis in figure.axes] == ["benign", "malignant"]
    assert rows(figure.axes[0]) == ["a", "b", "c"]
    expected = {
        0: {0: (0.2, 0.5, 0.9), 1: (0.6, 0.7, 1.1), 2: (0.3, 0.3, 1.9)},
        1: {0: (1.2, 1.5, 2.2), 1: (0.15, 0.85, 0.95), 2: (0.1, 0.4, 0.8)},
    }
    for c, axis in enumerate(figure.axes):
        one, middles, held_out = axis.lines
        (ranges,) = axis.collections
        np.testing.assert_array_equal(one.get_xdata(), [1, 1])
        seen = {y: (low, high) for (low, y), (high, _) in ranges.get_segments()}
        assert seen == {y: (low, high) for y, (low, _, high) in expected[c].items()}
        assert {y: x for x, y in xy(middles)} == {y: m for y, (_, m, _) in expected[c].items()}
        assert {("abc"[int(y)], x) for x, y in xy(held_out)} == {
            (name, ratio) for name, its, ratio in told if its == c
        }
        assert line_look(middles).colour == look(ranges).colour == HEX[c]
        assert line_look(held_out) == legend(figure)["real, held out"]
        assert axis.get_xlim()[0] == 0 and "spread" in axis.get_xlabel()
    assert legend(figure)["generated: median and range of seeds"].dashes
    assert figure.axes[0].lines[1].get_marker() != figure.axes[1].lines[1].get_marker()
