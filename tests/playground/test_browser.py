"""The playground in a real browser, where Gradio is installed: what is typed is drawn for each model."""

import shutil
import socket
from pathlib import Path

import pytest

import hornbook as hb
from tests.playground.test_views import opened

pytest.importorskip("gradio", reason="gradio is not installed: pip install hornbook[play]")
sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

HOSTILE = ("<script>q=1</script>", "<img/onerror=q=1/src=x>", "</style>\u202e<q=1")
"""Short, since the model takes 31 tokens."""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium, chromium-browser or google-chrome")
def test_what_is_typed_is_drawn_for_each_model(tmp_path: Path) -> None:
    from hornbook.playground.play import play

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    causal = opened("tinystories-1m", "causal")
    causal.model.save_pretrained(tmp_path / "plain")
    causal.tokenizer.save_pretrained(tmp_path / "plain")
    hb.dense.add(tmp_path / "plain", tmp_path / "thinking")
    others = [opened("t5-small", "span_corruption"), tmp_path / "thinking"]
    app = play([causal, opened("bert-tiny", "masked"), *others], port, browser=False)
    asked: list[str] = []
    try:
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.on("request", lambda request: asked.append(request.url))
            page.goto(f"http://127.0.0.1:{port}", timeout=120_000)
            page.locator("#text textarea").fill("Once upon a time")
            first, second, third, fourth = (page.locator(f"#model-{number}") for number in range(4))
            sync_api.expect(first.locator(".hb-token")).not_to_have_count(0, timeout=60_000)
            sync_api.expect(second).to_contain_text("has no view", timeout=60_000)
            page.get_by_label("Gaps").check()
            page.locator("#text textarea").fill("Once ___ a time")
            sync_api.expect(second.locator(".hb-bars tr")).to_have_count(8, timeout=60_000)
            sync_api.expect(third).to_contain_text("Once", timeout=60_000)
            sync_api.expect(third.locator("mark")).not_to_have_count(0)
            page.get_by_label("Dense thoughts").check()
            sync_api.expect(fourth.locator("mark")).not_to_have_count(0, timeout=60_000)
            page.get_by_label("Attention").check()
            sync_api.expect(first.locator(".hb-square")).not_to_have_count(0, timeout=60_000)
            for text in HOSTILE:
                page.locator("#text textarea").fill(text)
                for view in ("Next token", "Gaps", "Dense thoughts", "Attention"):
                    page.get_by_label(view).check()
                    page.wait_for_timeout(1500)
                    assert page.evaluate("window.q") is None
                page.get_by_label("Next token").check()
                sync_api.expect(first.locator(".hb-token")).not_to_have_count(0, timeout=60_000)
                shown = "".join(first.locator(".hb-token").all_inner_texts())
                assert "q" in shown and "=" in shown and "<" in shown
            page.screenshot(path=tmp_path / "playground.png", full_page=True)
            browser.close()
    finally:
        app.close()
    elsewhere = [url for url in asked if "127.0.0.1" not in url and not url.startswith(("data:", "blob:"))]
    assert elsewhere == []
