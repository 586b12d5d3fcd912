"""Draws: the Gaussian beside the network, whose residuals are drawn, and how tables vary."""

import numpy as np
import pytest

from ehrgan import StackedAutoencoderImputer
from ehrgan.nets import draws
from ehrgan.nets.draws import Drawing, gaussian, regression
from ehrgan.scores.pooling import rubin_rules

nan = np.nan


def drawer(n_draws, **settings):
    settings = {"epochs": 2, "n_members": 1, "random_state": 0, **settings}
    return StackedAutoencoderImputer(n_draws=n_draws, **settings)


# --- the Gaussian ---------------------------------------------------------------------------------


def holed_normal(n=300, d=4, seed=0):
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, d)) @ rng.normal(size=(d, d))
    Z[rng.random((n, d)) < 0.3] = nan
    Z[np.isnan(Z).all(axis=1), 0] = 0.0  # no record is wholly empty
    return Z


def test_the_gaussian_of_complete_records_is_their_mean_and_covariance(monkeypatch):
    monkeypatch.setattr(draws, "PRIOR", 1e-9)
    Z, weight = np.random.default_rng(0).normal(size=(50, 3)), np.arange(50) % 4
    mean, covariance = gaussian(Z, weight)
    np.testing.assert_allclose(mean, np.average(Z, axis=0, weights=weight), atol=1e-8)
    np.testing.assert_allclose(covariance, np.cov(Z.T, fweights=weight, ddof=0), atol=1e-8)


def test_the_gaussian_with_holes_is_the_most_likely_one(monkeypatch):
    """Where one attribute has holes, the likelihood factors (Anderson 1957)."""
    monkeypatch.setattr(draws, "PRIOR", 1e-9)
    rng = np.random.default_rng(1)
    x = rng.normal(size=200)
    y = 0.5 + 2 * x + rng.normal(size=200)
    known = x < 0.3
    mean, covariance = gaussian(
        np.column_stack([x, np.where(known, y, nan)]), np.ones(200), tolerance=1e-9, most=2000
    )
    slope, level = np.polyfit(x[known], y[known], 1)
    noise = np.mean((y - level - slope * x)[known] ** 2)
    np.testing.assert_allclose(mean, [x.mean(), level + slope * x.mean()], rtol=1e-5)
    expected = x.var() * np.array([[1, slope], [slope, slope**2]]) + [[0, 0], [0, noise]]
    np.testing.assert_allclose(covariance, expected, rtol=1e-5)


def test_a_weight_is_a_repetition_and_blocks_change_nothing(monkeypatch):
    Z = holed_normal()
    weight = np.random.default_rng(2).integers(4, size=len(Z))
    found = gaussian(Z, weight)
    repeated = gaussian(np.repeat(Z, weight, axis=0), np.ones(weight.sum()))
    for a, b in zip(found, repeated, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)
    monkeypatch.setattr(draws, "CELLS", 16 * 7)
    for a, b in zip(found, gaussian(Z, weight), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)


def test_a_regression_is_on_what_each_record_shows():
    Z = holed_normal(40, seed=3)
    Z[0] = nan
    Z[:, 2] = nan
    rng = np.random.default_rng(4)
    root, mean = rng.normal(size=(4, 4)), rng.normal(size=4)
    S = root @ root.T
    expected, sd = regression(mean, S, Z, 2)
    for z, m, s in zip(Z, expected, sd, strict=True):
        seen = ~np.isnan(z)
        slopes = np.linalg.solve(S[np.ix_(seen, seen)], S[seen, 2])
        np.testing.assert_allclose(m, mean[2] + slopes @ (z - mean)[seen], rtol=1e-9)
        np.testing.assert_allclose(s, np.sqrt(S[2, 2] - slopes @ S[seen, 2]), rtol=1e-9)


# --- what is drawn --------------------------------------------------------------------------------


def test_residuals_are_of_records_that_the_member_has_not_learned_from(monkeypatch):
    X = holed_normal(60, 3)
    asked = []
    estimates = Drawing._estimates

    def spy(self, model, b, rows, seen, j):
        asked.append((b, j, rows.copy(), seen))
        return estimates(self, model, b, rows, seen, j)

    handed = {}
    learn = Drawing.learn.__func__

    def keep(cls, model, X, counts, weights, rng):
        handed.update(X=X, counts=counts)
        return learn(cls, model, X, counts, weights, rng)

    monkeypatch.setattr(Drawing, "_estimates", spy)
    monkeypatch.setattr(Drawing, "learn", classmethod(keep))
    model = drawer(6).fit(X)
    X, counts = handed["X"], handed["counts"]
    assert counts.shape == (6, 60) and (counts.sum(axis=1) == 60).all()
    assert 0.25 < (counts == 0).mean() < 0.5 and len(np.unique(counts, axis=0)) == 6
    place = {tuple(np.nan_to_num(x, nan=-99)[~np.isnan(x)]): i for i, x in enumerate(X)}
    never = ~(counts == 0).any(axis=0)
    for b, j, rows, seen in asked:
        assert not seen[:, j].any()
        for row in rows:
            # a hole that is filled meanwhile is none of the record's own cells
            i = next(i for own, i in place.items() if set(own) <= set(row))
            assert counts[b, i] == 0 or never[i]
    for j, donors in enumerate(model.drawing_.donors):
        assert len(donors) == (~np.isnan(X[:, j]) & ~never).sum()
        assert (np.diff(donors[:, 0]) >= 0).all()


