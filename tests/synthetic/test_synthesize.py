"""``ehrgan synthesize``: the file in its dress, the card, and what is refused."""

import re

import numpy as np
import pandas as pd
import pytest
from mixed_tables import mixed

from ehrgan import cli
from ehrgan.report.errors import ReportError
from ehrgan.report.reading import prepare
from ehrgan.synthetic import synthesize as module
from ehrgan.synthetic.generators import Bootstrap
from ehrgan.synthetic.synthesize import synthesize
from ehrgan.tables.datasets import DATASETS, load_dataset


def command(tmp_path, table, *more, outcome="died"):
    table.to_csv(tmp_path / "my.csv", index=False)
    line = ["synthesize", str(tmp_path / "my.csv"), "--outcome", outcome]
    return cli.main([*line, "--out", str(tmp_path / "made" / "fake.csv"), *more])


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What the command writes for a table of persons, and the table."""
    folder = tmp_path_factory.mktemp("made")
    table = mixed(1500, 0, persons=500)
    table.insert(0, "note", [f"text {k}" for k in range(len(table))])
    assert command(folder, table, "--n", "400", "--group", "patient") == 0
    made = folder / "made"
    return table, pd.read_csv(made / "fake.csv"), (made / "fake.card.md").read_text()


def test_the_file_has_the_columns_words_and_ranges_of_the_table(written):
    table, fake, _ = written
    kept = [name for name in table if name not in ("note", "patient")]
    assert list(fake) == kept and len(fake) == 400
    assert set(fake["died"]) == {"yes", "no"} and set(fake["smokes"]) <= {True, False}
    assert fake["age"].dropna().between(table["age"].min(), table["age"].max()).all()
    assert (fake["age"].dropna() % 1 == 0).all()
    assert abs(fake["lab"].isna().mean() - table["lab"].isna().mean()) < 0.1
    assert (fake["lab"].isna() == fake["age"].isna()).all()


def test_the_card_says_how_they_were_made_and_measured(written):
    table, fake, card = written
    assert "not anonymous by themselves" in card and "differential privacy" in card
    assert "Gaussian copula" in card and "seed 0" in card
    learned, unseen = map(int, re.search(r"from (\d+) records.* the (\d+) others", card).groups())
    assert learned + unseen == len(table) and abs(learned - 750) < 60
    for word in ("classifier", "closest record", "density ratio", "exact copies", "fake less real"):
        assert word in card
    assert "'patient'" in card and "fewer than 200 persons" in card
    rows = [line for line in card.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {4, 5, 8}  # no table is broken


def test_the_same_seed_makes_the_same_file(tmp_path, written):
    table, fake, _ = written
    assert command(tmp_path, table, "--n", "400", "--group", "patient") == 0
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "made" / "fake.csv"), fake)


def test_a_person_is_never_split_between_learning_and_attack():
    table = mixed(900, 0, persons=300)
    prepared = prepare(table, "died", group="patient")
    found = synthesize(prepared, 200).audit
    persons = [set(part["person"]) for part in (found.members, found.others, found.reference)]
    assert sum(map(len, persons)) == len(set().union(*persons)) > 250


def visits(n_persons, each, seed, fixed, sort=False):
    """Visits whose outcome varies within a person; what else is of one person varies or does not.

    Returns the table without a name of persons, and whose each visit is.
    """
    rng = np.random.default_rng(seed)
    who = rng.integers(n_persons, size=n_persons * each)
    who = np.sort(who) if sort else who
    own, luck = rng.normal(size=(n_persons, 3))[who], rng.normal(size=(len(who), 3))
    table = pd.DataFrame((own + luck).round(2), columns=["pressure", "pulse", "crp"])
    if fixed:
        table["sex"] = rng.choice(["f", "m"], n_persons)[who]
        table["born"] = rng.integers(1930, 2000, n_persons)[who]
    table["died"] = np.where(table["crp"] + rng.normal(size=len(who)) > 1, "yes", "no")
    return table, who


@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize("sort", [True, False])
@pytest.mark.parametrize("kind", ["number", "text"])
@pytest.mark.parametrize(("n_persons", "each"), [(400, 4), (60, 40), (900, 2)])
def test_persons_of_varying_outcome_are_asked_for_and_then_kept_whole(
    n_persons, each, kind, sort, fixed
):
    table, who = visits(n_persons, each, 3, fixed, sort)
    table["x"] = who + 700 if kind == "number" else [f"P{k:05d}" for k in who]
    with pytest.raises(ReportError, match="'x' takes .* --group 'x'"):
        synthesize(prepare(table, "died"))
    assert not prepare(table, "died", group="x").alike


def test_persons_without_a_name_are_suspected_by_what_never_changes():
    table, who = visits(300, 5, 0, True)
    table["height"] = np.random.default_rng(0).normal(170, 9, 300).round(1)[who]
    assert "height" in {one.name for one in prepare(table, "died").alike}


@pytest.mark.parametrize("name", DATASETS)
def test_tables_of_one_record_a_person_are_not_asked_about(name):
    data = load_dataset(name)
    assert not prepare(data.X.assign(died=data.y), "died").alike


def test_measurements_that_go_together_name_no_persons():
    rng = np.random.default_rng(0)
    age = rng.integers(20, 90, 1500)
    table = pd.DataFrame({"age": age, "born": 2020 - age, "decade": age // 10})
    table["pressure"] = (100 + age / 2 + rng.normal(size=1500) * 9).round()
    table["died"] = rng.random(1500) < 0.4
    assert not prepare(table, "died").alike


def test_a_column_that_is_kept_names_no_persons():
    table, who = visits(400, 4, 0, False)
    table["x"] = who
    assert not prepare(table, "died", keep=["x"]).alike


def test_stays_that_are_kept_whole_do_not_hide_persons_of_several():
    """The outcome names stays; one record of each is left, and persons still have several."""
    rng = np.random.default_rng(0)
    stay = np.repeat(np.arange(1200), 2)
    table, who = visits(300, 4, 0, True)
    table = table.iloc[stay % 1200].assign(stay=stay * 7, person=who[stay % 1200])
    table["pulse"] = rng.normal(size=2400)
    found = prepare(table, "died", group=None)
    assert "person" in {one.name for one in found.alike}


@pytest.mark.parametrize("words", [["a", "b", "c"], ["yes", "no", None]])
def test_an_outcome_that_is_not_of_two_classes_or_has_holes(words):
    table = mixed(900, 0).assign(died=np.random.default_rng(0).choice(words, 900))
    if None in words:  # whose records are left out
        found = synthesize(prepare(table, "died"), 150)
        assert set(found.table["died"]) == {"yes", "no"}
        assert sum(map(len, found.audit[2:5])) == table["died"].notna().sum()
    else:
        with pytest.raises(ReportError, match="has 3 classes .*--positive"):
            synthesize(prepare(table, "died"), 150)


def test_words_that_few_share_are_left_empty_and_it_is_told():
    table = mixed(600, 0)
    table["site"] = table["site"].astype(object)
    table.loc[list(range(40, 52)), "site"] = "bone"
    table.loc[[60, 61, 62], "site"] = "parotid gland"
    found = synthesize(prepare(table, "died"), 300)
    assert "parotid gland" not in set(found.audit.members["site"])
    assert any("empty in 3 records" in n and "parotid" not in n for n in found.notes)
    assert "bone" in set(found.audit.members["site"])  # which more than a dozen share


def test_a_broken_order_is_told():
    found = synthesize(prepare(mixed(600, 0), "died"), 500, generator="class-wise Gaussians")
    (row,) = found.broken.query("smaller == 'low' and larger == 'high'").to_dict("records")
    assert row["fake"] == (found.table["low"] > found.table["high"]).sum() > 0
    assert any(word.startswith("'low' never exceeded 'high' in 600 real") for word in found.words)


def test_a_generator_that_copies_is_caught_in_the_first_sentence(monkeypatch):
    monkeypatch.setattr(module, "make_generator", lambda name, seed: Bootstrap(random_state=seed))
    found = synthesize(prepare(mixed(600, 0), "died"), 300)
    assert found.words[0].startswith("Caught: the Gaussian copula gives members away by")
    assert "exact copies" in found.words[0] and found.words[0] in found.card()
    clean = synthesize(prepare(mixed(600, 0), "died"), 300, generator="class-wise Gaussians")
    assert "Caught" in clean.words[0] or "no proof" in clean.words[0]


@pytest.mark.parametrize(
    "n, share, told",
    [(180, 0.5, "has 180 persons"), (400, 0.04, "16 of the rarer class")],
)
def test_a_table_in_which_a_record_is_recognisable_is_refused_with_the_rule(
    tmp_path, capsys, n, share, told
):
    table = mixed(n, 0)
    table["died"] = np.where(np.arange(n) < share * n, "yes", "no")
    assert command(tmp_path, table) == 2
    error = capsys.readouterr().err
    assert told in error and "fewer than 200 persons" in error
    assert not (tmp_path / "made").exists()


def test_persons_are_counted_not_records():
    table = mixed(900, 0, persons=150)
    with pytest.raises(ReportError, match="has 1[45]. persons"):
        synthesize(prepare(table, "died", group="patient"))


@pytest.mark.parametrize(
    "asked, complaint",
    [
        ({"n": 99}, "n must be"),
        ({"n": 150.5}, "n must be"),
        ({"seed": -1}, "seed must be"),
        ({"generator": "bootstrap"}, "generator must be"),  # controls are not for release
    ],
)
def test_settings_of_no_sense_are_refused(asked, complaint):
    with pytest.raises(ReportError, match=complaint):
        synthesize(prepare(mixed(300, 0), "died"), **asked)


def test_a_file_that_is_there_is_never_replaced(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(module, "synthesize", lambda *a, **k: pytest.fail("it worked"))
    table = mixed(300, 0)
    table.to_csv(tmp_path / "my.csv", index=False)
    line = ["synthesize", str(tmp_path / "my.csv"), "--outcome", "died", "--out"]
    before = (tmp_path / "my.csv").read_bytes()
    for out in (tmp_path / "my.csv", tmp_path):
        assert cli.main([*line, str(out)]) == 2
        assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "my.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("asked", "told"),
    [(["--n", "0"], "n must be a whole number of at least 100, got 0"),
     (["--outcome", "dead"], "'dead' is no column of the table; did you mean 'died'"),
     (["--outcome", "one"], "'one'"), (["--group", "nobody"], "'nobody' is no column")],
)  # fmt: skip
def test_the_command_names_what_is_wrong(tmp_path, capsys, asked, told):
    table = mixed(300, 0).assign(one="yes")
    outcome = asked[1] if asked[0] == "--outcome" else "died"
    assert command(tmp_path, table, *asked, outcome=outcome) == 2
    error = capsys.readouterr().err
    assert told in error and "Traceback" not in error
    assert not (tmp_path / "made").exists()


def test_a_folder_that_cannot_be_is_refused_before_any_work(tmp_path, capsys, monkeypatch):
    (tmp_path / "made").write_text("a file")
    monkeypatch.setattr(module, "synthesize", lambda *a, **k: pytest.fail("it worked"))
    assert command(tmp_path, mixed(300, 0)) == 2
    assert "is a file" in capsys.readouterr().err
