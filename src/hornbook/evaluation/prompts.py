"""Prompts from a corpus's held-out documents, in any language."""

import re
from collections.abc import Sequence

import numpy as np

from hornbook.evaluation.blanks import BLANK
from hornbook.evaluation.likelihood import spread
from hornbook.rng import CounterRNG

_SEED = 0
_BEFORE, _AFTER = (6, 13), 8
"""Words before a blank, at least 6 and fewer than 13; and at most 8 words after it."""
_WORD = re.compile(r"[^\W\d_]{3,}(?P<rest>[.,;:!?]*)")


def heldout_prompts(texts: Sequence[str], count: int = 4) -> list[str]:
    """Take the first words of a paragraph in each of `count` documents, with `<mask>` in place of one word.

    Prompts depend on the texts alone, so that models of any family, tokenizer and length get the same ones. The blanked
    word has three letters or more, and follows 6 to 12 other words. The documents are evenly spread among those that
    have such a paragraph; if few have one, there are fewer prompts.
    """
    prompts = [prompt for number, text in enumerate(texts) if (prompt := _take(text, number)) is not None]
    different = list(dict.fromkeys(prompts))
    return [different[number] for number in spread(len(different), count)]


def _take(text: str, number: int) -> str | None:
    """Blank a word in the document's first paragraph that has a suitable one; return None if there is none."""
    for paragraph in text.split("\n\n"):
        words = paragraph.split()
        matches = {
            place: _WORD.fullmatch(words[place]) for place in range(*_BEFORE) if place + 1 < len(words)
        }
        fitting = [(place, match["rest"]) for place, match in matches.items() if match]
        if fitting and not BLANK.search(paragraph):
            rng = CounterRNG(_SEED, "prompts", np.array([number]))
            place, rest = fitting[rng.integers("word", 1, len(fitting))[0, 0]]
            return " ".join([*words[:place], f"<mask>{rest}", *words[place + 1 : place + 1 + _AFTER]])
    return None
