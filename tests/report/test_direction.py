"""Foreign text is isolated: in elements by <bdi>, in sentences by Unicode's marks, in attributes too."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from hornbook.direction import apart
from hornbook.report import read_run, write_page
from hornbook.report.study import write_study

OVERRIDE = "\u202e"
NAME = f"{OVERRIDE}txt.evil"


@pytest.mark.parametrize("text", ["run", "naïve café", "中文", "a–b", ""])
def test_text_from_left_to_right_stays_as_it_is(text: str) -> None:
    assert apart(text) == text


@pytest.mark.parametrize("text", [NAME, f"a\u2069{OVERRIDE}b", "\u2067x", "مرحبا", "שלום", "\u202dabc\u202c"])
def test_text_that_turns_is_isolated(text: str) -> None:
    made = apart(text)
    assert made[0] == "\u2068" and made[-1] == "\u2069"
    assert not set(made[1:-1]) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Loose(HTMLParser):
    """Collects text with an override that stands outside of <bdi>, and attributes with one."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.depth, self.found = 0, list[str]()
        self.inside = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += tag == "bdi"
        self.found += [f"{tag} {name}" for name, value in attrs if OVERRIDE in (value or "")]

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "bdi"

    def handle_data(self, data: str) -> None:
        self.inside += OVERRIDE in data and self.depth > 0
        if OVERRIDE in data and not self.depth:
            self.found.append(data)


def test_a_runs_page(make_run: Callable[..., Path], tmp_path: Path) -> None:
    samples = [
        {"kind": "generate", "prompt": NAME, "output": NAME},
        {"kind": "infill", "prompt": NAME, "output": f"⟦{NAME}⟧"},
        {
            "kind": "unmask",
            "prompt": NAME,
            "output": "",
            "candidates": [{"token": NAME, "probability": 0.5, "text": NAME}],
        },
    ]
    folders = [make_run("a", samples=samples, preset=NAME, family=NAME), make_run("b", done=5)]
    for folder in folders:
        facts = json.loads((folder / "run.json").read_text())
        facts["name"], facts["corpus"]["name"], facts["machine"] = NAME, NAME, {NAME: NAME}
        facts["command"] = NAME
        (folder / "run.json").write_text(json.dumps(facts))
        (folder / "recipe.yaml").write_text(NAME)
    path = write_page([read_run(folder) for folder in folders], tmp_path / "page.html", NAME)
    read = Loose(path.read_text("utf-8"))
    assert not read.found and read.inside > 20


def test_a_studys_page(found: dict[str, Any], tmp_path: Path) -> None:
    text = (
        json.dumps(found)
        .replace("plain <b>", json.dumps(NAME)[1:-1])
        .replace("Is it ", json.dumps(NAME)[1:-1])
    )
    changed = json.loads(text)
    changed["about"] = changed["corpus"]["name"] = NAME
    for one in changed["answers"]:
        one["sentence"] = one["sentence"].replace(NAME, apart(NAME))  # as `answer` writes it
    read = Loose(write_study(changed, tmp_path / "study.html").read_text("utf-8"))
    assert not read.found and read.inside > 5
