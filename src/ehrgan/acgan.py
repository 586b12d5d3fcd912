"""The auxiliary-classifier GAN as a scikit-learn classifier, and as a generator of records."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from . import replicas
from .losses import (
    CLASS_LOSSES,
    GENERATOR_LOSSES,
    acgan_losses,
    class_log_likelihood,
    source_log_likelihood,
)
from .saving import Savable

PAPER = {
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
PREDICT_ROWS = 2**16  # records that prediction holds in float32 at once


@dataclass(frozen=True)
class _ACGAN(replicas.Problem):
    """Both networks' losses on one minibatch: equations 4 and 5."""

    n_classes: int
    noise_dim: int
    generator_output: str
    class_loss: str
    generator_loss: str
    criterion: str
    terms = ("L_S_real", "L_S_fake", "L_C_real", "L_C_fake", "loss_D", "loss_G")

    def objectives(self, params, batch, weight, noise, hyper):
        tf = replicas.tensorflow()
        x_real, c = batch["X"], batch["c"]
        z = noise.normal((c.shape[1], self.noise_dim))
        x_fake = generate(params["G"], z, c, self.n_classes, self.generator_output, xp=tf)
        out = replicas.forward(tf.concat([x_real, x_fake], 1), params["D"], xp=tf)
        (s_real, s_fake), (C_real, C_fake) = (
            tf.split(o, 2, 1) for o in (out[..., 0], out[..., 1:])
        )
        L_S = {
            "real": source_log_likelihood(s_real, True, weight),
            "fake": source_log_likelihood(s_fake, False, weight),
            "fooled": source_log_likelihood(s_fake, True, weight),
        }
        L_C = {
            "real": class_log_likelihood(C_real, c, weight),
            "fake": class_log_likelihood(C_fake, c, weight),
        }
        loss_D, loss_G = acgan_losses(
            L_S, L_C, adversarial_weight=hyper["adversarial_weight"],
            class_loss=self.class_loss, generator_loss=self.generator_loss,
        )  # fmt: skip
        squares = [tf.reduce_sum(W * W, (1, 2)) for W in params["D"][::2]]
        losses = {"D": loss_D + hyper["l2"] / 2 * tf.add_n(squares), "G": loss_G}
        seen = (L_S["real"], L_S["fake"], L_C["real"], L_C["fake"], loss_D, loss_G)
        return losses, tf.stack(seen, axis=1)

    def validation(self, params, data):
        tf = replicas.tensorflow()
        C = replicas.forward(data["X"], params["D"], xp=tf)[..., 1:]
        if self.criterion == "loss":
            return -class_log_likelihood(C, data["c"], data["weight"])
        C = tf.concat([tf.zeros_like(C[..., :1]), C], axis=-1)
        wrong = tf.argmax(C, axis=-1, output_type="int32") != data["c"]
        return tf.reduce_sum(data["weight"] * tf.cast(wrong, "float32"), axis=1)


def generate(G, z, c, n_classes, output="linear", *, xp=np):
    """Make fake records from noise and class labels: X_fake = G(z, c).

    Parameters
    ----------
    G : list
        Weights of the generator, ``[W1, b1, W2, b2]``.
    z : array or tensor of shape (M, B, noise_dim)
        Standard normal noise.
    c : int array or tensor of shape (M, B)
        Class of each record, 0 to n_classes - 1.
    n_classes : int
        Number of classes.
    output : {"linear", "sigmoid"}, default="linear"
        Activation of the output layer; sigmoid suits data scaled to [0, 1].
    xp : module, default=numpy
        ``numpy`` or TensorFlow.

    Returns
    -------
    array or tensor of shape (M, B, d)
        Records in scaled units.

    References
    ----------
    Section "Disease Prediction" of the paper: G takes the class label c beside the noise vector.

    Examples
    --------
    >>> import numpy as np
    >>> from ehrgan.acgan import generate
    >>> G = [np.ones((1, 4, 3)), np.zeros((1, 1, 3)), np.ones((1, 3, 2)), np.zeros((1, 1, 2))]
    >>> generate(G, np.ones((1, 1, 2)), np.array([[1]]), 2)
    array([[[9., 9.]]])
    """
    one_hot = xp.equal(c[..., None], np.arange(n_classes))
    one_hot = one_hot.astype(z.dtype) if xp is np else xp.cast(one_hot, z.dtype)
    x = replicas.forward(xp.concat([z, one_hot], axis=2), G, xp=xp)
    return 0.5 * (1.0 + xp.tanh(0.5 * x)) if output == "sigmoid" else x


