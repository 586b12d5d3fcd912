"""What tells studies apart: the key of the cache; masks, splits and seeds of trials and folds."""

import ast
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ehrgan import ACGANClassifier
from ehrgan import source as sources
from ehrgan.study import cache, protocol
from ehrgan.study.judging import Arm, Judged, Table
from ehrgan.study.protocol import Study
from ehrgan.tables.records import Records

SMALL = {"n_trials": 2, "n_folds": 3, "n_masked": 2, "imputers": ("mean", "zero"), "seed": 4}


@pytest.fixture(scope="module")
def records():
    X = np.random.default_rng(2).normal(size=(30, 4))
    return Records(pd.DataFrame(X, columns=list("abcd")), np.arange(30) % 3 == 0)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Imputations and arms that a study was asked to make, in a cache of their own."""
    monkeypatch.setenv("EHRGAN_CACHE", str(tmp_path / "cache"))
    found = []

    def impute(study, name, hidden):
        found.append(name)
        return [Table(np.zeros((1, 4)), np.zeros((1, 4)), 0.5)] * len(study.folds)

    def judge(arm, folds, tables, **told):
        found.append(arm)
        rng = np.random.default_rng(len(found))
        return Judged([rng.random(len(fold.test)) for fold in folds], [0.5] * len(folds))

    monkeypatch.setattr(Study, "_impute", impute)
    monkeypatch.setattr(protocol, "judge", judge)
    return found


# ---------------------------------------------------------------- what the cache is asked for

ARM = {"draws": 1, "grid": ({"l2": 0.1}, {"l2": 0.2}), "specificity": 0.9}


def n_made(made, records, **parameters):
    """How many imputations and arms a study makes."""
    before = len(made)
    cache.run_study(records, **{**SMALL, "classifiers": ("Naive Bayes", "AC-GAN"), **parameters})
    return len(made) - before


def test_a_study_that_has_run_is_fetched_and_takes_all_its_parameters(records, made):
    other = {"n_trials": 3, "seed": 9, "imputers": ("zero",), "shuffle_test_labels": True}
    for n_new in (6, 0):
        assert n_made(made, records) == n_new
    result = cache.run_study(records, **SMALL, **{"classifiers": ("MLP",)})
    assert result.settings == Study(records, **SMALL, classifiers=("MLP",)).settings()
    assert n_made(made, records, **other) == 3
    result = cache.run_study(records, **{**SMALL, **other})
    assert result.settings == Study(records, **{**SMALL, **other}).settings()


def test_the_number_of_processes_changes_no_result(records, made):
    assert n_made(made, records, n_jobs=1) == 6
    copied = Records(records.X.copy(), records.y.copy())
    assert n_made(made, copied, n_jobs=2) == 0


def swapped(values, i, j):
    values = values.copy()
    values[[i, j]] = values[[j, i]]
    return values


def test_another_table_is_another_study(records, made):
    X, y = records.X, records.y
    cell, hole = X.copy(), X.copy()
    cell.iloc[17, 2] += 1e-9
    hole.iloc[17, 2] = np.nan
    tables = [
        (X, y),
        (cell, y),
        (hole, y),
        (X.rename(columns={"d": "e"}), y),
        (X[list("abdc")], y),
        (X.set_axis(list("abdc"), axis=1), y),
        (swapped(X.to_numpy(), 1, 2), y),
        (swapped(X.to_numpy(), 1, 4), y),
        (X, swapped(y, 0, 1)),
        (X, 1 - y),
        (X.iloc[:-3], y[:-3]),
    ]
    for n_new in (6, 0):
        assert [n_made(made, Records(*table)) for table in tables] == [n_new] * len(tables)


def test_another_arm_is_another_part(records, made):
    gan = ACGANClassifier(epochs=3)
    pipe = make_pipeline(StandardScaler(), LogisticRegression(C=1.0))
    deep = make_pipeline(StandardScaler(), LogisticRegression(C=2.0))
    arms = [
        Arm(gan, **ARM),
        Arm(ACGANClassifier(epochs=4), **ARM),
        Arm(gan, **{**ARM, "draws": 2}),
        Arm(gan, **{**ARM, "grid": ({"l2": 0.1}, {"l2": 0.3})}),
        Arm(gan, **{**ARM, "grid": ({"l2": 0.2}, {"l2": 0.1})}),
        Arm(gan, **{**ARM, "specificity": 0.8}),
        Arm(pipe),
        Arm(deep),
    ]
    for arm in arms:
        n_made(made, records, classifiers={"a": arm})
    assert [own for own in made if isinstance(own, Arm)] == [arm for arm in arms for _ in "mz"]
    assert not any(n_made(made, records, classifiers={"b": arm}) for arm in arms)


def test_another_source_is_another_study(records, made, monkeypatch):
    for source, n_new in (("one", 6), ("other", 6), ("one", 0)):
        monkeypatch.setattr(cache, "source_fingerprint", lambda own=source: own)
        assert n_made(made, records) == n_new


def test_the_cache_keeps_a_whole_result(records, tmp_path, monkeypatch):
    monkeypatch.setenv("EHRGAN_CACHE", str(tmp_path))
    settings = {**SMALL, "classifiers": ("Naive Bayes",), "n_jobs": 1}
    made = cache.run_study(records, **settings)
    fresh = Study(records, **settings).run(progress=False)
    monkeypatch.setattr(Study, "_impute", None)
    monkeypatch.setattr(protocol, "judge", None)
    kept = cache.run_study(records, **settings)
    for name in ("predictions", "imputation", "curves", "choices", "scores", "summary"):
        pd.testing.assert_frame_equal(getattr(kept, name), getattr(made, name), check_exact=True)
        pd.testing.assert_frame_equal(getattr(kept, name), getattr(fresh, name), check_exact=True)
    assert kept.settings == made.settings == Study(records, **settings).settings()


@pytest.mark.parametrize(
    ("named", "folder"),
    [
        ({"EHRGAN_CACHE": "/here", "XDG_CACHE_HOME": "/there"}, "/here"),
        ({"XDG_CACHE_HOME": "/there"}, "/there/ehrgan"),
        ({}, "/home/me/.cache/ehrgan"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep caches elsewhere")
def test_the_cache_lies_where_the_environment_says(monkeypatch, named, folder):
    monkeypatch.setenv("HOME", "/home/me")
    for name in ("EHRGAN_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    assert cache._cache_folder() == Path(folder)


# ---------------------------------------------------------------- the fingerprint of the source


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A copy of the package's modules, which the fingerprint is taken of."""
    root = tmp_path / "ehrgan"
    shutil.copytree(Path(sources.__file__).parent, root, ignore=shutil.ignore_patterns("data"))
    before = sources.source_fingerprint()
    monkeypatch.setattr(sources, "__file__", str(root / "source.py"))
    assert sources.source_fingerprint() == before
    return root


