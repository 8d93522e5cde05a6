"""Which tokens are in step n: a function of (seed, n), so that resuming is a number."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from hornbook.errors import HornbookError
from hornbook.rng import CounterRNG, key, permute
from hornbook.store.chunking import Chunking

_STEPS_AT_ONCE = 16
"""Steps whose places are looked up at once: it takes no longer than for one, and the next ones follow soon."""


@dataclass(frozen=True)
class Plan:
    """The order in which a run reads its examples.

    An epoch reads each example of the store once, in an order of its own. It also cuts the store into examples at
    places of its own, so that no token stands at the edge of a window every time.
    """

    chunking: Chunking
    batch: int
    """Examples in a step, over all processes."""
    seed: int
    copies: int | None = None
    """In how many ways an example is made, its cut always the same: epoch e makes it in way e % copies. None makes it
    anew each time."""
    first: int = 0
    """The step that it begins with; steps are always the run's, counted from 0."""
    epoch: int = 0
    """The number of the epoch that it begins with."""

    def __post_init__(self) -> None:
        """Raise HornbookError when the corpus doesn't fill a single example."""
        if not self.chunking.count:
            raise HornbookError(
                f"the corpus has {self.chunking.tokens:,} tokens, but one example takes {self.chunking.window:,}: "
                "give a longer text, or a smaller model.length"
            )

    def after(self, steps: int) -> int:
        """Give the number of the first epoch that its first `steps` steps leave untouched."""
        return self.epoch + -(-steps * self.batch // self.chunking.count)

    def starts(self, step: int, rows: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.int64]:
        """Say where the examples of `step` begin: shape (batch,), or one for each of `rows`."""
        epochs, numbers = self._places(step, rows)
        starts = np.empty(len(numbers), np.int64)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            stream = None if self.copies else key(self.seed, "first token", int(epoch))
            starts[here] = self.chunking.starts(numbers[here], stream)
        return starts

    def rng(self, step: int, rows: npt.NDArray[np.int64] | None = None) -> CounterRNG:
        """Give the random numbers of the examples of `step`: of this moment or, with copies, of this copy.

        Copies belong to a window's length, as BERT's do to the file that was made for it: plans of one length share
        them, and plans of two lengths have nothing in common.
        """
        if self.copies is None:
            return CounterRNG(self.seed, step, np.arange(self.batch) if rows is None else rows)
        epochs, numbers = self._places(step, rows)
        copies = f"copies of {self.chunking.window}"
        return CounterRNG(self.seed, copies, epochs % self.copies * self.chunking.count + numbers)

    def _places(
        self, step: int, rows: npt.NDArray[np.int64] | None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Say in which epochs the examples of a step are read, and which of the epoch's examples they are."""
        rows = np.arange(self.batch) if rows is None else rows
        several, one = divmod(step, _STEPS_AT_ONCE)
        epochs, numbers = _places(self, several, rows.tobytes())
        return epochs[one], numbers[one]


@lru_cache(maxsize=2)
def _places(plan: Plan, several: int, rows: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Do it for several steps at once: shape (_STEPS_AT_ONCE, rows) each."""
    steps = several * _STEPS_AT_ONCE + np.arange(_STEPS_AT_ONCE) - plan.first
    place = steps[:, None] * plan.batch + np.frombuffer(rows, np.int64)
    epochs, places = np.divmod(place, plan.chunking.count)
    epochs = epochs + plan.epoch
    numbers = np.empty(places.shape, np.int64)
    for epoch in np.unique(epochs):
        here = epochs == epoch
        numbers[here] = permute(places[here], plan.chunking.count, key(plan.seed, "order", int(epoch)))
    return epochs, numbers
