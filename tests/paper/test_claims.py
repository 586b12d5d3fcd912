"""Each sentence of the paper is judged by its own tables and by our folds, in both directions."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ehrgan.paper import claims
from ehrgan.paper.scorecard import PAPER_CLASSIFIERS
from ehrgan.scores.metrics import score_predictions

NAMES = (*PAPER_CLASSIFIERS, "Logistic regression")


def study(skill=None, shift=None, gap=0.02):
    """A made study: each arm's skill and the shift of its scores; rmse of autoencoder less mean."""
    skill, shift = skill or {}, shift or {}
    rng, rows = np.random.default_rng(0), []
    for trial in range(2):
        for fold in range(3):
            y = np.arange(200) % 5 < 2
            noise = rng.normal(size=200)
            for imputer in ("mean", "autoencoder"):
                for name in NAMES:
                    arm = (imputer, name)
                    up = skill.get(arm, skill.get(name, 3.0))
                    own = up * (y - 0.5) + noise + 0.05 * rng.normal(size=200)
                    p = 1 / (1 + np.exp(-own - shift.get(arm, shift.get(name, 0.0))))
                    key = {"trial": trial, "fold": fold, "imputer": imputer, "classifier": name}
                    told = {"record": np.arange(200) + 200 * fold, "y": y.astype(int)}
                    rows.append(pd.DataFrame({**key, **told, "probability": p}))
    predictions = pd.concat(rows, ignore_index=True)
    errors = [
        (t, f, i, 0.15 + gap * (i == "autoencoder") + rng.normal(0, 0.001))
        for t in range(2) for f in range(3) for i in ("mean", "autoencoder")
    ]  # fmt: skip
    return SimpleNamespace(
        predictions=predictions,
        scores=score_predictions(predictions),
        imputation=pd.DataFrame(errors, columns=["trial", "fold", "imputer", "rmse"]),
    )


@pytest.fixture(scope="module")
def judged():
    return claims.judge_claims(study())


def test_every_claim_has_a_judge_a_sentence_a_test_and_a_verdict(judged):
    assert list(judged.index) == [claim.key for claim in claims.CLAIMS]
    assert set(claims.JUDGES) == set(judged.index)
    assert (judged.map(len) > 2).all(axis=None)
    assert judged["sentence"].is_unique


def test_what_the_papers_tables_contradict_is_false_whatever_we_find(judged):
    false = judged.index[judged["verdict"] == "false in its own tables"]
    assert set(false) == {"specificity", "improves", "bayes"}
    told = judged["its own tables"]
    assert told["specificity"] == "7 of 8 models; not: Decision Tree"
    assert told["improves"] == (
        "30 of 35 higher, 2 equal; lower: Decision Tree's sensitivity, AdaBoost's sensitivity, "
        "Random Forest's specificity"
    )
    assert told["bayes"] == "3 of 4 lower; higher: specificity"
    assert told["gap"] == "SVM (RBF) 0.1548, then MLP 0.0522"
    assert told["similar"] == "mean: +0.0088; autoencoder: -0.0158"


def test_the_svms_gap_is_compared_with_every_other():
    found = claims.judge_claims(study(shift={"SVM (RBF)": -2.0})).loc["gap"]
    assert found["verdict"] == "holds" and found["ours"].startswith("+0.")
    found = claims.judge_claims(study(shift={"SVM (RBF)": -2.0, "AdaBoost": -2.0})).loc["gap"]
    assert found["verdict"] == "not clearly" and found["ours"].endswith("AdaBoost")


def test_curves_that_cross_are_counted(judged):
    apart = claims.judge_claims(study(skill={"AC-GAN": 9.0})).loc["crossings"]
    assert apart["ours"] == "crosses 0 of 8; on top over 100% of the axis"
    assert apart["verdict"] == "holds"
    assert judged.loc["crossings", "verdict"] == "not so here"
    assert int(judged.loc["crossings", "ours"].split()[1]) > 0


@pytest.mark.parametrize(
    ("gap", "verdict"),
    [(-0.02, "holds"), (0.02, "the opposite holds"), (0.0, "not clearly")],
)
def test_the_error_of_filling_decides_who_fills_better(gap, verdict):
    result = study(gap=gap)
    assert claims._fills(None, result)["verdict"] == verdict
    result.imputation = result.imputation.iloc[:0]
    assert claims._fills(None, result)["verdict"] == "not tested"


def test_significance_is_asked_of_every_rival(judged):
    assert judged.loc["significant", "verdict"] == "not so here"
    ahead = claims.judge_claims(study(skill={("autoencoder", "AC-GAN"): 9.0})).loc["significant"]
    assert ahead["ours"] == "p < 0.05 over 8 of 8" and ahead["verdict"] == "holds"
    tie = {("autoencoder", name): 9.0 for name in ("AC-GAN", "MLP")}
    found = claims.judge_claims(study(skill=tie)).loc["significant"]
    assert found["ours"] == "p < 0.05 over 7 of 8; not over: MLP"


def test_bayes_and_svm_are_alike_only_within_a_point(judged):
    assert judged.loc["similar", "verdict"] == "holds"
    found = claims.judge_claims(study(skill={"Naive Bayes": 0.5})).loc["similar"]
    assert found["verdict"] == "not similar"
    one = {("mean", "Naive Bayes"): 0.5}
    assert claims.judge_claims(study(skill=one)).loc["similar", "verdict"] == "open"


def test_our_folds_count_what_rises_and_what_falls():
    better = {("autoencoder", name): 9.0 for name in NAMES}
    found = claims.judge_claims(study(skill=better))
    assert int(found.loc["improves", "ours"].split()[2]) > 20
    assert found.loc["improves", "ours"].endswith("lower 0")
    worse = {("autoencoder", "Naive Bayes"): 0.5}
    text = claims.judge_claims(study(skill=worse)).loc["bayes", "ours"]
    assert text.startswith("clearly lower: accuracy")