class ACGANClassifier(Savable, ClassifierMixin, BaseEstimator):
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
    class_loss : {"both", "real", "discriminator"}, default="both"
        Who learns from the class loss on fake records, see :func:`ehrgan.losses.acgan_losses`.
    generator_loss : {"saturating", "non_saturating"}, default="saturating"
        What G maximises, see :func:`ehrgan.losses.acgan_losses`.
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
        Weights of the classes; they multiply ``sample_weight``.
    warm_start : bool, default=False
        Start from the weights and the scaling of the last fit.
    random_state : int, RandomState instance or None, default=None
        Seeds first weights, batch order and noise.
    max_replicas : int or None, default=None
        Most networks that :meth:`fit_many` trains at once; None fits them to memory.
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

    See Also
    --------
    ehrgan.autoencoder.StackedAutoencoderImputer : Fills the holes that this classifier refuses.

    Notes
    -----
    A step costs about 2 MFLOP for 30 attributes and a batch of 64. Time grows linearly with
    records, attributes, members and epochs. Compiling takes one to three seconds for each new
    combination of sizes in a process. A fit does not depend on the order of the records, and a
    whole-number ``sample_weight`` is the same as repeating the record.

    References
    ----------
    Section "Disease Prediction" of the paper, equations 4 and 5. Odena, Olah and Shlens,
    "Conditional image synthesis with auxiliary classifier GANs", ICML 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from ehrgan import ACGANClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = ACGANClassifier(epochs=20, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    >>> X_fake, y_fake = model.sample(3, y=1, random_state=0)
    >>> X_fake.shape
    (3, 30)
    """

    _named_tuples = {"template_": replicas.Template}
    _parameter_constraints = {
        "hidden_units": [Interval(Integral, 1, None, closed="left")],
        "noise_dim": [Interval(Integral, 1, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "adversarial_weight": [Interval(Real, 0, None, closed="left")],
        "class_loss": [StrOptions(set(CLASS_LOSSES))],
        "generator_loss": [StrOptions(set(GENERATOR_LOSSES))],
        "generator_output": [StrOptions({"linear", "sigmoid"})],
        "scaling": [StrOptions({"standard", "minmax"}), None],
        "averaging": [Interval(Real, 0, 1, closed="left")],
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "stopping_criterion": [StrOptions(set(CRITERIA))],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "max_replicas": [Interval(Integral, 1, None, closed="left"), None],
        "verbose": ["boolean"],
    }

    def __init__(
        self,
        *,
        hidden_units=50,
        noise_dim=10,
        epochs=160,
        batch_size=64,
        learning_rate=1e-3,
        beta_1=0.5,
        l2=0.01,
        adversarial_weight=0.1,
        class_loss="both",
        generator_loss="saturating",
        generator_output="linear",
        scaling="standard",
        averaging=0.0,
        n_members=1,
        early_stopping=False,
        stopping_criterion="loss",
        validation_fraction=0.1,
        n_iter_no_change=20,
        class_weight=None,
        warm_start=False,
        random_state=None,
        max_replicas=None,
        verbose=False,
    ):
        self.hidden_units = hidden_units
        self.noise_dim = noise_dim
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.l2 = l2
        self.adversarial_weight = adversarial_weight
        self.class_loss = class_loss
        self.generator_loss = generator_loss
        self.generator_output = generator_output
        self.scaling = scaling
        self.averaging = averaging
        self.n_members = n_members
        self.early_stopping = early_stopping
        self.stopping_criterion = stopping_criterion
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.random_state = random_state
        self.max_replicas = max_replicas
        self.verbose = verbose

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
            X holds NaN or inf, y holds one class, or a parameter is out of its range.

        References
        ----------
        Section "Disease Prediction" of the paper.

        Examples
        --------
        >>> from ehrgan import ACGANClassifier
        >>> X, y = [[0.0], [0.1], [0.9], [1.0]], ["well", "well", "ill", "ill"]
        >>> ACGANClassifier(epochs=1, random_state=0).fit(X, y).classes_.tolist()
        ['ill', 'well']
        """
        _train_together([self], [self._prepare(X, y, sample_weight)])
        return self

    def fit_many(self, datasets, *, params=None, watched=None):
        """Train one clone per dataset, all at once on the replica axis.

        Parameters
        ----------
        datasets : list of (X, y) or (X, y, sample_weight)
            Sizes may differ; numbers of attributes and of classes may not.
        params : list of dict, optional
            Parameters to set on each clone, such as another ``random_state`` or ``l2``.
            What changes no shape (:data:`HYPER`, ``epochs``, ``random_state``) costs no further
            compilation.
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

        Notes
        -----
        Up to a hundred small networks cost little more than the arithmetic of their matrix
        products; memory is bounded by ``max_replicas``.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> from ehrgan import ACGANClassifier
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> halves = [(X[::2], y[::2]), (X[1::2], y[1::2])]
        >>> models = ACGANClassifier(epochs=2, random_state=0).fit_many(halves)
        >>> [model.predict(X[:1]).shape for model in models]
        [(1,), (1,)]
        """
        datasets = list(datasets)
        models = replicas.clones_for(self, datasets, params)
        prepared = [
            model._prepare(*replicas.unpack(dataset, i, ("X", "y", "sample_weight")))
            for i, (model, dataset) in enumerate(zip(models, datasets, strict=True))
        ]
        replicas.check_same("number of attributes", [m.n_features_in_ for m in models])
        replicas.check_same("number of classes", [len(m.classes_) for m in models])
        if watched is not None:
            prepared = self._watching(models, prepared, list(watched))
        _train_together(models, prepared)
        return models

    def _watching(self, models, parts, watched):
        """Give each part the records that its epoch is chosen on."""
        if not all(model.early_stopping for model in models) or len(watched) != len(models):
            raise ValueError(
                f"watched lists {len(watched)} sets of records for {len(models)} datasets; "
                "it needs one for each, and early_stopping=True."
            )
        checked = []
        for model, part, (X, y) in zip(models, parts, watched, strict=True):
            X, y = validate_data(model, X, y, dtype=(np.float64, np.float32), reset=False)
            checked.append(part._replace(watched=(X, model._codes(y, len(X)))))
        return checked

    def _prepare(self, X, y, sample_weight=None):
        """Validate, learn the scaling, and return this model's part of a training run."""
        self._validate_params()
        template = replicas.Template.of(X)
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
        order = replicas.canonical_order(X, c)
        rows = order[weight[order] > 0]
        self.classes_ = classes
        self.class_prior_ = np.bincount(c, weight, len(classes)) / weight.sum()
        if not warm:
            self.template_ = template
            self._learn_units(X, rows, weight[rows])
        seed = check_random_state(self.random_state).randint(2**31)
        return _Part(X, c.astype(np.int32), weight, rows, np.random.SeedSequence(seed))

    def _weights(self, X, classes, y, sample_weight):
        weight = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        ).copy()
        if self.class_weight is not None:
            by_class = compute_class_weight(self.class_weight, classes=classes, y=y)
            weight *= by_class[np.searchsorted(classes, y)]
        if not weight.sum() > 0:
            raise ValueError("sample_weight is 0 for every record; at least one must be above 0.")
        return weight

    def _learn_units(self, X, rows, weight):
        """Learn scaling, range and wholeness column by column, so that no second table is made."""
        learned = []
        for column in X.T:
            x = column[rows]
            low, high, mean = x.min(), x.max(), np.average(x, weights=weight)
            deviation = np.sqrt(np.average((x - mean) ** 2, weights=weight))
            whole = np.array_equal(x, np.rint(x))
            learned.append((low, high, mean, deviation, whole))
        low, high, mean, deviation, whole = np.array(learned, dtype=np.float64).T
        self.low_, self.high_, self.whole_ = low, high, whole.astype(bool)
        shift = {"standard": mean, "minmax": low, None: np.zeros_like(mean)}[self.scaling]
        scale = {"standard": deviation, "minmax": high - low, None: np.ones_like(mean)}
        scale = scale[self.scaling]
        constant = scale <= 10 * np.finfo(X.dtype).eps * np.abs(mean)
        # float32 hides the last bits of a sum, which differ between equal sets of records
        self.shift_ = np.float32(shift).astype(np.float64)
        self.scale_ = np.where(constant, 1.0, np.float32(scale)).astype(np.float64)

    def _scaled(self, X):
        return np.float32((X - self.shift_) / self.scale_)

    def _problem(self):
        return _ACGAN(
            len(self.classes_),
            self.noise_dim,
            self.generator_output,
            self.class_loss,
            self.generator_loss,
            self.stopping_criterion,
        )

    def decision_function(self, X):
        """Log-odds of the classes.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Complete records.

        Returns
        -------
        ndarray of shape (n,) for two classes, else (n, K)
            Log-odds of ``classes_[1]``, or log-probabilities of each class.

        Examples
        --------
        >>> from ehrgan import ACGANClassifier
        >>> X, y = [[0.0], [0.1], [0.9], [1.0]], [0, 0, 1, 1]
        >>> ACGANClassifier(epochs=1, random_state=0).fit(X, y).decision_function(X).shape
        (4,)
        """
        P = np.maximum(self.predict_proba(X), np.finfo(np.float64).tiny)
        log_p = np.log(P)
        return log_p[:, 1] - log_p[:, 0] if P.shape[1] == 2 else log_p

    def predict_proba(self, X):
        """Probability of each class, P(C = c | X), averaged over members.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Complete records, in their own units.

        Returns
        -------
        ndarray of shape (n, K)
            Columns in the order of ``classes_``.

        Raises
        ------
        ValueError
            X holds NaN or inf, or another number of attributes than in :meth:`fit`.

        Examples
        --------
        >>> from ehrgan import ACGANClassifier
        >>> X, y = [[0.0], [0.1], [0.9], [1.0]], [0, 0, 1, 1]
        >>> ACGANClassifier(epochs=1, random_state=0).fit(X, y).predict_proba(X).sum(axis=1)
        array([1., 1., 1., 1.])
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        P = np.empty((len(X), len(self.classes_)))
        # float64, so that a record's probability does not depend on who else is asked about
        D = [p.astype(np.float64) for p in self.discriminator_]
        for start in range(0, len(X), PREDICT_ROWS):
            rows = slice(start, start + PREDICT_ROWS)
            logits = replicas.forward(self._scaled(X[rows]), D)
            logits[..., 0] = 0.0  # output S makes room for class 0, the reference of the others
            P[rows] = softmax(logits, axis=2).mean(axis=0)
        return P

    def predict(self, X):
        """Most probable class of each record.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Complete records, in their own units.

        Returns
        -------
        ndarray of shape (n,)
            Labels from ``classes_``.

        Examples
        --------
        >>> from ehrgan import ACGANClassifier
        >>> X, y = [[0.0], [0.1], [0.9], [1.0]], [0, 0, 1, 1]
        >>> ACGANClassifier(epochs=1, random_state=0).fit(X, y).predict(X).shape
        (4,)
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

        References
        ----------
        The generator of section "Disease Prediction", which makes Figure 4 (B).

        Examples
        --------
        >>> from ehrgan import ACGANClassifier
        >>> X, y = [[0.0], [0.1], [0.9], [1.0]], ["well", "well", "ill", "ill"]
        >>> model = ACGANClassifier(epochs=1, random_state=0).fit(X, y)
        >>> model.sample(2, y="ill", random_state=0)[1].tolist()
        ['ill', 'ill']
        """
        check_is_fitted(self)
        if not isinstance(n, Integral) or n < 1:
            raise ValueError(f"n is {n!r}; it must be a whole number of records, at least 1.")
        rng = np.random.default_rng(check_random_state(random_state).randint(2**31))
        if y is None:
            c = rng.choice(len(self.classes_), n, p=self.class_prior_)
        else:
            c = self._codes(y, n)
        member = rng.integers(len(self.generator_[0]), size=n)
        z = rng.standard_normal((n, self.generator_[0].shape[1] - len(self.classes_)))
        X = np.empty((n, self.n_features_in_))
        for m in np.unique(member):
            rows = member == m
            G = [p[m : m + 1] for p in self.generator_]
            k, output = len(self.classes_), self.generator_output
            X[rows] = generate(G, np.float32(z[None, rows]), c[None, rows], k, output)[0]
        return self._in_units(X * self.scale_ + self.shift_), self.classes_[c]

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


class _Part(NamedTuple):
    """One model's part of a training run: its records, and which of them count, in order."""

    X: np.ndarray
    c: np.ndarray
    weight: np.ndarray
    rows: np.ndarray
    seed: np.random.SeedSequence
    watched: tuple | None = None

    def shares(self, rows):
        """Cumulative weights in batch places: whole-number weights are repetition."""
        weight = self.weight[rows]
        whole = np.array_equal(weight, np.rint(weight))
        total = weight.sum() if whole else len(rows)
        return np.cumsum(weight) * (total / weight.sum())


