"""Saving: a loaded model is the saved one, files are whole or absent, strangers are refused."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from sklearn.exceptions import NotFittedError

import ehrgan
from ehrgan import ACGANClassifier, StackedAutoencoderImputer
from ehrgan.saving import write_whole


def table(seed=0, n=40):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, 4)), columns=["a", "b", "c", "größe"])
    X["d"] = rng.integers(0, 3, n)
    return X, np.where(X["a"] > 0, "ill", "well")


@pytest.fixture(scope="module")
def classifier():
    X, y = table()
    return ACGANClassifier(
        epochs=3, n_members=2, class_weight={"ill": 2.0, "well": 1.0}, random_state=0
    ).fit(X, y)


@pytest.fixture(scope="module")
def imputer():
    X, _ = table()
    X = X.mask(np.random.default_rng(1).random(X.shape) < 0.2)
    X["empty"] = np.nan
    model = StackedAutoencoderImputer(
        epochs=3, add_indicator=True, random_state=np.random.RandomState(3)
    )
    return model.set_output(transform="pandas").fit(X)


def test_a_loaded_classifier_predicts_and_generates_the_same_in_a_new_process(classifier, tmp_path):
    X, _ = table(seed=5)
    classifier.save(tmp_path / "m")
    X.to_pickle(tmp_path / "x")
    code = """if True:
        import sys, numpy as np, pandas as pd
        from ehrgan import ACGANClassifier
        model = ACGANClassifier.load("m")
        np.save("p.npy", model.predict_proba(pd.read_pickle("x")))
        model.sample(5, random_state=0)[0].to_pickle("s")
        assert "tensorflow" not in sys.modules
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(ehrgan.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), classifier.predict_proba(X))
    fake = pd.read_pickle(tmp_path / "s")
    pd.testing.assert_frame_equal(fake, classifier.sample(5, random_state=0)[0])


def test_a_loaded_imputer_is_the_saved_one(imputer, tmp_path):
    X, _ = table(seed=5)
    X = X.mask(np.random.default_rng(2).random(X.shape) < 0.3).assign(empty=np.nan)
    imputer.save(tmp_path / "m")
    again = StackedAutoencoderImputer.load(tmp_path / "m")
    pd.testing.assert_frame_equal(again.transform(X), imputer.transform(X))
    assert again.get_params().keys() == imputer.get_params().keys()
    assert again.get_feature_names_out().tolist() == imputer.get_feature_names_out().tolist()
    state, old = (m.random_state.get_state() for m in (again, imputer))
    assert np.array_equal(state[1], old[1]) and state[2:] == old[2:]


def test_no_file_is_left_where_saving_fails(classifier, tmp_path, monkeypatch):
    (tmp_path / "m").write_text("the old one")
    monkeypatch.setattr(classifier, "history_", {"loss": object()})
    with pytest.raises(TypeError, match="history_.loss is a object"):
        classifier.save(tmp_path / "m")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["the old one"]
    with pytest.raises(NotFittedError):
        ACGANClassifier().save(tmp_path / "n")
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "absent" / "m", b"")


@pytest.mark.parametrize("share", [0, 4, 0.5, 0.99])
def test_a_truncated_file_is_refused(classifier, tmp_path, share):
    classifier.save(tmp_path / "m")
    whole = (tmp_path / "m").read_bytes()
    (tmp_path / "m").write_bytes(whole[: int(share * len(whole)) if share < 1 else share])
    with pytest.raises(ValueError, match="damaged"):
        ACGANClassifier.load(tmp_path / "m")


def test_a_foreign_file_is_refused(imputer, tmp_path):
    save_file({"W": np.zeros(3)}, tmp_path / "foreign")
    with pytest.raises(ValueError, match="not one that save"):
        ACGANClassifier.load(tmp_path / "foreign")
    (tmp_path / "text").write_text("not a model at all, and long enough to have a header")
    with pytest.raises(ValueError, match="damaged or was not written"):
        ACGANClassifier.load(tmp_path / "text")
    imputer.save(tmp_path / "imputer")
    with pytest.raises(ValueError, match="holds a StackedAutoencoderImputer"):
        ACGANClassifier.load(tmp_path / "imputer")
    with pytest.raises(FileNotFoundError, match="no such file"):
        ACGANClassifier.load(tmp_path / "absent")
