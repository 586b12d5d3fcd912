"""The stacked autoencoder as a scikit-learn transformer that fills the holes of a table.

Long because its docstrings are its manual; network and loss are in modules of their own.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.impute import MissingIndicator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from ..tables.masking import sparsity
from .base import BLOCK, ReplicaEstimator, Task, canonical_order
from .categories import check_categories, groups_among
from .networks import Autoencoder
from .objectives import MOST_HIDDEN, ReconstructionObjective
from .optimisers import OPTIMIZERS
from .units import Units

PAPER_AUTOENCODER = {
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

CORRUPTIONS = (None, "observed")
SCALINGS = ("log", "standard", "minmax")
RESIDUAL_ROWS = 2000  # records, and patterns of holes, that tell how far the estimates may be off


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
    categories : sequence of (tuple of int, bool), default=()
        Columns of 0 and 1 that together code a category, and whether they are the steps of an
        order, 1 above a step, or one column for each category (a single column: yes or no). They
        are learned by cross-entropy, and what fills them are probabilities.
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
    ehrgan.nets.acgan.ACGANClassifier : The classifier that follows it in the paper.
    sklearn.impute.KNNImputer, sklearn.impute.IterativeImputer : Peers in scikit-learn.

    Notes
    -----
    Time grows linearly with records, attributes, members, passes and epochs. Compiling takes one to
    three seconds for each new combination of sizes in a process. A fit does not depend on the order
    of the records.

    All cores train already, so leave ``n_jobs`` of scikit-learn's searches and cross-validations
    at 1: each of their processes would load TensorFlow and compile anew.
    :meth:`~ehrgan.nets.base.ReplicaEstimator.fit_many` trains all folds at once.

    References
    ----------
    Section "Missing Data Prediction" of the paper, equation 1. The arguments :data:`PAPER` are the
    paper's. Vincent et al., "Stacked denoising autoencoders", JMLR 2010, for the corruption.

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

    _named_tuples = {"units_": Units}
    _hyper = ("learning_rate", "beta_1", "l2", "decay")
    _name, _curve = "autoencoder", "reconstruction"
    _parameter_constraints = {
        **ReplicaEstimator._parameter_constraints,
        "hidden_layers": ["array-like"],
        "corruption": [StrOptions({"observed"}), None],
        "sparsity_threshold": [Interval(Real, 0, 1, closed="right")],
        "scaling": [StrOptions(set(SCALINGS))],
        "linear_skip": ["boolean"],
        "n_passes": [Interval(Integral, 1, None, closed="left")],
        "pattern_share": [Interval(Real, 0, 1, closed="both")],
        "visible_weight": [Interval(Real, 0, None, closed="left")],
        "categories": ["array-like"],
        "optimizer": [StrOptions(set(OPTIMIZERS))],
        "decay": ["boolean"],
        "keep_empty_features": ["boolean"],
        "add_indicator": ["boolean"],
    }

    def __init__(
        self, *, hidden_layers=(128,), corruption="observed", sparsity_threshold=0.1,
        scaling="log", linear_skip=True, n_passes=4, pattern_share=0.8, visible_weight=0.1,
        categories=(), n_members=4, optimizer="adam", learning_rate=2e-3, beta_1=0.9, decay=True,
        l2=0.0, epochs=150, batch_size=64,
        early_stopping=False, validation_fraction=0.2, n_iter_no_change=50,
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

    def _task(self, X):
        """Validate, and learn the units."""
        self._validate_params()
        sizes = tuple(self.hidden_layers)
        if not all(isinstance(units, Integral) and units >= 1 for units in sizes):
            raise ValueError(f"hidden_layers is {sizes}; it must hold whole numbers, at least 1.")
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
        return _ImputerTask(self, X, rows, self._patterns(X))

    def _patterns(self, X):
        """Patterns of holes that the table shows, at most RESIDUAL_ROWS of them."""
        holes = np.isnan(X[:, self.kept_]) if len(self.kept_) < X.shape[1] else np.isnan(X)
        holed = np.flatnonzero(holes.any(axis=1) & ~holes.all(axis=1))
        order = canonical_order(X[holed])
        return holes[holed[order[:RESIDUAL_ROWS]]]

    def _network(self):
        told = self.corruption is not None
        sizes = (len(self.kept_), tuple(self.hidden_layers))
        groups = groups_among(self.categories, self.kept_)
        return Autoencoder(*sizes, told, self.linear_skip, self.n_passes, groups)

    def _objective(self):
        corrupts = self.corruption is not None
        shares = (self.pattern_share, self.visible_weight)
        return ReconstructionObjective(self._network(), corrupts, *shares)

    def _options(self):
        return {"optimizer": self.optimizer}

    def _first_weights(self, tasks, seeds):
        return {"AE": self._network().first_weights(seeds)}

    def _keep(self, weights, task):
        self.weights_ = weights["AE"]
        self.residual_covariance_ = _residual_covariance(self, task)

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
        categories = self._network().categories

        def one(members):
            chosen = rng.integers(len(members), size=members.shape[1])
            noise = rng.standard_normal(members.shape[1:]) @ spread.T
            chosen = members[chosen, np.arange(members.shape[1])]
            return categories.draw(chosen, rng) + (1.0 - categories.coded) * noise

        return self._filled(X, one, n_imputations)

    def _checked(self, X):
        check_is_fitted(self)
        return self._with_holes(X, reset=False)

    def _with_holes(self, X, **asked):
        floats = (np.float64, np.float32)
        X = validate_data(self, X, dtype=floats, ensure_all_finite="allow-nan", **asked)
        check_categories(self.categories, X)
        return X

    def _filled(self, X, fill, n_tables=1):
        """Fill the holes ``n_tables`` times by what ``fill`` makes of the members' estimates."""
        tables = np.repeat(X[None], n_tables, axis=0)
        empty = np.setdiff1d(np.arange(X.shape[1]), self.kept_)
        tables[..., empty] = np.where(np.isnan(X[:, empty]), 0.0, X[:, empty])
        holed = np.flatnonzero(np.isnan(X[:, self.kept_]).any(axis=1))
        for start in range(0, len(holed), BLOCK):
            rows = holed[start : start + BLOCK]
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
        net = self._network()
        outs = net(weights, x, seen)
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


