"""The paper's numbers and claims beside ours, as tables of text that a page can show."""

import numpy as np
import pandas as pd

from ..scores.estimate import Estimate
from ..scores.inference import lead
from ..scores.metrics import METRICS
from .silences import silence_table
from .tables import beside_paper, paper_tables

__all__ = ["LEADS", "claims", "numbers", "places", "readme_table", "side_by_side", "told_lead"]

#: Column heads that leave room on a phone.
SHORT = dict(zip(METRICS, ["Acc.", "Sens.", "Spec.", "AUC", "F"], strict=True))
PAPER_CLASSIFIERS = tuple(dict.fromkeys(paper_tables()["classifier"]))
_MEAN, _AE, _GAN, _SVM, _NB = "mean", "autoencoder", "AC-GAN", "SVM (RBF)", "Naive Bayes"

#: The paper's claims in words: a metric, the winner and the loser, each (imputer, classifier).
#: A loser of None is whoever comes second in the paper's own table, so that no rival is picked
#: by our results.
LEADS = {
    "AC-GAN has the best accuracy, mean-imputed": ("accuracy", (_MEAN, _GAN), None),
    "AC-GAN has the best accuracy, autoencoder-imputed": ("accuracy", (_AE, _GAN), None),
    "AC-GAN has the best sensitivity, autoencoder-imputed": ("sensitivity", (_AE, _GAN), None),
    "AC-GAN has the best AUC, autoencoder-imputed": ("auc_roc", (_AE, _GAN), None),
    "AC-GAN has the best F-score, by two points": ("f_score", (_AE, _GAN), None),
    "The SVM has the best specificity": ("specificity", (_AE, _SVM), None),
    "The autoencoder improves the AC-GAN": ("accuracy", (_AE, _GAN), (_MEAN, _GAN)),
    "The autoencoder improves the SVM's sensitivity": ("sensitivity", (_AE, _SVM), (_MEAN, _SVM)),
    "The autoencoder lowers naive Bayes's accuracy": ("accuracy", (_AE, _NB), (_MEAN, _NB)),
}


def told_lead(metric, first, second=None):
    """The lead in the paper's own tables.

    Parameters
    ----------
    metric : str
        One of :data:`~ehrgan.scores.metrics.METRICS`.
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
        From :func:`~ehrgan.scores.metrics.summarise`.
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
        lines = {"ours": f"{row.mean:.4f}", "± 95 %": f"{row.high - row.mean:.4f}"}
        if told is not None:
            star = "" if row.low <= told <= row.high else "*"
            lines |= {"paper": f"{told:.4f}{star}", "difference": f"{row.mean - told:+z.4f}"}
        for line, text in lines.items():
            rows.setdefault((row.classifier, line), {})[SHORT[row.metric]] = text
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(table.index)
    order = dict.fromkeys((*PAPER_CLASSIFIERS, *summary["classifier"]))
    return table.reindex([name for name in order if name in table.index.levels[0]], level=0)


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
            rivals = paper[metric, imputer], ours[metric, imputer][list(PAPER_CLASSIFIERS)]
            rows[imputer, metric] = (*map(_place, rivals), best, *gap)
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
        ours = lead(scores, metric, first, second)
        finding = f"{ours.tie}; the paper's lead lies {ours.within(told)} our interval"
        rows[words] = f"{told:+z.4f}", f"{ours:+.4f}", finding
    return pd.DataFrame.from_dict(rows, orient="index", columns=["paper", "ours", "finding"])


def numbers(summary):
    """Put each of the paper's numbers beside ours, with a verdict and what may lie between.

    Parameters
    ----------
    summary : DataFrame
        From :func:`~ehrgan.scores.metrics.summarise`.

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
    told = points.map(
        lambda own: ", ".join(own).lower() if len(own) < 5 else f"{len(own)} settings"
    )
    both["left open"] = told[both.index.get_level_values("classifier")].to_numpy()
    return both.drop(columns="difference")


def readme_table(summary):
    """Write the README's table in Markdown: the paper's number, then ours with its interval.

    Parameters
    ----------
    summary : DataFrame
        From :func:`~ehrgan.scores.metrics.summarise`.

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
    for name in (*PAPER_CLASSIFIERS, "Logistic regression"):
        cells = []
        for imputer, metric in wanted.values():
            found = Estimate(*ours.loc[(metric, imputer, name), ["mean", "low", "high"]])
            told = paper.get((metric, imputer, name))
            told = "not reported" if told is None else f"{told:.4f}"
            cells.append(f"{told} · {found:.4f}")
        lines.append([name, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _paper_numbers():
    """The paper's 80 numbers by (metric, imputer, classifier)."""
    table = paper_tables().melt(["table", "imputer", "classifier"], var_name="metric")
    return table.set_index(["metric", "imputer", "classifier"])["value"].sort_index()


def _place(numbers):
    return int(numbers.rank(ascending=False, method="min")[_GAN])
