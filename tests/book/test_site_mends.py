"""Each mend of the finished pages, on small pages made by hand."""

import re
from base64 import b64encode
from collections import defaultdict
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib import TTFont
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

ROOT = Path(__file__).parents[2]
SPACE, MINUS = "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"


def soup_of(text):
    return BeautifulSoup(text, "html.parser")


def picture(path, width, height=40):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), "#c0ffee").save(path)
    return path


# ---------------------------------------------------------------- how the book is cited


@pytest.mark.parametrize("cited", [True, False])
def test_every_page_offers_the_entry_that_the_citation_file_gives(extension, tmp_path, cited):
    app = SimpleNamespace(srcdir=tmp_path, outdir=tmp_path / "out")
    told = {"copyright": "2031", "repository": {"url": "https://example.org/a"}}
    (tmp_path / "_config.yml").write_text(yaml.safe_dump(told))
    if cited:
        (tmp_path / "CITATION.cff").write_text("title: A book\nauthors: [{name: We}]")
    extension.write_citation(app)
    theme, other = {"header_buttons": ["theirs"], "pathto": lambda name, _: f"../{name}"}, {}
    for context in (theme, other):
        extension.offer_citation(app, "n/a", "page.html", context, None)
    assert other == {}
    if not cited:
        assert theme["header_buttons"] == ["theirs"]
        return
    page = soup_of(
        '<div class="dropdown"><button>Cite</button><ul><button class="btn btn-cite-button" '
        'onclick=""><span class="btn__text-container">Copy</span></button></ul></div>'
    )
    extension.fill_citation(page, tmp_path / "out" / extension.BIBTEX)
    theirs, group = theme["header_buttons"]
    copying, *files = group["buttons"]
    assert theirs == "theirs" and copying["label"] == "cite-button"
    texts = [(tmp_path / "out" / f["url"].removeprefix("../")).read_text() for f in files]
    assert "title  = {A book}" in texts[0] and texts[1].startswith("title: A book")
    opens, button = page.select("button")
    assert button["data-clipboard-text"] == texts[0] and "onclick" not in button.attrs
    assert button.span["role"] == "status" and opens.attrs == {"data-bs-auto-close": "outside"}


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("first", ["wide", "small", "bare"])
def test_every_picture_but_the_first_waits_until_it_is_near_the_screen(extension, tmp_path, first):
    picture(tmp_path / "wide.png", 1000)
    picture(tmp_path / "small.png", 300)
    wide = '<figure><img src="wide.png"/><span class="caption-number">Fig. 3 </span></figure>'
    kinds = {"wide": wide, "small": '<img src="small.png"/>', "bare": '<img src="wide.png"/>'}
    page = soup_of(f"<article>{kinds[first]}{''.join(kinds.values())}</article>")
    extension.mend_pictures(page, tmp_path / "page.html")
    images = page.select("img")
    assert [image.get("loading") for image in images] == [None, "lazy", "lazy", "lazy"]
    assert [image.get("decoding") for image in images] == [None, "async", "async", "async"]


def in_base64(path):
    return b64encode(path.read_bytes()).decode()


