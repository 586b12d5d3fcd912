"""What a sweep does with its runs, tested without kernels: a stand-in takes the place of a run."""

import json
import math
import re
import threading
import time
from concurrent.futures import Future
from types import SimpleNamespace

import joblib
import nbformat
import pandas as pd
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook
from standin import PARAMETERS, SETS, failure, outcome, swept

from ehrgan import cli
from ehrgan.sweeps import claims
from ehrgan.sweeps import store as stores
from ehrgan.sweeps import sweep as sweeps
from ehrgan.sweeps.execute import RunLost
from ehrgan.sweeps.grid import GridError
from ehrgan.sweeps.handover import OWN
from ehrgan.sweeps.plan import plan
from ehrgan.sweeps.sweep import check_options, read_sweep, state


def test_options_at_the_edge_of_sense():
    check_options(jobs=1, timeout=0.1, shard=(3, 3))
    check_options(scheduler="tcp://a:1", resources={"GPU": 0.5}, timeout=1)
    for wrong, words in (
        ({"jobs": 0}, "at least 1"),
        ({"jobs": 1, "scheduler": "tcp://a:1"}, "jobs is for this machine"),
        ({"resources": {"GPU": 1}}, "need a scheduler"),
        ({"resources": {"GPU": 0}, "scheduler": "tcp://a:1"}, "above 0, got GPU=0"),
        ({"resources": {"a": 1, "b": float("inf")}, "scheduler": "s"}, "above 0, got b=inf"),
        ({"timeout": float("inf")}, "got inf"),
        ({"timeout": -1.0}, "got -1"),
        ({"shard": (0, 3)}, "from 1/n to n/n, such as 2/3, got 0/3"),
        ({"shard": (4, 3)}, "got 4/3"),
    ):
        with pytest.raises(GridError, match=words):
            check_options(**wrong)


