"""A schema: what each column of a table is, in a file that people read, correct and keep."""

import difflib
import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd

from ..files import write_whole
from .convert import CATEGORIES, DATES, NUMBERS
from .errors import ReportError

__all__ = ["Schema", "read_schema"]

ROLES = ("attribute", "outcome", "person", "identifier", "time", "left out")
#: Types that can be values; any other type of Table Schema is left out.
TYPES = (*NUMBERS, *DATES, *CATEGORIES)
OTHER_TYPES = ("any", "object", "array", "list", "duration", "geopoint", "geojson")
#: What describe says of a field for people; it is not read again.
SAID = ("sure", "ask", "notes")
#: Properties of a field that are read, and how each must be.
PROPERTIES = {
    "name": (lambda v: isinstance(v, str) and v != "", "a text"),
    "type": (lambda v: v in (*TYPES, *OTHER_TYPES), f"one of {', '.join(TYPES)} or any"),
    "format": (lambda v: isinstance(v, str), "a text such as %d/%m/%Y"),
    "otherFormats": (lambda v: _all(v, str), "a list of formats"),
    "firstYear": (
        lambda v: isinstance(v, int) or _all(v, int),
        "the first of the hundred years that two digits mean, such as 1927",
    ),
    "decimalChar": (lambda v: isinstance(v, str) and len(v) == 1, "one character"),
    "groupChar": (lambda v: isinstance(v, str) and len(v) <= 1, "one character, or none"),
    "bareNumber": (lambda v: isinstance(v, bool), "true or false"),
    "unit": (lambda v: _all(v, str), "a list of texts"),
    "missingValues": (lambda v: _all(v, str), "a list of texts"),
    "categories": (
        lambda v: _all(v, (str, int, float)) or (_all(v, dict) and all("value" in c for c in v)),
        "a list of values, or of objects with value and label",
    ),
    "categoriesOrdered": (lambda v: isinstance(v, bool), "true or false"),
    "trueValues": (lambda v: _all(v, str), "a list of texts"),
    "falseValues": (lambda v: _all(v, str), "a list of texts"),
    "constraints": (lambda v: isinstance(v, dict), "an object"),
    "role": (lambda v: v in ROLES, f"one of {', '.join(ROLES)}"),
    "keep": (lambda v: isinstance(v, bool), "true or false"),
    "why": (lambda v: isinstance(v, str), "a text"),
}


def _all(values, kind):
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)


@dataclass(frozen=True, eq=False)
class Schema:
    """What the columns of a table are, in the words of Table Schema.

    Parameters
    ----------
    fields : list of dict
        One for each column: name, type and, where it matters, format, decimalChar, groupChar,
        bareNumber, missingValues, categories and categoriesOrdered, trueValues, falseValues.
        Beyond the standard: role (attribute, outcome, person, identifier, time, left out) and why;
        keep (true: known in time, though it gives the outcome away); unit (texts at a number);
        otherFormats and firstYear (of dates). What :func:`~ehrgan.report.describe.describe` says
        for people: sure, ask (what is not decided, and the line that decides it) and notes.
    dialect : dict
        How the file is to be read: keyword arguments of
        :func:`~ehrgan.report.cells.read_cells`.
    notes : list of str
        Sentences on the table as a whole; not saved.

    References
    ----------
    Frictionless Data, *Table Schema*, version 2.

    Examples
    --------
    >>> schema = Schema([{"name": "age", "type": "number", "role": "attribute", "sure": "yes"}])
    >>> schema["age"]["type"], schema.named("attribute")
    ('number', ['age'])
    >>> print(schema)
    name   type      role missing sure
     age number attribute          yes
    """

    fields: list
    dialect: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)

    def __getitem__(self, name):
        """The field of a column."""
        return next(f for f in self.fields if f["name"] == name)

    def __contains__(self, name):
        """Whether a column has a field."""
        return any(f["name"] == name for f in self.fields)

    def named(self, *roles):
        """Names of the fields of some roles, in their order."""
        return [f["name"] for f in self.fields if f.get("role") in roles]

    def changed(self, changes):
        """The schema with other properties for some fields; one that lacks is added.

        Parameters
        ----------
        changes : dict of str to dict
            Properties by the name of the field.
        """
        names = dict.fromkeys([*(f["name"] for f in self.fields), *changes])
        old = {f["name"]: f for f in self.fields}
        fields = [{"name": n} | old.get(n, {}) | changes.get(n, {}) for n in names]
        return Schema(fields, self.dialect, self.notes)

    def to_frame(self):
        """The schema as a table: name, type, role, codes for missing, how sure."""
        rows = [
            {
                "name": f["name"],
                "type": " ".join(filter(None, [f.get("type"), f.get("format")])),
                "role": f.get("role", "not decided"),
                "missing": ", ".join(code for code in f.get("missingValues", ()) if code),
                "sure": f.get("sure", ""),
            }
            for f in self.fields
        ]
        return pd.DataFrame(rows)

    def __str__(self):
        """The schema as a table of text."""
        lines = self.to_frame().to_string(index=False).splitlines()
        return "\n".join(line.rstrip() for line in lines)

    def sentences(self):
        """What is to be asked, why columns are left out, and what was noticed, column by column."""
        for f in self.fields:
            if "ask" in f:
                yield f"{f['name']!r} is not decided: {f['ask']}."
            elif f.get("why"):
                yield f"{f['name']!r} is left out: {f['why']}"
            yield from f.get("notes", ())

    def to_json(self):
        """The schema as the text of a file, a property a line."""
        write = partial(json.dumps, ensure_ascii=False, default=str)
        order = [*PROPERTIES, *SAID]
        fields = []
        for f in self.fields:
            keys = sorted(f, key=lambda k: order.index(k) if k in order else len(order))
            lines = [f"      {write(key)}: {write(f[key])}" for key in keys]
            fields.append("    {\n" + ",\n".join(lines) + "\n    }")
        top = f'  "dialect": {write(self.dialect)},\n  "fields": [\n'
        return "{\n" + top + ",\n".join(fields) + "\n  ]\n}\n"

    def save(self, path):
        """Write the schema into a file, whole or not at all."""
        write_whole(path, self.to_json())


