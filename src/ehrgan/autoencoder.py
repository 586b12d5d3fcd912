"""The stacked autoencoder as a scikit-learn transformer that fills the holes of a table."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import MissingIndicator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from . import replicas
from .losses import reconstruction_loss
from .masking import sparsity
from .saving import Savable

PAPER = {
    "hidden_layers": (20, 10, 20),
    "corruption": None,
    "scaling": "minmax",
    "linear_skip": False,
    "n_passes": 1,
    "n_members": 1,
    "optimizer": "sgd",
    "learning_rate": 0.1,
    "beta_1": 0.9,
    "decay": False,
    "l2": 0.0,
    "epochs": 500,
    "batch_size": 32,
    "early_stopping": True,
}
"""Arguments that make :class:`StackedAutoencoderImputer` the paper's."""

HYPER = ("learning_rate", "beta_1", "l2", "decay")
CORRUPTIONS = (None, "observed")
SCALINGS = ("log", "standard", "minmax")
ROWS = 2**14  # records that pass through the network at once
MOST_HIDDEN = 0.5  # greatest share of cells that are hidden at random in training
RESIDUAL_ROWS = 2000  # records, and patterns of holes, that tell how far the estimates may be off
LOG_OFFSET = 0.3  # share of (mean - least) added before a logarithm, so that it stays finite


@dataclass(frozen=True)
class _Autoencoder(replicas.Problem):
    """The reconstruction error of one minibatch (equation 1), of hidden cells where some are."""

    n_attributes: int
    corrupts: bool
    linear_skip: bool
    n_passes: int
    pattern_share: float
    visible_weight: float
    terms = ("reconstruction",)

    def draw(self, data, index, noise):
        """Rows of each replica's batch and, to corrupt them, the holes of rows drawn at random."""
        tf = replicas.tensorflow()
        batch = {"X": tf.gather(data["X"], index)}
        if self.corrupts:
            n = tf.cast(data["n"], "float32")[:, None]
            donor = tf.cast(noise.uniform((index.shape[1],), stream=1) * n, "int32")
            batch["donor"] = tf.gather(data["X"], data["start"][:, None] + donor)
        return batch

    def objectives(self, params, batch, weight, noise, hyper):
        tf = replicas.tensorflow()
        holes = tf.math.is_nan(batch["X"])
        x, known = tf.where(holes, 0.0, batch["X"]), 1.0 - tf.cast(holes, "float32")
        seen, cells = known, known
        if self.corrupts:
            seen = known * (1 - hidden_cells(batch["donor"], noise, self.pattern_share))
            cells = known - seen + self.visible_weight * seen
        outs = passes(params["AE"], x * seen, seen, self, xp=tf)
        cells = cells * tf.cast(weight > 0, "float32")[..., None]
        losses = [reconstruction_loss(x_out, x, cells) for x_out in outs]
        squares = [tf.reduce_sum(W * W, (1, 2)) for W in params["AE"][::2]]
        loss = tf.add_n(losses) / self.n_passes
        return {"AE": loss + hyper["l2"] / 2 * tf.add_n(squares)}, losses[-1][:, None]

    def validation(self, params, data):
        tf = replicas.tensorflow()
        holes = tf.math.is_nan(data["X"])
        x, known = tf.where(holes, 0.0, data["X"]), 1.0 - tf.cast(holes, "float32")
        seen = known * (1 - data["hide"])
        x_out = passes(params["AE"], x * seen, seen, self, xp=tf)[-1]
        return reconstruction_loss(x_out, x, data["cells"])


def hidden_cells(donor, noise, pattern_share):
    """Draw which cells to hide in training: holes of other records, or cells at a random rate.

    Parameters
    ----------
    donor : tensor of shape (M, B, d)
        Records drawn at random, NaN in their holes.
    noise : ehrgan.replicas.Noise
        Random numbers of the step.
    pattern_share : float
        Share of the records that take the holes of their donor; the others lose cells at random,
        at a rate drawn uniformly from 0 to :data:`MOST_HIDDEN` for each record.

    Returns
    -------
    tensor of shape (M, B, d)
        1 where the cell is to be hidden.
    """
    tf = replicas.tensorflow()
    B, d = donor.shape[1:]
    pattern = tf.cast(tf.math.is_nan(donor), "float32")
    u = noise.uniform((B, 2), stream=2)
    rate = MOST_HIDDEN * u[..., 1:]
    at_random = tf.cast(noise.uniform((B, d), stream=3) < rate, "float32")
    return tf.where(u[..., :1] < pattern_share, pattern, at_random)


