"""A report on anybody's records: which imputation and classifier serve them, if it matters."""

import warnings
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from .. import plots
from ..bars import no_bars
from ..files import write_whole
from ..scores.estimate import Estimate
from ..scores.inference import corrected_interval
from ..scores.metrics import threshold_at
from ..tables.coding import TableCoder
from ..templates import render
from .areas import (
    N_FOLDS,
    brier_of,
    effect_of_training,
    interval_of_area,
    sides,
    units_of,
    variance_among,
)
from .choice import comparison_table, corrected_for_choice, gains_of_imputation
from .compare import compare_methods, from_holes, some_rows
from .errors import ReportError
from .fitting import fit_method
from .importance import importance
from .methods import ADVERSARY, CANDIDATES, JOINT, PAPERS, SIMPLE, method_in_words
from .model import Model, versions
from .outside import elsewhere, later, other_records, past_and_later
from .page import html_page, model_card
from .performance import benefit, performance
from .probabilities import needs_recalibration, recalibrated, threshold_table
from .subgroups import subgroups
from .words import calibration_in_words, findings, stability_in_words

__all__ = ["Report", "make_report"]

LIMIT = 3000  # records that the comparison uses at most; the recommended method learns from all

TRIALS = ((500, 4), (1500, 2), (np.inf, 1))  # up to so many records, so many trials
WIDE = 200  # columns of numbers from which one trial must do
PATTERNS = 8  # patterns of holes that a report lists
MOST_SHUFFLED = 100  # attributes, to see what carries a method


