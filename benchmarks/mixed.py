"""Categories filled by probability: accuracy and log loss on hidden cells of unseen records."""

import warnings
from importlib.util import find_spec

import numpy as np
import pandas as pd
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from tqdm import tqdm

from ehrgan import MixedImputer, StackedAutoencoderImputer
from ehrgan.tables.datasets import DATASETS, load_dataset

N_RECORDS = 1000  # of a longer table, drawn at random: chained forests take minutes beyond
N_NEIGHBORS = 10
N_DRAWS = 5  # of chained forests, as many as their authors' examples draw


def imputers(seed):
    """Return the imputers by name, each with the counts that its probabilities are shares of.

    Min-max scaling leaves codes of 0 and 1 as they are; filled numbers are not looked at here.
    """
    neighbours = make_pipeline(MinMaxScaler(), KNNImputer(n_neighbors=N_NEIGHBORS))
    ours = StackedAutoencoderImputer(random_state=seed)
    found = {
        "mode": (MixedImputer(SimpleImputer()), None),
        "10 nearest neighbours": (MixedImputer(neighbours), N_NEIGHBORS),
        # nobody tells an imputer in a pipeline which columns code a category
        "autoencoder, codes as numbers": (MixedImputer(make_pipeline(ours)), None),
        "autoencoder, our default": (MixedImputer(ours), None),
    }
    if find_spec("miceforest"):
        found["miceforest"] = (ChainedForests(seed), N_DRAWS)
    return found


class ChainedForests:
    """miceforest with the methods of MixedImputer that are used here: shares of its draws."""

    def __init__(self, seed):
        self.seed = seed

    def fit(self, X):
        """Chain boosted trees, all draws."""
        import miceforest

        renamed = self._renamed(X)
        # classes are drawn by their probabilities: its default, matching by their log-odds, fails
        # where a probability is 0 or 1
        drawn = dict.fromkeys(renamed.select_dtypes("category"), "fast")
        self.kernel = miceforest.ImputationKernel(
            renamed, num_datasets=N_DRAWS, mean_match_strategy=drawn, random_state=self.seed
        )
        self.kernel.mice(3, num_threads=1, verbosity=-1)
        return self

    def category_probabilities(self, X):
        """Shares of the categories among the draws; even ones where it does not fill."""
        new = self.kernel.impute_new_data(self._renamed(X), random_state=self.seed)
        draws = [new.complete_data(dataset=i) for i in range(N_DRAWS)]
        chances = {}
        for j, name in enumerate(X):
            if X[name].dtype == "category":
                levels = X[name].cat.categories
                codes = np.stack([levels.get_indexer(draw[f"v{j}"]) for draw in draws])
                counts = (codes[..., None] == np.arange(len(levels))).sum(axis=0)
                counts = np.where(counts.sum(axis=1, keepdims=True) > 0, counts, 1)
                shares = counts / counts.sum(axis=1, keepdims=True)
                chances[name] = pd.DataFrame(shares, columns=levels, index=X.index)
        return chances

    @staticmethod
    def _renamed(X):
        """LightGBM takes plain names only, and miceforest rows counted from 0."""
        return X.set_axis([f"v{j}" for j in range(X.shape[1])], axis=1).reset_index(drop=True)


def judge(chances, truth, hidden, counts):
    """Hidden cells of categories: how many, share filled rightly, and mean -log P of the truth.

    Shares of few counts may be 0, which no honest probability is: half a count is added to each
    category (Jeffreys' prior).
    """
    right, surprise = [], []
    for name, table in chances.items():
        cells = hidden[name].to_numpy()
        P = table.to_numpy()[cells]
        if counts:
            P = (counts * P + 0.5) / (counts + 0.5 * P.shape[1])
        k = table.columns.get_indexer(truth[name][cells])
        right.append(P.argmax(axis=1) == k)
        told = np.where(k < 0, 0.0, P[np.arange(len(k)), k])  # -1: no record that taught had it
        surprise.append(-np.log(np.maximum(told, 1e-6)))
    right, surprise = np.concatenate(right), np.concatenate(surprise)
    return len(right), right.mean(), surprise.mean()


def categories(seeds=(0, 1, 2), share=0.2):
    """Compare imputers on categories hidden at random in tables that have holes of their own.

    Returns
    -------
    DataFrame
        One row for each table, seed and imputer: set, seed, imputer, n_train, n_test, n_cells
        (hidden cells of categories in the records that did not teach), accuracy and log_loss
        (nats).
    """
    rows = []
    for name in DATASETS:
        table = load_dataset(name).X
        for seed in tqdm(seeds, desc=name, disable=None):
            X = table.sample(min(len(table), N_RECORDS), random_state=seed).reset_index(drop=True)
            rng = np.random.default_rng(seed)
            hidden = pd.DataFrame(rng.random(X.shape) < share, columns=X.columns) & X.notna()
            train, test = train_test_split(np.arange(len(X)), test_size=0.3, random_state=seed)
            holes = X.mask(hidden)
            for imputer, (model, counts) in imputers(seed).items():
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    chances = model.fit(holes.iloc[train]).category_probabilities(holes.iloc[test])
                found = judge(chances, X.iloc[test], hidden.iloc[test], counts)
                rows.append((name, seed, imputer, len(train), len(test), *found))
    columns = ["set", "seed", "imputer", "n_train", "n_test", "n_cells", "accuracy", "log_loss"]
    return pd.DataFrame(rows, columns=columns)
