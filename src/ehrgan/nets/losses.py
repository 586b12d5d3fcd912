"""Equations 1, 4 and 5 of the paper as functions.

Each works on the replica axis: tensors of shape ``(M, B, ...)`` in, losses of shape ``(M,)`` out.
``weight`` has shape ``(M, B)`` and sums to one over each replica's batch, so that the sums below
are the expectations E[.] of the paper.
"""

from .backend import tensorflow

CLASS_LOSSES = ("both", "real", "discriminator", "adc")
GENERATOR_LOSSES = ("saturating", "non_saturating")


def reconstruction_loss(x_out, x_in, cells, categories=None):
    """Mean squared reconstruction error over the cells that count: the mean of equation 1.

    Of a category the error is -log P(x_in), the cross-entropy, and its columns count as one cell.

    Parameters
    ----------
    x_out, x_in : tensors of shape (M, B, d)
        Output and input of the autoencoder.
    cells : tensor of shape (M, B, d)
        Weight of each cell: 0 keeps a cell out (a hole, or the padding of a batch).
    categories : ehrgan.nets.categories.Categories, optional
        Columns that code categories, where ``x_out`` holds what P is computed from.

    Returns
    -------
    tensor of shape (M,)

    Examples
    --------
    >>> x_in, x_out = [[[1.0, 2.0]]], [[[1.0, 4.0]]]
    >>> float(reconstruction_loss(x_out, x_in, [[[1.0, 1.0]]])[0])
    2.0
    >>> float(reconstruction_loss(x_out, x_in, [[[1.0, 0.0]]])[0])
    0.0
    """
    tf = tensorflow()
    x_out, x_in, cells = (tf.convert_to_tensor(a, "float32") for a in (x_out, x_in, cells))
    error = (x_out - x_in) ** 2
    if categories:
        error, cells = categories.in_leading_columns(error, x_out, x_in, cells)
    total = tf.reduce_sum(cells * error, axis=(1, 2))
    return total / tf.maximum(tf.reduce_sum(cells, axis=(1, 2)), 1e-9)


def source_log_likelihood(s, real, weight):
    """E[log P(S = real | X)] where ``real``, else E[log P(S = fake | X)]: a half of equation 4.

    Equation 3 is the same with D(x) = sigmoid(s).

    Parameters
    ----------
    s : tensor of shape (M, B)
        The discriminator's output S before the sigmoid, P(S = real | X) = sigmoid(s).
    real : bool
        Which of the two probabilities.
    weight : tensor of shape (M, B)

    Returns
    -------
    tensor of shape (M,)

    Examples
    --------
    >>> round(float(source_log_likelihood([[0.0]], True, [[1.0]])[0]), 4)  # log 1/2
    -0.6931
    """
    tf = tensorflow()
    s, weight = (tf.convert_to_tensor(a, "float32") for a in (s, weight))
    return -tf.reduce_sum(weight * tf.nn.softplus(-s if real else s), axis=1)


def class_log_likelihood(logits, c, weight):
    """E[log P(C = c | X)]: a half of equation 5.

    Parameters
    ----------
    logits : tensor of shape (M, B, K - 1)
        The discriminator's output C: log-odds of classes 1 to K - 1 against class 0, so that two
        classes need the one neuron that the paper gives them.
    c : int tensor of shape (M, B)
        The class of each record, 0 to K - 1.
    weight : tensor of shape (M, B)

    Returns
    -------
    tensor of shape (M,)

    Examples
    --------
    >>> round(float(class_log_likelihood([[[0.0]]], [[1]], [[1.0]])[0]), 4)  # log 1/2
    -0.6931
    """
    tf = tensorflow()
    logits, weight = (tf.convert_to_tensor(a, "float32") for a in (logits, weight))
    logits = tf.concat([tf.zeros_like(logits[..., :1]), logits], axis=-1)
    log_p = logits - tf.reduce_logsumexp(logits, axis=-1, keepdims=True)
    picked = tf.reduce_sum(log_p * tf.one_hot(c, logits.shape[-1]), axis=-1)
    return tf.reduce_sum(weight * picked, axis=1)


