"""Parts of studies: which are made, fetched and shared; files that are damaged; locks."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from spies import GRID, Filler, Gan, Spy

import ehrgan
from ehrgan.study import protocol
from ehrgan.study.judging import Arm, Judged, Table
from ehrgan.study.protocol import Study
from ehrgan.study.store import NoStore, Store
from ehrgan.tables.records import Records

SMALL = {"n_trials": 2, "n_folds": 2, "n_masked": 2, "n_jobs": 1, "seed": 3,
         "imputers": ("mean", "denoising"), "denoising": {"epochs": 7}}  # fmt: skip
ARMS = {
    "plain": Arm(Spy("plain")),
    "drawn": Arm(Spy("drawn"), draws=2),
    "gan": Arm(Gan(epochs=3)),
    "chosen": Arm(Gan(epochs=4), grid=GRID, specificity=0.7),
}
OTHERS = {
    "extra": Arm(Spy("extra")),
    "three": Arm(Spy("drawn"), draws=3),
    "later": Arm(Gan(epochs=5)),
    "harsh": Arm(Gan(epochs=4), grid=GRID, specificity=0.9),
    "reversed": Arm(Gan(epochs=4), grid=GRID[::-1], specificity=0.7),
}
PARTS = ("tables", *ARMS)


def every(imputers=SMALL["imputers"], parts=PARTS):
    return {(imputer, part) for imputer in imputers for part in parts}


@pytest.fixture(scope="module")
def records():
    rng = np.random.default_rng(8)
    X = rng.normal(size=(40, 5))
    X[[4, 21], 2] = np.nan
    return Records(X, (np.arange(40) % 3 == 0).astype(int))


@pytest.fixture(scope="module", autouse=True)
def filling():
    """Let studies impute with networks that learn at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "StackedAutoencoderImputer", Filler)
        yield


@pytest.fixture
def made(monkeypatch):
    """Parts that were made, (imputer, "tables") or (imputer, arm), in their order."""
    found, at = [], threading.local()
    of, impute, judge = Study._of, Study._impute, protocol.judge

    def gone_to(self, imputer, *given):
        at.imputer = imputer
        return of(self, imputer, *given)

    def imputed(self, name, hidden):
        found.append((name, "tables"))
        return impute(self, name, hidden)

    def judged(arm, *given, **told):
        known = (name for name, own in {**ARMS, **OTHERS}.items() if own is arm)
        found.append((at.imputer, next(known, type(arm.estimator).__name__)))
        return judge(arm, *given, **told)

    monkeypatch.setattr(Study, "_of", gone_to)
    monkeypatch.setattr(Study, "_impute", imputed)
    monkeypatch.setattr(protocol, "judge", judged)
    return found


def run(records, folder, about="", **changes):
    settings = {**SMALL, "classifiers": ARMS, **changes}
    store = NoStore() if folder is None else Store(folder, (records.X, records.y, about))
    return Study(records, **settings).run(progress=False, store=store)


def assert_same(a, b):
    """Refuse results that differ in a digit, a type or an order."""
    for name in ("predictions", "imputation", "curves", "choices"):
        one, other = getattr(a, name), getattr(b, name)
        pd.testing.assert_frame_equal(one, other, check_exact=True)
        for column in one:
            assert list(map(type, one[column])) == list(map(type, other[column]))
    assert a.settings == b.settings and list(a.settings) == list(b.settings)
    assert list(a.settings["classifiers"]) == list(b.settings["classifiers"])


# ---------------------------------------------------------------- which parts are made


def arms(**changes):
    """Arms, some of them in the place of others or beside them."""
    return {**ARMS, **{name: {**ARMS, **OTHERS}[own] for name, own in changes.items()}}


