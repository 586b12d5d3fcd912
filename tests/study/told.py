"""The folds of a small study, and their scores computed by hand."""

import numpy as np

FOLDS = [(0, 0), (0, 1), (1, 0), (1, 1)]
KEYS = ["trial", "fold", "imputer", "classifier"]


def of_fold(result, key):
    keys = dict(zip(KEYS, key, strict=True))
    own = result.predictions
    for name, value in keys.items():
        own = own[own[name] == value]
    return own["y"].to_numpy(), own["probability"].to_numpy()


def auc(y, p):
    """Share of pairs of a positive and a negative record that are told in their order."""
    above = p[y == 1][:, None] - p[y == 0]
    return np.mean(above > 0) + np.mean(above == 0) / 2


def roc(y, p, rates):
    """The ROC curve, straight between the points of all thresholds; the upper of two at a step."""
    cuts = np.concatenate([[np.inf], np.unique(p)[::-1]])
    fpr = np.array([np.mean(p[y == 0] >= cut) for cut in cuts])
    tpr = np.array([np.mean(p[y == 1] >= cut) for cut in cuts])
    at = []
    for rate in rates:
        k = np.flatnonzero(fpr <= rate)[-1]
        more = 0 if fpr[k] == rate else (rate - fpr[k]) / (fpr[k + 1] - fpr[k])
        at.append(tpr[k] + more * (tpr[min(k + 1, len(tpr) - 1)] - tpr[k]))
    return np.array(at)