def _train_together(models, parts):
    def bytes_of(model, part):
        return replicas.padded_length(len(part.rows)) * (model.n_features_in_ + 2) * 4

    replicas.train_in_groups(models, parts, _signature, bytes_of, _train_run)


def _signature(model):
    stopping = model.early_stopping and (model.n_iter_no_change, model.validation_fraction)
    sizes = (model.hidden_units, model.n_features_in_, model.averaging > 0)
    return (model._problem(), model.batch_size, stopping, model.warm_start, *sizes)


def _train_run(models, parts):
    """Train every member of every model as one replica, and hand each model its weights."""
    model, n_members = models[0], models[0].n_members
    seeds = [seed.spawn(2) for part in parts for seed in part.seed.spawn(n_members)]
    splits = [_split(m, part) for m, part in zip(models, parts, strict=True)]
    shares = [part.shares(fit) for part, (fit, _) in zip(parts, splits, strict=True)]
    data, starts = _table(models, parts, [fit for fit, _ in splits])
    result = replicas.train(
        model._problem(),
        _first_weights(models, [s[0] for s in seeds]),
        data,
        np.repeat(starts, n_members),
        np.repeat([round(s[-1]) for s in shares], n_members),
        [s[1] for s in seeds],
        epochs=np.repeat([m.epochs for m in models], n_members),
        batch_size=model.batch_size,
        hyper={h: np.repeat([getattr(m, h) for m in models], n_members) for h in HYPER},
        validation=_validation(models, parts, splits) if model.early_stopping else None,
        patience=model.n_iter_no_change,
        averaging=model.averaging > 0,
        shares=[s for s in shares for _ in range(n_members)],
        progress="AC-GAN" if model.verbose else None,
    )
    for i, m in enumerate(models):
        own = slice(i * model.n_members, (i + 1) * model.n_members)
        m.generator_, m.discriminator_ = ([p[own] for p in result.params[g]] for g in "GD")
        _record(m, result.history[:, own], result.best_epoch[own])


