"""Three classes and more: each against the others, in the order of their names everywhere."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from ehrgan.report import choice, compare, fitting, methods
from ehrgan.report.areas import (
    added_by_records,
    area_of,
    brier_of,
    spread_of,
    variance_among,
)
from ehrgan.report.errors import ReportError
from ehrgan.report.leaks import leak_of
from ehrgan.report.model import read_model
from ehrgan.report.predict import predict_file
from ehrgan.report.reading import prepare
from ehrgan.report.report import make_report
from ehrgan.report.schema import Schema

KINDS = ("setosa", "versicolor", "virginica")


def flowers(n=240, seed=0, noise=1.0):
    """Three kinds; the first is told by length, the others by width."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, n)
    table = pd.DataFrame(
        {
            "length": rng.normal(5 + 2 * (kind > 0), noise).round(2),
            "width": rng.normal(1 + (kind == 2), noise).round(2),
            "colour": rng.choice(["blue", "white"], n),
        }
    )
    table = table.mask(rng.uniform(size=table.shape) < 0.1)
    return table.assign(kind=np.array(KINDS)[kind])


class Linear(LogisticRegression):
    """In place of an AC-GAN."""

    def fit_many(self, data):
        return [clone(self).fit(X, y) for X, y in data]


class Means(SimpleImputer):
    """In place of an autoencoder."""

    def fit_many(self, tables):
        return [clone(self).fit(Z) for Z in tables]


@pytest.fixture(scope="module", autouse=True)
def no_networks():
    """Simpler methods under the networks' names."""
    patch = pytest.MonkeyPatch()
    imputer, classifier = methods.make_imputation, methods.make_final_classifier
    patch.setattr(choice, "N_BOOT", 20)
    for module in (methods, compare):
        patch.setattr(
            module, "make_imputation", lambda n, *of: Means() if "auto" in n else imputer(n, *of)
        )
        patch.setattr(
            module,
            "make_final_classifier",
            lambda n, *of: Linear(C=0.1) if "GAN" in n else classifier(n, *of),
        )
    yield
    patch.undo()


@pytest.fixture(scope="module")
def found():
    """A report on three kinds."""
    ready = prepare(flowers(), "kind", by="colour")
    return make_report(ready, n_trials=1, external={"b.csv": flowers(150, seed=1)})


def test_three_names_are_three_classes(found):
    assert found.prepared.classes == KINDS and found.prepared.positive is None
    assert any("3 classes are told apart" in note for note in found.prepared.notes)


def test_the_answer_is_the_mean_of_each_class_against_the_others(found):
    y, told = found.curve(found.method)
    assert told.shape == (240, 3) and np.allclose(told.sum(axis=1), 1)
    wanted = np.mean([roc_auc_score(y == k, told[:, k]) for k in range(3)])
    assert found.auc == pytest.approx(wanted, abs=0.03) and 0.8 < found.auc < 0.97
    assert found.interval[0] < found.auc < found.interval[1]
    assert "the mean of each class against the others" in found.words[1]
    assert found.thresholds is None and len(found.performance) == 8


def test_classes_stand_in_their_order_everywhere(found, tmp_path):
    paths = found.save(tmp_path)
    model = read_model(paths["model"]).pipeline
    assert model.classes_.tolist() == sorted(KINDS)
    new = flowers(90, seed=2)
    new.to_csv(tmp_path / "new.csv", index=False)
    predict_file(paths["model"], tmp_path / "new.csv", tmp_path / "p.csv")
    told = pd.read_csv(tmp_path / "p.csv")
    for k, kind in enumerate(sorted(KINDS)):
        assert told.columns[2 + k] == f"probability of {kind}"
        assert roc_auc_score(new["kind"] == kind, told[f"probability of {kind}"]) > 0.75
    page = paths["report"].read_text(encoding="utf-8")
    assert "calibration slope of setosa" in page and "b.csv" in page
    assert "['setosa', 'versicolor', 'virginica']" in paths["card"].read_text(encoding="utf-8")


def test_other_records_of_several_classes_are_scored(found):
    (there,) = found.outside
    assert there.told.shape == (150, 3) and "within the" in there.words[0]
    wanted = np.mean([roc_auc_score(there.y == k, there.told[:, k]) for k in range(3)])
    assert there.performance.loc[0, "value"] == pytest.approx(wanted)


