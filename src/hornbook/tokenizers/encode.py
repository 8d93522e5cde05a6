"""From texts to ids, with everything in a text taken for text."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase

from hornbook.tokenizers.identity import backend

_UNWRITABLE = "\ufdd0"  # a noncharacter: no text holds it


def encode_documents(tokenizer: Tokenizer | PreTrainedTokenizerBase, texts: list[str]) -> list[list[int]]:
    """Encode texts on all cores: no template, no truncation, and no control token, whatever is written there.

    A literal '</s>' or '<mask>' in a text is split like any other word.
    """
    rust = backend(tokenizer)
    with _all_text(rust):
        ids = _encode(rust, texts)
    control = _control_ids(tokenizer)
    # A foreign Unigram model may hold control tokens among its pieces, where they are found all the same.
    caught = [place for place, one in enumerate(ids) if not control.isdisjoint(one)]
    if caught:
        plain = _without_control(rust)
        for place, one in zip(caught, _encode(plain, [texts[place] for place in caught]), strict=True):
            ids[place] = one
    return ids


def _encode(rust: Tokenizer, texts: list[str]) -> list[list[int]]:
    return [encoding.ids for encoding in rust.encode_batch_fast(texts, add_special_tokens=False)]


@contextmanager
def _all_text(rust: Tokenizer) -> Iterator[None]:
    """Take special tokens for text, and cut and pad nothing, for as long as the block runs."""
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
    """Collect the ids that no text may become; an unknown token that has no other role isn't one of them."""
    control = {i for i, token in backend(tokenizer).get_added_tokens_decoder().items() if token.special}
    if isinstance(tokenizer, PreTrainedTokenizerBase):
        roles = dict(tokenizer.special_tokens_map)
        unknown = roles.pop("unk_token", None)
        if unknown not in roles.values():
            control.discard(tokenizer.unk_token_id)
    return control


def _without_control(rust: Tokenizer) -> Tokenizer:
    """Copy a tokenizer, its control tokens renamed to what can't be written; ids stay."""
    state: dict[str, Any] = json.loads(rust.to_str())
    special = {token["content"] for token in state["added_tokens"] if token["special"]}
    model = state["model"]
    special.discard(model.get("unk_token"))
    state["added_tokens"] = [token for token in state["added_tokens"] if not token["special"]]
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
