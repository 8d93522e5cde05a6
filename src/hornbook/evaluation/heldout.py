"""The batches of the held-out loss: the same windows and masks every time."""

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from hornbook.objectives import Objective, Vocabulary
from hornbook.objectives.batch_to_loss import make_batch
from hornbook.rng import CounterRNG
from hornbook.store import TokenStore

_SEED = 0
"""The seed of masks and spans, whatever the run's seed, so that every run predicts the same places."""


def heldout_batches(
    store: TokenStore, objective: Objective, vocabulary: Vocabulary, length: int, windows: int, batch: int
) -> Iterator[dict[str, Tensor]]:
    """Yield the objective's batches of at most `windows` windows or pairs, spread evenly over the store."""
    chunking = objective.chunking(store, length)
    # A held-out part that is shorter than a window is repeated to fill one.
    available = max(1, chunking.count)
    chosen = np.unique(np.linspace(0, available - 1, min(windows, available)).astype(np.int64))
    for first in range(0, len(chosen), batch):
        rows = chosen[first : first + batch]
        rng = CounterRNG(_SEED, "heldout", rows)
        yield make_batch(store, objective, chunking, chunking.starts(rows), vocabulary, rng)
