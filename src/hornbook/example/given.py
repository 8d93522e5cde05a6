"""The words that somebody wants hidden, found in a text."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.tokenizers import encode_at


def hidden_tokens(
    tokenizer: PreTrainedTokenizerBase, text: str, words: Sequence[str]
) -> npt.NDArray[np.bool_]:
    """Find the tokens of a text that hold any part of these words, wherever they stand in it: shape (tokens,).

    Words are looked for as whole words first, and only else within others. Raises HornbookError for words that aren't
    there.
    """
    spans = [span for one in words for span in _find(text, one)]
    edges = [place for first, last in spans for place in (first, last - 1)]
    ((ids, places),) = encode_at(tokenizer, [text], [edges])
    hidden = np.zeros(len(ids), bool)
    for first, last in zip(places[::2], places[1::2], strict=True):
        hidden[first : last + 1] = True
    return hidden


def _find(text: str, words: str) -> list[tuple[int, int]]:
    """Give the characters, from the first to behind the last, of each time that the words stand in the text."""
    wanted = words.strip()
    if not wanted:
        raise HornbookError("--hide has no words: name some of the text's")
    plain = re.escape(wanted)
    found = [one.span() for one in re.finditer(rf"(?<!\w){plain}(?!\w)", text)]
    found = found or [one.span() for one in re.finditer(plain, text)]
    if not found:
        other = re.search(plain, text, re.IGNORECASE)
        hint = f"; did you mean {other[0]!r}?" if other else ": give words of it, as they are written there"
        raise HornbookError(f"--hide {wanted!r} isn't in the text {_short(text)!r}{hint}")
    return found


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
