"""Results to look up: the file covers its grid, and the page says what the file holds."""

import html
import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ehrgan.book.committed import committed
from ehrgan.book.explorer import Explorer
from ehrgan.scores.metrics import METRICS
from ehrgan.study.by_protocol import FPR, one_protocol
from ehrgan.study.cache import run_study
from ehrgan.sweeps.grid import read_grid
from ehrgan.sweeps.plan import plan

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def results():
    return committed("by_protocol")


@pytest.fixture(scope="module")
def explorer(results):
    return Explorer(results)


def test_the_committed_results_cover_the_grid(results):
    runs = plan(ROOT / "sweeps" / "one_protocol.ipynb", read_grid(ROOT / "sweeps" / "explorer.yml"))
    asked = {(r.parameters["protocol"], r.parameters["fraction"]) for r in runs}
    assert set(results[["protocol", "fraction"]].itertuples(index=False, name=None)) == asked
    assert len(set(results["source"])) == 1


def test_a_lookup_is_the_mean_over_the_file(results, explorer):
    own = results.query(
        "protocol == 'paper' and fraction == 0.3 and imputer == 'mean' and classifier == 'MLP'"
    )
    found = explorer.lookup("paper", "mean", "MLP", 0.3)
    for metric in METRICS:
        wanted = own.loc[own["metric"] == metric, "value"].mean()
        assert found[metric][0] == pytest.approx(wanted, abs=5e-5)
        assert found[metric][1] < found[metric][0] < found[metric][2]
    assert len(found["tpr"]) == len(FPR) and found["tpr"][-1] == 1


def test_only_what_has_an_epoch_can_peek(explorer):
    peek, paper = (explorer.lookup(p, "mean", "SVM (RBF)", 0.5) for p in ("peek", "paper"))
    assert peek == paper
    assert explorer.lookup("peek", "mean", "AC-GAN", 0.5) != explorer.lookup(
        "paper", "mean", "AC-GAN", 0.5
    )


def test_results_without_the_first_choice_are_refused(results):
    with pytest.raises(ValueError, match="results must hold"):
        Explorer(results[results["protocol"] == "paper"])


def test_the_curve_has_the_area_that_the_table_gives(monkeypatch, tmp_path):
    monkeypatch.setenv("EHRGAN_CACHE", str(tmp_path))
    brief = {"imputers": ("mean",), "classifiers": ("Naive Bayes",), "n_jobs": 1}  # no others
    monkeypatch.setattr("ehrgan.study.by_protocol.run_study", partial(run_study, **brief))
    live = one_protocol("honest", 0.5, n_trials=1, n_folds=2)
    own = live[(live["imputer"] == "mean") & (live["classifier"] == "Naive Bayes")]
    curve = own[own["metric"] == "tpr"].sort_values("fpr")
    area = ((curve["value"] + curve["value"].shift()) / 2 * curve["fpr"].diff()).sum()
    assert area == pytest.approx(own.loc[own["metric"] == "auc_roc", "value"].mean(), abs=0.01)


# ---------------------------------------------------------------- a small file, made by hand


def made(protocol, fraction, classifiers, imputers=("mean", "autoencoder"), seed=0):
    """Two trials of two folds, and curves, of random numbers."""
    rng = np.random.default_rng([seed, len(protocol), int(100 * fraction)])
    rows = []
    for imputer in imputers:
        for classifier in classifiers:
            key = {"imputer": imputer, "classifier": classifier}
            for metric in (*METRICS, "brier"):
                rows += [
                    {**key, "trial": t, "fold": f, "metric": metric, "value": rng.random(),
                     "n_train": 30, "n_test": 10}
                    for t in (0, 1) for f in (0, 1)
                ]  # fmt: skip
            curve = np.sort(rng.random(len(FPR)))
            rows += [
                {**key, "trial": -1, "fold": -1, "metric": "tpr", "value": v, "fpr": x,
                 "n_train": 0, "n_test": 0}
                for x, v in zip(FPR, curve, strict=True)
            ]  # fmt: skip
    return pd.DataFrame(rows).assign(protocol=protocol, fraction=fraction)


@pytest.fixture(scope="module")
def small():
    both = ("AC-GAN", "Naive Bayes")
    parts = [made("peek", 0.5, both[:1])]
    parts += [made(p, f, both) for p in ("paper", "honest") for f in (0.5, 0.05)]
    return pd.concat(parts).sample(frac=1, random_state=0)  # in no order


def recomputed(results, protocol, imputer, classifier, fraction):
    own = results[
        (results["protocol"] == protocol) & (results["imputer"] == imputer)
        & (results["classifier"] == classifier) & (results["fraction"] == fraction)
    ]  # fmt: skip
    cell = {}
    for metric in METRICS:
        values = own.loc[own["metric"] == metric, "value"]
        half = stats.t.ppf(0.975, 3) * np.sqrt(values.var() * (1 / 4 + 1 / 3))
        ends = np.clip([values.mean() - half, values.mean() + half], 0, 1)
        cell[metric] = [values.mean(), *ends]
    curve = own[own["metric"] == "tpr"].set_index("fpr")["value"]
    return cell, [curve[x] for x in FPR]


