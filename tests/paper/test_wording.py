"""Words for numbers."""

import numpy as np
import pandas as pd
import pytest

from ehrgan.paper import wording


def test_places_in_words():
    assert [wording.ordinal(place) for place in (1, 2, 3, 4, 5, 6, 7, 8, 9)] == (
        "first second third fourth fifth sixth seventh eighth ninth".split()
    )
    assert [wording.ordinal(place, last=8) for place in (1, 7, 8)] == ["first", "seventh", "last"]
    places = pd.Series({"zero": 2, "mean": 1, "autoencoder": 2})
    told = "second with zero, first with mean, second with autoencoder imputation"
    assert wording.places_in_words(places) == told
    assert wording.places_in_words(places.drop("mean")) == "second with every imputation"


def test_a_list_in_words():
    assert wording.listed(["a", "b"], ": ", ".") == ": a, b."
    assert wording.listed([], ": ", ".") == ""
    assert wording.listed(["a"]) == "a"


def test_mixing_counts_the_classes_whose_number_chance_gives():
    columns = ["attributes", "map", "low", "high"]
    rows = {"a": (0.8, 0.5, 0.9, 1.1), "b": (0.9, 0.5, 0.9, 1.1), "c": (1.0, 2.0, 0.9, 1.1),
            "d": (1.2, 1.0, 0.9, 1.1), "e": (np.nan,) * 4}  # fmt: skip
    mixed = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    text = "mixing a 0.80; b 0.90; c 1.00; d 1.20"
    assert wording.mixed_as_by_chance(mixed) == (text, "2 of 4 classes mix as by chance")
    nothing = ("nothing to compare", "not tested")
    assert wording.mixed_as_by_chance(mixed.loc[["e"]]) == nothing


@pytest.mark.parametrize(
    ("own", "finding"),
    [((0.1, 0.2, 0.3), "not so here"), ((0.3, 0.2, 0.4), "in 1 of 2 classes"),
     ((0.3, 0.5, 0.4), "seen in every class")],
)  # fmt: skip
def test_mixing_is_compared_class_by_class_where_both_were_tested(own, finding):
    mixed = pd.DataFrame({"attributes": own}, index=["a", "b", "c"])
    other = pd.DataFrame({"attributes": [0.2, 0.4, np.nan]}, index=["a", "b", "c"])
    text = f"mixing a {own[0]:.2f} (0.20); b {own[1]:.2f} (0.40)"
    assert wording.mixed_more(mixed, other) == (text, finding)
    nothing = ("nothing to compare", "not tested")
    assert wording.mixed_more(mixed.loc[["c"]], other) == nothing
