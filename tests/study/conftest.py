"""A small study's result, for all who compute its tables anew."""

import numpy as np
import pandas as pd
import pytest
from told import FOLDS

from ehrgan.study.result import StudyResult


@pytest.fixture(scope="module")
def result():
    """Two trials of two folds, 30 records: what three imputations and two classifiers said."""
    rng = np.random.default_rng(6)
    predictions, imputation = [], []
    for imputer in ("zero", "mean", "autoencoder"):
        for classifier in ("AC-GAN", "Naive Bayes"):
            for trial in (0, 1):
                order = rng.permutation(30)
                for fold, test in enumerate((order[:14], order[14:])):
                    y = (np.arange(len(test)) % 3 == 0).astype(int)
                    predictions.append(pd.DataFrame({
                        "trial": trial, "fold": fold, "record": test, "y": y, "imputer": imputer,
                        "classifier": classifier, "threshold": 0.5,
                        "probability": np.clip(0.3 * y + rng.random(len(y)), 0, 1).round(2),
                    }))  # fmt: skip
        imputation += [(*key, imputer, rng.random()) for key in FOLDS]
    return StudyResult(
        pd.concat(predictions, ignore_index=True),
        pd.DataFrame(imputation, columns=["trial", "fold", "imputer", "rmse"]),
        pd.DataFrame(),
        pd.DataFrame(),
        {},
    )
