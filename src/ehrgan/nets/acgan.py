"""The auxiliary-classifier GAN as a scikit-learn classifier, and as a generator of records.

Long because its docstrings are its manual; the networks and losses are in modules of their own.
"""

from functools import cached_property
from numbers import Integral, Real

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ..tables.template import Template
from .base import BLOCK, ReplicaEstimator, Task, canonical_order, check_same, train_together
from .engine import padded_length
from .losses import CLASS_LOSSES, GENERATOR_LOSSES
from .networks import Discriminator, Generator
from .objectives import CLASS_CONDITIONS, AdversarialObjective
from .online import PIECE, pieces
from .running import Line, Running, facing_cells, making_cells
from .units import FARTHEST, framed, frames, scaled, unframed

PAPER_ACGAN = {
    "scaling": "minmax",
    "generator_output": "sigmoid",
    "adversarial_weight": 1.0,
    "l2": 0.0,
    "beta_1": 0.9,
    "epochs": 500,
}
"""Arguments that make :class:`ACGANClassifier` the paper's, where it differs from the default."""

HYPER = ("learning_rate", "beta_1", "l2", "adversarial_weight", "averaging")
CRITERIA = ("loss", "error")
REPLAYS = ("generator", "reservoir")
LARGEST_WHOLE = 2.0**64  # no type of whole numbers goes further, and every float there is whole