def passes(weights, x, seen, net, *, xp=np):
    """Reconstruct records; further passes feed the estimates of the holes back in.

    Parameters
    ----------
    weights : list
        ``[W1, b1, ...]`` of the dense layers, then ``[W, b]`` of the linear skip, if there is one.
    x : array or tensor of shape (M, B, d)
        Scaled records, 0 where a cell is not seen.
    seen : array or tensor of shape (M, B, d)
        1 where a cell is seen.
    net : object
        Says ``linear_skip``, ``n_passes`` and whether the network ``corrupts`` (and so is told
        which cells it sees).
    xp : module, default=numpy
        ``numpy`` or TensorFlow.

    Returns
    -------
    list of n_passes arrays or tensors of shape (M, B, d)
        The reconstruction after each pass.
    """
    outs, x_in = [], x
    layers, skip = (weights[:-2], weights[-2:]) if net.linear_skip else (weights, None)
    for _ in range(net.n_passes):
        told = xp.concat([x_in, seen], axis=2) if net.corrupts else x_in
        x_out = replicas.forward(told, layers, xp=xp)
        if skip is not None:
            x_out = x_out + replicas.forward(x_in, skip, xp=xp)
        outs.append(x_out)
        x_in = x + (1.0 - seen) * x_out
    return outs


class Units(NamedTuple):
    """The scale of each attribute that the network sees, learned from observed cells.

    Parameters
    ----------
    low, high : ndarray of shape (d,)
        Least and greatest value seen.
    offset : ndarray of shape (d,)
        Added before the logarithm; NaN where none is taken.
    shift, scale : ndarray of shape (d,)
        Subtracted, then divided by.
    """

    low: np.ndarray
    high: np.ndarray
    offset: np.ndarray
    shift: np.ndarray
    scale: np.ndarray

    @classmethod
    def learn(cls, X, columns, scaling):
        """Learn from the observed cells of some columns, one at a time."""
        return cls(*np.array([cls._of_column(X[:, j], scaling) for j in columns]).reshape(-1, 5).T)

    @staticmethod
    def _of_column(x, scaling):
        x = np.sort(x[~np.isnan(x)]).astype(np.float64)  # sorted: the sum forgets the order given
        low, high = x[0], x[-1]
        if high - low <= 10 * np.finfo(np.float32).eps * max(abs(low), abs(high)):
            return low, high, np.nan, low, 1.0
        if scaling == "minmax":
            return low, high, np.nan, low, high - low
        offset = np.nan
        if scaling == "log":
            offset = LOG_OFFSET * (x.mean() - low)
            x = np.log(x - low + offset)
        return low, high, offset, x.mean(), x.std()

    def to_network(self, X):
        """Scale records; cells below the range seen go no lower than half the offset."""
        Z = np.where(np.isnan(self.offset), X, 0.0)
        logged = ~np.isnan(self.offset)
        raised = X[:, logged] - self.low[logged] + self.offset[logged]
        Z[:, logged] = np.log(np.maximum(raised, 0.5 * self.offset[logged]))
        return np.float32((Z - self.shift) / self.scale)

    def from_network(self, Z):
        """Return to original units, kept within the range seen."""
        X = Z.astype(np.float64) * self.scale + self.shift
        logged = ~np.isnan(self.offset)
        top = np.log(self.high - self.low + self.offset)[logged]
        X[:, logged] = (
            np.exp(np.minimum(X[:, logged], top)) - self.offset[logged] + self.low[logged]
        )
        return np.clip(X, self.low, self.high)


