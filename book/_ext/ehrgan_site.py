"""Sphinx extension: what the pages need beyond the theme, for readers without sight or network."""

import json
import logging
import re
from base64 import b64decode
from copy import copy
from hashlib import sha256
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from shutil import copyfile
from urllib.parse import urldefrag

import yaml
from bs4 import BeautifulSoup
from fontTools.subset import Subsetter
from fontTools.ttLib import TTFont
from PIL import Image

from ehrgan.book.citation import bibtex
from ehrgan.book.quicklook import pages_address
from ehrgan.plots.style import NARROW

STATIC = Path(__file__).parent / "static"
ICONS = "fontawesome.js"
SHEET = "_static/styles/book.css"
HOME = "book/index.html"
BIBTEX = "_static/ehrgan.bib"
WORDS_A_MINUTE = 200
NOT_FOUND = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>No such page</title>
<style>body {{ font: 1.2rem/1.6 sans-serif; max-width: 36rem; margin: 15vh auto }}</style>
</head>
<body>
<main>
<h1>No such page</h1>
<p>Perhaps a chapter has moved: its number changed, and its name did not.
<a href="{home}book/index.html">The first page</a> lists all of them, and
<a href="{home}search.html">the search</a> finds words.</p>
</main>
</body>
</html>
"""
BRACKETS = r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"  # nested at most three deep


def setup(app):
    """Connect everything; Sphinx calls this."""
    app.connect("config-inited", choose_theme_options)
    app.connect("builder-inited", serve_mathjax)
    app.connect("builder-inited", write_citation)
    app.connect("html-page-context", offer_citation, priority=900)  # below the theme's buttons
    app.connect("build-finished", mend_pages, priority=900)  # after the theme
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


def write_citation(app):
    """Put the files by which the book is cited into the site."""
    source, target = Path(app.srcdir) / "CITATION.cff", Path(app.outdir) / BIBTEX
    if source.is_file():
        config = yaml.safe_load(source.with_name("_config.yml").read_text(encoding="utf-8"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(bibtex(source.read_text(encoding="utf-8"), config), encoding="utf-8")
        copyfile(source, target.with_name(source.name))


def offer_citation(app, pagename, templatename, context, doctree):
    """Give every page a button for citing the book, beside that for downloading the page."""
    if "header_buttons" not in context or not (Path(app.outdir) / BIBTEX).is_file():
        return
    entry = {"type": "link", "icon": "fas fa-file"}
    copying = {"type": "javascript", "javascript": "", "icon": "fas fa-copy", "text": "Copy BibTeX"}
    files = {"BibTeX file": BIBTEX, "CITATION.cff": "_static/CITATION.cff"}
    buttons = [copying | {"label": "cite-button", "tooltip": "Copy the entry for BibTeX"}]
    for text, name in files.items():
        address = context["pathto"](name, 1)
        buttons.append(entry | {"text": text, "url": address, "tooltip": f"Open the {text}"})
    group = {"type": "group", "icon": "fas fa-quote-right", "label": "cite-buttons"}
    context["header_buttons"].append(group | {"tooltip": "Cite this book", "buttons": buttons})


def mend_pages(app, error):
    """Apply every mend to every page of a finished site."""
    if error or app.builder.name != "html":
        return
    site = Path(app.outdir)
    unused = site.glob("_static/*webpack-macros.html"), site.rglob("*.map"), site.rglob(ICONS)
    for path in chain(*unused):
        path.unlink()  # templates that are no pages, maps for debuggers, icons that the fonts have
    pages = {
        path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in site.rglob("*.html")
    }
    for notebook in Path(app.srcdir).rglob("notebooks/*.ipynb"):
        unpack_narrow(notebook, site / "_images")
    for path, soup in pages.items():
        bring_figures(soup, path, pages)
        bring_findings(soup, path, pages)
    for path, soup in pages.items():
        tell_times(soup, Path(app.srcdir) / path.relative_to(site).with_suffix(".ipynb"))
    address = pages_address(app.config.html_theme_options.get("repository_url", ""))
    picture = first_picture(pages.get(site / HOME), address)
    for path, soup in pages.items():
        for mend in MENDS:
            mend(soup)
        fill_citation(soup, site / BIBTEX)
        share(soup, path.relative_to(site).as_posix(), address, picture)
        mend_pictures(soup, path)
    css = join_styles(site, pages.values())
    (site / "404.html").write_text(NOT_FOUND.format(home=address or "/"), encoding="utf-8")
    for path, soup in pages.items():
        drop_idle_marks(soup, css)
        path.write_text(str(soup), encoding="utf-8")
    for font in site.glob("_static/vendor/fontawesome/webfonts/*.woff2"):
        font.unlink()


def fill_citation(soup, entry):
    """Give the button that copies the entry its text: to the theme a button is a line of code.

    The list stays open on a click, and the button's words say, aloud too, that it is done.
    """
    for button in soup.select(".btn-cite-button"):
        del button["onclick"]
        button["data-clipboard-text"] = entry.read_text(encoding="utf-8")
        button.select_one(".btn__text-container")["role"] = "status"
        button.find_parent(class_="dropdown").button["data-bs-auto-close"] = "outside"


def unpack_narrow(notebook, images):
    """Put the narrow pictures of a notebook's figures beside the wide ones.

    A figure's output holds both; the wide one is called after its content.
    """
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", ()):
            narrow = output.get("metadata", {}).get(NARROW)
            if narrow:
                wide = b64decode("".join(output["data"]["image/png"]))
                file = images / f"{sha256(wide).hexdigest()}.png"
                if file.is_file():
                    narrow_of(file).write_bytes(b64decode(narrow))


def narrow_of(file):
    """Where the narrow variant of a picture lies, if there is one."""
    return file.with_stem(f"{file.stem}-narrow")


def bring_figures(soup, path, pages):
    """Show a chapter's figure on another page: a container of the class holds a link to it."""
    for place in soup.select(".ehrgan-figure:has(a[href*='#'])"):
        file, anchor = urldefrag(place.a["href"])
        chapter = pages.get((path.parent / file).resolve())
        found = chapter and chapter.find("figure", id=anchor)
        if found is None:
            continue
        figure, link = copy(found), place.a.extract()
        del figure["id"]
        figure.select_one(".headerlink").decompose()
        number = figure.select_one(".caption-number")
        number.string = ""
        number.append(link)
        number.insert_after(" ")
        place.clear()
        place.append(figure)


