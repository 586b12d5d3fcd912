"""One run of a sweep, tested without a kernel."""

import json
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from standin import outcome

from ehrgan.sweeps import execute
from ehrgan.sweeps.execute import RunLost
from ehrgan.sweeps.handover import QUIET_KERNEL, RECORD


@pytest.fixture
def one_run(monkeypatch):
    """Make ``execute`` see certain sources and outcomes; gives what it started."""
    started = []

    def prepare(sources, found=None, in_time=True):
        left = iter(sources)
        monkeypatch.setattr(execute, "source_fingerprint", lambda: next(left))
        monkeypatch.setattr(execute, "_start", lambda *given: started.append(given) or "worker")
        monkeypatch.setattr(execute, "_wait", lambda *given: started.append(given) or in_time)
        monkeypatch.setattr(execute, "_collected", lambda folder: found or outcome())
        return started

    return prepare


@pytest.mark.parametrize(
    ("sources", "status", "n_started"),
    [(["s", "s"], "done", 2), (["other"], "failed", 0), (["s", "other"], "failed", 2)],
)
def test_a_library_edited_before_or_during_a_run_spoils_it(one_run, sources, status, n_started):
    started = one_run(sources)
    found = execute.execute(b"nb", {"x": 1}, "s", "/", 7, "stop")
    assert found["status"] == status and len(started) == n_started
    assert (status == "failed") == ("must not be edited while a sweep runs" in found["error"])
    assert (status == "failed") == (found["scores"] == b"")
    if started:
        (folder, content, parameters, workdir), waited = started
        assert (content, parameters, workdir) == (b"nb", {"x": 1}, "/")
        assert waited == ("worker", 7, "stop")
        assert not folder.exists()  # nothing is left behind


def test_a_run_out_of_time_has_failed_even_if_it_was_lost(one_run):
    for status in ("lost", "done"):
        one_run(["s", "s"], outcome(status=status, error="x", duration=-1.0), in_time=False)
        found = execute.execute(b"", {}, "s", timeout=2.5)
        assert (found["status"], found["error"]) == ("failed", "took longer than 2.5 s")
        assert found["duration"] >= 0 and found["notebook"] == b"{}"
    one_run(["s"], outcome(status="lost", error="x", duration=-1.0))
    with pytest.raises(RunLost) as lost:
        execute.execute(b"", {}, "s")
    (told,) = lost.value.args
    assert told["error"] == "x" and told["duration"] >= 0


def test_a_machine_that_lacks_the_working_folder_says_so_and_starts_nothing(one_run, tmp_path):
    started = one_run(["s"])
    found = execute.execute(b"nb", {}, "s", str(tmp_path / "gone"))
    assert found["status"] == "failed" and not started
    assert f"there is no folder {tmp_path / 'gone'} to work in; --workdir" in found["error"]


@pytest.mark.parametrize("workdir", [None, "/work"])
def test_a_run_gets_a_folder_one_thread_and_a_place_for_its_scores(tmp_path, monkeypatch, workdir):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.setenv("TOY", "kept")
    monkeypatch.setattr(execute.subprocess, "Popen", lambda *a, **k: SimpleNamespace(given=(a, k)))
    (command,), options = execute._start(tmp_path, b"nb", {"x": [1]}, workdir).given
    where = [str(tmp_path), workdir or str(tmp_path)]
    assert command == [sys.executable, "-m", "ehrgan.sweeps.worker", *where]
    assert (tmp_path / "notebook.ipynb").read_bytes() == b"nb"
    assert json.loads((tmp_path / "parameters.json").read_text()) == {"x": [1]}
    environment = options["env"]
    assert {environment[name] for name in execute.ONE_THREAD} == {"1"}
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
    assert execute._wait(process, timeout, stop) is (ends != "late")
    assert process.returncode == (0 if ends == "alone" else -9)
    assert process.stdin.closed


def test_what_a_run_leaves_is_collected_whole(tmp_path):
    files = {"executed.ipynb": b'{"a": 1}', "scores.parquet": b"scores", "stderr.txt": b"x\nlast\n"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    said = {"status": "failed", "error": "e", "duration": 2.0, "peak_memory_mb": 3.0}
    (tmp_path / "outcome.json").write_text(json.dumps(said))
    whole = {"notebook": b'{"a": 1}', "scores": b"scores"}
    assert execute._collected(tmp_path) == {**said, **whole}
    (tmp_path / "executed.ipynb").write_bytes(b'{"a"')  # killed while it wrote
    assert execute._collected(tmp_path)["notebook"] == b""
    (tmp_path / "outcome.json").write_text("{")
    found = execute._collected(tmp_path)
    assert (found["status"], found["error"]) == ("lost", "its process ended early: last")
    (tmp_path / "stderr.txt").write_text("\n")
    (tmp_path / "outcome.json").unlink()
    found = execute._collected(tmp_path)
    assert (found["status"], found["error"]) == ("lost", "its process was killed")
