"""The paper's numbers and claims beside ours, as tables of text that a page can show."""

import numpy as np
import pandas as pd

from .baselines import silence_table
from .evaluation import METRICS, beside_paper, corrected_interval, paper_tables

__all__ = [
    "LEADS",
    "claims",
    "compared",
    "differences",
    "lead",
    "listed",
    "mixed_as_by_chance",
    "numbers",
    "ordinal",
    "places",
    "places_in_words",
    "readme_table",
    "side_by_side",
    "tie",
    "told_lead",
    "with_interval",
    "within",
]

#: Column heads that leave room on a phone.
SHORT = dict(zip(METRICS, ["Acc.", "Sens.", "Spec.", "AUC", "F"], strict=True))
NAMES = tuple(dict.fromkeys(paper_tables()["classifier"]))
_MEAN, _AE, _GAN = "mean", "autoencoder", "AC-GAN"

#: The paper's claims in words: a metric, the winner and the loser, each (imputer, classifier).
#: A loser of None is whoever comes second in the paper's own table, so that no rival is picked
#: by our results.
LEADS = {
    "AC-GAN has the best accuracy, mean-imputed": ("accuracy", (_MEAN, _GAN), None),
    "AC-GAN has the best accuracy, autoencoder-imputed": ("accuracy", (_AE, _GAN), None),
    "AC-GAN has the best sensitivity, autoencoder-imputed": ("sensitivity", (_AE, _GAN), None),
    "AC-GAN has the best AUC, autoencoder-imputed": ("auc_roc", (_AE, _GAN), None),
    "AC-GAN has the best F-score, by two points": ("f_score", (_AE, _GAN), None),
    "The SVM has the best specificity": ("specificity", (_AE, "SVM (RBF)"), None),
    "The autoencoder improves the AC-GAN": ("accuracy", (_AE, _GAN), (_MEAN, _GAN)),
    "The autoencoder improves the SVM's sensitivity": (
        "sensitivity",
        (_AE, "SVM (RBF)"),
        (_MEAN, "SVM (RBF)"),
    ),
    "The autoencoder lowers naive Bayes's accuracy": (
        "accuracy",
        (_AE, "Naive Bayes"),
        (_MEAN, "Naive Bayes"),
    ),
}


def differences(scores, metric, first, second):
    """Score of one method less that of another, fold by fold, with the sizes of the folds.

    Parameters
    ----------
    scores : DataFrame
        One row per fold, as ``StudyResult.scores``.
    metric : str
        One of :data:`~ehrgan.evaluation.METRICS` or ``"brier"``.
    first, second : tuple of (imputer, classifier)
        The methods; positive is in favour of the first.

    Returns
    -------
    values : Series of shape (J,)
        Indexed by trial and fold.
    n_train, n_test : float
        Mean numbers of records, as :func:`~ehrgan.evaluation.corrected_interval` and the tests of
        :mod:`ehrgan.inference` take them.

    Raises
    ------
    ValueError
        If a method has no such scores, or the two were not scored on the same folds.

    Examples
    --------
    >>> rows = [("tree", 0, 0.90), ("tree", 1, 0.94), ("forest", 0, 0.93), ("forest", 1, 0.95)]
    >>> scores = pd.DataFrame(rows, columns=["classifier", "fold", "value"]).assign(
    ...     imputer="mean", metric="accuracy", trial=0, n_train=400, n_test=100)
    >>> values, *sizes = differences(scores, "accuracy", ("mean", "forest"), ("mean", "tree"))
    >>> values.round(3).tolist(), [float(size) for size in sizes]
    ([0.03, 0.01], [400.0, 100.0])
    """
    values = []
    for imputer, classifier in (first, second):
        own = scores.query(
            "metric == @metric and imputer == @imputer and classifier == @classifier"
        )
        if own.empty:
            raise ValueError(f"scores hold no {metric} of {classifier!r} on {imputer!r}")
        values.append(own.set_index(["trial", "fold"])["value"])
    if set(values[0].index) != set(values[1].index):
        raise ValueError(f"{first} and {second} were not scored on the same folds")
    return values[0] - values[1], own["n_train"].mean(), own["n_test"].mean()