RENAMED = dict(zip(("a", "b", "c", "d"), ARMS.values(), strict=True))
#: A change of a study's parameters, and the parts that it makes anew.
CHANGES = {
    "n_trials": ({"n_trials": 3}, every()),
    "n_folds": ({"n_folds": 3}, every()),
    "missing_fraction": ({"missing_fraction": 0.25}, every()),
    "n_masked": ({"n_masked": 1}, every()),
    "attributes": ({"attributes": (0, 3)}, every()),
    "mechanism": ({"mechanism": "MCAR"}, every()),
    "seed": ({"seed": 4}, every()),
    "n_jobs": ({"n_jobs": 2}, set()),
    "imputers": ({"imputers": ("denoising", "zero", "mean")}, every(["zero"])),
    "imputers, fewer": ({"imputers": ("denoising",)}, set()),
    "classifiers, by other names": ({"classifiers": RENAMED}, set()),
    "classifiers, in another order": ({"classifiers": dict(reversed(ARMS.items()))}, set()),
    "classifiers, fewer": ({"classifiers": {"gan": ARMS["gan"]}}, set()),
    "classifiers, more": (
        {"classifiers": arms(e="extra")}, every(parts=["extra"])
    ),
    "classifiers, another estimator": ({"classifiers": arms(gan="later")}, every(parts=["later"])),
    "classifiers, more draws": (
        {"classifiers": arms(drawn="three")}, every(parts=["tables", "three"])
    ),
    "classifiers, one of more draws beside": (
        {"classifiers": arms(e="three")}, every(parts=["tables", "drawn", "three"])
    ),
    "classifiers, another specificity": (
        {"classifiers": arms(chosen="harsh")}, every(parts=["harsh"])
    ),
    "classifiers, another grid": ({"classifiers": arms(e="reversed")}, every(parts=["reversed"])),
    "protocol": ({"protocol": "paper"}, every()),
    "protocol, scaling": ({"protocol": ("scaling",)}, every()),
    "protocol, imputation": ({"protocol": ("imputation",)}, every()),
    "protocol, epoch": ({"protocol": ("epoch",)}, every(parts=["gan", "chosen"])),
    "shuffle_test_labels": ({"shuffle_test_labels": True}, set()),
    "autoencoder": ({"autoencoder": {"epochs": 8}}, set()),
    "denoising": ({"denoising": {"epochs": 8}}, every(["denoising"])),
    "acgan": ({"acgan": {"l2": 0.25}}, set()),
}  # fmt: skip


def test_the_table_of_changes_names_every_parameter():
    parameters = {field for field in Study.__dataclass_fields__ if field != "folds"}
    assert {name.split(",")[0] for name in CHANGES} == parameters - {"records"}


