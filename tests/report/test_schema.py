"""The schema as a file: written, read, edited by hand, foreign, wrong."""

import json

import numpy as np
import pandas as pd
import pytest

from ehrgan.report.describe import describe
from ehrgan.report.errors import ReportError
from ehrgan.report.reading import prepare
from ehrgan.report.schema import Schema, read_schema


def table(n=120):
    rng = np.random.default_rng(0)
    hb = rng.normal(1.5, 0.2, n).clip(1.001)
    crp = np.where(rng.uniform(size=n) < 0.2, "-9", rng.integers(1, 40, n).astype(str))
    return pd.DataFrame(
        {
            "hb": [f"{v:.3f}".replace(".", ",") for v in hb],
            "crp": crp,
            "pain": rng.choice(["None", "mild", "severe"], n),
            "when": np.resize(["03/11/2020", "04/12/2020", "05/10/2020"], n),
            "died": rng.choice(["yes", "no"], n),
        }
    )


def saved(tmp_path, told):
    path = tmp_path / "my.schema.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


def edited(tmp_path, **changes):
    """The schema of the table as people would correct it in the file."""
    describe(table()).save(tmp_path / "my.schema.json")
    told = json.loads((tmp_path / "my.schema.json").read_text(encoding="utf-8"))
    for field in told["fields"]:
        field.update(changes.get(field["name"], {}))
    return read_schema(saved(tmp_path, told))


def test_what_is_written_is_read_again_and_describes_the_table_alike(tmp_path):
    found = describe(table())
    found.save(tmp_path / "a.json")
    again = describe(table(), read_schema(tmp_path / "a.json"))
    assert [dict(sorted(f.items())) for f in again.fields] == [
        dict(sorted(f.items())) for f in found.fields
    ]
    assert json.loads((tmp_path / "a.json").read_text())["fields"][0]["name"] == "hb"


def test_a_schema_edited_by_hand_gives_what_it_says(tmp_path):
    plain = prepare(table(), "died")
    assert list(plain.X) == ["crp", "pain"]  # hb and when can be read in two ways
    assert (plain.X["crp"] == -9).any() and plain.X["pain"].notna().all()
    schema = edited(
        tmp_path,
        hb={"decimalChar": ","},
        crp={"missingValues": ["", "-9"]},
        pain={
            "missingValues": ["", "None"],
            "categories": ["severe", "mild"],
            "categoriesOrdered": True,
        },
        when={"format": "%d/%m/%Y", "role": "attribute"},
        died={"role": "outcome"},
    )
    found = prepare(table(), schema=schema)
    source = table()
    np.testing.assert_allclose(found.X["hb"], source["hb"].str.replace(",", ".").astype(float))
    assert (found.X["crp"].isna() == (source["crp"] == "-9")).all() and found.X["crp"].min() >= 1
    assert (
        found.X["pain"].cat.categories.tolist() == ["severe", "mild"]
        and found.X["pain"].cat.ordered
    )
    assert (found.X["pain"].isna() == (source["pain"] == "None")).all()
    days = pd.to_datetime(source["when"], format="%d/%m/%Y") - pd.Timestamp("1970-01-01")
    assert (found.X["when"] == days.dt.days).all()


def test_roles_are_what_the_schema_says(tmp_path):
    schema = edited(tmp_path, crp={"role": "left out", "why": "measured afterwards"})
    found = prepare(table().assign(more=np.arange(120) % 7), "died", schema=schema)
    reasons = found.columns.set_index("name")["reason"]
    assert list(found.X) == ["pain"] and reasons["crp"] == "measured afterwards"
    assert reasons["more"] == "the schema has no such field"
    with pytest.raises(ReportError, match="outcome is not named"):
        prepare(table(), schema=edited(tmp_path))


