"""What a tokenizer does to text: unknown words, control tokens in it, bytes that come back."""

import json
from collections.abc import Iterator
from typing import Any

from hornbook.contract.check import Found, check
from hornbook.contract.checks.files import TEXTS
from hornbook.contract.draft import BACKEND, Draft
from hornbook.contract.sample import SAMPLE
from hornbook.contract.subject import Subject

_MANY = 0.01


@check(
    "C02",
    "Unknown characters become the unknown token, and nothing else",
    needs="tokenizer backend",
    why="T5's class takes id 2 for unknown, ALBERT's id 1, whichever token has that id. Measured: with '<unk> <s> </s> "
    "<pad>' at 0 to 3, 'Ω☃' becomes </s> in the middle of a text.",
    fix='Write "tokenizer_class": "TokenizersBackend" in tokenizer_config.json, or train with the class\'s '
    "order of ids.",
    unless="C60",
    mend=lambda draft: draft.tokenizer_config.get("tokenizer_class") != BACKEND and draft.verbatim(),
)
def unknown(subject: Subject) -> Iterator[str]:
    """Compare the unknown token that is used with the one that is declared."""
    model, declared = subject.backend["model"], subject.tokenizer.unk_token
    used: Any = model.get("unk_token")
    if model["type"] == "Unigram" and model.get("unk_id") is not None:
        used = model["vocab"][model["unk_id"]][0]
    if used is None or declared is None or used == declared:
        return
    yield (
        f"unknown characters become {used} (id {subject.tokenizer.convert_tokens_to_ids(used)}), and "
        f"unk_token is {declared}"
    )


@check(
    "C22",
    "The text contains no control token",
    needs="tokenizer texts",
    severity="warning",
    why="'</s>', '<mask>' or '<|endoftext|>' in a raw text becomes the control token. Measured: 'the tag "
    "<|endoftext|> ends' holds id 9999.",
    fix="Encode with split_special_tokens=True (Hornbook's own store does), or filter the text.",
)
def control(subject: Subject) -> Iterator[str]:
    """Count the special tokens in the given text."""
    if not subject.given.texts:
        return
    names = {str(token) for token in subject.tokenizer.all_special_tokens}
    counts = {name: sum(text.count(name) for text in subject.texts) for name in names}
    found = {name: times for name, times in sorted(counts.items()) if times}
    if found:
        yield "the text holds " + ", ".join(f"{name} ({times} times)" for name, times in found.items())


@check(
    "C62",
    "Few words are unknown",
    needs="tokenizer texts",
    severity="warning",
    why="An unknown word can't be learned or written. Measured: WordPiece gives [UNK] for any word of more than 100 "
    "characters.",
    fix="Train the tokenizer on text of this kind, or with byte fallback.",
)
def unknown_rate(subject: Subject) -> Iterator[str | Found]:
    """Count unknown tokens in the text."""
    from hornbook.tokenizers import encode_documents

    tokenizer = subject.tokenizer
    ids = [i for one in encode_documents(tokenizer, subject.texts) for i in one]
    times = sum(i == tokenizer.unk_token_id for i in ids) if tokenizer.unk_token_id is not None else 0
    if times:
        share = times / len(ids)
        own = subject.texts is not SAMPLE
        severe = own and share > _MANY
        text = "the text" if own else "four sentences of plain English"
        yield Found(
            f"{share:.2%} of the tokens of {text} are {tokenizer.unk_token}", "warning" if severe else "note"
        )


def _fall_back(draft: Draft) -> bool:
    if draft.tokenizer is None or not draft.verbatim():
        return False
    names = set(_pieces())
    draft.tokenizer["added_tokens"] = [
        token for token in draft.tokenizer["added_tokens"] if token["content"] not in names
    ]
    draft.tokenizer["model"]["byte_fallback"] = True
    return True


@check(
    "C63",
    "Byte pieces work as bytes",
    needs="backend",
    why="If byte_fallback is off, unknown characters stay unknown in spite of 256 byte pieces (UnigramTrainer leaves "
    "it off). If the byte pieces are marked as special, they vanish when special tokens are skipped (BpeTrainer adds "
    "them so).",
    fix='Set "byte_fallback": true in tokenizer.json, with "tokenizer_class": "TokenizersBackend", and remove the byte '
    "pieces from added_tokens. If there is only a spiece.model, save_pretrained makes a tokenizer.json.",
    mend=_fall_back,
)
def byte_pieces(subject: Subject) -> Iterator[str | Found]:
    """Look for <0x00> to <0xFF>, the flag, and their marks."""
    model, names = subject.backend["model"], set(_pieces())
    vocabulary = model["vocab"]
    held = names & set(vocabulary if isinstance(vocabulary, dict) else [entry[0] for entry in vocabulary])
    if len(held) == 256 and model["type"] in ("BPE", "Unigram") and not model.get("byte_fallback"):
        # transformers 5 opens every published mT5 so.
        yield Found(
            "there are 256 byte pieces, and byte_fallback is false", "warning" if subject.is_used else "error"
        )
    marked = [
        token["content"]
        for token in subject.backend["added_tokens"]
        if token["content"] in names and token["special"]
    ]
    if marked:
        yield f"{len(marked)} byte pieces are marked as special, such as {marked[0]}"


def _pieces() -> list[str]:
    return [f"<0x{byte:02X}>" for byte in range(256)]


@check(
    "P01",
    "Decoding gives every text back",
    needs="tokenizer backend",
    severity="warning",
    why="What doesn't come back was never in the ids, so no model can learn it. Only byte-level tokenizers can promise "
    "this, so only they are checked, up to their own normalizer.",
    fix="Use the decoder that belongs to the pre-tokenizer, and keep all 256 bytes.",
    unless="C04 C63",
)
def round_trip(subject: Subject) -> Iterator[str]:
    """Encode and decode difficult text and every byte."""
    if "ByteLevel" not in json.dumps([subject.backend["pre_tokenizer"], subject.backend["decoder"]]):
        return
    rust = subject.tokenizer.backend_tokenizer
    every = "".join(chr(code) for code in range(1, 0x180))
    for text in (*TEXTS, every):
        meant = rust.normalizer.normalize_str(text) if rust.normalizer else text
        back = rust.decode(rust.encode(text, add_special_tokens=False).ids, skip_special_tokens=False)
        # A tokenizer that puts a space before a text decodes it too.
        if back != meant and back != f" {meant}":
            at = next(
                (i for i, (a, b) in enumerate(zip(back, meant, strict=False)) if a != b),
                min(len(back), len(meant)),
            )
            yield f"{meant[at : at + 12]!r} comes back as {back[at : at + 12]!r}"
            return
