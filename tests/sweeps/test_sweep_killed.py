"""Sweeps lose nothing: killed, resumed, shared, on a cluster, on another kind of store."""

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import psutil
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook

from ehrgan import cli
from ehrgan.sweeps import execute
from ehrgan.sweeps import plan as plans
from ehrgan.sweeps import sweep as sweeps
from ehrgan.sweeps.grid import GridError, read_grid
from ehrgan.sweeps.plan import plan
from ehrgan.sweeps.sweep import read_sweep, state

ROOT = Path(__file__).parents[2]
VARYING = ["duration", "peak_memory_mb"]
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
PARAMETERS = "x = 1\nrate = 0.5\nseed = 0\nwait = 0.0\nname = 'a'\nlayers = [5, 2]\nthird = 1 / 3"
CODE = """
import os, time
import pandas as pd
from ehrgan.sweeps.handover import record
with open(os.environ.get("TOY_LOG", os.devnull), "a") as log:
    log.write(f"{time.time()} 1 {x}\\n")
    log.flush()
    time.sleep(wait)
    log.write(f"{time.time()} -1 {x}\\n")
assert x < 90, "x is too large"
record(pd.DataFrame({"fold": [0, 1], "value": [x * third, rate * seed]}))
"""
GRID = {"product": {"x": [1, 2, 3]}, "fixed": {"wait": 0.5, "seed": 7}}
SETS = [{"x": x, **GRID["fixed"]} for x in (1, 2, 3)]


def write_notebook(path, parameters, *code, tags=("parameters",)):
    cells = [new_code_cell(parameters, metadata={"tags": list(tags)}), *map(new_code_cell, code)]
    nbformat.write(new_notebook(cells=cells, metadata=KERNEL), path)
    return path


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A notebook that records two rows, and fails where x is large."""
    return write_notebook(tmp_path_factory.mktemp("toy") / "toy.ipynb", PARAMETERS, CODE)


@pytest.fixture(scope="module")
def calm(toy, tmp_path_factory):
    """The folder of an undisturbed sweep over GRID."""
    out = tmp_path_factory.mktemp("calm")
    sweeps.sweep(toy, SETS, out, progress=False)
    return out


@pytest.fixture
def log(tmp_path, monkeypatch):
    """A function that gives when the toy notebook began (1) and ended (-1), with which values."""
    monkeypatch.setenv("TOY_LOG", str(tmp_path / "log"))
    return lambda: pd.read_csv(tmp_path / "log", sep=" ", names=["time", "what", "x"])


def grid(path, **content):
    path.write_text(yaml.safe_dump(content))
    return path


def table(out):
    return read_sweep(out).drop(columns=VARYING).sort_values(["key", "fold"], ignore_index=True)


def check_same(out, calm):
    """The same table to the last digit, and whole files alone."""
    pd.testing.assert_frame_equal(table(out), table(calm), check_exact=True)
    if isinstance(out, Path):
        files = [path for path in (out / "runs").iterdir() if not path.name.startswith(".")]
        assert {path.suffix for path in files} == {".ipynb", ".json", ".parquet"}
        assert not list((out / "runs").glob("*partial*"))


def command(toy, grid, out, *more):
    arguments = [sys.executable, "-m", "ehrgan.cli", "sweep", toy, grid, "--out", out, *more]
    return subprocess.Popen(list(map(str, arguments)), stderr=subprocess.PIPE, text=True)


def until(condition, driver):
    """Wait for what a condition gives, as long as a driver lives."""
    while not (found := condition()):
        assert driver.poll() is None
        time.sleep(0.05)
    return found


def family(driver, word):
    """The living processes below a driver with a word in their command."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in psutil.Process(driver.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                found += [process] if word in " ".join(process.cmdline()) else []
    return found


def notes(out):
    return list((out / "runs").glob("*.json"))