def imported(path, root):
    """Modules of the package that a module imports, at its head or further in."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert not any(alias.name.split(".")[0] == "ehrgan" for alias in node.names)
        if not isinstance(node, ast.ImportFrom):
            continue
        names = (node.module or "").split(".") if node.module else []
        if node.level:
            base = path.parents[node.level - 1].joinpath(*names)
        elif names[0] == "ehrgan":
            base = root.joinpath(*names[1:])
        else:
            continue
        for here in (base, *(base / alias.name for alias in node.names)):
            found |= {p for p in (here.with_suffix(".py"), here / "__init__.py") if p.is_file()}
    return found


def reached_from(path, root):
    """A module and every other of the package that it imports, at any remove."""
    reached, ahead = set(), {path}
    while ahead:
        reached |= ahead
        ahead = {other for own in ahead for other in imported(own, root)} - reached
    return reached


def test_an_edit_of_any_module_that_a_study_is_made_of_changes_the_fingerprint(source):
    reached = {
        p.relative_to(source).as_posix() for p in reached_from(source / "study/cache.py", source)
    }
    parts = ("nets/acgan", "study/selection", "tables/masking", "nets/engine", "nets/losses")
    assert {f"{name}.py" for name in (*parts, "scores/metrics")} < reached
    # what writes a file, tells the source or draws a bar makes no number
    makes = reached - {"files.py", "source.py", "bars.py"}
    prints = {sources.source_fingerprint()}
    for name in sorted(makes):
        path = source / name
        path.write_text(path.read_text() + "#\n")
        prints.add(sources.source_fingerprint())
    assert len(prints) == 1 + len(makes)


def test_an_edit_of_what_only_shows_results_keeps_the_fingerprint(source):
    before = sources.source_fingerprint()
    for name in ("report/report", "book/show", "cli", "bars", "plots/style", "paper/audit"):
        path = source / f"{name}.py"
        path.write_text(path.read_text() + "#\n")
    (source / "book" / "new.py").write_text("edited\n")
    assert sources.source_fingerprint() == before
    (source / "nets" / "losses.py").rename(source / "nets" / "loss.py")
    assert sources.source_fingerprint() != before


def test_another_version_of_any_numerical_library_changes_the_fingerprint(monkeypatch):
    prints = [sources.source_fingerprint()]
    for newer in ("numpy", "pandas", "scikit-learn", "scipy", "tensorflow"):
        monkeypatch.setattr(sources, "version", lambda name, new=newer: "9" if name == new else "1")
        prints.append(sources.source_fingerprint())
    assert len(set(prints)) == len(prints) and {len(p) for p in prints} == {40}


# ---------------------------------------------------------------- masks, splits and seeds


def test_each_trial_splits_all_records_by_class(records):
    study = Study(records, **SMALL)
    assert [(f.trial, f.fold) for f in study.folds] == [(t, k) for t in (0, 1) for k in (0, 1, 2)]
    for trial in (0, 1):
        own = [fold for fold in study.folds if fold.trial == trial]
        tested = np.concatenate([fold.test for fold in own])
        np.testing.assert_array_equal(np.sort(tested), np.arange(30))
        for fold in own:
            np.testing.assert_array_equal(
                np.sort(np.concatenate([fold.train, fold.test])), np.arange(30)
            )
            assert len(fold.test) == 10 and 3 <= fold.y_test.sum() <= 4
            np.testing.assert_array_equal(fold.y_test, records.y[fold.test])
            np.testing.assert_array_equal(fold.y_train, records.y[fold.train])
            np.testing.assert_array_equal(fold.mask, own[0].mask)


def drawn(study):
    """Masks by trial, splits by trial, and every fold's seed."""
    trials = range(study.n_trials)
    masks = [next(f.mask.tobytes() for f in study.folds if f.trial == t) for t in trials]
    splits = [tuple(tuple(f.test) for f in study.folds if f.trial == t) for t in trials]
    return masks, splits, [f.seed for f in study.folds]


