"""The scorecard says what its numbers say."""

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from ehrgan.paper import scorecard
from ehrgan.paper.silences import silence_table
from ehrgan.paper.tables import paper_tables
from ehrgan.scores import inference
from ehrgan.scores.estimate import Estimate
from ehrgan.scores.inference import corrected_interval
from ehrgan.scores.metrics import METRICS, score_predictions, summarise
from ehrgan.study.baselines import BASELINES


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
    got = inference.lead(scores, "accuracy", first, second)
    np.testing.assert_allclose(got, corrected_interval(gap, 400, 100))
    shuffled = scores.sample(frac=1, random_state=1)
    np.testing.assert_allclose(inference.lead(shuffled, "accuracy", first, second), got)


def test_a_lead_needs_both_methods_on_the_same_folds(scores):
    with pytest.raises(ValueError, match="'Oracle'"):
        inference.lead(scores, "accuracy", ("mean", "MLP"), ("mean", "Oracle"))
    fewer = scores[(scores["classifier"] != "MLP") | (scores["fold"] > 0)]
    with pytest.raises(ValueError, match="same folds"):
        inference.lead(fewer, "accuracy", ("mean", "MLP"), ("mean", "Naive Bayes"))


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
        assert text["Acc."].endswith("*)") and not text["AUC"].endswith("*)")


def test_tables_have_the_papers_rows_and_metrics(scores):
    summary = summarise(scores)
    for imputer in ("mean", "autoencoder"):
        table = scorecard.side_by_side(summary, imputer)
        assert list(table.columns) == list(scorecard.SHORT.values())
        in_paper = table.index[table["Acc."].str.endswith(")")]
        assert list(in_paper) == [n for n in paper_tables()["classifier"].unique()]
    assert len(scorecard.readme_table(summary).splitlines()) == 2 + 9
    assert set(BASELINES) < {line.split(" | ")[0][2:] for line in
                               scorecard.readme_table(summary).splitlines()}  # fmt: skip


def test_claims_name_the_papers_lead(scores):
    told = scorecard.claims(scores)["the paper's lead"]
    name = "AC-GAN has the best accuracy, autoencoder-imputed"
    assert told[name] == "+0.0164 over Gradient Boosting"
    # two that the paper prints alike are rivals alike
    name = "AC-GAN has the best AUC, autoencoder-imputed"
    assert told[name] == "+0.0006 over MLP and Gradient Boosting"
    name = "AC-GAN has the best sensitivity, mean-imputed"
    assert told[name] == "+0.0158 over Decision Tree and Gradient Boosting"
    assert told["The autoencoder improves the SVM's sensitivity"] == "+0.0378 over mean-imputed"


def test_places_count_from_the_best(scores):
    places = scorecard.places(scores, summarise(scores))
    paper = paper_tables().set_index(["imputer", "classifier"])[list(METRICS)]
    best = paper.groupby(level=0).idxmax().map(lambda key: key[1])
    for (imputer, metric), row in places.iterrows():
        assert (row["paper"] == 1) == (best.loc[imputer, metric] == "AC-GAN")
        assert row["paper"] == row["ours"]


@pytest.fixture(scope="module")
def made():
    """Two trials of two folds whose scores follow no order, with folds of unlike sizes."""
    rng = np.random.default_rng(1)
    keys = itertools.product(
        range(2),
        range(2),
        ["zero", "mean", "autoencoder"],
        [*scorecard.PAPER_CLASSIFIERS, "Logistic regression"],
        [*METRICS, "brier"],
    )
    columns = ["trial", "fold", "imputer", "classifier", "metric"]
    table = pd.DataFrame(keys, columns=columns)
    table["value"] = rng.uniform(0.93, 0.99, len(table))
    return table.assign(n_test=100 + 10 * table["fold"], n_train=300 - 10 * table["fold"])


def by_hand(values, n_train=295, n_test=105):
    """The interval of four folds, from the table of Student's t with 3 degrees of freedom."""
    values = np.asarray(values)
    half = 3.182446305284263 * np.sqrt(values.var(ddof=1) * (1 / 4 + n_test / n_train))
    return values.mean(), values.mean() - half, values.mean() + half


def folds_of(scores, metric, method):
    own = scores[(scores["metric"] == metric) & (scores["imputer"] == method[0])]
    own = own[own["classifier"] == method[1]].sort_values(["trial", "fold"])
    return own["value"].to_numpy()