def test_a_grid_combines_lists_and_fixes(tmp_path):
    path = grid(
        tmp_path / "g.yml", product={"x": [1, 2]}, list=[{"x": 9}], fixed={"rate": 0.1}, seeds=2
    )
    runs = read_grid(path)
    assert len(runs) == 6 and all(run["rate"] == 0.1 for run in runs)
    assert {(run["x"], run["seed"]) for run in runs} == {(x, s) for x in (1, 2, 9) for s in (0, 1)}


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"y": 1}, "takes no parameter 'y'; it takes x, rate, seed, wait, name, layers, third"),
        ({"x": 1.5}, "x must be a whole number, got 1.5"),
        ({"x": True}, "x must be a whole number"),
        ({"x": None}, "x must be a whole number, got None"),
        ({"rate": "1e-3"}, "rate must be a number, got '1e-3'; YAML wants 1.0e-3"),
        ({"rate": 10**400}, "rate must be a number of double precision"),
        ({"name": 3}, "name must be text"),
        ({"x": np.int64(1)}, "x must be text, .*got np.int64"),
    ],
)
def test_parameters_that_are_not_the_notebooks_are_refused(toy, values, wanted):
    with pytest.raises(GridError, match=wanted):
        plan(toy, [values])


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (None, "cannot be read: .*No such file"),
        ("", "cannot be read: it is not JSON: Expecting value"),
        ("[]", "is JSON, but no notebook"),
        ("{}", "is JSON, but no notebook"),
    ],
)
def test_what_is_no_notebook_is_refused(tmp_path, content, wanted):
    path = tmp_path / "a.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(GridError, match=wanted):
        plan(path, [{"x": 1}])
    with pytest.raises(GridError, match="takes no parameter 'x'; it has no cell tagged parameters"):
        plan(write_notebook(path, "x = 1", tags=()), [{"x": 1}])


def test_a_run_is_known_by_notebook_parameters_and_source(toy, monkeypatch):
    (first,), (same,) = plan(toy, [{"x": 2}]), plan(toy, [{"x": 2, "rate": 0.5}])
    assert first == same  # a default spelt out is the same run
    assert len(plan(toy, [{"rate": 1}, {"rate": 1.0}])) == 1
    assert plan(toy, [{"x": 3}])[0].key != first.key
    monkeypatch.setattr(plans, "source_fingerprint", lambda: "edited")
    assert plan(toy, [{"x": 2}])[0].key != first.key


def test_bad_targets_and_schedulers_are_refused_in_a_sentence(toy, tmp_path, capsys):
    path = grid(tmp_path / "g.yml", product={"x": [1]})
    (tmp_path / "file").touch()
    for out, more, wanted in (
        (tmp_path / "file", [], "cannot be written"),
        ("/proc/x", [], "cannot be written"),
        ("", [], "must be a folder or an address, got ''"),
        ("nosuch://a", [], "cannot be used"),
        (tmp_path / "out", ["--scheduler", "nosuch://a:1"], "does not answer: unknown address"),
        (tmp_path / "out", ["--scheduler", ""], "does not answer: missing port"),
        (tmp_path / "out", ["--scheduler", "tcp://127.0.0.1:9"], "does not answer: Timed out"),
        (tmp_path / "out", ["--scheduler", "tcp://a:1", "--jobs", "2"], "jobs is for this machine"),
        (tmp_path / "out", ["--jobs", "0"], "jobs must be at least 1, got 0"),
        (tmp_path / "out", ["--timeout", "0"], "timeout must be a number of seconds above 0"),
        (tmp_path / "out", ["--timeout", "nan"], "timeout must be a number .*got nan"),
        (tmp_path / "out", ["--resource", "GPU=1"], "they need a scheduler"),
        (tmp_path / "out", ["--scheduler", "tcp://a:1", "--resource", "GPU"], "needs NAME=AMOUNT"),
        (tmp_path / "out", ["--scheduler", "tcp://a:1", "--resource", "=1"], "needs a name"),
    ):
        assert cli.main(["sweep", str(toy), str(path), "--out", str(out), *more]) == 2
        assert re.search(wanted, capsys.readouterr().err)


