"""What a sweep does with its runs, tested without kernels: a stand-in takes the place of a run."""

import io
import json
import math
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pandas as pd
import psutil
import pytest
import yaml
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook

from ehrgan import cli, sweep, worker
from ehrgan.handover import OWN, RECORD, record
from ehrgan.notebooks import QUIET_KERNEL, NotebookError
from ehrgan.sweep import GridError, RunLost, plan, read_sweep, state

PARAMETERS = "x = 1\nlayers = [5, 2]"
SETS = [{"x": x} for x in (1, 2, 3)]


def outcome(x=1, **changes):
    """How a run of the stand-in comes out: two rows of scores."""
    scores = pd.DataFrame({"fold": [0, 1], "value": [10.0 * x, 10.0 * x + 1]}).to_parquet()
    usual = {"status": "done", "error": "", "duration": 2.0 * x, "peak_memory_mb": 80.0 + x}
    return {**usual, "notebook": b"{}", "scores": scores, **changes}


def failure(words, **changes):
    return outcome(status="failed", error=words, scores=b"", **changes)


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    path = tmp_path_factory.mktemp("toy") / "toy.ipynb"
    cell = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[cell]), path)
    return path


@pytest.fixture
def runs(monkeypatch):
    """What was executed, in order; ``runs.does`` may be replaced, and gets x and the number of
    this try."""

    class Executed(list):
        does = staticmethod(lambda x, n_try: outcome(x))

    executed = Executed()
    lock = threading.Lock()

    def execute(content, parameters, source, timeout=None, stop=None):
        with lock:
            executed.append((content, parameters, source, timeout, stop))
            n_try = executed.xs().count(parameters["x"])
        return executed.does(parameters["x"], n_try)

    Executed.xs = lambda self: [one[1]["x"] for one in self]
    monkeypatch.setattr(sweep, "execute", execute)
    return executed


def swept(toy, out, sets=SETS, **options):
    return sweep.sweep(toy, sets, out, **{"progress": False, "jobs": 1, **options})


# ---------------------------------------------------------------- from the plan to the table


@pytest.mark.parametrize("where", ["disk", "store"])
def test_every_run_is_executed_once_and_its_rows_collected(toy, tmp_path, runs, where):
    out = tmp_path if where == "disk" else f"memory://{tmp_path.name}/out"
    found = swept(toy, out, jobs=2, timeout=5)
    planned = plan(toy, SETS)
    assert sorted(runs.xs()) == [1, 2, 3]
    for content, parameters, source, timeout, stop in runs:
        assert content == toy.read_bytes()
        assert parameters in [run.parameters for run in planned]
        assert (source, timeout, stop.is_set()) == (planned[0].source, 5, True)
    assert [about["key"] for about in found] == [run.key for run in planned]
    assert [about["parameters"]["x"] for about in found] == [1, 2, 3]
    for about, run in zip(found, planned, strict=True):
        assert (about["source"], about["notebook"]) == (run.source, run.notebook)

    table = read_sweep(out)
    assert list(table["key"]) == sorted(2 * [run.key for run in planned])
    table = table.sort_values(["parameter_x", "fold"], ignore_index=True)
    assert list(table["parameter_x"]) == [1, 1, 2, 2, 3, 3]
    assert list(table["value"]) == [10, 11, 20, 21, 30, 31]
    assert list(table["duration"]) == [2, 2, 4, 4, 6, 6]
    assert list(table["peak_memory_mb"]) == [81, 81, 82, 82, 83, 83]
    assert list(table["key"]) == [run.key for run in planned for _ in range(2)]
    assert set(table["parameter_layers"]) == {"[5, 2]"}
    assert set(table["source"]) == {planned[0].source}
    assert set(table.columns) == {"fold", "value", "parameter_x", "parameter_layers", *OWN}


def test_another_kind_of_store_gives_the_same_table(toy, tmp_path, runs):
    address = f"memory://{tmp_path.name}/same"
    for out in (tmp_path, address):
        swept(toy, out, jobs=2)
    pd.testing.assert_frame_equal(read_sweep(address), read_sweep(tmp_path), check_exact=True)
    pd.testing.assert_frame_equal(state(address), state(tmp_path), check_exact=True)


def test_a_run_that_cannot_be_written_does_not_stop_the_others(toy, tmp_path, runs):
    first, *_ = plan(toy, SETS)
    (tmp_path / "runs" / f"{first.key}.parquet").mkdir(parents=True)
    found = swept(toy, tmp_path)
    assert [about["status"] for about in found] == ["failed", "done", "done"]
    assert "its results could not be written: " in found[0]["error"]
    assert not (tmp_path / "runs" / f"{first.key}.json").exists()


