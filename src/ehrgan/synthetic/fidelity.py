"""How like real records fake ones are: by column, by pair of columns, and to a classifier."""

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedGroupKFold

from .constraints import orders
from .resampling import persons_of, redrawn, weighted_areas, with_interval
from .space import Space, same_columns

__all__ = ["column_distances", "fidelity", "spread"]

LIMIT = 3000  # records of each kind that are compared at most
CHANCES = 20  # ways to deal persons into two sets
DRAWS = 100
FOLDS = 5


def fidelity(real, fake, *, person=None, seed=0):
    """Measure how like real records fake ones are.

    Parameters
    ----------
    real : DataFrame of shape (n_real, n_columns)
        Records that the generator has not learned from; outcome and all. NaN where missing.
    fake : DataFrame of shape (n_fake, n_columns)
        The same columns, without that of the person.
    person : label, optional
        Column of `real` that says whose each record is; by default each is another's.
    seed : int, default=0
        Seeds draws and folds.

    Returns
    -------
    DataFrame
        mean, low, high (95 % interval, by drawing persons again) and chance, which is what records
        of one kind reach by luck alone, of:

        - ``columns``: distance of the distributions, mean over columns, see
          :func:`column_distances`.
        - ``pairs``: absolute difference of the correlations, mean over pairs of columns; holes and
          categories are columns of 0 and 1 there.
        - ``classifier``: area under the ROC curve of gradient boosting that tells fake from real,
          in five folds that keep persons whole. 0.5: it cannot.
        - ``broken orders``: share of fake records that break an order of two columns which held in
          all real ones; Wilson's interval.

    Raises
    ------
    TypeError, ValueError
        Columns differ, hold what is no number or category, or `person` is no column.

    References
    ----------
    Lopez-Paz and Oquab, *Revisiting classifier two-sample tests*, ICLR 2017.

    Notes
    -----
    At most 3,000 records of each kind are compared, drawn at random; a few seconds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real, alike = (pd.DataFrame({"a": rng.normal(size=200)}) for _ in range(2))
    >>> fidelity(real, alike).loc["classifier", "low"] < 0.5
    np.True_
    >>> fidelity(real, alike + 9).loc["classifier", "mean"].round(2)
    np.float64(1.0)
    """
    pair = _Pair(real, fake, person, seed)
    rows = {
        "columns": pair.against_chance(pair.of_columns),
        "pairs": pair.against_chance(pair.of_pairs),
        "classifier": (*pair.told_apart(), 0.5),
        "broken orders": (*_breaking(*pair.tables), 0.0),
    }
    return pd.DataFrame(rows, index=["mean", "low", "high", "chance"]).T


def column_distances(real, fake, *, person=None, seed=0):
    """Measure how far the distribution of each column is from that of real records.

    Parameters
    ----------
    real, fake, person, seed
        As for :func:`fidelity`, which also says what is refused.

    Returns
    -------
    DataFrame
        A row for each column: mean, low, high, chance, as in :func:`fidelity`. The distance is from
        0 to 1: of numbers and ordered categories the greatest difference of the shares that lie
        below a value (Kolmogorov and Smirnov's), of others half the sum of the differences of their
        shares (total variation). A hole counts as a value below all others.

    Examples
    --------
    >>> real = pd.DataFrame({"sex": ["f", "m"] * 50})
    >>> column_distances(real, pd.DataFrame({"sex": ["f"] * 80})).loc["sex", "mean"].round(3)
    np.float64(0.5)
    """
    pair = _Pair(real, fake, person, seed)
    rows = {
        name: pair.against_chance(lambda weights, j=j: pair.of_columns(weights, [j]))
        for j, name in enumerate(pair.space.names)
    }
    return pd.DataFrame(rows, index=["mean", "low", "high", "chance"]).T