def test_a_look_at_no_sweep_says_so_and_makes_no_folder(toy, tmp_path, capsys):
    path, out = grid(tmp_path / "g.yml", product={"x": [1]}), tmp_path / "out"
    assert cli.main(["sweep", "status", str(out)]) == 2
    assert "holds no run of a sweep" in capsys.readouterr().err
    assert cli.main(["sweep", str(toy), str(path), "--out", str(out), "--dry-run"]) == 0
    assert "1 of 1 runs to do" in capsys.readouterr().out
    assert not out.exists()


def test_failures_are_kept_reported_and_do_not_stop_the_others(toy, tmp_path, capsys, log):
    path, out = grid(tmp_path / "g.yml", product={"x": [1, 99]}), tmp_path / "out"
    arguments = ["sweep", str(toy), str(path), "--out", str(out)]
    assert cli.main(arguments) == 1
    assert "toy.ipynb, cell 2: AssertionError: x is too large" in capsys.readouterr().err
    found = state(out).set_index("status")
    (failed,) = found.loc[["failed"], "key"]
    assert (out / "runs" / f"{failed}.ipynb").stat().st_size > 0
    assert not (out / "runs" / f"{failed}.parquet").exists()
    assert len(read_sweep(out)) == 2 and set(read_sweep(out)["parameter_x"]) == {1}
    assert set(read_sweep(out)["parameter_layers"]) == {"[5, 2]"}

    (done,) = found.loc[["done"], "key"]
    before = (out / "runs" / f"{done}.json").stat().st_mtime_ns
    assert cli.main([*arguments, "--dry-run"]) == 0
    assert re.search(r"1 of 2 runs to do\nabout .* min", capsys.readouterr().out)
    assert sorted(log().query("what == 1")["x"]) == [1, 99]
    assert cli.main(arguments) == 1
    assert sorted(log().query("what == 1")["x"]) == [1, 99, 99]  # the failed one, and that alone
    assert (out / "runs" / f"{done}.json").stat().st_mtime_ns == before
    assert cli.main(["sweep", "status", str(out)]) == 0
    assert "1 done, 1 failed" in capsys.readouterr().out


def test_what_a_run_held_of_memory_is_that_of_a_kernel(calm):
    assert read_sweep(calm)["peak_memory_mb"].between(40, 2000).all()


def test_a_run_that_takes_too_long_is_ended(toy, tmp_path):
    (about,) = sweeps.sweep(toy, [{"wait": 60.0}], tmp_path / "out", timeout=4, progress=False)
    assert about["status"] == "failed" and "took longer than 4 s" in about["error"]


def test_a_run_that_is_killed_every_time_fails_in_words(tmp_path):
    deadly = write_notebook(tmp_path / "a.ipynb", "x = 1", "import os; os.kill(os.getpid(), 9)")
    (about,) = sweeps.sweep(deadly, [{}], tmp_path / "out", retries=0, progress=False)
    assert about["status"] == "failed"
    assert re.search(r"a.ipynb, cell 2: Kernel died \(1 tries; .*memory", about["error"])
    assert (tmp_path / "out" / "runs" / f"{about['key']}.ipynb").stat().st_size > 0