def test_a_phone_gets_the_narrow_variant_that_the_notebook_keeps(extension, tmp_path):
    wide, narrow = picture(tmp_path / "wide.png", 800), picture(tmp_path / "narrow.png", 500, 90)
    other, images = picture(tmp_path / "other.png", 300), tmp_path / "_images"
    names = [f"{sha256(path.read_bytes()).hexdigest()}" for path in (wide, other)]
    for name, path in zip(names, (wide, other), strict=True):
        picture(images / f"{name}.png", 1).write_bytes(path.read_bytes())
    shown = [
        ({"image/png": in_base64(wide)}, {"ehrgan_narrow": in_base64(narrow)}),
        ({"image/png": [in_base64(other)]}, {}),
        ({"image/png": in_base64(narrow)}, {"ehrgan_narrow": in_base64(wide)}),
        ({"text/plain": "1"}, {}),
    ]
    outputs = [new_output("display_data", data, metadata=about) for data, about in shown]
    outputs.append(new_output("stream", text="1"))
    cells = [new_markdown_cell("# T"), *(new_code_cell(outputs=[each]) for each in outputs)]
    nbformat.write(new_notebook(cells=cells), tmp_path / "a.ipynb")
    extension.unpack_narrow(tmp_path / "a.ipynb", images)
    page = soup_of(
        f'<article><img src="../_images/{names[0]}.png"/><img src="../_images/{names[1]}.png"/>'
        f'<img class="small" src="../_images/{names[0]}.png"/></article>'
    )
    (tmp_path / "p").mkdir()
    extension.mend_pictures(page, tmp_path / "p" / "page.html")
    (shown,) = page.select("picture")
    source, image = shown.find_all(recursive=False)
    assert source["media"] == "(max-width: 600px)" and image["width"] == "800"
    assert (source["width"], source["height"]) == ("500", "90")
    with Image.open(tmp_path / "p" / source["srcset"]) as kept:
        assert kept.size == (500, 90)
    assert [i.find_parent("picture") is None for i in page.select("img")] == [False, True, True]
    # the third output's wide picture is on no page: nothing is written for it
    assert len(list(images.glob("*-narrow.*"))) == 2


def test_pictures_tell_their_size_and_lose_no_dot(extension, tmp_path):
    wide, edge = picture(tmp_path / "i" / "a.png", 900, 50), picture(tmp_path / "i" / "b.png", 680)
    with Image.open(wide) as drawn:
        drawn.putpixel((5, 7), (1, 2, 3))
        drawn.save(wide)
    (tmp_path / "p").mkdir()
    (tmp_path / "i" / "c.svg").write_text('<svg viewBox="0 0 120 60"></svg>')
    page = soup_of(
        '<img src="../i/a.png"/><article><figure><img src="../i/a.png"/><figcaption>'
        '<span class="caption-number"> Fig. 3 </span>Words</figcaption></figure>'
        '<p><img src="../i/b.png"/></p><p><img src="../i/a.png"/></p><p><img src="../i/c.svg"/></p>'
        '<p><img src="https://example.org/a.png"/></p><p><img src="../i/gone.png"/></p></article>'
    )
    extension.mend_pictures(page, tmp_path / "p" / "page.html")
    outside, *images = page.select("img")
    assert outside.attrs == {"src": "../i/a.png"}
    assert [(i["src"], i.get("width"), i.get("height")) for i in images] == [
        ("../i/a.webp", "900", "50"),
        ("../i/b.webp", "680", "40"),
        ("../i/a.webp", "900", "50"),
        ("../i/c.svg", "120", "60"),
        ("https://example.org/a.png", None, None),
        ("../i/gone.png", None, None),
    ]
    with Image.open(wide) as before, Image.open(wide.with_suffix(".webp")) as after:
        assert before.tobytes() == after.tobytes() and before.getpixel((5, 7)) == (1, 2, 3)
    assert wide.exists() and edge.exists()  # other sites show the PNG


