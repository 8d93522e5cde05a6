"""UL2's mixture of denoisers: several kinds of span corruption, each announced by a token that names its mode."""

from bisect import bisect_left
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator, model_validator
from torch import Tensor
from torch.nn.functional import pad

from hornbook.errors import HornbookError
from hornbook.objectives.objective import IGNORED, Batch, Mask, Objective, Reading, Writing, missing
from hornbook.objectives.span_corruption import SpanCorruption
from hornbook.objectives.vocabulary import Ids, Vocabulary
from hornbook.rng import CounterRNG
from hornbook.section import Section
from hornbook.store import TokenStore
from hornbook.tokenizers import Head, Template

MODES = {"R": "[NLU]", "X": "[NLG]", "S": "[S2S]"}
"""The mode tokens of the published UL2 20B."""

_ONE_SPAN = 1e6
"""A mean length beyond any text's, in tokens, so that what is cut out is one span."""


class Denoiser(Section):
    """One way to cut a text up: R with few and short spans, X with many or long ones, S the text's end."""

    kind: Literal["R", "X", "S"]
    """R and X cut spans out of the text; S cuts off its last part in one piece, so that the rest is a prefix."""
    density: float = Field(gt=0, lt=1)
    """Share of the tokens that are cut out."""
    mean_span: float | None = Field(None, ge=1, le=10**6)
    """Mean length of a span in tokens; S has a single one."""
    mode: str = ""
    """The token that the input begins with; by default UL2's [NLU] for R, [NLG] for X, [S2S] for S."""
    weight: float = Field(1.0, gt=0, le=10**6)
    """How often it is drawn, relative to the others."""

    @model_validator(mode="after")
    def _spans_fit_kind(self) -> "Denoiser":
        if (self.mean_span is None) != (self.kind == "S"):
            raise ValueError(
                "kind S has one span, which ends the text: leave mean_span out"
                if self.kind == "S"
                else f"kind {self.kind} needs mean_span, such as 3"
            )
        return self

    @property
    def token(self) -> str:
        """The mode token, with the default worked out."""
        return self.mode or MODES[self.kind]

    @property
    def corruption(self) -> SpanCorruption:
        """Its corruption of a text. The published rule ends each text with a span, so a single span is its end."""
        return SpanCorruption(density=self.density, mean_span=self.mean_span or _ONE_SPAN)


PUBLISHED = (
    Denoiser(kind="R", mean_span=3, density=0.15),
    Denoiser(kind="R", mean_span=8, density=0.15),
    Denoiser(kind="S", density=0.25),
    Denoiser(kind="X", mean_span=3, density=0.5),
    Denoiser(kind="X", mean_span=8, density=0.5),
    Denoiser(kind="X", mean_span=64, density=0.15),
    Denoiser(kind="X", mean_span=64, density=0.5),
)
"""UL2's seven denoisers (table 1), all equally likely."""