class ACGANClassifier(ClassifierMixin, ReplicaEstimator):
    """Auxiliary-classifier GAN: a discriminator that also tells the class, and a generator.

    The discriminator D has two outputs, S (real or fake) and C (class). It learns from real records
    and from those of the generator G, which learns to make records of each class that D takes for
    real. Prediction uses C alone; :meth:`sample` uses G alone.

    Parameters
    ----------
    hidden_units : int, default=50
        Units of the one hidden layer (ReLU) of D and of G, at least 1.
    noise_dim : int, default=10
        Length of the noise vector z, at least 1.
    epochs : int, default=160
        Passes over the training records, at least 1.
    batch_size : int, default=64
        Records in a minibatch, at least 1; fewer records make one smaller batch.
    learning_rate : float, default=1e-3
        Step of Adam, above 0.
    beta_1 : float, default=0.5
        Decay of Adam's first moment, in [0, 1).
    l2 : float, default=0.01
        Weight decay of D: l2 / 2 times the squared weights is added to its loss; at least 0.
    adversarial_weight : float, default=0.1
        Weight of L_S beside L_C, at least 0. 1 is the paper's; 0 switches the game off.
    class_loss : {"both", "real", "discriminator", "adc"}, default="both"
        Who learns from the class loss on fake records, see :func:`ehrgan.nets.losses.acgan_losses`;
        with "adc" D tells the classes of fake records from those of real ones.
    generator_loss : {"saturating", "non_saturating"}, default="saturating"
        What G maximises, see :func:`ehrgan.nets.losses.acgan_losses`.
    class_conditions : {"batch", "balanced", "opposite"}, default="batch"
        Which classes G is asked for in a minibatch: those of its real records (the paper's), each
        class equally often, or what balances real and fake records together (the paper's idea for
        rare classes), see :func:`ehrgan.nets.objectives.asked_classes`.
    generator_output : {"linear", "sigmoid"}, default="linear"
        Output activation of G; "sigmoid" goes with ``scaling="minmax"``.
    scaling : {"standard", "minmax"} or None, default="standard"
        How attributes are scaled before they meet a network, learned in :meth:`fit`.
    averaging : float, default=0.0
        Decay of an exponential average of the weights that is kept in their place, in [0, 1);
        0 keeps the last weights.
    n_members : int, default=1
        Networks trained from different seeds whose probabilities are averaged, at least 1.
    early_stopping : bool, default=False
        Keep the weights of the epoch that does best on an inner validation split.
    stopping_criterion : {"loss", "error"}, default="loss"
        What "best" means there: the least class loss, or the fewest records called wrongly.
    validation_fraction : float, default=0.1
        Share of the training records in that split, in (0, 1).
    n_iter_no_change : int, default=20
        Epochs without a better validation loss before training stops, at least 1.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes; they multiply ``sample_weight``. Where ``class_conditions`` is not
        "batch", those of a dict say in what proportion generated records are balanced, too.
    warm_start : bool, default=False
        Start from the weights and the scaling of the last fit.
    partial_epochs : int, default=10
        Passes over each batch that :meth:`partial_fit` is given, at least 1.
    replay : {"generator", "reservoir"} or None, default=None
        What :meth:`partial_fit` learns again beside each batch, so that it does not forget: records
        that the generator makes, with classes drawn from what the discriminator says of them, of
        which nothing is stored; or a stored sample of those that came, each with the same chance.
    replay_size : int, default=256
        How many those are, at least 1.
    random_state : int, RandomState instance or None, default=None
        Seeds first weights, batch order and noise.
    max_replicas : int or None, default=None
        Most networks that :meth:`fit_many` trains at once; None fits them to memory.
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
    history_ : dict of ndarray of shape (epochs,)
        Mean over each epoch (and over members) of every loss term, as the losses are written:
        ``L_S_real``, ``L_S_fake``, ``L_C_real``, ``L_C_fake`` (log-likelihoods, higher is better),
        ``loss_D``, ``loss_G``, and ``validation`` with early stopping.
    loss_curve_ : ndarray of shape (epochs,)
        ``history_["loss_D"]``.
    best_epoch_ : int or None
        Epoch (from 1) whose weights were kept, the mean over members; None without early stopping.
    discriminator_, generator_ : list of ndarray
        ``[W1, b1, W2, b2]`` with a leading axis of members.
    class_count_ : ndarray of shape (K,)
        Weight of the records of each class.
    n_samples_seen_ : ndarray of shape (d,)
        Weight of the records that tell the scale of each attribute.
    reservoir_ : dict
        With ``replay="reservoir"``, the stored records "X" in their own units and their classes
        "c", as places in ``classes_``.

    See Also
    --------
    ehrgan.nets.autoencoder.StackedAutoencoderImputer : Fills the holes that this one refuses.
    ehrgan.nets.joint.JointACGANClassifier : Fills them itself, trained together.

    Notes
    -----
    A step costs about 2 MFLOP for 30 attributes and a batch of 64. Time grows linearly with
    records, attributes, members and epochs. Compiling takes one to three seconds for each new
    combination of sizes in a process. A fit does not depend on the order of the records, and a
    whole-number ``sample_weight`` is the same as repeating the record.

    Probabilities mean what they say at the frequencies of the classes that D learns its classes
    from. Weights shift them, and so does every ``class_conditions`` but "batch" with the default
    ``class_loss``: with "opposite" classes are balanced.
    :func:`ehrgan.scores.calibration.reprior` brings them back.

    All cores train already, so leave ``n_jobs`` of scikit-learn's searches and cross-validations
    at 1: each of their processes would load TensorFlow and compile anew. :meth:`fit_many` trains
    all folds at once, at little more than the cost of their matrix products.

    References
    ----------
    Section "Disease Prediction" of the paper, equations 4 and 5; :meth:`sample` makes its Figure 4
    (B). Odena, Olah and Shlens,
    "Conditional image synthesis with auxiliary classifier GANs", ICML 2017. "adc": Hou et al.,
    "Conditional GANs with auxiliary discriminative classifier", ICML 2022.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from ehrgan import ACGANClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = ACGANClassifier(epochs=20, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    >>> X_fake, y_fake = model.sample(3, y=1, random_state=0)
    >>> X_fake.shape, model.predict(X_fake).tolist()
    ((3, 30), [1, 1, 1])
    """

    _named_tuples = {"template_": Template}
    _hyper = HYPER
    _alike = (*ReplicaEstimator._alike, "warm_start")
    _name, _curve = "AC-GAN", "loss_D"
    _parameter_constraints = {
        **ReplicaEstimator._parameter_constraints,
        "hidden_units": [Interval(Integral, 1, None, closed="left")],
        "noise_dim": [Interval(Integral, 1, None, closed="left")],
        "adversarial_weight": [Interval(Real, 0, None, closed="left")],
        "class_loss": [StrOptions(set(CLASS_LOSSES))],
        "generator_loss": [StrOptions(set(GENERATOR_LOSSES))],
        "class_conditions": [StrOptions(set(CLASS_CONDITIONS))],
        "generator_output": [StrOptions({"linear", "sigmoid"})],
        "scaling": [StrOptions({"standard", "minmax"}), None],
        "averaging": [Interval(Real, 0, 1, closed="left")],
        "stopping_criterion": [StrOptions(set(CRITERIA))],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "warm_start": ["boolean"],
        "partial_epochs": [Interval(Integral, 1, None, closed="left")],
        "replay": [StrOptions(set(REPLAYS)), None],
        "replay_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, *, hidden_units=50, noise_dim=10,
        epochs=160, batch_size=64, learning_rate=1e-3, beta_1=0.5, l2=0.01,
        adversarial_weight=0.1, class_loss="both", generator_loss="saturating",
        class_conditions="batch", generator_output="linear", scaling="standard", averaging=0.0,
        n_members=1, early_stopping=False, stopping_criterion="loss", validation_fraction=0.1,
        n_iter_no_change=20, class_weight=None, warm_start=False, partial_epochs=10, replay=None,
        replay_size=256, random_state=None, max_replicas=None, n_jobs=None, verbose=False,
    ):  # fmt: skip
        self._keep_arguments(locals())

    def fit(self, X, y, sample_weight=None):
        """Train generator and discriminator.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Complete records, in their own units.
        y : array-like of shape (n,)
            Class of each record, two classes or more, of any type.
        sample_weight : array-like of shape (n,), optional
            Weights of the records, at least 0: how often each is drawn.

        Returns
        -------
        ACGANClassifier
            Itself, fitted.

        Raises
        ------
        ValueError
            X holds NaN or inf (with ``scaling=None``, anything above 1e15 in size), y holds one
            class, a parameter is out of its range, or training diverged.
        """
        return self._fit(X, y, sample_weight)

    @available_if(lambda self: self._streams)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Learn from one more batch of records, in constant time and memory.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Complete records, in their own units; one is enough.
        y : array-like of shape (n,)
            Class of each record, one of ``classes``; all may be of one.
        classes : array-like of shape (K,), default=None
            Every class that will ever come, two or more; needed at the first call of a model that
            is not fitted.
        sample_weight : array-like of shape (n,), optional
            Weights of the records, at least 0.

        Returns
        -------
        ACGANClassifier
            Itself.

        Raises
        ------
        ValueError
            ``classes`` lack at the first call or are others than there, y holds another class, X is
            not as :meth:`fit` needs it or has other attributes than before, a parameter needs all
            records at once (``early_stopping``, ``class_weight="balanced"``) or changes the sizes
            of the networks, or training diverged. The model then stands where it stood before, as
            it does after an interruption.

        Notes
        -----
        Each batch is passed over ``partial_epochs`` times, by the optimiser as the last batch left
        it. The scale of an attribute is that of all records so far (Chan, Golub and LeVeque 1983);
        where it moves, the networks are told again on the new one and say of each record what they
        said before (but for ``generator_output="sigmoid"``, whose range stretches). What an
        attribute held while it was constant counts as one record, so that one that appears late is
        scaled by its own values.

        A model that was saved, loaded and goes on is the same, bit for bit, as one that never
        stopped. After :meth:`fit` it goes on from there, with an optimiser that begins anew.

        References
        ----------
        Shin, Lee, Kim and Kim, "Continual learning with deep generative replay", NeurIPS 2017.
        Vitter, "Random sampling with a reservoir", ACM TOMS 1985.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> model = ACGANClassifier(random_state=0)
        >>> for start in range(0, 500, 50):
        ...     rows = slice(start, start + 50)
        ...     model = model.partial_fit(X[rows], y[rows], classes=[0, 1])
        >>> bool(model.score(X[500:], y[500:]) > 0.9)
        True
        """
        with self._all_or_nothing():
            X, c, weight = self._batch(X, y, classes, sample_weight)
            for rows in pieces(len(X)):
                self._learn_piece(X[rows], c[rows], weight[rows])
        return self

    def _batch(self, given, y, classes, sample_weight):
        """A batch as numbers, codes and weights; or say what is wrong with it."""
        self._check_online()
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight is 'balanced'; partial_fit needs a dict or None, since the "
                "frequencies of a stream are known at its end alone."
            )
        first = not hasattr(self, "discriminator_")
        X, y = validate_data(self, given, y, dtype=(np.float64, np.float32), reset=first)
        check_classification_targets(y)
        classes = self._all_classes(classes, first)
        strange = sorted({str(label) for label in y[~np.isin(y, classes)]})
        if strange:
            raise ValueError(f"y holds {', '.join(strange)}; the classes are {classes}.")
        weight = self._weights(X, classes, y, sample_weight)
        if self.scaling is None:
            self._refuse_far(np.abs(X).max(axis=0))
        teach = weight > 0
        if first:
            self._begin(given, classes)
        elif not self._in_stream:
            self._open_stream({"G": self.generator_, "D": self.discriminator_})
        self._check_as_begun()
        self.template_ = self.template_.joined(Template.of(given))
        return X[teach], np.searchsorted(classes, y[teach]), weight[teach]

    def _all_classes(self, classes, first):
        """Every class that will come, in order."""
        if classes is None and first:
            raise ValueError(
                "classes is None; the first call of partial_fit needs every class that will come."
            )
        if classes is None:
            return self.classes_
        classes = unique_labels(classes)
        if first and len(classes) < 2:
            raise ValueError(f"classes is {classes}; two classes or more are needed.")
        if not first and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"classes is {classes}, but partial_fit began with {self.classes_}; it needs the "
                "same, or None."
            )
        return classes

    def _begin(self, given, classes):
        """Begin a stream: nothing is known of any attribute, and the weights are first ones."""
        self.classes_, self.class_count_ = classes, np.zeros(len(classes))
        self.template_ = Template.of(given)
        nothing = Running.empty(self.n_features_in_)
        self.n_samples_seen_, self.low_, self.high_ = nothing.n, nothing.low, nothing.high
        self.origin_, self.power_, self.shift_ = nothing.origin, nothing.power, nothing.mean
        self.scale_, self.whole_ = np.ones_like(nothing.n), np.ones(len(nothing.n), bool)
        self._open_stream()

    def _learn_piece(self, X, c, weight):
        """Move the scale, then learn the records beside those that are replayed."""
        if not len(X):
            return
        self._move_scale(X, weight)
        again, c_again = self._replayed()
        self.class_count_ = self.class_count_ + np.bincount(c, weight, len(self.classes_))
        self.class_prior_ = self.class_count_ / self.class_count_.sum()
        room = PIECE + (self.replay_size if self.replay else 0)
        n = len(X) + len(again)
        tables = {
            "X": np.zeros((padded_length(room), X.shape[1]), np.float32),
            "c": np.zeros(padded_length(room), np.int32),
        }
        tables["X"][:n] = np.concatenate([self._scaled(X), again])
        tables["c"][:n] = np.concatenate([c, c_again])
        own = weight * (len(X) / weight.sum())
        self._teach(tables, np.cumsum(np.concatenate([own, np.ones(len(again))])), room)
        if self.replay == "reservoir":
            self._store(self.replay_size, X=X, c=c)

    def _move_scale(self, X, weight):
        """Join the records to the scale, and tell the networks again on the new one."""
        eps = np.finfo(X.dtype).eps
        seen = Running(
            self.n_samples_seen_, self.low_, self.high_, self.origin_, self.power_, self.shift_,
            self.scale_,
        )  # fmt: skip
        flat = seen.constant(eps)
        seen = seen._replace(deviation=np.where(flat, 0.0, seen.deviation))
        low, high = np.fmin(self.low_, X.min(axis=0)), np.fmax(self.high_, X.max(axis=0))
        before = seen.framed_anew(low, high, eps, fixed=self.scaling is None)
        frame = before.origin, before.power
        now = before.joined(framed(X, *frame), weight, flat)
        ends = [framed(end[None], *frame)[0] for end in (low, high)]
        none = np.zeros_like(low)
        shift, scale = {"standard": (now.mean, now.deviation),
                        "minmax": (ends[0], ends[1] - ends[0]),
                        None: (none, none)}[self.scaling]  # fmt: skip
        scale = np.where(now.constant(eps) | (scale == 0), 1.0, scale)
        self._move(Line.between((before.mean, before.deviation), (shift, scale), ~flat))
        self.n_samples_seen_, self.low_, self.high_ = now.n, low, high
        self.origin_, self.power_, self.shift_, self.scale_ = *frame, shift, scale
        self.whole_ = self.whole_ & [are_whole(x) for x in X.T]

    def _told_again(self, weights, line):
        (*first, W2, b2), (W1, b1, *last) = weights["G"], weights["D"]
        if self.generator_output == "linear":
            W2, b2 = making_cells(W2, b2, line)
        return {"G": [*first, W2, b2], "D": [*facing_cells(W1, b1, line), *last]}

    def _show(self, weights):
        self.generator_, self.discriminator_ = weights["G"], weights["D"]

    def _replayed(self):
        """Records to learn again, on the networks' scale, and the codes of their classes."""
        n, rng = self.replay_size, self._chance(1)
        if self.replay == "generator" and self.class_count_.any():
            Z = self._made(rng.choice(len(self.classes_), n, p=self.class_prior_), rng)
            below = np.cumsum(self._told(Z), axis=1)[:, :-1]
            return Z, (rng.random((n, 1)) >= below).sum(axis=1)
        if self.replay == "reservoir" and hasattr(self, "reservoir_"):
            return self._scaled(self.reservoir_["X"]), self.reservoir_["c"]
        return np.zeros((0, self.n_features_in_), np.float32), np.zeros(0, int)

    def fit_many(self, datasets, *, params=None, watched=None):
        """Train one clone per dataset, all at once on the replica axis.

        Parameters
        ----------
        datasets : list of (X, y) or (X, y, sample_weight)
            Sizes may differ; numbers of attributes and of classes may not.
        params : list of dict, optional
            Parameters to set on each clone. What changes no shape (:data:`HYPER`, ``epochs``,
            ``random_state``) costs no further compilation.
        watched : list of (X, y), optional
            With ``early_stopping``, records of each dataset to validate on in place of an inner
            split. They teach nothing but the epoch whose weights are kept.

        Returns
        -------
        list of ACGANClassifier
            Fitted clones, each as :meth:`fit` would have left it (to float tolerance).

        Raises
        ------
        ValueError
            Datasets that differ in attributes or classes, an invalid dataset, or ``watched``
            without ``early_stopping`` or of another length.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> halves = [(X[::2], y[::2]), (X[1::2], y[1::2])]
        >>> odd, even = ACGANClassifier(epochs=20, random_state=0).fit_many(halves)
        >>> bool(odd.score(*halves[1]) > 0.9)
        True
        """
        tasks = self._tasks(datasets, params)
        check_same("number of classes", [len(task.model.classes_) for task in tasks])
        if watched is not None:
            self._watch(tasks, list(watched))
        train_together(tasks)
        return [task.model for task in tasks]

    def _arguments(self, dataset, i):
        if not isinstance(dataset, tuple | list) or not 2 <= len(dataset) <= 3:
            raise ValueError(
                f"datasets[{i}] must be a tuple (X, y, sample_weight), the last optional."
            )
        return dataset

    def _watch(self, tasks, watched):
        """Give each task the records that its epoch is chosen on."""
        if not all(task.model.early_stopping for task in tasks) or len(watched) != len(tasks):
            raise ValueError(
                f"watched lists {len(watched)} sets of records for {len(tasks)} datasets; "
                "it needs one for each, and early_stopping=True."
            )
        for task, (X, y) in zip(tasks, watched, strict=True):
            X = task.model._records(X, reset=False)
            task.watched = X, task.model._codes(y, len(X))

    def _records(self, X, **asked):
        """X as an array of floats, or say what is wrong with it."""
        return validate_data(self, X, dtype=(np.float64, np.float32), **asked)

    def _task(self, X, y, sample_weight=None):
        """Validate, and learn the scaling."""
        self._validate_params()
        given = X
        warm = self.warm_start and hasattr(self, "discriminator_")
        X, y = validate_data(self, X, y, dtype=(np.float64, np.float32), reset=not warm)
        check_classification_targets(y)
        classes, c = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"y holds one class, {classes[0]}; ACGANClassifier needs records of two classes "
                "or more to learn to tell them apart."
            )
        if warm and not np.array_equal(classes, self.classes_):
            raise ValueError(f"y holds {classes}; warm_start needs {self.classes_}, as before.")
        weight = self._weights(X, classes, y, sample_weight)
        order = canonical_order(X, c)
        rows = order[weight[order] > 0]
        self.classes_ = classes
        self.class_count_ = np.bincount(c, weight, len(classes))
        self.class_prior_ = self.class_count_ / weight.sum()
        if not warm:
            self.template_ = Template.of(given)
            self._learn_units(X, rows, weight[rows])
        return _ClassifierTask(self, X, rows, c.astype(np.int32), weight)

    def _weights(self, X, classes, y, sample_weight):
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if self.class_weight is not None:
            by_class = compute_class_weight(self.class_weight, classes=classes, y=y)
            weight = weight * by_class[np.searchsorted(classes, y)]
        if not weight.sum() > 0:
            raise ValueError("sample_weight is 0 for every record; at least one must be above 0.")
        return weight

    def _learn_units(self, X, rows, weight):
        """Learn scaling, range and wholeness column by column, so that no second table is made."""
        low, high, whole = np.array(
            [(x.min(), x.max(), are_whole(x)) for x in (x[rows] for x in X.T)],
            dtype=np.float64,
        ).T
        size = np.maximum(-low, high)
        self.low_, self.high_ = low, high
        self.whole_ = whole.astype(bool)
        self.origin_, self.power_, constant = frames(low, high, np.finfo(X.dtype).eps)
        self.n_samples_seen_ = np.full(X.shape[1], weight.sum())
        if self.scaling is None:
            self._refuse_far(size)
            self.origin_, self.power_ = np.zeros_like(low), np.zeros_like(self.power_)
        learned = []
        for column, *frame in zip(X.T, self.origin_, self.power_, strict=True):
            x = framed(column[rows], *frame)
            mean = np.average(x, weights=weight)
            deviation = np.sqrt(np.average((x - mean) ** 2, weights=weight))
            learned.append({"standard": (mean, deviation), "minmax": (x.min(), np.ptp(x)),
                            None: (0.0, 1.0)}[self.scaling])  # fmt: skip
        shift, scale = np.array(learned).T
        # float32 hides the last bits of a sum, which differ between equal sets of records
        self.shift_ = np.float32(shift).astype(np.float64)
        self.scale_ = np.where(constant, 1.0, np.float32(scale)).astype(np.float64)

    @staticmethod
    def _refuse_far(size):
        """Refuse numbers that float32 could not square."""
        if size.max() > FARTHEST:
            raise ValueError(
                f"column {size.argmax()} of X holds {size.max():g} in size; scaling=None "
                f"needs numbers up to {FARTHEST:g}. Choose a scaling."
            )

    def _scaled(self, X):
        Z = scaled(framed(X, self.origin_, self.power_), self.shift_, self.scale_)
        Z[:, self.low_ == self.high_] = 0.0  # what has not varied yet has taught nothing
        return Z

    def _networks(self):
        d, K = self.n_features_in_, len(self.classes_)
        G = Generator(self.noise_dim, K, self.hidden_units, d, self.generator_output)
        return G, Discriminator(d, self.hidden_units, K, self.class_loss == "adc")

    def _objective(self):
        names = ("class_loss", "generator_loss", "stopping_criterion", "class_conditions")
        given = (getattr(self, name) for name in names)
        return AdversarialObjective(*self._networks(), *given, self._asked_weights())

    def _asked_weights(self):
        """Weights of the classes that G is asked for; "balanced" leaves nothing to weigh there."""
        if self.class_conditions == "batch" or not isinstance(self.class_weight, dict):
            return ()
        own = self.classes_
        return tuple(compute_class_weight(self.class_weight, classes=own, y=own).tolist())

    def _options(self):
        return {"averaging": self.averaging > 0}

    def _first_weights(self, tasks, seeds):
        if self.warm_start and hasattr(self, "discriminator_"):
            G, D = ([getattr(t.model, n) for t in tasks] for n in ("generator_", "discriminator_"))
            return {name: [np.concatenate(p) for p in zip(*own, strict=True)]
                    for name, own in (("G", G), ("D", D))}  # fmt: skip
        G, D = self._networks()
        first, second = zip(*(seed.spawn(2) for seed in seeds), strict=True)
        return {"G": G.first_weights(first), "D": D.first_weights(second)}

    def _keep(self, weights, task):
        self.generator_, self.discriminator_ = weights["G"], weights["D"]

    def decision_function(self, X):
        """Log-odds of the classes.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Records as :meth:`fit` takes them.

        Returns
        -------
        ndarray of shape (n,) for two classes, else (n, K)
            Log-odds of ``classes_[1]``, or log-probabilities of each class.
        """
        P = np.maximum(self.predict_proba(X), np.finfo(np.float64).tiny)
        log_p = np.log(P)
        return log_p[:, 1] - log_p[:, 0] if P.shape[1] == 2 else log_p

    def predict_proba(self, X):
        """Probability of each class, P(C = c | X), averaged over members.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Records as :meth:`fit` takes them.

        Returns
        -------
        ndarray of shape (n, K)
            Columns in the order of ``classes_``.

        Raises
        ------
        ValueError
            X holds what :meth:`fit` refuses, or another number of attributes than there.
        """
        check_is_fitted(self)
        X = self._records(X, reset=False)
        P = np.empty((len(X), len(self.classes_)))
        for start in range(0, len(X), BLOCK):
            rows = slice(start, start + BLOCK)
            P[rows] = self._told(self._scaled(X[rows]))
        return P

    def _told(self, Z):
        """P(C = c | X) of scaled records (..., n, d), averaged over members."""
        _, judge = self._networks()
        # float64, so that a record's probability does not depend on who else is asked about
        _, C = judge([p.astype(np.float64) for p in self.discriminator_], Z)
        C = judge.of_real(C)
        log_odds = np.concatenate([np.zeros_like(C[..., :1]), C], axis=2)
        return softmax(log_odds, axis=2).mean(axis=0)

    def predict(self, X):
        """Most probable class of each record.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Records as :meth:`fit` takes them.

        Returns
        -------
        ndarray of shape (n,)
            Labels from ``classes_``.
        """
        P = self.predict_proba(X)
        return self.classes_[P.argmax(axis=1)]

    def sample(self, n, y=None, *, random_state=None):
        """Generate records of given classes.

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
            Records in the units and types of the training records (a DataFrame where those came in
            one); whole-numbered attributes are rounded and kept within the range seen.
        y_fake : ndarray of shape (n,)
            Their classes.

        Raises
        ------
        ValueError
            ``n`` is below 1, or ``y`` holds a class that was not trained on.
        """
        X, c = self._generated(n, y, random_state)
        return self._in_units(X), self.classes_[c]

    def _generated(self, n, y, random_state):
        """Records before they are rounded and dressed, and the codes of their classes."""
        c, rng = self._asked(n, y, random_state)
        X = self._made(c, rng)
        return unframed(X * self.scale_ + self.shift_, self.origin_, self.power_), c

    def _made(self, c, rng):
        """Records of the classes with codes c, on the networks' scale."""
        n = len(c)
        member = rng.integers(len(self.generator_[0]), size=n)
        z = rng.standard_normal((n, self.generator_[0].shape[1] - len(self.classes_)))
        X = np.empty((n, self.n_features_in_))
        make, _ = self._networks()
        for m in np.unique(member):
            rows = member == m
            G = [p[m : m + 1] for p in self.generator_]
            X[rows] = make(G, np.float32(z[None, rows]), c[None, rows])[0]
        return X

    def _asked(self, n, y, random_state):
        """Codes of the classes to sample, and a generator; or say what is wrong with them."""
        check_is_fitted(self)
        if not isinstance(n, Integral) or n < 1:
            raise ValueError(f"n is {n!r}; it must be a whole number of records, at least 1.")
        rng = np.random.default_rng(check_random_state(random_state).randint(2**31))
        if y is None:
            return rng.choice(len(self.classes_), n, p=self.class_prior_), rng
        return self._codes(y, n), rng

    def _codes(self, y, n):
        y = np.full(n, y) if np.ndim(y) == 0 else np.asarray(y)
        if y.shape != (n,):
            raise ValueError(f"y has shape {y.shape}; it must be one label or {n} labels.")
        strange = sorted({str(label) for label in y[~np.isin(y, self.classes_)]})
        if strange:
            raise ValueError(f"y holds {', '.join(strange)}; the classes are {self.classes_}.")
        return np.searchsorted(self.classes_, y)

    def _in_units(self, X):
        whole = self.whole_
        X[:, whole] = np.clip(np.rint(X[:, whole]), self.low_[whole], self.high_[whole])
        return self.template_.dress(X)


