"""Does the tokenizer frame texts, and tell segments, as the model expects?"""

import inspect
import json
from collections.abc import Iterator
from typing import Any

from tokenizers import Tokenizer

from hornbook.contract.check import Found, check
from hornbook.contract.draft import Draft
from hornbook.contract.subject import Subject
from hornbook.families import TYPES
from hornbook.families.positions import has_table
from hornbook.tokenizers import STYLES
from hornbook.tokenizers.fast_tokenizer import declared_roles, frame
from hornbook.tokenizers.style import pair_template


def _no_template(draft: Draft) -> bool:
    if not draft.verbatim():
        return False
    assert draft.tokenizer is not None
    byte_level = "ByteLevel" in str(draft.tokenizer["pre_tokenizer"])
    shape = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    draft.tokenizer["post_processor"] = shape if byte_level else None
    for key in ("add_eos_token", "add_bos_token"):
        draft.tokenizer_config.pop(key, None)
    return True


@check(
    "C25",
    "A prompt doesn't end in the end of text, and a text-to-text input does",
    needs="tokenizer head",
    why="If a prompt ends in the end of text, the model begins another text after it. Measured: a GPT with a tokenizer "
    "made for RoBERTa reads the prompt 'Once upon' as '<s> Once Ġupon </s>', and goes on with another story.",
    fix='Remove the template: post_processor in tokenizer.json, with "tokenizer_class": "TokenizersBackend".',
    mend=_no_template,
)
def prompts(subject: Subject) -> Iterator[str | Found]:
    """Look at what the template puts around a word."""
    tokenizer = subject.tokenizer
    ids = tokenizer("a").input_ids
    last = tokenizer.convert_ids_to_tokens(ids[-1:])
    if subject.head == "causal" and ids and ids[-1] in {subject.role("eos"), subject.role("sep")} - {None}:
        yield (
            f"the prompt 'a' is read as {' '.join(tokenizer.convert_ids_to_tokens(ids))}: it ends in {last[0]}"
        )
    elif subject.head == "seq2seq" and subject.role("eos") is not None and ids[-1:] != [subject.role("eos")]:
        yield Found("texts don't end in eos, as T5's inputs and targets do", "warning")


@check(
    "H04",
    "A masked model's texts begin with cls and end in sep",
    needs="tokenizer head",
    severity="warning",
    why="Hornbook trains on framed texts, as BERT and RoBERTa do. If the tokenizer adds no frame, the model gets texts "
    "in use that look different from those in training.",
    fix="Give the tokenizer a template: `hornbook.tokenizers.build_fast_tokenizer(tokenizer, 'masked', length)`.",
)
def framed(subject: Subject) -> Iterator[str]:
    """Look at what the template puts around a word."""
    tokenizer = subject.tokenizer
    ids = tokenizer("a").input_ids
    if subject.head == "masked" and None not in (subject.role("cls"), subject.role("sep")):
        frame = [subject.role("cls"), subject.role("sep")]
        if [ids[0], ids[-1]] != frame:
            yield (
                f"'a' is read as {' '.join(tokenizer.convert_ids_to_tokens(ids))}, without "
                f"{tokenizer.cls_token} and {tokenizer.sep_token}"
            )


def _frame_pairs(draft: Draft) -> bool:
    if not draft.verbatim():
        return False
    roles, rust = declared_roles(draft.subject.tokenizer), Tokenizer.from_str(json.dumps(draft.tokenizer))
    rust.post_processor = frame(rust, "masked", roles, pair_template(roles))
    assert draft.tokenizer is not None
    draft.tokenizer["post_processor"] = json.loads(rust.to_str())["post_processor"]
    return True


@check(
    "H10",
    "A pair of texts is framed as by the published tokenizer",
    needs="config tokenizer head",
    severity="warning",
    why="RoBERTa reads two texts as <s> A </s></s> B </s>, BERT and ALBERT as [CLS] A [SEP] B [SEP]. A model that is "
    "fine-tuned on one form and used on the other sees a form that it never learned.",
    fix="Take the tokenizer's template from `hornbook tokenizer import FOLDER --for FAMILY --out NEW`.",
    unless="H04",
    mend=_frame_pairs,
)
def pair_form(subject: Subject) -> Iterator[str]:
    """Compare the frame of two texts with that of the special tokens' style, and of the family's."""
    family, roles = TYPES.get(subject.config.model_type), declared_roles(subject.tokenizer)
    if subject.head != "masked" or family is None or not {"cls_token", "sep_token"} <= roles.keys():
        return
    encoded = subject.tokenizer.backend_tokenizer.encode("a", "b")
    shown = [
        token if text is None else "AB"[text]
        for token, text in zip(encoded.tokens, encoded.sequence_ids, strict=True)
    ]
    read = [one for place, one in enumerate(shown) if one not in ("A", "B") or shown[place - 1] != one]
    right = [
        [part.split(":")[0].format(cls=roles["cls_token"], sep=roles["sep_token"]) for part in form.split()]
        for form in (pair_template(roles), STYLES[family.style].pair)
    ]
    wanted = [[one.removeprefix("$") for one in form] for form in right]
    if read not in wanted:
        yield f"two texts are read as {' '.join(read)}, and the form of these tokens is {' '.join(wanted[0])}"


def _segments(subject: Subject) -> int:
    """Count the segments that the tokenizer tells apart in a pair; 0 where it gives no token_type_ids."""
    pair: Any = subject.tokenizer("a", "b")
    return max(pair["token_type_ids"]) + 1 if "token_type_ids" in pair else 0


def _two_types(draft: Draft) -> bool:
    if draft.weighted:
        return False
    draft.config["type_vocab_size"] = 2
    return True


