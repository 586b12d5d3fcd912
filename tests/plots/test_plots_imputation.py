"""What the figures of the imputations draw."""

import numpy as np
import pandas as pd
from artists import (
    band,
    bars,
    labelled,
    legend,
    line_look,
    loose_collections,
    loose_lines,
    rows,
    ticks,
    xy,
)
from matplotlib.colors import to_hex

from ehrgan import plots
from ehrgan.plots import classifiers
from ehrgan.plots.imputation import INPUTS, LOOKS


def test_imputations_look_alike_here_and_beside_the_classifiers():
    assert {name: classifiers.LOOKS[name] for name in LOOKS} == LOOKS
    assert INPUTS["zeros in the holes"][:2] == LOOKS["autoencoder"]  # what the library does
    assert len({colour for colour, *_ in INPUTS.values()}) == len(INPUTS)


def test_every_folds_error_is_a_dot_below_its_imputations_mean():
    folds = pd.DataFrame(
        {"imputer": ["mean", "zero", "autoencoder"] * 3,
         "rmse": [0.31, 0.91, 0.11, 0.33, 0.81, 0.13, 0.32, 0.85, 0.17]}
    )  # fmt: skip
    summary = pd.DataFrame(
        {"mean": [0.84, 0.32, 0.14], "low": [0.8, 0.2, 0.13], "high": [0.99, 0.34, 0.29]},
        index=["zero", "mean", "autoencoder"],
    )
    (axis,) = plots.imputation_errors(folds, summary).axes
    assert rows(axis) == list(summary.index)
    words = {text.get_text(): tuple(text.xy) for text in axis.texts}
    for i, (name, found, dots) in enumerate(
        zip(summary.index, bars(axis), loose_lines(axis), strict=True)
    ):
        row = summary.loc[name]
        assert found.horizontal and list(found.across) == [i]
        ends = np.ravel([found.middle, found.low, found.high])
        np.testing.assert_allclose(ends, row[["mean", "low", "high"]])
        assert found.look[:2] == (to_hex(LOOKS[name][0]), LOOKS[name][1])
        own = folds.loc[folds["imputer"] == name, "rmse"]
        np.testing.assert_array_equal(dots.get_xdata(), own)
        heights = np.asarray(dots.get_ydata()) - i  # below, since the axis points downward
        assert (np.diff(heights) > 0).all() and 0.1 < heights[0] and heights[-1] < 0.4
        assert words[f"{row['mean']:.3f}"] == (row["mean"], i)
    assert axis.get_xlim()[0] == 0
    assert axis.get_xlabel() == "RMSE on hidden cells (lower is better)"


def test_imputations_of_any_name_have_a_row():
    folds = pd.DataFrame({"imputer": ["mean", "a new one"], "rmse": [0.3, 0.1]})
    summary = pd.DataFrame({"mean": [0.3, 0.1], "low": [0.2, 0.0], "high": [0.4, 0.2]})
    summary.index = ["mean", "a new one"]
    (axis,) = plots.imputation_errors(folds, summary).axes
    known, new = bars(axis)
    assert rows(axis) == ["mean", "a new one"] and known.look[:2] != new.look[:2]


def test_toy_guesses_are_lines_among_the_records():
    records, x = np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([0.0, 1.0, 2.0])
    guesses = {"one": x**2, "two": x + 1}
    (axis,) = plots.toy_guesses(records, x, guesses).axes
    dots, *lines = axis.lines
    np.testing.assert_array_equal(xy(dots), records)
    assert [line.get_label() for line in lines] == list(guesses)
    for line, guess in zip(lines, guesses.values(), strict=True):
        np.testing.assert_array_equal(xy(line), np.column_stack([x, guess]))
    assert len({(line.get_color(), str(line.get_linestyle())) for line in lines}) == 2


