"""How well a model predicts the first word of a corrupted span, whatever span lengths it was trained on."""

import torch
from torch.nn.functional import cross_entropy

from hornbook.evaluation.heldout import heldout_batches
from hornbook.loading import LoadedModel
from hornbook.objectives import Objective
from hornbook.store import TokenStore

_BATCH = 64


@torch.inference_mode()
def word_loss(loaded: LoadedModel, objective: Objective, store: TokenStore, windows: int = 2000) -> float:
    """Average -ln p, in nats, of the first word of each span, with the logits of special tokens left out.

    A model that was trained on other span lengths expects sentinels at other places, and this dominates the objective's
    own loss. After a sentinel, however, every model expects a word. Raises HornbookError unless the model is
    text-to-text.
    """
    loaded.need(objective.head)
    vocabulary, device = loaded.vocabulary, loaded.model.device
    special, sentinels = (
        torch.from_numpy(ids).to(device) for ids in (vocabulary.special, vocabulary.sentinels)
    )
    total, count = 0.0, 0
    for arrays in heldout_batches(store, objective, vocabulary, loaded.length, windows, _BATCH):
        batch = {name: array.to(device) for name, array in arrays.items()}
        labels = batch["labels"]
        first = torch.zeros_like(labels, dtype=torch.bool)
        first[:, 1:] = torch.isin(labels[:, :-1], sentinels) & ~torch.isin(labels[:, 1:], special)
        logits = loaded.family.logits(loaded.model, loaded.family.hidden(loaded.model, batch)[first]).float()
        logits[:, special] = -torch.inf
        total += float(cross_entropy(logits, labels[first], reduction="sum"))
        count += int(first.sum())
    return total / max(count, 1)