def _split(model, part):
    """Rows to train on and rows to validate on (none without early stopping)."""
    if not model.early_stopping or part.watched is not None:
        return part.rows, part.rows[:0]
    seed = int(part.seed.generate_state(1)[0])
    fit, held_out = train_test_split(
        part.rows,
        test_size=model.validation_fraction,
        stratify=part.c[part.rows],
        random_state=seed,
    )
    return fit, held_out


def _first_weights(models, seeds):
    model = models[0]
    if model.warm_start and hasattr(model, "discriminator_"):
        return {
            "G": [np.concatenate(p) for p in zip(*(m.generator_ for m in models), strict=True)],
            "D": [np.concatenate(p) for p in zip(*(m.discriminator_ for m in models), strict=True)],
        }
    d, K, h = model.n_features_in_, len(model.classes_), model.hidden_units
    children = [seed.spawn(2) for seed in seeds]
    return {
        "G": replicas.init_layers([c[0] for c in children], (model.noise_dim + K, h, d)),
        "D": replicas.init_layers([c[1] for c in children], (d, h, K)),
    }


def _table(models, parts, rows):
    """Lay the chosen rows of each model, scaled, in one float32 table; return it and the starts."""
    starts, n_rows = replicas.end_to_end([len(r) for r in rows])
    X = np.zeros((n_rows, models[0].n_features_in_), np.float32)
    c = np.zeros(n_rows, np.int32)
    for model, part, r, start in zip(models, parts, rows, starts, strict=True):
        _fill(X[start:], model, part.X, r)
        c[start : start + len(r)] = part.c[r]
    return {"X": X, "c": c}, starts


