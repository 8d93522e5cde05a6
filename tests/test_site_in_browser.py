"""The built site in a real browser: light and dark, on a phone and on a desk."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install hornbook[test]"
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium, chromium-browser or google-chrome"),
    pytest.mark.skipif(
        not all(map(find_spec, ("mkdocs", "mkdocstrings"))),
        reason="there is no MkDocs: pip install hornbook[docs]",
    ),
]
ROOT = Path(__file__).parents[1]
PAGES = (
    "index.html",
    "python.html",
    "results.html",
    "reference/api.html",
    "reference/recipe.html",
    "reference/commands.html",
    "tutorials/reading-a-learning-curve.html",
)


class Quiet(SimpleHTTPRequestHandler):
    """Serves the site without a line for each file."""

    def log_message(self, *told: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder]
    subprocess.run(build, cwd=ROOT, check=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def luminance(colour: str) -> float:
    """Give a colour's relative luminance, as WCAG 2 defines it."""
    parts = [float(part) / 255 for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_readable(site: str, browser: Any, scheme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    noise: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: noise.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on(
        "request",
        lambda asked: noise.append(asked.url) if not asked.url.startswith((site, "data:", "blob:")) else None,
    )
    for name in PAGES:
        response = page.goto(f"{site}/{name}", wait_until="load")
        assert response.status == 200, name
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} wide"
        sync_api.expect(page.locator("h1").first).to_be_visible()
        colours = page.locator(".md-typeset p").first.evaluate(
            "one => [getComputedStyle(one).color, getComputedStyle(document.body).backgroundColor]"
        )
        dark, bright = sorted(map(luminance, colours))
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, (name, colours)
        assert (luminance(colours[1]) < 0.2) == (scheme == "dark"), (name, colours)
    context.close()
    assert noise == []


def test_the_search_finds_a_function(site: str, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{site}/index.html")
    page.get_by_placeholder("Search").fill("collator")
    found = page.locator(".md-search-result__link").first
    sync_api.expect(found).to_be_visible(timeout=30_000)
    page.close()
