"""The text that an example was made of, read back from the example."""

from collections.abc import Mapping

from torch import Tensor

from hornbook.example.parts import Token
from hornbook.objectives import IGNORED, Objective, Vocabulary
from hornbook.tokenizers import VisibleTokens


def hides_in_place(objective: Objective) -> bool:
    """Tell whether a hidden token has its label at its own place, as in all that is framed for a masked model."""
    return objective.template in ("masked", "pairs")


def restore(
    objective: Objective, batch: Mapping[str, Tensor], vocabulary: Vocabulary, names: VisibleTokens
) -> tuple[Token, ...]:
    """Put what was hidden back in its place, in a batch's first example, without special tokens.

    Where spans were cut out, each sentinel of the input gives way to what follows it in the target.
    """
    inputs, labels = batch["input_ids"][0].tolist(), batch["labels"][0].tolist()
    found = [(one, False) for one in inputs]
    if objective.cuts_spans:
        if objective.template == "causal":  # the sequence holds both, one after the other
            inputs = [one for one, label in zip(inputs, labels, strict=True) if label == IGNORED]
        found = _filled(inputs, labels, set(vocabulary.sentinels.tolist()))
    elif hides_in_place(objective):
        found = [
            (one if label == IGNORED else label, label != IGNORED)
            for one, label in zip(inputs, labels, strict=True)
        ]
    special = set(vocabulary.special.tolist()) - _unknown(vocabulary)
    kept = [(one, hidden) for one, hidden in found if hidden or one not in special]
    shown = names.tokens([one for one, _ in kept])
    return tuple(
        Token(one, token, "hidden" if hidden else "")
        for (one, hidden), token in zip(kept, shown, strict=True)
    )


def _unknown(vocabulary: Vocabulary) -> set[int]:
    """Give the id of unknown words, which are part of a text, unless it has another role too."""
    others = {vocabulary.cls, vocabulary.sep, vocabulary.eos, vocabulary.pad, vocabulary.mask, None}
    unknown = vocabulary.tokenizer.unk_token_id if vocabulary.tokenizer else None
    return set() if unknown is None or unknown in others else {int(unknown)}


def _filled(inputs: list[int], labels: list[int], sentinels: set[int]) -> list[tuple[int, bool]]:
    """Replace the sentinels of the input by the spans of the target, which are hidden; an end token is in none."""
    end = labels[max(place for place, one in enumerate(labels) if one != IGNORED)]
    spans: dict[int, list[int]] = {}
    span: list[int] = []
    for one in labels:
        if one in sentinels:
            span = spans.setdefault(one, [])
        elif one not in (end, IGNORED):
            span.append(one)
    found: list[tuple[int, bool]] = []
    for one in inputs:
        found += [(lost, True) for lost in spans[one]] if one in spans else [(one, False)]
    return found
