"""Typed files: Parquet, feather, SPSS, Stata, SAS and workbooks read as the table they hold."""

import datetime
import gzip
import io
import sys
import zipfile
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from ehrgan.report import typed
from ehrgan.report.cells import iter_cells, read_cells
from ehrgan.report.errors import ReportError


@pytest.fixture
def frame():
    moments = pd.Series(pd.date_range("2020", periods=3))
    return pd.DataFrame(
        {
            "exact": pd.array([2**60 + 1, None, -3], dtype="Int64"),
            "whole": np.array([1, 2, 3], np.uint8),
            "number": [1.5, np.nan, -9],
            "flag": pd.array([True, None, False], dtype="boolean"),
            "text": [" x ", None, "NA"],
            "stage": pd.Categorical(["hi", "lo", None], ["lo", "mid", "hi"], ordered=True),
            "ward": pd.Categorical([3, 1, 3]),
            "moment": moments.astype("timestamp[ns][pyarrow]"),
            "cost": [Decimal("1.10"), None, Decimal("2")],
            "long": moments - moments[0],
        }
    )


@pytest.mark.parametrize("write", ["to_parquet", "to_feather"])
@pytest.mark.parametrize("packed", [False, True])
def test_arrows_formats_keep_types_orders_and_every_digit(tmp_path, frame, write, packed):
    path = tmp_path / "a.bin"
    getattr(frame, write)(path)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    found = read_cells(path)
    table, fields = found.table, found.fields
    assert table["exact"].tolist() == [2**60 + 1, pd.NA, -3] and table["whole"].tolist() == [
        1,
        2,
        3,
    ]
    assert table["number"].tolist()[::2] == [1.5, -9] and np.isnan(table["number"][1])
    assert table["flag"].tolist() == [True, pd.NA, False]
    assert table["text"].tolist()[::2] == ["x", "NA"] and pd.isna(table["text"][1])
    assert table["stage"].dtype == frame["stage"].dtype and table["stage"].tolist()[:2] == [
        "hi",
        "lo",
    ]
    assert table["ward"].tolist() == [3, 1, 3] and table["ward"].dtype == "category"
    assert table["moment"].tolist() == pd.date_range("2020", periods=3).tolist()
    assert table["cost"].tolist() == frame["cost"].tolist()
    assert table["long"].tolist() == frame["long"].tolist()
    assert fields["stage"] == {"categories": ["lo", "mid", "hi"], "categoriesOrdered": True}
    assert fields["ward"] == {"categories": [1, 3], "categoriesOrdered": False}
    assert set(fields) == {"stage", "ward"}


def test_an_index_is_a_column_if_it_has_a_name(tmp_path):
    for name, columns in (("key", ["a", "key"]), (None, ["a"])):
        source = pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 5], name=name))
        source.to_parquet(tmp_path / "a.parquet")
        assert list(read_cells(tmp_path / "a.parquet").table) == columns


def test_long_parquet_comes_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(typed, "BATCH", 4)
    source = pd.DataFrame({"a": range(10), "b": pd.Categorical(list("xyzxyzxyzw"))})
    source.to_parquet(tmp_path / "a.parquet")
    parts = list(iter_cells(tmp_path / "a.parquet"))
    assert [part.table["a"].tolist() for part in parts] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    whole = read_cells(tmp_path / "a.parquet").table
    assert whole["b"].tolist() == list("xyzxyzxyzw") and whole["b"].dtype == "category"


@pytest.mark.parametrize("start", [b"PAR1", b"ARROW1", b"$FL2", b"<stata_dta>"])
def test_broken_ones_are_told(tmp_path, start):
    if not start.isupper():
        pytest.importorskip("pyreadstat")
    (tmp_path / "a").write_bytes(start + b" and no more")
    with pytest.raises(ReportError, match="is broken|cannot be read"):
        read_cells(tmp_path / "a")


@pytest.mark.parametrize(
    ("start", "module"), [(b"$FL2", "pyreadstat"), (b"\xd0\xcf\x11\xe0", "python_calamine")]
)
def test_a_library_that_is_missing_is_named_with_the_extra(tmp_path, monkeypatch, start, module):
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / "a").write_bytes(start + b" and no more")
    with pytest.raises(ReportError, match=rf"needs {module}.*ehrgan\[files\]"):
        read_cells(tmp_path / "a")


# ---------------------------------------------------------------- statistics packages


@pytest.fixture
def study():
    return pd.DataFrame(
        {
            "age": [30, 41.5, -9, 22, 98],
            "sex": [1.0, 2, 1, 2, np.nan],
            "pain": [0, 5, 10, 98, 3.0],
            "name": ["a", "", "ö", "d", "e"],
        }
    )


