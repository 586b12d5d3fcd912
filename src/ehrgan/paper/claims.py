"""The paper's claims in words that are no single lead: each sentence, its test and its verdict."""

import csv
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..scores.estimate import signed
from ..scores.inference import (
    corrected_interval,
    corrected_test,
    differences,
    holm,
    lead,
    practical_equivalence,
)  # fmt: skip
from ..scores.metrics import METRIC_WORDS, METRICS, roc_over_folds
from .scorecard import LOGISTIC, PAPER_CLASSIFIERS
from .tables import paper_tables
from .wording import listed

__all__ = ["CLAIMS", "Claim", "judge_claims"]

MEAN, AE, GAN, SVM, BAYES = "mean", "autoencoder", "AC-GAN", "SVM (RBF)", "Naive Bayes"


class Claim(NamedTuple):
    """One sentence of the paper.

    Parameters
    ----------
    key : str
        What it is called here.
    section : str
        Where it stands.
    sentence : str
        The paper's words.
    test : str
        How it can be tested.
    """

    key: str
    section: str
    sentence: str
    test: str


_LIST = files("ehrgan").joinpath("data/inputs/claims.csv").read_text(encoding="utf-8")
#: The claims, in the order of the scorecard.
CLAIMS = tuple(Claim(**row) for row in csv.DictReader(_LIST.splitlines()))


def judge_claims(result):
    """Judge every claim by the paper's own tables and by a study.

    Parameters
    ----------
    result : StudyResult
        With the imputations mean and autoencoder, and all classifiers.

    Returns
    -------
    DataFrame of str
        One row for each of :data:`CLAIMS`, indexed by its key. Columns sentence, test, its own
        tables (what the paper's numbers say), ours and verdict.

    Notes
    -----
    A claim that its own tables contradict is false whatever we find. One second for ten trials.
    """
    paper = paper_tables().set_index(["imputer", "classifier"])[list(METRICS)]
    rows = {}
    for claim in CLAIMS:
        found = JUDGES[claim.key](paper, result)
        rows[claim.key] = {"sentence": claim.sentence, "test": claim.test, **found}
    return pd.DataFrame.from_dict(rows, orient="index")


def _found(tables, ours, verdict):
    return {"its own tables": tables, "ours": ours, "verdict": verdict}


def _within(scores, method, metric, other):
    """One metric of a method less another, fold by fold, with its interval."""
    own = scores[(scores["imputer"] == method[0]) & (scores["classifier"] == method[1])]
    wide = own.pivot_table("value", ["trial", "fold"], "metric")
    sizes = own["n_train"].mean(), own["n_test"].mean()
    return wide[metric] - wide[other], *sizes


def _specificity(paper, result):
    gaps = paper.loc[MEAN, "specificity"] - paper.loc[MEAN, "sensitivity"]
    ours = {
        name: corrected_interval(
            *_within(result.scores, (MEAN, name), "specificity", "sensitivity")
        )
        for name in gaps.index
    }
    higher = [name for name, own in ours.items() if own.value > 0]
    sure = sum(own.sign > 0 for own in ours.values())
    against = list(gaps.index[gaps <= 0])
    told = f"{(gaps > 0).sum()} of {len(gaps)} models{listed(against, '; not: ')}"
    return _found(told, f"{len(higher)} of {len(ours)}, clearly {sure}", _by_tables(against))


def _by_tables(against, otherwise="holds"):
    return "false in its own tables" if against else otherwise


def _gap(paper, result):
    gaps = (paper["specificity"] - paper["sensitivity"]).loc[MEAN].sort_values()
    name, second = gaps.index[-1], gaps.index[-2]
    own = {n: _within(result.scores, (MEAN, n), "specificity", "sensitivity") for n in gaps.index}
    values, *sizes = own.pop(SVM)
    leads = {n: corrected_interval(values - other[0], *sizes) for n, other in own.items()}
    closest = min(leads, key=lambda n: leads[n].low)
    told = f"{name} {gaps.iloc[-1]:.4f}, then {second} {gaps.iloc[-2]:.4f}"
    sure = leads[closest].sign > 0
    verdict = _by_tables(name != SVM, "holds" if sure else "not clearly")
    return _found(told, f"{leads[closest]:+.3f} over {closest}", verdict)


def _crossings(paper, result):
    """Mean curves on mean-imputed records; where two are equal neither crosses."""
    own = result.predictions[result.predictions["imputer"] == MEAN]
    curves = {}
    for name, rows in own.groupby("classifier"):
        folds = [fold for _, fold in rows.groupby(["trial", "fold"])]
        curve = roc_over_folds([f["y"] for f in folds], [f["probability"] for f in folds])
        curves[name] = curve["tpr"].to_numpy()
    ours = curves.pop(GAN)
    crossing = [n for n, tpr in curves.items() if (tpr > ours).any() and (tpr < ours).any()]
    on_top = np.mean([ours >= tpr for tpr in curves.values()], axis=0) == 1
    said = f"crosses {len(crossing)} of {len(curves)}; on top over {on_top.mean():.0%} of the axis"
    none = "drawn in Figure 3, not told in numbers"
    return _found(none, said, "holds" if on_top.mean() > 0.9 else "not so here")


