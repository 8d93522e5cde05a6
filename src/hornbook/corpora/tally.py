"""What a text is made of: its characters by script, and those that no text should hold."""

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from unicodedata import category, name

import numpy as np
import numpy.typing as npt

ODD = {
    0: "NUL (U+0000)",
    0xFFFD: "replacement characters (U+FFFD, left by a wrong decoding)",
    0xFEFF: "byte order marks within lines (U+FEFF)",
}
"""Characters that tell of a damaged text, by their numbers."""

_PART = 1 << 17
"""Characters that are counted at once; each takes a dozen bytes meanwhile."""


class Tally:
    """Counts characters as documents pass, and hashes each document."""

    def __init__(self) -> None:
        self._counts = np.zeros(0x110000, np.int64)
        self._hashes = bytearray()

    def add(self, documents: Sequence[str]) -> None:
        """Count these documents too."""
        text = "".join(documents)
        for start in range(0, len(text), _PART):
            part = text[start : start + _PART].encode("utf-32-le", "surrogatepass")
            found = np.bincount(np.frombuffer(part, np.uint32))
            self._counts[: len(found)] += found
        for document in documents:
            self._hashes += blake2b(document.encode("utf-8", "surrogatepass"), digest_size=8).digest()

    @property
    def hashes(self) -> npt.NDArray[np.uint64]:
        """A hash of each document."""
        return np.frombuffer(bytes(self._hashes), np.uint64)

    @property
    def scripts(self) -> dict[str, int]:
        """How many letters there are of each script, as Unicode names it, the most frequent first."""
        found: Counter[str] = Counter()
        for number in np.flatnonzero(self._counts).tolist():
            if category(chr(number))[0] == "L":
                script = name(chr(number), "Other").partition(" ")[0]
                found["Han" if script == "CJK" else script.capitalize()] += int(self._counts[number])
        return dict(found.most_common())

    @property
    def odd(self) -> dict[str, int]:
        """How many characters there are that tell of a damaged text, where there are any."""
        return {what: int(self._counts[number]) for number, what in ODD.items() if self._counts[number]}
