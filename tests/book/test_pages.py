"""The rendered pages as files: all there, with content, asking no other host for anything."""

import re

import pytest

from qednas.companion import book, paths

ROOT = paths.project_root()
PAGES = book.toc_pages(ROOT)
RESOURCE = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=\"(?:https?:)?//[^\"]+\"")
NOT_LOADED = re.compile(r"rel=\"(?:canonical|license|me|author)\"")


def test_every_page_of_the_table_of_contents_is_there_with_content(html):
    book.check_pages(html, PAGES)


def test_a_missing_and_an_empty_page_are_found(tmp_path):
    (tmp_path / "full.html").write_text(f"<nav>menu</nav><article>{'word ' * 100}</article>")
    (tmp_path / "bare.html").write_text(f"<nav>{'menu ' * 100}</nav><article><h1>Title</h1></article>")
    with pytest.raises(book.BookFailed, match=r"bare is empty; gone is missing; index\.html is missing"):
        book.check_pages(tmp_path, ["full", "bare", "gone"])


@pytest.mark.parametrize("page", PAGES)
def test_page_loads_nothing_from_other_hosts(html, page):
    found = [tag for tag in RESOURCE.findall((html / f"{page}.html").read_text()) if not NOT_LOADED.search(tag)]
    assert found == []


@pytest.mark.parametrize("page", PAGES)
def test_no_error_or_raw_directive_in_the_text(html, page):
    text = book.article_text(html / f"{page}.html")
    for trace in ("Traceback (most recent", "{cite}", "{bibliography}", "<!-- results"):
        assert trace not in text


def test_no_smoke_number_in_the_book(html):
    for page in PAGES:
        assert "These numbers are not results" not in book.article_text(html / f"{page}.html")


def test_mathematics_comes_with_the_book(html):
    assert (html / "_static/mathjax/tex-mml-chtml.js").stat().st_size > 1_000_000
    assert len(list((html / "_static/mathjax/output/chtml/fonts/woff-v2").glob("*.woff"))) == 23
