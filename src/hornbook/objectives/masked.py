"""Masked language modelling: predict some tokens from all the others."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from hornbook.objectives.masking import Masking
from hornbook.objectives.objective import Batch, Mask, Writing, missing
from hornbook.objectives.vocabulary import Ids, Vocabulary
from hornbook.rng import CounterRNG
from hornbook.store import Chunking, TokenStore


class Masked(Masking):
    """Predict the chosen tokens of a text from the rest (Devlin et al., 2019, section 3.1), without pairs.

    Documents are packed one after the other, as in RoBERTa's FULL-SENTENCES (Liu et al., 2019, section 4.2).
    """

    title = "masked"
    paper = "Devlin et al. 2018, arXiv:1810.04805; without pairs: Liu et al. 2019, arXiv:1907.11692"
    head = "masked"
    template = "masked"
    natural = frozenset({"masked", "pairs"})
    terms: ClassVar = {"masked-token loss": 1.0}
    measures: ClassVar[tuple[str, ...]] = ("loss", "pseudo_likelihood")
    writes: ClassVar[Writing] = "unmask"
    whole_text = False
    forms: ClassVar = ({"duplicates": 2}, {"whole_words": True, "exact": True})
    lesson = (
        "Some words of a text are hidden, and the model learns to find them from the words on both sides. "
        "So it can fill a gap, but it can't continue a text."
    )
    name: Literal["masked"] = "masked"
    short: float = Field(0.1, ge=0, le=1)
    """Share of the examples that are cut to a random shorter length, as in BERT's code. A model that has seen only full
    examples takes the SEP after a short text for the end of a document."""

    def problems(self, vocabulary: Vocabulary, length: int) -> list[str]:
        """Need what all masking needs, and room."""
        found = super().problems(vocabulary, length)
        if length < 3:
            found.append(
                f"model.length is {length}, but a masked example needs at least 3: a word between CLS and SEP"
            )
        return found + (missing(pad=vocabulary.pad) if self.short else [])

    def window(self, length: int) -> int:
        """All but CLS and SEP."""
        return length - 2

    def read(
        self, store: TokenStore, chunking: Chunking, starts: Ids, vocabulary: Vocabulary, rng: CounterRNG
    ) -> Batch:
        """Read windows of the store, and where words begin if they are hidden whole."""
        words = store.word_windows(starts, chunking.window) if self.whole_words else None
        return self.batch(store.windows(starts, chunking.window), vocabulary, rng, words)

    def batch(
        self, windows: Ids, vocabulary: Vocabulary, rng: CounterRNG, words: Mask | None = None
    ) -> Batch:
        """Give `input_ids` and `labels` of shape (B, window + 2), `CLS text SEP`, labelled at the chosen places.

        `words` (B, window) says with which tokens a word begins. If examples may be short, `attention_mask` (same
        shape) tells the text from the padding after it.
        """
        length = windows.shape[1] + 2
        framed = np.empty((len(windows), length), windows.dtype)
        framed[:, 0], framed[:, 1:-1], framed[:, -1] = vocabulary.cls or 0, windows, vocabulary.sep or 0
        batch: Batch = {}
        if self.short:
            is_short = rng.uniform("short", 1) < self.short
            end = np.where(is_short, 2 + rng.integers("end", 1, length - 2), length - 1)
            places = np.arange(length)
            framed = np.where(places == end, vocabulary.sep or 0, framed)
            framed = np.where(places > end, vocabulary.pad or 0, framed)
            batch["attention_mask"] = (places <= end).astype(np.int64)
        begins = None if words is None else np.pad(words, ((0, 0), (1, 1)))
        batch["input_ids"], batch["labels"] = self.hide(framed, vocabulary, rng, begins=begins)
        return batch

    def example(
        self, store: TokenStore, vocabulary: Vocabulary, rng: CounterRNG, hidden: Mask | None = None
    ) -> Batch:
        """Frame the text; it isn't cut short."""
        text = store.document(0)[:-1]
        framed = np.array([[vocabulary.cls or 0, *text, vocabulary.sep or 0]])
        chosen = None if hidden is None else np.pad(hidden[: len(text)], 1)[None]
        begins = None if store.words is None else np.pad(store.words[: len(text)], 1)[None]
        inputs, labels = self.hide(framed, vocabulary, rng, chosen, begins)
        seen = {"attention_mask": np.ones_like(inputs)} if self.short else {}
        return {**seen, "input_ids": inputs, "labels": labels}