def test_a_page_shares_its_first_picture_else_that_of_the_book(extension):
    page = soup_of(
        '<img src="x/no.png"><article><img src="a.svg"><img src="https://e.org/b.png">'
        '<img src="../_images/c.png" alt="Words"><img src="../_images/d.png"></article>'
    )
    wanted = {"og:image": "https://h/b/_images/c.png", "og:image:alt": "Words"}
    assert extension.first_picture(page, "https://h/b/") == wanted
    assert extension.first_picture(soup_of('<article><img src="a.webp">'), "a") == {}
    assert extension.first_picture(None, "a") == {}
    bare = soup_of('<article><img src="_images/d.png"></article>')
    assert extension.first_picture(bare, "a/") == {
        "og:image": "a/_images/d.png",
        "og:image:alt": "",
    }

    shared = (
        "<html><head><title>T</title></head><body><article><h1>H</h1>{}</article></body></html>"
    )
    own, none = soup_of(shared.format('<img src="e.png" alt="E">')), soup_of(shared.format(""))
    for one, picture_, words in ((own, "e.png", "E"), (none, "c.png", "Words")):
        extension.share(one, "n/p.html", "https://h/b/", wanted)
        told = {tag["property"]: tag["content"] for tag in one.head.select("meta[property]")}
        assert told == {
            "og:type": "article", "og:url": "https://h/b/n/p.html", "og:site_name": "T",
            "og:image": f"https://h/b/_images/{picture_}", "og:image:alt": words,
        }  # fmt: skip
        (link,) = one.head.select("link[rel=canonical]")
        assert link["href"] == "https://h/b/n/p.html"
    for text, address in ((shared.format(""), ""), ("<head></head><article></article>", "a")):
        left = soup_of(text)
        extension.share(left, "p.html", address, wanted)
        assert str(left) == text


# ---------------------------------------------------------------- figures of other pages


def test_a_figure_that_cannot_be_shown_stays_a_link(extension, tmp_path):
    text = (
        '<div class="ehrgan-figure"><p><a href="b.html#gone">Fig.</a></p></div>'
        '<div class="ehrgan-figure"><p><a href="nowhere.html#f">Fig.</a></p></div>'
        '<div><a href="b.html#f">Fig.</a></div>'
    )
    figure = '<figure id="f"><span class="caption-number">Fig. 1</span><a class="headerlink"></a>'
    page = soup_of(text)
    extension.bring_figures(
        page, tmp_path / "a.html", {tmp_path / "b.html": soup_of(f"{figure}</figure>")}
    )
    assert str(page) == text


def test_each_place_gets_its_own_figure(extension, tmp_path):
    link = '<div class="ehrgan-figure"><p><a href="b.html#{0}">Fig. {0}</a></p></div>'
    figure = (
        '<figure id="{0}"><img src="{0}.png"/><figcaption><span class="caption-number">Fig. {0} '
        '</span>Words of {0}<a class="headerlink">#</a></figcaption></figure>'
    )
    chapter = soup_of("".join(map(figure.format, "fg")))
    home = soup_of(link.format("g") + link.format("f"))
    extension.bring_figures(home, tmp_path / "a.html", {tmp_path / "b.html": chapter})
    for place, name in zip(home.select(".ehrgan-figure"), "gf", strict=True):
        assert place.select_one("figure > img")["src"] == f"{name}.png"
        assert place.get_text() == f"Fig. {name} Words of {name}"
        assert place.select_one(".caption-number > a")["href"] == f"b.html#{name}"
        assert not place.select("[id], .headerlink, p")
    assert len(chapter.select("figure[id] .headerlink")) == 2


# ---------------------------------------------------------------- words for ears


def test_only_buttons_without_words_take_their_tooltip_as_a_name(extension):
    page = soup_of(
        '<button title="Search"><i></i></button><button title="Open">Words</button>'
        '<button title="No" aria-label="Yes"></button><button> </button>'
    )
    extension.name_buttons(page)
    assert [button.get("aria-label") for button in page.select("button")] == [
        "Search", None, "Yes", None,
    ]  # fmt: skip


