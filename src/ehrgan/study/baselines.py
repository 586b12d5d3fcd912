"""The paper's imputers and seven classifiers with its settings, and peers that it does not try."""

import warnings

import numpy as np
from scipy.special import expit
from sklearn.base import clone
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

__all__ = [
    "BASELINES", "PAPER_IMPUTERS", "PEER_IMPUTERS", "fill_in_range", "make_classifier",
    "make_imputer", "predict_score",
]  # fmt: skip

_IMPUTERS = {
    "mean": SimpleImputer(strategy="mean", keep_empty_features=True),
    "zero": SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True),
}

_PEERS = {
    "nearest neighbours": KNNImputer(n_neighbors=10, keep_empty_features=True),
    # its default, a Bayesian ridge, runs off where many attributes vanish at once
    "chained ridge": IterativeImputer(
        Ridge(alpha=0.1), min_value=0, max_value=1, keep_empty_features=True, random_state=0
    ),
}

_CLASSIFIERS = {
    "Decision Tree": DecisionTreeClassifier(),
    "Naive Bayes": GaussianNB(),
    "SVM (RBF)": SVC(kernel="rbf", C=1.0, gamma="auto"),
    "AdaBoost": AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), n_estimators=10),
    "Random Forest": RandomForestClassifier(n_estimators=10, max_features=5, bootstrap=True),
    "MLP": MLPClassifier(hidden_layer_sizes=(50,), solver="adam", max_iter=200),
    "Gradient Boosting": GradientBoostingClassifier(n_estimators=10),
    # Its penalty means little unless the attributes vary alike, which min-max scaling leaves open.
    "Logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
}

#: Names of the paper's imputations, in the order of the tables; the last is
#: `StackedAutoencoderImputer` with the paper's settings.
PAPER_IMPUTERS = (*_IMPUTERS, "autoencoder")

#: Names of imputations that the paper does not try.
PEER_IMPUTERS = tuple(_PEERS)

#: Names of the scikit-learn classifiers: the paper's seven, then one that it does not try.
BASELINES = tuple(_CLASSIFIERS)


def make_imputer(name):
    """Return an unfitted imputer of scikit-learn, to be used on data scaled to the range 0 to 1.

    Parameters
    ----------
    name : {"mean", "zero", "nearest neighbours", "chained ridge"}
        Fill each hole with the attribute's mean, or with zero; the paper scales first and fills
        afterwards, so its zero is the least value of the attribute. Or with the mean of the ten
        nearest records, or by ridge regressions on all other attributes in turn.

    Returns
    -------
    transformer
        An attribute that is missing from every training record is kept, and filled with 0.

    Raises
    ------
    ValueError
        If `name` is none of the four.

    References
    ----------
    The paper, *Missing Data Prediction*.

    Examples
    --------
    >>> make_imputer("mean").fit_transform([[0.0], [1.0], [np.nan]]).ravel()
    array([0. , 1. , 0.5])
    >>> make_imputer("zero").fit_transform([[0.5], [1.0], [np.nan]]).ravel()
    array([0.5, 1. , 0. ])
    """
    known = _IMPUTERS | _PEERS
    if name not in known:
        raise ValueError(f"name must be one of {list(known)}, got {name!r}")
    return clone(known[name])


def fill_in_range(imputer, scaler, known, parts):
    """Fill tables by an imputer of :func:`make_imputer`.

    Parameters
    ----------
    imputer : transformer
        Unfitted.
    scaler : fitted transformer
        Scales to the range 0 to 1.
    known : ndarray of shape (n, d)
        Records that teach the imputer.
    parts : sequence of ndarray of shape (., d)
        Tables to fill, NaN in their holes.

    Returns
    -------
    list of ndarray
        The tables, filled and scaled.

    Examples
    --------
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> X = np.array([[2.0], [4.0], [np.nan]])
    >>> fill_in_range(make_imputer("mean"), MinMaxScaler().fit(X), X, [X])[0].ravel()
    array([0. , 1. , 0.5])
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the chain's ten rounds
        imputer.fit(scaler.transform(known))
    return [imputer.transform(scaler.transform(X)) for X in parts]


def make_classifier(name, random_state=None):
    """Return an unfitted scikit-learn classifier with the paper's settings.

    Parameters
    ----------
    name : str
        One of `CLASSIFIERS`.
    random_state : int, RandomState instance or None, default=None
        Handed to the classifiers that draw random numbers.

    Returns
    -------
    estimator
        A scikit-learn classifier for data without holes, scaled to the range 0 to 1. Where the
        paper is silent the setting is that of scikit-learn in 2017, listed in `SILENCES`. The
        logistic regression, which the paper does not have, standardises its attributes first.

    Raises
    ------
    ValueError
        If `name` is not one of `CLASSIFIERS`.

    Notes
    -----
    On one core, 455 records of 30 attributes: the MLP takes 0.2 s, the others under 0.05 s. The
    MLP stops at its 200th epoch before it has converged, and warns so.

    References
    ----------
    The paper, *Disease Prediction* and *Implementation*.

    Examples
    --------
    >>> make_classifier("SVM (RBF)")
    SVC(gamma='auto')
    """
    if name not in _CLASSIFIERS:
        raise ValueError(f"name must be one of {list(BASELINES)}, got {name!r}")
    estimator = clone(_CLASSIFIERS[name])
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=random_state)
    return estimator


def predict_score(estimator, X):
    """Score each record for the positive class, from 0 to 1, with 0.5 where the decision turns.

    Parameters
    ----------
    estimator : fitted classifier of two classes
        With `predict_proba`, or else with `decision_function`.
    X : array-like of shape (n_records, n_attributes)
        What the estimator takes.

    Returns
    -------
    ndarray of float64, shape (n_records,)
        The probability of `classes_[1]`; or, for a classifier without probabilities such as the
        SVM, the logistic function of its signed distance from the boundary. Such a score ranks
        the records (as the ROC curve needs) and is above 0.5 exactly where the classifier decides
        for `classes_[1]`, but it is **not** a calibrated probability.

    Raises
    ------
    ValueError
        If the estimator was not fitted on exactly two classes.

    Examples
    --------
    >>> svm = make_classifier("SVM (RBF)").fit([[0.0], [0.1], [0.9], [1.0]], [0, 0, 1, 1])
    >>> predict_score(svm, [[0.0], [1.0]]) > 0.5
    array([False,  True])
    """
    classes = np.asarray(estimator.classes_)
    if len(classes) != 2:
        raise ValueError(f"estimator must have two classes, got {classes.tolist()}")
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(X), dtype=np.float64)[:, 1]
    return expit(estimator.decision_function(X))
