"""Every number and word that a chapter glues into its text is what its results give.

The results come from the chapter's own run, as predictions or errors; from there on everything is
computed by another route than the library's.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from chapters import CHAPTERS
from scipy import stats
from scipy.special import gammaln
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import MinMaxScaler

from ehrgan.book import benchmarks, committed
from ehrgan.nets import acgan
from ehrgan.paper.claims import CLAIMS
from ehrgan.paper.scorecard import LEADS, PAPER_CLASSIFIERS, told_lead
from ehrgan.paper.silences import SILENCES
from ehrgan.paper.tables import paper_tables
from ehrgan.scores.metrics import METRICS
from ehrgan.study import by_mechanism
from ehrgan.study.cache import run_study
from ehrgan.study.protocol import Study
from ehrgan.tables.masking import block_mask, mcar_mask
from ehrgan.tables.records import load_wdbc

PAPER = paper_tables().set_index(["imputer", "classifier"])[list(METRICS)]
GAN, LR, AE, MEAN = "AC-GAN", "Logistic regression", "autoencoder", "mean"
WORDS = dict(
    zip(METRICS, ["accuracy", "sensitivity", "specificity", "AUC", "F-score"], strict=True)
)


def of(name):
    """Run the tests of a chapter in one worker."""
    return pytest.mark.xdist_group(name)


def interval(values, n_train, n_test):
    """Mean of folds with the interval of Nadeau and Bengio."""
    values = np.asarray(values, dtype=float)
    half = np.sqrt(np.var(values, ddof=1) * (1 / len(values) + n_test / n_train))
    half *= stats.t.isf(0.025, len(values) - 1)
    return np.mean(values), np.mean(values) - half, np.mean(values) + half


def signed(mean, low, high, digits=4):
    """A difference with its interval, in the way of the text."""
    return "{:+z.{n}f} ({:+z.{n}f} to {:+z.{n}f})".format(mean, low, high, n=digits)


def plain(mean, low, high, digits=4):
    """A score with its interval, in the way of the text: cut to what a score can be."""
    low, high = np.clip([low, high], 0, 1)
    return "{:z.{n}f} ({:z.{n}f}\N{EN DASH}{:z.{n}f})".format(mean, low, high, n=digits)


def rivals_of(claim):
    """Over whom a claim is one: the rival that it names, or everybody on those records."""
    imputer, winner = claim.winner
    others = [(imputer, name) for name in (*PAPER_CLASSIFIERS, LR) if name != winner]
    return [claim.rival] if claim.rival else others


def finding_of(leads, sign):
    """What is found of a claim, and the rival that decides: the one over whom least can be said."""
    ranked = {}
    for rival, (mean, low, high) in leads.items():
        ahead, behind = (low > 0, high < 0) if sign > 0 else (high < 0, low > 0)
        rank = 0 if behind else 3 if ahead else 2 if mean * sign > 0 else 1
        ranked[rival] = rank, mean * sign
    rival = min(ranked, key=ranked.get)
    words = "the opposite holds", "not seen", "seen, not clearly", "holds"
    return words[ranked[rival][0]], rival


def over(found, rival, claim):
    """A lead with its interval and whom it is over, in the way of the tables."""
    name = rival[1] if rival[1] != claim.winner[1] else f"{rival[0]}-imputed"
    return f"{signed(*found)} over {name}"


def tie(low, high):
    return "the two differ" if low > 0 or high < 0 else "the two cannot be told apart"


def by_folds(predictions, threshold=None):
    """Scores of each fold by counts and ranks: rows (imputer, classifier, trial, fold)."""
    rows = {}
    for key, own in predictions.groupby(["imputer", "classifier", "trial", "fold"]):
        ill, p = own["y"].to_numpy() == 1, own["probability"].to_numpy()
        called = p > (own["threshold"].to_numpy() if threshold is None else threshold)
        pairs, ranks = ill.sum() * (~ill).sum(), stats.rankdata(p)
        rows[key] = {
            "accuracy": np.mean(called == ill),
            "sensitivity": np.mean(called[ill]),
            "specificity": np.mean(~called[~ill]),
            "auc_roc": (ranks[ill].sum() - ill.sum() * (ill.sum() + 1) / 2) / pairs,
            "f_score": 2 * np.sum(called & ill) / (np.sum(called) + np.sum(ill)),
            "size": len(own),
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(table.index)
    return table


class Scores:
    """Scores of a study's folds: means, intervals and leads of methods."""

    def __init__(self, predictions, threshold=None):
        self.folds = by_folds(predictions, threshold)
        n_test = self.folds["size"].mean()
        self.sizes = predictions["record"].nunique() - n_test, n_test

    def of(self, method, metric="accuracy"):
        return self.folds.loc[method, metric]

    def mean(self, method, metric="accuracy"):
        return self.of(method, metric).mean()

    def interval(self, method, metric="accuracy"):
        return interval(self.of(method, metric), *self.sizes)

    def lead(self, first, second, metric="accuracy", other=None):
        """Interval of a method less another, of the same scores or of `other` ones."""
        gap = self.of(first, metric) - (other or self).of(second, metric)
        assert len(gap) == len(self.of(first)) and not gap.isna().any()
        return interval(gap, *self.sizes)

    def methods(self, imputer):
        return [c for i, c in self.folds.index.droplevel([2, 3]).unique() if i == imputer]


def cells_of(table):
    """The body of a glued table: texts of the cells, row by row."""
    rows = [row.find_all("td") for row in BeautifulSoup(table, "html.parser").find_all("tr")]
    return [[cell.get_text() for cell in row] for row in rows if row]


def check(glued, prefix, wanted, but=()):
    """All glued values with a prefix are the wanted ones, and there are no others."""
    got = {k.removeprefix(prefix): v for k, v in glued.items() if k.startswith(prefix)}
    assert set(got) - set(but) == set(wanted)
    for key, value in wanted.items():
        if isinstance(value, float | np.floating):
            assert got[key] == pytest.approx(value, rel=1e-6, abs=1e-9), key
        else:
            assert got[key] == value, key


