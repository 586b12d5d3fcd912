"""Nothing that the report learns for a test fold comes from that fold; spies and tampering."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from ehrgan.nets import acgan, autoencoder
from ehrgan.report import areas, compare, methods, report
from ehrgan.report.methods import CANDIDATES, JOINT, PAPERS
from ehrgan.report.reading import Prepared

N = 60
METHODS = CANDIDATES + JOINT + PAPERS


class Silent:
    """A progress bar that only counts."""

    n = 0

    def update(self):
        self.n += 1


def rows_of(table):
    """Numbers of records, which the first column tells."""
    return np.asarray(table)[:, 0].astype(int).tolist()


class SpyImputer:
    """Appends a mark of the rows that it learned from."""

    def __init__(self, name, seed, seen):
        self.name, self.seed, self.seen = name, seed, seen

    def fit(self, Z):
        self.learned = rows_of(Z)
        return self

    def transform(self, Z):
        self.seen.append((self.name, self.seed, tuple(self.learned), tuple(rows_of(Z))))
        return np.column_stack([Z, np.full(len(Z), mark(self.learned))])


class SpyNetwork(SpyImputer):
    """Learns from the tables of all folds at once."""

    def fit_many(self, tables):
        return [SpyNetwork(self.name, self.seed, self.seen).fit(Z) for Z in tables]


def spy_imputer(name, seed, seen):
    return (SpyNetwork if "autoencoder" in name else SpyImputer)(name, seed, seen)


class SpyClassifier:
    """Tells a record's number over 1000; demands that it never learned from what it predicts."""

    def __init__(self, name, seed, seen):
        self.name, self.seed, self.seen = name, seed, seen

    def fit(self, X, y):
        self.learned, self.y = rows_of(X), y.tolist()
        self.width, self.marks = X.shape[1], {*X[:, 2:].ravel()}
        return self

    def predict_proba(self, X):
        rows = rows_of(X)
        assert not {*rows} & {*self.learned} and X.shape[1] == self.width
        if self.width == 3:  # both tables were filled by what these training rows taught
            assert self.marks == {*X[:, 2]} == {mark(self.learned)}
        self.seen.append((self.name, self.seed, tuple(self.learned), tuple(rows), tuple(self.y)))
        told = np.array(rows) / 1000 + mark(self.learned) / 10_000_000
        return np.column_stack([1 - told, told])


class SpyAdversary(SpyClassifier):
    """Learns from the tables of all folds at once."""

    def fit_many(self, data):
        return [SpyAdversary(self.name, self.seed, self.seen).fit(X, y) for X, y in data]


def spy_classifier(name, seed, seen):
    return (SpyAdversary if "AC-GAN" in name else SpyClassifier)(name, seed, seen)


def mark(rows):
    """A number that tells sets of rows apart."""
    return float(sum(row * row for row in rows) % 9973)


@pytest.fixture(params=[None, "persons"])
def groups(request):
    return None if request.param is None else np.arange(N) % 20


@pytest.fixture
def spied(monkeypatch, groups):
    """A comparison of all methods by spies: what they saw, and the scores."""
    y = (np.arange(N) * 7 % 5 < 2).astype(np.int64)
    Z = np.column_stack([np.arange(N) + 0.0, np.where(np.arange(N) % 3 == 0, np.nan, y)])
    Z[:, 1] += np.arange(N) % 2
    filled, told, bar = [], [], Silent()
    monkeypatch.setattr(
        compare, "make_imputation", lambda name, seed, n: spy_imputer(name, seed, filled)
    )
    monkeypatch.setattr(
        compare, "make_final_classifier", lambda name, seed, n: spy_classifier(name, seed, told)
    )
    scores = compare.compare_methods(METHODS, pd.DataFrame(Z), y, groups, 2, 8, bar)
    return y, filled, told, scores, bar


def test_every_fold_learns_from_its_training_rows_and_their_classes_alone(spied, groups):
    y, filled, told, scores, bar = spied
    splits = list(compare.splits_of(y, groups, 2, 8))
    folds = [(tuple(train), tuple(test)) for _, train, test in splits]
    imputations = [name for name in dict.fromkeys(i for i, _ in METHODS) if name != methods.RAW]
    wanted = [
        (name, 8, train, rows) for name in imputations for train, test in folds
        for rows in (train, test)
    ]  # fmt: skip
    assert filled == wanted
    assert told == [
        (classifier, 8, train, test, tuple(y[list(train)]))
        for _, classifier in METHODS
        for train, test in folds
    ]
    assert bar.n == len(imputations) + 1 + len(METHODS)


