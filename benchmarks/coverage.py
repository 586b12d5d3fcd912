"""Do 95 % intervals from imputed tables hold the true coefficient in 95 % of samples?

Each scenario draws tables of a known model, makes holes in the first covariate, imputes, fits a
regression to every imputed table and pools by Rubin's rules. The same regression before the holes
were made, and on the records without holes alone, stand beside it.
"""

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from tqdm import tqdm

from ehrgan import StackedAutoencoderImputer
from ehrgan.scores.pooling import rubin_rules

N_DRAWS, TOGETHER, RATE = 5, 50, 0.3


def normal(n, rng):
    """A linear regression: correlated normal covariates, normal errors."""
    x = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], n)
    y = 1 + x[:, 0] + 0.5 * x[:, 1] + rng.normal(size=n)
    return np.column_stack([x, y])


def skewed(n, rng):
    """Covariates and errors from chi-square distributions."""
    common = rng.chisquare(2, n)
    x = np.column_stack([common + rng.chisquare(2, n), common + rng.chisquare(2, n)]) / 2
    y = 1 + x[:, 0] + 0.5 * x[:, 1] + (rng.chisquare(3, n) - 3) / np.sqrt(6) * 2
    return np.column_stack([x, y])


def curved(n, rng):
    """A quadratic regression, which a linear imputation would flatten."""
    x = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], n)
    y = 1 + x[:, 0] + 0.5 * x[:, 0] ** 2 + 0.5 * x[:, 1] + rng.normal(size=n)
    return np.column_stack([x, y])


def binary(n, rng):
    """A logistic regression."""
    x = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], n)
    y = rng.random(n) < expit(-0.5 + 0.8 * x[:, 0] + 0.4 * x[:, 1])
    return np.column_stack([x, y])


def least_squares(X):
    """Coefficients of both covariates and their variances."""
    return _least_squares(np.column_stack([X[:, :2], np.ones(len(X))]), X[:, 2], 2)


def quadratic(X):
    """Coefficients of the covariates and of the first one's square."""
    design = np.column_stack([X[:, :2], X[:, 0] ** 2, np.ones(len(X))])
    return _least_squares(design, X[:, 2], 3)


def _least_squares(design, y, k):
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ y
    noise = np.sum((y - design @ beta) ** 2) / (len(y) - design.shape[1])
    return beta[:k], noise * np.diag(inverse)[:k]


def logistic(X):
    """Coefficients of the log-odds, by Newton's method, and their variances."""
    design, beta = np.column_stack([X[:, :2], np.ones(len(X))]), np.zeros(3)
    for _ in range(25):
        p = expit(design @ beta)
        inverse = np.linalg.inv(design.T @ (design * (p * (1 - p))[:, None]))
        beta = beta + inverse @ design.T @ (X[:, 2] - p)
    return beta[:2], np.diag(inverse)[:2]


#: Model, analysis and true coefficients.
SCENARIOS = {
    "normal": (normal, least_squares, (1.0, 0.5)),
    "skewed": (skewed, least_squares, (1.0, 0.5)),
    "binary": (binary, logistic, (0.8, 0.4)),
    "curved": (curved, quadratic, (1.0, 0.5, 0.5)),
}
#: Records of a table.
SIZES = {"normal": (200,), "skewed": (200,), "binary": (200,), "curved": (500,)}


def with_holes(X, mechanism, rng):
    """Hide 30 % of the first covariate: at random, or more where outcome and second are large."""
    chance = np.full(len(X), RATE)
    if mechanism == "MAR":
        z = (X - X.mean(axis=0)) / X.std(axis=0)
        lean = z[:, 2] + 0.5 * z[:, 1]
        shift = logit(RATE)
        for _ in range(30):
            chance = expit(shift + lean)
            shift += logit(RATE) - logit(chance.mean())
    X = X.copy()
    X[rng.random(len(X)) < chance, 0] = np.nan
    return X


def pooled(tables, analysis):
    """Coefficients of an analysis of every table, pooled."""
    found = [analysis(X) for X in tables]
    left = len(tables[0]) - len(found[0][0]) - 1
    return rubin_rules(*(np.array(part) for part in zip(*found, strict=True)), df_complete=left)


def repetitions(scenario, mechanism, n, seeds):
    """One row for each sample, way and coefficient."""
    make, analysis, truth = SCENARIOS[scenario]
    whole, holed = [], []
    for seed in seeds:
        rng = np.random.default_rng([seed, n])
        whole.append(make(n, rng))
        holed.append(with_holes(whole[-1], mechanism, rng))
    imputer = StackedAutoencoderImputer(n_members=1, n_draws=N_DRAWS)
    models = imputer.fit_many(holed, params=[{"random_state": seed} for seed in seeds])
    rows = []
    for seed, X, holes, model in zip(seeds, whole, holed, models, strict=True):
        known = holes[~np.isnan(holes).any(axis=1)]
        ways = {"no holes": [X] * 2, "complete records": [known] * 2}
        ways["draws"] = model.draw(holes, random_state=seed)
        for way, tables in ways.items():
            value, low, high, error, _, missing = pooled(tables, analysis)
            inside = (low <= truth) & (truth <= high)
            found = zip(range(len(truth)), value - truth, inside, error, missing, strict=True)
            rows += [(way, *one) for one in found]
    return rows


def coverage(scenarios=tuple(SCENARIOS), mechanisms=("MCAR", "MAR"), sizes=SIZES, n=200):
    """Simulate each scenario, mechanism and size n times.

    Returns
    -------
    DataFrame
        One row for each of them, each coefficient and each way: with no holes, from the complete
        records alone, and from the imputer's draws. Columns repetitions, inside (intervals that
        hold the truth), bias with its spread (sd) over repetitions, mean error (standard errors
        claimed) and missing_information.
    """
    parts = np.array_split(np.arange(n), -(-n // TOGETHER))
    cases = [(s, m, size) for s in scenarios for m in mechanisms for size in sizes[s]]
    done = []
    with tqdm(total=len(cases) * n, desc="coverage", disable=None) as bar:
        for case in cases:
            rows = []
            for seeds in parts:
                rows += repetitions(*case, [int(seed) for seed in seeds])
                bar.update(len(seeds))
            done.append(_summed(rows, case))
    return pd.concat(done, ignore_index=True)


def _summed(rows, case):
    columns = ["way", "coefficient", "bias", "inside", "error", "missing_information"]
    groups = pd.DataFrame(rows, columns=columns).groupby(["coefficient", "way"], sort=False)
    table = pd.DataFrame(
        {
            "repetitions": groups.size(),
            "inside": groups["inside"].sum(),
            "bias": groups["bias"].mean(),
            "sd": groups["bias"].std(),
            "error": groups["error"].mean(),
            "missing_information": groups["missing_information"].mean(),
        }
    ).reset_index()
    for name, value in zip(("n", "mechanism", "scenario"), case[::-1], strict=True):
        table.insert(0, name, value)
    return table