@of("01_data_and_masking")
def test_records_and_mask(chapter):
    done = chapter("01_data_and_masking")
    p, records = done.parameters, load_wdbc()
    X, y = records.X, records.y
    mask = block_mask(y, 30, fraction=p.missing_fraction, n_masked=p.n_masked, random_state=p.seed)
    strewn = mcar_mask(X.shape, fraction=mask.mean(), random_state=p.seed)
    zero = X.to_numpy() == 0
    smooth, other = zero.any(axis=1), (y == 0) & ~zero.any(axis=1)
    circle = X["mean area"] / (np.pi * X["mean radius"] ** 2)
    compact = X["mean perimeter"] ** 2 / X["mean area"] - 1
    wanted = {
        "circle_low": circle.min(),
        "circle_high": circle.max(),
        "as_written": compact.min(),
        "compactness_top": X["mean compactness"].max(),
        "compactness_r": stats.pearsonr(compact, X["mean compactness"]).statistic,
        "zeros": int(zero.sum()),
        "zero_records": int(smooth.sum()),
    }
    for key, name in {"round": "worst compactness", "size": "worst radius"}.items():
        few, many = X.loc[smooth, name].to_numpy(), X.loc[other, name].to_numpy()
        below, equal = few[:, None] < many, few[:, None] == many
        wanted[f"{key}_lower"] = np.mean(below + 0.5 * equal)
        assert stats.mannwhitneyu(few, many).pvalue < 0.001  # the text says so
    top = X.loc[smooth, "worst compactness"].max()
    wanted["round_rank"] = 100 * np.mean(X.loc[other, "worst compactness"] < top)
    hidden = X.columns[: p.n_masked]
    r = np.abs(np.corrcoef(X.T))[: p.n_masked, p.n_masked :]
    partner, best = X.columns[p.n_masked :][r.argmax(axis=1)], r.max(axis=1)
    weak = hidden[best.argmin()]
    wanted |= {
        "cells": f"{mask.sum():,}",
        "all_cells": "17,070",
        "hit": f"{mask[:, 0].sum()}",
        "records": "569",
        "columns": p.n_masked,
        "percent": 100 * mask.sum() / 17_070,
        "threshold": 0.1,
        "near_block": int((~mask[:, 0]).sum()),
        "near_strewn": int((strewn.sum(axis=1) <= 2).sum()),  # fewer than a tenth of thirty
        "near_expected": 569 * sum(stats.binom.pmf(k, 30, mask.mean()) for k in range(3)),
        "own_worst": sum(
            b == a.replace("mean", "worst") != a for a, b in zip(hidden, partner, strict=True)
        ),
        "weakest": weak,
        "weakest_r": best.min(),
    }
    check(done.glued, "mask_", wanted)


def root_mean_square(errors, columns):
    return np.array([np.sqrt(np.square(error[:, columns]).mean()) for error in errors])


@of("02_imputation")
def test_errors_of_imputation(chapter):
    done = chapter("02_imputation")
    p, kept, glued = done.parameters, done.kept, dict(done.glued)
    study = Scores(kept.result.predictions)
    error = kept.result.imputation.set_index(["imputer", "trial", "fold"])["rmse"]
    hidden = slice(0, p.n_masked)
    zeros = {stop: e for stop, e in kept.curves["zeros in the holes"].items()}
    full = {stop: e for stop, e in kept.curves["all cells given"].items()}
    stop = min(zeros, key=lambda s: zeros[s].mean())
    fed = root_mean_square(kept.given["means in the holes"], hidden)
    errors = {
        "mean": kept.mean_errors,
        "zeros": kept.given["zeros in the holes"],
        "means": kept.given["means in the holes"],
    }
    rest = {  # what is left of the square when that of each attribute's level is taken away
        name: np.sqrt([np.mean(e[:, hidden] ** 2) - np.mean(e[:, hidden].mean(axis=0) ** 2)
                       for e in own]) for name, own in errors.items()
    }  # fmt: skip
    mean = error[MEAN].to_numpy()
    first = mean[: p.n_folds]
    rmse = root_mean_square(errors["zeros"], hidden)
    np.testing.assert_allclose(rmse, zeros[p.epochs], atol=1e-3)
    values = {
        **{name: error[name].to_numpy() for name in ("zero", MEAN, AE)},
        "difference": error[AE].to_numpy() - mean,
        "accuracy_gain": study.of((AE, GAN)) - study.of((MEAN, GAN)),
        "means_fed": fed,
        "means_fed_difference": fed - mean,
        "means_less_zeros": fed - rmse,
        "best_error": zeros[stop],
        "best_difference": zeros[stop] - mean,
        "longer_zeros": zeros[p.epochs] - zeros[stop],
        "longer_all_given": full[p.epochs] - full[stop],
        "rest_difference": rest["zeros"] - rest["mean"],
        "nearest_difference": root_mean_square(kept.filled["5 nearest neighbours"], hidden) - first,
        "own_difference": root_mean_square(kept.filled["denoising autoencoder"], hidden) - first,
        "zeros_signed": [e[:, hidden].mean() for e in errors["zeros"]],
    }
    scores = {"zero", MEAN, AE, "means_fed", "best_error"}
    wanted = {
        key: (plain if key in scores else signed)(*interval(own, *study.sizes), 3)
        for key, own in values.items()
    }
    wanted["accuracy_gain"] = signed(*interval(values["accuracy_gain"], *study.sizes))
    scale = np.array([10.0, 20.0])
    grid = np.linspace(0, 1, 1001)
    guessed = [np.sqrt(np.mean((fill / 20 - grid) ** 2)) for fill in toy_fills(kept.toys, grid)]
    again = [np.sqrt(np.mean(((through(m, grid) - np.outer(grid, scale)) / scale) ** 2))
             for m in kept.toys]  # fmt: skip
    assert len(kept.toys) == 20
    by_attribute = {
        name: np.mean([np.sqrt(np.mean(e[:, hidden] ** 2, axis=0)) for e in own], axis=0)
        for name, own in errors.items()
    }
    wanted |= {
        "n_scores": p.n_trials * p.n_folds,
        "n_networks": p.n_trials * p.n_folds,
        "n_masked": p.n_masked,
        "epochs": p.epochs,
        "out_of_budget": sum(len(m.history_["validation"]) == p.epochs for m in kept.models),
        "best_stop": stop,
        "attributes_better": int((by_attribute["zeros"] < by_attribute["mean"]).sum()),
        "toy_mean": np.sqrt(1 / 12 * 1002 / 1000),
    }
    toys = {key: glued.pop(f"imputation_toy_{key}") for key in ("given", "best", "worst")}
    assert toys == pytest.approx(
        {"given": max(again), "best": min(guessed), "worst": max(guessed)}, rel=1e-3, abs=1e-6
    )
    check(glued, "imputation_", wanted)


def toy_fills(toys, grid):
    holed = np.column_stack([10 * grid, np.full_like(grid, np.nan)])
    return [model.transform(holed)[:, 1] for model in toys]


def through(model, grid):
    """Complete toy records through the layers of an autoencoder, written out."""
    x = model.units_.to_network(np.outer(grid, [10.0, 20.0]))
    weights = [w[0] for w in model.weights_]
    while weights:
        W, b, *weights = weights
        x = x @ W + b
        x = np.where(x > 0, x, 0) if weights else x
    return model.units_.from_network(x)