class StackedAutoencoderImputer(Savable, TransformerMixin, BaseEstimator):
    """Fill missing values with a stacked autoencoder.

    An autoencoder that has learned to reconstruct records is shown a record with holes and fills
    them with its reconstruction. Observed cells come back bit for bit.

    Parameters
    ----------
    hidden_layers : tuple of int, default=(128,)
        Units of the hidden layers (ReLU), each at least 1. The paper's are (20, 10, 20).
    corruption : {"observed"} or None, default="observed"
        How the network learns. "observed" hides known cells from it, in the patterns of holes of
        other records and at random, tells it which cells it sees and scores it on the hidden ones;
        all records teach. None is the paper's: nearly complete records alone teach, holes hold 0.
    sparsity_threshold : float, default=0.1
        With ``corruption=None``, records with a smaller share of holes teach; in (0, 1].
    scaling : {"log", "standard", "minmax"}, default="log"
        Scale on which the network works: standardised logarithms, standardised, or 0 to 1.
    linear_skip : bool, default=True
        Add a linear map from input to output beside the hidden layers; it begins as the identity.
    n_passes : int, default=4
        Passes; each after the first sees the estimates of the last in the holes, and their mean
        fills the holes. At least 1.
    pattern_share : float, default=0.8
        Share of the corrupted records that lose another record's holes; the others lose cells at a
        random rate. In [0, 1].
    visible_weight : float, default=0.1
        Weight of cells left visible beside the hidden ones in the loss, at least 0.
    n_members : int, default=4
        Networks trained from different seeds whose reconstructions are averaged, at least 1. Each
        of several leaves out a tenth of the records, to measure the error in ``draw``.
    optimizer : {"adam", "sgd"}, default="adam"
        Adam, or gradient descent with momentum ``beta_1``.
    learning_rate : float, default=2e-3
        Step size, above 0.
    beta_1 : float, default=0.9
        Decay of the first moment, in [0, 1).
    decay : bool, default=True
        Let the rate fall to zero along half a cosine.
    l2 : float, default=0.0
        l2 / 2 times the squared weights is added to the loss; at least 0.
    epochs : int, default=150
        Passes over the records, at least 1.
    batch_size : int, default=64
        Records in a minibatch, at least 1; fewer records make one smaller batch.
    early_stopping : bool, default=False
        Keep the weights of the epoch of least error on an inner validation split (the paper's way).
    validation_fraction : float, default=0.2
        Share of the records in that split, in (0, 1).
    n_iter_no_change : int, default=50
        Epochs without a better validation error before training stops, at least 1.
    keep_empty_features : bool, default=False
        Keep attributes that no record has, filled with 0, in place of dropping them.
    add_indicator : bool, default=False
        Append the indicator of missing values as SimpleImputer does.
    random_state : int, RandomState instance or None, default=None
        Seeds first weights, batch order and corruption.
    max_replicas : int or None, default=None
        Most networks that :meth:`fit_many` trains at once; None fits them to memory.
    verbose : bool, default=False
        Show a progress bar.

    Attributes
    ----------
    n_features_in_ : int
        Number of attributes.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where X had them.
    kept_ : int ndarray
        Attributes that some record had, which the network knows.
    units_ : Units
        Scale of those attributes.
    weights_ : list of ndarray
        ``[W1, b1, ...]`` with a leading axis of members; the linear skip comes last.
    history_ : dict of ndarray of shape (epochs,)
        ``reconstruction`` (training) and, with early stopping, ``validation``: mean squared error
        on the network's scale, the mean over members.
    loss_curve_ : ndarray of shape (epochs,)
        ``history_["reconstruction"]``.
    best_epoch_ : int or None
        Epoch (from 1) whose weights were kept, the mean over members; None without early stopping.
    residual_covariance_ : ndarray of shape (n_kept, n_kept)
        Covariance of true less estimated values of hidden cells, on the network's scale.
    indicator_ : MissingIndicator or None
        The indicator, with ``add_indicator``.

    See Also
    --------
    ehrgan.acgan.ACGANClassifier : The classifier that follows it in the paper.
    sklearn.impute.KNNImputer, sklearn.impute.IterativeImputer : Peers in scikit-learn.

    Notes
    -----
    Time grows linearly with records, attributes, members, passes and epochs. Compiling takes one to
    three seconds for each new combination of sizes in a process. A fit does not depend on the order
    of the records.

    References
    ----------
    Section "Missing Data Prediction" of the paper, equation 1. The arguments :data:`PAPER` are the
    paper's. Vincent et al., "Stacked denoising autoencoders", JMLR 2010, for the corruption.

    Examples
    --------
    >>> import numpy as np
    >>> from ehrgan import StackedAutoencoderImputer
    >>> x = np.linspace(0, 1, 50)
    >>> X = np.column_stack([x, 2 * x, 3 * x])
    >>> X[::5, 1] = np.nan
    >>> filled = StackedAutoencoderImputer(epochs=20, random_state=0).fit_transform(X)
    >>> bool(np.isnan(filled).any()), bool((filled[1::5] == X[1::5]).all())
    (False, True)
    """

    _named_tuples = {"units_": Units}
    _parameter_constraints = {
        "hidden_layers": ["array-like"],
        "corruption": [StrOptions({"observed"}), None],
        "sparsity_threshold": [Interval(Real, 0, 1, closed="right")],
        "scaling": [StrOptions(set(SCALINGS))],
        "linear_skip": ["boolean"],
        "n_passes": [Interval(Integral, 1, None, closed="left")],
        "pattern_share": [Interval(Real, 0, 1, closed="both")],
        "visible_weight": [Interval(Real, 0, None, closed="left")],
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "optimizer": [StrOptions(set(replicas.OPTIMIZERS))],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "decay": ["boolean"],
        "l2": [Interval(Real, 0, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "keep_empty_features": ["boolean"],
        "add_indicator": ["boolean"],
        "random_state": ["random_state"],
        "max_replicas": [Interval(Integral, 1, None, closed="left"), None],
        "verbose": ["boolean"],
    }

    def __init__(
        self,
        *,
        hidden_layers=(128,),
        corruption="observed",
        sparsity_threshold=0.1,
        scaling="log",
        linear_skip=True,
        n_passes=4,
        pattern_share=0.8,
        visible_weight=0.1,
        n_members=4,
        optimizer="adam",
        learning_rate=2e-3,
        beta_1=0.9,
        decay=True,
        l2=0.0,
        epochs=150,
        batch_size=64,
        early_stopping=False,
        validation_fraction=0.2,
        n_iter_no_change=50,
        keep_empty_features=False,
        add_indicator=False,
        random_state=None,
        max_replicas=None,
        verbose=False,
    ):
        self.hidden_layers = hidden_layers
        self.corruption = corruption
        self.sparsity_threshold = sparsity_threshold
        self.scaling = scaling
        self.linear_skip = linear_skip
        self.n_passes = n_passes
        self.pattern_share = pattern_share
        self.visible_weight = visible_weight
        self.n_members = n_members
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.decay = decay
        self.l2 = l2
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.keep_empty_features = keep_empty_features
        self.add_indicator = add_indicator
        self.random_state = random_state
        self.max_replicas = max_replicas
        self.verbose = verbose

    def fit(self, X, y=None):
        """Train the autoencoder on a table with holes.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Records in their own units, NaN where missing.
        y : None
            Ignored.

        Returns
        -------
        StackedAutoencoderImputer
            Itself, fitted.

        Raises
        ------
        ValueError
            X holds inf or no value at all, a parameter is out of its range, or with
            ``corruption=None`` fewer than two records are complete enough to teach.

        References
        ----------
        Section "Missing Data Prediction" of the paper.

        Examples
        --------
        >>> import numpy as np
        >>> from ehrgan import StackedAutoencoderImputer
        >>> X = [[1.0, 2.0], [2.0, np.nan], [3.0, 6.0]]
        >>> StackedAutoencoderImputer(epochs=1, random_state=0).fit(X).n_features_in_
        2
        """
        _train_together([self], [self._prepare(X)])
        return self

    def fit_many(self, datasets, *, params=None):
        """Train one clone per table, all at once on the replica axis.

        Parameters
        ----------
        datasets : list of array-like of shape (n_m, d)
            Tables; lengths may differ, numbers of attributes may not.
        params : list of dict, optional
            Parameters to set on each clone, such as another ``random_state``.

        Returns
        -------
        list of StackedAutoencoderImputer
            Fitted clones, each as :meth:`fit` would have left it (to float tolerance).

        Raises
        ------
        ValueError
            Tables that differ in their attributes, or an invalid table.

        Notes
        -----
        Up to a hundred small networks cost little more than the arithmetic of their matrix
        products; memory is bounded by ``max_replicas``.

        Examples
        --------
        >>> import numpy as np
        >>> from ehrgan import StackedAutoencoderImputer
        >>> X = np.array([[1.0, 2.0], [2.0, np.nan], [3.0, 6.0], [4.0, 8.0]])
        >>> models = StackedAutoencoderImputer(epochs=1, random_state=0).fit_many([X, X[1:]])
        >>> [model.transform(X).shape for model in models]
        [(4, 2), (4, 2)]
        """
        datasets = list(datasets)
        models = replicas.clones_for(self, datasets, params)
        parts = [model._prepare(X) for model, X in zip(models, datasets, strict=True)]
        replicas.check_same("number of attributes", [m.n_features_in_ for m in models])
        _train_together(models, parts)
        return models

    def _prepare(self, X):
        """Validate, learn the units, and return this model's part of a training run."""
        self._validate_params()
        sizes = tuple(self.hidden_layers)
        if not all(isinstance(units, Integral) and units >= 1 for units in sizes):
            raise ValueError(f"hidden_layers is {sizes}; it must hold whole numbers, at least 1.")
        X = validate_data(
            self,
            X,
            dtype=(np.float64, np.float32),
            ensure_all_finite="allow-nan",
            ensure_min_samples=2,
        )
        self.indicator_ = (
            MissingIndicator(error_on_new=False).fit(X) if self.add_indicator else None
        )
        self.kept_ = np.flatnonzero(~np.isnan(X).all(axis=0))
        if not len(self.kept_):
            raise ValueError(f"X has no value in any of its {X.size} cells to learn from.")
        rows = replicas.canonical_order(X)
        if self.corruption is None:
            share = sparsity(X[:, self.kept_])
            rows = rows[share[rows] < self.sparsity_threshold]
            if len(rows) < 2:
                raise ValueError(
                    f"{len(rows)} of {len(X)} records in X have a smaller share of holes than "
                    f"sparsity_threshold={self.sparsity_threshold}; corruption=None needs two or "
                    'more to learn from. Raise the threshold or use corruption="observed".'
                )
        else:
            rows = rows[~np.isnan(X[rows]).all(axis=1)]
        self.units_ = Units.learn(X, self.kept_, self.scaling)
        seed = check_random_state(self.random_state).randint(2**31)
        return _Part(X, rows, self._patterns(X), np.random.SeedSequence(seed))

    def _patterns(self, X):
        """Patterns of holes that the table shows, at most RESIDUAL_ROWS of them."""
        holes = np.isnan(X[:, self.kept_]) if len(self.kept_) < X.shape[1] else np.isnan(X)
        holed = np.flatnonzero(holes.any(axis=1) & ~holes.all(axis=1))
        order = replicas.canonical_order(X[holed])
        return holes[holed[order[:RESIDUAL_ROWS]]]

    def _problem(self):
        return _Autoencoder(
            len(self.kept_),
            self.corruption is not None,
            self.linear_skip,
            self.n_passes,
            self.pattern_share,
            self.visible_weight,
        )

    def transform(self, X):
        """Fill the holes of a table.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Records in their own units, NaN where missing.

        Returns
        -------
        ndarray of shape (n, n_features_out)
            The records without holes. Observed cells are as they were; filled ones lie within the
            range that :meth:`fit` saw.

        Raises
        ------
        ValueError
            X holds inf, or another number of attributes than in :meth:`fit`.

        Examples
        --------
        >>> import numpy as np
        >>> from ehrgan import StackedAutoencoderImputer
        >>> X = np.array([[1.0, 2.0], [2.0, np.nan], [3.0, 6.0]])
        >>> StackedAutoencoderImputer(epochs=1, random_state=0).fit(X).transform(X).shape
        (3, 2)
        """
        return self._filled(self._checked(X), lambda members: members.mean(axis=0))[0]

    def draw(self, X, n_imputations=5, *, random_state=None):
        """Fill the holes several times, each time with other values that might have stood there.

        Where :meth:`transform` gives the best single guess, the draws spread as the errors of the
        network do, so that a result can be computed on each and its spread be shown.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Records in their own units, NaN where missing.
        n_imputations : int, default=5
            Tables to draw, at least 1.
        random_state : int, RandomState instance or None, default=None
            Seeds the draws.

        Returns
        -------
        ndarray of shape (n_imputations, n, n_features_out)
            Observed cells are as they were; drawn ones lie within the range that :meth:`fit` saw.

        Raises
        ------
        ValueError
            ``n_imputations`` is below 1, or X is not as :meth:`transform` needs it.

        Notes
        -----
        A draw is the estimate of one member chosen at random plus a normal residual on the
        network's scale, with ``residual_covariance_``. That was measured on records which the
        member had not learned from (those kept for validation, or the tenth that each of several
        members leaves out; a single member without early stopping has none, and its draws spread
        too little), with cells hidden as the table's holes are: it is an average over patterns.
        The network is not trained anew for each draw, so these are not proper imputations in
        Rubin's sense. Time is that of :meth:`transform` and little more.

        References
        ----------
        Rubin, *Multiple imputation for nonresponse in surveys*, Wiley 1987.

        Examples
        --------
        >>> import numpy as np
        >>> from ehrgan import StackedAutoencoderImputer
        >>> X = np.column_stack([np.arange(12.0), 2 * np.arange(12.0)])
        >>> X[5, 1] = np.nan
        >>> draws = StackedAutoencoderImputer(epochs=20, random_state=0).fit(X).draw(X, 9)
        >>> draws.shape, len(np.unique(draws[:, 5, 1])) > 1, len(np.unique(draws[:, 5, 0])) > 1
        ((9, 12, 2), True, False)
        """
        X = self._checked(X)
        if not isinstance(n_imputations, Integral) or n_imputations < 1:
            raise ValueError(
                f"n_imputations is {n_imputations!r}; it must be a whole number, at least 1."
            )
        rng = np.random.default_rng(check_random_state(random_state).randint(2**31))
        values, vectors = np.linalg.eigh(self.residual_covariance_)
        spread = vectors * np.sqrt(np.maximum(values, 0.0))

        def one(members):
            chosen = rng.integers(len(members), size=members.shape[1])
            noise = rng.standard_normal(members.shape[1:]) @ spread.T
            return members[chosen, np.arange(members.shape[1])] + noise

        return self._filled(X, one, n_imputations)

    def _checked(self, X):
        check_is_fitted(self)
        return validate_data(
            self, X, dtype=(np.float64, np.float32), ensure_all_finite="allow-nan", reset=False
        )

    def _filled(self, X, fill, n_tables=1):
        """Fill the holes ``n_tables`` times by what ``fill`` makes of the members' estimates."""
        tables = np.repeat(X[None], n_tables, axis=0)
        empty = np.setdiff1d(np.arange(X.shape[1]), self.kept_)
        tables[..., empty] = np.where(np.isnan(X[:, empty]), 0.0, X[:, empty])
        holed = np.flatnonzero(np.isnan(X[:, self.kept_]).any(axis=1))
        for start in range(0, len(holed), ROWS):
            rows = holed[start : start + ROWS]
            block = X[np.ix_(rows, self.kept_)]
            members = self._members(self.units_.to_network(block))
            for table in tables:
                values = self.units_.from_network(fill(members))
                table[np.ix_(rows, self.kept_)] = np.where(np.isnan(block), values, block)
        if not self.keep_empty_features:
            tables = tables[..., self.kept_]
        if self.indicator_ is None:
            return tables
        missing = self.indicator_.transform(X)
        return np.stack([np.hstack([table, missing]) for table in tables])

    def _members(self, Z):
        """Each member's estimate of every cell, on the network's scale: the mean of its passes."""
        # float64, so that a record's estimate does not depend on the records beside it
        weights = [p.astype(np.float64) for p in self.weights_]
        shape = (len(weights[0]), *Z.shape)
        seen = np.broadcast_to((~np.isnan(Z)).astype(np.float64), shape)
        x = np.broadcast_to(np.nan_to_num(Z).astype(np.float64), shape)
        outs = passes(weights, x, seen, self._problem())
        # the first pass has seen no estimate; the mean of the later ones errs less than the last
        return np.mean(outs[1:] or outs, axis=0)

    def get_feature_names_out(self, input_features=None):
        """Names of the columns that :meth:`transform` returns.

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of the columns of X, where it had none.

        Returns
        -------
        ndarray of str

        Examples
        --------
        >>> import numpy as np
        >>> from ehrgan import StackedAutoencoderImputer
        >>> X = [[1.0, np.nan], [2.0, np.nan], [3.0, np.nan]]
        >>> StackedAutoencoderImputer(epochs=1).fit(X).get_feature_names_out()
        array(['x0'], dtype=object)
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        kept = names if self.keep_empty_features else names[self.kept_]
        if self.indicator_ is None:
            return kept
        return np.concatenate([kept, self.indicator_.get_feature_names_out(names)])

    def __sklearn_tags__(self):
        """Say that holes are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class _Part(NamedTuple):
    """One model's part of a training run: its table, which records teach, in order, its holes."""

    X: np.ndarray
    rows: np.ndarray
    patterns: np.ndarray
    seed: np.random.SeedSequence


def _train_together(models, parts):
    def bytes_of(model, part):
        return replicas.padded_length(len(part.rows)) * len(model.kept_) * 4

    replicas.train_in_groups(models, parts, _signature, bytes_of, _train_run)


def _signature(model):
    stopping = model.early_stopping and (model.n_iter_no_change, model.validation_fraction)
    training = (model.epochs, model.batch_size, model.optimizer, stopping)
    return (model._problem(), tuple(model.hidden_layers), *training)


def _train_run(models, parts):
    """Train every member of every model as one replica, and hand each model its weights."""
    model, n_members = models[0], models[0].n_members
    seeds = [seed.spawn(3) for part in parts for seed in part.seed.spawn(n_members)]
    splits = [_split(model, part) for model, part in zip(models, parts, strict=True)]
    lengths = [len(fit) for fit, _ in splits]
    starts, n_rows = replicas.end_to_end(lengths)
    table = np.full((n_rows, len(model.kept_)), np.nan, np.float32)
    for m, part, (fit, _), start in zip(models, parts, splits, starts, strict=True):
        _fill(table[start:], m, part.X, fit)
    out = np.array([_left_out(m, length) for m, length in zip(models, lengths, strict=True)])
    starts = (starts[:, None] + np.where(np.arange(n_members) % 2, out[:, None], 0)).ravel()
    lengths = np.repeat(lengths - out, n_members)
    result = replicas.train(
        model._problem(),
        {"AE": _first_weights(model, [s[0] for s in seeds])},
        {"X": table, "start": starts.astype(np.int32), "n": lengths.astype(np.int32)},
        starts,
        lengths,
        [s[1] for s in seeds],
        epochs=model.epochs,
        batch_size=model.batch_size,
        hyper={h: np.repeat([float(getattr(m, h)) for m in models], n_members) for h in HYPER},
        optimizer=model.optimizer,
        validation=_validation(models, parts, splits, seeds) if model.early_stopping else None,
        patience=model.n_iter_no_change,
        progress="autoencoder" if model.verbose else None,
    )
    for i, m in enumerate(models):
        own = slice(i * model.n_members, (i + 1) * model.n_members)
        m.weights_ = [p[own] for p in result.params["AE"]]
        m.history_ = replicas.mean_history(result.history[:, own], ("reconstruction", "validation"))
        m.loss_curve_ = m.history_["reconstruction"]
        m.n_iter_ = len(m.loss_curve_)
        m.best_epoch_ = int(result.best_epoch[own].mean()) + 1 if m.early_stopping else None
        m.residual_covariance_ = _residual_covariance(m, parts[i], *splits[i])


def _left_out(model, n):
    """Records that a member does not learn from: odd members the first ones, even the last ones.

    The estimates for them show how far off a member is on records that it does not know.
    """
    return 0 if model.early_stopping or model.n_members == 1 else n // 10


def _residual_covariance(model, part, fit, validation):
    """Hide cells of records as the table's holes are, and see how far off the estimates are.

    Each record is tried with the holes of another, and without some of the attributes that the
    table never lacks. A pair of attributes never hidden together counts as uncorrelated.
    """
    out = _left_out(model, len(fit))
    sides = [(fit[:out], 1), (fit[len(fit) - out :], 0)] if out else [(validation, 0)]
    if not len(sides[0][0]):
        sides = [(fit, 0)]
    squares, together = 0.0, 0.0
    rng = np.random.default_rng(part.seed.generate_state(4))
    for rows, first in sides:
        rows = np.tile(rows[:RESIDUAL_ROWS], 2)
        Z = model.units_.to_network(part.X[np.ix_(rows, model.kept_)])
        hide = _trial_holes(part.patterns, Z.shape, rng) & ~np.isnan(Z)
        residual = Z - model._members(np.where(hide, np.nan, Z))[first :: 2 if out else 1]
        residual = np.where(hide, residual, 0.0)
        squares = squares + np.einsum("mij,mik->jk", residual, residual) / len(residual)
        together = together + hide.T.astype(np.float64) @ hide
    return squares / np.maximum(together, 1.0)


def _trial_holes(patterns, shape, rng):
    """Draw holes: for the first half such as the table has, for the second such as it never has."""
    hide = rng.random(shape) < MOST_HIDDEN * rng.random((shape[0], 1))
    if len(patterns):
        hide &= ~patterns.any(axis=0)
        half = shape[0] // 2
        hide[:half] = patterns[rng.integers(len(patterns), size=half)]
    return hide


def _split(model, part):
    """Rows to train on and rows to validate on (none without early stopping)."""
    if not model.early_stopping:
        return part.rows, part.rows[:0]
    order = np.random.default_rng(part.seed.generate_state(4)).permutation(part.rows)
    n = min(max(1, round(model.validation_fraction * len(order))), len(order) - 1)
    return order[n:], order[:n]


def _first_weights(model, seeds):
    d = len(model.kept_)
    told = 2 * d if model.corruption else d
    weights = replicas.init_layers(seeds, (told, *model.hidden_layers, d))
    if model.linear_skip:
        M = len(seeds)
        weights[-2] *= 0.1  # begin near the identity: what is seen is returned as it is
        weights += [
            np.tile(np.eye(d, dtype=np.float32), (M, 1, 1)),
            np.zeros((M, 1, d), np.float32),
        ]
    return weights


def _fill(table, model, X, rows):
    """Write the chosen rows, on the network's scale, into the first rows of a table."""
    for start in range(0, len(rows), ROWS):
        block = rows[start : start + ROWS]
        table[start : start + len(block)] = model.units_.to_network(X[np.ix_(block, model.kept_)])


def _validation(models, parts, splits, seeds):
    """Validation tables: the same cells stay hidden throughout, so that epochs compare."""
    n_members, d = models[0].n_members, len(models[0].kept_)
    length = replicas.padded_length(max(len(rows) for _, rows in splits))
    X = np.full((len(models), length, d), np.nan, np.float32)
    for i, (model, part, (_, rows)) in enumerate(zip(models, parts, splits, strict=True)):
        _fill(X[i], model, part.X, rows)
    X = np.repeat(X, n_members, axis=0)
    known = (~np.isnan(X)).astype(np.float32)
    if not models[0].corruption:
        return {"X": X, "hide": np.zeros_like(X), "cells": known}
    hide = np.zeros_like(X)
    for i, seed in enumerate(seeds):
        model, part, (_, rows) = (each[i // n_members] for each in (models, parts, splits))
        hide[i, : len(rows)] = _held_out_cells(
            model, part, len(rows), np.random.default_rng(seed[2])
        )
    return {"X": X, "hide": hide, "cells": known * hide}


def _held_out_cells(model, part, n, rng):
    """Cells to hide from n records: holes of other records, or cells at a random rate."""
    donors = part.X[np.ix_(rng.choice(part.rows, n), model.kept_)]
    at_random = rng.random(donors.shape) < MOST_HIDDEN * rng.random((n, 1))
    return np.where(rng.random((n, 1)) < model.pattern_share, np.isnan(donors), at_random)
