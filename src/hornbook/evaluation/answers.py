"""How a model answers questions: it chooses among several continuations, or must write a single one itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hornbook.evaluation.continuations import Scores
from hornbook.evaluation.questions import Question

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Answers:
    """A model's answers to M questions."""

    right: Bools
    """Whether the likeliest continuation is right or, with a single continuation, whether the model would write it."""
    right_per_byte: Bools
    """The same by likelihood per byte, which doesn't favour short continuations."""
    bits_per_byte: float
    """Bits per byte of the right continuations."""


def answer(questions: Sequence[Question], score: Callable[[list[tuple[str, str]]], Scores]) -> Answers:
    """Ask questions; `score` scores (context, continuation) pairs."""
    found = score(
        [
            (question.context, continuation)
            for question in questions
            for continuation in question.continuations
        ]
    )
    right, per_byte, nats, size, first = [], [], 0.0, 0, 0
    for question in questions:
        part = slice(first, first + len(question.continuations))
        first = part.stop
        sizes = np.array([len(continuation.encode()) for continuation in question.continuations])
        if len(question.continuations) == 1:
            right.append(bool(found.greedy[part][0]))
            per_byte.append(right[-1])
        else:
            right.append(int(found.nats[part].argmin()) == question.label)
            per_byte.append(int((found.nats[part] / sizes).argmin()) == question.label)
        nats += float(found.nats[part][question.label])
        size += int(sizes[question.label])
    return Answers(np.array(right), np.array(per_byte), nats / float(np.log(2)) / size)
