"""Arms: what goes together, which draws they use, and that no number depends on processes."""

import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from spies import GRID, Gan, Spy

from ehrgan.study import judging
from ehrgan.study.judging import Arm, Fold, Table, judge


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    parts = [rng.random((n, 5)) for n in (20, 6)]
    return Table(*parts, 0.1, *(rng.random((4, *part.shape)) for part in parts))


@pytest.fixture
def folds(table):
    rng = np.random.default_rng(1)
    y = [np.arange(n) % 2 for n in (20, 6)]
    return [Fold(0, k, None, None, None, int(rng.integers(100)), *y) for k in range(4)]


@pytest.mark.parametrize(
    ("parts", "error", "words"),
    [
        ({"draws": -1}, ValueError, "draws must be at least 0"),
        ({"draws": 1.5}, TypeError, "draws must be a whole number"),
        ({"grid": GRID}, ValueError, r"grid needs an ACGANClassifier, got Spy\("),
        ({"specificity": 0.9}, ValueError, "specificity needs a grid"),
    ],
)
def test_parts_of_an_arm_that_do_not_go_together_are_refused(parts, error, words):
    with pytest.raises(error, match=words):
        Arm(Spy(), **parts)


def test_only_networks_are_adversarial_and_take_a_grid():
    assert not Arm(Spy()).adversarial and Arm(Gan()).adversarial
    assert Arm(Gan(), grid=GRID, specificity=0.9).adversarial
    with pytest.raises(ValueError, match="specificity needs a grid"):
        Arm(Gan(), specificity=0.9)


@pytest.mark.parametrize("n", [0, 1, 3, 4])
def test_an_arm_uses_its_first_draws_or_the_one_guess(table, n):
    parts = [table.train, table.test], [table.train_draws, table.test_draws]
    for own, guess, drawn in zip(table.draws(n), *parts, strict=True):
        np.testing.assert_array_equal(own, drawn[:n] if n else guess[None])
    for own, guess in zip(Table(*parts[0], 0.1).draws(n), parts[0], strict=True):
        np.testing.assert_array_equal(own, guess[None])  # an imputation that draws none


def test_no_number_depends_on_the_processes_and_a_fold_is_handed_its_seed(folds, table):
    arm = Arm(DecisionTreeClassifier(splitter="random", max_depth=2), draws=2)
    one, two = (judge(arm, folds, [table] * 4, n_jobs=n) for n in (1, 2))
    np.testing.assert_array_equal(one.probability, two.probability)
    assert one[1:] == two[1:] == ([0.5] * 4, (), ())
    alone = judge(arm, folds[2:3], [table], n_jobs=1).probability
    np.testing.assert_array_equal(alone, one.probability[2:3])
    assert len({tuple(own) for own in one.probability}) > 1  # the seeds differ
    assert arm.estimator.random_state is None and not hasattr(arm.estimator, "tree_")


def test_every_step_of_a_pipeline_is_handed_the_seed_of_the_fold(folds, table):
    folds = [fold._replace(y_train=np.arange(20) % 4 // 3) for fold in folds]
    arm = Arm(make_pipeline(RandomOverSampler(), LogisticRegression()))
    first, again = (judge(arm, folds, [table] * 4, n_jobs=1).probability for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert len({tuple(own) for own in first}) == 4  # each fold repeats records of its own


def test_a_classifier_without_chance_is_the_one_fitted_by_hand(folds, table):
    arm = Arm(LogisticRegression(), draws=3)
    found = judge(arm, folds[:1], [table], n_jobs=1).probability[0]
    train, y = table.train_draws[:3].reshape(-1, 5), np.tile(folds[0].y_train, 3)
    model = LogisticRegression().fit(train, y, sample_weight=np.full(60, 1 / 3))
    wanted = np.mean([model.predict_proba(X)[:, 1] for X in table.test_draws[:3]], axis=0)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize(("asked", "n"), [(None, 3), (2, 2), (9, 4), (-1, -1)])
def test_there_are_no_more_processes_than_folds(folds, table, monkeypatch, asked, n):
    used = []

    class Parallel:
        def __init__(self, n_jobs, **options):
            used.append(n_jobs)

        def __call__(self, tasks):
            return (work(*given, **named) for work, given, named in tasks)

    monkeypatch.setattr(judging.joblib, "Parallel", Parallel)
    monkeypatch.setattr(judging.joblib, "cpu_count", lambda: 3)
    judge(Arm(Spy()), folds, [table] * 4, n_jobs=asked)
    assert used == [n]


@pytest.mark.parametrize("watch", [False, True])
def test_networks_keep_their_curves_only_where_they_watch(folds, table, watch):
    told = judge(Arm(Gan(epochs=3), grid=GRID), folds, [table] * 4, watch=watch)
    epochs = [choice.params["epochs"] for choice in told.choices]
    assert [len(curve) for curve in told.curves] == (epochs if watch else [])
    assert len(told.choices) == 4 and told.threshold == [
        choice.threshold for choice in told.choices
    ]
    assert [p.shape for p in told.probability] == [(6,)] * 4
    plain = judge(Arm(Gan(epochs=3)), folds, [table] * 4, watch=watch)
    assert plain.choices == [] and plain.threshold == [0.5] * 4
