"""What a model reads of an example: its input, and for a decoder its own input too."""

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from hornbook.example.attention import Matrix, allowed, ranges
from hornbook.example.parts import Kind, Place, Sequence
from hornbook.example.text import hides_in_place
from hornbook.loading import LoadedModel
from hornbook.objectives import IGNORED, Objective
from hornbook.tokenizers import VisibleTokens

Batch = Mapping[str, Tensor]

_DECODER = (
    "The decoder reads the target one place late, after a first token that says nothing.",
    "It sees all of the input.",
)


def sequences_of(
    loaded: LoadedModel, objective: Objective, batch: Batch, names: VisibleTokens
) -> tuple[Sequence, ...]:
    """Describe every place of the sequences that a batch's first example has."""
    ids, labels = batch["input_ids"][0].tolist(), batch["labels"][0].tolist()
    sees, kinds = allowed(objective.template, batch), _kinds(loaded, batch, hides_in_place(objective))
    targets = objective.targets(batch["labels"])[0].tolist()
    if objective.template != "seq2seq":
        remarks = []
        if targets != labels:
            remarks.append(
                "In the batch, the labels are the input itself, as Hugging Face's classes want it: the loss moves them "
                "by one place."
            )
        places = _places(
            ids, kinds, names, sees, targets, _segments(loaded, batch), _positions(loaded, batch)
        )
        return (Sequence("Input", names.text(ids), places, tuple(remarks)),)
    nothing = [IGNORED] * len(ids)
    encoder = _places(ids, kinds, names, sees, nothing, None, _positions(loaded, batch))
    shifted = loaded.model.prepare_decoder_input_ids_from_labels(batch["labels"])[0].tolist()
    special = set(loaded.vocabulary.special.tolist())
    sentinels = set(loaded.vocabulary.sentinels.tolist())
    read: list[Kind] = [
        "sentinel" if one in sentinels else "special" if one in special else "" for one in shifted
    ]
    decoder = _places(shifted, read, names, np.tril(np.ones((len(shifted),) * 2, bool)), targets, None, None)
    target = names.text([one for one in labels if one != IGNORED])
    return (
        Sequence("Input", names.text(ids), encoder, ("The encoder reads it.",)),
        Sequence("Target", target, decoder, _DECODER),
    )


def _places(
    ids: list[int],
    kinds: list[Kind],
    names: VisibleTokens,
    sees: Matrix,
    targets: list[int],
    segments: list[int] | None,
    positions: list[int] | None,
) -> tuple[Place, ...]:
    wanted = [one for one in targets if one != IGNORED]
    right = iter(names.tokens(wanted))
    return tuple(
        Place(
            place,
            one,
            token,
            kinds[place],
            "" if targets[place] == IGNORED else next(right),
            segments[place] if segments else None,
            positions[place] if positions else None,
            ranges(sees[place]),
        )
        for place, (one, token) in enumerate(zip(ids, names.tokens(ids), strict=True))
    )


def _kinds(loaded: LoadedModel, batch: Batch, hides: bool) -> list[Kind]:
    """Say of each place of the input what is special about it, and what a token became that is hidden in its place."""
    vocabulary, ids = loaded.vocabulary, batch["input_ids"][0].tolist()
    labels = batch["labels"][0].tolist()
    seen = batch["attention_mask"][0].tolist() if "attention_mask" in batch else [1] * len(ids)
    special, sentinels = set(vocabulary.special.tolist()), set(vocabulary.sentinels.tolist())
    if not hides:
        labels = [IGNORED] * len(ids)

    def kind(one: int, label: int, seen: int) -> Kind:
        if not seen:
            return "padding"
        if label != IGNORED:
            return "mask" if one == vocabulary.mask else "kept" if one == label else "random"
        return "sentinel" if one in sentinels else "special" if one in special else ""

    return [kind(*one) for one in zip(ids, labels, seen, strict=True)]


def _segments(loaded: LoadedModel, batch: Batch) -> list[int] | None:
    if "token_type_ids" in batch:
        return list(batch["token_type_ids"][0].tolist())
    return [0] * batch["input_ids"].shape[1] if "token_type_ids" in loaded.family.inputs else None


def _positions(loaded: LoadedModel, batch: Batch) -> list[int] | None:
    """Give the row of the position table at each place; None where the model has no table."""
    ids, config = batch["input_ids"][0].numpy(), loaded.model.config
    rows = loaded.family.position_rows(config, len(ids))
    if rows is None:
        return None
    if "position_ids" in batch:
        return list(batch["position_ids"][0].tolist())
    if not loaded.family.counts_from_pad:
        return list(rows)
    text = ids != config.pad_token_id
    return list(np.where(text, rows[0] + text.cumsum() - 1, config.pad_token_id).tolist())
