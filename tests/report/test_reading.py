"""Anybody's table: what is read, what each column is taken for, and what is refused in words."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ehrgan.report.describe import describe
from ehrgan.report.errors import ReportError
from ehrgan.report.files import read_table
from ehrgan.report.learned import AsLearned
from ehrgan.report.reading import MOST_ATTRIBUTES, prepare
from ehrgan.report.schema import Schema


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


@settings(max_examples=150)
@given(content=st.one_of(st.binary(max_size=200), st.text('a,;\n"1é.- \t', max_size=200)))
def test_any_bytes_give_a_table_or_a_sentence(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        found = read_table(path)
        describe(found)
        prepare(found, found.columns[0])
    except ReportError as error:
        assert len(str(error)) > 20


def again(found, **columns):
    """What a model that learned from these attributes reads in other records."""
    return AsLearned(found.schema).fit(found.X).transform(pd.DataFrame(columns))


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
        ("numbers", {}, "'numbers' has 3 classes.*positive=.*\"categories\": "),
        ("pair", {}, "'pair' has 3 classes.*missing 'pair=lost'"),
        ("answers", {}, "'answers' has 3 classes.*if 'y' and 'yes' are one class"),
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
    columns["numbers"] = [0, 1, 9] * 40
    columns["pair"] = ["died", "alive", "died", "lost", "alive", "died"] * 20
    columns["answers"] = ["yes", "n/k", "y"] * 40
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
    shown = np.resize(["<5", "1,234.5", "7", "≥ 1e3", "-2", "8.0"], 120)
    share = np.resize(["7 %", "<3%", "8.5%"], 120)
    mixed = np.resize(["7", "8", "nine", "<x"], 120)
    found = prepare(table(lab=shown, share=share, mixed=mixed), "died")
    assert found.X["lab"].tolist()[:6] == [5, 1234.5, 7, 1000, -2, 8]
    assert found.X["share"].tolist()[:3] == [7, 3, 8.5]
    new = {"lab": ["1,000", "x", "9"], "share": ["50 %", "0.5", "%"], "age": ["5", "6", "7"]}
    with pytest.warns(UserWarning, match="have not|not learned to read"):
        new = again(found, **new, sex="f", mixed="7")
    np.testing.assert_array_equal(new["lab"], [1000, np.nan, 9])
    np.testing.assert_array_equal(new["share"], [50, np.nan, np.nan])  # is 0.5 half a percent?
    assert kinds(found)["mixed"] == "category"


def test_words_for_missing_among_numbers_are_pointed_out():
    rng = np.random.default_rng(0)
    lab = np.where(
        rng.uniform(size=120) < 0.3, "not done", rng.normal(size=120).round(3).astype(str)
    )
    found = prepare(table(lab=lab), "died")
    assert "--missing 'lab=not done'" in reasons(found)["lab"] and "lab" not in found.X
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


@pytest.mark.parametrize("name", ["patient", "paciente", "患者", "x"])
def test_a_repeated_identifier_keeps_its_records_together(name):
    rng = np.random.default_rng(1)
    source = table(died=np.repeat(rng.choice(["yes", "no"], 40), 3))
    source[name] = np.repeat(rng.permutation(40), 3)
    found = prepare(source, "died")
    assert name not in found.X and len(np.unique(found.groups)) == 40
    assert found.schema.named("person") == [name]
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


def test_categories_are_judged_by_other_records_of_the_same():
    """49 wards of 52 records: each ward's own class would tell every record."""
    place = np.arange(52) % 49
    died = np.where(place % 3 == 0, "yes", "no")
    source = pd.DataFrame({"ward": [f"w{i}" for i in place], "died": died})
    found = prepare(source.assign(age=np.arange(52) % 10 + 0.5), "died")
    assert kinds(found)["ward"] == "category" and "ward" in found.X


def test_suspicious_codes_are_pointed_out_and_not_changed():
    lab = np.random.default_rng(0).normal(5, 1, 120).round(1)
    lab[:4] = -9
    found = prepare(table(lab=lab), "died")
    assert (found.X["lab"] == -9).sum() == 4
    assert any(
        "'lab' is -9 in 4 records" in note and "--missing 'lab=-9'" in note for note in found.notes
    )