def test_every_probability_stands_with_its_method_trial_and_record(spied, groups):
    y, _, _, scores, _ = spied
    assert scores.methods == METHODS and scores.probability.shape == (len(METHODS), 2, N)
    wanted = np.empty((2, N))
    areas, sizes = [], []
    for trial, train, test in compare.splits_of(y, groups, 2, 8):
        wanted[trial, test] = test / 1000 + mark(train) / 10_000_000
        pairs = [(i > j) for i in test[y[test] == 1] for j in test[y[test] == 0]]
        areas.append(np.mean(pairs))
        sizes.append((len(train), len(test)))
    np.testing.assert_allclose(
        scores.probability, np.broadcast_to(wanted, scores.probability.shape)
    )
    np.testing.assert_allclose(scores.areas, [areas] * len(METHODS))
    assert scores.sizes == pytest.approx(np.mean(sizes, axis=0)) and scores.y is y
    assert not np.array_equal(wanted[0], wanted[1])


def test_folds_of_one_class_have_no_area_but_their_records_are_predicted(monkeypatch):
    monkeypatch.setattr(
        compare, "make_imputation", lambda name, seed, n: spy_imputer(name, seed, [])
    )
    monkeypatch.setattr(
        compare, "make_final_classifier", lambda name, seed, n: spy_classifier(name, seed, [])
    )
    groups = np.arange(N) // 6
    y = (groups < 3).astype(np.int64)  # three persons of ten hold the positives, so two folds none
    Z = np.column_stack([np.arange(N) + 0.0, np.arange(N) % 2])
    scores = compare.compare_methods(METHODS[:1], pd.DataFrame(Z), y, groups, 2, 0, Silent())
    assert scores.areas.shape == (1, 6) and np.isfinite(scores.probability).all()
    assert scores.sizes == (48, 12)


def test_a_fold_is_coded_by_its_training_rows_alone():
    """What only the test rows have, a value that varies or a category, is unknown there."""
    table = pd.DataFrame(
        {
            "number": np.arange(8.0),
            "once": [1.0, *[0.0] * 7],
            "never": [np.nan] * 8,
            "site": ["lung", "skin", *["colon", "lung"] * 3],
        }
    )
    seen, told = compare._varying(table, np.arange(2, 8), np.arange(2))
    assert seen.tolist() == [[k, k % 2] for k in range(2, 8)]
    np.testing.assert_array_equal(told, [[0, 1], [1, np.nan]])
    seen, told = compare._varying(table, np.arange(7), np.arange(7, 8))
    assert seen.shape == (7, 5) and told.tolist() == [[7, 0, 0, 1, 0]]
    with pytest.raises(report.ReportError, match="no attribute has two different values"):
        compare._varying(table[["never", "once"]], np.arange(2, 8), np.arange(2))


def test_networks_learn_together_from_tables_of_one_width_and_stand_in_the_order_of_folds():
    """A fold without the rare category has fewer columns than the others, and gets zeros."""
    tables = [(np.full((4, w), float(k)), np.full((2, w), -1.0)) for k, w in enumerate((3, 2, 3))]
    even = compare._equally_wide(tables)
    assert [(Z.shape, Z_test.shape) for Z, Z_test in even] == [((4, 3), (2, 3))] * 3
    assert (even[1][0] == [1, 1, 0]).all() and (even[1][1] == [-1, -1, 0]).all()
    assert all(
        (one == two).all() for k in (0, 2) for one, two in zip(even[k], tables[k], strict=True)
    )
    together = []

    class Network:
        def fit_many(self, data):
            together.append([len(own.T) for own in data])
            return [own[0, 0] for own in data]

    assert compare._learned(Network, [Z for Z, _ in even]) == [0, 1, 2]
    assert together == [[3, 3, 3]]


class SpyRegression(ClassifierMixin, BaseEstimator):
    """In place of what learns from holes: 1 for a pattern that it learned from, else 0."""

    seen = []

    def __init__(self, max_iter=0):
        self.max_iter = max_iter

    def fit(self, holes, y):
        self.classes_, self.known = np.unique(y), {bytes(row.round(6)) for row in holes}
        return self

    def decision_function(self, holes):
        told = np.array([float(bytes(row.round(6)) in self.known) for row in holes])
        self.seen.append((len(self.known), told.sum()))
        return told


@pytest.mark.parametrize("persons", [False, True])
def test_the_holes_model_never_sees_the_records_or_persons_that_it_tells(persons, monkeypatch):
    """Every person, or record, has holes of its own: to know them is to have learned from them."""
    groups = np.arange(N) % 20 if persons else np.arange(N)
    bits = (groups[:, None] + 1 >> np.arange(7)) & 1
    X = pd.DataFrame(np.where(bits, np.nan, 1.0), columns=list("abcdefg"))
    y = (np.arange(N) % 3 == 0).astype(np.int64)
    ready = Prepared(X, y, ("0", "1"), groups if persons else None, None, [], "", N, None)
    monkeypatch.setattr(areas, "LogisticRegression", SpyRegression)
    monkeypatch.setattr(SpyRegression, "seen", [])
    assert compare.from_holes(ready, 0)[0] == 0.5
    assert len(SpyRegression.seen) > 20 and not any(told for _, told in SpyRegression.seen)
    compare.from_holes(replace(ready, groups=None), 0)
    assert persons == any(told for _, told in SpyRegression.seen)


