"""Where the words and sentences of a text begin, in any script.

Both are found by ICU: Unicode's rules for words and sentences (UAX 29), with dictionaries for what is written without
spaces (Thai, Lao, Khmer, Burmese, Chinese, Japanese). Greek questions end in what looks like a semicolon, for which ICU
has rules of its own. An abbreviation before a name also ends a sentence; this does little harm, since most segments
hold several sentences. (ICU's lists of abbreviations were tried: with them it takes 7 times as long.)
"""

import re
from importlib.metadata import version

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]

_GREEK_QUESTION = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]\s*;")


def rules() -> str:
    """Name the rules, whose next release may find other boundaries."""
    return f"icu4py {version('icu4py')}"


def word_starts(text: str) -> Places:
    """Return the characters at which the words of a text begin, ascending.

    Each punctuation mark and each end of a line is a word of its own; other spaces belong to the word that follows.
    """
    from icu4py.breakers import WordBreaker

    words = list(WordBreaker(text, "en"))
    starts = _starts(words)
    joins = np.zeros(len(words) + 1, bool)
    joins[1:] = np.fromiter(map(str.isspace, words), bool, len(words))
    if "\n" in text:
        joins[1:] &= ~np.fromiter(map("\n".__eq__, words), bool, len(words))
    return starts[~joins[:-1]]


def sentence_starts(text: str) -> Places:
    """Return the characters at which the sentences of a text begin, ascending; without any end of one, its words.

    A line's end also ends a sentence. So a text of a language that marks no sentences, or of a writer who doesn't, can
    be divided where it reads naturally.
    """
    from icu4py.breakers import SentenceBreaker

    greek = ";" in text and _GREEK_QUESTION.search(text)
    sentences = list(SentenceBreaker(text, "el" if greek else "en"))
    starts = _starts(sentences)
    starts = starts[np.fromiter((not one.isspace() for one in sentences), bool, len(sentences))]
    return starts if len(starts) > 1 else word_starts(text)


def _starts(parts: list[str]) -> Places:
    """Give where each part begins; the library's own offsets count characters beyond U+FFFF twice."""
    ends = np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts)))
    return np.concatenate([np.zeros(1, np.int64), ends])[: len(parts)]