@pytest.fixture(scope="module")
def whole(records, tmp_path_factory):
    """A folder with all parts of the study that changes are made to, and its result."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, run(records, folder)


@pytest.fixture
def folder(whole, tmp_path):
    """A copy of that folder."""
    return Path(shutil.copytree(whole[0], tmp_path / "copy"))


def test_a_study_is_kept_in_parts_and_fetched_whole(records, made, tmp_path, whole):
    found = run(records, tmp_path)
    assert made == [(imputer, part) for imputer in SMALL["imputers"] for part in PARTS]
    assert len(list(tmp_path.glob("*.joblib"))) == len(every()) + 2  # and their errors
    again = run(records, tmp_path)
    assert len(made) == len(every())
    for one in (found, again, whole[1]):
        assert_same(one, run(records, None))


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_makes_anew_what_depends_on_it_alone_and_never_meets_a_stale_part(
    records, made, whole, folder, name
):
    change, wanted = CHANGES[name]
    changed = run(records, folder, **change)
    assert sorted(made) == sorted(wanted)
    assert_same(changed, run(records, None, **{**change, "n_jobs": 1}))
    made.clear()
    assert_same(run(records, folder), whole[1])
    assert made == []


@pytest.mark.parametrize("name", ["", "a cell", "a hole", "a label", "names", "order", "about"])
def test_other_records_or_another_source_share_nothing(records, made, folder, name):
    X, y, about = records.X.copy(), records.y.copy(), ""
    if name == "a cell":
        X.iloc[17, 4] += 1e-9
    elif name == "a hole":
        X.iloc[17, 4] = np.nan
    elif name == "a label":
        y[17] = 1 - y[17]
    elif name == "names":
        X = X.rename(columns={"x4": "other"})
    elif name == "order":
        X = X[list(X)[::-1]]
    elif name == "about":
        about = "edited"
    other = Records(X, y, name="other", positive="ill", negative="well")  # these are but words
    found = run(other, folder, about)
    assert sorted(made) == sorted(every() if name else [])
    assert_same(found, run(other, None))


@pytest.mark.parametrize("looser", ["paper", "peek", ("epoch",)])
def test_shuffled_labels_touch_only_arms_that_watch_them(records, made, folder, looser):
    run(records, folder, protocol=looser)
    made.clear()
    found = run(records, folder, protocol=looser, shuffle_test_labels=True)
    assert set(made) == (set() if looser == "paper" else every(parts=["gan", "chosen"]))
    assert_same(found, run(records, None, protocol=looser, shuffle_test_labels=True))


def test_a_look_at_the_epoch_shares_the_tables_and_the_arms_that_cannot_look(
    records, made, tmp_path
):
    run(records, tmp_path, protocol="paper")
    made.clear()
    run(records, tmp_path, protocol="peek")
    assert set(made) == every(parts=["gan", "chosen"])
    made.clear()
    run(records, tmp_path, protocol=("imputation", "epoch", "scaling"))  # the same by its parts
    assert made == []


def test_arguments_of_named_networks_touch_their_own_parts(records, made, tmp_path, monkeypatch):
    monkeypatch.setattr(protocol, "ACGANClassifier", Gan)
    named = {"imputers": ("mean", "autoencoder"), "classifiers": ("AC-GAN", "Naive Bayes"),
             "acgan": {"epochs": 3}}  # fmt: skip
    run(records, tmp_path, **named)
    made.clear()
    other = {**named, "acgan": {"epochs": 4}}
    found = run(records, tmp_path, **other)
    assert made == [("mean", "Gan"), ("autoencoder", "Gan")]
    assert_same(found, run(records, None, **other))
    made.clear()
    run(records, tmp_path, **named, autoencoder={"epochs": 5})
    assert made == [("autoencoder", part) for part in ("tables", "Gan", "GaussianNB")]


def test_names_of_a_grid_stand_in_the_order_asked_for(records, tmp_path):
    one, other = {"l2": 0.5, "beta_1": 0.25}, {"beta_1": 0.25, "l2": 0.5}
    for candidate in (one, other, one):
        asked = {"classifiers": {"a": Arm(Gan(epochs=3), grid=(candidate,))}}
        found = run(records, tmp_path, **asked)
        assert_same(found, run(records, None, **asked))
        assert all(list(eval(choice))[:2] == list(candidate) for choice in found.choices["choice"])


def test_arms_of_other_names_keep_them_and_arms_alike_are_asked_once(records, made, tmp_path):
    twice = {"second": ARMS["plain"], "first": ARMS["plain"]}
    found = run(records, tmp_path, classifiers=twice, imputers=("zero", "mean"))
    assert made == [(imputer, part) for imputer in ("zero", "mean") for part in ("tables", "plain")]
    order = found.predictions[["imputer", "classifier"]].drop_duplicates()
    wanted = [(i, c) for i in ("zero", "mean") for c in ("second", "first")]
    assert list(order.itertuples(index=False, name=None)) == wanted
    by_name = [own["probability"].tolist() for _, own in found.predictions.groupby("classifier")]
    assert by_name[0] == by_name[1]


@pytest.mark.parametrize("field", ["train", "test", "mask", "seed", "y_train"])
def test_a_fold_changed_by_hand_is_another(records, made, folder, field):
    study = Study(records, **SMALL, classifiers=ARMS)
    fold = study.folds[1]
    other = fold.seed + 1 if field == "seed" else getattr(fold, field)[::-1]
    study.folds[1] = fold._replace(**{field: other})
    study.run(progress=False, store=Store(folder, (records.X, records.y, "")))
    assert set(made) == every()


def test_no_store_keeps_nothing_and_makes_all_in_order(records, made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        made.clear()
        run(records, None)
        wanted = [(imputer, part) for imputer in SMALL["imputers"] for part in PARTS]
        assert made == wanted
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- files


def valued(store, key, value):
    """The part of a key, and how often it was made."""
    count = []
    return store.once(key, lambda: count.append(1) or value), len(count)


@pytest.mark.parametrize(
    "part",
    [1, 1.5, np.float32(0.1), np.float64(0.1), None, [None, np.nan], ("a", {"b": 1}),
     Judged([np.arange(3.0)], [0.5]), Table(np.eye(2), np.eye(2, dtype="f4"), np.float64(1))],
    ids=repr,
)  # fmt: skip
def test_a_part_is_fetched_as_it_was_made(tmp_path, part):
    for n_made in (1, 0):
        found, count = valued(Store(tmp_path, "x"), "key", part)
        assert count == n_made and type(found) is type(part) and repr(found) == repr(part)
        assert joblib.hash(found) == joblib.hash(part)


def test_a_part_is_known_by_its_key_and_by_what_all_come_from(tmp_path):
    keys = [("a", 1), ("a", 1.0), ("a", True), ("a", "1"), ("b", 1), ("a",), (1, "a")]
    keys += [("a", value) for value in ({"x": 1}, {"x": 2}, np.eye(2), np.eye(2, dtype="f4"))]
    asked = [(about, key) for about in ("x", "y") for key in keys]
    for n_made in (1, 0):
        found = [valued(Store(tmp_path, about), key, i) for i, (about, key) in enumerate(asked)]
        assert found == [(i, n_made) for i in range(len(asked))]


def truncated(content):
    return content[: len(content) // 2]


def flipped(content):
    i = len(content) - 40
    return content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :]


def foreign(content):
    return pickle.dumps("another program's")


HARMS = [truncated, flipped, foreign, lambda content: b"", lambda content: content[:5],
         lambda content: content[:-1], lambda content: content + b"\n",
         lambda content: bytes(len(content))]  # fmt: skip


@pytest.mark.parametrize("harm", HARMS)
def test_a_file_that_is_not_whole_or_not_a_parts_is_made_again(tmp_path, harm):
    store, part = Store(tmp_path, "x"), np.arange(100.0)
    valued(store, "key", part)
    (path,) = tmp_path.glob("*.joblib")
    whole = path.read_bytes()
    path.write_bytes(harm(whole))
    found, count = valued(store, "key", part)
    np.testing.assert_array_equal(found, part)
    assert count == 1 and path.read_bytes() == whole
    assert valued(store, "key", part)[1] == 0


def test_a_part_under_anothers_name_is_made_again(tmp_path):
    store = Store(tmp_path, "x")
    valued(store, "one", 1)
    (one,) = tmp_path.glob("*.joblib")
    valued(store, "two", 2)
    (two,) = set(tmp_path.glob("*.joblib")) - {one}
    two.write_bytes(one.read_bytes())
    assert valued(store, "two", 2) == (2, 1) and valued(store, "two", 2) == (2, 0)


def test_a_folder_in_the_place_of_a_part_is_told(tmp_path):
    store = Store(tmp_path, "x")
    store._path("key", "joblib").mkdir()
    with pytest.raises(OSError, match="joblib"):
        valued(store, "key", 1)


def test_every_damaged_file_of_a_study_is_made_again(records, made, whole, folder):
    for path in folder.glob("*.joblib"):
        path.write_bytes(flipped(path.read_bytes()))
    assert_same(run(records, folder), whole[1])
    assert sorted(made) == sorted(every())
    assert_same(run(records, folder), whole[1])
    assert len(made) == len(every())


def test_a_folder_that_cannot_be_is_told_by_name(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match="file"):
            Store(folder, "x")
    assert Store(str(tmp_path / "new" / "below"), "x").once("key", lambda: 1) == 1


def test_a_folder_that_goes_away_meanwhile_is_told_by_name(tmp_path):
    store = Store(tmp_path / "gone", "x")
    with pytest.raises(OSError, match="gone"):
        store.once("key", lambda: (tmp_path / "gone").rmdir())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="may write anywhere")
def test_a_folder_that_may_only_be_read_is_told_by_name(tmp_path):
    store = Store(tmp_path / "kept", "x")
    (tmp_path / "kept").chmod(0o500)
    with pytest.raises(PermissionError, match="kept"):
        store.once("key", lambda: 1)
    with pytest.raises(PermissionError, match="kept"):
        store.in_turn({"a": "a"}, lambda name, key: 1)


# ---------------------------------------------------------------- locks


def soon(work):
    """What a piece of work gives, which must not wait for a lock that nobody holds."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(work).result(timeout=20)
    finally:
        pool.shutdown(wait=False)


