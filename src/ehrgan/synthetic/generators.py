"""Generators of records with one interface: learn a table with holes, make another like it."""

import warnings
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.covariance import LedoitWolf
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..nets.acgan import ACGANClassifier
from ..tables.coding import as_frame
from .latents import Latents

__all__ = [
    "GENERATORS", "ACGANGenerator", "Bootstrap", "GaussianGenerator", "RecordGenerator",
    "SmoteGenerator", "make_generator",
]  # fmt: skip

FEWEST = 10  # records of a class that a generator may learn from
PARTNERS = 30  # other columns at most from which a hole is filled
MISSING = ("as in training", "none")


class RecordGenerator(BaseEstimator):
    """What all generators share: columns to numbers, holes filled, and a table out in its dress.

    Parameters
    ----------
    numbers : {"units", "scores"}, default="units"
        What the generator learns of a number: its value, or the normal score of its rank.
    imputer : transformer, optional
        Fills holes in standardised numbers before a generator learns from them; by default a
        chain of ridge regressions that draws from what is plausible.
    random_state : int, RandomState instance or None, default=None
        Seeds :meth:`fit`, and :meth:`sample` unless that is told another.

    Attributes
    ----------
    classes_ : ndarray
        Class labels.
    latents_ : ehrgan.synthetic.latents.Latents
        How columns become numbers.
    holes_ : ndarray of bool, shape (n_records, n_attributes)
        Where the records learned from lacked a cell; :meth:`sample` hands such patterns out.

    Notes
    -----
    A pattern of holes is that of a record of the same class, drawn at random: patterns keep their
    frequencies, and which cells are missing together. They do not depend on the values beside them.
    """

    def __init__(self, numbers="units", imputer=None, random_state=None):
        self.numbers = numbers
        self.imputer = imputer
        self.random_state = random_state

    def fit(self, X, y):
        """Learn from records.

        Parameters
        ----------
        X : DataFrame of shape (n_records, n_attributes)
            Numbers, booleans, categoricals or text; NaN, None or NA where missing.
        y : array-like of shape (n_records,)
            Class of each record, of any type, two classes or more.

        Returns
        -------
        RecordGenerator
            Itself, fitted.

        Raises
        ------
        TypeError
            A column holds dates, other objects, or values of several kinds.
        ValueError
            `y` is of another length, lacks a label or has one class; a class has fewer than 10
            records; a column holds infinity, or words of which more than half differ.
        """
        X = as_frame(X)
        y = np.asarray(y)
        self.classes_, c = _classes(y, len(X))
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        self.latents_ = Latents.learn(X, c, self.numbers)
        L = self.latents_.encode(X, rng)
        self.holes_, self.codes_ = np.isnan(L), c
        self._learn(self._without_holes(L, rng), c, rng)
        return self

    def sample(self, n, y=None, *, missing="as in training", random_state=None):
        """Make records.

        Parameters
        ----------
        n : int
            How many, at least 1.
        y : label or array-like of shape (n,), optional
            Their classes; by default as frequent as in training.
        missing : {"as in training", "none"}, default="as in training"
            Holes in the patterns of the training records of the class, or complete records.
        random_state : int, RandomState instance or None, default=None
            Seeds them.

        Returns
        -------
        X_fake : DataFrame of shape (n, n_attributes)
            Columns, dtypes and categories as in training; numbers within the ranges and with the
            decimals seen there.
        y_fake : ndarray of shape (n,)

        Raises
        ------
        ValueError
            `n` is below 1, `y` holds an unknown class or has another length, or `missing` is
            neither word.
        """
        check_is_fitted(self)
        if not isinstance(n, Integral) or n < 1:
            raise ValueError(f"n must be a whole number of records, at least 1, got {n!r}")
        if missing not in MISSING:
            raise ValueError(f"missing must be one of {list(MISSING)}, got {missing!r}")
        chosen = self.random_state if random_state is None else random_state
        rng = np.random.default_rng(check_random_state(chosen).randint(2**31))
        c = rng.choice(self.codes_, n) if y is None else self._codes(y, n)
        donors = np.empty(n, dtype=np.int64)
        for k in np.unique(c):
            donors[c == k] = rng.choice(np.flatnonzero(self.codes_ == k), (c == k).sum())
        L = self._draw(c, donors, rng)
        if missing == "as in training":
            L[self.holes_[donors]] = np.nan
        return self.latents_.decode(L), self.classes_[c]

    def _codes(self, y, n):
        y = np.full(n, y) if np.ndim(y) == 0 else np.asarray(y)
        if y.shape != (n,):
            raise ValueError(f"y must be one label or {n} labels, got shape {y.shape}")
        strange = y[~np.isin(y, self.classes_)]
        if len(strange):
            raise ValueError(f"y holds {strange[0]!r}; the classes are {self.classes_.tolist()}")
        return np.searchsorted(self.classes_, y)

    def _without_holes(self, L, rng):
        if not self.holes_.any():
            return L
        mean, sd = _mean_and_spread(L)
        imputer = IterativeImputer(
            sample_posterior=True, max_iter=5, n_nearest_features=min(PARTNERS, L.shape[1])
        )
        imputer = clone(imputer if self.imputer is None else self.imputer)
        told = imputer.get_params()
        given = {"keep_empty_features": True, "random_state": int(rng.integers(2**31))}
        imputer.set_params(**{name: value for name, value in given.items() if name in told})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            filled = imputer.fit_transform((L - mean) / sd)
        return np.where(self.holes_, filled * sd + mean, L)

    def _learn(self, L, c, rng):
        """Learn from numbers without holes, of classes 0, 1, ..."""
        raise NotImplementedError

    def _draw(self, c, donors, rng):
        """Numbers of new records of some classes; donors are training records of those classes."""
        raise NotImplementedError


