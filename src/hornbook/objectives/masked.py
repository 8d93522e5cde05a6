"""Masked language modelling: some tokens from all the others."""

from typing import Literal

import numpy as np
from pydantic import Field

from hornbook.draws import Draws
from hornbook.objectives.objective import IGNORED, Batch, Objective, missing
from hornbook.objectives.vocabulary import Ids, Vocabulary


class Masked(Objective):
    """Predict the chosen tokens of a text from the rest (Devlin et al., 2019, section 3.1).

    Of the chosen, 80 % are replaced by the mask token, 10 % by a random word, 10 % stay. Which ones is drawn anew each
    time that a text is seen (RoBERTa, Liu et al., 2019, section 4.1).
    """

    head = "masked"
    name: Literal["masked"] = "masked"
    rate: float = Field(0.15, gt=0, lt=1)
    """Share of the words that are chosen, each by itself."""
    mask: float = Field(0.8, ge=0, le=1)
    """Share of the chosen that become the mask token."""
    random: float = Field(0.1, ge=0, le=1)
    """Share of the chosen that become a random word, never a special token."""

    def problems(self, vocabulary: Vocabulary, length: int) -> list[str]:
        """Need a mask token, the two that frame an example, and shares that leave room for each other."""
        found = missing(cls=vocabulary.cls, sep=vocabulary.sep, mask=vocabulary.mask)
        if length < 3:
            found.append(
                f"model.length is {length}, but a masked example needs at least 3: a word between two frames"
            )
        if self.mask + self.random > 1:
            found.append(
                f"objective.mask {self.mask} and objective.random {self.random} add up to more than 1"
            )
        return found

    def end(self, vocabulary: Vocabulary) -> int | None:
        """Documents end in SEP, as sentences do in BERT and RoBERTa."""
        return vocabulary.sep

    def window(self, length: int) -> int:
        """All but CLS and SEP."""
        return length - 2

    def batch(self, windows: Ids, vocabulary: Vocabulary, draws: Draws) -> Batch:
        """Give `input_ids` and `labels` of shape (B, window + 2), `CLS text SEP`, labelled at the chosen places."""
        assert vocabulary.cls is not None and vocabulary.sep is not None and vocabulary.mask is not None
        framed = np.pad(windows, ((0, 0), (1, 1)))
        framed[:, 0], framed[:, -1] = vocabulary.cls, vocabulary.sep
        length = framed.shape[1]
        chosen = (draws.uniform("chosen", length) < self.rate) & ~vocabulary.is_special(framed)
        fate = draws.uniform("fate", length)
        words = vocabulary.words[draws.integers("words", length, len(vocabulary.words))]
        inputs = np.where(chosen & (fate < self.mask), vocabulary.mask, framed)
        inputs = np.where(chosen & (fate >= self.mask) & (fate < self.mask + self.random), words, inputs)
        return {"input_ids": inputs, "labels": np.where(chosen, framed, IGNORED)}
