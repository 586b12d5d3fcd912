"""A model's file: the same probabilities, no code, and a refusal for all that is no model."""

import io
import json
import os
import subprocess
import sys
import zipfile
from functools import partial

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.preprocessing import FunctionTransformer

from ehrgan import cli
from ehrgan.report import methods, model
from ehrgan.report.describe import describe
from ehrgan.report.errors import ReportError
from ehrgan.report.methods import CANDIDATES, JOINT, PAPERS, make_method
from ehrgan.report.model import FORMAT, TRUSTED, Model, read_model


def records(n=80):
    rng = np.random.default_rng(0)
    stage = pd.Categorical(rng.choice(["I", "II", "III"], n), ordered=True)
    X = pd.DataFrame(
        {
            "age": rng.normal(60, 9, n).round(1),
            "crp": rng.normal(9, 3, n).round(1),
            "site": pd.Categorical(rng.choice(["lung", "skin", "colon"], n)),
            "smokes": pd.Categorical(rng.choice(["no", "yes"], n)),
            "stage": stage,
        }
    )
    holes = rng.uniform(size=X.shape) < 0.15
    holes[: n // 2] = False  # the paper's autoencoder learns from nearly complete records
    return X.mask(holes), np.where(rng.uniform(size=n) < 0.4, "ill", "well").astype(object)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Fewer epochs, trees and rounds."""
    less = {"epochs": 2, "n_estimators": 5, "n_jobs": 1, "max_iter": 20}

    def sooner(real, *of):
        model = real(*of)
        return model.set_params(**{k: v for k, v in less.items() if k in model.get_params()})

    for name in ("make_final_classifier", "make_imputation"):
        monkeypatch.setattr(methods, name, partial(sooner, getattr(methods, name)))


def fitted(method=CANDIDATES[0], n_records=0):
    X, y = records()
    return make_method(*method, 0, n_records, describe(X)).fit(X, y), X


@pytest.mark.parametrize("method", CANDIDATES + JOINT + PAPERS, ids=" + ".join)
def test_every_method_tells_the_same_from_its_file(method, tmp_path):
    pipeline, X = fitted(method)
    Model(pipeline, {"card": "words"}).save(tmp_path / "model.skops")
    again = read_model(tmp_path / "model.skops")
    assert again.about == {"card": "words"}
    new = X.assign(age=X["age"].astype(str), more="x")[::-1]
    pd.testing.assert_frame_equal(again.pipeline[:1].transform(new), pipeline[:1].transform(new))
    np.testing.assert_array_equal(again.pipeline.predict_proba(new), pipeline.predict_proba(new))
    assert again.pipeline.predict(new[:3]).tolist() == pipeline.predict(new[:3]).tolist()


def test_an_imputation_that_learned_from_some_records_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(methods, "FINAL_LIMIT", 50)
    pipeline, X = fitted(("chained ridge", "random forest"), 80)
    Model(pipeline, {"card": ""}).save(tmp_path / "model.skops")
    again = read_model(tmp_path / "model.skops").pipeline
    np.testing.assert_array_equal(again.predict_proba(X), pipeline.predict_proba(X))


class Evil:
    """What a pickle would run."""

    def __reduce__(self):
        return os.system, ("touch ran",)


def saved(path, pipeline):
    held = {"format": FORMAT, "about": {"card": ""}, "pipeline": pipeline}
    path.write_bytes(skops.io.dumps(held))
    return path


@pytest.mark.parametrize(
    ("step", "named"),
    [
        (FunctionTransformer(os.system), "posix.system"),
        (FunctionTransformer(partial(os.system, "touch ran")), "functools.partial"),
        (subprocess.CompletedProcess("touch ran", 0), "subprocess.CompletedProcess"),
        (Evil(), "Evil"),
    ],
)
def test_what_no_model_holds_is_refused_by_name_and_never_made(step, named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pipeline, _ = fitted()
    pipeline.steps.append(("more", step))
    path = saved(tmp_path / "model.skops", pipeline)
    with pytest.raises(ReportError, match="no model of a report holds") as told:
        read_model(path)
    assert named in str(told.value) and not (tmp_path / "ran").exists()
    for command in (["card", str(path)], ["predict", str(path), "none.csv", "--out", "p.csv"]):
        assert cli.main(command) == 2


def test_a_file_whose_text_names_another_function_is_refused(tmp_path, monkeypatch):
    """A hand that writes the file without skops."""
    monkeypatch.chdir(tmp_path)
    pipeline, _ = fitted()
    path = saved(tmp_path / "model.skops", pipeline)
    with zipfile.ZipFile(path) as held:
        files = {name: held.read(name) for name in held.namelist()}
    told = files["schema.json"].decode()
    told = told.replace('"StandardScaler"', '"system"').replace(
        '"sklearn.preprocessing._data"', '"os"'
    )
    assert json.loads(told) and '"system"' in told
    with zipfile.ZipFile(path, "w") as held:
        for name, content in (files | {"schema.json": told}).items():
            held.writestr(name, content)
    with pytest.raises(ReportError, match=r"os\.system"):
        read_model(path)


@pytest.mark.parametrize("part", ["left", "feature"])
@pytest.mark.parametrize("kind", [(CANDIDATES[5]), (CANDIDATES[4])], ids=" + ".join)
def test_trees_that_point_out_of_themselves_are_refused(kind, part, tmp_path):
    pipeline, _ = fitted(kind)
    model = pipeline[-1]
    if hasattr(model, "estimators_"):
        tree = model.estimators_[2].tree_
        inner = np.flatnonzero(tree.children_left >= 0)[0]
        array = {"left": tree.children_left, "feature": tree.feature}[part]
    else:
        nodes = model._predictors[3][0].nodes
        inner = np.flatnonzero(nodes["is_leaf"] == 0)[0]
        array = nodes[{"left": "left", "feature": "feature_idx"}[part]]
    read_model(saved(tmp_path / "sound.skops", pipeline))
    array[inner] = 10_000
    with pytest.raises(ReportError, match="no model.skops"):
        read_model(saved(tmp_path / "model.skops", pipeline))


def test_what_is_no_model_of_a_report_is_refused(tmp_path):
    pipeline, X = fitted()
    (tmp_path / "text").write_text("x")
    for name, held in {
        "list": [1],
        "older": {"format": 0, "about": {"card": ""}, "pipeline": pipeline},
        "headless": {"format": FORMAT, "about": {"card": ""}, "pipeline": pipeline[1:]},
        "other": {"format": FORMAT, "about": {"card": ""}, "pipeline": [ExtraTreesClassifier()]},
    }.items():
        (tmp_path / name).write_bytes(skops.io.dumps(held))
    with pytest.raises(ReportError, match="is no file"):
        read_model(tmp_path / "none")
    for name in ("text", "list", "older", "headless", "other"):
        with pytest.raises(ReportError, match="is no model.skops"):
            read_model(tmp_path / name)


def test_the_list_names_types_that_are_needed_and_none_that_runs_code():
    asked = set()
    for method in CANDIDATES + JOINT + PAPERS:
        data = io.BytesIO(skops.io.dumps(fitted(method)[0])).getvalue()
        asked |= {*skops.io.get_untrusted_types(data=data)}
    assert asked <= {*TRUSTED}
    assert all(name.startswith(("ehrgan.", "sklearn.", "numpy.")) for name in TRUSTED)


def test_the_command_prints_the_card(tmp_path):
    Model(fitted()[0], {"card": "# Eighty records"}).save(tmp_path / "model.skops")
    command = [sys.executable, "-m", "ehrgan.cli", "card", str(tmp_path / "model.skops")]
    assert "# Eighty records" in subprocess.run(command, capture_output=True, text=True).stdout


def test_a_file_that_unpacks_without_end_is_not_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "model.skops"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("schema.json", " " * 20_000_000)
    monkeypatch.setattr(model, "MOST_BYTES", 10_000_000)
    with pytest.raises(ReportError, match="20000000 bytes once unpacked"):
        read_model(path)


def test_a_model_without_a_card_is_none(tmp_path):
    Model(fitted()[0], {}).save(tmp_path / "model.skops")
    with pytest.raises(ReportError, match="is no model.skops"):
        read_model(tmp_path / "model.skops")
