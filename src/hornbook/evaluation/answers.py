"""How a model answers questions: it chooses among several endings, or must write a single one itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from hornbook.evaluation.continuations import Scores, score_endings
from hornbook.evaluation.intervals import wilson
from hornbook.evaluation.questions import PublicTask, Question
from hornbook.loading import LoadedModel

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Answers:
    """A model's answers to M questions."""

    right: Bools
    """Whether the likeliest ending is right or, with a single ending, whether the model would write it."""
    right_per_byte: Bools
    """The same by likelihood per byte, which doesn't favour short endings."""
    bits_per_byte: float
    """Bits per byte of the right endings."""


def answer(questions: Sequence[Question], score: Callable[[list[tuple[str, str]]], Scores]) -> Answers:
    """Ask questions; `score` scores (context, ending) pairs."""
    found = score([(question.context, ending) for question in questions for ending in question.continuations])
    right, per_byte, nats, size, first = [], [], 0.0, 0, 0
    for question in questions:
        part = slice(first, first + len(question.continuations))
        first = part.stop
        sizes = np.array([len(ending.encode()) for ending in question.continuations])
        if len(question.continuations) == 1:
            right.append(bool(found.greedy[part][0]))
            per_byte.append(right[-1])
        else:
            right.append(int(found.nats[part].argmin()) == question.label)
            per_byte.append(int((found.nats[part] / sizes).argmin()) == question.label)
        nats += float(found.nats[part][question.label])
        size += int(sizes[question.label])
    return Answers(np.array(right), np.array(per_byte), nats / float(np.log(2)) / size)


def measure_task(
    loaded: LoadedModel,
    task: PublicTask,
    questions: Sequence[Question],
    progress: Callable[[float], None] | None = None,
) -> list[dict[str, Any]]:
    """Ask a causal model a task's questions; return figures in the form of `evaluate`.

    Raises HornbookError unless the model is causal.
    """
    loaded.need(head="causal", reading="left to right")
    model, family = loaded.model, loaded.family
    found = answer(
        questions,
        lambda pairs: score_endings(
            loaded.tokenizer,
            pairs,
            lambda ids, _: family.hidden(model, {"input_ids": ids}),
            lambda hidden: family.logits(model, hidden),
            loaded.length,
            model.device,
            progress=progress,
        ),
    )
    choice = len(questions[0].continuations) > 1
    rule = (
        "The likeliest of the endings is the answer."
        if choice
        else "The model must write the number, and nothing else, taking the likeliest token each time."
    )
    shares = {f"{task.name}, right": (found.right, rule)}
    if choice:
        shares[f"{task.name}, right by likelihood per byte"] = (
            found.right_per_byte,
            "The likeliest of the endings, byte for byte, is the answer.",
        )
    over = f"{len(questions):,} questions, no examples before them"
    asked = sha256("\n".join(question.context for question in questions).encode("utf-8", "surrogatepass"))
    scope = f"{task.name}: {len(questions):,} questions ({asked.hexdigest()[:8]})"
    comparable = f"It compares with any causal model; guessing gets {task.chance:g}."
    return [
        {
            "measure": name,
            "value": float(right.mean()),
            "unit": "share",
            "over": over,
            "rule": how,
            "comparable": comparable,
            "low": wilson(float(right.mean()), len(right))[0],
            "high": wilson(float(right.mean()), len(right))[1],
            "scope": scope,
        }
        for name, (right, how) in shares.items()
    ] + [
        {
            "measure": f"{task.name}, right endings",
            "value": found.bits_per_byte,
            "unit": "bits/byte",
            "over": over,
            "rule": "How well the right endings are predicted after their contexts.",
            "comparable": "It compares with any causal model, whatever its tokenizer.",
            "scope": scope,
        }
    ]
