"""The substrings of words among which Unigram looks for its pieces."""

from collections.abc import Iterator, Mapping

import numpy as np

# SentencePiece's own bounds: how many substrings, and how many characters in each.
_MOST = 1_000_000
_LONGEST = 16
_END = "\0"


def seeds(words: Mapping[str, int], most: int = _MOST) -> Iterator[tuple[str, int]]:
    """Yield the substrings that occur at least twice, each with its count; those that cover most text come first.

    They have 2 to 16 letters. If the same letter always follows a substring, only the longer one is yielded. These are
    the inner nodes of a suffix tree, which SentencePiece takes too. It builds the tree over the whole text (0.2.3
    repeats each word as often as it was counted). Here, each distinct word is stored once, with its count, so memory is
    about 60 bytes for each letter of the distinct words. `words` must not hold a NUL.
    """
    text = "".join(word + _END for word in words)
    letters = np.frombuffer(text.encode("utf-32-le"), np.int32)
    sizes = np.fromiter((len(word) + 1 for word in words), np.int64, len(words))
    times = np.repeat(np.fromiter(words.values(), np.int64, len(words)), sizes)
    first, size, count = _repeated(letters, times)
    best = np.lexsort((first, -size * count))[:most]
    for place, length, number in zip(first[best], size[best], count[best], strict=True):
        yield text[place : place + length], int(number)


def _repeated(letters: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find where each of these substrings first occurs, its length and its count; a 0 ends each word.

    Each round makes the substrings that occur twice one letter longer: only these can begin a longer one that does.
    """
    places = np.flatnonzero(letters).astype(np.int32)
    _, start, which = np.unique(letters[places], return_index=True, return_inverse=True)
    firsts, counts = places[start], np.bincount(which, times[places]).astype(np.int64)
    base = int(letters.max()) + 1
    found = []
    for size in range(1, _LONGEST + 1):
        inside = letters[places + size] != 0
        places, which = places[inside], which[inside]
        keys, start, which = np.unique(
            which * base + letters[places + size], return_index=True, return_inverse=True
        )
        longer = np.bincount(which, times[places], len(keys)).astype(np.int64)
        commonest = np.zeros_like(counts)
        np.maximum.at(commonest, keys // base, longer)
        if size > 1:
            branches = commonest < counts
            found.append((firsts[branches], np.full(branches.sum(), size), counts[branches]))
        twice = longer > 1
        firsts, counts = places[start[twice]], longer[twice]
        stays = twice[which]
        places, which = places[stays], (np.cumsum(twice) - 1)[which[stays]]
    first, length, count = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return first, length, count
