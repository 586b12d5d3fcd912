"""What a study found: its scores, and the files it is saved in."""

import json
from dataclasses import replace
from importlib.metadata import version

import pandas as pd
import pytest
from told import KEYS, auc, of_fold

from ehrgan.study import result as results


@pytest.fixture
def whole(result):
    """The small study's result with a curve, two choices and settings."""
    key = dict(zip(KEYS, (0, 1, "mean", "AC-GAN"), strict=True))
    curves = pd.DataFrame([{**key, "epoch": epoch, "error": 0.5 / epoch} for epoch in (1, 2, 3)])
    chosen = [("{'l2': 0.1}", 0.4, 0.5), ("{}", 0.3, 0.7)]
    choices = pd.DataFrame(chosen, columns=["choice", "loss", "threshold"]).assign(**key)
    settings = {"seed": 3, "imputers": ("mean",), "other": version}
    return replace(result, curves=curves, choices=choices, settings=settings)


def test_scores_and_their_means_are_those_of_the_predictions(result):
    found = result.scores.set_index([*KEYS, "metric"])["value"]
    keys = list(result.predictions[KEYS].drop_duplicates().itertuples(index=False, name=None))
    for key in keys:
        assert found[(*key, "auc_roc")] == pytest.approx(auc(*of_fold(result, key)))
    means = result.summary.set_index(["imputer", "classifier", "metric"])["mean"]
    own = [auc(*of_fold(result, key)) for key in keys if key[2:] == ("zero", "AC-GAN")]
    assert means["zero", "AC-GAN", "auc_roc"] == pytest.approx(sum(own) / 4) and len(own) == 4
    assert result.scores is result.scores  # computed once


def test_a_result_is_saved_whole_beside_what_it_was_made_by(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "source_fingerprint", lambda: "abc")
    (tmp_path / "curves.parquet").write_text("of an older study")
    paths = whole.save(tmp_path)
    names = ["predictions", "scores", "imputation", "curves", "choices"]
    assert paths == [*(tmp_path / f"{name}.parquet" for name in names), tmp_path / "settings.json"]
    assert sorted(paths) == sorted(tmp_path.iterdir())
    for name, path in zip(names, paths, strict=False):
        wanted = getattr(whole, name).reset_index(drop=True)
        pd.testing.assert_frame_equal(pd.read_parquet(path), wanted, check_exact=True)
    libraries = ("numpy", "pandas", "scikit-learn", "scipy", "tensorflow")
    assert json.loads(paths[-1].read_text()) == {
        **{name: version(name) for name in libraries},
        "source": "abc",
        "settings": {"seed": 3, "imputers": ["mean"], "other": repr(version)},
    }


def test_no_two_rows_of_a_result_share_a_label(whole):
    """Curves of many folds were once joined with their labels, and `.loc` met each fold's rows."""
    joined = pd.concat([whole.curves.assign(fold=k) for k in (0, 1)])
    found = replace(whole, curves=joined, predictions=whole.predictions.iloc[::-1])
    for table in (found.curves, found.predictions, found.imputation, found.choices, found.scores):
        assert table.index.is_unique
    least = found.curves.loc[found.curves.groupby("fold")["error"].idxmin()]
    assert least["epoch"].tolist() == [3, 3]
    assert len(joined) == len(found.curves) and joined.index.has_duplicates
