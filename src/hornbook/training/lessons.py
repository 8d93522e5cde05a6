"""What a model with dense tokens is trained on: rows of ids, where its tokens stand, and which places have a loss."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from hornbook.dense_tokens.insert import Ints, insert
from hornbook.dense_tokens.layout import Layout
from hornbook.dense_tokens.measure import Arm, measure, to_tensor
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.selection import Selection


@dataclass(frozen=True)
class Lesson:
    """A batch."""

    ids: Tensor
    """Shape (B, T)."""
    layout: Layout
    scored: Tensor | None = None
    """True at the words that have a loss, shape (B, T); None where all words have one."""


class Lessons(Protocol):
    """Rows to train on, each of the same words for every arm."""

    def __len__(self) -> int:
        """Count the rows."""

    def fingerprint(self) -> str:
        """Hash all that is learned from."""

    def batch(self, model: DenseModel, rows: Ints, arm: Arm) -> Lesson:
        """Make a batch of the rows with these numbers."""

    def measure(self, model: DenseModel, seed: int, emits: Arm | None) -> dict[str, float]:
        """Measure what held-out words cost; `emits` names the arm whose tokens the model emits itself."""


@dataclass(frozen=True)
class SelectedTexts:
    """The texts that phase 1 selected: every word has a loss."""

    kept: Selection

    def __len__(self) -> int:
        """Count the texts."""
        return len(self.kept.words)

    def fingerprint(self) -> str:
        """Hash the words and places."""
        return self.kept.fingerprint()

    def batch(self, model: DenseModel, rows: Ints, arm: Arm) -> Lesson:
        """Put the dense tokens of these texts in; a plain arm has none."""
        words = self.kept.words[rows].astype(np.int64)
        if arm == "plain":
            ids = to_tensor(model, words)
            return Lesson(ids, model.layout(ids))
        put = insert(words, self.kept.places[rows], model.dense_id)
        ids = to_tensor(model, put.ids)
        return Lesson(ids, model.layout(ids, torch.from_numpy(put.real).to(ids.device)))

    def measure(self, model: DenseModel, seed: int, emits: Arm | None) -> dict[str, float]:
        """Score held-out words in bits per byte, for each arm."""
        return measure(model, self.kept, seed, emits)
