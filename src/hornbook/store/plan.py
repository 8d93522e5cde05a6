"""Which tokens are in step n: a function of (seed, n), so that resuming needs only the step's number."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hornbook.errors import HornbookError
from hornbook.rng import CounterRNG, key, permute
from hornbook.store.chunking import Chunking, Indices

_STEPS_AT_ONCE = 16
"""Steps whose examples are looked up at once: it takes no longer than for one step."""


@dataclass(frozen=True)
class Plan:
    """The order in which a run reads its examples.

    Each epoch reads every example of the store once, in a different order. It also cuts the store into examples at
    different places, so that no token always stands at the edge of a window.
    """

    chunking: Chunking
    batch: int
    """Examples in a step, over all processes."""
    seed: int
    copies: int | None = None
    """With copies, the cuts stay the same, and epoch e reads copy e % copies of each example, such as its masks. None
    makes new examples in every epoch."""
    first: int = 0
    """The plan's first step, counted from 0 over the whole run."""
    epoch: int = 0
    """The plan's first epoch, counted from 0 over the whole run."""

    def __post_init__(self) -> None:
        """Raise HornbookError when the corpus doesn't fill a single example."""
        if not self.chunking.count:
            raise HornbookError(
                f"the corpus has {self.chunking.store_tokens:,} tokens, but an example takes {self.chunking.window:,}: "
                "give a longer text, or a smaller model.length"
            )

    def epoch_after(self, steps: int) -> int:
        """Return the first epoch that the plan's first `steps` steps don't read."""
        return self.epoch + -(-steps * self.batch // self.chunking.count)

    def starts(self, step: int, rows: Indices | None = None) -> Indices:
        """Return where the examples of `step` begin, or those numbered `rows`: shape (batch,) or (rows,)."""
        epochs, numbers = self._examples(step, rows)
        starts = np.empty(len(numbers), np.int64)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            seed = None if self.copies else key(self.seed, "first token", int(epoch))
            starts[here] = self.chunking.starts(numbers[here], seed)
        return starts

    def rng(self, step: int, rows: Indices | None = None) -> CounterRNG:
        """Return the random numbers of `step`'s examples; with copies they depend on the example and its copy alone.

        Plans of the same window length share their copies; plans of different lengths don't, as BERT had one file for
        each length.
        """
        if self.copies is None:
            return CounterRNG(self.seed, step, np.arange(self.batch) if rows is None else rows)
        epochs, numbers = self._examples(step, rows)
        copies = f"copies of {self.chunking.window}"
        return CounterRNG(self.seed, copies, epochs % self.copies * self.chunking.count + numbers)

    def _examples(self, step: int, rows: Indices | None) -> tuple[Indices, Indices]:
        """Return the epoch of each example of a step, and its number within the epoch: shape (rows,) each."""
        rows = np.arange(self.batch) if rows is None else rows
        group, within = divmod(step, _STEPS_AT_ONCE)
        epochs, numbers = _examples_of_group(self, group, rows.tobytes())
        return epochs[within], numbers[within]


@lru_cache(maxsize=2)
def _examples_of_group(plan: Plan, group: int, rows: bytes) -> tuple[Indices, Indices]:
    """Give `Plan._examples` for _STEPS_AT_ONCE steps, both of shape (steps, rows); the cache needs `rows` as bytes."""
    steps = group * _STEPS_AT_ONCE + np.arange(_STEPS_AT_ONCE) - plan.first
    examples = steps[:, None] * plan.batch + np.frombuffer(
        rows, np.int64
    )  # counted from the plan's first one
    epochs, turns = np.divmod(examples, plan.chunking.count)
    epochs = epochs + plan.epoch
    numbers = np.empty(turns.shape, np.int64)
    for epoch in np.unique(epochs):
        here = epochs == epoch
        numbers[here] = permute(turns[here], plan.chunking.count, key(plan.seed, "order", int(epoch)))
    return epochs, numbers
