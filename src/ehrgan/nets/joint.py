"""One network that fills the holes and one that diagnoses, trained together.

Long because its docstrings are its manual; networks, losses and the training step are in modules of
their own.
"""

import warnings
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ..tables.template import Template
from .acgan import CRITERIA, ACGANClassifier, _ClassifierTask, are_whole
from .autoencoder import SCALINGS
from .base import BLOCK, ReplicaEstimator, row_digests
from .categories import check_categories, groups_among
from .labels import UNLABELLED, codes_of_classes
from .networks import Autoencoder, Discriminator
from .objectives import JointObjective
from .units import Units

N_NOISES = 8  # noise vectors over which predictions and best guesses are averaged
ROUNDS = 30  # rounds of a draw, in each of which half of the holes are drawn anew
LEARNERS = 2000  # records at most whose errors tell how far a draw strays from an estimate
POOL = 3  # records of each class that are generated for each one that is sampled, if classes share
LEAST_SHARE = 1e-3  # of a class among the records generated, where fewer are known
SAMPLED = 2**10  # records that are sampled at once


class Spread(NamedTuple):
    """How the cells of an attribute spread on the networks' scale.

    Parameters
    ----------
    mean, deviation : ndarray of shape (d,)
        Mean and standard deviation of the known cells.
    residual : ndarray of shape (d,)
        Root mean squared error of the imputer's estimates of cells that were hidden from it.
    """

    mean: np.ndarray
    deviation: np.ndarray
    residual: np.ndarray


