"""Files and folders are written whole on each operating system that the code names."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hornbook.atomic import beside, sweep


def write(folder: Path) -> None:
    """Write a file and a folder, twice each, so that something stands there already."""
    for text in ("old", "new"):
        with beside(folder / "file") as file:
            file.write_text(text, "utf-8")
        with beside(folder / "folder", folder=True) as new:
            (new / "inner").write_text(text, "utf-8")
    assert (folder / "file").read_text("utf-8") == (folder / "folder" / "inner").read_text("utf-8") == "new"
    assert sorted(one.name for one in folder.iterdir()) == ["file", "folder"]


def test_linux(tmp_path: Path) -> None:
    write(tmp_path)


def test_windows_opens_no_folder_and_flushes_only_what_may_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: Callable[..., int] = os.open
    writable: set[int] = set()

    def open_as_windows(path: Any, flags: int, *more: Any, **others: Any) -> int:
        # Python's own deletion of folders opens them so, where the system lets it; Windows has another.
        if Path(path).is_dir() and not flags & os.O_NONBLOCK:
            raise PermissionError(13, "Permission denied", str(path))
        handle = loaded(path, flags, *more, **others)
        if flags & os.O_RDWR:
            writable.add(handle)
        return handle

    def flush_as_windows(handle: int) -> None:
        if handle not in writable:
            raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(os, "open", open_as_windows)
    monkeypatch.setattr(os, "fsync", flush_as_windows)
    monkeypatch.setattr(sys, "platform", "win32")
    # Python deletes folders by descriptors where the system has them, and Windows hasn't.
    with monkeypatch.context() as windows:
        windows.setattr("shutil._use_fd_functions", False)
        write(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fcntl")
@pytest.mark.parametrize("able", [True, False])
def test_macos_flushes_for_good_where_the_file_system_can(
    able: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    asked = []

    def control(handle: int, command: int) -> None:
        asked.append(command)
        if not able:
            raise OSError(45, "Operation not supported")

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", control)
    monkeypatch.setattr(sys, "platform", "darwin")
    write(tmp_path)
    assert set(asked) == {51}


def test_what_was_left_half_written_is_swept(tmp_path: Path) -> None:
    """Of a folder that was taken away before the new one was put there, the old one comes back."""
    (tmp_path / "inner" / ".model.writing-7-ab12" / "deep").mkdir(parents=True)
    (tmp_path / ".run.json.writing-123").touch()
    (tmp_path / ".kept").touch()
    for name in (".model.old-7-ab12", ".whole.old-7"):
        (tmp_path / name).mkdir()
    (tmp_path / "whole").mkdir()
    sweep(tmp_path, "run.json")
    assert not (tmp_path / ".run.json.writing-123").exists() and (tmp_path / ".model.old-7-ab12").exists()
    sweep(tmp_path)
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert left == [".kept", "inner", "model", "whole"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_who_may_read_a_folder_may_read_its_files(mask: int, mode: int, tmp_path: Path) -> None:
    """As safetensors writes weights, their owner alone could."""
    before = os.umask(mask)
    try:
        with beside(tmp_path / "model", folder=True) as new:
            os.close(os.open(new / "weights", os.O_CREAT | os.O_WRONLY, 0o600))
    finally:
        os.umask(before)
    assert (tmp_path / "model" / "weights").stat().st_mode & 0o777 == mode
