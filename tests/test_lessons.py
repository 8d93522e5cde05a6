"""The pages docs/bert.md and docs/t5.md: every command on them is run, and prints what the page says."""

import doctest
import json
import math
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from hornbook.cli import main

ROOT = Path(__file__).parents[1]
NUMBER = re.compile(r"-?\d+\.\d+")
PAGES = ["bert", "t5"]


def blocks(page: str) -> list[tuple[list[str], str]]:
    """Give the commands of each block of the page, and what it says they print."""
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    found = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        lines = block.splitlines()
        commands = [line[2:] for line in lines if line.startswith("$ ")]
        found.append((commands, "\n".join(line for line in lines if not line.startswith("$ "))))
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "docs" / "lessons", tmp_path / "docs" / "lessons")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def run(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code, command


def same(printed: str, told: str) -> bool:
    """Compare texts, numbers to the rounding of another machine."""
    if NUMBER.sub("#", printed).split() != NUMBER.sub("#", told).split():
        return False
    pairs = zip(NUMBER.findall(printed), NUMBER.findall(told), strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=2e-3, abs_tol=2e-3) for a, b in pairs)


@pytest.mark.long
@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_its_commands_print(
    page: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (showing, told), (training, logged) = blocks(page)
    (command,) = showing
    run(command, monkeypatch)
    printed = capsys.readouterr().out
    assert same(printed, told), printed

    train, tail = training
    run(train, monkeypatch)
    log = folder / tail.removeprefix("tail -n 1 ")
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert json.loads(logged).keys() == lines[-1].keys()
    keys = {key for line in lines for key in line}
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    table = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    assert {key for cell in table for key in re.findall(r"`([^`]+)`", cell)} == keys
    infill = re.search(r"`(hornbook infill [^`]+)`", text)
    if infill:
        run(infill[1], monkeypatch)


@pytest.mark.parametrize("page", PAGES)
def test_what_python_says(page: str) -> None:
    failed, _ = doctest.testfile(str(ROOT / "docs" / f"{page}.md"), module_relative=False)
    assert failed == 0
