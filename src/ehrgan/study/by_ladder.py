"""The better method, rung by rung: what each member of an ensemble is worth on one seed."""

from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler
from sklearn.svm import SVC

from ..nets.acgan import ACGANClassifier
from ..tables.records import load_wdbc
from .cache import run_study
from .checks import check_names
from .judging import Arm, Mean

__all__ = ["FRESH_SEEDS", "HEADLINE", "LADDER", "TABLES", "one_ladder"]

#: Seeds of the headline, named before any study with them was run.
FRESH_SEEDS = (2101, 2102, 2103, 2104, 2105)

# Four kinds of boundary: settings chosen on seeds 41 to 43, and what nested arms choose from.
_KINDS = {
    "logistic regression": (LogisticRegression(C=0.3, max_iter=2000), {"C": [0.03, 0.1, 0.3, 1.0]}),
    "SVM": (SVC(C=10.0, gamma=0.01), {"C": [1.0, 3.0, 10.0], "gamma": [0.01, 0.03]}),
    "linear discriminant": (
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1),
        {"shrinkage": [0.01, 0.1, 0.3]},
    ),
    "quadratic discriminant": (
        QuadraticDiscriminantAnalysis(reg_param=0.3),
        {"reg_param": [0.1, 0.2, 0.3, 0.5]},
    ),
}
_FOUR = tuple(_KINDS)


def _nested(estimator, grid):
    scoring = "neg_log_loss" if hasattr(estimator, "predict_proba") else "roc_auc"
    return GridSearchCV(estimator, grid, scoring=scoring)


#: Arms and ensembles of them. The four members see each attribute after Yeo and Johnson's power
#: transformation, learned in the training fold, which makes skewed measurements symmetric; plain
#: logistic regression sees them standardised. "Nested" arms choose their settings by five inner
#: folds of the training fold.
LADDER = {
    "plain logistic regression": Arm(make_pipeline(StandardScaler(), LogisticRegression())),
    **{name: Arm(make_pipeline(PowerTransformer(), kind)) for name, (kind, _) in _KINDS.items()},
    **{
        f"{name}, nested": Arm(make_pipeline(PowerTransformer(), _nested(*how)))
        for name, how in _KINDS.items()
    },
    "four AC-GANs": Arm(ACGANClassifier(n_members=4)),
    "four without the adversary": Arm(ACGANClassifier(n_members=4, adversarial_weight=0.0)),
    "mean of four": Mean(_FOUR),
    "mean of four, nested": Mean(tuple(f"{name}, nested" for name in _FOUR)),
    "mean of four and AC-GANs": Mean((*_FOUR, "four AC-GANs")),
    "mean of four and nets without the adversary": Mean((*_FOUR, "four without the adversary")),
    **{f"mean without {name}": Mean(tuple(m for m in _FOUR if m != name)) for name in _FOUR},
}
#: The rung whose numbers are the chapter's headline, named before it was run on fresh seeds.
HEADLINE = "mean of four"

#: Tables that the ladder stands on: holes filled by our imputer or by means, or no holes at all.
TABLES = {
    "denoising": {"imputers": ("denoising",)},
    "mean": {"imputers": ("mean",)},
    "complete": {"imputers": ("mean",), "missing_fraction": 0.0},
}


def one_ladder(table="denoising", seed=0, *, n_trials=10, n_folds=5):
    """Scores of every rung on one seed.

    Parameters
    ----------
    table : {"denoising", "mean", "complete"}, default="denoising"
        What fills the holes of the paper's block; "complete" has none.
    seed : int, default=0
        At least 0.
    n_trials, n_folds : int, default=10, 5
        As for :class:`~ehrgan.study.protocol.Study`.

    Returns
    -------
    DataFrame
        trial, fold, imputer, classifier, metric, value, n_train, n_test, under the honest protocol.

    Raises
    ------
    TypeError, ValueError
        If `table` is unknown; else as :class:`~ehrgan.study.protocol.Study`.

    Notes
    -----
    About ten minutes with our imputer beside another run on two busy cores.
    """
    check_names("table", (table,), TABLES)
    asked = {**TABLES[table], "n_trials": n_trials, "n_folds": n_folds, "seed": seed}
    return run_study(load_wdbc(), classifiers=LADDER, **asked).scores
