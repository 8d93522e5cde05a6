"""Dense tokens that stand in a text already: the words without them, and after which word each stands."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hornbook.dense_tokens.insert import Ints
from hornbook.store import TokenStore


@dataclass(frozen=True)
class Stream:
    """A corpus's words, one after the other, without its dense tokens."""

    words: npt.NDArray[np.integer]
    """Shape (N,); read as a ring, as the store is."""
    after: Ints
    """The number of the word before each dense token, ascending, shape (D,); one named twice has two behind it."""

    @classmethod
    def of(cls, store: TokenStore, dense_id: int) -> "Stream":
        """Take the dense tokens out of a store; one before the first word is left out."""
        dense = np.asarray(store.tokens == dense_id)
        if not dense.any():
            return cls(store.tokens, np.empty(0, np.int64))
        after = np.cumsum(~dense)[dense] - 1
        return cls(np.asarray(store.tokens[~dense]), after[after >= 0])

    def windows(self, starts: Ints, length: int) -> tuple[Ints, Ints]:
        """Cut windows of `length` words: the words (B, length), and after which columns a dense token stands (B, n).

        As elsewhere, column `length` stands for none. A dense token after a window's last word is left out, since no
        word follows it there.
        """
        words = self.words[(starts[:, None] + np.arange(length)) % len(self.words)].astype(np.int64)
        after = np.concatenate([self.after, self.after + len(self.words)])
        firsts, ends = (np.searchsorted(after, bound) for bound in (starts, starts + length - 1))
        numbers = firsts[:, None] + np.arange(int((ends - firsts).max(initial=0)))
        columns = after[np.minimum(numbers, len(after) - 1)] - starts[:, None] if numbers.size else numbers
        return words, np.where(numbers < ends[:, None], columns, length)
