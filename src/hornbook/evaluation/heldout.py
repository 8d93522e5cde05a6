"""The held-out loss: an objective's own loss on text that training never sees, always the same ones."""

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from hornbook.objectives import Objective, Vocabulary
from hornbook.objectives.batch_to_loss import make_batch
from hornbook.rng import CounterRNG
from hornbook.store import TokenStore

_SEED = 0
"""Of the masks and spans, whatever the run's seed: the same text is asked about in the same places."""


def heldout_batches(
    store: TokenStore, objective: Objective, vocabulary: Vocabulary, length: int, windows: int, batch: int
) -> Iterator[dict[str, Tensor]]:
    """Give the objective's batches of at most `windows` windows or pairs, spread evenly over the store."""
    chunking = objective.chunking(store, length)
    # A held-out part shorter than a window is read round and round, rather than not at all.
    available = max(1, chunking.count)
    chosen = np.unique(np.linspace(0, available - 1, min(windows, available)).astype(np.int64))
    for first in range(0, len(chosen), batch):
        rows = chosen[first : first + batch]
        rng = CounterRNG(_SEED, "heldout", rows)
        yield make_batch(store, objective, chunking, chunking.starts(rows), vocabulary, rng)
