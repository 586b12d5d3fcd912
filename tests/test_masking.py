"""Masks hide what they promise, and refuse what makes no sense."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ehrgan.masking import (
    MECHANISMS,
    apply_mask,
    block_mask,
    make_mask,
    mar_mask,
    mcar_mask,
    mnar_mask,
    monotone_mask,
    sparsity,
)
from ehrgan.records import load_wdbc


def test_paper_mask_hits_half_of_each_class_of_wdbc():
    records = load_wdbc()
    mask = block_mask(records.y, 30, random_state=0)
    hit = mask.any(axis=1)
    assert [hit[records.y == c].sum() for c in (0, 1)] == [178, 106]
    assert mask[hit, :15].all()
    assert not mask[:, 15:].any()


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(1, 40), min_size=2, max_size=3),
    fraction=st.floats(0, 1),
    n_masked=st.integers(0, 7),
    seed=st.integers(0, 2**31),
)
def test_block_size_in_every_class(counts, fraction, n_masked, seed):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    mask = block_mask(y, 7, fraction=fraction, n_masked=n_masked, random_state=seed)
    for label, count in enumerate(counts):
        expected = np.r_[np.full(n_masked, round(fraction * count)), np.zeros(7 - n_masked)]
        assert (mask[y == label].sum(axis=0) == expected).all()
    assert (mask == block_mask(y, 7, fraction=fraction, n_masked=n_masked, random_state=seed)).all()


def test_chosen_attributes_replace_the_first_ones():
    mask = block_mask(["a", "b"] * 10, 5, attributes=[4, 1], n_masked=99, random_state=1)
    assert mask.any(axis=0).tolist() == [False, True, False, False, True]
    assert not block_mask(["a", "b"], 5, attributes=[], fraction=1.0).any()


def test_different_seeds_hide_different_records():
    y = np.arange(100) % 2
    assert (block_mask(y, 3, n_masked=1, random_state=0)
            != block_mask(y, 3, n_masked=1, random_state=1)).any()  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_masked": 31}, ValueError, "n_masked must be from 0 to 30, got 31"),
        ({"n_masked": -1}, ValueError, "n_masked"),
        ({"n_masked": 2.0}, TypeError, "n_masked"),
        ({"fraction": 1.5}, ValueError, "fraction must be from 0 to 1, got 1.5"),
        ({"fraction": -0.1}, ValueError, "fraction"),
        ({"fraction": float("nan")}, ValueError, "fraction"),
        ({"fraction": "half"}, TypeError, "fraction"),
        ({"fraction": True}, TypeError, "fraction"),
        ({"attributes": [0, 30]}, ValueError, "attributes"),
        ({"attributes": [-1]}, ValueError, "attributes"),
        ({"attributes": [2, 2]}, ValueError, "attributes"),
        ({"attributes": ["mean radius"]}, TypeError, "attributes"),
        ({"y": [1, 1, 1]}, ValueError, "y must .* two classes"),
        ({"y": []}, ValueError, "y must"),
        ({"n_attributes": 0}, ValueError, "n_attributes"),
    ],
)
def test_block_mask_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        block_mask(**({"y": [0, 1, 1], "n_attributes": 30} | arguments))


def test_mcar_is_blind_to_rows_and_columns():
    mask = mcar_mask((2000, 20), fraction=0.3, random_state=0)
    assert abs(mask.mean() - 0.3) < 0.01
    assert np.abs(mask.mean(axis=0) - 0.3).max() < 0.05
    correlations = np.corrcoef(mask, rowvar=False)[~np.eye(20, dtype=bool)]
    assert np.abs(correlations).max() < 0.12
    assert not mcar_mask((9, 9), fraction=0).any()
    assert mcar_mask((9, 9), fraction=1).all()


@pytest.mark.parametrize(
    ("shape", "fraction"), [((0, 3), 0.5), ((3,), 0.5), (3, 0.5), ((3, 3), 1.01), ((3, 3), -1)]
)
def test_mcar_refuses(shape, fraction):
    with pytest.raises(ValueError, match="shape|fraction"):
        mcar_mask(shape, fraction=fraction)


@settings(deadline=None)
@given(seed=st.integers(0, 2**31), fraction=st.floats(0, 1))
def test_apply_mask_changes_hidden_cells_only(seed, fraction):
    X = np.random.default_rng(seed).normal(size=(8, 4))
    mask = mcar_mask(X.shape, fraction=fraction, random_state=seed)
    before = X.copy()
    holed = apply_mask(X, mask)
    assert (np.isnan(holed) == mask).all()
    assert (holed[~mask] == X[~mask]).all()
    assert (X == before).all()
    assert np.allclose(sparsity(holed), mask.mean(axis=1))


def test_apply_mask_keeps_a_frame_a_frame():
    X = pd.DataFrame({"a": [1, 2], "b": [3, 4]}, index=["r", "s"])
    holed = apply_mask(X, np.array([[True, False], [False, False]]))
    expected = pd.DataFrame({"a": [np.nan, 2.0], "b": [3.0, 4.0]}, index=["r", "s"])
    pd.testing.assert_frame_equal(holed, expected)


@pytest.mark.parametrize("mask", [[[0, 1]], [[True]], [True, False]])
def test_apply_mask_refuses(mask):
    with pytest.raises(ValueError, match="mask must be boolean and of the table's shape"):
        apply_mask([[1.0, 2.0]], mask)


def test_sparsity_refuses_what_is_no_table():
    with pytest.raises(ValueError, match="X must be a table"):
        sparsity([1.0, np.nan])


# ---------------------------------------------------------------- MAR, MNAR, monotone

tables = st.integers(0, 2**31).map(
    lambda seed: np.random.default_rng(seed).lognormal(size=(400, 6))
)
fractions = st.sampled_from([0.0, 0.1, 0.4, 0.7, 1.0])


@settings(deadline=None, max_examples=25)
@given(tables, fractions, st.integers(0, 1000))
def test_mar_depends_on_what_stays_observed_alone(X, fraction, seed):
    mask = mar_mask(X, fraction=fraction, random_state=seed)
    losing = mask.any(axis=0)
    changed = X.copy()
    changed[mask] = -1000.0  # whatever the hidden cells hold, the same cells are hidden
    np.testing.assert_array_equal(mar_mask(changed, fraction=fraction, random_state=seed), mask)
    if fraction:
        assert losing.sum() == 3
        assert abs(mask[:, losing].mean(axis=0) - fraction).max() <= 2 / np.sqrt(len(X))


def test_mar_does_depend_on_the_observed():
    X = np.random.default_rng(0).normal(size=(4000, 2))
    mask = mar_mask(X, fraction=0.5, random_state=0)
    losing = int(mask[:, 1].any())
    kept = X[:, 1 - losing]
    hit = mask[:, losing]
    assert abs(kept[hit].mean() - kept[~hit].mean()) > 1
    own = X[:, losing]
    assert abs(own[hit].mean() - own[~hit].mean()) < 0.15


@settings(deadline=None, max_examples=25)
@given(tables, fractions, st.sampled_from(["self", "quantile"]))
def test_mnar_depends_on_the_hidden_value_itself(X, fraction, kind):
    mask = mnar_mask(X, fraction=fraction, kind=kind, random_state=0)
    assert abs(mask.mean(axis=0) - fraction).max() <= 2 / np.sqrt(len(X))
    if fraction in (0.4, 0.7):
        for x, hit in zip(X.T, mask.T, strict=True):
            assert np.median(x[hit]) > np.median(x[~hit])
    # each attribute looks at itself only: another attribute's values change nothing
    other = X.copy()
    other[:, 1:] = other[::-1, 1:]
    again = mnar_mask(other, fraction=fraction, kind=kind, random_state=0)
    np.testing.assert_array_equal(again[:, 0], mask[:, 0])


def test_quantile_mnar_spares_the_lower_half():
    x = np.arange(1000.0)[:, None]
    mask = mnar_mask(x, fraction=0.3, kind="quantile", random_state=0)[:, 0]
    assert not mask[:500].any() and abs(mask[500:].mean() - 0.6) < 0.08


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 6), st.floats(0, 1), st.integers(0, 1000))
def test_monotone_masks_are_nested_and_reach_their_share(n, m, fraction, seed):
    mask = monotone_mask((n, 7), fraction=fraction, n_masked=m, random_state=seed)
    assert not mask[:, m:].any()
    assert (np.diff(mask.astype(int), axis=0) <= 0).all()  # once recorded, recorded ever after
    counts = np.sort(mask.sum(axis=0)[:m])
    order = np.argsort(mask.sum(axis=0)[:m])
    for early, late in zip(order[:-1], order[1:], strict=True):
        assert not (mask[:, early] & ~mask[:, late]).any()
    assert abs(counts.sum() - fraction * n * m) <= 0.5 + 1e-9


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_mechanism_is_made_by_name_and_repeats(mechanism):
    records = load_wdbc()
    made = [
        make_mask(mechanism, records.X, records.y, fraction=0.3, random_state=1) for _ in range(2)
    ]
    np.testing.assert_array_equal(*made)
    losing = made[0].any(axis=0)
    assert abs(made[0][:, losing].mean() - 0.3) < 0.02


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mar_mask([[1.0], [2.0]], fraction=0.5), "X must be a table of at least 2"),
        (lambda: mar_mask([[1.0, np.nan]], fraction=0.5), "X must be complete"),
        (lambda: mar_mask([[1.0, 2.0]], fraction=0.5, observed=2), "observed must be from 0 to 1"),
        (lambda: mnar_mask([[1.0]], fraction=0.5, kind="both"), "kind must be"),
        (lambda: mnar_mask([[1.0]], fraction=2), "fraction must be"),
        (lambda: monotone_mask((3, 2), fraction=0.5, n_masked=3), "n_masked must be"),
        (lambda: make_mask("MARS", [[1.0]], [0], fraction=0.1), "mechanism must be one of"),
    ],
)
def test_mechanisms_refuse(make, message):
    with pytest.raises(ValueError, match=message):
        make()
