"""Speed of training many AC-GANs, each time as a ratio beside a peer in the same run."""

import importlib.util
import os
import platform
import time

import joblib
import numpy as np
import pandas as pd
from sklearn.model_selection import RepeatedStratifiedKFold
from tqdm import tqdm

from benchmarks import peers
from ehrgan import ACGANClassifier
from ehrgan.nets.acgan import PAPER_ACGAN
from ehrgan.nets.backend import tensorflow
from ehrgan.nets.engine import deal
from ehrgan.tables.records import load_wdbc

BATCH = 64


def seconds(work, *args, **kwargs):
    """Time one call."""
    return wall_and_cpu(work, *args, **kwargs)[0]


def wall_and_cpu(work, *args, **kwargs):
    """Time one call: seconds on the clock, and CPU seconds of this process and its workers.

    A worker's CPU seconds are what the call returns, where it returns a float.
    """
    start, cpu = time.perf_counter(), time.process_time()
    said = work(*args, **kwargs)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    return wall, cpu + (said if isinstance(said, float) else 0.0)


def training_folds(M):
    """Return M training folds of the study's size, scaled to 0..1."""
    records = load_wdbc()
    X, y = records.X.to_numpy(), records.y
    X = (X - X.min(axis=0)) / (X.max(axis=0) - X.min(axis=0))
    splits = RepeatedStratifiedKFold(n_splits=5, n_repeats=-(-M // 5), random_state=0).split(X, y)
    return [(X[train], y[train]) for train, _ in splits][:M]


def gans(epochs, n_jobs=None):
    """Return the paper's AC-GAN in our library."""
    return ACGANClassifier(**{**PAPER_ACGAN, "epochs": epochs}, n_jobs=n_jobs, random_state=0)


def ways_to_train(M, epochs, cores):
    """Every way to train the networks: what to call, threads, networks and epochs of a call.

    The epochs are chosen so that each call takes about a second.
    """
    folds = training_folds(M)
    X, y = folds[0]
    X32, y32 = X.astype(np.float32), y.astype(np.int32)
    arrays, by_batch = peers.KerasACGAN(), peers.TrainOnBatchACGAN()
    steps = -(-len(X) // BATCH)
    interpreted = peers.KerasACGAN(jit_compile=False, steps_per_execution=steps)
    by_data, best = peers.fed_by_data(interpreted, X, y), peers.keras_at_best(X, y)
    os.environ |= dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
    workers = joblib.Parallel(cores, batch_size=1)  # the line above is for them: a core each
    tasks, few, many = 2 * cores, max(2, epochs // 4), 4 * epochs

    def in_processes():
        work = joblib.delayed(peers.keras_in_worker)
        return float(sum(workers(work(X, y, 2 * epochs) for _ in range(tasks))))

    ways = {
        "keras": (lambda: best(many), cores, 1, many),
        "keras_processes": (in_processes, cores, tasks, 2 * epochs),
        "keras_no_jit": (lambda: by_data(epochs), cores, 1, epochs),
        "keras_arrays": (
            lambda: arrays.fit(X32, y32, batch_size=BATCH, epochs=few, verbose=0),
            cores,
            1,
            few,
        ),
        "keras_train_on_batch": (lambda: by_batch.fit(X32, y32, few), cores, 1, few),
        "sklearn": (lambda: peers.perceptron(X32, y, many), 1, 1, many),
        "ours_one": (lambda: gans(many, 1).fit_many(folds[:1]), 1, 1, many),
        "ours_one_thread": (lambda: gans(epochs, 1).fit_many(folds), 1, M, epochs),
        "ours": (lambda: gans(epochs, cores).fit_many(folds), cores, M, epochs),
    }
    if importlib.util.find_spec("jax") is None:
        print("JAX is not installed (pip install jax), so it has no rows.")
        return ways
    from benchmarks.in_jax import JaxACGANs

    one, all_of_them = JaxACGANs(folds[:1], many), JaxACGANs(folds, epochs)
    return ways | {
        "jax_one": (one.fit, cores, 1, many),
        "jax": (all_of_them.fit, cores, M, epochs),
        "jax_blocks": (lambda: all_of_them.fit(len(deal(M)[0]), cores), cores, M, epochs),
    }


def against_keras(replicas=50, rounds=5, epochs=100):
    """Time per network and epoch in our library and its peers, in one process, round by round.

    Parameters
    ----------
    replicas : int
        Networks on the replica axis.
    rounds : int
        Each round times every way once; they take turns at being first.
    epochs : int
        Of our networks; ways that are faster or slower in all train more or fewer.

    Returns
    -------
    DataFrame
        One row for each round and way: threads (that the work is dealt to; processes, where the
        way is called so), busy (cores kept busy), replicas (networks in a call) and milliseconds
        per network and epoch. Everybody's compilation and tracing are left out, by two calls ahead
        of the first round; data preparation is not.
    """
    ways = ways_to_train(replicas, epochs, joblib.cpu_count())
    for work, *_ in tqdm(ways.values(), desc="compiling", disable=None):
        work(), work()
    names, rows = list(ways), []
    for i in tqdm(range(rounds), desc="beside Keras", disable=None):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            work, threads, networks, n_epochs = ways[name]
            wall, cpu = wall_and_cpu(work)
            rows.append((i, name, threads, cpu / wall, networks, 1e3 * wall / networks / n_epochs))
    columns = ["round", "way", "threads", "busy", "replicas", "milliseconds"]
    return pd.DataFrame(rows, columns=columns)


def against_floor(replicas=(50, 100), rounds=7, epochs=40, floor_steps=300):
    """Time a training step, and the same batched matrix products alone under XLA.

    Returns
    -------
    DataFrame
        Columns round, replicas, threads (one, and all cores), step and floor, in milliseconds.
    """
    steps = epochs * -(-len(training_folds(1)[0][1]) // BATCH)
    cases = {}
    for M in replicas:
        folds = training_folds(M)
        for threads in sorted({1, joblib.cpu_count()}):
            cases[M, threads] = gans(epochs, threads), folds, peers.floor(M, threads)
    for model, folds, bare in cases.values():
        model.fit_many(folds), bare(floor_steps)
    rows = []
    for i in tqdm(range(rounds), desc="beside the floor", disable=None):
        for (M, threads), (model, folds, bare) in cases.items():
            step = 1e3 * seconds(model.fit_many, folds) / steps
            rows.append((i, M, threads, step, 1e3 * seconds(bare, floor_steps) / floor_steps))
    return pd.DataFrame(rows, columns=["round", "replicas", "threads", "step", "floor"])


def device():
    """Name what TensorFlow trains on: the first graphics card, or the processor."""
    tf = tensorflow()
    for card in tf.config.list_physical_devices("GPU"):
        return tf.config.experimental.get_device_details(card).get("device_name", "GPU")
    return processor()


def processor():
    """Name the processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def on_this_device(replicas=50, rounds=5, epochs=1000):
    """Time the training of the study's AC-GANs on whatever device TensorFlow sees.

    Returns
    -------
    DataFrame
        Columns round, device, threads, replicas, epochs, and seconds of one training of them all.
        The first row, round 0, compiles as well.
    """
    folds, threads = training_folds(replicas), joblib.cpu_count()
    rows = [
        (i, device(), threads, replicas, epochs, seconds(gans(epochs).fit_many, folds))
        for i in tqdm(range(rounds), desc="this device", disable=None)
    ]
    columns = ["round", "device", "threads", "replicas", "epochs", "seconds"]
    return pd.DataFrame(rows, columns=columns)


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
