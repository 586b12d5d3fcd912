"""Of what use fake records are: how well a classifier that learned from them knows real ones."""

import warnings

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from ..report.methods import make_final_classifier, make_imputation
from ..study.baselines import predict_score
from ..tables.coding import TableCoder
from .resampling import persons_of, redrawn, refuse_shared, weighted_areas, with_interval
from .space import same_columns

__all__ = ["CLASSIFIERS", "utility"]

#: Classifiers that learn from real and fake records.
CLASSIFIERS = ("logistic regression", "gradient boosting", "random forest")
SOURCES = ("real", "fake", "both")


def utility(real, fake, test, *, outcome, person=None, classifiers=CLASSIFIERS, seed=0):
    """Train on fake records, on real ones and on both, and test on other real ones.

    Parameters
    ----------
    real : DataFrame of shape (n_real, n_columns)
        Records that the generator learned from, with their outcome; NaN where missing.
    fake : DataFrame of shape (n_fake, n_columns)
        What it made: the same columns, without that of the person.
    test : DataFrame of shape (n_test, n_columns)
        Real records of other persons, which nothing has learned from.
    outcome : label
        The column to predict, of two classes.
    person : label, optional
        Column of `real` and `test` that says whose each record is.
    classifiers : tuple of str, default=CLASSIFIERS
        Some of :data:`CLASSIFIERS`.
    seed : int, default=0
        Seeds classifiers and draws.

    Returns
    -------
    DataFrame
        classifier, metric ("AUC" or "accuracy"), trained ("real", "fake", "both", or "fake less
        real" and "both less real"), mean, low, high: with a 95 % interval by drawing the persons of
        `test` again, the same for all that is compared.

    Raises
    ------
    TypeError, ValueError
        Columns differ, `outcome` is none of them, is missing or has not the same two classes in
        `real` and `test` and no other in `fake`, a classifier is unknown, or a person stands in
        `real` and in `test`.

    References
    ----------
    Esteban, Hyland and Rätsch, *Real-valued (medical) time series generation with recurrent
    conditional GANs*, 2017: train on synthetic, test on real.

    Notes
    -----
    Holes get the means of the training records and an indicator. The interval knows the luck of the
    test records, not that of the generator: for that, make and split again.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> tables = [pd.DataFrame(rng.normal(size=(200, 2)), columns=["a", "b"]) for _ in range(3)]
    >>> real, fake, test = (table.assign(ill=table["a"] + table["b"] > 0) for table in tables)
    >>> found = utility(real, fake, test, outcome="ill", classifiers=("logistic regression",))
    >>> found.loc[found["trained"] == "fake less real", ["low", "high"]].abs().max().max() < 0.1
    np.True_
    """
    strange = [name for name in classifiers if name not in CLASSIFIERS]
    if strange or not len(classifiers):
        raise ValueError(f"classifiers must be some of {list(CLASSIFIERS)}, got {classifiers!r}")
    (real, ours), (test, theirs) = persons_of(real, person), persons_of(test, person)
    if person is not None:
        refuse_shared(real=ours, test=theirs)
    real, fake, test = same_columns(real, fake, test)
    classes = _classes(outcome, real=real, fake=fake, test=test)
    rows = {"real": real, "fake": fake, "both": pd.concat([real, fake], ignore_index=True)}
    X, y = test.drop(columns=outcome), (test[outcome] == classes[1]).to_numpy()
    weights = np.vstack([np.ones(len(y)), redrawn(theirs, np.random.default_rng(seed))])
    found = []
    for name in classifiers:
        drawn = {}
        for source, table in rows.items():
            own = (table[outcome] == classes[1]).to_numpy()
            score, called = _predicted(name, table.drop(columns=outcome), own, X, seed)
            drawn["AUC", source] = weighted_areas(score, y, weights)
            drawn["accuracy", source] = weights @ (called == y) / weights.sum(axis=1)
        for metric in ("AUC", "accuracy"):
            for source in SOURCES:
                found.append((name, metric, source, *_told(drawn[metric, source])))
            for source in ("fake", "both"):
                gap = drawn[metric, source] - drawn[metric, "real"]
                found.append((name, metric, f"{source} less real", *_told(gap)))
    names = ["classifier", "metric", "trained", "mean", "low", "high"]
    return pd.DataFrame(found, columns=names)


def _told(draws):
    """The number of the records as they are, and its interval over the draws behind it."""
    return with_interval(draws[0], draws[1:])


def _classes(outcome, **tables):
    """The two classes of an outcome, the same in every table."""
    if outcome not in tables["real"].columns:
        raise ValueError(f"outcome {outcome!r} is no column: {tables['real'].columns.tolist()}")
    classes = sorted(tables["real"][outcome].unique().tolist(), key=str)
    for name, table in tables.items():
        own = set(table[outcome].unique().tolist())
        few = len(own) < 2 and name != "fake"
        if few or len(classes) != 2 or not own <= set(classes) or table[outcome].isna().any():
            raise ValueError(
                f"outcome {outcome!r} must be of the same two classes everywhere, none missing: it "
                f"is {classes} in real and {sorted(own, key=str)} in {name}"
            )
    return classes


def _predicted(name, X, y, others, seed):
    """Scores of the positive class, and calls, of a classifier that learned from X.

    Records of one class alone teach to call everybody alike.
    """
    if y.all() or not y.any():
        return np.zeros(len(others)), np.full(len(others), y[0])
    classifier = make_final_classifier(name, seed, len(X))
    model = make_pipeline(TableCoder(), make_imputation("mean and indicators", seed), classifier)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of categories that the fake records lack, and of means
        model.fit(X, y)
        return predict_score(model, others), model.predict(others)
