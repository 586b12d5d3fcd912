"""Results to look up: the file covers its grid, and the page says what the file holds."""

from pathlib import Path

import pytest

from ehrgan.evaluation import METRICS
from ehrgan.explorer import FPR, Explorer, committed, one_protocol
from ehrgan.sweep import plan, read_grid

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def results():
    return committed()


def test_the_committed_results_cover_the_grid(results):
    runs = plan(ROOT / "sweeps" / "one_protocol.ipynb", read_grid(ROOT / "sweeps" / "explorer.yml"))
    asked = {(r.parameters["protocol"], r.parameters["fraction"]) for r in runs}
    assert set(results[["protocol", "fraction"]].itertuples(index=False, name=None)) == asked
    assert results["source"].nunique() == 1


def test_a_lookup_is_the_mean_over_the_file(results):
    own = results.query(
        "protocol == 'paper' and fraction == 0.3 and imputer == 'mean' and classifier == 'MLP'"
    )
    found = Explorer(results).lookup("paper", "mean", "MLP", 0.3)
    for metric in METRICS:
        wanted = own.loc[own["metric"] == metric, "value"].mean()
        assert found[metric][0] == pytest.approx(wanted, abs=5e-5)
        assert found[metric][1] < found[metric][0] < found[metric][2]
    assert len(found["tpr"]) == len(FPR) and found["tpr"][-1] == 1


def test_only_what_has_an_epoch_can_peek(results):
    explorer = Explorer(results)
    peek, paper = (explorer.lookup(p, "mean", "SVM (RBF)", 0.5) for p in ("peek", "paper"))
    assert peek == paper
    assert explorer.lookup("peek", "mean", "AC-GAN", 0.5) != explorer.lookup(
        "paper", "mean", "AC-GAN", 0.5
    )


def test_results_without_the_first_choice_are_refused(results):
    with pytest.raises(ValueError, match="results must hold"):
        Explorer(results[results["protocol"] == "paper"])


def test_the_curve_has_the_area_that_the_table_gives(results):
    live = one_protocol("honest", 0.5, n_trials=1, n_folds=2)
    own = live[(live["imputer"] == "mean") & (live["classifier"] == "Naive Bayes")]
    curve = own[own["metric"] == "tpr"].sort_values("fpr")
    area = ((curve["value"] + curve["value"].shift()) / 2 * curve["fpr"].diff()).sum()
    assert area == pytest.approx(own.loc[own["metric"] == "auc_roc", "value"].mean(), abs=0.01)