def test_damaged_and_missing_files_are_made_again(toy, calm, tmp_path):
    out = shutil.copytree(calm, tmp_path / "out")
    torn, bare, *kept = sorted(notes(out))
    torn.write_text(torn.read_text()[:20])
    bare.with_suffix(".parquet").unlink()
    (out / "runs" / f"{torn.stem}.json.partial").write_text("{")
    failed = state(out).set_index("key").query("status == 'failed'")["error"]
    assert list(failed.index) == [torn.stem, bare.stem]
    assert "is damaged" in failed[torn.stem] and "went missing" in failed[bare.stem]
    before = [path.stat().st_mtime_ns for path in kept]
    sweeps.sweep(toy, SETS, out, progress=False)
    check_same(out, calm)
    assert [path.stat().st_mtime_ns for path in kept] == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_sweep_ends_its_runs_and_says_so(toy, tmp_path, number, capsys):
    path, out = grid(tmp_path / "g.yml", fixed={"wait": 60.0}, seeds=2), tmp_path / "out"
    driver = command(toy, path, out, "--jobs", "1")
    (kernel,) = until(lambda: family(driver, "ipykernel"), driver)
    assert cli.main(["sweep", "status", str(out)]) == 0
    assert re.search("1 running\nrunning .* for . s {.*'wait': 60.0", capsys.readouterr().out)
    driver.send_signal(number)
    assert driver.wait(10) == 128 + number
    assert driver.stderr.read().endswith("the same command does the rest\n")
    _, alive = psutil.wait_procs([kernel], timeout=10)
    assert not alive and not notes(out)


def test_a_killed_process_is_replaced(toy, tmp_path):
    path, out = grid(tmp_path / "g.yml", fixed={"wait": 2.0}, seeds=1), tmp_path / "out"
    driver = command(toy, path, out)
    for victim in ("ehrgan.sweeps.worker", "ipykernel"):
        (process,) = until(lambda victim=victim: family(driver, victim), driver)
        process.kill()
        psutil.wait_procs([process], timeout=10)
    assert driver.wait(60) == 0
    assert len(table(out)) == 2


def test_sweeps_killed_at_random_and_resumed_lose_nothing(toy, calm, tmp_path):
    rng = np.random.default_rng(0)
    path, out, kept = grid(tmp_path / "g.yml", **GRID), tmp_path / "out", {}
    for victim in ("driver", "worker", "driver"):
        driver = command(toy, path, out, "--jobs", "2")
        time.sleep(rng.uniform(2, 5))
        workers = family(driver, "ehrgan.sweeps.worker")
        if victim == "worker" and workers:
            workers[0].kill()
            time.sleep(rng.uniform(0, 2))
            workers = family(driver, "ehrgan.sweeps.worker")
        driver.kill()
        driver.wait()
        _, alive = psutil.wait_procs(workers, timeout=10)
        assert not alive
        assert kept.items() <= (now := {p.name: p.stat().st_mtime_ns for p in notes(out)}).items()
        kept = now
    sweeps.sweep(toy, SETS, out, progress=False)
    check_same(out, calm)
    assert kept.items() <= {p.name: p.stat().st_mtime_ns for p in notes(out)}.items()


def test_two_sweeps_into_one_folder_share_the_work(toy, calm, tmp_path, log):
    path, out = grid(tmp_path / "g.yml", **GRID), tmp_path / "out"
    drivers = [command(toy, path, out, "--jobs", "1") for _ in range(2)]
    assert [driver.wait(120) for driver in drivers] == [0, 0]
    check_same(out, calm)
    assert len(log()) == 2 * len(SETS)  # each began and ended once


def test_three_shards_side_by_side_equal_one_sweep_to_the_last_digit(toy, calm, tmp_path, log):
    path, out = grid(tmp_path / "g.yml", **GRID), tmp_path / "out"
    drivers = [command(toy, path, out, "--jobs", "1", "--shard", f"{i}/3") for i in (1, 2, 3)]
    assert [driver.wait(120) for driver in drivers] == [0, 0, 0]
    check_same(out, calm)
    assert len(log()) == 2 * len(SETS)


def test_a_failure_of_a_sweep_beside_is_not_tried_again(toy, tmp_path, log):
    sets, found = [{"x": 99, "wait": 3.0}], []
    drivers = [
        threading.Thread(
            target=lambda: found.extend(sweeps.sweep(toy, sets, tmp_path / "out", progress=False))
        )
        for _ in range(2)
    ]
    for thread in drivers:
        thread.start()
    for thread in drivers:
        thread.join()
    assert [about["status"] for about in found] == ["failed", "failed"] and len(log()) == 2


