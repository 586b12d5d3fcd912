"""By what a run of a sweep is known."""

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from ehrgan.sweeps import plan as plans
from ehrgan.sweeps.grid import GridError
from ehrgan.sweeps.plan import plan

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


def test_each_run_holds_every_plain_parameter_and_no_formula(tmp_path, monkeypatch):
    monkeypatch.setattr(plans, "source_fingerprint", lambda: "of today")
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
    monkeypatch.setattr(plans, "source_fingerprint", lambda: "edited")
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
