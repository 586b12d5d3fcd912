"""A saved model that learns from later records: beside the old one, with what has changed."""

import shutil

import numpy as np
import pandas as pd
import pytest

from ehrgan import cli
from ehrgan.report.describe import describe
from ehrgan.report.errors import ReportError
from ehrgan.report.methods import make_method
from ehrgan.report.model import Model, read_model
from ehrgan.report.predict import predict_file
from ehrgan.report.reading import prepare
from ehrgan.report.schema import Schema
from ehrgan.report.seen import joined, new_patterns, recalled, summary
from ehrgan.report.update import update_file


def records(n, seed, *, shift=0.0, holes=0.1, words=("no", "yes")):
    """Patients whose risk rises with crp, and by ``shift`` with nothing that was measured."""
    rng = np.random.default_rng(seed)
    crp, hb = rng.normal(size=n), rng.normal(13, 2, n)
    died = rng.random(n) < 1 / (1 + np.exp(-1.5 * crp - shift))
    table = pd.DataFrame({"crp": crp.round(3), "hb": hb.round(1), "sex": rng.choice(["f", "m"], n)})
    table.loc[rng.random(n) < holes, "crp"] = np.nan
    return table.assign(died=np.where(died, words[1], words[0]))


def saved(folder, *method, table=None, schema=None, **about):
    """A model of a method, as a report saves it."""
    found = prepare(records(400, 0) if table is None else table, "died", schema=schema)
    labels = np.array(found.classes, dtype=object)[found.y]
    pipeline = make_method(*method, schema=found.schema).fit(found.X, labels)
    about = {"card": "# A model", "classes": [*found.classes]} | about
    Model(pipeline, about).save(folder / "model.skops")
    return folder / "model.skops"


@pytest.fixture(scope="module")
def logistic(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("logistic"), "mean", "logistic regression")


@pytest.fixture
def model(logistic, tmp_path):
    return shutil.copy(logistic, tmp_path / "model.skops")


def written(folder, table, name="new.csv"):
    table.to_csv(folder / name, index=False)
    return folder / name


def test_the_new_model_and_its_card_lie_beside_the_old_which_stays(model, tmp_path, capsys):
    old = model.read_bytes()
    new = written(tmp_path, records(300, 1, shift=1.5))
    assert cli.main(["update", str(model), str(new)]) == 0
    said = capsys.readouterr().out
    assert model.read_bytes() == old and "the old one stays" in said
    assert {p.name for p in tmp_path.iterdir()} == {
        "model.skops", "model.2.skops", "model.2.md", "new.csv",
    }  # fmt: skip
    card = (tmp_path / "model.2.md").read_text(encoding="utf-8")
    assert card.startswith("# A model") and "## Update of" in card and "AUC" in card
    assert read_model(tmp_path / "model.2.skops").about["card"] == card
    cli.main(["update", str(tmp_path / "model.2.skops"), str(new)])
    assert (tmp_path / "model.2.2.skops").exists()


@pytest.mark.parametrize("words", [("no", "yes"), ("zero", "ill")])
def test_probabilities_that_are_too_low_are_moved_and_the_order_stays(tmp_path, words):
    """Classes whose names stand in the other order of the alphabet are moved the same way."""
    path = saved(tmp_path, "mean", "logistic regression", table=records(400, 0, words=words))
    new = records(600, 1, shift=1.5, words=words)
    told, paths = update_file(path, written(tmp_path, new))
    later = records(600, 2, shift=1.5, words=words)
    before, after = (read_model(p).pipeline for p in (path, paths["model"]))
    place = before.classes_.tolist().index(words[1])
    p, q = (m.predict_proba(later.drop(columns="died"))[:, place] for m in (before, after))
    died = later["died"] == words[1]
    assert abs(q.mean() - died.mean()) < 0.05 < abs(p.mean() - died.mean())
    assert (np.argsort(p, kind="stable") == np.argsort(q, kind="stable")).mean() > 0.99
    brier = next(word for word in told if word.startswith("Brier")).split(": ")[1]
    old, new = (float(part.split(" (")[0]) for part in brier.split(" by the old model, "))
    assert new < old


def test_networks_learn_on_and_the_rest_stays(tmp_path):
    path = saved(tmp_path, "mean", "AC-GAN")
    turned = records(400, 1)
    turned["died"] = np.where(turned["died"] == "yes", "no", "yes")
    told, paths = update_file(path, written(tmp_path, pd.concat([turned] * 4)))
    before, after = (read_model(p).pipeline for p in (path, paths["model"]))
    assert any("learned on" in word for word in told)
    X = records(400, 2)
    died, X = X.pop("died") == "no", X  # what crp now says
    right = [(m.predict(X) == np.where(died, "yes", "no")).mean() for m in (before, after)]
    assert right[1] > right[0] + 0.2
    assert np.array_equal(before.named_steps["imputer"].statistics_,
                          after.named_steps["imputer"].statistics_)  # fmt: skip


def test_no_record_tests_what_it_has_taught(model, tmp_path):
    """Outcomes that nothing tells: the new model is worth no more than the old."""
    new = records(400, 3)
    new["died"] = np.random.default_rng(0).choice(["no", "yes"], 400)
    told, _ = update_file(model, written(tmp_path, new))
    area = next(word for word in told if word.startswith("AUC")).split(": ")[1]
    old, other = (float(part.split(" (")[0]) for part in area.split(" by the old model, "))
    assert abs(old - 0.5) < 0.08 and abs(other - 0.5) < 0.1


