"""What a notebook asks for, read from its file alone; light to import, as nbformat is not."""

import ast
import json
from pathlib import Path

__all__ = ["defaults_of", "literal", "parameter_defaults", "read_cells", "tags"]

PARAMETERS_TAG = "parameters"


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
    tagged = [cell["source"] for cell in cells if PARAMETERS_TAG in tags(cell)]
    found = {}
    for source, statement in _statements(tagged[0]) if tagged else []:
        value = getattr(statement, "value", None)
        if isinstance(statement, ast.Assign | ast.AnnAssign) and value is not None:
            text = ast.get_source_segment(source, value)
            text = ast.unparse(value) if "\n" in text else text
            targets = getattr(statement, "targets", None) or [statement.target]
            found |= {target.id: text for target in targets if isinstance(target, ast.Name)}
    return found


def _statements(source):
    """Statements, each with the text that it stands in; where a magic is among them, by line."""
    try:
        return [(source, statement) for statement in ast.parse(source).body]
    except SyntaxError:
        lines = source.splitlines()
    found = []
    for line in lines if len(lines) > 1 else []:
        found += _statements(line)
    return found


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
