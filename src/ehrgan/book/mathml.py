"""Sphinx extension: equations as MathML, which pages without scripts show, too."""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util.math import get_node_equation_number

__all__ = ["as_mathml", "setup"]


def setup(app):
    """Offer the renderer "mathml"; Sphinx calls this."""
    app.add_html_math_renderer("mathml", (_inline, None), (_displayed, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def as_mathml(equation, display="inline"):
    r"""Convert an equation of LaTeX.

    Examples
    --------
    >>> as_mathml(r"\begin{aligned} a &= b \end{aligned}").count("<mtd")
    2
    """
    # the converter knows this environment by one of its names
    return convert(equation.replace("{aligned}", "{align*}"), display=display)


def _inline(translator, node):
    translator.body.append(as_mathml(node.astext()))
    raise nodes.SkipNode


def _displayed(translator, node):
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})</span>')
    translator.body.append(as_mathml(node.astext(), "block"))
    translator.body.append("</div>\n")
    raise nodes.SkipNode