PAPER = paper_tables().set_index(["imputer", "classifier"])


def test_differences_go_fold_by_fold_and_tell_the_mean_sizes(made):
    first, second = ("mean", "MLP"), ("autoencoder", "AdaBoost")
    shuffled = made.sample(frac=1, random_state=2)
    values, n_train, n_test = inference.differences(shuffled, "auc_roc", first, second)
    wanted = folds_of(made, "auc_roc", first) - folds_of(made, "auc_roc", second)
    np.testing.assert_allclose(values.sort_index(), wanted)
    assert values.sort_index().index.tolist() == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert (n_train, n_test) == (295, 105)
    np.testing.assert_allclose(inference.lead(made, "auc_roc", first, second), by_hand(wanted))
    np.testing.assert_allclose(
        inference.lead(made, "auc_roc", second, first), by_hand(-wanted)
    )  # positive is in favour of the first


def test_a_second_trial_that_one_method_lacks_is_refused(made):
    lacks = (made["trial"] == 1) & (made["classifier"] == "AdaBoost")
    for pair in itertools.permutations([("mean", "MLP"), ("mean", "AdaBoost")]):
        with pytest.raises(ValueError, match="same folds"):
            inference.differences(made[~lacks], "accuracy", *pair)


def test_every_claim_is_what_the_papers_tables_say():
    names = {m: ("accuracy", "sensitivity", "specificity", "AUC", "F-score")[i]
             for i, m in enumerate(METRICS)}  # fmt: skip
    for name, claim in scorecard.LEADS.items():
        told, rivals = scorecard.told_lead(claim)
        imputer, winner = claim.winner
        for rival in rivals:
            gap = PAPER.loc[claim.winner, claim.metric] - PAPER.loc[rival, claim.metric]
            assert np.isclose(told, gap)
        assert (told < 0) == ("lowers" in name)
        assert ("mean-imputed" in name) == (imputer == "mean")
        if claim.rival is None:  # the best, and whoever comes next
            order = PAPER.loc[imputer, claim.metric].sort_values(ascending=False)
            assert order.index[0] == winner
            assert {name for _, name in rivals} == set(order.index[order == order.iloc[1]])
        else:
            assert rivals == [claim.rival]
        assert names[claim.metric] in name or name.startswith("AC-GAN beats the MLP")
        assert claim.sentence[-1] == "." and len(claim.sentence) > 40


def estimated(moved, claim, rival):
    gap = folds_of(moved, claim.metric, claim.winner) - folds_of(moved, claim.metric, rival)
    return by_hand(gap)


def test_each_claim_is_tested_on_our_folds(made):
    moved = made.copy()  # so that every finding comes up: ties, sure leads, sure losses
    moved.loc[moved["classifier"] == "AC-GAN", "value"] += 0.1
    ahead = moved["classifier"].eq("Logistic regression") & moved["imputer"].eq("mean")
    moved.loc[ahead, "value"] += 0.2
    near = moved["classifier"].eq("MLP") & moved["metric"].eq("f_score")
    moved.loc[near, "value"] += 0.095
    found = scorecard.claims(moved)
    assert list(found.index) == list(scorecard.LEADS)
    for name, claim in scorecard.LEADS.items():
        told, seconds = scorecard.told_lead(claim)
        sign = np.sign(told)
        imputer, winner = claim.winner
        others = [*scorecard.PAPER_CLASSIFIERS, "Logistic regression"]
        rivals = [(imputer, n) for n in others if n != winner]
        rivals = rivals if claim.rival is None else [claim.rival]
        ours = {rival: estimated(moved, claim, rival) for rival in rivals}
        row = found.loc[name]

        def told_of(rival, ours=ours, claim=claim):
            mean, low, high = ours[rival]
            who = rival[1] if rival[1] != claim.winner[1] else f"{rival[0]}-imputed"
            return f"{mean:+z.4f} ({low:+z.4f} to {high:+z.4f}) over {who}"

        assert row["ours over the same"] == "; ".join(map(told_of, seconds))
        signs = {r: sign * (int(low > 0) - int(high < 0)) for r, (_, low, high) in ours.items()}
        least = min(sign * mean for mean, *_ in ours.values())
        if min(signs.values()) > 0:
            finding = "holds"
        elif min(signs.values()) < 0:
            finding = "the opposite holds"
        else:
            finding = "seen, not clearly" if least > 0 else "not seen"
        assert row["finding"] == finding, name
        if claim.rival:
            assert row["over logistic regression"] == ""
        else:
            logistic = told_of((imputer, "Logistic regression")).split(" over")[0]
            assert row["over logistic regression"] == logistic
            assert "Logistic" not in row["over the closest"]
    assert set(found["finding"]) == set(scorecard.FINDINGS)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("leads", "finding", "who"),
    [
        ({"a": (0.03, 0.01, 0.05), "b": (0.02, 0.01, 0.03)}, "holds", "b"),
        ({"a": (0.03, -0.01, 0.07), "b": (0.02, 0.01, 0.03)}, "seen, not clearly", "a"),
        ({"a": (0.03, 0.0, 0.06), "b": (0.02, -0.01, 0.05)}, "seen, not clearly", "b"),
        ({"a": (-0.01, -0.02, 0.001), "b": (0.0, -0.01, 0.01)}, "not seen", "a"),
        ({"a": (-0.02, -0.05, 0.01), "b": (-0.01, -0.015, -0.005)}, "the opposite holds", "b"),
    ],
)
def test_the_worst_rival_decides(leads, finding, who, sign):
    if sign < 0:
        leads = {name: (-mean, -high, -low) for name, (mean, low, high) in leads.items()}
    leads = {name: Estimate(*own) for name, own in leads.items()}
    assert scorecard.decisive(leads, sign) == (finding, who)


