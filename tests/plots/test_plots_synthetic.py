"""What the figures of synthetic records draw."""

import numpy as np
import pandas as pd
from artists import bars, legend, loose_lines, rows, title, xy
from matplotlib.colors import to_hex

from ehrgan import plots


def test_measures_stand_beside_chance():
    table = pd.DataFrame(
        {"mean": [0.7, 0.1], "low": [0.6, 0.05], "high": [0.8, 0.3], "chance": [0.5, 0.02]},
        index=["classifier", "columns"],
    )
    figure = plots.against_chance(table)
    (axis,) = figure.axes
    assert rows(axis) == ["classifier", "columns"]
    (found,) = bars(axis)
    np.testing.assert_array_equal(found.across, [0, 1])
    np.testing.assert_array_equal(found.middle, table["mean"])
    np.testing.assert_allclose([found.low, found.high], [table["low"], table["high"]])
    (chance,) = loose_lines(axis)
    np.testing.assert_array_equal(xy(chance), [[0.5, 0], [0.02, 1]])
    assert list(legend(figure)) == ["by chance", "measured"] or set(legend(figure)) == {
        "by chance",
        "measured",
    }


def test_use_of_fakes_shows_one_metric_and_no_differences():
    made = [
        (name, metric, trained, 0.1 * i, 0.1 * i - 0.05, 0.1 * i + 0.02)
        for i, (name, metric, trained) in enumerate(
            (name, metric, trained)
            for name in ("forest", "regression")
            for metric in ("AUC", "accuracy")
            for trained in ("real", "fake", "both", "fake less real")
        )
    ]
    table = pd.DataFrame(made, columns=["classifier", "metric", "trained", "mean", "low", "high"])
    figure = plots.use_of_fakes(table, "accuracy")
    (axis,) = figure.axes
    assert rows(axis) == ["forest", "regression"]
    assert [found.label for found in bars(axis)] == ["on real", "on fake", "on both"]
    for found in bars(axis):
        own = table[(table["metric"] == "accuracy") & (table["trained"] == found.label[3:])]
        np.testing.assert_array_equal(found.middle, own["mean"])
        np.testing.assert_allclose([found.low, found.high], [own["low"], own["high"]])
        np.testing.assert_array_equal(np.round(found.across), [0, 1])
        assert legend(figure)[found.label] == found.look
    assert axis.get_xlabel() == "accuracy on real records"


def test_every_generator_has_a_panel_with_three_axes_and_a_mark_for_each_set():
    axes = ["fidelity", "utility", "privacy"]
    table = pd.DataFrame(
        [
            (one, generator, axis, 0.01 * i, 0.01 * i - 0.02, 0.01 * i + 0.01)
            for i, (generator, one, axis) in enumerate(
                (g, s, a) for g in ("copula", "AC-GAN", "SMOTE") for s in ("b", "a") for a in axes
            )
        ],
        columns=["set", "generator", "axis", "mean", "low", "high"],
    )
    figure = plots.three_axes(table)
    assert [title(axis) for axis in figure.axes] == ["copula", "AC-GAN", "SMOTE"]
    for axis in figure.axes:
        assert [found.label for found in bars(axis)] == ["b", "a"]
        for found in bars(axis):
            own = table[(table["generator"] == title(axis)) & (table["set"] == found.label)]
            np.testing.assert_array_equal(found.middle, own["mean"])
            np.testing.assert_allclose([found.low, found.high], [own["low"], own["high"]])
            np.testing.assert_array_equal(np.round(found.across), [0, 1, 2])
            assert legend(figure)[found.label] == found.look
    assert rows(figure.axes[0]) == axes
    assert len({axis.get_xlim() for axis in figure.axes}) == 1


def test_made_records_lie_on_the_map_of_the_real_ones_in_the_look_of_their_class():
    rng = np.random.default_rng(0)
    names = ["real", "copula", "AC-GAN", "SMOTE"]
    table = pd.DataFrame(rng.normal(size=(80, 2)), columns=["t1", "t2"])
    table = table.assign(source=np.repeat(names, 20), y=np.tile([0, 1], 40))
    figure = plots.map_of_fakes(table, {0: "well", 1: "ill"})
    assert [title(axis) for axis in figure.axes] == names[1:]
    looks = set()
    for axis in figure.axes:
        clouds = {cloud.get_label(): cloud for cloud in axis.collections}
        assert list(clouds) == ["real, well", "real, ill", "made, well", "made, ill"]
        for label, cloud in clouds.items():
            source, word = label.split(", ")
            own = table["source"] == ("real" if source == "real" else title(axis))
            own &= table["y"] == ["well", "ill"].index(word)
            np.testing.assert_array_equal(cloud.get_offsets(), table.loc[own, ["t1", "t2"]])
            assert bool(len(cloud.get_facecolor())) == (source == "made")
            looks.add((label, to_hex(cloud.get_edgecolor()[0])))
    assert len(looks) == 4 and len({colour for _, colour in looks}) == 3
    assert len({axis.get_xlim() for axis in figure.axes}) == 1
