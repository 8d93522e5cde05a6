"""Documents from one field of JSON objects: one a line, or the members of one array."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from hornbook.corpora.cuts import cut
from hornbook.corpora.rows import text_of
from hornbook.errors import HornbookError

_FIX = "save one JSON object a line"
_BETWEEN = re.compile(r"[\s,]*")
_NEAR = 16
"""An error so near the end of what was read may be only because the rest is missing."""


def json_rows(path: Path, pieces: Iterator[str], field: str) -> Iterator[str]:
    """Yield the field of each object of a file's text, which comes in pieces. Only one piece and object is in memory.

    Raises HornbookError for what isn't JSON, with its line or its number in the array.
    """
    begin = ""
    while not begin.strip() and (piece := next(pieces, "")):
        begin += piece
    rows = (_array if begin.lstrip().startswith("[") else _lines)(path, chain([begin], pieces))
    for row, where in rows:
        if not isinstance(row, dict):
            raise HornbookError(f"{where}: {type(row).__name__}, not an object; save one object a line")
        text = text_of(row, field, where)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            half = "half a surrogate pair, which is no character"
            raise HornbookError(
                f"{where}: the field {field!r} holds {half}; save it as whole characters"
            ) from error
        yield text


def _lines(path: Path, pieces: Iterable[str]) -> Iterator[tuple[Any, str]]:
    for number, line in enumerate(cut(pieces, "\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise HornbookError(f"{where}: not JSON ({error.msg}, column {error.colno}); {_FIX}") from error
        except (ValueError, RecursionError) as error:  # thousands of digits, or of brackets
            raise HornbookError(f"{where}: can't be read ({error}); {_FIX}") from error
        yield row, where


def _array(path: Path, pieces: Iterator[str]) -> Iterator[tuple[Any, str]]:
    decoder, number = json.JSONDecoder(), 1
    text, place = next(pieces), 0
    place = text.index("[") + 1
    while True:
        where = f"{path}, member {number} of its array"
        between = _BETWEEN.match(text, place)
        place = between.end() if between else place
        if text[place : place + 1] == "]":
            break
        try:
            row, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError as error:
            wrong = not error.msg.startswith("Unterminated") and error.pos < len(text) - _NEAR
            # As much again is read each time, so that a long member isn't parsed once for each piece.
            more = "" if wrong else _at_least(len(text) - place, pieces)
            if not more:
                raise HornbookError(
                    f"{where}: not JSON ({error.msg}); save it again, or one object a line"
                ) from error
            text, place = text[place:] + more, 0
            continue
        except (ValueError, RecursionError) as error:
            raise HornbookError(f"{where}: can't be read ({error}); {_FIX}") from error
        yield row, where
        number += 1
    if rest := "".join([text[place + 1 :], *pieces]).strip():
        raise HornbookError(f"{path}: after the end of its array stands {rest[:20]!r}; {_FIX}")


def _at_least(characters: int, pieces: Iterator[str]) -> str:
    found: list[str] = []
    for piece in pieces:
        found.append(piece)
        characters -= len(piece)
        if characters <= 0:
            break
    return "".join(found)
