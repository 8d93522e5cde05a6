"""One training a folder: a second one is refused, in another cell, notebook or terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from filelock import FileLock, Timeout

from hornbook.errors import HornbookError
from hornbook.recipe import Recipe


@contextmanager
def alone_in(recipe: Recipe) -> Iterator[None]:
    """Keep others out of a run's folder while a block trains it; the system lets go when the process ends, even killed.

    The lock is a file in the cache. Raises HornbookError if another training has it.
    """
    name = blake2b(str(recipe.folder.resolve()).encode(), digest_size=8).hexdigest()
    path = Path(recipe.cache) / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise HornbookError(
            f"{recipe.folder}: another training is going on in this folder: wait for it, or choose another folder with "
            "--set out=..."
        ) from None
    try:
        yield
    finally:
        lock.release()