def lead(scores, metric, first, second):
    """Mean of the difference between two methods, fold by fold, with its corrected interval.

    Parameters
    ----------
    scores : DataFrame
        One row per fold, as ``StudyResult.scores``.
    metric : str
        One of :data:`~ehrgan.evaluation.METRICS` or ``"brier"``.
    first, second : tuple of (imputer, classifier)
        The methods; positive is in favour of the first.

    Returns
    -------
    mean, low, high : float
        See :func:`~ehrgan.evaluation.corrected_interval`.

    Raises
    ------
    ValueError
        If a method has no such scores, or the two were not scored on the same folds.

    References
    ----------
    Nadeau and Bengio, 2003.

    Examples
    --------
    >>> rows = [("tree", 0, 0.90), ("tree", 1, 0.94), ("forest", 0, 0.93), ("forest", 1, 0.95)]
    >>> scores = pd.DataFrame(rows, columns=["classifier", "fold", "value"]).assign(
    ...     imputer="mean", metric="accuracy", trial=0, n_train=400, n_test=100)
    >>> round(lead(scores, "accuracy", ("mean", "forest"), ("mean", "tree"))[0], 3)
    0.02
    """
    return corrected_interval(*differences(scores, metric, first, second))


def with_interval(mean, low, high):
    """Write a signed number with its interval in brackets.

    Parameters
    ----------
    mean, low, high : float
        As :func:`lead` gives them.

    Returns
    -------
    str

    Examples
    --------
    >>> with_interval(0.0123, -0.004, 0.03)
    '+0.0123 (-0.004 to +0.030)'
    """
    return f"{_signed(mean)} ({low:+z.3f} to {high:+z.3f})"


def tie(low, high):
    """Say whether an interval of differences excludes a tie.

    Parameters
    ----------
    low, high : float

    Returns
    -------
    str

    Examples
    --------
    >>> tie(-0.01, 0.02), tie(0.01, 0.02)
    ('a tie is not excluded', 'a tie is excluded')
    """
    return "a tie is not excluded" if low <= 0 <= high else "a tie is excluded"


def compared(
    low, high, smaller="smaller than", larger="larger than", neither="not clearly different from"
):
    """Say what an interval of differences allows to say.

    Parameters
    ----------
    low, high : float
    smaller, larger, neither : str
        Words for an interval below zero, above zero, and one that reaches zero.

    Returns
    -------
    str

    Examples
    --------
    >>> compared(-0.02, -0.01), compared(-0.01, 0.02)
    ('smaller than', 'not clearly different from')
    """
    return smaller if high < 0 else larger if low > 0 else neither


def within(number, low, high):
    """Say whether a number lies inside or outside an interval, whose ends belong to it.

    Parameters
    ----------
    number, low, high : float

    Returns
    -------
    {"inside", "outside"}

    Examples
    --------
    >>> within(0.97, 0.95, 0.99)
    'inside'
    """
    return "inside" if low <= number <= high else "outside"


def ordinal(place, last=None):
    """Write a place in words.

    Parameters
    ----------
    place : int
        From 1 to 9.
    last : int, optional
        The place that is called the last.

    Returns
    -------
    str

    Examples
    --------
    >>> ordinal(2), ordinal(8), ordinal(8, last=8)
    ('second', 'eighth', 'last')
    """
    words = "first second third fourth fifth sixth seventh eighth ninth".split()
    return "last" if place == last else words[place - 1]


def places_in_words(places):
    """Say in which place a method comes with each imputation, in one phrase where all agree.

    Parameters
    ----------
    places : Series of int
        Place by imputation.

    Returns
    -------
    str

    Examples
    --------
    >>> places_in_words(pd.Series({"mean": 1, "zero": 3}))
    'first with mean, third with zero imputation'
    """
    each = ", ".join(f"{ordinal(place)} with {name}" for name, place in places.items())
    alike = f"{ordinal(places.iloc[0])} with every"
    return f"{alike if (places == places.iloc[0]).all() else each} imputation"


def listed(words, before="", after=""):
    """Join words by commas, with a text before and after; nothing where there are no words.

    Parameters
    ----------
    words : list of str
    before, after : str

    Returns
    -------
    str

    Examples
    --------
    >>> listed(["AUC", "F-score"], " (short: ", ")"), listed([], " (short: ", ")")
    (' (short: AUC, F-score)', '')
    """
    return before + ", ".join(words) + after if words else ""