class _ImputerTask(Task):
    """The table of one imputer, and the patterns of holes that it shows."""

    def __init__(self, model, X, rows, patterns):
        super().__init__(model, X, rows)
        self.patterns = patterns
        self.leading = model._network().categories.leading
        self.bytes_per_row = 4 * len(model.kept_)

    def split(self):
        rows = np.random.default_rng(self.seed.generate_state(4)).permutation(self.rows)
        n = min(max(1, round(self.model.validation_fraction * len(rows))), len(rows) - 1)
        return rows[n:], rows[:n]

    @property
    def left_out(self):
        """Records that a member does not learn from: odd members the first, even the last ones.

        The estimates for them show how far off a member is on records that it does not know.
        """
        if self.model.early_stopping or self.model.n_members == 1:
            return 0
        return len(self.parts[0]) // 10

    def place(self, member):
        out = self.left_out
        return out if member % 2 else 0, len(self.parts[0]) - out

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
        if not self.model.corruption:
            return {"X": X, "hide": hide, "cells": known}
        hide[: len(rows)] = self._hidden(len(rows), np.random.default_rng(seeds.validation))
        return {"X": X, "hide": hide, "cells": known * hide}

    def _hidden(self, n, rng):
        """Cells to hide from n records: holes of other records, or cells at a random rate."""
        donors = self.X[np.ix_(rng.choice(self.rows, n), self.model.kept_)]
        at_random = rng.random(donors.shape) < MOST_HIDDEN * rng.random((n, 1))
        at_random = at_random[:, self.leading]
        return np.where(rng.random((n, 1)) < self.model.pattern_share, np.isnan(donors), at_random)


def _residual_covariance(model, task):
    """Hide cells of records as the table's holes are, and see how far off the estimates are.

    Each record is tried with the holes of another, and without some of the attributes that the
    table never lacks. A pair of attributes never hidden together counts as uncorrelated.
    """
    (fit, validation), out = task.parts, task.left_out
    sides = [(fit[:out], 1), (fit[len(fit) - out :], 0)] if out else [(validation, 0)]
    if not len(sides[0][0]):
        sides = [(fit, 0)]
    squares, together = 0.0, 0.0
    rng = np.random.default_rng(task.seed.generate_state(4))
    for rows, first in sides:
        Z = task.scaled(np.tile(rows[:RESIDUAL_ROWS], 2))
        hide = _trial_holes(task.patterns, Z.shape, rng)[:, task.leading] & ~np.isnan(Z)
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
