"""What the operating system refuses is one sentence, and costs nothing that was trained."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hornbook import train
from hornbook.atomic import beside
from hornbook.cli import main
from hornbook.disk import explain, in_words
from hornbook.errors import HornbookError
from hornbook.reporter import Reporter
from hornbook.testing.runs import weights_of
from hornbook.training.callbacks import Callback, TrainingLoop
from hornbook.training.checkpoints import find_checkpoint
from hornbook.training.log import Log, read_log
from tests.disks import own_disk


@pytest.fixture
def recipe(tmp_path: Path, story_file: Path) -> dict[str, Any]:
    return {
        "name": "mine",
        "out": str(tmp_path / "run"),
        "cache": str(tmp_path / "cache"),
        "corpus": {"path": str(story_file), "documents": "line"},
        "tokenizer": {"vocab_size": 300},
        "model": {"preset": "tinystories-1m", "length": 16, "config": {"num_layers": 1, "hidden_size": 16}},
        "objective": "causal",
        "training": {"steps": 3, "batch": 4, "checkpoint_every": 3, "log_every": 1, "trackers": []},
    }


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EROFS, "not written"),
        (errno.EACCES, "ask its owner"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.ENOTDIR, "is a file"),
        (errno.ENOENT, "removed meanwhile"),
    ],
)
def test_each_refusal_names_the_place_and_the_way_on(number: int, said: str) -> None:
    told = str(explain(OSError(number, os.strerror(number), "/some/place")))
    assert told.startswith("/some/place: ") and said in told and "\n" not in told


def test_what_is_not_the_systems_stays_as_it_is() -> None:
    assert explain(OSError("no such model on the hub")) is None
    assert explain(ConnectionResetError(errno.ECONNRESET, "reset")) is None
    with pytest.raises(ConnectionResetError), in_words(Path("x")):
        raise ConnectionResetError(errno.ECONNRESET, "reset")


@pytest.mark.parametrize("place", ["file/x", "x" * 300])
def test_files_that_cannot_be_made(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HornbookError, match=r"is a file|too long"), beside(tmp_path / place) as new:
        new.touch()


@pytest.mark.parametrize("setting", ["out", "cache"])
@pytest.mark.parametrize("place", ["file", "file/x", "/dev/null"])
def test_a_run_in_a_place_that_is_no_folder(
    setting: str, place: str, recipe: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HornbookError, match=rf"{place}.*: a folder is needed here"):
        train(recipe | {setting: str(tmp_path / place)}, report=Reporter(silent=True))
    assert (tmp_path / "file").read_bytes() == b""


def test_a_run_in_somebody_elses_folder(recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may be allowed to write everywhere, so that the refusal is made here."""
    make = Path.mkdir

    def refuse(path: Path, *given: Any, **more: Any) -> None:
        if str(path).startswith(recipe["out"]):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        make(path, *given, **more)

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(HornbookError, match=rf"{recipe['out']}: you may not .*: ask its owner"):
        train(recipe, report=Reporter(silent=True))


def test_the_command_line_tells_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise OSError(errno.EROFS, "Read-only file system", "runs/x")

    monkeypatch.setattr("hornbook.cli.app", fail)
    with pytest.raises(SystemExit) as stop:
        main()
    said = capsys.readouterr().err
    assert stop.value.code == 2 and said.startswith("hornbook: runs/x: ") and said.count("\n") == 1


