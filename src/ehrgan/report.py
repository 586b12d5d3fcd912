"""A report on anybody's records: which imputation and classifier serve them, if it matters."""

import html
import io
import warnings
from base64 import b64encode
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from . import acgan, autoencoder, plots
from .acgan import ACGANClassifier
from .autoencoder import StackedAutoencoderImputer
from .baselines import make_imputer
from .evaluation import corrected_interval, threshold_at
from .inference import corrected_test, holm
from .mixed import TableCoder
from .reading import ReportError, as_learned
from .replicas import no_bars
from .saving import write_whole

__all__ = ["ADVERSARY", "CANDIDATES", "PAPERS", "AsLearned", "Report", "make_report"]

IMPUTATIONS = ("mean", "mean and indicators", "chained ridge", "denoising autoencoder")
GAINING = IMPUTATIONS[1:]  # those that are compared with the mean
RAW = "none, holes as they are"
#: Methods compared, an imputation and a classifier each, from simple to complex: of methods that
#: the records cannot tell apart the first is recommended.
CANDIDATES = (
    *((imputation, "logistic regression") for imputation in IMPUTATIONS),
    (RAW, "gradient boosting"),
    *((imputation, "random forest") for imputation in IMPUTATIONS),
    *((imputation, "AC-GAN") for imputation in IMPUTATIONS),
)
#: The paper's own pair with the paper's settings; it learns from nearly complete records alone.
PAPERS = (("the paper's autoencoder", "the paper's AC-GAN"),)
#: Two methods whose difference is what the adversarial training is worth.
ADVERSARY = (("mean", "AC-GAN"), ("mean", "logistic regression"))
LIMIT = 3000  # records that the comparison uses at most; the recommended method learns from all
FINAL_LIMIT = 20_000  # records that a network learns from at most
N_FOLDS = 5
N_BOOT = 300
TRIALS = ((500, 4), (1500, 2), (np.inf, 1))  # up to so many records, so many trials
WIDE = 200  # columns of numbers from which one trial must do
PATTERNS = 8  # patterns of holes that a report lists
NOT_A_DEVICE = (
    "This is research software, not a medical device: no decision about a patient may rest on it."
)


class AsLearned(TransformerMixin, BaseEstimator):
    """Give new records the columns and types that a model has learned from.

    Parameters
    ----------
    None

    Notes
    -----
    A number that is none, and a category that was not seen, count as missing. It is the first step
    of a saved pipeline, which so takes whatever :func:`~ehrgan.reading.read_table` gives.

    Examples
    --------
    >>> learned = AsLearned().fit(pd.DataFrame({"age": [61.0, 47.5]}))
    >>> learned.transform(pd.DataFrame({"name": ["x"], "age": ["52"]}))["age"].tolist()
    [52.0]
    """

    def fit(self, X, y=None):
        """Learn names and types of the columns; `y` is ignored."""
        self.dtypes_ = X.dtypes.to_dict()
        return self

    def transform(self, X):
        """Give the columns in those types.

        Raises
        ------
        ValueError
            If `X` lacks a column.
        """
        lacking = [name for name in self.dtypes_ if name not in X]
        if lacking:
            raise ValueError(f"X lacks the columns {lacking}: the model has learned from them")
        return pd.DataFrame({n: as_learned(X[n], dtype) for n, dtype in self.dtypes_.items()})


def make_method(imputation, classifier, seed=0):
    """An unfitted pipeline of an imputation and a classifier, for records as a file has them."""
    steps = [("types", AsLearned()), ("coder", TableCoder()), ("varying", VarianceThreshold())]
    if imputation != RAW:
        steps.append(("imputer", _imputer(imputation, seed)))
    return Pipeline([*steps, ("classifier", _classifier(classifier, seed))])


def _imputer(name, seed):
    if name == "denoising autoencoder":
        return StackedAutoencoderImputer(random_state=seed)
    if name == "the paper's autoencoder":
        return StackedAutoencoderImputer(**autoencoder.PAPER, random_state=seed)
    if name == "chained ridge":  # a few rounds settle it, and the likeliest partners suffice
        ridge = make_imputer(name).set_params(max_iter=5, n_nearest_features=30)
        return make_pipeline(MinMaxScaler(), ridge.set_params(random_state=seed))
    mean = SimpleImputer()
    # every attribute gets an indicator, so that all folds have the same columns
    indicators = MissingIndicator(features="all")
    return make_union(mean, indicators) if name == "mean and indicators" else mean


