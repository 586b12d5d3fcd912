"""StackedAutoencoderImputer: what it keeps, what it fills, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from ehrgan import StackedAutoencoderImputer
from ehrgan.autoencoder import PAPER
from ehrgan.evaluation import rmse
from ehrgan.masking import apply_mask, block_mask, mcar_mask
from ehrgan.records import load_wdbc

QUICK = {"epochs": 2, "random_state": 0}


def table(n=60, d=4, rate=0.2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 1)) @ rng.normal(size=(1, d)) + 0.1 * rng.normal(size=(n, d))
    X[rng.random((n, d)) < rate] = np.nan
    return X


@parametrize_with_checks([StackedAutoencoderImputer(epochs=20, random_state=0)])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@settings(max_examples=20, deadline=None)
@given(
    hnp.arrays(
        np.float64, (20, 4), elements=st.one_of(st.just(np.nan), st.floats(-1e6, 1e6, width=32))
    )
)
def test_observed_cells_come_back_bit_for_bit_and_filled_ones_stay_in_range(X):
    X[0] = 1.0  # no attribute is wholly empty
    filled = StackedAutoencoderImputer(**QUICK).fit_transform(X)
    seen = ~np.isnan(X)
    np.testing.assert_array_equal(filled[seen], X[seen])
    assert np.isfinite(filled).all()
    assert (filled >= np.nanmin(X, axis=0)).all() and (filled <= np.nanmax(X, axis=0)).all()


def test_hiding_in_training_beats_the_mean_on_unseen_records_and_the_paper_does_not():
    records = load_wdbc()
    X, y = records.X.to_numpy(), records.y
    mask = block_mask(y, 30, random_state=0)
    holed = np.where(mask, np.nan, X)
    train = np.arange(len(X)) % 5 > 0
    low, span = X.min(axis=0), np.ptp(X, axis=0)

    def error(filled):
        return rmse((X[~train] - low) / span, (filled - low) / span, mask[~train])

    default = StackedAutoencoderImputer(random_state=0).fit(holed[train])
    paper = StackedAutoencoderImputer(**PAPER, random_state=0).fit(holed[train])
    mean = np.where(mask, np.nanmean(holed[train], axis=0), X)[~train]
    ours, theirs = error(default.transform(holed[~train])), error(paper.transform(holed[~train]))
    assert ours < 0.075 < error(mean) < 0.17
    assert theirs > ours
    assert paper.best_epoch_ <= paper.n_iter_ and "validation" in paper.history_


def test_a_pattern_never_seen_a_row_all_missing_and_no_complete_row():
    X = table()
    X[np.arange(len(X)), np.arange(len(X)) % 4] = np.nan
    model = StackedAutoencoderImputer(**QUICK).fit(X)
    odd = np.full((2, 4), np.nan)
    odd[0, 2] = 0.3
    assert np.isfinite(model.transform(odd)).all()


def test_the_papers_way_needs_nearly_complete_records():
    X = table(rate=0.0)
    X[:, 0] = np.nan
    X[::2, 0] = 1.0
    X[:, 1] = np.where(np.isnan(X[:, 0]), X[:, 1], np.nan)
    with pytest.raises(ValueError, match="sparsity_threshold=0.1"):
        StackedAutoencoderImputer(**PAPER).fit(X)


def test_empty_and_constant_attributes_follow_simple_imputer():
    X = table()
    X[:, 1], X[:, 2] = np.nan, 7.0
    X[::3, 2] = np.nan
    dropped = StackedAutoencoderImputer(**QUICK).fit(X)
    assert dropped.get_feature_names_out().tolist() == ["x0", "x2", "x3"]
    assert (dropped.transform(X)[:, 1] == 7.0).all()
    kept = StackedAutoencoderImputer(**QUICK, keep_empty_features=True).fit_transform(X)
    assert kept.shape == X.shape and (kept[:, 1] == 0).all()


def test_frames_indicator_and_names():
    X = pd.DataFrame(table(), columns=list("abcd"), index=np.arange(60) + 100)
    model = StackedAutoencoderImputer(**QUICK, add_indicator=True).set_output(transform="pandas")
    out = model.fit_transform(X)
    assert out.columns.tolist() == [*"abcd", *(f"missingindicator_{c}" for c in "abcd")]
    assert out.index.equals(X.index)
    np.testing.assert_array_equal(out["missingindicator_a"].to_numpy(), X["a"].isna())


def test_float32_stays_float32_and_order_of_memory_does_not_matter():
    X = table()
    a = StackedAutoencoderImputer(**QUICK).fit_transform(X.astype(np.float32))
    assert a.dtype == np.float32
    b = StackedAutoencoderImputer(**QUICK).fit_transform(np.asfortranarray(X))
    np.testing.assert_array_equal(b, StackedAutoencoderImputer(**QUICK).fit_transform(X))


def test_a_fit_forgets_the_order_of_the_records():
    X = table()
    a, b = (StackedAutoencoderImputer(**QUICK).fit(rows) for rows in (X, X[::-1]))
    np.testing.assert_array_equal(a.transform(X), b.transform(X))


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_tables_trained_together_equal_tables_trained_alone(seed):
    tables = [table(60, seed=seed), table(35, seed=seed + 1), table(47, rate=0.5, seed=seed + 2)]
    model = StackedAutoencoderImputer(epochs=5, random_state=seed)
    for X, together in zip(tables, model.fit_many(tables), strict=True):
        alone = clone(model).fit(X)
        np.testing.assert_allclose(together.transform(X), alone.transform(X), rtol=1e-4, atol=1e-4)


def test_fit_many_refuses_other_widths_and_chunks_change_nothing():
    with pytest.raises(ValueError, match=r"datasets\[1\] has another number of attributes"):
        StackedAutoencoderImputer(**QUICK).fit_many([table(d=4), table(d=3)])
    tables = [table(seed=s) for s in range(5)]
    model = StackedAutoencoderImputer(**QUICK)
    whole = model.fit_many(tables)
    parts = model.set_params(max_replicas=2).fit_many(tables)
    for a, b, X in zip(whole, parts, tables, strict=True):
        np.testing.assert_allclose(a.transform(X), b.transform(X), rtol=1e-4, atol=1e-5)


def test_in_a_pipeline():
    X, y = load_wdbc().X.to_numpy(), load_wdbc().y
    X = np.where(mcar_mask(X.shape, fraction=0.2, random_state=0), np.nan, X)
    pipe = make_pipeline(StackedAutoencoderImputer(**QUICK), LogisticRegression(max_iter=10_000))
    assert pipe.fit(X, y).score(X, y) > 0.9


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("hidden_layers", (20, 0)), ("corruption", "some"), ("epochs", 0), ("scaling", "log10"),
     ("sparsity_threshold", 0.0), ("n_passes", 0), ("learning_rate", -1.0)],
)  # fmt: skip
def test_senseless_parameters_are_refused_by_name(parameter, value):
    with pytest.raises(ValueError, match=parameter):
        StackedAutoencoderImputer(**{parameter: value}).fit(table())


@pytest.mark.parametrize("mechanism", ["block", "at random"])
def test_draws_cover_hidden_values_about_as_often_as_they_say(mechanism):
    records = load_wdbc()
    X = records.X.to_numpy()
    if mechanism == "block":
        mask = block_mask(records.y, X.shape[1], random_state=1)
    else:
        mask = mcar_mask(X.shape, fraction=0.2, random_state=1)
    holes, fold = apply_mask(X, mask), np.arange(len(X)) % 5
    models = StackedAutoencoderImputer(random_state=0).fit_many(
        [holes[fold != k] for k in range(5)]
    )
    inside = np.zeros(X.shape, bool)
    for k, model in enumerate(models):
        test = fold == k
        draws = model.draw(holes[test], 40, random_state=0)
        assert np.array_equal(draws[3][~mask[test]], X[test][~mask[test]])
        low, high = np.quantile(draws, [0.05, 0.95], axis=0)
        inside[test] = (low <= X[test]) & (X[test] <= high)
    assert 0.82 < inside[mask].mean() < 0.98


def test_a_table_without_any_value_is_refused():
    with pytest.raises(ValueError, match="X has no value in any of its 12 cells"):
        StackedAutoencoderImputer(**QUICK).fit(np.full((4, 3), np.nan))
