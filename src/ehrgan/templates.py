"""Pages that the library writes: a template each, with what is filled in escaped."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

__all__ = ["render"]


def render(name, **values):
    """Fill a template of the package.

    Parameters
    ----------
    name : str
        A file below ``data/templates``; in one that ends in ``.html`` every value is escaped.
    **values
        What it asks for.

    Returns
    -------
    str

    Raises
    ------
    jinja2.UndefinedError
        If the template asks for a value that is not given.

    Examples
    --------
    >>> import pandas as pd
    >>> from ehrgan.templates import render
    >>> frame = pd.DataFrame({"x": ["a < b"]})
    >>> "<td>a &lt; b</td>" in render("table.html", frame=frame, caption="")
    True
    """
    return _environment().get_template(name).render(**values)


@cache
def _environment():
    environment = Environment(
        loader=PackageLoader("ehrgan", "data/templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return environment
