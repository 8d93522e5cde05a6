"""The held-out loss: an objective's own, on the windows that the training loop looks at."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from hornbook.evaluation.heldout import heldout_batches
from hornbook.evaluation.opened import Opened
from hornbook.objectives import Objective
from hornbook.store import TokenStore

_LOGITS = 2**25
"""Logits that are computed at once, at most: 128 MiB."""


@dataclass(frozen=True)
class HeldoutLoss:
    """A loss and what it is the mean of."""

    nats: float
    """Mean of -ln p over the labels."""
    labels: int
    windows: int
    """Windows read."""
    available: int
    """Windows in the store."""


@torch.inference_mode()
def heldout_loss(
    opened: Opened,
    objective: Objective,
    store: TokenStore,
    windows: int = 2000,
    progress: Callable[[float], None] | None = None,
) -> HeldoutLoss:
    """Average an objective's loss over all windows of the store, or over `windows` of them, evenly spread.

    With as many windows it is what the training loop logs for these weights. `progress` hears the share that
    is done. Raises HornbookError unless the objective is for a model with this head.
    """
    opened.need(objective.head)
    available = max(1, len(store.tokens) // objective.window(opened.length))
    windows = min(windows, available)
    batch = max(1, _LOGITS // (opened.length * opened.model.config.vocab_size))
    total, labels, done = 0.0, 0, 0
    for arrays in heldout_batches(store, objective, opened.vocabulary, opened.length, windows, batch):
        loss, count = objective.loss(
            opened.family,
            opened.model,
            {name: array.to(opened.model.device) for name, array in arrays.items()},
        )
        total, labels, done = total + float(loss), labels + int(count), done + len(arrays["labels"])
        if progress:
            progress(done / windows)
    return HeldoutLoss(total / max(labels, 1), labels, done, available)
