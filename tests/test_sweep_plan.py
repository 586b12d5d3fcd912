"""What a sweep would run, and by what a run is known: grids, keys, options, places."""

import json
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from ehrgan import sweep
from ehrgan.sweep import GridError, check_options, plan, read_grid

PARAMETERS = "x = 1\nrate = 0.5\nname = 'a'\nlayers = [5, 2]\nnothing = None\nthird = 1 / 3"
DEFAULTS = {"x": 1, "rate": 0.5, "name": "a", "layers": [5, 2], "nothing": None}


def cells():
    """Cells of a notebook: words, parameters, and code that has run."""
    ran = new_output("stream", name="stdout", text="1")
    return [
        new_markdown_cell("# Words"),
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        new_code_cell("print(x)", outputs=[ran], execution_count=1),
    ]


def written(path, content):
    nbformat.write(new_notebook(cells=content), path)
    return path


@pytest.fixture
def grid(tmp_path):
    """A function that reads a grid of that content."""

    def read(**content):
        (tmp_path / "g.yml").write_text(yaml.safe_dump(content, sort_keys=False))
        return read_grid(tmp_path / "g.yml")

    return read


# ---------------------------------------------------------------- grids


def test_a_grid_is_expanded_in_order_sets_after_combinations_and_seeds_innermost(grid):
    runs = grid(
        product={"b": [1, 2], "a": ["u", "v"]}, list=[{"b": 9}, {}], seeds=[5, 3], fixed={"f": 0}
    )
    bare = [{"b": b, "a": a} for b in (1, 2) for a in ("u", "v")] + [{"b": 9}, {}]
    assert runs == [{"f": 0, **one, "seed": seed} for one in bare for seed in (5, 3)]


def test_a_set_of_the_list_outranks_what_is_fixed_and_seeds_alone_are_a_grid(grid):
    assert grid(list=[{"f": 1}, {}], fixed={"f": 0}) == [{"f": 1}, {"f": 0}]
    assert grid(seeds=3, fixed={"f": 0}) == [{"f": 0, "seed": seed} for seed in (0, 1, 2)]
    assert grid(seeds=1) == [{"seed": 0}]


def test_a_set_that_stands_twice_runs_once(grid):
    assert grid(product={"a": [1, 2]}, list=[{"b": 3, "a": 1}, {"a": 1, "b": 3}, {"a": 2}]) == [
        {"a": 1}, {"a": 2}, {"a": 1, "b": 3},
    ]  # fmt: skip
    assert len(grid(product={"a": [True, 1, "1", 1.5]})) == 4


def test_as_many_runs_as_allowed_are_no_mistake_and_one_more_is(grid, monkeypatch):
    monkeypatch.setattr(sweep, "MOST_RUNS", 12)
    assert len(grid(product={"a": [1, 2], "b": [1, 2]}, list=[{"a": 3}, {"a": 4}], seeds=2)) == 12
    assert len(grid(seeds=12)) == 12
    for much in (
        {"product": {"a": list(range(13))}},
        {"product": {"a": [1, 2], "b": [1, 2]}, "list": [{"a": 3}] * 3, "seeds": 2},
        {"seeds": 13},
    ):
        with pytest.raises(GridError, match="asks for over 12 runs"):
            grid(**much)


def test_a_seed_in_two_parts_of_a_grid_is_refused_wherever_it_stands(grid):
    for other in ({"fixed": {"seed": 1}}, {"list": [{"seed": 1}]}, {"product": {"seed": [1]}}):
        with pytest.raises(GridError, match="seed is given twice"):
            grid(seeds=2, **other)
    assert grid(list=[{"seed": 4}], product={"a": [1]}) == [{"a": 1}, {"seed": 4}]


def test_names_may_stand_twice_only_in_different_sets(tmp_path):
    (tmp_path / "g.yml").write_text("list: [{a: {b: 1, b: 2}}]")
    with pytest.raises(GridError, match="'b' stands twice"):
        read_grid(tmp_path / "g.yml")


# ---------------------------------------------------------------- keys


def test_each_run_holds_every_plain_parameter_and_no_formula(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "source_fingerprint", lambda: "of today")
    path = written(tmp_path / "a.ipynb", cells())
    first, second = plan(path, [{"x": 3, "rate": 1}, {"nothing": [1], "third": 0.3}])
    assert first.parameters == {**DEFAULTS, "x": 3, "rate": 1.0}
    assert type(first.parameters["rate"]) is float
    assert second.parameters == {**DEFAULTS, "nothing": [1], "third": 0.3}
    assert first.source == second.source == "of today"
    assert first.notebook == second.notebook
    assert first.notebook.startswith("a.ipynb@") and len(first.notebook) == len("a.ipynb@") + 8
    assert all(len(run.key) == 12 and int(run.key, 16) >= 0 for run in (first, second))


def test_runs_stand_in_the_order_given_and_once(tmp_path):
    path = written(tmp_path / "a.ipynb", cells())
    runs = plan(path, [{"x": 3}, {"x": 1}, {"x": 2}, {}, {"rate": 0.5, "x": 3}])
    assert [run.parameters["x"] for run in runs] == [3, 1, 2]
    assert len({run.key for run in runs}) == 3


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([0.5, 1.0]), st.sampled_from("ab")),
        min_size=2,
        max_size=4,
    )
)
def test_two_runs_have_one_key_exactly_if_their_parameters_are_equal(tmp_path_factory, values):
    path = tmp_path_factory.getbasetemp() / "keys.ipynb"
    if not path.exists():
        written(path, cells())
    sets = [dict(zip(("x", "rate", "name"), one, strict=True)) for one in values]
    keys = [plan(path, [one])[0].key for one in sets]
    assert len(set(keys)) == len(set(values))
    backwards = [plan(path, [dict(reversed(one.items()))])[0].key for one in sets]
    assert backwards == keys


