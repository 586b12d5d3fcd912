"""Anybody's table: what is read, what each column is taken for, and what is refused in words."""

import gzip
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ehrgan.reading import ReportError, as_learned, prepare, read_table


def table(n=120, seed=0, **columns):
    """Ages, sexes and an outcome that depends a little on age, and further columns."""
    rng = np.random.default_rng(seed)
    age = rng.integers(20, 90, n).astype(float)
    died = np.where(rng.uniform(size=n) < 0.2 + 0.4 * (age > 60), "yes", "no")
    base = {"age": age, "sex": rng.choice(["f", "m"], n), "died": died}
    return pd.DataFrame(base | columns)


def kinds(found):
    return found.columns.set_index("name")["kind"].to_dict()


def reasons(found):
    return found.columns.set_index("name")["reason"].to_dict()


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_text_of_any_encoding_and_delimiter_is_read(tmp_path, encoding, delimiter):
    rows = [["größe", "stadt"], ["1.5", "Köln"], ["", '"a, b; c"']]
    text = "\n".join(delimiter.join(row) for row in rows) + "\n"
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    found = read_table(tmp_path / "a.csv")
    assert list(found) == ["größe", "stadt"]
    assert found["größe"].isna().tolist() == [False, True]
    assert found["stadt"].tolist() == ["Köln", "a, b; c"]


def test_excels_first_line_names_the_separator(tmp_path):
    (tmp_path / "a.csv").write_text("sep=;\na;b\n1,5;x, y\n2;z\n")
    assert read_table(tmp_path / "a.csv")["b"].tolist() == ["x, y", "z"]


def test_decimal_commas_codes_and_gzip(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"x;y;z\n1,5;-9;?\n2;3;b\n"))
    found = read_table(path, missing=("?", "-9.0"))
    assert found["x"].tolist() == ["1.5", "2"]
    assert found["y"].isna().tolist() == found["z"].isna().tolist() == [True, False]


def test_parquet_keeps_its_types(tmp_path):
    source = pd.DataFrame({"a": [1.0, -9.0], "b": pd.Categorical(["x", "?"]), "c": [True, False]})
    source.to_parquet(tmp_path / "a.parquet")
    found = read_table(tmp_path / "a.parquet", missing=("-9", "?"))
    assert found.isna().sum().tolist() == [1, 1, 0] and found["c"].dtype == bool


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"a,b\n", "has no rows"),
        (b"a,b,a\n1,2,3\n", r"\['a'\] occur more than once"),
        (b"a,b\n1,2\n3\n", "line 3: 1 fields where the header has 2"),
        (b"1.5,2\n3,4.5\n", "has no line of names"),
        (b"PK\x03\x04rest", "workbook"),
        (b"a\0b,c\n1,2\n", "is no text"),
        (b"PAR1 but broken", "broken Parquet"),
    ],
)
def test_files_that_are_no_tables_are_refused(tmp_path, content, message):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ReportError, match=message):
        read_table(tmp_path / "a.csv")


