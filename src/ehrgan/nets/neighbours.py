"""A mean over the records most like one, by a distance that training learns."""

import numpy as np

__all__ = ["first_metric", "near_mean"]

NEVER = -1e37  # nearness of a record to itself, where it may not look at itself
SHARPNESS = 3.0  # precision of a first distance, times the root of the number of attributes


def first_metric(n_replicas, n_attributes):
    """Return ``[log w, log u]`` of :func:`near_mean`, each of shape (M, 1, d), before training."""
    w = np.full((n_replicas, 1, n_attributes), SHARPNESS / np.sqrt(n_attributes), np.float32)
    return [np.log(w), np.zeros_like(w)]


def near_mean(x, seen, records, metric, apart=None, *, xp=np):
    """Estimate each cell by a mean over records, weighted by how near they are.

    A record r is at the distance ``sum over j that x shows of w_j (x_j - r_j)**2``, where an
    attribute that r lacks counts as ``w_j u_j``. Its weight is exp(-distance), and 0 in the mean of
    an attribute that it lacks.

    Parameters
    ----------
    x, seen : arrays or tensors of shape (M, B, d)
        Records, 0 where ``seen`` is 0.
    records : array or tensor of shape (M, S, d)
        Records to average, NaN in their holes.
    metric : list of two arrays or tensors of shape (M, 1, d)
        log w and log u.
    apart : array or tensor of shape (M, B, S), optional
        0 where a record is x itself, else 1.
    xp : module, default=numpy
        ``numpy`` or TensorFlow: one definition serves training and prediction.

    Returns
    -------
    array or tensor of shape (M, B, d)
        0 where no record has the attribute.

    Notes
    -----
    Time and memory grow with B times S.

    References
    ----------
    Nadaraya, "On estimating regression", Theory of Probability and its Applications 1964, for the
    mean; Goldberger, Roweis, Hinton and Salakhutdinov, "Neighbourhood components analysis", NIPS
    2004, for a distance that is learned.

    Examples
    --------
    >>> records = np.array([[[0.0, 1.0], [3.0, 5.0], [0.0, np.nan]]])
    >>> metric = [np.zeros((1, 1, 2)), np.zeros((1, 1, 2))]
    >>> near_mean(np.array([[[0.0, 0.0]]]), np.array([[[1.0, 0.0]]]), records, metric).round(3)
    array([[[0., 1.]]])
    """
    known = xp.where(records == records, xp.ones_like(records), 0.0)  # NaN equals nothing
    values = xp.where(records == records, records, 0.0)
    w, u = xp.exp(metric[0]) * seen, xp.exp(metric[1])
    about_x = xp.concat([w * (x * x - u), -2.0 * w * x, w], axis=2)
    about_r = xp.concat([known, values, values * values], axis=2)
    nearness = -(about_x @ xp.transpose(about_r, (0, 2, 1)))
    if apart is not None:
        nearness = xp.where(apart > 0, nearness, NEVER)
    top = nearness.max(axis=2, keepdims=True) if xp is np else xp.reduce_max(nearness, 2, True)
    weight = xp.exp(nearness - top)
    return (weight @ values) / xp.maximum(weight @ known, 1e-12)
