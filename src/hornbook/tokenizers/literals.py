"""Special tokens that are written out in a raw text: which of them stand for themselves, and how many there are."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase

from hornbook.tokenizers.identity import backend
from hornbook.tokenizers.style import STYLES

DENSE = "<|dense|>"
"""The text of a dense token, which nobody writes by accident: where a tokenizer has it, it always stands for itself."""

Rule = Literal["text", "special"]
"""What special tokens in a raw text are: text like any other, or themselves."""


def special_tokens(tokenizer: Tokenizer | PreTrainedTokenizerBase) -> list[str]:
    """List a tokenizer's special tokens as they are written, the longest first."""
    added = backend(tokenizer).get_added_tokens_decoder().values()
    return sorted((token.content for token in added if token.special), key=lambda one: (-len(one), one))


def standing(tokenizer: Tokenizer | PreTrainedTokenizerBase, rule: Rule) -> list[str]:
    """List the special tokens that stand for themselves in a raw text: all of them, or a dense token alone."""
    return [token for token in special_tokens(tokenizer) if rule == "special" or token == DENSE]


def count_literals(tokenizer: Tokenizer | PreTrainedTokenizerBase, texts: Iterable[str]) -> Counter[str]:
    """Count the special tokens that are written out in texts: the tokenizer's own, and those of every style.

    Those that don't occur are left out.
    """
    known = {DENSE, *(token for style in STYLES.values() for token in (*style.front, *style.back))}
    # In one pass: a hundred sentinels would take a hundred. The longest come first, so that none is found in another.
    tokens = sorted(known | set(special_tokens(tokenizer)), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, tokens)))
    return Counter(token for text in texts for token in pattern.findall(text))


def describe_literals(
    literals: Mapping[str, int], tokenizer: Tokenizer | PreTrainedTokenizerBase, rule: Rule
) -> tuple[str, list[str]]:
    """Say which special tokens are written out and what became of them, and list those that are read as text.

    The sentence is empty where none are written out. The tokenizer's own come first in the list, the most frequent of
    them before the others.
    """
    if not literals:
        return "", []
    stands, own = standing(tokenizer, rule), special_tokens(tokenizer)
    order = sorted(literals, key=lambda token: (token not in own, -literals[token], token))
    as_text = [token for token in order if token not in stands]
    read = "tokens" if not as_text else "text"
    if as_text and len(as_text) < len(order):
        read += f", but for {', '.join(token for token in order if token in stands)}"
    foreign = [token for token in order if token not in own]
    why = f" (the tokenizer has no {', '.join(foreign)})" if foreign else ""
    listed = ", ".join(f"{literals[token]:,} {token}" for token in order)
    return f"special tokens are written out in the text ({listed}); they are read as {read}{why}", as_text


def advise(
    as_text: list[str], tokenizer: Tokenizer | PreTrainedTokenizerBase, special: str, parting: str
) -> str:
    """Say what to write if special tokens that are read as text are meant otherwise.

    `special` is what makes the tokenizer's own into tokens, `parting` what lets the first of them part documents.
    """
    own = f"if they are meant as tokens, give {special}; " if as_text[0] in special_tokens(tokenizer) else ""
    return f"{own}if they part documents, give {parting.format(as_text[0])}"