def _classifier(name, seed):
    if name == "logistic regression":
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    if name == "gradient boosting":
        return HistGradientBoostingClassifier(max_iter=100, early_stopping=False, random_state=seed)
    if name == "random forest":
        return RandomForestClassifier(100, min_samples_leaf=2, n_jobs=-1, random_state=seed)
    if name == "the paper's AC-GAN":
        return ACGANClassifier(**acgan.PAPER, random_state=seed)
    return ACGANClassifier(random_state=seed)


# ---------------------------------------------------------------------------- comparison


@dataclass(frozen=True, eq=False)
class _Scores:
    """Out-of-fold probabilities and AUCs of every method."""

    methods: tuple
    y: np.ndarray
    probability: np.ndarray  # (n_methods, n_trials, n)
    areas: np.ndarray  # (n_methods, n_trials * n_folds)
    n_train: float
    n_test: float

    @property
    def means(self):
        """Mean AUC of each method over trials, each from all its records together."""
        return np.array([_mean_area(self.y, p) for p in self.probability])

    def errors(self):
        """Standard error of the difference between any two methods, (k, k)."""
        k = len(self.areas)
        found = np.zeros((k, k))
        for i in range(k):
            for j in range(i):
                lead = self.areas[i] - self.areas[j]
                mean, _, high = corrected_interval(lead, self.n_train, self.n_test)
                t = stats.t.ppf(0.975, len(lead) - 1)
                found[i, j] = found[j, i] = (high - mean) / t
        return found

    def lead(self, method, other):
        """AUC of one method less that of another, fold by fold."""
        return self.areas[self.methods.index(method)] - self.areas[self.methods.index(other)]

    def curve(self, k):
        """Class, and the probability that method number `k` told, mean over trials."""
        return self.y, self.probability[k].mean(axis=0)

    @property
    def sizes(self):
        """Records in a training and in a test fold."""
        return self.n_train, self.n_test


def _mean_area(y, probability):
    return float(np.mean([roc_auc_score(y, p) for p in probability]))


def _splits(y, groups, n_trials, seed):
    """Train and test rows of every trial and fold; folds without both classes are left out."""
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    for trial in range(n_trials):
        folds = kind(N_FOLDS, shuffle=True, random_state=seed + trial)
        for train, test in folds.split(np.zeros(len(y)), y, groups):
            yield trial, train, test


def _compare(methods, Z, y, groups, n_trials, seed, bar):
    """Predict every record by every method, none of which has learned from it."""
    splits = list(_splits(y, groups, n_trials, seed))
    rows = [(train, test) for _, train, test in splits]
    Z, filled = _varying(Z, rows), {}
    for imputation in dict.fromkeys(imputation for imputation, _ in methods):
        filled[imputation] = _fill(imputation, Z, rows, seed)
        bar.update()
    probability = np.full((len(methods), n_trials, len(y)), np.nan)
    for k, (imputation, classifier) in enumerate(methods):
        told = _predict(classifier, filled[imputation], y, rows, seed)
        for (trial, _, test), p in zip(splits, told, strict=True):
            probability[k, trial, test] = p
        bar.update()
    usable = [(t, test) for t, _, test in splits if 0 < y[test].sum() < len(test)]
    areas = [[roc_auc_score(y[test], p[t, test]) for t, test in usable] for p in probability]
    sizes = [np.mean([len(part[i]) for part in rows]) for i in (0, 1)]
    return _Scores(methods, y, probability, np.array(areas), *sizes)


def _varying(Z, rows):
    """The columns that have two values or more in the training rows of every fold."""
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # columns without a value
        ranges = [np.nanmax(Z[train], axis=0) - np.nanmin(Z[train], axis=0) for train, _ in rows]
    kept = np.all(np.array(ranges) > 0, axis=0)
    if not kept.any():
        raise ReportError(
            "no attribute has two different values in four fifths of the records: gather more "
            "records, or attributes that are known more often"
        )
    return Z[:, kept]


