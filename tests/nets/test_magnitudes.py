"""A column's unit and origin change no result, however huge, tiny or far from 0 it is."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ehrgan import ACGANClassifier, StackedAutoencoderImputer
from ehrgan.nets import acgan, autoencoder
from ehrgan.nets.units import FARTHEST, Units, framed, frames

RNG = np.random.default_rng(0)
COLUMN = RNG.gamma(2.0, 1.0, size=(60, 1))
TINY, HUGE = 5e-324, 1.7e308


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scaling", ["auto", "log", "standard", "minmax"])
@settings(max_examples=60)
@given(exponent=st.floats(-300, 300), origin=st.sampled_from([0, -1, 3, 1e3, -1e6, 1e9]))
@example(exponent=-318, origin=0)
@example(exponent=307, origin=0)
def test_the_networks_scale_is_the_same_in_every_unit(scaling, exponent, origin):
    plain = Units.learn(COLUMN, [0], scaling)
    column = 10.0**exponent * (COLUMN + origin) if exponent < 290 else 10.0**exponent * COLUMN
    units = Units.learn(column, [0], scaling)
    Z = units.to_network(column)
    rounding = 1e-5 if exponent > -300 else 1e-3  # next to 0 numbers are coarse
    np.testing.assert_allclose(Z, plain.to_network(COLUMN), atol=rounding)
    np.testing.assert_allclose(
        units.from_network(Z), column, atol=1e-6 * np.ptp(column), rtol=rounding
    )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scaling", ["auto", "log", "standard", "minmax"])
@pytest.mark.parametrize(
    "column", [[-HUGE, HUGE, 0.0, 1e308], [0.0, TINY, 2 * TINY, 0.0], [1e300, 1e300, 1.0, -3.0]]
)
def test_the_ends_of_what_a_float_holds_lead_back(scaling, column):
    X = np.array(column)[:, None]
    units = Units.learn(X, [0], scaling)
    Z = units.to_network(X)
    assert np.isfinite(Z).all() and np.ptp(Z) >= 1
    np.testing.assert_allclose(
        units.from_network(Z) / 1e300, X / 1e300, atol=2e-7 * X.max() / 1e300
    )
    if X.max() < 1:
        np.testing.assert_array_equal(units.from_network(Z), X)


@settings(max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=9))
def test_an_ordinary_column_keeps_every_bit(column):
    x = np.array(column)
    low, high = x.min(), x.max()
    origin, power, constant = frames(np.array([low]), np.array([high]), 2e-16)
    if high - low >= 0.001 * max(abs(low), abs(high)) >= 1e-15 or high == low == 0:
        assert origin == 0 and power == 0
        np.testing.assert_array_equal(framed(x[:, None], origin, power), x[:, None])
    assert constant == (high - low <= 2e-15 * max(abs(low), abs(high)))


@pytest.mark.parametrize(("dtype", "varies"), [(np.float64, True), (np.float32, False)])
def test_what_varies_is_told_by_the_type_that_it_came_in(dtype, varies):
    X = np.array([[1000.0], [1000.0], [1000.0]], dtype)
    X[0] = np.nextafter(X[0], dtype(2000)) if not varies else 1000 + 1e-9
    units = Units.learn(X, [0], "standard")
    assert (units.scale[0] != 1.0) == varies


def test_what_lies_beyond_all_that_was_seen_stays_finite():
    units = Units.learn(COLUMN, [0], "standard")
    Z = units.to_network(np.array([[HUGE], [-HUGE], [1e30]]))
    np.testing.assert_array_equal(Z.ravel(), np.float32([FARTHEST, -FARTHEST, FARTHEST]))
    back = units.from_network(Z).ravel()
    np.testing.assert_array_equal(back, [units.high[0], units.low[0], units.high[0]])


# --- both estimators ------------------------------------------------------------------------------

X = RNG.normal(size=(80, 1)) @ [[1.0, 3.0]] + RNG.normal(0, 0.1, (80, 2))
Y = (X[:, 0] > 0).astype(int)
HOLED = X.copy()
HOLED[::3, 0] = np.nan
UNITS = [(1e-300, 0.0), (1e-150, 0.0), (1e-39, 7.0), (1e39, 0.0), (1e150, 1e6), (1.0, 1e9)]
QUICK = {"epochs": 6, "random_state": 0}


def in_unit(table, unit, origin):
    return np.column_stack([unit * (table[:, 0] + origin), table[:, 1]])


@pytest.fixture
def in_order(monkeypatch):
    """Records are taken in the order given: its usual one is drawn by a hash of the cells."""
    for module in (acgan, autoencoder):
        monkeypatch.setattr(module, "canonical_order", lambda X, c=None: np.arange(len(X)))


@pytest.mark.parametrize("scaling", ["auto", "log", "standard", "minmax"])
def test_what_is_imputed_does_not_depend_on_the_unit(in_order, scaling):
    model = StackedAutoencoderImputer(**QUICK, n_members=1, scaling=scaling)
    plain = model.fit_transform(HOLED)
    for unit, origin in UNITS:
        found = model.fit_transform(in_unit(HOLED, unit, origin))
        np.testing.assert_allclose(found[:, 0] / unit - origin, plain[:, 0], atol=1e-5)
        np.testing.assert_allclose(found[:, 1], plain[:, 1], atol=1e-5)


@pytest.mark.parametrize("scaling", ["standard", "minmax"])
def test_what_is_predicted_does_not_depend_on_the_unit_and_samples_come_in_it(in_order, scaling):
    model = ACGANClassifier(**QUICK, scaling=scaling)
    plain = model.fit(X, Y).predict_proba(X)
    sample = model.sample(9, random_state=0)[0]
    for unit, origin in UNITS:
        own = in_unit(X, unit, origin)
        np.testing.assert_allclose(model.fit(own, Y).predict_proba(own), plain, atol=1e-5)
        found = model.sample(9, random_state=0)[0]
        np.testing.assert_allclose(found[:, 0] / unit - origin, sample[:, 0], atol=1e-4)


def test_records_far_from_those_of_training_are_filled_and_called():
    far = np.array([[HUGE, 1.0], [-HUGE, 1.0], [1.0, HUGE], [1e39, -1e39]])
    assert np.isfinite(ACGANClassifier(**QUICK).fit(X, Y).predict_proba(far)).all()
    holed = np.vstack([far, [[np.nan, HUGE]]])
    model = StackedAutoencoderImputer(**QUICK).fit(HOLED)
    filled = model.transform(holed)
    np.testing.assert_array_equal(filled[:4], far)  # observed cells come back as they were
    assert np.nanmin(HOLED[:, 0]) <= filled[4, 0] <= np.nanmax(HOLED[:, 0])


def test_raw_numbers_that_a_network_cannot_take_are_refused_by_column():
    with pytest.raises(ValueError, match=r"column 1 of X holds 3e\+20 .*scaling=None needs"):
        ACGANClassifier(**QUICK, scaling=None).fit(np.array([[1.0, 0], [2, -3e20]]), [0, 1])


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (StackedAutoencoderImputer(**QUICK, optimizer="sgd", learning_rate=1e9), (HOLED,)),
        (ACGANClassifier(**QUICK, learning_rate=1e30), (X, Y)),
    ],
)
def test_weights_that_diverge_are_refused_before_they_give_nan(model, data):
    with pytest.raises(ValueError, match="diverged with learning_rate=1.*Lower the rate"):
        model.fit(*data)
