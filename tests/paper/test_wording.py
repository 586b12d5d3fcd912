"""Words for numbers."""

import numpy as np
import pandas as pd
import pytest

from ehrgan.paper import wording


@pytest.mark.parametrize(
    "low, high, tie, word, answer",
    [
        (-0.02, -0.01, "a tie is excluded", "smaller than", "less"),
        (-0.01, 0.0, "a tie is not excluded", "not clearly different from", "who knows"),
        (-0.01, 0.02, "a tie is not excluded", "not clearly different from", "who knows"),
        (0.0, 0.02, "a tie is not excluded", "not clearly different from", "who knows"),
        (0.01, 0.02, "a tie is excluded", "larger than", "more"),
        (np.nan, np.nan, None, "not clearly different from", "who knows"),
    ],
)
def test_words_for_an_interval_of_differences(low, high, tie, word, answer):
    assert tie is None or wording.tie(low, high) == tie
    assert wording.compared(low, high) == word
    assert wording.compared(low, high, "less", "more", "who knows") == answer


@pytest.mark.parametrize("number", [0.94, 0.95, 0.97, 0.99, 0.995])
def test_the_ends_of_an_interval_belong_to_it(number):
    wanted = "inside" if number in (0.95, 0.97, 0.99) else "outside"
    assert wording.within(number, 0.95, 0.99) == wanted


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
