"""BERT's objective: hidden words, and whether the second segment follows the first."""

from typing import ClassVar, Literal

import numpy as np

from hornbook.objectives.pairs import Pairs, Segments, sentence_places
from hornbook.objectives.vocabulary import Ids
from hornbook.rng import CounterRNG
from hornbook.store import Chunking, DocumentChunks, TokenStore


class MaskedNextSentence(Pairs):
    """Tell whether B follows A in the text, or comes from another document (Devlin et al., 2019, section 3.1).

    In half of the pairs, B is from another document: label 1. Every other document is equally likely. B begins with
    one of its sentences, and is as long as room and text allow. B is never from A's own document, so it can be what
    follows A only if the corpus holds a text twice. In the other pairs, B is what follows A: label 0.
    """

    title = "masked, next sentence"
    paper = "Devlin et al. 2018, arXiv:1810.04805"
    lesson = (
        "Some words of a pair of texts are hidden, and the model learns to find them. It also learns to tell whether "
        "the second text followed the first or is from another document."
    )
    name: Literal["masked_next_sentence"] = "masked_next_sentence"
    label: ClassVar = "next_sentence_label"
    own_keys = frozenset({label})
    classes: ClassVar = ("follows", "from elsewhere")
    fewest_documents = 2
    lacking = (
        "takes texts from another document, but a part of the corpus has {} of at least two tokens: cut the text into "
        "more documents (corpus.documents), hold out more (corpus.heldout_fraction), or choose an objective that needs "
        "no second document"
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
        """Replace half of the second segments."""
        assert isinstance(chunking, DocumentChunks)
        other, turn, chance = rng.uniform("other document", 3).T
        own = np.searchsorted(chunking.documents, np.searchsorted(store.ends, first.starts, side="right"))
        others = len(chunking.documents)
        document = chunking.documents[(own + 1 + (chance * (others - 1)).astype(np.int64)) % others]
        stop = store.ends[document] - 1
        sentences = sentence_places(store)
        begin = np.where(document > 0, store.ends[document - 1], 0)
        lowest, highest = np.searchsorted(sentences, begin), np.searchsorted(sentences, stop)
        starts = sentences[lowest + (turn * (highest - lowest)).astype(np.int64)]
        random = Segments(starts, np.minimum(size - first.lengths, stop - starts))
        label = (other < 0.5).astype(np.int64)
        return first, random.where(label == 1, second), label
