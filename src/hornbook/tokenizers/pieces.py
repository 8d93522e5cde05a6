"""Long texts in pieces that end where words end, so that the Rust library's memory depends on no text's length."""

import re
from collections.abc import Callable, Iterable, Iterator

LONGEST = 1 << 17
"""Characters of a piece; the library takes about two hundred bytes for each."""
_SPACES = re.compile(r"(?<=\S)(?=[ \n]\S)")
"""Before a single space or line end: all pre-tokenizers that are trained here cut there, since a space begins a
word."""
_STOPS = re.compile(r"(?<=\S)(?=[ \n]\S)|(?<=[.,;:!?。，、！？।])(?=[^\W_])")
"""Also after a stop that nothing parts from the next word."""
_AROUND = 100
"""Characters on either side by which a place is tried."""
_TRIED = 20
"""Places of a stretch that are tried, from its end on."""


def pieces(
    text: str, made: Callable[[str], list[int]] | None = None, longest: int = LONGEST
) -> Iterator[str]:
    """Cut a text into pieces of at most `longest` characters, if it has places where it may be cut.

    `made` gives a text's ids: a place is right if those of the left and the right of it, one after the other, are the
    ids of both together. A stretch without a right place stays in one piece. Without `made`, as before a training, the
    last space is the place, else the last stop, else the end: no piece is longer, and of a text without spaces one pair
    of neighbours in `longest` isn't counted.
    """
    start, end = 0, longest
    while end < len(text):
        if (cut := _cut(text, start, end, made)) is None:
            end += longest
            continue
        yield text[start:cut]
        start, end = cut, cut + longest
    yield text[start:]


def in_pieces(documents: Iterable[str]) -> Iterator[str]:
    """Yield documents for a training, which counts their words: a long one in pieces."""
    for document in documents:
        yield from pieces(document)


def _cut(text: str, start: int, end: int, made: Callable[[str], list[int]] | None) -> int | None:
    """Find the last right place before `end`; None if there is none in the last part of the stretch."""
    begin = max(start + 1, end - (1 << 14))
    if made is None:
        found = (_last(pattern, text, begin, end) for pattern in (_SPACES, _STOPS))
        return next((place for place in found if place), end)
    places = [match.start() for match in _STOPS.finditer(text, begin, end)]
    for place in reversed(places[-_TRIED:]):
        left, right = text[max(start, place - _AROUND) : place], text[place : place + _AROUND]
        if made(left) + made(right) == made(left + right):
            return place
    return None


def _last(pattern: re.Pattern[str], text: str, begin: int, end: int) -> int | None:
    place = None
    for match in pattern.finditer(text, begin, end):
        place = match.start()
    return place
