"""Every page in a real browser: without sight, mouse, network, JavaScript or a wide screen.

``EHRGAN_SITE=_build/html pytest tests/book/test_browser.py`` tests a built site; otherwise a small
one is built from the real pages, with two chapters run and the others as they stand.
"""

import functools
import http.server
import os
import re
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urldefrag, urljoin

import pytest
import yaml
from bs4 import BeautifulSoup

from ehrgan.book import build as building

axe_module = pytest.importorskip("axe_playwright_python.sync_playwright")
playwright_api = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).parents[2]
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
WHOLE = os.environ.get("EHRGAN_SITE")
SCREENSHOTS = ROOT / "_build" / "screenshots"
LOOKS = [("light", 1280), ("dark", 400), ("dark", 1280), ("light", 400)]
PAGES = [path.with_suffix("").as_posix() for path in building.toc_documents(ROOT)]
EXPLORER = "notebooks/18_explore"
MOST_BYTES = 1_000_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium: apt-get install chromium"),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory, studies):
    """The folder of a rendered site, below a sub-path as on GitHub Pages."""
    if WHOLE:
        return Path(WHOLE).resolve()
    root = tmp_path_factory.mktemp("site")
    for name in ("_config.yml", "_toc.yml", "CHANGELOG.md", "CITATION.cff"):
        shutil.copy(ROOT / name, root)
    for name in ("book", "notebooks", "sweeps"):
        shutil.copytree(ROOT / name, root / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EHRGAN_CACHE", str(studies))  # the explorer's test runs the same study
        page = building.build(
            root, chapters=("data_and_masking", "explore"), parameters={"n_trials": 1}
        )
    return page.parent


@pytest.fixture(scope="module")
def address(site):
    """Serve the site under /book/, and say where."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path):
            inside = unquote(path.split("?")[0].split("#")[0])
            return str(site / inside.removeprefix("/book/"))

        def handle(self):
            with suppress(ConnectionError):  # a page was closed while it loaded
                super().handle()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/book/"
    server.shutdown()


@pytest.fixture(scope="module")
def browser():
    with playwright_api.sync_playwright() as play:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = play.chromium.launch(executable_path=BROWSER, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser):
    """Open pages in contexts of their own; notes errors and requests of each."""
    contexts = []

    def open_one(url, width=1280, scheme="light", wait="load", **options):
        size = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, color_scheme=scheme, **options)
        contexts.append(context)
        page = context.new_page()
        page.errors, page.requests = noted(page)
        page.goto(url, wait_until=wait)
        return page

    yield open_one
    for context in contexts:
        context.close()


def noted(page):
    """Errors that the page will meet, and addresses that it will ask for."""
    errors, requests = [], []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    return errors, requests


def settle(page):
    """Wait until formulas are set and every lazy picture has been on the screen."""
    page.evaluate("window.MathJax && MathJax.startup && MathJax.startup.promise")
    page.evaluate("document.querySelectorAll('img[loading]').forEach(i => i.loading = 'eager')")
    page.evaluate("Promise.all([...document.images].map(image => image.decode()))")


# ---------------------------------------------------------------- every page

PICTURES = """() => {
    const pictures = document.querySelectorAll("article figure img:not([src$='.svg'])");
    return [...pictures].map(i => {
        const frame = i.closest("figure").getBoundingClientRect();
        const box = i.getBoundingClientRect();
        return [i.currentSrc, box.width / i.naturalWidth, frame.right - box.right];
    });
}"""


@pytest.fixture(scope="module")
def look_at(address, browser):
    """What a browser finds on a page in a look, each opened once for all tests that ask."""
    return functools.cache(functools.partial(find_on, browser, address))


def find_on(browser, address, name, scheme, width):
    """Open a page in a context of its own, and tell what there is to see and to fetch."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, found = context.new_page(), SimpleNamespace(sizes={})
    found.errors, found.requests = noted(page)
    page.on("response", lambda r: found.sizes.update({r.url: len(r.body()) if r.ok else 0}))
    page.goto(f"{address}{name}.html", wait_until="load")
    settle(page)
    if WHOLE:  # to be looked at
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        file = f"{Path(name).name}-{scheme}-{width}.png"
        page.screenshot(path=SCREENSHOTS / file, full_page=True)
    found.theme = page.evaluate("document.documentElement.dataset.theme")
    found.width = page.evaluate("document.documentElement.scrollWidth")
    found.pictures = page.evaluate(PICTURES)
    found.violations = axe_module.Axe().run(page).response["violations"]
    context.close()
    return found


@pytest.mark.parametrize("look", LOOKS if WHOLE else LOOKS[:2], ids=lambda x: f"{x[0]}-{x[1]}")
@pytest.mark.parametrize("name", PAGES)
def test_a_page_serves_every_reader(name, look, address, look_at):
    scheme, width = look
    found = look_at(name, scheme, width)
    assert found.errors == []
    assert [url for url in found.requests if not url.startswith((address, "data:"))] == []
    assert found.theme == scheme
    assert found.width <= width
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found.violations] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_light(name, look_at):
    """Bytes of everything but MathJax, with every picture fetched."""
    sizes = look_at(name, *LOOKS[0]).sizes
    own = {url: size for url, size in sizes.items() if "mathjax" not in url}
    heaviest = sorted(own.items(), key=lambda item: -item[1])[:5]
    assert 0 < sum(own.values()) < MOST_BYTES, heaviest


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_every_figure_whole_in_letters_that_can_be_read(name, look_at):
    """Letters of figures have ten points at least, 15.3 pixels of the picture."""
    pictures = look_at(name, *LOOKS[1]).pictures
    assert [url for url, scale, _ in pictures if 15.3 * scale < 9] == []
    assert [url for url, _, room in pictures if room < -1] == []


