"""What the figure of the seeds' luck draws."""

import numpy as np
import pandas as pd
from artists import line_look, rows, xy

from ehrgan import plots


def test_every_seed_is_a_dot_in_the_row_of_its_reading_with_a_bar_at_their_mean():
    table = pd.DataFrame({"peek": [0.97, 0.99, np.nan], "honest": [0.9, 0.94, 0.95]}, [1, 2, 3])
    means = {"accuracy": table, "AUC": table / 2}
    paper = {"AUC": 0.4, "accuracy": 0.96}
    readings = {"honest": "no look", "peek": "a look"}
    figure = plots.numbers_by_seed(means, paper, readings)
    titles = {"accuracy": "accuracy (the paper: 0.9600)", "AUC": "AUC (the paper: 0.4000)"}
    assert [axis.get_title("left") for axis in figure.axes] == list(titles.values())
    for axis, (name, own) in zip(figure.axes, means.items(), strict=True):
        assert rows(axis) == ["no look", "a look"]
        *drawn, told = axis.lines
        assert list(told.get_xdata()) == [paper[name]] * 2
        for place, reading in enumerate(readings):
            dots, bar = drawn[2 * place : 2 * place + 2]
            np.testing.assert_array_equal(dots.get_xdata(), own[reading].dropna())
            np.testing.assert_array_equal(np.round(dots.get_ydata()), place)
            np.testing.assert_allclose(xy(bar)[:, 0], own[reading].mean())
            np.testing.assert_allclose(xy(bar)[:, 1].mean(), place)
        first, second = (line_look(drawn[2 * place]) for place in (0, 1))
        assert (first.colour, first.marker) != (second.colour, second.marker)