CHANGES = {
    "code": lambda c: c[2].update(source="print(x + 1)"),
    "a default that no set names": lambda c: c[1].update(source=PARAMETERS.replace("0.5", "0.6")),
    "a formula": lambda c: c[1].update(source=PARAMETERS.replace("1 / 3", "2 / 3")),
    "one more cell": lambda c: c.append(new_code_cell("1")),
    "one cell less": lambda c: c.pop(),
    "the order of cells": lambda c: c.reverse(),
    "where cells part": lambda c: c.__setitem__(slice(2, 3), map(new_code_cell, ("print(x", ")"))),
}
KEPT = {
    "words": lambda c: c[0].update(source="# Other words"),
    "more words": lambda c: c.append(new_markdown_cell("The end")),
    "outputs": lambda c: c[2].update(outputs=[], execution_count=None),
    "metadata": lambda c: c[2].metadata.update(tags=["hide-input"]),
}


@pytest.mark.parametrize("what", [*CHANGES, *KEPT])
def test_a_runs_key_and_notebook_change_with_its_code_and_not_with_its_words(tmp_path, what):
    path, sets = tmp_path / "a.ipynb", [{"x": 2, "third": 0.3}]
    (before,) = plan(written(path, cells()), sets)
    edited = cells()
    (CHANGES | KEPT)[what](edited)
    (after,) = plan(written(path, edited), sets)
    assert (after.key != before.key) == (what in CHANGES)
    assert (after.notebook != before.notebook) == (what in CHANGES)


def test_a_runs_key_changes_with_the_notebooks_name_and_the_librarys_source(tmp_path, monkeypatch):
    keys = {plan(written(tmp_path / name, cells()), [{}])[0].key for name in ("a.ipynb", "b.ipynb")}
    (tmp_path / "elsewhere").mkdir()
    moved = plan(written(tmp_path / "elsewhere" / "a.ipynb", cells()), [{}])[0].key
    assert len(keys) == 2 and moved in keys  # a folder is no part of it
    monkeypatch.setattr(sweep, "source_fingerprint", lambda: "edited")
    assert plan(tmp_path / "a.ipynb", [{}])[0].key not in keys


def test_kinds_of_values_are_checked_against_the_defaults_and_none_takes_any(tmp_path):
    path = written(tmp_path / "a.ipynb", cells())
    for fits in ({"x": -1}, {"rate": 2}, {"rate": 2.5}, {"name": ""}, {"nothing": "t"},
                 {"nothing": True}, {"layers": 3}, {"third": "t"}):  # fmt: skip
        (name,) = fits
        assert plan(path, [fits])[0].parameters[name] == fits[name]
    for no in ({"x": 2.0}, {"x": False}, {"x": "1"}, {"rate": True}, {"name": True}, {"name": 1}):
        with pytest.raises(GridError, match=f"{next(iter(no))} must be "):
            plan(path, [{}, no])


def test_a_set_is_told_the_same_however_its_names_stand():
    told = [
        sweep._told(one) for one in ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, {"a": 2, "b": [1]})
    ]
    assert told[0] == told[1] != told[2]
    assert json.loads(told[0]) == {"a": 1, "b": [2]}


# ---------------------------------------------------------------- options and places


def test_options_at_the_edge_of_sense():
    check_options(jobs=1, timeout=0.1)
    check_options(scheduler="tcp://a:1", resources={"GPU": 0.5}, timeout=1)
    for wrong, words in (
        ({"jobs": 0}, "at least 1"),
        ({"jobs": 1, "scheduler": "tcp://a:1"}, "jobs is for this machine"),
        ({"resources": {"GPU": 1}}, "need a scheduler"),
        ({"resources": {"GPU": 0}, "scheduler": "tcp://a:1"}, "above 0, got GPU=0"),
        ({"resources": {"a": 1, "b": float("inf")}, "scheduler": "s"}, "above 0, got b=inf"),
        ({"timeout": float("inf")}, "got inf"),
        ({"timeout": -1.0}, "got -1"),
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
    monkeypatch.setattr(sweep.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(sweep.joblib, "cpu_count", lambda: cores)
    assert sweep.places() == wanted
    assert sweep.places(5) == 5


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
    sweep.connect("a", wanted)  # workers may still come
    client.workers = {"one": {"GPU": 1, "slot": 1}, "two": {"slot": 2}}
    with pytest.raises(GridError, match="no worker of a offers GPU=1, slot=2"):
        sweep.connect("a", wanted)
    assert [one.closed for one in client.opened] == [False, True]
    client.workers = {"one": {}, "two": {"GPU": 1, "slot": 2}}
    assert sweep.connect("a", wanted).address == "a"
    assert sweep.connect("a").address == "a"
    assert not client.opened[-1].closed


def test_a_cluster_takes_as_many_runs_as_all_its_workers_threads(client):
    assert sweep.places(scheduler="a") == 1
    client.workers = {"one": {}, "two": {}}
    assert sweep.places(scheduler="a") == 2 + 3
    assert all(one.closed for one in client.opened)
