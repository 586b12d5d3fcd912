"""Readings of the paper by seed: each is the study that its name says."""

import pandas as pd
import pytest

from ehrgan.study import by_seed
from ehrgan.study.protocol import CLASSIFIERS, Study
from ehrgan.tables.records import load_wdbc


class Ran:
    """What a study leaves, with curves whose mean is least at epoch 3 though no fold's is."""

    scores = pd.DataFrame({"value": [1.0]})
    curves = pd.DataFrame(
        [("mean", e, v) for v in ([0.1, 0.9, 0.2], [0.9, 0.1, 0.2]) for e, v in enumerate(v, 1)]
        + [("autoencoder", e, v) for e, v in enumerate([0.3, 0.2, 0.4], 1)],
        columns=["imputer", "epoch", "error"],
    )


@pytest.fixture
def asked(monkeypatch):
    found = []
    monkeypatch.setattr(by_seed, "run_study", lambda records, **own: found.append(own) or Ran)
    return found


@pytest.mark.parametrize("reading", by_seed.READINGS)
def test_every_reading_is_a_study_that_can_be_run(asked, reading):
    by_seed.one_seed(reading, 3, n_trials=1, n_folds=2)
    for own in asked:
        study = Study(load_wdbc(), **own)
        assert (study.seed, len(study.folds)) == (3, 2) and set(study.imputers) <= set(by_seed.TEN)
        assert study.classifiers == (CLASSIFIERS if reading == "honest" else ("AC-GAN",))
        looks = {"paper": {"paper"}, "peek": {"peek"}, "one epoch": {"paper", "peek"}}
        assert study.protocol in looks.get(reading, {"honest"})


def test_one_epoch_for_all_folds_is_the_best_of_the_mean_curve(asked):
    assert len(by_seed.one_seed("one epoch")) == 2
    peek, *finals = asked
    assert peek["protocol"] == "peek" and peek["imputers"] == by_seed.TEN
    told = {own["imputers"]: (own["acgan"], own["protocol"]) for own in finals}
    assert told == {
        ("mean",): ({"epochs": 3}, "paper"),
        ("autoencoder",): ({"epochs": 2}, "paper"),
    }


def test_what_the_paper_does_not_tell_is_varied_as_the_name_says(asked):
    by_seed.one_seed("100 epochs, l2 0.01, standard, batch 16")
    told = {"epochs": 100, "l2": 0.01, "scaling": "standard", "batch_size": 16}
    assert asked[0]["acgan"] == told | {"generator_output": "linear"}
    assert "500 epochs, l2 0.0, minmax, batch 64" not in by_seed.READINGS  # it is "honest"


def test_an_unknown_reading_is_refused():
    with pytest.raises(ValueError, match="reading must be"):
        by_seed.one_seed("peak")
