"""A report on anybody's records: which imputation and classifier serve them, if it matters."""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from .. import plots
from ..bars import no_bars
from ..files import write_whole
from ..scores.estimate import Estimate, signed
from ..scores.inference import corrected_interval
from ..scores.metrics import threshold_at
from ..tables.coding import TableCoder
from ..templates import render
from .areas import (
    N_FOLDS,
    class_sizes,
    effect_of_training,
    interval_of_area,
    variance_of_area,
)
from .choice import comparison_table, corrected_for_choice, gains_of_imputation
from .compare import compare_methods, from_holes, some_rows
from .errors import ReportError
from .methods import (
    ADVERSARY,
    CANDIDATES,
    FINAL_LIMIT,
    PAPERS,
    make_method,
    method_in_words,
)
from .page import html_page, model_card

__all__ = ["Report", "make_report"]

LIMIT = 3000  # records that the comparison uses at most; the recommended method learns from all

TRIALS = ((500, 4), (1500, 2), (np.inf, 1))  # up to so many records, so many trials
WIDE = 200  # columns of numbers from which one trial must do
PATTERNS = 8  # patterns of holes that a report lists


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
        n_trials, n_compared), and ``areas`` (n_methods, n_trials x n_folds), the AUC of each fold.
    words : list of str
        The recommendation and its uncertainty, in sentences.
    missing : DataFrame
        The commonest patterns of holes: records, share, positive share, attributes.
    settings : dict
        Records compared, folds, trials, seed.
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

    @property
    def method(self):
        """Imputation and classifier that are recommended."""
        return self.methods[self.chosen]

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
            words of the table's own outcome, in the order of its ``classes_``.

        Notes
        -----
        Of very many records a network learns from 20,000, drawn by class; a chain of ridge
        regressions from as many, and each tree of a forest from as many of its own.
        """
        found = self.prepared
        labels = np.where(found.y == 1, found.positive, found.negative).astype(object)
        X = found.X
        if {"denoising autoencoder", "AC-GAN"} & set(self.method) and len(X) > FINAL_LIMIT:
            rows = some_rows(found.y, FINAL_LIMIT, self.settings["seed"])
            X, labels = X.iloc[rows], labels[rows]
        model = make_method(*self.method, self.settings["seed"], len(X), found.schema)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(X, labels)

    def save(self, folder):
        """Write report, fitted pipeline, model card and schema into a folder.

        Parameters
        ----------
        folder : path-like
            Made if need be; files of the same names are replaced, each whole.

        Returns
        -------
        dict of str to Path
            "report", "pipeline", "card", "comparison", "schema".

        Raises
        ------
        OSError
            The folder cannot be written.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        names = ("report.html", "pipeline.joblib", "model_card.md", "comparison.csv", "schema.json")
        keys = ("report", "pipeline", "card", "comparison", "schema")
        paths = {key: folder / name for key, name in zip(keys, names, strict=True)}
        binary = io.BytesIO()
        joblib.dump(self.fit(), binary, compress=3)
        write_whole(paths["pipeline"], binary.getvalue())
        write_whole(paths["card"], self.card())
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
        """How often what the recommended method told came true."""
        named = method_in_words(*self.method)
        return plots.calibration({named: {named: self.curve(self.method)}})

    def _repr_html_(self):
        return render("words.html", words=self.words)


def make_report(prepared, *, methods=CANDIDATES, seed=0, limit=LIMIT, n_trials=None):
    """Compare imputations and classifiers on a table, and recommend one with its uncertainty.

    Parameters
    ----------
    prepared : ehrgan.report.reading.Prepared
        From :func:`~ehrgan.report.reading.prepare`.
    methods : tuple of (str, str), default=CANDIDATES
        Imputations and classifiers to compare, from simple to complex: :data:`CANDIDATES`, with
        :data:`PAPERS` behind them if wanted.
    seed : int, default=0
        Makes folds and training reproducible, at least 0.
    limit : int, default=3000
        Records compared at most, drawn by class; at least 100.
    n_trials : int, optional
        Repetitions of the five-fold cross-validation, at least 1; by default four for tables of up
        to 500 records, two up to 1500, one beyond or where there are more than 200 columns.

    Returns
    -------
    Report

    Raises
    ------
    ReportError
        If `methods` lacks one of :data:`CANDIDATES` or holds an unknown one, `seed`, `limit` or
        `n_trials` is out of range, or no attribute varies.

    References
    ----------
    Tsamardinos, Greasidou and Borboudakis, *Bootstrapping the out-of-sample predictions for
    efficient and accurate cross-validation*, Machine Learning 107, 2018. Hanley and McNeil, *The
    meaning and use of the area under a ROC curve*, Radiology 143, 1982.

    Notes
    -----
    One to two minutes on two cores for 3000 records of 50 attributes, whatever the table's length.
    """
    methods = tuple(methods)
    if not set(CANDIDATES) <= set(methods) <= {*CANDIDATES, *PAPERS}:
        raise ReportError(f"methods must be CANDIDATES, with or without PAPERS, got {methods!r}")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ReportError(f"seed must be a whole number of at least 0, got {seed!r}")
    if not isinstance(limit, int | np.integer) or limit < 100:
        raise ReportError(f"limit must be a whole number of at least 100, got {limit!r}")
    if n_trials is not None and (not isinstance(n_trials, int | np.integer) or n_trials < 1):
        raise ReportError(f"n_trials must be a whole number of at least 1, got {n_trials!r}")
    rows = some_rows(prepared.y, limit, seed, prepared.groups)
    y, X = prepared.y[rows], prepared.X.iloc[rows].reset_index(drop=True)
    groups = None if prepared.groups is None else prepared.groups[rows]
    Z = TableCoder().fit(prepared.X).transform(X)
    trials = next(trials for most, trials in TRIALS if len(y) <= most)
    n_trials = n_trials or (1 if Z.shape[1] > WIDE else trials)
    steps = len({imputation for imputation, _ in methods}) + len(methods)
    # small tables gain nothing from threads, and suffer where others use the machine
    with (
        threadpool_limits(1),
        warnings.catch_warnings(),
        tqdm(total=steps, desc="methods", unit="method", disable=no_bars()) as bar,
    ):
        warnings.simplefilter("ignore", ConvergenceWarning)
        scores = compare_methods(methods, Z, y, groups, n_trials, seed, bar)
        effect = effect_of_training(Z, y, groups, seed)
    settings = {"seed": seed, "n_trials": n_trials, "n_folds": N_FOLDS, "n_compared": len(y)}
    return _reported(prepared, scores, effect, groups, settings)


