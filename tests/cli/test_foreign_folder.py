"""A run's folder that belongs to somebody else: what may be read is read, and all else is one sentence."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hornbook import train
from hornbook.reporter import Reporter

AS_ANYBODY = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
"""What takes from root the right to read and write everything."""
CHILD = """
import contextlib, io, json, sys
from hornbook.cli import main
for words in json.loads(sys.argv[1]):
    sys.argv, told, code = ["hornbook", *words], io.StringIO(), 0
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
    print(json.dumps([code, told.getvalue()]))
"""


def commands(given: list[list[str]], folder: Path) -> list[tuple[int, str]]:
    """Run commands one after the other, without a right to what the files' modes forbid; give codes and stderr."""
    before = AS_ANYBODY if os.geteuid() == 0 else []
    if before and not shutil.which(before[0]):
        pytest.skip("root may read everything, and there is no setpriv to take that right away")
    done = subprocess.run(
        [*before, sys.executable, "-c", CHILD, json.dumps(given)], capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.fixture
def finished(tmp_path: Path, recipe: dict[str, Any]) -> Iterator[Path]:
    """Two finished runs with their recipes: `open` may be read, `closed` nothing at all."""
    for name in ("open", "closed"):
        recipe |= {"name": name, "out": str(tmp_path / name), "cache": str(tmp_path / "cache")}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
        if name == "open":
            train(recipe, report=Reporter(silent=True))
    shutil.copytree(tmp_path / "open", tmp_path / "closed")
    for path in [*(tmp_path / "open").rglob("*"), tmp_path / "open"]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    (tmp_path / "closed").chmod(0)
    yield tmp_path
    for folder in ("open", "closed"):
        (tmp_path / folder).chmod(0o755)
        for path in (tmp_path / folder).rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.mark.long
def test_the_run_of_somebody_else(finished: Path) -> None:
    """Train finds a finished run, whose figures may be read too; a run that is closed is told as such."""
    readers = [["train", "open.yaml"], ["evaluate", "open"], ["compare", "open"]]
    refused = [["train", "closed.yaml"], ["evaluate", "closed"], ["compare", "closed"], ["doctor", "closed"]]
    refused += [["train", "open.yaml", "--set", "training.steps=6"]]
    found = commands([*readers, *refused], finished)
    assert [code for code, _ in found] == [0] * len(readers) + [2] * len(refused), found
    assert "Traceback" not in str(found)
    for _, told in found[len(readers) :]:
        sentence = told.strip().splitlines()[-1]
        assert sentence.startswith("hornbook: ") and "you may not" in sentence and "ask its owner" in sentence
