"""Causal language modelling: each token from those before it."""

from typing import Literal

from torch import Tensor
from torch.nn.functional import pad

from hornbook.draws import Draws
from hornbook.objectives.objective import IGNORED, Batch, Objective, missing
from hornbook.objectives.vocabulary import Ids, Vocabulary


class Causal(Objective):
    """Predict each token from those before it (Radford et al., 2018).

    Documents are packed one after the other, each with its end token, which is a label like any other: a model that
    never has to predict it never learns to stop.
    """

    head = "causal"
    name: Literal["causal"] = "causal"

    def problems(self, vocabulary: Vocabulary, length: int) -> list[str]:
        """Need an end-of-document token and a place to predict."""
        short = (
            [f"model.length is {length}, but a causal example needs at least 2 tokens"] if length < 2 else []
        )
        return short + missing(eos=vocabulary.eos)

    def end(self, vocabulary: Vocabulary) -> int | None:
        """Documents end in EOS."""
        return vocabulary.eos

    def window(self, length: int) -> int:
        """All of them."""
        return length

    def batch(self, windows: Ids, vocabulary: Vocabulary, draws: Draws) -> Batch:
        """Labels are the input itself, shape (B, length): the loss shifts, once."""
        return {"input_ids": windows, "labels": windows}

    def targets(self, labels: Tensor) -> Tensor:
        """Each place predicts the next one's label, the last nothing."""
        return pad(labels[:, 1:], (0, 1), value=IGNORED)
