"""New records by a saved pipeline: read as those that it learned from, or told; never guessed."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ehrgan import cli
from ehrgan.report import separated
from ehrgan.report.cells import read_cells
from ehrgan.report.errors import ReportError
from ehrgan.report.files import as_filed
from ehrgan.report.learned import AsLearned
from ehrgan.report.methods import make_method
from ehrgan.report.model import Model
from ehrgan.report.predict import predict_file
from ehrgan.report.reading import prepare


def records(n=200, seed=0):
    """A table as a German spreadsheet program writes it: day first, decimal commas, -9."""
    rng = np.random.default_rng(seed)
    day = rng.integers(0, 365, n)
    died = rng.uniform(size=n) < 1 / (1 + np.exp((day - 150) / 60))
    crp = np.where(rng.uniform(size=n) < 0.2, -9, np.exp(rng.normal(1.5, 1, n) + died).round(1))
    when = pd.Timestamp("2023-01-01") + pd.to_timedelta(day, unit="D")
    return pd.DataFrame(
        {
            "hb": [f"{v:.1f}".replace(".", ",") for v in rng.normal(13, 2, n)],
            "crp": [f"{v:.1f}".replace(".", ",") for v in crp],
            "sex": rng.choice(["f", "m"], n),
            "smokes": rng.choice(["TRUE", "FALSE"], n),
            "admitted": when.strftime("%d/%m/%Y"),
            "died": np.where(died, "yes", "no"),
        }
    )


def written(path, table):
    table.to_csv(path, sep=";", index=False)
    return path


def tenth(cell):
    """A number in ten times its unit; -9 means missing, and stays."""
    return cell if cell == "-9,0" else f"{float(cell.replace(',', '.')) / 10:.2f}".replace(".", ",")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a table and a pipeline that learned from it."""
    folder = tmp_path_factory.mktemp("predict")
    table = as_filed(read_cells(written(folder / "my.csv", records())))
    found = prepare(table, "died", keep="admitted", missing=["-9"])
    assert list(found.X) == ["hb", "crp", "sex", "smokes", "admitted"]
    method = make_method("mean", "logistic regression", schema=found.schema)
    model = method.fit(found.X, np.where(found.y == 1, "yes", "no").astype(object))
    Model(model, {"card": "# Two hundred records"}).save(folder / "model.skops")
    return folder, model, found


def predicted(made, table, **how):
    """What is written and said of other records."""
    folder = made[0]
    path, out = written(folder / "new.csv", table), folder / "p.csv"
    told = predict_file(folder / "model.skops", path, out, **how)
    return pd.read_csv(out), told


def test_the_records_it_learned_from_are_read_as_they_were(made):
    _, model, found = made
    out, told = predicted(made, records().drop(columns="died"))
    np.testing.assert_allclose(out["probability of yes"], model[1:].predict_proba(found.X)[:, 1])
    assert [*out] == ["record", "prediction", "probability of no", "probability of yes"]
    assert out["record"].tolist() == list(range(1, 201)) and told == ["200 records predicted."]
    assert (out["prediction"] == np.where(out["probability of yes"] > 0.5, "yes", "no")).all()


@pytest.mark.parametrize(
    "change",
    [
        {"sex": lambda t: t["sex"].str.upper()},
        {"smokes": lambda t: t["smokes"].str.lower()},
        {"smokes": lambda t: t["smokes"].map({"TRUE": "1", "FALSE": "0"})},
        {"crp": lambda t: t["crp"].replace("-9,0", "-9")},
        {"crp": lambda t: t["crp"].replace("-9,0", "")},
    ],
)
def test_other_spellings_of_the_same_are_the_same(made, change):
    name, how = next(iter(change.items()))
    plain, _ = predicted(made, records())
    turned = records().columns[::-1]
    other, told = predicted(made, records().assign(**{name: how(records())})[turned])
    pd.testing.assert_frame_equal(plain, other)
    assert told == ["200 records predicted."]


def test_a_date_is_the_same_day_alone_and_beside_others(made):
    one = records(1).assign(admitted="03/11/2023")
    two = pd.concat([one, one.assign(admitted="25/11/2023")])
    alone, beside = (predicted(made, table)[0].iloc[0] for table in (one, two))
    assert alone["probability of yes"] == beside["probability of yes"]
    read = made[1][0].transform(one)["admitted"].iloc[0]
    assert pd.Timestamp("1970-01-01") + pd.Timedelta(days=read) == pd.Timestamp("2023-11-03")


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("hb", ["13.1", "13,1 g/dL", "n.d.", "1.234,5"]),  # of another notation, unit or kind
        ("crp", ["<5", "NA", "five", "5;5".replace(";", ":")]),
        ("sex", ["x", "female", "?", "1"]),
        ("smokes", ["yes", "2", "T", "ja"]),
        ("admitted", ["2023-11-03", "11/25/2023", "03.11.2023", "45233"]),
    ],
)
def test_what_the_schema_cannot_read_is_missing_and_told_and_never_guessed(made, name, cells):
    table = records(4).assign(**{name: cells})
    _, told = predicted(made, table)
    assert told[1].startswith(f"'{name}': 4 cells hold what the model has not")
    assert repr(cells[0]) in told[1]
    strange = "4 records lack a set of attributes"  # only crp was ever missing
    assert [one[: len(strange)] for one in told[2:]] == [strange] * (name != "crp")
    with pytest.warns(UserWarning, match=f"'{name}': 4 cells"):
        assert made[1][0].transform(table)[name].isna().all()