def test_work_is_done_once_for_each_unit_with_its_key(tmp_path):
    for store in (NoStore(), Store(tmp_path, "x")):
        found = store.in_turn({"a": 1, "b": 2}, lambda name, key: (name, key))
        assert found == {"a": ("a", 1), "b": ("b", 2)} and list(found) == ["a", "b"]
        assert store.in_turn({}, None) == {}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_no_part_behind_and_frees_the_lock_while_it_is_looked_at(
    records, made, tmp_path, monkeypatch, error
):
    judge = protocol.judge

    def failing(arm, *given, **told):
        if arm == ARMS["drawn"]:
            raise error("boom")
        return judge(arm, *given, **told)

    monkeypatch.setattr(protocol, "judge", failing)
    with pytest.raises(error, match="boom") as kept:
        run(records, tmp_path)
    monkeypatch.setattr(protocol, "judge", judge)
    assert made == [("mean", "tables"), ("mean", "plain")]
    assert len(list(tmp_path.glob("*.joblib"))) == 3
    assert {path.suffix for path in tmp_path.iterdir()} == {".joblib", ".lock"}
    made.clear()
    soon(lambda: run(records, tmp_path))
    assert sorted(made) == sorted(every() - {("mean", "tables"), ("mean", "plain")})
    assert kept.traceback  # which holds on to all that was at work