@of("08_denoising")
def test_parts_of_an_imputer(chapter):
    done = chapter("08_denoising")
    error, n = done.kept.by_fold, done.parameters.n_folds
    rows = {"paper": error["the paper's"], "mean": error["mean"], "ours": error["ours"]}
    wanted = {key: plain(*interval(own, n - 1, 1), 3) for key, own in rows.items()}
    order = ["the paper's", "+ hides cells", "+ trains better", "ours"]
    for key, before, after in zip(["hiding", "training", "rest"], order, order[1:], strict=False):
        found = interval(error[after] - error[before], n - 1, 1)
        wanted[key] = signed(*found, 4 if key == "rest" else 3)
    assert len(error) == n
    check(done.glued, "denoising_", wanted)


@of("03_baselines")
def test_ordinary_classifiers(chapter):
    done = chapter("03_baselines")
    p, kept = done.parameters, done.kept
    study = Scores(kept.result.predictions)
    records = load_wdbc()
    X, y = records.X.to_numpy(), records.y

    def span(mean, low, high, form=".3f"):
        write = signed if form.startswith("+") else plain
        return write(mean, low, high, digits=3)

    def reach(trials):
        """How far another trial may lie from the mean of these."""
        factor = stats.t.isf(0.025, p.n_trials - 1) * np.sqrt(1 + 1 / p.n_trials)
        return factor * np.std(trials, ddof=1)

    seven, eight = (
        [n for n in PAPER_CLASSIFIERS if n != GAN],
        [n for n in PAPER_CLASSIFIERS if n != GAN] + [LR],
    )
    far, inside = [], 0
    for imputer in (MEAN, AE):
        for name in seven:
            mean, low, high = study.interval((imputer, name))
            told = PAPER.loc[(imputer, name), "accuracy"]
            inside += low <= told <= high
            trials = study.of((imputer, name)).groupby(level=0).mean()
            if abs(told - mean) > reach(trials):
                far.append(f"{name} ({imputer})")
    ae = {name: study.lead((AE, name), (MEAN, name)) for name in eight}
    told = PAPER["accuracy"][AE] - PAPER["accuracy"][MEAN]
    best = max(seven, key=lambda name: study.mean((MEAN, name)))

    new = kept.rows.set_index(["change", "metric", "trial", "fold"])["new"].sort_index()
    bases = dict(zip(kept.rows["change"], kept.rows["classifier"], strict=True))
    gains = {
        change: interval(new[change, "accuracy"] - study.of((MEAN, base)), *study.sizes)
        for change, base in bases.items()
    }
    svm, mlp = "SVM:\nγ = 1/(d v)", "MLP: learning\nrate 0.01"

    folds = Study(records, n_trials=p.n_trials, n_folds=p.n_folds, seed=p.seed).folds
    whole = []
    for fold in folds:
        scaler = MinMaxScaler().fit(X[fold.train])
        bayes = GaussianNB().fit(scaler.transform(X[fold.train]), y[fold.train])
        whole.append(bayes.score(scaler.transform(X[fold.test]), y[fold.test]))

    n_0, n_1 = 357, 212
    assert set(kept.coin["metric"]) == {"auc_roc"} and len(kept.coin) == 8
    wanted = {
        "silences": len(SILENCES),
        "coin_low": min(kept.coin["mean"]),
        "coin_high": max(kept.coin["mean"]),
        "coin_sd": np.sqrt((n_0 + n_1 + 1) / 12 / n_0 / n_1),
        "leak": 1.0,  # a tree grown until pure knows the labels that it learned by heart
        "cells": 14,
        "inside": inside,
        "beyond": len(far),
        "lr_mean": span(*study.interval((MEAN, LR))),
        "lr_autoencoder": span(*study.interval((AE, LR))),
        "svm_gain": span(*gains[svm], "+.3f"),
        "mlp_gain": span(*gains[mlp], "+.3f"),
        "changes": 7,
        "bayes_whole": span(*interval(whole, *study.sizes)),
        "ae_up": sum(mean > 0 for mean, *_ in ae.values()),
        "ae_all": 8,
        "ae_inside": sum(ae[name][1] <= told[name] <= ae[name][2] for name in seven),
        "best": best,
        "lead": span(*study.lead((MEAN, LR), (MEAN, best)), "+.3f"),
        "epochs_gan": acgan.PAPER_ACGAN["epochs"],
        "epochs_mlp": 200,
    }
    wanted["svm_sensitivity_old"] = span(*study.interval((MEAN, "SVM (RBF)"), "sensitivity"))
    wanted["svm_sensitivity_new"] = span(*interval(new[svm, "sensitivity"], *study.sizes))
    check(done.glued, "base_", wanted)


@of("04_acgan")
def test_adversarial_training(chapter):
    done = chapter("04_acgan")
    kept, p = done.kept, done.parameters
    names = kept.X_train.columns[::3]

    def narrow(X, y):
        X, y = X[names].to_numpy(), np.asarray(y)
        train = kept.X_train[names].to_numpy()
        return [X[y == c].std(axis=0, ddof=1) < train[kept.y_train == c].std(axis=0, ddof=1)
                for c in (0, 1)]  # fmt: skip

    accuracies = [
        np.mean((gan.predict_proba(kept.X_test)[:, 1] > 0.5) == (kept.y_test == 1))
        for gan in kept.gans
    ]
    own = kept.scores[kept.scores["metric"] == "accuracy"]
    own = own.set_index(["classifier", "trial", "fold"])
    sizes = own["n_train"].mean(), own["n_test"].mean()
    mean, low, high = interval(own["value"][GAN] - own["value"]["alone"], *sizes)
    assert set(own["imputer"]) == {MEAN} and len(own) == 2 * p.n_trials * p.n_folds
    wanted = {
        "narrow": np.mean([narrow(*made) for made in kept.made]),
        "narrow_real": np.mean(narrow(kept.X_test, kept.y_test)),
        "seeds": p.n_trials,
        "least": min(accuracies),
        "most": max(accuracies),
        "with": own["value"][GAN].mean(),
        "without": own["value"]["alone"].mean(),
        "gain": signed(mean, low, high),
        "folds": p.n_trials * p.n_folds,
    }
    check(done.glued, "acgan_", wanted)


def verdict(told, low, high):
    return "below" if told < low else "above" if told > high else "inside"


