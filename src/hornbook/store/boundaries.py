"""Where the words and sentences of a text begin, in any script.

Both are found by ICU: Unicode's rules for words and sentences (UAX 29), with dictionaries for what is written without
spaces (Thai, Lao, Khmer, Burmese, Chinese, Japanese). Greek questions end in what looks like a semicolon, for which ICU
has rules of its own. An abbreviation before a name also ends a sentence; this does little harm, since most segments
hold several sentences. (ICU's lists of abbreviations were tried: with them it takes 7 times as long.)
"""

import re
from collections.abc import Iterable
from importlib.metadata import version
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from hornbook.store.chunking import Indices

_Flags = npt.NDArray[np.bool_]

_AT_ONCE = 1 << 14
"""Words or sentences that are taken at once."""

_GREEK_QUESTION = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]\s*;")


def rules() -> str:
    """Name the rules, whose next release may find other boundaries."""
    return f"icu4py {version('icu4py')}"


def word_starts(text: str) -> Indices:
    """Return the characters at which the words of a text begin, ascending.

    Each punctuation mark and each end of a line is a word of its own; other spaces belong to the word that follows.
    """
    from icu4py.breakers import WordBreaker

    starts, spaces, lines = _parts(WordBreaker(text, "en"))
    joins = np.zeros(len(starts), bool)
    joins[1:] = (spaces & ~lines)[:-1]
    return starts[~joins]


def sentence_starts(text: str) -> Indices:
    """Return the characters at which the sentences of a text begin, ascending.

    The end of a line ends a sentence too: some languages, and some writers, don't mark where sentences end. Where a
    text has no end of a sentence, its words are given in place of sentences.
    """
    from icu4py.breakers import SentenceBreaker

    greek = ";" in text and _GREEK_QUESTION.search(text)
    starts, spaces, _ = _parts(SentenceBreaker(text, "el" if greek else "en"))
    starts = starts[~spaces]
    return starts if len(starts) > 1 else word_starts(text)


def _parts(parts: Iterable[str]) -> tuple[Indices, _Flags, _Flags]:
    """Give where each part begins, whether it is all spaces, and whether it is a line's end.

    The parts are taken some at a time, since each takes more memory than its letters. The library's own offsets count
    characters beyond U+FFFF twice.
    """
    lengths, spaces, lines = [np.zeros(1, np.int64)], [np.zeros(0, bool)], [np.zeros(0, bool)]
    left = chain(parts)  # ICU's iterators begin anew where they are asked to iterate again
    while some := list(islice(left, _AT_ONCE)):
        lengths.append(np.fromiter(map(len, some), np.int64, len(some)))
        spaces.append(np.fromiter(map(str.isspace, some), bool, len(some)))
        lines.append(np.fromiter(map("\n".__eq__, some), bool, len(some)))
    return np.cumsum(np.concatenate(lengths))[:-1], np.concatenate(spaces), np.concatenate(lines)
