"""Classifiers and an imputer that learn at once, and keep all they were shown."""

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from ehrgan import ACGANClassifier, StackedAutoencoderImputer
from ehrgan.study.judging import Arm

SEEN = []
GRID = ({"l2": 0.0}, {"l2": 0.5}, {"l2": 1.0, "beta_1": 0.25})


def told(X, seed, l2=0.0):
    """What a spy says of records: it depends on every attribute, on the fold and on the l2."""
    return expit(np.asarray(X) @ [1.0, -2.0, 0.5, 0.3, 0.7] + seed % 101 / 50 - 2 * l2 - 1)


class Answers:
    """What both spies say once they are fitted."""

    def predict_proba(self, X):
        p = told(X, self.seed_, self.l2_)
        self.asked_.append(np.array(X))
        return np.column_stack([1 - p, p])


class Spy(Answers, ClassifierMixin, BaseEstimator):
    def __init__(self, name="", random_state=None):
        self.name = name
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        self.classes_, self.seed_, self.l2_, self.asked_ = (
            np.array([0, 1]),
            self.random_state,
            0,
            [],
        )
        weight = None if sample_weight is None else np.array(sample_weight)
        SEEN.append({"name": self.name, "seed": self.random_state, "X": np.array(X),
                     "y": np.array(y), "weight": weight, "asked": self.asked_})  # fmt: skip
        return self


class Unweighted(Spy):
    def fit(self, X, y):
        return super().fit(X, y)


class Gan(ACGANClassifier):
    """Keeps what it was asked to train on; its losses are noise of its seed, l2 and inner fold."""

    def fit_many(self, datasets, *, params=None, watched=None):
        models = []
        for i, (X, y) in enumerate(datasets):
            own = {**self.get_params(), **params[i]}
            model = Told(own["random_state"], own["l2"])
            rng = np.random.default_rng([model.seed_, int(100 * own["l2"]), len(X)])
            model.history_ = {"validation": rng.random(own["epochs"])}
            look = None if watched is None else watched[i]
            SEEN.append({"name": f"gan {own['noise_dim']}", "seed": own["random_state"], "y": y,
                         "X": np.array(X), "own": own, "watched": look,
                         "asked": model.asked_})  # fmt: skip
            models.append(model)
        return models


class Told(Answers):
    def __init__(self, seed, l2):
        self.seed_, self.l2_, self.asked_ = seed, l2, []
        self.classes_ = np.array([0, 1])


class Filler(StackedAutoencoderImputer):
    """A network that learns at once: the means of its table, its seed and its epochs."""

    def fit_many(self, datasets, *, params):
        models = [clone(self).set_params(**own) for own in params]
        for model, X in zip(models, datasets, strict=True):
            known = ~np.isnan(X).all(axis=0)
            model.fill_ = np.zeros(X.shape[1])
            model.fill_[known] = (
                np.nanmean(X[:, known], axis=0) + model.random_state % 101 / 100 + model.epochs
            )
        return models

    def transform(self, X):
        return np.where(np.isnan(X), self.fill_, X)

    def draw(self, X, n_imputations, *, random_state):
        noise = np.random.default_rng(random_state).random((n_imputations, *X.shape))
        return np.where(np.isnan(X), self.fill_ + noise, X)


def arms():
    return {
        "three": Arm(Spy("three"), draws=3),
        "gan": Arm(Gan(epochs=3, noise_dim=1), draws=2),
        "one": Arm(Spy("one"), draws=1),
        "guess": Arm(Spy("guess")),
        "gan chosen": Arm(Gan(epochs=4, noise_dim=2), draws=2, grid=GRID, specificity=0.7),
        "no weights": Arm(Unweighted("no weights"), draws=2),
    }