def test_the_left_column_is_a_region_and_citations_are_items_of_their_list(extension):
    page = soup_of(
        '<div id="pst-primary-sidebar"></div><div id="other"></div><div role="list">'
        '<div role="doc-biblioentry" id="a"></div><div role="doc-biblioentry" id="b"></div></div>'
        '<div role="doc-biblioentry" id="c"></div>'
    )
    extension.name_sidebar(page)
    extension.mend_citations(page)
    assert page.div.attrs == {
        "id": "pst-primary-sidebar", "role": "region", "aria-label": "The book",
    }  # fmt: skip
    assert page.select_one("#other").attrs == {"id": "other"}
    roles = [page.select_one(f"#{name}")["role"] for name in "abc"]
    assert roles == ["listitem", "listitem", "doc-biblioentry"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("-3 and (-0.5) and -.5", f"{MINUS}3 and ({MINUS}0.5) and {MINUS}.5"),
        ("1-2, a-3, .-4, --5, –-6", "1-2, a-3, .-4, --5, –-6"),
        ("k-fold -x", "k-fold -x"),
        ("5 % 6% 7  %", f"5{SPACE}% 6{SPACE}% 7  %"),
        (" % of", f"{SPACE}% of"),
        ("100 % ± 2", f"100{SPACE}%{SPACE}±{SPACE}2"),
        ("1 ± -2", f"1{SPACE}±{SPACE}{MINUS}2"),
        ("no number ± -", "no number ± -"),
    ],
)
def test_numbers_have_signs_that_are_read_aloud(extension, text, wanted):
    page = soup_of(f"<p>{text}</p><article><p>{text}</p></article>")
    extension.mend_numbers(page)
    assert [p.get_text() for p in page.select("p")] == [text, wanted]


def test_what_may_be_copied_and_formulas_keep_their_numbers(extension):
    inside = "<code>-1</code><pre><b>-1 %</b></pre><script>-1</script><style>-1%</style>"
    inside += '<dl><dt>f(x=-1)</dt></dl><span class="math">-1 <i>5 %</i></span>'
    page = soup_of(f"<article>{inside}</article>")
    extension.mend_numbers(page)
    assert str(page) == f"<article>{inside}</article>"
    extension.mend_numbers(soup_of("<p>no article, 5 %</p>"))


def test_a_chapter_is_described_by_what_it_found(extension):
    page = soup_of(
        "<head></head><article><section><h1>T</h1><p class='ehrgan-times'>3 minutes</p>"
        "<blockquote><p><b>Found.</b> Why.</p></blockquote><p>More.</p></section></article>"
    )
    extension.describe(page)
    assert page.head.select_one("[name=description]")["content"] == "Found. Why."


def test_the_reading_map_tells_what_each_chapter_found(extension, tmp_path):
    chapter = soup_of(
        "<article><h1>A</h1><blockquote><p><strong>It is so.</strong> Why.</p></blockquote>"
        '<figure><img src="../_images/a.png" alt="What it shows"></figure></article>'
    )
    other = soup_of("<article><h1>B</h1><p>No finding.</p></article>")
    links = '<li><p><a href="../n/a.html">A</a></p></li><li><p><a href="../n/b.html">B</a></p></li>'
    page = soup_of(f'<div class="ehrgan-map">{links}</div><p><a href="../n/a.html">A</a></p>')
    pages = {tmp_path / "n" / "a.html": chapter, tmp_path / "n" / "b.html": other}
    extension.bring_findings(page, tmp_path / "book" / "index.html", pages)
    first, second = page.select("li")
    assert first.get_text() == "AIt is so." and second.get_text() == "B"
    assert [(i["src"], i["alt"]) for i in page.select("img")] == [("../_images/a.png", "")]
    assert chapter.strong is not None


def test_a_chapter_says_how_long_it_takes_to_read_and_took_to_run(extension, tmp_path):
    notebook = tmp_path / "a.ipynb"
    notebook.write_text('{"metadata": {"papermill": {"duration": 61.7}}}')
    words, code = "word " * 1000, "code " * 5000
    text = f"<h1>On paper</h1><article><h1>A</h1><blockquote>F</blockquote><p>{words}</p>"
    text += f"<pre>{code}</pre></article>"
    page = soup_of(text)
    extension.tell_times(page, notebook)
    line = page.article.h1.find_next_sibling().get_text()
    assert line.startswith("5 minutes to read, 62 seconds to run")
    notebook.write_text('{"metadata": {}}')
    page = soup_of(text)
    extension.tell_times(page, notebook)
    assert page.select_one(".ehrgan-times").get_text() == "5 minutes to read"
    for other, file in (("<article><h1>A</h1></article>", notebook), (text, tmp_path / "no.ipynb")):
        page = soup_of(other)
        extension.tell_times(page, file)
        assert str(page) == str(soup_of(other))


