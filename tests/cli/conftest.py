"""Commands run in an empty folder, and trainings that are refused there."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from hornbook.cli import main


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run `hornbook` in an empty folder and give what it says, on stdout or, failing, on stderr."""
    monkeypatch.chdir(tmp_path)

    def say(*words: object, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["hornbook", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        assert (stop.value.code or 0) == code, said.err
        return said.err.strip() if code else said.out

    return say


@pytest.fixture
def run(command: Callable[..., str]) -> Callable[..., str]:
    """Run `hornbook tokenizer` in an empty folder."""
    return partial(command, "tokenizer")


@pytest.fixture
def dense(command: Callable[..., str]) -> Callable[..., str]:
    """Run `hornbook dense` in an empty folder."""
    return partial(command, "dense")


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, story_file: Path) -> dict[str, Any]:
    """Give a small recipe that trains, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return {
        "name": "mine",
        "corpus": {"path": str(story_file), "documents": "line"},
        "tokenizer": {"vocab_size": 500},
        "model": {"preset": "tinystories-1m", "length": 32, "config": {"num_layers": 1}},
        "objective": "causal",
        "training": {"steps": 4, "batch": 4, "trackers": []},
    }


@pytest.fixture
def refused(
    recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Train a recipe, its text or its values, which must be refused in a sentence; nothing of the disk may change."""
    Path("runs").mkdir()
    Path("runs/notes.txt").write_text("the user's own")

    def train(given: str | bytes | dict[str, Any] | None, *settings: str) -> str:
        path = Path("recipe.yaml")
        if isinstance(given, dict):
            path.write_text(yaml.safe_dump(given), "utf-8")
        elif given is not None:
            path.write_bytes(given if isinstance(given, bytes) else given.encode())
        before = contents()
        arguments = [word for setting in settings for word in ("--set", setting)]
        monkeypatch.setattr(sys, "argv", ["hornbook", "train", "recipe.yaml", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        assert stop.value.code == 2, said.err
        assert "Traceback" not in said.out + said.err, said.err
        assert contents() == before
        *_, last = [line for line in said.err.splitlines() if line.startswith("hornbook: ")]
        told = said.err[said.err.index(last) :].strip()
        assert all(
            line.startswith("  ") for line in told.splitlines()[1:]
        )  # of several problems, each is a line
        return told

    return train


def contents() -> dict[Path, bytes]:
    """Read all files of the folder but those of the cache, which can be made again."""
    found = Path().rglob("*")
    return {one: one.read_bytes() for one in found if one.is_file() and one.parts[:2] != ("runs", "cache")}