@pytest.mark.parametrize(
    ("name", "cells", "n"),
    [
        ("admitted", ["03/25/2023", "12/31/2023", "03/04/2023", "02/02/2023"], 3),
        ("admitted", ["25/03/2023", "12/31/2023", "03/04/2023", "02/02/2023"], 1),  # a slip
        ("admitted", ["03/04/2023", "05/06/2023", "07/08/2023", "02/02/2023"], 0),
        ("hb", ["13.1", "12.5", "1,234", "14"], 3),  # of a file with the other marks
        ("hb", ["13.1", "12,5", "1,234", "14"], 1),
    ],
)
def test_where_most_cells_show_another_notation_none_is_read_that_it_reads_otherwise(
    made, name, cells, n
):
    values, unread = made[1][0].read(records(4).assign(**{name: cells}))
    assert sum(unread.get(name, {}).values()) == values[name].isna().sum() == n
    if name == "admitted":
        assert values[name].iloc[3] == (pd.Timestamp("2023-02-02") - pd.Timestamp("1970")).days


@pytest.mark.parametrize(
    ("name", "cells", "said"),
    [
        ("hb", lambda t: t["hb"].str.replace(",", ""), "(80 to 179) lie far from the"),  # in g/L
        ("hb", lambda t: ["-999,0", *t["hb"][1:]], "'hb': 1 cells (-999) lie far from the"),
        ("crp", lambda t: [tenth(cell) for cell in t["crp"]], "of the cells lie below 1.1, and at"),
        (
            "admitted",
            lambda t: ["03/11/2031"] * 200,
            "200 cells (2031-11-03) lie far from the 2023",
        ),
        ("sex", lambda t: [""] * 200, "'sex' has no value in any of these records"),
    ],
)
def test_values_unlike_those_learned_from_are_told(made, name, cells, said):
    table = records().assign(**{name: cells(records())})
    with pytest.warns(UserWarning, match="."):
        made[1][0].transform(table)
    _, told = predicted(made, table)
    assert len(told) == 2 + (name == "sex") and said in told[1], told


def test_a_record_of_nothing_is_told_and_a_single_hole_is_not(made):
    table = records(3).assign(admitted="", crp=["1,0", "", ""])
    table.loc[2, ["hb", "sex", "smokes"]] = ""
    _, told = predicted(made, table)
    said = "1 records hold no attribute at all (number 3): nothing is known of them."
    assert told[:2] == ["3 records predicted.", said]
    assert len(told) == 3 and told[2].startswith("3 records lack a set of attributes")
    assert made[1][0].transform(table.iloc[:0]).shape == (0, 5)  # and of no record nothing


def test_columns_that_are_strange_or_lack_are_named(made):
    _, told = predicted(made, records().assign(extra="x"))
    assert "The model does not know the columns ['extra']; they were not used." in told
    with pytest.raises(ReportError, match=r"lacks the columns \['hb'\] \('Hb' is there\)"):
        predicted(made, records().rename(columns={"hb": "Hb"}))
    with pytest.raises(
        ReportError, match=r"lacks the columns \['sex', 'smokes'\] \('SEX' is there\)"
    ):
        predicted(made, records().rename(columns={"sex": "SEX", "smokes": "essex"}))


def test_a_long_file_is_predicted_part_by_part_with_the_same_answer(made, monkeypatch):
    whole, _ = predicted(made, records(500))
    monkeypatch.setattr(separated, "BLOCK", 2000)
    parts, told = predicted(made, records(500).assign(sex=np.resize(["f", "m", "x"], 500)))
    assert len(parts) == 500 and parts["record"].tolist() == list(range(1, 501))
    assert "'sex': 166 cells" in told[1]
    again, _ = predicted(made, records(500))
    pd.testing.assert_frame_equal(whole, again)


def test_the_command_predicts_without_tensorflow(made):
    folder = made[0]
    code = (
        "import sys; from ehrgan import cli; status = cli.main(sys.argv[1:]); "
        "assert 'tensorflow' not in sys.modules; sys.exit(status)"
    )
    given = ["predict", str(folder / "model.skops"), str(folder / "my.csv"), "--out"]
    ran = subprocess.run(
        [sys.executable, "-c", code, *given, str(folder / "q.csv")], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert "200 records predicted." in ran.stdout and len(pd.read_csv(folder / "q.csv")) == 200
    assert cli.main([*given[:2], str(folder / "none.csv"), "--out", "x.csv"]) == 2


def test_a_step_without_a_schema_finds_one_in_its_attributes():
    X = pd.DataFrame({"b": [1.0, 2.0], "a": pd.Categorical(["x", "y"])})
    learned = AsLearned().fit(X)
    new = pd.DataFrame({"a": ["y", "z", "X"], "more": 1, "b": ["3", "none", "1,000"]})
    with pytest.warns(UserWarning, match="count as missing"):
        found = learned.transform(new)
    assert found.columns.tolist() == ["b", "a"]
    np.testing.assert_array_equal(found["b"], [3, np.nan, np.nan])  # thousands were never seen
    assert found["a"].dtype == X["a"].dtype and found["a"].cat.codes.tolist() == [1, -1, 0]
    with pytest.raises(ValueError, match=r"X lacks the columns \['b'\]"):
        learned.transform(new.drop(columns="b"))