def test_a_page_is_described_by_its_first_paragraph_and_title(extension):
    text = "<head></head><body><article><section><h1>Title<a>#</a></h1><div><p>Not this.</p></div>"
    text += f"<p>One\n  <b>two</b> {'x' * 400}</p><p>Three.</p></section></article></body>"
    page = soup_of(text)
    extension.describe(page)
    words = f"One two {'x' * 292}"
    assert [tag.attrs for tag in page.head.select("meta")] == [
        {"name": "description", "content": words},
        {"property": "og:description", "content": words},
        {"property": "og:title", "content": "Title"},
    ]
    bare = soup_of("<head></head><article><section><h1>T</h1></section></article>")
    extension.describe(bare)
    assert not bare.select("meta")


# ---------------------------------------------------------------- tables


def test_tables_say_which_headers_are_of_rows_and_which_of_columns(extension):
    page = soup_of(
        '<article><h1>No number</h1><table id="a"><thead><tr><th> </th><th>x</th></tr></thead>'
        "<tbody><tr><th>r</th><td>1</td></tr><tr><th></th><td>2</td></tr></tbody></table>"
        '<table id="b"><tr><td>laid out</td></tr></table>'
        '<table id="c"><caption>Words #</caption><thead><tr><th>y</th></tr></thead></table>'
        "</article><table><tr><th>outside</th></tr></table>"
    )
    extension.mend_tables(page)
    scopes = [(cell.get_text(), cell["scope"]) for cell in page.select("[scope]")]
    assert scopes == [("x", "col"), ("r", "row"), ("y", "col")]
    assert [cell.get_text(strip=True) for cell in page.select("th")] == ["x", "r", "y", "outside"]
    frames = {frame.table["id"]: frame for frame in page.select(".ehrgan-wide")}
    assert {name: frame["aria-label"] for name, frame in frames.items()} == {
        "a": "Table", "c": "Words",
    }  # fmt: skip
    assert all((f["role"], f["tabindex"]) == ("group", "0") for f in frames.values())
    assert [t.get("role") for t in page.select("table")] == [None, "presentation", None, None]
    assert not page.select(".caption-number, .headerlink")


def test_captions_count_from_one_in_their_order_and_only_tables_with_one(extension):
    table = "<table>{}<thead><tr><th>x</th></tr></thead></table>"
    caption = "<caption>{}</caption>"
    title = '<h1><span class="section-number">12. </span>T</h1>'
    tables = [caption.format("One"), "", caption.format("Two")]
    page = soup_of(f"<article>{title}{''.join(map(table.format, tables))}</article>")
    extension.mend_tables(page)
    assert [c.get_text() for c in page.select("caption")] == ["Table 12.1 One#", "Table 12.2 Two#"]
    assert [a["href"] for a in page.select("caption a")] == ["#table-1", "#table-2"]
    names = [frame["aria-label"] for frame in page.select(".ehrgan-wide")]
    assert names == ["Table 12.1 One", "Table", "Table 12.2 Two"]
    for number, words in ((1, "One"), (2, "Two")):
        assert words in page.select_one(f"#table-{number}").find_next("table").get_text()


# ---------------------------------------------------------------- scripts and styles


def test_of_equal_inline_scripts_the_first_stays(extension):
    page = soup_of(
        '<script id="1">a</script><script src="a.js"></script><script id="2">b</script>'
        '<script id="3">a</script><script src="a.js"></script><script id="4">b</script>'
    )
    extension.drop_doubled_scripts(page)
    assert [tag["id"] for tag in page.select("script[id]")] == ["1", "2"]
    assert len(page.select("script[src]")) == 2