def bring_findings(soup, path, pages):
    """Show what each chapter of the reading map found, and its first figure in small."""
    for link in soup.select(".ehrgan-map a[href]"):
        chapter = pages.get((path.parent / link["href"]).resolve())
        finding = chapter and chapter.select_one("article h1 ~ blockquote strong")
        if finding is None:
            continue
        words = copy(finding)
        words.name = "span"
        link.parent.append(words)
        figure = chapter.select_one("article figure img")
        if figure:  # beside its own words, so a reader who listens misses nothing
            small = soup.new_tag("img", attrs={"src": figure["src"], "alt": "", "class": "small"})
            link.parent.insert(0, small)


def tell_times(soup, notebook):
    """Say below a chapter's title how long it takes to read, and took to run."""
    if soup.select_one("article h1 ~ blockquote") is None or not notebook.is_file():
        return
    text = soup.article.find_all(string=True)
    said = [words for words in text if not words.find_parent(["pre", "script", "style", "table"])]
    minutes = max(1, round(sum(len(words.split()) for words in said) / WORDS_A_MINUTE))
    times = [f"{minutes} minutes to read"]
    about = json.loads(notebook.read_text(encoding="utf-8"))["metadata"].get("papermill", {})
    if seconds := about.get("duration"):
        times.append(f"{seconds:.0f} seconds to run on the machine that built this page")
    line = soup.new_tag("p", attrs={"class": "ehrgan-times"})
    line.string = ", ".join(times)
    soup.select_one("article h1").insert_after(line)


def names_in_use(site, soups):
    """Classes and ids that pages have, or that a script may give them."""
    names = set()
    for soup in soups:
        for tag in soup.select("[class], [id]"):
            names |= {*tag.get("class", ()), tag.get("id")}
        names.update(*(re.findall(r"[\w-]+", tag.get_text()) for tag in soup.select("script")))
    for path in site.glob("_static/**/*.js"):
        if path.name != "mathjax.js":
            names.update(re.findall(r"[\w-]+", path.read_text(encoding="utf-8")))
    return names


def join_styles(site, soups):
    """Replace all style sheets by one that the pages share, with the rules that they use.

    A page waits for its styles before it shows anything, so they must be few and small: the theme
    alone brings 300 kB, most of it for parts that no page has.
    """
    paths = {}
    for soup in soups:
        links = soup.select("link[rel=stylesheet]")
        for link in links:
            root = soup.html["data-content_root"]
            paths[site / link["href"].removeprefix(root).split("?")[0]] = link
            if link is links[0]:
                link["href"] = root + SHEET
            else:
                link.decompose()
    names = names_in_use(site, soups)
    css = re.sub(r"\s+", " ", used_rules("".join(map(read_styles, paths)), names))
    keep_icons(site / "_static", css)
    for path in site.glob("_static/**/*.css"):
        path.unlink()
    (site / SHEET).write_text(css, encoding="utf-8")
    return css