def test_each_way_of_filling_has_a_panel_with_its_records_among_the_complete_ones():
    records, first = np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[5.0, 6.0]])
    fillings = {"one": first, "two": first + 1}
    axes = plots.toy_fillings(records, fillings).axes
    assert [axis.get_title(loc="left") for axis in axes] == list(fillings)
    for axis, filled in zip(axes, fillings.values(), strict=True):
        whole, own = axis.lines
        np.testing.assert_array_equal(xy(whole), records)
        np.testing.assert_array_equal(xy(own), filled)
        assert line_look(whole)[:2] != line_look(own)[:2]


def test_toy_networks_fill_beside_truth_and_mean():
    x1, x2 = np.array([1.0, 2.0, 4.0]), np.array([10.0, 30.0, 20.0])
    fills = [np.array(fill) for fill in ([12.0, 25, 21], [11.0, 28, 16], [14.0, 15, 13])]
    figure = plots.toy_fills(x1, x2, fills, 17.0)
    (axis,) = figure.axes
    networks, (truth, mean) = axis.lines[:-2], axis.lines[-2:]
    np.testing.assert_array_equal([line.get_ydata() for line in networks], fills)
    np.testing.assert_array_equal([line.get_xdata() for line in networks], [x1] * 3)
    np.testing.assert_array_equal(xy(truth), np.column_stack([x1, x2]))
    assert list(mean.get_ydata()) == [17, 17]
    entries = legend(figure)
    assert list(entries) == ["3 autoencoders", "truth", "mean"]
    assert {line_look(line) for line in networks} == {entries["3 autoencoders"]}
    assert (line_look(truth), line_look(mean)) == (entries["truth"], entries["mean"])
    assert entries["3 autoencoders"].colour == to_hex(LOOKS["autoencoder"][0])
    assert entries["mean"].colour == to_hex(LOOKS["mean"][0])
    assert axis.get_xlim() == (1, 4) and axis.get_ylim() == (10, 30)
    assert "visible" in axis.get_xlabel() and "hidden" in axis.get_ylabel()


def test_the_kept_epoch_is_marked_on_the_validation_curve():
    history = {"reconstruction": [0.9, 0.5, 0.3, 0.2], "validation": [0.8, 0.6, 0.4, 0.7]}
    history = {key: np.array(values) for key, values in history.items()}
    figure = plots.learning_curve(history, 3)
    (axis,) = figure.axes
    drawn = labelled(axis)
    assert list(drawn) == ["training records", "validation records", "kept: epoch 3"]
    for word, key in {"training": "reconstruction", "validation": "validation"}.items():
        line = drawn[f"{word} records"]
        np.testing.assert_array_equal(xy(line), np.column_stack([[1, 2, 3, 4], history[key]]))
    np.testing.assert_array_equal(xy(drawn["kept: epoch 3"]), [[3, 0.4]])
    assert {word: line_look(line) for word, line in drawn.items()} == legend(figure)
    assert len({line_look(line).colour for line in drawn.values()}) == 3
    assert (axis.get_xscale(), axis.get_yscale(), axis.get_xlabel()) == ("linear", "log", "epoch")


def test_a_records_hidden_attributes_stand_on_a_dark_ground():
    truth = pd.Series([0.1, 0.5, 0.9, 0.3], ["a", "b", "c", "d"])
    told_all, filled = np.array([0.15, 0.45, 0.8, 0.35]), np.array([0.4, 0.6, 0.7, 0.2])
    mean = np.array([0.55, 0.56, 0.57, 0.58])
    figure = plots.filled_record(truth, told_all, filled, mean, 2)
    (axis,) = figure.axes
    assert rows(axis) == ["a", "b", "c", "d"]
    expected = {
        "truth": truth.to_numpy(),
        "all cells given": told_all,
        "zeros in the holes": filled,
        "mean": mean[:2],
    }
    drawn = labelled(axis)
    assert list(drawn) == list(expected)
    for word, values in expected.items():
        np.testing.assert_array_equal(
            xy(drawn[word]), np.column_stack([values, range(len(values))])
        )
        assert legend(figure)[word] == line_look(drawn[word])
    for word in ("all cells given", "zeros in the holes"):
        assert line_look(drawn[word])[:2] == (to_hex(INPUTS[word][0]), INPUTS[word][1])
    assert line_look(drawn["mean"])[:2] == (to_hex(LOOKS["mean"][0]), LOOKS["mean"][1])
    (ground,) = axis.patches
    assert (ground.get_y(), ground.get_y() + ground.get_height()) == (-0.5, 1.5)
    assert axis.get_xlabel() == "value, from 0 (least) to 1 (greatest)"


