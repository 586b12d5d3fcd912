"""Attacks on fake records: whose records has their generator learned from, and what of them.

All attacks are judged by records that the generator has not seen: what is true of everybody is no
leak. Members and others are exchangeable unless the generator tells them apart.
"""

from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from .resampling import persons_of, redrawn, refuse_shared, weighted_areas, with_interval
from .space import Space, nearest, same_columns

__all__ = ["copies", "privacy"]

NEAR = 0.1  # of the way to the nearest other person is near
MOST_OF_A_PERSON = 64  # records of one person that are looked past
TARGETS = 500  # of each side whose attributes are guessed
BLOCK = 2**24  # distances at a time, of all columns


def privacy(fake, *, members, others, reference=None, person=None, seed=0):
    """Attack a generator by what it made.

    Parameters
    ----------
    fake : DataFrame of shape (n_fake, n_columns)
        What it made, outcome and all; NaN where missing.
    members : DataFrame of shape (n_members, n_columns)
        Records that it learned from.
    others : DataFrame of shape (n_others, n_columns)
        Records of other persons, from the same source.
    reference : DataFrame of shape (n_reference, n_columns), optional
        More of those, which the attacker has to know what is common. Without it there is no
        ``density ratio``, and copies are judged by `others` alone.
    person : label, optional
        Column of the real tables that says whose each record is; by default each is another's.
    seed : int, default=0
        Seeds draws.

    Returns
    -------
    DataFrame
        mean, low, high (95 % interval), chance, and caught: whether the interval lies above chance.

        - ``closest record``: area under the ROC curve of an attacker who takes those for members
          that have a fake record near them.
        - ``density ratio``: the same, near in comparison with how near a record of `reference` is.
        - ``attributes``: how often, in pairs of a member and another, the attacker guesses a cell
          of the member better, from the fake record that is nearest in all other cells; mean over
          columns.
        - ``exact copies``, ``near copies``: share of the members who have one among the fake
          records less that of the others, see :func:`copies`; persons, where they are named.

    Raises
    ------
    TypeError, ValueError
        Columns differ, hold what is no number or category, `person` is no column, or a person
        stands on two sides.

    References
    ----------
    Van Breugel, Sun, Qian and van der Schaar, *Membership inference attacks against synthetic data
    through overfitting detection* (DOMIAS), AISTATS 2023: the density ratio, here by nearest
    neighbours. Ganev and De Cristofaro, *The inadequacy of similarity-based privacy metrics*,
    2023.

    Notes
    -----
    No attack that fails proves that a better one would. All pairs of records are compared: two
    minutes for 50,000 records of 20 columns on one core.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> members, others = (pd.DataFrame(rng.normal(size=(200, 3))) for _ in range(2))
    >>> privacy(members, members=members, others=others)["mean"].tolist()
    [1.0, ..., 1.0, 1.0]
    """
    attack = _Attack(fake, members, others, reference, person, seed)
    rows = {"closest record": attack.area(-attack.distance)}
    if reference is not None:
        rows["density ratio"] = attack.area(attack.density_ratio)
    rows["attributes"] = attack.attributes()
    table = pd.DataFrame(rows, index=["mean", "low", "high"]).T.assign(chance=0.5)
    for name, copied in (("exact copies", attack.exact), ("near copies", attack.near)):
        table.loc[name] = [*attack.more_copied(copied), 0.0]
    return table.assign(caught=table["low"] > table["chance"])


def copies(fake, *, members, others, person=None):
    """List real records of whom a fake record is a copy, or nearly one.

    Parameters
    ----------
    fake, members, others, person
        As for :func:`privacy`, which also says what is refused.

    Returns
    -------
    DataFrame
        A row for each: side ("members" or "others"), record (its label in that table), fake (label
        of the copy), exact (equal in every cell, holes too), distance, and alone: distance to the
        nearest record of another person. Nearest in comparison first.

    Notes
    -----
    A copy is near where its distance is a tenth of that to the next other person or less. Copies
    of others, whom the generator has never seen, are those that chance makes.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> members, others = (pd.DataFrame(rng.normal(size=(99, 5))) for _ in range(2))
    >>> fake = pd.DataFrame(rng.normal(size=(99, 5)))
    >>> fake.loc[7] = members.loc[42]
    >>> copies(fake, members=members, others=others)[["side", "record", "fake", "exact"]].values
    array([['members', 42, 7, True]], dtype=object)
    """
    attack = _Attack(fake, members, others, None, person, 0)
    rows = np.flatnonzero(attack.exact | attack.near)
    found = pd.DataFrame(
        {
            "side": np.where(attack.is_member[rows], "members", "others"),
            "record": attack.labels[rows],
            "fake": same_columns(fake)[0].index[attack.which[rows]],
            "exact": attack.exact[rows],
            "distance": attack.distance[rows],
            "alone": attack.alone[rows],
        }
    )
    order = np.argsort(found["distance"] / found["alone"].clip(lower=1e-9), kind="stable")
    return found.iloc[order].reset_index(drop=True)