def test_studies_that_run_at_once_make_each_part_once(records, made, tmp_path, monkeypatch):
    impute = Study._impute
    begin = threading.Barrier(3)
    monkeypatch.setattr(
        Study, "_impute", lambda *given: time.sleep(0.02) or impute(*given)
    )  # long enough for the others to come

    def start(changes):
        begin.wait(20)
        return run(records, tmp_path, **changes)

    asked = [{}, {"imputers": ("denoising", "mean")}, {"protocol": ("epoch",)}]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(start, asked))
    assert sorted(made) == sorted([*every(), *every(parts=["gan", "chosen"])])
    for result, changes in zip(found, asked, strict=True):
        assert_same(result, run(records, None, **changes))


def test_a_study_takes_what_is_free_then_what_becomes_so_first(tmp_path):
    ends, held, order = {name: threading.Event() for name in "ab"}, threading.Barrier(3), []

    def hold(name):
        def work(*_):
            held.wait(20)
            return ends[name].wait(20)

        return Store(tmp_path, "x").in_turn({name: name}, work)

    def work(name, key):
        order.append(name)
        if name in "cb":
            ends[{"c": "b", "b": "a"}[name]].set()

    with ThreadPoolExecutor(2) as pool:
        holders = [pool.submit(hold, name) for name in "ab"]
        held.wait(20)
        soon(lambda: Store(tmp_path, "x").in_turn({name: name for name in "abc"}, work))
        assert all(holder.result() for holder in holders)
    assert order == ["c", "b", "a"]


SCRIPT = """
import sys, time
from pathlib import Path
from ehrgan.study.store import Store

folder, seconds, *names = sys.argv[1:]

def make(name):
    with (Path(folder) / "made.txt").open("a") as file:
        file.write(name + " ")
    print("at", name, flush=True)
    time.sleep(float(seconds))
    return name * 2

store = Store(Path(folder) / "parts", "x")
print(store.in_turn({name: name for name in names},
                    lambda name, key: store.once((key, "part"), lambda: make(name))))
"""


@pytest.fixture
def process(tmp_path):
    """Start a process that makes parts, for so many seconds each."""
    started = []
    environment = {**os.environ, "PYTHONPATH": str(Path(ehrgan.__file__).parents[1])}

    def start(seconds, *names):
        command = [sys.executable, "-c", SCRIPT, str(tmp_path), str(seconds), *names]
        one = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        started.append(one)
        return one

    yield start
    for one in started:
        one.kill()
        one.communicate()


def test_processes_that_run_at_once_make_each_part_once(process, tmp_path):
    both = [process(0.3, *names) for names in ("ab", "ba")]
    said = [one.communicate(timeout=60)[0].splitlines()[-1] for one in both]
    assert all(eval(line) == {"a": "aa", "b": "bb"} for line in said)
    assert sorted((tmp_path / "made.txt").read_text().split()) == ["a", "b"]


def test_the_lock_of_a_process_that_was_killed_is_free_again(process, tmp_path):
    one = process(600, "a")
    assert one.stdout.readline() == "at a\n"
    store, waits = Store(tmp_path / "parts", "x"), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(store.in_turn, {"a": "a"}, lambda *_: waits.set() or "mine")
        assert not waits.wait(0.3)  # it is still at it
        one.send_signal(signal.SIGKILL)
        assert waiting.result(timeout=20) == {"a": "mine"}
    assert list((tmp_path / "parts").glob("*.joblib")) == []
