"""Sphinx extension: equations as MathML, which pages without scripts show, too."""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util.math import get_node_equation_number

__all__ = ["setup"]


def setup(app):
    """Offer the renderer "mathml"; Sphinx calls this."""
    app.add_html_math_renderer("mathml", (_inline, None), (_displayed, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(translator, node):
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _displayed(translator, node):
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})</span>')
    translator.body.append(convert(node.astext(), display="block"))
    translator.body.append("</div>\n")
    raise nodes.SkipNode