def test_lines_that_differ_do_not_move_the_auc(model, tmp_path):
    """Each tenth is moved by a line of its own, which no order within it can show."""
    new = records(400, 1, shift=1.5)
    told, _ = update_file(model, written(tmp_path, new))
    area = next(word for word in told if word.startswith("AUC")).split(": ")[1]
    old, other = area.removesuffix(" by the new one.").split(" by the old model, ")
    assert old == other and "among records of one tenth" in " ".join(told)
    by_class = [own.sample(50, random_state=0) for _, own in new.groupby("died")]
    told, _ = update_file(model, written(tmp_path, pd.concat(by_class), "sorted.csv"))
    assert "no tenth of the new records holds all classes" in " ".join(told)


def test_what_has_changed_is_told(model, tmp_path):
    new = records(400, 1, shift=2.0, holes=0.6)
    new["hb"] += 6
    new.loc[:19, ["hb", "sex"]] = np.nan
    told = " ".join(update_file(model, written(tmp_path, new))[0])
    assert "'hb' has other values" in told
    assert "'crp' is missing in" in told
    assert "'yes' is" in told
    assert "records lack a set of attributes that no record lacked from which" in told
    assert "400 new records" in told


def test_the_same_kind_of_records_has_not_changed(model, tmp_path):
    told = " ".join(update_file(model, written(tmp_path, records(400, 5)))[0])
    assert "has other values" not in told and "is missing in" not in told
    assert "no record lacked" not in told


def test_predict_warns_of_holes_that_were_never_seen(model, tmp_path):
    new = records(50, 1).drop(columns="died")
    new.loc[:6, ["hb", "sex"]] = np.nan
    told = predict_file(model, written(tmp_path, new), tmp_path / "out.csv")
    assert any(word.startswith("7 records lack a set of attributes") for word in told)
    told = predict_file(model, written(tmp_path, new[10:]), tmp_path / "out.csv")
    assert not any("lack a set" in word for word in told)


def test_an_updated_model_knows_the_holes_of_both(model, tmp_path):
    new = records(200, 1)
    new.loc[:6, ["hb", "sex"]] = np.nan
    _, paths = update_file(model, written(tmp_path, new))
    told = predict_file(paths["model"], tmp_path / "new.csv", tmp_path / "out.csv")
    assert not any("lack a set" in word for word in told)
    new["hb"] += 40  # what one update has learned is not far from what was learned
    _, paths = update_file(paths["model"], written(tmp_path, new, "far.csv"))
    told = predict_file(paths["model"], tmp_path / "far.csv", tmp_path / "out.csv")
    assert not any("lie far from" in word for word in told)
    seen = read_model(paths["model"]).pipeline[0].seen_
    assert seen["n"] == 800 and sum(seen["classes"].values()) == 800


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda t: t.drop(columns="died"), "lacks the outcome 'died'"),
        (lambda t: t.drop(columns="crp"), "lacks the columns"),
        (lambda t: t.assign(died="no"), "0 records of its rarest class"),
    ],
)
def test_records_that_cannot_teach_are_refused_and_nothing_is_written(
    model, tmp_path, change, wanted
):
    new = written(tmp_path, change(records(100, 1)))
    before = {p.name for p in tmp_path.iterdir()}
    with pytest.raises(ReportError, match=wanted):
        update_file(model, new)
    assert {p.name for p in tmp_path.iterdir()} == before


def test_nothing_is_written_over(model, tmp_path):
    new = written(tmp_path, records(200, 1))
    for taken in ("model.skops", "other.skops", "third.md"):
        (tmp_path / taken).touch()
    for out in ("model.skops", "other.skops", "third.skops"):
        with pytest.raises(ReportError, match="is there already"):
            update_file(model, new, tmp_path / out)


def test_an_update_that_is_stopped_loses_nothing(model, tmp_path, monkeypatch, capsys):
    new, old = written(tmp_path, records(200, 1)), model.read_bytes()

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Model, "save", stopped)
    assert cli.main(["update", str(model), str(new)]) == 130
    assert model.read_bytes() == old and not list(tmp_path.glob("*.2.skops"))
    monkeypatch.undo()
    assert cli.main(["update", str(model), str(new)]) == 0  # the same command does it then
    assert len(list(tmp_path.glob("*.skops"))) == 2


def test_a_model_of_several_classes_that_cannot_learn_on_is_refused(tmp_path):
    table = records(300, 0)
    table["died"] = np.random.default_rng(0).choice(["no", "ward", "home"], 300)
    places = {"role": "outcome", "type": "string", "categories": ["home", "ward", "no"]}
    schema = describe(table, Schema([]).changed({"died": places}))
    path = saved(tmp_path, "mean", "logistic regression", table=table, schema=schema)
    with pytest.raises(ReportError, match="neither learn on nor be recalibrated"):
        update_file(path, written(tmp_path, table))


def test_a_summary_holds_columns_and_joins_as_if_it_had_been_one_table():
    parts = [prepare(records(300, seed), "died") for seed in (0, 1)]
    both = prepare(pd.concat([records(300, 0), records(300, 1)], ignore_index=True), "died")
    one, other = (summary(p.X, p.y, p.classes) for p in (parts[0], both))
    put = joined(one, parts[1].X, parts[1].y, both.classes)
    assert put["classes"] == other["classes"] and put["n"] == 600
    assert put["columns"]["sex"] == other["columns"]["sex"]
    assert put["columns"]["crp"]["missing"] == other["columns"]["crp"]["missing"]
    apart = np.subtract(*(s["columns"]["crp"]["quantiles"] for s in (put, other)))
    assert np.abs(apart[5:-5]).max() < 0.1
    X, y = recalled(other, both.classes)
    assert X["crp"].isna().sum() == both.X["crp"].isna().sum() and (np.bincount(y) > 0).all()
    assert not new_patterns(other, both.X).any()
