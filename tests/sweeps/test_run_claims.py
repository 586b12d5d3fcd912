"""Claims on an object store: one holder at a time, and none for ever."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import fsspec
import pytest

from ehrgan.sweeps import claims
from ehrgan.sweeps.claims import DiskClaims, StoreClaims

NOTE = {"notebook": "a.ipynb@0", "parameters": {"x": 1}, "status": "running", "since": 5.0}


@pytest.fixture
def sweeps(tmp_path, monkeypatch):
    """Make sweeps into one folder of a store in memory, whose lease is short."""
    monkeypatch.setattr(claims, "BEAT", 0.05)
    monkeypatch.setattr(claims, "LEASE", 0.5)
    fs, made = fsspec.filesystem("memory"), []

    def sweep():
        made.append(StoreClaims(fs, f"/{tmp_path.name}"))
        return made[-1]

    yield sweep
    for each in made:
        each.close()
    assert not [path for path in fs.find(f"/{tmp_path.name}") if "/sweeps/" in path]


def dead(sweep):
    """Let a sweep fall silent, as a kill does: it takes nothing back."""
    sweep._ended.set()
    sweep._beating.join()


def until_taken(sweep, key):
    began = time.monotonic()
    while (claim := sweep.take(key, NOTE)) is None:
        time.sleep(0.02)
    return claim, time.monotonic() - began


def test_a_run_is_held_by_one_and_let_go(sweeps):
    one, two = sweeps(), sweeps()
    with one.take("a", NOTE) as held:
        assert two.take("a", NOTE) is None and one.take("a", NOTE) is None
        assert two.held() == {"a": {**NOTE, "by": one.name}}
        held.tell(status="queued")
        assert two.held()["a"]["status"] == "queued"
        with two.take("b", NOTE):
            assert set(one.held()) == {"a", "b"}
    assert one.held() == {} and two.take("a", NOTE) is not None


def test_of_many_who_claim_at_once_one_gets_it(sweeps):
    rivals = [sweeps() for _ in range(8)]
    for key in "abc":
        start = threading.Barrier(len(rivals))

        def claim(rival, key=key, start=start):
            start.wait()
            return rival.take(key, NOTE)

        with ThreadPoolExecutor(len(rivals)) as pool:
            found = list(pool.map(claim, rivals))
        assert sum(each is not None for each in found) == 1


def test_a_long_run_is_kept_as_long_as_its_sweep_is_heard(sweeps):
    one, two = sweeps(), sweeps()
    one.take("a", NOTE)
    end = time.monotonic() + 2 * claims.LEASE
    while time.monotonic() < end:
        assert two.take("a", NOTE) is None
        time.sleep(0.05)
    assert set(two.held()) == {"a"}


def test_the_run_of_a_silent_sweep_is_taken_over_by_one_and_only_after_the_lease(sweeps):
    one, two, three = sweeps(), sweeps(), sweeps()
    lost = one.take("a", NOTE)
    assert two.take("a", NOTE) is None
    dead(one)
    claim, waited = until_taken(two, "a")
    assert waited > 0.8 * (claims.LEASE - claims.BEAT)
    assert three.take("a", NOTE) is None and three.held()["a"]["by"] == two.name
    lost.close()  # it was only asleep, and has ended its run: the other still holds it
    assert three.take("a", NOTE) is None
    claim.close()
    assert three.held() == {} and three.take("a", NOTE) is not None


def test_the_runs_of_a_sweep_that_has_ended_are_free_at_once(sweeps):
    one, two = sweeps(), sweeps()
    one.take("a", NOTE)
    assert two.take("a", NOTE) is None
    one.close()
    assert two.held() == {} and two.take("a", NOTE) is not None


def test_a_claim_whose_answer_was_lost_is_ours_all_the_same(sweeps, monkeypatch):
    one, two = sweeps(), sweeps()
    usual = one.fs.pipe_file

    def twice(path, content, **how):
        usual(path, content, **how)
        if how:
            usual(path, content, **how)  # as a client does that has heard no answer

    monkeypatch.setattr(one.fs, "pipe_file", twice, raising=False)
    assert one.take("a", NOTE) is not None
    monkeypatch.undo()
    assert two.take("a", NOTE) is None


def test_a_store_that_knows_no_such_thing_lets_every_sweep_run(sweeps, monkeypatch):
    one, two = sweeps(), sweeps()
    usual = one.fs.pipe_file

    def no(path, content, **how):
        if how:
            raise NotImplementedError
        usual(path, content)

    monkeypatch.setattr(one.fs, "pipe_file", no, raising=False)
    with one.take("a", NOTE), two.take("a", NOTE) as second:
        assert second is not None
    assert one.held() == {}


def test_a_disk_without_locks_lets_every_sweep_run(tmp_path, monkeypatch):
    def no(*_, **__):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(claims, "lock_descriptor", no)
    (tmp_path / "runs").mkdir()
    one = DiskClaims(None, tmp_path)
    with one.take("a", NOTE), one.take("a", NOTE) as second:
        assert second is not None and one.held() == {}


def test_the_byte_that_is_locked_holds_nothing(tmp_path):
    (tmp_path / "runs").mkdir()
    with DiskClaims(None, tmp_path).take("a", NOTE):
        content = (tmp_path / "runs" / ".a.lock").read_bytes()
    assert content[:1] == b" " and json.loads(content[1:]) == NOTE