def _fill(imputation, Z, rows, seed):
    """Training and test table of each fold, filled by what the training rows teach."""
    if imputation == RAW:
        return [(Z[train], Z[test]) for train, test in rows]
    if "autoencoder" in imputation:
        models = _imputer(imputation, seed).fit_many([Z[train] for train, _ in rows])
    else:
        models = [_imputer(imputation, seed).fit(Z[train]) for train, _ in rows]
    pairs = zip(models, rows, strict=True)
    return [(model.transform(Z[train]), model.transform(Z[test])) for model, (train, test) in pairs]


def _predict(classifier, tables, y, rows, seed):
    """Probabilities of the positive class for each fold's test rows."""
    model = _classifier(classifier, seed)
    data = [(X, y[train]) for (X, _), (train, _) in zip(tables, rows, strict=True)]
    if "AC-GAN" in classifier:
        models = model.fit_many(data)
    else:
        models = [_classifier(classifier, seed).fit(X, c) for X, c in data]
    return [m.predict_proba(X)[:, 1] for m, (_, X) in zip(models, tables, strict=True)]


def _from_holes(prepared, seed):
    """Class, and out-of-fold probability from the mask alone, of up to 20,000 records."""
    rows = _some(prepared.y, FINAL_LIMIT, seed, prepared.groups)
    y, groups = prepared.y[rows], None if prepared.groups is None else prepared.groups[rows]
    holes = prepared.X.iloc[rows].isna()
    holes = holes.loc[:, holes.any()].to_numpy(np.float64)
    told = np.full(len(y), y.mean())
    if holes.size:
        for _, train, test in _splits(y, groups, 1, seed):
            model = LogisticRegression(max_iter=2000).fit(holes[train], y[train])
            told[test] = model.predict_proba(holes[test])[:, 1]
    return y, told


# ---------------------------------------------------------------------------- recommendation


def _choose(means, errors):
    """The simplest candidate that is no more than one standard error behind the best."""
    best = int(np.argmax(means))
    return int(np.argmax(means >= means[best] - errors[:, best]))


def _corrected(scores, groups, seed):
    """AUC of the chosen method, corrected for the choice, and its design effect.

    That effect is how many times the variance of independent records its variance is. Bootstrap
    bias-corrected cross-validation: records are drawn with replacement, the choice is made on those
    drawn, and scored on the others. Records of one group are drawn together.
    """
    rng = np.random.default_rng(seed)
    units = np.arange(len(scores.y)) if groups is None else pd.factorize(groups)[0]
    n_units = units.max() + 1
    drawn = rng.integers(0, n_units, (N_BOOT, n_units))
    weight = np.array([np.bincount(one, minlength=n_units) for one in drawn])[:, units]
    inside, outside = _areas_under(scores, weight), _areas_under(scores, weight == 0)
    usable = np.isfinite(inside[:, 0]) & np.isfinite(outside[:, 0])
    errors = scores.errors()
    final = _choose(scores.means, errors)
    if usable.sum() < 2:
        return float(scores.means[final]), 1.0
    inside, outside = inside[usable], outside[usable]
    chosen = [_choose(means, errors) for means in inside]
    area = float(outside[np.arange(len(chosen)), chosen].mean())
    alone = _variance(area, *_sizes(scores.y))
    return area, 1.0 if groups is None else max(1.0, float(np.var(inside[:, final]) / alone))


def _areas_under(scores, weight):
    """AUC of each method, mean over trials, with the records weighted in many ways.

    `weight` has shape (n_ways, n_records), the result (n_ways, n_methods); NaN without both
    classes. An AUC is the share of pairs, one record of each class, that stand in the right order.
    """
    positive = scores.y == 1
    W, V = weight[:, positive].astype(np.float32), weight[:, ~positive].astype(np.float32)
    found = np.zeros((len(weight), len(scores.methods)))
    for k, trials in enumerate(scores.probability):
        for p in trials:
            gap = p[positive][:, None] - p[~positive]
            right = (gap > 0) + 0.5 * (gap == 0)
            found[:, k] += np.einsum("bi,bi->b", W @ right.astype(np.float32), V)
    pairs = W.sum(axis=1) * V.sum(axis=1) * scores.probability.shape[1]
    with np.errstate(invalid="ignore"):
        return np.where(pairs[:, None] > 0, found / pairs[:, None], np.nan)


