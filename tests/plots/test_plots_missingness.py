"""What the figures of the chapter on missingness draw."""

import numpy as np
import pandas as pd
import pytest
from artists import bars, cell, legend, places, rows, ticks, title
from matplotlib.colors import to_rgb

from ehrgan import plots
from ehrgan.plots.style import narrow
from ehrgan.scores.estimate import Estimate


def test_each_mechanism_has_a_panel_and_each_imputation_one_look():
    table = pd.DataFrame(
        [
            ("block", 0.1, "zero", 0.2, 0.1, 0.25),
            ("block", 0.3, "zero", 0.4, 0.35, 0.7),
            ("block", 0.1, "mean", 0.15, 0.14, 0.2),
            ("block", 0.3, "mean", 0.25, 0.1, 0.26),
            ("at random", 0.3, "mean", 0.5, 0.45, 0.8),  # another order of imputations and rates
            ("at random", 0.1, "mean", 0.45, 0.2, 0.46),
            ("at random", 0.1, "zero", 0.55, 0.5, 0.9),
            ("above", 0.1, "zero", 0.65, 0.3, 0.66),
        ],
        columns=["mechanism", "fraction", "imputer", "mean", "low", "high"],
    )
    figure = plots.over_rates(table, "RMSE")
    panels = {title(axis): axis for axis in figure.axes if title(axis)}
    assert list(panels) == ["block", "at random", "above"]
    assert places(figure) == [(0, 0), (0, 1), (1, 0)]  # and no empty one
    looks = {}
    for mechanism, axis in panels.items():
        part = table[table["mechanism"] == mechanism]
        drawn = {found.label: found for found in bars(axis)}
        assert list(drawn) == ["zero", "mean"]
        for name, found in drawn.items():
            own = part[part["imputer"] == name]
            assert not found.horizontal
            np.testing.assert_array_equal(found.middle, own["mean"])
            np.testing.assert_allclose([found.low, found.high], [own["low"], own["high"]])
            np.testing.assert_allclose(found.across, own["fraction"], atol=0.02)
            assert looks.setdefault(name, found.look) == found.look == legend(figure)[name]
        if mechanism == "block":  # beside each other, not over
            shift = drawn["mean"].across - drawn["zero"].across
            assert (0 < shift).all() and (shift < 0.02).all()
    assert all(a != b for a, b in zip(*looks.values(), strict=True))
    assert [axis.get_ylabel() for axis in figure.axes] == ["RMSE", "", "RMSE"]
    assert [axis.get_xlabel() for axis in figure.axes] == ["", "rate", "rate"]
    assert len({axis.get_ylim() for axis in figure.axes}) == 1


def around(gain, half):
    return Estimate(gain, gain - half, gain + half)


GAINS = pd.DataFrame(
    {0.1: [around(0.02, 0.03), around(-0.04, 0.01)], 0.3: [around(0.1, 0.05), around(0.0, 0.1)],
     0.5: [around(-0.01, 0.02), around(0.07, 0.06)]}, index=["block", "at random"]
)  # fmt: skip


def check_cells(axis, table):
    """Each cell's words and colour are those of its row and column; the ends are not clipped."""
    words = {text.get_position(): text for text in axis.texts}
    assert len(words) == len(axis.texts) == table.size
    for i, name in enumerate(table.index):
        for j, column in enumerate(table):
            gain, low, high = table.loc[name, column]
            sure = low > 0 or high < 0
            shown, colour = cell(axis, j, i)
            assert shown == gain
            text = words[j, i]
            assert text.get_text() == f"{gain:+z.3f}" + ("*" if sure else "")
            red, _, blue = to_rgb(colour)
            if gain:
                assert (blue > red) == (gain > 0), "a gain is purple, a loss orange"
            ground = np.mean(to_rgb(colour))
            assert abs(np.mean(to_rgb(text.get_color())) - ground) > 0.35  # it can be read
    (image,) = axis.images
    most = table.map(lambda cell: abs(cell.value)).max(axis=None)
    assert image.get_clim() == (-most, most)


def test_gains_stand_in_their_cells_with_a_star_where_they_are_beyond_doubt():
    figure = plots.gain_map(GAINS, "AUC gained")
    axis, bar = figure.axes
    check_cells(axis, GAINS)
    assert rows(axis) == ["block", "at random"]
    assert ticks(axis, "x") == {0: "0.1", 1: "0.3", 2: "0.5"}
    assert axis.get_xlabel() == "rate"
    assert bar.get_ylabel() == "AUC gained"


def test_no_gain_reads_as_minus_nothing_and_no_star_contradicts_its_digits():
    cells = [Estimate(-0.0002, -0.01, 0.01), Estimate(-0.02, -0.04, -0.0001),
             Estimate(0.02, 0.0006, 0.04)]  # fmt: skip
    axis = plots.gain_map(pd.DataFrame({0.1: cells}), "AUC").axes[0]
    assert [text.get_text() for text in axis.texts] == ["+0.000", "-0.020", "+0.020*"]


def test_losses_alone_darken_as_gains_do():
    table = GAINS.map(lambda found: around(-abs(found.value), found.half))
    check_cells(plots.gain_map(table, "lost").axes[0], table)


def test_columns_may_be_imputations():
    table = GAINS.set_axis(["mean", "ridge", "denoising"], axis=1)
    axis = plots.gain_map(table, "AUC", across="imputation").axes[0]
    check_cells(axis, table)
    assert ticks(axis, "x") == {0: "mean", 1: "ridge", 2: "denoising"}
    assert axis.get_xlabel() == "imputation"


def test_a_map_without_any_gain_is_pale():
    table = GAINS.map(lambda found: around(0.0, 0.1))
    axis = plots.gain_map(table, "AUC").axes[0]
    assert cell(axis, 0, 0)[1] == cell(axis, 2, 1)[1]
    assert np.mean(to_rgb(cell(axis, 0, 0)[1])) == pytest.approx(0.965, abs=0.03)
    assert {text.get_color() for text in axis.texts} == {"black"}


def test_numbers_of_a_map_for_a_phone_leave_out_the_nought():
    table = pd.DataFrame({0.1: [Estimate(0.012, 0.001, 0.03)], 0.3: [Estimate(-10.02, -12, 1)]})
    axis = narrow(lambda: plots.gain_map.__wrapped__(table, "AUC")).axes[0]
    assert [text.get_text() for text in axis.texts] == ["+.012*", "-10.020"]