def test_one_table_alone_takes_its_donors_from_the_records_left_out():
    X = holed_normal(60, 3)
    model = drawer(1).fit(X)
    assert all(5 < len(donors) < 40 for donors in model.drawing_.donors)
    assert np.isfinite(model.draw(X, random_state=0)).all()


def test_draws_are_reproducible_and_the_first_do_not_depend_on_how_many():
    X = holed_normal(80, 3).astype(np.float32)
    model = drawer(3).fit(X)
    found = model.draw(X, random_state=7)
    assert found.shape == (3, 80, 3) and found.dtype == np.float32
    known = ~np.isnan(X)
    np.testing.assert_array_equal(found[:, known], np.broadcast_to(X[known], (3, known.sum())))
    again = drawer(3).fit(X[::-1]).draw(X, 2, random_state=7)
    np.testing.assert_array_equal(again, found[:2])
    other = model.draw(X, random_state=8)
    # two draws of a cell may meet in a donor, but few do
    assert np.mean(other[:, ~known] == found[:, ~known]) < 0.2
    assert len(np.unique(found[:, ~known])) == 3 * (~known).sum()


def test_a_model_draws_among_others_as_it_would_alone():
    tables = [holed_normal(80, 3, seed=s) for s in (1, 2)]
    for X, together in zip(tables, drawer(2).fit_many(tables), strict=True):
        alone = drawer(2).fit(X)
        np.testing.assert_allclose(alone.transform(X), together.transform(X), atol=1e-3)
        # near donors may change places, but few do
        off = np.abs(alone.draw(X, random_state=0) - together.draw(X, random_state=0))
        assert np.mean(off > 1e-3) < 0.02


def test_the_single_best_guess_does_not_depend_on_the_draws():
    X = holed_normal(80, 3)
    with_draws, without = drawer(3).fit(X), drawer(0).fit(X)
    np.testing.assert_allclose(with_draws.transform(X), without.transform(X), atol=1e-4)
    np.testing.assert_allclose(with_draws.loss_curve_, without.loss_curve_, rtol=1e-3)
    assert len(with_draws.weights_[0]) == 1 and without.drawing_ is None


@pytest.mark.parametrize("wrong", [0, 1.0, 4])
def test_more_tables_than_networks_are_refused(wrong):
    model = drawer(3).fit(holed_normal(40, 3))
    model.set_params(n_draws=9)  # comes too late
    with pytest.raises(ValueError, match=f"n_imputations is {wrong!r}.*from 1 to 3"):
        model.draw(holed_normal(40, 3), wrong)


def test_an_imputer_that_was_not_asked_to_draw_says_how_to_ask():
    with pytest.raises(ValueError, match="n_draws was 0 in fit; set it"):
        drawer(0).fit(holed_normal(40, 3)).draw(holed_normal(40, 3), 2)
    with pytest.raises(ValueError, match="n_draws is 2 with corruption=None"):
        drawer(2, corruption=None).fit(holed_normal(40, 3))


def test_empty_attributes_records_and_tables_without_holes():
    X = np.column_stack([holed_normal(40, 2), np.full(40, nan), np.ones(40)])
    X[5] = nan
    model = drawer(2, keep_empty_features=True, add_indicator=True).fit(X)
    found = model.draw(X, random_state=0)
    assert found.shape == (2, 40, 8) and not found[..., 2].any()
    np.testing.assert_array_equal(found[..., 3], 1.0)
    np.testing.assert_array_equal(found[..., 4:], [np.isnan(X)] * 2)
    complete = np.arange(8.0).reshape(2, 4)
    np.testing.assert_array_equal(model.draw(complete)[0, :, :4], complete)
    late = np.array([[nan, nan, nan, nan]])  # the last attribute had no hole in fit
    assert np.isfinite(model.draw(late)).all()


def test_values_that_repeat_are_drawn_from_those_seen():
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    ill, age = (x + rng.normal(size=400) > 0) * 1.0, np.rint(50 + 5 * x)
    X = np.column_stack([x, ill, age])
    X[rng.random(X.shape) < 0.3] = nan
    found = drawer(2).fit(X).draw(X, random_state=0)
    assert set(found[..., 1].ravel()) == {0.0, 1.0}
    assert set(found[..., 2].ravel()) <= set(age)
    hidden = np.isnan(X[:, 1])
    for one in found:  # as often as in truth
        assert abs(one[hidden, 1].mean() - ill[hidden].mean()) < 0.15
        assert np.corrcoef(one[hidden, 1], x[hidden])[0, 1] > 0.4


# --- that tables vary as they should --------------------------------------------------------------


