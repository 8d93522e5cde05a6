"""Which tokens begin and end words, read from a tokenizer's own model and pre-tokenizer."""

import json
import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer, decoders
from transformers import PreTrainedTokenizerBase

from hornbook.tokenizers.identity import backend

_SPACE = "▁"
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_BYTES = decoders.ByteLevel()
_PART = "\ufffd"
"""Stands for bytes that are only a part of a character."""


@dataclass(frozen=True, eq=False)
class WordEdges:
    """For each id, whether a word begins with it, and whether a word ends with it whatever follows: shape (ids,)."""

    begins: npt.NDArray[np.bool_]
    ends: npt.NDArray[np.bool_]


def word_edges(tokenizer: Tokenizer | PreTrainedTokenizerBase, size: int) -> WordEdges | None:
    """Find the word edges for the ids below `size`; None if the tokenizer doesn't mark them.

    WordPiece marks the tokens that continue a word (##), as in BERT's code for whole words. Byte-level BPE and Unigram
    mark the space before a word (Ġ, ▁). There, a punctuation mark, a line's end and a Chinese or Japanese piece are
    words of their own as well, as in ALBERT's code and BERT's pre-tokenizer. fairseq's code for RoBERTa uses only the
    spaces, so a word includes the comma after it. In a WordLevel model, each token is a word.
    """
    rust = backend(tokenizer)
    state = json.loads(rust.to_str())
    kind, stages = state["model"]["type"], str([state["pre_tokenizer"], state["normalizer"]])
    begins, ends = np.zeros(size, bool), np.zeros(size, bool)
    if kind == "WordPiece":
        inner = state["model"]["continuing_subword_prefix"]
        for token, number in rust.get_vocab().items():
            begins[number] = not token.startswith(inner)
        return WordEdges(begins, ends)
    if kind == "WordLevel":
        return WordEdges(~begins, ends)
    read = _bytes_read if "'ByteLevel'" in stages else _spaces_read if _SPACE in stages else None
    if read is None:
        return None
    for token, number in rust.get_vocab().items():
        text = read(token)
        begins[number] = not text or not _goes_on(text[0])
        ends[number] = not text or not (_goes_on(text[-1]) or text[-1] == " ")
    return WordEdges(begins, ends)


def _goes_on(character: str) -> bool:
    """Tell whether a character can stand within a word: a letter, an accent, a digit, or a part of a character."""
    ideograph = unicodedata.name(character, "").startswith(("CJK", "HIRAGANA", "KATAKANA"))
    return character == _PART or (unicodedata.category(character)[0] in "LMN" and not ideograph)


def _bytes_read(token: str) -> str:
    """Read a token in GPT-2's alphabet, which has a character for each byte."""
    return _BYTES.decode([token])


def _spaces_read(token: str) -> str:
    """Read a token that writes a space as ▁, or a byte as <0x..>."""
    byte = _BYTE.fullmatch(token)
    if byte:
        value = int(byte[1], 16)
        return chr(value) if value < 128 else _PART
    return token.replace(_SPACE, " ")
