"""Is a batch what its objective says? For batches that were given, and for those that an objective makes."""

import inspect
from collections.abc import Iterator

import torch
from torch import Tensor

from hornbook.contract.check import Found, check
from hornbook.contract.subject import Subject
from hornbook.objectives import IGNORED


def labelled(subject: Subject) -> tuple[Tensor, Tensor] | None:
    """Give input ids and labels, where there are both."""
    batch = subject.learning_batch
    if batch is None or "input_ids" not in batch or "labels" not in batch:
        return None
    return batch["input_ids"], batch["labels"]


@check(
    "C24",
    "No special token is put in as a random word",
    needs="learning_batch tokenizer head",
    why="A random <pad> in a text of RoBERTa shifts the position of every token after it. Measured: with 31 tokens, "
    "67 of 453 random replacements were special, 14 of them <pad>.",
    fix="Draw random words from the ids that aren't special.",
)
def random_words(subject: Subject) -> Iterator[str]:
    """Look at the places whose label differs from the input."""
    pair = labelled(subject)
    if pair is None or subject.head != "masked" or pair[0].shape != pair[1].shape:
        return
    inputs, labels = pair
    replaced = inputs[(labels != IGNORED) & (inputs != labels)]
    special = is_in(replaced, set(subject.tokenizer.all_special_ids) - {subject.role("mask")})
    if special.any():
        first = int(replaced[special][0])
        name = subject.tokenizer.convert_ids_to_tokens(first)
        yield f"{int(special.sum())} of {len(replaced)} replaced words became special tokens, such as {name}"


@check(
    "C36",
    "Padding is never a label",
    needs="learning_batch tokenizer",
    why="Padding is easy to predict, so the loss looks better than it is.",
    fix="Set labels to -100 where there is padding.",
)
def pad_labels(subject: Subject) -> Iterator[str]:
    """Count labels that are the pad id, where padding has a token of its own."""
    pair, pad = labelled(subject), subject.role("pad")
    if pair is None or pad is None or pad in (subject.role("eos"), subject.role("sep")):
        return
    times = int((pair[1] == pad).sum())
    if times:
        yield f"{times} of {int((pair[1] != IGNORED).sum())} labels are the pad id {pad}"


@check(
    "C46",
    "Labels of a causal model aren't shifted: the model shifts them",
    needs="learning_batch head",
    why="Hugging Face's classes shift labels themselves. If labels are already shifted, the model learns to predict "
    "the word after the next. Measured: 4, 5, 6 is continued with 6, 7, 8.",
    fix="Give labels=input_ids.",
)
def shifted_once(subject: Subject) -> Iterator[str]:
    """Compare labels with the input at the same place, and at the next."""
    pair = labelled(subject)
    if pair is None or subject.head != "causal" or pair[0].shape != pair[1].shape or pair[0].shape[1] < 3:
        return
    inputs, labels = pair
    known = labels[:, :-1] != IGNORED
    if known.sum() < 2:
        return
    here = (labels == inputs)[:, :-1][known].float().mean()
    ahead = (labels[:, :-1] == inputs[:, 1:])[known].float().mean()
    if ahead > 0.9 and here < 0.5:
        yield f"{ahead:.0%} of the labels equal the input at the next place, {here:.0%} the input at their own"


@check(
    "C54",
    "A batch doesn't have both labels and logits_to_keep",
    needs="learning_batch",
    why="The loss then compares the logits of some places with the labels of all places. Measured: a ValueError, batch "
    "6 against 32.",
    fix="Compute the loss of the kept places yourself.",
)
def kept(subject: Subject) -> Iterator[str]:
    """Look for both keys."""
    batch = subject.learning_batch or {}
    if "labels" in batch and "logits_to_keep" in batch:
        yield "the batch has labels and logits_to_keep"


