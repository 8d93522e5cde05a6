"""ALBERT's objective: hidden words, and whether the two segments are in their order."""

from typing import ClassVar, Literal

import numpy as np

from hornbook.objectives.pairs import Pairs, Segments
from hornbook.objectives.vocabulary import Ids
from hornbook.rng import CounterRNG
from hornbook.store import Chunking, TokenStore


class MaskedSentenceOrder(Pairs):
    """Tell whether two consecutive segments were swapped (Lan et al., 2020, section 3.1); half of them are.

    Label 0: A and B stand as in the text; label 1: they were swapped.
    """

    title = "masked, sentence order"
    paper = "Lan et al. 2019, arXiv:1909.11942"
    lesson = (
        "Some words of a pair of texts are hidden, and the model learns to find them. It also learns to tell whether "
        "the two texts stand in their order or were swapped."
    )
    name: Literal["masked_sentence_order"] = "masked_sentence_order"
    label: ClassVar = "sentence_order_label"
    own_keys = frozenset({label})
    classes: ClassVar = ("in order", "swapped")
    fewest_documents = 1
    lacking = (
        "divides documents in two, but a part of the corpus has no document of two tokens: give a longer text, or hold "
        "out more (corpus.heldout_fraction)"
    )

    def pair(
        self,
        first: Segments,
        second: Segments,
        size: Ids,
        store: TokenStore,
        chunking: Chunking,
        rng: CounterRNG,
    ) -> tuple[Segments, Segments, Ids]:
        """Swap half of the pairs."""
        swapped = rng.uniform("swapped", 1)[:, 0] < 0.5
        return second.where(swapped, first), first.where(swapped, second), swapped.astype(np.int64)
