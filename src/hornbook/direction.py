"""Foreign text inside a sentence, so that its direction ends with it."""

from unicodedata import bidirectional

_MARKS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_TURNING = _MARKS | {"R", "AL", "AN"}


def apart(text: str) -> str:
    """Isolate a name within a sentence (Unicode's UAX 9); unchanged where nothing in it is written from right to left.

    Its own marks of direction, such as an override in a file's name, are left out. In HTML, `<bdi>` does the same.
    """
    if text.isascii() or not any(bidirectional(one) in _TURNING for one in text):
        return text
    return "\u2068" + "".join(one for one in text if bidirectional(one) not in _MARKS) + "\u2069"
