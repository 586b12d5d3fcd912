"""Which records belong to one person: told by what the data show, not by the names of columns.

Records of one person are alike in the outcome, and unlike those of the next number or name; records
of one measurement are as like to those of the next. What cannot be told so is tried: do the records
still predict as well where folds keep the suspects whole?
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.ensemble import RandomForestClassifier

from .areas import area_in_folds, interval_of_area, variance_among

FEWEST_PERSONS = 10
FEWEST_RECURRING = 8  # of whom there are several records
GREATEST = 0.25  # share of the records that may be one person's
HOLES = 0.05  # share of the records that a sure name of persons may lack
#: Agreement of outcomes, 0 by chance and 1 always: within a value, and less that beside it.
SURE, SURELY_BEYOND = 0.9, 0.5
SET, SET_BEYOND = 0.5, 0.3  # of several columns together, of which there are many
BEYOND = 0.1
BY_CHANCE = 1e-4
MOST = 3  # suspects that are tried
SOME = 2000  # records of a trial, and of the search for columns that agree together


@dataclass(frozen=True, eq=False)
class Suspect:
    """Columns whose values may name persons, of whom several records are there."""

    names: tuple
    groups: np.ndarray  # (n_records,) a whole number for each person
    within: float  # agreement of the outcomes of records of one value,
    beside: float  # and of one and one of the next values
    sure: bool
    n: int  # how many persons there would be, besides records of which the name is missing
    others: tuple = ()  # columns that name the same persons, or parts of their records

    @property
    def reason(self):
        """Why, in words that go on from the names."""
        return (
            f"takes {self.n} values, and within one the outcome agrees in {self.within:.0%} of the "
            f"way from chance to always, beside it in {max(self.beside, 0):.0%}"
        )


def suspects(table, y):
    """What may name persons: a sure suspect alone, else up to three that must be tried.

    `table` holds the cells without the outcome, NaN where missing; `y` numbers the classes. A
    single column is seen if it has 10 values, of which 8 recur and none holds a quarter of the
    records, and the outcome clings to them; several that agree together if the outcome mostly is
    one within them.
    """
    codes, names = np.column_stack([_codes(cells) for _, cells in table.items()]), list(table)
    gone = codes < 0
    once = ~pd.DataFrame(codes).assign(y=y).duplicated().to_numpy()  # copies are no persons
    for own in codes.T:  # each hole is a value of its own
        own[own < 0] = own.max() + 1 + np.arange((own < 0).sum())
    few = codes[once], gone[once]
    singles = [_suspect([k], *few, y[once], names) for k in range(len(names))]
    singles = [one for one in singles if one]
    if any(one.sure for one in singles):
        found = [_coarsest(singles, few[0], names)]
    else:
        sets = sorted({own for k in range(len(names)) for own in _agreeing(few[0], k)})
        found = [one for own in sets if (one := _suspect(list(own), *few, y[once], names))]
        # of those that part the records alike, a single column
        found = {(one.groups.max(), one.within): one for one in [*found, *singles]}.values()
        found = sorted(found, key=lambda one: one.beside - one.within)[:MOST]
    wholes = [_tuples(codes[:, [names.index(name) for name in one.names]]) for one in found]
    return [replace(one, groups=whole) for one, whole in zip(found, wholes, strict=True)]


def _codes(cells):
    """Places of values in their order, numbers though they be written as text; -1 where missing."""
    codes, values = pd.factorize(cells)
    if isinstance(values, pd.CategoricalIndex):
        keys = values.codes
    else:
        numbers = pd.to_numeric(pd.Series(values), errors="coerce")
        keys = numbers if numbers.notna().all() else pd.Series(values).astype(str)
    places = np.unique(np.asarray(keys), return_inverse=True)[1]
    return np.where(codes < 0, -1, np.append(places, -1)[codes])


def _tuples(codes):
    groups = np.zeros(len(codes), dtype=np.int64)
    for own in codes.T:
        groups = pd.factorize(groups * (own.max() + 1) + own, sort=True)[0]
    return groups


def _in_order(groups):
    """Records by group, at random within, and whether the next is of the same."""
    mixed = np.random.default_rng(0).permutation(len(groups))
    order = mixed[np.argsort(groups[mixed], kind="stable")]
    return order, np.diff(groups[order]) == 0


def _agreement(equal, chance):
    return (np.mean(equal, axis=0) - chance) / (1 - chance)


def _chance(codes):
    """Share of pairs of records that agree in each column."""
    shares = [np.unique(own, return_counts=True)[1] / len(own) for own in codes.T]
    return np.minimum([(share**2).sum() for share in shares], 0.99)


def _agreements(groups, codes):
    """Agreement in each column within a group and beside it, and the first one's p-value."""
    order, same = _in_order(groups)
    codes, chance = codes[order], _chance(codes)
    equal = (codes[1:] == codes[:-1])[same]
    first, place = np.flatnonzero(np.r_[True, ~same]), np.cumsum(np.r_[0, ~same])
    pairs = [(place + k < len(first), place + k) for k in (1, 2, 3)]  # with the next values
    beside = np.concatenate([codes[some] == codes[first[other[some]]] for some, other in pairs])
    p = stats.binom.sf(equal.sum(axis=0) - 1, len(equal), chance)
    return _agreement(equal, chance), _agreement(beside, chance), p


