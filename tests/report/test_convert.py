"""Cells to values: each kind of cell that people write, and the one number, day or word it is."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ehrgan.report.convert import label, plain, read, tidy

NAN = None


def values(cells, **field):
    """Values that a field reads, None where missing, and the cells that it does not read."""
    shown = pd.Series(cells, dtype="str" if all(isinstance(c, str) for c in cells) else object)
    found, unread = read({"name": "x", **field}, shown)
    return found.astype(object).where(found.notna(), None).tolist(), shown[unread].tolist()


@pytest.mark.parametrize(
    ("field", "cells", "numbers"),
    [
        ({}, ["\u0661\u066b\u0665", "\uff17\uff0e\uff15"], [1.5, 7.5]),
        ({}, ["7", "-2.5", "+4", ".5", "1e3", "-1.5E-2"], [7, -2.5, 4, 0.5, 1000, -0.015]),
        ({}, ["1,5", "1.234.5", "<5", "7 %", "inf", "nan", "0x1F", "1_000", "5-6"], [None] * 9),
        ({}, ["\u22121.5", "\u20131.5", "\uff12\uff15", "\u0663.\u0665"], [-1.5, -1.5, 25, 3.5]),
        ({"decimalChar": ","}, ["1,5", "0,876", "2", "1.5"], [1.5, 0.876, 2, None]),
        ({"groupChar": ","}, ["1,234", "12,345,678.9", "1234"], [1234, 12345678.9, 1234]),
        ({"groupChar": ","}, ["1,23,456", "1234,567", "0,500", "1,5"], [None] * 4),
        (
            {"decimalChar": ",", "groupChar": "."},
            ["1.234,5", "1.234.567", "0,5", "1.5", "1234,5"],
            [1234.5, 1234567, 0.5, None, 1234.5],
        ),
        (
            {"decimalChar": ",", "groupChar": " "},
            ["1 234,5", "1\xa0234,5", "1\u202f234 567"],
            [1234.5, 1234.5, 1234567],
        ),
        ({"groupChar": "'"}, ["1'234.5", "1\u2019234"], [1234.5, 1234]),
        ({"bareNumber": False}, ["<5", "\u2265 1e3", "~2", "<= -1"], [5, 1000, 2, -1]),
        ({"bareNumber": False, "unit": ["mg"]}, ["5.1mg", "5 MG", "<3 mg"], [5.1, 5, 3]),
        ({"bareNumber": False, "unit": ["mg"]}, ["5.1", "5 g", "mg", "5 mg/L"], [None] * 4),
        ({"bareNumber": False, "unit": ["$"]}, ["$5", "5 $", "$ 2.5"], [5, 5, 2.5]),
        ({"type": "integer"}, ["5", "5.0", "5.5"], [5, 5, None]),
    ],
)
def test_a_cell_is_this_number_or_none(field, cells, numbers):
    found, unread = values(cells, **({"type": "number"} | field))
    assert found == numbers
    assert unread == [cell for cell, n in zip(cells, numbers, strict=True) if n is None]


def test_codes_of_a_field_are_missing_by_value_and_nothing_else_is():
    field = {"type": "number", "decimalChar": ",", "missingValues": ["-9", "n.d."]}
    cells = ["-9", "-9,0", "n.d.", "", "-99", "9", "NA"]
    assert values(cells, **field) == ([None] * 4 + [-99, 9, None], ["NA"])
    typed = pd.Series([-9.0, 2.5, np.nan, np.inf])
    found, unread = read({"name": "x", **field}, typed)
    np.testing.assert_array_equal(found, [np.nan, 2.5, np.nan, np.nan])
    assert unread.tolist() == [False, False, False, True]
    words = {"type": "string", "categories": ["f", "m"], "missingValues": ["9"]}
    assert values(["f", "9", "m"], **words) == (["f", None, "m"], [])


@pytest.mark.parametrize(
    ("field", "cell", "day"),
    [
        ({"format": "%d/%m/%Y"}, "03/11/2023", "2023-11-03"),
        ({"format": "%m/%d/%Y"}, "03/11/2023", "2023-03-11"),
        ({"format": "%m/%d/%Y"}, "25/11/2023", None),
        ({"format": "%d%b%Y"}, "31DEC2021", "2021-12-31"),
        ({"format": "%d-%b-%y", "firstYear": 1927}, "31-Dec-21", "2021-12-31"),
        ({"format": "%d.%m.%y", "firstYear": 1900}, "31.12.21", "1921-12-31"),
        ({"format": "%d.%m.%y", "firstYear": [1900, 1927]}, "31.12.21", None),  # 1921 or 2021
        ({"format": "%d.%m.%y", "firstYear": [1900, 1927]}, "31.12.75", "1975-12-31"),
        ({"format": "%d/%m/%Y", "otherFormats": ["%m/%d/%Y"]}, "25/12/2021", "2021-12-25"),
        ({"format": "%d/%m/%Y", "otherFormats": ["%m/%d/%Y"]}, "12/25/2021", "2021-12-25"),
        ({"format": "%d/%m/%Y", "otherFormats": ["%m/%d/%Y"]}, "03/11/2021", None),
        ({"format": "%Y%m%d"}, "20211231", "2021-12-31"),
        ({}, "2021-12-31", "2021-12-31"),
        ({}, "9999-12-31", "9999-12-31"),
        ({}, "0000-00-00", None),
        ({}, "2021-02-29", None),
    ],
)
def test_a_cell_is_this_day_or_none(field, cell, day):
    found, unread = values([cell], type="date", **field)
    wanted = None if day is None else (pd.Timestamp(day) - pd.Timestamp("1970-01-01")).days
    assert (found, unread) == ([wanted], [cell] if day is None else [])


def test_moments_zones_and_times_of_day():
    iso = ["2020-01-01T06:00:00Z", "2020-01-01T06:00:00+06:00", "2020-01-02 18:00"]
    assert values(iso, type="datetime")[0] == [18262.25, 18262, 18263.75]
    assert values(["10:30", "25:00"], type="time", format="%H:%M") == ([10.5, None], ["25:00"])
    typed = pd.Series(pd.to_datetime(["2020-01-02 12:00"])).dt.tz_localize("Europe/Berlin")
    assert read({"name": "x", "type": "date"}, typed)[0].tolist() == [18263 + 11 / 24]
    # a number is no day of a calendar, whichever program counts from wherever
    assert read({"name": "x", "type": "date"}, pd.Series([44197]))[1].tolist() == [True]


def test_categories_are_found_in_the_spellings_that_can_mean_one_alone():
    field = {"type": "string", "categories": ["f", "m", "Bonn", "bonn", "1"]}
    cells = ["F", "m", "Bonn", "bonn", "BONN", "1.0", "x"]
    assert values(cells, **field) == (
        ["f", "m", "Bonn", "bonn", None, "1", None],
        ["BONN", "x"],
    )
    labelled = {"type": "string", "categories": [{"value": 1, "label": "male"}]}
    assert values([1.0, "1", "male", 2], **labelled) == (["male"] * 3 + [None], [2])
    names = {"type": "string", "categories": ["01067", "1067", "1E2"]}
    assert values(["01067", "1067", "1E2", "100"], **names)[0] == ["01067", "1067", "1E2", None]


def test_numbers_that_are_categories_are_so_with_a_decimal_point_too():
    field = {"type": "string", "categories": ["1", "2"], "missingValues": ["9"]}
    values, unread = read(field, pd.Series(["1.0", "2", "9.0", "3.0"]))
    assert values.tolist()[:2] == ["1", "2"] and values.isna().tolist()[2:] == [True, True]
    assert unread.tolist() == [False, False, False, True]


def test_blanks_of_any_kind_and_width_of_letters_are_no_other_category():
    field = {"type": "string", "categories": ["grade 1", "grade 2"]}
    values, _ = read(field, pd.Series(["grade\xa01", "Grade  2", "\uff47rade 1", "grade1"]))
    assert values.tolist()[:3] == ["grade 1", "grade 2", "grade 1"] and pd.isna(values[3])


@pytest.mark.parametrize("cells", [["TRUE", "false"], ["1", "0"], [True, False], [1.0, 0.0]])
def test_a_yes_or_no_is_one_however_programs_write_it(cells):
    assert values(cells, type="boolean") == (["True", "False"], [])
    assert values([*map(str, cells), "maybe"], type="boolean")[1] == ["maybe"]
    own = {"type": "boolean", "trueValues": ["ja"], "falseValues": ["nein"]}
    assert values(["Ja", "nein", "1"], **own) == (["True", "False", None], ["1"])


@settings(max_examples=60)
@given(
    number=st.floats(-1e12, 1e12).map(lambda x: round(x, 3)),
    style=st.sampled_from([".,", ",.", ", "]),
)
def test_a_number_comes_back_from_any_notation(number, style):
    text = f"{number:,.3f}".translate(str.maketrans(".,", style))
    field = {"type": "number", "decimalChar": style[0], "groupChar": style[1]}
    assert values([text], **field)[0] == [number]


def test_columns_of_every_type_become_plain():
    kinds = {
        "Int64": [1, None], "boolean": [True, None], "timestamp[ns][pyarrow]": ["2020-01-01", None],
        "int64[pyarrow]": [1, None], "string[pyarrow]": ["a", None], "bool[pyarrow]": [True, None],
    }  # fmt: skip
    found = {k: str(plain(pd.Series(v).astype(k)).dtype) for k, v in kinds.items()}
    assert [*found.values()] == [
        "Int64",
        "boolean",
        "datetime64[ns, UTC]",
        "Int64",
        "str",
        "boolean",
    ]
    ordered = plain(pd.Series(pd.Categorical(["lo ", "hi"], ["lo ", "hi"], ordered=True)))
    assert ordered.cat.ordered and ordered.cat.categories.tolist() == ["lo", "hi"]
    assert [label(v) for v in (1.0, "1.0", " 01.0", "1E2", 2.5)] == ["1", "1", "01.0", "1E2", "2.5"]


def test_frames_of_other_libraries_and_names_of_several_levels_are_tables():
    import pyarrow as pa

    assert tidy(pa.table({"a": [1, 2]}))["a"].tolist() == [1, 2]
    levels = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_product([["a"], ["x", "y"]]))
    assert list(tidy(levels)) == ["('a', 'x')", "('a', 'y')"]