SCRIPTS = (
    "fontawesome.js", "sphinx-thebe.js", "searchtools.js", "language_data.js", "searchindex.js",
    "design-tabs.js", "documentation_options.js", "theme.js", "mathjax.js",
)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "needed"),
    [
        ("", set()),
        ('<button class="btn-launch-thebe">', {"sphinx-thebe.js"}),
        ('<p id="search-results">', {"searchtools.js", "language_data.js", "searchindex.js"}),
        ('<p class="sd-tab-set">', {"design-tabs.js"}),
        ('<div class="math notranslate">', {"mathjax.js"}),
    ],
)
def test_a_page_loads_the_scripts_that_it_needs_after_its_text(extension, body, needed):
    head = "".join(f'<script async="async" src="_static/{name}?v=1"></script>' for name in SCRIPTS)
    head += '<link rel="preload" href="a"><link rel="stylesheet" href="b">'
    page = soup_of(f"<html><head>{head}</head><body>{body}</body></html>")
    extension.drop_unused(page)
    always = {"documentation_options.js", "theme.js"}
    loaded = {re.search(r"[\w-]+\.js", tag["src"])[0]: tag for tag in page.select("script")}
    assert set(loaded) == needed | always
    for name, tag in loaded.items():
        options = name == "documentation_options.js"
        assert tag.find_parent("head" if options else "body") is not None
        assert ("defer" in tag.attrs, "async" in tag.attrs) == (not options, options)
    assert [name for name in SCRIPTS if name in loaded and name != "documentation_options.js"] == [
        re.search(r"[\w-]+\.js", tag["src"])[0] for tag in page.body.select("script")
    ]
    assert [link["rel"] for link in page.select("link")] == [["stylesheet"]]


def test_live_code_says_on_its_button_that_it_needs_a_network(extension):
    page = soup_of('<button class="btn-launch-thebe" title="Live"></button><button title="b">')
    extension.label_live_code(page)
    first, second = page.select("button")
    assert "asks mybinder.org" in first["title"] and second["title"] == "b"


def test_names_in_use_are_those_of_tags_and_of_scripts(extension, tmp_path):
    static = tmp_path / "_static" / "deep"
    static.mkdir(parents=True)
    (static / "a.js").write_text("x.classList.add('from-file')")
    (static / "mathjax.js").write_text("from_mathjax")
    (static / "a.css").write_text(".from_css {}")
    pages = [
        soup_of('<p class="one two" id="three">word</p><script>add("inline")</script>'),
        soup_of('<p id="four"></p><p class="five"></p>'),
    ]
    names = extension.names_in_use(tmp_path, pages)
    assert names >= {"one", "two", "three", "four", "five", "inline", "from-file"}
    assert names.isdisjoint({"word", "from_mathjax", "from_css"})


def test_styles_are_read_with_their_imports_and_as_if_from_one_folder(extension, tmp_path):
    for name in ("styles", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "other" / "a.css").write_text(
        '@import "b.css";/* a /* comment\n*/.a{x:url(f.png)}.d{x:url("data:,")}'
    )
    (tmp_path / "other" / "b.css").write_text(".b{y:url(g.png)}")
    (tmp_path / "styles" / "c.css").write_text(".c{z:url(../h.png)}")
    read = extension.read_styles
    assert read(tmp_path / "other" / "a.css") == (
        '.b{y:url(../g.png)}.a{x:url(../f.png)}.d{x:url("data:,")}'
    )
    assert read(tmp_path / "styles" / "c.css") == ".c{z:url(../h.png)}"


def test_rules_stay_if_one_of_their_selectors_is_used(extension):
    css = (
        "p,.idle,.used .used2{a:b}.used .idle{a:b}:is(.idle,.used) p{c:d}#idle{e:f}"
        ".used:where(.idle):hover{g:h}@supports (x:y){.idle{i:j}}"
        '@font-face{src:url(a.woff2) format("woff2"),url(a.ttf) format("truetype")}'
    )
    assert extension.used_rules(css, {"used", "used2"}) == (
        "p,.used .used2{a:b}:is(.idle,.used) p{c:d}.used:where(.idle):hover{g:h}"
        '@font-face{src:url(a.ttf) format("truetype")}'
    )


