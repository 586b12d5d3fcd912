"""The command: what each option does, and what is said; the work itself is stubbed."""

import io
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import ehrgan.report.reading
import ehrgan.report.report
from ehrgan import cli
from ehrgan.report.errors import ReportError
from ehrgan.sweeps import grid as grids
from ehrgan.sweeps import plan as plans
from ehrgan.sweeps import sweep as sweeps
from ehrgan.sweeps.grid import GridError

# ---------------------------------------------------------------- report


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A file in the folder that the command runs in."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    made = pd.DataFrame(
        {
            "age": rng.integers(20, 90, 60).astype(str),
            "grade": rng.choice(["low", "high", "middle"], 60),
            "site": rng.choice(["x", "y", "unknown", "-9"], 60),
            "day": pd.date_range("2020-01-01", periods=60).strftime("%Y-%m-%d"),
            "ward": np.arange(60) % 12,
            "out": np.where(np.arange(60) < 25, "A", "B"),
        }
    )
    made.to_csv(tmp_path / "my.table.csv", index=False)
    return made


@pytest.fixture
def asked(monkeypatch):
    """What a report was asked for, in place of making one."""
    seen = {}

    class Found:
        words = ["first words", "second words"]

        def save(self, out):
            seen["out"] = out
            return {"report": Path(out) / "report.html"}

    def make(prepared, **options):
        seen.update(prepared=prepared, **options)
        return Found()

    monkeypatch.setattr(ehrgan.report.report, "make_report", make)
    return seen


def test_a_report_gets_what_its_options_say(table, asked, capsys):
    line = ["report", "my.table.csv", "--outcome", "out", "--positive", "B", "--keep", "day"]
    line += ["--missing", "unknown", "--missing", "-9", "--ordered", "grade=low,middle,high"]
    line += ["--group", "ward", "--seed", "7", "--out", "some/where"]
    line += ["--by", "grade", "--external", "my.table.csv"]
    assert cli.main(line) == 0
    ready = asked["prepared"]
    assert (ready.positive, ready.negative, ready.y.sum()) == ("B", "A", 35)
    assert list(ready.X) == ["age", "grade", "site", "day"]
    assert list(ready.X["site"].cat.categories) == ["x", "y"]
    assert ready.X["site"].isna().tolist() == table["site"].isin(["unknown", "-9"]).tolist()
    order = ready.X["grade"].cat
    assert list(order.categories) == ["low", "middle", "high"] and order.ordered
    assert (pd.factorize(ready.groups)[0] == table["ward"]).all()
    assert asked["seed"] == 7 and asked["out"] == Path("some/where")
    assert ready.by["grade"].tolist() == table["grade"].tolist() and ready.time is None
    assert [*asked["external"]] == ["my.table.csv"]
    assert len(asked["external"]["my.table.csv"]) == len(table)
    told = capsys.readouterr().out.splitlines()
    assert told[0].split()[:4] == ["name", "type", "role", "missing"]  # the schema comes first
    first = told.index(ready.notes[0])
    assert told[first : first + len(ready.notes)] == ready.notes
    assert told[first + len(ready.notes) :] == [
        *("", "first words", "second words"),
        "the report is in some/where/report.html; model, model card and schema are beside it",
    ]


def test_a_report_has_defaults_and_takes_no_word_among_words_for_a_hole(table, asked):
    table["site"] = table["site"].replace("unknown", "NA")
    table.to_csv("my.table.csv", index=False)
    assert cli.main(["report", "my.table.csv", "--outcome", "out"]) == 0
    ready = asked["prepared"]
    assert asked["seed"] == 0 and asked["out"] == Path("my_report")  # beside us, not the file
    assert (ready.positive, ready.groups) == ("A", None) and "day" not in ready.X
    # a word among words may be one of them, so it is left as it stands
    assert ready.X["site"].isna().sum() == 0 and "NA" in ready.X["site"].cat.categories
    assert not ready.X["grade"].cat.ordered


def test_two_columns_may_be_kept_and_ordered(table, asked):
    line = ["report", "my.table.csv", "--outcome", "out", "--ordered", "grade=low,middle,high"]
    line += ["--ordered", "site=x,y,unknown,-9", "--keep", "day", "--keep", "ward"]
    assert cli.main(line) == 0
    X = asked["prepared"].X
    assert X["grade"].cat.ordered and X["site"].cat.ordered and {"day", "ward"} <= {*X}
    assert list(X["site"].cat.categories) == ["x", "y", "unknown", "-9"]


@pytest.mark.parametrize("error", [ReportError("no such thing"), OSError("no space left")])
def test_what_stops_a_report_is_said_in_a_line(table, monkeypatch, capsys, error):
    def make(prepared, **options):
        raise error

    monkeypatch.setattr(ehrgan.report.report, "make_report", make)
    assert cli.main(["report", "my.table.csv", "--outcome", "out"]) == 2
    told = capsys.readouterr()
    assert told.err == f"error: {error}\n" and "report is in" not in told.out


