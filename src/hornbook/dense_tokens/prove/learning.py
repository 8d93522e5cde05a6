"""The training, the same for all arms: steps, data, order and learning rate."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from hornbook.dense_tokens.prove.cohort import Cohort
from hornbook.dense_tokens.prove.tasks import Ints, Questions, Task
from hornbook.errors import HornbookError
from hornbook.rng import CounterRNG
from hornbook.section import Section

_BATCH_OF_ANSWERS = 256


class ProofSettings(Section):
    """The settings of a training."""

    steps: int | None = None
    """Most steps, for arms without `same_compute`; None is each task's own number."""
    batch: int = 32
    curriculum: Literal["square", "linear", "none"] = "square"
    """How the greatest depth grows in training: slowly at first, evenly, or not at all."""
    learning_rate: float = 2e-3
    warmup: int = 50
    clip: float = 1.0
    look_every: int = 100
    """Steps between looks at the validation questions."""
    enough: float = 0.998
    """Training stops when every seed answers this share of the deepest validation questions, twice in a row."""
    validation: int = 512
    """Validation questions; they only decide when to stop."""
    test: int = 1024
    """Test questions of the deepest trained depth, the same for every arm and seed; training never sees them. Other
    depths have fewer."""


@dataclass(frozen=True)
class Course:
    """How a training went."""

    steps: int
    places: int
    """Places computed for one model."""
    seconds: float
    """Processor time for all seeds together."""
    looks: list[dict[str, object]]
    """Each look's step, and each seed's share of right answers to the deepest validation questions."""


def train(cohort: Cohort, settings: ProofSettings, progress: Callable[[float], None] | None = None) -> Course:
    """Train a cohort's models on questions of mixed depths: without the mixture, no model learns.

    All questions of a step have the same depth, for all seeds and arms. Each seed has its own questions, the same for
    every arm. Only the last answer has a loss. Raises HornbookError when a loss is not a number.
    """
    task, seeds = cohort.task, cohort.seeds
    steps = settings.steps or task.steps
    if cohort.arm.same_compute:
        steps = round(steps * overhead(task, steps, settings.curriculum))
    depths = draw_depths(task, steps, settings.curriculum)
    tensors = list(cohort.parameters.values())
    optimizer = torch.optim.AdamW(tensors, lr=0.0, betas=(0.9, 0.999), weight_decay=0.01, fused=True)
    began, places, looks = time.process_time(), 0, []
    for step, depth in enumerate(depths.tolist()):
        drawn = [task.draw(CounterRNG(seed, step, np.arange(settings.batch)), depth) for seed in seeds]
        questions = _stack(drawn)
        ids = cohort.ids(questions).unflatten(0, (len(seeds), -1))
        layout = cohort.layout(ids[0])
        loss = cohort.loss(ids, layout, torch.from_numpy(questions.states[:, -1]), step)
        loss.backward()
        if not math.isfinite(float(loss.detach())):
            raise HornbookError(
                f"{task.name}, {cohort.arm.name}: the loss of step {step + 1} is {float(loss.detach())}: take a lower "
                f"learning rate than {settings.learning_rate}"
            )
        clip_each(tensors, settings.clip)
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * rate_share(step, steps, settings.warmup)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        places += ids.shape[2] * settings.batch
        if (step + 1) % settings.look_every == 0:
            right = look(cohort, settings).tolist()
            looks.append({"step": step + 1, "right": right})
            if progress:
                progress((step + 1) / steps)
            recent = [min(one["right"]) for one in looks[-2:]]
            if len(recent) == 2 and min(recent) >= settings.enough:
                break
    return Course(step + 1, places, time.process_time() - began, looks)


