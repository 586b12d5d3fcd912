"""Do 95 % intervals of studies and of reports hold the truth in 95 % of tables?

Tables are drawn again and again from populations whose truth is known: for studies a smoothed copy
of the Wisconsin table, for reports two normal classes that overlap as much as asked.
"""

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PowerTransformer, StandardScaler
from sklearn.svm import SVC
from tqdm import tqdm

from ehrgan.report import areas
from ehrgan.scores.inference import corrected_interval
from ehrgan.study.judging import Arm
from ehrgan.study.protocol import Study
from ehrgan.tables.masking import apply_mask, make_mask
from ehrgan.tables.records import Records, load_wdbc

LARGE = 20_000  # records by which a truth is measured
TRAININGS = 60  # training sets over which it is averaged
ARMS = {
    "logistic regression": LogisticRegression(max_iter=1000),
    "SVM": SVC(gamma="scale"),
}
N_FOLDS, HIDDEN, SHARE = 5, 15, 0.5
WIDTH = 0.2  # of a move, in standard deviations of its class


class Smoothed:
    """A population like the Wisconsin table: each record is one of its, moved a little.

    Moves are normal on the scale of a power transformation, :data:`WIDTH` times as wide as the
    record's class.
    """

    def __init__(self):
        records = load_wdbc()
        self.scale = PowerTransformer().fit(records.X.to_numpy())
        self.Z, self.y = self.scale.transform(records.X.to_numpy()), records.y
        self.moves = [WIDTH * np.linalg.cholesky(np.cov(self.Z[self.y == c].T)) for c in (0, 1)]
        self.low, self.high = self.Z.min(axis=0), self.Z.max(axis=0)

    def draw(self, n, rng):
        """Attributes and classes of n new records, none beyond the ranges of the table."""
        rows = rng.integers(len(self.y), size=n)
        y, noise = self.y[rows], rng.normal(size=(n, self.Z.shape[1]))
        moved = self.Z[rows] + np.where(
            y[:, None], noise @ self.moves[1].T, noise @ self.moves[0].T
        )
        return self.scale.inverse_transform(np.clip(moved, self.low, self.high)), y

    def holed(self, n, rng):
        """Draw records of which half lack the first fifteen attributes, as in the paper."""
        X, y = self.draw(n, rng)
        mask = make_mask(
            X=X, y=y, attributes=range(HIDDEN), mechanism="block", fraction=SHARE,
            random_state=int(rng.integers(2**31)),
        )  # fmt: skip
        return apply_mask(X, mask), y


def _scores(y, score, cut):
    return {"accuracy": np.mean((score > cut) == y), "auc_roc": roc_auc_score(y, score)}


def truth(population, n):
    """Accuracy and AUC of both arms on the population, trained on n of its records, on average."""
    rng, found = np.random.default_rng(1), []
    X_large, y_large = population.holed(LARGE, rng)
    for _ in range(TRAININGS):
        X, y = population.holed(n, rng)
        fill = make_pipeline(MinMaxScaler(), SimpleImputer()).fit(X)
        for name, arm in ARMS.items():
            model = clone(arm).fit(fill.transform(X), y)
            said = model.decision_function(fill.transform(X_large))
            found.append({"arm": name, **_scores(y_large, said, 0)})
    return pd.DataFrame(found).groupby("arm").mean()


def of_studies(n_tables=200, n_trials=10):
    """Run the study on many tables of 569 records from a smoothed copy of the real one.

    Returns
    -------
    DataFrame
        One row for each table, quantity and kind of interval: value, low, high and truth.
    """
    population, n = Smoothed(), len(load_wdbc().y)
    true = truth(population, round(n * (N_FOLDS - 1) / N_FOLDS))
    first, second = ARMS
    gap, rows = true.loc[first] - true.loc[second], []
    for table in tqdm(range(n_tables), desc="tables", disable=None):
        rng = np.random.default_rng([2, table])
        X, y = population.draw(n, rng)
        arms = {name: Arm(arm) for name, arm in ARMS.items()}
        settings = {"imputers": ("mean",), "classifiers": arms, "n_trials": n_trials, "seed": table}
        scores = Study(Records(X, y), **settings, n_jobs=1).run(progress=False).scores
        sizes = scores["n_train"].mean(), scores["n_test"].mean()
        wide = scores.pivot_table("value", ["trial", "fold"], ["metric", "classifier"])
        for metric in ("accuracy", "auc_roc"):
            own, rival = wide[metric, first], wide[metric, second]
            for quantity, values, of in (
                (f"{metric} of {first}", own, true.loc[first, metric]),
                (f"{metric}, {first} less {second}", own - rival, gap[metric]),
            ):
                rows.append((table, quantity, "corrected", *corrected_interval(values, *sizes), of))
        # the same half width, laid on the logit scale
        mean, _, high = corrected_interval(wide["auc_roc", first], *sizes)
        error = (high - mean) / stats.norm.ppf(0.975)
        on_logits = mean, *areas.interval_of_area(mean, error**2)
        quantity = f"auc_roc of {first}"
        rows.append((table, quantity, "on the logit scale", *on_logits, true.loc[first, "auc_roc"]))
    columns = ["table", "quantity", "interval", "value", "low", "high", "truth"]
    return pd.DataFrame(rows, columns=columns)


def two_classes(area, n, rng, d=7, positive=0.3):
    """Two normal classes in d dimensions that the best line tells apart with a given AUC."""
    y = (rng.random(n) < positive).astype(int)
    X = rng.normal(size=(n, d))
    X[:, 0] += y * np.sqrt(2) * stats.norm.ppf(area)
    return X, y


def of_reports(areas_asked=(0.5, 0.7, 0.9), sizes=(150, 500, 2000), n_tables=200):
    """Count how often a report's interval of an AUC holds the AUC for other records.

    Returns
    -------
    DataFrame
        One row for each AUC that the best line reaches, number of records, and table: value, low,
        high, and truth, what a regression reaches on average that learned from four fifths of so
        many records.
    """
    rows, rng = [], np.random.default_rng(3)
    for asked in areas_asked:
        X_large, y_large = two_classes(asked, LARGE, rng)
        for n in sizes:
            line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
            found = []
            for _ in range(TRAININGS):
                line.fit(*two_classes(asked, round(0.8 * n), rng))
                found.append(roc_auc_score(y_large, line.decision_function(X_large)))
            for table in tqdm(range(n_tables), desc=f"{asked}, {n}", disable=None):
                X, y = two_classes(asked, n, np.random.default_rng([4, table]))
                X = pd.DataFrame(X).rename(columns=str)
                value, spread = areas.area_in_folds(X, y, None, table, n_trials=4)
                effect = areas.effect_of_training(X, y, None, table)
                variance = effect * areas.variance_among(spread, y)
                limits = areas.interval_of_area(value, variance, areas.units_of(y))
                rows.append((asked, n, table, value, *limits, np.mean(found)))
    columns = ["asked", "n", "table", "value", "low", "high", "truth"]
    return pd.DataFrame(rows, columns=columns)
