"""The one palette of all figures, as colour-blind readers and a grey printer see it.

Colour blindness is simulated by the matrices of Machado, Oliveira and Fernandes (2009) for a full
loss of one kind of cone, on linear light; differences are measured in CIELAB.
"""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from ehrgan.plots.classifiers import LOOKS
from ehrgan.plots.style import COLOURS, DASHES, MARKERS

SIGHT = {
    "all cones": np.eye(3),
    "no long cones": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "no middle cones": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "no short cones": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)  # of linear sRGB, white of D65


def seen(colour, sight):
    """A colour in CIELAB, as an eye sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(XYZ @ np.clip(sight @ linear, 0, 1) / XYZ.sum(axis=1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_simulation_knows_white_and_confuses_red_with_green():
    for sight in SIGHT.values():
        np.testing.assert_allclose(seen("white", sight), [100, 0, 0], atol=0.1)
    red, green = ("#C00000", "#6A6A00")
    far, near = (
        np.linalg.norm(seen(red, SIGHT[s]) - seen(green, SIGHT[s]))
        for s in ("all cones", "no middle cones")
    )
    assert near < far / 3


@pytest.mark.parametrize("name", SIGHT)
def test_categories_differ_to_every_eye(name):
    for one, two in combinations(COLOURS, 2):
        distance = np.linalg.norm(seen(one, SIGHT[name]) - seen(two, SIGHT[name]))
        assert distance > 15, (one, two, distance)  # side by side, an eye sees a difference of 2


def test_in_grey_categories_differ_by_marker_and_dashes():
    assert len(COLOURS) == len(set(MARKERS)) == len(set(DASHES))
    assert len({marker for _, marker in LOOKS.values()}) == len(LOOKS)


def test_every_colour_stands_out_from_the_white_ground():
    for colour in COLOURS:
        assert seen(colour, SIGHT["all cones"])[0] < 75, colour
