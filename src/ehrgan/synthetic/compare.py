"""Generators compared: one of them on one table, split anew by every seed."""

import time

import pandas as pd

from ..tables.datasets import OUTCOME, load_dataset
from ..tables.records import load_wdbc
from .audit import audit
from .fidelity import spread
from .generators import make_generator
from .utility import CLASSIFIERS

__all__ = ["AXES", "TABLES", "compare", "records_of"]

#: Tables on which generators are compared: the paper's, and two with holes of their own.
TABLES = ("wdbc", "pbc", "support2")
#: What is measured of each.
AXES = ("fidelity", "utility", "privacy", "copies", "spread of class 0", "spread of class 1")
MOST = 2000  # records of a table, drawn anew by each seed


def records_of(table, seed=0):
    """Give a table with its outcome, of at most 2,000 records.

    Parameters
    ----------
    table : str
        One of :data:`TABLES`.
    seed : int, default=0
        Draws the records where there are more.

    Returns
    -------
    DataFrame
        Its last column, "outcome", is 1 for the positive class and else 0.

    Raises
    ------
    ValueError
        If there is no such table.

    Examples
    --------
    >>> [len(records_of(table)) for table in TABLES]
    [569, 415, 2000]
    """
    if table not in TABLES:
        raise ValueError(f"table must be one of {list(TABLES)}, got {table!r}")
    found = load_wdbc() if table == "wdbc" else load_dataset(table)
    records = found.X.assign(**{OUTCOME: found.y})
    return records.sample(min(MOST, len(records)), random_state=seed).sort_index()


def compare(table, generator, seed=0, *, classifiers=CLASSIFIERS[:1]):
    """Measure one generator on one table, split by the seed.

    Parameters
    ----------
    table : str
        One of :data:`TABLES`.
    generator : str
        One of :data:`~ehrgan.synthetic.generators.GENERATORS`.
    seed : int, default=0
        Draws the records, the split, the generator and the attacks.
    classifiers : tuple of str, default=("logistic regression",)
        As for :func:`~ehrgan.synthetic.audit.audit`; the first tells the utility.

    Returns
    -------
    DataFrame
        A row for each of :data:`AXES`: axis, mean, low, high (95 % interval over persons) and
        seconds, the processor's, of all together. The first three axes are those of
        :meth:`~ehrgan.synthetic.audit.Audit.from_ideal`, "copies" is that of near copies in
        :func:`~ehrgan.synthetic.privacy.privacy`, and the spread is from
        :func:`~ehrgan.synthetic.fidelity.spread`.

    Raises
    ------
    ValueError
        There is no such table or generator.

    Notes
    -----
    Half of the records teach, and the others are attacked with. A few seconds.

    Examples
    --------
    >>> found = compare("wdbc", "bootstrap").set_index("axis")
    >>> bool(found.loc["privacy", "low"] > 0), bool(found.loc["copies", "low"] > 0)
    (True, True)
    """
    records, began = records_of(table, seed), time.process_time()
    made = make_generator(generator, seed)
    found = audit(made, records, OUTCOME, classifiers=classifiers, seed=seed)
    unseen = pd.concat([found.others, found.reference])
    lies = spread(unseen, found.fake, outcome=OUTCOME, seed=seed)
    ends = ["mean", "low", "high"]
    copied = found.privacy.loc[["near copies"], ends].astype(float).set_axis(["copies"])
    rows = pd.concat([found.from_ideal().set_index("axis"), copied, lies.set_axis(AXES[-2:])])
    return rows.rename_axis("axis").reset_index().assign(seconds=time.process_time() - began)