@pytest.mark.parametrize("name", ["book/index", "notebooks/05_evaluation", EXPLORER])
def test_the_first_paint_on_a_slow_network_is_within_two_seconds(name, address, browser):
    """1.6 Mbit/s, 150 ms, nothing cached; the best of three, for machines that do other work."""
    paints = []
    for _ in range(3):
        context = browser.new_context(viewport={"width": 400, "height": 900})
        page = context.new_page()
        line = {
            "offline": False,
            "latency": 150,
            "downloadThroughput": 2e5,
            "uploadThroughput": 9e4,
        }
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", line)
        page.goto(f"{address}{name}.html", wait_until="commit")
        page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
        paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        paints.append(page.evaluate(paint))
        context.close()
        if paints[-1] < 2000:
            return
    assert min(paints) < 2000, paints


def test_every_link_and_anchor_inside_the_site_exists(site):
    anchors, broken = {}, []
    pages = sorted(site.rglob("*.html"))
    soups = {p: BeautifulSoup(p.read_text(encoding="utf-8"), "html.parser") for p in pages}
    for path, soup in soups.items():
        anchors[path] = {tag["id"] for tag in soup.select("[id]")} | {"", "top"}
    for path, soup in soups.items():
        for tag in soup.select("a[href], link[href], script[src], img[src]"):
            target, anchor = urldefrag(tag.get("href") or tag.get("src"))
            if re.match(r"[a-z]+:|//", target):
                continue
            target = unquote(target.split("?")[0])
            file = (path.parent / target).resolve() if target else path
            wanted = anchors.get(file)
            if not file.is_file() or (wanted is not None and unquote(anchor) not in wanted):
                broken.append(f"{path.relative_to(site)}: {tag.get('href') or tag.get('src')}")
    assert broken == []