def _sizes(y):
    """Records of the positive and of the negative class."""
    return int(y.sum()), int((y == 0).sum())


def _variance(area, n_positive, n_negative):
    """Variance of an AUC from so many records of each class (Hanley and McNeil, 1982)."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    spread = (
        area * (1 - area) + (n_positive - 1) * (q1 - area**2) + (n_negative - 1) * (q2 - area**2)
    )
    return spread / (n_positive * n_negative)


def _interval(area, variance, level=0.95):
    """An interval on the logit scale, so that it stays between 0 and 1."""
    area = np.clip(area, 1e-4, 1 - 1e-4)
    half = stats.norm.ppf((1 + level) / 2) * np.sqrt(variance) / (area * (1 - area))
    return tuple(float(v) for v in expit(logit(area) + np.array([-half, half])))


@dataclass(frozen=True, eq=False)
class Report:
    """What a comparison of methods found on a table, in numbers and words.

    Parameters
    ----------
    prepared : ehrgan.reading.Prepared
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
            Takes a DataFrame such as :func:`~ehrgan.reading.read_table` gives; predicts the words
            of the table's own outcome, in the order of its ``classes_``.

        Notes
        -----
        A network learns from at most 20,000 records, drawn by class.
        """
        found = self.prepared
        labels = np.where(found.y == 1, found.positive, found.negative).astype(object)
        X = found.X
        networks = {"denoising autoencoder", "AC-GAN"} & set(self.method)
        rows = np.arange(len(labels))
        if networks and len(rows) > FINAL_LIMIT:
            rows = _some(found.y, FINAL_LIMIT, self.settings["seed"])
        model = make_method(*self.method, self.settings["seed"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(X.iloc[rows], labels[rows])

    def save(self, folder):
        """Write report, fitted pipeline and model card into a folder.

        Parameters
        ----------
        folder : path-like
            Made if need be; files of the same names are replaced, each whole.

        Returns
        -------
        dict of str to Path
            "report", "pipeline", "card", "comparison".

        Raises
        ------
        OSError
            The folder cannot be written.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        names = ("report.html", "pipeline.joblib", "model_card.md", "comparison.csv")
        keys = ("report", "pipeline", "card", "comparison")
        paths = {key: folder / name for key, name in zip(keys, names, strict=True)}
        binary = io.BytesIO()
        joblib.dump(self.fit(), binary, compress=3)
        write_whole(paths["pipeline"], binary.getvalue())
        write_whole(paths["card"], self.card())
        write_whole(paths["comparison"], self.comparison.to_csv(index=False))
        write_whole(paths["report"], self.to_html())
        return paths

    def card(self):
        """The model card of the fitted pipeline, as Markdown."""
        found, s = self.prepared, self.settings
        classes = sorted([found.positive, found.negative])
        versions = ", ".join(f"{n} {version(n)}" for n in ("ehrgan", "scikit-learn", "tensorflow"))
        lines = [
            f"# Model card: {found.positive!r} against {found.negative!r}",
            f"**{NOT_A_DEVICE}**",
            "## What it is",
            f"{_named(*self.method)}, trained {date.today():%Y-%m-%d} with {versions}.",
            f"Classes, in the order of `predict_proba`: {classes}. Positive: {found.positive!r}.",
            "## Data",
            f"{len(found.y)} records, {found.y.sum()} positive; {found.X.shape[1]} attributes, "
            f"{found.X.isna().to_numpy().mean():.1%} of their cells missing. Table "
            f"of {found.n_rows} rows, SHA-256 fingerprint `{found.fingerprint}`.",
            "Attributes: " + ", ".join(found.X.columns) + ".",
            *[f"- {note}" for note in found.notes],
            "## Protocol",
            f"{s['n_trials']} x {s['n_folds']}-fold cross-validation of {s['n_compared']} records, "
            f"seed {s['seed']}; imputation and classifier learned from training folds alone.",
            "## Scores",
            *[f"- {word}" for word in self.words],
            "## Limits",
            "- It holds for records of the same kind, gathered in the same way and missing for the "
            "same reasons. Another clinic, another year, other habits of testing: test it anew.",
            "- Probabilities may be off where positives are rarer or commoner than here.",
            "- Loading a joblib file runs code: open only files that you trust.",
            "## Use",
            "```python\nimport joblib\nfrom ehrgan.reading import read_table\n\n"
            'model = joblib.load("pipeline.joblib")\n'
            'probabilities = model.predict_proba(read_table("new_records.csv"))\n```',
        ]
        return "\n\n".join(lines) + "\n"

    def figure(self):
        """AUC of every method with its interval."""
        return plots.method_intervals(self.comparison, self.chosen)

    def calibration(self):
        """How often what the recommended method told came true."""
        named = _named(*self.method)
        return plots.calibration({named: {named: self.curve(self.method)}})

    def tables(self):
        """The comparison and the columns, formatted."""
        c = self.comparison
        shown = pd.DataFrame(
            {
                "imputation": c["imputation"],
                "classifier": c["classifier"],
                "AUC": [f"{m:.3f} ({a:.3f} to {b:.3f})" for m, a, b in _triples(c, "auc")],
                "less the best": [f"{m:+z.3f} ({a:+z.3f} to {b:+z.3f})" for m, a, b in _triples(c)],
                "p (Holm)": c["p"].map("{:.3f}".format),
                "Brier score": c["brier"].map("{:.3f}".format),
                "recommended": np.where(c.index == self.chosen, "yes", ""),
            }
        )
        columns = self.prepared.columns.assign(
            missing=self.prepared.columns["missing"].map("{:.1%}".format),
            used=np.where(self.prepared.columns["used"], "yes", "no"),
        ).rename(columns={"n_values": "values"})
        return shown, columns

    def to_html(self):
        """The report as one HTML page that needs no other file and no network."""
        comparison, columns = self.tables()
        pictures = [_picture(figure) for figure in (self.figure(), self.calibration())]
        words = "".join(f"<li>{html.escape(word)}</li>" for word in self.words)
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.prepared.notes)
        missing = self.missing.assign(
            share=self.missing["share"].map("{:.1%}".format),
            positive=self.missing["positive"].map("{:.1%}".format),
        )
        s = self.settings
        return PAGE.format(
            title=html.escape(f"Report on {self.prepared.positive!r}"),
            device=NOT_A_DEVICE,
            words=words,
            methods=pictures[0],
            calibration=pictures[1],
            comparison=_html_table(comparison, "Methods compared, from simple to complex"),
            columns=_html_table(columns, "Columns of the table, and what they were taken for"),
            missing=_html_table(missing, "The commonest patterns of holes"),
            notes=notes,
            protocol=f"{s['n_trials']} x {s['n_folds']}-fold cross-validation of "
            f"{s['n_compared']} of {len(self.prepared.y)} records, seed {s['seed']}; "
            f"fingerprint of the table {self.prepared.fingerprint}",
        )

    def _repr_html_(self):
        return "<ul>" + "".join(f"<li>{html.escape(word)}</li>" for word in self.words) + "</ul>"