def test_errors_stand_in_the_row_of_their_attribute():
    table = pd.DataFrame(
        [
            ("a", "mean", 0.3, 0.1, 0.35),
            ("b", "mean", 0.2, 0.19, 0.4),
            ("c", "mean", 0.5, 0.45, 0.7),
            ("c", "autoencoder", 0.1, 0.05, 0.2),  # another order of attributes
            ("b", "autoencoder", 0.6, 0.3, 0.61),
        ],
        columns=["attribute", "imputer", "mean", "low", "high"],
    )
    figure = plots.errors_by_attribute(table)
    (axis,) = figure.axes
    assert rows(axis) == ["a", "b", "c"]
    place = {word: at for at, word in ticks(axis, "y").items()}
    assert [b.label for b in bars(axis)] == ["mean", "autoencoder"]
    for found, shift in zip(bars(axis), (-0.12, 0.12), strict=True):
        own = table[table["imputer"] == found.label]
        assert found.horizontal
        np.testing.assert_array_equal(found.middle, own["mean"])
        np.testing.assert_allclose([found.low, found.high], [own["low"], own["high"]])
        np.testing.assert_allclose(found.across, own["attribute"].map(place) + shift)
        assert found.look[:2] == (to_hex(LOOKS[found.label][0]), LOOKS[found.label][1])
        assert legend(figure)[found.label] == found.look
    assert axis.get_xlim()[0] == 0
    assert axis.get_xlabel() == "RMSE on hidden cells (lower is better)"


def test_errors_over_training_have_a_band_each_above_the_means_line():
    stops = [1, 10, 100]
    errors = {
        "zeros in the holes": pd.DataFrame(
            {"mean": [0.5, 0.4, 0.3], "low": [0.45, 0.2, 0.25], "high": [0.9, 0.41, 0.35]}, stops
        ),
        "all cells given": pd.DataFrame(
            {"mean": [0.4, 0.2, 0.1], "low": [0.1, 0.15, 0.09], "high": [0.5, 0.4, 0.15]}, stops
        ),
        "means in the holes": pd.DataFrame(
            {"mean": [0.6, 0.7], "low": [0.55, 0.4], "high": [0.8, 0.71]}, stops[:2]
        ),
    }
    figure = plots.errors_over_training(errors, 0.37)
    (axis,) = figure.axes
    drawn = labelled(axis)
    assert list(drawn) == [*(f"autoencoder, {name}" for name in errors), "mean imputation"]
    for (name, table), filled in zip(errors.items(), loose_collections(axis), strict=True):
        line = drawn[f"autoencoder, {name}"]
        np.testing.assert_array_equal(xy(line), np.column_stack([table.index, table["mean"]]))
        np.testing.assert_allclose(band(filled), [table.index, table["low"], table["high"]])
        assert line_look(line)[:2] == (to_hex(INPUTS[name][0]), INPUTS[name][1])
        assert to_hex(filled.get_facecolor()[0]) == line_look(line).colour
    assert list(drawn["mean imputation"].get_ydata()) == [0.37, 0.37]
    assert line_look(drawn["mean imputation"]).colour == to_hex(LOOKS["mean"][0])
    assert {word: line_look(line) for word, line in drawn.items()} == legend(figure)
    assert len({line_look(line).dashes for line in drawn.values()}) == 4
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "linear")
    assert axis.get_ylim()[0] == 0 and axis.xaxis.get_major_formatter()(100) == "100"
    assert axis.get_xlabel() == "epochs of training"
    assert axis.get_ylabel() == "RMSE on the hidden cells"
