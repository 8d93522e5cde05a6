"""Files and folders that are either complete or absent: written under another name, then renamed."""

import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from secrets import token_hex

from hornbook.disk import explain
from hornbook.errors import HornbookError

_LEFT = re.compile(r"\.(?P<name>.+)\.(?P<kind>writing|old)-\d+(-[0-9a-f]+)?")
"""The names of what is being written, and of what it will replace."""


@contextmanager
def beside(path: Path, folder: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write to; when the block ends without an error, rename it to `path`.

    Until then an old file or folder at `path` is untouched, and it stays if the block fails. Raises HornbookError when
    the disk is full, can't be written, or refuses something else.
    """
    # Processes in two containers may have the same number.
    mark = f"{os.getpid()}-{token_hex(4)}"
    temporary = path.with_name(f".{path.name}.writing-{mark}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if folder:
            temporary.mkdir()
        yield temporary
        for file in temporary.rglob("*") if folder else [temporary]:
            if file.is_file():
                if folder:
                    _share(file, temporary)
                _flush(file)
        if folder and path.exists():
            old = path.with_name(f".{path.name}.old-{mark}")
            path.rename(old)
            temporary.rename(path)
            _remove(old)
        else:
            temporary.replace(path)
        _flush(path.parent)
    except Exception as error:
        if told := explain(error, path):
            raise told from error
        raise
    finally:
        with suppress(OSError):  # on a disk that turned read-only, this says nothing new
            _remove(temporary)


def unfinished(path: Path) -> bool:
    """Tell whether a file or folder is only what a killed process left while it was writing."""
    return _LEFT.fullmatch(path.name) is not None


def sweep(folder: Path, name: str | None = None) -> None:
    """Remove what killed processes left unfinished in a folder and below, or only what was to become its `name`.

    Where a process was killed between taking the old one away and putting the new one there, the old one comes back.
    The caller has to know that nobody writes there.
    """
    for path in [*folder.rglob(".*")] if name is None else [*folder.glob(f".{escape(name)}.*")]:
        if (left := _LEFT.fullmatch(path.name)) is None:
            continue
        whole = path.with_name(left["name"])
        if left["kind"] == "old" and not whole.exists():
            path.rename(whole)
        else:
            _remove(path)


def check_new(path: Path, option: str = "") -> None:
    """Raise HornbookError if something is at `path`; `option` is how a command line names it, such as "--out"."""
    if path.exists():
        raise HornbookError(
            f"{option} {path}: something is there already: choose a new folder, or delete that one".lstrip()
        )


def _share(file: Path, folder: Path) -> None:
    """Let those read a file who may read its folder: safetensors writes files that nobody but their owner can."""
    with suppress(OSError):  # a disk without owners
        file.chmod(stat.S_IMODE(file.stat().st_mode) | folder.stat().st_mode & 0o666)


def _flush(path: Path) -> None:
    """Flush a file or a folder's entries to the disk, so that a power cut never leaves an empty renamed file."""
    windows = sys.platform == "win32"
    if windows and path.is_dir():
        return  # Windows can't open folders, and keeps a journal of their entries
    handle = os.open(path, os.O_RDWR if windows else os.O_RDONLY)  # Windows flushes only writable files
    try:
        if sys.platform == "darwin":
            import fcntl

            # On macOS, fsync leaves the bytes in the disk's cache; F_FULLFSYNC flushes this too. Some file systems,
            # such as those over a network, don't have it.
            with suppress(OSError):
                fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
