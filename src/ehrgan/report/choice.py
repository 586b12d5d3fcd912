"""Which method a report recommends, and how sure one may be of its score."""

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss

from ..scores.inference import corrected_interval, corrected_test, holm
from .methods import GAINING

N_BOOT = 300


def choose(means, errors):
    """The simplest candidate that is no more than one standard error behind the best."""
    best = int(np.argmax(means))
    return int(np.argmax(means >= means[best] - errors[:, best]))


def corrected_for_choice(scores, groups, seed):
    """AUC of the chosen method, corrected for the choice, and its design effect.

    That effect is how many times the variance of independent records its variance is. Bootstrap
    bias-corrected cross-validation: records are drawn with replacement, the choice is made on those
    drawn, and scored on the others. Records of one group are drawn together.
    """
    rng = np.random.default_rng(seed)
    units = np.arange(len(scores.y)) if groups is None else pd.factorize(groups)[0]
    n_units = units.max() + 1
    drawn = rng.integers(0, n_units, (N_BOOT, n_units))
    weight = np.array([np.bincount(one, minlength=n_units) for one in drawn])[:, units]
    inside, outside = _areas_under(scores, weight), _areas_under(scores, weight == 0)
    usable = np.isfinite(inside[:, 0]) & np.isfinite(outside[:, 0])
    errors = scores.errors()
    final = choose(scores.means, errors)
    if usable.sum() < 2:
        return float(scores.means[final]), 1.0
    inside, outside = inside[usable], outside[usable]
    chosen = [choose(means, errors) for means in inside]
    area = float(outside[np.arange(len(chosen)), chosen].mean())
    alone = variance_of_area(area, *class_sizes(scores.y))
    return area, 1.0 if groups is None else max(1.0, float(np.var(inside[:, final]) / alone))


def _areas_under(scores, weight):
    """AUC of each method, mean over trials, with the records weighted in many ways.

    `weight` has shape (n_ways, n_records), the result (n_ways, n_methods); NaN without both
    classes. An AUC is the share of pairs, one record of each class, that stand in the right order.
    """
    positive = scores.y == 1
    W, V = weight[:, positive].astype(np.float32), weight[:, ~positive].astype(np.float32)
    found = np.zeros((len(weight), len(scores.methods)))
    for k, trials in enumerate(scores.probability):
        for p in trials:
            gap = p[positive][:, None] - p[~positive]
            right = (gap > 0) + 0.5 * (gap == 0)
            found[:, k] += np.einsum("bi,bi->b", W @ right.astype(np.float32), V)
    pairs = W.sum(axis=1) * V.sum(axis=1) * scores.probability.shape[1]
    with np.errstate(invalid="ignore"):
        return np.where(pairs[:, None] > 0, found / pairs[:, None], np.nan)


def class_sizes(y):
    """Records of the positive and of the negative class."""
    return int(y.sum()), int((y == 0).sum())


def variance_of_area(area, n_positive, n_negative):
    """Variance of an AUC from so many records of each class (Hanley and McNeil, 1982)."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    spread = (
        area * (1 - area) + (n_positive - 1) * (q1 - area**2) + (n_negative - 1) * (q2 - area**2)
    )
    return spread / (n_positive * n_negative)


def interval_of_area(area, variance, level=0.95):
    """An interval on the logit scale, so that it stays between 0 and 1."""
    area = np.clip(area, 1e-4, 1 - 1e-4)
    half = stats.norm.ppf((1 + level) / 2) * np.sqrt(variance) / (area * (1 - area))
    return tuple(float(v) for v in expit(logit(area) + np.array([-half, half])))


def comparison_table(scores):
    """The comparison, and the row that is recommended."""
    sizes, means = scores.sizes, scores.means
    best = int(np.argmax(means))
    rows = []
    for k, (imputation, classifier) in enumerate(scores.methods):
        lead = scores.areas[k] - scores.areas[best]
        _, low, high = corrected_interval(scores.areas[k], *sizes)
        centre = scores.areas[k].mean()
        behind = (0.0, 0.0, 0.0) if k == best else corrected_interval(lead, *sizes)
        p = 1.0 if k == best else corrected_test(lead, *sizes)
        brier = np.mean([brier_score_loss(scores.y, q) for q in scores.probability[k]])
        ends = np.clip([means[k] - (centre - low), means[k] + (high - centre)], 0, 1)
        rows.append((imputation, classifier, means[k], *ends, *behind, p, brier))
    names = ["imputation", "classifier", "auc", "low", "high", "behind", "behind_low"]
    table = pd.DataFrame(rows, columns=[*names, "behind_high", "p", "brier"])
    others = table.index != best
    table.loc[others, "p"] = holm(table.loc[others, "p"])
    return table, choose(means, scores.errors())


def gains_of_imputation(scores, classifier):
    """AUC of a classifier after each imputation, less that after means, with Holm's p-values."""
    own = [method for method in scores.methods if method[1] == classifier and method[0] in GAINING]
    if not own:  # gradient boosting and the paper's pair go with one imputation each
        return gains_of_imputation(scores, "logistic regression")
    leads = [scores.lead(method, ("mean", classifier)) for method in own]
    found = [corrected_interval(lead, *scores.sizes) for lead in leads]
    table = pd.DataFrame(found, columns=["mean", "low", "high"])
    table[["imputation", "classifier"]] = own
    return table.assign(p=holm([corrected_test(lead, *scores.sizes) for lead in leads]))
