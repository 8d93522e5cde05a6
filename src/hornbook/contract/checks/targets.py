"""What a text-to-text model writes: sentinels, the first token of its decoder, its head."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hornbook.contract.check import Found, check
from hornbook.contract.checks.files import consecutive
from hornbook.contract.checks.learning import first_batch_loss
from hornbook.contract.checks.rows import resize
from hornbook.contract.draft import Draft
from hornbook.contract.subject import Subject
from hornbook.tokenizers import sentinel_ids


def _corrupts(subject: Subject) -> bool:
    return subject.objective is not None and subject.objective.cuts_spans


@check(
    "C30",
    "The tokenizer has sentinels for span corruption, and the model has a row for each",
    needs="tokenizer head",
    why="A sentinel that was added after the model got its size ends in an IndexError. A sentinel that doesn't exist "
    "becomes the unknown token without a warning. Measured: <extra_id_0> at the trained vocabulary's size, one row "
    "past the model's end.",
    fix="Add the sentinels before you build the model; set vocab_size to at least the highest id + 1. If the model is "
    "trained, add the rows with resize_token_embeddings.",
    mend=lambda draft: bool(sentinel_ids(draft.subject.tokenizer)) and resize(draft),
)
def sentinels(subject: Subject) -> Iterator[str | Found]:
    """Look for them by name, and compare with vocab_size."""
    if not _corrupts(subject):
        return
    ids, rows = sentinel_ids(subject.tokenizer), getattr(subject.config, "vocab_size", None)
    if not ids:
        number = subject.tokenizer.convert_tokens_to_ids("<extra_id_0>")
        # Many text-to-text models were tuned on another task, and need none.
        yield Found(
            f"the vocabulary has no <extra_id_0>; the tokenizer gives id {number} for it",
            "warning" if subject.is_used else "error",
        )
    elif rows is not None and max(ids) >= rows:
        yield (
            f"<extra_id_0> is {ids[0]:,}, the last sentinel {ids[-1]:,}, and the model has {rows:,} rows, 0 "
            f"to {rows - 1:,}"
        )


@check(
    "C31",
    "The sentinels' ids descend, as published",
    needs="tokenizer head",
    severity="note",
    why="In published T5s <extra_id_0> has the highest id, and older collators count down from the end. If ids ascend, "
    "they begin with <extra_id_99>. Hornbook finds sentinels by name, so both orders work.",
    fix="If you use such a collator, let it look ids up by name.",
    unless="C30 C33",
)
def descending(subject: Subject) -> Iterator[str]:
    """Look at the first two."""
    ids = sentinel_ids(subject.tokenizer) if _corrupts(subject) else []
    if len(ids) > 1 and ids[1] > ids[0]:
        yield f"<extra_id_0> is {ids[0]:,}, <extra_id_1> {ids[1]:,}: they ascend"


@check(
    "C32",
    "There is a sentinel for every span",
    needs="objective vocabulary length",
    why="A span without a sentinel gets an ordinary word in its place. Measured: 2,048 tokens at 15 % in spans of 3 "
    "have 102 spans, and T5 has 100 sentinels.",
    fix="Add sentinels, or shorten the sequences.",
    unless="C30",
)
def enough_sentinels(subject: Subject) -> Iterator[str]:
    """Count the spans of the longest example."""
    assert subject.objective and subject.vocabulary is not None and subject.length is not None
    known = len(subject.vocabulary.sentinels)
    if known and _corrupts(subject) and 8 <= subject.length < 100_000:
        spans = subject.objective.most_spans(subject.length)
        if spans > known:
            yield (
                f"sequences of {subject.length:,} tokens have {spans} spans, and the tokenizer has {known} sentinels"
            )


@check(
    "C33",
    "No sentinel was learned as a piece of text",
    needs="tokenizer head",
    why="If the training text contains '<extra_id_0>', a tokenizer learns it as an ordinary piece, with an id away "
    "from the other sentinels. Measured: piece 561, and no longer among the sentinels.",
    fix="Declare the sentinels before training the tokenizer, or take them out of the text.",
    unless="C30",
)
def learned_sentinels(subject: Subject) -> Iterator[str]:
    """See whether some are ordinary pieces, apart from the others; those that were added later may stand anywhere."""
    ids = sentinel_ids(subject.tokenizer) if _corrupts(subject) else []
    added = set(subject.tokenizer.get_added_vocab().values())
    if not added.issuperset(ids) and not consecutive(ids):
        odd = next(i for i, (a, b) in enumerate(pairwise(ids)) if abs(a - b) != 1)
        yield (
            f"the sentinels' ids aren't consecutive: <extra_id_{odd}> is {ids[odd]:,}, <extra_id_{odd + 1}> "
            f"{ids[odd + 1]:,}"
        )


@check(
    "C34",
    "The decoder has a first token, and it is T5's pad",
    needs="config",
    why="Without decoder_start_token_id, the first batch with labels ends in an AttributeError or ValueError.",
    fix="Set decoder_start_token_id to the pad id.",
    mend=lambda draft: draft.configure(decoder_start_token_id=draft.subject.role("pad")),
)
def decoder_start(subject: Subject) -> Iterator[str | Found]:
    """Compare it with the pad."""
    if not getattr(subject.config, "is_encoder_decoder", False):
        return
    start, pad = getattr(subject.config, "decoder_start_token_id", None), subject.role("pad")
    if start is None:
        yield "config.json has no decoder_start_token_id"
    elif subject.family is not None and pad is not None and start != _first(subject):
        yield Found(f"decoder_start_token_id is {start}, and the tokenizer's pad is {pad}", "warning")


def _first(subject: Subject) -> int | None:
    """Give the decoder's first token, as the family takes it from the tokenizer."""
    assert subject.family is not None
    return subject.family.identifiers(subject.tokenizer).get("decoder_start_token_id")


