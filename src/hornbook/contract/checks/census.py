"""A census of labels: what is among them, what isn't, and how many there are."""

from collections.abc import Iterator

import torch
from torch import Tensor

from hornbook.contract.check import Found, check
from hornbook.contract.checks.batches import is_in, labelled
from hornbook.contract.subject import Subject
from hornbook.objectives import IGNORED
from hornbook.objectives.masking import Masking


@check(
    "P05",
    "Labels are what the objective asks for",
    needs="learning_batch tokenizer head",
    why="A count of all labels finds faults that no rule names. If the end of text is never a label, the model never "
    "learns to stop. If special tokens are labels of a masked model, their place gives them away. If the share of "
    "labels isn't the one that was asked for, the task is another one.",
    fix="Look at how the batch is made, or let hornbook.objectives make it.",
    unless="C11 C19 C36 C46",
)
def census(subject: Subject) -> Iterator[str | Found]:
    """Count ends, sentinels, special tokens and the share of labels."""
    pair = labelled(subject)
    if pair is None or subject.vocabulary is None:
        return
    inputs, labels = pair
    known = labels[labels != IGNORED]
    if not len(known):
        yield f"no place has a label{_why(subject, inputs)}"
        return
    eos = subject.role("eos")
    if subject.head == "causal" and eos is not None and not (known == eos).any():
        yield Found(f"eos ({eos}) is never a label among {len(known)}", "warning")
    if subject.head == "seq2seq":
        sentinels = set(subject.vocabulary.sentinels.tolist())
        if eos is not None and not (known == eos).any():
            yield f"eos ({eos}) is never a label among {len(known)}"
        if sentinels and not is_in(inputs, sentinels).any():
            yield "no input has a sentinel"
        elif sentinels and not is_in(known, sentinels).any():
            yield "no sentinel is a label"
    if subject.head == "masked":
        special = set(subject.tokenizer.all_special_ids) - {subject.role("unk")}
        caught = known[is_in(known, special)]
        if len(caught):
            name = subject.tokenizer.convert_ids_to_tokens(int(caught[0]))
            yield f"{len(caught)} of {len(known)} labels are special tokens, such as {name}"
        if isinstance(subject.objective, Masking) and inputs.shape == labels.shape:
            text = torch.where(labels != IGNORED, labels, inputs)
            words = ~is_in(text, special)
            yield from _rate(subject.objective, labels[words], _together(subject.objective, labels))


def _why(subject: Subject, inputs: Tensor) -> str:
    """Say why a masked model's batch has no label, where that can be seen."""
    unknown = subject.tokenizer.unk_token_id
    if subject.head != "masked" or unknown is None:
        return ""
    share = float((inputs == unknown).sum()) / max(int((~is_in(inputs, _framing(subject))).sum()), 1)
    if share > 0.5:
        return (
            f": {share:.0%} of the text's tokens are {subject.tokenizer.unk_token}, which is never hidden; take a "
            "tokenizer that knows this script, or train one on the text"
        )
    if isinstance(subject.objective, Masking) and subject.objective.whole_words and subject.objective.exact:
        return ": every word is longer than what may be hidden of a text; set objective.exact to false"
    return ""


def _framing(subject: Subject) -> set[int | None]:
    return {*subject.tokenizer.all_special_ids} - {subject.role("unk"), subject.role("mask")}


def _rate(objective: Masking, labels: Tensor, together: float) -> Iterator[str]:
    """Compare the share of labels with the share that was asked for, within five standard errors.

    Tokens that are chosen `together` count with the square of their number.
    """
    asked, words = objective.rate, len(labels)
    share = int((labels != IGNORED).sum()) / max(words, 1)
    error = (asked * (1 - asked) * together / max(words, 1)) ** 0.5
    if words > 30 and abs(share - asked) > 5 * error:
        yield f"{share:.1%} of {words} words have a label, and {asked:.1%} were asked for"


def _together(objective: Masking, labels: Tensor) -> float:
    """Count the tokens that are chosen together: 1, or with whole words about as many as stand in a row."""
    if not objective.whole_words:
        return 1.0
    chosen = (labels != IGNORED).int()
    runs = int((chosen[:, 1:] > chosen[:, :-1]).sum() + chosen[:, 0].sum())
    return int(chosen.sum()) / max(runs, 1)
