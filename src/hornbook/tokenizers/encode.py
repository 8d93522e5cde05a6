"""From texts to ids, with everything in a text taken for text, but for the special tokens that are to be themselves."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer
from transformers import PreTrainedTokenizerBase

from hornbook.tokenizers.identity import backend
from hornbook.tokenizers.pieces import LONGEST, pieces

_AT_ONCE = 8
"""Pieces of a long text that are encoded at once."""
_UNWRITABLE = "\ufdd0"  # a noncharacter: no text holds it


def encode_documents(
    tokenizer: Tokenizer | PreTrainedTokenizerBase, texts: list[str], special: Collection[str] = ()
) -> list[list[int]]:
    """Encode texts on all cores: no template, no truncation, and no control token, whatever is written there.

    A literal '</s>' or '<mask>' in a text is split like any other word, unless it is one of `special`: these stand for
    themselves, as in transformers (`literals.standing` lists those of a rule).
    """
    return [ids for ids, _ in _encode(tokenizer, texts, _ids, special)]


def encode_at(
    tokenizer: Tokenizer | PreTrainedTokenizerBase,
    texts: list[str],
    characters: Sequence[npt.ArrayLike],
    special: Collection[str] = (),
) -> list[tuple[list[int], npt.NDArray[np.int64]]]:
    """Encode texts as `encode_documents` does, and find the tokens at some characters of each text.

    A character's token is the first one that ends after it. So a token that begins with the space before a word counts
    as the token of the word's first letter.
    Returns, for each text, its ids and an index into them for each of its `characters`. A character after the last
    token gets the index after the last.
    """
    encoded = _encode(tokenizer, texts, _ids_and_ends, special)
    return [
        (ids, np.searchsorted(np.maximum.accumulate(ends, out=ends), wanted, side="right"))
        for (ids, ends), wanted in zip(encoded, characters, strict=True)
    ]


_Encoded = tuple[list[int], npt.NDArray[np.int64]]
"""A text's ids, and the characters at which its tokens end; the latter are empty if nobody needs them."""


def _encode(
    tokenizer: Tokenizer | PreTrainedTokenizerBase,
    texts: list[str],
    run: Callable[[Tokenizer, list[str]], list[_Encoded]],
    special: Collection[str],
) -> list[_Encoded]:
    rust = backend(tokenizer)
    with _all_text(rust):
        encoded = run(rust, texts)
    # A foreign Unigram model may hold control tokens among its pieces, where they are found all the same.
    control = _control_ids(tokenizer)
    wrong = [place for place, (ids, _) in enumerate(encoded) if not control.isdisjoint(ids)]
    named = [place for place, text in enumerate(texts) if any(token in text for token in special)]
    for places, kept in ((wrong, ()), (named, special)):
        if places:
            found = run(_without_control(rust, kept), [texts[place] for place in places])
            for place, one in zip(places, found, strict=True):
                encoded[place] = one
    return encoded


def _ids(rust: Tokenizer, texts: list[str]) -> list[_Encoded]:
    return _short_and_long(rust, texts, rust.encode_batch_fast, lambda encoding: np.empty(0, np.int64))


def _ids_and_ends(rust: Tokenizer, texts: list[str]) -> list[_Encoded]:
    return _short_and_long(
        rust,
        texts,
        rust.encode_batch,
        lambda encoding: np.array([end for _, end in encoding.offsets], np.int64),
    )


def _short_and_long(
    rust: Tokenizer,
    texts: list[str],
    batch: Callable[..., list[Encoding]],
    ends: Callable[[Encoding], npt.NDArray[np.int64]],
) -> list[_Encoded]:
    short = [text for text in texts if len(text) <= LONGEST]
    encoded = iter(batch(short, add_special_tokens=False))
    found: list[_Encoded] = []
    for text in texts:
        if len(text) > LONGEST:
            found.append(_in_pieces(rust, text, batch, ends))
        else:
            encoding = next(encoded)
            found.append((encoding.ids, ends(encoding)))
    return found


def _in_pieces(
    rust: Tokenizer,
    text: str,
    batch: Callable[..., list[Encoding]],
    ends: Callable[[Encoding], npt.NDArray[np.int64]],
) -> _Encoded:
    """Encode a long text in pieces, some at a time for all cores; the ids are those of the whole."""
    numbers = list(range(1 + max(rust.get_vocab().values())))  # shared, or each id would take 28 bytes more
    parts = pieces(text, lambda one: list(rust.encode(one, add_special_tokens=False).ids))
    ids: list[int] = []
    found: list[npt.NDArray[np.int64]] = []
    before = 0
    while some := list(islice(parts, _AT_ONCE)):
        for part, encoding in zip(some, batch(some, add_special_tokens=False), strict=True):
            ids += [numbers[one] for one in encoding.ids]
            found.append(before + ends(encoding))
            before += len(part)
    return ids, np.concatenate(found)


@contextmanager
def _all_text(rust: Tokenizer) -> Iterator[None]:
    """Encode special tokens as text, without truncation and padding, while the block runs."""
    before, truncation, padding = rust.encode_special_tokens, rust.truncation, rust.padding
    rust.encode_special_tokens = True
    rust.no_truncation()
    rust.no_padding()
    try:
        yield
    finally:
        rust.encode_special_tokens = before
        if truncation:
            rust.enable_truncation(**truncation)
        if padding:
            rust.enable_padding(**padding)


def _control_ids(tokenizer: Tokenizer | PreTrainedTokenizerBase) -> set[int]:
    """Collect the ids that no text may be encoded to; an unknown token without another role isn't one of them."""
    control = {i for i, token in backend(tokenizer).get_added_tokens_decoder().items() if token.special}
    if isinstance(tokenizer, PreTrainedTokenizerBase):
        roles = dict(tokenizer.special_tokens_map)
        unknown = roles.pop("unk_token", None)
        if unknown not in roles.values():
            control.discard(tokenizer.unk_token_id)
    return control


def _without_control(rust: Tokenizer, kept: Collection[str] = ()) -> Tokenizer:
    """Copy a tokenizer, its control tokens but those kept renamed to what can't be written; ids stay."""
    state: dict[str, Any] = json.loads(rust.to_str())
    model = state["model"]
    special = {token["content"] for token in state["added_tokens"] if token["special"]} - set(kept)
    unknown = model.get("unk_token")
    # The model needs its unknown token under its own name; as a piece, no text becomes it.
    state["added_tokens"] = [
        token | {"content": _UNWRITABLE + token["content"], "normalized": False}
        if token["content"] in special
        else token
        for token in state["added_tokens"]
        if token["content"] not in special or token["content"] != unknown
    ]
    special.discard(unknown)
    state |= {"truncation": None, "padding": None, "post_processor": None}

    def rename(token: str) -> str:
        return _UNWRITABLE + token if token in special else token

    if isinstance(model["vocab"], dict):
        model["vocab"] = {rename(token): i for token, i in model["vocab"].items()}
    else:
        model["vocab"] = [[rename(token), score] for token, score in model["vocab"]]
    if "merges" in model:
        model["merges"] = [
            (left, right)
            for left, right in model["merges"]
            if special.isdisjoint((left, right, left + right))
        ]
    return Tokenizer.from_str(json.dumps(state))
