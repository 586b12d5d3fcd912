"""The report: an answer with its uncertainty, or a refusal in a sentence; never a traceback."""

import contextlib
import io
import re
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from ehrgan import cli
from ehrgan.report import areas, choice, compare, methods, report
from ehrgan.report.errors import ReportError
from ehrgan.report.files import read_table
from ehrgan.report.methods import CANDIDATES
from ehrgan.report.model import read_model
from ehrgan.report.reading import prepare
from ehrgan.report.report import make_report


def records(n=200, seed=0, strength=1.5):
    """A mixed table with holes whose outcome depends on age and stage."""
    rng = np.random.default_rng(seed)
    age, stage = rng.normal(60, 10, n), rng.integers(0, 3, n)
    risk = strength * ((age - 60) / 10 + stage - 1) - 1
    table = pd.DataFrame(
        {
            "age": age.round(1),
            "stage": np.array(["I", "II", "III"])[stage],
            "sex": rng.choice(["f", "m"], n),
            "größe": rng.normal(170, 8, n).round(1),
        }
    )
    table = table.mask(rng.uniform(size=table.shape) < 0.2)
    return table.assign(
        outcome=np.where(rng.uniform(size=n) < 1 / (1 + np.exp(-risk)), "yes", "no")
    )


def sooner(real, *of):
    """The same method with fewer epochs, trees or rounds."""
    model, less = real(*of), {"epochs": 10, "n_estimators": 10, "n_jobs": 1, "max_iter": 10}
    return model.set_params(**{k: v for k, v in less.items() if k in model.get_params()})


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Fewer trials, resamples, epochs and trees: the same code, sooner."""
    patch = pytest.MonkeyPatch()
    patch.setattr(report, "TRIALS", ((np.inf, 1),))
    patch.setattr(choice, "N_BOOT", 30)
    for name in ("make_final_classifier", "make_imputation"):
        faster = partial(sooner, getattr(methods, name))
        for module in (methods, compare):  # of the final model, and of the comparison
            patch.setattr(module, name, faster)
    yield
    patch.undo()


class Linear(LogisticRegression):
    """In place of an AC-GAN."""

    def fit_many(self, data):
        return [clone(self).fit(X, y) for X, y in data]


class Means(SimpleImputer):
    """In place of an autoencoder."""

    def fit_many(self, tables):
        return [clone(self).fit(Z) for Z in tables]


@pytest.fixture
def no_networks(monkeypatch):
    """For answers that do not hang on the networks: simpler methods under their names."""
    imputer, classifier = methods.make_imputation, methods.make_final_classifier
    simpler = {
        "make_imputation": lambda n, *more: Means() if "auto" in n else imputer(n, *more),
        "make_final_classifier": (
            lambda n, *more: Linear(C=0.1) if "GAN" in n else classifier(n, *more)
        ),
    }
    for module in (methods, compare):
        for name, make in simpler.items():
            monkeypatch.setattr(module, name, make)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A report through the command, and where it is."""
    folder = tmp_path_factory.mktemp("report")
    records().to_csv(folder / "my.csv", index=False)
    arguments = [
        "report",
        str(folder / "my.csv"),
        "--outcome",
        "outcome",
        "--out",
        str(folder / "r"),
    ]
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        assert cli.main(arguments) == 0
    (folder / "told.txt").write_text(told.getvalue())
    return folder


@pytest.fixture(scope="module")
def found():
    return make_report(prepare(records(), "outcome"))


def test_the_page_stands_alone_and_says_what_it_must(made):
    page = (made / "r" / "report.html").read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    for words in ("Recommended", "95 % interval", "not a medical device", "größe", "yes"):
        assert words in page, words
    assert page.count('scope="col"') > 10 and "alt=" in page


def test_the_command_says_what_it_noticed_before_what_it_found(made):
    told = (made / "told.txt").read_text()
    assert 0 <= told.index("positive class is 'yes'") < told.index("Recommended")


def test_the_saved_pipeline_predicts_new_files_in_the_tables_words(made):
    model = read_model(made / "r" / "model.skops").pipeline
    new = records(400, seed=1)
    new.drop(columns="outcome").assign(more="x").to_csv(made / "new.csv", index=False)
    table = read_table(made / "new.csv")
    assert model.classes_.tolist() == ["no", "yes"]
    told = model.predict_proba(table)[:, 1]
    assert roc_auc_score(new["outcome"] == "yes", told) > 0.7
    assert set(model.predict(table)) <= {"no", "yes"}
    card = (made / "r" / "model_card.md").read_text(encoding="utf-8")
    assert "['no', 'yes']" in card and "fingerprint" in card and "not a medical device" in card
    with pytest.raises(ValueError, match=r"lacks the columns \['age'\]"):
        model.predict(table.drop(columns="age"))


def test_every_candidate_is_compared_and_one_recommended(found):
    assert len(found.comparison) == len(CANDIDATES)
    assert found.method == CANDIDATES[found.chosen]
    c = found.comparison
    assert (c["low"] <= c["auc"]).all() and (c["auc"] <= c["high"]).all()
    low, high = found.interval
    assert found.prediction[0] < low < found.auc < high < found.prediction[1]
    assert any(found.method[1] in word for word in found.words)


def test_the_recommendation_holds_on_other_records(found):
    other = records(600, seed=5)
    told = found.fit().predict_proba(other)
    area = roc_auc_score(other["outcome"] == "yes", told[:, 1])
    assert found.prediction[0] < area < found.prediction[1]


