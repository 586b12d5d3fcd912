"""Which method a report recommends, and how sure one may be of its score."""

import numpy as np
import pandas as pd

from ..scores.inference import corrected_interval, corrected_test, holm
from .areas import brier_of
from .methods import GAINING

N_BOOT = 300


def choose(means, errors):
    """The simplest candidate that is no more than one standard error behind the best."""
    best = int(np.argmax(means))
    return int(np.argmax(means >= means[best] - errors[:, best]))


def corrected_for_choice(scores, groups, seed):
    """AUC of the chosen method, corrected for the choice; and how often each method is chosen.

    Bootstrap bias-corrected cross-validation: records are drawn with replacement, the choice is
    made on those drawn, and scored on the others. Records of one group are drawn together.
    """
    rng = np.random.default_rng(seed)
    units = np.arange(len(scores.y)) if groups is None else pd.factorize(groups)[0]
    n_units = units.max() + 1
    drawn = rng.integers(0, n_units, (N_BOOT, n_units))
    weight = np.array([np.bincount(one, minlength=n_units) for one in drawn])[:, units]
    inside, outside = scores.areas_under(weight), scores.areas_under(weight == 0)
    usable = np.isfinite(inside[:, 0]) & np.isfinite(outside[:, 0])
    errors = scores.errors()
    if usable.sum() < 2:
        chosen = choose(scores.means, errors)
        return float(scores.means[chosen]), np.eye(len(scores.methods))[chosen]
    inside, outside = inside[usable], outside[usable]
    chosen = [choose(means, errors) for means in inside]
    auc = float(outside[np.arange(len(chosen)), chosen].mean())
    return auc, np.bincount(chosen, minlength=len(scores.methods)) / len(chosen)


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
        brier = np.mean([brier_of(scores.y, told) for told in scores.probability[k]])
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