def test_spss_tells_labels_orders_and_codes_for_missing(tmp_path, study):
    pyreadstat = pytest.importorskip("pyreadstat")
    study["seen"] = [datetime.date(2020, 1, 31), None, *[datetime.date(1921, 3, 4)] * 3]
    pyreadstat.write_sav(
        study,
        tmp_path / "a.sav",
        column_labels=["Age in years", "", "Pain", "", ""],
        variable_value_labels={
            "age": {-9: "unknown"},
            "sex": {1: "male", 2: "female"},
            "pain": {0: "none", 10: "worst", 98: "refused"},
        },
        missing_ranges={"age": [-9], "pain": [{"lo": 97, "hi": 99}]},
        variable_measure={"sex": "ordinal"},
    )
    found = read_cells(tmp_path / "a.sav")
    pd.testing.assert_frame_equal(found.table[study.columns[:4]], study.iloc[:, :4])
    assert found.table["seen"].dt.strftime("%Y-%m-%d").tolist()[::2] == [
        "2020-01-31",
        *["1921-03-04"] * 2,
    ]
    assert found.fields["age"] == {"title": "Age in years", "missingValues": ["-9"]}
    assert found.fields["sex"]["categories"] == [
        {"value": 1, "label": "male"}, {"value": 2, "label": "female"}
    ]  # fmt: skip
    assert found.fields["sex"]["categoriesOrdered"] is True
    assert found.fields["pain"] == {"title": "Pain", "missingValues": ["98"]}
    assert found.fields["name"] == {}


@pytest.mark.parametrize("kind", ["dta", "xport"])
def test_stata_and_sas_read_as_the_table_that_was_written(tmp_path, study, kind):
    pyreadstat = pytest.importorskip("pyreadstat")
    options = {"variable_value_labels": {"sex": {1: "m", 2: "f"}}} if kind == "dta" else {}
    getattr(pyreadstat, f"write_{kind}")(study, tmp_path / "a.bin", **options)
    found = read_cells(tmp_path / "a.bin")
    pd.testing.assert_frame_equal(found.table, study)
    assert ("categories" in found.fields["sex"]) == (kind == "dta")


# ---------------------------------------------------------------- workbooks


