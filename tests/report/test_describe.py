"""What a column is found to be: decided by what reads all its cells, else asked with the line."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from ehrgan.report.describe import describe
from ehrgan.report.errors import ReportError
from ehrgan.report.schema import SAID, Schema


def field(cells, others=None, given=None, **options):
    """The field of a column of 60 cells, beside others."""
    table = pd.DataFrame({"v": np.resize(np.array(cells, dtype=object), 60)} | (others or {}))
    given = None if given is None else Schema([{"name": "v", **given}])
    return describe(table, given, **options)["v"]


def is_at_least(found, **wanted):
    assert {key: found.get(key) for key in wanted} == wanted, found


POINTS = {"other": np.resize(["1.5", "2.75"], 60)}
COMMAS = {"other": np.resize(["1,5", "2,75"], 60)}


@pytest.mark.parametrize(
    ("cells", "others", "wanted"),
    [
        (["1,5", "12,25"], None, {"decimalChar": ","}),
        (["1,234", "0,876"], None, {"decimalChar": ","}),  # no thousand begins with nought
        (["1,234", "12,5"], POINTS, {"decimalChar": ","}),
        (["1.234,5", "2"], None, {"decimalChar": ",", "groupChar": "."}),
        (["1.234", "1.234.567"], None, {"decimalChar": ",", "groupChar": "."}),
        (["1 234,5", "7"], None, {"decimalChar": ",", "groupChar": " "}),
        (["1'234.5", "7"], None, {"decimalChar": ".", "groupChar": "'"}),
        (["1,234", "5.5"], None, {"decimalChar": ".", "groupChar": ","}),
        (["1.234", "2.345"], POINTS, {"decimalChar": "."}),
        (["1,234", "2,345"], COMMAS, {"decimalChar": ","}),
        (["61", "70"], COMMAS, {"decimalChar": ","}),
        (["5.1mg", "3 mg"], None, {"bareNumber": False, "unit": ["mg"]}),
        (["5 x10^9/L", "7 x10^9/L"], None, {"unit": ["x10^9/L"]}),
        (["\u22121.5", "2"], None, {}),
        (["1.5e-3", "2"], None, {}),
    ],
)
def test_numbers_are_read_as_all_their_cells_allow(cells, others, wanted):
    is_at_least(field(cells, others), type="number", role="attribute", **wanted)


@pytest.mark.parametrize(
    ("cells", "others", "lines"),
    [
        (["1,234", "2,345"], None, ['"decimalChar": ","', '"groupChar": ","']),
        (["1,234", "2,345"], POINTS, ['"decimalChar": ","', '"groupChar": ","']),
        (["1.234", "2.345"], COMMAS, ['"decimalChar": "."', '"groupChar": "."']),
        (["03/11/2020", "04/12/2020"], None, ['"format": "%d/%m/%Y"', '"format": "%m/%d/%Y"']),
        (["03_11_2020", "04_12_2020"], None, ['"format": "%d_%m_%Y"', '"format": "%m_%d_%Y"']),
        (
            [*"0123456789", "unknown"],
            None,
            ['"missingValues": ["", "unknown"]', '"type": "string"'],
        ),
        ([*map(str, range(10, 59)), "05"], None, ['"type": "number"', '"type": "string"']),
        (
            ["2020-11-04", "03/11/2020"],
            None,
            [
                '"format": "%Y-%m-%d", "otherFormats": ["%d/%m/%Y"]',
                '"format": "%Y-%m-%d", "otherFormats": ["%m/%d/%Y"]',
            ],
        ),
        (
            [f"{y}{m:02d}{d}" for y in (19, 21) for m in range(1, 7) for d in (10, 15)],
            None,
            ['"format": "%y%m%d"', '"format": "%d%m%y"'],
        ),
        (
            [str(43831 + k * k % 971) for k in range(60)],
            None,
            ['"type": "number"', '"type": "number", "role": "time"'],
        ),
    ],
)
def test_what_several_readings_allow_is_asked_and_each_line_settles_it(cells, others, lines):
    found = field(cells, others)
    assert found["sure"] == "no" and "role" not in found
    kept = {key: value for key, value in found.items() if key not in SAID}
    unedited = field(cells, others, given=kept)  # as it is saved, it settles nothing
    assert "ask" in unedited or unedited["role"] == "left out"
    for line in lines:
        assert line in found["ask"], found["ask"]
        settled = field(cells, others, given=json.loads("{" + line + "}"))
        assert "ask" not in settled and settled["role"] in ("attribute", "time"), settled


@pytest.mark.parametrize(
    "cells",
    [
        ["01067", "1067", "10115"],
        ["1E1", "1E2", "2E1"],
        ["E11", "1E10", "5A10"],
        ["001", "002", "010"],
        ["2A", "3B"],
        ["7", "8", "nine", "ten"],
        ["1.2.3", "1.10.0"],
        ["<65", ">=65"],
        ["<1,5", "1,5 to 3", ">3"],
    ],
)
def test_what_looks_like_a_name_stays_one(cells):
    is_at_least(field(cells), type="string", categories=sorted(cells), role="attribute")


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (["2021-12-31", "2021-01-02"], {"format": "%Y-%m-%d"}),
        (["31.12.2021", "01.02.2021"], {"format": "%d.%m.%Y"}),
        (["01.02.2021", "03.04.2021"], {"format": "%d.%m.%Y"}),
        (["12/31/2021", "01/02/2021"], {"format": "%m/%d/%Y"}),
        (["31DEC2021", "02JAN2022"], {"format": "%d%b%Y"}),
        (["Dec 31, 2021", "Jan 2, 2022"], {"format": "%b %d, %Y"}),
        (["31 December 2021", "2 June 2022"], {"format": "%d %B %Y"}),
        (["20211231", "20220102"], {"format": "%Y%m%d"}),
        (["31122021", "01022022"], {"format": "%d%m%Y"}),
        (
            [f"{y}{m:02d}" for y in range(2018, 2023) for m in range(1, 13)],
            {"type": "yearmonth", "format": "%Y%m"},
        ),
        ([f"2020{day:03d}" for day in range(1, 61)], {"type": "date", "format": "%Y%j"}),
        (["202112311015", "202201020930"], {"type": "datetime", "format": "%Y%m%d%H%M"}),
        (["20211231101500", "20220102093000"], {"format": "%Y%m%d%H%M%S"}),
        (
            [f"{y}{m:02d}15" for y in (35, 85, 99) for m in range(1, 13)],
            {"format": "%y%m%d", "firstYear": date.today().year - 99},
        ),
        (["31/12/21", "01/02/22", "15/06/21"], {"format": "%d/%m/%y"}),
        (["21/12/31", "22/02/01", "21/06/15"], {"format": "%y/%m/%d"}),
        (
            ["31/12/2021 10:15", "01/02/2022 09:30"],
            {"type": "datetime", "format": "%d/%m/%Y %H:%M"},
        ),
        (
            ["12/31/2021 10:15 AM", "1/2/2022 9:30 PM"],
            {"type": "datetime", "format": "%m/%d/%Y %I:%M %p"},
        ),
        (
            ["2021-12-31T10:15:00+02:00", "2022-01-02T10:15:00+01:00"],
            {"format": "%Y-%m-%dT%H:%M:%S%z"},
        ),
        (["31DEC2021:10:15:00", "02JAN2022:09:30:00"], {"format": "%d%b%Y:%H:%M:%S"}),
        (["31/Dec/2021:10:15:00", "02/Jan/2022:09:30:00"], {"format": "%d/%b/%Y:%H:%M:%S"}),
        (["10:15", "9:30"], {"type": "time", "format": "%H:%M"}),
        (["2021-12-31", "02.01.2022"], {"otherFormats": ["%d.%m.%Y"]}),
        (["31/12/2021", "12/30/2021"], {"otherFormats": ["%m/%d/%Y"]}),
    ],
)
def test_dates_are_read_as_all_their_cells_allow_and_are_no_attributes(cells, wanted):
    is_at_least(field(cells), role="time", **wanted)


@pytest.mark.parametrize(
    ("first", "step", "said"),
    [
        (43831, 1, "days as spreadsheets count them (1 January 2020)"),
        (43831.25, 0.5, "days as spreadsheets count them (1 January 2020)"),
        (1_577_836_800, 60, "seconds since 1970 (1 January 2020)"),
        (1_577_836_800_000, 60_000, "milliseconds since 1970 (1 January 2020)"),
    ],
)
def test_numbers_that_may_be_moments_are_asked(first, step, said):
    found = field(first + step * np.arange(60))
    assert found["ask"].startswith(f"{first:.15g} may be a number, or count {said}")
    for given in ({"type": "number"}, {"role": "time"}):
        assert "ask" not in field(first + step * np.arange(60), given=given)


@pytest.mark.parametrize("last", [36_525, 43_841])  # 31 December 1999; ten different ones
def test_numbers_before_2000_or_of_few_values_are_no_moments(last):
    found = field(np.resize(np.arange(last - 9, last + (21 if last < 40_000 else 1)), 60))
    assert "ask" not in found and found["type"] == "number"


def test_a_date_of_one_order_settles_those_that_may_have_two():
    sure = {"other": np.resize(["31/12/2021", "01/02/2022"], 60)}
    found = field(["03/11/2020", "04/12/2020"], sure)
    assert found["format"] == "%d/%m/%Y"
    assert "'03/11/2020' is read as 3 November 2020, as other columns" in found["notes"][0]
    assert 'if it is 11 March 2020: write "format": "%m/%d/%Y"' in found["notes"][0]
    american = {"other": np.resize(["12/31/2021", "02/01/2022"], 60)}
    assert field(["03/11/2020", "04/12/2020"], american)["format"] == "%m/%d/%Y"


def test_days_that_a_spreadsheet_may_have_taken_for_months_are_asked():
    days = pd.date_range("2021-01-01", periods=60)
    as_text, turned = days.strftime("%d/%m/%Y"), days.strftime("%Y-%d-%m 00:00:00")
    found = field(np.where(days.day > 12, as_text, turned))
    assert found["type"] == "any" and "took days for months; correct them" in found["ask"]
    line = '"format": "%Y-%m-%d %H:%M:%S", "otherFormats": ["%d/%m/%Y"]'
    assert line in found["ask"], found["ask"]
    assert (
        field(np.where(days.day > 12, as_text, turned), given=json.loads(f"{{{line}}}"))["role"]
        == "time"
    )
    for mixed in (np.arange(60) % 2 > 0, days.day > 13):  # in two ways, whatever the day
        assert field(np.where(mixed, as_text, days.strftime("%Y-%m-%d")))["role"] == "time"


def test_numbers_of_another_decimal_mark_than_the_table_has_are_told():
    others = POINTS | {"third": np.resize(["7.25", "3"], 60)}
    found = field(["1,2", "3", "2,3"], others)  # perhaps the answers that were ticked
    assert found["decimalChar"] == "," and 'write "type": "string"' in found["notes"][0]
    assert field(["1,2", "3", "2,3"], COMMAS).get("notes") is None


def test_many_measurements_of_six_digits_stay_numbers():
    is_at_least(field([f"{200_000 + 37 * k}" for k in range(60)]), type="number")
    is_at_least(field(["200101", "200102", "200103"]), type="number")  # three may be by chance


def test_years_of_two_digits_are_of_the_last_hundred_unless_either_century_may_be_meant():
    assert isinstance(field(["31.12.21", "01.02.20"])["firstYear"], int)
    births = field(["31.12.21", "01.02.75"])
    assert births["firstYear"][0] == 1900 and births["sure"] == "all but 30 of 60 cells"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["None", "Mild", "Severe"], "'None' in 20 cells of 'v' is taken for a category"),
        ([0, 1, 0, 1, 9], "'v' is 9 in 12 records, far from its other values (0 to 1)"),
        ([0, *range(50, 79)], "'v' is 0 in 2 records, far from its other values (50 to 78)"),
        ([101, 102, 205, 310], "'v' has 4 different numbers (101, 102, 205 ...)"),
        (["2020-01-01", "2020-01-02", "9999-12-31"], "'v' is '9999-12-31' in 20 records"),
        (["01/03/2562", "25/07/2563"], "'v' holds days such as '25/07/2563', read by our calendar"),
        (["1402/05/30", "1398/01/20"], "'v' holds days such as '1402/05/30', read by our calendar"),
        (["5 mg", "7 mg"], "60 cells hold a number and a sign ('5 mg', '7 mg')"),
        (
            [18_000 + 199 * (7 * k % 60) for k in range(60)],
            "'v' may count days as spreadsheets do (12 April 1949 to 4 June 1981)",
        ),
        (["01067", "1067"], "'v' holds '01067', which is read as a name"),
        (["Bonn", "bonn", "Ulm"], "'v' has 'Bonn' also as 'bonn'"),
        (["grade 1", "grade\xa01", "2"], "'v' has 'grade 1' also as 'grade\\xa01'"),
        (["0-2", "03-May", "06-Oct"], "'v' has '03-May', which a spreadsheet may have made"),
        ([1, 2, 3, 4, 5, 9, 8], "'v' is 9 in 8 records, far from its other values (1 to 8)"),
        ([1, 2, 3, 4, 5, 8], "'v' is 8 in 10 records, far from its other values (1 to 5)"),
        ([-35.5, -4, 1, 3, 20, 35, -99.9], "'v' is -99.9 in 8 records, far from its other"),
        ([*range(20, 71), *[99] * 9], "'v' is 99 in 9 records, far from its other values (20 to"),
        (["TRUE", "1", "0", "FALSE"], "'v' says yes and no in several ways"),
        (["ja", "Nein", "no"], "'v' says yes and no in several ways"),
        ([f"{k}{u}" for k in range(6) for u in (" days", " weeks")], "have different units"),
        (
            ["<20"] * 40 + [f"{k}.5" for k in range(20)],
            "though its numbers are written as '<20' is",
        ),
        ([f"'{k}.5" for k in range(12)], "is taken for 12 categories, though its numbers are"),
        ([f'="{k}"' for k in range(12)], "is taken for 12 categories, though its numbers are"),
    ],
)
def test_what_looks_odd_is_said_and_not_changed(cells, said):
    notes = field(cells).get("notes", [])
    assert any(said in note for note in notes), notes


@pytest.mark.parametrize(
    "cells",
    [
        [*range(10)],  # 7, 8 and 9 go on from 0 to 6
        [1, 2, 3, 4, 5, 6, 7, 9],
        [*np.arange(20, 79, 1.5), 99, 99],  # two of that age
        [18_000 + 190 * (7 * k % 60) for k in range(60)],  # round, as days are not
        ["yes", "no"],
        ["yes", "no", "perhaps"],
        [f"{letter}{k}.{k}" for k in range(6) for letter in "EJ"],  # of ICD
        [f"0{k} Dec 2021 about" for k in range(1, 6)],  # a text that begins so is no number
    ],
)
def test_what_is_usual_is_not_called_odd(cells):
    assert field(cells).get("notes") is None


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["120/80", "130/85", *[f"{k}/70" for k in range(58)]], "each cell holds two numbers"),
        ([f"{k}.5 {u}" for k in range(30) for u in ("mg", "g")], "different units ('mg', 'g')"),
        ([f"{k}.5{u}" for k in range(30) for u in ("%", "")], "different units"),
        ([f"({k}.5)" for k in range(60)], "which is not read"),
        ([f"{k}.5" for k in range(50)] + [f"{k}.5-" for k in range(10)], "as '0.5-' is"),
        ([f"'{k}" for k in range(60)], "which is not read"),
        ([f"{k}:30" for k in range(60)], "spans of time"),
        (["", None], "no value at all"),
        (["NA"], "no value at all"),
    ],
)
def test_what_is_no_single_number_is_left_out_with_its_cure(cells, why):
    found = field(cells)
    assert found["role"] == "left out" and why in found["why"]


@pytest.mark.parametrize("error", ["#DIV/0!", "#N/A", "#REF!", "#WERT!", "#NV", "#NAME?"])
@pytest.mark.parametrize("others", [["1.5", "2"], ["mild", "severe"], ["2021-12-31", "2022-01-02"]])
def test_a_failed_formula_is_missing_and_told_whatever_the_others_are(error, others):
    found = field([*others, error])
    assert found["missingValues"] == ["", error]
    said = f"'v' has 20 cells {error}, where a formula has failed: they are missing."
    assert found["notes"].count(said) == 1 and found["sure"] == "yes"
    assert error not in found.get("categories", ())
    assert field(["#1", "#2", "# 3"])["categories"] == ["# 3", "#1", "#2"]


def test_codes_of_letters_and_points_are_names_and_times_of_day_are_no_days():
    icd = field([f"{letter}{k}.{k}" for k in range(30) for letter in "EJ"])
    assert (icd["role"], icd["why"]) == ("identifier", "it names the records; delete it")
    assert "it holds times of day" in field(["10:15", "9:30"])["why"]
    odd = field([*["10:15", "9:30"] * 29, "24:00", "25:00"])["notes"]
    assert "read as a time of day; 2 cells are no time" in odd[0]


def test_a_code_counts_where_it_stands_apart_and_is_named_where_it_does_not():
    rng = np.random.default_rng(0)
    source = pd.DataFrame(
        {
            "died": rng.choice(["0", "1", "9"], 200),
            "apgar": rng.integers(5, 11, 200),
            "crp": rng.integers(1, 40, 200).astype(str),
            "site": rng.choice(["a", "b", "9"], 200),
        }
    )
    found = describe(source, missing=("9", "-99", "unknown"))
    codes = {f["name"]: f["missingValues"] for f in found.fields}
    assert codes == {"died": ["", "9"], "apgar": [""], "crp": [""], "site": ["", "9"]}
    assert "'apgar' is 9 in" in found["apgar"]["notes"][0]
    assert sorted(note[9:18] for note in found.notes) == ["'-99' for", "'unknown'"]
    only = describe(source, missing=("apgar=9",))
    assert only["apgar"]["missingValues"] == ["", "9"] and only["died"]["missingValues"] == [""]


def test_na_among_words_is_missing_where_the_table_writes_it_for_numbers():
    words = np.resize(["EU", "AS", "NA"], 60)
    alone = field(words)
    assert alone["categories"] == ["AS", "EU", "NA"] and "taken for a category" in alone["notes"][0]
    beside = field(words, {"n": np.resize(["1", "2.5", "NA", "4"], 60)})
    assert beside["categories"] == ["AS", "EU"] and "counts as missing" in beside["notes"][0]


@pytest.mark.parametrize("rows", [60, 60_000])
def test_a_long_column_is_read_as_a_short_one(rows):
    rng = np.random.default_rng(0)
    fine = pd.Series(rng.normal(size=rows).round(3).astype(str), dtype="str")
    late = fine.copy()
    late.iloc[-3:] = ["n.d.", "NA", "<3"]
    coded = pd.Series(rng.integers(100, 999, rows).astype(str), dtype="str")
    coded.iloc[rows // 2 :] = "0" + coded.iloc[rows // 2 :]
    found = describe(pd.DataFrame({"fine": fine, "late": late, "coded": coded}))
    assert found["fine"]["sure"] == "yes" and found["coded"]["type"] == "string"
    assert found["late"]["sure"] == f"all but 1 of {rows} cells"
    assert found["late"]["missingValues"] == ["", "NA"] and not found["late"]["bareNumber"]


def test_typed_columns_are_what_their_types_say():
    found = describe(
        pd.DataFrame(
            {
                "flag": pd.array([True, None] * 30, dtype="boolean"),
                "stage": pd.Categorical(["hi", "lo"] * 30, ["lo", "mid", "hi"], ordered=True),
                "when": pd.date_range("2020-01-01", periods=60),
                "day": pd.date_range("2020-01-01", periods=60).strftime("%Y%m%d").astype(int),
                "n": np.arange(60) % 7 + 0.5,
            }
        )
    )
    types = {f["name"]: f["type"] for f in found.fields}
    assert types == {
        "flag": "boolean",
        "stage": "string",
        "when": "datetime",
        "day": "date",
        "n": "number",
    }
    assert found["stage"]["categories"] == ["lo", "hi"] and found["stage"]["categoriesOrdered"]


def test_a_field_that_is_no_column_is_refused():
    with pytest.raises(ReportError, match=r"fields \['w'\], which are no columns"):
        describe(pd.DataFrame({"v": [1, 2]}), Schema([{"name": "w"}]))
    with pytest.raises(ReportError, match="must be a DataFrame, got list"):
        describe([1, 2])
