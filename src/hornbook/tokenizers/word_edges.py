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
"""Stands for bytes that are part of a character only."""


@dataclass(frozen=True, eq=False)
class WordEdges:
    """Of every id, whether a word begins with it, and whether one ends with it whatever follows: shape (ids,) each."""

    begins: npt.NDArray[np.bool_]
    ends: npt.NDArray[np.bool_]


def word_edges(tokenizer: Tokenizer | PreTrainedTokenizerBase, size: int) -> WordEdges | None:
    """Find them for the ids below `size`; None where nothing in the tokenizer tells.

    WordPiece marks what goes on a word (##), as in BERT's code for whole words. Byte-level BPE and Unigram mark the
    space before one (Ġ, ▁); there a mark of punctuation, a line's end and a Chinese or Japanese piece are words of
    their own as well, as for ALBERT's code and BERT's pre-tokenizer. fairseq's code for RoBERTa goes by the spaces
    alone, so that its words hold the comma after them. A model of whole words has nothing else.
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
    """Tell what can stand within a word: letters, their accents, digits, and parts of characters."""
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
