"""What a report has found, in sentences, each with its uncertainty."""

import numpy as np

from ..scores.estimate import Estimate, signed
from ..scores.metrics import threshold_at
from .methods import method_in_words
from .probabilities import needs_recalibration

__all__ = ["calibration_in_words", "findings", "stability_in_words"]

#: Share of the draws from which a recommendation is stable.
STABLE = 0.8


def findings(prepared, method, curve, area, prediction, gains, adversary, by_holes):
    """The recommendation and how well it does, what matters, and what is doubtful.

    Parameters
    ----------
    prepared : ehrgan.report.reading.Prepared
        The table as it was read.
    method : tuple of (str, str)
        What is recommended.
    curve : tuple of ndarray
        Class and out-of-fold probability of the records compared.
    area : Estimate
        AUC of the method, corrected for the choice.
    prediction : tuple of float
        Between which AUCs other records are expected.
    gains : DataFrame
        AUC after each imputation less that after means, with Holm's p-values.
    adversary : Estimate, or None
        AUC of the AC-GAN less that of logistic regression, if both were compared.
    by_holes : tuple of float
        AUC from the mask alone, with its interval.

    Returns
    -------
    list of str
    """
    return [
        *_answer(prepared, method, curve, area, prediction),
        *_matters(prepared, gains, adversary),
        *_doubts(prepared, by_holes),
    ]


def stability_in_words(scores, named, chosen):
    """How often the same rule names the recommended method on records drawn again.

    Parameters
    ----------
    scores : ehrgan.report.compare.Comparison
        With the methods.
    named : ndarray of shape (n_methods,)
        Share of the draws in which each was named.
    chosen : int
        The recommended one.

    Returns
    -------
    str
    """
    rival = int(np.argmax(np.where(np.arange(len(named)) == chosen, -1, named)))
    said = (
        f"The same rule recommends this method in {named[chosen]:.0%} of the draws of these records"
    )
    if named[rival] > 0:
        said += f", and {method_in_words(*scores.methods[rival])} in {named[rival]:.0%}"
    if named[chosen] >= STABLE:
        return f"{said}: another seed would hardly name another."
    return f"{said}: another seed may well name another, which would do as well on these records."


def calibration_in_words(found, line):
    """Whether probabilities come true, and whether they were mended.

    Parameters
    ----------
    found : DataFrame
        Of the probabilities that are told: see :func:`~ehrgan.report.performance.performance`.
    line : tuple of float, or None
        Intercept and slope by which they were mended.

    Returns
    -------
    list of str
    """
    rows = found.set_index("measure")[["value", "low", "high"]]
    if "calibration slope" not in rows.index:
        return []
    slope, shift = (Estimate(*rows.loc[f"calibration {name}"]) for name in ("slope", "shift"))
    mended = "as they are" if line is None else "recalibrated, as they did not come true by far"
    if line is None and needs_recalibration(found):
        mended = "as they are, though off: a line that other folds teach brings them no nearer"
    said = f"Probabilities are told {mended}; calibration slope {slope:.2f}, where 1 is right"
    return [f"{said}, and shift {shift:+.2f} in log-odds, where 0 is."]


def _answer(prepared, method, curve, area, prediction):
    of_several = ", the mean of each class against the others" if len(prepared.classes) > 2 else ""
    said = [
        f"Recommended: {method_in_words(*method)}: the simplest of the methods that are no more "
        "than one standard error behind the best.",
        f"AUC {area.value:.3f}{of_several}, corrected for having been chosen on these records; "
        f"95 % interval {area.low:.3f} to {area.high:.3f}. In {len(prepared.y)} other records of "
        f"the same kind expect an AUC between {prediction[0]:.3f} and {prediction[1]:.3f}, 95 "
        "times in 100.",
    ]
    if area.low <= 0.5:
        said.insert(1, "Nothing here predicts the outcome beyond doubt better than chance.")
    y, probability = curve
    if prepared.positive is not None:
        cut = threshold_at(y, probability, sensitivity=0.9)
        right = float((probability[y == 0] < cut).mean())
        said.append(
            f"At a threshold of {cut:.3f}, which finds 90 % of the records {prepared.positive!r}, "
            f"{right:.0%} of the others are told rightly (from out-of-fold predictions)."
        )
    return said


def _matters(prepared, gains, adversary):
    """Whether imputation and adversary matter here, by corrected tests."""
    if not prepared.X.isna().to_numpy().any():
        said = ["No cell is missing, so imputation does not matter."]
    else:
        sure = gains.loc[(gains["p"] < 0.05) & (gains["mean"] > 0), "imputation"]
        verdict = f"yes: {', '.join(sure)}" if len(sure) else "no imputation is beyond doubt better"
        told = "; ".join(
            f"{g.imputation}: {Estimate(g.mean, g.low, g.high):+}"
            for g in gains.itertuples(index=False, name="Gain")
        )
        named = gains["classifier"].iloc[0]
        said = [f"Does the imputation matter? {named}, less on means: {verdict}. {told}."]
    if adversary is None:
        return said
    lead = "{} (95 % interval {} to {})".format(*map(signed, adversary))
    return [*said, f"AC-GAN less logistic regression, both on means: {lead} of AUC."]


def _doubts(prepared, by_holes):
    said = []
    if prepared.X.isna().to_numpy().any():
        area, low, high = by_holes
        said.append(
            f"From which cells are missing alone the AUC is {area:.3f} ({low:.3f} to {high:.3f}): "
            + ("missingness itself predicts here." if low > 0.5 else "no sign that it predicts.")
        )
    sizes = np.bincount(prepared.y)
    if sizes.min() < 100:
        rarest = "rarer class" if len(sizes) == 2 else "rarest class"
        said.append(
            f"There are only {sizes.min()} records of the {rarest}: the intervals are wide."
        )
    return said
