"""The paper's sentences on rare classes are judged in both directions."""

import numpy as np
import pandas as pd
import pytest

from ehrgan.paper.rarity import judge_rarity, leads_by_setting, means_by_setting

CURES = ("none", "random oversampling", "SMOTE", "ADASYN", "AC-GAN, batch", "AC-GAN, opposite")
SETTINGS = (("wdbc", 0.37), ("wdbc", 0.02), ("hypothyroid", 0.048))


def scores(metrics, noise=0.001):
    """A made study: a metric's value by cure, or by cure and prevalence."""
    rng, rows = np.random.default_rng(0), []
    for table, prevalence in SETTINGS:
        for trial in range(3):
            for fold in range(2):
                for metric, values in metrics.items():
                    for cure in CURES:
                        value = values.get((cure, prevalence), values.get(cure, 0.9))
                        key = (table, prevalence, trial, fold, cure, metric)
                        rows.append((*key, value + noise * rng.normal()))
    columns = ["table", "prevalence", "trial", "fold", "classifier", "metric", "value"]
    return pd.DataFrame(rows, columns=columns).assign(imputer="mean", n_train=300, n_test=60)


def costs(seconds=(), growth=()):
    rows = [
        (cure, i, dict(seconds).get(cure, 1.0), dict(growth).get(cure, 10.0))
        for cure in CURES for i in range(3)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["cure", "round", "seconds", "growth"])


def judged(study=None, cost=None):
    metrics = {name: {} for name in ("matched", "auc_roc", "swing")} | (study or {})
    table = judge_rarity(scores(metrics), costs() if cost is None else cost)
    keys = ["cost", "sensitivity", "robust", "memory", "unstable"]
    return table.set_axis(keys)


def test_without_any_difference_nothing_holds():
    verdicts = judged()["verdict"]
    assert set(verdicts) == {"not so here", "not beyond doubt"}
    assert verdicts["sensitivity"] == verdicts["robust"] == "not beyond doubt"


def test_cost_is_asked_of_every_kind_of_oversampling():
    more = {name: 30.0 for name in CURES[1:4]}
    slow = {name: 2.0 for name in CURES[1:4]}
    found = judged(cost=costs(slow, more)).loc["cost"]
    assert found["verdict"] == "holds" and "SMOTE: 2.0 times as long, +20 MB" in found["ours"]
    quick = costs({**slow, "SMOTE": 0.9}, more)
    assert judged(cost=quick).loc["cost", "verdict"] == "not so here"


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.95, "holds"), (0.85, "the opposite holds"), (0.9, "not beyond doubt")]
)
def test_the_networks_sensitivity_is_compared_where_both_spare_as_many(value, verdict):
    found = judged({"matched": {"AC-GAN, batch": value}}).loc["sensitivity"]
    assert found["verdict"] == verdict and "hypothyroid, 4.8%" in found["ours"]
    one = {"matched": {("AC-GAN, batch", 0.02): 0.95}}
    assert judged(one).loc["sensitivity", "verdict"] == "not beyond doubt"


def test_robust_is_who_loses_less():
    weak = {"auc_roc": {("none", 0.02): 0.8}}
    assert judged(weak).loc["robust", "verdict"] == "holds"
    assert judged(weak).loc["robust", "ours"].startswith("+0.100")
    network = {"auc_roc": {("AC-GAN, batch", 0.02): 0.8}}
    assert judged(network).loc["robust", "verdict"] == "the opposite holds"


def test_memory_is_measured_against_what_oversampling_adds():
    more = {name: 30.0 for name in CURES[1:4]}
    assert judged(cost=costs(growth=more)).loc["memory", "verdict"] == "holds"
    much = costs(growth={**more, "AC-GAN, opposite": 50.0})
    assert judged(cost=much).loc["memory", "verdict"] == "not so here"
    assert "+40 MB" in judged(cost=much).loc["memory", "ours"]


def test_unstable_is_unrest_everywhere_or_networks_that_fail():
    assert judged().loc["unstable", "verdict"] == "not so here"
    unrest = {"swing": {"AC-GAN, opposite": 1.5}}
    assert judged(unrest).loc["unstable", "verdict"] == "holds"
    once = {"swing": {("AC-GAN, opposite", 0.02): 1.5}}
    assert judged(once).loc["unstable", "verdict"] == "not so here"
    assert "1 of 2 settings: wdbc, 2.0%" in judged(once).loc["unstable", "ours"]
    failed = {"auc_roc": {("AC-GAN, opposite", 0.02): 0.8}}
    found = judged(failed).loc["unstable"]
    assert found["verdict"] == "holds" and "failed: 50.0% beside 0.0%" in found["ours"]


def test_settings_stand_from_the_most_ill_to_the_fewest_and_other_tables_last():
    metrics = {"matched": {("SMOTE", 0.02): 0.5, "SMOTE": 0.8}}
    made = scores(metrics, noise=0.0).sample(frac=1, random_state=0)
    found = means_by_setting(made, "matched", ["SMOTE", "none"])
    assert list(found) == ["37 %", "2 %", "hypothyroid, 4.8 %"] and list(found.index)[0] == "SMOTE"
    assert [cell.value for cell in found.loc["SMOTE"]] == pytest.approx([0.8, 0.5, 0.8])
    less = leads_by_setting(made, "matched", ["none"], "SMOTE")
    assert [cell.value for cell in less.loc["none"]] == pytest.approx([0.1, 0.4, 0.1])
