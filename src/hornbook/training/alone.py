"""One training a folder: a second one is refused, in another cell, notebook or terminal, or on another machine."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hornbook.atomic import sweep
from hornbook.lock import hold

_LOCK = ".lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep others out of a run's folder while a block trains it, and sweep what a killed training left half-written.

    Where no run began, since the recipe was refused, nothing is left behind. Raises HornbookError if another training
    has the folder.
    """
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    begun = True
    try:
        with hold(folder / _LOCK, f"{folder}: another training is going on in this folder"):
            sweep(folder)
            try:
                yield
            finally:
                if not (begun := (folder / "run.json").exists()):
                    with suppress(OSError):  # Windows unlinks no open file
                        (folder / _LOCK).unlink()
    finally:
        if not begun:
            with suppress(OSError):  # somebody else's files are there
                for one in made:
                    one.rmdir()


def is_lock(path: Path) -> bool:
    """Tell whether a file is only what keeps others out."""
    return path.name in (_LOCK, f"{_LOCK}.json")