def test_no_two_trials_folds_or_seeds_draw_alike():
    records = Records(np.random.default_rng(0).normal(size=(80, 4)), np.arange(80) % 2)
    found = [
        drawn(Study(records, **{**SMALL, "n_trials": 6, "seed": seed})) for seed in (0, 1, 2, 3)
    ]
    for each in zip(*found, strict=True):  # masks, splits, seeds of folds
        every = [value for own in each for value in own]
        assert len(set(every)) == len(every)


def test_a_trial_stays_the_same_when_others_join_or_another_protocol_looks(records):
    base = drawn(Study(records, **SMALL))
    changes = {"protocol": "peek", "imputers": ("mean",), "classifiers": ("AC-GAN",), "n_jobs": 1}
    changes |= {"shuffle_test_labels": True, "acgan": {"epochs": 1}}
    for name, value in changes.items():
        assert drawn(Study(records, **{**SMALL, name: value})) == base
    masks, splits, seeds = drawn(Study(records, **{**SMALL, "n_trials": 4}))
    assert (masks[:2], splits[:2], seeds[:6]) == base


def test_holes_are_made_as_asked(records):
    def masks(**asked):
        return [fold.mask for fold in Study(records, **{**SMALL, **asked}).folds]

    for mask in masks():  # half of either class, both attributes together
        assert mask.any(axis=0).tolist() == [True, True, False, False]
        assert mask[records.y == 1, 0].sum() == 5 and mask[records.y == 0, 0].sum() == 10
    for mask in masks(missing_fraction=0.2, attributes=(1, 3)):
        assert mask.sum(axis=0).tolist() == [0, 6, 0, 6]
        assert mask[records.y == 1, 3].sum() == 2
    for mask in masks(mechanism="monotone", n_masked=3):
        assert mask.any(axis=0).tolist() == [True, True, True, False]
        assert (np.diff(mask.astype(int), axis=0) <= 0).all() and mask.sum() == 45
    upper = records.X.rank().to_numpy() > 15
    for mask in masks(mechanism="MNAR quantile", missing_fraction=0.5):
        np.testing.assert_array_equal(mask, upper)  # all of the upper half goes


# ---------------------------------------------------------------- the ends of what is allowed


def test_the_ends_of_every_range_are_allowed(records):
    ends = {"n_trials": 1, "n_folds": 10, "n_masked": 4, "seed": 0, "missing_fraction": 1}
    assert len(Study(records, **ends).folds) == 10
    assert len(Study(Records(records.X, 1 - records.y), **{**ends, "n_folds": 2}).folds) == 2
    assert not any(fold.mask.any() for fold in Study(records, n_masked=0).folds)
    for y in (records.y, 1 - records.y):  # whichever class is the smaller one
        with pytest.raises(ValueError, match="n_folds must be at least 2 and at most 10"):
            Study(Records(records.X, y), n_folds=11)


@pytest.mark.parametrize("value", [True, "half", -0.1, 1.1, np.nan])
def test_a_share_is_a_number_from_0_to_1(records, value):
    error = TypeError if isinstance(value, bool | str) else ValueError
    with pytest.raises(error, match="missing_fraction must"):
        Study(records, missing_fraction=value)


def test_classifiers_of_ones_own_are_arms(records):
    with pytest.raises(ValueError, match=r"must map names to Arm, .*got \['b'\]"):
        Study(records, classifiers={"a": Arm(LogisticRegression()), "b": LogisticRegression()})
    with pytest.raises(ValueError, match="got no Arm"):
        Study(records, classifiers={})
    named = {"classifiers": "MLP", "imputers": "zero", "protocol": ["epoch"]}
    found = Study(records, n_masked=2, **named).settings()
    assert {name: found[name] for name in named} == {
        "classifiers": ("MLP",),
        "imputers": ("zero",),
        "protocol": ("epoch",),
    }
