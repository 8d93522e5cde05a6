"""Start processes beside a program that was not written with them in mind."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without_main() -> Iterator[None]:
    """Let processes that are spawned in this block leave the program's main file alone.

    Python has each of them run that file again, for functions that it may define. A script without
    `if __name__ == "__main__":` would so begin its work anew in each, and fail. Hornbook's jobs are its own functions.
    """
    main = sys.modules["__main__"].__dict__
    kept: dict[str, Any] = {name: main[name] for name in ("__file__", "__spec__") if name in main}
    main.pop("__file__", None)
    main["__spec__"] = None
    try:
        yield
    finally:
        main.update(kept)