def test_a_folder_without_the_right_to_write_is_refused(tmp_path, monkeypatch):
    refused = []
    monkeypatch.setattr(cli.os, "access", lambda path, how: refused.append((path, how)))
    with pytest.raises(ReportError, match="r' cannot be written: name another folder with --out"):
        cli.refuse_unwritable(tmp_path / "new" / "r")
    assert refused == [(tmp_path, cli.os.W_OK)]  # the nearest that there is
    monkeypatch.undo()
    cli.refuse_unwritable(tmp_path / "new" / "r")
    assert not (tmp_path / "new").exists()


def test_orders_are_read_value_by_value():
    assert cli.parsed_orders([]) == {}
    found = cli.parsed_orders(["a=1,2, 3", "b=x=y,z"])
    assert found == {"a": ["1", "2", "3"], "b": ["x=y", "z"]}
    for text in ("a", "a="):
        with pytest.raises(ReportError, match=f"needs COLUMN=LOW,..,HIGH, got '{text}'"):
            cli.parsed_orders([text])


# ---------------------------------------------------------------- sweep


def states(**columns):
    """A folder's runs as `runs_in` tells them."""
    base = {"key": ["k0"], "status": ["done"], "duration": [1.0], "error": [""]}
    table = pd.DataFrame({**base, "parameters": [{}], "notebook": ["a.ipynb"]} | columns)
    return table.to_dict("records")


def test_a_sweep_gets_what_its_options_say(monkeypatch, capsys):
    seen = {}
    done = {"status": "done", "key": "k1", "parameters": {"a": 1}}

    def swept(notebook, sets, out, **options):
        seen.update(options, notebook=notebook, sets=sets, out=out)
        assert signal.getsignal(signal.SIGTERM) is cli.interrupt
        return [done, done | {"key": "k2", "status": "failed", "error": "E: no"}, done]

    monkeypatch.setattr(grids, "read_grid", lambda path: [{"of": path}])
    monkeypatch.setattr(sweeps, "sweep", swept)
    usual = signal.getsignal(signal.SIGTERM)
    line = ["sweep", "n.ipynb", "g.yml", "--out", "r", "--jobs", "3", "--timeout", "1.5"]
    line += ["--resource", "GPU=1", "--resource", "memory=2e9", "--scheduler", "tcp://a:1"]
    line += ["--workdir", "w", "--shard", "2/3"]
    assert cli.main(line) == 1
    assert seen == {
        **{"notebook": "n.ipynb", "sets": [{"of": "g.yml"}], "out": "r", "jobs": 3},
        **{"scheduler": "tcp://a:1", "timeout": 1.5, "workdir": "w", "shard": (2, 3)},
        "resources": {"GPU": 1.0, "memory": 2e9},
    }
    told = capsys.readouterr()
    assert told.err == "failed k2 {'a': 1}: E: no\n"
    assert told.out == "2 of 3 runs done, results in r\n"
    assert signal.getsignal(signal.SIGTERM) is usual
    monkeypatch.setattr(sweeps, "sweep", lambda *_, **options: seen.update(options) or [done])
    assert cli.main(["sweep", "n.ipynb", "g.yml", "--out", "r"]) == 0
    options = ("jobs", "scheduler", "timeout", "workdir", "resources")
    assert [seen[name] for name in options] == [None, None, None, None, {}]


@pytest.mark.parametrize(
    ("stopped", "status"),
    [(KeyboardInterrupt(signal.SIGTERM), 143), (KeyboardInterrupt(), 130), (GridError("no"), 2)],
)
def test_a_sweep_that_is_stopped_says_so_and_gives_the_signal_back(
    monkeypatch, capsys, stopped, status
):
    def swept(*_, **options):
        raise stopped

    monkeypatch.setattr(grids, "read_grid", lambda path: [])
    monkeypatch.setattr(sweeps, "sweep", swept)
    usual = signal.getsignal(signal.SIGTERM)
    assert cli.main(["sweep", "n.ipynb", "g.yml", "--out", "r"]) == status
    told = capsys.readouterr().err
    assert told.startswith("error: no" if status == 2 else "stopped: what is done stays")
    assert signal.getsignal(signal.SIGTERM) is usual
    with pytest.raises(KeyboardInterrupt) as caught:
        cli.interrupt(signal.SIGTERM, None)
    assert caught.value.args == (signal.SIGTERM,)


def test_a_sweep_needs_a_folder_and_resources_an_amount(capsys):
    with pytest.raises(SystemExit) as refused:
        cli.main(["sweep", "n.ipynb", "g.yml"])
    assert refused.value.code == 2 and "required: --out" in capsys.readouterr().err
    for text in ("GPU", "GPU=many", "=x"):
        with pytest.raises(GridError, match=f"--resource needs NAME=AMOUNT, got '{text}'"):
            cli.parsed_resources([text])


