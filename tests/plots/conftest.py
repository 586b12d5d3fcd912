"""What holds after every figure: nothing stays open, and the reader's own settings come back."""

import matplotlib
import matplotlib.pyplot as plt
import pytest

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def nothing_left_behind():
    plt.close("all")
    before = dict(matplotlib.rcParams)
    yield
    assert plt.get_fignums() == []  # or a notebook would show the figure twice
    assert dict(matplotlib.rcParams) == before
