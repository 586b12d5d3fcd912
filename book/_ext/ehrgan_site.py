"""Sphinx extension: what the pages need beyond the theme, for readers without sight or network."""

import re
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from shutil import copyfile
from urllib.parse import urlsplit

from bs4 import BeautifulSoup
from fontTools.subset import Subsetter
from fontTools.ttLib import TTFont
from PIL import Image

STATIC = Path(__file__).parent / "static"
ICONS = "fontawesome.js"
ICONS_OF_SCRIPTS = {"fa-check", "fa-copy", "fa-circle-half-stroke", "fa-moon", "fa-sun"}


def setup(app):
    """Connect everything; Sphinx calls this."""
    app.connect("config-inited", choose_theme_options)
    app.connect("builder-inited", serve_mathjax)
    app.connect("build-finished", mend_pages)
    app.add_css_file("ehrgan.css")
    app.add_js_file("ehrgan.js", loading_method="defer")
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
    site = Path(app.outdir)
    unused = site.glob("_static/*webpack-macros.html"), site.rglob("*.map"), site.rglob(ICONS)
    for path in chain(*unused):
        path.unlink()  # templates that are no pages, maps for debuggers, icons that the fonts have
    address = pages_address(app.config.html_theme_options.get("repository_url", ""))
    classes = set()
    for path in site.rglob("*.html"):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for mend in MENDS:
            mend(soup)
        share(soup, path.relative_to(site).as_posix(), address)
        mend_pictures(soup, path)
        path.write_text(str(soup), encoding="utf-8")
        classes |= {name for tag in soup.select("[class*='fa-']") for name in tag["class"]}
    keep_icons(site / "_static", classes | ICONS_OF_SCRIPTS)


def keep_icons(static, used):
    """Leave in the icon fonts, and in the theme's style sheet, only the icons that pages use."""
    sheet = static / "styles" / "pydata-sphinx-theme.css"
    if not sheet.is_file():
        return
    characters = set()

    def keep(rule):
        if used.isdisjoint(re.findall(r"\.(fa-[\w-]+)", rule[1])):
            return ""
        characters.add(int(rule[2], 16))
        return rule[0]

    css = sheet.read_text(encoding="utf-8")
    css = re.sub(r"((?:\.fa-[\w-]+:before,?)+)\{content:\"\\([0-9a-f]+)\"\}", keep, css)
    css = re.sub(r"url\([^)]*\.woff2\) format\(\"woff2\"\),", "", css)
    sheet.write_text(css, encoding="utf-8")
    for font in static.glob("vendor/fontawesome/webfonts/*.ttf"):
        with TTFont(font) as letters:
            chooser = Subsetter()
            chooser.populate(unicodes=characters)
            chooser.subset(letters)
            letters.save(font)
    for font in static.glob("vendor/fontawesome/webfonts/*.woff2"):
        font.unlink()


def pages_address(repository):
    """Where GitHub Pages serves a repository; empty if there is none."""
    parts = urlsplit(repository).path.strip("/").split("/")
    return f"https://{parts[0]}.github.io/{parts[1]}/" if len(parts) == 2 else ""


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


def drop_unused(soup):
    """Leave out what no page, or not this page, needs: icons as scripts, tabs, live code, toggles.

    The theme's style sheet has the icons as fonts already, a tenth of the script's weight.
    """
    live = soup.select_one(".btn-launch-thebe") is not None
    searches = soup.select_one("#search-results") is not None  # boxes elsewhere lead to that page
    needed = {
        ICONS: False,
        "sphinx-thebe": live,
        **dict.fromkeys(("searchtools.js", "language_data.js", "searchindex.js"), searches),
        "design-tabs.js": soup.select_one(".sd-tab-set") is not None,
        "sphinx-design": soup.select_one("[class*='sd-']") is not None,
    }
    for tag in soup.select("script[src], link[href]"):
        address = tag.get("src") or tag["href"]
        if any(name in address and not wanted for name, wanted in needed.items()):
            tag.decompose()


def label_live_code(soup):
    """Say on the button itself that live code needs a network."""
    for button in soup.select(".btn-launch-thebe"):
        button["title"] = "Live code (asks mybinder.org for a machine)"


def describe(soup):
    """Let search engines and chat previews quote the page's first paragraph."""
    paragraph = soup.select_one("article section > p")
    if paragraph is None:
        return
    words = " ".join(paragraph.get_text().split())[:300]
    named = {"name": "description"}, {"property": "og:description"}, {"property": "og:title"}
    for key, content in zip(named, (words, words, soup.h1.get_text().rstrip("#")), strict=True):
        soup.head.append(soup.new_tag("meta", attrs={**key, "content": content}))


def mend_pictures(soup, page):
    """Tell the size of every picture, so that nothing jumps, and make it light.

    Lossless WebP says the same as PNG in two thirds of the bytes. Pictures below the first are
    fetched when they are near the screen.
    """
    for number, image in enumerate(soup.select("article img[src]")):
        file = page.parent / image["src"]
        if file.suffix == ".png" and file.is_file():
            with Image.open(file) as picture:
                image["width"], image["height"] = map(str, picture.size)
                if not file.with_suffix(".webp").is_file():
                    picture.save(file.with_suffix(".webp"), lossless=True, method=6)
            image["src"] = image["src"].removesuffix(".png") + ".webp"
        if number:
            image["loading"], image["decoding"] = "lazy", "async"


def share(soup, name, address):
    """Say what a link to the page shows elsewhere: its address, and its first picture."""
    if not address or soup.select_one("article h1") is None:
        return
    tags = {"og:type": "article", "og:url": address + name, "og:site_name": soup.title.get_text()}
    picture = next(
        (i for i in soup.select("article img[src$='.png']") if "://" not in i["src"]), None
    )
    if picture is not None:
        tags["og:image"] = address + "_images/" + picture["src"].rpartition("/")[2]
        tags["og:image:alt"] = picture.get("alt", "")
    for key, content in tags.items():
        soup.head.append(soup.new_tag("meta", attrs={"property": key, "content": content}))
    link = {"rel": "canonical", "href": address + name}
    soup.head.append(soup.new_tag("link", attrs=link))


MENDS = (
    name_buttons,
    name_sidebar,
    mend_citations,
    mend_tables,
    drop_doubled_scripts,
    drop_unused,
    label_live_code,
    describe,
)
