"""Do sequences fit the positions that the model has?"""

from collections.abc import Iterator

from hornbook.contract.check import Found, check
from hornbook.contract.draft import Draft
from hornbook.contract.sizes import capacity, position_count
from hornbook.contract.subject import Subject
from hornbook.families.positions import has_table

_UNSET = 10**9


def _more_positions(draft: Draft) -> bool:
    if draft.weighted:
        return draft.tokenize(model_max_length=capacity(draft.subject.config))
    pad = draft.subject.role("pad")
    pad = draft.subject.config.pad_token_id if pad is None else pad
    draft.config["max_position_embeddings"] = wanted(draft.subject) + pad + 1
    return True


def wanted(subject: Subject) -> int:
    """Give the intended length: as given, else where the tokenizer truncates, else the number of positions."""
    cut = subject.tokenizer.model_max_length if subject.tokenizer is not None else _UNSET
    if subject.given.length is not None and subject.length:
        return subject.length
    return cut if cut < _UNSET else position_count(subject.config) or 0


def _table(subject: Subject) -> bool:
    """Tell whether the model has a position table, which ends somewhere."""
    return bool(subject.family and subject.family.position_table) and has_table(subject.config)


def _round(number: int) -> bool:
    return number >= 64 and number & (number - 1) == 0


@check(
    "C07",
    "RoBERTa's pad id is one of its positions",
    needs="config",
    why="RoBERTa gives padding the position pad_token_id, so its position table needs that row. Measured: pad 9999 "
    "with 512 positions ends in 'AssertionError: Padding_idx must be within num_embeddings'.",
    fix="Give padding a low id (`hornbook tokenizer reindex --place '<pad>=0'`), and copy it into config.json.",
)
def pad_position(subject: Subject) -> Iterator[str]:
    """Compare the pad id with the number of positions."""
    pad, rows, family = (
        getattr(subject.config, "pad_token_id", None),
        position_count(subject.config),
        subject.family,
    )
    if family is None or not family.counts_from_pad:
        return
    if isinstance(pad, int) and rows is not None and pad >= rows:
        yield f"pad_token_id is {pad:,}, and there are {rows:,} positions, 0 to {rows - 1:,}"


@check(
    "C08",
    "RoBERTa has length + pad id + 1 positions",
    needs="config",
    why="RoBERTa numbers tokens from pad id + 1. Measured: pad 0 with 512 positions takes 511 tokens, and crashes at "
    "the first full batch. The published 514 are for 512 tokens and pad id 1.",
    fix="Set max_position_embeddings to length + pad_token_id + 1 before training. If the model is trained, set "
    "model_max_length in tokenizer_config.json to the tokens that fit.",
    unless="C07 C12",
    mend=_more_positions,
)
def enough_positions(subject: Subject) -> Iterator[str | Found]:
    """Compare the longest sequence with the positions that are left."""
    room, rows, family = capacity(subject.config), position_count(subject.config), subject.family
    if family is None or not family.counts_from_pad or room is None or rows is None:
        return
    length, pad = wanted(subject), subject.config.pad_token_id
    sure = subject.given.length is not None or length != rows
    sure = sure or (subject.tokenizer is not None and subject.tokenizer.model_max_length < _UNSET)
    if length > room and (sure or _round(rows)):
        yield Found(
            f"sequences of {length:,} tokens need {length:,} + {pad} + 1 = {length + pad + 1:,} positions, and there "
            f"are {rows:,}: only {room:,} tokens fit",
            "error" if sure else "warning",
        )


@check(
    "C28",
    "The tokenizer truncates at the length that the model takes",
    needs="config tokenizer",
    why="A text that is longer than the position table crashes the model, and a tokenizer without model_max_length "
    "never truncates. Measured: model_max_length = hidden_size, a mistake that was published, truncates to 32 tokens.",
    fix="Set model_max_length in tokenizer_config.json to the number of tokens that the model takes.",
    unless="C08",
    mend=lambda draft: draft.tokenize(model_max_length=capacity(draft.subject.config)),
)
def chunking(subject: Subject) -> Iterator[str | Found]:
    """Compare model_max_length with the tokens that the model takes, and with the hidden size."""
    room, cut = capacity(subject.config), subject.tokenizer.model_max_length
    width = getattr(subject.config, "hidden_size", None)
    if room is None or room < 1 or subject.family is None or not _table(subject):
        return
    if cut > _UNSET:
        yield Found(
            f"model_max_length isn't set, and the model takes {room:,} tokens: longer texts crash it",
            "warning",
        )
    elif cut > room:
        yield f"the tokenizer truncates at {cut:,} tokens, and the model takes {room:,}"
    elif cut == width and cut < room // 2:
        yield Found(
            f"the tokenizer truncates at {cut:,} tokens, which is the hidden size; the model takes {room:,}",
            "warning",
        )


@check(
    "C29",
    "Sequences aren't longer than the positions that were trained",
    needs="config",
    severity="warning",
    why="Rotary and relative positions and ALiBi have no table that ends, so longer sequences run without an error, "
    "but badly. Measured: GPT-NeoX takes 200 tokens with 64 positions, T5 2,000 with 512. (A class that was made for a "
    "table, as BERT's, runs on if max_position_embeddings says more; no weight depends on it.)",
    fix="Truncate at the trained length: set model_max_length in tokenizer_config.json to it.",
    mend=lambda draft: draft.tokenize(model_max_length=capacity(draft.subject.config)),
)
def trained_positions(subject: Subject) -> Iterator[str]:
    """Compare the length with the trained positions of an architecture that would run on."""
    room, length, family = capacity(subject.config), subject.length, subject.family
    if family is None or _table(subject):
        return
    if room and length and length > room:
        yield f"sequences have {length:,} tokens, and only {room:,} positions were trained"
