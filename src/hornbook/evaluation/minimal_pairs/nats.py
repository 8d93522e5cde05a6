"""What some labels cost: -ln p at the few places that are asked."""

import torch
from torch import Tensor

from hornbook.loading import LoadedModel

_ROWS = 512
"""Rows of logits that are held at once."""


def label_nats(loaded: LoadedModel, hidden: Tensor, labels: Tensor, places: Tensor | None = None) -> Tensor:
    """Compute -ln p of labels (N,) from the hidden states (M, width) that predict them: shape (N,), in fp64.

    `places` (N,), ascending, names the state of each label, so that several labels can be asked of one state; by
    default each label has a state of its own.
    """
    if not len(labels):
        return torch.zeros(0, dtype=torch.float64)
    places = torch.arange(len(labels), device=labels.device) if places is None else places
    parts = []
    for first, states in zip(range(0, len(hidden), _ROWS), hidden.split(_ROWS), strict=True):
        asked = (places >= first) & (places < first + _ROWS)
        logits = loaded.family.logits(loaded.model, states).float()
        rows = places[asked] - first
        # In place it is one kernel without new memory, and takes half the time of logsumexp.
        logs = torch.log_softmax(logits, 1, out=logits)
        parts.append(-logs[rows, labels[asked]].double())
    return torch.cat(parts)