class _Attack:
    """Real records in the space of fake ones: members first, then others, then the reference."""

    def __init__(self, fake, members, others, reference, person, seed):
        self.rng = np.random.default_rng(seed)
        sides = {"members": members, "others": others, "reference": reference}
        pairs = {name: persons_of(t, person) for name, t in sides.items() if t is not None}
        if person is not None:
            refuse_shared(**{name: own for name, (_, own) in pairs.items()})
        tables = same_columns(*(table for table, _ in pairs.values()), fake)
        self.fake, real = tables[-1], pd.concat(tables[:-1])
        self.labels = real.index.to_numpy()
        self.exact = _equal(real, self.fake)
        names = [f"{name} {p}" for name, (_, own) in pairs.items() for p in own]
        self.persons = np.unique(names, return_inverse=True)[1]
        self.space = Space(*tables)
        self.of_fake, self.of_real = self.space.places[-1], np.vstack(self.space.places[:-1])
        self.side = np.repeat(np.arange(len(pairs)), [len(t) for t in tables[:-1]])
        self.is_member, self.targets = self.side == 0, self.side < 2

    @cached_property
    def _closest(self):
        distance, which = nearest(self.of_real, self.of_fake)
        return distance[:, 0], which[:, 0]

    @property
    def distance(self):
        """From each real record to the nearest fake one."""
        return self._closest[0]

    @property
    def which(self):
        """Which fake record that is."""
        return self._closest[1]

    @cached_property
    def alone(self):
        """From each real record to the nearest of another person."""
        most = min(np.bincount(self.persons).max(), MOST_OF_A_PERSON)
        distance, which = nearest(self.of_real, self.of_real, min(most + 1, len(self.of_real)))
        other = self.persons[which] != self.persons[:, None]
        first = np.where(other.any(axis=1), other.argmax(axis=1), distance.shape[1] - 1)
        return distance[np.arange(len(first)), first]

    @cached_property
    def near(self):
        """Whether a fake record is a near copy of each real one."""
        return self.distance <= NEAR * self.alone

    @property
    def density_ratio(self):
        """How much nearer the nearest fake record is than that of the reference, as a log."""
        to_reference = nearest(self.of_real, self.of_real[self.side == 2])[0][:, 0]
        least = np.finfo(np.float64).tiny
        return np.log(np.maximum(to_reference, least)) - np.log(np.maximum(self.distance, least))

    def area(self, score):
        """Area under the ROC curve of a score of members against others, with its interval."""
        rows = np.flatnonzero(self.targets)
        return with_interval(*self._areas(score[rows], rows))

    def _areas(self, score, rows):
        """The area, and areas of as many persons drawn again on each side."""
        member = self.is_member[rows]
        weights = np.vstack([np.ones(len(rows)), self._redrawn(rows)])
        areas = weighted_areas(score, member, weights)
        return areas[0], areas[1:]

    def _redrawn(self, rows):
        member, persons = self.is_member[rows], self.persons[rows]
        weights = [redrawn(persons[member == side], self.rng) for side in (True, False)]
        found = np.empty((len(weights[0]), len(rows)))
        found[:, member], found[:, ~member] = weights
        return found

    def attributes(self):
        """Area of the errors of guessed cells, members against others, mean over columns."""
        sides = [np.flatnonzero(self.side == side) for side in (0, 1)]
        rows = np.concatenate([self.rng.permutation(side)[:TARGETS] for side in sides])
        errors = _errors_of_guesses(self.of_real[rows], self.of_fake, self.space.owners)
        weights = np.vstack([np.ones(len(rows)), self._redrawn(rows)])
        areas = [weighted_areas(-error, self.is_member[rows], weights) for error in errors]
        mean = np.mean(areas, axis=0)
        return with_interval(mean[0], mean[1:])

    def more_copied(self, copied):
        """Share of the members who are copied less that of the others, by Newcombe's interval."""
        shares, ends = [], []
        for side in (self.is_member, ~self.is_member):
            n = len(np.unique(self.persons[side]))
            k = len(np.unique(self.persons[side & copied]))
            interval = binomtest(k, n).proportion_ci(method="wilson")
            shares.append(k / n)
            ends.append((interval.low, interval.high))
        (p, q), ((p_low, p_high), (q_low, q_high)) = shares, ends
        gap = p - q
        return gap, gap - np.hypot(p - p_low, q_high - q), gap + np.hypot(p_high - p, q - q_low)


def _equal(real, fake):
    """Whether each real record equals a fake one in every cell."""
    marks = pd.util.hash_pandas_object(pd.concat([real, fake]), index=False).to_numpy()
    return np.isin(marks[: len(real)], marks[len(real) :])


def _errors_of_guesses(targets, fake, owners):
    """For each column, how far each target lies from the fake record nearest in all others."""
    found = np.empty((owners.max() + 1, len(targets)))
    size = max(1, BLOCK // (len(fake) * len(found)))
    for start in range(0, len(targets), size):
        block = targets[start : start + size]
        own = [_squares(block[:, owners == j], fake[:, owners == j]) for j in range(len(found))]
        total = np.sum(own, axis=0)
        for j, part in enumerate(own):
            guess = (total - part).argmin(axis=1)
            found[j, start : start + size] = part[np.arange(len(block)), guess]
    return found


def _squares(a, b):
    """Squared distances of all pairs."""
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.maximum(squares, 0.0)
