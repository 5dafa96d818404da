"""The book: chapters executed on the stored results, laid out by Jupyter Book, checked page by page.

Papermill executes and Jupyter Book only renders, so a page can show nothing that is not stored. An empty site with a
green build is possible; every page of the table of contents is therefore opened afterwards.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from qednas.base.errors import InputError
from qednas.base.files import write_atomic
from qednas.base.locks import Busy, locked
from qednas.base.progress import note
from qednas.companion import paths, profiles
from qednas.companion.execution import ChapterFailed
from qednas.companion.results import sums

SHIPPED = ("_config.yml", "book/references.bib", "book/_web")  # beside the pages: what the configuration names
HIDDEN_CELLS = {"parameters", "injected-parameters"}  # say nothing to the reader of a page
LEAST_TEXT = 200  # characters of text in a page's article; an empty page has its title at most
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:")


class BookFailed(ChapterFailed):
    """The book could not be built, or a page of it is missing or empty."""


def html_folder(root: Path) -> Path:
    """Where the rendered book lies."""
    return root / "_build" / "book" / "html"


def toc_pages(root: Path) -> list[str]:
    """Pages of `_toc.yml` in its order, without suffix ("README", "book/02_dataset"). Raises InputError."""
    toc = profiles.read_yaml(root / "_toc.yml")
    if not isinstance(toc, dict) or not isinstance(toc.get("root"), str):
        raise InputError(f"{root / '_toc.yml'}: a mapping with root and parts or chapters")
    return [toc["root"], *profiles.toc_files(toc)]


def page_source(root: Path, page: str) -> Path:
    """Notebook or Markdown file of a page. Raises InputError if there is none."""
    for suffix in (".ipynb", ".md"):
        if (root / f"{page}{suffix}").is_file():
            return root / f"{page}{suffix}"
    raise InputError(f"_toc.yml names {page}, but there is no {page}.ipynb or {page}.md")


def build_book(root: Path | None = None) -> Path:
    """Render the whole book from `results/paper` into `_build/book/html`; returns the path of its first page.

    Raises InputError (bad table of contents, two builds at once), ChapterFailed (a chapter lacks a result), BookFailed
    (warnings of Jupyter Book, missing or empty pages). The earlier book stays until the new one is complete.
    """
    root = root or paths.project_root()
    build = root / "_build" / "book"
    try:
        with locked(build / ".lock", wait=False):
            return _build(root, build)
    except Busy:
        raise InputError(f"another build of the book is going on in {build}") from None


def _build(root: Path, build: Path) -> Path:
    from qednas.companion.execution import render_chapters

    if edited := sums.problems(paths.paper_results(root)):
        named = "; ".join(f"{name}: {why}" for name, why in list(edited.items())[:3])
        more = f" and {len(edited) - 3} more" if len(edited) > 3 else ""
        raise InputError(f"results/paper shows nothing that was not accepted: {named}{more}")
    pages = toc_pages(root)
    sources = [page_source(root, page) for page in pages]
    executed = {path.name: path for path in render_chapters(build / "executed", root)}
    work = build / "work"
    shutil.rmtree(work, ignore_errors=True)  # also the doctrees: stale ones hide changes and warnings
    for source in sources:
        _copy_page(root, source, executed, build / "executed", work / "src")
    for name in SHIPPED:
        _copy(root / name, work / "src" / name)
    shutil.copyfile(root / "_toc.yml", work / "src" / "_toc.yml")
    _jupyter_book(work)
    rendered = work / "_build" / "html"
    check_pages(rendered, pages)
    target = html_folder(root)
    shutil.rmtree(target, ignore_errors=True)
    rendered.rename(target)
    shutil.rmtree(work)
    note(f"{len(pages)} pages; open {target / 'index.html'} or run make serve")
    return target / "index.html"


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.is_file():
        shutil.copyfile(source, target)
    else:
        raise InputError(f"{source} is missing")


def _copy_page(root: Path, source: Path, executed: dict[str, Path], folder: Path, target: Path) -> None:
    """Copy one page for rendering, and the files that its text links to (licence, figures, ...)."""
    place = target / source.relative_to(root)
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".ipynb":
        if source.name not in executed:
            raise InputError(f"_toc.yml: {source.name} is not called book/NN_name, so nothing executes it")
        write_atomic(place, for_reader(folder / source.name))
    else:
        shutil.copyfile(source, place)
    for linked in links(source):
        path = (source.parent / linked).resolve()
        if path.is_file() and path.is_relative_to(root) and path.suffix not in (".md", ".ipynb"):
            _copy(path, target / path.relative_to(root))


def texts(source: Path) -> list[str]:
    """Markdown texts of a page: the file, or the Markdown cells of a notebook."""
    if source.suffix == ".md":
        return [source.read_text(encoding="utf-8")]
    from qednas.companion.execution import read_notebook

    return [cell.source for cell in read_notebook(source).cells if cell.cell_type == "markdown"]


def links(source: Path) -> list[str]:
    """Targets of the links and images of a page that lie inside the project, without fragments."""
    targets = []
    for text in texts(source):
        plain = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
        targets += [target for target in LINK.findall(plain) if not OUTSIDE.match(target)]
    return targets


def for_reader(path: Path) -> bytes:
    """An executed notebook as the book shows it: parameter cells left out, code folded, outputs open."""
    import nbformat

    from qednas.companion.execution import read_notebook

    notebook: Any = read_notebook(path)
    cells = []
    for cell in notebook.cells:
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type == "code":
            if tags & HIDDEN_CELLS:
                continue
            if re.search(r"^ch = Chapter\(", cell.source, flags=re.MULTILINE):
                tags |= {"chapter-header", "remove-input"}
            else:
                tags |= {"hide-input"}
            cell.metadata["tags"] = sorted(tags)
        cells.append(cell)
    notebook.cells = cells
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    return (nbformat.writes(notebook) + "\n").encode()


def _jupyter_book(work: Path) -> None:
    """Run Jupyter Book on `work`/src with warnings as errors, into `work`/_build. Raises BookFailed."""
    run = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"  # the package has no __main__
    command = [sys.executable, "-c", run, "build", str(work / "src"), "--path-output", str(work)]
    command += ["-W", "-n", "--keep-going", "--all", "--quiet"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
        raise BookFailed("Jupyter Book: warnings or errors, see above")


class _Article(HTMLParser):
    """Text inside the <article> of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += tag == "article"

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "article"

    def handle_data(self, data: str) -> None:
        if self.depth > 0:
            self.text.append(data)


def article_text(page: Path) -> str:
    """Text of a rendered page without navigation, white space collapsed."""
    parser = _Article()
    parser.feed(page.read_text(encoding="utf-8"))
    return " ".join(" ".join(parser.text).split())


def check_pages(html: Path, pages: list[str]) -> None:
    """Raise BookFailed naming every page of the table of contents that is missing or has next to no text."""
    wrong = []
    for page in pages:
        path = html / f"{page}.html"
        if not path.is_file():
            wrong.append(f"{page} is missing")
        elif len(article_text(path)) < LEAST_TEXT:
            wrong.append(f"{page} is empty")
    if not (html / "index.html").is_file():
        wrong.append("index.html is missing")
    if wrong:
        raise BookFailed(f"the book in {html}: {'; '.join(wrong)}")