@dataclass(frozen=True, eq=False)
class Report:
    """What a comparison of methods found on a table, in numbers and words.

    Parameters
    ----------
    prepared : ehrgan.report.reading.Prepared
        The table as it was read.
    methods : tuple of (str, str)
        The imputations and classifiers compared, from simple to complex.
    comparison : DataFrame
        A row for each of `methods`: imputation, classifier, auc, low, high (corrected 95 %
        interval over folds), behind (the best, with low and high), p (Holm), brier.
    chosen : int
        The row that is recommended.
    auc : float
        Its AUC, corrected for the choice.
    interval, prediction : tuple of float
        95 % intervals: of that AUC, and of the AUC seen in as many other records of the same kind.
    gains : DataFrame
        AUC after each imputation less that after means: imputation, classifier (the recommended
        one, or logistic regression where that goes with one imputation alone), mean, low, high
        (corrected 95 % interval), p (Holm).
    by_holes : tuple of float
        AUC of what a logistic regression tells from the mask alone, with its 95 % interval.
    scores : object
        Of the records compared: ``y`` (n_compared,), out-of-fold ``probability`` (n_methods,
        n_trials, n_compared; of several classes one more axis), and ``areas`` (n_methods, n_trials
        x n_folds), the AUC of each fold.
    words : list of str
        The recommendation and its uncertainty, in sentences.
    missing : DataFrame
        The commonest patterns of holes: records, share, positive share (of two classes),
        attributes.
    settings : dict
        Records compared, folds, trials, seed.
    rows : int ndarray of shape (n_compared,)
        Places of the records compared among those of `prepared`.
    spread : ndarray of shape (n_classes,)
        How far other records of each class make the AUC vary: see
        ``ehrgan.report.areas.variance_among``.
    effect : float
        How many times as far the AUC here varies, since other records would also train another
        model.
    named : ndarray of shape (n_methods,)
        How often the same rule recommends each method on records drawn again.
    told : ndarray of shape (n_compared,) or (n_compared, n_classes)
        Out-of-fold probabilities of the recommended method, recalibrated if need be.
    line : tuple of float, or None
        Intercept and slope of the recalibration, if there is need for one.
    performance : DataFrame
        Of `told`: see :func:`~ehrgan.report.performance.performance`.
    thresholds : DataFrame, or None
        Where to act on `told`: see :func:`~ehrgan.report.probabilities.threshold_table`; None of
        several classes.
    importance : DataFrame, or None
        What carries the method: see :func:`~ehrgan.report.importance.importance`; None where there
        are more than a hundred attributes.
    groups : DataFrame, or None
        For whom it works: see :func:`~ehrgan.report.subgroups.subgroups`; None if nobody asked.
    outside : list of ehrgan.report.outside.Outside
        What the recommended method does on other records and on later ones, if there are such.
    """

    prepared: object
    methods: tuple
    comparison: pd.DataFrame
    chosen: int
    auc: float
    interval: tuple
    prediction: tuple
    gains: pd.DataFrame
    by_holes: tuple
    scores: object
    words: list
    missing: pd.DataFrame
    settings: dict
    rows: np.ndarray
    spread: np.ndarray
    effect: float
    named: np.ndarray
    told: np.ndarray
    line: tuple | None
    performance: pd.DataFrame
    thresholds: pd.DataFrame | None
    importance: pd.DataFrame | None = None
    groups: pd.DataFrame | None = None
    outside: list = field(default_factory=list)

    @property
    def method(self):
        """Imputation and classifier that are recommended."""
        return self.methods[self.chosen]

    def promised(self, y):
        """Between which AUCs other records of such classes lie, 95 times in 100.

        Parameters
        ----------
        y : int ndarray
            Their classes.

        Returns
        -------
        low, high : float
        """
        own = self.effect * variance_among(self.spread, self.scores.y)
        return _promised(self.auc, own, self.spread, y, units_of(self.scores.y, self.persons))

    @property
    def persons(self):
        """Number of the person of each record compared; None if each is its own."""
        groups = self.prepared.groups
        return None if groups is None else groups[self.rows]

    def lead(self, method, other):
        """AUC of one method less that of another, on the same folds.

        Parameters
        ----------
        method, other : (str, str)
            Two of `methods`.

        Returns
        -------
        mean, low, high : float
            With a corrected 95 % interval.

        Raises
        ------
        ValueError
            If one is not among `methods`.
        """
        return corrected_interval(self.scores.lead(method, other), *self.scores.sizes)

    @property
    def threshold(self):
        """The greatest threshold that finds nine in ten of the positive records."""
        return threshold_at(self.scores.y, self.told, sensitivity=0.9)

    def curve(self, method):
        """Class and out-of-fold probability of the records compared, mean over trials.

        Parameters
        ----------
        method : (str, str)
            One of `methods`.

        Returns
        -------
        y, probability : ndarray of shape (n_compared,)

        Raises
        ------
        ValueError
            If it is not among `methods`.
        """
        return self.scores.curve(self.methods.index(method))

    def fit(self):
        """Train the recommended method on all records.

        Returns
        -------
        sklearn.pipeline.Pipeline
            Takes a DataFrame such as :func:`~ehrgan.report.files.read_table` gives; predicts the
            words of the table's own outcome, in the order of its ``classes_``. See
            :func:`~ehrgan.report.fitting.fit_method`; it is trained once.
        """
        return self._fitted

    @cached_property
    def _fitted(self):
        return fit_method(self.prepared, self.method, self.settings["seed"], line=self.line)

    def save(self, folder):
        """Write report, fitted model, its card and its schema into a folder.

        Parameters
        ----------
        folder : path-like
            Made if need be; files of the same names are replaced, each whole.

        Returns
        -------
        dict of str to Path
            "report", "model", "card", "comparison", "schema".

        Raises
        ------
        OSError
            The folder cannot be written.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        names = ("report.html", "model.skops", "model_card.md", "comparison.csv", "schema.json")
        keys = ("report", "model", "card", "comparison", "schema")
        paths = {key: folder / name for key, name in zip(keys, names, strict=True)}
        prepared = self.prepared
        about = {"card": self.card(), "fingerprint": prepared.fingerprint}
        about["classes"] = list(prepared.classes)
        Model(self.fit(), about | {"versions": versions()}).save(paths["model"])
        write_whole(paths["card"], about["card"])
        write_whole(paths["comparison"], self.comparison.to_csv(index=False))
        self.prepared.schema.save(paths["schema"])
        write_whole(paths["report"], self.to_html())
        return paths

    def card(self):
        """The model card of the fitted pipeline, as Markdown."""
        return model_card(self)

    def to_html(self):
        """The report as one HTML page that needs no other file and no network."""
        return html_page(self)

    def figure(self):
        """AUC of every method with its interval."""
        return plots.method_intervals(self.comparison, self.chosen)

    def calibration(self):
        """How often what the recommended method predicted came true."""
        named, classes = method_in_words(*self.method), self.prepared.classes
        titles = [named] if len(classes) == 2 else classes
        panels = zip(titles, sides(self.scores.y, self.told), strict=True)
        return plots.calibration({title: {named: side} for title, side in panels})

    def benefit(self):
        """Net benefit of acting on the probabilities, here and where else they were tried."""
        grid = np.linspace(0.01, 0.8, 80)
        tried = {"out of fold, here": benefit(self.scores.y, self.told, grid, self.persons)}
        for one in self.outside:
            tried[one.name] = benefit(one.y, one.told, grid, one.groups)
        return plots.net_benefit(tried)

    def _repr_html_(self):
        return render("words.html", words=self.words)


def make_report(prepared, *, methods=CANDIDATES, seed=0, limit=LIMIT, n_trials=None, external=None):
    """Compare imputations and classifiers on a table, and recommend one with its uncertainty.

    Parameters
    ----------
    prepared : ehrgan.report.reading.Prepared
        From :func:`~ehrgan.report.reading.prepare`.
    methods : tuple of (str, str), default=CANDIDATES
        Imputations and classifiers to compare, from simple to complex: at least :data:`SIMPLE`,
        which train no network, and else of :data:`CANDIDATES`, with :data:`JOINT` and
        :data:`PAPERS` behind them if wanted.
    seed : int, default=0
        Makes folds and training reproducible, at least 0.
    limit : int, default=3000
        Records compared at most, drawn by class; at least 100.
    n_trials : int, optional
        Repetitions of the five-fold cross-validation, at least 1; by default four for tables of up
        to 500 records, two up to 1500, one beyond or where there are more than 200 columns.
    external : dict of str to DataFrame, optional
        Tables of other places by name, outcome included, on which the recommended method is tried.
        Where `prepared` has a time, it is also trained on the past and tried on what came after.

    Returns
    -------
    Report

    Raises
    ------
    ReportError
        If `methods` lacks one of :data:`SIMPLE` or holds an unknown one, `seed`, `limit` or
        `n_trials` is out of range, no attribute varies, or a table of `external`, or a part of the
        time, lacks a column or records of a class.

    References
    ----------
    Tsamardinos, Greasidou and Borboudakis, *Bootstrapping the out-of-sample predictions for
    efficient and accurate cross-validation*, Machine Learning 107, 2018. DeLong, DeLong and
    Clarke-Pearson, *Comparing the areas under two or more correlated receiver operating
    characteristic curves*, Biometrics 44, 1988.

    Notes
    -----
    One to two minutes on two cores for 3000 records of 50 attributes, whatever the table's length.
    """
    methods = tuple(methods)
    if not set(SIMPLE) <= set(methods) <= {*CANDIDATES, *JOINT, *PAPERS}:
        raise ReportError(
            "methods must hold all of SIMPLE, and beside them only of CANDIDATES, JOINT and "
            f"PAPERS, got {methods!r}"
        )
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ReportError(f"seed must be a whole number of at least 0, got {seed!r}")
    if not isinstance(limit, int | np.integer) or limit < 100:
        raise ReportError(f"limit must be a whole number of at least 100, got {limit!r}")
    if n_trials is not None and (not isinstance(n_trials, int | np.integer) or n_trials < 1):
        raise ReportError(f"n_trials must be a whole number of at least 1, got {n_trials!r}")
    others = [other_records(name, table, prepared) for name, table in (external or {}).items()]
    parts = None if prepared.time is None else past_and_later(prepared)
    report = _looked_into(compared(prepared, methods, seed, limit, n_trials))
    outside = [elsewhere(report, other) for other in others]
    outside += [] if parts is None else [later(report, *parts)]
    words = [word for one in outside for word in one.words]
    return replace(report, outside=outside, words=[*report.words, *words])


def compared(prepared, methods, seed, limit=LIMIT, n_trials=None):
    """The report that a comparison makes, before anything is asked of the recommended method."""
    rows = some_rows(prepared.y, limit, seed, prepared.groups)
    y, X = prepared.y[rows], prepared.X.iloc[rows].reset_index(drop=True)
    groups = None if prepared.groups is None else prepared.groups[rows]
    trials = next(trials for most, trials in TRIALS if len(y) <= most)
    wide = TableCoder().fit_transform(X).shape[1] > WIDE
    n_trials = n_trials or (1 if wide else trials)
    steps = len({imputation for imputation, _ in methods}) + len(methods)
    # small tables gain nothing from threads, and suffer where others use the machine
    with (
        threadpool_limits(1),
        warnings.catch_warnings(),
        tqdm(total=steps, desc="methods", unit="method", disable=no_bars()) as bar,
    ):
        warnings.simplefilter("ignore", ConvergenceWarning)
        scores = compare_methods(methods, X, y, groups, n_trials, seed, bar)
        effect = effect_of_training(X, y, groups, seed)
    settings = {"seed": seed, "n_trials": n_trials, "n_folds": N_FOLDS, "n_compared": len(y)}
    return _reported(prepared, scores, effect, rows, settings)


def _looked_into(report):
    """The report with what carries its method, and for whom it works."""
    prepared, rows, seed = report.prepared, report.rows, report.settings["seed"]
    found, words = {}, list(report.words)
    if prepared.X.shape[1] <= MOST_SHUFFLED:
        found["importance"] = importance(prepared, report.method, rows, seed)
    if prepared.by:
        groups = {name: of.iloc[rows] for name, of in prepared.by.items()}
        cut = None if report.thresholds is None else report.threshold
        table, said = subgroups(groups, report.scores.y, report.told, cut, report.persons)
        found["groups"] = table
        words += said
    return replace(report, words=words, **found)


def _promised(auc, own, spread, y, units):
    """Interval of the AUC among others of classes `y`, whom the same model tells: no training."""
    return interval_of_area(auc, own + variance_among(spread, y), units)


def _reported(prepared, scores, effect, rows, settings):
    """The report that the scores of a comparison of some rows make."""
    comparison, chosen = comparison_table(scores)
    groups = None if prepared.groups is None else prepared.groups[rows]
    auc, named = corrected_for_choice(scores, groups, settings["seed"])
    spread = scores.spread(chosen, groups)
    own, units = effect * variance_among(spread, scores.y), units_of(scores.y, groups)
    interval = interval_of_area(auc, own, units)
    prediction = _promised(auc, own, spread, prepared.y, units)
    by_holes = from_holes(prepared, settings["seed"])
    method, gains = scores.methods[chosen], gains_of_imputation(scores, scores.methods[chosen][1])
    adversary = None
    if {*ADVERSARY} <= {*scores.methods}:
        adversary = corrected_interval(scores.lead(*ADVERSARY), *scores.sizes)
    told, line, found = _true_probabilities(scores, chosen, prepared.classes, groups)
    area, thresholds = Estimate(auc, *interval), None
    if told.ndim == 1:
        thresholds = threshold_table(scores.y, told, groups)
    words = findings(
        prepared, method, (scores.y, told), area, prediction, gains, adversary, by_holes
    )
    words += [*calibration_in_words(found, line), stability_in_words(scores, named, chosen)]
    return Report(
        prepared=prepared,
        methods=scores.methods,
        comparison=comparison,
        chosen=chosen,
        auc=auc,
        interval=interval,
        prediction=prediction,
        gains=gains,
        by_holes=by_holes,
        scores=scores,
        words=words,
        missing=_patterns(prepared),
        settings=settings,
        rows=rows,
        spread=spread,
        effect=effect,
        named=named,
        told=told,
        line=line,
        performance=found,
        thresholds=thresholds,
    )


def _true_probabilities(scores, chosen, classes, groups):
    """Out-of-fold probabilities of a method, the line that mends them, and how well they do.

    They are mended where they do not come true and the mended ones come nearer.
    """
    y, told = scores.curve(chosen)
    parts = list(zip(scores.probability[chosen], scores.fold, strict=True))
    found = performance(y, told, classes, groups, parts)
    if not needs_recalibration(found):
        return told, None, found
    of_trials, line = recalibrated(y, scores.probability[chosen], scores.fold)
    mended = of_trials.mean(axis=0)
    if brier_of(y, mended) >= brier_of(y, told):
        return told, None, found
    parts = list(zip(of_trials, scores.fold, strict=True))
    return mended, line, performance(y, mended, classes, groups, parts)


def _patterns(prepared):
    holes = prepared.X.isna()
    marks = pd.util.hash_pandas_object(holes, index=False).to_numpy()
    rows = []
    for mark, count in pd.Series(marks).value_counts().head(PATTERNS).items():
        own = marks == mark
        names = holes.columns[holes[own].iloc[0]].tolist()
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        positive = prepared.y[own].mean() if prepared.positive is not None else np.nan
        rows.append((int(count), own.mean(), positive, shown or "nothing is missing"))
    found = pd.DataFrame(rows, columns=["records", "share", "positive", "missing attributes"])
    return found if prepared.positive is not None else found.drop(columns="positive")