def mixed_as_by_chance(mixed):
    """Say of how many classes the records mix with real ones as by chance.

    Parameters
    ----------
    mixed : DataFrame
        Indexed by class; columns attributes (the mixing), low and high (what chance gives). Classes
        that lack a number were not tested.

    Returns
    -------
    ours, finding : str

    Examples
    --------
    >>> mixed = pd.DataFrame({"attributes": [0.8], "low": [0.9], "high": [1.1]}, index=["benign"])
    >>> mixed_as_by_chance(mixed)
    ('mixing benign 0.80', '0 of 1 classes mix as by chance')
    """
    own = mixed.dropna()
    if own.empty:
        return "nothing to compare", "not tested"
    inside = own["attributes"].between(own["low"], own["high"])
    text = "; ".join(f"{word} {value:.2f}" for word, value in own["attributes"].items())
    return f"mixing {text}", f"{inside.sum()} of {len(own)} classes mix as by chance"


def told_lead(metric, first, second=None):
    """The lead in the paper's own tables.

    Parameters
    ----------
    metric : str
        One of :data:`~ehrgan.evaluation.METRICS`.
    first, second : tuple of (imputer, classifier)
        The methods; without a second, whoever comes next to the first on its imputation.

    Returns
    -------
    told : float
        The paper's score of the first less that of the second.
    second : tuple of (imputer, classifier)

    Examples
    --------
    >>> told, second = told_lead("accuracy", ("mean", "AC-GAN"))
    >>> round(float(told), 4), second
    (0.0156, ('mean', 'Gradient Boosting'))
    """
    paper = _paper_numbers()
    if second is None:
        second = (first[0], paper[metric, first[0]].drop(first[1]).idxmax())
    return paper[(metric, *first)] - paper[(metric, *second)], second


def side_by_side(summary, imputer):
    """Lay one of the paper's tables out beside ours, four lines for each classifier.

    Parameters
    ----------
    summary : DataFrame
        From :func:`~ehrgan.evaluation.summarise`.
    imputer : {"mean", "autoencoder"}
        Table 1 or Table 2.

    Returns
    -------
    DataFrame of str
        Rows (classifier, line) with the lines ours, ± 95 % (half the interval's width), paper and
        difference; a star marks a number of the paper outside our interval. Classifiers that the
        paper lacks have the first two lines. One column for each metric.

    Examples
    --------
    >>> summary = pd.DataFrame({"imputer": "mean", "classifier": "MLP", "metric": METRICS,
    ...     "mean": 0.96, "low": 0.955, "high": 0.965})
    >>> side_by_side(summary, "mean")["Acc."].tolist()
    ['0.9600', '0.0050', '0.9525*', '+0.0075']
    """
    paper = _paper_numbers()
    rows = {}
    for row in summary[summary["imputer"] == imputer].itertuples():
        if row.metric not in SHORT:
            continue
        told = paper.get((row.metric, imputer, row.classifier))
        lines = {"ours": _four(row.mean), "± 95 %": _four(row.high - row.mean)}
        if told is not None:
            star = "" if row.low <= told <= row.high else "*"
            lines |= {"paper": _four(told) + star, "difference": _signed(row.mean - told)}
        for line, text in lines.items():
            rows.setdefault((row.classifier, line), {})[SHORT[row.metric]] = text
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(table.index)
    order = [name for name in (*NAMES, *summary["classifier"]) if name in table.index.levels[0]]
    return table.reindex(list(dict.fromkeys(order)), level=0)


