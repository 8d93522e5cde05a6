import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hornbook.errors import HornbookError
from hornbook.report import read_run, write_page
from hornbook.report.duration import duration
from hornbook.report.page import figure, short

Make = Callable[..., Path]
EVIL = "</script><script>window.stolen = 1</script><img src=x onerror='window.stolen = 1'>"


class Reader(HTMLParser):
    """The page as an independent parser sees it: tags with attributes, and the text of each element kind."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        around = next((tag for tag, _ in reversed(self.tags) if tag != "bdi"), "")
        self.text.append((around, data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def hostile(make_run: Make) -> Path:
    """A run with markup wherever a run folder can hold text."""
    folder = make_run(
        "evil",
        family=EVIL,
        preset=EVIL,
        versions={EVIL: EVIL},
        machine={"processor": EVIL},
        samples=[
            {"kind": "generate", "prompt": EVIL, "output": EVIL + EVIL},
            {"kind": "infill", "prompt": EVIL, "output": f"⟦{EVIL}⟧"},
            {"kind": EVIL, "prompt": "p", "output": EVIL},
            {"kind": "unmask", "prompt": "'\"><b>", "output": "",
             "candidates": [{"token": EVIL, "probability": 0.5, "text": EVIL}]},
        ],
    )  # fmt: skip
    description = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(description | {"name": EVIL}))
    (folder / "recipe.yaml").write_text(f"name: {EVIL}\n")
    return folder


def page(folders: list[Path], tmp_path: Path, title: str = "A title") -> Reader:
    path = write_page([read_run(folder) for folder in folders], tmp_path / "out" / "page.html", title)
    return Reader(path.read_text(encoding="utf-8"))


def test_the_page_is_one_file_without_addresses(three: list[Path], tmp_path: Path) -> None:
    read = page(three, tmp_path)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["page.html"]
    assert not [tag for tag, attributes in read.tags if {"src", "href", "srcset"} & set(attributes)]
    assert not any("url(" in text or "@import" in text for tag, text in read.text if tag == "style")
    assert (tmp_path / "out" / "page.html").stat().st_size < 1_000_000


def test_headings_scopes_and_alternatives(three: list[Path], tmp_path: Path) -> None:
    read = page(three, tmp_path)
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(cell.get("scope") in {"col", "row"} for cell in read.all("th"))
    drawings = [attributes for attributes in read.all("div") if attributes.get("role") == "img"]
    assert len(drawings) == 4 and all("from step 0 to step 600" in (d["aria-label"] or "") for d in drawings)
    identifiers = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))


def test_hostile_text_stays_text(hostile: Path, tmp_path: Path) -> None:
    read = page([hostile], tmp_path, title=EVIL)
    assert len(read.all("script")) == 3 and not read.all("img")
    assert not [a for _, attributes in read.tags for a in attributes if a.startswith("on")]
    assert any(EVIL in text for tag, text in read.text if tag not in {"script", "style"})
    charts = json.loads(next(text for tag, text in read.text if tag == "script"))
    assert charts[0]["curves"][0]["name"] == EVIL


def test_equal_prompts_stand_together(make_run: Make, tmp_path: Path) -> None:
    read = page([make_run("a"), make_run("b"), make_run("c")], tmp_path)
    prompts = [text for tag, text in read.text if tag == "h4" and text.strip()]
    assert prompts == ["Return the number of", "If the file does not exist,"]


def test_a_run_without_points_or_samples_is_shown(make_run: Make, tmp_path: Path) -> None:
    folder = make_run("bare", done=0)
    (folder / "log.jsonl").unlink()
    text = " ".join(text for _, text in page([folder], tmp_path).text)
    assert "bare has done 0 of its 600 steps." in text


def test_no_runs_and_no_place_are_refused(make_run: Make, tmp_path: Path) -> None:
    with pytest.raises(HornbookError, match="no run"):
        write_page([], tmp_path / "page.html", "t")
    (tmp_path / "taken").mkdir()
    with pytest.raises(HornbookError, match="taken"):
        write_page([read_run(make_run("a"))], tmp_path / "taken", "t")
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (figure(None), "–"),
        (figure(1.23456), "1.235"),
        (figure(584472), "584,472"),
        (figure(0.00012), "0.00012"),
        (short(2_912_384), "2.91 M"),
        (short(21_000), "21.0 k"),
        (short(123_456), "123 k"),
        (short(999), "999"),
        (short(999_999), "1.00 M"),
        (duration(59.4), "59 s"),
        (duration(98), "1 min 38 s"),
        (duration(11_520), "3 h 12 min"),
    ],
)
def test_numbers_are_given_as_a_reader_wants_them(given: Any, words: str) -> None:
    assert given == words
