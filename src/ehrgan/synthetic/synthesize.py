"""Make records like those of anybody's table, with a card that says how they measure."""

from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from ..files import write_whole
from ..report.errors import ReportError
from ..scores.estimate import Estimate, readable
from ..templates import render
from .audit import Audit, audit
from .constraints import broken_orders
from .generators import make_generator

__all__ = ["OFFERED", "Synthesis", "synthesize"]

#: Generators that may be asked for: the others are controls, which give records away on purpose.
OFFERED = ("Gaussian copula", "class-wise Gaussians", "AC-GAN")
FEWEST_PERSONS = 200
FEWEST_OF_A_CLASS = 20  # persons
FEWEST_OF_A_WORD = 5  # persons who share it
FEWEST_MADE = 100
RULE = (
    f"A table of fewer than {FEWEST_PERSONS} persons, or of fewer than {FEWEST_OF_A_CLASS} of a "
    "class, is refused: a record is recognisable there, and no attack could tell a leak from luck "
    "(its interval would be wider than 0.1 to either side). Words that fewer than "
    f"{FEWEST_OF_A_WORD} persons share are left empty."
)


@dataclass(frozen=True, eq=False)
class Synthesis:
    """Records that nobody lived, and how they measure.

    Parameters
    ----------
    table : DataFrame of shape (n, n_columns)
        The records, with their outcome in the table's own words.
    audit : ehrgan.synthetic.audit.Audit
        Of this very table: its generator learned from half of the persons.
    broken : DataFrame
        From :func:`~ehrgan.synthetic.constraints.broken_orders`.
    prepared : ehrgan.report.reading.Prepared
        The real table as it was read.
    notes : list of str
        What was left out or left empty, beside the notes of `prepared`.
    settings : dict
        generator, n, seed, outcome.
    """

    table: pd.DataFrame
    audit: Audit
    broken: pd.DataFrame
    prepared: object
    notes: list
    settings: dict

    @property
    def words(self):
        """The verdict in sentences: what was caught, what it is worth, what broke."""
        name, found = self.settings["generator"], self.audit
        caught = found.privacy.index[found.privacy["caught"]].tolist()
        said = [
            f"Caught: the {name} gives members away by {', '.join(caught)}. Do not hand these "
            "records out."
            if caught
            else f"No attack on the {name} did better than chance; that is no proof that none can."
        ]
        told = found.utility.query("metric == 'AUC' and trained == 'fake less real'")
        best = Estimate(*told.loc[told["mean"].idxmax(), ["mean", "low", "high"]])
        area = Estimate(*found.fidelity.loc["classifier", ["mean", "low", "high"]])
        said += [
            f"A classifier tells them from real records with an AUC of {area} (0.5: not at all).",
            "Trained on them in place of real records, the classifier that loses least changes its "
            f"AUC by {best:+}.",
        ]
        for row in self.broken.head(5).itertuples():
            share = Estimate(row.mean, row.low, row.high)
            said.append(
                f"{row.smaller!r} never exceeded {row.larger!r} in {row.known} real records, and "
                f"does in {row.fake} of these ({share})."
            )
        more = len(self.broken) - 5
        return said + ([f"{more} more such orders are broken."] if more > 0 else [])

    def card(self):
        """The card of the records, as Markdown."""
        found = self.audit
        measures = {"fidelity": found.fidelity, "privacy": found.privacy}
        used = found.utility.assign(told=readable(found.utility))
        return render(
            "synthetic_card.md",
            **self.settings,
            rule=RULE,
            words=self.words,
            day=date.today().isoformat(),
            versions=", ".join(f"{n} {version(n)}" for n in ("ehrgan", "scikit-learn")),
            n_members=len(found.members),
            n_unseen=len(found.others) + len(found.reference),
            fingerprint=self.prepared.fingerprint,
            measures={name: t.assign(told=readable(t)) for name, t in measures.items()},
            utility=used.pivot_table("told", ["classifier", "metric"], "trained", "first"),
            columns=list(self.table.columns),
            notes=[*self.prepared.notes, *self.notes],
        )

    def save(self, path):
        """Write the records as CSV, and the card beside them.

        Parameters
        ----------
        path : path-like
            The CSV; the card has its name and ``.card.md``. Each is replaced whole.

        Returns
        -------
        dict of str to Path
            "records" and "card".

        Raises
        ------
        OSError
            The folder is missing or not writable.
        """
        path = Path(path)
        paths = {"records": path, "card": path.with_name(f"{path.name.split('.')[0]}.card.md")}
        write_whole(paths["card"], self.card())  # records never lie about without it
        write_whole(paths["records"], self.table.to_csv(index=False))
        return paths


