"""What a notebook asks for, read from its file alone; light to import, as nbformat is not."""

import ast
import json
import re
from pathlib import Path

__all__ = [
    "computed_in", "defaults_of", "literal", "parameter_defaults", "plain_defaults", "read_cells",
    "refuse_another_language", "tags",
]  # fmt: skip

PARAMETERS_TAG = "parameters"
MAGIC = re.compile(r"^(\s*)(?:(?:\w+\s*=\s*)?[%!].*|\S+\?)$", re.MULTILINE)  # IPython's own lines


def read_cells(content):
    """Cells of a notebook, each with its source as one text.

    Parameters
    ----------
    content : bytes
        The notebook's file.

    Returns
    -------
    list of dict

    Raises
    ------
    ValueError
        If it is no JSON. One that is, but no notebook, raises errors of many kinds.
    """
    try:
        notebook = json.loads(content)
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from None
    if notebook["nbformat"] != 4:
        import nbformat  # takes a second, and few notebooks are so old

        return nbformat.reads(content.decode(), as_version=4).cells
    return [{**cell, "source": "".join(cell["source"])} for cell in notebook["cells"]]


def refuse_another_language(content):
    r"""Refuse a notebook whose metadata say that it is not in Python.

    Parameters
    ----------
    content : bytes
        The notebook's file.

    Raises
    ------
    ValueError
        If it is for another language.

    Examples
    --------
    >>> refuse_another_language(b'{"metadata": {"kernelspec": {"name": "ir", "language": "R"}}}')
    Traceback (most recent call last):
    ValueError: it is in R, and a sweep runs Python alone
    """
    metadata = json.loads(content).get("metadata", {})
    kernel = metadata.get("kernelspec", {})
    told = [metadata.get("language_info", {}).get("name"),
            *(kernel.get(key) for key in ("language", "display_name", "name"))]  # fmt: skip
    language = next(filter(None, told), "python")
    if "python" not in language.lower():
        raise ValueError(f"it is in {language}, and a sweep runs Python alone")


def parameter_defaults(path):
    """Names and default values of the parameters that a notebook takes.

    Parameters
    ----------
    path : path-like
        The notebook. One cell of it carries the tag ``parameters``.

    Returns
    -------
    dict of str to str
        Parameter name to the text of its default value; empty if there is no such cell.

    Raises
    ------
    ValueError
        If two cells carry the tag, or the cell is not Python.

    Notes
    -----
    The cell is read, not executed.
    """
    return defaults_of(read_cells(Path(path).read_bytes()))


def defaults_of(cells):
    r"""What :func:`parameter_defaults` gives, of cells that are read already.

    Examples
    --------
    >>> told = "n: int = 3  # trials\nlayers = [5,\n          2]\nprint(n)"
    >>> defaults_of([{"source": told, "metadata": {"tags": ["parameters"]}}])
    {'n': '3', 'layers': '[5, 2]'}
    """
    return {
        name: ast.get_source_segment(source, value)
        if value.lineno == value.end_lineno
        else ast.unparse(value)
        for source, statement in _statements(cells)
        for name, value in _assigned(statement).items()
    }


def plain_defaults(cells):
    r"""Values of the parameters that hold, when their cell has run, what JSON can hold as it is.

    Parameters
    ----------
    cells : list of dict
        As :func:`read_cells` gives them.

    Returns
    -------
    dict
        Parameter name to value; without those that a later line of the cell may change.

    Raises
    ------
    ValueError
        As :func:`parameter_defaults`.

    Examples
    --------
    >>> told = "n = 3\nthird = 1 / 3\nlayers = [5]\nlayers.append(2)\nm = 1\nm += 1"
    >>> plain_defaults([{"source": told, "metadata": {"tags": ["parameters"]}}])
    {'n': 3}
    """
    found = {}
    for _, statement in _statements(cells):
        bound, read = _names(statement)
        for name in (bound | read) & found.keys():
            if name in bound or isinstance(found[name], list | dict):  # which may be changed
                del found[name]
        for name, value in _assigned(statement).items():
            try:
                plain = ast.literal_eval(value)
                if json.loads(json.dumps(plain)) == plain:
                    found[name] = plain
            except (ValueError, TypeError):
                continue
    return found


def computed_in(cells):
    r"""Names that the parameters' cell computes from others, each with those it reads.

    Parameters
    ----------
    cells : list of dict
        As :func:`read_cells` gives them.

    Returns
    -------
    dict of str to set of str

    Raises
    ------
    ValueError
        As :func:`parameter_defaults`.

    Examples
    --------
    >>> told = "n = 3\nout = f'{n}.csv'\nif n > 2:\n    quick = False"
    >>> computed_in([{"source": told, "metadata": {"tags": ["parameters"]}}])
    {'out': {'n'}, 'quick': {'n'}}
    """
    found = {}
    for _, statement in _statements(cells):
        bound, read = _names(statement)
        for name in bound if read else ():
            found[name] = found.get(name, set()) | read
    return found


def _assigned(statement):
    """Names to which a statement does nothing but give a value, with the expression of it."""
    value = getattr(statement, "value", None)
    if value is None or not isinstance(statement, ast.Assign | ast.AnnAssign):
        return {}
    targets = getattr(statement, "targets", None) or [statement.target]
    return {target.id: value for target in targets if isinstance(target, ast.Name)}


def _names(statement):
    """Names that a statement binds, and those that it reads."""
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    read = {name.id for name in names if isinstance(name.ctx, ast.Load)}
    return {name.id for name in names if not isinstance(name.ctx, ast.Load)}, read


def _statements(cells):
    """Statements of the cell tagged as parameters, each with the text that it stands in."""
    tagged = [cell["source"] for cell in cells if PARAMETERS_TAG in tags(cell)]
    if len(tagged) > 1:
        raise ValueError(f"{len(tagged)} of its cells are tagged {PARAMETERS_TAG}; it must be one")
    for source in tagged:
        try:
            return [(source, statement) for statement in ast.parse(source).body]
        except SyntaxError:
            source = MAGIC.sub(r"\1pass", source)
        try:
            return [(source, statement) for statement in ast.parse(source).body]
        except SyntaxError as error:
            raise ValueError(
                f"its cell tagged {PARAMETERS_TAG} is not Python, line {error.lineno}: {error.msg}"
            ) from None
    return []


def tags(cell):
    """The set of a cell's tags."""
    return set(cell.get("metadata", {}).get("tags", []))


def literal(text):
    """A command-line value as Python reads it, or the text itself.

    Examples
    --------
    >>> literal("3"), literal("0.3"), literal("None"), literal("honest")
    (3, 0.3, None, 'honest')
    """
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
