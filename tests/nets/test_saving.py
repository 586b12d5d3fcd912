"""Saving: a loaded model is the saved one, files are whole or absent, strangers are refused."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from sklearn import config_context
from sklearn.exceptions import NotFittedError
from sklearn.impute import MissingIndicator

import ehrgan
from ehrgan import ACGANClassifier, StackedAutoencoderImputer
from ehrgan.files import write_whole
from ehrgan.nets import saving


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
        epochs=3, n_draws=2, add_indicator=True, random_state=np.random.RandomState(3)
    )
    return model.set_output(transform="pandas").fit(X)


def test_loaded_models_predict_generate_and_draw_the_same_in_a_new_process(
    classifier, imputer, tmp_path
):
    X, _ = table(seed=5)
    classifier.save(tmp_path / "m")
    imputer.save(tmp_path / "i")
    X.to_pickle(tmp_path / "x")
    holes = X.mask(X > 1).assign(empty=np.nan)
    holes.to_pickle(tmp_path / "h")
    code = """if True:
        import sys, numpy as np, pandas as pd
        from ehrgan import ACGANClassifier, StackedAutoencoderImputer
        model = ACGANClassifier.load("m")
        imputer = StackedAutoencoderImputer.load("i")
        np.save("d.npy", imputer.draw(pd.read_pickle("h"), random_state=0))
        np.save("p.npy", model.predict_proba(pd.read_pickle("x")))
        model.sample(5, random_state=0)[0].to_pickle("s")
        assert "tensorflow" not in sys.modules
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(ehrgan.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), classifier.predict_proba(X))
    drawn = np.load(tmp_path / "d.npy")
    np.testing.assert_array_equal(drawn, imputer.draw(holes, random_state=0))
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


def same(a, b):
    """Whether two values are equal and of equal kinds, to the last array and key."""
    if isinstance(a, np.random.RandomState):
        return same(a.get_state(), b.get_state())
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and (a.dtype, a.shape) == (b.dtype, b.shape)
            and all(same(x, y) for x, y in zip(a.ravel().tolist(), b.ravel().tolist(), strict=True))
        )
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, MissingIndicator):
        return a.n_features_in_ == b.n_features_in_ and same(a.features_, b.features_)
    return a == b or a != a


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(), st.text(),
    st.sampled_from([
        np.arange(6.0).reshape(2, 3).T, np.array([True, False]), np.array([], np.float32),
        np.array(["größe", "a"]), np.array(["x", 1, None, 2.5], object), np.uint8([[1], [255]]),
        np.array(-0.5), np.array([np.nan, np.inf]),
    ]),
)  # fmt: skip
keys = st.one_of(st.text(), st.integers(), st.booleans(), st.floats(allow_nan=False))
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(value=values)
@example(value={1: np.arange(3), "1": np.arange(2), "x": {"1.0": np.zeros(1)}, "x.1": [np.ones(1)]})
def test_what_is_encoded_comes_back_in_value_and_kind(value):
    arrays = {}
    written = json.dumps(saving._encode({"first": value, "second": [value]}, "name", arrays))
    back = saving._decode(json.loads(written), arrays)
    assert same(back, {"first": value, "second": [value]})


def test_every_parameter_and_attribute_of_a_model_comes_back(classifier, imputer, tmp_path):
    for model in (classifier, imputer):
        model.save(tmp_path / "m")
        again = type(model).load(tmp_path / "m")
        kept = {k: v for k, v in vars(model).items() if k != "_metadata_request"}
        assert vars(again).keys() == kept.keys()
        for name, value in kept.items():
            assert same(value, getattr(again, name)), name
    assert isinstance(again.units_, type(imputer.units_))


def test_requests_for_routing_are_not_kept(classifier, tmp_path):
    model = copy.copy(classifier)
    with config_context(enable_metadata_routing=True):
        model.set_fit_request(sample_weight=True).save(tmp_path / "m")
    assert "_metadata_request" not in vars(ACGANClassifier.load(tmp_path / "m"))


def test_numbers_of_numpy_are_kept_and_strangers_named():
    assert saving._encode(np.float64(0.5), "x", {}) == 0.5
    assert saving._encode(np.int64(3), "x", {}) == 3
    for stranger in (object(), np.array(["2020-01-01"], "datetime64[D]"), {1, 2}):
        with pytest.raises(TypeError, match=r"deep\.1 is an? .*without pickle"):
            saving._encode([0, stranger], "deep", {})


@pytest.mark.parametrize("version", [0, saving.FORMAT + 1])
def test_another_format_is_refused_by_its_number(classifier, tmp_path, monkeypatch, version):
    with monkeypatch.context() as other:
        other.setattr(saving, "FORMAT", version)
        classifier.save(tmp_path / "m")
    with pytest.raises(
        ValueError, match=f"format {version}; this version reads format {saving.FORMAT}"
    ):
        ACGANClassifier.load(tmp_path / "m")


@pytest.mark.parametrize("lacking", ["format", "class", "state"])
def test_a_header_that_lacks_a_part_is_refused(tmp_path, lacking):
    header = {"format": saving.FORMAT, "class": "ACGANClassifier", "state": {}}
    del header[lacking]
    save_file({"W": np.zeros(3)}, tmp_path / "m", metadata={"ehrgan": json.dumps(header)})
    with pytest.raises(ValueError, match="not one that save"):
        ACGANClassifier.load(tmp_path / "m")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_breaks_off_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, call):
    path = tmp_path / "m"
    write_whole(path, "the old one")
    seen = []

    def full(*_):
        seen.append(path.read_text())
        raise OSError("no space left")

    monkeypatch.setattr(*((os, "fsync") if call == "fsync" else (Path, "replace")), full)
    with pytest.raises(OSError, match="no space"):
        write_whole(path, "the new one, which is longer")
    assert seen == ["the old one"]
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("m", "the old one")]


def test_a_file_is_whole_on_the_disk_before_it_takes_its_name(tmp_path, monkeypatch):
    path, synced = tmp_path / "m", []
    path.write_text("old")
    real = os.fsync

    def fsync(descriptor):
        synced.append((os.fstat(descriptor).st_size, path.read_text()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_whole(path, "größe")
    assert synced == [(7, "old")] and path.read_bytes() == "größe".encode()
    write_whole(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    plain = tmp_path / "plain"
    plain.write_text("")
    assert path.stat().st_mode == plain.stat().st_mode  # the usual rights, not a private file's
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m", "plain"]


def test_models_are_written_whole(classifier, tmp_path, monkeypatch):
    (tmp_path / "m").write_text("the old one")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        classifier.save(tmp_path / "m")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["the old one"]