@pytest.mark.parametrize("n_done", [0, 3])
def test_a_plan_lists_what_is_left_and_estimates_by_the_median(monkeypatch, capsys, n_done):
    runs = [SimpleNamespace(key=f"k{i}", parameters={"i": i}) for i in range(8)]
    asked = []
    monkeypatch.setattr(grids, "read_grid", lambda path: [path])
    monkeypatch.setattr(
        plans, "plan", lambda notebook, sets: asked.append((notebook, sets)) or runs
    )
    monkeypatch.setattr(sweeps, "n_places", lambda jobs, scheduler: 2)
    monkeypatch.setattr(sweeps, "check_options", lambda **options: asked.append(options))
    known = states(
        key=["k0", "k2", "k4", "k5", "k6"],
        status=["done", "done", "done", "failed", "stale"],
        duration=[60.0, 600.0, 90.0, 5000.0, 7000.0],
        error="", parameters=[{}] * 5, notebook="n",
    )  # fmt: skip
    monkeypatch.setattr(sweeps, "runs_in", lambda out: known if n_done else known[3:])
    line = ["sweep", "n.ipynb", "g.yml", "--out", "r", "--dry-run", "--jobs", "2"]
    assert cli.main([*line, "--timeout", "9"]) == 0
    told = capsys.readouterr().out.splitlines()
    left = [1, 3, 5, 6, 7] if n_done else range(8)
    assert told[: len(left)] == [f"k{i} {{'i': {i}}}" for i in left]
    assert told[len(left)] == f"{len(left)} of 8 runs to do"
    assert told[-1] == (  # three rounds of a minute and a half
        "about 4.5 min with 2 at a time, as the finished runs went"
        if n_done
        else "no run has finished there yet, so there is no estimate of time"
    )
    assert asked == [
        {
            "jobs": 2,
            "scheduler": None,
            "resources": {},
            "timeout": 9.0,
            "workdir": None,
            "shard": (1, 1),
        },
        ("n.ipynb", ["g.yml"]),
    ]


def test_a_folders_state_is_counted_by_status_and_notebook(monkeypatch, capsys):
    asked = []
    table = states(
        key=["k1", "k2", "k3", "k4", "k5"],
        status=["running", "done", "failed", "done", "stale"],
        duration=[12.4, 1, 2, 3, 4],
        error=["", "", "E: no", "", ""],
        parameters=[{"a": i} for i in range(5)],
        notebook=["a.ipynb", "b.ipynb", "a.ipynb", "b.ipynb", ""],
    )
    monkeypatch.setattr(sweeps, "runs_in", lambda out: asked.append(out) or table)
    assert cli.main(["sweep", "status", "folder"]) == 0 and asked == ["folder"]
    assert capsys.readouterr().out.splitlines() == [
        "2 done, 1 failed, 1 running, 1 stale",
        "  unknown notebook: 1 stale",
        "  a.ipynb: 1 failed, 1 running",
        "  b.ipynb: 2 done",
        "running k1 for 12 s {'a': 0}",
        "failed k3 {'a': 2}: E: no",
        "stale: of another source of the library than the installed; it would run anew",
    ]
    monkeypatch.setattr(sweeps, "runs_in", lambda out: states())
    assert cli.main(["sweep", "status", "folder"]) == 0
    assert capsys.readouterr().out.splitlines() == ["1 done"]
    monkeypatch.setattr(sweeps, "runs_in", lambda out: [])
    assert cli.main(["sweep", "status", "folder"]) == 2
    assert capsys.readouterr().err == "error: folder holds no run of a sweep\n"


@pytest.mark.parametrize("command", ["report", "sweep"])
def test_a_command_that_is_stopped_says_so_in_a_line(monkeypatch, capsys, command):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, {"report": "report_table"}.get(command, f"{command}_command"), stopped)
    line = {"report": ["t.csv", "--outcome", "y"], "sweep": ["n.ipynb", "g.yml"]}[command]
    assert cli.main([command, *line]) == 130
    told = capsys.readouterr().err
    assert told.startswith("stopped: ") and told.count("\n") == 1


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_name_that_the_console_cannot_show_breaks_no_command(monkeypatch, encoding):
    name = "lab ≥ β 值"
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, io.TextIOWrapper(io.BytesIO(), encoding))

    def told(options):
        print(name)
        print(name, file=sys.stderr, flush=True)

    monkeypatch.setattr(cli, "report_table", told)
    cli.main(["report", "t.csv", "--outcome", "y"])
    sys.stdout.flush()
    for stream in (sys.stdout, sys.stderr):
        assert stream.buffer.getvalue() == f"{name}\n".encode(encoding, "backslashreplace")