@of("05_evaluation")
def test_ten_times_five(chapter):
    done = chapter("05_evaluation")
    study = Scores(done.kept.result.predictions)
    card = {
        (i, c, m): (PAPER.loc[(i, c), m], *study.interval((i, c), m))
        for i in (MEAN, AE) for c in PAPER_CLASSIFIERS for m in METRICS
    }  # fmt: skip
    verdicts = {key: verdict(told, low, high) for key, (told, _, low, high) in card.items()}
    study_means = {name: study.mean((AE, name)) for name in study.methods(AE)}
    assert len(study_means) == 9

    def place(values):
        return sum(values[name] > values[GAN] for name in PAPER_CLASSIFIERS)

    folds = study.folds
    firsts = [place({c: study.mean((AE, c), m) for c in PAPER_CLASSIFIERS}) for m in METRICS]
    _, *ours = card[AE, GAN, "accuracy"]
    wanted = {
        "acgan": plain(*ours, 3),
        "acgan_accuracy": ours[0],
        "best_accuracy": max(value for name, value in study_means.items() if name != GAN),
        "inside": sum(v == "inside" for v in verdicts.values()),
        "firsts_paper": sum(place(PAPER.loc[AE, m]) == 0 for m in METRICS),
        "firsts": firsts.count(0),
        "leads": 15,
        "widest": np.mean([high - mean for (*_, m), (_, mean, _, high) in card.items()
                           if m == "accuracy"]),
        "logistic": signed(*study.lead((AE, GAN), (AE, LR))),
        "filled": signed(*study.lead((AE, GAN), (MEAN, GAN))),
    }  # fmt: skip
    check(done.glued, "evaluation_", wanted, but=["leads_hold"])
    assert len(folds) == 3 * 9 * done.parameters.n_trials * done.parameters.n_folds

    def row(key):
        told, mean, low, high = card[key]
        return [f"{told:.4f}", plain(mean, low, high), verdicts[key]]

    got = cells_of(done.glued["scorecard_acgan"])
    assert [cells[:3] for cells in got] == [row(key) for key in card if key[1] == GAN]
    got = cells_of(done.glued["scorecard_others"])
    assert got == [row(key) for key in card if key[1] != GAN]

    holding = 0
    got = cells_of(done.glued["scorecard_claims"])
    for cells, claim in zip(got, LEADS.values(), strict=True):
        told, seconds = told_lead(claim)
        leads = {r: study.lead(claim.winner, r, claim.metric) for r in rivals_of(claim)}
        finding, _ = finding_of(leads, np.sign(told))
        holding += finding == "holds"
        own = {r: found for r, found in leads.items() if r[1] != LR}
        _, closest = finding_of(own, np.sign(told))
        assert cells[0].startswith(f"{told:+z.4f} over ")
        assert cells[1] == "; ".join(over(leads[r], r, claim) for r in seconds)
        assert cells[2] == over(own[closest], closest, claim)
        logistic = [signed(*found) for r, found in leads.items() if r[1] == LR]
        assert cells[3:] == ["".join(logistic), finding]
    assert done.glued["evaluation_leads_hold"] == holding
    got = cells_of(done.glued["scorecard_sentences"])
    assert len(got) == len(CLAIMS) + 2 and all(cells[-1] for cells in got)
    filled, made = got[len(CLAIMS) :]
    own, means, forged = (done.kept.mixed.loc[name] for name in (AE, "mean", "generated"))
    own, means = own["attributes"], means["attributes"]
    more = sum(own[c] > means[c] for c in own.index)
    finding = ("not so here", "in 1 of 2 classes", "seen in every class")[more]
    text = "mixing " + "; ".join(f"{c} {own[c]:.2f} ({means[c]:.2f})" for c in own.index)
    assert filled[2:] == [text, finding]
    inside = (forged["low"] <= forged["attributes"]) & (forged["attributes"] <= forged["high"])
    text = "mixing " + "; ".join(f"{c} {v:.2f}" for c, v in forged["attributes"].items())
    assert made[2:] == [text, f"{inside.sum()} of 2 classes mix as by chance"]

    lines = done.glued["readme_table"].splitlines()[2:]
    columns = [(MEAN, "accuracy"), (AE, "accuracy"), (AE, "auc_roc")]
    for line, name in zip(lines, [*PAPER_CLASSIFIERS, LR], strict=True):
        cells = []
        for imputer, metric in columns:
            told = "not reported" if name == LR else f"{PAPER.loc[(imputer, name), metric]:.4f}"
            mean, low, high = study.interval((imputer, name), metric)
            cells.append(f"{told} · {plain(mean, low, high)}")
        assert line == f"| {name} | {' | '.join(cells)} |"


@of("06_audit")
def test_the_audit(chapter, study_cache):
    done = chapter("06_audit")
    p = done.parameters
    folder = done.folder / "results" / "06_audit"
    kept = {
        name: pd.read_parquet(folder / name / "predictions.parquet")
        for name in ("honest", "paper", "peek")
    }
    study = {name: Scores(predictions) for name, predictions in kept.items()}
    honest, paper, peek = study.values()
    curves = pd.read_parquet(folder / "peek" / "curves.parquet").query("imputer == @AE")
    curves = curves.pivot_table("error", ["trial", "fold"], "epoch")
    assert curves.shape == (p.n_trials * p.n_folds, 500)
    last = curves[500]
    far = {
        name: np.mean([abs(own.mean((i, GAN), m) - PAPER.loc[(i, GAN), m])
                       for i in (MEAN, AE) for m in METRICS])
        for name, own in study.items()
    }  # fmt: skip

    def leads(claim, name):
        """The leads over all rivals; under peek only the AC-GAN has an epoch to look at."""
        without = "paper" if name == "peek" else name
        first, *rivals = [
            study[name if own[1] == GAN else without] for own in (claim.winner, *rivals_of(claim))
        ]
        return {
            rival: first.lead(claim.winner, rival, claim.metric, other)
            for rival, other in zip(rivals_of(claim), rivals, strict=True)
        }

    verdicts, rows = [], []
    for claim in LEADS.values():
        sign, cells, sure, words = np.sign(told_lead(claim)[0]), [], [], ""
        for name in study:
            own = leads(claim, name)
            finding, rival = finding_of(own, sign)
            cells.append(over(own[rival], rival, claim))
            sure += [name] if finding == "holds" else []
            words = finding if name == "honest" else words
        if sure:
            words = "holds" if sure[0] == "honest" else f"holds from {sure[0]} on"
        verdicts.append(words)
        rows.append([*cells, words])
    assert cells_of(done.glued["scorecard_protocols"]) == rows

    effects = {n: study[n].lead((AE, GAN), (AE, GAN), other=honest) for n in ("paper", "peek")}
    effects["look"] = peek.lead((AE, GAN), (AE, GAN), other=paper)
    both = effects["paper"][0] + effects["look"][0]
    assert both == pytest.approx(effects["peek"][0])  # the steps add up
    looks = [curves[epoch] for epoch in range(50, 501, 50)]
    wanted = {
        **{f"{n}_effect": signed(*found) for n, found in effects.items()},
        **{f"far_{name}": value for name, value in far.items()},
        "peek_accuracy": peek.mean((AE, GAN)),
        "claims": len(LEADS),
        "hold": verdicts.count("holds"),
        "need_peek": verdicts.count("holds from peek on"),
        "logistic_honest": signed(*honest.lead((AE, GAN), (AE, LR))),
        "logistic_peek": signed(*peek.lead((AE, GAN), (AE, LR), other=paper)),
        "gain": (last - curves.min(axis=1)).mean(),
        "gain_ten": (last - np.min(looks, axis=0)).mean(),
        "leak": done.kept.changed["paper"],
    }
    assert done.kept.changed["honest"] == 0 < done.kept.changed["paper"]
    settings = {k: v for k, v in vars(p).items()}
    for name in study:
        dealt = {"imputers": (MEAN,), "classifiers": (GAN,), "shuffle_test_labels": True}
        result = run_study(load_wdbc(), **settings, protocol=name, **dealt)
        assert result.settings["protocol"] == name
        wanted[f"shuffled_{name}"] = Scores(result.predictions).mean((MEAN, GAN))
    check(done.glued, "audit_", wanted)