@pytest.fixture(scope="module")
def related():
    """Three attributes, the last two of which often vanish together and go together."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=1500)
    shared = rng.normal(size=1500)
    X = np.column_stack([x, x + shared, x + shared + 0.5 * rng.normal(size=1500)])
    holes = np.zeros(X.shape, bool)
    holes[rng.random(1500) < 1 / (1 + np.exp(1 - x)), 1:] = True
    return X, np.where(holes, nan, X), holes[:, 1]


def test_holes_of_a_record_are_drawn_together(related):
    X, holes, hidden = related
    found = drawer(4).fit(holes).draw(holes, random_state=0)
    for one in found:
        residual = one[hidden, 1:] - one[hidden, :1]
        np.testing.assert_allclose(np.var(residual, axis=0), [1, 1.25], rtol=0.25)
        assert abs(np.corrcoef(residual.T)[0, 1] - np.sqrt(1 / 1.25)) < 0.03


def test_members_vary_as_estimates_of_such_samples_do(related):
    _, holes, hidden = related
    drawing = drawer(40, epochs=1).fit(holes).drawing_
    deviation = drawing.mean[:, 0].std(ddof=1)
    assert 0.7 < deviation * np.sqrt(len(holes)) < 1.4  # of 40 bootstraps; its error is 11 %
    members = list(zip(drawing.mean, drawing.covariance, strict=True))
    at_zero = [regression(*member, np.array([[0.0, nan, nan]]), 1)[0] for member in members]
    expected = 1 / np.sqrt((~hidden).sum()) / drawing.scale[1]
    assert 0.7 < np.std(at_zero, ddof=1) / expected < 1.6


def test_the_spread_of_draws_follows_that_of_near_residuals():
    rng = np.random.default_rng(6)
    x = rng.random(2000)
    y = 3 * x + (0.1 + x) * (rng.chisquare(2, 2000) - 2)
    holes = np.column_stack([x, np.where(rng.random(2000) < 0.4, nan, y)])
    hidden = np.isnan(holes[:, 1])
    found = drawer(4).fit(holes).draw(holes, random_state=0)[:, hidden, 1] - 3 * x[hidden]
    for low in (0.0, 0.4, 0.8):
        own = (low <= x[hidden]) & (x[hidden] < low + 0.2)
        spread = 2 * np.sqrt(np.mean((0.1 + x[hidden][own]) ** 2))
        assert 0.7 < found[:, own].std() / spread < 1.4
        assert ((found[:, own] / spread) ** 3).mean() > 0.8  # skewed as what was seen; 2 is true


def test_the_network_counts_where_a_line_will_not_do_and_little_elsewhere():
    rng = np.random.default_rng(7)
    x = rng.uniform(-2, 2, 400)
    tables = [np.column_stack([x, f + 0.2 * rng.normal(size=400)]) for f in (x**2, x)]
    for X in tables:
        X[rng.random(400) < 0.3, 1] = nan
    bent, straight = drawer(3, epochs=100).fit_many(tables)
    assert bent.drawing_.share[1] > 0.8 and straight.drawing_.share[1] < 0.6
    hidden = np.isnan(tables[0][:, 1])
    residual = bent.draw(tables[0], random_state=0)[:, hidden, 1] - x[hidden] ** 2
    assert abs(residual.mean()) < 0.06 and 0.15 < residual.std() < 0.35


def test_a_coefficient_is_unbiased_and_its_interval_as_wide_as_the_holes_ask(related):
    """Beside exact draws from the normal model, of whose kind the data are."""
    X, holes, hidden = related
    design = np.column_stack([holes[:, 0], np.ones(len(X))])

    def slope(table):
        inverse = np.linalg.inv(design.T @ design)
        beta = inverse @ design.T @ table[:, 1]
        noise = np.sum((table[:, 1] - design @ beta) ** 2) / (len(X) - 2)
        return beta[0], noise * inverse[0, 0]

    known = ~hidden
    inverse = np.linalg.inv(design[known].T @ design[known])
    beta = inverse @ design[known].T @ X[known, 1]
    freedom = known.sum() - 2
    noise = np.sum((X[known, 1] - design[known] @ beta) ** 2)
    rng, exact = np.random.default_rng(8), []
    for _ in range(200):
        variance = noise / rng.chisquare(freedom)
        drawn = rng.multivariate_normal(beta, variance * inverse)
        y = design @ drawn + np.sqrt(variance) * rng.normal(size=len(X))
        exact.append(np.column_stack([X[:, 0], np.where(hidden, y, X[:, 1])]))
    exact = rubin_rules(*np.transpose([slope(table) for table in exact]), df_complete=len(X) - 2)
    found = drawer(30).fit(holes).draw(holes, random_state=0)
    found = rubin_rules(*np.transpose([slope(table) for table in found]), df_complete=len(X) - 2)
    assert abs(found.value - exact.value) < 0.3 * exact.error
    assert 0.85 < found.error / exact.error < 1.2
    assert 0.6 < found.missing_information / exact.missing_information < 1.5
