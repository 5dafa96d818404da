"""Every page in a real browser, without a network: no error, mathematics and figures visible, search works."""

from urllib.parse import quote, urlsplit

import pytest

from qednas.companion import book, paths

ROOT = paths.project_root()
PAGES = book.toc_pages(ROOT)
PHONE = {"width": 390, "height": 844}


class Watched:
    """A browser page with what went wrong on it."""

    def __init__(self, browser, **settings):
        self.context = browser.new_context(**settings)
        self.page = self.context.new_page()
        self.wrong = []
        self.page.on("console", lambda m: m.type == "error" and self.wrong.append(f"console: {m.text}"))
        self.page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        self.page.on("requestfailed", lambda r: self.wrong.append(f"failed: {r.url}"))
        self.page.on("response", lambda r: r.status >= 400 and self.wrong.append(f"{r.status}: {r.url}"))
        self.page.on("request", self._check_host)

    def _check_host(self, request):
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.wrong.append(f"left the machine: {request.url}")

    def open(self, url):
        self.page.goto(url, wait_until="networkidle")
        # MathJax typesets after loading; pages without it have no such object
        self.page.evaluate("() => window.MathJax?.startup?.promise")
        self.page.evaluate("() => document.fonts.ready.then(() => true)")
        return self.page


@pytest.fixture
def watched(browser):
    made = []

    def make(**settings):
        made.append(Watched(browser, **settings))
        return made[-1]

    yield make
    for one in made:
        one.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_page_shows_what_it_should(watched, address, name):
    tab = watched()
    page = tab.open(f"{address}/{name}.html")
    assert tab.wrong == []
    sources = page.locator("article .math").count()
    assert (page.locator("article mjx-container").count() > 0) == (sources > 0)
    assert page.locator("article mjx-merror").count() == 0
    assert page.locator("article h1").count() == 1
    assert page.locator("header.bd-header").count() <= 1
    pictures = page.evaluate(
        "() => [...document.querySelectorAll('article img')].map("
        "i => ({alt: i.alt, width: i.naturalWidth, shown: i.getBoundingClientRect().width}))"
    )
    for picture in pictures:
        assert picture["alt"].strip()
        assert picture["width"] > 0, picture["alt"]
        assert picture["shown"] > 100, picture["alt"]


def test_chapters_with_figures_show_them(watched, address):
    shown = 0
    for name in PAGES:
        shown += watched().open(f"{address}/{name}.html").locator("article figure img").count()
    assert shown >= 4


@pytest.mark.parametrize("name", PAGES)
def test_fits_a_phone(watched, address, name):
    page = watched(viewport=PHONE).open(f"{address}/{name}.html")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("name", PAGES)
def test_search_finds_the_page(watched, address, name):
    title = watched().open(f"{address}/{name}.html").locator("article h1").inner_text().rstrip("#").strip()
    tab = watched()  # of its own: leaving a page whose fonts are still loading is no error of the page
    page = tab.open(f"{address}/search.html?q={quote(title)}")
    page.wait_for_selector("#search-results li a")
    targets = page.eval_on_selector_all("#search-results li a", "links => links.map(a => new URL(a.href).pathname)")
    assert f"/{name}.html" in targets
    assert tab.wrong == []


def test_search_finds_a_word_of_the_text(watched, address):
    page = watched().open(f"{address}/search.html?q=Schmidt")
    page.wait_for_selector("#search-results li a")
    found = page.eval_on_selector_all("#search-results li a", "links => links.map(a => new URL(a.href).pathname)")
    assert "/book/01_entanglement_and_networks.html" in found


def test_first_page_leads_to_the_readme(watched, address):
    tab = watched()
    page = tab.open(f"{address}/")
    assert urlsplit(page.url).path in ("/README.html", "/index.html")
    assert "make reproduce" in page.locator("article").inner_text()


def test_figures_stay_on_white_in_the_dark_theme(watched, address):
    tab = watched(color_scheme="dark")
    tab.context.add_init_script("localStorage.setItem('mode', 'dark'); localStorage.setItem('theme', 'dark')")
    page = tab.open(f"{address}/book/01_entanglement_and_networks.html")
    assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    grounds = page.eval_on_selector_all(
        "article figure img", "pictures => pictures.map(p => getComputedStyle(p).backgroundColor)"
    )
    assert set(grounds) == {"rgb(255, 255, 255)"}
    assert tab.wrong == []
