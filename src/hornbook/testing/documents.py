"""With a document mask, a packed document is computed as if it stood alone."""

from pathlib import Path

import torch
from torch import Tensor

from hornbook.testing.case import LENGTH, Case

APART = 1e-5
"""How far hidden states may be from those of the document alone: fp32's roundings."""


def document_mask(case: Case, folder: Path) -> None:
    """No token of one document moves another's hidden states, which are those of the document alone.

    An objective that masks documents says so by `restarts`. Documents begin with each end token.
    """
    if not case.objective.restarts:
        return
    family, model, batch = case.family, case.model().eval(), case.batch()
    with torch.no_grad():
        for module in model.modules():  # attention that is far from uniform
            if isinstance(module, family.matrices):
                module.weight.mul_(4)  # type: ignore[operator]
        packed = family.hidden(model, batch)
        open_ = family.hidden(model, {"input_ids": batch["input_ids"]})
        several = 0
        for row, ids in enumerate(batch["input_ids"]):
            for begin, end in _documents(ids, case.vocabulary.eos):
                alone = family.hidden(model, {"input_ids": ids[None, begin:end]})[0]
                apart = float((packed[row, begin:end] - alone).abs().max())
                case.require(
                    apart <= APART * float(alone.abs().max()),
                    f"the hidden states of a document at places {begin} to {end - 1} are up to {apart:.1e} from those "
                    "of the document alone, so it sees another, or its positions don't restart",
                )
                several += begin > 0
    case.require(several > 0, f"no example of {LENGTH} tokens holds two documents, so the mask wasn't asked")
    moved = float((packed - open_).abs().max())
    case.require(
        moved > 100 * APART, f"without the mask hidden states move by {moved:.1e}, too little to see it fail"
    )


def _documents(ids: Tensor, end: int | None) -> list[tuple[int, int]]:
    """Say where each document of a row stands, with the end token before it."""
    edges = [place for place, token in enumerate(ids.tolist()) if token == end and place]
    return list(zip([0, *edges], [*edges, len(ids)], strict=True))