def places(scores, summary):
    """Where the AC-GAN comes among the paper's eight, and its lead over the best other of all.

    Parameters
    ----------
    scores, summary : DataFrame
        ``StudyResult.scores`` and ``.summary`` of both imputations.

    Returns
    -------
    DataFrame
        Rows (imputer, metric); columns paper and ours (places, from 1), best other (the best of
        all classifiers but the AC-GAN, picked after looking), lead, low and high.

    Notes
    -----
    Picking the rival after looking flatters it, so this lead is the least one can claim.
    """
    paper = _paper_numbers()
    ours = summary.set_index(["metric", "imputer", "classifier"])["mean"].sort_index()
    rows = {}
    for imputer in (_MEAN, _AE):
        for metric in METRICS:
            best = ours[metric, imputer].drop(_GAN).idxmax()
            gap = lead(scores, metric, (imputer, _GAN), (imputer, best))
            ranks = _place(paper[metric, imputer]), _place(ours[metric, imputer][list(NAMES)])
            rows[imputer, metric] = (*ranks, best, *gap)
    columns = ["paper", "ours", "best other", "lead", "low", "high"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    table.index = pd.MultiIndex.from_tuples(table.index)
    return table


def claims(scores):
    """Test each lead that the paper claims in words on our folds.

    Parameters
    ----------
    scores : DataFrame
        ``StudyResult.scores``.

    Returns
    -------
    DataFrame of str
        Rows are the words of `LEADS`; columns paper (the lead in its tables), ours (with the
        corrected 95 % interval) and finding.
    """
    rows = {}
    for words, (metric, first, second) in LEADS.items():
        told, second = told_lead(metric, first, second)
        mean, low, high = lead(scores, metric, first, second)
        where = within(told, low, high)
        rows[words] = (
            _signed(told),
            with_interval(mean, low, high),
            f"{tie(low, high)}; the paper's lead lies {where} our interval",
        )
    return pd.DataFrame.from_dict(rows, orient="index", columns=["paper", "ours", "finding"])


def numbers(summary):
    """Put each of the paper's numbers beside ours, with a verdict and what may lie between.

    Parameters
    ----------
    summary : DataFrame
        From :func:`~ehrgan.evaluation.summarise`.

    Returns
    -------
    DataFrame
        Rows (imputer, classifier, metric). Columns paper, ours, low, high (numbers), verdict (the
        paper's number lies below, inside or above our interval) and left open (what the paper
        leaves open about that classifier: candidates for a difference, not its proven cause).
    """
    wide = beside_paper(summary)
    both = pd.concat({metric: wide[metric] for metric in METRICS}, names=["metric"])
    both = both.reorder_levels(["imputer", "classifier", "metric"])
    order = [(*row, metric) for row in wide.index for metric in METRICS]
    both = both.loc[order]
    below, above = both["paper"] < both["low"], both["paper"] > both["high"]
    both["verdict"] = np.select([below, above], ["below", "above"], "inside")
    points = silence_table().groupby("stage")["parameter"].agg(list)
    open_points = {
        name: ", ".join(own).lower() if len(own) < 5 else f"{len(own)} settings"
        for name, own in points.items()
    }
    both["left open"] = [open_points[name] for name in both.index.get_level_values("classifier")]
    return both.drop(columns="difference")


def readme_table(summary):
    """Write the README's table in Markdown: the paper's number, then ours with its interval.

    Parameters
    ----------
    summary : DataFrame
        From :func:`~ehrgan.evaluation.summarise`.

    Returns
    -------
    str
    """
    wanted = {
        "Accuracy, mean-imputed": (_MEAN, "accuracy"),
        "Accuracy, autoencoder-imputed": (_AE, "accuracy"),
        "AUC, autoencoder-imputed": (_AE, "auc_roc"),
    }
    ours, paper = summary.set_index(["metric", "imputer", "classifier"]), _paper_numbers()
    lines = [["Classifier", *wanted], ["---"] * (1 + len(wanted))]
    for name in (*NAMES, "Logistic regression"):
        cells = []
        for imputer, metric in wanted.values():
            mean, low, high = ours.loc[(metric, imputer, name), ["mean", "low", "high"]]
            told = paper.get((metric, imputer, name))
            told = "not reported" if told is None else _four(told)
            cells.append(f"{told} · {mean:.4f} ({low:.3f} to {high:.3f})")
        lines.append([name, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _paper_numbers():
    """The paper's 80 numbers by (metric, imputer, classifier)."""
    table = paper_tables().melt(["table", "imputer", "classifier"], var_name="metric")
    return table.set_index(["metric", "imputer", "classifier"])["value"].sort_index()


def _place(numbers):
    """Rank of the AC-GAN, 1 for the greatest number."""
    return int(numbers.rank(ascending=False, method="min")[_GAN])


def _four(number):
    return f"{number:.4f}"


def _signed(number):
    return f"{number:+z.4f}"