@of("07_last_digits")
def test_the_last_digits(chapter):
    done = chapter("07_last_digits")
    own = committed.committed("by_seed").query("classifier == @GAN")
    means = own.pivot_table("value", ["reading", "seed"], ["imputer", "metric"])

    def log_density(reading, metrics):
        """Of the paper's numbers, for one more study of a reading: Student's t written out."""
        keys = [(imputer, metric) for imputer in (MEAN, AE) for metric in metrics]
        draws = means.loc[reading, keys].to_numpy()
        told = [PAPER.loc[(imputer, GAN), metric] for imputer, metric in keys]
        (n, p), gap = draws.shape, told - draws.mean(axis=0)
        shape = (n + 1) * (n - 1) / (n * (n - p)) * np.cov(draws.T)
        far = gap @ np.linalg.inv(shape) @ gap / (n - p)
        return (
            gammaln(n / 2) - gammaln((n - p) / 2) - n / 2 * np.log1p(far)
            - 0.5 * (p * np.log((n - p) * np.pi) + np.linalg.slogdet(shape)[1])
        )  # fmt: skip

    def times(*metrics):
        return np.exp(log_density("peek", metrics) - log_density("honest", metrics))

    accuracy = means.loc["honest", (AE, "accuracy")]
    wanted = {
        "whole": 12,
        "rivals": 14,
        "chance": (213 / 2121) * (358 / 3571),  # whole counts among tenths, in both classes
        "times": f"{times('sensitivity', 'specificity', 'auc_roc'):,.0f}",
        "by_accuracy": f"{times('accuracy'):.0f}",
        "seeds": 12,
        "least": accuracy.min(),
        "greatest": accuracy.max(),
    }
    check(done.glued, "digits_", wanted)


@of("09_better")
def test_the_better_method(chapter):
    done = chapter("09_better")
    sweep = committed.committed("by_ladder")
    keys = ["metric", "table", "seed", "trial", "fold"]
    by_fold = sweep.pivot_table("value", keys, "classifier")
    sizes = sweep["n_train"].mean(), sweep["n_test"].mean()
    ours, told = "mean of four", PAPER.loc[AE, GAN]

    def lead(first, second, metric="accuracy", where=("denoising", "denoising")):
        one, two = (by_fold.loc[metric, table] for table in where)
        return interval(one[first] - two[second], *sizes)

    def equal(mean, low, high, n=250):
        posterior = stats.t(n - 1, mean, (high - mean) / stats.t.isf(0.025, n - 1))
        return posterior.cdf(0.01) - posterior.cdf(-0.01)

    seeds = by_fold[ours].groupby(level=keys[:3]).mean().xs("denoising", level="table")
    reached = [m for m in METRICS if seeds.loc[m].mean() >= told[m]]
    lr, adversary = "plain logistic regression", "four without the adversary"
    predictions = pd.read_parquet(done.folder / "results" / "09_better" / "predictions.parquet")
    own = predictions[predictions["classifier"] == ours]
    cuts = [by_folds(own, cut)[["specificity", "sensitivity"]].mean()
            for cut in np.linspace(0.2, 0.8, 61)]  # fmt: skip
    high = [i for i, cut in enumerate(cuts) if cut["specificity"] >= told["specificity"]]
    at = high[0] if high else 60
    kinds = ["logistic regression", "SVM", "linear discriminant", "quadratic discriminant"]
    errors = predictions.assign(error=predictions["probability"] - predictions["y"])
    errors = errors.pivot_table("error", ["trial", "record"], "classifier")
    alike = np.corrcoef(errors[kinds].to_numpy().T)
    wanted = {
        "five": ", ".join(f"{WORDS[m]} {seeds.loc[m].mean():.4f}" for m in METRICS),
        "count": len(reached),
        "accuracy": seeds.loc["accuracy"].mean(),
        "sd": seeds.loc["accuracy"].std(),
        "hidden": signed(*lead(ours, ours, where=("denoising", "complete"))),
        "imputation": signed(*lead(ours, ours, where=("denoising", "mean"))),
        "behind_means": by_fold.loc[("accuracy", "mean"), ours].mean(),
        "nested": by_fold.loc[("accuracy", "denoising"), "mean of four, nested"].mean(),
        "logistic": signed(*lead(ours, lr)),
        "logistic_equal": equal(*lead(ours, lr)),
        "over_gans": signed(*lead(ours, "four AC-GANs")),
        "gans": signed(*lead("mean of four and AC-GANs", ours)),
        "adversarial": signed(*lead("four AC-GANs", adversary)),
        "adversarial_equal": equal(*lead("four AC-GANs", adversary)),
        "alike": (alike.sum() - 4) / 12,
        "at_threshold": np.linspace(0.2, 0.8, 61)[at],
        "at_specificity": cuts[at]["specificity"],
        "at_sensitivity": cuts[at]["sensitivity"],
    }
    check(done.glued, "better_", wanted)

    rows = [
        ("denoising", ours),
        ("denoising", "mean of four, nested"),
        (MEAN, ours),
        ("complete", ours),
        ("denoising", "four AC-GANs"),
        ("denoising", lr),
    ]

    def beside_half(mean, low, high):
        return f"{mean:.4f} ± {(min(high, 1) - low) / 2:.4f}"

    cells = [
        [beside_half(*interval(by_fold.loc[(m, table), name], *sizes)) for m in METRICS]
        for table, name in rows
    ]
    cells.append([f"{told[m]:.4f}" for m in METRICS])
    assert cells_of(done.glued["scorecard_five"]) == cells

    for words, row in zip(done.kept.found, done.kept.gains[-3:].itertuples(), strict=True):
        scores = done.kept.found[words]
        scores = scores[scores["metric"] == "auc_roc"]
        wide = scores.pivot_table("value", ["trial", "fold"], "classifier")
        gap = interval(
            wide["adversary"] - wide["none"], scores["n_train"].mean(), scores["n_test"].mean()
        )
        assert row.classifier == words
        np.testing.assert_allclose((row.mean, row.low, row.high), gap)