def test_noise_of_three_classes_is_called_noise():
    rng = np.random.default_rng([3, 1])  # the table's own seed would deal out its own classes again
    table = flowers(150, seed=3).assign(kind=rng.choice(KINDS, 150))
    words = make_report(prepare(table, "kind"), n_trials=1).words
    assert any("better than chance" in word for word in words)


# ---------------------------------------------------------------- which outcomes have classes


@pytest.mark.parametrize(
    "names",
    [("I", "II", "III"), ("none", "mild", "severe"), ("benign", "malignant", "normal"),
     ("甲", "乙", "丙"), ("ADHD", "Autism", "Control", "Other")],
)  # fmt: skip
def test_names_of_classes_are_taken_as_they_are(names):
    table = flowers().assign(kind=np.resize(names, 240))
    ready = prepare(table, "kind")
    assert ready.classes == tuple(sorted(names))
    assert ready.y.tolist() == [sorted(names).index(name) for name in table["kind"]]


def test_the_schema_says_which_numbers_are_classes_and_their_order():
    table = flowers().assign(kind=np.resize([10, 9, 2], 240))
    with pytest.raises(ReportError, match='"categories"'):
        prepare(table, "kind")
    line = {"name": "kind", "type": "string", "role": "outcome", "categories": ["2", "9", "10"]}
    given = Schema([{"name": n} for n in ("length", "width", "colour")] + [line])
    ready = prepare(table, "kind", schema=given)
    assert ready.classes == ("2", "9", "10") and ready.y[:3].tolist() == [2, 1, 0]


def test_too_few_of_a_class_and_too_many_classes_are_refused():
    with pytest.raises(ReportError, match="2 records of its rarest class, which may be a slip"):
        prepare(flowers().assign(kind=["typo"] * 2 + list(np.resize(KINDS, 238))), "kind")
    with pytest.raises(ReportError, match="has 11 classes"):
        prepare(flowers(330).assign(kind=np.resize(list("abcdefghijk"), 330)), "kind")


# ---------------------------------------------------------------- numbers


def test_scores_of_two_classes_are_as_ever_and_of_three_the_mean_of_sides():
    rng = np.random.default_rng(0)
    y, told = rng.integers(0, 3, 90), rng.dirichlet([1, 1, 1], 90)
    assert area_of(y, told) == np.mean([roc_auc_score(y == k, told[:, k]) for k in range(3)])
    assert brier_of(y, told) == pytest.approx(np.sum((told - np.eye(3)[y]) ** 2) / 90)
    two, p = (y > 0).astype(int), told[:, 0]
    assert area_of(two, p) == roc_auc_score(two, p)
    rows = [rng.choice(np.flatnonzero(y == k), (400, (y == k).sum())) for k in range(3)]
    again = [area_of(y[own], told[own]) for own in np.hstack(rows)]
    variance = variance_among(spread_of(y, added_by_records(y, told)), y)
    assert np.sqrt(variance) == pytest.approx(np.std(again), rel=0.2)


def test_weighted_areas_of_three_classes_are_the_mean_of_sides():
    rng = np.random.default_rng(0)
    y, told = rng.integers(0, 3, 40), rng.dirichlet([1, 1, 1], (2, 1, 40)).round(1)
    scores = compare.Comparison((("a", "b"),) * 2, y, told, np.zeros((1, 40), int), None, 32, 8)
    weight = rng.integers(0, 3, (4, 40))
    wanted = [
        [np.mean([roc_auc_score(y == k, p[0, :, k], sample_weight=w) for k in range(3)])
         for p in told] for w in weight
    ]  # fmt: skip
    np.testing.assert_allclose(scores.areas_under(weight), wanted, rtol=1e-6)


def test_what_tells_one_class_of_three_is_a_leak():
    y = np.resize([0, 1, 2], 90)
    assert "alone separates" in leak_of("lab", pd.Series((y == 2) + np.arange(90) / 100.0), y)[0]
    assert leak_of("lab", pd.Series(np.random.default_rng(0).normal(size=90)), y) == ("", [])


def test_labels_of_training_are_the_tables_words():
    ready = prepare(flowers(), "kind")
    model = fitting.fit_method(ready, ("mean", "logistic regression"), 0)
    told = fitting.told_by(model, ready.X, ready.classes)
    assert (told.argmax(axis=1) == ready.y).mean() > 0.6
