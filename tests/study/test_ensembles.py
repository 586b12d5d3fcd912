"""An ensemble is the mean of what other arms of its study say, and of nothing else."""

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from ehrgan.study.judging import Arm, Mean
from ehrgan.study.protocol import Study
from ehrgan.tables.records import load_wdbc

ARMS = {"bayes": Arm(GaussianNB()), "tree": Arm(DecisionTreeClassifier(max_depth=2))}
FAST = {"n_trials": 1, "imputers": ("mean",), "n_jobs": 1}


def test_an_ensemble_averages_its_members_record_by_record():
    arms = {"both": Mean(("bayes", "tree")), **ARMS}
    result = Study(load_wdbc(), **FAST, classifiers=arms).run(progress=False)
    told = result.predictions.pivot_table("probability", ["trial", "record"], "classifier")
    np.testing.assert_allclose(told["both"], (told["bayes"] + told["tree"]) / 2, rtol=1e-12)
    alone = Study(load_wdbc(), **FAST, classifiers=ARMS).run(progress=False).predictions
    alone = alone.pivot_table("probability", ["trial", "record"], "classifier")
    assert (told[["bayes", "tree"]] == alone).all(axis=None)  # company changes no member
    assert (result.predictions["threshold"] == 0.5).all()


@pytest.mark.parametrize(
    ("arms", "told"),
    [
        ({**ARMS, "both": Mean(("bayes", "forest"))}, "both"),
        ({**ARMS, "one": Mean(("bayes", "tree")), "two": Mean(("one", "tree"))}, "two"),
        ({"both": Mean(("bayes", "tree"))}, "both"),
        ({}, "no Arm"),
    ],
)
def test_an_ensemble_of_what_is_not_there_is_refused_by_name(arms, told):
    with pytest.raises(ValueError, match=f"classifiers must map .*{told}"):
        Study(load_wdbc(), **FAST, classifiers=arms)


@pytest.mark.parametrize("members", [("bayes",), ("bayes", "bayes"), "bayes", ()])
def test_fewer_than_two_members_are_no_ensemble(members):
    with pytest.raises(ValueError, match="members must be two names or more"):
        Mean(members)
