"""What some labels cost: -ln p at the few places that are asked."""

import torch
from torch import Tensor

from hornbook.loading import LoadedModel

_ROWS = 512
"""Rows of logits that are held at once."""


def label_nats(loaded: LoadedModel, hidden: Tensor, labels: Tensor) -> Tensor:
    """Compute -ln p of labels (N,) from the hidden states (N, width) that predict them: shape (N,), in fp64."""
    if not len(labels):
        return torch.zeros(0, dtype=torch.float64)
    parts = []
    for states, wanted in zip(hidden.split(_ROWS), labels.split(_ROWS), strict=True):
        logits = loaded.family.logits(loaded.model, states).float()
        right = logits.gather(1, wanted[:, None]).squeeze(1).double()
        parts.append(logits.logsumexp(1).double() - right)
    return torch.cat(parts)
