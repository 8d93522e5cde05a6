"""Commands run in an empty folder."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hornbook.cli import main


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run `hornbook tokenizer` in an empty folder and give what it says, on stdout or, failing, on stderr."""
    monkeypatch.chdir(tmp_path)

    def command(*words: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["hornbook", "tokenizer", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        assert (stop.value.code or 0) == code, said.err
        return said.err.strip() if code else said.out

    return command