def _changes(paper, result, models, metrics):
    """What the autoencoder changes, by (model, metric): the paper's differences, our estimates."""
    gaps = paper.loc[AE] - paper.loc[MEAN]
    told = {(name, metric): gaps.loc[name, metric] for name in models for metric in metrics}
    ours = {key: lead(result.scores, key[1], (AE, key[0]), (MEAN, key[0])) for key in told}
    return told, ours


def _improves(paper, result):
    models = [name for name in PAPER_CLASSIFIERS if name != BAYES]
    told, ours = _changes(paper, result, models, METRICS)
    lower = [f"{n}'s {METRIC_WORDS.get(m, m)}" for (n, m), gap in told.items() if round(gap, 4) < 0]
    equal = sum(round(gap, 4) == 0 for gap in told.values())
    said = f"{len(told) - len(lower) - equal} of {len(told)} higher, {equal} equal"
    up, down = (sum(own.sign == sign for own in ours.values()) for sign in (1, -1))
    text = f"clearly higher {up} of {len(ours)}, lower {down}"
    every = "holds" if up == len(ours) else "not clearly"
    return _found(said + listed(lower, "; lower: "), text, _by_tables(lower, every))


def _bayes(paper, result):
    told, ours = _changes(paper, result, [BAYES], [m for m in METRICS if m != "auc_roc"])
    higher = [METRIC_WORDS.get(m, m) for (_, m), gap in told.items() if gap >= 0]
    down = [METRIC_WORDS.get(m, m) for (_, m), own in ours.items() if own.sign < 0]
    text = f"clearly lower: {listed(down) or 'none'}"
    every = "holds" if len(down) == len(ours) else "not clearly"
    said = f"{len(told) - len(higher)} of {len(told)} lower{listed(higher, '; higher: ')}"
    return _found(said, text, _by_tables(higher, every))


def _fills(paper, result):
    none = "not measured"
    wide = result.imputation.pivot_table("rmse", ["trial", "fold"], "imputer")
    if wide.empty:
        return _found(none, "nothing is hidden", "not tested")
    sizes = result.scores[["n_train", "n_test"]].mean()
    gap = corrected_interval(wide[AE] - wide[MEAN], *sizes)
    verdict = gap.compared("holds", "the opposite holds", "not clearly")
    return _found(none, f"{gap:+.3f} of RMSE", verdict)


def _similar(paper, result):
    texts, equal = [], []
    for imputer in (MEAN, AE):
        values = differences(result.scores, "accuracy", (imputer, BAYES), (imputer, SVM))
        equal.append(practical_equivalence(*values, rope=0.01).equal)
        gap = corrected_interval(*values)
        texts.append(f"{imputer}: {gap:+.3f}, within a point with probability {equal[-1]:.2f}")
    accuracy = paper["accuracy"]
    told = [accuracy[imputer, BAYES] - accuracy[imputer, SVM] for imputer in (MEAN, AE)]
    said = "mean: {}; autoencoder: {}".format(*(signed(gap, ".4f") for gap in told))
    sure = "holds" if min(equal) > 0.95 else "not similar" if max(equal) < 0.05 else "open"
    return _found(said, "; ".join(texts), sure)


def _significant(paper, result):
    rivals = [name for name in (*PAPER_CLASSIFIERS, LOGISTIC) if name != GAN]
    gaps = {n: differences(result.scores, "accuracy", (AE, GAN), (AE, n)) for n in rivals}
    adjusted = holm([corrected_test(*gap) for gap in gaps.values()])
    sure = [n for n, p in zip(gaps, adjusted, strict=True) if p < 0.05 and gaps[n][0].mean() > 0]
    not_over = [name for name in rivals if name not in sure]
    said = f"p < 0.05 over {len(sure)} of {len(rivals)}{listed(not_over, '; not over: ')}"
    verdict = "not so here" if not_over else "holds"
    return _found("no test, no spread, ten trials", said, verdict)


def _settled(tables, ours, verdict):
    """A claim that needs no run of this chapter."""
    return lambda paper, result: _found(tables, ours, verdict)


JUDGES = {
    "specificity": _specificity,
    "gap": _gap,
    "crossings": _crossings,
    "improves": _improves,
    "bayes": _bayes,
    "fills": _fills,
    "similar": _similar,
    "significant": _significant,
    "imbalance": _settled(
        "one share of malignant records, one of holes",
        "later chapters of this book vary both",
        "not tested in the paper",
    ),
    "network": _settled(
        "none",
        "t-SNE moves points by gradient descent; no network is trained",
        "wrong by definition",
    ),
    "zeros": _settled(
        "none", "78 cells, all of smooth nuclei: a concavity of zero", "wrong: they are measured"
    ),
}