def draw_depths(task: Task, steps: int, curriculum: str = "square") -> Ints:
    """Draw the depth of each step's questions, the same for every arm and seed.

    With a curriculum, the greatest depth grows from 2 to the task's own over the first six tenths of the steps; as a
    square it grows slowly at first, since depth 2 is the hardest to learn. Half of the steps have the greatest depth so
    far, half any depth up to it.
    """
    step = np.arange(steps)
    grown = np.minimum(step / (0.6 * steps), 1) ** {"square": 2, "linear": 1, "none": 0}[curriculum]
    deepest = np.minimum(2 + (grown * (task.depth - 1)).astype(np.int64), task.depth)
    uniform = CounterRNG(0, "depths", step).uniform(task.name, 2)
    return np.where(uniform[:, 0] < 0.5, deepest, 1 + (uniform[:, 1] * deepest).astype(np.int64))


def seen(task: Task, settings: ProofSettings, seed: int) -> float:
    """Compute the share of the deepest test questions that a seed's training also asks, if it takes all its steps."""
    asked = set()
    depths = draw_depths(task, settings.steps or task.steps, settings.curriculum)
    for step in np.flatnonzero(depths == task.depth).tolist():
        words = task.draw(CounterRNG(seed, step, np.arange(settings.batch)), task.depth).words
        asked |= {row.tobytes() for row in words}
    tests = draw_test(task, task.depth, settings.test).words
    return sum(row.tobytes() in asked for row in tests) / len(tests)


def overhead(task: Task, steps: int, curriculum: str) -> float:
    """Compute how many times as many places a training's sequences have with dense tokens as without them."""
    counts = np.bincount(draw_depths(task, steps, curriculum), minlength=task.depth + 1)[1:]
    depths = np.arange(1, task.depth + 1)
    plain = np.array(
        [task.draw(CounterRNG(0, 0, np.arange(1)), depth).words.shape[1] for depth in depths.tolist()]
    )
    return float(((plain + depths - 1) * counts).sum() / (plain * counts).sum())


@torch.no_grad()
def look(cohort: Cohort, settings: ProofSettings) -> np.ndarray:
    """Compute each seed's share of right answers to the deepest validation questions, shape (S,)."""
    rows = np.arange(settings.validation)
    questions = cohort.task.draw(CounterRNG(0, "validation", rows), cohort.task.depth)
    return answers_right(cohort, questions).mean(1)


@torch.no_grad()
def answers_right(cohort: Cohort, questions: Questions, rounds: int | None = None) -> np.ndarray:
    """Mark the questions that each model answers rightly: shape (S, M)."""
    found = []
    for number, part in enumerate(cohort.ids(questions).split(_BATCH_OF_ANSWERS)):
        layout = cohort.layout(part)
        noise = cohort.noise(part.shape, layout, f"answers {number}")
        found.append(cohort.answer(part, layout, rounds, noise)[0].argmax(-1))
    return (torch.cat(found, 1) == torch.from_numpy(questions.states[:, -1])).numpy()


def draw_test(task: Task, depth: int, count: int) -> Questions:
    """Draw the test questions of a depth, from random numbers that neither training nor validation uses."""
    return task.draw(CounterRNG(0, "test", np.arange(count)), depth)


def _stack(drawn: list[Questions]) -> Questions:
    """Concatenate the seeds' questions."""
    words, states = (
        np.concatenate(kind) for kind in zip(*((one.words, one.states) for one in drawn), strict=True)
    )
    return Questions(words, drawn[0].thoughts, states)


def clip_each(tensors: list[Tensor], most: float) -> None:
    """Clip the norm of each model's gradient, over all of its tensors (S, ...), to `most`."""
    grads = [tensor.grad for tensor in tensors if tensor.grad is not None]
    norm = torch.stack([grad.flatten(1).pow(2).sum(1) for grad in grads]).sum(0).sqrt()
    factor = (most / (norm + 1e-6)).clamp(max=1.0)
    for grad in grads:
        grad.mul_(factor.view(-1, *[1] * (grad.ndim - 1)))


def rate_share(step: int, steps: int, warmup: int) -> float:
    """Rise over the warmup, then fall as half a cosine."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
