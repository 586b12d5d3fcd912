"""A number with its interval: how it reads, and what it holds."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehrgan.scores.estimate import Estimate, readable, signed


def test_a_signed_number_with_its_interval_in_order():
    assert f"{Estimate(-0.00001, -0.25, 0.5):+.4f}" == "+0.0000 (-0.2500 to +0.5000)"
    assert f"{Estimate(-0.12345, -0.2, 0.0001):+}" == "-0.123 (-0.200 to +0.000)"


def test_an_interval_that_leaves_zero_out_never_reads_as_if_it_touched_zero():
    assert f"{Estimate(-0.12345, -0.2, -0.00012):+}" == "-0.123 (-0.200 to -0.0001)"
    assert f"{Estimate(0.001, 0.0002, 0.0018):+.3f}" == "+0.001 (+0.0002 to +0.002)"
    assert f"{Estimate(0.5, 0.00049, 1.0):.3f}" == "0.500 (0.0005\N{EN DASH}1.000)"


@given(st.floats(-1, 1), st.integers(0, 5))
def test_a_difference_that_rounds_to_nothing_has_no_minus(number, digits):
    text = signed(number, f".{digits}f")
    assert text[0] == ("-" if number < 0 and float(text) else "+")
    assert float(text) == pytest.approx(number, abs=0.5 * 10**-digits + 1e-12)


def test_a_rounded_estimate_has_the_sign_that_its_digits_show():
    found = Estimate(-0.02, -0.04, -0.0001)
    assert (found.sign, found.rounded(3).sign, found.rounded(4).sign) == (-1, 0, -1)
    assert found.rounded(2) == (-0.02, -0.04, 0)


def test_a_plain_number_has_a_dash_between_the_ends_of_its_interval():
    assert f"{Estimate(0.5, 0.25, 0.75)}" == "0.500 (0.250\N{EN DASH}0.750)"
    assert f"{Estimate(0.5, 0.25, 1.0):.1%}" == "50.0% (25.0%\N{EN DASH}100.0%)"
    assert f"{Estimate(np.float32(-0.0001), np.nan, np.nan):.2f}" == "0.00 (nan\N{EN DASH}nan)"
    table = pd.DataFrame(
        {"high": [3.0, 6.0], "mean": [2.0, 5.0], "low": [1.0, 4.0]}, index=["a", "b"]
    )
    told = readable(table, "+.0f")
    assert told.to_dict() == {"a": "+2 (+1 to +3)", "b": "+5 (+4 to +6)"}


@pytest.mark.parametrize(
    ("low", "high", "sign"),
    [
        (0.1, 0.3, 1),
        (0.0, 0.3, 0),
        (-0.1, 0.3, 0),
        (-0.3, 0.0, 0),
        (-0.3, -0.1, -1),
        (np.nan, np.nan, 0),
    ],
)
def test_a_sign_is_told_where_the_interval_leaves_zero_out(low, high, sign):
    estimate = Estimate(0.0, low, high)
    assert estimate.sign == sign
    assert estimate.half == pytest.approx((high - low) / 2, nan_ok=True)
    for number in (-0.3, -0.2, 0.0, 0.1, 0.3):
        assert estimate.holds(number) == (low <= number <= high)


@pytest.mark.parametrize(
    "low, high, tie, word, answer",
    [
        (-0.02, -0.01, "the two differ", "smaller than", "less"),
        (-0.01, 0.0, "the two cannot be told apart", "not clearly different from", "who knows"),
        (-0.01, 0.02, "the two cannot be told apart", "not clearly different from", "who knows"),
        (0.0, 0.02, "the two cannot be told apart", "not clearly different from", "who knows"),
        (0.01, 0.02, "the two differ", "larger than", "more"),
        (np.nan, np.nan, "the two cannot be told apart", "not clearly different from", "who knows"),
    ],
)
def test_words_for_an_interval_of_differences(low, high, tie, word, answer):
    estimate = Estimate((low + high) / 2, low, high)
    assert estimate.tie == tie
    assert estimate.compared() == word
    assert estimate.compared("less", "more", "who knows") == answer


@pytest.mark.parametrize("number", [0.94, 0.95, 0.97, 0.99, 0.995])
def test_the_ends_of_an_interval_belong_to_it(number):
    wanted = "inside" if number in (0.95, 0.97, 0.99) else "outside"
    assert Estimate(0.97, 0.95, 0.99).within(number) == wanted
