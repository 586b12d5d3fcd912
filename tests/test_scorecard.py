"""The scorecard says what its numbers say."""

import numpy as np
import pandas as pd
import pytest

from ehrgan import scorecard
from ehrgan.baselines import CLASSIFIERS
from ehrgan.evaluation import METRICS, corrected_interval, paper_tables, summarise


@pytest.fixture(scope="module")
def scores():
    """Ten folds that scatter about the paper's own numbers."""
    rng = np.random.default_rng(0)
    paper = paper_tables().melt(["table", "imputer", "classifier"], var_name="metric")
    rows = []
    for row in paper.itertuples():
        noise = rng.normal(0, 0.01, 10)
        for fold, value in enumerate(row.value + noise - noise.mean()):
            rows.append((0, fold, row.imputer, row.classifier, row.metric, value))
    columns = ["trial", "fold", "imputer", "classifier", "metric", "value"]
    table = pd.DataFrame(rows, columns=columns)
    extra = table[table["classifier"] == "MLP"].assign(classifier="Logistic regression")
    return pd.concat([table, extra]).assign(n_train=400, n_test=100)


def test_a_lead_is_the_interval_of_the_differences(scores):
    first, second = ("mean", "MLP"), ("mean", "Naive Bayes")
    own = scores.query("metric == 'accuracy' and imputer == 'mean'").set_index("classifier")
    gap = own.loc["MLP", "value"].to_numpy() - own.loc["Naive Bayes", "value"].to_numpy()
    got = scorecard.lead(scores, "accuracy", first, second)
    np.testing.assert_allclose(got, corrected_interval(gap, 400, 100))
    shuffled = scores.sample(frac=1, random_state=1)
    np.testing.assert_allclose(scorecard.lead(shuffled, "accuracy", first, second), got)


def test_a_lead_needs_both_methods_on_the_same_folds(scores):
    with pytest.raises(ValueError, match="'Oracle'"):
        scorecard.lead(scores, "accuracy", ("mean", "MLP"), ("mean", "Oracle"))
    fewer = scores[(scores["classifier"] != "MLP") | (scores["fold"] > 0)]
    with pytest.raises(ValueError, match="same folds"):
        scorecard.lead(fewer, "accuracy", ("mean", "MLP"), ("mean", "Naive Bayes"))


def test_the_papers_own_numbers_lie_inside_and_a_shifted_one_does_not(scores):
    card = scorecard.numbers(summarise(scores))
    assert len(card) == 80 and (card["verdict"] == "inside").all()
    wrong = (scores["classifier"] == "MLP") & (scores["metric"] == "accuracy")
    for shift, verdict in ((0.1, "below"), (-0.1, "above")):
        moved = scores.assign(value=scores["value"] + shift * wrong)
        card = scorecard.numbers(summarise(moved))["verdict"]
        assert (card.xs(("MLP", "accuracy"), level=[1, 2]) == verdict).all()
        assert (card.drop("MLP", level=1) == "inside").all()
        text = scorecard.side_by_side(summarise(moved), "mean").loc["MLP"]
        assert text.loc["paper", "Acc."].endswith("*")
        assert not text.loc["paper", "AUC"].endswith("*")


def test_tables_have_the_papers_rows_and_metrics(scores):
    summary = summarise(scores)
    for imputer in ("mean", "autoencoder"):
        table = scorecard.side_by_side(summary, imputer)
        assert list(table.columns) == list(scorecard.SHORT.values())
        in_paper = table.xs("paper", level=1).index
        assert list(in_paper) == [n for n in paper_tables()["classifier"].unique()]
    assert len(scorecard.readme_table(summary).splitlines()) == 2 + 9
    assert set(CLASSIFIERS) < {line.split(" | ")[0][2:] for line in
                               scorecard.readme_table(summary).splitlines()}  # fmt: skip


def test_claims_name_the_papers_lead(scores):
    told = scorecard.claims(scores)
    assert told.loc["AC-GAN has the best accuracy, autoencoder-imputed", "paper"] == "+0.0164"
    assert told["finding"].str.endswith("inside our interval").all()


def test_places_count_from_the_best(scores):
    places = scorecard.places(scores, summarise(scores))
    paper = paper_tables().set_index(["imputer", "classifier"])[list(METRICS)]
    best = paper.groupby(level=0).idxmax().map(lambda key: key[1])
    for (imputer, metric), row in places.iterrows():
        assert (row["paper"] == 1) == (best.loc[imputer, metric] == "AC-GAN")
        assert row["paper"] == row["ours"]
