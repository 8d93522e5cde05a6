"""The page of a trial, made of figures that no training gave."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hornbook.report.dense_try import chart, full, write_try

ARMS = ("dense", "pause", "plain", "plain, same steps")


def interval(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean - 0.01, "high": mean + 0.01}


def word(text: str, dense: float | None, plain: float | None) -> dict[str, Any]:
    return {"text": text, "token": False, "dense": dense, "plain": plain}


def trial(right: bool = False) -> dict[str, Any]:
    token = {"text": "", "token": True, "dense": None, "plain": None}
    helped = {"gap": -0.2, "pieces": [word("<b>", None, None), token, word(" \u0645\u0631 & co", 1.0, 1.4)]}
    return {
        "model": "mine/\u0645<i>",
        "verdict": "don't help",
        "sentences": ["On this text dense tokens don't help: +0.020.", "Is it worth it?"],
        "rival": "plain",
        "unit": "nats a word of the answers" if right else "nats a word",
        "seeds": 3,
        "texts": 40,
        "words": 1240,
        "learned": 100,
        "rounds": None if right else 1,
        "against": {arm: interval(0.02) for arm in ARMS[1:]},
        "arms": {
            arm: {
                "steps": 20,
                "places": 12_000.0,
                "readings": 6.4 if arm == "plain" else 1.5,
                "nats": interval(3.25),
                "by_seed": [3.24, 3.25, 3.26],
                "right": interval(0.5) if right else None,
            }
            for arm in ARMS
        },
        "curves": {
            arm: [{"places": 600.0 * step, **interval(4 - 0.1 * step)} for step in range(7)] for arm in ARMS
        },
        "examples": {"helped": [helped], "hurt": []},
    }


@pytest.mark.parametrize("right", [False, True])
def test_the_page_is_whole_and_begins_with_the_verdict(right: bool, tmp_path: Path) -> None:
    page = write_try(json.loads(json.dumps(trial(right))), tmp_path / "page.html").read_text("utf-8")
    body = page.split("<header>")[1].split("<footer>")[0]
    words = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", body, flags=re.S).split()
    assert " ".join(words).startswith("On this text dense tokens don&#39;t help: +0.020.")
    assert ("Right answers" in body) == right and ("filled one by one" in body) == right
    assert body.count("3.250 <small>3.240 to 3.260") == 4 and body.count("3.240, 3.250, 3.260") == 4
    thing = "question" if right else "text"
    assert f"Plain (equal compute) read each {thing} more than four times" in body
    assert body.count(f"There is no such {thing}") == 1
    outside = re.sub(r'<script type="text/plain".*?</script>', "", page, flags=re.S)
    assert not re.search(r"(src|href)\s*=|url\(|https?://(?!www\.w3)", outside)
    for one in json.loads(page.split('id="charts">')[1].split("</script>")[0]):
        assert f'id="{one["id"]}"' in page


def test_words_are_escaped_and_carry_their_figures(tmp_path: Path) -> None:
    page = write_try(trial(), tmp_path / "page.html").read_text("utf-8")
    body = page.split("<header>")[1].split("<footer>")[0]
    assert "<b>" not in body and "<i>" not in body and "&lt;b&gt;" in body
    shown = re.search(r'<p class="prose" dir="auto">(.*?)</p>', body)
    assert shown and shown[1].count("◆") == 1
    assert 'title="dense 1.00, plain 1.40 nats: −0.400"> \u0645\u0631 &amp; co<' in shown[1]
    assert "word better" in shown[1] and "--share:1.00" in shown[1]


def test_colours_are_full_at_the_largest_differences() -> None:
    found = trial()
    found["examples"]["hurt"] = [{"gap": 1.0, "pieces": [word("x", 0.1 * n, 0.0) for n in range(20)]}]
    assert full(found) == pytest.approx(1.7)  # of 21 words
    found["examples"] = {"helped": [], "hurt": []}
    assert full(found) == 0.1


def test_the_curve_holds_the_figures() -> None:
    found = trial()
    found["curves"]["pause"][0]["high"] = 100.0  # a token that nobody trained
    drawn = chart(found)
    low, high = drawn["range"]
    assert 3.3 < low < 3.39 and 4.01 < high < 4.1
    assert [one["name"][:5] for one in drawn["curves"]] == ["Dense", "Pause", "Plain", "Plain"]
    assert drawn["curves"][2]["x"] == [600.0 * step for step in range(7)] and drawn["y"] == "nats a word"
    assert drawn["curves"][0]["low"][1] == pytest.approx(3.89)
