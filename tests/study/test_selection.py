"""Nested selection on hand-made losses: which candidate, which epoch, and whose threshold.

The last attribute is the record's number, so rows can be traced to their record.
"""

import numpy as np
import pytest

from ehrgan import ACGANClassifier
from ehrgan.scores.metrics import threshold_at
from ehrgan.study.selection import averaged, select_many

GRID = [{"l2": 0.0}, {"l2": 0.5, "beta_1": 0.25}]


class Made:
    """A model of known losses that says of a record what it was told to."""

    def __init__(self, losses, told):
        self.history_ = {"validation": np.array(losses)}
        self.told = told

    def predict_proba(self, X):
        p = np.array([self.told(x) for x in X])
        return np.column_stack([1 - p, p])


class Spy(ACGANClassifier):
    """Keeps what it was asked to train; `make` maps l2, inner fold and seed to a model."""

    def fit_many(self, datasets, *, params=None, watched=None):
        calls.append(
            {"own": self.get_params(), "sets": datasets, "params": params, "held": watched}
        )
        return [make(p["l2"], i // len(GRID), p["random_state"]) for i, p in enumerate(params)]


calls = []
make = None


@pytest.fixture(autouse=True)
def losses(monkeypatch):
    """Losses by candidate and inner fold; what is told says which candidate, fold and draw."""
    calls.clear()
    table = {
        # the least of all is candidate 0's in fold 1, the least mean is candidate 1's in epoch 3
        0.0: [[0.9, 0.8, 0.7], [0.9, 0.1, 0.8], [0.9, 0.8, 0.7]],
        0.5: [[0.9, 0.6, 0.3], [0.9, 0.2, 0.5], [0.9, 0.7, 0.4]],
    }

    def made(l2, k, seed):
        # of record i in draw d, which its first attribute tells
        return Made(
            table[l2][k % 3], lambda x: (x[1] * 7 % 40 + 13 * (k % 3) + 5 * x[0]) / 100 + l2 / 9
        )

    monkeypatch.setitem(globals(), "make", made)
    return table


def dataset(n=24, n_draws=2, shift=0):
    """Draws of records (draw, number), with classes that follow no pattern of rows."""
    X = np.stack([np.column_stack([np.full(n, d), np.arange(n)]) for d in range(n_draws)])
    y = (np.random.default_rng(shift).permutation(n) < n // 3).astype(int)
    return X.astype(float), y


def test_the_least_mean_over_inner_folds_chooses_candidate_and_epoch():
    X, y = dataset()
    (choice,) = select_many(Spy(epochs=3), [(X, y)], GRID)
    assert choice.params == {"l2": 0.5, "beta_1": 0.25, "epochs": 3}
    assert choice.loss == pytest.approx((0.3 + 0.5 + 0.4) / 3) and choice.threshold == 0.5


def test_each_data_set_is_chosen_for_by_its_own_folds(monkeypatch, losses):
    other = {0.0: [[0.1, 0.2, 0.3]] * 3, 0.5: [[0.4, 0.5, 0.6]] * 3}

    def made(l2, k, seed):
        return Made((losses if k < 3 else other)[l2][k % 3], lambda x: 0.5)

    monkeypatch.setitem(globals(), "make", made)
    first, second = select_many(Spy(epochs=3), [dataset(), dataset(30, 1, 4)], GRID, seeds=[11, 57])
    assert (first.params["l2"], first.params["epochs"]) == (0.5, 3)
    assert second.params == {"l2": 0.0, "epochs": 1} and second.loss == pytest.approx(0.1)


@pytest.mark.parametrize("n_folds", [2, 3])
def test_every_candidate_meets_every_split_and_draws_of_a_record_stay_together(n_folds):
    data = [dataset(), dataset(30, 3, 4), (dataset(27, 1, 5)[0][0], dataset(27, 1, 5)[1])]
    spy = Spy(epochs=3, n_members=4, learning_rate=0.02)
    select_many(spy, data, GRID, n_folds=n_folds, seeds=[11, 57, 90])
    (call,) = calls
    wanted = {"early_stopping": True, "n_iter_no_change": 3, "n_members": 1}
    assert call["own"] == {**spy.get_params(), **wanted}
    parts = list(zip(call["sets"], call["held"], call["params"], strict=True))
    assert len(parts) == len(data) * n_folds * len(GRID)
    splits = set()
    for i, ((X, y), (X_held, y_held), params) in enumerate(parts):
        which, k = i // (n_folds * len(GRID)), i // len(GRID) % n_folds
        table, labels = data[which]
        n_draws, n = (1, *table.shape)[-3:-1]
        taught, held = X[:, 1].astype(int), X_held[:, 1].astype(int)
        np.testing.assert_array_equal(y, labels[taught])
        np.testing.assert_array_equal(y_held, labels[held])
        assert not set(taught) & set(held) and set(taught) | set(held) == set(range(n))
        for rows in (X, X_held):  # every draw of every record, once
            assert len({tuple(row) for row in rows}) == len(rows)
        assert len(X) == n_draws * len(set(taught)) and len(X_held) == n_draws * len(set(held))
        assert abs(len(set(held)) - n / n_folds) < 1
        assert abs(labels[np.unique(held)].sum() - labels.sum() / n_folds) < 1
        assert params == {**GRID[i % len(GRID)], "random_state": [11, 57, 90][which] + k}
        splits.add((which, tuple(sorted(set(held)))))
    assert len(splits) == len(data) * n_folds


def test_inner_splits_follow_the_seed_of_their_data_set():
    held = []
    for seeds in ([1, 2], [1, 3], None, [0, 0]):
        calls.clear()
        select_many(Spy(epochs=3), [dataset(), dataset()], GRID, seeds=seeds)
        own = [tuple(np.unique(X[:, 1])) for X, _ in calls[0]["held"][:: len(GRID)]]
        held.append((own[:3], own[3:]))
    assert held[0][0] == held[1][0] and held[0][1] != held[1][1] and held[0][0] != held[0][1]
    assert held[2] == held[3] and held[2][0] == held[2][1]


@pytest.mark.parametrize("specificity", [0.5, 0.8, 1.0])
def test_the_threshold_is_that_of_held_out_records_told_by_the_chosen_candidate(specificity):
    X, y = dataset()
    (choice,) = select_many(Spy(epochs=3), [(X, y)], GRID, specificity=specificity, seeds=[3])
    told = np.empty(len(y))
    for k, (rows, _) in enumerate(calls[0]["held"][:: len(GRID)]):
        who = np.unique(rows[:, 1]).astype(int)
        told[who] = np.mean(  # over both draws of a record
            [(who * 7 % 40 + 13 * k + 5 * d) / 100 + 0.5 / 9 for d in (0, 1)], axis=0
        )
    assert choice.threshold == pytest.approx(threshold_at(y, told, specificity=specificity))
    negative = told[y == 0]
    assert np.mean(negative <= choice.threshold) >= specificity
    below = np.sort(told)[np.sort(told) < choice.threshold].max()
    assert np.mean(negative < below) < specificity  # no lower threshold does


def test_a_probability_is_the_mean_over_draws_of_the_same_record():
    class Echo:
        def predict_proba(self, X):
            return np.column_stack([1 - X[:, 0], X[:, 0]])

    draws = np.array([[[0.1], [0.9], [0.4]], [[0.3], [0.5], [0.8]]])
    np.testing.assert_allclose(averaged(Echo(), draws), [[0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