@contextlib.contextmanager
def cluster(n_workers, **options):
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": n_workers, "dashboard_address": ":0", "silence_logs": 50, **options}
    with distributed.LocalCluster(**options) as here:
        yield here


def test_a_cluster_gives_the_same_table_within_its_resources(toy, calm, tmp_path, log):
    out, sets = tmp_path / "out", [*SETS, {"x": 99}]
    with cluster(1, threads_per_worker=2, resources={"slot": 1}) as here:
        where = {"scheduler": here.scheduler_address, "progress": False}
        with pytest.raises(GridError, match="no worker of .* offers GPU=1"):
            sweeps.sweep(toy, sets, out, resources={"GPU": 1}, **where)
        assert sweeps.n_places(scheduler=here.scheduler_address) == 2
        found = sweeps.sweep(toy, sets, out, resources={"slot": 1}, **where)
    assert [about["status"] for about in found] == ["done"] * 3 + ["failed"]
    check_same(out, calm)
    assert log().sort_values("time")["what"].cumsum().max() == 1  # one at a time on two threads


def test_a_cluster_that_loses_a_worker_and_one_of_two_sweeps_loses_no_run(toy, calm, tmp_path):
    path, out = grid(tmp_path / "g.yml", **GRID), tmp_path / "out"
    with cluster(1, threads_per_worker=1) as here:
        first = command(toy, path, out, "--scheduler", here.scheduler_address)
        until(lambda: out.exists() and "running" in set(state(out)["status"]), first)
        second = command(toy, path, out, "--scheduler", here.scheduler_address)
        until(lambda: notes(out), first)
        psutil.Process(here.workers[0].pid).kill()  # its nanny starts another
        first.kill()
        assert second.wait(120) == 0
    check_same(out, calm)


def test_a_machine_with_another_library_is_refused(toy):
    outcome = execute.execute(toy.read_bytes(), {}, source="of another library")
    assert outcome["status"] == "failed"
    assert "is not the one that planned this sweep" in outcome["error"]


def test_results_of_two_versions_are_never_mixed_in_silence(calm, tmp_path, capsys):
    out = shutil.copytree(calm, tmp_path / "out")
    path = notes(out)[0]
    about = json.loads(path.read_text())
    path.write_text(json.dumps({**about, "source": "older", "version": "0.0"}))
    assert sorted(state(out)["status"]) == ["done"] * 2 + ["stale"]
    assert cli.main(["sweep", "status", str(out)]) == 0
    assert re.search("2 done, 1 stale\n.*another source of the library", capsys.readouterr().out)
    with pytest.raises(GridError, match=r"several sources: .*older \(version 0.0\)"):
        read_sweep(out)
    assert len(read_sweep(out, source="older")) == 2
    with pytest.raises(GridError, match="holds no finished run"):
        read_sweep(tmp_path / "nothing")

    path.write_text(json.dumps({**about, "notebook": "toy.ipynb@edited"}))
    with pytest.raises(GridError, match="several notebooks: .*toy.ipynb@edited"):
        read_sweep(out)
    assert len(read_sweep(out, notebook="toy.ipynb@edited")) == 2
    path.write_text(json.dumps(about))
    path.with_suffix(".parquet").write_bytes(b"torn")
    with pytest.raises(GridError, match=f"the scores of run {path.stem} in .* cannot be read"):
        read_sweep(out)


def blocks(language):
    """What stands in the page's fences of a language, joined."""
    page = (ROOT / "book" / "sweeps.md").read_text()
    return "".join(re.findall(rf"```{language}\n(.*?)```", page, re.S))


def test_the_pages_grid_and_parameters_are_of_the_notebooks(tmp_path):
    (tmp_path / "grid.yml").write_text(blocks("yaml"))
    runs = plan(ROOT / "sweeps" / "one_setting.ipynb", read_grid(tmp_path / "grid.yml"))
    assert len(runs) == 8
    (line,) = [line for line in blocks("bash").splitlines() if line.startswith("papermill")]
    names = re.findall(r"-p (\w+)", line)
    assert names and plan(ROOT / line.split()[1], [dict.fromkeys(names[:1], 2)])


