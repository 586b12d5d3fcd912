"""The better method: tables are what their names say, and nothing was chosen after it was seen."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from sklearn.model_selection import GridSearchCV

from ehrgan.study import by_ladder
from ehrgan.study.judging import Mean
from ehrgan.study.protocol import Study
from ehrgan.tables.records import load_wdbc

DEVELOPED_ON = range(41, 45)


@pytest.fixture(params=by_ladder.TABLES)
def study(request, monkeypatch):
    class Ran:
        scores = None

    found = []
    monkeypatch.setattr(by_ladder, "run_study", lambda records, **own: found.append(own) or Ran)
    by_ladder.one_ladder(request.param, 3, n_trials=1, n_folds=2)
    return request.param, Study(load_wdbc(), **found[0])


def test_every_table_is_the_honest_study_that_its_name_says(study):
    table, study = study
    assert (study.protocol, study.seed, len(study.folds)) == ("honest", 3, 2)
    assert study.imputers == ({"complete": "mean"}.get(table, table),)
    hidden = np.mean([fold.mask.any(axis=1).mean() for fold in study.folds])
    assert hidden == pytest.approx(0.0 if table == "complete" else 0.5, abs=0.01)
    assert study.classifiers == by_ladder.LADDER


def test_tables_of_a_seed_are_split_alike_so_that_they_can_be_compared():
    made = [
        Study(load_wdbc(), n_trials=1, classifiers=by_ladder.LADDER, **own)
        for own in by_ladder.TABLES.values()
    ]
    for folds in zip(*(study.folds for study in made), strict=True):
        assert all((fold.test == folds[0].test).all() for fold in folds)


def test_the_headline_is_an_average_and_each_member_is_left_out_once():
    ladder, members = by_ladder.LADDER, by_ladder.LADDER[by_ladder.HEADLINE].members
    for name in members:
        assert set(ladder[f"mean without {name}"].members) == set(members) - {name}
    nested = ladder[f"{by_ladder.HEADLINE}, nested"].members
    for name, own in zip(members, nested, strict=True):
        search = ladder[own].estimator[-1]
        assert isinstance(search, GridSearchCV)
        fixed = ladder[name].estimator[-1]
        assert type(search.estimator) is type(fixed)
        # what was fixed is among what can be chosen, so that nested differs by its choice alone
        assert all(getattr(fixed, k) in values for k, values in search.param_grid.items())
    assert isinstance(ladder[by_ladder.HEADLINE], Mean)


def test_the_sweeps_seeds_are_the_ones_named_and_none_was_developed_on():
    assert not set(by_ladder.FRESH_SEEDS) & set(DEVELOPED_ON)
    grid = Path(__file__).parents[2] / "sweeps" / "ladder.yml"
    product = yaml.safe_load(grid.read_text(encoding="utf-8"))["product"]
    assert product == {"table": list(by_ladder.TABLES), "seed": list(by_ladder.FRESH_SEEDS)}


def test_an_unknown_table_is_refused():
    with pytest.raises(ValueError, match="table must be"):
        by_ladder.one_ladder("full")