def _suspect(own, codes, gone, y, names):
    groups, holes = _tuples(codes[:, own]), gone[:, own].any(axis=1)
    sizes = np.bincount(groups)
    few = len(sizes) < FEWEST_PERSONS or (sizes > 1).sum() < FEWEST_RECURRING
    full = holes.mean() <= HOLES  # else what else is alike in their records tells more
    few |= len(own) > 1 and not full
    if few or sizes.max() > GREATEST * len(y):
        return None
    known = ~holes  # a hole is like nothing beside it
    (within,), (beside,), (p,) = _agreements(groups[known], y[known, None])
    clings = within - beside
    if len(own) == 1 and within >= SURE and clings < SURELY_BEYOND:  # sorted by the outcome?
        inside, outside, _ = _agreements(groups[known], np.delete(codes, own, axis=1)[known])
        clings = max([clings, *(inside - outside)[inside >= SURE]])
    least, beyond = (SET, SET_BEYOND) if len(own) > 1 else (0, BEYOND)
    if p > BY_CHANCE or within < least or clings < beyond:
        return None
    sure = bool(full and len(own) == 1 and within >= SURE and clings >= SURELY_BEYOND)
    n = len(sizes) - int(holes.sum())
    names = tuple(names[k] for k in own)
    return Suspect(names, groups, float(within), float(beside), sure, n)


def _coarsest(singles, codes, names):
    """The sure suspect, or one of whom it names the parts, as stays are a patient's.

    Such a one is the same in all records of a part, and so is what is the same in those in its own.
    """
    sure = [one for one in singles if one.sure]
    best = max(one.within for one in sure)
    chosen = max((one for one in sure if one.within > best - 0.02), key=lambda one: one.n)
    own = {one.names: names.index(one.names[0]) for one in singles}
    fixed = _fixed(chosen.groups, codes)
    wider = [one for one in singles if fixed[own[one.names]] and one.n < chosen.n]
    fixed[[own[one.names] for one in singles if one.n >= chosen.n]] = False
    wider = [one for one in wider if (_fixed(one.groups, codes) >= fixed).all()]
    chosen = min([chosen, *wider], key=lambda one: one.n)
    others = tuple(one.names[0] for one in sure if one is not chosen and one.n >= chosen.n)
    return replace(chosen, sure=True, others=others)


def _fixed(groups, codes):
    """Which columns have one value within each group."""
    order, same = _in_order(groups)
    return (np.diff(codes[order], axis=0) == 0)[same].all(axis=0)


def _agreeing(codes, start):
    """Sets of columns, from that one on: each time the one that agrees most where the others do."""
    codes, chosen = codes[_some(codes[:, start])], [start]
    if 2 * len(np.unique(codes[:, start])) > len(codes):
        return
    chance = _chance(codes)
    while True:
        order, same = _in_order(_tuples(codes[:, chosen]))
        equal = (np.diff(codes[order], axis=0) == 0)[same]
        if not len(equal):
            return
        gain = _agreement(equal, chance)
        gain[stats.binom.sf(equal.sum(axis=0) - 1, len(equal), chance) > BY_CHANCE] = 0
        gain[chosen] = 0
        if gain.max() <= 0:
            return
        chosen.append(int(gain.argmax()))
        yield tuple(sorted(chosen))


