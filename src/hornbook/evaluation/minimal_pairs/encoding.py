"""Minimal pairs as ids: what is scored of each half, and what both halves share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hornbook.evaluation.minimal_pairs.pair import MinimalPair
from hornbook.loading import LoadedModel
from hornbook.tokenizers import encode_at, encode_documents

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Ids:
    """A half as ids, of which those from `first` on are scored."""

    ids: tuple[int, ...]
    first: int

    @property
    def scored(self) -> int:
        """How many are scored."""
        return len(self.ids) - self.first


@dataclass(frozen=True)
class EncodedPair:
    """Both halves, without any special token."""

    good: Ids
    bad: Ids

    @property
    def same(self) -> bool:
        """Whether both halves have the same ids: then no model can tell them apart."""
        return self.good == self.bad

    @property
    def shared(self) -> int:
        """How many ids both begin with, as far as their likelihood is the same or isn't asked for in either."""
        ids = zip(self.good.ids, self.bad.ids, strict=False)
        count = next((place for place, (one, other) in enumerate(ids) if one != other), None)
        count = min(len(self.good.ids), len(self.bad.ids)) if count is None else count
        if self.good.first == self.bad.first:
            return count
        return min(count, self.good.first, self.bad.first)


def encode(loaded: LoadedModel, pairs: Sequence[MinimalPair], space: bool = False) -> list[EncodedPair]:
    """Encode each half as one text with its context; what is written in a text is never a special token.

    With `space`, a text without a context has a space before it.
    """
    halves = [half for pair in pairs for half in (pair.good, pair.bad)]
    texts = [f" {half.text}" if space and not half.context else half.text for half in halves]
    # Most pairs have no context: they are scored from their first id on, and nobody has to look for it.
    if any(half.context for half in halves):
        found = encode_at(loaded.tokenizer, texts, [[half.begins] for half in halves])
        ids = [Ids(tuple(one), min(place, len(one))) for one, (place,) in found]
    else:
        ids = [Ids(tuple(one), 0) for one in encode_documents(loaded.tokenizer, texts)]
    return [EncodedPair(good, bad) for good, bad in zip(ids[::2], ids[1::2], strict=True)]


def both(pairs: Sequence[EncodedPair]) -> list[Ids]:
    """List all good halves, then all bad ones."""
    return [pair.good for pair in pairs] + [pair.bad for pair in pairs]


def halves_apart(values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Part the values of `both`: those of the good halves, and those of the bad ones."""
    return values[: len(values) // 2], values[len(values) // 2 :]


def fits(pairs: Sequence[EncodedPair], most: int) -> Bools:
    """Tell which pairs have at most `most` ids in each half."""
    return np.array([max(len(pair.good.ids), len(pair.bad.ids)) <= most for pair in pairs], bool)
