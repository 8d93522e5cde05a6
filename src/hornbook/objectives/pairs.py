"""What the two objectives over pairs of segments share: where the pairs come from, their form, and their losses."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from hornbook.dtypes import sum_dtype
from hornbook.errors import HornbookError
from hornbook.families import FAMILIES, Family, Head
from hornbook.objectives.arithmetic import Arithmetic, judge
from hornbook.objectives.masking import Masking
from hornbook.objectives.objective import Batch, Mask, missing
from hornbook.objectives.vocabulary import Ids, Vocabulary
from hornbook.rng import CounterRNG
from hornbook.store import Chunking, DocumentChunks, TokenStore


@dataclass(frozen=True)
class Segments:
    """Some consecutive tokens of a store for each example: where they begin and how many they are, shape (B,) each."""

    starts: Ids
    lengths: Ids

    def where(self, chosen: npt.NDArray[np.bool_], other: "Segments") -> "Segments":
        """Take these where `chosen`, else the other ones."""
        return Segments(
            np.where(chosen, self.starts, other.starts), np.where(chosen, self.lengths, other.lengths)
        )


class Pairs(Masking):
    """Predict hidden words of `CLS A SEP B SEP`, and from CLS's place how the segments A and B belong together.

    As in `create_instances_from_document` of google-research/bert and of google-research/albert, a pair is made of
    consecutive sentences of one document: `length - 3` tokens or, for a share of the pairs, a random smaller number
    from 2 on. A ends with one of these sentences, each equally likely. There, text that is too long is then cut at any
    end of either segment. Here, A always begins with a sentence, and B ends where the room or the document ends. Text
    of a single sentence is divided anywhere, and a document without any end of a sentence between words; published BERT
    gives it a random B, so that slightly more than half of its pairs have one. In an epoch, a pair begins in every
    `length - 3` tokens of each document.

    The loss is the mean over the hidden words plus the mean over the pairs, as published.
    """

    head = "pairs"
    template = "pairs"
    natural = frozenset[Head]()
    measures = ("loss", "pseudo_likelihood")
    writes = "unmask"
    whole_text = False
    sentences = True
    terms: ClassVar = {"masked-token loss": 1.0, "sentence loss": 1.0, "sentence accuracy": 0.0}
    label: ClassVar[str]
    """Hugging Face's key for the label of a pair: 0 if A and B are as they were in the text, else 1."""
    classes: ClassVar[tuple[str, str]]
    """What these two labels mean, in a word or two."""
    fewest_documents: ClassVar[int]
    """The number of documents of at least two tokens without which no pair can be made."""
    lacking: ClassVar[str]
    """What is said where there are fewer, behind the objective's name; {} is how many there are."""
    short: float = Field(0.1, ge=0, le=1)
    """Share of the pairs that are shorter than the room, so that the model doesn't see only full ones."""

    @abstractmethod
    def pair(
        self,
        first: Segments,
        second: Segments,
        size: Ids,
        store: TokenStore,
        chunking: Chunking,
        rng: CounterRNG,
    ) -> tuple[Segments, Segments, Ids]:
        """Make A and B, and their labels, from two consecutive segments; together they have at most `size` tokens."""

    def examples(self, length: int) -> str:
        """Say that they are pairs, which can be shorter."""
        return f"pairs of at most {self.window(length)} tokens"

    def problems(self, vocabulary: Vocabulary, length: int) -> list[str]:
        """Need what all masking needs, padding, and room."""
        found = super().problems(vocabulary, length) + missing(pad=vocabulary.pad)
        if length < 5:
            found.append(f"model.length is {length}, but a pair needs at least 5: two words, CLS and two SEP")
        return found

    def window(self, length: int) -> int:
        """All but CLS and two SEP."""
        return length - 3

    @classmethod
    def refusal(cls, family: Family, values: Mapping[str, Any]) -> str | None:
        """Add which families have a head for pairs, if a family of masked models has none."""
        why = super().refusal(family, values)
        if why != "" or "masked" not in family.heads:
            return why
        *some, last = [other.name for other in FAMILIES.values() if cls.head in other.heads]
        return f"transformers has no {family.name} class with a head for pairs; {', '.join(some)} and {last} have one"

    def chunking(self, store: TokenStore, length: int) -> Chunking:
        """Cut each document by itself. Raises HornbookError where the pairs need more documents."""
        chunking = DocumentChunks(store.ends, self.window(length))
        if (found := len(chunking.documents)) < self.fewest_documents:
            raise HornbookError(f"{dict(self)['name']} {self.lacking.format(found)}")
        return chunking

    def example(
        self, store: TokenStore, vocabulary: Vocabulary, rng: CounterRNG, hidden: Mask | None = None
    ) -> Batch:
        """Make a pair of the whole text; a second segment from elsewhere takes the words in its place away."""
        whole = self.model_copy(update={"short": 0})
        chunking = whole.chunking(store, len(store.document(0)) - 1 + 3)
        return whole.read(store, chunking, np.zeros(1, np.int64), vocabulary, rng, hidden)

    def read(
        self,
        store: TokenStore,
        chunking: Chunking,
        starts: Ids,
        vocabulary: Vocabulary,
        rng: CounterRNG,
        hidden: Mask | None = None,
    ) -> Batch:
        """Give `input_ids`, `attention_mask`, `token_type_ids`, `labels` (B, window + 3) and the pairs' labels (B,).

        `hidden` ones of the store's tokens are masked, or drawn ones.
        """
        a, b, label = self.segments(store, chunking, starts, rng)
        place = np.arange(chunking.window + 3)
        from_a = place - 1
        from_b = place - a.lengths[:, None] - 2
        in_a = (from_a >= 0) & (from_a < a.lengths[:, None])
        in_b = (from_b >= 0) & (from_b < b.lengths[:, None])
        source = np.where(in_a, a.starts[:, None] + from_a, np.where(in_b, b.starts[:, None] + from_b, 0))
        sep = (from_b == -1) | (from_b == b.lengths[:, None])
        text = np.where(in_a | in_b, store.tokens[source].astype(np.int64), vocabulary.pad or 0)
        text = np.where(sep, vocabulary.sep or 0, text)
        text[:, 0] = vocabulary.cls or 0
        chosen = None if hidden is None else hidden[source] & (in_a | in_b)
        begins = None if store.words is None else np.asarray(store.words)[source]
        inputs, labels = self.hide(text, vocabulary, rng, chosen, begins)
        return {
            "input_ids": inputs,
            "attention_mask": (from_b <= b.lengths[:, None]).astype(np.int64),
            "token_type_ids": ((from_b >= 0) & (from_b <= b.lengths[:, None])).astype(np.int64),
            "labels": labels,
            self.label: label,
        }

    def segments(
        self, store: TokenStore, chunking: Chunking, starts: Ids, rng: CounterRNG
    ) -> tuple[Segments, Segments, Ids]:
        """Find A and B of the pairs for the chunks that begin at `starts`, and their labels."""
        sentences, room = sentence_places(store), chunking.window
        document = np.searchsorted(store.ends, starts, side="right")
        stop = store.ends[document] - 1
        # The first sentence that begins in the chunk, if there is one; never the document's last token alone.
        following = sentences[np.minimum(np.searchsorted(sentences, starts), len(sentences) - 1)]
        found = (following >= starts) & (following < np.minimum(starts + room, stop))
        starts = np.minimum(np.where(found, following, starts), stop - 2)

        shorter, number, split, anywhere = rng.uniform("lengths", 4).T
        size = np.where(shorter < self.short, 2 + (number * (room - 1)).astype(np.int64), room)
        length = np.minimum(size, stop - starts)
        before, after = (
            np.searchsorted(sentences, starts, "right"),
            np.searchsorted(sentences, starts + length),
        )
        inner = before + (split * (after - before)).astype(np.int64)
        middle = np.where(
            after > before,
            sentences[np.minimum(inner, len(sentences) - 1)],
            starts + 1 + (anywhere * (length - 1)).astype(np.int64),
        )
        first, second = Segments(starts, middle - starts), Segments(middle, starts + length - middle)
        return self.pair(first, second, size, store, chunking, rng)

    def loss(
        self,
        family: Family,
        model: PreTrainedModel,
        batch: dict[str, Tensor],
        hidden: Tensor,
        labels: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Compute the two losses in nats, and how many pairs were judged correctly."""
        words, count = super().loss(family, model, batch, hidden, labels)
        wanted = batch[self.label]
        judged = family.pair_logits(model, hidden)
        judged = judged.to(sum_dtype(judged.dtype))
        nats = cross_entropy(judged, wanted, reduction="sum")
        right = (judged.argmax(-1) == wanted).sum()
        pairs = torch.full_like(count, len(wanted))
        return torch.stack([words[0], nats, right]), torch.cat([count, pairs, pairs])

    def arithmetic(
        self, family: Family, model: PreTrainedModel, batch: dict[str, Tensor]
    ) -> dict[str, Arithmetic]:
        """Add what the model says of each pair, at its first place."""
        given = {key: value for key, value in batch.items() if key != self.label}
        words = super().arithmetic(family, model, given)
        rows = torch.arange(len(batch[self.label]), device=batch[self.label].device)
        logits = family.pair_logits(model, family.hidden(model, given))
        judged = judge(logits, batch[self.label], rows, torch.zeros_like(rows), self.classes)
        return words | {"sentence loss": judged}

    def counts(self, batch: dict[str, Tensor]) -> Tensor:
        """Count the hidden words and, twice, the pairs."""
        pairs = torch.tensor([len(batch[self.label])] * 2, device=batch["labels"].device)
        return torch.cat([super().counts(batch), pairs])


def sentence_places(store: TokenStore) -> Ids:
    """Give where the sentences of a store begin."""
    assert store.sentences is not None, "the store was built without sentences"
    return store.sentences