CHOICES = [
    (protocol, imputer, classifier, fraction)
    for protocol in ("honest", "paper", "peek")
    for imputer in ("mean", "autoencoder")
    for classifier in ("AC-GAN", "Naive Bayes")
    for fraction in (0.05, 0.5)
]


def test_every_choice_finds_its_own_numbers(small):
    explorer = Explorer(small)
    for protocol, *others in CHOICES:
        found = explorer.lookup(protocol, *others)
        lacks = protocol == "peek" and others[1:] != ["AC-GAN", 0.5]
        cell, curve = recomputed(small, "paper" if lacks else protocol, *others)
        assert set(found) == {*METRICS, "tpr"}
        for metric in METRICS:
            assert found[metric] == pytest.approx(cell[metric], abs=5.1e-5)
        assert found["tpr"] == pytest.approx(curve, abs=5.1e-4)
    assert len(explorer.cells) == 2 * 8 + 2
    with pytest.raises(KeyError):
        explorer.lookup("honest", "mean", "MLP", 0.5)


def test_choices_come_in_the_books_order_and_the_first_is_chosen(small):
    explorer = Explorer(small)
    options = explorer.options()
    assert options == {
        "protocol": ["honest", "paper", "peek"],
        "imputer": ["mean", "autoencoder"],
        "classifier": ["Naive Bayes", "AC-GAN"],
        "fraction": ["0.05", "0.5"],
    }
    page = explorer._repr_html_()
    for name, first in zip(options, ["honest", "autoencoder", "AC-GAN", "0.5"], strict=True):
        (select,) = re.findall(f'<select id="explorer-{name}">(.*?)</select>', page, re.S)
        found = re.findall(r'<option value="(.*?)"( selected)?>(.*?)</option>', select)
        assert [value for value, _, _ in found] == options[name]
        assert [value for value, chosen, _ in found if chosen] == [first]
        assert f'<label for="explorer-{name}">' in page
    assert [words for _, _, words in found] == ["5 %", "50 %"]


def test_the_page_holds_every_number_and_shows_those_of_the_first_choice(small):
    strange = made("honest", 0.5, ["</script><b>"], imputers=["mean"])
    explorer = Explorer(pd.concat([small, strange]))
    page = explorer._repr_html_()
    (data,) = re.findall(r'<script type="application/json" class="data">(.*?)</script>', page, re.S)
    data = json.loads(data)
    assert data["cells"] == explorer.cells and "honest|mean|</script><b>|0.5" in data["cells"]
    assert data["metrics"] == list(METRICS) and data["fpr"] == FPR.tolist()
    cell, curve = recomputed(small, "honest", "autoencoder", "AC-GAN", 0.5)
    names = {"accuracy": "accuracy", "sensitivity": "sensitivity", "specificity": "specificity",
             "auc_roc": "AUC", "f_score": "F-score"}  # fmt: skip
    shown = re.findall(
        r'<tr data-metric="(.*?)"><th scope="row">(.*?)</th>'
        r"<td>(.*?)</td><td>(.*?)\N{EN DASH}(.*?)</td><td>(.*?)</td></tr>", page
    )  # fmt: skip
    assert [row[:2] for row in shown] == list(names.items())
    for metric, _, *numbers, gap in shown:
        assert [float(n) for n in numbers] == pytest.approx(cell[metric], abs=6e-4)
        assert float(numbers[0]) == pytest.approx(cell[metric][0], abs=5.1e-5)
        assert gap == "0.0000"
    said = html.unescape(re.search(r"Shown: <span>(.*?)</span>", page)[1])
    assert said == f"honest, autoencoder, AC-GAN, 50 %: accuracy {cell['accuracy'][0]:.4f}"
    for name in ("first", "curve"):
        path = re.search(f'<path class="{name}" d="M(.*?)"/>', page)[1]
        points = np.array([point.split() for point in path.split("L")], dtype=float)
        wanted = np.column_stack([300 * FPR, 300 * (1 - np.array(curve))])
        np.testing.assert_allclose(points, [[0, 300], *wanted], atol=0.21)
    assert "<!--" not in page.replace("<!--[if", "")


def test_the_table_for_readers_without_script_holds_every_accuracy(small):
    explorer = Explorer(small)
    table = explorer.every_accuracy()
    assert list(table.columns) == ["5 %", "50 %"] and len(table) == 12
    assert table.index.names == ["protocol", "imputation", "classifier"]
    for protocol, imputer, classifier, fraction in CHOICES:
        mean, low, high = explorer.lookup(protocol, imputer, classifier, fraction)["accuracy"]
        told = table.loc[(protocol, imputer, classifier), f"{100 * fraction:g} %"]
        assert told == f"{mean:.4f} ({low:.4f}\N{EN DASH}{high:.4f})"
        assert told in explorer._repr_html_()
