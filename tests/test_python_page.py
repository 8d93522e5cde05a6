"""The pages of code for Python run from top to bottom, as they stand there, their commands too."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from hornbook.cli import main

DOCS = Path(__file__).parents[1] / "docs"


PIECE = re.compile(
    r"```python\n(?P<code>.*?)```|(?:^\$ |`)(?P<command>hornbook \w+ [^`\n]+)`?", re.DOTALL | re.MULTILINE
)
"""A block of code, or a command with what it is asked about, in a block or in a sentence."""


def run(page: str) -> tuple[int, int]:
    """Run a page's code and commands in the current folder, as they come; return how many there are of each."""
    path, names = DOCS / page, {"__name__": "__main__"}
    code = commands = 0
    for piece in PIECE.finditer(path.read_text("utf-8")):
        if piece["code"]:
            exec(compile(piece["code"], str(path), "exec"), names)
            code += 1
        else:
            command(piece["command"])
            commands += 1
    return code, commands


def command(line: str) -> None:
    before, sys.argv = sys.argv, shlex.split(line)
    try:
        with pytest.raises(SystemExit) as stop:
            main()
    finally:
        sys.argv = before
    assert not stop.value.code, line


@pytest.mark.slow
def test_from_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("python.md") == (4, 0) and "there is no blank" in capsys.readouterr().out
    assert (tmp_path / "runs/tokenizer/tokenizer.json").exists()


@pytest.mark.long
def test_the_objectives_with_the_trainer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("trainer.md") == (7, 0)
    said = capsys.readouterr().out
    assert "writes: <extra_id_0>" in said and "\n0 errors" in said
    assert (tmp_path / "my-t5/model/model.safetensors").exists()


@pytest.mark.long
def test_one_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("one-example.md") == (3, 2)
    said = capsys.readouterr().out
    assert (tmp_path / "example.html").exists()
    assert "Input: The <extra_id_0> ruined my sleep" in said
    assert re.search(r"Target: <extra_id_0> bad dog <extra_id_1>", said)


@pytest.mark.slow
def test_two_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("two-runs.md") == (4, 1)
    assert "bits per byte: " in capsys.readouterr().out and (tmp_path / "runs/compare.html").exists()
