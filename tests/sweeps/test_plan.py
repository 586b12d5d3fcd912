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


@settings(max_examples=30)
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
                 {"nothing": True}, {"layers": []}, {"third": "t"}):  # fmt: skip
        (name,) = fits
        assert plan(path, [fits])[0].parameters[name] == fits[name]
    for no in (
        {"x": 2.0},
        {"x": False},
        {"x": "1"},
        {"rate": True},
        {"name": True},
        {"name": 1},
        {"layers": 3},
        {"layers": {"a": 1}},
        {"layers": None},
    ):
        with pytest.raises(GridError, match=f"{next(iter(no))} must be "):
            plan(path, [{}, no])


def planned(tmp_path, parameters, values, **metadata):
    content = [new_code_cell(parameters, metadata={"tags": ["parameters"]})]
    nbformat.write(new_notebook(cells=content, metadata=metadata), tmp_path / "a.ipynb")
    return plan(tmp_path / "a.ipynb", [values])[0].parameters


@pytest.mark.parametrize(
    ("cell", "values", "wanted"),
    [
        ("where = 'age>=60'\nn = 1", {"where": "age>=70"}, {"where": "age>=70", "n": 1}),
        ("opts = dict(a=1)\nn = 1", {"opts": {"a": 2}}, {"opts": {"a": 2}, "n": 1}),
        ("a = 1; b = 2", {"a": 3}, {"a": 3, "b": 2}),
        ("a = b = 1", {"a": 3}, {"a": 3, "b": 1}),
        ("rate: float = -1e-3  # a = 2", {}, {"rate": -1e-3}),
        (
            "a = None\nb = True\nc = {'k': [1, None]}",
            {},
            {"a": None, "b": True, "c": {"k": [1, None]}},
        ),
        ("name = ('one '\n        'two')", {}, {"name": "one two"}),
        # what JSON would change, or Python must work out, is left to the notebook
        (
            "a = (1, 2)\nb = {1, 2}\nc = {1: 2}\nd = b'x'\ne = 1 + 1\nf = f'{1}'\ng = int('3')",
            {},
            {},
        ),
        ("x = 1\nx += 1\ny = 2\nif y:\n    y = 3\nz = [1]\nz.append(2)\nw = [1]\nw[0] = 9", {}, {}),
        ("x = 1\nx = 2\nprint(x)", {}, {"x": 2}),
    ],
)
def test_a_run_is_given_what_its_cell_leaves_behind_and_no_guess(tmp_path, cell, values, wanted):
    assert planned(tmp_path, cell, values) == wanted


@pytest.mark.parametrize(
    ("cell", "computed"),
    [
        ("n = 1\nout = f'{n}.csv'", "out"),
        ("n = 1\nif n > 1:\n    slow = True", "slow"),
        ("n = 1\nfor i in range(n):\n    pass", "i"),
    ],
)
def test_what_the_cell_computes_from_a_parameter_would_be_stale_and_is_refused(
    tmp_path, cell, computed
):
    with pytest.raises(GridError, match=f"computes {computed} from n .* before n is set: move"):
        planned(tmp_path, cell, {"n": 2})
    assert planned(tmp_path, cell, {"n": 1})["n"] == 1  # as the cell has it
    assert planned(tmp_path, "n = 1\nout = n + 1\nprint(n)", {"n": 2, "out": 5})["out"] == 5


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}},
        {"kernelspec": {"name": "ir", "display_name": "R"}},
        {"language_info": {"name": "R"}},
        {"kernelspec": {"name": "julia-1.10", "display_name": "Julia", "language": "julia"}},
    ],
)
def test_a_notebook_in_another_language_is_refused_and_any_python_is_not(tmp_path, metadata):
    with pytest.raises(GridError, match=r"a.ipynb cannot be read: it is in (R|julia), and a sweep"):
        planned(tmp_path, "n <- 5", {"n": 1}, **metadata)
    for name in ("python3", "conda-env-ehr-py"):
        spec = {"name": name, "display_name": "Python (ehr)", "language": "python"}
        assert planned(tmp_path, "n = 5", {"n": 1}, kernelspec=spec) == {"n": 1}
    assert planned(tmp_path, "n = 5", {"n": 1}) == {"n": 1}


def test_a_cell_that_is_no_python_and_two_that_are_tagged_are_refused(tmp_path):
    with pytest.raises(GridError, match="its cell tagged parameters is not Python, line 2"):
        planned(tmp_path, "n = 5\ny = (2", {"n": 1})
    twice = [new_code_cell("n = 1", metadata={"tags": ["parameters"]}) for _ in range(2)]
    with pytest.raises(GridError, match="2 of its cells are tagged parameters; it must be one"):
        plan(written(tmp_path / "a.ipynb", twice), [{"n": 2}])


def test_text_in_place_of_a_number_and_a_number_in_place_of_text_are_told_the_cure(tmp_path):
    path = written(tmp_path / "a.ipynb", cells())
    with pytest.raises(GridError, match="name must be text, got 7; quotes make text of it"):
        plan(path, [{"name": 7}])
