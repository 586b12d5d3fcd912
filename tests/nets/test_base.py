"""What both estimators share: which models train together, in what order, and what comes back."""

from types import SimpleNamespace

import numpy as np
import pytest

from ehrgan import ACGANClassifier, StackedAutoencoderImputer
from ehrgan.nets import base


def test_canonical_order_forgets_the_order_given():
    rng = np.random.default_rng(0)
    X, c = rng.normal(size=(50, 3)), rng.integers(0, 2, 50)
    shuffle = rng.permutation(50)
    a = X[base.canonical_order(X, c)]
    b = X[shuffle][base.canonical_order(X[shuffle], c[shuffle])]
    np.testing.assert_array_equal(a, b)


def test_canonical_order_tells_mirrored_records_apart_and_classes():
    X = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0], [0.0, np.nan]])
    c = np.array([1, 0, 0, 0])
    for flip in (slice(None), slice(None, None, -1)):
        order = base.canonical_order(X[flip], c[flip])
        if flip == slice(None):
            records, codes = X[order], c[order]
        np.testing.assert_array_equal(X[flip][order], records)
        np.testing.assert_array_equal(c[flip][order], codes)
    twins = base.canonical_order(X)
    assert abs(twins.tolist().index(0) - twins.tolist().index(2)) == 1
    assert twins.tolist().index(0) < twins.tolist().index(2)


@pytest.mark.parametrize(
    ("n", "size", "most", "runs"),
    [(1000, 1_250_000, None, 10), (107, 1_250_000, None, 1), (108, 1_250_000, None, 2),
     (3, 2**31, None, 3), (10, 1, 4, 3), (10, 10**9, 5, 2), (5, 0, None, 1)],
)  # fmt: skip
def test_runs_are_as_few_as_memory_and_limit_allow(n, size, most, runs):
    found = base.chunks(n, size, most=most)
    assert len(found) == runs and np.array_equal(np.concatenate(found), np.arange(n))
    assert np.ptp([len(run) for run in found]) <= 1


class Member(base.ReplicaEstimator):
    """As much of an estimator as grouping asks about."""

    batch_size, early_stopping = 64, False

    def __init__(self, kind, size=1, n_members=1, max_replicas=None, n_jobs=None, verbose=False):
        self.kind, self.size, self.n_jobs = kind, size, n_jobs
        self.n_members, self.max_replicas, self.verbose = n_members, max_replicas, verbose

    def _objective(self):
        return self.kind


class Stranger(Member):
    """An estimator of another class."""


def groups_of(models, monkeypatch):
    runs, rows = [], range(16)
    monkeypatch.setattr(base, "_train_run", runs.append)
    tasks = [SimpleNamespace(model=m, rows=rows, bytes_per_row=m.size) for m in models]
    base.train_together(tasks)
    places = [[next(i for i, t in enumerate(tasks) if t is own) for own in run] for run in runs]
    assert sorted(sum(places, [])) == list(range(len(models)))
    return places


@pytest.mark.parametrize(
    ("models", "runs"),
    [
        ([Member("a"), Member("b"), Member("a")], [[0, 2], [1]]),
        ([Member("a"), Stranger("a"), Member("a")], [[0, 2], [1]]),
        ([Member("a"), Member("a", n_members=2), Member("a")], [[0, 2], [1]]),
        ([Member("a"), Member("a", verbose=True)], [[0], [1]]),
        ([Member("a"), Member("a", n_jobs=1), Member("a")], [[0, 2], [1]]),
        ([Member("a"), Member("a", max_replicas=9), Member("a")], [[0, 2], [1]]),
        ([Member("a", max_replicas=2) for _ in range(4)] + [Member("a")], [[0, 1], [2, 3], [4]]),
        ([Member("a", max_replicas=5, n_members=2) for _ in range(4)], [[0, 1], [2, 3]]),
        ([Member("a", max_replicas=1, n_members=3) for _ in range(2)], [[0], [1]]),
        # one table of half the budget (16 rows of 2**22 bytes) sets the pace of all
        ([Member("a", 1), Member("a", 2**22), Member("a", 1), Member("a", 1)], [[0, 1], [2, 3]]),
    ],
)
def test_models_that_may_share_a_loop_are_trained_together(models, runs, monkeypatch):
    assert groups_of(models, monkeypatch) == runs


def test_histories_are_averaged_over_the_members_that_still_train():
    history = np.full((4, 2, 3), np.nan)
    history[0], history[1], history[2, 1] = [[1, 10, 5], [3, 30, 7]], [[2, 0, 1], [4, 2, 1]], 9
    mean = base.mean_history(history, ("a", "b", "validation"))
    assert {k: v.tolist() for k, v in mean.items()} == {
        "a": [2, 3, 9], "b": [20, 1, 9], "validation": [6, 1, 9],
    }  # fmt: skip
    assert list(base.mean_history(history[..., :2], ("a", "b", "validation"))) == ["a", "b"]


def test_clones_have_parameters_of_their_own_and_odd_datasets_are_named():
    model, data = ACGANClassifier(l2=0.5), ([[0.0], [1.0]], ["well", "ill"])
    first, second = (task.model for task in model._tasks([data] * 2, [{}, {"l2": 0.1}]))
    assert first is not model and (first.l2, second.l2) == (0.5, 0.1)
    assert [task.model.l2 for task in model._tasks([data] * 3, None)] == [0.5] * 3
    assert model.l2 == 0.5 and not hasattr(model, "classes_")
    assert model._arguments((1, 2), 0) == (1, 2) and model._arguments((1, 2, 3), 0) == (1, 2, 3)
    assert StackedAutoencoderImputer()._arguments(1, 0) == (1,)
    for odd in ((1,), (1, 2, 3, 4), 5):
        with pytest.raises(
            ValueError, match=r"datasets\[3\] must be a tuple \(X, y, sample_weight\)"
        ):
            model.fit_many([data, data, data, odd])
    base.check_same("width", [4, 4])
    with pytest.raises(ValueError, match=r"datasets\[2\] has another width \(5\).*\(4\)"):
        base.check_same("width", [4, 4, 5])