def test_paths_that_lead_nowhere_are_refused(tmp_path):
    with pytest.raises(ReportError, match="does not exist"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(ReportError, match="is a folder"):
        read_table(tmp_path)


@settings(max_examples=150, deadline=None)
@given(content=st.one_of(st.binary(max_size=200), st.text('a,;\n"1é.- \t', max_size=200)))
def test_any_bytes_give_a_table_or_a_sentence(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        found = read_table(path)
        prepare(found, found.columns[0])
    except ReportError as error:
        assert len(str(error)) > 20


# ---------------------------------------------------------------- outcome


@pytest.mark.parametrize(
    ("pair", "positive"),
    [
        (("no", "yes"), "yes"),
        ((0, 1), "1"),
        (("0.0", "1.0"), "1"),
        (("alive", "Dead"), "Dead"),
        (("benign", "malignant"), "malignant"),
        (("nein", "ja"), "ja"),
        ((False, True), "True"),
        (("control", "type B"), "type B"),
    ],
)
@pytest.mark.parametrize("rare", [0.3, 0.7])
def test_the_class_that_means_yes_is_positive(pair, positive, rare):
    rng = np.random.default_rng(1)
    hit = rng.uniform(size=200) < rare
    found = prepare(table(200, died=np.array(pair, dtype=object)[hit.astype(int)]), "died")
    assert found.positive == positive
    assert (found.y == hit).all()


def test_else_the_rarer_class_is_positive_and_a_named_one_always():
    outcome = np.array(["A"] * 30 + ["B"] * 90, dtype=object)
    assert prepare(table(died=outcome), "died").positive == "A"
    found = prepare(table(died=outcome), "died", positive="B")
    assert found.positive == "B" and found.y.tolist() == [0] * 30 + [1] * 90
    several = np.array((["A"] * 30 + ["B"] * 30 + ["C"] * 60), dtype=object)
    found = prepare(table(died=several), "died", positive="B")
    assert found.negative == "not B" and found.y.sum() == 30


@pytest.mark.parametrize(
    ("outcome", "arguments", "message"),
    [
        ("dead", {}, "'dead' is no column.*did you mean 'died'"),
        ("constant", {}, "'constant' is 'x' throughout"),
        ("empty", {}, "'empty' has no value"),
        ("age", {}, "'age' has .* different numbers.*measurement"),
        ("three", {}, "'three' has 3 classes.*positive="),
        ("lists", {}, "outcome 'lists' cannot be told: its cells hold lists"),
        ("three", {"positive": "z"}, "positive 'z' is no value of 'three'"),
        ("rare", {}, "'rare' has 4 records of its rarer class"),
        ("died", {"keep": ("agee",)}, "keep 'agee' is no column.*'age'"),
        ("died", {"keep": ("died",)}, "keep names the outcome"),
        ("died", {"ordered": {"sex": ["f"]}}, r"ordered for 'sex' lacks the values \['m'\]"),
    ],
)
def test_bad_arguments_are_refused_by_name(outcome, arguments, message):
    columns = {"constant": "x", "empty": np.nan, "three": ["a", "b", "c"] * 40}
    columns["lists"] = [[1]] * 120
    columns["rare"] = [1] * 4 + [0] * 116
    with pytest.raises(ReportError, match=message):
        prepare(table(**columns), outcome, **arguments)


def test_records_without_an_outcome_are_left_out_and_counted():
    source = table()
    source.loc[:9, "died"] = np.nan
    found = prepare(source, "died")
    assert len(found.y) == 110 and any("10 records have no 'died'" in n for n in found.notes)


# ---------------------------------------------------------------- columns


def test_columns_are_taken_for_what_they_are():
    n, rng = 120, np.random.default_rng(0)
    found = prepare(
        table(
            weight=rng.normal(70, 9, n).round(6),
            patient_id=np.arange(1000, 1000 + n),
            name=[f"patient{i}x" for i in range(n)],
            visit=pd.date_range("2020-01-31", periods=n).strftime("%d.%m.%Y"),
            same="x",
            nothing=np.nan,
            remark=[f"the patient came on day {i} and went home later" for i in range(n)],
            lab=[*rng.normal(size=n - 3).round(2).astype(str), "<0.1", "<0.1", "n.d."],
            copy=table()["age"].to_numpy(),
            colour=rng.choice(["red", "green", "blue"], n),
        ),
        "died",
    )
    assert kinds(found) == {
        **{"age": "number", "sex": "yes/no", "died": "outcome", "weight": "number"},
        **{"patient_id": "identifier", "name": "identifier", "visit": "date", "same": "constant"},
        **{"nothing": "empty", "remark": "free text", "lab": "number", "copy": "number"},
        "colour": "category",
    }
    assert list(found.X) == ["age", "sex", "weight", "lab", "colour"]
    assert "repeats 'age'" in reasons(found)["copy"] and "days since" in reasons(found)["visit"]
    assert found.X["lab"].isna().sum() == 1 and (found.X["lab"][117:119] == 0.1).all()
    assert any("2 cells hold a number and a sign ('<0.1')" in note for note in found.notes)
    assert any("1 cells are none ('n.d.')" in note for note in found.notes)


def test_limits_thousands_and_percents_are_numbers_for_learning_and_for_new_records():
    shown = np.resize(["<5", "1,234.5", "7 %", "≥ 1e3", "-2", "8.0"], 120)
    found = prepare(table(lab=shown, mixed=np.resize(["7", "8", "nine", "<x"], 120)), "died")
    assert found.X["lab"].tolist()[:6] == [5, 1234.5, 7, 1000, -2, 8]
    assert as_learned(pd.Series(["1,000", "x"]), np.dtype(float)).tolist()[0] == 1000
    assert kinds(found)["mixed"] == "category"


def test_words_for_missing_among_numbers_are_pointed_out():
    rng = np.random.default_rng(0)
    lab = np.where(
        rng.uniform(size=120) < 0.3, "not done", rng.normal(size=120).round(3).astype(str)
    )
    found = prepare(table(lab=lab), "died")
    assert "--missing 'not done'" in reasons(found)["lab"]
    with pytest.raises(ReportError, match="means unknown, name it as a code"):
        prepare(table(died=np.resize(["yes", "no", "unknown"], 120)), "died")


def test_dates_as_numbers_are_dates():
    days = pd.date_range("2020-01-01", periods=120).strftime("%Y%m%d").astype(int)
    assert kinds(prepare(table(day=days), "died"))["day"] == "date"


def test_copies_are_found_under_other_words_and_distinct_numbers_are_no_copies():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 120))
    found = prepare(table(a=a, b=b, again=a, woman=(table()["sex"] == "f").astype(int)), "died")
    assert list(found.X) == ["age", "sex", "a", "b"]
    assert "repeats 'a'" in reasons(found)["again"] and "repeats 'sex'" in reasons(found)["woman"]