class GaussianGenerator(RecordGenerator):
    """A Gaussian for each class; with ``numbers="scores"`` a Gaussian copula for each class.

    Parameters
    ----------
    numbers, imputer, random_state
        As for :class:`RecordGenerator`.

    Notes
    -----
    Covariances are shrunk towards independence by as much as Ledoit and Wolf's rule says. As a
    copula, columns keep their distributions over all records, whatever their shape.

    References
    ----------
    Ledoit and Wolf, *A well-conditioned estimator for large-dimensional covariance matrices*,
    Journal of Multivariate Analysis 88, 2004. Patki, Wedge and Veeramachaneni, *The synthetic data
    vault*, DSAA 2016, for the copula.

    Examples
    --------
    >>> from ehrgan import load_wdbc
    >>> wdbc = load_wdbc()
    >>> generator = GaussianGenerator(random_state=0).fit(wdbc.X, wdbc.y)
    >>> X_fake, y_fake = generator.sample(3, y=1)
    >>> X_fake.shape, y_fake.tolist(), bool((X_fake.dtypes == wdbc.X.dtypes).all())
    ((3, 30), [1, 1, 1], True)
    """

    def _learn(self, L, c, rng):
        self.mean_, self.scale_ = _mean_and_spread(L)
        fits = [LedoitWolf().fit(((L - self.mean_) / self.scale_)[c == k]) for k in np.unique(c)]
        self.gaussians_ = [(fit.location_, fit.covariance_) for fit in fits]

    def _draw(self, c, donors, rng):
        Z = np.empty((len(c), len(self.mean_)))
        for k, (location, covariance) in enumerate(self.gaussians_):
            n = int((c == k).sum())
            Z[c == k] = rng.multivariate_normal(location, covariance, n, method="eigh")
        return Z * self.scale_ + self.mean_


class ACGANGenerator(RecordGenerator):
    """The generator of an AC-GAN, for tables of mixed columns with holes.

    Parameters
    ----------
    acgan : ehrgan.nets.acgan.ACGANClassifier, optional
        The network, unfitted; by default with the book's own settings.
    numbers, imputer, random_state
        As for :class:`RecordGenerator`.

    Notes
    -----
    Costs what the fit of the classifier costs.

    Examples
    --------
    >>> from ehrgan import ACGANClassifier, load_wdbc
    >>> wdbc = load_wdbc()
    >>> generator = ACGANGenerator(ACGANClassifier(epochs=5), random_state=0).fit(wdbc.X, wdbc.y)
    >>> generator.sample(2, y=[0, 1])[0].shape
    (2, 30)
    """

    def __init__(self, acgan=None, numbers="units", imputer=None, random_state=None):
        super().__init__(numbers, imputer, random_state)
        self.acgan = acgan

    def _learn(self, L, c, rng):
        acgan = ACGANClassifier() if self.acgan is None else clone(self.acgan)
        self.acgan_ = acgan.set_params(random_state=int(rng.integers(2**31))).fit(L, c)

    def _draw(self, c, donors, rng):
        return self.acgan_.sample(len(c), c, random_state=int(rng.integers(2**31)))[0]


