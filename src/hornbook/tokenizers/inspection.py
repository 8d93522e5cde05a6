"""What a tokenizer is, and how it does on a text."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.tokenizers.encode import encode_documents
from hornbook.tokenizers.fast_tokenizer import declared_roles
from hornbook.tokenizers.surgery import take_apart
from hornbook.tokenizers.words import batches

_LONGEST = 10


@dataclass(frozen=True)
class Measured:
    """How a tokenizer does on a text."""

    bytes: int
    """Bytes of the text in UTF-8."""
    tokens: int
    """Tokens of the text, special ones not counted."""
    unknown: int
    """Unknown tokens, which stand for text that the vocabulary can't spell."""
    used: int
    """Entries of the vocabulary that occur in the text."""

    @property
    def bytes_per_token(self) -> float:
        """How many bytes of text a token holds on average; the more it holds, the shorter the sequences."""
        return self.bytes / max(self.tokens, 1)

    @property
    def unknown_rate(self) -> float:
        """The share of the tokens that are unknown."""
        return self.unknown / max(self.tokens, 1)


@dataclass(frozen=True)
class Inspection:
    """What a tokenizer is."""

    kind: str
    entries: int
    """Ids, special tokens included."""
    roles: dict[str, tuple[str, int]]
    """The token that plays each role, and its id."""
    template: str
    """The special tokens around a text, which is written A."""
    length: int | None
    """Tokens to which it truncates a text; None if it doesn't."""
    longest: list[str]
    """The longest tokens, as they are in a text."""
    unreachable: list[str] | None
    """Tokens that no text is split into, without special ones; None for kinds of models that can't be searched."""
    split: list[str]
    """The sentence's tokens."""
    ids: list[int]
    """Their ids."""
    measured: Measured | None
    """How it does on the text; None if no text is given."""
    training: dict[str, Any] | None
    """What the record in its folder says of its training; None without one."""


def inspect(
    tokenizer: PreTrainedTokenizerBase,
    sentence: str,
    documents: Iterable[str] | None = None,
    training: dict[str, Any] | None = None,
) -> Inspection:
    """Inspect a tokenizer: its vocabulary, its split of a sentence, and how it does on a text, which is streamed."""
    rust = tokenizer.backend_tokenizer
    added = {token.content for token in rust.get_added_tokens_decoder().values()}
    texts = {token: rust.decoder.decode([token]) if rust.decoder else token for token in rust.get_vocab()}
    words = sorted(
        (token for token in texts if token not in added), key=lambda token: (-len(texts[token]), token)
    )
    try:
        unreachable = take_apart(rust).unreached
    except HornbookError:
        unreachable = None
    roles = declared_roles(tokenizer).items()
    ids = encode_documents(tokenizer, [sentence])[0]
    return Inspection(
        kind=type(rust.model).__name__,
        entries=max(rust.get_vocab().values()) + 1,
        roles={role: (token, tokenizer.convert_tokens_to_ids(token)) for role, token in roles},
        template=_template(tokenizer),
        length=tokenizer.model_max_length if tokenizer.model_max_length < 10**9 else None,
        longest=[texts[token] for token in words[:_LONGEST]],
        unreachable=unreachable,
        split=tokenizer.convert_ids_to_tokens(ids),
        ids=list(ids),
        measured=None if documents is None else measure(tokenizer, documents),
        training=training,
    )


def measure(tokenizer: PreTrainedTokenizerBase, documents: Iterable[str]) -> Measured:
    """Count a text's bytes and tokens; special tokens that are written in it count as text."""
    size = tokens = unknown = 0
    used: set[int] = set()
    for batch in batches(documents):
        size += sum(len(text.encode("utf-8", "surrogatepass")) for text in batch)
        for ids in encode_documents(tokenizer, batch):
            tokens += len(ids)
            unknown += ids.count(tokenizer.unk_token_id)
            used.update(ids)
    return Measured(size, tokens, unknown, len(used))


def _template(tokenizer: PreTrainedTokenizerBase) -> str:
    """Show the special tokens around a text, which is written A."""
    encoded = tokenizer.backend_tokenizer.encode("a")
    shown = [
        "A" if not special else token
        for token, special in zip(encoded.tokens, encoded.special_tokens_mask, strict=True)
    ]
    return " ".join(token for place, token in enumerate(shown) if token != "A" or "A" not in shown[:place])
