"""Sphinx extension: what the pages need beyond the theme, for readers without sight or network."""

from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile

from bs4 import BeautifulSoup

STATIC = Path(__file__).parent / "static"


def setup(app):
    """Connect everything; Sphinx calls this."""
    app.connect("config-inited", choose_theme_options)
    app.connect("builder-inited", serve_mathjax)
    app.connect("build-finished", mend_pages)
    app.add_css_file("ehrgan.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def choose_theme_options(app, config):
    """Set theme options one by one: given in ``_config.yml`` they would drop the launch buttons."""
    config.html_static_path.append(str(STATIC))
    config.html_theme_options["navbar_persistent"] = []  # a second search box that nobody asked for


def serve_mathjax(app):
    """Put MathJax into the site, in one file, so that no page asks another host for it."""
    package = Path(find_spec("sphinx-mathjax-offline").origin).parent
    target = Path(app.outdir) / "_static" / "mathjax.js"
    target.parent.mkdir(parents=True, exist_ok=True)
    copyfile(package / "static" / "mathjax" / "tex-svg-full.js", target)
    app.config.mathjax_path = target.name


def mend_pages(app, error):
    """Apply every mend to every page of a finished site."""
    if error or app.builder.name != "html":
        return
    for template in Path(app.outdir, "_static").glob("*webpack-macros.html"):
        template.unlink()  # theme templates that are no pages
    for page in Path(app.outdir).rglob("*.html"):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        for mend in MENDS:
            mend(soup)
        page.write_text(str(soup), encoding="utf-8")


def name_buttons(soup):
    """Name buttons that hold only an icon by their tooltip."""
    for button in soup.select("button[title]:not([aria-label])"):
        if not button.get_text(strip=True):
            button["aria-label"] = button["title"]


def name_sidebar(soup):
    """Make the left column, logo and search included, a region with a name."""
    for sidebar in soup.select("#pst-primary-sidebar"):
        sidebar["role"], sidebar["aria-label"] = "region", "The book"


def mend_citations(soup):
    """Make citations items of their list: the role that docutils gives them is withdrawn."""
    for citation in soup.select("[role=list] > [role=doc-biblioentry]"):
        citation["role"] = "listitem"


def mend_tables(soup):
    """Leave no header cell empty, say what each heads, and let wide tables scroll by keyboard."""
    for number, table in enumerate(soup.select("article table"), 1):
        for cell in table.select("th"):
            if cell.get_text(strip=True):
                cell["scope"] = "col" if cell.find_parent("thead") else "row"
            else:
                cell.name = "td"
        caption = table.caption.get_text(" ", strip=True) if table.caption else f"Table {number}"
        frame = soup.new_tag("div", tabindex="0", role="group", attrs={"class": "ehrgan-wide"})
        frame["aria-label"] = caption.rstrip("#")
        table.wrap(frame)


def drop_doubled_scripts(soup):
    """Keep the first of identical inline scripts: thebe's declares a constant twice."""
    seen = set()
    for script in soup.select("script:not([src])"):
        if script.string in seen:
            script.decompose()
        else:
            seen.add(script.string)


def describe(soup):
    """Let search engines and chat previews quote the page's first paragraph."""
    paragraph = soup.select_one("article section > p")
    if paragraph is None:
        return
    words = " ".join(paragraph.get_text().split())[:300]
    named = {"name": "description"}, {"property": "og:description"}, {"property": "og:title"}
    for key, content in zip(named, (words, words, soup.h1.get_text().rstrip("#")), strict=True):
        soup.head.append(soup.new_tag("meta", attrs={**key, "content": content}))


MENDS = (
    name_buttons,
    name_sidebar,
    mend_citations,
    mend_tables,
    drop_doubled_scripts,
    describe,
)
