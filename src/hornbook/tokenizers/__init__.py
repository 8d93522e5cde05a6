"""Tokenizers, trained from a corpus or loaded, and wrapped so that every library gives the same ids."""

from hornbook.tokenizers.encode import encode_at, encode_documents
from hornbook.tokenizers.fast_tokenizer import build_fast_tokenizer
from hornbook.tokenizers.folder import template_of, write
from hornbook.tokenizers.identity import tokenizer_hash
from hornbook.tokenizers.importing import import_tokenizer
from hornbook.tokenizers.literals import DENSE, Rule, advise, count_literals, describe_literals, standing
from hornbook.tokenizers.load import load
from hornbook.tokenizers.options import TokenizerOptions
from hornbook.tokenizers.reindex import Reindexed, places_of, reindex
from hornbook.tokenizers.splits import Splits, compare_splits
from hornbook.tokenizers.style import STYLES, Head, Style, Template, sentinel_ids
from hornbook.tokenizers.trainer import train
from hornbook.tokenizers.visible import VisibleTokens
from hornbook.tokenizers.vocab_size import describe_smaller
from hornbook.tokenizers.word_edges import WordEdges, word_edges

__all__ = [
    "DENSE",
    "STYLES",
    "Head",
    "Reindexed",
    "Rule",
    "Splits",
    "Style",
    "Template",
    "TokenizerOptions",
    "VisibleTokens",
    "WordEdges",
    "advise",
    "compare_splits",
    "build_fast_tokenizer",
    "count_literals",
    "describe_literals",
    "describe_smaller",
    "encode_at",
    "encode_documents",
    "import_tokenizer",
    "load",
    "places_of",
    "reindex",
    "sentinel_ids",
    "standing",
    "template_of",
    "tokenizer_hash",
    "train",
    "word_edges",
    "write",
]