def _named(imputation, classifier):
    """A method in words."""
    if imputation == RAW:
        return f"{classifier}, holes as they are"
    return f"{classifier} after imputation by {imputation}"


def _picture(figure):
    """A figure as PNG, in base64."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    return b64encode(picture.getvalue()).decode()


def _triples(table, name=""):
    names = ("auc", "low", "high") if name else ("behind", "behind_low", "behind_high")
    return table[list(names)].itertuples(index=False, name=None)


def _html_table(table, caption):
    text = table.to_html(index=False, border=0).replace("<th>", '<th scope="col">')
    label = html.escape(caption)
    text = text.replace("<thead>", f"<caption>{label}</caption><thead>", 1)
    return f'<div class="wide" tabindex="0" role="group" aria-label="{label}">{text}</div>'


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: auto; padding: 1rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: 0.85rem; margin: 1rem 0; }}
caption {{ text-align: left; font-weight: bold; padding: 0.3rem 0; }}
td, th {{ text-align: left; vertical-align: top; padding: 0.2rem 0.6rem; }}
tr {{ border-bottom: 1px solid #8888; }}
img {{ max-width: 100%; height: auto; background: #fff; }}
li, p, h1 {{ overflow-wrap: anywhere; }}
.device {{ border-left: 4px solid #D55E00; padding-left: 0.8rem; }}
</style></head><body><main>
<h1>{title}</h1>
<p class="device">{device}</p>
<h2>Answer</h2><ul>{words}</ul>
<h2>Methods</h2>
<img alt="AUC of every method with its 95 % interval, the recommended one marked"
src="data:image/png;base64,{methods}">
{comparison}
<h2>Probabilities</h2>
<p>Records by what the recommended method told of them when it had not learned from them, and the
share that was positive, with 95 % intervals; on the line what is told comes true.</p>
<img alt="Share of positive records over the probability told, beside perfect calibration"
src="data:image/png;base64,{calibration}">
<h2>Holes</h2>{missing}
<h2>What was noticed</h2><ul>{notes}</ul>
<h2>Columns</h2>{columns}
<h2>How it was done</h2><p>{protocol}.</p>
</main></body></html>
"""


