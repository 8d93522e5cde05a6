"""Causal language modelling: predict each token from those before it."""

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.nn.functional import pad

from hornbook.objectives.objective import IGNORED, Batch, Objective, missing
from hornbook.objectives.vocabulary import Ids, Vocabulary
from hornbook.rng import CounterRNG


class Causal(Objective):
    """Predict each token from those before it (Radford et al., 2018).

    Documents are packed one after the other, each with its end token, which is a label like any other: a model that
    never has to predict it never learns to stop.

    With `document_mask`, no token sees another document, and positions count from 0 in each. The end token between
    two documents then has two roles. As a label, it is the last token of the first document, and is predicted from
    all of it. As an input, it is the first token of the second document: it sees only itself, and predicts how
    documents begin. So a packed document is read exactly as `bits_per_byte` and `generate` read one, from an end
    token on, and no label is lost. (nanoGPT and litgpt pack without a mask. Megatron gives the end token to the
    document that it ends; the label after it can't be known and is dropped, so nothing is ever learned about a
    document's first token. In nanochat, too, a document begins with its delimiter.)
    """

    title = "causal"
    paper = "Radford et al. 2018, Improving language understanding by generative pre-training"
    head = "causal"
    template = "causal"
    natural = frozenset({"causal"})
    terms: ClassVar = {"held-out loss": 1.0}
    measures = ("bits_per_byte", "loss")
    writes = "generate"
    whole_text = True
    forms: ClassVar = ({"document_mask": True},)
    reading = "left to right"
    lesson = (
        "The model reads a text from left to right and learns to predict each token from those before it. "
        "So it can go on from any beginning."
    )
    name: Literal["causal"] = "causal"
    document_mask: bool = False
    """Whether a token sees its own document only, with positions that restart in each."""

    def problems(self, vocabulary: Vocabulary, length: int) -> list[str]:
        """Need an end-of-document token and a place to predict."""
        short = (
            [f"model.length is {length}, but a causal example needs at least 2 tokens"] if length < 2 else []
        )
        return short + missing(eos=vocabulary.eos)

    def end(self, vocabulary: Vocabulary) -> int | None:
        """Documents end in EOS."""
        return vocabulary.eos

    @property
    def restarts(self) -> bool:
        """Positions restart in each document if there is a document mask."""
        return self.document_mask

    def window(self, length: int) -> int:
        """All tokens of an example are text."""
        return length

    def batch(self, windows: Ids, vocabulary: Vocabulary, rng: CounterRNG) -> Batch:
        """Labels are the input itself, shape (B, length): the loss shifts them, once.

        Only `position_ids` (B, length) tell of a document mask: where they don't rise by 1, Hugging Face's classes
        begin another sequence, and mask what is before it (if they get neither an attention mask nor a cache:
        `use_cache=False`).
        """
        batch = {"input_ids": windows, "labels": windows}
        if self.document_mask:
            batch["position_ids"] = _positions(windows == vocabulary.eos)
        return batch

    def targets(self, labels: Tensor) -> Tensor:
        """Each place predicts the next place's label; the last one predicts nothing."""
        return pad(labels[:, 1:], (0, 1), value=IGNORED)


def _positions(begins: npt.NDArray[np.bool_]) -> Ids:
    """Count each token's place in its document, which begins where `begins` says or with its row: same shape."""
    places = np.arange(begins.shape[1])
    return places - np.maximum.accumulate(np.where(begins, places, 0), axis=1)
