"""Phase 2: train a model on text with dense tokens."""

import hashlib
import json
import math
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import nn
from torch.optim import Optimizer

from hornbook.dense_tokens.insert import Ints
from hornbook.dense_tokens.loss import ahead, losses
from hornbook.dense_tokens.measure import Arm
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.options import Gradient
from hornbook.dense_tokens.selection import Selection
from hornbook.errors import HornbookError, Interrupted
from hornbook.families import TYPES
from hornbook.families.weights import read_model
from hornbook.machine import choose_instructions
from hornbook.optimizers import OPTIMIZERS, optimizer_state, restore_optimizers, step_optimizers
from hornbook.recipe import Optimization
from hornbook.reporter import LOGGER
from hornbook.rng import CounterRNG, key, permute
from hornbook.schedules import learning_rate
from hornbook.threads import choose_threads
from hornbook.training.bits import bits_depend_on, not_the_same
from hornbook.training.checkpoints import Progress, find_checkpoint, save_checkpoint
from hornbook.training.interrupt import Signals, watch
from hornbook.training.lessons import Lesson, Lessons, SelectedTexts
from hornbook.training.log import Log

_COURSE, _BEGAN = "course.json", "began_with"


class DenseTraining(Optimization):
    """How a model is trained with dense tokens: the steps as in every other training, and what is new."""

    usual = 0.1  # the model has been trained already

    learning_rate: float = Field(1e-4, gt=0, le=1e30)
    """The highest that the schedule reaches, by default a tenth of the optimizer's own."""
    arm: Arm = "dense"
    """dense: with vectors. pause: tokens without vectors. plain: no such tokens. All have the same words in the same
    order."""
    rounds: int | None = Field(1, ge=0, le=10**6)
    """Rounds of filling; None fills one by one, and computes each place once."""
    random_rounds: bool = False
    """Draw the rounds of each step from 0 to `rounds` (PonderLM-2, arXiv 2509.23184)."""
    gradient: Gradient = Gradient()
    """Which paths the gradient takes through the vectors."""
    emission: float = Field(0.0, ge=0, le=10**6)
    """Weight of the loss by which the model learns to emit dense tokens; 0 leaves this loss out."""
    ahead: float = Field(0.0, ge=0, le=10**6)
    """Weight of an auxiliary loss: the place before a dense token predicts the word after it."""

    @model_validator(mode="after")
    def _has_something_to_train(self) -> Self:
        if self.emission and self.arm == "plain":
            raise HornbookError(
                f"emission is {self.emission:g}, and a plain arm has no dense tokens to emit: leave it 0, or take the "
                "arm dense or pause"
            )
        if self.gradient.producer_only and (
            self.arm != "dense" or self.rounds == 0 or 0 in (self.gradient.crossings, self.gradient.weight)
        ):
            raise HornbookError(
                f"producer_only trains what makes vectors, and arm {self.arm}, rounds {self.rounds}, crossings "
                f"{self.gradient.crossings} and weight {self.gradient.weight:g} let no gradient through any: take the "
                "arm dense, with at least one round and one crossing and a weight above 0"
            )
        return self


def train_dense(
    model: DenseModel,
    kept: Selection | Lessons,
    options: DenseTraining,
    seed: int = 0,
    log: Path | None = None,
    progress: Callable[[int, str], None] | None = None,
    checkpoints: Path | None = None,
    warn: Callable[[str], None] = LOGGER.warning,
) -> dict[str, Any]:
    """Train on the selection of phase 1, or other lessons; return the held-out figures before and after.

    Step n is a function of (seed, n), and its words are the same for every arm. With a folder for `checkpoints`, an
    interrupted training goes on from its newest undamaged checkpoint. On a CPU with the same number of threads,
    instruction set and libraries it ends with the very same model; `warn` is called if one of these has changed, or a
    checkpoint is damaged. Raises HornbookError when the loss is not a number and for checkpoints of another training,
    and Interrupted after Ctrl-C or SIGTERM, with everything saved.
    """
    lessons: Lessons = SelectedTexts(kept) if isinstance(kept, Selection) else kept
    model.train()
    emits = options.arm if options.emission else None
    before = lessons.measure(model, seed, emits)
    optimizers = OPTIMIZERS[options.optimizer].make(model.model, options, _matrices(model))
    course = _course(model, lessons, options, seed)
    began_with = bits_depend_on([choose_threads(), choose_instructions()])
    first = 0
    if checkpoints:
        first, began_with = _go_on(model, optimizers, course, began_with, checkpoints, warn)
    written = Log(log, first, warn) if log else None
    with ExitStack() as stack:
        signals = stack.enter_context(watch()) if checkpoints else Signals()
        for step in range(first, options.steps):
            facts = _step(model, lessons, options, seed, step, optimizers)
            last = step + 1 == options.steps
            if (step + 1) % options.log_every == 0 or last:
                if written:
                    written.write("train", {"step": step + 1, **facts})
                if progress:
                    progress(step + 1, f"loss {facts['loss']:.3f}")
            if checkpoints and (
                (step + 1) % options.every(options.checkpoint_every) == 0 or last or signals.received
            ):
                _save(model, optimizers, course | {_BEGAN: began_with}, checkpoints, step + 1, options.keep)
            if signals.received and not last:
                raise Interrupted(
                    f"stopped after step {step + 1:,} of {options.steps:,}, saved; run the same command to go on",
                    signals.received,
                )
    if options.arm == "dense":
        rounds = "one by one" if options.rounds is None else options.rounds
        model.options = model.options.model_copy(update={"trained_rounds": rounds})
    after = lessons.measure(model, seed, emits)
    if written:
        written.write("evaluate", {"step": options.steps, **after})
    return {"before": before, "after": after}