def workbook(path, merged="", **sheets):
    """The least that makes an .xlsx file; cells of one span may be merged on every sheet."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"

    def cell(value, place):
        if isinstance(value, bool):
            return f'<c r="{place}" t="b"><v>{value:d}</v></c>'
        if isinstance(value, str) and value.startswith("#"):
            return f'<c r="{place}" s="0" t="e"><f>1/0</f><v>{value}</v></c>'
        if isinstance(value, str) and value.startswith("="):
            return f'<c r="{place}" s="0"><f>{value[1:]}</f><v></v></c>'
        if isinstance(value, str):
            return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'
        return "" if value is None else f'<c r="{place}"><v>{value}</v></c>'

    named = [
        f'<sheet name="{name}" sheetId="{k}" r:id="r{k}"/>' for k, name in enumerate(sheets, 1)
    ]
    linked = [
        f'<Relationship Id="r{k}" Type="{office}/worksheet" Target="worksheets/s{k}.xml"/>'
        for k, _ in enumerate(sheets, 1)
    ]
    spans = f'<mergeCells><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types"/>')
        file.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="a" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        file.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{"".join(named)}</sheets>'
            "</workbook>",
        )
        file.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">{"".join(linked)}</Relationships>',
        )
        for k, rows in enumerate(sheets.values(), 1):
            cells = [
                [cell(value, f"{chr(65 + j)}{i}") for j, value in enumerate(row)]
                for i, row in enumerate(rows, 1)
            ]
            lines = "".join(f'<row r="{i}">{"".join(row)}</row>' for i, row in enumerate(cells, 1))
            file.writestr(
                f"xl/worksheets/s{k}.xml",
                f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData>{spans}</worksheet>',
            )


ROWS = [
    ["id", "hb", "dose", "smoker", "note"],
    [1, 12.5, "5.1mg", True, " x "],
    [2, 13, 4, None, None],
    [None, None, None, False, "01067"],
]


def test_a_workbook_reads_as_the_table_that_it_shows(tmp_path):
    pytest.importorskip("python_calamine")
    workbook(tmp_path / "a.xlsx", Labs=ROWS, Empty=[])
    found = read_cells(tmp_path / "a.xlsx")
    table = found.table
    assert table["id"].tolist() == [1, 2, pd.NA] and table["hb"].tolist()[:2] == [12.5, 13]
    assert table["dose"].tolist()[:2] == ["5.1mg", "4"] and table["dose"].isna().tolist()[2]
    assert table["smoker"].tolist() == [True, pd.NA, False]
    assert table["note"].tolist()[::2] == ["x", "01067"] and pd.isna(table["note"][1])
    assert found.fields == {} and found.dialect == {}


def test_a_formula_that_has_failed_is_no_blank_cell(tmp_path):
    pytest.importorskip("python_calamine")
    rows = [["id", "hb"], [1, 12.5], [2, "#DIV/0!"], [3, 14.25], ["#N/A", None]]
    workbook(tmp_path / "a.xlsx", First=[], Labs=rows)
    table = read_cells(tmp_path / "a.xlsx").table
    assert table["hb"].tolist()[:3] == ["12.5", "#DIV/0!", "14.25"] and pd.isna(table["hb"][3])
    assert table["id"].tolist() == ["1", "2", "3", "#N/A"]
    workbook(tmp_path / "a.xlsx", Labs=[*rows, [5, "=B2*2"], [6, "=B3*2"]])
    with pytest.raises(ReportError, match=r"has 2 formulas without a value \(B6\): open it"):
        read_cells(tmp_path / "a.xlsx")


def test_where_a_failed_formula_cannot_be_seen_that_is_told(tmp_path):
    pytest.importorskip("python_calamine")
    names = {
        name: f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"
        for name in ("office", "table", "text")
    }
    rows = [["hb"], ["12.5"], [""], ["13"]]
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{value}</text:p>'
            "</table:table-cell>"
            for value in row
        )
        + "</table:table-row>"
        for row in rows
    )
    with zipfile.ZipFile(tmp_path / "a.ods", "w") as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        file.writestr("META-INF/manifest.xml", "<manifest/>")
        file.writestr(
            "content.xml",
            "<office:document-content "
            + " ".join(f'xmlns:{name}="{urn}"' for name, urn in names.items())
            + f'><office:body><office:spreadsheet><table:table table:name="A">{cells}'
            "</table:table></office:spreadsheet></office:body></office:document-content>",
        )
    found = read_cells(tmp_path / "a.ods")
    assert found.table["hb"].tolist() == ["12.5", "13"]
    assert found.notes == [
        "In a workbook of this kind a formula that has failed reads as a blank cell."
    ]


def test_a_merged_cell_counts_in_all_the_rows_that_it_spans(tmp_path):
    pytest.importorskip("python_calamine")
    rows = [["ward", "age", "sex"], ["A", 61, "f"], [None, 52, None], ["B", 43, None]]
    workbook(tmp_path / "a.xlsx", merged="A2:A3", Visits=rows)
    found = read_cells(tmp_path / "a.xlsx")
    assert found.table["ward"].tolist() == ["A", "A", "B"]
    assert found.table["age"].tolist() == [61, 52, 43] and found.table["sex"].isna().sum() == 2
    assert found.notes == ["1 merged cells count in all the rows that they span."]
    workbook(tmp_path / "a.xlsx", merged="A1:C1", Visits=[["A study", None, None], *rows])
    found = read_cells(tmp_path / "a.xlsx", header=2)  # a title's span is none of the records'
    assert found.table["ward"].tolist()[::2] == ["A", "B"] and found.notes == []


def test_which_sheet_and_row_are_asked(tmp_path):
    pytest.importorskip("python_calamine")
    workbook(tmp_path / "a.xlsx", Labs=[], More=[])
    with pytest.raises(ReportError, match="no cells on any sheet"):
        read_cells(tmp_path / "a.xlsx")
    title = [["Study of sepsis", None, None, None, None], [], *ROWS]
    workbook(tmp_path / "a.xlsx", Labs=ROWS, Visits=title)
    for sheet in (None, "labs"):
        with pytest.raises(ReportError, match=r"sheets \['Labs', 'Visits'\].*sheet='Labs'"):
            read_cells(tmp_path / "a.xlsx", sheet=sheet)
    with pytest.raises(ReportError, match=r"row 1 .* names 1 of 5 columns.*header=3"):
        read_cells(tmp_path / "a.xlsx", sheet="Visits")
    found = read_cells(tmp_path / "a.xlsx", sheet="Visits", header=3)
    pd.testing.assert_frame_equal(found.table, read_cells(tmp_path / "a.xlsx", sheet="Labs").table)
    assert found.dialect == {"sheet": "Visits", "header": 3}


def test_a_document_that_is_packed_like_a_workbook_is_told(tmp_path):
    pytest.importorskip("python_calamine")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("[Content_Types].xml", "x")
    (tmp_path / "a.xlsx").write_bytes(packed.getvalue())
    with pytest.raises(ReportError, match="is no workbook that can be read"):
        read_cells(tmp_path / "a.xlsx")
