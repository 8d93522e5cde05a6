"""Questions to train on: the loss is on the answer only, with or without dense tokens before it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerBase

from hornbook.dense_tokens.insert import Ints
from hornbook.dense_tokens.measure import Arm
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.public_tasks import length_of
from hornbook.evaluation.continuations import encode_pairs, room_before
from hornbook.evaluation.questions import Question
from hornbook.training.lessons import Lesson


@dataclass(frozen=True)
class AnswerLessons:
    """Questions and their right answers as ids.

    A batch has the questions at its left, then `count` dense tokens, then the answers: dense tokens stand in the same
    columns of all rows, so that filling them one by one takes no more passes than for one row.
    """

    tokenizer: PreTrainedTokenizerBase
    before: list[list[int]]
    """Each question, from the end token on; it may hold dense tokens of its own."""
    answers: list[list[int]]
    count: int
    """Dense tokens between question and answer."""

    @classmethod
    def of(
        cls, questions: Sequence[Question], tokenizer: PreTrainedTokenizerBase, token: str, count: int
    ) -> "AnswerLessons":
        """Encode questions as they are asked; the dense token's text, `token`, is the token wherever it is written."""
        pairs = [(one.context, one.continuations[one.label]) for one in questions]
        encoded = encode_pairs(tokenizer, pairs, [token])
        return cls(tokenizer, [before for before, _ in encoded], [answer for _, answer in encoded], count)

    def __len__(self) -> int:
        """Count the questions."""
        return len(self.before)

    def fingerprint(self) -> str:
        """Hash questions, answers and the number of dense tokens."""
        return hashlib.sha256(repr((self.before, self.answers, self.count)).encode()).hexdigest()

    def batch(self, model: DenseModel, rows: Ints, arm: Arm) -> Lesson:
        """Make a batch of questions; a plain arm has the same words without dense tokens.

        Questions that are too long lose their beginning, so that there is room for the longest answer. Raises
        HornbookError for an answer that leaves no room.
        """
        answers = [self.answers[row] for row in rows]
        room = room_before(self.tokenizer, max(answers, key=len), length_of(model) - self.count)
        questions = [self.before[row][-room:] for row in rows]
        between = [model.dense_id] * self.count
        if arm == "plain":
            between = []
            questions = [[token for token in one if token != model.dense_id] for one in questions]
        widest, start = max(map(len, questions)), max(map(len, questions)) + len(between)
        ids = torch.zeros(len(rows), start + max(map(len, answers)), dtype=torch.long)
        real, scored = torch.zeros(2, *ids.shape, dtype=torch.bool)
        for row, (question, answer) in enumerate(zip(questions, answers, strict=True)):
            part, end = slice(widest - len(question), start + len(answer)), start + len(answer)
            ids[row, part] = torch.tensor([*question, *between, *answer])
            real[row, part], scored[row, start:end] = True, True
        ids, real, scored = (one.to(model.model.device) for one in (ids, real, scored))
        return Lesson(ids, model.layout(ids, real), scored)

    def measure(self, model: DenseModel, seed: int, emits: Arm | None) -> dict[str, float]:
        """Measure nothing: such a model is judged by what it answers."""
        return {}