def _fill(table, model, X, rows):
    """Write the chosen rows, scaled, into the first rows of a table."""
    for start in range(0, len(rows), PREDICT_ROWS):
        block = rows[start : start + PREDICT_ROWS]
        table[start : start + len(block)] = model._scaled(X[block])


def _validation(models, parts, splits):
    """Validation records of every member, with weights that add up to one."""
    sets = [
        part.watched or (part.X[rows], part.c[rows])
        for part, (_, rows) in zip(parts, splits, strict=True)
    ]
    length = replicas.padded_length(max(len(c) for _, c in sets))
    X = np.zeros((len(models), length, models[0].n_features_in_), np.float32)
    c = np.zeros((len(models), length), np.int32)
    weight = np.zeros((len(models), length), np.float32)
    for i, (model, part, (_, rows)) in enumerate(zip(models, parts, splits, strict=True)):
        records, codes = sets[i]
        n = len(codes)
        own = np.ones(n) if part.watched else part.weight[rows]
        X[i, :n], c[i, :n], weight[i, :n] = model._scaled(records), codes, own / own.sum()
    tables = {"X": X, "c": c, "weight": weight}
    return {k: np.repeat(a, models[0].n_members, axis=0) for k, a in tables.items()}


def _record(model, history, best_epoch):
    model.history_ = replicas.mean_history(history, (*_ACGAN.terms, "validation"))
    model.loss_curve_ = model.history_["loss_D"]
    model.n_iter_ = len(model.loss_curve_)
    model.best_epoch_ = int(best_epoch.mean()) + 1 if model.early_stopping else None
