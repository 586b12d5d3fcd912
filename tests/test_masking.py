"""Masks hide what they promise, and refuse what makes no sense."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ehrgan.masking import apply_mask, block_mask, mcar_mask, sparsity
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
