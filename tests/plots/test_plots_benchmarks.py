"""What the figures of the benchmarks draw."""

import numpy as np
import pandas as pd
from artists import bars, places, rows, ticks, title, xy
from matplotlib.colors import to_hex

from ehrgan import plots
from ehrgan.plots.style import COLOURS
from ehrgan.scores.estimate import Estimate


def told(axis):
    """Words that stand in the panel, with the point they belong to."""
    return {text.get_text(): tuple(text.xy) for text in axis.texts}


def test_a_gain_is_taken_apart_in_bars_from_one_time_to_the_next():
    table = pd.DataFrame(
        {"words": ["peer", "one", "all", "other"], "median": [37.0, 4.0, 0.123, 0.5],
         "low": [30.0, 1.5, 0.1, 0.4], "high": [95.0, 4.4, 5.0, 0.9],
         "gain": [np.nan, 9.1, 33, np.nan]}, index=[4, 2, 7, 1]
    )  # fmt: skip
    (axis,) = plots.speed_beside_peers(table).axes
    assert rows(axis) == list(table["words"])
    drawn = bars(axis)
    assert all(found.horizontal for found in drawn)
    for column, name in {"median": "middle", "low": "low", "high": "high"}.items():
        np.testing.assert_allclose([*np.ravel([getattr(b, name) for b in drawn])], table[column])
    assert [*np.ravel([b.across for b in drawn])] == [0, 1, 2, 3]
    looks = [b.look for b in drawn]  # peers look alike, and steps
    assert looks[0] == looks[3] != looks[1] == looks[2] and looks[0].marker != looks[1].marker
    assert told(axis) == {
        "37": (37.0, 0), "4": (4.0, 1), "0.12": (0.123, 2), "0.5": (0.5, 3),
        "9.1 times less": (37.0, 1), "33 times less": (5.0, 2),
    }  # fmt: skip
    leads = [xy(line) for line in axis.lines if line.get_linewidth() == 9]
    np.testing.assert_allclose(leads, [[[37, 1], [4, 1]], [[4, 2], [0.123, 2]]])
    assert axis.get_xscale() == "log"
    assert axis.get_xlabel() == "milliseconds per network and epoch (less is better)"


def test_growth_is_a_median_of_rounds_beside_a_proportion_through_the_largest():
    table = pd.DataFrame(
        [("records", 100, s) for s in (1.0, 2.0, 9.0)]
        + [("records", 400, s) for s in (3.0, 5.0, 40.0)]
        + [("records", 200, s) for s in (4.0, 2.5, 3.0)]
        + [("attributes", 10, s) for s in (0.5, 0.2, 0.1)]
        + [("attributes", 30, s) for s in (0.3, 0.7, 0.6)],
        columns=["axis", "size", "seconds"],
    )
    figure = plots.growth_of_time(table)
    expected = {
        "records": ([[100, 2], [200, 3], [400, 5]], [[100, 1.25], [200, 2.5], [400, 5]]),
        "attributes": ([[10, 0.2], [30, 0.6]], [[10, 0.2], [30, 0.6]]),
    }
    assert [axis.get_xlabel() for axis in figure.axes] == list(expected)
    assert places(figure) == [(0, 0), (0, 1)]
    for axis in figure.axes:
        (found, straight), (line, dotted) = expected[axis.get_xlabel()], axis.lines
        np.testing.assert_allclose(xy(line), found)
        np.testing.assert_allclose(xy(dotted), straight)
        assert line.get_marker() != "None" and dotted.get_linestyle() == ":"
        assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
        ends = [found[0][0], found[-1][0]]
        assert ticks(axis, "x") == {end: str(end) for end in ends}
    assert figure.axes[0].get_ylabel() == "seconds per epoch"


def test_each_imputer_keeps_its_row_in_every_panel():
    summary = pd.DataFrame(
        [
            ("at random", "ours", 0.1234, 0.11, 0.2),
            ("at random", "peer", 0.3, 0.1, 0.31),
            ("at random", "mean", 0.2, 0.19, 0.28),
            ("block", "mean", 0.5, 0.25, 0.55),  # another order, and a peer that is not there
            ("block", "ours", 0.45, 0.44, 0.6),
        ],
        columns=["mechanism", "imputer", "mean", "low", "high"],
    )
    figure = plots.imputers_beside_peers(summary)
    names = ["ours", "peer", "mean"]
    assert [title(axis) for axis in figure.axes] == ["at random", "block"]
    assert places(figure) == [(0, 0), (0, 1)] and rows(figure.axes[0]) == names
    for axis in figure.axes:
        own = summary[summary["mechanism"] == title(axis)].set_index("imputer")
        assert len(bars(axis)) == len(own)
        for found in bars(axis):
            i = int(found.across[0])
            row = own.loc[names[i]]
            assert found.horizontal and found.across[0] == i
            np.testing.assert_allclose(
                np.ravel([found.middle, found.low, found.high]),
                row[["mean", "low", "high"]].astype(float),
            )
            assert found.look.colour == to_hex(COLOURS[i])
            assert told(axis)[f"{row['mean']:.4f}"] == (row["mean"], i)
        assert len(axis.texts) == len(own)
        assert axis.get_xlabel() == "RMSE (less is better)"
        assert axis.get_xlim()[0] == 0
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()


def test_the_league_shows_every_table_the_mean_and_its_place():
    own = [("block", "mean", 1.0), ("block", "mean", 1.0), ("block", "ours", 0.5)]
    errors = pd.DataFrame([*own, ("block", "ours", 0.7)], columns=["mechanism", "imputer", "error"])
    told_of = {"mean": (Estimate(1, 1, 1), 2.0), "ours": (Estimate(0.6, 0.4, 0.8), 1.0)}
    index = pd.MultiIndex.from_product([["block", "MAR"], told_of])
    means = [(error, Estimate(place, 1, 2)) for error, place in told_of.values()]
    summary = pd.DataFrame(means * 2, index=index, columns=["error", "place"])
    both = pd.concat([errors, errors.assign(mechanism="MAR")])
    figure = plots.league_of_imputers(both, summary)
    assert [title(axis) for axis in figure.axes] == ["block", "MAR"]
    assert rows(figure.axes[0]) == ["mean", "ours"]
    for axis in figure.axes:
        marks = [line for line in axis.lines if line.get_alpha() == 0.25]
        assert [list(line.get_xdata()) for line in marks] == [[1.0, 1.0], [0.5, 0.7]]
        middle = [(found.across[0], np.ravel(found.middle)[0]) for found in bars(axis)]
        assert middle == [(0, 1.0), (1, 0.6)]
        assert told(axis)["place 1.0"] == (0.6, 1)