def test_again_only_what_is_missing_or_failed_is_run(toy, tmp_path, runs):
    runs.does = lambda x, n_try: failure("no") if x == 2 else outcome(x)
    assert [about["status"] for about in swept(toy, tmp_path)] == ["done", "failed", "done"]
    assert runs.xs() == [1, 2, 3]
    runs.clear()
    found = swept(toy, tmp_path, [{"x": x} for x in (4, 3, 2, 1)])
    assert runs.xs() == [4, 2]
    assert [about["parameters"]["x"] for about in found] == [4, 3, 2, 1]
    assert [about["status"] for about in found] == ["done", "done", "failed", "done"]
    runs.clear()
    runs.does = lambda x, n_try: outcome(x)
    assert [about["status"] for about in swept(toy, tmp_path)] == ["done"] * 3
    assert runs.xs() == [2]
    swept(toy, tmp_path)
    assert runs.xs() == [2]
    assert sorted(read_sweep(tmp_path)["parameter_x"].unique()) == [1, 2, 3, 4]


def test_an_edited_notebook_is_run_anew_and_what_is_edited_meanwhile_is_not(tmp_path, runs):
    path = tmp_path / "a.ipynb"

    def write(code):
        cell = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
        nbformat.write(new_notebook(cells=[cell, new_code_cell(code)]), path)
        return path.read_bytes()

    first, second = write("1"), write("2")
    path.write_bytes(first)

    def does(x, n_try):
        path.write_bytes(second)
        return outcome(x)

    runs.does = does
    swept(path, tmp_path / "out")
    swept(path, tmp_path / "out")
    assert [one[0] for one in runs] == [first] * 3 + [second] * 3
    assert len(sweep._Store(tmp_path / "out").outcomes()) == 6


def test_progress_counts_what_was_there_and_what_came(toy, tmp_path, runs, monkeypatch):
    bars = []

    class Bar:
        def __init__(self, **options):
            self.options, self.steps = options, 0
            bars.append(self)

        def update(self):
            self.steps += 1

        __enter__ = lambda self: self  # noqa: E731
        __exit__ = lambda self, *_: None  # noqa: E731

    monkeypatch.setattr(sweep, "tqdm", Bar)
    monkeypatch.setattr(sweep, "no_bars", lambda: False)
    swept(toy, tmp_path, SETS[:1])
    swept(toy, tmp_path, progress=True)
    monkeypatch.setattr(sweep, "no_bars", lambda: True)
    swept(toy, tmp_path, progress=True)
    assert [bar.options for bar in bars] == [
        {"total": 1, "initial": 0, "disable": True},
        {"total": 3, "initial": 1, "disable": None},  # None draws on a terminal alone
        {"total": 3, "initial": 3, "disable": True},
    ]
    assert [bar.steps for bar in bars] == [1, 2, 0]


def test_only_a_store_without_locks_is_swept_in_an_order_of_its_own(
    toy, tmp_path, runs, monkeypatch
):
    monkeypatch.setattr(sweep.random, "shuffle", lambda todo: todo.reverse())
    swept(toy, tmp_path)
    swept(toy, f"memory://{tmp_path.name}/order")
    assert runs.xs() == [1, 2, 3, 3, 2, 1]


@pytest.mark.parametrize("jobs", [1, 2])
def test_so_many_runs_at_a_time_as_jobs_and_no_more(toy, tmp_path, runs, jobs):
    lock, together = threading.Barrier(jobs), []
    busy = []

    def does(x, n_try):
        busy.append(x)
        together.append(len(busy))
        lock.wait(120)
        time.sleep(0.02)  # for one more to come, were there room
        busy.remove(x)
        return outcome(x)

    runs.does = does
    swept(toy, tmp_path, [{"x": x} for x in range(4)], jobs=jobs)
    assert max(together) == jobs


# ---------------------------------------------------------------- tries


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_a_run_that_is_lost_is_tried_again_as_often_as_asked(toy, tmp_path, runs, retries):
    def does(x, n_try):
        if x == 1 or (x == 2 and n_try <= retries):
            raise RunLost(outcome(x, status="lost", error="killed"))
        return outcome(x)

    runs.does = does
    found = swept(toy, tmp_path, SETS, retries=retries)
    assert [about["status"] for about in found] == ["failed", "done", "done"]
    assert [runs.xs().count(x) for x in (1, 2, 3)] == [retries + 1, retries + 1, 1]
    assert found[0]["error"].startswith(f"killed ({retries + 1} tries; the system kills")
    assert (found[0]["duration"], found[0]["peak_memory_mb"]) == (2.0, 81.0)
    assert len(read_sweep(tmp_path)) == 4