@of("10_missingness")
def test_many_kinds_of_missingness(chapter):
    done = chapter("10_missingness")
    study = committed.committed("by_mechanism")
    first = study[study["vanishing"] == "first fifteen"]
    keys = ["mechanism", "fraction"]
    fold = ["trial", "fold"]

    def gaps(table, metric, classifier, one, other):
        """Interval of the differences between two imputations in every setting."""
        own = table[(table["metric"] == metric) & (table["classifier"] == classifier)]
        for setting, rows in own.groupby(keys):
            wide = rows.pivot_table("value", fold, "imputer")
            sizes = rows["n_train"].mean(), rows["n_test"].mean()
            yield setting, interval(wide[one] - wide[other], *sizes)

    error = first[first["metric"] == "rmse"].pivot_table("value", keys, "imputer")
    mean = dict(gaps(first, "auc_roc", LR, "denoising", MEAN))
    ridge = dict(gaps(first, "auc_roc", LR, "denoising", "chained ridge"))
    below = dict(gaps(first, "rmse", "", "denoising", "chained ridge"))
    plain = (error[AE] - error[MEAN]).dropna()
    wanted = {
        "settings": len(mean),
        "best": sum(row.idxmin() == "denoising" for _, row in error.iterrows()),
        "best_ridge": sum(row.idxmin() == "chained ridge" for _, row in error.iterrows()),
        "sure": sum(high < 0 for _, _, high in below.values()),
        "sure_ridge": sum(low > 0 for _, low, _ in below.values()),
        # as many as have a star: at the three digits that a map shows
        "auc_mean": sum(round(low, 3) > 0 for _, low, _ in mean.values()),
        "auc_ridge": sum(round(low, 3) > 0 for _, low, _ in ridge.values()),
        "largest": max(gain for gain, *_ in mean.values()),
        "largest_ignorable": max(g for (m, _), (g, *_) in mean.items() if "MNAR" not in m),
        "plain_worst": max(plain),
        "plain": min(plain),
        "plain_settings": len(plain),
    }
    assert len(mean) == len(ridge) == len(below) == len(error) == 24
    forest = first.query("mechanism == 'MNAR' and fraction == 0.7 and metric == 'auc_roc'")
    forest = forest[forest["classifier"] == "Random Forest"]
    for imputer in ("mean", "denoising"):
        wanted[f"forest_{imputer}"] = forest.loc[forest["imputer"] == imputer, "value"].mean()
    lr = study[(study["metric"] == "auc_roc") & (study["classifier"] == LR)]
    lr = lr.set_index(["vanishing", "imputer", *fold])[["value", "n_train", "n_test"]].sort_index()
    for key, group in {"twins": "mean + worst", "error": "standard error"}.items():
        found = []
        for imputer in by_mechanism.COMPARED_IMPUTERS:
            own, ceiling = lr.loc[(group, imputer)], lr.loc[("nothing", imputer)]
            assert len(own) == len(ceiling) == 10
            sizes = own["n_train"].mean(), own["n_test"].mean()
            found.append(interval(own["value"] - ceiling["value"], *sizes))
        wanted[f"{key}_loss"] = signed(*max(found))
    check(done.glued, "missing_", wanted)


@of("11_real_records")
def test_real_holes(chapter):
    done = chapter("11_real_records")
    reports = done.kept.reports
    assert list(reports) == [*done.parameters.others.split(", "), "support2"]
    chosen = [r.comparison["classifier"][r.chosen] for r in reports.values()]
    wanted = {
        "sets": len(reports),
        "mask": plain(*reports["support2"].by_holes, 3),
        "tells": sum(min(report.by_holes) > 0.5 for report in reports.values()),
        "simple": chosen.count("logistic regression"),
    }
    check(done.glued, "real_", wanted, but=["rest"])


@of("11_real_records")
def test_what_the_mask_tells_without_one_question(chapter):
    done = chapter("11_real_records")
    prepared = done.kept.reports["support2"].prepared
    holes = prepared.X.drop(columns="adlp").isna()
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = LogisticRegression(max_iter=2000)
    area = cross_val_score(model, holes, prepared.y, cv=folds, scoring="roc_auc").mean()
    assert float(done.glued["real_rest"].split()[0]) == pytest.approx(area, abs=0.02)


@of("12_your_records")
def test_your_records(chapter):
    done = chapter("12_your_records")
    report, halves = done.kept.report, benchmarks.read("halves")
    low, high = sorted(report.prediction)
    inside = sum(row.low <= row.seen <= row.high for row in halves.itertuples())
    wanted = {
        "records": 155,
        "first": report.words[0],
        "low": low,
        "high": high,
        "kept": inside,
        "told": len(halves),
    }
    elsewhere = benchmarks.read("halves_elsewhere").to_dict("records")
    wanted["other_tables"] = len({row["set"] for row in elsewhere})
    for words, noise in (("other", False), ("noise", True)):
        own = [
            row["low"] <= row["seen"] <= row["high"] for row in elsewhere if row["noise"] is noise
        ]
        wanted |= {f"{words}_kept": sum(own), f"{words}_told": len(own)}
    wanted["noise_chance"] = sum(row["noise"] and row["within"] for row in elsewhere)
    wanted["noise_better"] = sum(row["noise"] and row["better"] > 0 for row in elsewhere)
    check(done.glued, "yours_", wanted)
    assert 0 < inside < len(halves)
    printed = " ".join(o.text for cell in done.cells for o in cell.get("outputs", [])
                       if o.get("name") == "stdout")  # fmt: skip
    z, n, p = stats.norm.isf(0.025), len(halves), inside / len(halves)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    told = f"{inside} of {n}: {p:.1%} (95 % interval {middle - half:.1%} to {middle + half:.1%})"
    assert told in printed
    bias = halves["auc"].mean() - halves["seen"].mean()
    assert f"expected less seen, on average: {bias:+z.4f}" in printed


