"""Speed of training many AC-GANs, each time as a ratio beside a peer in the same run."""

import time

import numpy as np
import pandas as pd
from sklearn.model_selection import RepeatedStratifiedKFold
from tqdm import tqdm

from benchmarks.peers import KerasACGAN, TrainOnBatchACGAN, floor
from ehrgan import ACGANClassifier
from ehrgan.nets.acgan import PAPER_ACGAN
from ehrgan.tables.records import load_wdbc

BATCH = 64


def seconds(work, *args, **kwargs):
    """Time one call."""
    start = time.perf_counter()
    work(*args, **kwargs)
    return time.perf_counter() - start


def training_folds(M):
    """Return M training folds of the study's size, scaled to 0..1."""
    records = load_wdbc()
    X, y = records.X.to_numpy(), records.y
    X = (X - X.min(axis=0)) / (X.max(axis=0) - X.min(axis=0))
    splits = RepeatedStratifiedKFold(n_splits=5, n_repeats=-(-M // 5), random_state=0).split(X, y)
    return [(X[train], y[train]) for train, _ in splits][:M]


def against_keras(replicas=(50, 100), rounds=5, epochs=40):
    """Time per GAN and epoch: ours, Keras with its own train_step, Keras by train_on_batch.

    Returns
    -------
    DataFrame
        One row for each round and number of replicas: milliseconds per GAN-epoch of each style.
        Compilation and tracing are left out, data preparation is not.
    """
    X, y = training_folds(1)[0]
    X32, keras_gan, by_batch = X.astype(np.float32), KerasACGAN(), TrainOnBatchACGAN()
    fit = {"batch_size": BATCH, "verbose": 0}
    keras_gan.fit(X32, y, epochs=2, **fit)
    by_batch.fit(X32, y, 2)
    ours = {
        M: ACGANClassifier(**{**PAPER_ACGAN, "epochs": epochs}, random_state=0) for M in replicas
    }
    folds = {M: training_folds(M) for M in replicas}
    for M in replicas:
        ours[M].fit_many(folds[M])
    rows = []
    for i in tqdm(range(rounds), desc="beside Keras", disable=None):
        by_fit = 1e3 * seconds(keras_gan.fit, X32, y, epochs=20, **fit) / 20
        by_hand = 1e3 * seconds(by_batch.fit, X32, y, 5) / 5
        for M in replicas:
            own = 1e3 * seconds(ours[M].fit_many, folds[M]) / epochs / M
            rows.append((i, M, own, by_fit, by_hand))
    return pd.DataFrame(rows, columns=["round", "replicas", "ours", "train_step", "train_on_batch"])


def against_floor(replicas=(50, 100), rounds=5, epochs=40, floor_steps=300):
    """Time a training step, and the same batched matrix products alone under XLA."""
    steps = epochs * -(-len(training_folds(1)[0][1]) // BATCH)
    rows = []
    for M in tqdm(replicas, desc="beside the floor", disable=None):
        bare, folds = floor(M), training_folds(M)
        model = ACGANClassifier(**{**PAPER_ACGAN, "epochs": epochs}, random_state=0)
        model.fit_many(folds)
        bare(floor_steps)
        for i in range(rounds):
            step = 1e3 * seconds(model.fit_many, folds) / steps
            rows.append((i, M, step, 1e3 * seconds(bare, floor_steps) / floor_steps))
    return pd.DataFrame(rows, columns=["round", "replicas", "step", "floor"])


def growth(epochs=10, rounds=3):
    """Time of one epoch as records, attributes or replicas grow, all else equal.

    Returns
    -------
    DataFrame
        Columns axis, size, round and seconds: of one epoch of one fit (axis "records" and
        "attributes", 10 replicas) or of all replicas together (axis "replicas").
    """
    sizes = [("records", n) for n in (500, 5_000, 50_000)]
    sizes += [("attributes", d) for d in (15, 30, 60, 120, 240)]
    sizes += [("replicas", M) for M in (1, 2, 5, 10, 20, 50, 100, 200)]
    rows = []
    for axis, size in tqdm(sizes, desc="growth", disable=None):
        shape = {"records": 500, "attributes": 30, "replicas": 10, axis: size}
        rng = np.random.default_rng(0)
        X = rng.normal(size=(shape["records"], shape["attributes"]))
        y = (X[:, 0] + rng.normal(size=len(X)) > 0).astype(int)
        model = ACGANClassifier(epochs=epochs, random_state=0)
        datasets = [(X, y)] * shape["replicas"]
        model.fit_many(datasets)
        rows += [(axis, size, i, seconds(model.fit_many, datasets) / epochs) for i in range(rounds)]
    return pd.DataFrame(rows, columns=["axis", "size", "round", "seconds"])