def test_a_date_that_is_kept_becomes_days():
    when = pd.date_range("2020-01-01", periods=120).strftime("%Y-%m-%d")
    found = prepare(table(when=when), "died", keep=("when",))
    assert (found.X["when"] - found.X["when"].min()).tolist() == list(range(120))
    new = again(found, age=["1", "2", "3"], sex="f", when=["2020-01-03", None, "03.01.2020"])
    np.testing.assert_array_equal(new["when"], [found.X["when"][2], np.nan, np.nan])


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
    pd.testing.assert_frame_equal(again(found, **source), found.X)


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
    patient = np.repeat(np.random.default_rng(0).permutation(40), 3)
    with pytest.raises(ReportError, match="'patient'.*only 4 of its values.*delete the column"):
        prepare(table(died=died, patient=patient), "died")
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


# ---------------------------------------------------------------- exact values


@pytest.mark.parametrize("n_odd", [6, 7])
def test_a_column_is_of_numbers_if_at_most_five_percent_are_none_else_it_is_asked(n_odd):
    cells = np.resize(["1", "2", "<3", "4.5"], 120).astype(object)
    cells[:n_odd] = "n.d."
    found = prepare(table(lab=cells), "died")
    assert ("lab" in found.X) == (n_odd == 6)
    if n_odd == 7:
        assert '"missingValues": ["", "n.d."]' in reasons(found)["lab"]
    else:
        wanted = np.resize([1, 2, 3, 4.5], 120)
        np.testing.assert_array_equal(found.X["lab"][n_odd:], wanted[n_odd:])
        assert found.X["lab"][:n_odd].isna().all()
        assert found.notes[1:] == [
            "'lab' is read as a number; 6 cells are none ('n.d.') and count as missing.",
            "'lab' is read as a number; 29 cells hold a number and a sign ('<3'), of which the "
            "number counts.",
        ]


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["2020-01-01", "2020-02-03 12:00"], [18262, 18295.5]),
        (["01.02.2020", "03.02.2020"], [18293, 18295]),  # days first, as with points always
        (["13/2/2020", "2/3/2020"], [18305, 18323]),  # no month is the thirteenth
        (["31 Jan 2020", "1 Feb 2020"], [18292, 18293]),
        (["Jan 31, 2020", "Feb 1, 2020"], [18292, 18293]),
        (["2020-01-01T06:00:00Z", "2020-01-01T06:00:00+06:00"], [18262.25, 18262]),
        (list(pd.to_datetime(["2020-01-01 00:00", "2020-01-02 18:00"])), [18262, 18263.75]),
        (list(pd.to_datetime(["2020-01-01", "2020-01-02"]).date), [18262, 18263]),
        (list(pd.PeriodIndex(["2020-01", "2020-02"], freq="M")), [18262, 18293]),
    ],
)
def test_a_date_that_is_kept_is_this_day_for_learning_and_for_new_records(cells, days):
    shown = pd.Series(cells * 60)
    left = prepare(table(when=shown), "died")
    assert kinds(left)["when"] == "date" and "when" not in left.X
    assert "days since" in reasons(left)["when"]
    found = prepare(table(when=shown), "died", keep="when")
    np.testing.assert_allclose(found.X["when"][:2], days)
    np.testing.assert_allclose(again(found, **table(when=shown))["when"][:2], days)


def test_a_date_that_may_be_two_is_asked_and_not_kept_before_that_is_settled():
    cells = np.resize(["1/2/2020", "2/3/2020"], 120)  # the second of January, or of February?
    found = prepare(table(when=cells), "died")
    for line in ('"format": "%d/%m/%Y"', '"format": "%m/%d/%Y"'):
        assert line in reasons(found)["when"]
    with pytest.raises(ReportError, match="'when' cannot be kept: '1/2/2020' may be 1 February"):
        prepare(table(when=cells), "died", keep="when")
    given = Schema([{"name": "when", "format": "%m/%d/%Y", "type": "date"}])
    given = given.changed({name: {} for name in table()})
    settled = prepare(table(when=cells), "died", keep="when", schema=given)
    assert settled.X["when"][:2].tolist() == [18263, 18295]


def test_durations_and_decimals_are_numbers():
    cells = pd.to_timedelta(np.resize([36, 12, 48], 120), unit="h")
    price = [Decimal("1.25"), Decimal("2.5"), None] * 40
    found = prepare(table(stay=cells, price=price), "died")
    assert found.X["stay"].tolist()[:3] == [1.5, 0.5, 2]
    np.testing.assert_array_equal(found.X["price"][:3], [1.25, 2.5, np.nan])