def test_every_command_of_the_page_works(tmp_path, monkeypatch):
    """In a folder laid out like this repository, with notebooks of no work and a small cluster."""
    pytest.importorskip("distributed")
    for folder in ("notebooks", "sweeps"):
        (tmp_path / folder).mkdir()
    parameters = 'mechanism = "block"\nfraction = 0.5\nseed = 0'
    code = "import pandas as pd\nfrom ehrgan.sweeps.handover import record\n"
    code += "record(pd.DataFrame({'value': [fraction * seed]}))"
    write_notebook(tmp_path / "sweeps" / "one_setting.ipynb", parameters, code)
    write_notebook(
        tmp_path / "notebooks" / "05_evaluation.ipynb", "n_trials = 1\nmissing_fraction = 0"
    )
    small = yaml.safe_load(blocks("yaml"))
    small["product"] = {name: values[:1] for name, values in small["product"].items()}
    grid(tmp_path / "grid.yml", **small)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    served = []
    try:
        for line in blocks("bash").splitlines():
            line = line.replace("tcp://10.0.0.1:8786", f"tcp://127.0.0.1:{port}")
            if line.startswith("ehrgan "):
                assert cli.main(shlex.split(line)[1:]) == 0, line
            elif line.startswith("dask "):
                own = f"--host 127.0.0.1 --port {port}" if "scheduler" in line else "--no-dashboard"
                served.append(subprocess.Popen(shlex.split(f"{line} {own}")))
            elif line.startswith("pip "):
                assert line == 'pip install ".[sweep,cluster]"'
            else:
                subprocess.run(shlex.split(line), check=True, timeout=120)
    finally:
        for server in served:
            server.terminate()
            server.wait(30)
    read = {}
    exec(blocks("python"), read)
    assert len(read["table"]) == small["seeds"]
    assert (tmp_path / "out.ipynb").exists() and len(read_sweep(tmp_path / "on_gpus")) == 2


def test_every_recipe_of_the_page_for_a_cluster_does_all_runs(tmp_path, monkeypatch):
    """As far as it goes without one: its tasks one after another, its jobs on this machine."""
    distributed = pytest.importorskip("distributed")
    (tmp_path / "sweeps").mkdir()
    write_notebook(tmp_path / "sweeps" / "one_setting.ipynb", PARAMETERS, CODE)
    grid(tmp_path / "grid.yml", product={"x": [1, 2]})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    page = (ROOT / "book" / "sweeps.md").read_text()
    slurm, kubernetes = re.findall(r"ehrgan sweep .*--shard .*", page)
    for line, out, name, first in (
        (slurm, "results", "SLURM_ARRAY_TASK_ID", 1),
        (kubernetes.replace("s3://bucket/results", "pods"), "pods", "JOB_COMPLETION_INDEX", 0),
    ):
        for task in range(first, first + 2):
            command = ["bash", "-c", line.replace("ehrgan", f"{sys.executable} -m ehrgan.cli", 1)]
            subprocess.run(command, env={**os.environ, name: str(task)}, check=True, timeout=60)
        assert len(read_sweep(tmp_path / out)) == 4

    class Jobs(distributed.LocalCluster):
        def __init__(self, cores, processes, memory, walltime):
            super().__init__(
                n_workers=0, threads_per_worker=cores // processes, dashboard_address=":0"
            )

        def scale(self, jobs):
            super().scale(jobs and 1)

    monkeypatch.setitem(sys.modules, "dask_jobqueue", SimpleNamespace(SLURMCluster=Jobs))
    (recipe,) = re.findall(r"```{code-block} python\n(.*?)```", page, re.S)
    exec(recipe, {})
    pd.testing.assert_frame_equal(table(tmp_path / "from_jobs"), table(tmp_path / "results"))