@pytest.mark.parametrize(
    ("cores", "gigabytes", "wanted"), [(8, 3.1, 2), (2, 64, 2), (8, 0.5, 1), (1, 64, 1)]
)
def test_a_machine_takes_as_many_runs_as_its_cores_and_its_free_memory(
    monkeypatch, cores, gigabytes, wanted
):
    memory = SimpleNamespace(available=gigabytes * 1e9, total=1e12)
    monkeypatch.setattr(sweeps.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(joblib, "cpu_count", lambda: cores)
    assert sweeps.n_places() == wanted
    assert sweeps.n_places(5) == 5


class Client:
    """A client of a cluster whose workers offer something."""

    workers = {}
    opened = []

    def __init__(self, address, **options):
        self.address, self.closed = address, False
        self.opened.append(self)

    def scheduler_info(self):
        return {"workers": {name: {"resources": has} for name, has in self.workers.items()}}

    def nthreads(self):
        return {name: number for number, name in enumerate(self.workers, 2)}

    def close(self):
        self.closed = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@pytest.fixture
def client(monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(distributed, "Client", Client)
    monkeypatch.setattr(Client, "workers", {})
    monkeypatch.setattr(Client, "opened", [])
    return Client


def test_one_worker_must_offer_all_that_a_run_takes(client):
    wanted = {"GPU": 1, "slot": 2}
    sweeps.connect("a", wanted)  # workers may still come
    client.workers = {"one": {"GPU": 1, "slot": 1}, "two": {"slot": 2}}
    with pytest.raises(GridError, match="no worker of a offers GPU=1, slot=2"):
        sweeps.connect("a", wanted)
    assert [one.closed for one in client.opened] == [False, True]
    client.workers = {"one": {}, "two": {"GPU": 1, "slot": 2}}
    assert sweeps.connect("a", wanted).address == "a"
    assert sweeps.connect("a").address == "a"
    assert not client.opened[-1].closed


def test_a_cluster_takes_as_many_runs_as_all_its_workers_threads(client):
    assert sweeps.n_places(scheduler="a") == 1
    client.workers = {"one": {}, "two": {}}
    assert sweeps.n_places(scheduler="a") == 2 + 3
    assert all(one.closed for one in client.opened)


@pytest.mark.parametrize("where", ["disk", "store"])
def test_every_run_is_executed_once_and_its_rows_collected(toy, tmp_path, runs, where):
    out = tmp_path if where == "disk" else f"memory://{tmp_path.name}/out"
    found = swept(toy, out, jobs=2, timeout=5)
    planned = plan(toy, SETS)
    assert sorted(runs.xs()) == [1, 2, 3]
    for content, parameters, source, workdir, timeout, stop in runs:
        assert content == toy.read_bytes()
        assert parameters in [run.parameters for run in planned]
        assert (source, timeout, stop.is_set()) == (planned[0].source, 5, True)
        assert workdir == str(toy.parent)
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
    assert len(stores.Store(tmp_path / "out").outcomes()) == 6


def test_a_notebook_edited_while_a_sweep_begins_does_not_run_under_other_keys(
    tmp_path, runs, monkeypatch
):
    path, planned = tmp_path / "a.ipynb", []

    def write(code):
        cell = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
        nbformat.write(new_notebook(cells=[cell, new_code_cell(code)]), path)
        return path.read_bytes()

    def edited_and_planned(*arguments):
        write("2")
        planned.extend(plan(*arguments))
        return planned

    first = write("1")
    keys = [run.key for run in plan(path, SETS)]
    monkeypatch.setattr(sweeps, "plan", edited_and_planned)
    found = swept(path, tmp_path / "out")
    assert [about["key"] for about in found] == keys == [run.key for run in planned]
    assert [one[0] for one in runs] == [first] * 3
    with pytest.raises(GridError, match="the notebook .*gone.ipynb cannot be read: .*No such file"):
        swept(tmp_path / "gone.ipynb", tmp_path / "out")


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

    monkeypatch.setattr(sweeps, "tqdm", Bar)
    monkeypatch.setattr(sweeps, "no_bars", lambda: False)
    swept(toy, tmp_path, SETS[:1])
    swept(toy, tmp_path, progress=True)
    monkeypatch.setattr(sweeps, "no_bars", lambda: True)
    swept(toy, tmp_path, progress=True)
    assert [bar.options for bar in bars] == [
        {"total": 1, "initial": 0, "disable": True},
        {"total": 3, "initial": 1, "disable": None},  # None draws on a terminal alone
        {"total": 3, "initial": 3, "disable": True},
    ]
    assert [bar.steps for bar in bars] == [1, 2, 0]


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
    sweeps.sweep(toy, SETS[:1], tmp_path, progress=False)
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
    (run,), store = plan(toy, SETS[:1]), stores.Store(tmp_path)
    store.check_writable()
    job, stop = sweeps._Job(store, {}, b"", None, None, 2), threading.Event()
    tries = []

    def ending(*arguments):
        tries.append(arguments)
        stop.set()
        raise RunLost(outcome(status="lost"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeps, "execute", ending)
        assert sweeps._tried(run, job, stop) is None
    assert len(tries) == 1 and store.outcomes() == {}


def test_a_run_is_held_while_it_runs_and_free_after_however_it_ends(toy, tmp_path, runs):
    store = stores.Store(tmp_path)
    planned, seen = {run.parameters["x"]: run for run in plan(toy, SETS)}, []

    def does(x, n_try):
        seen.append((store.claim(planned[x]), set(store.held())))
        return failure("no") if x == 1 else outcome(x)

    runs.does = does
    swept(toy, tmp_path)
    assert seen == [(None, {planned[x].key}) for x in (1, 2, 3)]
    assert store.held() == {}


@pytest.mark.parametrize("ends", ["done", "failed", "gives up"])
def test_what_another_sweep_is_at_comes_last_and_is_run_only_if_it_gives_up(
    toy, tmp_path, runs, ends, monkeypatch
):
    monkeypatch.setattr(claims.DiskClaims, "patience", 0.01)
    first, *_ = plan(toy, SETS)
    other = stores.Store(tmp_path)
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
    (run,), store = plan(toy, SETS[:1]), stores.Store(tmp_path)
    store.check_writable()
    job = sweeps._Job(store, {}, b"", None, None, 2)
    assert job.news(run) is None
    about = store.publish(run, outcome())
    assert job.news(run) == about
    assert job._replace(before={run.key: about}).news(run) is None
    assert job._replace(before={run.key: {**about, "status": "failed"}}).news(run) == about
    broken = SimpleNamespace(outcome=lambda key: 1 / 0)
    assert job._replace(store=broken).news(run) is None


def test_a_folder_tells_done_failed_running_and_stale_apart(
    toy, tmp_path, runs, capsys, monkeypatch
):
    runs.does = lambda x, n_try: failure(f"no {x}", duration=2.0 * x) if x > 3 else outcome(x)
    swept(toy, tmp_path, [{"x": x} for x in range(1, 6)])
    (stale,) = [path for path in (tmp_path / "runs").glob("*.json") if '"x": 1' in path.read_text()]
    stale.write_text(json.dumps({**json.loads(stale.read_text()), "source": "older"}))
    (tmp_path / "runs" / ("0" * 12 + ".json")).write_text("{")
    store, (run,) = stores.Store(tmp_path), plan(toy, [{"x": 6}])
    with store.claim(run) as claim:
        claim.tell(since=900.0)
        monkeypatch.setattr(sweeps.time, "time", lambda: 1000.0)
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
    assert {one[4] for one in runs} == {9.0}
    runs.does = lambda x, n_try: outcome(x)
    assert cli.main(arguments) == 0
    assert "3 of 3 runs done" in capsys.readouterr().out and runs.xs() == [1, 2, 3, 2, 3]


class Cluster:
    """A client whose runs end at once, the last one first."""

    loop = None

    def __init__(self, results):
        self.results, self.submitted = results, []

    def subscribe_topic(self, topic, handler):
        self.tell = handler

    def submit(self, function, *arguments, **options):
        self.submitted.append((function, arguments, options))
        future = Future()
        result = self.results.get(arguments[2]["x"], outcome(arguments[2]["x"]))
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
        return future


def test_a_cluster_gets_every_run_and_its_answers_find_their_run(toy, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(distributed, "as_completed", lambda futures, loop: reversed(futures))
    monkeypatch.setattr(claims.DiskClaims, "patience", 0.01)
    lost = RunLost(outcome(2, status="lost", error="killed"))
    cluster = Cluster({2: lost, 3: ValueError("no\n  worker"), 5: failure("cell 2")})
    runs, store = plan(toy, [{"x": x} for x in range(1, 7)]), stores.Store(tmp_path)
    store.check_writable()
    elsewhere = store.claim(runs[5])
    before = {runs[3].key: {"status": "failed"}}
    store.publish(runs[3], outcome(4))  # done by another since
    job = sweeps._Job(store, before, b"nb", "/work", 7, 3)
    ending = sweeps._on_cluster(cluster, {"GPU": 1}, runs, job)
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
    assert len(cluster.submitted) == 5 and store.held() == {}
    by_key = {run.key: run for run in runs}
    for function, arguments, options in cluster.submitted:
        run = by_key[options["key"].removeprefix("ehrgan-")]
        assert function is sweeps._execute_there
        assert arguments == (run.key, b"nb", run.parameters, run.source, "/work", 7)
        assert options == {
            "key": f"ehrgan-{run.key}", "retries": 3, "resources": {"GPU": 1}, "pure": False,
        }  # fmt: skip


def test_a_run_in_a_clusters_queue_is_told_from_one_that_has_begun(toy, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    seen = []

    def look(futures, loop):
        seen.append(dict(state(tmp_path).groupby("status").size()))
        cluster.tell((0.0, runs[1].key))
        cluster.tell((0.0, "of another sweep"))
        seen.append(dict(state(tmp_path).groupby("status").size()))
        return futures

    monkeypatch.setattr(distributed, "as_completed", look)
    cluster, runs, store = Cluster({}), plan(toy, SETS), stores.Store(tmp_path)
    store.check_writable()
    list(sweeps._on_cluster(cluster, None, runs, sweeps._Job(store, {}, b"nb", None, None, 2)))
    assert seen[:2] == [{"queued": 3}, {"queued": 2, "running": 1}]


def test_a_worker_of_a_cluster_tells_which_run_it_begins(monkeypatch):
    distributed, told = pytest.importorskip("distributed"), []
    worker = SimpleNamespace(log_event=lambda *event: told.append(event))
    monkeypatch.setattr(distributed, "get_worker", lambda: worker)
    monkeypatch.setattr(sweeps, "execute", lambda *given: told.append(given) or "outcome")
    assert sweeps._execute_there("k", b"nb", {"x": 1}) == "outcome"
    assert told == [(sweeps.BEGAN, "k"), (b"nb", {"x": 1})]


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_shards_do_every_run_and_none_twice(toy, tmp_path, runs, n, capsys):
    whole, shards = tmp_path / "whole", tmp_path / "shards"
    sets = [{"x": x} for x in range(1, 5)]
    wanted = swept(toy, whole, sets)
    runs.clear()
    found = [swept(toy, shards, sets, shard=(i + 1, n)) for i in range(n)]
    assert sorted(runs.xs()) == [1, 2, 3, 4]
    assert max(map(len, found)) - min(map(len, found)) <= 1
    assert sorted(sum(found, []), key=str) == sorted(wanted, key=str)
    pd.testing.assert_frame_equal(read_sweep(shards), read_sweep(whole), check_exact=True)


def test_the_command_does_and_previews_its_share_alone(toy, tmp_path, runs, capsys):
    grid, out = tmp_path / "g.yml", tmp_path / "out"
    grid.write_text(yaml.safe_dump({"product": {"x": [1, 2, 3]}}))
    arguments = ["sweep", str(toy), str(grid), "--out", str(out), "--jobs", "1", "--shard"]
    assert cli.main([*arguments, "2/2", "--dry-run"]) == 0
    assert "1 of 1 runs to do" in capsys.readouterr().out and runs.xs() == []
    assert cli.main([*arguments, "1/2"]) == 0
    assert runs.xs() == [1, 3]
    for wrong, words in (("2", "--shard needs I/N, such as 2/3, got '2'"), ("3/2", "got 3/2")):
        for more in ([], ["--dry-run"]):
            assert cli.main([*arguments, wrong, *more]) == 2
            assert words in capsys.readouterr().err
