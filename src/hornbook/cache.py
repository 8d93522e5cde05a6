"""What is made once and kept for other runs: found whole, or made by one process while others wait."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hornbook.atomic import sweep
from hornbook.errors import Damaged
from hornbook.lock import hold
from hornbook.reporter import Reporter

T = TypeVar("T")


def find_or_make(folder: Path, find: Callable[[], T], make: Callable[[], T], report: Reporter) -> T:
    """Return what `find` finds in a folder of the cache, or else what `make` makes there, alone.

    Where `find` raises Damaged, this is told, and all is made again.
    """
    if folder.exists():
        try:
            return find()
        except Damaged as error:
            report.warn(f"{error}: it is made again")
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.with_name(f".{folder.name}.lock")
    with hold(lock, f"{folder}: another process makes this", report.say):
        sweep(folder.parent, folder.name)
        if folder.exists():
            try:
                return find()
            except Damaged:
                pass  # as told above
        return make()