def test_marks_stay_where_the_styles_speak_of_them(extension):
    css = (
        ".highlight { background: #fff; color: #111 }.highlight .k { color: #00f }"
        ".highlight .n { color: #111 }.highlight .b { color: #111; font-weight: bold }.seen{a:b}"
    )
    page = soup_of(
        '<div class="highlight"><pre><span class="k">if</span> <span class="n">x</span> '
        '<span class="w"> </span><span class="b">y</span><span class="n k">z</span></pre></div>'
        '<p><span class="n">outside</span></p><div class="cell_output"><table><tr>'
        '<th id="T_a" class="seen col1">h</th><td id="T_b" class="col0">1</td><td>2</td></tr>'
        '</table></div><table><tr><td id="T_c" class="col0"></td></tr></table>'
        "<article><style>#T_a {x:y}</style></article><style>#T_b .col0 {x:y}</style>"
    )
    extension.drop_idle_marks(page, css)
    assert [(span["class"], span.get_text()) for span in page.select("pre span")] == [
        (["k"], "if"), (["b"], "y"), (["n", "k"], "z"),
    ]  # fmt: skip
    assert page.pre.get_text() == "if x  yz"
    assert page.p.span["class"] == ["n"]
    head, one, two, outside = page.select("th, td")
    assert head.attrs == {"id": "T_a", "class": ["seen"]}
    assert one.attrs == two.attrs == {}
    assert outside.attrs == {"id": "T_c", "class": ["col0"]}


def icon_font(path):
    """A font of three icons that are all the same bar."""
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 500), (100, 500), (100, 0)):
        pen.lineTo(point)
    pen.closePath()
    names = [".notdef", "one", "two", "three"]
    font = FontBuilder(1000)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({0xF001: "one", 0xF0A2: "two", 0xF003: "three"})
    font.setupGlyf(dict.fromkeys(names, pen.glyph()))
    font.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Icons", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    path.parent.mkdir(parents=True, exist_ok=True)
    font.save(path)


def icons_of(path):
    with TTFont(path) as font:
        return set(font.getBestCmap())


# ---------------------------------------------------------------- a whole site

HEAD = (
    '<html data-content_root="{up}"><head><title>T</title>'
    '<link rel="stylesheet" href="{up}_static/styles/theme.css?v=1">'
    '<link rel="stylesheet" href="{up}_static/own.css?v=2">'
    '<script src="{up}_static/scripts/fontawesome.js"></script></head><body>'
)