class JointACGANClassifier(ACGANClassifier):
    """Auxiliary-classifier GAN for records with holes, whose generator is the imputer.

    The generator G fills the holes of a record from the cells that it sees, from which cells those
    are, and from noise. The discriminator D says of a filled record whether more of it was filled
    than had to be (S) and of which class it is (C). G learns to give back cells that were hidden
    from it (equation 1), to make D take its records for real (equation 4), and to fill what tells
    the class (equation 5): that gradient flows through D into G, which never sees the class itself.
    Prediction fills, then asks C.

    Parameters
    ----------
    hidden_layers : tuple of int, default=(128,)
        Units of the hidden layers (ReLU) of G, each at least 1.
    hidden_units : int, default=50
        Units of the one hidden layer (ReLU) of D, at least 1.
    noise_dim : int, default=10
        Length of the noise vector z, at least 1.
    n_passes : int, default=2
        Passes of G; each after the first sees the estimates of the last in the holes. At least 1.
    epochs : int, default=160
        Passes over the training records, at least 1.
    batch_size : int, default=64
        Records in a minibatch, at least 1; fewer records make one smaller batch.
    learning_rate : float, default=1e-3
        Step of Adam, above 0.
    beta_1 : float, default=0.5
        Decay of Adam's first moment, in [0, 1).
    decay : bool, default=True
        Let the rate fall to zero along half a cosine.
    l2 : float, default=0.01
        Weight decay of D: l2 / 2 times the squared weights is added to its loss; at least 0.
    reconstruction_weight : float, default=1.0
        Weight of L_R (equation 1) beside L_C in the loss of G, at least 0.
    adversarial_weight : float, default=0.1
        Weight of L_S beside L_C, at least 0.
    class_loss : {"both", "real"}, default="both"
        Whether L_C has the half of equation 5 on fake records, see
        :func:`ehrgan.nets.losses.joint_losses`.
    stop_gradient : bool, default=False
        Keep L_C from G: two stages in the same code. With ``adversarial_weight=0`` as well, G
        learns from equation 1 alone, and what it fills does not depend on y.
    pattern_share : float, default=0.5
        Share of the records that lose another record's holes in training; the others lose cells at
        a random rate. In [0, 1].
    categories : sequence of (tuple of int, bool), default=()
        Columns that code a category, see
        :class:`~ehrgan.nets.autoencoder.StackedAutoencoderImputer`.
    scaling : {"auto", "log", "standard", "minmax"}, default="auto"
        Scale on which both networks work, see the same; learned from each distinct record once.
    n_members : int, default=1
        Pairs of networks trained from different seeds whose probabilities are averaged, at least 1.
    early_stopping : bool, default=False
        Keep the weights of the epoch that does best on an inner validation split.
    stopping_criterion : {"loss", "error"}, default="loss"
        What "best" means there: the least class loss, or the fewest records called wrongly.
    validation_fraction : float, default=0.1
        Share of the labelled records in that split, in (0, 1).
    n_iter_no_change : int, default=20
        Epochs without a better validation loss before training stops, at least 1.
    random_state : int, RandomState instance or None, default=None
        Seeds first weights, batch order and noise.
    max_replicas : int or None, default=None
        Most pairs that ``fit_many`` trains at once; None fits them to memory.
    n_jobs : int or None, default=None
        Threads that train; None takes what joblib's context grants, see
        :func:`ehrgan.nets.engine.threads`. No number depends on it.
    verbose : bool, default=False
        Show a progress bar.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        Class labels.
    n_features_in_ : int
        Number of attributes.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where X had them.
    kept_ : int ndarray
        Attributes that some record had, which the networks know.
    units_ : Units
        Scale of those attributes.
    spread_ : Spread
        Of cells and of errors on that scale, from which draws are made.
    history_ : dict of ndarray of shape (epochs,)
        Mean over each epoch (and over members) of every loss term, as the losses are written:
        ``L_R`` (an error, lower is better), ``L_S_real``, ``L_S_fake``, ``L_C_real``, ``L_C_fake``
        (log-likelihoods), ``loss_D``, ``loss_G``, and ``validation`` with early stopping.
    loss_curve_ : ndarray of shape (epochs,)
        ``history_["loss_D"]``.
    best_epoch_ : int or None
        Epoch (from 1) whose weights were kept, the mean over members; None without early stopping.
    discriminator_, generator_ : list of ndarray
        ``[W1, b1, ...]`` with a leading axis of members; the last two of G are its linear map.

    See Also
    --------
    ehrgan.nets.acgan.ACGANClassifier : For complete records.
    ehrgan.nets.autoencoder.StackedAutoencoderImputer : The imputer of two stages, whose draws are
        proper multiple imputations.

    Notes
    -----
    What L_C teaches G may move its estimates away from the truth, where that tells the class.
    Estimates are therefore for this classifier; where they are to be read as measurements, set
    ``stop_gradient``.

    A pair of networks costs about four times as much as an
    :class:`~ehrgan.nets.acgan.ACGANClassifier`, and less than one with an imputing autoencoder
    before it. Compiling takes some seconds for each new combination of sizes in a process. A fit does not depend on the order of the records, and a
    whole-number ``sample_weight`` is the same as repeating the record. A fitted model, saved or
    not, holds no record.

    References
    ----------
    Section "Limitations and Future Work" of the paper, equations 1, 4 and 5. Hwang, Jung and Yoon,
    "HexaGAN: generative adversarial nets for real world classification", ICML 2019. Yoon, Jordon
    and van der Schaar, "GAIN: missing data imputation using generative adversarial nets", ICML
    2018. On what joint training can and cannot gain: Le Morvan, Josse, Scornet and Varoquaux,
    "What's a good imputation to predict with missing values?", NeurIPS 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from ehrgan import JointACGANClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X[::2, :15] = np.nan
    >>> model = JointACGANClassifier(epochs=20, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    >>> filled = model.impute(X)
    >>> bool(np.isnan(filled).any()), bool((filled[1::2] == X[1::2]).all())
    (False, True)
    """

    _named_tuples = {"template_": Template, "units_": Units, "spread_": Spread}
    _hyper = (
        "learning_rate", "beta_1", "decay", "l2", "reconstruction_weight", "adversarial_weight",
    )  # fmt: skip
    _alike = ReplicaEstimator._alike
    _name = "joint AC-GAN"
    _streams = False
    _parameter_constraints = {
        **ReplicaEstimator._parameter_constraints,
        "hidden_layers": ["array-like"],
        "hidden_units": [Interval(Integral, 1, None, closed="left")],
        "noise_dim": [Interval(Integral, 1, None, closed="left")],
        "n_passes": [Interval(Integral, 1, None, closed="left")],
        "decay": ["boolean"],
        "reconstruction_weight": [Interval(Real, 0, None, closed="left")],
        "adversarial_weight": [Interval(Real, 0, None, closed="left")],
        "class_loss": [StrOptions({"both", "real"})],
        "stop_gradient": ["boolean"],
        "pattern_share": [Interval(Real, 0, 1, closed="both")],
        "categories": ["array-like"],
        "scaling": [StrOptions(set(SCALINGS))],
        "stopping_criterion": [StrOptions(set(CRITERIA))],
    }

    def __init__(
        self, *, hidden_layers=(128,), hidden_units=50, noise_dim=10, n_passes=2,
        epochs=160, batch_size=64, learning_rate=1e-3, beta_1=0.5, decay=True, l2=0.01,
        reconstruction_weight=1.0, adversarial_weight=0.1, class_loss="both", stop_gradient=False,
        pattern_share=0.5, categories=(), scaling="auto", n_members=1,
        early_stopping=False, stopping_criterion="loss", validation_fraction=0.1,
        n_iter_no_change=20, random_state=None, max_replicas=None, n_jobs=None, verbose=False,
    ):  # fmt: skip
        self._keep_arguments(locals())

    def fit(self, X, y, sample_weight=None):
        """Train imputer and discriminator together.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Records in their own units, NaN where missing.
        y : array-like of shape (n,)
            Class of each record, two classes or more, of any type. A record whose class is NaN,
            None or -1 has none: it teaches to fill, and not to diagnose. Of labels -1 and one
            other, -1 is a class.
        sample_weight : array-like of shape (n,), optional
            Weights of the records, at least 0: how often each is drawn.

        Returns
        -------
        JointACGANClassifier
            Itself, fitted.

        Raises
        ------
        ValueError
            X holds inf or no value at all, y holds fewer than two classes, a parameter is out of
            its range, columns that ``categories`` names hold no codes, or training diverged.

        Warns
        -----
        UserWarning
            y holds -1 and one other label, so that -1 is taken for a class.
        """
        return self._fit(X, y, sample_weight)

    def _task(self, X, y, sample_weight=None):
        """Validate, and learn the units."""
        self._validate_params()
        sizes = tuple(self.hidden_layers)
        if not all(isinstance(units, Integral) and units >= 1 for units in sizes):
            raise ValueError(f"hidden_layers is {sizes}; it must hold whole numbers, at least 1.")
        given = X
        if y is None:
            validate_data(self, X, y)  # says that y is required
        X = self._records(X, reset=True)
        classes, c = codes_of_classes(y, X)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        share = np.bincount(c + 1, weight, len(classes) + 1)[1:]
        if not share.sum() > 0:
            raise ValueError("sample_weight is 0 for every record whose class is known.")
        digests = row_digests(X)
        order = np.lexsort((c, digests))  # of equal records alone does the order depend on y
        rows = order[weight[order] > 0]
        self.classes_, self.class_prior_ = classes, share / share.sum()
        self.template_ = Template.of(given)
        self._learn_units(X[rows[np.unique(digests[rows], return_index=True)[1]]])
        return _JointTask(self, X, rows, c.astype(np.int32), weight)

    def _records(self, X, **asked):
        X = super()._records(X, ensure_all_finite="allow-nan", **asked)
        check_categories(self.categories, X)
        return X

    def _learn_units(self, X):
        """Learn scale, range and wholeness of each attribute that some record has."""
        self.kept_ = np.flatnonzero(~np.isnan(X).all(axis=0))
        if not len(self.kept_):
            raise ValueError("X has no value in any cell of a record with weight to learn from.")
        coded = {j for columns, _ in self.categories for j in columns}
        self.units_ = Units.learn(X, self.kept_, self.scaling, coded)
        self.low_, self.high_ = np.full((2, X.shape[1]), np.nan)
        self.low_[self.kept_], self.high_[self.kept_] = self.units_.low, self.units_.high
        self.whole_ = np.array([are_whole(x[~np.isnan(x)]) for x in X.T])

    def _scaled(self, X):
        return self.units_.to_network(X[:, self.kept_])

    def _networks(self):
        d = len(self.kept_)
        groups = groups_among(self.categories, self.kept_)
        G = Autoencoder(
            d, tuple(self.hidden_layers), told=True, linear_skip=True, n_passes=self.n_passes,
            groups=groups, noise_dim=self.noise_dim,
        )  # fmt: skip
        return G, Discriminator(d, self.hidden_units, len(self.classes_))

    def _objective(self):
        losses = (self.class_loss, self.stop_gradient, self.stopping_criterion)
        return JointObjective(*self._networks(), self.pattern_share, *losses)

    def _options(self):
        return {}

    def _first_weights(self, tasks, seeds):
        G, D = self._networks()
        first, second = zip(*(seed.spawn(2) for seed in seeds), strict=True)
        return {"G": G.first_weights(first), "D": D.first_weights(second)}

    def _keep(self, weights, task):
        super()._keep(weights, task)
        rng = np.random.default_rng(task.seed.generate_state(4))
        Z = self._scaled(task.X[task.parts[0][:LEARNERS]]).astype(np.float64)
        hidden = ~np.isnan(Z) & (rng.random(Z.shape) < 0.5)
        shown = np.where(hidden, np.nan, Z)
        errors = np.where(hidden, self._best_guess(shown) - Z, np.nan)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # an attribute that few records have
            known = np.nanmean(Z, axis=0), np.nanstd(Z, axis=0)
            residual = np.sqrt(np.nanmean(errors**2, axis=0))
        self.spread_ = Spread(*(np.nan_to_num(one) for one in (*known, residual)))

    def _told(self, Z):
        """P(C = c | X) of scaled records (n, d), averaged over members and noise."""
        told = super()._told
        return np.mean([told(self._filled(Z, z)) for z in self._noises()], axis=0)

    def _noises(self):
        """The same few noise vectors for every record."""
        return np.random.default_rng(0).standard_normal((N_NOISES, 1, self.noise_dim))

    def _filled(self, Z, z):
        """Scaled records (n, d) as each member fills them from noise (n or 1, noise_dim)."""
        weights = [p.astype(np.float64) for p in self.generator_]
        shape = (len(weights[0]), *Z.shape)
        seen = np.broadcast_to((~np.isnan(Z)).astype(np.float64), shape)
        x = np.broadcast_to(np.nan_to_num(Z).astype(np.float64), shape)
        z = np.broadcast_to(z, (*shape[:2], self.noise_dim))
        return self._objective().filled(weights, x, seen, z, xp=np)[0]

    def impute(self, X, n_draws=None, *, random_state=None):
        """Fill the holes of a table, once with a best guess or several times from noise.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Records in their own units, NaN where missing.
        n_draws : int or None, default=None
            Tables to draw, at least 1; None gives the mean over noise and members.
        random_state : int, RandomState instance or None, default=None
            Seeds the noise of the draws.

        Returns
        -------
        ndarray of shape (n, d), or (n_draws, n, d) with ``n_draws``
            Observed cells are as they were; filled ones lie within the range that :meth:`fit` saw,
            those of a category are probabilities, and codes in draws. An attribute that no record
            had in :meth:`fit` stays empty.

        Raises
        ------
        ValueError
            ``n_draws`` is below 1, X holds inf, or another number of attributes than in
            :meth:`fit`.

        Notes
        -----
        A draw begins with estimates and errors of the usual size, then hides half of the holes anew
        and draws them from all the rest, thirty times over: a chain whose values go together as
        those of records do. Its errors are those of training records, and every table comes from
        the same networks, so draws spread somewhat less than the truth. For intervals that hold use
        :meth:`ehrgan.nets.autoencoder.StackedAutoencoderImputer.draw`.

        References
        ----------
        Bengio, Yao, Alain and Vincent, "Generalized denoising auto-encoders as generative models",
        NIPS 2013.

        Examples
        --------
        >>> X, y = [[0.0, 1.0], [0.2, np.nan], [0.9, 5.0], [1.0, 4.0]], [0, 0, 1, 1]
        >>> model = JointACGANClassifier(epochs=1, random_state=0).fit(X, y)
        >>> model.impute(X).shape, model.impute(X, 3, random_state=0).shape
        ((4, 2), (3, 4, 2))
        """
        check_is_fitted(self)
        X = self._records(X, reset=False)
        if n_draws is None:
            return self._in_holes(X, self._best_guess)
        if not isinstance(n_draws, Integral) or n_draws < 1:
            raise ValueError(f"n_draws is {n_draws!r}; it must be a whole number, at least 1.")
        rng = np.random.default_rng(check_random_state(random_state).randint(2**31))
        return np.stack([self._in_holes(X, lambda Z: self._drawn(Z, rng)) for _ in range(n_draws)])

    def _in_holes(self, X, fill):
        """Records with what ``fill`` says of their scaled selves in the holes, block by block."""
        table = X.copy()
        for start in range(0, len(X), BLOCK):
            own = np.ix_(range(start, min(start + BLOCK, len(X))), self.kept_)
            values = self.units_.from_network(fill(self.units_.to_network(X[own])))
            table[own] = np.where(np.isnan(X[own]), values, X[own])
        return table

    def _best_guess(self, Z):
        return np.mean([self._filled(Z, z) for z in self._noises()], axis=(0, 1))

    def _drawn(self, Z, rng):
        """Draw the holes of scaled records (n, d) by a chain, each record by one member."""
        categories, (mean, deviation, _) = self._networks()[0].categories, self.spread_
        member, holes = rng.integers(len(self.generator_[0]), size=len(Z)), np.isnan(Z)
        start = Z.copy()
        rows, first = np.arange(len(Z)), rng.integers(Z.shape[1], size=len(Z))
        blank = holes.all(axis=1) & (categories.coded[first] == 0)  # one number to begin with
        marginal = mean[first] + deviation[first] * rng.standard_normal(len(Z))
        start[rows[blank], first[blank]] = marginal[blank]
        x = self._with_errors(start, member, rng)
        for _ in range(ROUNDS):
            anew = holes & (rng.random(Z.shape) < 0.5)[:, categories.leading]
            x = self._with_errors(np.where(anew, np.nan, x), member, rng)
        return x

    def _with_errors(self, Z, member, rng):
        """Estimates in the holes, each with an error; categories drawn by their probabilities."""
        categories = self._networks()[0].categories
        filled = self._filled(Z, rng.standard_normal((len(Z), self.noise_dim)))
        filled = filled[member, np.arange(len(Z))]
        errors = self.spread_.residual * rng.standard_normal(Z.shape) * (1 - categories.coded)
        return categories.draw(np.where(np.isnan(Z), filled + errors, Z), rng)

    def sample(self, n, y=None, *, random_state=None):
        """Generate records of given classes: G draws records that are all holes.

        They are drawn as :meth:`impute` draws holes. G does not know the class: of many records
        made, those are returned that D takes for the class, with a chance in proportion to
        P(C = y | X).

        Parameters
        ----------
        n : int
            Number of records, at least 1.
        y : label or array-like of shape (n,), optional
            Class of the records; drawn with the training frequencies by default.
        random_state : int, RandomState instance or None, default=None
            Seeds the noise.

        Returns
        -------
        X_fake : ndarray or DataFrame of shape (n, d)
            Records without holes, in the units and types of the training records and within their
            range; whole-numbered attributes are rounded, categories drawn. An attribute that no
            training record had is NaN.
        y_fake : ndarray of shape (n,)
            Their classes.

        Raises
        ------
        ValueError
            ``n`` is below 1, or ``y`` holds a class that was not trained on.
        """
        c, rng = self._asked(n, y, random_state)
        X = np.full((n, self.n_features_in_), np.nan)
        for k in np.unique(c):
            rows = np.flatnonzero(c == k)
            for start in range(0, len(rows), SAMPLED):
                own = rows[start : start + SAMPLED]
                made = self.units_.from_network(self._made(len(own), k, rng))
                X[np.ix_(own, self.kept_)] = made
        return self._in_units(X), self.classes_[c]

    def _made(self, n, k, rng):
        """Records of class k on the networks' scale, the likeliest of many, with some chance."""
        share = max(self.class_prior_[k], LEAST_SHARE)
        nothing = np.full((int(np.ceil(POOL * n / share)), len(self.kept_)), np.nan)
        records = self._drawn(nothing, rng)
        P = np.maximum(super()._told(records)[:, k], np.finfo(np.float64).tiny)
        likely = np.log(P) + rng.gumbel(size=len(P))  # the greatest are drawn in proportion to P
        return records[np.argsort(-likely)[:n]]

    def __sklearn_tags__(self):
        """Say that holes are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class _JointTask(_ClassifierTask):
    """The records of one classifier, with holes, and the classes that are known."""

    def tables(self, n_rows):
        X = np.full((n_rows, len(self.model.kept_)), np.nan, np.float32)
        return {"X": X, "c": np.full(n_rows, UNLABELLED, np.int32)}