class SmoteGenerator(RecordGenerator):
    """Points on the lines between near records of one class: SMOTE, as a control.

    Parameters
    ----------
    numbers : {"units", "scores"}, default="scores"
        Scores, so that all columns count alike for nearness.
    imputer, random_state
        As for :class:`RecordGenerator`.

    References
    ----------
    Chawla, Bowyer, Hall and Kegelmeyer, *SMOTE*, Journal of Artificial Intelligence Research 16,
    2002.

    Examples
    --------
    >>> X = pd.DataFrame({"age": np.arange(40.0)})
    >>> fake = SmoteGenerator(random_state=0).fit(X, X["age"] > 20).sample(5)[0]
    >>> bool(fake["age"].between(0, 39).all())
    True
    """

    def __init__(self, numbers="scores", imputer=None, random_state=None):
        super().__init__(numbers, imputer, random_state)

    def _learn(self, L, c, rng):
        self.records_ = L

    def _draw(self, c, donors, rng):
        from imblearn.over_sampling import SMOTE

        n, wanted = len(self.records_), np.bincount(c, minlength=len(self.classes_))
        goal = dict(enumerate(np.bincount(self.codes_) + wanted))
        smote = SMOTE(sampling_strategy=goal, random_state=int(rng.integers(2**31)))
        made, own = (part[n:] for part in smote.fit_resample(self.records_, self.codes_))
        L = np.empty_like(made)
        for k in np.unique(c):
            L[c == k] = made[own == k]
        return L


class Bootstrap(RecordGenerator):
    """Records drawn from those of training, each cell as it was: a control that leaks them all.

    Parameters
    ----------
    numbers, imputer, random_state
        As for :class:`RecordGenerator`.

    Examples
    --------
    >>> X = pd.DataFrame({"age": np.arange(40.0)})
    >>> fake = Bootstrap(random_state=0).fit(X, X["age"] > 20).sample(99)[0]
    >>> bool(fake["age"].isin(X["age"]).all())
    True
    """

    def _learn(self, L, c, rng):
        self.records_ = L

    def _draw(self, c, donors, rng):
        return self.records_[donors]


#: Generators by name, each unfitted. The AC-GANs differ in the class loss on fake records alone:
#: both networks learn from it, the generator alone, the discriminator alone, or as in an ADC-GAN.
GENERATORS = {
    "class-wise Gaussians": GaussianGenerator(),
    "Gaussian copula": GaussianGenerator(numbers="scores"),
    "AC-GAN": ACGANGenerator(),
    "AC-GAN, G alone": ACGANGenerator(ACGANClassifier(class_loss="real")),
    "AC-GAN, D alone": ACGANGenerator(ACGANClassifier(class_loss="discriminator")),
    "ADC-GAN": ACGANGenerator(ACGANClassifier(class_loss="adc")),
    "SMOTE": SmoteGenerator(),
    "bootstrap": Bootstrap(),
}


def make_generator(name, seed=0):
    """Give an unfitted generator by its name.

    Parameters
    ----------
    name : str
        One of :data:`GENERATORS`.
    seed : int, default=0
        Its ``random_state``.

    Returns
    -------
    RecordGenerator

    Raises
    ------
    ValueError
        If there is no such generator.

    Examples
    --------
    >>> make_generator("Gaussian copula").numbers
    'scores'
    """
    if name not in GENERATORS:
        raise ValueError(f"generator must be one of {list(GENERATORS)}, got {name!r}")
    return clone(GENERATORS[name]).set_params(random_state=seed)


def _classes(y, n):
    """Labels of the classes, and of each record its place among them."""
    if y.shape != (n,):
        raise ValueError(f"y must have one label per record, shape ({n},), got shape {y.shape}")
    if pd.isna(y).any():
        raise ValueError(f"y lacks the label of {pd.isna(y).sum()} records: leave them out")
    classes, c = np.unique(y, return_inverse=True)
    counts = np.bincount(c)
    if len(classes) < 2 or counts.min() < FEWEST:
        told = ", ".join(f"{n} of {k!r}" for k, n in zip(classes.tolist(), counts, strict=True))
        raise ValueError(
            f"y must hold two classes or more with at least {FEWEST} records each, got {told}: a "
            "generator would repeat the few"
        )
    return classes, c


def _mean_and_spread(L):
    """Mean and standard deviation of what each column holds; 0 and 1 where that is nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns without a value
        mean, sd = np.nan_to_num(np.nanmean(L, axis=0)), np.nanstd(L, axis=0)
    return mean, np.where(sd > 0, sd, 1.0)