def test_too_many_attributes_are_refused():
    cells = np.random.default_rng(0).normal(size=(120, 1001))
    wide = pd.concat([table(), pd.DataFrame(cells).add_prefix("g")], axis=1)
    with pytest.raises(ReportError, match="1003 attributes, and at most 1000 are studied"):
        prepare(wide, "died")


def test_a_repeated_identifier_keeps_its_records_together():
    found = prepare(table(patient=np.repeat(np.arange(40), 3)), "died")
    assert "patient" not in found.X and len(np.unique(found.groups)) == 40
    assert (np.bincount(found.groups) == 3).all()


@pytest.mark.parametrize("how", ["number", "category", "missing"])
def test_what_gives_the_outcome_away_is_left_out_unless_kept(how):
    source = table()
    died = source["died"] == "yes"
    made = {
        "number": died * 100.0 + np.arange(len(died)) % 7,
        "category": np.where(died, "morgue", "home"),
        "missing": np.where(died, np.nan, np.arange(len(died)) % 5),
    }
    source["leak"] = made[how]
    found = prepare(source, "died")
    assert "leak" not in found.X and "AUC" in reasons(found)["leak"]
    assert "leak" in prepare(source, "died", keep=("leak",)).X


def test_many_values_alone_are_no_leak():
    codes = np.random.default_rng(0).integers(0, 45, 120)
    found = prepare(table(ward=[f"w{i}" for i in codes]), "died")
    assert "AUC" not in reasons(found)["ward"]


def test_suspicious_codes_are_pointed_out_and_not_changed():
    lab = np.random.default_rng(0).normal(5, 1, 120).round(1)
    lab[:4] = -9
    found = prepare(table(lab=lab), "died")
    assert (found.X["lab"] == -9).sum() == 4
    assert any(
        "'lab' is -9 in 4 records" in note and "--missing -9" in note for note in found.notes
    )


def test_a_date_that_is_kept_becomes_days():
    when = pd.date_range("2020-01-01", periods=120).strftime("%Y-%m-%d")
    found = prepare(table(when=when), "died", keep=("when",))
    assert (found.X["when"] - found.X["when"].min()).tolist() == list(range(120))
    again = as_learned(pd.Series(["03.01.2020", None]), found.X["when"].dtype)
    assert again[0] == found.X["when"][2] and np.isnan(again[1])


def test_the_day_comes_first_where_it_must():
    when = np.resize(["03/02/2020", "25/02/2020"], 120)
    days = prepare(table(when=when), "died", keep=("when",)).X["when"]
    assert days[1] - days[0] == 22


def test_order_given_and_order_in_the_file_are_kept():
    grade = np.resize(["low", "high", "middle"], 120)
    found = prepare(table(grade=grade), "died", ordered={"grade": ["low", "middle", "high"]})
    assert found.X["grade"].cat.codes.tolist()[:3] == [0, 2, 1] and found.X["grade"].cat.ordered


def test_equal_records_share_a_group_unless_chance_makes_them_equal():
    source = table(weight=np.random.default_rng(0).normal(70, 9, 120).round(2))
    twice = pd.concat([source, source.iloc[:30]], ignore_index=True)
    found = prepare(twice, "died")
    assert (found.groups[120:] == found.groups[:30]).all() and len(np.unique(found.groups)) == 120
    coarse = prepare(twice[["sex", "died"]].assign(stage=np.resize([1, 2, 3], 150)), "died")
    assert coarse.groups is None
    empty = source.copy()
    empty.loc[:50, ["age", "sex", "weight"]] = np.nan
    assert prepare(empty, "died").groups is None


