"""Where the examples of an epoch begin in a store."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hornbook.rng import CounterRNG

Indices = npt.NDArray[np.int64]


class Chunking(Protocol):
    """A way to cut a store into examples, the same number in every epoch."""

    @property
    def store_tokens(self) -> int:
        """Tokens in the store."""

    @property
    def window(self) -> int:
        """Most tokens of text in an example."""

    @property
    def count(self) -> int:
        """Examples in an epoch; 0 where the store holds none."""

    def starts(self, numbers: Indices, seed: int | None = None) -> Indices:
        """Return where the examples with these numbers begin, in the same shape; numbers are taken modulo `count`.

        Each `seed` cuts at different places; None always cuts at the same ones.
        """


@dataclass(frozen=True)
class Windows:
    """Equal windows of the packed documents, which are read as a ring."""

    store_tokens: int
    """Tokens in the store."""
    window: int

    @property
    def count(self) -> int:
        """Windows in an epoch."""
        return self.store_tokens // self.window

    def starts(self, numbers: Indices, seed: int | None = None) -> Indices:
        """Cut one window after the other, from a token that the seed chooses."""
        first = 0 if seed is None else seed % self.store_tokens
        return (first + numbers * self.window) % self.store_tokens


@dataclass(frozen=True, eq=False)
class DocumentChunks:
    """Chunks of at most `window` tokens, each within one document.

    A document of q * window + r tokens, without its end token, has q chunks and, if r > 0, one more. The first begins
    with the document. The seed chooses where the second begins, between r and window; each further chunk begins one
    window later. So all chunks lie in the document, whatever the seed. Documents of fewer than two tokens have no
    chunk, since no pair can be made of them.
    """

    ends: Indices
    """Where each document ends in the store, after its end token."""
    window: int

    @cached_property
    def _begins(self) -> Indices:
        return np.concatenate([np.zeros(1, np.int64), self.ends])[:-1]

    @property
    def store_tokens(self) -> int:
        """Tokens in the store."""
        return int(self.ends[-1]) if len(self.ends) else 0

    @cached_property
    def documents(self) -> Indices:
        """The documents that have chunks."""
        return np.flatnonzero(self.ends - 1 - self._begins >= 2)

    @cached_property
    def _chunks_so_far(self) -> Indices:
        """The number of chunks up to and with each of `documents`."""
        tokens = (self.ends - 1 - self._begins)[self.documents]
        return np.cumsum(-(-tokens // self.window))

    @property
    def count(self) -> int:
        """Chunks of all documents."""
        return int(self._chunks_so_far[-1]) if len(self.documents) else 0

    def starts(self, numbers: Indices, seed: int | None = None) -> Indices:
        """Return where these chunks begin."""
        numbers = numbers % self.count
        place = np.searchsorted(self._chunks_so_far, numbers, side="right")
        document = self.documents[place]
        number = numbers - np.where(place > 0, self._chunks_so_far[place - 1], 0)
        begin = self._begins[document]
        rest = (self.ends[document] - 1 - begin) % self.window
        first = np.full(len(numbers), self.window)
        if seed is not None:
            chance = CounterRNG(seed, "first cut", document).uniform("place", 1)[:, 0]
            # Without a rest there is one chunk less, and the others have no room to move.
            first -= np.where(rest > 0, (chance * (self.window - rest + 1)).astype(np.int64), 0)
        return begin + np.where(number > 0, first + (number - 1) * self.window, 0)