@pytest.mark.parametrize(("n", "kind"), [(4, "empty"), (5, "number")])
def test_five_known_cells_make_an_attribute(n, kind):
    cells = np.full(120, np.nan)
    cells[10 : 10 + n] = np.arange(n)
    assert kinds(prepare(table(few=cells), "died"))["few"] == kind


@pytest.mark.parametrize("name", ["id", "MRN", "patient age", "paid", "width", "患者"])
def test_whole_numbers_that_all_differ_against_chance_number_the_records_under_any_name(name):
    """Of 120 draws from 833 numbers some nine pairs would be equal."""
    cells = np.random.default_rng(0).permutation(120) * 7
    found = prepare(table().assign(**{name: cells}), "died")
    assert kinds(found)[name] == "identifier" and name not in found.X
    drawn = np.random.default_rng(0).integers(0, 833, 120)
    assert name in prepare(table().assign(**{name: drawn}), "died").X


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (np.arange(120), "identifier"),  # counted, whatever the name
        (np.arange(120) + 0.5, "number"),
        (np.arange(120) * 2, "identifier"),  # it rises with the rows
        (
            np.r_[np.arange(0, 119_000, 1000), 7] + 13,
            "number",
        ),  # it does not, and few would be equal
        (np.r_[np.arange(114), np.arange(6)], "identifier"),  # 95 % differ
        (np.r_[np.arange(113), np.arange(7)], "number"),
        ([f"c{i}" for i in range(120)], "identifier"),
        ([f"c{i % 113}" for i in range(120)], "free text"),  # too many texts for a category
        ([f"c{i % 50}" for i in range(120)], "category"),
        ([f"c{i % 51}" for i in range(120)], "free text"),
        ([f"c{i} of {i}" for i in range(120)], "free text"),
        ([True, False] * 60, "yes/no"),
        ([0, 1] * 60, "number"),
        (["a", "b", "c"] * 40, "category"),
        (["x", "x", None] * 40, "constant"),
        ([3.0, np.inf] * 60, "constant"),
        (pd.Categorical(["lo", "hi"] * 60, ["lo", "hi"], ordered=True), "ordered"),
        (pd.date_range("2019-12-01", periods=120).strftime("%Y%m%d").astype(int), "date"),
        (np.arange(120)[::-1] % 60 * 100 + 20_190_000, "number"),  # no days
        ([f"{i % 24}:30" for i in range(120)], "date"),
    ],
)
def test_a_column_is_taken_for_this_kind(cells, kind):
    found = prepare(table(v=cells), "died")
    assert kinds(found)["v"] == kind
    assert ("v" in found.X) == (kind in ("number", "yes/no", "category", "ordered"))
    assert bool(reasons(found)["v"]) == ("v" not in found.X)


def test_categories_are_texts_of_the_values_whatever_type_they_had():
    cells = {
        "whole": pd.Categorical([1.0, "b", None, "b"] * 30),
        "words": np.array(["b ", "1.0", None, "b "] * 30, dtype=object),
        "flags": np.array([True, False, None, None] * 30, dtype=object),
    }
    found = prepare(table(**cells), "died").X
    told = {"whole": [0, 1, -1, 1], "words": [1, 0, -1, 1], "flags": [1, 0, -1, -1]}
    for name, codes in told.items():
        assert found[name].cat.categories.tolist() == (
            ["False", "True"] if name == "flags" else ["1", "b"]
        )
        assert found[name].cat.codes.tolist() == codes * 30
    whole = pd.Series([1, 1.0, "1", "b", "c", None], dtype=object)
    new = AsLearned().fit(found[["whole"]]).transform(pd.DataFrame({"whole": whole}))["whole"]
    assert new.cat.codes.tolist() == [0, 0, 0, 1, -1, -1]


def test_numbers_that_have_no_order_are_categories():
    found = prepare(table(v=np.arange(120) % 4 + 1j), "died").X["v"]
    assert found.cat.categories.tolist() == ["(1+1j)", "(2+1j)", "(3+1j)", "1j"]