def test_the_holes_model_learns_from_at_most_so_many_records(monkeypatch):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(200, 2))).mask(rng.uniform(size=(200, 2)) < 0.5)
    y = np.repeat([0, 1], 100)
    ready = Prepared(X, y, ("0", "1"), np.arange(200) // 2, None, [], "", 200, None)
    every = compare.from_holes(ready, 4)
    monkeypatch.setattr(compare, "FINAL_LIMIT", 80)
    rows = compare.some_rows(y, 80, 4, ready.groups)
    few = replace(
        ready, X=X.iloc[rows].reset_index(drop=True), y=y[rows], groups=ready.groups[rows]
    )
    assert compare.from_holes(ready, 4) == compare.from_holes(few, 4) != every


# ---------------------------------------------------------------- the real methods
# the networks learn through fit_many, which the spies above watch

CHEAP = (
    *((name, "logistic regression") for name in methods.IMPUTATIONS[:3]),
    (methods.RAW, "gradient boosting"),
)


@pytest.fixture(scope="module")
def tampered():
    """Probabilities before and after half of a test fold's records were replaced by nonsense."""
    rng = np.random.default_rng(1)
    y = (rng.uniform(size=N) < 0.5).astype(np.int64)
    Z = rng.normal(size=(N, 3)) + y[:, None]
    Z[rng.uniform(size=Z.shape) < 0.2] = np.nan
    test = next(compare.splits_of(y, None, 1, 0))[2]
    changed, kept = test[: len(test) // 2], test[len(test) // 2 :]
    other = Z.copy()
    other[changed] = rng.normal(1000, 300, (len(changed), 3))
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        one, two = (
            compare.compare_methods(CHEAP, pd.DataFrame(table), y, None, 1, 0, Silent())
            for table in (Z, other)
        )
    rest = np.setdiff1d(np.arange(N), test)
    return one.probability[:, 0], two.probability[:, 0], changed, kept, rest


@pytest.mark.parametrize("k", range(len(CHEAP)), ids=[" + ".join(method) for method in CHEAP])
def test_what_test_rows_hold_changes_nothing_for_the_others_of_their_fold(tampered, k):
    before, after, changed, kept, rest = tampered
    np.testing.assert_array_equal(before[k][kept], after[k][kept])
    assert not np.allclose(before[k][rest], after[k][rest])  # who learned from them notices
    assert not np.allclose(before[k][changed], after[k][changed])


# ---------------------------------------------------------------- methods by their names


def filled(name, Z, new):
    return np.asarray(methods.make_imputation(name, 3).fit(Z).transform(new))


def test_imputations_are_what_their_names_say():
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, 80)
    Z = np.column_stack([x, 1000 * x + 5])
    Z[:20, 1] = np.nan
    new = np.array([[0.25, np.nan], [np.nan, 505.0], [0.5, 5.0]])
    mean = np.nanmean(Z, axis=0)
    wanted = np.array([[0.25, mean[1]], [mean[0], 505.0], [0.5, 5.0]])
    np.testing.assert_allclose(filled("mean", Z, new), wanted)
    holes = [[0, 1], [1, 0], [0, 0]]
    np.testing.assert_allclose(filled("mean and indicators", Z, new), np.hstack([wanted, holes]))
    chained = filled("chained ridge", Z, new)  # knows the line, in units of the training's range
    low, high = np.nanmin(Z, axis=0), np.nanmax(Z, axis=0)
    scaled = (np.array([[0.25, 255.0], [0.5, 505.0]]) - low) / (high - low)
    np.testing.assert_allclose(chained[:2], scaled, atol=0.05)
    assert methods.make_imputation("chained ridge", 3)[-1].get_params()["random_state"] == 3
    for name, own in (
        ("denoising autoencoder", {}),
        ("the paper's autoencoder", autoencoder.PAPER_AUTOENCODER),
    ):
        wanted = autoencoder.StackedAutoencoderImputer(**own, random_state=3).get_params()
        assert methods.make_imputation(name, 3).get_params() == wanted


def test_classifiers_are_what_their_names_say():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2)) + 3
    y = (X @ [1, 0.5] + rng.normal(size=80) > 4.5).astype(int)
    fitted = {name: methods.make_final_classifier(name, 3) for _, name in METHODS}
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    wanted = LogisticRegression(max_iter=2000).fit(scaled, y).predict_proba(scaled)
    found = fitted["logistic regression"].fit(X * [1e4, 1e-4], y).predict_proba(X * [1e4, 1e-4])
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    boosted, forest = fitted["gradient boosting"].get_params(), fitted["random forest"].get_params()
    assert (boosted["max_iter"], boosted["early_stopping"], boosted["random_state"]) == (
        100,
        False,
        3,
    )
    assert (forest["n_estimators"], forest["min_samples_leaf"], forest["random_state"]) == (
        100,
        2,
        3,
    )
    assert fitted["AC-GAN"].get_params() == acgan.ACGANClassifier(random_state=3).get_params()
    paper = acgan.ACGANClassifier(**acgan.PAPER_ACGAN, random_state=3).get_params()
    assert fitted["the paper's AC-GAN"].get_params() == paper