def test_noise_is_called_noise(no_networks):
    table = records(150, seed=2, strength=0.0)
    words = make_report(prepare(table, "outcome")).words
    assert any("better than chance" in word for word in words)


def test_the_choice_prefers_the_simple_among_equals():
    errors = np.full((3, 3), 0.02)
    assert choice.choose(np.array([0.80, 0.79, 0.81]), errors) == 0
    assert choice.choose(np.array([0.70, 0.80, 0.81]), errors) == 1


def test_weighted_areas_are_scikit_learns_where_there_is_one_fold():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 40)
    told = rng.uniform(size=(2, 3, 40)).round(1)  # with ties
    one_fold = np.zeros((3, 40), int)
    scores = compare.Comparison((("a", "b"), ("c", "d")), y, told, one_fold, None, 32, 8)
    weight = np.vstack([rng.integers(0, 3, (4, 40)), y])  # the last holds one class alone
    found = scores.areas_under(weight)
    wanted = [
        [np.mean([roc_auc_score(y, p, sample_weight=w) for p in trials]) for trials in told]
        for w in weight[:4]
    ]
    np.testing.assert_allclose(found[:4], wanted, rtol=1e-6)
    assert np.isnan(found[4]).all()


def test_groups_stay_whole_in_folds():
    table = records(180).assign(patient_id=np.repeat(np.arange(60), 3))
    ready = prepare(table, "outcome", group="patient_id")
    for _, train, test in areas.splits_of(ready.y, ready.groups, 2, 0):
        assert not set(ready.groups[train]) & set(ready.groups[test])


def test_an_attribute_that_some_fold_never_sees_stops_nothing():
    table = records(150)
    table["rare"] = np.where(np.arange(150) < 6, np.arange(150.0), np.nan)
    table["rare flag"] = pd.Categorical(np.where(np.arange(150) < 6, ["x", "y"] * 75, None))
    ready = prepare(table, "outcome")
    groups = np.repeat(np.arange(25), 6)  # the six share a group, and so a test fold
    found = make_report(replace(ready, groups=groups))
    assert {"rare", "rare flag"} <= set(ready.X) and np.isfinite(found.comparison["auc"]).all()
    assert found.fit().predict(table).shape == (150,)


def test_records_of_few_persons_tell_less_than_as_many_persons(no_networks):
    one = records(60, seed=3)
    many = pd.concat([one] * 5, ignore_index=True).assign(person_id=np.tile(np.arange(60), 5))
    few, alone = (make_report(prepare(t, "outcome"), n_trials=1) for t in (many, one))
    width = {r: r.interval[1] - r.interval[0] for r in (few, alone)}
    assert width[few] > 0.6 * width[alone]  # five copies of a record are hardly more than one


def test_a_table_without_holes_says_nothing_of_holes(no_networks):
    table = records(120)[["age", "outcome"]].assign(b=np.arange(120) % 11)
    table["age"] = table["age"].fillna(60)
    words = " ".join(make_report(prepare(table, "outcome")).words)
    assert "No cell is missing" in words and "cells are missing alone" not in words


def test_the_same_seed_gives_the_same_answer_from_a_file_as_from_a_table(found, made):
    again = pd.read_csv(made / "r" / "comparison.csv")
    pd.testing.assert_frame_equal(again, found.comparison)
    told = (made / "told.txt").read_text()
    assert f"AUC {found.auc:.3f}, corrected" in told and all(w in told for w in found.words)


def test_large_tables_are_compared_on_a_sample(no_networks):
    ready = prepare(records(400), "outcome")
    small = make_report(ready, limit=150)
    assert small.settings["n_compared"] == 150
    drawn = compare.some_rows(ready.y, 150, 0)
    assert abs(ready.y[drawn].mean() - ready.y.mean()) < 0.02


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--outcome", "outcom"], "did you mean 'outcome'"),
        (["--outcome", "age"], "measurement"),
        (["--outcome", "outcome", "--positive", "maybe"], "positive 'maybe' is no value"),
        (["--outcome", "outcome", "--ordered", "stage"], "--ordered needs COLUMN="),
        (["--outcome", "outcome", "--ordered", "stage=I,II"], r"lacks the values \['III'\]"),
        (["--outcome", "outcome", "--seed", "-1"], "seed must be"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(arguments, message, tmp_path, capsys):
    records().to_csv(tmp_path / "my.csv", index=False)
    out = tmp_path / "r"
    assert cli.main(["report", str(tmp_path / "my.csv"), "--out", str(out), *arguments]) == 2
    assert re.search(message, capsys.readouterr().err)
    assert not out.exists()


@pytest.mark.parametrize("below", ["file", "file/r"])
def test_an_out_that_cannot_be_a_folder_is_refused_before_training(below, tmp_path, capsys):
    records().to_csv(tmp_path / "my.csv", index=False)
    (tmp_path / "file").touch()
    arguments = ["report", str(tmp_path / "my.csv"), "--outcome", "outcome"]
    assert cli.main([*arguments, "--out", str(tmp_path / below)]) == 2
    told = capsys.readouterr()
    assert "is a file, or would lie below one" in told.err and told.out == ""


def test_a_limit_of_no_sense_is_refused():
    with pytest.raises(ReportError, match="limit must be"):
        make_report(prepare(records(), "outcome"), limit=10)
