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
from ehrgan.nets import backend, base, engine
from ehrgan.nets.autoencoder import PAPER_AUTOENCODER, _ImputerTask
from ehrgan.nets.networks import Autoencoder
from ehrgan.nets.objectives import ReconstructionObjective, hidden_cells
from ehrgan.nets.units import Units
from ehrgan.scores.metrics import rmse
from ehrgan.tables.masking import apply_mask, block_mask, mcar_mask
from ehrgan.tables.records import load_wdbc

QUICK = {"epochs": 2, "random_state": 0}


def table(n=60, d=4, rate=0.2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 1)) @ rng.normal(size=(1, d)) + 0.1 * rng.normal(size=(n, d))
    X[rng.random((n, d)) < rate] = np.nan
    return X


@parametrize_with_checks([StackedAutoencoderImputer(epochs=20, random_state=0)])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@settings(max_examples=20)
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
    paper = StackedAutoencoderImputer(**PAPER_AUTOENCODER, random_state=0).fit(holed[train])
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
        StackedAutoencoderImputer(**PAPER_AUTOENCODER).fit(X)


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


@settings(max_examples=5)
@given(st.integers(0, 2**31 - 1))
def test_tables_trained_together_equal_tables_trained_alone(seed):
    tables = [table(60, seed=seed), table(35, seed=seed + 1), table(47, rate=0.5, seed=seed + 2)]
    model = StackedAutoencoderImputer(epochs=5, random_state=seed)
    for X, together in zip(tables, model.fit_many(tables), strict=True):
        alone = clone(model).fit(X)
        np.testing.assert_allclose(together.transform(X), alone.transform(X), rtol=1e-4, atol=1e-4)


def test_models_of_unequal_epochs_trained_together_end_as_they_would_alone():
    tables, model = [table(seed=1), table(35, seed=2)], StackedAutoencoderImputer(random_state=0)
    params = [{"epochs": 3}, {"epochs": 8}]
    models = model.fit_many(tables, params=params)
    assert [m.n_iter_ for m in models] == [3, 8]
    for X, own, together in zip(tables, params, models, strict=True):
        alone = clone(model).set_params(**own).fit(X)
        np.testing.assert_allclose(together.transform(X), alone.transform(X), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(together.loss_curve_, alone.loss_curve_, rtol=1e-3)


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
     ("sparsity_threshold", 0.0), ("n_passes", 0), ("n_draws", -1), ("learning_rate", -1.0),
     ("n_jobs", 0), ("n_jobs", 2.0), ("n_jobs", "2")],
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
    holes, test = apply_mask(X, mask), np.arange(len(X)) % 2 == 1
    model = StackedAutoencoderImputer(n_members=1, n_draws=20, random_state=0).fit(holes[~test])
    draws, hidden = model.draw(holes[test], random_state=0), mask[test]
    assert np.array_equal(draws[3][~hidden], X[test][~hidden])
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    assert 0.82 < ((low <= X[test]) & (X[test] <= high))[hidden].mean() < 0.98


def test_a_table_without_any_value_is_refused():
    with pytest.raises(ValueError, match="X has no value in any of its 12 cells"):
        StackedAutoencoderImputer(**QUICK).fit(np.full((4, 3), np.nan))


# --- equation 1 on three rows ---------------------------------------------------------------------

nan = np.nan
ROWS = np.array([[[0.5, nan], [1.0, -1.0], [2.0, 0.3]], [[nan, nan], [0.2, 0.4], [-1.5, 1.0]]])
DONORS = np.array([[[nan, 1.0], [1.0, nan], [nan, nan]], [[1.0, 1.0], [nan, 1.0], [1.0, nan]]])
WEIGHTS = np.array([[0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]])  # a row of replica 0 is padding
# by stream: the donor; pattern or at random, and the rate; the cells at random
UNIFORMS = {
    1: np.array([[0.0, 0.5, 0.99], [0.3, 0.7, 0.34]]),
    2: np.array([[[0.79, 0.1], [0.81, 0.9], [0.1, 0.1]], [[0.85, 0.5], [0.0, 0.9], [0.9, 0.2]]]),
    3: np.array([[[0.1, 0.9], [0.44, 0.46], [0.0, 0.0]], [[0.1, 0.3], [0.9, 0.9], [0.2, 0.05]]]),
}
HIDDEN = np.array([[[1, 0], [1, 0], [1, 1]], [[1, 0], [1, 0], [0, 1]]])


