"""Rubin's rules beside statsmodels, and beside Barnard and Rubin's formulas by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ehrgan.scores.pooling import rubin_rules


def test_estimates_errors_and_shares_are_those_of_statsmodels():
    from statsmodels.imputation.mice import MICE, MICEData
    from statsmodels.regression.linear_model import OLS

    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(80, 3)), columns=["y", "a", "b"])
    table["y"] += table["a"]
    table.loc[rng.random(80) < 0.5, "a"] = np.nan
    np.random.seed(0)  # noqa: NPY002  (statsmodels draws from it, but not from it alone)
    theirs = MICE("y ~ a + b", OLS, MICEData(table))
    found = theirs.fit(n_burnin=2, n_imputations=20)
    estimates = np.array([one.params for one in theirs.results_list])
    variances = np.array([np.diag(one.cov_params()) for one in theirs.results_list])
    ours = rubin_rules(estimates, variances)
    np.testing.assert_allclose(ours.value, found.params)
    np.testing.assert_allclose(ours.error, found.bse)
    share = 1 - variances.mean(axis=0) / ours.error**2
    np.testing.assert_allclose(share, found.frac_miss_info)
    assert share[1] > 0.05  # of the coefficient whose covariate has holes
    # statsmodels takes normal intervals; for df in large samples see Rubin 1987, 3.1.6
    np.testing.assert_allclose(ours.df, 19 / share**2)


@given(
    st.lists(st.floats(-5, 5), min_size=2, max_size=12),
    st.floats(0.01, 10),
    st.integers(2, 500),
    st.floats(0.5, 0.99),
)
def test_degrees_of_freedom_interval_and_information_are_barnard_and_rubins(q, u, nu, level):
    m, q = len(q), np.array(q)
    b = (1 + 1 / m) * np.var(q, ddof=1)
    lam = b / (u + b)
    observed = (nu + 1) / (nu + 3) * nu * (1 - lam)
    with np.errstate(divide="ignore", over="ignore"):
        old = (m - 1) / np.float64(lam) ** 2
    df = observed if np.isinf(old) else old * observed / (old + observed)
    pooled = rubin_rules(q, np.full(m, u), df_complete=nu, level=level)
    np.testing.assert_allclose(pooled.df, df)
    half = stats.t.ppf((1 + level) / 2, df) * np.sqrt(u + b)
    np.testing.assert_allclose([pooled.low, pooled.high], [q.mean() - half, q.mean() + half])
    r = b / u
    np.testing.assert_allclose(pooled.missing_information, (r + 2 / (df + 3)) / (r + 1))


def test_tables_that_agree_lose_nothing():
    pooled = rubin_rules([2.0, 2.0], [0.25, 0.25])
    assert pooled.missing_information == 0 and pooled.df == np.inf
    np.testing.assert_allclose(pooled.high - 2, 0.5 * stats.norm.ppf(0.975))


def test_each_quantity_is_pooled_by_itself():
    rng = np.random.default_rng(1)
    q, u = rng.normal(size=(5, 2, 3)), rng.random((5, 2, 3)) + 0.1
    whole = rubin_rules(q, u, df_complete=50)
    one = rubin_rules(q[:, 1, 2], u[:, 1, 2], df_complete=50)
    assert whole.value.shape == (2, 3) and isinstance(one.value, float)
    np.testing.assert_allclose([part[1, 2] for part in whole], one)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(([1.0], [1.0]), "two tables or more"), ((1.0, 1.0), "two tables or more"),
     (([1.0, 2.0], [1.0]), r"shapes \(2,\) and \(1,\)"),
     (([1.0, np.nan], [1.0, 1.0]), "estimates must be finite"),
     (([1.0, 2.0], [1.0, 0.0]), "above 0"), (([1.0, 2.0], [1.0, np.inf]), "above 0")],
)  # fmt: skip
def test_what_cannot_be_pooled_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        rubin_rules(*arguments)


def test_senseless_settings_are_refused():
    with pytest.raises(ValueError, match="df_complete must be above 0, got 0"):
        rubin_rules([1.0, 2.0], [1.0, 1.0], df_complete=0)
    with pytest.raises(ValueError, match="level"):
        rubin_rules([1.0, 2.0], [1.0, 1.0], level=95)