class Denoisers(Objective):
    """Undo one of several corruptions, drawn anew for each example (Tay et al., 2022, "UL2", section 3.1).

    An encoder-decoder reads `mode text EOS` and writes `spans EOS`, as in span corruption. A decoder alone reads both
    in one sequence, `mode text spans EOS`, and learns the spans only. UL2 lets it see the text in both directions (a
    prefix language model); Hugging Face's causal classes can't, so here each token sees those before it. Nothing
    separates the two parts: the text ends in a sentinel, and the spans begin with the first one.

    Each denoiser takes as much text as fills `length`, which wastes least: an encoder's inputs have at most one place
    of padding, and a decoder's sequences two. The rest of its window is not read in that epoch. Only targets of an
    encoder-decoder differ in length; they are padded to the longest, without labels there.
    """

    title = "denoisers"
    paper = "Tay et al. 2022 (UL2), arXiv:2205.05131"
    natural = frozenset[Head]()
    terms: ClassVar = {"denoising loss": 1.0}
    whole_text = False
    lesson = (
        "Pieces of a text are taken away, short ones, long ones or its end, and the model learns to write them. "
        "A token at the front tells it which kind of gap to expect."
    )
    cuts_spans = True
    infill_mode = MODES["R"]
    name: Literal["denoisers"] = "denoisers"
    form: Literal["encoder-decoder", "decoder-only"] = "encoder-decoder"
    """Where the target stands; by default as the model's family needs it."""
    mixture: tuple[Denoiser, ...] = PUBLISHED
    """The denoisers; by default UL2's seven."""

    @field_validator("mixture")
    @classmethod
    def _not_empty(cls, mixture: tuple[Denoiser, ...]) -> tuple[Denoiser, ...]:
        if not mixture:
            raise ValueError("mixture has no denoiser: name some, or leave mixture out for UL2's seven")
        return mixture

    @property
    def head(self) -> Head:  # type: ignore[override]  # the others have one whatever their options
        """The kind of model that serves it, by its form."""
        return "seq2seq" if self.form == "encoder-decoder" else "causal"

    @property
    def template(self) -> Template:  # type: ignore[override]
        """The template of models of its form."""
        return "seq2seq" if self.form == "encoder-decoder" else "causal"

    @property
    def measures(self) -> tuple[str, ...]:  # type: ignore[override]
        """Only a decoder alone gives every token of a text a likelihood."""
        return ("loss",) if self.form == "encoder-decoder" else ("bits_per_byte", "loss")

    @property
    def writes(self) -> Writing:  # type: ignore[override]
        """The way in which models of its form write."""
        return "infill" if self.form == "encoder-decoder" else "generate"

    @property
    def reading(self) -> Reading:  # type: ignore[override]
        """An encoder reads both ways; a decoder alone can't."""
        return "both ways" if self.form == "encoder-decoder" else "left to right"

    @classmethod
    def heads(cls) -> dict[Head, dict[str, str]]:
        """Both kinds of model, each with its form."""
        return {"seq2seq": {"form": "encoder-decoder"}, "causal": {"form": "decoder-only"}}

    def sentinels(self, length: int) -> int:
        """Use T5's hundred, or more if a denoiser cuts more spans: 127 in UL2's 512 tokens."""
        return max(100, self.most_spans(length))

    def most_spans(self, length: int) -> int:
        """Count the spans of the denoiser that cuts the most."""
        return max(self._spans(length))

    def modes(self) -> tuple[str, ...]:
        """Name the mode tokens, each once."""
        return tuple(dict.fromkeys(denoiser.token for denoiser in self.mixture))

    def problems(self, vocabulary: Vocabulary, length: int) -> list[str]:
        """Need EOS, the mode tokens, and for every denoiser room and a sentinel for each span."""
        if length < 8:
            return [f"model.length is {length}, but a mixture of denoisers needs at least 8 tokens"]
        found = missing(eos=vocabulary.eos)
        if unknown := [mode for mode in self.modes() if mode not in vocabulary.named]:
            found.append(
                f"the tokenizer has no special token {', '.join(unknown)}, but examples begin with it: leave "
                "tokenizer.path out to train a tokenizer that has it, or set each mode in objective.mixture to a token "
                "that this tokenizer has"
            )
        spans = self._spans(length)
        if max(spans) > len(vocabulary.sentinels):
            most = self.mixture[spans.index(max(spans))]
            found.append(
                f"an example of model.length {length} has {max(spans)} spans (kind {most.kind}, density "
                f"{most.density:g}), but the tokenizer has {len(vocabulary.sentinels)} "
                f"sentinels: set tokenizer.sentinels to {max(spans)} or more, or shorten model.length"
            )
        return found

    def end(self, vocabulary: Vocabulary) -> int | None:
        """Documents end in EOS."""
        return vocabulary.eos

    def window(self, length: int) -> int:
        """Give the most text that a denoiser takes."""
        return max(_texts(self, length))

    def batch(self, windows: Ids, vocabulary: Vocabulary, rng: CounterRNG) -> Batch:
        """Give `input_ids` and `labels`, each row by the denoiser that (seed, step, row) draws.

        Shapes for an encoder-decoder: (B, length) and (B, longest target); for a decoder twice (B, length), or up to
        two places less if every denoiser leaves them empty. Labels are -100 where nothing is learned; inputs are
        padded with EOS. If an encoder's inputs are padded (because no more text fits between so many spans), there is
        an `attention_mask` (B, length) as well.
        """
        assert vocabulary.eos is not None
        length, texts = _fit(self, windows.shape[1])
        kinds = self.choose(rng)
        apart = self.form == "encoder-decoder"
        inputs = np.full((len(windows), length), vocabulary.eos, np.int64)
        longest = max(one.corruption.lengths(text)[1] for one, text in zip(self.mixture, texts, strict=True))
        seen = np.zeros_like(inputs)
        labels = np.full((len(windows), longest if apart else length), IGNORED, np.int64)
        for kind, (denoiser, text) in enumerate(zip(self.mixture, texts, strict=True)):
            rows = np.flatnonzero(kinds == kind)
            if not len(rows):
                continue
            made = denoiser.corruption.batch(
                windows[rows, :text], vocabulary, CounterRNG(rng.seed, rng.step, rng.rows[rows])
            )
            source, target = self._announced(denoiser, made, vocabulary)
            inputs[rows, : source.shape[1]], seen[rows, : source.shape[1]] = source, 1
            labels[rows, : target.shape[1]] = target
        full = all(
            1 + one.corruption.lengths(min(text, windows.shape[1]))[0] == length
            for one, text in zip(self.mixture, texts, strict=True)
        )
        hidden = {"attention_mask": seen} if apart and not full else {}
        return {"input_ids": inputs, "labels": labels, **hidden}

    def example(
        self, store: TokenStore, vocabulary: Vocabulary, rng: CounterRNG, hidden: Mask | None = None
    ) -> Batch:
        """Undo one corruption of the text: the one that is drawn or, for words that somebody hides, one with spans."""
        if hidden is None:
            denoiser = self.mixture[int(self.choose(rng)[0])]
        else:
            cutting = [denoiser for denoiser in self.mixture if denoiser.kind != "S"]
            if not cutting:
                raise HornbookError(
                    "each denoiser of the mixture is of kind S, which takes a text's end away, and no word that "
                    "somebody chooses: leave --hide out"
                )
            denoiser = cutting[0]
        made = denoiser.corruption.example(store, vocabulary, rng, hidden)
        inputs, labels = self._announced(denoiser, made, vocabulary)
        return {"input_ids": inputs, "labels": labels}

    def _announced(self, denoiser: Denoiser, made: Batch, vocabulary: Vocabulary) -> tuple[Ids, Ids]:
        """Put the mode token before texts that were cut, and give inputs and labels in the form of the model."""
        mode = np.full((len(made["labels"]), 1), vocabulary.named[denoiser.token])
        source, target = np.hstack([mode, made["input_ids"]]), made["labels"]
        if self.form == "encoder-decoder":
            return source, target
        source = source[:, :-1]  # without the EOS of an encoder's input
        return np.hstack([source, target]), np.hstack([np.full_like(source, IGNORED), target])

    def choose(self, rng: CounterRNG) -> npt.NDArray[np.int64]:
        """Draw the denoiser of each row, by weight: its number in the mixture, shape (B,)."""
        shares = np.cumsum([denoiser.weight for denoiser in self.mixture])
        return np.searchsorted(shares[:-1], rng.uniform("denoiser", 1)[:, 0] * shares[-1], side="right")

    def _spans(self, length: int) -> list[int]:
        """Count the spans of each denoiser's examples."""
        texts = _texts(self, length)
        return [one.corruption.spans(text)[1] for one, text in zip(self.mixture, texts, strict=True)]

    def targets(self, labels: Tensor) -> Tensor:
        """In a decoder each place predicts the next place's label, in an encoder-decoder its own."""
        return labels if self.form == "encoder-decoder" else pad(labels[:, 1:], (0, 1), value=IGNORED)


def _texts(objective: Denoisers, length: int) -> list[int]:
    """Count the tokens of text with which each denoiser fills `length` tokens."""
    return [_text(denoiser.corruption, objective.form, length) for denoiser in objective.mixture]


@lru_cache(maxsize=1024)
def _text(corruption: SpanCorruption, form: str, length: int) -> int:
    """Find the longest text that fits one denoiser's sequence, with its mode token."""
    if form == "encoder-decoder":
        return corruption.window(length - 1)

    def total(text: int) -> int:
        return sum(corruption.lengths(text))  # the mode token stands where an encoder's EOS would

    # Every token and every span makes the sequence longer.
    return 2 + bisect_left(range(2, length), length + 1, key=total) - 1


@lru_cache(maxsize=1024)
def _fit(objective: Denoisers, window: int) -> tuple[int, list[int]]:
    """Find the length that has this window, the smallest where there are several, and the texts of the denoisers."""
    length = bisect_left(range(2 * window + 8), window, lo=4, key=objective.window)
    return length, _texts(objective, length)
