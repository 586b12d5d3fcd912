"""Masks hide what they promise, and refuse what makes no sense."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from ehrgan.tables.masking import (
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
from ehrgan.tables.records import load_wdbc


def test_paper_mask_hits_half_of_each_class_of_wdbc():
    records = load_wdbc()
    mask = block_mask(records.y, 30, random_state=0)
    hit = mask.any(axis=1)
    assert [hit[records.y == c].sum() for c in (0, 1)] == [178, 106]
    assert mask[hit, :15].all()
    assert not mask[:, 15:].any()


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


def test_every_record_of_a_class_is_as_likely_to_be_hit():
    y, n_seeds = np.repeat([0, 1], [10, 20]), 400
    masks = [block_mask(y, 1, n_masked=1, fraction=0.3, random_state=s) for s in range(n_seeds)]
    hits = np.mean(masks, axis=0)[:, 0]
    assert np.abs(hits - 0.3).max() < 5 * np.sqrt(0.3 * 0.7 / n_seeds)
    # each class is dealt by itself
    first = np.array(masks)[:, [0, 10], 0].astype(float)
    assert abs(np.corrcoef(first, rowvar=False)[0, 1]) < 5 / n_seeds**0.5


def test_half_of_each_class_and_the_first_fifteen_by_default():
    y = np.arange(40) % 2
    np.testing.assert_array_equal(
        block_mask(y, 20, random_state=3),
        block_mask(y, 20, fraction=0.5, n_masked=15, random_state=3),
    )


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
        ({"y": [[0, 1], [1, 0]]}, ValueError, "y must be one-dimensional"),
        ({"attributes": [[0, 1]]}, TypeError, "attributes"),
        ({"n_masked": True}, TypeError, "n_masked"),
        ({"n_attributes": 0}, ValueError, "n_attributes must be at least 1, got 0"),
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
    # a record's count of holes spreads as that of independent draws
    assert mask.sum(axis=1).var() == pytest.approx(20 * 0.3 * 0.7, rel=0.15)
    assert not mcar_mask((9, 9), fraction=0).any()
    assert mcar_mask((9, 9), fraction=1).all()


@pytest.mark.parametrize(
    ("shape", "fraction"),
    [((0, 3), 0.5), ((3, 0), 0.5), ((3,), 0.5), (3, 0.5), ((3, 3), 1.01), ((3, 3), -1)],
)
def test_mcar_refuses(shape, fraction):
    with pytest.raises(ValueError, match="shape|fraction"):
        mcar_mask(shape, fraction=fraction)


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


@pytest.mark.parametrize("X", [[1.0, np.nan], np.empty((2, 0))])
def test_sparsity_refuses_what_is_no_table(X):
    with pytest.raises(ValueError, match="X must be a table"):
        sparsity(X)


# ---------------------------------------------------------------- MAR, MNAR, monotone

tables = st.integers(0, 2**31).map(
    lambda seed: np.random.default_rng(seed).lognormal(size=(400, 6))
)
fractions = st.sampled_from([0.0, 0.1, 0.4, 0.7, 1.0])


@settings(max_examples=25)
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


def log_odds(X, hit):
    """Slopes of a hole's log-odds, per standard deviation of each attribute's ranks."""
    ranks = rankdata(X, axis=0)
    ranks = (ranks - ranks.mean(axis=0)) / ranks.std(axis=0)
    return LogisticRegression(C=1e6).fit(ranks, hit).coef_[0]


def test_mar_does_depend_on_the_observed_in_either_direction():
    X = np.random.default_rng(0).normal(size=(4000, 2))
    slopes, losing = [], []
    for seed in range(8):
        mask = mar_mask(X, fraction=0.4, random_state=seed)
        losing.append(int(mask[:, 1].any()))
        slopes.append(log_odds(X, mask[:, losing[-1]]))
        kept, own = slopes[-1][1 - losing[-1]], slopes[-1][losing[-1]]
        assert abs(kept) == pytest.approx(2, abs=0.35)
        assert abs(own) < 0.25
    signs = np.sign([slope[1 - j] for slope, j in zip(slopes, losing, strict=True)])
    assert set(signs) == {-1, 1}  # a high value may make a hole likelier or less likely
    assert set(losing) == {0, 1}  # and either attribute may be the one that stays


def test_mar_looks_at_all_that_stays_and_at_each_attribute_in_its_own_way():
    X = np.random.default_rng(0).normal(size=(8000, 5))
    mask = mar_mask(X, fraction=0.5, observed=0.4, random_state=1)
    losing = mask.any(axis=0)
    assert losing.sum() == 3
    slopes = np.array([log_odds(X[:, ~losing], hit) for hit in mask[:, losing].T])
    assert np.linalg.norm(slopes, axis=1) == pytest.approx(np.full(3, 2), abs=0.3)
    assert np.abs(slopes).min(axis=0).max() > 0.1
    angles = np.arctan2(*slopes.T)
    assert np.abs(np.diff(angles[[0, 1, 2, 0]])).min() > 0.1


@pytest.mark.parametrize(("observed", "n_kept"), [(0.25, 2), (0.5, 4), (0, 1), (1, 7)])
def test_mar_keeps_the_share_it_is_told_to(observed, n_kept):
    X = np.random.default_rng(0).normal(size=(50, 8))
    mask = mar_mask(X, fraction=1.0, observed=observed, random_state=0)
    assert (~mask.any(axis=0)).sum() == n_kept
    assert mask.all(axis=0).sum() == 8 - n_kept


@pytest.mark.parametrize("sign", [1, -1])
def test_self_masking_is_logistic_in_the_rank_whatever_the_units(sign):
    x = np.random.default_rng(0).lognormal(sigma=2, size=(8000, 1))
    X = np.c_[sign * x, 5 - 3 * sign * x]  # one attribute and its mirror image
    mask = mnar_mask(X, fraction=0.3, random_state=0)
    for j in range(2):
        assert log_odds(X[:, [j]], mask[:, j])[0] == pytest.approx(2, abs=0.25)
    assert np.median(x[mask[:, 0]]) * sign > np.median(x[~mask[:, 0]]) * sign
    assert np.median(x[mask[:, 1]]) * sign < np.median(x[~mask[:, 1]]) * sign
    monotone = sign * np.c_[np.log(x), x]
    np.testing.assert_array_equal(
        mnar_mask(monotone, fraction=0.3, random_state=0)[:, 0], mask[:, 0]
    )


@pytest.mark.parametrize("kind", ["self", "quantile"])
def test_mnar_holes_of_two_attributes_are_drawn_apart(kind):
    x = np.arange(4000.0)
    first, second = mnar_mask(np.c_[x, x], fraction=0.3, kind=kind, random_state=0).T
    # near one value the two are independent: 0.6 of the upper half for the quantile
    assert (first != second).any()
    if kind == "quantile":
        assert (first & second)[2000:].mean() == pytest.approx(0.36, abs=0.06)


@pytest.mark.parametrize("make", [mar_mask, mnar_mask])
def test_an_attribute_of_one_value_still_reaches_the_share(make):
    mask = make(np.ones((2000, 2)), fraction=0.3, random_state=0)
    assert mask[:, mask.any(axis=0)].mean(axis=0) == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("make", [mar_mask, mnar_mask])
@pytest.mark.parametrize("fraction", [0, 1])
def test_none_and_all_are_hidden_exactly(make, fraction):
    mask = make(np.random.default_rng(0).normal(size=(500, 2)), fraction=fraction)
    assert mask.sum() == fraction * 500 * (1 if make is mar_mask else 2)


@settings(max_examples=25)
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
    # beyond one half every cell of the upper share goes
    more = mnar_mask(x, fraction=0.7, kind="quantile", random_state=0)[:, 0]
    np.testing.assert_array_equal(more, x[:, 0] >= 300)
    half = mnar_mask(x, fraction=0.5, kind="quantile", random_state=0)[:, 0]
    np.testing.assert_array_equal(half, x[:, 0] >= 500)


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


def test_dates_of_a_monotone_block_differ_and_are_drawn():
    options = {"fraction": 0.4, "n_masked": 5}
    masks = np.array([monotone_mask((100, 6), random_state=s, **options) for s in range(200)])
    begins = masks.sum(axis=1)[:, :5]
    assert (begins.sum(axis=1) == 200).all()
    assert begins.max() > 70 and begins.min() < 10  # dates reach as far as the table allows
    assert (begins.std(axis=1) > 0).all()
    # in pairs round their mean, and one of five on it, each attribute as likely
    centred = np.sort(begins, axis=1) - 40
    assert np.abs(centred + centred[:, ::-1]).max() <= 2
    assert np.abs(begins.mean(axis=0) - 40).max() < 5 * begins.std() / 200**0.5
    assert len({tuple(np.argsort(row)) for row in begins}) > 60  # of 120 orders


@pytest.mark.parametrize("fraction", [0.3, 0.8])
def test_a_monotone_block_of_chosen_attributes(fraction):
    mask = monotone_mask((50, 4), fraction=fraction, n_masked=99, attributes=[3, 1], random_state=0)
    assert mask.any(axis=0).tolist() == [False, True, False, True]
    assert mask.sum() == round(fraction * 50 * 2)
    assert not monotone_mask((5, 4), fraction=1.0, attributes=[]).any()


def test_make_mask_hands_everything_on():
    X = np.random.default_rng(0).normal(size=(60, 18))
    y = np.arange(60) % 3
    seeded = {"fraction": 0.35, "random_state": 7}
    block = {"n_masked": 3, "attributes": None}
    chosen = {"n_masked": 3, "attributes": [2, 17]}
    expected = {
        "MCAR": mcar_mask(X.shape, **seeded),
        "MAR": mar_mask(X, **seeded),
        "MNAR": mnar_mask(X, kind="self", **seeded),
        "MNAR quantile": mnar_mask(X, kind="quantile", **seeded),
    }
    for options in (block, chosen):
        expected["block"] = block_mask(y, 18, **options, **seeded)
        expected["monotone"] = monotone_mask(X.shape, **options, **seeded)
        assert set(expected) == set(MECHANISMS)
        for mechanism, mask in expected.items():
            np.testing.assert_array_equal(make_mask(mechanism, X, y, **options, **seeded), mask)
    fifteen = make_mask("block", X, y, fraction=1.0)
    assert fifteen[:, :15].all() and not fifteen[:, 15:].any()


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_another_seed_hides_other_cells_and_a_generator_moves_on(mechanism):
    X, y = np.random.default_rng(0).normal(size=(60, 18)), np.arange(60) % 2
    masks = [make_mask(mechanism, X, y, fraction=0.35, random_state=seed) for seed in range(3)]
    generator = np.random.RandomState(0)
    masks += [make_mask(mechanism, X, y, fraction=0.35, random_state=generator) for _ in range(2)]
    np.testing.assert_array_equal(masks[0], masks[3])
    for one, other in ((0, 1), (0, 2), (1, 2), (3, 4)):
        assert (masks[one] != masks[other]).any()


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
        (lambda: mnar_mask([[1.0], [np.inf]], fraction=0.5), "X must be complete and finite"),
        (lambda: mnar_mask([1.0, 2.0], fraction=0.5), "X must be a table of at least 1"),
        (lambda: mnar_mask(np.empty((0, 2)), fraction=0.5), "X must be a table"),
        (lambda: mnar_mask([[1.0]], fraction=0.5, kind="both"), "kind must be"),
        (lambda: mnar_mask([[1.0]], fraction=2), "fraction must be"),
        (lambda: monotone_mask((3, 2), fraction=0.5, n_masked=3), "n_masked must be"),
        (lambda: make_mask("MARS", [[1.0]], [0], fraction=0.1), "mechanism must be one of"),
    ],
)
def test_mechanisms_refuse(make, message):
    with pytest.raises(ValueError, match=message):
        make()