class GivenNoise:
    """Noise that a test has chosen."""

    def uniform(self, shape, stream=0):
        """Return it."""
        assert shape == UNIFORMS[stream].shape[1:]
        return backend.tensorflow().constant(UNIFORMS[stream], "float32")


def weights_of(told, skip, seed=3):
    rng = np.random.default_rng(seed)
    shapes = [(told, 3), (1, 3), (3, 2), (1, 2), *([(2, 2), (1, 2)] if skip else [])]
    return [rng.normal(size=(2, *shape)) for shape in shapes]


def reconstructed(x, seen, weights, m, *, skip, n_passes, told):
    """Estimates of one record after each pass."""
    W1, b1, W2, b2, *linear = (p[m] for p in weights)
    x_in, outs = x * seen, []
    for _ in range(n_passes):
        out = np.maximum(np.append(x_in, seen if told else []) @ W1 + b1[0], 0) @ W2 + b2[0]
        if skip:
            out = out + x_in @ linear[0] + linear[1][0]
        outs.append(out)
        x_in = np.where(seen > 0, x, out)
    return outs


def test_cells_are_hidden_as_the_donor_lacks_them_or_at_the_records_own_rate():
    tf = backend.tensorflow()
    hidden = hidden_cells(tf.constant(DONORS, "float32"), GivenNoise(), 0.8)
    np.testing.assert_array_equal(hidden, HIDDEN)
    never = hidden_cells(tf.constant(DONORS, "float32"), GivenNoise(), 0.0)
    rate = 0.5 * UNIFORMS[2][..., 1:]
    np.testing.assert_array_equal(never, UNIFORMS[3] < rate)


def test_a_donor_is_any_record_of_the_replicas_own_table():
    tf = backend.tensorflow()
    X = np.arange(8.0).repeat(2).reshape(8, 2)
    data = {"X": tf.constant(X, "float32")}
    own = engine.Table(data, tf.constant([0, 3]), tf.constant([3, 5]))
    batch = problem(True).draw(own, tf.constant([[0, 2, 1], [0, 0, 4]]), GivenNoise())
    assert batch["X"].numpy()[..., 0].tolist() == [[0, 2, 1], [3, 3, 7]]
    assert batch["donor"].numpy()[..., 1].tolist() == [[0, 1, 2], [4, 6, 4]]
    assert "donor" not in problem(False).draw(own, tf.constant([[0, 2, 1]] * 2), GivenNoise())


def problem(corrupts, skip=True, n_passes=2, visible_weight=0.1):
    network = Autoencoder(2, (3,), told=corrupts, linear_skip=skip, n_passes=n_passes)
    return ReconstructionObjective(network, corrupts, 0.8, visible_weight)


@pytest.mark.parametrize(
    ("corrupts", "skip", "n_passes", "visible"),
    [(True, True, 2, 0.1), (True, False, 1, 0.0), (True, True, 3, 2.0), (False, False, 1, 0.1),
     (False, True, 2, 0.1)],
)  # fmt: skip
def test_the_loss_is_the_error_of_hidden_cells_and_a_little_of_the_visible(
    corrupts, skip, n_passes, visible
):
    tf = backend.tensorflow()
    net = problem(corrupts, skip, n_passes, visible)
    weights = weights_of(4 if corrupts else 2, skip)
    params = {"AE": [tf.constant(p, "float32") for p in weights]}
    batch = {"X": tf.constant(ROWS, "float32"), "donor": tf.constant(DONORS, "float32")}
    hyper = {"l2": np.float32([0.0, 0.4])}
    losses, terms = net.objectives(
        params, batch, tf.constant(WEIGHTS, "float32"), GivenNoise(), hyper
    )
    for m in range(2):
        squares, total = np.zeros(n_passes), 0.0
        for i in range(3 if m else 2):
            known = ~np.isnan(ROWS[m, i])
            seen = known & (HIDDEN[m, i] == 0) if corrupts else known
            x = np.nan_to_num(ROWS[m, i])
            cells = np.where(seen & corrupts, visible, 1.0) * known
            outs = reconstructed(
                x, seen.astype(float), weights, m, skip=skip, n_passes=n_passes, told=corrupts
            )
            squares += [(cells * (out - x) ** 2).sum() for out in outs]
            total += cells.sum()
        assert float(terms[m, 0]) == pytest.approx(squares[-1] / total, rel=1e-5)
        penalty = hyper["l2"][m] / 2 * sum((W[m] ** 2).sum() for W in weights[::2])
        assert float(losses["AE"][m]) == pytest.approx((squares / total).mean() + penalty, rel=1e-5)