def spread(real, fake, *, outcome, person=None, seed=0):
    """How far apart fake records of a class lie, in comparison with real ones.

    Parameters
    ----------
    real, fake, person, seed
        As for :func:`fidelity`, which also says what is refused.
    outcome : label
        The column of the class.

    Returns
    -------
    DataFrame
        A row for each class: mean, low, high (95 % interval, by drawing persons again) of the root
        of the variance of fake records over that of real ones, over all axes of
        :class:`~ehrgan.synthetic.space.Space`, which shortens long tails. 1: they are as diverse;
        0: all fake ones are equal.

    Raises
    ------
    ValueError
        `outcome` is no column, or a class has no fake record.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real = pd.DataFrame({"a": rng.normal(size=400), "ill": np.arange(400) % 2})
    >>> half = real.assign(a=np.where(real["ill"], real["a"], real["a"] / 2))
    >>> spread(real, half, outcome="ill")["mean"].round(1).tolist()
    [0.6, 1.0]
    """
    (real, own), rng = persons_of(real, person), np.random.default_rng(seed)
    real, fake = same_columns(real, fake)
    if outcome not in real.columns:
        raise ValueError(f"outcome {outcome!r} is no column: {real.columns.tolist()}")
    space = Space(real.drop(columns=outcome), fake.drop(columns=outcome))
    sides = [
        (table[outcome].to_numpy(), places, np.vstack([np.ones(len(table)), redrawn(persons, rng)]))
        for table, places, persons in zip(
            (real, fake), space.places, (own, np.arange(len(fake))), strict=True
        )
    ]
    rows = {}
    for label in sorted(real[outcome].unique().tolist(), key=str):
        if label not in sides[1][0]:
            raise ValueError(f"outcome {outcome!r}: no fake record is of class {label!r}")
        ours, theirs = (_variance(places[y == label], w[:, y == label]) for y, places, w in sides)
        ratio = np.sqrt(theirs / ours)
        rows[label] = with_interval(ratio[0], ratio[1:])
    return pd.DataFrame(rows, index=["mean", "low", "high"]).T


def _variance(places, weights):
    """Variance over all axes together, under several weightings of the records."""
    total = weights.sum(axis=1)
    means = weights @ places / total[:, None]
    return (weights @ places**2 / total[:, None] - means**2).sum(axis=1)


