"""Error on hidden cells and time of imputers, on the folds of the study's data."""

import time
import warnings

import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from tqdm import tqdm

from ehrgan import StackedAutoencoderImputer
from ehrgan.nets.autoencoder import PAPER_AUTOENCODER
from ehrgan.scores.metrics import rmse
from ehrgan.tables.masking import apply_mask, block_mask, mcar_mask
from ehrgan.tables.records import load_wdbc


def imputers(seed):
    """Return the imputers by name; those that need one scale for all attributes get it."""
    # 0.1 was the best of 0.001, 0.01, 0.1 and 1 on both mechanisms; scikit-learn's default
    # (Bayesian ridge) is nearly unpenalised and runs off where fifteen attributes vanish at once
    ridge = Ridge(alpha=0.1)
    forest = RandomForestRegressor(n_estimators=20, n_jobs=-1, random_state=seed)
    return {
        "mean": SimpleImputer(),
        "10 nearest neighbours": make_pipeline(MinMaxScaler(), KNNImputer(n_neighbors=10)),
        "chained ridge": make_pipeline(
            MinMaxScaler(),
            IterativeImputer(ridge, min_value=0, max_value=1, random_state=seed),
        ),
        "chained forests": make_pipeline(
            MinMaxScaler(), IterativeImputer(forest, max_iter=3, random_state=seed)
        ),
        "autoencoder, the paper's": StackedAutoencoderImputer(
            **PAPER_AUTOENCODER, random_state=seed
        ),
        "autoencoder, our default": StackedAutoencoderImputer(random_state=seed),
    }


def one_fold(imputer, holes, truth, mask, train, test):
    """Fit on the training records, fill the test records; error (0 to 1) and processor time."""
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        imputer.fit(holes[train])
    fitted = time.process_time()
    filled = imputer.transform(holes[test])
    done = time.process_time()
    if hasattr(imputer, "steps"):
        filled = imputer[0].inverse_transform(filled)
    ruler = MinMaxScaler().fit(truth)  # measures the result; teaches nothing
    error = rmse(ruler.transform(truth[test]), ruler.transform(filled), mask[test])
    return error, fitted - start, done - fitted


def errors_and_times(seeds=(0, 1, 2), n_folds=5):
    """Compare imputers on the paper's block and on 20 % of the cells missing at random.

    Returns
    -------
    DataFrame
        One row for each mechanism, seed, fold and imputer: rmse on hidden cells of the test fold,
        on the 0..1 scale of the complete table, and seconds of processor time to fit and to
        transform. A first fit that is not timed leaves compilation out.
    """
    records = load_wdbc()
    X, y = records.X.to_numpy(), records.y
    for model in imputers(0).values():
        if isinstance(model, StackedAutoencoderImputer):
            model.fit(apply_mask(X, block_mask(y, X.shape[1], random_state=0))[:455])
    rows = []
    for seed in tqdm(seeds, desc="imputers", disable=None):
        masks = {
            "block": block_mask(y, X.shape[1], random_state=seed),
            "20 % at random": mcar_mask(X.shape, fraction=0.2, random_state=seed),
        }
        folds = list(StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(X, y))
        for mechanism, mask in masks.items():
            holes = apply_mask(X, mask)
            for name in imputers(seed):
                if "paper" in name and mechanism != "block":
                    continue  # no record is nearly complete, so it has nothing to learn from
                for k, (train, test) in enumerate(folds):
                    result = one_fold(imputers(seed)[name], holes, X, mask, train, test)
                    rows.append((mechanism, seed, k, len(train), len(test), name, *result))
    columns = ["mechanism", "seed", "fold", "n_train", "n_test", "imputer"]
    return pd.DataFrame(rows, columns=[*columns, "rmse", "fit", "transform"])