@pytest.mark.parametrize("corrupts", [True, False])
def test_validation_scores_the_last_pass_on_the_cells_that_it_hid(corrupts):
    tf = backend.tensorflow()
    weights = weights_of(4 if corrupts else 2, True)
    cells = np.array([[[1, 0], [0, 1], [1, 1]], [[0, 0], [1, 0], [0, 1]]])
    data = {"X": ROWS, "hide": HIDDEN if corrupts else 0 * HIDDEN, "cells": cells}
    data = {k: tf.constant(a, "float32") for k, a in data.items()}
    params = {"AE": [tf.constant(p, "float32") for p in weights]}
    found = problem(corrupts).validation(params, data)
    for m in range(2):
        squares = 0.0
        for x, hide, cell in zip(ROWS[m], data["hide"].numpy()[m], cells[m], strict=True):
            seen = ~np.isnan(x) * (1 - hide)
            x = np.nan_to_num(x)
            out = reconstructed(x, seen, weights, m, skip=True, n_passes=2, told=corrupts)[-1]
            squares += (cell * (out - x) ** 2).sum()
        assert float(found[m]) == pytest.approx(squares / cells[m].sum(), rel=1e-5)


# --- units ----------------------------------------------------------------------------------------


def test_units_follow_their_formulas_and_lead_back():
    X = np.array([[1.0, 5.0, 7.0], [2.0, nan, 7.0], [5.0, 9.0, nan], [nan, 6.0, 7.0]])
    offset = 0.3 * (8 / 3 - 1)
    logs = np.log(np.array([0.0, 1.0, 4.0]) + offset)
    expected = {
        "minmax": [0, 0.25, 1],
        "standard": (np.array([1, 2, 5]) - 8 / 3) / np.std([1, 2, 5]),
        "log": (logs - logs.mean()) / logs.std(),
    }
    for scaling, wanted in expected.items():
        units = Units.learn(X, [0, 1, 2], scaling)
        assert (units.low.tolist(), units.high.tolist()) == ([1, 5, 7], [5, 9, 7])
        Z = units.to_network(X)
        assert Z.dtype == np.float32
        np.testing.assert_allclose(Z[:3, 0], wanted, atol=1e-6)
        np.testing.assert_allclose(units.from_network(Z), X, rtol=1e-5)
        assert (Z[[0, 1, 3], 2] == 0).all()  # a constant attribute
        far = units.from_network(np.full((2, 3), [[50.0], [-50.0]], np.float32))
        np.testing.assert_allclose(far, [units.high, units.low])
        swapped = Units.learn(X, [1, 0], scaling)
        np.testing.assert_array_equal(swapped.shift, units.shift[[1, 0]])
    units = Units.learn(X, [0], "log")
    floor = (np.log(offset / 2) - logs.mean()) / logs.std()
    np.testing.assert_allclose(units.to_network(np.array([[0.0], [-9.0]])), floor, rtol=1e-5)
    assert units.to_network(np.array([[1 - offset / 4]])) > floor


# --- what fit hands to the training loop ----------------------------------------------------------


@pytest.fixture
def handed(monkeypatch):
    """Calls of the training loop, which learns nothing: weight m of replica m holds m."""
    calls = []

    def train(problem, params, data, starts, lengths, seeds, **options):
        calls.append(
            {"problem": problem, "params": params, "data": data, "starts": starts,
             "lengths": lengths, "seeds": seeds, **options}
        )  # fmt: skip
        M = len(lengths)
        marked = [np.zeros_like(p) + np.arange(M).reshape(-1, 1, 1) for p in params["AE"]]
        terms = 1 + (options["validation"] is not None)
        history = np.arange(M)[None, :, None] + 100.0 * np.arange(terms) + np.zeros((3, 1, 1))
        return engine.Trained({"AE": marked}, history, 10 * np.arange(M) + 2)

    monkeypatch.setattr(base, "train", train)
    return calls


