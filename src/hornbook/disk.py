"""What the operating system refuses to do with a file or folder, told in one sentence with the way on."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hornbook.errors import HornbookError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_SENTENCES = {
    errno.EROFS: "this disk can be read, but not written: name a folder on another one, such as with --set out=...",
    errno.EACCES: "you may not read or write here: ask its owner, or name another place",
    errno.EPERM: "you may not do this here: ask its owner, or name another place",
    errno.ENAMETOOLONG: "this name is too long for the disk: choose a shorter one",
    errno.ENOTDIR: "a folder is needed here, but a part of this path is a file: name another folder",
    errno.EEXIST: "a folder is needed here, but this is a file: name another folder",
    errno.EISDIR: "a file is needed here, but this is a folder: name a file",
    errno.ENOENT: "isn't there, or was removed meanwhile: bring it back, or run the same command again",
    errno.ESTALE: "the disk that this lies on is gone: connect it again, then run the same command again",
    errno.EIO: "the disk fails: look after the disk, then run the same command again",
    errno.EMFILE: "too many files are open: raise the limit with `ulimit -n 4096`, then run the same command again",
    errno.ENOMEM: "the machine has no memory left: end other programs, or take a smaller training.batch",
}


def full(error: BaseException) -> bool:
    """Tell whether a disk or a quota is full; safetensors and tokenizers tell it only in their messages."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _FULL
    return any(f"os error {number})" in str(error) for number in _FULL)


def explain(error: BaseException, path: Path | None = None) -> HornbookError | None:
    """Make a HornbookError of what the operating system refused, at `path` if the error names no file.

    Returns None for an error that isn't the operating system's, such as a connection's or another library's own.
    """
    named = getattr(error, "filename", None)
    place = path or (Path(os.fsdecode(named)) if isinstance(named, str | bytes) else None)
    where = f"{place!s:.200}: " if place is not None else ""
    if full(error):
        return HornbookError(
            f"{where}the disk is full{_free(place)}; what was there before is untouched: make room and run the same "
            "command again"
        )
    if not isinstance(error, OSError) or isinstance(error, ConnectionError | TimeoutError):
        return None
    if said := _SENTENCES.get(error.errno or 0):
        return HornbookError(f"{where}{said}")
    if error.errno and error.strerror and place is not None:
        return HornbookError(f"{where}the system can't do this ({error.strerror}): name another place")
    return None


@contextmanager
def in_words(path: Path | None = None) -> Iterator[None]:
    """Raise HornbookError for what the operating system refuses in the block; `path` is for errors that name none."""
    try:
        yield
    except OSError as error:
        if (told := explain(error, None if getattr(error, "filename", None) else path)) is None:
            raise
        raise told from error


def _free(place: Path | None) -> str:
    """Say how much room is left on the disk of a place, if anybody knows."""
    for folder in (place, *place.parents) if place is not None else ():
        try:
            return f" ({shutil.disk_usage(folder).free / 2**20:,.0f} MiB free)"
        except OSError:
            continue
    return ""
