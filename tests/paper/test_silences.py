"""The list of what the paper leaves open."""

import pytest

from ehrgan import StackedAutoencoderImputer
from ehrgan.paper.silences import SILENCES, silence_table
from ehrgan.study.baselines import (
    make_classifier,
)


def test_every_silence_is_told_in_full_and_once():
    assert len({(s.stage, s.parameter) for s in SILENCES}) == len(SILENCES)
    assert all(field for s in SILENCES for field in s[:-1])


def test_silence_table_reads_settings_from_the_code():
    table = silence_table().set_index(["stage", "parameter"])["setting"]
    assert table["AdaBoost", "Depth of its trees"] == "1"
    assert table["MLP", "Number of epochs"] == repr(make_classifier("MLP").max_iter)
    owners = {s.key.rpartition(".")[0] for s in SILENCES}
    assert {"ACGANClassifier", "StackedAutoencoderImputer", "Study"} < owners


def test_silence_table_reads_the_settings_of_the_owner_it_is_handed():
    def summarise(scores, level=0.5):
        raise NotImplementedError

    parameters = {s.key: s.parameter for s in SILENCES}
    table = silence_table(summarise, StackedAutoencoderImputer(epochs=7)).set_index("parameter")
    assert table.loc[parameters["summarise.level"], "setting"] == "0.5"
    epochs = parameters["StackedAutoencoderImputer.epochs"]
    own = table[table["stage"].str.contains("utoencoder|mputation")]
    assert own.loc[epochs, "setting"] == "7"
    bare = silence_table().set_index("parameter")["setting"]
    assert bare[parameters["summarise.level"]] == ""
    assert len(table) == len(SILENCES)
    assert list(table["paper"]) == [s.paper for s in SILENCES]
    assert list(table["ours"]) == [s.ours for s in SILENCES]
    assert list(table["why"]) == [s.why for s in SILENCES]


def test_silence_table_notices_a_renamed_argument():
    def summarise(scores, coverage=0.9):
        raise NotImplementedError

    with pytest.raises(ValueError, match="summarise.level"):
        silence_table(summarise)
