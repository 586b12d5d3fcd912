"""The paper's tables, whole and in agreement with themselves, and ours beside them."""

import numpy as np
import pandas as pd

from ehrgan.paper.tables import beside_paper, paper_tables
from ehrgan.scores.metrics import (
    METRICS,
)


def test_paper_tables_are_whole():
    paper = paper_tables()
    assert paper.groupby(["table", "imputer"]).size().to_dict() == {
        (1, "mean"): 8,
        (2, "autoencoder"): 8,
    }
    assert ((paper[list(METRICS)] > 0.8) & (paper[list(METRICS)] < 1)).all(axis=None)
    best = paper.set_index(["imputer", "classifier"]).loc[("autoencoder", "AC-GAN"), list(METRICS)]
    assert best.tolist() == [0.9777, 0.9521, 0.9925, 0.9889, 0.9688]  # the abstract


def test_paper_tables_agree_with_themselves():
    # 212 of 569 records are malignant: accuracy and F-score follow from the two shares found
    paper, positive = paper_tables(), 212 / 569
    found, false = paper["sensitivity"] * positive, (1 - paper["specificity"]) * (1 - positive)
    right = found + (1 - positive) - false
    assert (paper["accuracy"] - right).abs().max() < 0.0005
    f_score = 2 * found / (positive + found + false)
    assert (paper["f_score"] - f_score).abs().max() < 0.006
    by_table = paper.set_index("classifier").groupby("table")["auc_roc"]
    assert by_table.idxmax().eq("AC-GAN").all() and by_table.idxmin().eq("Decision Tree").all()


def test_beside_paper_puts_each_number_in_its_cell():
    paper = paper_tables().melt(["table", "imputer", "classifier"], var_name="metric")
    ours = {"mean": paper["value"] + 0.01, "low": paper["value"] - 1, "high": paper["value"] + 2}
    summary = paper.assign(**ours).sample(frac=1, random_state=0)
    extra = summary.assign(classifier="Logistic regression")
    table = beside_paper(pd.concat([extra, summary]))
    assert table.shape == (16, 25)
    assert table.index.to_list() == list(
        paper_tables()[["imputer", "classifier"]].itertuples(index=False, name=None)
    )
    assert tuple(table.columns.get_level_values(0).unique()) == METRICS
    printed = table.xs("paper", axis=1, level=1)
    for figure, apart in {"ours": 0.01, "low": -1, "high": 2}.items():
        assert np.allclose(table.xs(figure, axis=1, level=1) - printed, apart)
    assert np.allclose(table.xs("difference", axis=1, level=1), 0.01)
    assert table.loc[("mean", "SVM (RBF)"), ("sensitivity", "paper")] == 0.8396


def test_beside_paper_takes_part_of_a_study():
    summary = pd.DataFrame(
        {"imputer": "mean", "classifier": ["MLP", "AC-GAN"], "metric": ["accuracy", "f_score"]}
        | {"mean": 0.9, "low": 0.8, "high": 1.0}
    )
    table = beside_paper(summary)
    assert table.index.to_list() == [("mean", "MLP"), ("mean", "AC-GAN")]
    assert np.isnan(table.loc[("mean", "AC-GAN"), ("accuracy", "ours")])