def test_every_f_score_is_shown_averaged_and_pooled():
    rng = np.random.default_rng(0)
    keys = itertools.product(["mean", "autoencoder"], scorecard.PAPER_CLASSIFIERS, range(2))
    rows = []
    for imputer, name, trial in keys:
        y = np.tile([0, 0, 1], 20)
        p = np.clip(y * 0.5 + rng.uniform(0, 0.6, 60), 0, 1)
        told = {"trial": trial, "fold": np.repeat([0, 1, 2], [15, 15, 30]), "record": np.arange(60)}
        rows.append(pd.DataFrame({**told, "y": y, "imputer": imputer, "classifier": name,
                                  "probability": p}))  # fmt: skip
    predictions = pd.concat(rows)
    scores = score_predictions(predictions)
    result = SimpleNamespace(predictions=predictions, scores=scores)
    found = scorecard.f_scores(result)
    assert list(found.index) == list(PAPER.index)
    stars = found.index[found["paper"].str.endswith("*")]
    assert {name for _, name in stars} == {"MLP", "SVM (RBF)", "AC-GAN"} and len(stars) == 4
    for key, row in found.iterrows():
        own = predictions[
            (predictions["imputer"] == key[0]) & (predictions["classifier"] == key[1])
        ]
        assert row["paper"].rstrip("*") == f"{PAPER.loc[key, 'f_score']:.4f}"
        for column, unit in {
            "ours, averaged": ["trial", "fold"],
            "ours, pooled": ["trial"],
        }.items():
            values = [f1_score(g["y"], g["probability"] > 0.5) for _, g in own.groupby(unit)]
            assert row[column] == f"{np.mean(values):.4f}"
    assert (found["ours, averaged"] != found["ours, pooled"]).any()


def test_the_best_other_is_the_best_of_all_and_places_are_among_the_papers_eight(made):
    places = scorecard.places(made, summarise(made))
    assert list(places.index) == [(i, m) for i in ("mean", "autoencoder") for m in METRICS]
    lr_best = 0
    for (imputer, metric), row in places.iterrows():
        names = [*scorecard.PAPER_CLASSIFIERS, "Logistic regression"]
        folds = {name: folds_of(made, metric, (imputer, name)) for name in names}
        gan = folds.pop("AC-GAN")
        best = max(folds, key=lambda name: folds[name].mean())
        lr_best += best == "Logistic regression"
        assert row["best other"] == best
        np.testing.assert_allclose(
            row[["lead", "low", "high"]].tolist(), by_hand(gan - folds[best])
        )
        ahead = sum(
            folds[n].mean() > gan.mean() for n in scorecard.PAPER_CLASSIFIERS if n != "AC-GAN"
        )
        assert row["ours"] == 1 + ahead
        own = PAPER.loc[imputer, metric]
        assert row["paper"] == 1 + (own > own["AC-GAN"]).sum()
    assert 0 < lr_best < 10


