"""The page of the proof, made of figures that no training gave."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hornbook.dense_tokens.prove.arms import ARMS
from hornbook.dense_tokens.prove.learning import Course, ProofSettings
from hornbook.dense_tokens.prove.proof import tell
from hornbook.dense_tokens.prove.trial import Trial
from hornbook.errors import HornbookError
from hornbook.report.proof import charts, percent, write_proof


def trial(arm: str, share: float) -> Trial:
    """Make up an arm that answers a share of the questions."""
    rng = np.random.default_rng(len(arm))
    right = {depth: rng.random((3, 200)) < (1.0 if depth == 1 else share) for depth in range(1, 9)}
    beyond = {depth: rng.random((3, 200)) < share / 2 for depth in (12, 16, 32)}
    extra: dict[str, Any] = {}
    if arm == "dense":
        extra = {
            "ablated": {kind: rng.random((3, 200)) < 0.17 for kind in ("zero", "shuffle", "mean", "noise")},
            "rounds": {rounds: [1.0] * (rounds + 1) + [0.2] * (7 - rounds) for rounds in range(8)},
            "decoded": [0.99] * 7,
            "shown": [[{"word": "<b>"}, {"word": "⟨dense⟩", "read": "12", "chance": 0.98, "state": "21"}]],
        }
    looks: list[dict[str, object]] = [{"step": step, "right": [0.1, share / 2, share]} for step in (50, 100)]
    return Trial(arm, 50_560, Course(700, 300_000, 20.0, looks), right, beyond, **extra, seconds=21.0)


def proof(dense: float) -> dict[str, Any]:
    trials = {arm: trial(arm, dense if arm == "dense" else 0.17) for arm in ARMS}
    settings = ProofSettings(batch=4, test=50)
    told = tell("s3", trials, (0, 1, 2), settings)
    return {
        "holds": told["holds"],
        "tasks": [told],
        "arms": {
            arm.name: {"title": arm.title, "told": arm.told, "layers": arm.layers, "seeds": 3}
            for arm in ARMS.values()
        },
        "seeds": [0, 1, 2],
        "settings": settings.model_dump(),
        "seconds": 431.0,
        "machine": {"processor": "x86_64", "cores": 2},
        "versions": {"hornbook": "0"},
    }


def test_the_verdict() -> None:
    assert proof(1.0)["holds"]
    short = proof(0.97)
    assert not short["holds"] and short["tasks"][0]["least"] < 0.99
    assert short["tasks"][0]["held"] == {
        "every seed answers": False,
        "every control is behind": True,
        "other vectors answer nothing": True,
    }
    against = proof(1.0)["tasks"][0]["against"]
    assert set(against) == set(ARMS) - {"dense"}
    assert against["pause"]["low"] > 0.7 and against["pause"]["p"] < 1e-9


@pytest.mark.parametrize("share", [1.0, 0.9])
def test_the_page_is_whole_and_tells_it(share: float, tmp_path: Path) -> None:
    found = json.loads(json.dumps(proof(share)))  # a page can be made again of what was saved
    page = write_proof(found, tmp_path / "page.html").read_text("utf-8")
    assert ("It holds" in page) == (share == 1.0)
    assert ("a seed answers fewer than 99 % (the worst answers" in page) == (share < 1)
    for arm in ARMS.values():
        assert arm.title in page
    assert ("all of 0, 1, 2" if share == 1.0 else "none <small>of 0, 1, 2</small>") in page
    for question in (
        "on which seeds does it hold",
        "only the token",
        "given longer",
        "ride along",
        "Is it depth",
        "by heart",
        "vector say",
        "doesn't show",
    ):
        assert question in page
    assert "&lt;b&gt;" in page and "<b>" not in page.split("<main>")[1].split("</main>")[0]
    outside = re.sub(r'<script type="text/plain".*?</script>', "", page, flags=re.S)
    assert not re.search(r"(src|href)\s*=|url\(|https?://(?!www\.w3)", outside)
    assert page.count("--share:1.000") == 36 and page.count("--share:0.200") == 28
    drawn = json.loads(page.split('id="charts">')[1].split("</script>")[0])
    for chart in drawn:
        assert f'id="{chart["id"]}"' in page


def test_charts_hold_the_figures() -> None:
    found = proof(1.0)
    depth, course, beyond, decoded = charts(found["tasks"][0], found["arms"])
    assert [curve["name"] for curve in depth["curves"]] == [arm.title for arm in ARMS.values()]
    assert depth["curves"][0]["x"] == list(range(1, 9)) and depth["curves"][0]["mean"] == [1.0] * 8
    assert course["curves"][0] | {"number": 0} == {
        "number": 0,
        "name": "Dense",
        "x": [50, 100],
        "mean": [pytest.approx(1.6 / 3)] * 2,
        "low": [0.1] * 2,
        "high": [1.0] * 2,
    }
    assert beyond["curves"][0]["x"][-1] == 32 and beyond["edge"] == 8
    assert len(decoded["values"]) == 7


def test_percentages_never_round_up_to_certainty() -> None:
    assert [percent(share) for share in (1.0, 0.9999, 0.166, -1e-5)] == ["100", "99.9", "16.6", "0.0"]


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HornbookError, match="a folder is needed here, but this is a file"):
        write_proof(proof(1.0), tmp_path / "file" / "page.html")
