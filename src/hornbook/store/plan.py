"""Which tokens are in step n: a function of (seed, n), so that resuming needs only the step's number."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from hornbook.errors import HornbookError
from hornbook.rng import CounterRNG, key, permute
from hornbook.store.chunking import Chunking

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
                f"the corpus has {self.chunking.tokens:,} tokens, but one example takes {self.chunking.window:,}: "
                "give a longer text, or a smaller model.length"
            )

    def after(self, steps: int) -> int:
        """Return the first epoch that the plan's first `steps` steps don't read."""
        return self.epoch + -(-steps * self.batch // self.chunking.count)

    def starts(self, step: int, rows: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.int64]:
        """Return where the examples of `step` begin: shape (batch,), or one for each of `rows`."""
        epochs, numbers = self._places(step, rows)
        starts = np.empty(len(numbers), np.int64)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            stream = None if self.copies else key(self.seed, "first token", int(epoch))
            starts[here] = self.chunking.starts(numbers[here], stream)
        return starts

    def rng(self, step: int, rows: npt.NDArray[np.int64] | None = None) -> CounterRNG:
        """Return the random numbers of `step`'s examples; with copies they depend on the example and its copy alone.

        Plans of the same window length share their copies; plans of different lengths don't, as BERT had one file for
        each length.
        """
        if self.copies is None:
            return CounterRNG(self.seed, step, np.arange(self.batch) if rows is None else rows)
        epochs, numbers = self._places(step, rows)
        copies = f"copies of {self.chunking.window}"
        return CounterRNG(self.seed, copies, epochs % self.copies * self.chunking.count + numbers)

    def _places(
        self, step: int, rows: npt.NDArray[np.int64] | None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the epoch of each example of a step, and its number within the epoch."""
        rows = np.arange(self.batch) if rows is None else rows
        several, one = divmod(step, _STEPS_AT_ONCE)
        epochs, numbers = _places(self, several, rows.tobytes())
        return epochs[one], numbers[one]


@lru_cache(maxsize=2)
def _places(plan: Plan, several: int, rows: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Look up epochs and numbers for several steps at once, both of shape (_STEPS_AT_ONCE, rows)."""
    steps = several * _STEPS_AT_ONCE + np.arange(_STEPS_AT_ONCE) - plan.first
    place = steps[:, None] * plan.batch + np.frombuffer(rows, np.int64)
    epochs, places = np.divmod(place, plan.chunking.count)
    epochs = epochs + plan.epoch
    numbers = np.empty(places.shape, np.int64)
    for epoch in np.unique(epochs):
        here = epochs == epoch
        numbers[here] = permute(places[here], plan.chunking.count, key(plan.seed, "order", int(epoch)))
    return epochs, numbers
