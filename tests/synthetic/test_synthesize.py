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
    assert command(folder, table, "--n", "400") == 0
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
    assert command(tmp_path, table, "--n", "400") == 0
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "made" / "fake.csv"), fake)


def test_a_person_is_never_split_between_learning_and_attack():
    table = mixed(900, 0, persons=300)
    prepared = prepare(table, "died", group="patient")
    found = synthesize(prepared, 200).audit
    persons = [set(part["person"]) for part in (found.members, found.others, found.reference)]
    assert sum(map(len, persons)) == len(set().union(*persons)) > 250


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


def test_a_folder_that_cannot_be_is_refused_before_any_work(tmp_path, capsys, monkeypatch):
    (tmp_path / "made").write_text("a file")
    monkeypatch.setattr(module, "synthesize", lambda *a, **k: pytest.fail("it worked"))
    assert command(tmp_path, mixed(300, 0)) == 2
    assert "is a file" in capsys.readouterr().err
