"""``ehrgan describe`` and what ``ehrgan report`` says before it trains."""

import json

import numpy as np
import pandas as pd
import pytest

from ehrgan import cli
from ehrgan.report import report


def table(n=120):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.integers(20, 90, n),
            "crp": np.resize(["1,234", "2,345", "3,456"], n),
            "dose": np.resize(["<1,5", "1,5 to 3", ">3"], n),
            "died": rng.choice(["yes", "no"], n),
        }
    )


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a table, where the command runs; nothing is trained."""
    monkeypatch.chdir(tmp_path)
    table().to_csv("my.csv", index=False)
    seen = []

    def stand_in(prepared, seed, external):
        seen.append(prepared)
        raise report.ReportError("seen")

    monkeypatch.setattr(report, "make_report", stand_in)
    return seen


def said(capsys, *arguments):
    """Exit status, what is printed, and what is complained of."""
    status = cli.main([*arguments])
    told = capsys.readouterr()
    return status, told.out, told.err


def test_describe_writes_a_schema_that_report_takes_when_it_is_corrected(here, tmp_path, capsys):
    status, out, _ = said(capsys, "describe", "my.csv", "--outcome", "died")
    assert status == 0 and "'crp' is not decided: '1,234' may be 1.234 or 1234" in out
    told = json.loads((tmp_path / "my.schema.json").read_text())
    assert {f["name"]: f.get("role") for f in told["fields"]} == {
        **{"age": "attribute", "crp": None, "dose": "attribute", "died": "outcome"}
    }
    told["fields"][1]["decimalChar"] = ","
    (tmp_path / "my.schema.json").write_text(json.dumps(told))
    said(capsys, "report", "my.csv", "--schema", "my.schema.json")
    np.testing.assert_allclose(here[0].X["crp"][:3], [1.234, 2.345, 3.456])
    status, _, err = said(capsys, "describe", "my.csv")
    assert status == 2 and "'my.schema.json' is there already" in err
    assert json.loads((tmp_path / "my.schema.json").read_text()) == told


def test_report_says_what_it_took_and_what_it_left_out(here, capsys):
    _, out, err = said(capsys, "report", "my.csv", "--outcome", "DIED")
    assert "outcome 'DIED' is taken for the column 'died'" in out and err == "error: seen\n"
    assert "'crp' is left out: '1,234' may be" in out and list(here[0].X) == ["age", "dose"]


def test_an_order_of_values_with_commas_is_given_in_quotes(here, capsys):
    order = 'dose="<1,5","1,5 to 3",>3'
    said(capsys, "report", "my.csv", "--outcome", "died", "--ordered", order)
    assert here[0].X["dose"].cat.categories.tolist() == ["<1,5", "1,5 to 3", ">3"]
    status, _, err = said(capsys, "report", "my.csv", "--outcome", "died", "--ordered", "dose=<1,5")
    assert status == 2 and "double quotes" in err


def test_codes_are_named_for_a_column(here, capsys):
    age = table()["age"].iloc[0]
    given = ("report", "my.csv", "--outcome", "died", "--missing", f"age={age}", "--missing", "-99")
    _, out, _ = said(capsys, *given)
    assert f"'age' is {age} in " in out and "The code '-99' for missing is found nowhere." in out
    assert here[0].schema["age"]["missingValues"] == ["", str(age)]


def test_a_schema_and_a_table_that_do_not_fit_are_told(here, tmp_path, capsys):
    (tmp_path / "s.json").write_text('{"fields": [{"name": "ag", "type": "number"}]}')
    given = ("report", "my.csv", "--outcome", "died", "--schema", "s.json")
    status, _, err = said(capsys, *given)
    assert status == 2 and "fields ['ag'], which are no columns of the table" in err


def test_a_stop_is_a_sentence(here, monkeypatch, capsys):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "make_report", stopped)
    status, _, err = said(capsys, "report", "my.csv", "--outcome", "died")
    assert status == 130 and err == "stopped: no file is left half-written\n"


def test_names_in_another_encoding_are_told_beside_the_names(here, tmp_path, capsys):
    names = {"age": "возраст", "died": "смерть"}
    text = table().rename(columns=names).to_csv(index=False)
    (tmp_path / "ru.csv").write_bytes(text.encode("cp1251"))
    status, _, err = said(capsys, "report", "ru.csv", "--outcome", "смертть")
    assert status == 2 and "encod" in err
