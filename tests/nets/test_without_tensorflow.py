"""Predicting needs no TensorFlow; training says that it does."""

import subprocess
import sys

import numpy as np
import pytest

from ehrgan import ACGANClassifier, StackedAutoencoderImputer, source
from ehrgan.nets import backend

CODE = """
import sys
sys.modules["tensorflow"] = None  # so importing it fails
import numpy as np
from ehrgan import ACGANClassifier, StackedAutoencoderImputer
filled = StackedAutoencoderImputer.load(sys.argv[1]).transform([[0.2, np.nan], [0.8, 0.7]])
model = ACGANClassifier.load(sys.argv[2])
print(repr(model.predict_proba(filled).tolist()))
model.fit(filled, [0, 1])
"""


def test_a_saved_pipeline_predicts_without_it_and_says_what_training_lacks(tmp_path):
    X, y = np.random.default_rng(0).random((20, 2)), [0, 1] * 10
    imputer = StackedAutoencoderImputer(epochs=1, random_state=0).fit(X)
    model = ACGANClassifier(epochs=1, random_state=0).fit(X, y)
    paths = [str(tmp_path / "imputer"), str(tmp_path / "model")]
    for estimator, path in zip((imputer, model), paths, strict=True):
        estimator.save(path)
    done = subprocess.run([sys.executable, "-c", CODE, *paths], capture_output=True, text=True)
    wanted = model.predict_proba(imputer.transform([[0.2, np.nan], [0.8, 0.7]]))
    assert done.stdout == f"{wanted.tolist()!r}\n"
    assert "ImportError: training needs TensorFlow" in done.stderr


def test_what_is_installed_is_loaded_and_what_is_not_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ImportError, match="pip install tensorflow "):
        backend._loaded.__wrapped__()


def test_the_fingerprint_can_be_taken_without_it(monkeypatch):
    monkeypatch.setattr(source, "VERSIONED", ("numpy", "no such library"))
    assert len(source.source_fingerprint()) == 40