def learned_from(call, replica):
    start = call["starts"][replica]
    return call["data"]["X"][start : start + call["lengths"][replica]]


def in_order(X):
    return X[np.lexsort(np.nan_to_num(np.round(X, 4), nan=99.0).T)]


def test_every_member_learns_from_all_records_of_its_own_table(handed):
    tables = [table(40, 3, seed=1), table(25, 3, seed=2)]
    tables[1][4] = nan  # an empty record teaches nothing
    params = [{"l2": 0.5}, {"learning_rate": 0.3, "beta_1": 0.2, "decay": False, "random_state": 8}]
    models = StackedAutoencoderImputer(random_state=0, n_members=3).fit_many(tables, params=params)
    (call,) = handed
    assert call["lengths"].tolist() == [40] * 3 + [24] * 3 and call["shares"] is None
    assert call["starts"].tolist() == [0] * 3 + [40] * 3 and list(call["data"]) == ["X"]
    assert call["hyper"]["l2"].tolist() == [0.5] * 3 + [0] * 3
    assert call["hyper"]["learning_rate"].tolist() == [2e-3] * 3 + [0.3] * 3
    assert call["hyper"]["beta_1"].tolist() == [0.9] * 3 + [0.2] * 3
    assert call["hyper"]["decay"].tolist() == [1] * 3 + [0] * 3
    for m, (model, X) in enumerate(zip(models, tables, strict=True)):
        Z = model.units_.to_network(X[~np.isnan(X).all(axis=1)])
        np.testing.assert_allclose(in_order(learned_from(call, 3 * m)), in_order(Z), atol=1e-5)
        learned = model.weights_[:-1]  # the last are the records to look up
        assert all(p[:, 0, 0].tolist() == [3 * m, 3 * m + 1, 3 * m + 2] for p in learned)
        assert model.history_["reconstruction"].tolist() == [3 * m + 1] * 3
        assert model.best_epoch_ is None and "validation" not in model.history_
        assert model.loss_curve_ is model.history_["reconstruction"] and model.n_iter_ == 3
    streams = {tuple(seed.generate_state(4)) for seed in call["seeds"]}
    first = {tuple(W.ravel()[:4]) for W in call["params"]["AE"][0]}
    assert len(streams) == len(first) == 6