def test_two_retries_are_the_usual_number(toy, tmp_path, runs):
    def does(x, n_try):
        raise RunLost(outcome(x, status="lost", error="killed"))

    runs.does = does
    sweep.sweep(toy, SETS[:1], tmp_path, progress=False)
    assert runs.xs() == [1, 1, 1]


def test_a_cell_that_fails_is_not_retried_and_a_start_that_fails_is_told(toy, tmp_path, runs):
    def does(x, n_try):
        if x == 2:
            raise OSError(28, "No space left on device")
        return failure(f"notebook.ipynb, cell 2: {x}")

    runs.does = does
    found = swept(toy, tmp_path)
    assert runs.xs() == [1, 2, 3]
    assert [about["error"] for about in found] == [
        "toy.ipynb, cell 2: 1",
        "it could not be started: [Errno 28] No space left on device",
        "toy.ipynb, cell 2: 3",
    ]
    with pytest.raises(GridError, match="holds no finished run"):
        read_sweep(tmp_path)


def test_a_sweep_that_is_stopped_publishes_nothing_of_what_it_ended(toy, tmp_path):
    (run,), store = plan(toy, SETS[:1]), sweep._Store(tmp_path)
    store.check_writable()
    job, stop = sweep._Job(store, {}, b"", None, 2), threading.Event()
    tries = []

    def execute(*arguments):
        tries.append(arguments)
        stop.set()
        raise RunLost(outcome(status="lost"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "execute", execute)
        assert sweep._tried(run, job, stop) is None
    assert len(tries) == 1 and store.outcomes() == {}


# ---------------------------------------------------------------- two sweeps in one folder


def test_a_run_is_held_by_one_and_let_go(toy, tmp_path):
    first, second, _ = plan(toy, SETS)
    one, two = sweep._Store(tmp_path), sweep._Store(tmp_path)
    one.check_writable()
    held = one.claim(first)
    assert two.claim(first) is None and one.claim(first) is None
    with two.claim(second):
        now = one.running()
        assert set(now) == {first.key, second.key}
        assert now[second.key][:2] == (second.notebook, second.parameters)
    assert set(one.running()) == {first.key}
    held.close()
    assert one.running() == {}
    two.claim(first).close()
    Path(one.path(f".{first.key}", "lock")).write_text("x" * 1000)
    with one.claim(first):  # what a lock said before is gone
        assert two.running()[first.key][:2] == (first.notebook, first.parameters)


def test_the_runs_of_a_killed_sweep_are_free(toy, tmp_path):
    (run,), store = plan(toy, SETS[:1]), sweep._Store(tmp_path)
    store.check_writable()
    path = store.path(f".{run.key}", "lock")
    code = f"import fcntl; f = open({path!r}, 'a'); fcntl.flock(f, fcntl.LOCK_EX)\n"
    code += "print('held', flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    owner = subprocess.Popen([sys.executable, "-c", code], **pipes)
    owner.stdout.readline()
    assert store.claim(run) is None and set(store.running()) == {run.key}
    owner.kill()
    owner.communicate()
    assert store.running() == {}
    with store.claim(run) as held:
        assert held is not None and set(store.running()) == {run.key}


def test_a_store_without_locks_lets_every_sweep_run(toy, tmp_path):
    (run,), store = plan(toy, SETS[:1]), sweep._Store(f"memory://{tmp_path.name}/locks")
    with store.claim(run), store.claim(run) as second:
        assert second is not None
    assert store.running() == {} and store.names() == set()


def test_a_run_is_held_while_it_runs_and_free_after_however_it_ends(toy, tmp_path, runs):
    store = sweep._Store(tmp_path)
    planned, seen = {run.parameters["x"]: run for run in plan(toy, SETS)}, []

    def does(x, n_try):
        seen.append((store.claim(planned[x]), set(store.running())))
        return failure("no") if x == 1 else outcome(x)

    runs.does = does
    swept(toy, tmp_path)
    assert seen == [(None, {planned[x].key}) for x in (1, 2, 3)]
    assert store.running() == {}


@pytest.mark.parametrize("ends", ["done", "failed", "gives up"])
def test_what_another_sweep_is_at_comes_last_and_is_run_only_if_it_gives_up(
    toy, tmp_path, runs, ends, monkeypatch
):
    monkeypatch.setattr(sweep, "PATIENCE", 0.01)
    first, *_ = plan(toy, SETS)
    other = sweep._Store(tmp_path)
    other.check_writable()
    held = other.claim(first)

    def does(x, n_try):
        if x == 3:  # the last that is free: now the other one ends
            if ends != "gives up":
                other.publish(first, {**outcome(7), "status": ends})
            held.close()
        return outcome(x)

    runs.does = does
    found = swept(toy, tmp_path)
    assert runs.xs() == [2, 3] + [1] * (ends == "gives up")
    assert [about["status"] for about in found] == ["failed" if ends == "failed" else "done"] + [
        "done",
        "done",
    ]
    assert found[0]["duration"] == (2.0 if ends == "gives up" else 14.0)


def test_a_store_that_does_not_answer_has_no_news(toy, tmp_path):
    (run,), store = plan(toy, SETS[:1]), sweep._Store(tmp_path)
    store.check_writable()
    job = sweep._Job(store, {}, b"", None, 2)
    assert job.news(run) is None
    about = store.publish(run, outcome())
    assert job.news(run) == about
    assert job._replace(before={run.key: about}).news(run) is None
    assert job._replace(before={run.key: {**about, "status": "failed"}}).news(run) == about
    broken = SimpleNamespace(outcome=lambda key: 1 / 0)
    assert job._replace(store=broken).news(run) is None


# ---------------------------------------------------------------- files


def test_a_file_is_replaced_in_one_step_by_what_is_safe_on_the_disk(tmp_path, monkeypatch):
    store, steps = sweep._Store(tmp_path), []
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    usual_sync, usual = os.fsync, os.replace

    def sync(number):
        steps.append(("sync", os.path.getsize(f"{path}.partial"), path.read_bytes()))
        usual_sync(number)

    def replace(source, target):
        steps.append(("replace", Path(source).read_bytes(), Path(target).read_bytes()))
        usual(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", replace)
    Path(f"{path}.partial").write_bytes(b"what a killed sweep left, and longer")
    store.write(str(path), b"new!")
    assert steps == [("sync", 4, b"old"), ("replace", b"new!", b"old")]
    assert path.read_bytes() == b"new!"

    def full(*_):
        raise OSError(28, "No space left on device")

    for step in ("replace", "fsync"):
        monkeypatch.setattr(os, step, full)
        with pytest.raises(OSError, match="No space"):
            store.write(str(path), b"newer")
        assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
        assert path.read_bytes() == b"new!"


@pytest.mark.parametrize("status", ["done", "failed"])
def test_a_runs_verdict_is_written_last_and_only_after_all_else(toy, tmp_path, status):
    (run,) = plan(toy, SETS[:1])
    suffixes = ["ipynb", "parquet", "json"] if status == "done" else ["ipynb", "json"]
    for broken in [None, *suffixes]:
        store, written = sweep._Store(tmp_path / str(broken)), []
        store.check_writable()
        usual = store.write

        def write(path, content, usual=usual, written=written, broken=broken):
            written.append(path.rpartition(".")[2])
            if written[-1] == broken:
                raise OSError("full")
            usual(path, content)

        store.write = write
        about = store.publish(run, outcome(status=status))
        assert written == suffixes[: len(suffixes) if broken is None else written.index(broken) + 1]
        if broken is None:
            assert about["status"] == status and store.outcome(run.key) == about
            assert json.loads(store.fs.cat_file(store.path(run.key, "json"))) == about
        else:
            assert about["status"] == "failed"
            assert about["error"] == "its results could not be written: full"
            assert store.outcome(run.key) is None


def test_a_verdict_tells_all_of_a_run_and_names_its_notebook(toy, tmp_path):
    (run,), store = plan(toy, [{"x": 4}]), sweep._Store(tmp_path)
    store.check_writable()
    about = store.publish(run, failure("notebook.ipynb, cell 2: no", notebook=b"", duration=3.5))
    assert about == {
        "key": run.key, "parameters": {"x": 4, "layers": [5, 2]}, "notebook": run.notebook,
        "version": sweep.version("ehrgan"), "source": run.source, "status": "failed",
        "error": "toy.ipynb, cell 2: no", "duration": 3.5, "peak_memory_mb": 81.0,
    }  # fmt: skip
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [f"{run.key}.json"]


def test_scores_are_kept_row_by_row_beside_the_runs_circumstances():
    about = {"key": "k", "version": "v", "source": "s", "duration": 1.5, "peak_memory_mb": 2.5}
    parameters = {"a": 3, "b": [1, {"c": 2}], "d": {"e": None}, "f": "text"}
    wanted = {
        "parameter_a": 3, "parameter_b": '[1, {"c": 2}]', "parameter_d": '{"e": null}',
        "parameter_f": "text", **about,
    }  # fmt: skip
    whole = {**about, "parameters": parameters, "status": "done", "notebook": "n", "error": ""}
    kept = pd.read_parquet(io.BytesIO(sweep._tidy(outcome(2)["scores"], whole)))
    assert kept.to_dict("records") == [
        {"fold": fold, "value": 20.0 + fold, **wanted} for fold in (0, 1)
    ]
    none = pd.read_parquet(io.BytesIO(sweep._tidy(b"", whole)))
    assert none.to_dict("records") == [wanted]  # a run that records nothing still tells of itself


def test_what_counts_as_a_note_of_a_run(toy, tmp_path, runs):
    swept(toy, tmp_path)
    one, two, three = sorted(path.stem for path in (tmp_path / "runs").glob("*.json"))
    folder = tmp_path / "runs"
    for name in ("notes.json", "0123456789abc.json", "0123456789aG.json", "0123456789ab.txt"):
        (folder / name).write_text("{}")
    store = sweep._Store(tmp_path)
    assert set(store.outcomes()) == {one, two, three}
    (folder / f"{one}.ipynb").unlink()
    (folder / f"{two}.parquet").unlink()
    (folder / f"{two}.ipynb").unlink()
    found = store.outcomes()
    assert [(key, found[key]["status"], found[key]["error"]) for key in sorted(found)] == [
        (one, "failed", f"{one}.ipynb went missing"),
        (two, "failed", f"{two}.ipynb and {two}.parquet went missing"),
        (three, "done", ""),
    ]
    assert {key: store.outcome(key) for key in found} == found
    assert store.outcome("0" * 12) is None
    about = json.loads((folder / f"{three}.json").read_text())
    for damaged in ("[1]", "{"):
        (folder / f"{three}.json").write_text(damaged)
        assert "is damaged" in store.outcome(three)["error"]
    for name in sweep.NOTE:
        (folder / f"{three}.json").write_text(
            json.dumps({k: v for k, v in about.items() if k != name})
        )
        (row,) = state(tmp_path).query("key == @three").to_dict("records")
        assert row["status"] == "failed" and "is damaged" in row["error"]


def test_a_failed_run_needs_no_files(toy, tmp_path):
    (run,), store = plan(toy, SETS[:1]), sweep._Store(tmp_path)
    store.check_writable()
    store.publish(run, failure("no", notebook=b""))
    assert store.outcomes()[run.key]["error"] == store.outcome(run.key)["error"] == "no"


# ---------------------------------------------------------------- looking at a folder


def test_a_folder_tells_done_failed_running_and_stale_apart(
    toy, tmp_path, runs, capsys, monkeypatch
):
    runs.does = lambda x, n_try: failure(f"no {x}", duration=2.0 * x) if x > 3 else outcome(x)
    swept(toy, tmp_path, [{"x": x} for x in range(1, 6)])
    (stale,) = [path for path in (tmp_path / "runs").glob("*.json") if '"x": 1' in path.read_text()]
    stale.write_text(json.dumps({**json.loads(stale.read_text()), "source": "older"}))
    (tmp_path / "runs" / ("0" * 12 + ".json")).write_text("{")
    store, (run,) = sweep._Store(tmp_path), plan(toy, [{"x": 6}])
    with store.claim(run):
        os.utime(store.path(f".{run.key}", "lock"), (0, 900))
        monkeypatch.setattr(sweep.time, "time", lambda: 1000.0)
        table = state(tmp_path)
        assert cli.main(["sweep", "status", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert list(table.columns) == [
        "key", "status", "duration", "error", "parameters", "notebook", "version",
    ]  # fmt: skip
    told = {
        row.parameters.get("x"): (row.status, row.error)
        for row in table.itertuples()
        if row.key != "0" * 12
    }
    assert told == {
        1: ("stale", ""), 2: ("done", ""), 3: ("done", ""),
        4: ("failed", "no 4"), 5: ("failed", "no 5"), 6: ("running", ""),
    }  # fmt: skip
    lasted = {row.parameters.get("x"): row.duration for row in table.itertuples()}
    assert lasted[2] == 4.0 and lasted[5] == 10.0 and lasted[6] == 100.0
    (damaged,) = table[table["key"] == "0" * 12].to_dict("records")
    assert damaged["status"] == "failed" and math.isnan(damaged["duration"])
    assert "2 done, 3 failed, 1 running, 1 stale" in said
    lines = [line for line in said.splitlines() if line.startswith("failed ")]
    assert len(lines) == 3
    assert sum(bool(re.search(r"'x': 4.*: no 4$|'x': 5.*: no 5$", line)) for line in lines) == 2
    assert set(read_sweep(tmp_path, source=run.source)["parameter_x"]) == {2, 3}
    assert set(read_sweep(tmp_path, source="older")["parameter_x"]) == {1}


def test_a_damaged_note_is_not_stale_and_makes_no_second_source(toy, tmp_path, runs):
    swept(toy, tmp_path, SETS[:2])
    path = next((tmp_path / "runs").glob("*.json"))
    path.write_text("{")
    assert sorted(state(tmp_path)["status"]) == ["done", "failed"]
    assert len(read_sweep(tmp_path)) == 2


def test_results_of_a_choice_hold_every_run_of_it_and_no_other(toy, tmp_path, runs):
    swept(toy, tmp_path)
    paths = sorted((tmp_path / "runs").glob("*.json"))
    for path in paths[:2]:
        about = json.loads(path.read_text())
        path.write_text(json.dumps({**about, "notebook": "toy.ipynb@edited"}))
    edited = read_sweep(tmp_path, notebook="toy.ipynb@edited")
    assert sorted(edited["key"].unique()) == [path.stem for path in paths[:2]]
    left = json.loads(paths[2].read_text())["notebook"]
    assert set(read_sweep(tmp_path, notebook=left)["key"]) == {paths[2].stem}
    with pytest.raises(GridError, match="no finished run of source gone of notebook toy.ipynb@e"):
        read_sweep(tmp_path, source="gone", notebook="toy.ipynb@edited")


def test_a_preview_lists_what_is_left_and_how_long_it_may_take(toy, tmp_path, runs, capsys):
    grid, out = tmp_path / "g.yml", tmp_path / "out"
    grid.write_text(yaml.safe_dump({"product": {"x": [1, 2, 3, 4, 5, 6]}}))
    runs.does = lambda x, n_try: outcome(x, duration={1: 60.0, 2: 600.0, 3: 60.0}[x])
    swept(toy, out)
    arguments = ["sweep", str(toy), str(grid), "--out", str(out), "--jobs", "2", "--dry-run"]
    assert cli.main(arguments) == 0
    *left, count, time = capsys.readouterr().out.splitlines()
    keys = [run.key for run in plan(toy, [{"x": x} for x in (4, 5, 6)])]
    assert [line.split()[0] for line in left] == keys
    assert count == "3 of 6 runs to do"
    assert time.startswith("about 2.0 min with 2 at a time")  # three runs, two at a time, a minute
    assert runs.xs() == [1, 2, 3]


def test_the_command_names_each_failure_and_counts_what_is_done(toy, tmp_path, runs, capsys):
    grid, out = tmp_path / "g.yml", tmp_path / "out"
    grid.write_text(yaml.safe_dump({"product": {"x": [1, 2, 3]}}))
    runs.does = lambda x, n_try: outcome(x) if x == 1 else failure(f"no {x}")
    arguments = ["sweep", str(toy), str(grid), "--out", str(out), "--jobs", "1", "--timeout", "9"]
    assert cli.main(arguments) == 1
    said = capsys.readouterr()
    assert f"1 of 3 runs done, results in {out}" in said.out
    assert re.findall(r"^failed \w{12} {'x': (\d).*: no (\d)$", said.err, re.M) == [
        ("2", "2"), ("3", "3"),
    ]  # fmt: skip
    assert {one[3] for one in runs} == {9.0}
    runs.does = lambda x, n_try: outcome(x)
    assert cli.main(arguments) == 0
    assert "3 of 3 runs done" in capsys.readouterr().out and runs.xs() == [1, 2, 3, 2, 3]


# ---------------------------------------------------------------- one run


@pytest.fixture
def one_run(monkeypatch):
    """Make ``execute`` see certain sources and outcomes; gives what it started."""
    started = []

    def prepare(sources, found=None, in_time=True):
        left = iter(sources)
        monkeypatch.setattr(sweep, "source_fingerprint", lambda: next(left))
        monkeypatch.setattr(sweep, "_start", lambda *given: started.append(given) or "worker")
        monkeypatch.setattr(sweep, "_wait", lambda *given: started.append(given) or in_time)
        monkeypatch.setattr(sweep, "_collected", lambda folder: found or outcome())
        return started

    return prepare


@pytest.mark.parametrize(
    ("sources", "status", "n_started"),
    [(["s", "s"], "done", 2), (["other"], "failed", 0), (["s", "other"], "failed", 2)],
)
def test_a_library_edited_before_or_during_a_run_spoils_it(one_run, sources, status, n_started):
    started = one_run(sources)
    found = sweep.execute(b"nb", {"x": 1}, "s", 7, "stop")
    assert found["status"] == status and len(started) == n_started
    assert (status == "failed") == ("must not be edited while a sweep runs" in found["error"])
    assert (status == "failed") == (found["scores"] == b"")
    if started:
        (folder, content, parameters), waited = started
        assert (content, parameters) == (b"nb", {"x": 1})
        assert waited == ("worker", 7, "stop")
        assert not folder.exists()  # nothing is left behind


def test_a_run_out_of_time_has_failed_even_if_it_was_lost(one_run):
    for status in ("lost", "done"):
        one_run(["s", "s"], outcome(status=status, error="x", duration=-1.0), in_time=False)
        found = sweep.execute(b"", {}, "s", 2.5)
        assert (found["status"], found["error"]) == ("failed", "took longer than 2.5 s")
        assert found["duration"] >= 0 and found["notebook"] == b"{}"
    one_run(["s"], outcome(status="lost", error="x", duration=-1.0))
    with pytest.raises(RunLost) as lost:
        sweep.execute(b"", {}, "s")
    (told,) = lost.value.args
    assert told["error"] == "x" and told["duration"] >= 0


def test_a_run_gets_a_folder_one_thread_and_a_place_for_its_scores(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.setenv("TOY", "kept")
    monkeypatch.setattr(sweep.subprocess, "Popen", lambda *a, **k: SimpleNamespace(given=(a, k)))
    (command,), options = sweep._start(tmp_path, b"nb", {"x": [1]}).given
    assert command == [sys.executable, "-m", "ehrgan.worker", str(tmp_path)]
    assert (tmp_path / "notebook.ipynb").read_bytes() == b"nb"
    assert json.loads((tmp_path / "parameters.json").read_text()) == {"x": [1]}
    environment = options["env"]
    assert {environment[name] for name in sweep.ONE_THREAD} == {"1"}
    assert environment[RECORD] == str(tmp_path / "scores.parquet")
    assert environment["TOY"] == "kept" and environment.items() >= QUIET_KERNEL.items()
    assert options["cwd"] == tmp_path and options["stdin"] == subprocess.PIPE
    assert options["start_new_session"] is True
    assert options["stderr"].name == str(tmp_path / "stderr.txt")


@pytest.mark.parametrize("ends", ["alone", "late", "stopped"])
def test_a_worker_is_waited_for_and_ended_when_late_or_stopped(ends):
    code = "import sys; sys.stdin.read(1)" if ends != "alone" else ""
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    stop = threading.Event()
    if ends == "stopped":
        stop.set()
    timeout = {"alone": 60, "late": 0.05, "stopped": None}[ends]
    assert sweep._wait(process, timeout, stop) is (ends != "late")
    assert process.returncode == (0 if ends == "alone" else -9)
    assert process.stdin.closed


def test_a_process_is_ended_with_its_children():
    code = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True); "
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    parent = subprocess.Popen([sys.executable, "-c", code + "sys.stdin.read()"], **pipes)
    child = psutil.Process(int(parent.stdout.readline()))
    worker.end_family(parent.pid)
    parent.communicate()
    assert parent.returncode == -9
    _, alive = psutil.wait_procs([child], timeout=10)
    assert not alive
    worker.end_family(parent.pid)  # gone already


def test_what_a_run_leaves_is_collected_whole(tmp_path):
    files = {"executed.ipynb": b'{"a": 1}', "scores.parquet": b"scores", "stderr.txt": b"x\nlast\n"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    said = {"status": "failed", "error": "e", "duration": 2.0, "peak_memory_mb": 3.0}
    (tmp_path / "outcome.json").write_text(json.dumps(said))
    whole = {"notebook": b'{"a": 1}', "scores": b"scores"}
    assert sweep._collected(tmp_path) == {**said, **whole}
    (tmp_path / "executed.ipynb").write_bytes(b'{"a"')  # killed while it wrote
    assert sweep._collected(tmp_path)["notebook"] == b""
    (tmp_path / "outcome.json").write_text("{")
    found = sweep._collected(tmp_path)
    assert (found["status"], found["error"]) == ("lost", "its process ended early: last")
    (tmp_path / "stderr.txt").write_text("\n")
    (tmp_path / "outcome.json").unlink()
    found = sweep._collected(tmp_path)
    assert (found["status"], found["error"]) == ("lost", "its process was killed")


def test_a_worker_says_how_its_notebook_went(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "_end_with_parent", lambda folder: None)
    (tmp_path / "parameters.json").write_text('{"x": 3}')
    ran = []

    def run(source, target, parameters, progress):
        ran.append((source, target, parameters, progress))

    def fail(*_, **__):
        raise NotebookError(f"{tmp_path}/notebook.ipynb, cell 2: E: m\n\ntraceback")

    def die(*_, **__):
        try:
            raise DeadKernelError("died")
        except DeadKernelError:
            raise NotebookError("died") from None

    for does, status, error in (
        (run, "done", ""),
        (fail, "failed", "notebook.ipynb, cell 2: E: m"),
        (die, "lost", "died"),
    ):
        monkeypatch.setattr(worker, "run_notebook", does)
        worker.work(tmp_path)
        found = json.loads((tmp_path / "outcome.json").read_text())
        assert (found["status"], found["error"]) == (status, error)
        assert found["duration"] >= 0 and found["peak_memory_mb"] >= 0
    assert ran == [(tmp_path / "notebook.ipynb", tmp_path / "executed.ipynb", {"x": 3}, False)]


# ---------------------------------------------------------------- what a notebook hands over


def test_tables_are_stacked_in_the_order_of_their_recording(tmp_path, monkeypatch):
    monkeypatch.setenv(RECORD, str(tmp_path / "scores.parquet"))
    for start in (0, 5, 7):
        record(pd.DataFrame({"a": [start, start + 1]}, index=[3, 9]))
    kept = pd.read_parquet(tmp_path / "scores.parquet")
    assert kept.to_dict("list") == {"a": [0, 1, 5, 6, 7, 8]} and list(kept.index) == list(range(6))
    monkeypatch.delenv(RECORD)
    record(pd.DataFrame({"a": [1]}))
    assert len(pd.read_parquet(tmp_path / "scores.parquet")) == 6


@pytest.mark.parametrize("name", [*OWN, "parameter_", "parameter_x"])
def test_no_column_of_the_sweeps_own_is_taken(name, tmp_path, monkeypatch):
    monkeypatch.setenv(RECORD, str(tmp_path / "scores.parquet"))
    with pytest.raises(ValueError, match=f"table has a column '{name}', which the sweep adds"):
        record(pd.DataFrame({"a": [1], name: [1]}))
    record(pd.DataFrame({f"my_{name}": [1], name.upper(): [2], 3: [4]}).rename(columns=str))
    assert len(pd.read_parquet(tmp_path / "scores.parquet")) == 1


# ---------------------------------------------------------------- a cluster


class Cluster:
    """A client whose runs end at once, the last one first."""

    loop = None

    def __init__(self, results):
        self.results, self.submitted = results, []

    def submit(self, function, *arguments, **options):
        self.submitted.append((function, arguments, options))
        future = Future()
        result = self.results.get(arguments[1]["x"], outcome(arguments[1]["x"]))
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
        return future


def test_a_cluster_gets_every_run_and_its_answers_find_their_run(toy, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(distributed, "as_completed", lambda futures, loop: reversed(futures))
    monkeypatch.setattr(sweep, "PATIENCE", 0.01)
    lost = RunLost(outcome(2, status="lost", error="killed"))
    cluster = Cluster({2: lost, 3: ValueError("no\n  worker"), 5: failure("cell 2")})
    runs, store = plan(toy, [{"x": x} for x in range(1, 7)]), sweep._Store(tmp_path)
    store.check_writable()
    elsewhere = store.claim(runs[5])
    before = {runs[3].key: {"status": "failed"}}
    store.publish(runs[3], outcome(4))  # done by another since
    job = sweep._Job(store, before, b"nb", 7, 3)
    ending = sweep._on_cluster(cluster, {"GPU": 1}, runs, job)
    found = []
    for about in ending:
        found.append(about)
        if len(found) == 5:
            elsewhere.close()
    assert [about["parameters"]["x"] for about in found] == [4, 5, 3, 2, 1, 6]
    told = {about["parameters"]["x"]: (about["status"], about["error"]) for about in found}
    assert told[1] == told[4] == told[6] == ("done", "")
    assert told[2][0] == "failed" and told[2][1].startswith("killed (4 tries; ")
    assert told[3] == ("failed", "the cluster did not run it: ValueError: no worker")
    assert told[5] == ("failed", "cell 2")
    assert len(cluster.submitted) == 5 and store.running() == {}
    by_key = {run.key: run for run in runs}
    for function, arguments, options in cluster.submitted:
        run = by_key[options["key"].removeprefix("ehrgan-")]
        assert function is sweep.execute
        assert arguments == (b"nb", run.parameters, run.source, 7)
        assert options == {
            "key": f"ehrgan-{run.key}", "retries": 3, "resources": {"GPU": 1}, "pure": False,
        }  # fmt: skip
