"""Intervals by drawing persons again: records of one person come or stay away together."""

import numpy as np

from ..scores.estimate import Estimate

__all__ = ["persons_of", "redrawn", "refuse_shared", "with_interval", "weighted_areas"]

DRAWS = 200


def persons_of(table, person):
    """Which person each record is of, and the table without the column that says so.

    Parameters
    ----------
    table : DataFrame of shape (n_records, n_columns)
    person : label or None
        The column that names the person; None where each record is of another.

    Returns
    -------
    attributes : DataFrame
    persons : ndarray of shape (n_records,)
        The names, or numbers from 0.

    Raises
    ------
    ValueError
        There is no such column, or it lacks a name.

    Examples
    --------
    >>> import pandas as pd
    >>> rest, persons = persons_of(pd.DataFrame({"age": [1, 2], "id": ["a", "a"]}), "id")
    >>> rest.columns.tolist(), persons.tolist()
    (['age'], ['a', 'a'])
    """
    if person is None:
        return table, np.arange(len(table))
    if person not in table.columns:
        raise ValueError(f"person {person!r} is no column of the table: {table.columns.tolist()}")
    if table[person].isna().any():
        raise ValueError(
            f"person {person!r} lacks a name in {table[person].isna().sum()} records: leave them "
            "out, or give each a name of its own"
        )
    return table.drop(columns=person), table[person].to_numpy(dtype=object)


def refuse_shared(**sides):
    """Refuse persons who stand on two sides, of whom an attack or a test would know already.

    Parameters
    ----------
    **sides : ndarray of shape (n_records,)
        Persons of the records of each side, by its name.

    Raises
    ------
    ValueError
        Names the sides and says how many persons they share.

    Examples
    --------
    >>> refuse_shared(members=np.array(["a", "b"]), others=np.array(["c"]))
    """
    names = list(sides)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            shared = set(sides[one]) & set(sides[other])
            if shared:
                raise ValueError(
                    f"{one} and {other} share {len(shared)} persons, such as "
                    f"{sorted(shared, key=str)[0]!r}: keep all records of a person on one side"
                )


def redrawn(persons, rng, n_draws=DRAWS):
    """How often each record is there when as many persons are drawn, with replacement.

    Parameters
    ----------
    persons : ndarray of shape (n_records,)
    rng : numpy.random.Generator
    n_draws : int, default=200

    Returns
    -------
    ndarray of float64, shape (n_draws, n_records)

    Examples
    --------
    >>> weights = redrawn(np.array([0, 0, 1]), np.random.default_rng(0))
    >>> bool((weights[:, 0] == weights[:, 1]).all()), weights[:, 1:].sum(axis=1)[:3].tolist()
    (True, [2.0, 2.0, 2.0])
    """
    own = np.unique(persons, return_inverse=True)[1]
    n = own.max() + 1
    return rng.multinomial(n, np.full(n, 1 / n), size=n_draws)[:, own].astype(np.float64)


def weighted_areas(score, positive, weights):
    """Areas under the ROC curve under several weightings of the records.

    Parameters
    ----------
    score : ndarray of shape (n,)
        Higher for those that are taken for positive.
    positive : ndarray of bool, shape (n,)
    weights : ndarray of shape (n_draws, n)

    Returns
    -------
    ndarray of shape (n_draws,)

    Notes
    -----
    Equal scores count one half.

    Examples
    --------
    >>> score, positive = np.array([1.0, 2.0, 2.0]), np.array([False, True, False])
    >>> weighted_areas(score, positive, np.array([[1.0, 1.0, 1.0], [3.0, 1.0, 1.0]])).tolist()
    [0.75, 0.875]
    """
    order = np.argsort(score, kind="stable")
    first = np.flatnonzero(np.r_[True, np.diff(score[order]) > 0])
    weights, positive = weights[:, order], positive[order]
    up = np.add.reduceat(np.where(positive, weights, 0.0), first, axis=1)
    down = np.add.reduceat(np.where(positive, 0.0, weights), first, axis=1)
    below = np.cumsum(down, axis=1) - down / 2
    return (up * below).sum(axis=1) / (up.sum(axis=1) * down.sum(axis=1))


def with_interval(value, draws):
    """A number with the 95 % interval of its draws.

    Parameters
    ----------
    value : float
    draws : array-like of shape (n_draws,)

    Returns
    -------
    Estimate

    Examples
    --------
    >>> print(f"{with_interval(2.0, [1.0, 2.0, 3.0]):.2f}")
    2.00 (1.05–2.95)
    """
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return Estimate(float(value), float(min(low, value)), float(max(high, value)))
