"""What the paper says of rare classes and their cures: each sentence, its test and its verdict."""

import numpy as np
import pandas as pd

from ..scores.inference import corrected_interval, lead
from .wording import listed

__all__ = ["judge_rarity", "leads_by_setting", "means_by_setting"]

GAN, OPPOSITE, NONE = "AC-GAN, batch", "AC-GAN, opposite", "none"
OVERSAMPLING = ("random oversampling", "SMOTE", "ADASYN")
COMMON, RARE = 0.37, 0.05  # shares of the paper's table; what is as rare as that or rarer
FAILED = 0.05  # of AUC below logistic regression on the same fold


def means_by_setting(scores, metric, cures):
    """Mean of a score with its corrected interval.

    Parameters
    ----------
    scores : DataFrame
        As :func:`ehrgan.study.by_prevalence.one_prevalence` gives them for several settings, with
        columns table and prevalence.
    metric : str
        One of its metrics.
    cures : sequence of str
        Its classifiers, in the order to show.

    Returns
    -------
    DataFrame of Estimate
        A row for each cure; a column for each setting: the paper's table from the most ill to the
        fewest, then any other.

    Examples
    --------
    >>> keys = {"table": "wdbc", "prevalence": 0.1, "classifier": "none", "metric": "brier"}
    >>> scores = pd.DataFrame({"value": [0.1, 0.3]}).assign(**keys, n_train=80, n_test=20)
    >>> means_by_setting(scores, "brier", ["none"]).loc["none", "10 %"].value
    0.2
    """
    found = {}
    for name, every in _named(scores[scores["metric"] == metric]).items():
        for cure, own in every.groupby("classifier"):
            sizes = own["n_train"].mean(), own["n_test"].mean()
            found.setdefault(name, {})[cure] = corrected_interval(own["value"], *sizes)
    return pd.DataFrame(found).loc[list(cures)]


def leads_by_setting(scores, metric, cures, rival=NONE):
    """Each cure's score less a rival's on the same folds, by setting.

    Parameters
    ----------
    scores, metric, cures
        As for :func:`means_by_setting`.
    rival : str, default="none"
        One of its classifiers.

    Returns
    -------
    DataFrame of Estimate
        Rows and columns as there.
    """
    found = {
        name: {cure: lead(own, metric, ("mean", cure), ("mean", rival)) for cure in cures}
        for name, own in _named(scores).items()
    }
    return pd.DataFrame(found).loc[list(cures)]


def _named(scores):
    """Scores of each setting, by its short name, the paper's table and the most ill first."""
    groups = dict(list(scores.groupby(["table", "prevalence"])))
    return {_name(*key): groups[key] for key in sorted(groups, reverse=True)}


def _name(table, prevalence):
    share = f"{100 * prevalence:.3g} %"
    return share if table == "wdbc" else f"{table}, {share}"


def judge_rarity(scores, costs):
    """Judge the paper's sentences on rare classes by a study of cures, and by what they cost.

    Parameters
    ----------
    scores : DataFrame
        As :func:`ehrgan.study.by_prevalence.one_prevalence` gives them for several settings, with
        columns table and prevalence, and trials numbered through.
    costs : DataFrame
        Columns cure, round, seconds and growth (megabytes).

    Returns
    -------
    DataFrame of str
        A row for each sentence. Columns sentence, test, ours and verdict.
    """
    judged = [judge(scores, costs) for judge in (_cost, _sensitivity, _robust, _memory, _unstable)]
    table = pd.DataFrame(judged, columns=["sentence", "test", "ours", "verdict"])
    return table.set_index("sentence")


def _cost(scores, costs):
    of = costs.groupby("cure")[["seconds", "growth"]].median()
    more = {c: of.loc[c, "growth"] - of.loc[NONE, "growth"] for c in OVERSAMPLING}
    slower = {c: of.loc[c, "seconds"] / of.loc[NONE, "seconds"] for c in OVERSAMPLING}
    holds = min(more.values()) > 0 and min(slower.values()) > 1
    return (
        "There are certain limitations to these approaches, such as an overfitting or increased "
        "memory and time requirements for learning.",
        "Seconds and megabytes of logistic regression with each cure, and with none",
        "; ".join(f"{c}: {slower[c]:.1f} times as long, {more[c]:+.0f} MB" for c in OVERSAMPLING),
        "holds" if holds else "not so here",
    )


