"""Sweeps lose nothing: killed, resumed, shared, on a cluster, on another kind of store."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import psutil
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook

from ehrgan import cli, sweep
from ehrgan.sweep import GridError, plan, read_grid, read_sweep, state

VARYING = ["duration", "peak_memory_mb"]
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
CODE = """
import time
import pandas as pd
from ehrgan.handover import record
time.sleep(wait)
assert x < 90, "x is too large"
record(pd.DataFrame({"fold": [0, 1], "value": [x / 3, rate * seed]}))
"""


@pytest.fixture
def toy(tmp_path):
    """A notebook that records two rows, and fails where x is large."""
    parameters = "x = 1\nrate = 0.5\nseed = 0\nwait = 0.0\nname = 'a'"
    cells = [new_code_cell(parameters, metadata={"tags": ["parameters"]}), new_code_cell(CODE)]
    nbformat.write(new_notebook(cells=cells, metadata=KERNEL), tmp_path / "toy.ipynb")
    return tmp_path / "toy.ipynb"


def grid(path, **content):
    path.write_text(yaml.safe_dump(content))
    return path


def table(out):
    return read_sweep(out).drop(columns=VARYING).sort_values(["key", "fold"], ignore_index=True)


def command(toy, grid, out, *more):
    arguments = [sys.executable, "-m", "ehrgan.cli", "sweep", toy, grid, "--out", out, *more]
    return subprocess.Popen(list(map(str, arguments)), stderr=subprocess.DEVNULL)


# ---------------------------------------------------------------- what is asked for


def test_a_grid_combines_lists_and_fixes(tmp_path):
    path = grid(
        tmp_path / "g.yml", product={"x": [1, 2]}, list=[{"x": 9}], fixed={"rate": 0.1}, seeds=2
    )
    runs = read_grid(path)
    assert len(runs) == 6 and all(run["rate"] == 0.1 for run in runs)
    assert {(run["x"], run["seed"]) for run in runs} == {(x, s) for x in (1, 2, 9) for s in (0, 1)}


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("{}", "is empty"),
        ("product: {x: []}", "is empty"),
        ("products: {x: [1]}", "must hold fixed, list, product, seeds"),
        ("product: {x: 1}", "product needs a list"),
        ("product: [", "is not YAML"),
        ("- 1", "must hold"),
    ],
)
def test_a_grid_of_no_sense_is_refused(tmp_path, content, wanted):
    (tmp_path / "g.yml").write_text(content)
    with pytest.raises(GridError, match=wanted):
        read_grid(tmp_path / "g.yml")
    with pytest.raises(GridError, match="cannot be read"):
        read_grid(tmp_path / "nowhere.yml")


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"y": 1}, "takes no parameter 'y'; it takes x, rate, seed, wait, name"),
        ({"x": 1.5}, "x must be a whole number, got 1.5"),
        ({"x": True}, "x must be a whole number"),
        ({"rate": "half"}, "rate must be a number"),
        ({"name": 3}, "name must be text"),
    ],
)
def test_parameters_that_are_not_the_notebooks_are_refused(toy, values, wanted):
    with pytest.raises(GridError, match=wanted):
        plan(toy, [values])


def test_a_run_is_known_by_notebook_parameters_and_source(toy, monkeypatch):
    (first,), (same,) = plan(toy, [{"x": 2}]), plan(toy, [{"x": 2, "rate": 0.5}])
    assert first == same  # a default spelt out is the same run
    assert plan(toy, [{"x": 3}])[0].key != first.key
    monkeypatch.setattr(sweep, "source_fingerprint", lambda: "edited")
    assert plan(toy, [{"x": 2}])[0].key != first.key


def test_bad_targets_and_schedulers_are_refused_in_a_sentence(toy, tmp_path, capsys):
    path = grid(tmp_path / "g.yml", product={"x": [1]})
    (tmp_path / "file").touch()
    for out, more, wanted in (
        (tmp_path / "file", [], "cannot be written"),
        ("nosuch://a", [], "cannot be used"),
        (tmp_path / "out", ["--scheduler", "tcp://127.0.0.1:9"], "does not answer"),
    ):
        assert cli.main(["sweep", str(toy), str(path), "--out", str(out), *more]) == 2
        assert wanted in capsys.readouterr().err


# ---------------------------------------------------------------- running


def test_failures_are_kept_reported_and_do_not_stop_the_others(toy, tmp_path, capsys):
    path, out = grid(tmp_path / "g.yml", product={"x": [1, 99]}), tmp_path / "out"
    arguments = ["sweep", str(toy), str(path), "--out", str(out)]
    assert cli.main(arguments) == 1
    assert "toy.ipynb, cell 2: AssertionError: x is too large" in capsys.readouterr().err
    found = state(out).set_index("status")
    (failed,) = found.loc[["failed"], "key"]
    assert (out / "runs" / f"{failed}.ipynb").stat().st_size > 0
    assert not (out / "runs" / f"{failed}.parquet").exists()
    assert len(read_sweep(out)) == 2 and set(read_sweep(out)["parameter_x"]) == {1}

    (done,) = found.loc[["done"], "key"]
    before = (out / "runs" / f"{done}.json").stat().st_mtime_ns
    assert cli.main([*arguments, "--dry-run"]) == 0
    assert "1 of 2 runs to do" in capsys.readouterr().out
    assert cli.main(arguments) == 1  # tries the failed one again, and that alone
    assert (out / "runs" / f"{done}.json").stat().st_mtime_ns == before
    assert cli.main(["sweep", "status", str(out)]) == 0
    assert "1 done, 1 failed" in capsys.readouterr().out


def test_a_run_that_takes_too_long_is_ended(toy, tmp_path):
    (about,) = sweep.sweep(toy, [{"wait": 60.0}], tmp_path / "out", timeout=4, progress=False)
    assert about["status"] == "failed" and "took longer than 4 s" in about["error"]


def test_a_killed_sweep_goes_on_where_it_stopped(toy, tmp_path):
    path, out = (
        grid(tmp_path / "g.yml", product={"x": [1, 2, 3, 4]}, fixed={"wait": 0.5}),
        tmp_path / "out",
    )
    driver = command(toy, path, out, "--jobs", "2")
    while not list((out / "runs").glob("*.json")):
        assert driver.poll() is None
        time.sleep(0.05)
    workers = psutil.Process(driver.pid).children(recursive=True)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    kept = {p: p.stat().st_mtime_ns for p in (out / "runs").glob("*.json")}
    assert kept

    sweep.sweep(toy, read_grid(path), out, progress=False)
    assert all(p.stat().st_mtime_ns == then for p, then in kept.items())
    sweep.sweep(toy, read_grid(path), tmp_path / "calm", progress=False)
    pd.testing.assert_frame_equal(table(out), table(tmp_path / "calm"))


def workers_of(driver):
    """The living worker processes of a driver; one may end while it is looked at."""
    workers = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in psutil.Process(driver.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                workers += [process] if "ehrgan.worker" in process.cmdline() else []
    return workers


def test_a_killed_worker_is_replaced(toy, tmp_path):
    path, out = grid(tmp_path / "g.yml", fixed={"wait": 2.0}, seeds=1), tmp_path / "out"
    driver = command(toy, path, out)
    worker = None
    while worker is None:
        assert driver.poll() is None
        found = workers_of(driver)
        worker = found[0] if found else time.sleep(0.05)
    os.kill(worker.pid, signal.SIGKILL)
    assert driver.wait(60) == 0
    assert len(table(out)) == 2


def test_random_kills_of_a_grid_change_nothing(toy, tmp_path):
    rng = np.random.default_rng(0)
    path = grid(tmp_path / "g.yml", product={"x": [1, 2], "rate": [0.1, 0.2]}, seeds=2)
    out, kills = tmp_path / "out", 0
    sets = read_grid(path)
    assert len(sets) == 8
    for victim in ("driver", "worker", "driver"):
        driver = command(toy, path, out, "--jobs", "2")
        time.sleep(rng.uniform(2, 5))
        workers = workers_of(driver)
        if victim == "worker" and workers:
            workers[0].kill()
            kills += 1
            driver.wait(300)
        elif driver.poll() is None:
            driver.kill()
            kills += 1
            driver.wait()
            psutil.wait_procs(workers, timeout=10)
    done = state(out)
    assert kills >= 1 and not done["key"].duplicated().any()
    sweep.sweep(toy, sets, out, progress=False)
    sweep.sweep(toy, sets, tmp_path / "calm", progress=False)
    pd.testing.assert_frame_equal(table(out), table(tmp_path / "calm"))
    assert not list(out.rglob("*.tmp*")) and len(list((out / "runs").glob("*.json"))) == 8


def test_two_sweeps_into_one_folder_share_the_work(toy, tmp_path):
    path, out = grid(tmp_path / "g.yml", product={"x": [1, 2, 3]}), tmp_path / "out"
    drivers = [command(toy, path, out, "--jobs", "1") for _ in range(2)]
    assert [driver.wait(120) for driver in drivers] == [0, 0]
    assert len(table(out)) == 6 and (state(out)["status"] == "done").all()


def test_another_kind_of_store_gives_the_same_table(toy, tmp_path):
    sets = [{"x": 1}, {"x": 2}]
    sweep.sweep(toy, sets, tmp_path / "out", progress=False)
    sweep.sweep(toy, sets, "memory://bucket/out", progress=False)
    pd.testing.assert_frame_equal(table("memory://bucket/out"), table(tmp_path / "out"))


def test_a_cluster_gives_the_same_table(toy, tmp_path):
    distributed = pytest.importorskip("distributed")
    sets = [{"x": 1}, {"x": 99}]
    options = {"n_workers": 1, "threads_per_worker": 2, "dashboard_address": None}
    with distributed.LocalCluster(**options, silence_logs=50) as cluster:
        found = sweep.sweep(
            toy, sets, tmp_path / "far", scheduler=cluster.scheduler_address, progress=False
        )
    assert [about["status"] for about in found] == ["done", "failed"]
    sweep.sweep(toy, sets[:1], tmp_path / "near", progress=False)
    pd.testing.assert_frame_equal(table(tmp_path / "far"), table(tmp_path / "near"))


def test_a_worker_lost_on_the_cluster_loses_no_run(toy, tmp_path):
    distributed = pytest.importorskip("distributed")
    sets = [{"x": x, "wait": 1.0} for x in range(6)]
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options, silence_logs=50) as cluster:
        doomed = next(iter(cluster.workers.values()))
        threading.Timer(4, psutil.Process(doomed.pid).kill).start()
        found = sweep.sweep(
            toy, sets, tmp_path / "far", scheduler=cluster.scheduler_address, progress=False
        )
    assert [about["status"] for about in found] == ["done"] * 6
    sweep.sweep(toy, sets, tmp_path / "near", progress=False)
    pd.testing.assert_frame_equal(table(tmp_path / "far"), table(tmp_path / "near"))


def test_results_of_two_versions_are_never_mixed_in_silence(toy, tmp_path):
    out = tmp_path / "out"
    sweep.sweep(toy, [{"x": 1}, {"x": 2}], out, progress=False)
    path = next((out / "runs").glob("*.json"))
    path.write_text(
        json.dumps({**json.loads(path.read_text()), "source": "older", "version": "0.0"})
    )
    assert set(state(out)["status"]) == {"done", "stale"}
    with pytest.raises(GridError, match=r"several sources: .*older \(version 0.0\)"):
        read_sweep(out)
    assert len(read_sweep(out, source="older")) == 2
    with pytest.raises(GridError, match="holds no finished run"):
        read_sweep(Path(tmp_path / "nothing"))