def test_networks_and_trees_that_have_learned_enough_learn_no_more_from_long_tables():
    for n_records, epochs in ((0, 150), (1280, 150), (1290, 148), (2400, 80), (10**6, 1)):
        wanted = autoencoder.StackedAutoencoderImputer(epochs=epochs, random_state=3).get_params()
        found = methods.make_imputation("denoising autoencoder", 3, n_records)
        assert found.get_params() == wanted
        steps = methods.make_method("denoising autoencoder", "AC-GAN", 3, n_records)
        assert steps["imputer"].get_params() == wanted
    for n_records, most in ((0, None), (20_000, None), (20_001, 20_000)):
        forest = methods.make_final_classifier("random forest", 3, n_records)
        assert forest.get_params()["max_samples"] == most
        forest = methods.make_method("mean", "random forest", 3, n_records)["classifier"]
        assert forest.get_params()["max_samples"] == most


def test_of_very_many_records_the_ridges_learn_from_some_and_fill_all(monkeypatch):
    monkeypatch.setattr(methods, "FINAL_LIMIT", 50)
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(120, 1)) @ [[1.0, 2.0, 3.0]]
    Z += rng.normal(size=Z.shape) / 100
    holes = Z.copy()
    holes[::3, 1] = np.nan
    assert isinstance(methods.make_imputation("chained ridge", 3, 50)[-1], IterativeImputer)
    found = methods.make_imputation("chained ridge", 3, 120).fit(holes)
    filled = found.transform(holes)
    scaled = np.clip(found[0].transform(Z), 0, 1)  # they stay within what was seen
    np.testing.assert_allclose(filled, scaled, atol=0.05)
    assert found[-1].imputer_.random_state == 3
    draws = [methods.FromSome(SpyImputer("", 0, []), 50, seed) for seed in (3, 3, 4)]
    monkeypatch.setattr(methods, "clone", lambda spy: SpyImputer("", 0, []))
    numbered = np.column_stack([np.arange(120), np.zeros(120)])
    first, again, other = (draw.fit(numbered).imputer_.learned for draw in draws)
    assert len(set(first)) == 50 and first == sorted(first) == again != other
    assert min(first) < 20 and max(first) > 100


def test_methods_are_made_for_as_many_records_as_the_largest_training_fold(monkeypatch):
    told = []
    for made, spy in (("make_imputation", SpyImputer), ("make_final_classifier", SpyClassifier)):
        monkeypatch.setattr(
            compare, made, lambda name, seed, n, spy=spy: told.append(n) or spy(name, seed, [])
        )
    y = np.arange(N + 3) % 2
    Z = np.column_stack([np.arange(N + 3), y * 0.5])
    compare.compare_methods(METHODS, pd.DataFrame(Z), y, None, 1, 0, Silent())
    largest = max(len(train) for _, train, _ in compare.splits_of(y, None, 1, 0))
    assert largest > (N + 3) * 4 / 5 and set(told) == {largest}


def test_a_method_is_a_pipeline_from_the_table_as_read_to_the_classes():
    for imputation, classifier in METHODS:
        steps = methods.make_method(imputation, classifier, 5).steps
        names = ["types", "coder", "varying", "imputer", "classifier"]
        assert [name for name, _ in steps] == [
            n for n in names if n != "imputer" or imputation != methods.RAW
        ]
        parts = dict(steps)
        assert repr(parts["classifier"]) == repr(methods.make_final_classifier(classifier, 5))
        if imputation != methods.RAW:
            assert repr(parts["imputer"]) == repr(methods.make_imputation(imputation, 5))


def test_candidates_run_from_simple_to_complex_and_cover_every_pair():
    order = ["logistic regression", "gradient boosting", "random forest", "AC-GAN"]
    assert list(dict.fromkeys(classifier for _, classifier in CANDIDATES)) == order
    for classifier in (order[0], *order[2:]):
        own = [i for i, c in CANDIDATES if c == classifier]
        assert own == ["mean", "mean and indicators", "chained ridge", "denoising autoencoder"]
    assert len(CANDIDATES) == 13 and {*JOINT, *PAPERS}.isdisjoint(CANDIDATES)
