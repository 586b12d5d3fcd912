"""The paper's numbers and claims beside ours, as tables of text that a page can show."""

import csv
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..scores.estimate import Estimate, signed
from ..scores.inference import lead
from ..scores.metrics import METRICS, score_predictions
from .granularity import implied
from .silences import silence_table
from .tables import N_NEGATIVE, N_POSITIVE, beside_paper, paper_tables

__all__ = [
    "LEADS", "Lead", "claims", "contest", "decisive", "f_scores", "numbers", "over_whom", "places",
    "readme_table", "side_by_side", "told_lead",
]  # fmt: skip

#: Column heads that leave room on a phone.
SHORT = dict(zip(METRICS, ["Acc.", "Sens.", "Spec.", "AUC", "F"], strict=True))
PAPER_CLASSIFIERS = tuple(dict.fromkeys(paper_tables()["classifier"]))
LOGISTIC = "Logistic regression"
_MEAN, _AE, _GAN = "mean", "autoencoder", "AC-GAN"
#: What a rival lets one say of a claimed lead, the worst first.
FINDINGS = ("the opposite holds", "not seen", "seen, not clearly", "holds")


class Lead(NamedTuple):
    """One lead that the paper claims.

    Parameters
    ----------
    metric : str
        One of :data:`~ehrgan.scores.metrics.METRICS`.
    winner : tuple of (imputer, classifier)
        Who leads.
    rival : tuple of (imputer, classifier), optional
        Whom; None for a claim to be the best, which is a lead over everybody on that imputation.
    sentence : str
        The paper's words.
    """

    metric: str
    winner: tuple
    rival: tuple | None
    sentence: str


