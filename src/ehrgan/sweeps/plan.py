"""The runs that a grid asks for of a notebook, each with its key."""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from ..source import source_fingerprint
from .cells import (
    computed_in,
    defaults_of,
    plain_defaults,
    read_cells,
    refuse_another_language,
)  # fmt: skip
from .grid import GridError, as_text

__all__ = ["Run", "plan", "read_notebook"]

KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text",
         list: "a list, such as [1, 2]", dict: "a mapping, such as {a: 1}"}  # fmt: skip


class Run(NamedTuple):
    """One notebook run of a sweep.

    Parameters
    ----------
    key : str
        Twelve hexadecimal digits: a hash of notebook, parameters and library source.
    parameters : dict
        The values of the grid, and the notebook's own for every other parameter that it sets to a
        plain value.
    source : str
        Fingerprint of the library's source when the run was planned.
    notebook : str
        The notebook's name, ``@`` and a hash of its code.
    """

    key: str
    parameters: dict
    source: str
    notebook: str


def read_notebook(path):
    """The bytes of a notebook, or a sentence on why they cannot be had."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise GridError(f"the notebook {path} cannot be read: {error}") from None


def plan(notebook, sets, content=None):
    """Check sets of parameters against a notebook, and name each run.

    Parameters
    ----------
    notebook : path-like
        With one cell tagged ``parameters``.
    sets : list of dict
        As :func:`~ehrgan.sweeps.grid.read_grid` gives them.
    content : bytes, optional
        What the notebook holds, where that was read before; the file is not read then.

    Returns
    -------
    list of Run
        In the order given; sets that come to the same run stand once.

    Raises
    ------
    GridError
        If the notebook cannot be read or is not in Python, a name or type of value is not the
        notebook's, or the parameters' cell computes another name from one that is given.
    """
    content = read_notebook(notebook) if content is None else content
    try:
        cells = read_cells(content)
        code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        refuse_another_language(content)
        texts, known, computed = defaults_of(cells), plain_defaults(cells), computed_in(cells)
    except ValueError as error:
        raise GridError(f"the notebook {notebook} cannot be read: {error}") from None
    except Exception:  # such a file raises errors of many kinds
        raise GridError(f"the notebook {notebook} is JSON, but no notebook") from None
    runs, source, name = {}, source_fingerprint(), Path(notebook).name
    label = f"{name}@{hashlib.sha256(json.dumps(code).encode()).hexdigest()[:8]}"
    for values in sets:
        as_text(values)
        values = {k: _checked(name, k, value, texts, known) for k, value in values.items()}
        _refuse_stale(name, values, known, computed)
        parameters = {**known, **values}
        told = json.dumps([name, code, parameters, source], sort_keys=True)
        key = hashlib.sha256(told.encode()).hexdigest()[:12]
        runs[key] = Run(key, parameters, source, label)
    return list(runs.values())


def _refuse_stale(notebook, values, known, computed):
    """Refuse to give a parameter from which the cell has computed what is not given."""
    changed = {name for name, value in values.items() if name not in known or known[name] != value}
    for name in computed.keys() - values.keys():
        if read := sorted(computed[name] & changed):
            raise GridError(
                f"{notebook} computes {name} from {read[0]} in the cell tagged parameters, before "
                f"{read[0]} is set: move that line to a later cell, or give {name} too"
            )


def _checked(notebook, name, value, texts, known):
    """Give a value as the notebook takes it; refuse a name or a type that it does not."""
    if name not in texts:
        takes = f"it takes {', '.join(texts)}" if texts else "it has no cell tagged parameters"
        raise GridError(f"{notebook} takes no parameter {name!r}; {takes}")
    kind = type(known.get(name))
    fits = kind not in KINDS or isinstance(value, (int, float) if kind is float else kind)
    if not fits or (kind in (int, float) and isinstance(value, bool)):
        hint = "; YAML wants 1.0e-3, not 1e-3" if kind is float and isinstance(value, str) else ""
        hint = "; quotes make text of it" if kind is str else hint
        raise GridError(f"{name} must be {KINDS[kind]}, got {value!r}{hint}")
    try:
        return float(value) if kind is float else value  # 1 and 1.0 are one run
    except OverflowError:
        raise GridError(f"{name} must be a number of double precision, got {value!r}") from None
