"""Links and citations of the README, the Markdown pages and the chapters resolve inside the project."""

import re

import pytest

from qednas.companion import book, paths

ROOT = paths.project_root()
PAGES = book.toc_pages(ROOT)
CITE = re.compile(r"\{cite[a-z:]*\}`([^`]+)`")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


@pytest.fixture(params=PAGES)
def source(request):
    return book.page_source(ROOT, request.param)


def test_linked_files_exist(source):
    missing = [target for target in book.links(source) if not (source.parent / target).exists()]
    assert missing == []


def test_links_to_chapters_are_to_pages_of_the_book(source):
    pages = {book.page_source(ROOT, page) for page in PAGES}
    for target in book.links(source):
        if target.endswith((".ipynb", ".md")):
            assert (source.parent / target).resolve() in pages, target


def test_citations_are_in_the_bibliography(source):
    known = set(re.findall(r"^@\w+\{([^,\s]+),", (ROOT / "book/references.bib").read_text(), flags=re.MULTILINE))
    cited = {key.strip() for text in book.texts(source) for keys in CITE.findall(text) for key in keys.split(",")}
    assert cited <= known


def test_one_title_and_no_heading_twice(source):
    text = "\n".join(re.sub(r"```.*?```", "", text, flags=re.DOTALL) for text in book.texts(source))
    headings = HEADING.findall(text)
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    assert len(headings) == len(set(headings))


def test_every_markdown_page_of_the_top_level_is_in_the_book():
    assert {path.stem for path in ROOT.glob("*.md")} <= set(PAGES)