@check(
    "C59",
    "A masked model's input differs from its labels",
    needs="learning_batch head",
    why="If the input shows the label, there is nothing to predict. Measured: after 150 steps on words drawn at "
    "random from ten, the loss is below 0.1, where ln 10 = 2.30 is the lowest that can be learned.",
    fix="Put the mask token at 80 % of the labelled places, a random word at 10 %.",
)
def corrupted(subject: Subject) -> Iterator[str | Found]:
    """Count labelled places whose input is the label."""
    pair = labelled(subject)
    if pair is None or subject.head != "masked" or pair[0].shape != pair[1].shape:
        return
    known = pair[1] != IGNORED
    if not known.any():
        return
    shown = float((pair[0] == pair[1])[known].float().mean())
    if shown > 0.5:
        yield f"the input shows {shown:.0%} of the {int(known.sum())} labels"


@check(
    "H05",
    "The model declares every key of the batch",
    needs="batch model",
    why="The classes accept unknown keys in **kwargs and ignore them. Measured: all six families accept the misspelt "
    "`attention_masks=`, and T5 ignores position_ids.",
    fix="Give only the keys that `forward` declares.",
)
def batch_keys(subject: Subject) -> Iterator[str]:
    """Compare the batch's keys with the signature of `forward`."""
    assert subject.batch is not None
    known = inspect.signature(subject.model.forward).parameters
    swallowed = sorted(key for key in subject.batch if key not in known and key != "labels")
    if swallowed:
        yield f"{type(subject.model).__name__}.forward doesn't declare {', '.join(swallowed)}"


@check(
    "H06",
    "A batch with padding has an attention mask",
    needs="batch tokenizer head",
    why="Without a mask, padding is read like text: the outputs of real tokens change.",
    fix="Make attention_mask from the lengths: 1 where there is a token.",
)
def padded(subject: Subject) -> Iterator[str]:
    """Look for pad ids that no mask hides; padding after the text doesn't harm a causal model."""
    batch, pad = subject.batch, subject.role("pad")
    assert batch is not None
    if "input_ids" not in batch or pad is None or pad == subject.role("eos"):
        return
    pads = batch["input_ids"] == pad
    mask = batch.get("attention_mask")
    seen = pads if mask is None else pads & (mask != 0)
    if subject.head == "causal":
        seen = seen & (pads.int().flip(1).cumprod(1).flip(1) == 0)
    if seen.any():
        yield (
            f"{int(seen.sum())} pads aren't hidden by {'attention_mask' if mask is not None else 'any attention_mask'}"
        )


@check(
    "C48",
    "RoBERTa's explicit positions start at pad id + 1",
    needs="batch config",
    why="DataCollatorWithFlattening counts positions from 0. In RoBERTa's position table, the row of the pad id is "
    "zero and frozen.",
    fix="Add pad_token_id + 1 to position_ids.",
)
def first_position(subject: Subject) -> Iterator[str]:
    """Look at the lowest position of a real token."""
    assert subject.batch is not None
    places, family = subject.batch.get("position_ids"), subject.family
    if places is None or family is None or not family.counts_from_pad:
        return
    mask = subject.batch.get("attention_mask")
    real = places if mask is None else places[mask != 0]
    first = subject.config.pad_token_id + 1
    if real.numel() and int(real.min()) < first:
        yield f"position_ids start at {int(real.min())}; with pad id {first - 1}, RoBERTa's start at {first}"


@check(
    "C49",
    "With padding on the left, RoBERTa's inputs_embeds come with position_ids",
    needs="batch config",
    why="RoBERTa can't see padding in inputs_embeds, so it counts positions from the left, and the outputs are others.",
    fix="Give position_ids as well.",
)
def left_embeds(subject: Subject) -> Iterator[str]:
    """Look for a mask that begins with 0."""
    batch, family = subject.batch, subject.family
    assert batch is not None
    mask = batch.get("attention_mask")
    if family is None or not family.counts_from_pad:
        return
    if "inputs_embeds" not in batch or "position_ids" in batch:
        return
    if mask is not None and (mask[:, 0] == 0).any():
        yield (f"{int((mask[:, 0] == 0).sum())} texts are padded on the left, and there are no position_ids")


def is_in(ids: Tensor, wanted: set[int | None]) -> Tensor:
    """Tell which ids are among the wanted: same shape."""
    return torch.isin(ids, torch.tensor(sorted(i for i in wanted if i is not None), dtype=ids.dtype))