@pytest.mark.long
def test_a_log_that_cannot_grow_saves_first(recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    write = Log.write

    def full_at_two(self: Log, kind: str, facts: dict[str, Any]) -> None:
        if facts["step"] == 2:
            raise OSError(errno.ENOSPC, "No space left on device", str(self.path))
        write(self, kind, facts)

    folder = Path(recipe["out"])
    with monkeypatch.context() as patch:
        patch.setattr(Log, "write", full_at_two)
        with pytest.raises(HornbookError, match=r"log\.jsonl: the disk is full.*; step 2 is saved"):
            train(recipe, report=Reporter(silent=True))
    found = find_checkpoint(folder / "checkpoints", pytest.fail)
    assert found is not None and found.progress.step == 2
    train(recipe, report=Reporter(silent=True))
    went_on = weights_of(folder / "model")
    whole = recipe | {"out": str(folder.with_name("whole"))}
    train(whole, report=Reporter(silent=True))
    without = weights_of(folder.with_name("whole") / "model")
    assert all(bool((went_on[name] == without[name]).all()) for name in without)
    assert [line["step"] for line in read_log(folder / "log.jsonl") if line["kind"] == "train"] == [1, 3]


@pytest.mark.long
@pytest.mark.parametrize(
    ("every", "said"), [(1, "step 1 is kept"), (3, "step 2 could not be saved, and none was before it")]
)
def test_a_disk_that_turns_read_only_midway(
    every: int, said: str, recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk with a file open for writing can't be remounted, so that each refusal is made here."""
    write, make = Log.write, Path.mkdir

    def refuse(path: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    def read_only_at_two(self: Log, kind: str, facts: dict[str, Any]) -> None:
        if facts["step"] == 2:
            monkeypatch.setattr(Path, "mkdir", lambda path, *given, **more: refuse(path))
            refuse(self.path)
        write(self, kind, facts)

    monkeypatch.setattr(Log, "write", read_only_at_two)
    recipe["training"] |= {"checkpoint_every": every}
    with pytest.raises(HornbookError, match=rf"can be read, but not written.*; {said}$"):
        train(recipe, report=Reporter(silent=True))
    monkeypatch.setattr(Path, "mkdir", make)
    monkeypatch.setattr(Log, "write", write)
    train(recipe, report=Reporter(silent=True))
    steps = [line["step"] for line in read_log(Path(recipe["out"]) / "log.jsonl") if line["kind"] == "train"]
    assert steps == [1, 2, 3]


class Remover(Callback):
    """Removes the run's folder after the first step."""

    def on_log(self, loop: TrainingLoop, kind: str, facts: dict[str, Any]) -> None:
        if kind == "train":
            loop.run.folder.rename(loop.run.folder.with_name("elsewhere"))


def test_a_folder_that_is_removed_midway(recipe: dict[str, Any]) -> None:
    with pytest.raises(HornbookError, match="removed meanwhile"):
        train(recipe, callbacks=[Remover()], report=Reporter(silent=True))


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder whose disk turns read-only when the test calls `mount -o remount,ro`."""
    with own_disk(tmp_path / "disk") as place:
        yield place


@pytest.mark.long
def test_a_disk_that_is_full_midway(recipe: dict[str, Any], read_only: Path, tmp_path: Path) -> None:
    """With more room, the same command goes on to the same bits."""
    whole = recipe | {"out": str(tmp_path / "whole")}
    train(whole, report=Reporter(silent=True))
    recipe["out"] = str(read_only / "run")
    recipe["training"] |= {"checkpoint_every": 1}
    sizes = sum(one.stat().st_size for one in (tmp_path / "whole").rglob("*"))
    subprocess.run(["mount", "-o", f"remount,size={sizes // 2}", str(read_only)], check=True)
    with pytest.raises(HornbookError, match="the disk is full"):
        train(recipe, report=Reporter(silent=True))
    subprocess.run(["mount", "-o", "remount,size=64m", str(read_only)], check=True)
    train(recipe, report=Reporter(silent=True))
    there, here = (weights_of(Path(one["out"]) / "model") for one in (whole, recipe))
    assert all(bool((there[name] == here[name]).all()) for name in there)
    assert not [one.name for one in (read_only / "run").rglob(".*") if one.name != ".lock"]


@pytest.mark.long
def test_read_only_disk(
    recipe: dict[str, Any],
    read_only: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recipe["out"] = str(read_only / "run")
    train(recipe, report=Reporter(silent=True))
    before = {path: path.stat().st_mtime_ns for path in read_only.rglob("*")}
    subprocess.run(["mount", "-o", "remount,ro", str(read_only)], check=True)
    train(recipe, report=Reporter(silent=True))  # nothing is left to do
    for command in ("evaluate", "compare"):
        monkeypatch.setattr(sys, "argv", ["hornbook", command, str(read_only / "run")])
        with pytest.raises(SystemExit) as stop:
            main()
        assert not stop.value.code, capsys.readouterr().err
    assert before == {path: path.stat().st_mtime_ns for path in read_only.rglob("*")}
    with pytest.raises(HornbookError, match="can be read, but not written"):
        train(recipe | {"out": str(read_only / "other")}, report=Reporter(silent=True))