def test_a_foreign_table_schema_is_accepted(tmp_path):
    told = {
        "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
        "fields": [
            {"name": "id", "type": "integer", "title": "Number", "constraints": {"required": True}},
            {"name": "born", "type": "year"},
            {"name": "seen", "type": "date", "format": "%d/%m/%Y"},
            {"name": "smokes", "type": "boolean", "trueValues": ["ja"], "falseValues": ["nein"]},
            {"name": "sex", "type": "string", "constraints": {"enum": ["m", "f"]}},
            {"name": "dose", "type": "number", "decimalChar": ",", "bareNumber": False},
            {"name": "where", "type": "geopoint"},
            {"name": "died", "type": "boolean"},
        ],
        "primaryKey": "id",
        "missingValues": ["", {"value": "-99", "label": "refused"}],
    }
    rng, n = np.random.default_rng(0), 80
    source = pd.DataFrame(
        {
            "id": rng.permutation(n).astype(str),
            "born": np.where(np.arange(n) % 9 == 0, "-99", rng.integers(1930, 1999, n).astype(str)),
            "seen": "03/11/2020",
            "smokes": rng.choice(["ja", "nein"], n),
            "sex": rng.choice(["f", "m"], n),
            "dose": [f"{v:.1f} mg".replace(".", ",") for v in rng.normal(50, 9, n)],
            "where": "90.5, 45.5",
            "died": rng.choice(["true", "false"], n),
        }
    )
    found = prepare(source, "died", schema=read_schema(saved(tmp_path, told)))
    assert list(found.X) == ["born", "smokes", "sex", "dose"]
    kinds = found.columns.set_index("name")["kind"].to_dict()
    assert (kinds["id"], kinds["smokes"], kinds["born"]) == ("identifier", "yes/no", "number")
    assert (found.X["born"].isna() == (source["born"] == "-99")).all()
    assert (
        found.X["smokes"].astype(str) == source["smokes"].map({"ja": "True", "nein": "False"})
    ).all()
    assert found.X["dose"].between(10, 90).all() and found.positive == "True"
    assert found.schema["seen"]["type"] == "date" and found.schema["id"]["title"] == "Number"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            [{"name": "a", "type": "integr"}],
            "field 'a': type is 'integr', and must be one of number",
        ),
        ([{"name": "a", "decimalChar": ",,"}], "'a': decimalChar is ',,', and must be one char"),
        (
            [{"name": "a", "decimalChar": ",", "groupChar": ","}],
            "'a': groupChar is ',', as decimal",
        ),
        ([{"name": "a", "missingValues": "-9"}], "'a': missingValues is '-9', and must be a list"),
        ([{"name": "a", "missingValues": [-9]}], r"'a': missingValues is \[-9\], and must be"),
        ([{"name": "a", "role": "target"}], "'a': role is 'target', and must be one of attribute"),
        (
            [{"name": "a", "decimalchar": ","}],
            "'a' has no property 'decimalchar'; did you mean 'dec",
        ),
        ([{"name": "a", "type": "date", "format": "dd/mm/yyyy"}], "'a': format is 'dd/mm/yyyy'"),
        ([{"name": "a"}, {"name": "a"}], r"the fields \['a'\] more than once"),
        ([{"type": "number"}], "field 'number 1' has no \"name\""),
        ([], 'no list "fields"'),
        (["a"], 'no list "fields"'),
    ],
)
def test_a_wrong_schema_is_refused_by_field_and_property(tmp_path, fields, message):
    with pytest.raises(ReportError, match=message):
        read_schema(saved(tmp_path, {"fields": fields}))


def test_what_is_no_schema_is_refused(tmp_path):
    with pytest.raises(ReportError, match="cannot be read"):
        read_schema(tmp_path / "none.json")
    (tmp_path / "a.json").write_text("{'fields'")
    with pytest.raises(ReportError, match="is no JSON"):
        read_schema(tmp_path / "a.json")
    with pytest.raises(ReportError, match="primaryKey 'b' is none of its fields"):
        read_schema(saved(tmp_path, {"fields": [{"name": "a"}], "primaryKey": ["b"]}))


def test_a_schema_prints_as_a_table():
    text = str(describe(table()))
    assert text.splitlines()[0].split() == ["name", "type", "role", "missing", "sure"]
    assert any(
        line.split() == ["hb", "number", "not", "decided", "no"] for line in text.splitlines()
    )
    said = " ".join(describe(table()).sentences())
    assert "'hb' is not decided: '1," in said and "'None' in" in said
    assert Schema([{"name": "a"}]).changed({"b": {"role": "time"}}).named("time") == ["b"]
