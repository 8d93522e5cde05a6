"""The page of a run, as it is while the run goes on."""

import re
import webbrowser
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from safetensors.torch import load_file
from torch import equal

import hornbook
from hornbook.errors import HornbookError
from hornbook.recipe import Recipe
from hornbook.reporter import Reporter
from hornbook.training import live_page
from hornbook.training.train import start

BERT = {"preset": "bert-tiny", "length": 64, "config": {"hidden_size": 32, "num_attention_heads": 2}}


class Browser:
    """Stands for a browser: remembers what it was asked to open."""

    def __init__(self, opens: bool = True, name: str = "a-browser") -> None:
        self.opens, self.name, self.asked, self.called = opens, name, list[str](), Event()

    def open(self, address: str) -> bool:
        self.asked.append(address)
        self.called.set()
        return self.opens


class Listener(hornbook.Callback):
    """Keeps what the page says after each line of the log."""

    def __init__(self) -> None:
        self.pages: list[str] = []

    def on_log(self, loop: Any, kind: str, facts: dict[str, Any]) -> None:
        self.pages.append((loop.run.folder / "page.html").read_text("utf-8"))


def status(page: str) -> str:
    found = re.search(r'id="live"[^>]*>([^<]*)<', page)
    return found[1] if found else ""


def train(recipe: Recipe, *callbacks: hornbook.Callback, **how: Any) -> hornbook.Run:
    return hornbook.train(recipe.model_dump(mode="json"), callbacks=callbacks, **how)


@pytest.fixture
def recipe(recipe_of: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch) -> Recipe:
    monkeypatch.setattr(live_page, "EVERY", 0.0)
    monkeypatch.setattr(live_page, "_SHARE", 1e9)
    return recipe_of(BERT, "masked", steps=6, log_every=1, evaluate_every=3)


@pytest.mark.slow
def test_the_page_grows_and_changes_nothing_of_the_model(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, listener = Browser(), Listener()
    monkeypatch.setattr(webbrowser, "get", lambda: browser)
    run = train(recipe, listener, open=True)
    assert browser.called.wait(10) and browser.asked == [run.page.resolve().as_uri()]
    told = [status(page) for page in listener.pages]  # steps 1 2 3, evaluation, 4 5 6, evaluation
    for step, said in zip((1, 2, 3, 3, 4, 5), told, strict=False):
        assert re.fullmatch(rf"Step {step} of 6, [\d,]+ tokens a second, \d+ s left\.", said), said
    assert told[-1] == "All 6 steps are done. The model is being measured."
    first, second, third = (page.count('<ol class="candidates">') for page in listener.pages[2:5])
    assert first == 0 < second == third  # the first evaluation has samples, and they stay
    assert "At step 3." in listener.pages[4]
    last = run.page.read_text("utf-8")
    assert not status(last) and '<ol class="candidates">' in last
    plain = train(recipe.model_copy(update={"out": str(tmp_path / "plain")}))
    with_page, without = (load_file(one.folder / "model" / "model.safetensors") for one in (run, plain))
    assert all(equal(with_page[name], without[name]) for name in without)


def test_the_card_is_there_before_the_first_step(recipe: Recipe) -> None:
    folder = start(recipe, Reporter(silent=True)).run.folder
    assert not (folder / "checkpoints").exists() and not (folder / "model").exists()
    assert "None yet" in (folder / "README.md").read_text("utf-8")


@pytest.mark.parametrize("browser", [None, Browser(opens=False), Browser(name="/usr/bin/w3m")])
def test_without_a_browser_a_sentence_says_where_the_page_is(
    browser: Browser | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hornbook.browser import Shown

    said, told = [], Event()

    class Report:
        def say(self, text: str) -> None:
            said.append(text)
            told.set()

    def get() -> Browser:
        if browser is None:
            raise webbrowser.Error("could not locate runnable browser")
        return browser

    monkeypatch.setattr(webbrowser, "get", get)
    Shown(tmp_path / "page.html", Report())  # type: ignore[arg-type]
    assert told.wait(10)
    assert said == [
        f"There is no browser here: the page is {tmp_path / 'page.html'}, and grows as the run goes on"
    ]
    assert browser is None or "w3m" not in browser.name or not browser.asked


@pytest.mark.long
def test_a_page_that_cant_be_written_stops_no_training(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*how: Any) -> Path:
        raise HornbookError("no room")

    monkeypatch.setattr(webbrowser, "get", Browser)
    monkeypatch.setattr(live_page, "write_page", refuse)
    run = train(recipe, open=True)
    assert [one.getMessage() for one in caplog.records if one.levelname == "WARNING"][-1:] == [
        "the page can't be written, and the training goes on without it: no room"
    ]
    assert (run.folder / "model").is_dir() and run.page.exists()  # the finished page is written again


def test_a_notebook_shows_the_page_in_its_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hornbook import browser

    class Output:
        def __init__(self) -> None:
            self.drawn: list[str] = []

        def update(self, drawn: Any) -> None:
            self.drawn.append(drawn.data)

    class Console:
        is_jupyter = True

    pytest.importorskip("IPython", reason="there is no IPython: a notebook brings it")
    output = Output()
    monkeypatch.setattr(browser, "CONSOLE", Console)
    monkeypatch.setattr(browser, "_display", lambda drawn, display_id: output.update(drawn) or output)
    page = tmp_path / "page.html"
    page.write_text('<p title="1">first</p>', "utf-8")
    shown = browser.Shown(page, None)  # type: ignore[arg-type]
    page.write_text("<p>second</p>", "utf-8")
    shown.again()
    assert len(output.drawn) == 2 and "&lt;p title=&quot;1&quot;&gt;first" in output.drawn[0]
    assert "second" in output.drawn[1] and output.drawn[1].startswith("<iframe srcdoc=")
