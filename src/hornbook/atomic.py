"""Files and folders that are either whole or not there: written beside, then renamed."""

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hornbook.errors import HornbookError


@contextmanager
def beside(path: Path, folder: bool = False) -> Iterator[Path]:
    """Give a place beside `path` to write to; when the block ends well, it takes the place of `path`.

    Whatever stood at `path` is untouched until then, and stays when the block fails. Raises HornbookError when the disk
    is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.writing-{os.getpid()}")
    _remove(temporary)
    try:
        if folder:
            temporary.mkdir()
        yield temporary
        for file in temporary.rglob("*") if folder else [temporary]:
            if file.is_file():
                _flush(file)
        if folder and path.exists():
            old = path.with_name(f".{path.name}.old-{os.getpid()}")
            path.rename(old)
            temporary.rename(path)
            _remove(old)
        else:
            temporary.replace(path)
        _flush(path.parent)
    except Exception as error:
        if _tells_of_a_full_disk(error):
            raise _full_disk(path) from error
        raise
    finally:
        _remove(temporary)


def _tells_of_a_full_disk(error: Exception) -> bool:
    """Safetensors and tokenizers hide the operating system's number in their text."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return any(f"os error {number})" in str(error) for number in (errno.ENOSPC, errno.EDQUOT))


def _full_disk(path: Path) -> HornbookError:
    """Say that the disk is full, and that what stood there still stands."""
    free = shutil.disk_usage(path.parent).free / 2**20
    return HornbookError(
        f"{path}: the disk is full ({free:,.0f} MiB free); what was there before is untouched: make room and run the "
        "same command again"
    )


def _flush(path: Path) -> None:
    """Bring a file or a folder's entries to the disk, so that a rename never shows an empty file after a power cut."""
    windows = sys.platform == "win32"
    if windows and path.is_dir():
        return  # Windows opens no folders, and keeps their entries in a journal of its own
    handle = os.open(path, os.O_RDWR if windows else os.O_RDONLY)  # Windows flushes only what may be written
    try:
        if sys.platform == "darwin":
            import fcntl

            # Here fsync leaves the bytes in the disk's own memory. Not every file system, such as one that is reached
            # over a network, can do more.
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
