"""Grids: what they ask for, and what of no sense they are refused for."""

import json

import pytest
import yaml

from ehrgan.sweeps import grid as grids
from ehrgan.sweeps.grid import GridError, read_grid


@pytest.fixture
def grid(tmp_path):
    """A function that reads a grid of that content."""

    def read(**content):
        (tmp_path / "g.yml").write_text(yaml.safe_dump(content, sort_keys=False))
        return read_grid(tmp_path / "g.yml")

    return read


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
    monkeypatch.setattr(grids, "MOST_RUNS", 12)
    assert len(grid(product={"a": [1, 2], "b": [1, 2]}, list=[{"a": 3}, {"a": 4}], seeds=2)) == 12
    assert len(grid(seeds=12)) == 12
    assert len(grid(list=[{"a": i} for i in range(12)])) == 12  # no combination is no run
    assert len(grid(list=[{"a": i} for i in range(3)], seeds=4)) == 12
    for much in (
        {"product": {"a": list(range(13))}},
        {"product": {"a": [1, 2], "b": [1, 2]}, "list": [{"a": 3}] * 3, "seeds": 2},
        {"seeds": 13},
        {"list": [{"a": i} for i in range(13)]},
        {"list": [{"a": 1}] * 7, "seeds": 2},
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


def test_a_set_is_told_the_same_however_its_names_stand():
    told = [
        grids.as_text(one) for one in ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, {"a": 2, "b": [1]})
    ]
    assert told[0] == told[1] != told[2]
    assert json.loads(told[0]) == {"a": 1, "b": [2]}


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("{}", "is empty"),
        ("list: []", "is empty"),
        ("product: {x: []}\nseeds: 2", "is empty: product has no value for x"),
        ("products: {x: [1]}", "must hold fixed, list, product, seeds"),
        ("- 1", "must hold fixed, list, product, seeds"),
        ("product: {x: 1}", "product needs a list for x, got 1"),
        ("product: [1]", r"product must hold names, each with a list of values, got \[1\]"),
        ("list: [1]", "list needs sets such as {name: value}, got 1"),
        ("fixed: [1]", r"fixed must hold names with values, got \[1\]"),
        ("product: [", 'is not YAML: .*g.yml", line 1'),
        ("product: {x: [1], x: [2]}", "'x' stands twice"),
        ("product: {x: [2026-13-45]}", "line 1: 2026-13-45: month must be .*; quotes make text"),
        (b"\xff\xfe\xff", "is not YAML: .*decode"),
        ("seeds: a", "seeds must be how many, from 1, or a list of whole numbers .*got 'a'"),
        ("seeds: 0", "seeds must be .*got 0"),
        ("seeds: -1", "seeds must be .*got -1"),
        ("seeds: true", "seeds must be .*got True"),
        ("seeds: [1, x]", r"seeds must be .*got \[1, 'x'\]"),
        ("seeds: 20261125", "asks for over 100000 runs"),
        ("seeds: 2\nproduct: {seed: [1]}", "seed is given twice"),
        ("fixed: {x: 1}\nproduct: {x: [1]}", "x is given twice"),
        ("product: {x: [.nan]}", "x must be text, a finite number, .*got nan"),
        ("product: {x: [!!set {? a : null}]}", "x must be text, .*got {'a'}"),
        ("product: {1: [1]}", "the name of a parameter must be text, got 1"),
    ],
)
def test_a_grid_of_no_sense_is_refused(tmp_path, content, wanted):
    (tmp_path / "g.yml").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(GridError, match=wanted):
        read_grid(tmp_path / "g.yml")
    with pytest.raises(GridError, match="cannot be read"):
        read_grid(tmp_path / "nowhere.yml")


#: Words without quotes that YAML reads otherwise than they look, and how it reads them.
TWO_WAYS = [
    *[(word, "the bool True") for word in ("yes", "Yes", "YES", "on", "On")],
    *[(word, "the bool False") for word in ("no", "No", "NO", "off", "OFF")],
    ("12:30", "the int 750"), ("1:30.5", "the float 90.5"), ("190:20:30", "the int 685230"),
    ("010", "the int 8"), ("-017", "the int -15"), ("007", "the int 7"), ("1__0", "the int 10"),
    ("08", "text"), ("0o17", "text"), ("1e3", "text"), ("1E2", "text"), ("1.0e3", "text"),
    ("-.5", "text"), ("nan", "text"), ("-inf", "text"), ("None", "text"), ("1e400", "text"),
    ("2026-11-25", "the date 2026-11-25"), ("2026-11-25 10:00:00", "the datetime 2026-11-25 10"),
    ("(20, 10)", "text"), ("r'x'", "text"), ("1,5", "text"),
]  # fmt: skip


@pytest.mark.parametrize(("word", "read"), TWO_WAYS)
def test_what_yaml_reads_in_its_own_way_is_refused_by_line_and_free_in_quotes(tmp_path, word, read):
    path = tmp_path / "g.yml"
    path.write_text(f"seeds: 1\nproduct:\n  x:\n    - {word}\n")
    with pytest.raises(
        GridError, match="put it in quotes for text, or write it plainly"
    ) as refused:
        read_grid(path)
    assert f"in {path}, line 4: YAML reads {word} as {read}" in str(refused.value)
    path.write_text(f'fixed: {{x: "{word}", seed: 0}}\nlist: [{{}}]')
    assert read_grid(path) == [{"x": word, "seed": 0}]


def test_names_are_read_as_values_are_and_brackets_are_no_tuple(tmp_path):
    path = tmp_path / "g.yml"
    for text, wanted in (
        ("product: {on: [1]}", "YAML reads on as the bool True"),
        ("product: {x: [(20, 10)]}", r"YAML reads \(20 as text"),
        ("fixed: {x: {l2:0.1}}", "line 1: 'l2:0.1' stands without a value: a colon needs a space"),
        ("fixed:\n  x:\n", "line 2: 'x' stands without a value: .* nothing is written null"),
    ):
        path.write_text(text)
        with pytest.raises(GridError, match=wanted):
            read_grid(path)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True), ("False", False), ("null", None), ("~", None), ("10", 10), ("+1", 1),
        ("-3", -3), ("0", 0), ("0x1F", 31), ("1_000", 1000), ("0.5", 0.5), (".5", 0.5),
        ("5.", 5.0), ("1.0e-3", 1e-3), ("-1.5E+3", -1500.0), ("y", "y"), ("n", "n"), ("=", "="),
        ("a(b)", "a(b)"), ("1/3", "1/3"), ("v1.2.3", "v1.2.3"), ("'no'", "no"), ("[]", []),
        ("{a: 1}", {"a": 1}), ("age>=60", "age>=60"), ("!!str yes", "yes"),
    ],
)  # fmt: skip
def test_what_yaml_and_people_read_alike_is_read_so(tmp_path, word, value):
    (tmp_path / "g.yml").write_text(f"list:\n  - x: {word}\n")
    (found,) = read_grid(tmp_path / "g.yml")
    assert found == {"x": value} and type(found["x"]) is type(value)


def test_sections_may_be_empty_and_sets_may_be_merged(tmp_path):
    (tmp_path / "g.yml").write_text("product:\nfixed: &all {y: 1}\nlist: [{<<: *all, x: 2}]")
    assert read_grid(tmp_path / "g.yml") == [{"x": 2, "y": 1}]