def test_links_to_the_repository_name_files_that_it_holds(site):
    repository = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
    inside = re.compile(
        re.escape(repository["url"]) + r"/(?:blob|edit|tree|raw)/([^/?#]+)/([^?#]+)"
        r"|https://colab\.research\.google\.com/github/[^/]+/[^/]+/blob/([^/]+)/([^?#]+)"
        r"|https://mybinder\.org/v2/gh/[^/]+/[^/]+/([^/?]+)\?urlpath=lab/tree/([^&#]+)"
    )
    seen = 0
    for page in site.rglob("*.html"):
        for url in re.findall(r'href="(https://[^"]+)"', page.read_text(encoding="utf-8")):
            found = inside.match(unquote(url))
            if found:
                branch, path = [group for group in found.groups() if group]
                assert branch == repository["branch"] and (ROOT / path).is_file(), url
                seen += 1
    assert seen >= 3 * len([name for name in PAGES if name.startswith("notebooks/")])


# ---------------------------------------------------------------- keyboard, search, no script


def test_the_keyboard_reaches_everything_and_shows_where_it_is(address, open_page):
    page = open_page(f"{address}book/index.html")
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                """() => { const e = document.activeElement, s = getComputedStyle(e);
                return [e.textContent.trim().slice(0, 40), e.tagName,
                        s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2]; }"""
            )
        )
        if seen[-1][1] == "BODY":
            break
    assert seen[0][0] == "Skip to main content"
    assert {"A", "BUTTON"} <= {tag for _, tag, _ in seen}
    assert [entry for entry in seen if not entry[2] and entry[1] != "BODY"] == []


@pytest.mark.skipif(not WHOLE, reason="its figure comes from a chapter that a whole build runs")
def test_the_first_screen_says_the_verdict_and_shows_the_figure(address, open_page):
    page = open_page(f"{address}book/index.html")
    figure = page.locator(".ehrgan-figure figure")
    assert page.locator("article p:has-text('the superiority is not')").bounding_box()["y"] < 300
    buttons = page.locator(".ehrgan-buttons a")
    assert buttons.count() == 3 and buttons.first.bounding_box()["y"] < 500
    box = figure.locator("img").bounding_box()
    assert box["y"] + 0.8 * box["height"] < 900
    findings = page.locator(".ehrgan-map li p > span").all_text_contents()
    assert len(findings) > 10 and all(words.endswith(".") for words in findings)
    figure.locator("figcaption a").click()
    assert page.url.startswith(f"{address}notebooks/05_evaluation.html#fig-")


