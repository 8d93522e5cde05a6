"""Commands whose output goes nowhere, or to a narrow terminal without colour."""

import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import hornbook as hb
from hornbook.cli import main
from hornbook.testing import make_stories

COMMANDS = {
    "recipes": ["recipes"],
    "unmask": ["unmask", "run", "Once ___ a time."],
    "doctor": ["doctor", "run/model"],
    "compare": ["compare", "run", "run"],
    "evaluate": ["evaluate", "run"],
    "recipes --json": ["recipes", "--json"],
    "unmask --json": ["unmask", "run", "Once ___ a time.", "--json"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run."""
    place = tmp_path_factory.mktemp("streams")
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    hb.train(
        name="run",
        out=place / "run",
        cache=place / "cache",
        corpus=make_stories(60),
        tokenizer={"vocab_size": 300},
        objective="masked",
        model={"preset": "bert-tiny", "length": 16, "config": small},
        training={"steps": 2, "batch": 4, "trackers": [], "evaluate_windows": 4},
    )
    return place


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


@pytest.mark.long
@pytest.mark.parametrize("name", COMMANDS)
def test_a_closed_stdout_ends_a_command_quietly(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w", buffering=1) as pipe, monkeypatch.context() as patch:
        patch.setattr(sys, "argv", ["hornbook", *COMMANDS[name]])
        patch.setattr(sys, "stdout", pipe)
        with pytest.raises(SystemExit) as stop:
            main()
        with suppress(BrokenPipeError):
            pipe.close()
    assert stop.value.code == 1
    assert "Traceback" not in (said := capfd.readouterr().err) and "BrokenPipe" not in said


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in COMMANDS if "json" not in name])
def test_a_narrow_terminal_without_colour(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "argv", ["hornbook", *COMMANDS[name]])
    with pytest.raises(SystemExit) as stop:
        main()
    said = capsys.readouterr().out
    assert stop.value.code in (0, None) and said and "\x1b" not in said
    if name == "compare":  # a table; sentences are wrapped by the terminal
        assert max(map(len, said.splitlines())) <= 40, max(said.splitlines(), key=len)
    assert "…" not in said  # nothing is cut off