def read_schema(path):
    """Read a schema from a file: one's own, or any Table Schema.

    Parameters
    ----------
    path : path-like
        JSON with a list of fields. What describe said for people (sure, ask, notes) is not taken
        up; of what it lacks, such as roles, describe finds what the records show.

    Returns
    -------
    Schema

    Raises
    ------
    ReportError
        No such file, no JSON, or a field with a wrong property: which, what it is, what it must be.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "my.schema.json"
    >>> _ = path.write_text('{"fields": [{"name": "age", "type": "integr"}]}')
    >>> try:
    ...     read_schema(path)
    ... except ReportError as error:
    ...     print(str(error).partition("schema.json' ")[2][:40])
    field 'age': type is 'integr', and must
    """
    try:
        told = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ReportError(f"schema '{path}' cannot be read: {error.strerror}") from None
    except ValueError as error:  # of JSON, and of UTF-8
        raise ReportError(f"schema '{path}' is no JSON: {error}") from None
    if isinstance(told, dict) and isinstance(told.get("schema"), dict):
        told = told["schema"]  # a resource of a data package
    fields = told.get("fields") if isinstance(told, dict) else None
    if not fields or not _all(fields, dict):
        raise ReportError(f"schema '{path}' has no list \"fields\" of objects: it needs one")
    fields = [_checked(path, k, f) for k, f in enumerate(fields, 1)]
    names = [f["name"] for f in fields]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ReportError(f"schema '{path}' has the fields {twice} more than once")
    for f in fields:
        if "missingValues" in told:
            f.setdefault("missingValues", _codes(told["missingValues"]))
    keys = told.get("primaryKey", [])
    for name in [keys] if isinstance(keys, str) else keys:
        if name not in names:
            raise ReportError(f"schema '{path}': primaryKey {name!r} is none of its fields")
        own = fields[names.index(name)]
        if len(keys) == 1 or isinstance(keys, str):
            own.setdefault("role", "identifier")
    dialect = told.get("dialect", {})
    return Schema(fields, dialect if isinstance(dialect, dict) else {})


def _codes(codes):
    """Codes for missing, which version 2 of the standard also writes with a label."""
    return [code["value"] if isinstance(code, dict) else code for code in codes]


def _checked(path, k, told):
    """A field whose properties are as they must be, with what was only said for people left out."""
    where = f"schema '{path}' field {told.get('name', f'number {k}')!r}"
    found = {key: value for key, value in told.items() if key not in SAID}
    if isinstance(found.get("missingValues"), list):
        found["missingValues"] = _codes(found["missingValues"])
    if "name" not in found:
        raise ReportError(f'{where} has no "name": give that of a column')
    for key, value in found.items():
        if key in PROPERTIES and not PROPERTIES[key][0](value):
            raise ReportError(f"{where}: {key} is {value!r}, and must be {PROPERTIES[key][1]}")
        near = difflib.get_close_matches(key, PROPERTIES, n=1, cutoff=0.8)
        if key not in PROPERTIES and near:
            raise ReportError(f"{where} has no property {key!r}; did you mean {near[0]!r}?")
    form = found.get("format", "default")
    if found.get("type") in DATES and form not in ("default", "any") and "%" not in form:
        raise ReportError(f"{where}: format is {form!r}, and must be as %d/%m/%Y, default or any")
    if found.get("decimalChar", ".") == found.get("groupChar", ""):
        raise ReportError(f"{where}: groupChar is {found['groupChar']!r}, as decimalChar is")
    if "enum" in found.get("constraints", {}) and found.get("type") == "string":
        found.setdefault("categories", found["constraints"]["enum"])
    return found
