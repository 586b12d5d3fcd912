"""What a notebook shows besides figures: a function's source, highlighted, and tables of text."""

import ast
import html
import inspect
import re
import textwrap
from functools import partial

import numpy as np
import pandas as pd

from ..paper.silences import SILENCES, silence_table
from ..scores.estimate import Estimate, signed
from ..scores.metrics import METRIC_WORDS
from ..templates import render

__all__ = ["Source", "show", "show_silences", "show_table", "tell"]

# Both styles keep every colour at a contrast of 4.5 or more against their own background.
_LIGHT, _DARK = "default", "github-dark"

# How a page says that it is dark: the book's theme, JupyterLab and Notebook, VS Code.
_DARK_PAGES = ":is([data-theme=dark], [data-jp-theme-light=false], .vscode-dark)"


def show(obj, *, docstring=False):
    """Show the source of a function, class or module, highlighted.

    Parameters
    ----------
    obj : function, method, class or module
        Something written in Python; decorated functions are unwrapped.
    docstring : bool, default=False
        Whether docstrings are shown. Without them what is left is the code itself.

    Returns
    -------
    Source
        In a notebook it displays as highlighted source that reads on light and dark pages;
        printed, it is the plain source.

    Raises
    ------
    TypeError
        If `obj` has no Python source.

    Examples
    --------
    >>> from ehrgan.tables.masking import sparsity
    >>> "return np.isnan(X).mean(axis=1)" in show(sparsity).code
    True
    """
    try:
        obj = inspect.unwrap(obj)
        code = textwrap.dedent(inspect.getsource(obj))
        code = code if docstring else _without_docstrings(code)
    except (TypeError, OSError, SyntaxError) as error:
        raise TypeError(
            f"obj must be a function, method, class or module with Python source, got {obj!r}"
        ) from error
    return Source(code, _title(obj))


def show_table(table, name, caption, words=(), form=".3f"):
    """Write a table's numbers, and lay it out so that it fits a narrow screen.

    Parameters
    ----------
    table : DataFrame
        What it shows: texts, whole numbers, floats and estimates.
    name : str
        Name of the table, unique on its page.
    caption : str
        Says what the table holds; it stands above.
    words : sequence of str, default=()
        Columns of words, which start at the left; all others end at the right.
    form : str or dict, default=".3f"
        How floats and estimates are written, such as ".4f", "+.4f" for differences or "±.3f" for
        estimates with half the width of their interval; or such a form for each of some columns.

    Returns
    -------
    pandas.io.formats.style.Styler
        Displays in a notebook.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"a": [0.5], "b": [Estimate(0.02, 0.01, 0.03)]})
    >>> html = show_table(table, "two", "Two numbers", form={"a": ".1f", "b": "±.2f"}).to_html()
    >>> all(text in html for text in ("<caption>Two numbers<", ">0.5<", ">0.02 ± 0.01<"))
    True
    """
    cells = "padding: 1px 4px; font-size: 0.8rem; text-align: right; vertical-align: top"
    styles = [
        {"selector": "th, td", "props": cells},
        {"selector": "th.row_heading", "props": "text-align: left; font-weight: normal"},
        {"selector": "caption", "props": "caption-side: top; text-align: left"},
    ]
    forms = form if isinstance(form, dict) else dict.fromkeys(table.columns, form)
    write = {name: partial(_written, spec=spec) for name, spec in forms.items()}
    columns = [table.columns.get_loc(word) for word in words]
    styles += [{"selector": f".col{i}", "props": "text-align: left"} for i in columns]
    counted = isinstance(table.index, pd.RangeIndex)  # which names no row
    table = table.rename(index=METRIC_WORDS)
    table = table.rename_axis(index=[None] * table.index.nlevels, columns=None)
    style = table.style.format(write, na_rep="–").set_table_styles(styles)
    style = style.hide(axis="index") if counted else style
    return style.set_uuid(name).set_caption(caption).set_table_attributes('class="dataframe"')


def show_silences(*owners):
    """List what the paper leaves open, folded by the stage of the method.

    Parameters
    ----------
    *owners : estimators, classes or functions
        Whose settings are shown, see :func:`ehrgan.paper.silences.silence_table`.

    Returns
    -------
    IPython.display.HTML
        Displays in a notebook.

    Examples
    --------
    >>> show_silences().data.count("<details>") > 3
    True
    """
    from IPython.display import HTML

    table = silence_table(*owners)
    table["argument"] = [silence.key.rpartition(".")[2] for silence in SILENCES]
    stages = [(name, list(own.itertuples())) for name, own in table.groupby("stage", sort=False)]
    return HTML(render("silences.html", stages=stages))


