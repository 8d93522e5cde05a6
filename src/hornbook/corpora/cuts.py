"""Where a text's documents end: a text that comes in pieces is cut at lines, at blank lines or at a separator."""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

Cut = Literal["file", "blank-line", "line", "separator"]


def cut(pieces: Iterable[str], separator: str) -> Iterator[str]:
    """Yield the parts of `"".join(pieces).split(separator)`, with only one part and one piece in memory."""
    begun: list[str] = []
    rest = ""
    for piece in pieces:
        *ended, rest = (rest + piece).split(separator)
        for part in ended:
            yield "".join((*begun, part))
            begun.clear()
        # Only an end that may begin a separator is searched again, so that a long part is searched only once.
        sure = max(0, len(rest) - len(separator) + 1)
        begun.append(rest[:sure])
        rest = rest[sure:]
    yield "".join((*begun, rest))


def _whole(pieces: Iterable[str], separator: str) -> Iterator[str]:
    yield "".join(pieces)


def _lines(pieces: Iterable[str], separator: str) -> Iterator[str]:
    return cut(pieces, "\n")


def _between_blank_lines(pieces: Iterable[str], separator: str) -> Iterator[str]:
    lines: list[str] = []
    for line in cut(pieces, "\n"):
        if line.strip():
            lines.append(line)
        elif lines:
            yield "\n".join(lines)
            lines = []
    yield "\n".join(lines)


CUTS: dict[Cut, Callable[[Iterable[str], str], Iterator[str]]] = {
    "file": _whole,
    "blank-line": _between_blank_lines,
    "line": _lines,
    "separator": cut,
}
