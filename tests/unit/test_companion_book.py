"""Preparing pages for the book: what is left out, what is folded, which links count, what is refused."""

import nbformat
import pytest

from qednas.base.errors import InputError
from qednas.companion import book


@pytest.fixture
def executed(tmp_path):
    cells = [
        nbformat.v4.new_markdown_cell("# Title\n\nSee [the licence](LICENSE) and [a site](https://example.org/a)."),
        nbformat.v4.new_code_cell('profile = "smoke"\nseed = 0', metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell('profile = "paper"', metadata={"tags": ["injected-parameters"]}),
        nbformat.v4.new_code_cell('ch = Chapter("02", profile=profile, seed=seed)'),
        nbformat.v4.new_code_cell("1 + 1", metadata={"papermill": {}}),
    ]
    path = tmp_path / "02_x.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"papermill": {"duration": 1.0}}), path)
    return path


def test_reader_sees_no_settings_and_folded_code(executed):
    shown = nbformat.reads(book.for_reader(executed).decode(), as_version=4)
    assert [cell.source.split("\n")[0] for cell in shown.cells] == [
        "# Title",
        'ch = Chapter("02", profile=profile, seed=seed)',
        "1 + 1",
    ]
    assert shown.cells[1].metadata.tags == ["chapter-header", "remove-input"]
    assert shown.cells[2].metadata.tags == ["hide-input"]
    assert "papermill" not in shown.metadata


def test_links_inside_the_project_only(executed, tmp_path):
    assert book.links(executed) == ["LICENSE"]
    page = tmp_path / "page.md"
    page.write_text(
        "[a](b.md#part) `[c](d.md)` ![alt](e.svg)\n```text\n[f](g.md)\n```\n[h](mailto:x@example.org) [i](#part)\n"
    )
    assert book.links(page) == ["b.md", "e.svg"]


def test_pages_in_order_and_sources(tmp_path):
    (tmp_path / "_toc.yml").write_text(
        "root: README\nparts:\n  - chapters:\n      - file: book/01_a\n      - file: book/b\n"
    )
    assert book.toc_pages(tmp_path) == ["README", "book/01_a", "book/b"]
    (tmp_path / "README.md").write_text("# A\n")
    assert book.page_source(tmp_path, "README") == tmp_path / "README.md"
    with pytest.raises(InputError, match=r"names book/b, but there is no book/b\.ipynb"):
        book.page_source(tmp_path, "book/b")


@pytest.mark.parametrize("text", ["", "- README\n", "root: 3\n"])
def test_malformed_table_of_contents_is_refused(tmp_path, text):
    (tmp_path / "_toc.yml").write_text(text)
    with pytest.raises(InputError, match=r"_toc\.yml"):
        book.toc_pages(tmp_path)


def test_text_of_the_article_without_navigation(tmp_path):
    page = tmp_path / "p.html"
    page.write_text("<nav>menu</nav><article><h1>A &amp; B</h1>\n<p>text</p></article><footer>end</footer>")
    assert book.article_text(page) == "A & B text"