def make_batch(
    model: DenseModel, lessons: Lessons, options: DenseTraining, seed: int, step: int
) -> tuple[Lesson, int | None]:
    """Make the batch of a step, and say in how many rounds it is filled."""
    epochs, places = np.divmod(step * options.batch + np.arange(options.batch), len(lessons))
    rows: Ints = np.empty(options.batch, np.int64)
    for epoch in np.unique(epochs):
        here = epochs == epoch
        rows[here] = permute(places[here], len(lessons), key(seed, "order", int(epoch)))
    rounds = options.rounds if options.arm == "dense" else 0
    if options.random_rounds and rounds:
        rounds = int(CounterRNG(seed, step, np.zeros(1, np.int64)).integers("rounds", 1, rounds + 1)[0, 0])
    return lessons.batch(model, rows, options.arm), rounds


def _step(
    model: DenseModel,
    lessons: Lessons,
    options: DenseTraining,
    seed: int,
    step: int,
    optimizers: list[Optimizer],
) -> dict[str, float]:
    """Take one step; its random numbers depend on (seed, step) alone."""
    torch.manual_seed(key(seed, "dropout", step))
    lesson, rounds = make_batch(model, lessons, options, seed, step)
    ids, layout = lesson.ids, lesson.layout
    filled = model(ids, layout, rounds, options.gradient)
    found = losses(filled, ids, layout, model.dense_id, lesson.scored)
    words = layout.follows & ~layout.dense
    count = int((words if lesson.scored is None else words & lesson.scored).sum())
    loss = found.words.sum() / count
    if options.emission and options.arm != "plain":
        loss = loss + options.emission * found.emission.sum() / count
    if options.ahead and options.arm != "plain":
        loss = loss + options.ahead * ahead(filled, ids, layout, model.dense_id).sum() / count
    if loss.requires_grad:  # with `producer_only`, a batch without vectors has no gradient
        loss.backward()
    norm = float(torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip or math.inf))
    nats = float(found.words.detach().sum()) / count
    if not (math.isfinite(nats) and math.isfinite(norm)):
        raise HornbookError(
            f"step {step + 1}: the loss is {nats} and the gradient's length {norm}: try a lower learning rate "
            f"than {options.learning_rate}"
        )
    rate = learning_rate(options, step)
    step_optimizers(optimizers, rate)
    return {"loss": nats, "learning_rate": rate, "gradient_norm": norm}


def _matrices(model: DenseModel) -> tuple[type[nn.Module], ...]:
    """Name the layers that hold matrices between hidden states, as its family declares; none without a family."""
    family = TYPES.get(model.model.config.model_type)
    return family.matrices if family else ()


def weights_hash(model: DenseModel) -> str:
    """Hash a model's weights, with their names."""
    digest = hashlib.sha256()
    for name, tensor in model.model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().reshape(-1).contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _course(model: DenseModel, lessons: Lessons, options: DenseTraining, seed: int) -> dict[str, Any]:
    """Collect all that a training's result depends on."""
    return {
        "model": weights_hash(model),
        "selection": lessons.fingerprint(),
        "seed": seed,
        **options.model_dump(mode="json"),
    }


def _save(
    model: DenseModel,
    optimizers: list[Optimizer],
    course: dict[str, Any],
    folder: Path,
    step: int,
    keep: int,
) -> None:
    def write(new: Path) -> None:
        model.model.save_pretrained(new)
        (new / _COURSE).write_text(json.dumps(course, indent=2), "utf-8")

    save_checkpoint(folder, Progress(step), write, optimizer_state(model, optimizers), keep=keep)


def _go_on(
    model: DenseModel,
    optimizers: list[Optimizer],
    course: dict[str, Any],
    here: dict[str, str],
    folder: Path,
    warn: Callable[[str], None],
) -> tuple[int, dict[str, str]]:
    """Load the newest checkpoint; return its number of steps, and the conditions under which the training began.

    `here` holds this process's conditions (`bits_depend_on`): a new training begins with them, and a resumed one warns
    where they differ.
    """
    found = find_checkpoint(folder, warn)
    if found is None:
        return 0, here
    begun = json.loads((found.folder / _COURSE).read_text("utf-8"))
    other = [name for name in course if begun.get(name) != course[name]]
    if other:
        was, now = (", ".join(f"{name} {of.get(name)}" for name in other) for of in (begun, course))
        raise HornbookError(
            f"{folder}: a training was begun there with {was}, not {now}: give those, or delete that folder to start "
            "anew"
        )
    saved = read_model(type(model.model), found.folder, model.model.dtype)
    model.model.load_state_dict(saved.state_dict())
    restore_optimizers(model, optimizers, found.optimizer())
    began_with = begun.get(_BEGAN, here)
    if warning := not_the_same(began_with, here):
        warn(f"{folder}: {warning}")
    return found.progress.step, began_with
