"""The methods that a report compares, each a pipeline for records as a file has them."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from ..nets.acgan import PAPER_ACGAN, ACGANClassifier
from ..nets.autoencoder import PAPER_AUTOENCODER, StackedAutoencoderImputer
from ..nets.joint import JointACGANClassifier
from ..study.baselines import make_imputer
from ..tables.coding import TableCoder
from .learned import AsLearned

__all__ = ["ADVERSARY", "CANDIDATES", "FromSome", "JOINT", "PAPERS", "SIMPLE"]

IMPUTATIONS = ("mean", "mean and indicators", "chained ridge", "denoising autoencoder")
GAINING = IMPUTATIONS[1:]  # those that are compared with the mean
RAW = "none, holes as they are"
#: Methods compared, an imputation and a classifier each, from simple to complex: of methods that
#: the records cannot tell apart the first is recommended.
CANDIDATES = (
    *((imputation, "logistic regression") for imputation in IMPUTATIONS),
    (RAW, "gradient boosting"),
    *((imputation, "random forest") for imputation in IMPUTATIONS),
    *((imputation, "AC-GAN") for imputation in IMPUTATIONS),
)
NETWORKS = ("denoising autoencoder", "AC-GAN", "joint AC-GAN")
#: The candidates that train no network; every report compares them.
SIMPLE = tuple(method for method in CANDIDATES if not {*NETWORKS} & {*method})
#: The paper's own pair with the paper's settings; it learns from nearly complete records alone.
PAPERS = (("the paper's autoencoder", "the paper's AC-GAN"),)
#: One network that fills and tells at once, at the price of four AC-GANs; compared if asked for.
JOINT = ((RAW, "joint AC-GAN"),)
#: Two methods whose difference is what the adversarial training is worth.
ADVERSARY = (("mean", "AC-GAN"), ("mean", "logistic regression"))

FINAL_LIMIT = 20_000  # records that a network, a chain of ridges or one tree learns from at most
STEPS = 3000  # minibatches after which the denoising autoencoder gains nothing more here


class FromSome(TransformerMixin, BaseEstimator):
    """An imputation that learns from some records where there are very many, and fills all.

    Parameters
    ----------
    imputer : transformer
        The imputation, unfitted.
    limit : int
        Records that it learns from at most, drawn at random.
    random_state : int
        Seed of the draw.

    Examples
    --------
    >>> few = FromSome(SimpleImputer(), limit=2).fit([[1.0], [1.0], [1.0]])
    >>> few.transform([[float("nan")]])
    array([[1.]])
    """

    def __init__(self, imputer, limit, random_state=0):
        self.imputer = imputer
        self.limit = limit
        self.random_state = random_state

    def fit(self, X, y=None):
        """Learn from some of the records; `y` is ignored."""
        X = np.asarray(X)
        rows = np.random.default_rng(self.random_state).permutation(len(X))[: self.limit]
        self.imputer_ = clone(self.imputer).fit(X[np.sort(rows)])
        return self

    def transform(self, X):
        """Fill the holes of all of them."""
        return self.imputer_.transform(X)


def make_method(imputation, classifier, seed=0, n_records=0, schema=None):
    """An unfitted pipeline of an imputation and a classifier, for records as a file has them."""
    steps = [
        ("types", AsLearned(schema)),
        ("coder", TableCoder()),
        ("varying", VarianceThreshold()),
    ]
    if imputation != RAW:
        steps.append(("imputer", make_imputation(imputation, seed, n_records)))
    return Pipeline([*steps, ("classifier", make_final_classifier(classifier, seed, n_records))])


def make_imputation(name, seed, n_records=0):
    """An unfitted imputation that is to learn from so many records."""
    if name == "denoising autoencoder":
        model = StackedAutoencoderImputer(random_state=seed)
        epochs = max(1, STEPS * model.batch_size // max(1, n_records))
        return model.set_params(epochs=min(model.epochs, epochs))
    if name == "the paper's autoencoder":
        return StackedAutoencoderImputer(**PAPER_AUTOENCODER, random_state=seed)
    if name == "chained ridge":  # a few rounds settle it, and the likeliest partners suffice
        ridge = make_imputer(name).set_params(max_iter=5, n_nearest_features=30)
        ridge = ridge.set_params(random_state=seed)
        if n_records > FINAL_LIMIT:
            ridge = FromSome(ridge, FINAL_LIMIT, seed)
        return make_pipeline(MinMaxScaler(), ridge)
    mean = SimpleImputer()
    # every attribute gets an indicator, so that all folds have the same columns
    indicators = MissingIndicator(features="all")
    return make_union(mean, indicators) if name == "mean and indicators" else mean


def make_final_classifier(name, seed, n_records=0):
    """An unfitted classifier that is to learn from so many records."""
    if name == "logistic regression":
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    if name == "gradient boosting":
        return HistGradientBoostingClassifier(max_iter=100, early_stopping=False, random_state=seed)
    if name == "random forest":
        forest = RandomForestClassifier(100, min_samples_leaf=2, n_jobs=-1, random_state=seed)
        # trees of more records are as good together, but take minutes and gigabytes
        return forest.set_params(max_samples=FINAL_LIMIT) if n_records > FINAL_LIMIT else forest
    if name == "the paper's AC-GAN":
        return ACGANClassifier(**PAPER_ACGAN, random_state=seed)
    if name == "joint AC-GAN":
        return JointACGANClassifier(random_state=seed)
    return ACGANClassifier(random_state=seed)


def method_in_words(imputation, classifier):
    """A method in words."""
    if imputation == RAW:
        return f"{classifier}, holes as they are"
    return f"{classifier} after imputation by {imputation}"