def _reported(prepared, scores, effect, groups, settings):
    """The report that the scores of a comparison make."""
    comparison, chosen = comparison_table(scores)
    auc = corrected_for_choice(scores, groups, settings["seed"])
    spread, spread_of_others = (
        effect * variance_of_area(auc, *class_sizes(y)) for y in (scores.y, prepared.y)
    )
    interval, prediction = (
        interval_of_area(auc, spread),
        interval_of_area(auc, spread + spread_of_others),
    )
    by_holes = from_holes(prepared, settings["seed"])
    method, gains = scores.methods[chosen], gains_of_imputation(scores, scores.methods[chosen][1])
    adversary = corrected_interval(scores.lead(*ADVERSARY), *scores.sizes)
    words = _words(prepared, method, scores.curve(chosen), auc, interval, prediction)
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
        words=[*words, *_matters(prepared, gains, adversary), *_doubts(prepared, by_holes)],
        missing=_patterns(prepared),
        settings=settings,
    )


def _words(prepared, method, curve, auc, interval, prediction):
    """What is recommended and how well it does, in sentences, each with its uncertainty."""
    y, probability = curve
    cut = threshold_at(y, probability, sensitivity=0.9)
    right = float((probability[y == 0] < cut).mean())
    said = [
        f"Recommended: {method_in_words(*method)}: the simplest of the methods that are no more "
        "than one standard error behind the best.",
        f"AUC {auc:.3f}, corrected for having been chosen on these records; 95 % interval "
        f"{interval[0]:.3f} to {interval[1]:.3f}. In {len(prepared.y)} other records of the same "
        f"kind expect an AUC between {prediction[0]:.3f} and {prediction[1]:.3f}, 95 times in 100.",
        f"At a threshold of {cut:.3f}, which finds 90 % of the records {prepared.positive!r}, "
        f"{right:.0%} of the others are told rightly (from out-of-fold predictions).",
    ]
    if interval[0] <= 0.5:
        said.insert(1, "Nothing here predicts the outcome beyond doubt better than chance.")
    return said


def _matters(prepared, gains, adversary):
    """Whether imputation and adversary matter here, by corrected tests."""
    if not prepared.X.isna().to_numpy().any():
        said = ["No cell is missing, so imputation does not matter."]
    else:
        sure = gains.loc[(gains["p"] < 0.05) & (gains["mean"] > 0), "imputation"]
        verdict = f"yes: {', '.join(sure)}" if len(sure) else "no imputation is beyond doubt better"
        told = "; ".join(
            f"{g.imputation}: {Estimate(g.mean, g.low, g.high):+}"
            for g in gains.itertuples(index=False, name="Gain")
        )
        named = gains["classifier"].iloc[0]
        said = [f"Does the imputation matter? {named}, less on means: {verdict}. {told}."]
    lead = "{} (95 % interval {} to {})".format(*map(signed, adversary))
    return [*said, f"AC-GAN less logistic regression, both on means: {lead} of AUC."]


def _doubts(prepared, by_holes):
    said = []
    if prepared.X.isna().to_numpy().any():
        area, low, high = by_holes
        said.append(
            f"From which cells are missing alone the AUC is {area:.3f} ({low:.3f} to {high:.3f}): "
            + ("missingness itself predicts here." if low > 0.5 else "no sign that it predicts.")
        )
    if prepared.y.sum() < 100 or (prepared.y == 0).sum() < 100:
        rarer = min(prepared.y.sum(), (prepared.y == 0).sum())
        said.append(f"There are only {rarer} records of the rarer class: the intervals are wide.")
    return said


def _patterns(prepared):
    holes = prepared.X.isna()
    marks = pd.util.hash_pandas_object(holes, index=False).to_numpy()
    rows = []
    for mark, count in pd.Series(marks).value_counts().head(PATTERNS).items():
        own = marks == mark
        names = holes.columns[holes[own].iloc[0]].tolist()
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        rows.append((int(count), own.mean(), prepared.y[own].mean(), shown or "nothing is missing"))
    return pd.DataFrame(rows, columns=["records", "share", "positive", "missing attributes"])