def test_networks_that_draw_learn_from_bootstraps_beside_those_that_do_not(handed):
    X = table(40, 3, rate=0.1)
    models = StackedAutoencoderImputer(n_members=2, n_draws=3, random_state=0).fit_many([X, X[:30]])
    (call,) = handed
    assert call["starts"].tolist() == [0] * 5 + [40] * 5
    assert call["lengths"].tolist() == [40] * 5 + [30] * 5
    counts = [np.diff(share, prepend=0) for share in call["shares"]]
    for m, own in enumerate(counts):
        assert own.sum() == len(own) == (40, 30)[m // 5]
        assert (own.max() == 1) == (m % 5 < 2)
    assert len({tuple(own[:30]) for own in counts}) == 7
    for i, model in enumerate(models):
        assert model.weights_[0][:, 0, 0].tolist() == [5 * i, 5 * i + 1]
        assert model.drawing_.weights[0][:, 0, 0].tolist() == [5 * i + 2, 5 * i + 3, 5 * i + 4]
        assert model.history_["reconstruction"].tolist() == [5 * i + 0.5] * 3


def test_nearly_complete_records_alone_teach_the_papers_network(handed):
    X = np.arange(44.0).reshape(4, 11)
    X[0, 3] = X[2, 5] = X[2, 6] = nan  # 9 % and 18 % of holes
    model = StackedAutoencoderImputer(
        **{**PAPER_AUTOENCODER, "early_stopping": False}, random_state=0
    ).fit(X)
    kept = model.units_.to_network(X[[0, 1, 3]])
    np.testing.assert_array_equal(in_order(learned_from(handed[0], 0)), in_order(kept))
    exactly = StackedAutoencoderImputer(corruption=None, sparsity_threshold=1 / 11, n_members=1)
    exactly.fit(X)
    assert handed[1]["lengths"].tolist() == [2]  # a smaller share, not an equal one
    assert (exactly.units_.low == np.nanmin(X, axis=0)).all()  # all records tell the scale


def test_first_weights_begin_near_the_identity(handed):
    X = table(40, 3)
    X[:, 1] = nan  # an attribute that nobody has
    plain = {"hidden_layers": (7, 5), "neighbours": False, "random_state": 0}
    StackedAutoencoderImputer(**plain, n_members=2).fit(X)
    StackedAutoencoderImputer(**plain, linear_skip=False).fit(X)
    StackedAutoencoderImputer(hidden_layers=(7, 5), random_state=0).fit(X)
    StackedAutoencoderImputer(**PAPER_AUTOENCODER, random_state=0).fit(table(40, 3, rate=0.02))
    with_skip, without, near, paper = (call["params"]["AE"] for call in handed)
    assert [p.shape[1:] for p in near[:2]] == [(6, 7), (1, 7)]  # the layers see the mean, too
    assert [p.shape[1:] for p in near[-2:]] == [(1, 2), (1, 2)] and len(near) == len(with_skip) + 2
    assert [p.shape[1:] for p in with_skip] == [
        (4, 7), (1, 7), (7, 5), (1, 5), (5, 2), (1, 2), (2, 2), (1, 2),
    ]  # fmt: skip
    np.testing.assert_array_equal(with_skip[-2], [np.eye(2)] * 2)
    assert not with_skip[-1].any()
    assert np.abs(with_skip[4]).max() <= 0.1 * np.sqrt(6 / 7) < np.abs(without[4]).max()
    assert 0.1 * np.sqrt(6 / 12) < np.abs(with_skip[2]).max()
    assert [p.shape[1:] for p in without] == [p.shape[1:] for p in with_skip[:-2]]
    assert [p.shape[1] for p in paper[::2]] == [3, 20, 10, 20]


@pytest.mark.parametrize(
    ("name", "values"),
    [("batch_size", (8, 16)), ("optimizer", ("adam", "sgd")),
     ("hidden_layers", ((4,), (5,))), ("n_passes", (1, 2)), ("pattern_share", (0.1, 0.9)),
     ("visible_weight", (0.0, 0.5)), ("linear_skip", (False, True)), ("n_members", (1, 2)),
     ("corruption", ("observed", None)), ("early_stopping", (False, True)),
     ("n_iter_no_change", (3, 4)), ("validation_fraction", (0.25, 0.5)), ("n_jobs", (1, -2))],
)  # fmt: skip
def test_models_trained_together_keep_their_own_settings(handed, name, values):
    tables = [table(20, 3, rate=0.02, seed=1), table(20, 3, rate=0.02, seed=2)]
    params = [{name: value} for value in values]
    model = StackedAutoencoderImputer(early_stopping=True, sparsity_threshold=1.0)
    models = model.fit_many(tables, params=params)
    assert len(handed) == 2
    for call, value, fitted in zip(handed, values, models, strict=True):
        problem = call["problem"]
        found = {
            "batch_size": call["batch_size"],
            "optimizer": call["optimizer"],
            "hidden_layers": (call["params"]["AE"][0].shape[2],),
            "n_passes": problem.AE.n_passes,
            "pattern_share": problem.pattern_share,
            "visible_weight": problem.visible_weight,
            "linear_skip": problem.AE.linear_skip,
            "n_members": len(call["starts"]),
            "n_jobs": call["n_jobs"],
            "corruption": "observed" if problem.corrupts else None,
            "early_stopping": call["validation"] is not None,
            "n_iter_no_change": call["patience"],
            "validation_fraction": 1 - call["lengths"][0] / 20,
        }
        assert found[name] == value
        assert fitted.weights_[0].shape[2] == found["hidden_layers"][0]
        assert problem.AE.hidden_layers == found["hidden_layers"]
        assert problem.AE.told == problem.corrupts and problem.AE.n_attributes == 3


def test_models_of_unequal_epochs_share_a_loop(handed):
    tables = [table(20, 3, seed=1), table(20, 3, seed=2)]
    params = [{"epochs": 3}, {"epochs": 4}]
    StackedAutoencoderImputer(n_members=2).fit_many(tables, params=params)
    (call,) = handed
    assert call["epochs"].tolist() == [3, 3, 4, 4]


def test_an_attribute_missing_from_one_table_is_missing_there_alone(handed):
    a, b = table(30, 3, seed=1), table(30, 3, seed=2)
    a[:, 0], b[:, 2] = nan, nan
    model = StackedAutoencoderImputer(n_members=1, scaling="log", random_state=0)
    models = model.fit_many([a, b])
    assert [m.kept_.tolist() for m in models] == [[1, 2], [0, 1]]
    for i, (X, kept) in enumerate(((a, [1, 2]), (b, [0, 1]))):
        known = X[~np.isnan(X).all(axis=1)]
        Z = Units.learn(X, kept, "log").to_network(known[:, kept])
        np.testing.assert_allclose(in_order(learned_from(handed[0], i)), in_order(Z), atol=1e-5)
    model = StackedAutoencoderImputer(early_stopping=True, pattern_share=1.0, n_members=1)
    model.fit_many([a, b])
    hide = handed[1]["validation"]["hide"]
    assert not hide[0, :6].all(axis=0).any() and not hide[1, :6].all(axis=0).any()


def test_runs_keep_to_the_memory_that_their_records_take(handed, monkeypatch):
    monkeypatch.setattr(base, "MEMORY_BUDGET", 800)
    StackedAutoencoderImputer(n_members=1).fit_many([table(20, 3, seed=i) for i in range(5)])
    assert [len(call["starts"]) for call in handed] == [2, 2, 1]  # 32 rows of 3 cells of 4 bytes


@pytest.mark.parametrize("corruption", ["observed", None])
def test_records_kept_for_validation_teach_nothing_and_hide_cells_of_their_own(handed, corruption):
    X, other = table(40, 3, rate=0.3, seed=4), table(80, 3, rate=0.3, seed=5)
    X[:, 0] = np.arange(40)
    other[:, 0] = 1000 + np.arange(80)
    models = StackedAutoencoderImputer(
        early_stopping=True, validation_fraction=0.25, corruption=corruption, n_members=2,
        sparsity_threshold=1.0, random_state=1,
    ).fit_many([X, other])  # fmt: skip
    (call,) = handed
    assert call["lengths"].tolist() == [30, 30, 60, 60]
    for i, (model, own, n) in enumerate(zip(models, (X, other), (10, 20), strict=True)):
        Z = model.units_.to_network(own)
        place = {z[0]: j for j, z in enumerate(Z)}
        learned = [place[z[0]] for z in learned_from(call, 2 * i)]
        for replica in (2 * i, 2 * i + 1):
            held, hide, cells = (call["validation"][k][replica] for k in ("X", "hide", "cells"))
            kept = [place[z[0]] for z in held[:n]]
            assert sorted(learned + kept) == list(range(4 * n))
            np.testing.assert_array_equal(held[:n], Z[kept])
            known = ~np.isnan(held)
            assert not known[n:].any() and not cells[n:].any() and not hide[n:].any()
            np.testing.assert_array_equal(cells, known & (hide > 0) if corruption else known)
            assert hide.any() == (corruption is not None)
        hides = call["validation"]["hide"][2 * i : 2 * i + 2]
        assert np.array_equal(*hides) == (corruption is None)
        assert model.history_["validation"].tolist() == [100.5 + 2 * i] * 3
        assert model.best_epoch_ == 10 * (2 * i + 0.5) + 3


@pytest.mark.parametrize("share", [0.0, 0.75, 1.0])
def test_cells_hidden_in_validation_are_those_of_donors_or_at_a_rate_of_the_record(share):
    X = np.tile([nan, 1.0, 1.0, nan, 1.0, 1.0], (50, 1))
    model = StackedAutoencoderImputer(pattern_share=share)
    model.kept_ = np.arange(6)
    task = _ImputerTask(model, X, np.arange(50))
    hide = task._hidden(4000, np.random.default_rng(0)).astype(bool)
    pattern = (hide == np.isnan(X[0])).all(axis=1)
    assert abs(pattern.mean() - share) < 0.05
    others = hide[~pattern]
    if share < 1:
        assert abs(others.mean() - 0.25) < 0.03
        assert others.mean(axis=1).std() > 0.2  # of its own: 0.18 if all had a quarter


def test_the_validation_split_has_its_size_and_leaves_one_to_learn_from():
    model = StackedAutoencoderImputer(early_stopping=True)
    model.kept_ = np.arange(2)
    rows = np.arange(100, 130)

    def task(n, seed):
        one = _ImputerTask(model, None, rows[:n])
        one.seed = np.random.SeedSequence(seed)
        return one

    for fraction, n, size in ((0.2, 30, 6), (0.01, 30, 1), (0.99, 3, 2), (0.25, 30, 8)):
        model.set_params(validation_fraction=fraction)
        fit, held = task(n, 3).parts
        assert len(held) == size and sorted([*fit, *held]) == rows[:n].tolist()
        assert n < 30 or fit.tolist() != sorted(fit)
    other = task(n, 4).parts[1]
    assert set(other) != set(held)
    model.set_params(early_stopping=False)
    whole = task(n, 4)
    fit, held = whole.parts
    assert fit is whole.rows and len(held) == 0


# --- estimates of known networks -----------------------------------------------------------------


def known(X, weights=None, **options):
    """An imputer whose attributes stay as they are, with weights of the test's choosing."""
    plain = {"scaling": "minmax", "neighbours": False, "n_members": 2, "random_state": 0}
    model = StackedAutoencoderImputer(**plain, **options)
    model.fit(np.vstack([X, np.zeros(X.shape[1]), np.ones(X.shape[1])]))
    model.weights_ = weights or model.weights_
    return model


@pytest.mark.parametrize(("n_passes", "skip"), [(1, True), (2, False), (3, True)])
@pytest.mark.parametrize("corruption", ["observed", None])
def test_holes_hold_the_mean_over_members_of_the_later_passes(handed, n_passes, skip, corruption):
    X = np.array([[0.3, nan], [nan, 0.8], [0.1, 0.2], [nan, nan], [nan, 0.5]])
    weights = [0.3 * W for W in weights_of(4 if corruption else 2, skip)]
    model = known(X, weights, n_passes=n_passes, linear_skip=skip, corruption=corruption)
    filled = model.transform(X)
    for x, row in zip(X, filled, strict=True):
        seen = ~np.isnan(x)
        outs = [
            reconstructed(
                np.nan_to_num(x), seen.astype(float), weights, m,
                skip=skip, n_passes=n_passes, told=corruption is not None,
            )
            for m in range(2)
        ]  # fmt: skip
        later = np.array(outs)[:, 1:] if n_passes > 1 else np.array(outs)
        expected = np.clip(later.mean(axis=(0, 1)), 0, 1)
        np.testing.assert_allclose(row, np.where(seen, x, expected), rtol=1e-6)
    assert ((filled > 0) & (filled < 1)).all(axis=1).any()


def test_long_tables_are_filled_and_learned_block_by_block(handed, monkeypatch):
    X = np.random.default_rng(2).random((11, 2))
    X[::2, 0], X[1::3, 1] = nan, nan
    model = known(X, weights_of(4, True))
    whole = model.transform(X)
    for user in ("autoencoder", "base"):
        monkeypatch.setattr(f"ehrgan.nets.{user}.BLOCK", 3)
    np.testing.assert_allclose(model.transform(X), whole, rtol=1e-12)
    known(X)
    np.testing.assert_array_equal(handed[1]["data"]["X"], handed[0]["data"]["X"])


def test_the_papers_settings_are_those_that_it_states():
    model = StackedAutoencoderImputer(**PAPER_AUTOENCODER)
    assert tuple(model.hidden_layers) == (20, 10, 20) and model.sparsity_threshold == 0.1
    assert model.corruption is None and model.early_stopping and model.scaling == "minmax"
    assert (model.n_passes, model.n_members, model.linear_skip) == (1, 1, False)
    assert model.optimizer == "sgd" and not model.decay and model.l2 == 0