@of("17_benchmarks")
def test_benchmarks(chapter):
    done = chapter("17_benchmarks")
    times = benchmarks.read("keras").pivot_table("milliseconds", "round", "way")
    middle = times.median()
    floor = benchmarks.read("floor").query("replicas == 50")
    ratio = (floor["step"] / floor["floor"]).groupby(floor["threads"]).median()
    wanted = {
        "ours": middle["ours"],
        "gain_ours_one": (times["keras"] / times["ours_one"]).median(),
        "gain_ours_one_thread": (times["ours_one"] / times["ours_one_thread"]).median(),
        "gain_ours": (times["ours_one_thread"] / times["ours"]).median(),
        "one_jax": middle["ours_one"] / middle["jax_one"],
        "one_sklearn": middle["sklearn"] / middle["ours_one"],
        "floor_one": ratio.iloc[0],
        "floor": ratio.iloc[-1],
    }
    for way in ("jax_blocks", "keras", "keras_arrays", "keras_processes"):
        wanted[way] = (times[way] / times["ours"]).median()
    raw, own = benchmarks.read("imputers"), "autoencoder, our default"
    for key, mechanism in {"block": "block", "random": "20 % at random"}.items():
        rows = raw[raw["mechanism"] == mechanism]
        error = rows.pivot_table("rmse", ["seed", "fold"], "imputer")
        peer = min(set(error) - {own}, key=lambda name: error[name].mean())
        sizes = rows["n_train"].mean(), rows["n_test"].mean()
        mean, low, high = interval(error[own] - error[peer], *sizes)
        wanted |= {f"{key}_peer": peer, f"{key}_gap": signed(mean, low, high)}
    held = benchmarks.read("coverage")
    held["share"] = held["inside"] / held["repetitions"]
    drawn, whole = held[held["way"] == "draws"], held[held["way"] == "complete records"]
    curved = drawn["scenario"] == "curved"
    straight = drawn[~curved]
    wanted |= {
        "coverage": straight["inside"].sum() / straight["repetitions"].sum(),
        "coverage_least": straight["share"].min(),
        "coverage_most": straight["share"].max(),
        "coverage_bent": drawn.loc[curved, "share"].min(),
        "coverage_samples": drawn["repetitions"].min(),
        "coverage_dropped": whole.loc[whole["mechanism"] == "MAR", "share"].min(),
    }
    league = benchmarks.read("league").query("held_out")
    wanted["league_tables"] = league["table"].nunique()
    for key, mechanism in {"block": "block", "random": "20 % at random"}.items():
        errors = league[league["mechanism"] == mechanism].pivot_table("rmse", "table", "imputer")
        errors = errors.div(errors["mean"], axis=0)
        gap = errors["autoencoder"] - errors["30 chained extra trees"]
        wanted[f"league_{key}"] = signed(*interval(gap, 1, 0), 3)
    fits = league.groupby(["imputer", "mechanism"])["fit"].median().groupby("imputer").median()
    wanted |= {"league_fit": fits["autoencoder"], "league_trees": fits["30 chained extra trees"]}
    check(done.glued, "bench_", wanted)


@of("13_synthetic")
def test_patients_who_never_lived(chapter):
    """A forest in place of the chapter's classifier tells made records from unseen ones alike."""
    done = chapter("13_synthetic")
    rows = benchmarks.read("synthetic").set_index(["axis", "table", "generator", "seed"])
    fidelity = rows["mean"]["fidelity"]["wdbc"] + 0.5
    wanted = {"members": 285, "support": 2000, "splits": rows.index.unique("seed").size}
    for glued, name in {"told_acgan": "AC-GAN", "told_gaussians": "class-wise Gaussians"}.items():
        wanted[glued] = plain(*interval(fidelity[name], 1, 1), 3)
    spread = rows["mean"]["spread of class 1"]
    adc, plain_gan = (spread.xs(name, level="generator") for name in ("ADC-GAN", "AC-GAN"))
    wider = adc.sort_index() > plain_gan.sort_index()
    wanted |= {"wider": sum(wider), "compared": len(wider)}
    for glued, axis in {"steady": "privacy", "unsteady": "fidelity"}.items():
        own = rows.loc[axis]
        truth = own["mean"].groupby(["table", "generator"]).mean()
        held = own.assign(truth=truth.reindex(own.index.droplevel("seed")).to_numpy())
        inside = int(((held["low"] <= held["truth"]) & (held["truth"] <= held["high"])).sum())
        n, z = len(held), stats.norm.isf(0.025)  # Wilson's interval
        half = z * np.sqrt(inside * (n - inside) / n + z**2 / 4) / (n + z**2)
        middle = (inside + z**2 / 2) / (n + z**2)
        wanted[glued] = plain(inside / n, middle - half, middle + half, 2)
    check(done.glued, "synthetic_", wanted)
    for name in ("AC-GAN", "class-wise Gaussians"):
        found = done.kept.audits[name]
        unseen = pd.concat([found.others, found.reference])
        X = pd.concat([unseen, found.fake]).to_numpy(float)
        real = np.repeat([1, 0], [len(unseen), len(found.fake)])
        forest = RandomForestClassifier(300, random_state=0)
        told = cross_val_predict(forest, X, real, cv=5, method="predict_proba")[:, 1]
        mean = found.fidelity.loc["classifier", "mean"]
        assert roc_auc_score(real, told) == pytest.approx(mean, abs=0.05)


@of("14_rare_diseases")
def test_rare_diseases(chapter):
    done = chapter("14_rare_diseases")
    study = committed.committed("by_prevalence")
    sizes = study.groupby(["prevalence", "metric"])[["n_train", "n_test"]].mean()

    def wide(metric, share):
        own = study[(study["metric"] == metric) & (study["prevalence"] == share)]
        return own.pivot_table("value", ["trial", "fold"], "classifier")

    def less(metric, share, first, second):
        scores = wide(metric, share)
        return interval(scores[first] - scores[second], *sizes.loc[share, metric])

    thyroid, batch = 0.048, "AC-GAN, batch"
    ratio = interval(wide("ratio", thyroid)["class weights"], *sizes.loc[thyroid, "ratio"])
    means = study.pivot_table("value", ["prevalence", "classifier"], "metric")
    mended = means.filter(like=", repriored", axis=0)["ratio"].rename(
        index=lambda name: name.removesuffix(", repriored"), level="classifier"
    )
    odds = np.exp(means["shift"].reindex(mended.index))
    near, right = (odds > 0.5) & (odds < 2), (mended > 0.9) & (mended < 1.1)
    behind = wide("auc_roc", 0.02)[["none", batch, "AC-GAN, opposite"]]
    failed = (behind.lt(behind["none"] - 0.05, axis=0)).mean()
    costs = benchmarks.read("cures").pivot_table("growth", "round", "cure").median()
    assert len(mended) == 35
    wanted = {
        "ratio_weights": "{:.1f} ({:.1f}\N{EN DASH}{:.1f})".format(*ratio),
        "gan_auc": f"{(behind['none'] - behind[batch]).mean():.3f}",
        "found_threshold": signed(*less("sensitivity", thyroid, "none, threshold", "none"), 3),
        "found_smote": signed(*less("sensitivity", thyroid, "SMOTE", "none"), 3),
        "opposite_auc": signed(*less("auc_roc", 0.02, "AC-GAN, opposite", batch), 3),
        "opposite_thyroid": signed(*less("auc_roc", thyroid, "AC-GAN, opposite", batch), 3),
        "right_before": near.sum(),
        "right_after": (near & right).sum(),
        "wrong_before": (~near).sum(),
        "wrong_after": (~near & ~right).sum(),
        "failed_batch": f"{failed[batch]:.0%}",
        "failed_opposite": f"{failed['AC-GAN, opposite']:.0%}",
        "opposite_more": f"{costs['AC-GAN, opposite'] - costs[batch]:+.0f}",
    }
    spread = means.loc[0.05, "spread"]
    wanted["spread_batch"] = f"{spread[batch]:.2f}"
    wanted["spread_opposite"] = f"{spread['AC-GAN, opposite']:.2f}"
    live = {"toy_slope", "toy_alike", "water", "more_least", "easy", "easy_real"}
    live |= {"asked_most", "asked_spread", "gans_least", "gans_most"}
    check(done.glued, "rare_", wanted, but=live)