class _Pair:
    """Real and fake records in one space, to be weighted in many ways."""

    def __init__(self, real, fake, person, seed):
        self.rng = np.random.default_rng(seed)
        real, persons = persons_of(real, person)
        self.tables = same_columns(real, fake)
        chosen = [self._some(np.arange(len(table))) for table in self.tables]
        tables = [table.iloc[rows] for table, rows in zip(self.tables, chosen, strict=True)]
        self.space, self.seed = Space(*tables), seed
        self.places = np.vstack(self.space.places)
        sizes = [len(table) for table in tables]
        self.is_fake = np.repeat([False, True], sizes)
        own = np.unique(persons[chosen[0]], return_inverse=True)[1]
        self.persons = np.r_[own, own.max() + 1 + np.arange(sizes[1])]
        self.levels = [_levels(name, pd.concat([t[name] for t in tables])) for name in tables[0]]

    def _some(self, rows):
        return np.sort(self.rng.permutation(rows)[:LIMIT])

    def against_chance(self, distance):
        """A distance, its interval over persons, and what it is where persons are dealt at random.

        Draws are farther apart than the sets that they are drawn from, so the interval is centred.
        """
        n = len(self.places)
        value = distance(self._shares(np.ones((1, n)), self.is_fake))[0]
        weights = np.hstack([
            redrawn(self.persons[self.is_fake == kind], self.rng, DRAWS) for kind in (False, True)
        ])  # fmt: skip
        half = 1.96 * np.std(distance(self._shares(weights, self.is_fake)))
        dealt = [distance(self._shares(np.ones((1, n)), self._dealt()))[0] for _ in range(CHANCES)]
        return value, max(0.0, value - half), min(1.0, value + half), float(np.mean(dealt))

    def _dealt(self):
        """Labels of real and fake given to as many persons at random."""
        n = self.persons.max() + 1
        share = len(np.unique(self.persons[self.is_fake])) / n
        chosen = self.rng.permutation(n) < round(share * n)
        return chosen[self.persons]

    @staticmethod
    def _shares(weights, is_fake):
        """Weights of real and of fake records, each adding up to 1."""
        sides = [np.where(is_fake == kind, weights, 0.0) for kind in (False, True)]
        return [side / side.sum(axis=1, keepdims=True) for side in sides]

    def of_columns(self, shares, columns=None):
        """Mean distance of the distributions of some columns, for each weighting."""
        found = []
        for levels, ordered in [self.levels[j] for j in columns] if columns else self.levels:
            order = np.argsort(levels, kind="stable")
            first = np.flatnonzero(np.r_[True, np.diff(levels[order]) > 0])
            real, fake = (np.add.reduceat(own[:, order], first, axis=1) for own in shares)
            gap = real - fake
            found.append(
                np.abs(np.cumsum(gap, axis=1)).max(axis=1) if ordered
                else np.abs(gap).sum(axis=1) / 2
            )  # fmt: skip
        return np.mean(found, axis=0)

    def of_pairs(self, shares):
        """Mean absolute difference of the correlations of axes of different columns."""
        apart = self.space.owners[:, None] < self.space.owners
        if not apart.any():
            return np.zeros(len(shares[0]))
        gaps = [
            _correlations(self.places, real) - _correlations(self.places, fake)
            for real, fake in zip(*shares, strict=True)
        ]
        return np.array([np.abs(gap[apart]).mean() for gap in gaps])

    def told_apart(self):
        """Area that a classifier reaches which tells fake from real, with its interval."""
        fewest = min(len(np.unique(self.persons[self.is_fake == kind])) for kind in (False, True))
        if fewest < FOLDS:
            raise ValueError(f"{FOLDS} persons of each kind at least are told apart, got {fewest}")
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=self.seed)
        values, draws = [], []
        for train, test in folds.split(self.places, self.is_fake, self.persons):
            model = HistGradientBoostingClassifier(
                max_iter=60, early_stopping=False, random_state=self.seed
            ).fit(self.places[train], self.is_fake[train])
            score = model.predict_proba(self.places[test])[:, 1]
            is_fake, persons = self.is_fake[test], self.persons[test]
            weights = np.ones((DRAWS, len(test)))
            for kind in (False, True):
                weights[:, is_fake == kind] = redrawn(persons[is_fake == kind], self.rng, DRAWS)
            draws.append(weighted_areas(score, is_fake, weights))
            values.append(weighted_areas(score, is_fake, np.ones((1, len(test))))[0])
        return with_interval(np.mean(values), np.mean(draws, axis=0))


def _levels(name, cells):
    """Places of a column's values among each other, holes first, and whether they have an order."""
    if isinstance(cells.dtype, pd.CategoricalDtype) and cells.dtype.ordered:
        return cells.cat.codes.to_numpy(), True
    if pd.api.types.is_numeric_dtype(cells.dtype):
        values = cells.astype("Float64").to_numpy(np.float64, na_value=-np.inf)
        return np.unique(values, return_inverse=True)[1], True
    return pd.factorize(cells.astype(object))[0], False


def _correlations(places, weight):
    """Correlations of all axes under weights that add up to 1; 0 where an axis is constant."""
    Z = places - weight @ places
    covariance = (Z * weight[:, None]).T @ Z
    spread = np.sqrt(np.diag(covariance))
    scale = np.where(spread > 1e-9, spread, np.inf)
    return covariance / np.outer(scale, scale)


def _breaking(real, fake):
    """Share of fake records that break an order which held in all real ones."""
    breaks = np.zeros(len(fake), dtype=bool)
    for small, large in orders(real):
        breaks |= (fake[small] > fake[large]).fillna(False).to_numpy(dtype=bool)
    share = binomtest(int(breaks.sum()), len(breaks)).proportion_ci(method="wilson")
    return breaks.mean(), share.low, share.high
