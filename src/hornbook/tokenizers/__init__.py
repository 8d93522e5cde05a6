"""Tokenizers: trained from a corpus or loaded, and dressed so that every library gives the very same ids."""

from hornbook.tokenizers.dress import dress
from hornbook.tokenizers.encode import encode_documents
from hornbook.tokenizers.identity import tokenizer_hash
from hornbook.tokenizers.load import load
from hornbook.tokenizers.options import TokenizerOptions
from hornbook.tokenizers.style import STYLES, Head, Style, sentinel_ids
from hornbook.tokenizers.trainer import train

__all__ = [
    "STYLES",
    "Head",
    "Style",
    "TokenizerOptions",
    "dress",
    "encode_documents",
    "load",
    "sentinel_ids",
    "tokenizer_hash",
    "train",
]