# ---------------------------------------------------------------------------- making one


def make_report(prepared, *, methods=CANDIDATES, seed=0, limit=LIMIT, n_trials=None):
    """Compare imputations and classifiers on a table, and recommend one with its uncertainty.

    Parameters
    ----------
    prepared : ehrgan.reading.Prepared
        From :func:`~ehrgan.reading.prepare`.
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
    Two to five minutes on two cores for 3000 records of 50 attributes, whatever the table's length.

    Examples
    --------
    >>> from ehrgan.report import CANDIDATES
    >>> CANDIDATES[0]
    ('mean', 'logistic regression')
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
    rows = _some(prepared.y, limit, seed, prepared.groups)
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
        scores = _compare(methods, Z, y, groups, n_trials, seed, bar)
    settings = {"seed": seed, "n_trials": n_trials, "n_folds": N_FOLDS, "n_compared": len(y)}
    return _reported(prepared, scores, groups, settings)


def _reported(prepared, scores, groups, settings):
    """The report that the scores of a comparison make."""
    comparison, chosen = _table(scores)
    auc, effect = _corrected(scores, groups, settings["seed"])
    spread, spread_of_others = (effect * _variance(auc, *_sizes(y)) for y in (scores.y, prepared.y))
    interval, prediction = _interval(auc, spread), _interval(auc, spread + spread_of_others)
    y, told = _from_holes(prepared, settings["seed"])
    area = roc_auc_score(y, told)
    by_holes = (area, *_interval(area, effect * _variance(area, *_sizes(y))))
    method, gains = scores.methods[chosen], _gains(scores, scores.methods[chosen][1])
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


def _some(y, limit, seed, groups=None):
    """At most so many rows, drawn by class, or by whole groups; in their order."""
    if len(y) <= limit:
        return np.arange(len(y))
    if groups is None or len(np.unique(groups)) > 0.9 * len(y):
        rows, _ = train_test_split(
            np.arange(len(y)), train_size=limit, stratify=y, random_state=seed
        )
        return np.sort(rows)
    order = np.random.default_rng(seed).permutation(np.unique(groups))
    sizes = pd.Series(groups).value_counts().reindex(order).cumsum()
    return np.flatnonzero(np.isin(groups, order[: max(int((sizes <= limit).sum()), 2 * N_FOLDS)]))


def _table(scores):
    """The comparison, and the row that is recommended."""
    sizes, means = scores.sizes, scores.means
    best = int(np.argmax(means))
    rows = []
    for k, (imputation, classifier) in enumerate(scores.methods):
        lead = scores.areas[k] - scores.areas[best]
        _, low, high = corrected_interval(scores.areas[k], *sizes)
        centre = scores.areas[k].mean()
        behind = (0.0, 0.0, 0.0) if k == best else corrected_interval(lead, *sizes)
        p = 1.0 if k == best else corrected_test(lead, *sizes)
        brier = np.mean([brier_score_loss(scores.y, q) for q in scores.probability[k]])
        ends = np.clip([means[k] - (centre - low), means[k] + (high - centre)], 0, 1)
        rows.append((imputation, classifier, means[k], *ends, *behind, p, brier))
    names = ["imputation", "classifier", "auc", "low", "high", "behind", "behind_low"]
    table = pd.DataFrame(rows, columns=[*names, "behind_high", "p", "brier"])
    others = table.index != best
    table.loc[others, "p"] = holm(table.loc[others, "p"])
    return table, _choose(means, scores.errors())


def _words(prepared, method, curve, auc, interval, prediction):
    """What is recommended and how well it does, in sentences, each with its uncertainty."""
    y, probability = curve
    cut = threshold_at(y, probability, sensitivity=0.9)
    right = float((probability[y == 0] < cut).mean())
    said = [
        f"Recommended: {_named(*method)}: the simplest of the methods that are no more than one "
        "standard error behind the best.",
        f"AUC {auc:.3f}, corrected for having been chosen on these records; 95 % interval "
        f"{interval[0]:.3f} to {interval[1]:.3f}. In {len(prepared.y)} other records of the same "
        f"kind expect an AUC between {prediction[0]:.3f} and {prediction[1]:.3f}, 95 times in 100.",
        f"At a threshold of {cut:.3f}, which finds 90 % of the records {prepared.positive!r}, "
        f"{right:.0%} of the others are told rightly (from out-of-fold predictions).",
    ]
    if interval[0] <= 0.5:
        said.insert(1, "Nothing here predicts the outcome beyond doubt better than chance.")
    return said


def _gains(scores, classifier):
    """AUC of a classifier after each imputation, less that after means, with Holm's p-values."""
    own = [method for method in scores.methods if method[1] == classifier and method[0] in GAINING]
    if not own:  # gradient boosting and the paper's pair go with one imputation each
        return _gains(scores, "logistic regression")
    leads = [scores.lead(method, ("mean", classifier)) for method in own]
    found = [corrected_interval(lead, *scores.sizes) for lead in leads]
    table = pd.DataFrame(found, columns=["mean", "low", "high"])
    table[["imputation", "classifier"]] = own
    return table.assign(p=holm([corrected_test(lead, *scores.sizes) for lead in leads]))