@check(
    "C38",
    "type_vocab_size has a row for every segment",
    needs="config tokenizer",
    why="A segment without a row ends in an IndexError. RoBERTAlbert, an ALBERT with RoBERTa's values, has one type of "
    "segment, so it can't learn pairs of sentences as it stands.",
    fix="Set type_vocab_size to 2 before training, or remove token_type_ids from model_input_names.",
    mend=_two_types,
)
def types(subject: Subject) -> Iterator[str]:
    """Compare what the tokenizer gives for a pair with type_vocab_size."""
    types = getattr(subject.config, "type_vocab_size", None)
    if not isinstance(types, int):
        return
    segments = _segments(subject)
    if segments > types:
        yield (
            f"the tokenizer gives the second text of a pair segment {segments - 1}, and type_vocab_size is {types}"
        )
    elif subject.pairs and types < 2:
        yield f"{subject.architecture or 'the model'} judges pairs of texts, and type_vocab_size is {types}"


def _name_segments(draft: Draft) -> bool:
    names = list(draft.subject.tokenizer.model_input_names)
    if "token_type_ids" in names or draft.tokenizer is None or not draft.verbatim():
        return False
    draft.tokenizer_config["model_input_names"] = [names[0], "token_type_ids", *names[1:]]
    return ":1" in str(draft.tokenizer.get("post_processor")) or "'type_id': 1" in str(
        draft.tokenizer.get("post_processor")
    )


@check(
    "C39",
    "Pairs have two segments, where the model judges pairs",
    needs="config tokenizer",
    why="Without segment 1, its row gets no gradient and the model can't tell the texts apart. Measured: RoBERTa's "
    "post-processor gives only zeros, even for pairs.",
    fix="Use a template with :1 for the second text, and add token_type_ids to model_input_names.",
    unless="C38",
    mend=_name_segments,
)
def two_segments(subject: Subject) -> Iterator[str | Found]:
    """Encode a pair."""
    if subject.pairs and getattr(subject.config, "type_vocab_size", 0) > 1 and _segments(subject) < 2:
        given = "only zeros" if _segments(subject) else "no token_type_ids"
        judge = subject.architecture or "the model"
        # transformers 5 opens every published ALBERT so; only who trains on pairs loses by it.
        yield Found(
            f"{judge} judges pairs of texts, and the tokenizer gives {given} for a pair",
            "warning" if subject.is_used else "error",
        )


@check(
    "C40",
    "Every type of segment is used",
    needs="config tokenizer",
    severity="note",
    why="Without pairs, the row of segment 1 is never trained. This wastes one row, and does no other harm.",
    fix="Set type_vocab_size to 1 before training, or leave it as published.",
)
def idle_type(subject: Subject) -> Iterator[str]:
    """Look whether there are pairs; a folder with weights may have been trained on some, and its row stays."""
    if subject.trained:
        return
    if getattr(subject.config, "type_vocab_size", 0) > 1 and not subject.pairs and subject.head == "masked":
        yield f"type_vocab_size is {subject.config.type_vocab_size}, and no objective uses pairs"


def _no_types(draft: Draft) -> bool:
    names = [name for name in draft.subject.tokenizer.model_input_names if name != "token_type_ids"]
    draft.tokenizer_config["model_input_names"] = names
    return True


@check(
    "C41",
    "A model without segments gets no token_type_ids",
    needs="config tokenizer",
    why="GPT-Neo adds the word embeddings of ids 0 and 1 to every token when it gets token_type_ids. The "
    "logits are others.",
    fix="Remove token_type_ids from model_input_names in tokenizer_config.json.",
    mend=_no_types,
)
def no_segments(subject: Subject) -> Iterator[str]:
    """Look at the keys that the tokenizer gives."""
    family = subject.family
    if family is not None and family.types_as_words and "token_type_ids" in subject.tokenizer("a"):
        yield f"the tokenizer gives token_type_ids, which {subject.config.model_type} adds as word embeddings"


@check(
    "C42",
    "The model knows every key that the tokenizer gives",
    needs="model tokenizer",
    severity="warning",
    why="The classes accept unknown keys in **kwargs and ignore them. Measured: all six families accept the misspelt "
    "`attention_masks=`, and T5 ignores token_type_ids.",
    fix="Give only the keys that `forward` declares, in model_input_names and in your collator.",
    unless="C41",
    mend=_no_types,
)
def known_keys(subject: Subject) -> Iterator[str | Found]:
    """Compare the tokenizer's keys with the signature of `forward`."""
    known = inspect.signature(subject.model.forward).parameters
    swallowed = [key for key in subject.tokenizer("a") if key not in known]
    if swallowed:
        # Types of segments are without effect on a model that has none: so every DistilBERT gets BERT's.
        yield Found(
            f"the tokenizer gives {', '.join(swallowed)}, which {type(subject.model).__name__} doesn't declare",
            "note" if swallowed == ["token_type_ids"] else "warning",
        )


@check(
    "C47",
    "Padding is on the right, where positions are counted from the left",
    needs="config tokenizer head",
    severity="warning",
    why="BERT counts positions from the first place, padding or not. Padding on the left changes its outputs, and "
    "RoBERTa's not at all. (To generate with a causal model, pad on the left.)",
    fix="Set padding_side to right in tokenizer_config.json.",
    mend=lambda draft: draft.tokenize(padding_side="right"),
)
def padding_side(subject: Subject) -> Iterator[str]:
    """Read the side."""
    family = subject.family
    if family is None or family.position_table is None or family.counts_from_pad:
        return
    if not has_table(subject.config):  # rotary positions and ALiBi only know how far apart two tokens are
        return
    if subject.head == "masked" and subject.tokenizer.padding_side == "left":
        yield f"padding_side is left, and {subject.config.model_type} counts positions from the left"
