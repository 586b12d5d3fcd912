"""Does a report keep its word? Made on one half of a table, tried on the other, many times."""

import time

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from ehrgan.report.reading import prepare
from ehrgan.report.report import make_report
from ehrgan.tables.datasets import DATASETS, load_dataset


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
        table = found.X.assign(outcome=np.where(found.y == 1, "yes", "no"))
        for split in tqdm(range(n_halves), desc=name, disable=None):
            # the same number of records on both sides, so that the interval speaks of the other
            here, there = train_test_split(
                np.arange(len(table)), test_size=0.5, stratify=found.y, random_state=split
            )
            start = time.perf_counter()
            half = table.iloc[here].reset_index(drop=True)
            report = make_report(prepare(half, "outcome", keep=tuple(found.X)), seed=split)
            model = report.fit()
            took = time.perf_counter() - start
            told = model.predict_proba(table.iloc[there].reset_index(drop=True))[:, 1]
            seen = roc_auc_score(found.y[there], told)
            rows.append((name, split, *report.method, report.auc, *report.prediction, seen, took))
    columns = ["set", "split", "imputation", "classifier", "auc", "low", "high", "seen", "seconds"]
    return pd.DataFrame(rows, columns=columns)
