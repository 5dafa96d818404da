"""The rendered book, and a browser to look at it with."""

import functools
import http.server
import os
import shutil
import threading

import pytest

from qednas.companion import book, paths

ROOT = paths.project_root()
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def html():
    """Folder of the rendered book, which `make book` makes."""
    folder = book.html_folder(ROOT)
    if not (folder / "index.html").is_file():
        pytest.fail("there is no rendered book: run make book first (make test does)")
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that prints nothing."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def address(html):
    """Address of the book on this machine: from file:// browsers refuse fonts and the search index."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(html)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium. Without one the tests are skipped, but under CI that is a failure."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        why = "no chromium on this machine (Debian: apt-get install chromium): the pages were not opened in a browser"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield chromium
        chromium.close()