def _some(groups, most=SOME // 10):
    """Rows of as many groups, at random, as make some records: whole, or so many of each."""
    rng = np.random.default_rng(0)
    rows = pd.Series(groups).sample(frac=1, random_state=rng)
    rows = rows[rows.groupby(rows).cumcount() < most]
    sizes = rows.value_counts().sample(frac=1, random_state=rng).cumsum()
    return np.sort(rows.index[rows.isin(sizes.index[sizes <= SOME])])


# ---------------------------------------------------------------- the trial


@dataclass(frozen=True, eq=False)
class Trial:
    """AUC of a forest in plain folds with its interval, and where folds keep a suspect whole."""

    suspect: Suspect
    plain: float
    interval: tuple
    whole: float

    @property
    def falls(self):
        """Whether the AUC falls beyond its interval."""
        return self.whole < self.interval[0]


def try_suspects(X, y, suspects, seed=0):
    """Trials of suspects on the attributes, up to some seconds each.

    `X` is a DataFrame as :class:`~ehrgan.report.reading.Prepared` has it. A column of words that is
    suspected itself is left out of its trial: what is known of a word never serves for another.
    """
    return [_trial(X, y, one, 1 - 0.05 / len(suspects), seed) for one in suspects]


def _trial(X, y, suspect, level, seed):
    rows = _some(suspect.groups)
    name = suspect.names[0]
    words = name in X and not pd.api.types.is_numeric_dtype(X[name])
    X = X.iloc[rows].drop(columns=[name] if words and len(suspect.names) == 1 else [])
    y, groups = y[rows], suspect.groups[rows]
    forest = RandomForestClassifier(50, random_state=seed)  # tells all records apart, so persons
    plain, spread = area_in_folds(X, y, None, seed, forest)
    whole, _ = area_in_folds(X, y, groups, seed, forest)
    interval = interval_of_area(plain, variance_among(spread, y), level=level)
    return Trial(suspect, plain, interval, whole)


# ---------------------------------------------------------------- likeness, whatever the outcome

CLEARLY = 4  # standard errors
MUCH, SOMEWHAT, ALL = 0.5, 0.15, 0.9  # of the likeness between none and sameness
MANY = 50  # values of which one constant column is enough
FEWEST_PAIRS = 20
FEW_OF_EACH = 5  # records of a value: many values tell more
CODED = 1e6  # no rank is as far out


@dataclass(frozen=True, eq=False)
class Alike:
    """A column within whose values records are alike, whatever their outcome."""

    name: str
    n: int  # how many values there are
    likeness: pd.Series  # by other column, most alike first: 0 as beside the value, 1 the same

    @property
    def reason(self):
        """Why, in words that go on from the name."""
        told = ", ".join(map(repr, self.likeness.index[:3]))
        return f"takes {self.n} values, and records of one are alike in {told}"


def alike(table, sure=()):
    """Columns that may name persons by what their records share, whatever the outcome.

    `table` holds cells without the outcome, numbers where they are numbers, NaN where missing.
    Records of one value must be much alike in two other columns, more than with those of the next
    values; somewhat is enough for a name in `sure`, which cannot be an attribute, and for a number;
    one column that never changes is enough where values are many. Most alike first.
    """
    codes = np.column_stack([_codes(cells) for _, cells in table.items()])
    marks = np.column_stack([_marks(table.iloc[:, j], own) for j, own in enumerate(codes.T)])
    once = ~pd.DataFrame(codes).duplicated().to_numpy()  # copies are no persons
    found = []
    for (name, cells), own in zip(table.items(), codes.T, strict=True):
        sizes = np.bincount(own[(own >= 0) & once])
        sizes = sizes[sizes > 0]
        few = len(sizes) < FEWEST_PERSONS or (sizes > 1).sum() < FEWEST_RECURRING
        if few or sizes.max() > GREATEST * once.sum():
            continue
        known = np.flatnonzero((own >= 0) & once)
        rows = known[_some(own[known], FEW_OF_EACH)]
        likeness = pd.Series(_likeness(own[rows], marks[rows]), table.columns).drop(name)
        doubtful = name in sure or pd.api.types.is_numeric_dtype(cells)
        enough = likeness >= (SOMEWHAT if doubtful else MUCH)
        fixed = doubtful and len(sizes) >= MANY and (likeness >= ALL).any()
        if enough.sum() >= 2 or fixed:
            likeness = likeness[enough].sort_values(ascending=False, kind="stable")
            found.append(Alike(name, len(sizes), likeness))
    return sorted(found, key=lambda one: -one.likeness.sum())


def _marks(cells, codes):
    """Ranks of numbers, of unit variance; of other cells codes, shifted to tell them from those."""
    if pd.api.types.is_numeric_dtype(cells) and cells.nunique() > 2:
        ranks = cells.rank().to_numpy(np.float64)
        return (ranks - np.nanmean(ranks)) / np.nanstd(ranks)
    return np.where(codes < 0, np.nan, (codes + 1) * CODED)


def _likeness(groups, marks):
    """How much more alike records of a group are in each column than those of the next groups."""
    order, same = _in_order(groups)
    marks = marks[order]
    coded = (marks >= CODED).any(axis=0)
    first, place = np.flatnonzero(np.r_[True, ~same]), np.cumsum(np.r_[0, ~same])

    def apart(a, b):
        gap = marks[a] - marks[b]
        return np.where(np.isnan(gap), np.nan, np.where(coded, gap != 0, gap**2))

    rows, n = np.arange(len(marks)), len(first)
    pairs = apart(rows[1:], rows[:-1])[same]
    several = np.unique(place[1:][same])  # groups of several records: each counts once
    starts = np.searchsorted(place[1:][same], several)
    sizes = np.diff(np.append(first, len(marks)))

    def member(group, j):
        return first[group % n] + j % sizes[group % n]

    near = [
        apart(member(several, j), member(several + k, j))
        for k in (1, 2, 3) for j in range(FEW_OF_EACH)
    ]  # fmt: skip
    mixed = np.random.default_rng(0).permutation(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns that nobody knows
        known = np.add.reduceat(~np.isnan(pairs), starts, axis=0)
        within = np.add.reduceat(np.nan_to_num(pairs), starts, axis=0) / known
        gain = np.nanmean(near, axis=0) - within
        error = np.nanstd(gain, axis=0) / np.sqrt((~np.isnan(gain)).sum(axis=0))
        chance = np.nanmean(apart(rows, mixed), axis=0)
        gain = np.nanmean(gain, axis=0)
        clear = (gain > CLEARLY * error) & (known.sum(axis=0) >= FEWEST_PAIRS)
        return np.where(clear, gain / chance, 0.0)