def test_an_order_that_a_file_tells_is_kept_with_the_values_that_occur(tmp_path):
    order = pd.CategoricalDtype(["lo", "never", "mid", "hi"], ordered=True)
    cells = pd.Categorical(["hi", "lo", None, "mid"] * 30, dtype=order)
    table(grade=cells, site=pd.Categorical(["x", "y", "z", "x"] * 30)).to_parquet(tmp_path / "a.pq")
    found = prepare(read_table(tmp_path / "a.pq"), "died")
    assert kinds(found)["grade"] == "ordered" and kinds(found)["site"] == "category"
    assert found.X["grade"].dtype == pd.CategoricalDtype(["lo", "mid", "hi"], ordered=True)
    assert found.X["grade"].cat.codes.tolist()[:4] == [2, 0, -1, 1]
    asked = prepare(table(grade=cells), "died", ordered={"grade": ["hi", "mid", "lo"]})
    assert asked.X["grade"].cat.codes.tolist()[:4] == [0, 2, -1, 1]


@pytest.mark.parametrize(
    ("code", "others", "said"),
    [
        *[(-9, (0, 4), True), (-9, (-20, 20), False), (-9, (-3, 3), True), (-9, (-8, 8), False)],
        *[(999, (0, 400), True), (999, (0, 800), False), (9999, (0, 1), True)],
        *[(99999, (0, 1), True), (99, (0, 1), True), (-7, (0, 1), True), (3, (0, 2.5), False)],
        *[(-99, (0, 1), True), (-999, (0, 1), True), (-9999, (0, 1), True), (0, (50, 90), True)],
        *[(0, (2, 90), False), (77, (1, 5), True)],
    ],
)
def test_numbers_like_codes_are_pointed_out_where_they_stand_apart(code, others, said):
    cells = np.linspace(*others, 120)
    cells[[3, 50]] = code
    found = prepare(table(lab=cells), "died")
    hits = [note for note in found.notes if "far from its other values" in note]
    assert len(hits) == said and (found.X["lab"] == code).sum() == 2
    if said:
        assert f"'lab' is {code} in 2 records" in hits[0] and f"--missing 'lab={code}'" in hits[0]
    cells[50] = others[0]  # once is no code
    assert not any("far from" in note for note in prepare(table(lab=cells), "died").notes)


def test_infinite_cells_are_missing_and_counted():
    cells = np.linspace(0, 1, 120)
    cells[[2, 5, 9, 20]] = np.inf, -np.inf, np.inf, np.nan
    found = prepare(table(lab=cells), "died")
    assert found.X["lab"].isna().to_numpy().nonzero()[0].tolist() == [2, 5, 9, 20]
    assert "'lab' has 3 infinite cells, which count as missing." in found.notes


# ---------------------------------------------------------------- exact classes


@pytest.mark.parametrize(
    ("counts", "arguments", "positive", "negative", "why"),
    [
        ({"no": 90, "yes": 30}, {}, "yes", "no", "its name says so"),
        ({"no": 30, "yes": 90}, {}, "yes", "no", "its name says so"),
        ({"control": 30, "B": 90}, {}, "B", "control", "'control' is the other"),
        ({"B": 30, "dead": 90}, {}, "dead", "B", "its name says so"),
        ({"B": 30, "C": 90}, {}, "B", "C", "it is the rarer one"),
        ({"yes": 30, "dead": 90}, {}, "yes", "dead", "it is the rarer one"),
        ({"1": 90, "2": 30}, {}, "2", "1", "it is the rarer one"),
        ({"1": 30, "2": 90}, {}, "1", "2", "it is the rarer one"),
        ({"0": 30, "2": 90}, {}, "2", "0", "'0' is the other"),
        ({"B": 30, "C": 90}, {"positive": "c"}, "C", "B", "it was named."),
        ({"1.0": 30, "0.0": 90}, {"positive": 0}, "0", "1", "it was named."),
        (
            {"B": 30, "C": 50, "D": 40},
            {"positive": "D"},
            *("D", "not D", "it was named, against 'C' (50), 'B' (30)."),
        ),
    ],
)
def test_each_class_is_told_with_its_reason(counts, arguments, positive, negative, why):
    died = np.repeat(np.array([*counts], dtype=object), [*counts.values()])
    found = prepare(table(died=died), "died", **arguments)
    written = [word.removesuffix(".0") for word in died]
    assert (found.positive, found.negative) == (positive, negative)
    assert found.y.tolist() == [int(word == positive) for word in written]
    n = written.count(positive)
    told = [note for note in found.notes if note.startswith("The positive class")]
    assert len(told) == 1
    assert told[0].startswith(f"The positive class is {positive!r} ({n} of 120 records): {why}")