def _written(cell, spec):
    """A cell as it is read; what has no digits to choose stays as it is."""
    if isinstance(cell, Estimate):
        return format(cell, spec)
    if isinstance(cell, float):
        return signed(cell, spec[1:]) if spec[0] == "+" else format(cell, f"z{spec.lstrip('±')}")
    return cell


def tell(prefix, **values):
    """Hand results to the text of the book, each under its name behind a prefix.

    Parameters
    ----------
    prefix : str
        The chapter's; on a page the result is called ``prefix_name``.
    **values
        Texts, numbers (a NumPy scalar as a plain one, which a page can format) or what a notebook
        displays.
    """
    try:
        from myst_nb import glue
    except ImportError:
        glue = _print

    for name, value in values.items():
        value = value.item() if isinstance(value, np.generic) else value
        glue(f"{prefix}_{name}", value, display=False)


def _print(name, value, display):
    print(f"{name} = {value}")


class Source:
    """Python source that displays highlighted in a notebook.

    Parameters
    ----------
    code : str
        The source.
    title : str
        Where it comes from; read to those who listen to the page.

    Examples
    --------
    >>> print(Source("x = 1", "an example"))
    x = 1
    """

    def __init__(self, code, title):
        self.code = code.rstrip("\n")
        self.title = title

    def __repr__(self):
        """Return the plain source."""
        return self.code

    def _repr_html_(self):
        from pygments import highlight
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import PythonLexer

        body = highlight(self.code, PythonLexer(), HtmlFormatter(nowrap=True))
        # The block scrolls sideways, so it takes the keyboard's focus, and then needs a name.
        return (
            f"<style>{_style_sheet(body)}</style>"
            f'<div class="ehrgan-source"><pre tabindex="0" role="group" '
            f'aria-label="Source of {html.escape(self.title)}">{body}</pre></div>'
        )


def _style_sheet(body):
    """Rules for the tokens in `body`, on light pages and then on dark ones."""
    light = ".ehrgan-source pre"
    dark = f"{_DARK_PAGES} {light}"
    return "\n".join(
        [
            f"{light} {{ padding: 0.8em 1em; line-height: 1.35; overflow-x: auto }}",
            f"{light} {{ background: #f8f8f8; color: #1f2328 }}",
            *_token_rules(_LIGHT, light, body),
            f"{dark} {{ background: #0d1117; color: #e6edf3 }}",
            # A token that the dark style does not mention must not keep its light colour.
            f"{dark} span {{ color: inherit; font-weight: inherit }}",
            *_token_rules(_DARK, dark, body),
        ]
    )


def _token_rules(style, prefix, body):
    """One rule for each kind of token that occurs in `body`, in a Pygments style."""
    from pygments.formatters import HtmlFormatter

    used = set(re.findall(r'class="(\w+)"', body))
    rules = HtmlFormatter(style=style).get_token_style_defs([prefix])
    return [rule for rule in rules if rule[len(prefix) :].split()[0].lstrip(".") in used]


def _title(obj):
    return obj.__name__ if inspect.ismodule(obj) else f"{obj.__module__}.{obj.__qualname__}"


def _without_docstrings(code):
    """Cut docstrings out of source, comments and layout kept."""
    lines = code.splitlines()
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [n for n in ast.walk(ast.parse(code)) if isinstance(n, documented)]
    for node in sorted(nodes, key=lambda n: -getattr(n, "lineno", 0)):
        if ast.get_docstring(node, clean=False) is None:
            continue
        text = node.body[0]
        if lines[text.lineno - 1][: text.col_offset].strip():
            continue  # on the line of its `def`: nothing to cut without cutting that
        stop = text.end_lineno
        while stop < len(lines) and not lines[stop].strip():
            stop += 1
        # A body needs a statement: one that is nothing but its docstring becomes an ellipsis.
        is_alone = len(node.body) == 1 and not isinstance(node, ast.Module)
        indent = re.match(r"\s*", lines[text.lineno - 1]).group()
        lines[text.lineno - 1 : stop] = [f"{indent}..."] if is_alone else []
    return "\n".join(lines)