def test_equal_numbers_share_the_better_place(made):
    tied = made.assign(value=0.95 + 0.001 * made["fold"])
    assert (scorecard.places(tied, summarise(tied))["ours"] == 1).all()


@pytest.fixture(scope="module")
def uneven(made):
    """A summary whose intervals reach further up than down, so that no end stands for another."""
    summary = summarise(made)
    ends = {"low": summary["mean"] - 0.011, "high": summary["mean"] + 0.023}
    return summary.assign(**ends, half=0.017)


@pytest.mark.parametrize("imputer", ["mean", "autoencoder"])
def test_one_line_side_by_side(uneven, imputer):
    table = scorecard.side_by_side(uneven, imputer)
    own = uneven[uneven["imputer"] == imputer].set_index(["classifier", "metric"])
    names = [*PAPER.loc[imputer].index, "Logistic regression"]
    assert list(table.index) == names
    stars = 0
    for name, metric in itertools.product(names, METRICS):
        ours = own.loc[(name, metric), "mean"]
        wanted = f"{ours:.3f} ± 0.017"
        if name in PAPER.loc[imputer].index:
            told = PAPER.loc[(imputer, name), metric]
            star = "*" * bool(told < ours - 0.011 or told > ours + 0.023)
            stars += len(star)
            wanted += f" ({told:.4f}{star})"
        assert table.loc[name, scorecard.SHORT[metric]] == wanted
    assert 0 < stars < 40


def test_a_number_at_the_end_of_an_interval_lies_inside(uneven):
    told = uneven.merge(
        paper_tables().melt(["table", "imputer", "classifier"], METRICS, "metric", "told")
    )
    for end in ("low", "high"):
        touching = told.assign(low=0.0, high=1.0).assign(**{end: told["told"]})
        assert (scorecard.numbers(touching)["verdict"] == "inside").all()
        assert "*" not in scorecard.side_by_side(touching, "mean").to_string()


def test_each_number_of_the_paper_beside_ours_with_what_is_open(uneven):
    card = scorecard.numbers(uneven)
    own = uneven.set_index(["imputer", "classifier", "metric"])
    assert list(card.index) == [
        (i, c, m)
        for i in ("mean", "autoencoder")
        for c in scorecard.PAPER_CLASSIFIERS
        for m in METRICS
    ]
    points = silence_table()
    for key, row in card.iterrows():
        told = PAPER.loc[key[:2], key[2]]
        mean, low, high = own.loc[key, ["mean", "low", "high"]]
        assert tuple(row[["paper", "ours", "low", "high"]]) == (told, mean, low, high)
        verdict = "below" if told < low else "above" if told > high else "inside"
        assert row["verdict"] == verdict
        mine = points.loc[points["stage"] == key[1], "parameter"].to_list()
        few = ", ".join(mine).lower()
        assert row["left open"] == (few if len(mine) < 5 else f"{len(mine)} settings")
    assert set(card["verdict"]) == {"below", "inside", "above"}


def test_the_readmes_cells_hold_the_papers_number_first(uneven):
    lines = [line.strip("| ").split(" | ") for line in scorecard.readme_table(uneven).splitlines()]
    asked = {1: ("mean", "accuracy"), 2: ("autoencoder", "accuracy"), 3: ("autoencoder", "auc_roc")}
    heads = ["Accuracy, mean-imputed", "Accuracy, autoencoder-imputed", "AUC, autoencoder-imputed"]
    assert lines[0] == ["Classifier", *heads] and set(lines[1]) == {"---"}
    own = uneven.set_index(["imputer", "classifier", "metric"])["mean"]
    assert [line[0] for line in lines[2:]] == [*PAPER.loc["mean"].index, "Logistic regression"]
    for name, *cells in lines[2:]:
        for (imputer, metric), cell in zip(asked.values(), cells, strict=True):
            told, ours = cell.split(" · ")
            mean = own[imputer, name, metric]
            assert ours == f"{mean:.4f} ({mean - 0.011:.4f}\N{EN DASH}{mean + 0.023:.4f})"
            in_paper = name != "Logistic regression"
            paper = f"{PAPER.loc[(imputer, name), metric]:.4f}" if in_paper else "not reported"
            assert told == paper
