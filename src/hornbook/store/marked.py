"""Documents as tokens, with the tokens at which their words and sentences begin."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from hornbook.store.boundaries import sentence_starts, word_starts
from hornbook.tokenizers import encode_at

_NOWHERE = np.empty(0, np.int64)


class Marked(NamedTuple):
    """A document's tokens, without an end token."""

    ids: list[int]
    sentences: npt.NDArray[np.int64]
    """The first token of each sentence, from 0 on; none where nobody asked for them."""
    words: npt.NDArray[np.bool_]
    """Whether a word begins with each token; False where nobody asked for it."""


def encode_marked(
    tokenizer: PreTrainedTokenizerBase,
    texts: list[str],
    special: Collection[str] = (),
    sentences: bool = False,
    words: bool = False,
) -> list[Marked]:
    """Encode texts as `encode_documents` does, and find the first tokens of their sentences, of their words, or both.

    A word or sentence begins with the token that holds its first letter, or the first part of it: so no word begins
    inside a character. A token that begins with the space before a word is the first of that word.
    """
    edges = [
        (sentence_starts(text) if sentences else _NOWHERE, word_starts(text) if words else _NOWHERE)
        for text in texts
    ]
    encoded = encode_at(tokenizer, texts, [np.concatenate(one) for one in edges], special)
    return [
        _marked(ids, places, len(starts)) for (ids, places), (starts, _) in zip(encoded, edges, strict=True)
    ]


def _marked(ids: list[int], places: npt.NDArray[np.int64], sentences: int) -> Marked:
    begins = np.zeros(len(ids) + 1, bool)
    begins[places[sentences:]] = True
    if len(places) > sentences:
        begins[0] = True
    first = np.unique(np.append(places[:sentences], 0)) if sentences else _NOWHERE
    return Marked(ids, first[first < max(len(ids), 1)], begins[:-1])
