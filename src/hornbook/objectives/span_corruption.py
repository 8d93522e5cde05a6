"""T5's span corruption: spans of a text are cut out, each leaves a sentinel, and the model writes what was cut."""

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from hornbook.errors import HornbookError
from hornbook.objectives.objective import Batch, Mask, Objective, missing
from hornbook.objectives.vocabulary import Ids, Vocabulary
from hornbook.rng import CounterRNG
from hornbook.store import TokenStore


class SpanCorruption(Objective):
    """Write the spans that were cut out of a text (Raffel et al., 2020, section 3.1.4).

    Lengths, span counts and masks follow `random_spans_helper` and `random_spans_noise_mask` of the published T5
    preprocessors: a text of n tokens loses round(n * density) of them in round(lost / mean_span) spans; lost and kept
    tokens are each split into that many parts, all splits equally likely, and the parts alternate, a kept one first.
    """

    title = "span corruption"
    paper = "Raffel et al. 2019, arXiv:1910.10683"
    head = "seq2seq"
    template = "seq2seq"
    natural = frozenset({"seq2seq"})
    terms: ClassVar = {"span loss": 1.0}
    measures = ("loss",)
    writes = "infill"
    whole_text = False
    reading = "both ways"
    lesson = (
        "Short pieces are cut out of a text, and the model learns to write them. "
        "It reads what is left on both sides of each gap."
    )
    cuts_spans = True
    name: Literal["span_corruption"] = "span_corruption"
    density: float = Field(0.15, gt=0, lt=1)
    """Share of the tokens that are cut out."""
    mean_span: float = Field(3.0, ge=1, le=10**6)
    """Mean length of a span, in tokens."""

    def spans(self, window: int) -> tuple[int, int]:
        """Count the tokens that a text of `window` tokens loses, and the spans that they form."""
        lost = min(max(round(window * self.density), 1), window - 1)
        return lost, min(max(round(lost / self.mean_span), 1), window - lost)

    def lengths(self, window: int) -> tuple[int, int]:
        """Count the tokens of the input and of the target, each with its sentinels and its EOS."""
        lost, spans = self.spans(window)
        return window - lost + spans + 1, lost + spans + 1

    def window(self, length: int) -> int:
        """Find the longest text whose input has at most `length` tokens: 568 for 512, with targets of 114.

        The published rule looks only among texts of `length` tokens and more. But if every span is a single token, a
        sentinel takes its place, and the text must be one token shorter to leave room for EOS.
        """
        window = length if self.lengths(length)[0] <= length else length - 1
        while self.lengths(window + 1)[0] <= length:
            window += 1
        return window

    def sentinels(self, length: int) -> int:
        """Use T5's hundred."""
        return 100

    def most_spans(self, length: int) -> int:
        """Count the spans of an example; all examples have the same number."""
        return self.spans(self.window(length))[1]

    def problems(self, vocabulary: Vocabulary, length: int) -> list[str]:
        """Need EOS and a sentinel for every span."""
        if length < 4:
            return [
                f"model.length is {length}, but span corruption needs at least 4: text, a sentinel, text, EOS"
            ]
        found = missing(eos=vocabulary.eos)
        spans, sentinels = self.most_spans(length), len(vocabulary.sentinels)
        if spans > sentinels:
            found.append(
                f"an example of model.length {length} has {spans} spans, but the tokenizer has {sentinels} sentinels: "
                f"set tokenizer.sentinels to {spans} or more, or shorten model.length"
            )
        return found

    def end(self, vocabulary: Vocabulary) -> int | None:
        """Documents end in EOS."""
        return vocabulary.eos

    def cut(self, window: int, rng: CounterRNG) -> npt.NDArray[np.bool_]:
        """Draw what is cut out: shape (B, window), True where a token is lost."""
        lost, spans = self.spans(window)
        kept_parts = _parts(rng, "kept", window - lost, spans)
        lost_parts = _parts(rng, "lost", lost, spans)
        edges = np.stack([kept_parts, lost_parts], axis=2).reshape(len(rng.rows), -1).cumsum(axis=1)
        turns = np.zeros((len(rng.rows), window + 1), np.int64)
        np.put_along_axis(turns, edges, 1, axis=1)
        return turns[:, :window].cumsum(axis=1) % 2 == 1

    def batch(self, windows: Ids, vocabulary: Vocabulary, rng: CounterRNG) -> Batch:
        """Give `input_ids` and `labels`: the kept text and the cut spans, sentinels in between, each with EOS.

        Shapes (B, input length) and (B, target length) of `lengths`: all examples have the same number of spans.
        """
        lost = self.cut(windows.shape[1], rng)
        return {
            "input_ids": collapse(windows, lost, vocabulary),
            "labels": collapse(windows, ~lost, vocabulary),
        }

    def example(
        self, store: TokenStore, vocabulary: Vocabulary, rng: CounterRNG, hidden: Mask | None = None
    ) -> Batch:
        """Cut the hidden words out; words that stand together are one span."""
        text = store.document(0)[None, :-1]
        count = text.shape[1]
        if hidden is None:
            spans = self.spans(count)[1] if count > 1 else 0
        else:
            lost = hidden[None, :count]
            spans = int((lost & ~np.pad(lost, ((0, 0), (1, 0)))[:, :-1]).sum())
        if not 0 < spans <= len(vocabulary.sentinels):
            raise HornbookError(
                f"a text of {count} tokens would lose {spans} spans, and there are {len(vocabulary.sentinels)} "
                "sentinels for them: give a text of two tokens or more, and hide fewer words"
            )
        if hidden is None:
            return self.batch(text, vocabulary, rng)
        # With a kept token before all, a span that begins the text has its sentinel too.
        before = ((0, 0), (1, 0))
        return {
            "input_ids": collapse(text, lost, vocabulary),
            "labels": collapse(np.pad(text, before), ~np.pad(lost, before), vocabulary),
        }


def _parts(rng: CounterRNG, purpose: str, items: int, parts: int) -> Ids:
    """Split `items` into `parts` of at least one item, every split equally likely: lengths, shape (B, parts)."""
    edges = np.zeros((len(rng.rows), parts + 1), np.int64)
    edges[:, 1:-1] = rng.choose(purpose, items - 1, parts - 1) + 1
    edges[:, -1] = items
    return edges[:, 1:] - edges[:, :-1]


def collapse(windows: Ids, gone: npt.NDArray[np.bool_], vocabulary: Vocabulary) -> Ids:
    """Replace each run of `gone` tokens by the next sentinel, and end with EOS."""
    first = gone.copy()
    first[:, 1:] &= ~gone[:, :-1]
    sentinels = vocabulary.sentinels[first.cumsum(axis=1) - 1]
    collapsed = np.where(first, sentinels, windows)[first | ~gone].reshape(len(windows), -1)
    ended = np.full((len(windows), collapsed.shape[1] + 1), vocabulary.eos or 0)
    ended[:, :-1] = collapsed
    return ended
