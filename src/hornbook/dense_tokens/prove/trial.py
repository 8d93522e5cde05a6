"""One arm on one task: train it, then measure everything that the page shows."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from hornbook.dense_tokens.prove.arms import Arm
from hornbook.dense_tokens.prove.cohort import Cohort
from hornbook.dense_tokens.prove.learning import Course, ProofSettings, answers_right, draw_test, train
from hornbook.dense_tokens.prove.statistics import Bools
from hornbook.dense_tokens.prove.tasks import Task
from hornbook.dense_tokens.vector import ABLATIONS, ablate
from hornbook.rng import key

_BEYOND = (1.5, 2.0, 4.0)
"""Depths beyond training, as multiples of the deepest trained one."""
_FEWER = 256
"""Questions of each depth but the deepest trained one, and for each number of rounds."""
_SHOWN = 3
"""Questions that the page shows word by word."""


@dataclass(frozen=True)
class Trial:
    """The answers of an arm's models: S seeds, M test questions of each depth."""

    arm: str
    parameters: int
    course: Course
    right: dict[int, Bools]
    """Which answers are right, by depth, shape (S, M)."""
    beyond: dict[int, Bools]
    """The same for depths beyond training."""
    ablated: dict[str, Bools] = field(default_factory=dict)
    """Which answers are right at the deepest trained depth, by ablation."""
    rounds: dict[int, list[float]] = field(default_factory=dict)
    """The accuracy at each trained depth, by the number of rounds."""
    decoded: list[float] = field(default_factory=list)
    """For each vector of the deepest questions, how often the head reads the right state from it."""
    shown: list[list[dict[str, Any]]] = field(default_factory=list)
    """Questions word by word, with the state that the head reads from each vector."""
    seconds: float = 0.0
    """Processor time for everything together."""


def run_trial(
    task: Task,
    arm: Arm,
    seeds: tuple[int, ...],
    settings: ProofSettings,
    progress: Callable[[float], None] | None = None,
) -> Trial:
    """Train the arm's models and measure them."""
    began = time.process_time()
    cohort = Cohort(task, arm, seeds)
    course = train(cohort, settings, progress)
    right = {
        depth: answers_right(cohort, draw_test(task, depth, min(_FEWER, settings.test)))
        for depth in [*range(1, task.depth), *(round(task.depth * factor) for factor in _BEYOND)]
    }
    beyond = {depth: right.pop(depth) for depth in list(right) if depth > task.depth}
    right[task.depth] = answers_right(cohort, draw_test(task, task.depth, settings.test))
    extra: dict[str, Any] = {}
    if arm.vectors == "own":
        extra = {"ablated": _ablations(cohort, settings), **_decode(cohort, settings)}
    if arm.name == "dense":
        extra["rounds"] = _sweep(cohort, settings)
    seconds = time.process_time() - began
    return Trial(arm.name, cohort.count, course, right, beyond, **extra, seconds=seconds)


@torch.no_grad()
def _ablations(cohort: Cohort, settings: ProofSettings) -> dict[str, Bools]:
    """Replace the models' vectors by vectors that hold less, and ask again."""
    questions = draw_test(cohort.task, cohort.task.depth, settings.test)
    ids, wanted = cohort.ids(questions), torch.from_numpy(questions.states[:, -1])
    layout = cohort.layout(ids)
    vectors = cohort.answer(ids, layout)[2]
    right: dict[str, Bools] = {}
    for kind in ABLATIONS:
        rng = torch.Generator().manual_seed(key("ablation", kind))
        replaced = torch.stack([ablate(kind, one, layout.fed, rng) for one in vectors])
        logits = cohort.answer(ids, layout, vectors=replaced)[0]
        right[kind] = (logits.argmax(-1) == wanted).numpy()
    return right


@torch.no_grad()
def _sweep(cohort: Cohort, settings: ProofSettings) -> dict[int, list[float]]:
    """Fill in rounds, from none up to the number of vectors, to see how deep the answers reach."""
    asked = [
        draw_test(cohort.task, depth, min(_FEWER, settings.test)) for depth in range(1, cohort.task.depth + 1)
    ]
    return {
        rounds: [float(answers_right(cohort, questions, rounds).mean()) for questions in asked]
        for rounds in range(cohort.task.depth)
    }


@torch.no_grad()
def _decode(cohort: Cohort, settings: ProofSettings) -> dict[str, Any]:
    """Apply the head to the hidden state that each vector is made of, and compare with the task's state there."""
    task = cohort.task
    questions = draw_test(task, task.depth, settings.test)
    ids = cohort.ids(questions)
    layout = cohort.layout(ids)
    logits, hidden, _ = cohort.answer(ids, layout)
    columns = layout.cuts[1:]
    read = cohort.read(hidden[:, :, [column - 1 for column in columns]])  # (S, M, vectors, answers)
    states = torch.from_numpy(questions.states)
    decoded = (read.argmax(-1) == states[:, :-1]).double().mean((0, 1)).tolist()
    shown = []
    for row in range(min(_SHOWN, len(ids))):
        carried = {
            column: _say(task, read[0, row, number], int(states[row, number]))
            for number, column in enumerate(columns)
        }
        words = [
            {"word": task.write(token)} | carried.get(place, {})
            for place, token in enumerate(ids[row].tolist())
        ]
        shown.append([*words, {"word": "answer"} | _say(task, logits[0, row], int(states[row, -1]))])
    return {"decoded": decoded, "shown": shown}


def _say(task: Task, logits: Tensor, state: int) -> dict[str, Any]:
    """Return the likeliest answer by logits (A,), its probability, and the right state."""
    chance, best = logits.softmax(-1).max(-1)
    return {"read": task.write(int(best)), "chance": float(chance), "state": task.write(state)}