def test_a_class_of_mere_copies_is_refused():
    source = table(weight=np.random.default_rng(0).normal(70, 9, 120).round(2), died="no")
    ill = pd.concat([source.iloc[:3].assign(died="yes", age=[31.0, 42.0, 53.0])] * 5)
    ill["weight"] += 0.001
    with pytest.raises(ReportError, match="only 3 different ones of one class"):
        prepare(pd.concat([source, ill], ignore_index=True), "died")


def test_cells_of_every_type_are_taken_for_what_they_are(tmp_path):
    n, rng = 120, np.random.default_rng(0)
    when = pd.date_range("2020-01-31", periods=n, tz="UTC")
    source = table(
        moment=when,
        day=[day.date() for day in when],
        clock=[day.time() for day in when + pd.to_timedelta(rng.integers(0, 86_400, n), unit="s")],
        stay=pd.to_timedelta(rng.integers(1, 99, n), unit="h"),
        price=[Decimal(int(v)) / 100 for v in rng.integers(0, 10_000, n)],
        flag=pd.array(rng.choice([True, False, None], n), dtype="boolean"),
        count=pd.array(rng.choice([1, 2, 3, None], n), dtype="Int64"),
        codes=[[1, 2]] * n,
        raw=[b"x"] * n,
    )
    source.to_parquet(tmp_path / "a.parquet")
    found = prepare(read_table(tmp_path / "a.parquet"), "died")
    assert kinds(found) == {
        **{"age": "number", "sex": "yes/no", "died": "outcome", "moment": "date", "day": "date"},
        **{"clock": "date", "stay": "number", "price": "number", "flag": "yes/no"},
        **{"count": "number", "codes": "nested", "raw": "nested"},
    }
    learned = {name: found.X[name].dtype for name in found.X}
    again = pd.DataFrame({n: as_learned(source[n], dtype) for n, dtype in learned.items()})
    pd.testing.assert_frame_equal(again, found.X)


def test_numbers_that_no_method_can_hold_are_left_out_with_the_cure():
    rng = np.random.default_rng(0)
    found = prepare(
        table(great=10.0 ** rng.uniform(0, 300, 120), small=10.0 ** -rng.uniform(40, 300, 120)),
        "died",
    )
    assert list(found.X) == ["age", "sex"]
    assert all("another unit" in reasons(found)[name] for name in ("great", "small"))


def test_spellings_that_differ_in_case_are_one_class_and_are_pointed_out():
    outcome = np.array(["Yes"] * 40 + ["YES"] * 5 + ["no"] * 75, dtype=object)
    found = prepare(table(died=outcome, site=np.resize(["Bonn", "bonn", "Ulm"], 120)), "died")
    assert (found.positive, found.negative, found.y.sum()) == ("Yes", "no", 45)
    assert any("'Yes' also as 'YES'" in note for note in found.notes)
    assert any("'Bonn' also as 'bonn'" in note for note in found.notes)
    assert prepare(table(died=outcome), "died", positive="YES").y.sum() == 45


def test_one_and_two_do_not_say_which_is_which():
    found = prepare(table(died=[1] * 90 + [2] * 30), "died")
    assert found.positive == "2" and any("rarer" in note for note in found.notes)


def test_too_few_persons_are_refused_and_a_repeated_identifier_of_any_name_groups():
    died = np.repeat(["yes", "no"], [12, 108])
    with pytest.raises(ReportError, match="'patient'.*only 4 of its values.*delete the column"):
        prepare(table(died=died, patient=np.repeat(np.arange(40), 3)), "died")
    with pytest.raises(ReportError, match="'sex'.*only 2 of its values"):
        prepare(table(), "died", group="sex")
    labels = [f"AZ-{i}" for i in [*range(117), 0, 1, 2]]
    found = prepare(table(label=labels), "died")
    assert (found.groups[117:] == found.groups[:3]).all()


def test_columns_with_next_to_nothing_in_them_are_left_out():
    few, mark = np.full(120, np.nan), np.full(120, None, dtype=object)
    few[:3], mark[:50] = [1.0, 2.0, 3.0], "x"
    found = prepare(table(few=few, mark=mark), "died")
    assert list(found.X) == ["age", "sex"]
    assert "only 3 of its cells" in reasons(found)["few"]
    assert "such as no" in reasons(found)["mark"]


def test_without_attributes_there_is_no_study():
    with pytest.raises(ReportError, match="no attribute is left.*'same'"):
        prepare(table()[["died"]].assign(same="x"), "died")


def test_the_fingerprint_follows_the_cells():
    one, two = prepare(table(), "died"), prepare(table(seed=1), "died")
    assert one.fingerprint == prepare(table(), "died").fingerprint != two.fingerprint