@pytest.fixture
def site(tmp_path):
    """A site of two pages, with all that Sphinx and its theme would leave there."""
    static = tmp_path / "_static"
    icon_font(static / "vendor/fontawesome/webfonts/a.ttf")
    for name in ("vendor/fontawesome/webfonts/a.woff2", "scripts/fontawesome.js",
                 "scripts/b.js.map", "deep-webpack-macros.html"):  # fmt: skip
        (static / name).parent.mkdir(parents=True, exist_ok=True)
        (static / name).write_text("<p>no page</p>")
    (static / "styles").mkdir()
    (static / "styles" / "theme.css").write_text(
        '.icon:before{content:"\\f0a2"}.idle:before{content:"\\f001"}.here{a:b}'
    )
    (static / "own.css").write_text(".there{c:d}\n\n.idle{e:f}")
    picture(tmp_path / "_images" / "p.png", 900)
    for name, up, body in (
        (
            "book/index.html",
            "../",
            '<p class="icon here">5 %</p><div class="ehrgan-figure"><a href="../n/a.html#f">Fig. 1'
            "</a></div>",
        ),
        (
            "n/a.html",
            "../",
            '<p class="there">-1</p><figure id="f"><img src="../_images/p.png" alt="Words"/>'
            '<span class="caption-number">Fig. 1 </span>Said<a class="headerlink">#</a></figure>',
        ),
        ("search.html", "", '<p class="there">x</p>'),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        article = f"<article><section><h1>H</h1>{body}</section></article></body></html>"
        (tmp_path / name).write_text(HEAD.format(up=up) + article)
    return tmp_path


def application(site, name="html"):
    options = {"repository_url": "https://github.com/who/what"}
    return SimpleNamespace(
        outdir=str(site),
        srcdir=str(site),
        builder=SimpleNamespace(name=name),
        config=SimpleNamespace(html_theme_options=options, html_static_path=["first"]),
    )


def test_every_page_of_a_site_gets_every_mend(extension, site):
    extension.mend_pages(application(site), None)
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert "who.github.io/what/book/index.html" in (site / "404.html").read_text()
    assert files - {"404.html"} == {
        "book/index.html", "n/a.html", "search.html", "_images/p.png", "_images/p.webp",
        "_static/styles/book.css", "_static/vendor/fontawesome/webfonts/a.ttf",
    }  # fmt: skip
    css = (site / "_static/styles/book.css").read_text()
    assert css == '.icon:before{content:"\\f0a2"}.here{a:b}.there{c:d}'
    assert icons_of(site / "_static/vendor/fontawesome/webfonts/a.ttf") == {0xF0A2}
    whole = [n for n in files if n.endswith(".html") and n != "404.html"]
    pages = {n: soup_of((site / n).read_text()) for n in whole}
    for name, page in pages.items():
        up = "../" * name.count("/")
        assert [tag["href"] for tag in page.select("link[rel=stylesheet]")] == [
            f"{up}_static/styles/book.css"
        ]
        assert page.select_one("link[rel=canonical]")["href"].endswith(f"github.io/what/{name}")
        told = {tag.get("property"): tag["content"] for tag in page.select("meta[property]")}
        assert told["og:image"] == "https://who.github.io/what/_images/p.png"
        assert told["og:image:alt"] == "Words" and told["og:title"] == "H"
        assert not page.select("script")
    home, chapter = pages["book/index.html"], pages["n/a.html"]
    assert f"5{SPACE}%" in home.get_text() and f"{MINUS}1" in chapter.get_text()
    for page in (home, chapter):  # the figure is light on both pages, and the first of both
        (image,) = page.select("img")
        assert (image["src"], image["width"]) == ("../_images/p.webp", "900")
        assert image.get("loading") is None


def test_a_site_that_failed_or_is_no_site_is_left_alone(extension, site):
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    extension.mend_pages(application(site), RuntimeError())
    extension.mend_pages(application(site, name="latex"), None)
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before


def test_the_extension_brings_mathjax_its_own_files_and_no_second_search_box(extension, tmp_path):
    app, connected, files = application(tmp_path), defaultdict(list), []
    app.connect = lambda event, does, priority=500: connected[event].append((does, priority))
    app.add_css_file = files.append
    app.add_js_file = lambda name, **options: files.append((name, options))
    assert extension.setup(app) == {"parallel_read_safe": True, "parallel_write_safe": True}
    assert files == ["ehrgan.css", ("ehrgan.js", {"loading_method": "defer"})]
    assert connected["build-finished"] == [(extension.mend_pages, 900)]
    assert connected["html-page-context"] == [(extension.offer_citation, 900)]
    for event in ("config-inited", "builder-inited"):
        for does, _ in connected[event]:
            does(*[app, app.config][: 1 + (event == "config-inited")])
    assert app.config.html_theme_options["navbar_persistent"] == []
    assert app.config.html_static_path == ["first", str(ROOT / "book" / "_ext" / "static")]
    assert app.config.mathjax_path == "mathjax.js"
    assert (tmp_path / "_static" / "mathjax.js").stat().st_size > 1e6
    wanted = {
        "name_buttons", "name_sidebar", "mend_citations", "mend_tables", "mend_numbers",
        "drop_doubled_scripts", "drop_unused", "label_live_code", "describe",
    }  # fmt: skip
    assert {mend.__name__ for mend in extension.MENDS} == wanted
