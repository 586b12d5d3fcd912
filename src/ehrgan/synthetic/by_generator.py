"""Generators compared on three tables: one split of one table."""

import numpy as np
import pandas as pd

from ..nets.acgan import PAPER_ACGAN, ACGANClassifier
from ..scores.inference import corrected_interval
from ..tables.datasets import load_dataset
from ..tables.records import load_wdbc
from .audit import audit
from .generators import GENERATORS, ACGANGenerator, make_generator

__all__ = ["COMPARED", "TABLES", "one_comparison", "over_splits"]

TABLES = ("wdbc", "pbc", "support2")
LIMIT = 1200  # records of a table that take part
OUTCOME = "outcome"
LEARNERS = ("logistic regression", "gradient boosting")
#: Generators that are compared, by name.
COMPARED = {
    **GENERATORS,
    "AC-GAN, class loss on real records": ACGANGenerator(ACGANClassifier(class_loss="real")),
    "AC-GAN, class loss of D alone": ACGANGenerator(ACGANClassifier(class_loss="discriminator")),
    "the paper's AC-GAN": ACGANGenerator(ACGANClassifier(**PAPER_ACGAN)),
}
#: What stands for each axis, and from what it counts.
AXES = {
    "fidelity": lambda own: own["classifier"] - 0.5,
    "utility": lambda own: -own["AUC, fake less real"],
    "privacy": lambda own: own["density ratio"] - 0.5,
}


def one_comparison(table="wdbc", seed=0, generators=tuple(COMPARED)):
    """Measure generators on one split of one table.

    Parameters
    ----------
    table : {"wdbc", "pbc", "support2"}, default="wdbc"
        At most 1,200 of its records take part, drawn at random by the seed.
    seed : int, default=0
        At least 0: seeds draw, split, generators and measures.
    generators : tuple of str, default=tuple(COMPARED)
        Some of :data:`COMPARED`.

    Returns
    -------
    DataFrame
        generator, measure, value, n_train (members), n_test (records that no generator has seen):
        the measures of :func:`~ehrgan.synthetic.fidelity.fidelity` and
        :func:`~ehrgan.synthetic.privacy.privacy`, of
        :func:`~ehrgan.synthetic.utility.utility` "AUC, fake less real" and "accuracy, fake less
        real", means over logistic regression and gradient boosting.

    Raises
    ------
    ValueError
        If the table or a generator is unknown.

    Notes
    -----
    About a minute on one core.

    Examples
    --------
    >>> found = one_comparison("wdbc", 0, ("bootstrap",)).set_index("measure")
    >>> bool(found.loc["exact copies", "value"] > 0.5)
    True
    """
    if table not in TABLES:
        raise ValueError(f"table must be one of {list(TABLES)}, got {table!r}")
    strange = [name for name in generators if name not in COMPARED]
    if strange:
        raise ValueError(f"generators must be some of {list(COMPARED)}, got {strange}")
    records = _records(table, seed)
    found = []
    for name in generators:
        generator = make_generator(name, seed, COMPARED)
        made = audit(generator, records, OUTCOME, classifiers=LEARNERS, seed=seed)
        gaps = made.utility.query("trained == 'fake less real'").groupby("metric")["mean"].mean()
        values = pd.concat([
            made.fidelity["mean"], made.privacy["mean"], gaps.rename("{}, fake less real".format)
        ])  # fmt: skip
        sizes = {"n_train": len(made.members), "n_test": len(made.others) + len(made.reference)}
        own = values.rename("value").rename_axis("measure").reset_index()
        found.append(own.assign(generator=name, **sizes))
    names = ["generator", "measure", "value", "n_train", "n_test"]
    return pd.concat(found, ignore_index=True)[names]


def over_splits(scores):
    """Mean of each measure over splits, with its interval, and the three axes.

    Parameters
    ----------
    scores : DataFrame
        What :func:`one_comparison` gave for several seeds: its columns, table and seed.

    Returns
    -------
    DataFrame
        set, generator, measure, mean, low, high: the corrected 95 % interval over splits, see
        :func:`~ehrgan.scores.inference.corrected_interval`. To the measures come, each in points
        of AUC, 0 where ideal and greater where worse: "fidelity", the area of a classifier that
        tells fake from real, less one half; "utility", the AUC lost by learning from fake in place
        of real records; "privacy", the area of the attack by the density ratio, less one half.

    Examples
    --------
    >>> measures = {"classifier": 0.75, "AUC, fake less real": -0.125, "density ratio": 0.5}
    >>> rows = [("wdbc", k, "A", m, v, 200, 100) for k in (0, 1) for m, v in measures.items()]
    >>> names = ["table", "seed", "generator", "measure", "value", "n_train", "n_test"]
    >>> found = over_splits(pd.DataFrame(rows, columns=names)).set_index("measure")
    >>> found.loc[["fidelity", "utility", "privacy"], "mean"].tolist()
    [0.25, 0.125, 0.0]
    """
    rows = []
    for (table, generator), own in scores.groupby(["table", "generator"], sort=False):
        values = own.pivot_table("value", "seed", "measure")
        values = values.assign(**AXES)
        sizes = own["n_train"].mean(), own["n_test"].mean()
        for measure in values:
            rows.append((table, generator, measure, *corrected_interval(values[measure], *sizes)))
    return pd.DataFrame(rows, columns=["set", "generator", "measure", "mean", "low", "high"])


def _records(name, seed):
    """Records of a table, with their outcome as a column."""
    own = load_wdbc() if name == "wdbc" else load_dataset(name)
    rows = np.sort(np.random.default_rng(seed).permutation(len(own.y))[:LIMIT])
    return own.X.iloc[rows].assign(**{OUTCOME: own.y[rows]}).reset_index(drop=True)
