"""The stacked autoencoder as a scikit-learn transformer that fills the holes of a table.

Long because its docstrings are its manual; network and loss are in modules of their own.
"""

from functools import cached_property
from numbers import Integral, Real

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.impute import MissingIndicator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from ..tables.masking import sparsity
from .base import BLOCK, ReplicaEstimator, Task, canonical_order, row_digests
from .categories import check_categories, groups_among
from .draws import Drawing
from .engine import padded_length
from .networks import Autoencoder
from .objectives import MOST_HIDDEN, ReconstructionObjective
from .online import PIECE, pieces
from .optimisers import OPTIMIZERS
from .running import Line, facing_cells, join_units, making_cells, unknown_units
from .units import Units

PAPER_AUTOENCODER = {
    "hidden_layers": (20, 10, 20),
    "corruption": None,
    "scaling": "minmax",
    "linear_skip": False,
    "neighbours": False,
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

SCALINGS = ("auto", "log", "standard", "minmax")
KEPT_RECORDS = 1024  # of its records that each member of a fitted imputer keeps to look up
REPLAYED = 256  # of those records that are learned again beside each batch of a stream
LOOKING = 1024  # records that look up theirs at once


class StackedAutoencoderImputer(TransformerMixin, ReplicaEstimator):
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
    scaling : {"auto", "log", "standard", "minmax"}, default="auto"
        Scale on which the network works: standardised logarithms, standardised, or 0 to 1. "auto"
        takes the logarithm of an attribute where that makes it less skew, unless a twentieth of its
        cells or more hold its least value.
    linear_skip : bool, default=True
        Add a linear map from input to output beside the hidden layers; it begins as the identity.
    neighbours : bool, default=True
        Look up records like the one at hand, by a distance that training learns; their mean is what
        the first pass sees in the holes, see :mod:`ehrgan.nets.neighbours`.
    n_passes : int, default=4
        Passes; each after the first sees the estimates of the last in the holes, and their mean
        fills the holes. At least 1.
    pattern_share : float, default=0.5
        Share of the corrupted records that lose another record's holes; the others lose cells at a
        random rate. In [0, 1].
    visible_weight : float, default=0.1
        Weight of cells left visible beside the hidden ones in the loss, at least 0.
    categories : sequence of (tuple of int, bool), default=()
        Columns of 0 and 1 that together code a category, and whether they are the steps of an
        order, 1 above a step, or one column for each category (a single column: yes or no). They
        are learned by cross-entropy, and what fills them are probabilities.
    n_members : int, default=4
        Networks trained from different seeds whose reconstructions are averaged, at least 1.
    n_draws : int, default=0
        Networks trained beside them for :meth:`draw`, on a bootstrap of the records each: as many
        tables can be drawn. At least 0; above it, ``corruption`` must be "observed".
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
    partial_epochs : int, default=10
        Passes over each batch that :meth:`partial_fit` is given, at least 1.
    keep_empty_features : bool, default=False
        Keep attributes that no record has, filled with 0, in place of dropping them.
    add_indicator : bool, default=False
        Append the indicator of missing values as SimpleImputer does.
    random_state : int, RandomState instance or None, default=None
        Seeds first weights, batch order and corruption.
    max_replicas : int or None, default=None
        Most networks that ``fit_many`` trains at once; None fits them to memory.
    n_jobs : int or None, default=None
        Threads that train; None takes what joblib's context grants, see
        :func:`ehrgan.nets.engine.threads`. No number depends on it.
    verbose : bool, default=False
        Show a progress bar.

    Attributes
    ----------
    n_features_in_ : int
        Number of attributes.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where X had them.
    kept_ : int ndarray
        Attributes that the network knows: those that some record had in :meth:`fit`, or all that
        :meth:`partial_fit` may see appear.
    n_samples_seen_ : ndarray of shape (n_kept,)
        Known cells of each; those of a time when all were the same count as one.
    units_ : Units
        Scale of those attributes; NaN where no record had any yet.
    weights_ : list of ndarray
        ``[W1, b1, ...]`` with a leading axis of members; then the linear skip, and with
        ``neighbours`` the distance (log w, log u) and the records to look up.
    history_ : dict of ndarray of shape (epochs,)
        ``reconstruction`` (training) and, with early stopping, ``validation``: mean squared error
        on the network's scale, the mean over members.
    loss_curve_ : ndarray of shape (epochs,)
        ``history_["reconstruction"]``.
    best_epoch_ : int or None
        Epoch (from 1) whose weights were kept, the mean over members; None without early stopping.
    drawing_ : Drawing or None
        What ``draw`` draws from, with ``n_draws`` above 0.
    indicator_ : MissingIndicator or None
        The indicator, with ``add_indicator``.
    reservoir_ : dict
        In a stream, with ``neighbours``: the records to look up, "X", in their own units.

    See Also
    --------
    ehrgan.nets.acgan.ACGANClassifier : The classifier that follows it in the paper.
    sklearn.impute.KNNImputer, sklearn.impute.IterativeImputer : Peers in scikit-learn.

    Notes
    -----
    With ``neighbours``, a fitted imputer, saved or not, holds up to 1,024 of its training records
    for each network: guard it as you guard them.

    Time grows linearly with records, attributes, members, passes and epochs; looking records up
    costs about as much as all the rest. Compiling takes one to three seconds for each new
    combination of sizes in a process. A fit does not depend on the order of the records.

    All cores train already, so leave ``n_jobs`` of scikit-learn's searches and cross-validations
    at 1: each of their processes would load TensorFlow and compile anew.
    :meth:`~ehrgan.nets.base.ReplicaEstimator.fit_many` trains all folds at once.

    References
    ----------
    Section "Missing Data Prediction" of the paper, equation 1. The arguments :data:`PAPER` are the
    paper's. Vincent et al., "Stacked denoising autoencoders", JMLR 2010, for the corruption.
    Gorishniy et al., "TabR: tabular deep learning meets nearest neighbors", ICLR 2024, for networks
    that look records up.

    Examples
    --------
    >>> from ehrgan import StackedAutoencoderImputer
    >>> x = np.linspace(0, 1, 50)
    >>> X = np.column_stack([x, 2 * x, 3 * x])
    >>> X[::5, 1] = np.nan
    >>> filled = StackedAutoencoderImputer(epochs=20, random_state=0).fit_transform(X)
    >>> bool(np.isnan(filled).any()), bool((filled[1::5] == X[1::5]).all())
    (False, True)
    """

    _named_tuples = {"units_": Units, "drawing_": Drawing}
    _alike = (*ReplicaEstimator._alike, "n_draws")
    _hyper = ("learning_rate", "beta_1", "l2", "decay")
    _name, _curve = "autoencoder", "reconstruction"
    _parameter_constraints = {
        **ReplicaEstimator._parameter_constraints,
        "hidden_layers": ["array-like"],
        "corruption": [StrOptions({"observed"}), None],
        "sparsity_threshold": [Interval(Real, 0, 1, closed="right")],
        "scaling": [StrOptions(set(SCALINGS))],
        "linear_skip": ["boolean"],
        "neighbours": ["boolean"],
        "n_passes": [Interval(Integral, 1, None, closed="left")],
        "pattern_share": [Interval(Real, 0, 1, closed="both")],
        "visible_weight": [Interval(Real, 0, None, closed="left")],
        "categories": ["array-like"],
        "n_draws": [Interval(Integral, 0, None, closed="left")],
        "optimizer": [StrOptions(set(OPTIMIZERS))],
        "decay": ["boolean"],
        "partial_epochs": [Interval(Integral, 1, None, closed="left")],
        "keep_empty_features": ["boolean"],
        "add_indicator": ["boolean"],
    }

    def __init__(
        self, *, hidden_layers=(128,), corruption="observed", sparsity_threshold=0.1,
        scaling="auto", linear_skip=True, neighbours=True, n_passes=4, pattern_share=0.5,
        visible_weight=0.1, categories=(), n_members=4, n_draws=0, optimizer="adam",
        learning_rate=2e-3, beta_1=0.9, decay=True, l2=0.0, epochs=150, batch_size=64,
        early_stopping=False, validation_fraction=0.2, n_iter_no_change=50, partial_epochs=10,
        keep_empty_features=False, add_indicator=False,
        random_state=None, max_replicas=None, n_jobs=None, verbose=False,
    ):  # fmt: skip
        self._keep_arguments(locals())

    def fit(self, X, y=None):
        """Train the autoencoder on a table with holes; `y` is ignored.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Records in their own units, NaN where missing.

        Returns
        -------
        StackedAutoencoderImputer
            Itself, fitted.

        Raises
        ------
        ValueError
            X holds inf or no value at all, a parameter is out of its range, columns that
            ``categories`` names hold no codes, training diverged, or with
            ``corruption=None`` fewer than two records are complete enough to teach.
        """
        return self._fit(X)

    def partial_fit(self, X, y=None):
        """Learn from one more batch of records with holes, in constant time; `y` is ignored.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Records in their own units, NaN where missing; one is enough. An attribute may be
            missing in all of them, and in all batches until some day.

        Returns
        -------
        StackedAutoencoderImputer
            Itself.

        Raises
        ------
        ValueError
            The first batch has no value at all, X holds inf or has other attributes than before, a
            parameter needs all records at once (``early_stopping``, ``n_draws``, ``add_indicator``)
            or changes the sizes of the network, or training diverged. The model then stands where
            it stood before, as it does after an interruption.

        Notes
        -----
        Each batch is passed over ``partial_epochs`` times at a constant rate, by the optimiser as
        the last batch left it. The scale of an attribute is that of all its cells so far; where it
        moves, the network is told again on the new one. Whether its logarithm is taken is said by
        the batch in which it first varies, where that has more than twenty of its cells.

        With ``neighbours``, the records to look up are a uniform sample of all that came (Vitter's
        algorithm R), and some of them are learned again beside each batch.

        Set ``keep_empty_features=True`` where what follows needs the same columns on all days:
        else an attribute is dropped until a record has it. After :meth:`fit`, attributes that it
        has dropped stay so.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> imputer = StackedAutoencoderImputer(random_state=0, keep_empty_features=True)
        >>> for day in range(8):
        ...     x = rng.normal(size=50)
        ...     late = 5 * x + 20 if day > 3 else np.full(50, np.nan)
        ...     imputer = imputer.partial_fit(np.column_stack([x, late]))
        >>> low, high = imputer.transform([[-1.0, np.nan], [1.0, np.nan]])[:, 1]
        >>> bool(12 < low < 18 < 22 < high < 28)
        True
        """
        with self._all_or_nothing():
            X = self._batch(X)
            for rows in pieces(len(X)):
                self._learn_piece(X[rows])
        return self

    def _batch(self, X):
        """A batch, or what is wrong with it."""
        self._check_online()
        self._check_sizes()
        for name in ("n_draws", "add_indicator"):
            if getattr(self, name):
                raise ValueError(
                    f"{name} is {getattr(self, name)}; partial_fit needs {name}=0 or False, since "
                    "it takes all records at once."
                )
        first = not hasattr(self, "weights_")
        X = self._with_holes(X, reset=first)
        if first:
            if np.isnan(X).all():
                raise ValueError(f"X has no value in any of its {X.size} cells to learn from.")
            self.kept_, self.indicator_, self.drawing_ = np.arange(X.shape[1]), None, None
            self.n_samples_seen_ = np.zeros(len(self.kept_))
            self.units_ = unknown_units(len(self.kept_))
            self._open_stream()
        elif not self._in_stream:
            self._open_after_fit()
        self._check_as_begun()
        X = X[:, self.kept_]
        return X[~np.isnan(X).all(axis=1)]

    def _open_after_fit(self):
        """Begin a stream where fit has ended, with the records that the first member looks up."""
        *layers, records = self.weights_ if self.neighbours else (*self.weights_, None)
        held = None
        if self.neighbours:
            known = records[0][~np.isnan(records[0]).all(axis=1)]
            seen = int(self.n_samples_seen_.max())
            held = {"X": self.units_.from_network(known), "seen": max(seen, len(known))}
        self._open_stream({"AE": layers}, held)

    def _learn_piece(self, X):
        """Move the scale, then learn the records beside some that are looked up."""
        self._move_scale(X)
        Z = self.units_.to_network(X)
        teach = Z
        if self.corruption is None:
            teach = Z[sparsity(X) < self.sparsity_threshold]
        again = Z[:0]
        if self.neighbours and hasattr(self, "reservoir_"):
            again = self.reservoir_["X"]
            again = again[self._chance(1).permutation(len(again))[:REPLAYED]]
            again = self.units_.to_network(again)
        room = PIECE + (REPLAYED if self.neighbours else 0)
        n = len(teach) + len(again)
        tables = {"X": np.full((padded_length(room), X.shape[1]), np.nan, np.float32)}
        tables["X"][:n] = np.concatenate([teach, again])
        if self.neighbours:
            self._store(KEPT_RECORDS, X=X)
        if len(teach):
            self._teach(tables, np.arange(1.0, n + 1), room)

    def _move_scale(self, X):
        """Join the cells to the scale, and tell the network again on the new one."""
        coded = {j for columns, _ in self.categories for j in columns}
        codes = np.isin(self.kept_, list(coded))
        units, n, line = join_units(self.units_, self.n_samples_seen_, X, self.scaling, codes)
        self.units_, self.n_samples_seen_ = units, n
        self._move(line)

    def _told_again(self, weights, line):
        """The same function of cells in their units; a hole is 0, the mean, on either scale."""
        *layers, log_w, log_u = weights["AE"] if self.neighbours else (*weights["AE"], None, None)
        skip = layers[-2:] if self.linear_skip else []
        W1, b1, *hidden, W, b = layers[: len(layers) - len(skip)]
        seeing = 1 + self.neighbours  # cells, and the mean of the records looked up
        told = W1.shape[1] - seeing * len(line.slope)
        inputs = Line(*(
            np.concatenate([*[own] * seeing, np.full(told, blank)])
            for own, blank in zip(line, (1.0, 0.0), strict=True)
        ))  # fmt: skip
        layers = [*facing_cells(W1, b1, inputs), *hidden, *making_cells(W, b, line)]
        if skip:
            S, c = facing_cells(*skip, line)
            layers += [S / line.slope, c / line.slope]
            layers = [np.float32(p) for p in layers]
        if self.neighbours:
            steeper = 2 * np.log(line.slope)
            layers += [np.float32(log_w + steeper), np.float32(log_u - steeper)]
        return {"AE": layers}

    def _show(self, weights):
        self.weights_ = weights["AE"]
        if self.neighbours:
            records = np.full((KEPT_RECORDS, len(self.kept_)), np.nan, np.float32)
            held = vars(self).get("reservoir_", {"X": records[:0]})["X"]
            records[: len(held)] = self.units_.to_network(held)
            self.weights_ = [*weights["AE"], np.stack([records] * self._n_replicas)]

    def _check_sizes(self):
        """Refuse layers that are none."""
        sizes = tuple(self.hidden_layers)
        if not all(isinstance(units, Integral) and units >= 1 for units in sizes):
            raise ValueError(f"hidden_layers is {sizes}; it must hold whole numbers, at least 1.")

    def _task(self, X):
        """Validate, and learn the units."""
        self._validate_params()
        self._check_sizes()
        if self.n_draws and self.corruption is None:
            raise ValueError(
                f"n_draws is {self.n_draws} with corruption=None, whose network is not told which "
                'cells it sees; draws need corruption="observed".'
            )
        X = self._with_holes(X, ensure_min_samples=2)
        indicator = MissingIndicator(error_on_new=False)
        self.indicator_ = indicator.fit(X) if self.add_indicator else None
        self.kept_ = np.flatnonzero(~np.isnan(X).all(axis=0))
        if not len(self.kept_):
            raise ValueError(f"X has no value in any of its {X.size} cells to learn from.")
        rows = canonical_order(X)
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
        coded = {j for columns, _ in self.categories for j in columns}
        self.units_ = Units.learn(X, self.kept_, self.scaling, coded)
        self.n_samples_seen_ = (~np.isnan(X[:, self.kept_])).sum(axis=0).astype(np.float64)
        return _ImputerTask(self, X, rows)

    @property
    def _n_replicas(self):
        return self.n_members + self.n_draws

    def _network(self):
        told = self.corruption is not None
        sizes = (len(self.kept_), tuple(self.hidden_layers))
        groups = groups_among(self.categories, self.kept_)
        beside = (self.linear_skip, self.n_passes, groups, self.neighbours)
        return Autoencoder(*sizes, told, *beside)

    def _objective(self):
        corrupts = self.corruption is not None
        shares = (self.pattern_share, self.visible_weight)
        return ReconstructionObjective(self._network(), corrupts, *shares)

    def _options(self):
        return {"optimizer": self.optimizer}

    def _first_weights(self, tasks, seeds):
        return {"AE": self._network().first_weights(seeds)}

    def _keep(self, weights, task):
        weights = weights["AE"]
        if self.neighbours:
            records = np.stack([task.looked_up(member) for member in range(self._n_replicas)])
            weights = [*weights, records[:, : len(task.parts[0])]]
        first = self.n_members
        self.weights_ = [p[:first] for p in weights]
        self.drawing_ = None
        if self.n_draws:
            rows = np.concatenate(task.parts)  # those to validate on are in no bootstrap
            counts = np.pad(task.bootstraps, ((0, 0), (0, len(task.parts[1]))))
            own = [p[first:] for p in weights]
            rng = np.random.default_rng(task.seed.generate_state(4))
            X = task.X[np.ix_(rows, self.kept_)]
            self.drawing_ = Drawing.learn(self, X, counts, own, rng)

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
        """
        X = self._checked(X)
        table = X.copy()
        holed = np.flatnonzero(np.isnan(X[:, self.kept_]).any(axis=1))
        for start in range(0, len(holed), BLOCK):
            own = np.ix_(holed[start : start + BLOCK], self.kept_)
            Z = self.units_.to_network(X[own])
            values = self.units_.from_network(self._members(Z).mean(axis=0))
            table[own] = np.where(np.isnan(X[own]), values, X[own])
        return self._dressed(X, table[None])[0]

    def draw(self, X, n_imputations=None, *, random_state=None):
        """Fill the holes several times, each time with other values that might have stood there.

        This is proper multiple imputation: where :meth:`transform` gives the best single guess, the
        tables spread as the truth may, by what a record does not tell of a cell and by what the
        sample does not tell of their relation. Compute a result on each, and pool the results with
        :func:`ehrgan.scores.pooling.rubin_rules`.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Records in their own units, NaN where missing.
        n_imputations : int, default=None
            Tables to draw, from 1 to ``n_draws``; all of them by default.
        random_state : int, RandomState instance or None, default=None
            Seeds the draws.

        Returns
        -------
        ndarray of shape (n_imputations, n, n_features_out)
            Observed cells are as they were. Where the values of an attribute repeat (it has half as
            many as cells, or fewer), drawn ones are of those seen; those of other attributes may
            lie beyond the range seen, as the truth may.

        Raises
        ------
        ValueError
            ``n_imputations`` is out of its range, the imputer was fitted with ``n_draws=0``, or X
            is not as :meth:`transform` needs it.

        Notes
        -----
        Table k comes from network k of ``n_draws``, trained on a bootstrap of its own, and from
        residuals of observed cells that were hidden from networks which did not know them, see
        :mod:`ehrgan.nets.draws`. The network is used as far as it errs less than a Gaussian fitted
        to the same bootstrap, so that a linear relation stays one.

        What the result will be related to must be an attribute of the table, the outcome of a
        regression included; else its relations to the drawn cells are diluted.

        Training takes ``n_draws / n_members`` times as long on top; drawing, per table, about as
        long as :meth:`transform` times the attributes with holes. Five tables do for estimates,
        twenty or more for steady intervals.

        References
        ----------
        Rubin, *Multiple imputation for nonresponse in surveys*, Wiley 1987. van Buuren, *Flexible
        imputation of missing data*, 2nd ed., CRC 2018, sections 2.3 and 3.2. Morris, White and
        Royston, "Tuning multiple imputation by predictive mean matching and local residual draws",
        BMC Medical Research Methodology 2014.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=200)
        >>> X = np.column_stack([x, x + rng.normal(size=200)])
        >>> X[:60, 1] = np.nan
        >>> imputer = StackedAutoencoderImputer(n_draws=3, epochs=20, random_state=0).fit(X)
        >>> draws = imputer.draw(X, random_state=0)
        >>> draws.shape, bool((draws[:, 60:] == X[60:]).all())
        ((3, 200, 2), True)
        >>> bool(abs(np.std(draws[:, :60, 1] - draws[:, :60, 0]) - 1) < 0.2)
        True
        """
        X = self._checked(X)
        if self.drawing_ is None:
            raise ValueError(
                "n_draws was 0 in fit; set it to the number of tables to draw, and fit anew."
            )
        most = len(self.drawing_.mean)
        n_imputations = most if n_imputations is None else n_imputations
        if not isinstance(n_imputations, Integral) or not 1 <= n_imputations <= most:
            raise ValueError(
                f"n_imputations is {n_imputations!r}; it must be a whole number from 1 to {most}, "
                "the n_draws of fit, since each table needs a network of its own."
            )
        seed = np.random.SeedSequence(check_random_state(random_state).randint(2**31))
        known = X[:, self.kept_]
        tables = np.repeat(X[None], n_imputations, axis=0)
        for b, child in enumerate(seed.spawn(n_imputations)):
            filled = self.drawing_.fill(self, known, b, np.random.default_rng(child))
            tables[b][:, self.kept_] = np.where(np.isnan(known), filled, known)
        return self._dressed(X, tables)

    def _checked(self, X):
        check_is_fitted(self)
        return self._with_holes(X, reset=False)

    def _with_holes(self, X, **asked):
        floats = (np.float64, np.float32)
        X = validate_data(self, X, dtype=floats, ensure_all_finite="allow-nan", **asked)
        check_categories(self.categories, X)
        return X

    def _dressed(self, X, tables):
        """Tables (m, n, d) without holes, as :meth:`get_feature_names_out` names their columns."""
        known = self._known()
        empty = np.setdiff1d(np.arange(X.shape[1]), known)
        tables[..., empty] = np.where(np.isnan(X[:, empty]), 0.0, X[:, empty])
        if not self.keep_empty_features:
            tables = tables[..., known]
        if self.indicator_ is None:
            return tables
        missing = self.indicator_.transform(X)
        return np.stack([np.hstack([table, missing]) for table in tables])

    def _known(self):
        """Attributes that some record had."""
        return self.kept_[~np.isnan(self.units_.shift)]

    def _members(self, Z):
        """Each member's estimate of every cell, on the network's scale: the mean of its passes."""
        return self._reconstruct(self.weights_, Z)

    def _reconstruct(self, weights, Z):
        # float64, so that a record's estimate does not depend on the records beside it
        keys = [row_digests(records) for records in weights[-1]] if self.neighbours else []
        weights = [p.astype(np.float64) for p in weights]
        starts = range(0, max(1, len(Z)), LOOKING)
        parts = [
            self._mean_of_passes(weights, Z[start : start + LOOKING], keys) for start in starts
        ]
        return np.concatenate(parts, axis=1)

    def _mean_of_passes(self, weights, Z, keys):
        shape = (len(weights[0]), *Z.shape)
        seen = np.broadcast_to((~np.isnan(Z)).astype(np.float64), shape)
        x = np.broadcast_to(np.nan_to_num(Z).astype(np.float64), shape)
        net = self._network()
        # a record of the training table must not find itself, as it did not in training; another
        # that shows the same and lacks the same tells nothing of its holes
        apart = np.stack([row_digests(Z)[:, None] != own for own in keys]) if keys else None
        outs = net(weights, x, seen, apart)
        # the first pass has seen no estimate; the mean of the later ones errs less than the last
        return np.mean([net.expected(x_out) for x_out in outs[1:] or outs], axis=0)

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
        >>> X = [[1.0, np.nan], [2.0, np.nan], [3.0, np.nan]]
        >>> StackedAutoencoderImputer(epochs=1).fit(X).get_feature_names_out()
        array(['x0'], dtype=object)
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        kept = names if self.keep_empty_features else names[self._known()]
        if self.indicator_ is None:
            return kept
        return np.concatenate([kept, self.indicator_.get_feature_names_out(names)])

    def __sklearn_tags__(self):
        """Say that holes are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class _ImputerTask(Task):
    """The table of one imputer."""

    def __init__(self, model, X, rows):
        super().__init__(model, X, rows)
        self.leading = model._network().categories.leading
        self.bytes_per_row = 4 * len(model.kept_)

    def split(self):
        rows = np.random.default_rng(self.seed.generate_state(4)).permutation(self.rows)
        n = min(max(1, round(self.model.validation_fraction * len(rows))), len(rows) - 1)
        return rows[n:], rows[:n]

    def shares(self, member):
        """Networks that draw learn from a bootstrap each, once any do."""
        n = len(self.parts[0])
        if not self.model.n_draws:
            return None
        first = self.model.n_members
        own = np.ones(n, int) if member < first else self.bootstraps[member - first]
        return np.cumsum(own)

    @cached_property
    def bootstraps(self):
        """How often each of the rows to train on is in the sample of each network that draws."""
        n = len(self.parts[0])
        rngs = [np.random.default_rng(s.bootstrap) for s in self.members[self.model.n_members :]]
        return np.array([np.bincount(rng.integers(n, size=n), minlength=n) for rng in rngs])

    def looked_up(self, member):
        """Records that a network learns from, at most KEPT_RECORDS; holes fill the table up."""
        rows, first = self.parts[0], self.model.n_members
        if member >= first:
            rows = rows[self.bootstraps[member - first] > 0]
        rows = np.roll(rows, -member * KEPT_RECORDS)[:KEPT_RECORDS]
        records = np.full((KEPT_RECORDS, len(self.model.kept_)), np.nan, np.float32)
        self.write(records, rows)
        return records

    def scaled(self, rows):
        return self.model.units_.to_network(self.X[np.ix_(rows, self.model.kept_)])

    def tables(self, n_rows):
        return {"X": np.full((n_rows, len(self.model.kept_)), np.nan, np.float32)}

    def lay(self, tables, start):
        self.write(tables["X"][start:], self.parts[0])

    def validation(self, seeds, length):
        """Records with the same cells hidden throughout, so that epochs compare."""
        rows = self.parts[1]
        X = self.tables(length)["X"]
        self.write(X, rows)
        known, hide = (~np.isnan(X)).astype(np.float32), np.zeros_like(X)
        tables = {"X": X, "hide": hide, "cells": known}
        if self.model.corruption:
            hide[: len(rows)] = self._hidden(len(rows), np.random.default_rng(seeds.validation))
            tables["cells"] = known * hide
        if self.model.neighbours:
            tables["records"] = self.looked_up(0)  # all members learn from the same
        return tables

    def _hidden(self, n, rng):
        """Cells to hide from n records: holes of other records, or cells at a random rate."""
        donors = self.X[np.ix_(rng.choice(self.rows, n), self.model.kept_)]
        at_random = rng.random(donors.shape) < MOST_HIDDEN * rng.random((n, 1))
        at_random = at_random[:, self.leading]
        return np.where(rng.random((n, 1)) < self.model.pattern_share, np.isnan(donors), at_random)