def _matters(prepared, gains, adversary):
    """Whether imputation and adversary matter here, by corrected tests."""
    if not prepared.X.isna().to_numpy().any():
        said = ["No cell is missing, so imputation does not matter."]
    else:
        sure = gains.loc[(gains["p"] < 0.05) & (gains["mean"] > 0), "imputation"]
        verdict = f"yes: {', '.join(sure)}" if len(sure) else "no imputation is beyond doubt better"
        told = "; ".join(
            f"{g.imputation}: {g.mean:+z.3f} ({g.low:+z.3f} to {g.high:+z.3f})"
            for g in gains.itertuples(index=False, name="Gain")
        )
        named = gains["classifier"].iloc[0]
        said = [f"Does the imputation matter? {named}, less on means: {verdict}. {told}."]
    lead = "{:+z.3f} (95 % interval {:+z.3f} to {:+z.3f})".format(*adversary)
    return [*said, f"AC-GAN less logistic regression, both on means: {lead} of AUC."]


def _doubts(prepared, by_holes):
    """What should make a reader careful."""
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
    """The commonest patterns of holes."""
    holes = prepared.X.isna()
    marks = pd.util.hash_pandas_object(holes, index=False).to_numpy()
    rows = []
    for mark, count in pd.Series(marks).value_counts().head(PATTERNS).items():
        own = marks == mark
        names = holes.columns[holes[own].iloc[0]].tolist()
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        rows.append((int(count), own.mean(), prepared.y[own].mean(), shown or "nothing is missing"))
    return pd.DataFrame(rows, columns=["records", "share", "positive", "missing attributes"])