def test_ten_records_of_the_rarer_class_are_enough_and_nine_are_not():
    for word in ("yes", "no"):
        other = {"yes": "no", "no": "yes"}[word]
        died = np.repeat(np.array([word, other]), [10, 110])
        assert sorted(np.bincount(prepare(table(died=died), "died").y)) == [10, 110]
        died[0] = other
        with pytest.raises(ReportError, match="9 records of its rarer class"):
            prepare(table(died=died), "died")


@pytest.mark.parametrize(("n", "message"), [(10, "has 10 classes"), (11, "looks like a meas")])
def test_more_than_ten_numbers_are_a_measurement(n, message):
    with pytest.raises(ReportError, match=message):
        prepare(table(died=np.arange(120) % n), "died")


# ---------------------------------------------------------------- lines that are no records


@pytest.mark.parametrize("place", ["last", "first", "before a mean"])
@pytest.mark.parametrize("outcome", ["", "37", "yes"])
def test_a_line_of_totals_is_no_record(place, outcome):
    own = table(cost=np.arange(120) * 0.1)
    sums = own[["age", "cost"]].sum().to_frame().T.assign(sex="Summe", died=outcome)
    parts = [sums, own] if place == "first" else [own, sums]
    if place == "before a mean":
        parts.append(own[["age", "cost"]].mean().to_frame().T.assign(died="no"))
    whole = pd.concat(parts, ignore_index=True)
    side, where = ("below", 1) if place == "first" else ("above", 121)
    said = rf"sums of the records {side} it \('age', 'cost'\) where record {where} stands: delete"
    with pytest.raises(ReportError, match=said):
        prepare(whole, "died")


def test_a_count_of_the_outcome_alone_is_a_total_at_the_end_only():
    own = table(died=np.resize([0, 1, 0], 120))
    last = pd.concat([own, pd.DataFrame({"died": [40]})], ignore_index=True)
    with pytest.raises(ReportError, match=r"sums of the records above it \('died'\).* 121 "):
        prepare(last, "died", positive="1")
    few = table(n=120, visits=[1] * 11 + [11] + [2] * 108)  # chance, in the midst of others
    assert "visits" in prepare(few, "died").X


def test_changes_of_both_signs_are_no_totals():
    rng = np.random.default_rng(0)
    changes = {f"change {k}": rng.integers(-2, 3, 2000) for k in range(6)}
    found = prepare(table(n=2000, **changes), "died")
    assert {*changes} <= {*found.X}


# ---------------------------------------------------------------- exact relations


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize(("n_above", "left_out"), [(0, True), (34, True), (36, False)])
def test_an_area_of_99_percent_in_either_direction_is_a_leak(turn, n_above, left_out):
    died = np.repeat(["yes", "no"], [50, 70])
    score = np.r_[np.arange(50) + 1000, np.arange(70)] + 0.25
    score[0] = 69.5 - n_above if n_above else 999  # so many of 50 x 70 pairs stand the wrong way
    found = prepare(table(died=died, lab=turn * score), "died")
    assert ("lab" not in found.X) == left_out
    said = f"its value alone separates the classes (AUC {1 - n_above / 3500:.3f})"
    assert (said in reasons(found)["lab"]) == left_out


@pytest.mark.parametrize("known", ["yes", "no"])
def test_being_missing_in_one_class_alone_is_a_leak_in_either_direction(known):
    source = table()
    values = np.random.default_rng(2).normal(size=120)
    source["lab"] = np.where(source["died"] == known, values, np.nan)
    found = prepare(source, "died")
    assert "that it is missing alone separates the classes (AUC 1.000)" in reasons(found)["lab"]
    half = source.assign(lab=np.where((source["died"] == known) | (values > 0), values, np.nan))
    assert "lab" in prepare(half, "died").X


def test_a_near_copy_is_no_copy_and_the_first_stays():
    values = np.random.default_rng(0).normal(size=120)
    near, holes = values.copy(), values.copy()
    near[7] += 1e-9
    holes[7] = np.nan
    found = prepare(table(a=values, b=values, near=near, holes=holes, c=values), "died")
    assert list(found.X) == ["age", "sex", "a", "near", "holes"]
    for name in ("b", "c"):
        assert reasons(found)[name] == "it repeats 'a' in every record"
        assert f"{name!r} is left out: it repeats 'a' in every record" in found.notes
    assert "c" in prepare(table(a=values, b=values, c=values), "died", keep="c").X


