"""Grid files: which sets of parameters a sweep asks for."""

import ast
import itertools
import json
import math

import yaml

__all__ = ["GridError", "read_grid"]

MOST_RUNS = 100_000  # more is rather a seed given as the number of seeds

SECTIONS = {
    "product": (dict, "names, each with a list of values"),
    "list": (list, "sets of values"),
    "fixed": (dict, "names with values"),
}


class GridError(ValueError):
    """A sweep that cannot start; the message says what to change."""


class _GridLoader(yaml.SafeLoader):
    """YAML's safe loader, which also refuses what people and YAML read in two ways."""

    def construct_mapping(self, node, deep=False):
        if isinstance(node, yaml.MappingNode):
            names = [name.value for name, _ in node.value if isinstance(name, yaml.ScalarNode)]
            if twice := [name for name in names if names.count(name) > 1]:
                raise yaml.YAMLError(f"{twice[0]!r} stands twice{node.start_mark}")
            for name, value in node.value:
                if _is_bare(value) and not value.value and name.value not in (*SECTIONS, "seeds"):
                    raise GridError(
                        f"line {_line(value)}: {name.value!r} stands without a value: a colon "
                        "needs a space after it, and nothing is written null"
                    )
        return super().construct_mapping(node, deep)

    def construct_object(self, node, deep=False):
        if not _is_bare(node) or node.tag == "tag:yaml.org,2002:merge":
            return super().construct_object(node, deep)
        told = node.value
        try:
            value = super().construct_object(node, deep)
        except ValueError as error:  # the 45th of a month
            raise GridError(
                f"line {_line(node)}: {told}: {error}; quotes make text of it"
            ) from None
        if not _reads_as_meant(told, value):
            read = "text" if value == told else f"the {type(value).__name__} {value}"
            raise GridError(
                f"line {_line(node)}: YAML reads {told} as {read}, which may not be what is meant: "
                "put it in quotes for text, or write it plainly, such as true, null, 10, 0.5, "
                "1.0e-3 or [20, 10]"
            )
        return value


_GridLoader.add_constructor("tag:yaml.org,2002:value", _GridLoader.construct_yaml_str)  # a bare =


def _is_bare(node):
    """Whether YAML guesses what a node is, as it stands without quotes."""
    return isinstance(node, yaml.ScalarNode) and node.style is None


def _line(node):
    return node.start_mark.line + 1


def _reads_as_meant(told, value):
    """Whether a word without quotes is the same to YAML, which has read `value`, and to Python."""
    if told.lower() in ("true", "false", "null", "~", ""):
        return True
    if isinstance(value, float) and not math.isfinite(value):
        return True  # and no parameter, which is said later
    try:
        return ast.literal_eval(told) == value
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value == told and not _is_number(told) and told.count("(") == told.count(")")


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_grid(path):
    r"""Read a grid file: which values to combine, which sets to add, which to hold fixed.

    Parameters
    ----------
    path : path-like
        YAML with any of ``product`` (name to list of values, all combined), ``list`` (sets of
        values), ``fixed`` (values for all that do not say otherwise) and ``seeds`` (a list, or how
        many, counted from 0).

    Returns
    -------
    list of dict
        One set of parameters for each run, none twice.

    Raises
    ------
    GridError
        If the file is missing, is no YAML of that form, holds no run, or a word without quotes
        that YAML reads otherwise than Python does, such as ``no``, ``010``, ``12:30`` or ``1e-3``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
    ...     _ = file.write("product: {a: [1, 2]}\nseeds: 2\nfixed: {b: x}\n")
    ...     file.flush()
    ...     read_grid(file.name)[:2]
    [{'b': 'x', 'a': 1, 'seed': 0}, {'b': 'x', 'a': 1, 'seed': 1}]
    """
    try:
        with open(path, encoding="utf-8") as file:
            grid = yaml.load(file, _GridLoader)
    except OSError as error:
        raise GridError(f"the grid {path} cannot be read: {error.strerror}") from None
    except GridError as error:
        raise GridError(f"in {path}, {error}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: not UTF-8
        raise GridError(f"the grid {path} is not YAML: {' '.join(str(error).split())}") from None
    product, sets, fixed, seeds = _sections(path, grid)
    n_combined = math.prod(map(len, product.values())) if product else 0  # of nothing it is 1
    n_runs = max(1, n_combined + len(sets)) * max(1, len(seeds))
    if n_runs > MOST_RUNS:
        raise GridError(f"the grid {path} asks for over {MOST_RUNS} runs; is that meant?")
    combined = [dict(zip(product, v, strict=True)) for v in itertools.product(*product.values())]
    runs = [*(combined if product else []), *sets]
    if seeds:
        runs = [{**run, "seed": seed} for run in runs or [{}] for seed in seeds]
    unique = list({as_text(run): run for run in [{**fixed, **run} for run in runs]}.values())
    if not unique:
        raise GridError(f"the grid {path} is empty: it asks for no run")
    return unique


def _sections(path, grid):
    """The four parts of a grid, or a sentence on what is wrong with them."""
    known = {*SECTIONS, "seeds"}
    if not isinstance(grid, dict) or not set(grid) <= known:
        raise GridError(f"the grid {path} must hold {', '.join(sorted(known))} and nothing else")
    parts = {}
    for name, (kind, words) in SECTIONS.items():
        parts[name] = kind() if grid.get(name) is None else grid[name]
        if not isinstance(parts[name], kind):
            raise GridError(f"in {path}, {name} must hold {words}, got {parts[name]!r}")
    for name, values in parts["product"].items():
        if not isinstance(values, list):
            raise GridError(f"in {path}, product needs a list for {name}, got {values!r}")
        if not values:
            raise GridError(f"the grid {path} is empty: product has no value for {name}")
    for one in parts["list"]:
        if not isinstance(one, dict):
            raise GridError(f"in {path}, list needs sets such as {{name: value}}, got {one!r}")
    seeds = _seeds(path, grid.get("seeds"))
    held = [*parts["fixed"], *(["seed"] * bool(seeds))]
    given = {*parts["product"], *(name for one in parts["list"] for name in one if seeds)}
    if twice := [name for name in held if name in given or held.count(name) > 1]:
        raise GridError(f"in {path}, {twice[0]} is given twice, in two parts of the grid")
    return parts["product"], parts["list"], parts["fixed"], seeds


def _seeds(path, seeds):
    """Seeds as a list, from a list or from how many."""
    if seeds is None:
        return []
    if type(seeds) is int:
        found = range(min(seeds, MOST_RUNS + 1))
    else:
        found = seeds if isinstance(seeds, list) else []
    if not found or any(type(seed) is not int or seed < 0 for seed in found):
        raise GridError(
            f"in {path}, seeds must be how many, from 1, or a list of whole numbers from 0, "
            f"got {seeds!r}"
        )
    return found


def as_text(values):
    """A set of parameters as text, the same for the same set; refuse what JSON cannot hold."""
    for name, value in values.items():
        if not isinstance(name, str):
            raise GridError(f"the name of a parameter must be text, got {name!r}")
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            hint = "; quotes make text of it" if hasattr(value, "isoformat") else ""
            raise GridError(
                f"{name} must be text, a finite number, true, false, null, or a list or mapping "
                f"of these, got {value!r}{hint}"
            ) from None
    return json.dumps(values, sort_keys=True)
