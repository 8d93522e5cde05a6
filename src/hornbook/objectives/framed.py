"""Examples that a tokenizer has framed or filled up already: what the objective adds by itself is left out."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hornbook.errors import HornbookError
from hornbook.objectives.objective import Objective
from hornbook.objectives.vocabulary import Vocabulary

_ADVICE = "tokenize with add_special_tokens=False, or with the collator's `cut`"


class Framed:
    """Finds the text in an example that may be framed, as `tokenizer(text)` frames it, and filled up."""

    def __init__(self, objective: Objective, vocabulary: Vocabulary, window: int) -> None:
        self.title, self.window, self.told = objective.title, window, False
        ends = {vocabulary.eos, vocabulary.sep, objective.end(vocabulary)} - {None}
        never = (vocabulary.cls, vocabulary.mask, vocabulary.pad)
        self.refused = sorted({one for one in never if one is not None} - ends)
        """What a text never has, and what therefore tells that an example is more than a text."""
        # Where the whole text is learned, the objective adds nothing: an end token is the text's own.
        self.first = vocabulary.cls if vocabulary.cls in self.refused and not objective.whole_text else None
        self.ends = set() if objective.whole_text else ends
        self.names = {number: name for name, number in vocabulary.named.items()}

    def text(self, example: Any, ids: Any) -> slice:
        """Say where the text stands in an example's ids; tell once where special tokens are left out.

        A full window that ends with an end token is what `cut` makes where a document ends: it stays, unless the
        tokenizer's own mask or first token tells that the example was framed.
        """
        start, stop = 0, len(ids)
        mask = example.get("attention_mask") if isinstance(example, Mapping) else None
        if mask is not None and len(seen := np.flatnonzero(mask)):
            start, stop = int(seen[0]), int(seen[-1]) + 1
        inner = slice(start, stop)
        if stop > start and self.first is not None and int(ids[start]) == self.first:
            start += 1
        framed = mask is not None or start > 0 or stop < self.window
        if stop > start and framed and int(ids[stop - 1]) in self.ends:
            stop -= 1
        if not self.told and (start, stop) != (inner.start, inner.stop):
            self.told = True
            left = [*ids[inner.start : start], *ids[stop : inner.stop]]
            warnings.warn(
                f"examples have special tokens already ({', '.join(self._name(one) for one in left)}), and "
                f"{self.title} adds its own: they are left out; {_ADVICE}",
                stacklevel=3,
            )
        return slice(start, stop)

    def check(self, ids: npt.NDArray[Any]) -> None:
        """Raise HornbookError for ids, of any shape, among which is a token that no text has."""
        found = [one for one in self.refused if (ids == one).any()]
        if found:
            raise HornbookError(
                f"an example has {', '.join(map(self._name, found))} among its tokens, which no text has, and "
                f"{self.title} adds its own: {_ADVICE}, and without padding"
            )

    def _name(self, number: Any) -> str:
        return self.names.get(int(number), str(int(number)))