def synthesize(prepared, n=1000, *, generator=OFFERED[0], seed=0):
    """Make records like those of a table, and measure them.

    Parameters
    ----------
    prepared : ehrgan.report.reading.Prepared
        From :func:`~ehrgan.report.reading.prepare`, which leaves identifiers, dates and other
        columns out, and finds who is one person.
    n : int, default=1000
        Records to make, at least 100.
    generator : str, default="Gaussian copula"
        One of :data:`OFFERED`.
    seed : int, default=0
        Makes them reproducible, at least 0.

    Returns
    -------
    Synthesis

    Raises
    ------
    ReportError
        An unknown generator, `n` or `seed` out of range, an outcome that has not two classes, a
        column that may name persons and of which nothing was said, or a table in which a record
        would be recognisable: fewer than 200 persons, or fewer than 20 of one class.

    Notes
    -----
    The generator learns from half of the persons alone, so that what is attacked is what is handed
    out. Words that fewer than five persons share are left empty first.

    Examples
    --------
    >>> from ehrgan import load_wdbc, prepare
    >>> wdbc = load_wdbc()
    >>> prepared = prepare(wdbc.X.assign(malignant=wdbc.y), "malignant")
    >>> found = synthesize(prepared, 200, generator="class-wise Gaussians")
    >>> found.table.shape, sorted(found.table["malignant"].unique())
    ((200, 31), ['0', '1'])
    """
    if generator not in OFFERED:
        raise ReportError(f"generator must be one of {', '.join(OFFERED)}, got {generator!r}")
    for name, value, least in (("n", n, FEWEST_MADE), ("seed", seed, 0)):
        if not isinstance(value, int | np.integer) or value < least:
            raise ReportError(f"{name} must be a whole number of at least {least}, got {value!r}")
    _refuse_unsaid(prepared)
    X, y = prepared.X, prepared.y
    persons = np.arange(len(y)) if prepared.groups is None else prepared.groups
    _refuse_recognisable(persons, y)
    X, notes = _without_rare_words(X, persons)
    (outcome,) = prepared.schema.named("outcome")
    person = _new_name("person", [*X.columns, outcome])
    labels = pd.Categorical.from_codes(y, [prepared.negative, prepared.positive])
    table = X.convert_dtypes().assign(**{outcome: labels, person: persons})
    table = table[[*(name for name in prepared.columns["name"] if name in table), person]]
    made = make_generator(generator, seed)
    found = audit(made, table, outcome, person=person, n=n, seed=seed)
    broken = broken_orders(table.drop(columns=person), found.fake)
    settings = {"generator": generator, "n": n, "seed": seed, "outcome": outcome}
    return Synthesis(found.fake, found, broken, prepared, notes, settings)


def _refuse_unsaid(prepared):
    """Refuse what a person must decide: which class is the positive one, and who is one person."""
    (outcome,) = prepared.schema.named("outcome")
    if len(prepared.classes) != 2:
        raise ReportError(
            f"outcome {outcome!r} has {len(prepared.classes)} classes ("
            f"{', '.join(prepared.classes)}) and needs two: name the positive one by --positive"
        )
    if prepared.alike:
        told = "; ".join(f"{one.name!r} {one.reason}" for one in prepared.alike[:3])
        raise ReportError(
            f"a column may name persons: {told}. Records of one person must not stand on both "
            f"sides of an attack: if it names them, say --group {prepared.alike[0].name!r} (in the "
            'schema "role": "person"); if not, --keep it (in the schema "keep": true) or delete it'
        )


def _refuse_recognisable(persons, y):
    counts = [len(np.unique(persons[y == k])) for k in (0, 1)]
    n = len(np.unique(persons))
    if n < FEWEST_PERSONS or min(counts) < FEWEST_OF_A_CLASS:
        raise ReportError(
            f"table has {n} persons, {min(counts)} of the rarer class: too few. {RULE} Gather more"
        )


def _without_rare_words(X, persons):
    """The table with words empty that few persons share, and what is to be said of it."""
    X, notes = X.copy(), []
    for name in X.select_dtypes("category"):
        sharing = pd.Series(persons).groupby(X[name], observed=True).nunique()
        rare = sharing.index[sharing < FEWEST_OF_A_WORD]
        if len(rare):
            hidden = X[name].isin(rare)
            X[name] = X[name].mask(hidden).cat.remove_categories(rare)
            notes.append(
                f"{name!r} is left empty in {hidden.sum()} records: fewer than {FEWEST_OF_A_WORD} "
                f"persons share their word, one of {len(rare)}."
            )
    return X, notes


def _new_name(name, taken):
    while name in taken:
        name += "_"
    return name
