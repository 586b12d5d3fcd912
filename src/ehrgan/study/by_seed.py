"""The luck of the seed: how much of a number it makes, under each reading of the paper."""

from itertools import product

import pandas as pd

from ..nets.acgan import PAPER_ACGAN, ACGANClassifier
from ..tables.records import load_wdbc
from .cache import run_study
from .checks import check_names
from .protocol import CLASSIFIERS

__all__ = ["READINGS", "TEN", "one_seed"]

#: The imputations of the paper's two rows for the AC-GAN, ten numbers together.
TEN = ("mean", "autoencoder")

_DEFAULTS = ACGANClassifier().get_params()
_SCALINGS = {"minmax": "sigmoid", "standard": "linear"}  # the generator's output goes with it
_SILENCES = {
    f"{epochs} epochs, l2 {l2}, {scaling}, batch {batch}": {
        "epochs": epochs,
        "l2": l2,
        "scaling": scaling,
        "generator_output": _SCALINGS[scaling],
        "batch_size": batch,
    }
    for epochs, l2, scaling, batch in product((500, 100), (0.0, 0.01), _SCALINGS, (64, 16))
    if (batch == 64 or epochs == 100) and (epochs, l2, scaling) != (500, 0.0, "minmax")
}

#: What may have been done, by name, as arguments of a study: the three protocols with the paper's
#: settings; one epoch for all folds, the best of the mean test curve; then, with no look at test
#: records, other values of what the paper does not tell; and the library's own AC-GAN.
READINGS = {
    "honest": {"classifiers": CLASSIFIERS},
    "paper": {"protocol": "paper"},
    "peek": {"protocol": "peek"},
    "one epoch": {"protocol": "paper"},
    **{name: {"acgan": settings} for name, settings in _SILENCES.items()},
    "our defaults": {"acgan": {name: _DEFAULTS[name] for name in PAPER_ACGAN}},
}


def one_seed(reading="honest", seed=0, *, n_trials=10, n_folds=5):
    """Scores of the AC-GAN under one reading of the paper with one seed.

    Parameters
    ----------
    reading : str, default="honest"
        From :data:`READINGS`; all classifiers run under "honest", the AC-GAN alone under others.
    seed : int, default=0
        At least 0: draws masks, splits and networks.
    n_trials, n_folds : int, default=10, 5
        As for :class:`~ehrgan.study.protocol.Study`.

    Returns
    -------
    DataFrame
        trial, fold, imputer, classifier, metric, value, n_train, n_test: a row for each fold and
        metric, with imputations :data:`TEN`.

    Raises
    ------
    TypeError, ValueError
        If `reading` is unknown; else as :class:`~ehrgan.study.protocol.Study`.

    Notes
    -----
    Half a minute on two cores for most readings with the defaults, two minutes for "honest".
    """
    check_names("reading", (reading,), READINGS)
    asked = {"imputers": TEN, "classifiers": ("AC-GAN",), **READINGS[reading]}
    asked |= {"n_trials": n_trials, "n_folds": n_folds, "seed": seed}
    if reading != "one epoch":
        return run_study(load_wdbc(), **asked).scores
    curves = run_study(load_wdbc(), **{**asked, "protocol": "peek"}).curves
    found = []
    for imputer, own in curves.groupby("imputer"):
        best = int(own.groupby("epoch")["error"].mean().idxmin())
        asked |= {"imputers": (imputer,), "acgan": {"epochs": best}}
        found.append(run_study(load_wdbc(), **asked).scores)
    return pd.concat(found, ignore_index=True)