def _untie(draft: Draft) -> bool:
    """Draw a new head, where the old one has learned nothing that could be lost."""
    loss, model = first_batch_loss(draft.subject), draft.subject.model
    if not draft.weighted or loss is None or loss < math.log(model.config.vocab_size):
        return False
    draft.untied = True
    draft.config["tie_word_embeddings"] = False
    return True


@check(
    "C35",
    "A head has its own weights if the config asks for them",
    needs="model raw",
    why="transformers 5 forces T5's tie_word_embeddings to True. If the config says False, its only effect is that the "
    "outputs aren't scaled: the head is still the embedding, and the loss starts at more than twice ln V.",
    fix="Untie after the model is built: give lm_head.weight a Parameter of its own (hornbook.families does).",
    mend=_untie,
)
def untied(subject: Subject) -> Iterator[str]:
    """See whether head and embedding are one tensor, where the config wants two."""
    model: Any = subject.model
    if not _tied(model) or subject.stood_in_for:
        return
    if subject.architecture is not None and subject.headless:
        return
    if subject.raw.get("tie_word_embeddings") is False:
        yield ("tie_word_embeddings is false in config.json, but head and embedding are one tensor")
    elif subject.raw.get("scale_decoder_outputs") is False:
        yield (
            "the decoder's outputs aren't scaled, as for a head of its own, but head and embedding are one tensor"
        )


def _tied(model: Any) -> bool:
    try:
        return model.get_output_embeddings().weight is model.get_input_embeddings().weight
    except AttributeError:
        return False


def _apart(draft: Draft) -> bool:
    """Let the config say what the file has; a head with a bias is left alone, for its bias would be missing."""
    model: Any = draft.subject.model
    wish = bool(draft.subject.missing_weights)
    forced = type(model.config)(tie_word_embeddings=wish).tie_word_embeddings is not wish
    if forced or getattr(model.get_output_embeddings(), "bias", None) is not None:
        return False
    draft.config["tie_word_embeddings"] = wish
    return True


@check(
    "C50",
    "Weights are tied as they were when they were saved",
    needs="model model_folder config",
    why="If the file has a head with its own weights and the model ties its head, load_state_dict throws the saved "
    "head away and says that all keys match: other logits, no warning (from_pretrained keeps it). In the opposite "
    "case, the head starts at random.",
    fix="Set tie_word_embeddings to true if the saved weights are tied, else to false.",
    unless="C35",
    mend=_apart,
)
def same_tie(subject: Subject) -> Iterator[str]:
    """Compare the head in the file with the embedding in the model."""
    from safetensors import safe_open

    assert subject.model_folder is not None
    model: Any = subject.model
    head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    if head is None or subject.raw is None or not subject.model_folder.weights:
        return
    if subject.raw.get("tie_word_embeddings", model.config.tie_word_embeddings):
        embedding = model.get_input_embeddings().weight.detach()
        for path in subject.model_folder.weights:
            with safe_open(path, "pt") as file:
                for name in file.keys():  # noqa: SIM118  it is no dictionary
                    # A head's name differs between a class and what it saves.
                    if name.endswith(_HEADS) and not file.get_tensor(name).to(embedding.dtype).equal(
                        embedding
                    ):
                        yield (
                            f"{name} has its own values in the file, but the config ties it to the embedding"
                        )
        return
    ours = {f"{name}.weight" for name, module in model.named_modules() if module is head}
    if not subject.headless and (lost := ours & subject.missing_weights):
        yield (
            f"the config gives {min(lost)} its own values, but the file has none: it would start at random"
        )


_HEADS = ("lm_head.weight", "embed_out.weight", "lm_head.decoder.weight", "predictions.decoder.weight")
