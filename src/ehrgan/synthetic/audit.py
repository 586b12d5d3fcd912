"""One generator on one table: learn from half of the persons, and be measured by the others."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from ..bars import no_bars
from ..report.areas import splits_of
from .fidelity import fidelity
from .privacy import privacy
from .resampling import persons_of
from .utility import CLASSIFIERS, utility

__all__ = ["Audit", "audit", "split_persons"]


class Audit(NamedTuple):
    """What a generator made, from whom, and how that measures.

    Parameters
    ----------
    generator : ehrgan.synthetic.generators.RecordGenerator
        Fitted on `members`.
    fake : DataFrame
        What it made, outcome and all.
    members, others, reference : DataFrame
        Records that it learned from, and two parts of those that it has not seen.
    fidelity, utility, privacy : DataFrame
        From :func:`~ehrgan.synthetic.fidelity.fidelity`,
        :func:`~ehrgan.synthetic.utility.utility` and :func:`~ehrgan.synthetic.privacy.privacy`.
    """

    generator: object
    fake: pd.DataFrame
    members: pd.DataFrame
    others: pd.DataFrame
    reference: pd.DataFrame
    fidelity: pd.DataFrame
    utility: pd.DataFrame
    privacy: pd.DataFrame

    def from_ideal(self):
        """How far the generator is from ideal, in points of AUC: 0 is ideal, more is worse.

        Returns
        -------
        DataFrame
            axis, mean, low, high. "fidelity": the area of a classifier that tells fake from real,
            less one half. "utility": what the first classifier loses by learning from fake in
            place of real records. "privacy": the area of the attack by the density ratio, less one
            half.
        """
        ends = ["mean", "low", "high"]
        lost = self.utility.query("metric == 'AUC' and trained == 'fake less real'").iloc[0]
        rows = {
            "fidelity": self.fidelity.loc["classifier", ends] - 0.5,
            "utility": (-lost[["mean", "high", "low"]]).set_axis(ends),
            "privacy": self.privacy.loc["density ratio", ends].astype(float) - 0.5,
        }
        return pd.DataFrame(rows).T.astype(float).rename_axis("axis").reset_index()


def split_persons(table, outcome, *, person=None, seed=0):
    """Part records in a half to learn from and two quarters to attack with, persons whole.

    Parameters
    ----------
    table : DataFrame of shape (n_records, n_columns)
    outcome : label
        Column of two classes or more; each part gets its share of them.
    person : label, optional
        Column that says whose each record is; by default each is another's.
    seed : int, default=0

    Returns
    -------
    members, others, reference : DataFrame
        With the labels of `table`.

    Raises
    ------
    ValueError
        There is no such column, or fewer than four persons have records of a class.

    Examples
    --------
    >>> table = pd.DataFrame({"id": np.arange(80) // 2, "died": np.arange(80) // 2 % 2})
    >>> members, others, reference = split_persons(table, "died", person="id")
    >>> len(members), set(members["id"]) & set(others["id"])
    (40, set())
    """
    persons = persons_of(table, person)[1]
    y, groups = pd.factorize(table[outcome])[0], pd.factorize(persons)[0]
    fewest = min(len(np.unique(groups[y == k])) for k in np.unique(y))
    if fewest < 4:
        raise ValueError(f"outcome {outcome!r} has a class of {fewest} persons: four are needed")
    folds = [test for *_, test in splits_of(y, None if person is None else groups, 1, seed, 4)]
    parts = (np.sort(np.concatenate(folds[:2])), *folds[2:])
    return tuple(table.iloc[rows] for rows in parts)


def audit(generator, table, outcome, *, person=None, n=None, classifiers=CLASSIFIERS, seed=0):
    """Let a generator learn from half of the persons, and measure what it makes by the others.

    Parameters
    ----------
    generator : ehrgan.synthetic.generators.RecordGenerator
        Unfitted, such as :func:`~ehrgan.synthetic.generators.make_generator` gives.
    table : DataFrame of shape (n_records, n_columns)
        Records with their outcome; NaN where missing.
    outcome : label
        Column of two classes.
    person : label, optional
        Column that says whose each record is, which is no attribute; by default each is another's.
    n : int, optional
        Records to make; by default as many as it learned from.
    classifiers : tuple of str, default=CLASSIFIERS
        As for :func:`~ehrgan.synthetic.utility.utility`.
    seed : int, default=0
        Seeds the split and all measures.

    Returns
    -------
    Audit

    Raises
    ------
    TypeError, ValueError
        As :func:`split_persons`, the generator and the three measures.

    Examples
    --------
    >>> from ehrgan.synthetic.generators import make_generator
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"a": rng.normal(size=400)}).assign(ill=lambda t: t["a"] > 0)
    >>> found = audit(make_generator("bootstrap"), table, "ill", classifiers=CLASSIFIERS[:1])
    >>> bool(found.privacy.loc["exact copies", "caught"])
    True
    >>> found.from_ideal()["axis"].tolist()
    ['fidelity', 'utility', 'privacy']
    """
    members, others, reference = split_persons(table, outcome, person=person, seed=seed)
    unseen, told = pd.concat([others, reference]), {"person": person, "seed": seed}
    with tqdm(total=4, desc="audit", unit="step", disable=no_bars()) as bar:
        learned = persons_of(members, person)[0]
        fitted = generator.fit(learned.drop(columns=outcome), learned[outcome])
        X, y = fitted.sample(len(members) if n is None else n, random_state=seed + 1)
        fake = X.assign(**{outcome: pd.Series(y).astype(table[outcome].dtype)})[learned.columns]
        bar.update()
        likeness = fidelity(unseen, fake, **told)
        bar.update()
        use = utility(members, fake, unseen, outcome=outcome, classifiers=classifiers, **told)
        bar.update()
        attacks = privacy(fake, members=members, others=others, reference=reference, **told)
        bar.update()
    return Audit(fitted, fake, members, others, reference, likeness, use, attacks)