def test_a_group_that_is_named_is_that_of_each_record_and_unknown_ones_stand_alone():
    ward = np.resize([3.0, 8.0, 5.0, 1.0, 2.0, 9.0], 120)
    ward[[10, 40, 90]] = np.nan
    found = prepare(table(ward=ward), "died", group="ward")
    assert "ward" not in found.X and len(found.groups) == 120
    same = found.groups[:, None] == found.groups
    assert (same == ((ward[:, None] == ward) | np.eye(120, dtype=bool))).all()
    assert f"120 records belong to {6 + 3} different 'ward'; folds keep each whole." in found.notes
    assert kinds(found)["ward"] == "identifier"
    assert prepare(table(ward=ward), "died").groups is None


def test_records_without_an_outcome_leave_no_trace_but_in_the_count():
    source = table(lab=np.arange(120) % 7 + 0.5, ward=np.arange(120) % 30)
    source.loc[[0, 50, 119], "died"] = np.nan
    found = prepare(source, "died", group="ward")
    kept = source["died"].notna().to_numpy()
    np.testing.assert_array_equal(found.X["lab"], source["lab"][kept])
    assert found.y.tolist() == (source["died"][kept] == "yes").astype(int).tolist()
    assert (pd.factorize(found.groups)[0] == pd.factorize(source["ward"][kept])[0]).all()
    assert found.n_rows == 120 and "3 records have no 'died' and are left out." in found.notes


def test_the_table_of_columns_tells_each_as_it_is():
    lab = np.resize([1.5, np.nan, 2.5, 2.5, 7.0, 8.0], 120)
    odd = np.array(["n.d.", *np.resize(["1", "2"], 119)], dtype=object)
    found = prepare(table(lab=lab, odd=odd, same="x").drop(columns="age"), "died").columns
    assert found.columns.tolist() == [
        *("name", "kind", "n_values", "missing", "examples", "used", "reason")
    ]
    rows = found.set_index("name").drop(columns="reason").T.to_dict("list")
    assert rows["lab"] == ["number", 4, pytest.approx(1 / 6), "1.5, 2.5, 7.0", True]
    assert rows["odd"] == ["number", 3, pytest.approx(1 / 120), "n.d., 1, 2", True]
    assert rows["same"] == ["constant", 1, 0.0, "x", False]
    assert rows["died"][:3] == ["outcome", 2, 0.0] and rows["died"][4] is False
    assert list(found["name"]) == ["sex", "died", "lab", "odd", "same"]


def test_as_many_attributes_as_allowed_are_studied_and_one_more_is_not(monkeypatch):
    assert MOST_ATTRIBUTES == 1000
    monkeypatch.setattr("ehrgan.report.reading.MOST_ATTRIBUTES", 3)
    lab = np.resize([1.5, 2.5, 7], 120)
    assert prepare(table(lab=lab), "died").X.shape == (120, 3)
    with pytest.raises(ReportError, match="has 4 attributes, and at most 3 are studied"):
        prepare(table(lab=lab, more=lab**2 + np.arange(120)), "died")
    # copies count too: to find them takes as long as what is spared
    with pytest.raises(ReportError, match="has 4 attributes, and at most 3 are studied"):
        prepare(table(lab=lab, more=lab), "died")


def test_an_outcome_alone_predicts_nothing():
    with pytest.raises(ReportError, match="no attribute is left.*There is only one column"):
        prepare(table()[["died"]], "died")


def test_the_fingerprint_is_of_names_and_cells_and_of_nothing_else():
    source = table()
    own = prepare(source, "died").fingerprint
    assert (
        len(own) == 64 and prepare(source.set_index("age", drop=False), "died").fingerprint == own
    )
    assert prepare(source, "died", keep="age").fingerprint == own
    cell = source.copy()
    cell.loc[119, "sex"] = {"f": "m", "m": "f"}[cell.loc[119, "sex"]]
    swapped = source.iloc[[1, 0, *range(2, 120)]]
    assert not swapped.reset_index(drop=True).equals(source)
    renamed, turned = source.rename(columns={"age": "Age"}), source[["sex", "age", "died"]]
    for other in (cell, swapped, renamed, turned):
        assert prepare(other, "died").fingerprint != own


def test_what_is_known_of_one_class_alone_names_no_persons():
    source = table(240)
    died = (source["died"] == "yes").to_numpy()
    days = np.random.default_rng(0).integers(1, 60, 240).astype(float)
    found = prepare(source.assign(days=np.where(died, days, np.nan)), "died")
    assert found.groups is None and "that it is missing alone" in reasons(found)["days"]
