"""What the figures that stand beside the paper's draw."""

import numpy as np
import pandas as pd
import pytest
from artists import band, labelled, legend, line_look, loose_collections, places, title, xy
from matplotlib.colors import to_hex

from ehrgan import plots
from ehrgan.plots.style import CLASS_COLOURS

METHODS = ["k-NN", "SVM", "AC-GAN"]


@pytest.fixture
def curves():
    fpr = np.array([0.0, 0.1, 0.4, 1.0])
    parts = []
    for i, imputer in enumerate(["autoencoder", "mean"]):
        for j, classifier in enumerate(METHODS):
            tpr = fpr ** (0.2 + 0.1 * i + 0.07 * j)
            parts.append(
                pd.DataFrame({"fpr": fpr, "tpr": tpr, "low": tpr**2, "high": tpr**0.5}).assign(
                    imputer=imputer, classifier=classifier
                )
            )
    return pd.concat(parts, ignore_index=True)


def test_roc_curves_rise_to_the_left_in_the_row_of_their_imputation(curves):
    figure = plots.roc_curves(curves, corner=(0.3, 0.6))
    words = {"autoencoder": "(A) autoencoder-imputed", "mean": "(B) mean-imputed"}
    pairs = np.reshape(figure.axes, (2, 2))
    assert places(figure) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    for (whole, corner), imputer in zip(pairs, words, strict=True):
        assert (title(whole), title(corner)) == (words[imputer], "upper left corner")
        for axis in (whole, corner):
            own = curves[curves["imputer"] == imputer]
            assert list(labelled(axis)) == METHODS
            for classifier, line in labelled(axis).items():
                curve = own[own["classifier"] == classifier]
                np.testing.assert_array_equal(xy(line), curve[["fpr", "tpr"]])
                assert legend(figure)[classifier].colour == line_look(line).colour
                assert legend(figure)[classifier].marker == line_look(line).marker
            looks = [line_look(line) for line in labelled(axis).values()]
            assert len({(look.colour, look.marker, look.dashes) for look in looks}) == len(METHODS)
            last = labelled(axis)[METHODS[-1]]
            assert line_look(last).colour == "#000000"
            assert last.get_linewidth() > max(line.get_linewidth() for line in axis.lines[:-1])
            (filled,) = (c for c in loose_collections(axis) if c.get_paths())
            curve = own[own["classifier"] == METHODS[-1]]
            np.testing.assert_allclose(band(filled), curve[["fpr", "low", "high"]].T)
            assert (axis.get_xlabel(), axis.get_ylabel()) == ("1 - specificity", "Sensitivity")
            assert axis.get_aspect() == 1
        assert whole.get_xlim() == (0, 1) and whole.get_ylim() == pytest.approx((0, 1), abs=0.01)
        assert corner.get_xlim() == pytest.approx((0, 0.3), abs=0.01)
        assert corner.get_ylim() == pytest.approx((0.6, 1), abs=0.01)
        (frame,) = [*whole.artists, *whole.patches]
        frame = getattr(frame, "rectangle", frame)
        assert frame.get_bbox().bounds == pytest.approx((0, 0.6, 0.3, 0.4))
    assert list(legend(figure)) == METHODS


def test_the_corner_is_a_fifth_unless_told_otherwise(curves):
    corner = plots.roc_curves(curves).axes[1]
    assert corner.get_xlim() == pytest.approx((0, 0.2), abs=0.01)
    assert corner.get_ylim() == pytest.approx((0.8, 1), abs=0.01)


def test_lines_beyond_the_palette_still_differ():
    fpr = np.array([0.0, 1.0])
    names = [f"method {i}" for i in range(11)]
    one = pd.DataFrame({"fpr": fpr, "tpr": fpr, "low": fpr, "high": fpr})
    curves = [one.assign(classifier=n, imputer=i) for i in ("mean", "zero") for n in names]
    figure = plots.roc_curves(pd.concat(curves))
    assert [title(axis) for axis in figure.axes[::2]] == ["(A) mean-imputed", "(B) zero-imputed"]
    for axis in figure.axes:
        looks = [line_look(line) for line in axis.lines]
        assert len({(look.colour, look.marker, look.dashes) for look in looks}) == len(names)
        assert [look.colour for look in looks].count("#000000") == 1  # kept for the last
        assert sum(look.dashes == (0, None) for look in looks) == 1


def test_a_map_tells_class_by_colour_and_the_first_source_by_open_marks():
    rng = np.random.default_rng(3)
    points = pd.DataFrame(rng.normal(size=(24, 2)) * [1, 5], columns=["t1", "t2"])
    points["panel"] = np.repeat(["mean-imputed", "autoencoder-imputed"], [14, 10])
    points["source"] = ["real"] * 8 + ["imputed"] * 6 + ["real"] * 3 + ["imputed"] * 7
    points["y"] = [0, 1, 1] * 8
    words = {0: "benign", 1: "malignant"}
    figure = plots.tsne_maps(points, words)
    assert [title(axis) for axis in figure.axes] == ["mean-imputed", "autoencoder-imputed"]
    assert places(figure) == [(0, 0), (0, 1)]
    for axis in figure.axes:
        clouds = {cloud.get_label(): cloud for cloud in axis.collections}
        assert len(clouds) == len(axis.collections) == 4
        shapes = []
        for source in ("real", "imputed"):
            for y, word in words.items():
                own = points.query("panel == @title(@axis) and source == @source and y == @y")
                cloud = clouds[f"{source}, {word}"]
                np.testing.assert_array_equal(cloud.get_offsets(), own[["t1", "t2"]])
                assert to_hex(cloud.get_edgecolor()[0]) == to_hex(CLASS_COLOURS[y])
                faces = [to_hex(face) for face in cloud.get_facecolor()]
                assert faces == ([] if source == "real" else [to_hex(CLASS_COLOURS[y])])
                shapes.append(cloud.get_paths()[0].vertices.tobytes())
        assert len(set(shapes)) == 4
        assert axis.get_xlabel() == "t-SNE 1" and axis.get_aspect() == 1
        assert len(axis.get_xticks()) == len(axis.get_yticks()) == 0
    assert figure.axes[0].get_ylabel() == "t-SNE 2"
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    entries = legend(figure)
    assert {name: shown.colour for name, shown in entries.items()} == {
        f"{source}, {word}": to_hex(CLASS_COLOURS[y])
        for source in ("real", "imputed")
        for y, word in words.items()
    }
