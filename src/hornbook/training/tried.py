"""What dense tokens are tried on: texts or questions to learn, and others, held out, on which every word is scored."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from hornbook.dense_tokens.insert import Bools, Floats, Ints, insert
from hornbook.dense_tokens.loss import word_logits
from hornbook.dense_tokens.measure import Arm, heldout_places, word_nats
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.selection import Selection
from hornbook.training.answer_lessons import AnswerLessons
from hornbook.training.lessons import Lessons, SelectedTexts

_BATCH = 32


class Read(NamedTuple):
    """How well a model reads the held-out texts."""

    nats: list[Floats]
    """-ln p of each scored word, for each text."""
    right: Bools | None
    """Whether a model would write the whole answer by itself, shape (texts,); None where there are no answers."""


class Tried(Protocol):
    """Texts or questions."""

    name: str
    """What they are called in a sentence: "On this text"."""
    unit: str

    @property
    def lessons(self) -> Lessons:
        """Give what is learned."""

    def size(self, arm: Arm) -> float:
        """Count the places of a text that is learned, on average; the others of a batch are padding."""

    def read(self, model: DenseModel, arm: Arm, most: int | None = None) -> Read:
        """Read the held-out texts, or the first of them."""

    def ids(self, model: DenseModel, number: int) -> tuple[Ints, Bools]:
        """Give a held-out text with its dense tokens, and which of its places are scored, both (T,)."""


class _Unmeasured(SelectedTexts):
    """Texts that are learned alone: how well a model reads is asked here, of one arm, and not of all three."""

    def measure(self, model: DenseModel, seed: int, emits: Arm | None) -> dict[str, float]:
        """Measure nothing."""
        return {}


@dataclass(frozen=True)
class TriedText:
    """Windows of a text, with dense tokens where phase 1 chose; held-out ones have as many."""

    kept: Selection
    name = "this text"
    unit = "nats a word"

    @property
    def lessons(self) -> Lessons:
        """Give the windows."""
        return _Unmeasured(self.kept)

    @property
    def places(self) -> Ints:
        """Say where dense tokens stand in the held-out windows, the same for all seeds."""
        return heldout_places(self.kept, 0)

    def size(self, arm: Arm) -> float:
        """Count a window's words, and its dense tokens."""
        texts, words = self.kept.words.shape
        return words if arm == "plain" else words + self.kept.tokens / texts

    def read(self, model: DenseModel, arm: Arm, most: int | None = None) -> Read:
        """Score all words but the first of each window, which nothing predicts; dense tokens are filled one by one."""
        nats = word_nats(model, self.kept.heldout[:most].astype(np.int64), self.places[:most], arm)
        return Read([*nats[:, 1:]], None)

    def ids(self, model: DenseModel, number: int) -> tuple[Ints, Bools]:
        """Give a window; all words but the first are scored."""
        one = slice(number, number + 1)
        put = insert(self.kept.heldout[one].astype(np.int64), self.places[one], model.dense_id)
        scored = ~put.dense[0]
        scored[0] = False
        return put.ids[0], scored


@dataclass(frozen=True)
class TriedQuestions:
    """Questions with dense tokens before the answer, whose words alone are scored."""

    lessons: AnswerLessons
    asked: AnswerLessons
    name = "these questions"
    unit = "nats a word of the answers"

    def size(self, arm: Arm) -> float:
        """Count the words of question and answer, and the dense tokens."""
        pairs = zip(self.lessons.before, self.lessons.answers, strict=True)
        words = float(np.mean([len(before) + len(answer) for before, answer in pairs]))
        return words if arm == "plain" else words + self.lessons.count

    @torch.inference_mode()
    def read(self, model: DenseModel, arm: Arm, most: int | None = None) -> Read:
        """Score the answers; one is right where each of its words is the likeliest, so that greedy writing gives it."""
        was_training = model.training
        model.eval()
        nats, right = list[Floats](), list[bool]()
        numbers = np.arange(len(self.asked))[:most]
        for first in range(0, len(numbers), _BATCH):
            lesson = self.asked.batch(model, numbers[first : first + _BATCH], arm)
            filled = model(lesson.ids, lesson.layout, None if arm == "dense" else 0)
            assert lesson.scored is not None
            for row, scored in enumerate(lesson.scored):
                (columns,) = scored.nonzero(as_tuple=True)
                logits = word_logits(filled.head(filled.hidden[row, columns - 1]).float(), model.dense_id)
                words = lesson.ids[row, columns]
                nats.append(cross_entropy(logits, words, reduction="none").double().cpu().numpy())
                right.append(bool((logits.argmax(-1) == words).all()))
        model.train(was_training)
        return Read(nats, np.array(right))

    def ids(self, model: DenseModel, number: int) -> tuple[Ints, Bools]:
        """Give a question with its answer, as it is read."""
        lesson = self.asked.batch(model, np.array([number]), "dense")
        assert lesson.scored is not None
        return lesson.ids[0].cpu().numpy(), lesson.scored[0].cpu().numpy()