def read_styles(path):
    """Read a style sheet with those that it imports, as if it lay beside the joined one."""
    css = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    if path.parent.name != "styles":
        css = re.sub(r"url\((?!\"data)", "url(../", css)
    return re.sub(r'@import "([^"]+)";', lambda found: read_styles(path.parent / found[1]), css)


def used_rules(css, names):
    """Drop selectors with a class or id that is not in use, then rules and blocks left empty."""

    def keep(rule):
        selectors = re.findall(rf"(?:[^,()]|{BRACKETS})+", rule[1])
        used = ",".join(filter(is_used, selectors))
        return f"{used}{{{rule[2]}}}" if used else ""

    def is_used(selector):
        always = re.sub(rf":(?:not|is|where|has){BRACKETS}", "", selector)
        return names.issuperset(re.findall(r"[.#](-?[A-Za-z_][\w-]*)", always))

    css = re.sub(r"([^{}@;]+)\{([^{}]*)\}", keep, css)
    css = re.sub(r"url\([^)]*\.woff2\) format\(\"woff2\"\),", "", css)
    return re.sub(r"@(?:media|supports)[^{};]*\{\s*\}", "", css)


def drop_idle_marks(soup, css):
    """Drop marks of words in code and of table cells that change nothing: a quarter of a page."""
    plain = set(re.findall(r"\.highlight \{ background: #\w+; (color: #\w+)", css))
    rules = re.findall(r"\.highlight \.(\w+) \{ ([^}]+?) \}", css)
    coloured = {name for name, rule in rules if rule not in plain}
    for word in soup.select(".highlight pre span[class]"):
        if coloured.isdisjoint(word["class"]):
            word.unwrap()
    styled = css + " ".join(tag.get_text() for tag in soup.select("article style"))
    named = set(re.findall(r"[.#]([\w-]+)", styled))
    for cell in soup.select(".cell_output :is(td, th)"):
        if cell.get("id") not in named:
            del cell["id"]
        cell["class"] = [name for name in cell.get("class", ()) if name in named]
        if not cell["class"]:
            del cell["class"]


def keep_icons(static, css):
    """Leave in the icon fonts only the icons that a style sheet names."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells every table that it prunes
    characters = {int(code, 16) for code in re.findall(r'content:"\\(f[0-9a-f]+)"', css)}
    for font in static.glob("vendor/fontawesome/webfonts/*.ttf"):
        with TTFont(font) as letters:
            chooser = Subsetter()
            chooser.populate(unicodes=characters)
            chooser.subset(letters)
            letters.save(font)


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
    """Number captions, leave no header cell empty, and let wide tables scroll by keyboard.

    The tables of chapters come from their cells, out of reach of Sphinx's numbering.
    """
    chapter = soup.select_one("article h1 .section-number")
    chapter = chapter and chapter.get_text(strip=True).rstrip(".")
    for number, table in enumerate(soup.select("article table:has(caption)"), 1):
        if chapter:
            label = soup.new_tag("span", attrs={"class": "caption-number"})
            label.string = f"Table {chapter}.{number} "
            table.caption.insert(0, label)
            link = soup.new_tag("a", href=f"#table-{number}", attrs={"class": "headerlink"})
            link["title"] = "Link to this table"
            link.string = "#"
            table.caption.append(link)
            table.insert_before(soup.new_tag("span", id=f"table-{number}"))
    for table in soup.select("article table"):
        if table.th is None:  # the index is laid out in columns
            table["role"] = "presentation"
            continue
        for cell in table.select("th"):
            if cell.get_text(strip=True):
                cell["scope"] = "col" if cell.find_parent("thead") else "row"
            else:
                cell.name = "td"
        caption = table.caption.get_text(" ", strip=True) if table.caption else "Table"
        table.wrap(scrolling_frame(soup, caption.rstrip("# ")))


def scrolling_frame(soup, label):
    """A frame that scrolls sideways, by keyboard too, and so needs a name."""
    attributes = {"class": "ehrgan-wide", "role": "group", "tabindex": "0", "aria-label": label}
    return soup.new_tag("div", attrs=attributes)


def mend_numbers(soup):
    """Write negative numbers with a minus sign, which is read aloud, and keep 95 % on one line.

    Code stays as it is: it may be copied.
    """
    for text in soup.article.find_all(string=re.compile(r"\d|%")) if soup.article else ():
        if not text.find_parent(["code", "pre", "script", "style", "dt"]):
            if not text.find_parent(class_="math"):
                words = re.sub(r"(?<![\w.\-–])-(?=\.?\d)", "\N{MINUS SIGN}", text)
                words = re.sub(r"(?<=\d) ?%|^ %", "\N{NO-BREAK SPACE}%", words)
                words = words.replace(" ± ", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}")
                text.replace_with(words)


def drop_doubled_scripts(soup):
    """Keep the first of identical inline scripts: thebe's declares a constant twice."""
    seen = set()
    for script in soup.select("script:not([src])"):
        if script.string in seen:
            script.decompose()
        else:
            seen.add(script.string)


