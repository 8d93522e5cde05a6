"""Single files that strangers made: only plain files are opened, and only small ones are read whole."""

import json
from pathlib import Path
from typing import Any

from hornbook.errors import HornbookError, one_line

LARGEST = 64 * 2**20
"""Bytes of a file that is read whole; the largest published tokenizer.json have about half."""


def plain_file(path: Path, largest: int | None = LARGEST) -> Path:
    """Give a path back. Raises HornbookError for what isn't a file, such as a pipe that never ends, or is too large."""
    if not path.is_file():
        raise HornbookError(f"{path}: it is not a file: put the file itself there")
    if largest is not None and (size := path.stat().st_size) > largest:
        raise HornbookError(
            f"{path}: it has {size:,} bytes, but at most {largest:,} are read: check that it is the right file"
        )
    return path


def read_small(path: Path) -> str:
    """Read a text. Raises HornbookError as `plain_file` does, and for what is no UTF-8."""
    try:
        return plain_file(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HornbookError(f"{path}: can't be read ({one_line(error)}): copy it again") from error


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises HornbookError as `read_small` does, and for any other content."""
    text = read_small(path)
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HornbookError(f"{path}: it can't be read as JSON ({one_line(error)}): copy it again") from error
    if not isinstance(facts, dict):
        raise HornbookError(f"{path}: it holds a {type(facts).__name__}, not a JSON object: copy it again")
    return facts
