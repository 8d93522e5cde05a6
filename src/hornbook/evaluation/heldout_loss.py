"""The held-out loss of an objective, on the windows that the training loop also uses."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from hornbook.evaluation.heldout import heldout_batches
from hornbook.loading import LoadedModel
from hornbook.objectives import Objective
from hornbook.objectives.batch_to_loss import compute_loss, move
from hornbook.store import TokenStore

_LOGITS = 2**25
"""Most logits computed at once: 128 MiB."""


@dataclass(frozen=True)
class MeanTerm:
    """A term of an objective's loss, or a figure that is watched beside the loss, such as an accuracy."""

    mean: float
    labels: int
    """The number of labels in the mean; without any, it is not a number."""


@dataclass(frozen=True)
class HeldoutLoss:
    """A held-out loss and its terms."""

    terms: dict[str, MeanTerm]
    """The terms by their names in the objective."""
    nats: float
    """The training loss: the mean of -ln p over the labels, or the weighted sum of several terms."""
    windows: int
    """Windows or pairs read."""
    available: int
    """Windows or pairs in the store."""
    frequencies: float | None
    """The entropy of the first term's labels, in nats: the least loss of a model that knows only how frequent each is.
    None where these labels aren't tokens."""

    @property
    def labels(self) -> int:
        """Labels of the first term."""
        return next(iter(self.terms.values())).labels


@torch.inference_mode()
def heldout_loss(
    loaded: LoadedModel,
    objective: Objective,
    store: TokenStore,
    windows: int = 2000,
    progress: Callable[[float], None] | None = None,
) -> HeldoutLoss:
    """Average an objective's loss over all windows of the store, or over `windows` of them, evenly spread.

    With the same number of windows, the training loop logs the same loss for these weights. `progress` is called with
    the share that is done. Raises HornbookError unless the objective is for a model with this head.
    """
    loaded.need(objective.head)
    available = max(1, objective.chunking(store, loaded.length).count)
    windows = min(windows, available)
    batch = max(1, _LOGITS // (loaded.length * loaded.model.config.vocab_size))
    total, labels = torch.zeros(2, len(objective.terms), dtype=torch.float64)
    seen = torch.zeros(loaded.model.config.vocab_size, dtype=torch.int64)
    done = 0
    for examples in heldout_batches(store, objective, loaded.vocabulary, loaded.length, windows, batch):
        sums, counts = compute_loss(
            loaded.family, objective, loaded.model, move(examples, loaded.model.device)
        )
        total, labels, done = total + sums.cpu(), labels + counts.cpu(), done + len(examples["labels"])
        hidden = objective.targets(examples["labels"]).flatten()
        seen += hidden[(hidden >= 0) & (hidden < len(seen))].bincount(minlength=len(seen))
        if progress:
            progress(done / windows)
    means = (total / labels).tolist()
    terms = {
        name: MeanTerm(mean, int(count))
        for name, mean, count in zip(objective.terms, means, labels.tolist(), strict=True)
    }
    nats = sum(weight * terms[name].mean for name, weight in objective.terms.items())
    tokens = bool(seen.sum() == labels[0] > 0)
    frequencies = float(torch.special.entr(seen / seen.sum()).sum()) if tokens else None
    return HeldoutLoss(terms, nats, done, available, frequencies)