def _settings(scores):
    """Scores of each setting where the class is rare, by its name."""
    rare = scores[scores["prevalence"] <= RARE]
    return {f"{t}, {p:.1%}": own for (t, p), own in rare.groupby(["table", "prevalence"])}


def _leads(scores, metric, first, second):
    return {
        name: lead(own, metric, ("mean", first), ("mean", second))
        for name, own in _settings(scores).items()
    }


def _told(leads):
    return "; ".join(f"{name}: {found:+.3f}" for name, found in leads.items())


def _verdict(leads):
    signs = {found.sign for found in leads.values()}
    if signs == {1}:
        return "holds"
    return "the opposite holds" if signs == {-1} else "not beyond doubt"


def _sensitivity(scores, costs):
    leads = _leads(scores, "matched", GAN, NONE)
    return (
        "The sensitivity of AC-GAN [...] indicates that AC-GAN is more robust against class "
        "imbalance problems.",
        "AC-GAN less logistic regression: sensitivity where both spare 95 % of the healthy",
        _told(leads),
        _verdict(leads),
    )


def _robust(scores, costs):
    """How much more AUC logistic regression loses than the network as malignant gets rare."""
    own = scores[(scores["table"] == "wdbc") & (scores["metric"] == "auc_roc")]
    wide = own.pivot_table("value", ["trial", "fold"], ["prevalence", "classifier"])
    rarest = own["prevalence"].min()
    lost = {name: wide[COMMON, name] - wide[rarest, name] for name in (GAN, NONE)}
    sizes = own.loc[own["prevalence"] == rarest, ["n_train", "n_test"]].mean()
    found = corrected_interval(lost[NONE] - lost[GAN], *sizes)
    return (
        "The proposed framework is more robust against class imbalance [...] than existing "
        "methods.",
        f"AUC lost from {COMMON:.0%} malignant to {rarest:.0%}: logistic regression's less the "
        "AC-GAN's",
        f"{found:+.3f}",
        _verdict({"": found}),
    )


def _memory(scores, costs):
    wide = costs.pivot_table("growth", "round", "cure")
    more = wide[OPPOSITE] - wide[GAN]
    least = min((wide[c] - wide[NONE]).median() for c in OVERSAMPLING)
    holds = more.median() < least
    return (
        "It applies an oversampling for each mini-batch, thereby enabling an oversampling with "
        "little additional memory consumption.",
        "Megabytes of the AC-GAN with opposite classes less those without, beside what "
        "oversampling adds to logistic regression",
        f"{more.median():+.0f} MB ({more.min():+.0f} to {more.max():+.0f}); oversampling adds "
        f"{least:.0f} MB or more",
        "holds" if holds else "not so here",
    )


def _unstable(scores, costs):
    swings = _leads(scores, "swing", OPPOSITE, GAN)
    failing = {name: _failures(scores, name) for name in (GAN, OPPOSITE)}
    restless = [name for name, found in swings.items() if found.sign > 0]
    unstable = failing[OPPOSITE] > failing[GAN] or len(restless) == len(swings)
    return (
        "Because the balance between real and fake data for each class is broken, GAN training "
        "may become unstable.",
        "Unrest of the generator's loss over the last epochs, opposite classes less batch; "
        f"networks more than {FAILED} of AUC below logistic regression",
        f"more unrest in {len(restless)} of {len(swings)} settings{listed(restless, ': ')}; "
        f"failed: {failing[OPPOSITE]:.1%} beside {failing[GAN]:.1%}",
        "holds" if unstable else "not so here",
    )


def _failures(scores, name):
    """Share of networks, where the class is rare, that rank far worse than logistic regression."""
    rare = scores[(scores["prevalence"] <= RARE) & (scores["metric"] == "auc_roc")]
    keys = ["table", "prevalence", "trial", "fold"]
    wide = rare.pivot_table("value", keys, "classifier")
    return float(np.mean(wide[name] < wide[NONE] - FAILED))
