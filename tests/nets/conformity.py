"""Which of scikit-learn's checks a variant of the AC-GAN runs; the default one runs them all."""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

#: How a generator is asked and how classes are told touches classes and weights alone.
TOUCHED = ("class_weight", "sample_weight", "one_label", "classifiers_classes", "classifiers_train")


def class_checks(*models):
    """Pairs of an estimator and a check."""
    return [
        pytest.param(estimator, check, id=f"{estimator}-{check.func.__name__}")
        for model in models
        for estimator, check in estimator_checks_generator(model)
        if any(word in check.func.__name__ for word in TOUCHED)
    ]