class _ClassifierTask(Task):
    """The records of one classifier, their classes and weights."""

    def __init__(self, model, X, rows, c, weight):
        super().__init__(model, X, rows)
        self.c, self.weight, self.watched = c, weight, None
        self.bytes_per_row = 4 * (X.shape[1] + 2)

    def split(self):
        if self.watched is not None:
            return self.rows, self.rows[:0]
        known = self.c[self.rows] >= 0  # of others nobody can say whether they are called rightly
        train, held = train_test_split(
            self.rows[known],
            test_size=self.model.validation_fraction,
            stratify=self.c[self.rows[known]],
            random_state=int(self.seed.generate_state(1)[0]),
        )
        return np.concatenate([train, self.rows[~known]]), held

    def shares(self, member):
        """Whole-number weights are repetition."""
        return self._shares

    @cached_property
    def _shares(self):
        weight = self.weight[self.parts[0]]
        whole = np.array_equal(weight, np.rint(weight))
        total = weight.sum() if whole else len(weight)
        return np.cumsum(weight) * (total / weight.sum())

    def scaled(self, rows):
        return self.model._scaled(self.X[rows])

    def tables(self, n_rows):
        X = np.zeros((n_rows, self.X.shape[1]), np.float32)
        return {"X": X, "c": np.zeros(n_rows, np.int32)}

    def lay(self, tables, start):
        rows = self.parts[0]
        self.write(tables["X"][start:], rows)
        tables["c"][start : start + len(rows)] = self.c[rows]

    @property
    def n_validation(self):
        return len(self.parts[1]) if self.watched is None else len(self.watched[1])

    def validation(self, seeds, length):
        """Records to validate on, with weights that add up to one."""
        if self.watched is None:
            rows = self.parts[1]
            records, c, own = self.X[rows], self.c[rows], self.weight[rows]
        else:
            (records, c), own = self.watched, np.ones(len(self.watched[1]))
        tables = self.tables(length) | {"weight": np.zeros(length, np.float32)}
        n = len(c)
        tables["X"][:n], tables["c"][:n] = self.model._scaled(records), c
        tables["weight"][:n] = own / own.sum()
        return tables


def are_whole(x):
    """Whether an attribute's values are whole numbers, of a size that some type of those holds."""
    return bool(len(x)) and np.array_equal(x, np.rint(x)) and np.abs(x).max() <= LARGEST_WHOLE