def acgan_losses(
    L_S, L_C, *, adversarial_weight=1.0, class_loss="both", generator_loss="saturating"
):
    """The losses that discriminator and generator minimise: D maximises L_C + L_S, G L_C - L_S.

    Parameters
    ----------
    L_S : dict of tensors (M,)
        ``real``: E[log P(S = real | X_real)]; ``fake``: E[log P(S = fake | X_fake)];
        ``fooled``: E[log P(S = real | X_fake)], used by the non-saturating generator alone.
    L_C : dict of tensors (M,)
        ``real`` and ``fake``: the two expectations of equation 5. With "adc" C tells the classes
        of real and of fake records apart, as 2 K classes: E[log P(C = c, S = real | X_real)] and
        E[log P(C = c, S = fake | X_fake)], and ``fooled``: E[log P(C = c, S = real | X_fake)].
    adversarial_weight : float or tensor (M,), default=1.0
        Weight of L_S beside L_C, at least 0; 1 is the paper's.
    class_loss : {"both", "real", "discriminator", "adc"}, default="both"
        Who learns from L_C on fake records: both networks (the paper's), the generator alone
        (the discriminator learns its classes from real records), or the discriminator alone.
        "adc": both, and the generator maximises ``fooled`` less ``fake``, so that it gains nothing
        by making the records of a class more alike than real ones are.
    generator_loss : {"saturating", "non_saturating"}, default="saturating"
        Whether the generator minimises E[log P(S = fake | X_fake)] (the paper's) or maximises
        E[log P(S = real | X_fake)].

    Returns
    -------
    tuple of two tensors (M,)
        Loss of the discriminator, loss of the generator.

    References
    ----------
    Equations 4 and 5 of the paper and the sentence after them; Odena, Olah and Shlens, ICML 2017.
    The non-saturating loss is in section 3 of Goodfellow et al., NeurIPS 2014. "adc" is the
    auxiliary discriminative classifier of Hou, Cao, Shen, Pan, Li and Cheng, ICML 2022.

    Examples
    --------
    >>> acgan_losses({"real": -1.0, "fake": -2.0}, {"real": -0.5, "fake": -0.25})
    (3.75, -1.75)
    """
    d_fake = 0.0 if class_loss == "real" else L_C["fake"]
    g_fake = 0.0 if class_loss == "discriminator" else L_C["fake"]
    if class_loss == "adc":
        g_fake = L_C["fooled"] - L_C["fake"]
    g_source = -L_S["fake"] if generator_loss == "saturating" else L_S["fooled"]
    loss_D = -(L_C["real"] + d_fake + adversarial_weight * (L_S["real"] + L_S["fake"]))
    # the real halves of L_C and L_S do not depend on G, so its loss leaves them out
    return loss_D, -(g_fake + adversarial_weight * g_source)


def joint_losses(
    L_R, L_S, L_C, *, reconstruction_weight=1.0, adversarial_weight=1.0, class_loss="both",
    stop_gradient=False,
):  # fmt: skip
    """The losses that discriminator and imputer minimise where the imputer is the generator.

    X_real is a record with its own holes filled, X_fake the same record after further cells were
    hidden and filled. D maximises L_C + L_S as in :func:`acgan_losses`; the imputer G maximises
    L_C - L_S and minimises L_R, the error of equation 1 on the cells that were hidden. All of L_C
    depends on G here, since G has filled the holes of X_real as well.

    Parameters
    ----------
    L_R : float or tensor (M,)
        Reconstruction error of G on hidden cells, see :func:`reconstruction_loss`.
    L_S, L_C : dict of tensors (M,)
        ``real`` and ``fake``: the two expectations of equation 4, and of equation 5.
    reconstruction_weight, adversarial_weight : float or tensor (M,), default=1.0
        Weights of L_R and of L_S beside L_C, at least 0.
    class_loss : {"both", "real"}, default="both"
        Whether L_C has the half of equation 5 on fake records.
    stop_gradient : bool, default=False
        Keep L_C from G: what is filled then does not know what it is for, as in two stages.

    Returns
    -------
    tuple of two tensors (M,)
        Loss of the discriminator, loss of the imputer.

    References
    ----------
    Equations 1, 4 and 5 of the paper; section "Limitations and Future Work" plans their sum.

    Examples
    --------
    >>> L_S, L_C = {"real": -1.0, "fake": -2.0}, {"real": -0.5, "fake": -0.25}
    >>> joint_losses(0.5, L_S, L_C)
    (3.75, -0.75)
    >>> joint_losses(0.5, L_S, L_C, stop_gradient=True)
    (3.75, -1.5)
    """
    told = L_C["real"] + (L_C["fake"] if class_loss == "both" else 0.0)
    loss_D = -(told + adversarial_weight * (L_S["real"] + L_S["fake"]))
    loss_G = reconstruction_weight * L_R + adversarial_weight * L_S["fake"]
    return loss_D, loss_G if stop_gradient else loss_G - told