@of("15_one_or_two")
def test_one_or_two(chapter):
    done = chapter("15_one_or_two")
    study = committed.committed("by_stages")
    keys = ["table", "mechanism", "unlabelled", "n_records"]
    settings = {key: own.reset_index(drop=True) for key, own in study.groupby(keys)}
    block, few, hexagan, mnar = (
        settings["wdbc", *key]
        for key in (("block", 0.0, 0), ("block", 0.0, 100), ("MCAR", 0.2, 0), ("MNAR", 0.0, 0))
    )

    def less(scores, metric, first, second):
        own = scores[scores["metric"] == metric]
        wide = own.pivot_table("value", ["trial", "fold"], "imputer")
        sizes = own["n_train"].mean(), own["n_test"].mean()
        return interval(wide[first] - wide[second], *sizes)

    def error(arm):
        own = block[(block["metric"] == "rmse") & (block["imputer"] == arm)]
        sizes = own["n_train"].mean(), own["n_test"].mean()
        return plain(*interval(own["value"], *sizes), 3)

    stopped, denoising = "joint, gradient stopped", "denoising"
    plainly = {key: own for key, own in settings.items() if key[1] != "MNAR"}
    gains = {key: less(own, "auc_roc", "joint", stopped) for key, own in plainly.items()}
    of_wdbc = [gain for key, gain in gains.items() if key[0] == "wdbc"]
    over = [
        less(own, "auc_roc", "joint", rival)[0]
        for own in plainly.values()
        for rival in (stopped, denoising, "mean")
    ]
    wanted = {
        "most": signed(*max(of_wdbc, key=lambda gain: abs(gain[0]))),
        "most_gain": f"{max(over):.3f}",
        "hospital": signed(*gains["support2", "as recorded", 0.0, 600], 3),
        "committed": signed(*less(few, "auc_roc", "joint", stopped), 3),
        "mnar": signed(*less(mnar, "auc_roc", "joint", denoising), 3),
        "told": signed(*less(mnar, "auc_roc", "joint", "denoising and indicators"), 3),
        "worse": signed(*less(block, "rmse", "joint", stopped)),
        "alone": error("joint, class alone"),
        "alone_mean": error("mean"),
        "look": signed(*less(hexagan, "f_score", "joint, best test epoch", "joint"), 3),
        "hex_gain": signed(*less(hexagan, "f_score", "joint", denoising), 3),
    }
    costs = benchmarks.read("joint").pivot_table("seconds", "round", "way")
    of_two = costs["joint"] / costs.drop(columns="joint").sum(axis=1)
    wanted["costs"] = f"{of_two.median():.2f}"
    wanted["costs_gan"] = f"{(costs['joint'] / costs['classifier']).median():.1f}"
    assert len(settings) == 10
    check(done.glued, "stages_", wanted, but={"toy_two", "toy_joint", "toy_hole", "live"})


@of("16_learn_as_they_come")
def test_streams(chapter):
    done = chapter("16_learn_as_they_come")
    kept, n_trials = done.kept, done.parameters.n_trials

    def areas(told, arm, day):
        own = told[(told["arm"] == arm) & (told["day"] >= day)]
        return own.groupby("trial").apply(lambda t: roc_auc_score(t["y"], t["probability"]))

    def over_trials(values, told, arm, day):
        days = told.loc[told["arm"] == arm, "day"]
        sizes = (days < days.max()).sum() / n_trials, (days >= day).sum() / n_trials
        return interval(values, *sizes)

    told = kept.told["shuffled"]
    end = told["day"].max() * 3 // 4
    wanted = {"size": 256, "alarm": f"{np.median(list(kept.first.values())):.0f}"}
    pairs = {
        "reservoir_end": ("reservoir", "refit on all", end),
        "river_end": ("river", "refit on all", end),
    }
    for key, (arm, other, day) in pairs.items():
        gap = areas(told, arm, day) - areas(told, other, day)
        wanted[key] = signed(*over_trials(gap, told, arm, day))
    told, turn = kept.told["late attributes"], kept.turns["late attributes"]
    gap = areas(told, "reservoir", turn) - areas(told, "generator", turn)
    wanted["stored"] = signed(*over_trials(gap, told, "reservoir", turn))
    found = areas(kept.toy, "reservoir", 35)
    late = kept.toy.query("day >= 35")
    wanted["toy_reservoir"] = plain(*over_trials(found, late, "reservoir", 35), digits=2)
    check(done.glued, "stream_", wanted, but=("toy_anew",))
    number = float(done.glued["stream_toy_anew"].split(" ")[0])
    assert number == round(areas(kept.late, "begun anew", 35).mean(), 2)


@of("18_explore")
def test_every_result(chapter):
    done = chapter("18_explore")
    scores = committed.committed("by_protocol").query("metric == 'accuracy'")
    keys = ["protocol", "fraction", "imputer", "classifier", "trial", "fold"]
    value = scores.set_index(keys)["value"].sort_index()
    looks = []
    for fraction in sorted(set(scores["fraction"])):
        gap = value["peek", fraction, AE, GAN] - value["paper", fraction, AE, GAN]
        assert len(gap) == 50 and not gap.isna().any()
        looks.append(interval(gap, 455.2, 113.8))
    means = scores.query("protocol == 'honest'").pivot_table("value", keys[1:3], "classifier")
    winners = [row.idxmax() for _, row in means.iterrows()]
    leader = max(set(winners), key=winners.count)
    wanted = {
        "greatest": signed(*max(looks)),
        "least_look": signed(*min(looks)),
        "sure_look": sum(low > 0 for _, low, _ in looks),
        "settings": len(winners),
        "shares": 4,
        "leader": leader.lower(),
        "leads": winners.count(leader),
        "drop": means.loc[(0.1, AE), GAN] - means.loc[(0.7, AE), GAN],
    }
    assert len(looks) == 4 and len(winners) == 8
    check(done.glued, "explorer_", wanted)


PAGES = [*CHAPTERS, *sorted((Path(__file__).parents[2] / "book").glob("*.md"))]
TEXT = re.compile(r"\{glue:text\}`(?:\.\./notebooks/(\S+)\.ipynb::)?(\w+)(?::(\S+?))?`")
TABLE = re.compile(r"\{glue:any\} (\w+)\n:doc: \.\./notebooks/(\S+)\.ipynb")


@pytest.mark.parametrize(
    "stem", [pytest.param(p.stem, marks=of(p.stem), id=p.stem) for p in CHAPTERS]
)
def test_pages_ask_for_what_a_chapter_glues(stem, chapter):
    glued = chapter(stem).glued
    asked = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for document, name, form in TEXT.findall(text):
            if (document or page.stem) == stem:
                asked[name] = format(glued[name], form or "")
        asked |= {name: glued[name] for name, document in TABLE.findall(text) if document == stem}
    assert asked
