"""The page in a real browser: no network, no complaint, charts drawn, hostile text harmless."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hornbook.direction import apart
from hornbook.example.blocks import Block, Mark
from hornbook.example.html import write_page as write_example
from hornbook.report import read_run, write_page
from hornbook.report.live import live
from hornbook.report.proof import write_proof
from hornbook.report.study import write_study
from tests.report.test_proof import proof

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install hornbook[test]"
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no chromium, chromium-browser or google-chrome"
)
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
FLAGS += " --disable-component-update --disable-sync"
EVIL = (
    "</script><script>window.stolen = 1</script><img src='https://example.org/x' onerror='window.stolen = 1'>"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


Open = Callable[..., Any]


@pytest.fixture
def show(browser: Any) -> Iterator[Open]:
    """Open a page from disk and wait for its charts; at the end, nothing was asked for."""
    noise: list[str] = []
    contexts = []

    def show_page(path: Path, width: int = 1280, scheme: str = "light", charts: bool = True) -> Any:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on(
            "request", lambda request: noise.append(request.url) if request.url != path.as_uri() else None
        )
        page.goto(path.as_uri())
        if charts:
            page.wait_for_selector("#undrawn", state="detached", timeout=20_000)
        return page

    yield show_page
    for context in contexts:
        context.close()
    assert noise == []


@pytest.fixture
def loaded(show: Open, tmp_path: Path) -> Open:
    """Write the page of some runs and open it."""

    def open_page(folders: list[Path], *how: Any, **more: Any) -> Any:
        path = write_page([read_run(folder) for folder in folders], tmp_path / "page.html", "In a browser")
        return show(path, *how, **more)

    return open_page


def test_the_charts_are_drawn_and_switch_their_axis(loaded: Open, three: list[Path]) -> None:
    page = loaded(three)
    assert page.locator(".chart svg.main-svg").count() >= 4
    for index in range(4):
        paths = page.locator(f"#chart-{index} path.js-line").evaluate_all(
            "all => all.map(p => p.getAttribute('d'))"
        )
        assert any(path and path.count("L") >= 5 for path in paths)
        assert (
            page.locator(f"#chart-{index} .points path").count() == 13
        )  # evaluations, every 50 of 600 steps
    titles = page.locator(".chart .xtitle")
    for word, title in (("tokens", "Tokens seen"), ("seconds", "Seconds of training"), ("steps", "Steps")):
        page.get_by_label(word, exact=True).check()
        sync_api.expect(titles).to_have_text([title] * 4)
    ticks = page.locator("#chart-0 .xtick text").all_text_contents()
    page.get_by_label("logarithmic").check()
    assert page.locator("#chart-0 .xtick text").all_text_contents() != ticks
    # Zero has no place there: no line starts at the axis.
    starts = page.locator("#chart-0 path.js-line").evaluate_all("all => all.map(p => p.getAttribute('d'))")
    assert all(not path.startswith("M0,") for path in starts)


def test_a_run_has_one_colour_everywhere_and_the_dark_page_another(loaded: Open, three: list[Path]) -> None:
    page = loaded(three)

    def colours() -> list[str]:
        lines = page.locator("#chart-0 path.js-line, #chart-2 path.js-line")
        drawn = lines.evaluate_all("all => all.map(p => p.style.stroke)")
        keys = page.locator("svg.run-1").evaluate_all("all => all.map(m => getComputedStyle(m).fill)")
        return sorted(set(drawn) | set(keys))

    light = colours()
    page.emulate_media(color_scheme="dark")
    sync_api.expect(page.locator("#chart-0 path.js-line").first).not_to_have_css("stroke", light[0])
    dark = colours()
    assert len(light) == len(dark) == 1 and light != dark


def test_hostile_text_does_not_run(loaded: Open, make_run: Callable[..., Path]) -> None:
    folder = make_run(
        "evil", samples=[{"kind": "infill", "prompt": EVIL, "output": f"⟦{EVIL}⟧"}], preset=EVIL
    )
    (folder / "run.json").write_text(
        (folder / "run.json").read_text().replace('"evil"', '"<b>evil</b></script>"')
    )
    page = loaded([folder])
    page.hover("#chart-0 .nsewdrag")
    assert page.evaluate("window.stolen") is None
    assert page.locator("mark").first.inner_text() == EVIL
    assert "<b>evil</b></script>" in page.locator("#chart-0 .hoverlayer").text_content()


MIRRORED = """evil => {
    const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walk.nextNode()) {
        const text = walk.currentNode.data.replaceAll(evil, " ".repeat(evil.length))
        const at = text.search(/[a-z]{2}[^a-z]*$/)
        if (at < 0) continue
        const [one, two] = [at, at + 1].map(place => { const range = document.createRange()
            range.setStart(walk.currentNode, place); range.setEnd(walk.currentNode, place + 1)
            return range.getBoundingClientRect() })
        if (one.width && one.top == two.top && one.left > two.left) found.push(text)
    }
    return found }"""
"""Finds the texts of a page that run from right to left, though there is no such letter in them."""


@pytest.mark.parametrize(
    "evil",
    [EVIL, "</style><style>*{display:none}", "]]><script>window.stolen = 1</script>", "\u202etxt.live"],
    ids=["script", "style", "data", "override"],
)
def test_hostile_names_are_inert_on_every_page(
    evil: str, show: Open, make_run: Callable[..., Path], found: dict[str, Any], tmp_path: Path
) -> None:
    folder = make_run("evil", preset=evil, samples=[{"kind": evil, "prompt": evil, "output": evil}])
    (folder / "run.json").write_text((folder / "run.json").read_text().replace('"evil"', json.dumps(evil)))
    study = json.loads(json.dumps(found).replace("plain <b>", json.dumps(evil)[1:-1]))
    study["question"] = study["about"] = evil
    for one in study["answers"]:
        one["sentence"] = one["sentence"].replace(evil, apart(evil))  # as `hornbook.studies.answer` writes it
    proved = proof(1.0)
    proved["machine"]["processor"] = evil
    for one in (*proved["tasks"], *proved["arms"].values()):
        one["title"] = one["told"] = evil
    for one in proved["tasks"]:
        one["shown"] = [[{"word": evil}, {"word": evil, "read": evil, "chance": 0.98, "state": evil}]]
    blocks = [Block(evil, (evil,), (Mark(evil, small=evil),), (evil,), ((Mark(evil),),), (evil,))]
    pages = {
        "page": write_page([read_run(folder)], tmp_path / "page.html", evil),
        "study": write_study(study, tmp_path / "study.html"),
        "proof": write_proof(proved, tmp_path / "proof.html"),
        "example": write_example(evil, blocks, tmp_path / "example.html"),
    }
    told = {"page": "h1", "study": "h1", "proof": ".thoughts li", "example": "h2"}
    for name, path in pages.items():
        page = show(path, charts=name != "example")
        assert page.evaluate("window.stolen") is None
        assert page.evaluate(MIRRORED, evil) == [], name
        shown = page.locator(told[name]).first.inner_text()
        assert " ".join(shown.split()) == " ".join(evil.split()), name


def test_an_override_of_direction_ends_with_its_name(
    show: Open, make_run: Callable[..., Path], tmp_path: Path
) -> None:
    """What follows a name stands to the right of what comes before it, as in any line from left to right."""
    folder = make_run("a")
    facts = json.loads((folder / "run.json").read_text())
    facts["corpus"]["name"] = facts["name"] = "\u202etxt.live"
    (folder / "run.json").write_text(json.dumps(facts))
    page = show(write_page([read_run(folder)], tmp_path / "page.html", "\u202etitle"))
    place = """word => { const walk = document.createTreeWalker(document.querySelector('.lead'), NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) { const at = walk.currentNode.data.indexOf(word);
            if (at >= 0) { const range = document.createRange(); range.setStart(walk.currentNode, at);
                range.setEnd(walk.currentNode, at + word.length); return range.getBoundingClientRect().left } } }"""
    assert (
        page.evaluate(place, "One run") < page.evaluate(place, "of text") < page.evaluate(place, "to learn")
    )


def test_a_script_that_got_in_would_not_run(loaded: Open, three: list[Path], tmp_path: Path) -> None:
    page = loaded(three)
    html = (tmp_path / "page.html").read_text()
    (tmp_path / "altered.html").write_text(html.replace("<h1>", "<script>window.stolen = 1</script><h1>"))
    other = page.context.new_page()
    other.goto((tmp_path / "altered.html").as_uri())
    other.wait_for_selector("#undrawn", state="detached", timeout=20_000)
    assert other.evaluate("window.stolen") is None


def test_nothing_is_wider_than_the_screen(loaded: Open, three: list[Path]) -> None:
    page = loaded(three, 390)
    for width in (390, 768, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_print_is_light_unfolded_and_goes_back(loaded: Open, three: list[Path]) -> None:
    page = loaded(three, scheme="dark")
    page.evaluate("""addEventListener('beforeprint', () => { window.printed = [
        document.querySelectorAll('details[open]').length,
        document.querySelector('#chart-0 path.js-line').style.stroke,
        document.querySelector('#chart-0 svg').getAttribute('width')] })""")
    before = page.locator("#chart-0 path.js-line").first.evaluate("p => p.style.stroke")
    page.pdf()
    unfolded, stroke, width = page.evaluate("window.printed")
    assert (unfolded, width) == (3, "620") and stroke != before
    assert page.locator("details[open]").count() == 0
    assert page.locator("#chart-0 path.js-line").first.evaluate("p => p.style.stroke") == before


def test_a_study_has_a_curve_for_each_seed(show: Open, found: dict[str, Any], tmp_path: Path) -> None:
    page = show(write_study(found, tmp_path / "study.html"), 390)
    assert page.locator("#chart-0 .points path").count() == 2 * 3 * 4  # arms, seeds, looks
    colours = page.locator("#chart-0 path.js-line").evaluate_all("all => all.map(p => p.style.stroke)")
    assert len(set(colours)) == 2
    assert page.locator("#chart-0 .xtitle").text_content() == "Seconds of training"
    for width in (390, 768, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.slow
def test_a_page_of_a_run_that_goes_on_loads_itself_again(
    browser: Any, make_run: Callable[..., Path], tmp_path: Path
) -> None:
    """The chosen axis stays, what a reader has open isn't taken away, and an old page says that it is old."""
    run, path = read_run(make_run("going")), tmp_path / "page.html"
    path = write_page([run], path, "Going", replace(live(run, 3.0), status="first"))
    context = browser.new_context()
    context.set_default_timeout(60_000)
    page = context.new_page()
    noise: list[str] = []
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.goto(path.as_uri())
    status = page.locator("#live")
    sync_api.expect(status).to_have_text("first", timeout=60_000)
    page.get_by_label("tokens", exact=True).check()
    page.get_by_label("logarithmic").check()
    write_page([run], path, "Going", replace(live(run, 3.0), status="second"))
    sync_api.expect(status).to_have_text("second", timeout=60_000)
    sync_api.expect(page.get_by_label("tokens", exact=True)).to_be_checked(timeout=60_000)
    sync_api.expect(page.get_by_label("logarithmic")).to_be_checked(timeout=60_000)
    sync_api.expect(page.locator("#chart-0 .xtitle")).to_have_text("Tokens seen", timeout=60_000)
    page.locator("summary").first.click()
    write_page([run], path, "Going", replace(live(run, 3.0), status="third"))
    page.wait_for_selector("#undrawn", state="detached")
    page.wait_for_timeout(4000)
    sync_api.expect(status).to_have_text("second")
    page.locator("summary").first.click()
    sync_api.expect(status).to_have_text("third", timeout=60_000)
    old = replace(live(run, 3.0), status="old.", written=0.0)
    write_page([run], path, "Going", old)
    sync_api.expect(status).to_contain_text("old. This page was last written", timeout=60_000)
    context.close()
    assert noise == []