def test_a_table_is_saved_as_it_stands(address, open_page):
    page = open_page(f"{address}notebooks/01_data_and_masking.html")
    with page.expect_download() as waiting:
        page.locator("button.ehrgan-csv").first.click()
    lines = Path(waiting.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 11 and '"radius"' in lines[1]


@pytest.mark.parametrize("name", ["book/index", "notebooks/01_data_and_masking"])
def test_the_keyboard_copies_how_the_book_is_cited(name, address, open_page):
    page = open_page(f"{address}{name}.html", permissions=["clipboard-read"])
    page.locator(".dropdown-cite-buttons > button").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")  # into the list that opened
    page.keyboard.press("Enter")
    page.wait_for_selector(".btn-cite-button [role=status]:text('Copied')")
    entry = page.evaluate("navigator.clipboard.readText()")
    assert entry.startswith("@misc{ehrgan,")
    links = page.locator(".dropdown-cite-buttons a")
    assert links.count() == 2
    assert page.request.get(urljoin(page.url, links.first.get_attribute("href"))).text() == entry


def test_search_finds_a_term(address, open_page):
    page = open_page(f"{address}search.html?q=autoencoder")
    page.wait_for_selector("#search-results li a")
    hits = page.locator("#search-results li a").all_text_contents()
    for title in ("Glossary", "Fill the holes", "ehrgan.nets.autoencoder"):  # page, chapter, API
        assert any(title in hit for hit in hits), hits
    assert page.errors == []


def test_a_page_opens_from_the_disk(site, open_page):
    page = open_page((site / f"{EXPLORER}.html").as_uri())
    settle(page)
    assert page.errors == []
    assert all(url.startswith(("file:", "data:")) for url in page.requests)


# the scorecard's tables come from a chapter that only a whole build runs
@pytest.mark.parametrize(
    "name",
    ["book/index", "notebooks/01_data_and_masking", EXPLORER, *["book/scorecard"] * bool(WHOLE)],
)
def test_a_page_reads_without_javascript(name, address, open_page):
    page = open_page(f"{address}{name}.html", java_script_enabled=False)
    article = page.locator("article").inner_text()
    assert len(article.split()) > 150 and page.locator("article img, article svg, table").count()
    assert page.locator(".ehrgan-explorer form:visible").count() == 0


def test_live_code_fails_in_words_without_a_network(address, open_page):
    page = open_page(f"{address}notebooks/01_data_and_masking.html")
    page.route(lambda url: not url.startswith(address), lambda route: route.abort())
    page.evaluate("initThebeSBT()")
    page.wait_for_function(
        "document.querySelector('.thebe-launch-button')?.textContent.includes('needs a network')"
    )
    assert page.locator(".cell pre").count()


def test_paper_gets_the_text_and_nothing_to_click(address, open_page):
    page = open_page(f"{address}{EXPLORER}.html", scheme="dark")
    settle(page)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.emulate_media(media="print")
    for selector in (
        ".bd-sidebar-primary",
        ".prev-next-footer",
        ".copybtn",
        ".ehrgan-explorer form",
    ):
        assert page.locator(f"{selector}:visible").count() == 0, selector
    assert page.locator("h1:visible").count() == 1
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.pdf(path=SCREENSHOTS / "explore.pdf", format="A4")
    assert (SCREENSHOTS / "explore.pdf").stat().st_size > 10_000


# ---------------------------------------------------------------- the figure with choices


def test_the_choices_change_table_curve_and_words(address, open_page):
    page = open_page(f"{address}{EXPLORER}.html")

    def state():
        said = page.locator(".ehrgan-explorer .said").inner_text()
        row = page.locator(".ehrgan-explorer tr[data-metric=accuracy]").inner_text()
        return said, row, page.locator(".ehrgan-explorer .curve").get_attribute("d")

    first = state()
    page.locator("#explorer-classifier").focus()
    page.keyboard.press("Home")  # a reader without a mouse
    second = state()
    assert all(a != b for a, b in zip(first, second, strict=True))
    page.locator("#explorer-protocol").select_option("peek")
    assert "as under paper" in state()[0]
    page.locator("#explorer-fraction").select_option("0.1")
    third = state()
    assert third[1] != second[1] and page.errors == []
    again = open_page(page.url)  # the choice is in the address
    assert again.locator("#explorer-fraction").input_value() == "0.1"
    assert again.locator(".ehrgan-explorer .said").inner_text() == third[0]


def test_the_page_shows_the_numbers_of_the_file(address, open_page):
    from ehrgan.book.committed import committed
    from ehrgan.book.explorer import Explorer

    page = open_page(f"{address}{EXPLORER}.html", width=400)
    explorer = Explorer(committed("by_protocol"))
    choice = ("paper", "mean", "Random Forest", "0.7")
    names = ("protocol", "imputer", "classifier", "fraction")
    for name, value in zip(names, choice, strict=True):
        page.locator(f"#explorer-{name}").select_option(value)
    wanted = explorer.lookup(*choice[:3], float(choice[3]))
    for metric in ("accuracy", "auc_roc"):
        shown = page.locator(f".ehrgan-explorer tr[data-metric={metric}] td").first.inner_text()
        assert float(shown) == pytest.approx(wanted[metric][0], abs=1e-9)


@pytest.mark.parametrize("name", PAGES if WHOLE else PAGES[1:2])
def test_addresses_that_are_shared_have_words_and_a_picture(name, site):
    soup = BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    told = {tag.get("property"): tag["content"] for tag in soup.select("meta[property]")}
    assert {"og:title", "og:description", "og:url", "og:image", "og:image:alt"} <= set(told)
    picture = site / "_images" / told["og:image"].rpartition("/")[2]
    up = "../" * name.count("/")
    assert picture.is_file()
    assert told["og:image"] == urljoin(told["og:url"], f"{up}_images/{picture.name}")
