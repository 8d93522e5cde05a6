"""One training a folder: a second one is refused, in another cell, notebook or terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from tempfile import gettempdir

from filelock import FileLock, Timeout

from hornbook.errors import HornbookError
from hornbook.recipe import Recipe


@contextmanager
def alone_in(recipe: Recipe) -> Iterator[None]:
    """Keep others out of a run's folder while a block trains it; the system lets go when the process ends, even killed.

    The lock is a file among the system's temporary ones, since a recipe that is refused leaves nothing behind: it
    keeps out other trainings of the same user on the same machine. Raises HornbookError if one of these has it.
    """
    place = f"{Path.home()}\n{recipe.folder.resolve()}"
    name = blake2b(place.encode(), digest_size=8).hexdigest()
    lock = FileLock(Path(gettempdir()) / f"hornbook-{name}.lock")
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
