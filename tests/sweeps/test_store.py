"""The folder of a sweep: who holds a run, and what is written when."""

import io
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest
from standin import SETS, failure, outcome, swept

from ehrgan.sweeps import store as stores
from ehrgan.sweeps.plan import plan
from ehrgan.sweeps.sweep import state


def test_a_run_is_held_by_one_and_let_go(toy, tmp_path):
    first, second, _ = plan(toy, SETS)
    one, two = stores.Store(tmp_path), stores.Store(tmp_path)
    one.check_writable()
    held = one.claim(first)
    assert two.claim(first) is None and one.claim(first) is None
    with two.claim(second):
        now = one.held()
        assert set(now) == {first.key, second.key}
        told = (second.notebook, second.parameters, "running")
        assert tuple(now[second.key][k] for k in ("notebook", "parameters", "status")) == told
    assert set(one.held()) == {first.key}
    held.close()
    assert one.held() == {}
    two.claim(first).close()
    Path(one.path(f".{first.key}", "lock")).write_text("x" * 1000)
    with one.claim(first, "queued") as held:  # what a lock said before is gone
        assert two.held()[first.key]["status"] == "queued"
        held.tell(status="running")
        told = two.held()[first.key]
        assert (told["status"], told["notebook"]) == ("running", first.notebook)


def test_the_runs_of_a_killed_sweep_are_free(toy, tmp_path):
    (run,), store = plan(toy, SETS[:1]), stores.Store(tmp_path)
    store.check_writable()
    code = "from ehrgan.sweeps.claims import DiskClaims\n"
    code += f"held = DiskClaims(None, {str(tmp_path)!r}).take({run.key!r}, {{}})\n"
    code += "print('held', flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    owner = subprocess.Popen([sys.executable, "-c", code], **pipes)
    owner.stdout.readline()
    assert store.claim(run) is None and set(store.held()) == {run.key}
    owner.kill()
    owner.communicate()
    assert store.held() == {}
    with store.claim(run) as held:
        assert held is not None and set(store.held()) == {run.key}


def test_a_file_is_replaced_in_one_step_by_what_is_safe_on_the_disk(tmp_path, monkeypatch):
    store, steps = stores.Store(tmp_path), []
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
        store, written = stores.Store(tmp_path / str(broken)), []
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
    (run,), store = plan(toy, [{"x": 4}]), stores.Store(tmp_path)
    store.check_writable()
    about = store.publish(run, failure("notebook.ipynb, cell 2: no", notebook=b"", duration=3.5))
    assert about == {
        "key": run.key, "parameters": {"x": 4, "layers": [5, 2]}, "notebook": run.notebook,
        "version": version("ehrgan"), "source": run.source, "status": "failed",
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
    kept = pd.read_parquet(io.BytesIO(stores._tidy(outcome(2)["scores"], whole)))
    assert kept.to_dict("records") == [
        {"fold": fold, "value": 20.0 + fold, **wanted} for fold in (0, 1)
    ]
    none = pd.read_parquet(io.BytesIO(stores._tidy(b"", whole)))
    assert none.to_dict("records") == [wanted]  # a run that records nothing still tells of itself


def test_what_counts_as_a_note_of_a_run(toy, tmp_path, runs):
    swept(toy, tmp_path)
    one, two, three = sorted(path.stem for path in (tmp_path / "runs").glob("*.json"))
    folder = tmp_path / "runs"
    for name in ("notes.json", "0123456789abc.json", "0123456789aG.json", "0123456789ab.txt"):
        (folder / name).write_text("{}")
    store = stores.Store(tmp_path)
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
    for name in stores.NOTE:
        (folder / f"{three}.json").write_text(
            json.dumps({k: v for k, v in about.items() if k != name})
        )
        (row,) = state(tmp_path).query("key == @three").to_dict("records")
        assert row["status"] == "failed" and "is damaged" in row["error"]


def test_a_failed_run_needs_no_files(toy, tmp_path):
    (run,), store = plan(toy, SETS[:1]), stores.Store(tmp_path)
    store.check_writable()
    store.publish(run, failure("no", notebook=b""))
    assert store.outcomes()[run.key]["error"] == store.outcome(run.key)["error"] == "no"