def _read_leads():
    text = files("ehrgan").joinpath("data/inputs/leads.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        rival = (row["rival_imputer"], row["rival"]) if row["rival"] else None
        winner = row["imputer"], row["classifier"]
        yield row["name"], Lead(row["metric"], winner, rival, row["sentence"])


#: The leads that the paper claims, by what they are called here, in the order of its text.
LEADS = dict(_read_leads())


def told_lead(claim):
    """The lead in the paper's own tables, and over whom.

    Parameters
    ----------
    claim : Lead
        Such as one of :data:`LEADS`.

    Returns
    -------
    told : float
        The paper's score of the winner less that of the rival; where the claim is to be the best,
        less that of the second best.
    rivals : list of (imputer, classifier)
        The rival; where the claim is to be the best, everyone whom the paper prints second.

    Examples
    --------
    >>> told, rivals = told_lead(LEADS["AC-GAN has the best AUC, autoencoder-imputed"])
    >>> round(float(told), 4), [name for _, name in rivals]
    (0.0006, ['MLP', 'Gradient Boosting'])
    """
    paper, (imputer, name) = _paper_numbers(), claim.winner
    own = paper[(claim.metric, *claim.winner)]
    if claim.rival:
        return own - paper[(claim.metric, *claim.rival)], [claim.rival]
    others = paper[claim.metric, imputer].drop(name)
    second = [other for other in PAPER_CLASSIFIERS if other in others.index]
    second = [(imputer, other) for other in second if others[other] == others.max()]
    return own - others.max(), second


def contest(scores, claim):
    """Our lead over every rival that a claim is about.

    Parameters
    ----------
    scores : DataFrame
        ``StudyResult.scores``.
    claim : Lead
        Such as one of :data:`LEADS`.

    Returns
    -------
    dict of (imputer, classifier) to Estimate
        The winner's score less the rival's, fold by fold. Where the claim is to be the best the
        rivals are all others in the paper, and logistic regression, which it left out.
    """
    scores = scores[scores["metric"] == claim.metric]
    if claim.rival:
        return {claim.rival: lead(scores, claim.metric, claim.winner, claim.rival)}
    imputer, winner = claim.winner
    scores = scores[scores["imputer"] == imputer]
    others = [(imputer, name) for name in (*PAPER_CLASSIFIERS, LOGISTIC) if name != winner]
    return {rival: lead(scores, claim.metric, claim.winner, rival) for rival in others}


def decisive(leads, sign=1):
    """Find the rival that decides a claim: the one over whom least can be said.

    Parameters
    ----------
    leads : dict of rival to Estimate
        From :func:`contest`.
    sign : {1, -1}, default=1
        That of the paper's lead; -1 where it says that the winner loses.

    Returns
    -------
    finding : str
        From :data:`FINDINGS`: that of the worst rival, so "holds" means that the lead over every
        one of them is clear (its interval holds no zero).
    rival : tuple of (imputer, classifier)
        Of the rivals with that finding, the one over whom the lead is least.

    Examples
    --------
    >>> leads = {("mean", "tree"): Estimate(0.05, 0.03, 0.07), ("mean", "MLP"):
    ...     Estimate(0.01, -0.01, 0.03)}
    >>> decisive(leads)
    ('seen, not clearly', ('mean', 'MLP'))
    """

    def order(rival):
        own = leads[rival]
        seen = 1 + (sign * own.value > 0)
        rank = 3 if sign * own.sign > 0 else 0 if sign * own.sign < 0 else seen
        return rank, sign * own.value

    rival = min(leads, key=order)
    return FINDINGS[order(rival)[0]], rival


def side_by_side(summary, imputer):
    """Lay one of the paper's tables out beside ours, a row for each classifier.

    Parameters
    ----------
    summary : DataFrame
        From :func:`~ehrgan.scores.metrics.summarise`.
    imputer : {"mean", "autoencoder"}
        Table 1 or Table 2.

    Returns
    -------
    DataFrame of str
        Indexed by classifier, one column for each metric: ours ± half the interval's width, and the
        paper's number in brackets where it has one, with a star where it lies outside our interval.

    Examples
    --------
    >>> summary = pd.DataFrame({"imputer": "mean", "classifier": "MLP", "metric": METRICS,
    ...     "mean": 0.96, "low": 0.955, "high": 0.965, "half": 0.005})
    >>> side_by_side(summary, "mean").loc["MLP", "Acc."]
    '0.960 ± 0.005 (0.9525*)'
    """
    paper, cells = _paper_numbers(), {}
    for row in summary[summary["imputer"] == imputer].itertuples():
        if row.metric not in SHORT:
            continue
        told = paper.get((row.metric, imputer, row.classifier))
        star = "" if told is None or row.low <= told <= row.high else "*"
        text = f"{row.mean:.3f} ± {row.half:.3f}" + (f" ({told:.4f}{star})" if told else "")
        cells.setdefault(SHORT[row.metric], {})[row.classifier] = text
    table = pd.DataFrame(cells)[list(SHORT.values())]
    order = dict.fromkeys((*PAPER_CLASSIFIERS, *summary["classifier"]))
    return table.loc[[name for name in order if name in table.index]]


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


def over_whom(estimate, rival, claim):
    """Write a lead with its interval and the rival's name; of the winner on other records, those.

    Examples
    --------
    >>> claim = LEADS["The autoencoder improves the AC-GAN's accuracy"]
    >>> over_whom(Estimate(0.001, -0.002, 0.004), claim.rival, claim)
    '+0.0010 (-0.0020 to +0.0040) over mean-imputed'
    """
    return f"{estimate:+.4f} over {_named(rival, claim)}"


def claims(scores):
    """Test each lead that the paper claims in words on our folds.

    Parameters
    ----------
    scores : DataFrame
        ``StudyResult.scores``.

    Returns
    -------
    DataFrame of str
        Rows are the names of `LEADS`. Columns the paper's lead (in its tables, and over whom), ours
        over the same (with the corrected 95 % interval), over the closest (ours over the rival of
        the paper that decides, see :func:`decisive`), over logistic regression (empty where the
        claim names its rival) and finding (over all of them).
    """
    rows = {}
    for name, claim in LEADS.items():
        told, seconds = told_lead(claim)
        ours = contest(scores, claim)
        finding, _ = decisive(ours, np.sign(told))
        logistic = {rival: ours.pop(rival) for rival in list(ours) if rival[1] == LOGISTIC}
        _, closest = decisive(ours, np.sign(told))
        same = "; ".join(over_whom(ours[rival], rival, claim) for rival in seconds)
        named = " and ".join(_named(rival, claim) for rival in seconds)
        rows[name] = (
            f"{signed(told, '.4f')} over {named}",
            same,
            over_whom(ours[closest], closest, claim),
            "".join(f"{found:+.4f}" for found in logistic.values()),
            finding,
        )
    columns = ["the paper's lead", "ours over the same", "over the closest"]
    columns += ["over logistic regression", "finding"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def _named(rival, claim):
    imputer, name = rival
    return f"{imputer}-imputed" if name == claim.winner[1] else name


def f_scores(result):
    """Lay every F-score out both ways: averaged over folds, and of all records of a trial pooled.

    Parameters
    ----------
    result : StudyResult
        With the imputations mean and autoencoder, and all classifiers of the paper.

    Returns
    -------
    DataFrame of str
        Rows (imputer, classifier) of the paper's tables. Columns paper, its shares imply (the
        F-score of all records pooled that its sensitivity and specificity give; a star marks a
        printed one that rounding does not explain), ours averaged and ours pooled (means over all
        folds, and over trials).
    """
    paper = paper_tables().set_index(["imputer", "classifier"])
    told = implied(paper, N_POSITIVE, N_NEGATIVE).loc["f_score"]
    stars = np.where(told["agrees"], "", "*")
    shown = {
        "paper": told["printed"].map("{:.4f}".format) + stars,
        "its shares imply": told[["low", "high"]].mean(axis="columns").map("{:.4f}".format),
    }
    own = result.predictions[result.predictions["imputer"].isin(paper.index.levels[0])]
    pooled = score_predictions(own, pooled=True)
    for name, scores in {"ours, averaged": result.scores, "ours, pooled": pooled}.items():
        own = scores[scores["metric"] == "f_score"]
        shown[name] = own.groupby(["imputer", "classifier"])["value"].mean().map("{:.4f}".format)
    return pd.DataFrame(shown).loc[paper.index]


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
    for name in (*PAPER_CLASSIFIERS, LOGISTIC):
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