def drop_unused(soup):
    """Leave out scripts that no page, or not this page, needs; the others come after the page."""
    live = soup.select_one(".btn-launch-thebe") is not None
    searches = soup.select_one("#search-results") is not None  # boxes elsewhere lead to that page
    needed = {
        ICONS: False,  # the style sheet has the icons as fonts already, at a tenth of the weight
        "sphinx-thebe": live,
        **dict.fromkeys(("searchtools.js", "language_data.js", "searchindex.js"), searches),
        "design-tabs.js": soup.select_one(".sd-tab-set") is not None,
        "mathjax.js": soup.select_one(".math") is not None,
    }
    for tag in soup.select("link[rel=preload]"):
        tag.decompose()  # fetched before the styles, without which nothing is shown
    for tag in soup.select("script[src]"):
        if any(name in tag["src"] and not wanted for name, wanted in needed.items()):
            tag.decompose()
        elif "documentation_options" not in tag["src"]:  # inline scripts use that one
            tag["defer"] = ""
            tag.attrs.pop("async", None)
            soup.body.append(tag.extract())


def label_live_code(soup):
    """Say on the button itself that live code needs a network."""
    for button in soup.select(".btn-launch-thebe"):
        button["title"] = "Live code (asks mybinder.org for a machine)"


def describe(soup):
    """Let search engines and chat previews quote a chapter's finding, or a first paragraph."""
    paragraph = soup.select_one("article h1 ~ blockquote p, article section > p:not(.ehrgan-times)")
    if paragraph is None:
        return
    words = " ".join(paragraph.get_text().split())[:300]
    named = {"name": "description"}, {"property": "og:description"}, {"property": "og:title"}
    for key, content in zip(named, (words, words, soup.h1.get_text().rstrip("#")), strict=True):
        soup.head.append(soup.new_tag("meta", attrs={**key, "content": content}))


def mend_pictures(soup, page):
    """Tell the size of every picture, so that nothing jumps, and make it light.

    Lossless WebP says the same as PNG in two thirds of the bytes. Pictures below the first are
    fetched when they are near the screen. Phones get the narrow variant, where there is one.
    """
    for number, image in enumerate(soup.select("article img[src]")):
        file = page.parent / image["src"]
        if file.suffix == ".png" and file.is_file():
            narrow = narrow_of(file)
            if narrow.is_file() and "small" not in image.get("class", ()):
                size = dict(zip(("width", "height"), make_light(narrow), strict=True))
                address = image["src"].replace(file.name, narrow.with_suffix(".webp").name)
                source = {"srcset": address, "media": "(max-width: 600px)", **size}
                image.wrap(soup.new_tag("picture"))
                image.insert_before(soup.new_tag("source", attrs=source))
            image["width"], image["height"] = make_light(file)
            image["src"] = image["src"].removesuffix(".png") + ".webp"
        elif file.suffix == ".svg" and file.is_file():
            drawing = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser").svg
            image["width"], image["height"] = drawing["viewbox"].split()[2:]
        if number:
            image["loading"], image["decoding"] = "lazy", "async"


def make_light(file):
    """Write a PNG as lossless WebP beside it, and return its width and height as texts."""
    light = file.with_suffix(".webp")
    with Image.open(file) as picture:
        if not light.is_file():
            picture.save(light, lossless=True, method=6)
        return [str(side) for side in picture.size]


def first_picture(soup, address):
    """What another site shows of a page: its first picture that is one file, and what it says."""
    found = soup and soup.select_one("article img[src$='.png']:not([src*='://'])")
    if not found:
        return {}
    name = found["src"].rpartition("/")[2]
    return {"og:image": f"{address}_images/{name}", "og:image:alt": found.get("alt", "")}


def share(soup, name, address, picture):
    """Say what a link to the page shows elsewhere: its address, and a picture."""
    if not address or soup.select_one("article h1") is None:
        return
    tags = {"og:type": "article", "og:url": address + name, "og:site_name": soup.title.get_text()}
    for key, content in (tags | (first_picture(soup, address) or picture)).items():
        soup.head.append(soup.new_tag("meta", attrs={"property": key, "content": content}))
    link = {"rel": "canonical", "href": address + name}
    soup.head.append(soup.new_tag("link", attrs=link))


MENDS = (
    name_buttons,
    name_sidebar,
    mend_citations,
    mend_tables,
    mend_numbers,
    drop_doubled_scripts,
    drop_unused,
    label_live_code,
    describe,
)
