"""How likely the paper's numbers are: planted readings, and densities by another route."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ehrgan.paper import luck
from ehrgan.paper.tables import paper_tables

TOLD = paper_tables().query("classifier == 'AC-GAN'").set_index("imputer")


def planted(shift, n_seeds=20, spread=0.002, seed=0, reading="planted"):
    """Fold scores of studies whose numbers lie around the paper's, shifted."""
    rng = np.random.default_rng(seed)
    rows = [
        (reading, s, imputer, "AC-GAN", metric, TOLD.loc[imputer, metric] + shift + luck_of_s)
        for imputer in ("mean", "autoencoder")
        for metric in (*luck.FREE, "accuracy", "f_score")
        for s, luck_of_s in enumerate(rng.normal(0, spread, n_seeds))
    ]
    columns = ["reading", "seed", "imputer", "classifier", "metric", "value"]
    return pd.DataFrame(rows, columns=columns)


def test_the_reading_that_made_the_numbers_is_the_likeliest():
    scores = pd.concat(
        [planted(0, reading="right"), planted(-0.005, reading="low"), planted(0.004, reading="hi")]
    )
    means = luck.seed_means(scores)
    found = luck.log_likelihood(means)
    assert found.index[0] == "right" and found["right"] - found["low"] > 5
    one = luck.log_likelihood(means[[("mean", "accuracy")]], ("accuracy",))
    values = means.loc["right", ("mean", "accuracy")]
    scale = values.std() * np.sqrt(1 + 1 / 20)
    told = TOLD.loc["mean", "accuracy"]
    assert one["right"] == pytest.approx(stats.t.logpdf(told, 19, values.mean(), scale))


def test_distances_are_counted_in_the_spread_of_the_seeds():
    table = luck.luck_table(luck.seed_means(planted(-0.006)))
    own = planted(-0.006).query("imputer == 'mean' and metric == 'auc_roc'")["value"]
    row = table.loc[("planted", "mean", "auc_roc")]
    assert row["paper"] == TOLD.loc["mean", "auc_roc"]
    assert row["distance"] == pytest.approx((row["paper"] - own.mean()) / own.std())
    assert len(table) == 10


def test_folds_of_a_seed_are_averaged_and_other_classifiers_left_out():
    scores = planted(0, n_seeds=2)
    doubled = pd.concat([scores.assign(value=scores["value"] + d) for d in (-0.01, 0.01)])
    other = scores.assign(classifier="MLP", value=0.0)
    means = luck.seed_means(pd.concat([doubled, other]))
    pd.testing.assert_frame_equal(means, luck.seed_means(scores))


def test_too_few_seeds_and_a_lost_number_are_refused():
    few = planted(0, n_seeds=6)
    with pytest.raises(ValueError, match="more than 6 seeds"):
        luck.log_likelihood(luck.seed_means(few))
    with pytest.raises(ValueError, match="lack a number"):
        luck.seed_means(few.iloc[1:])
