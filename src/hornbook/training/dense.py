"""Phase 2: training a model on text with dense tokens in it."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from hornbook.dense.insert import Ints, choose_places, insert
from hornbook.dense.kept import Kept
from hornbook.dense.loss import losses
from hornbook.dense.model import DenseModel
from hornbook.dense.options import Gradient
from hornbook.draws import Draws, key, permute
from hornbook.errors import HornbookError
from hornbook.recipe import Training
from hornbook.section import Section
from hornbook.training.log import Log
from hornbook.training.optimizers import make_optimizers, take_step
from hornbook.training.schedules import learning_rate

Arm = Literal["dense", "pause", "plain"]


class DenseTraining(Section):
    """How a model is trained with dense tokens."""

    steps: int = Field(ge=1)
    """Optimizer steps."""
    batch: int = Field(32, ge=1)
    """Texts in a step."""
    learning_rate: float = Field(1e-4, gt=0)
    """The highest that the schedule reaches: a cosine after a warmup."""
    weight_decay: float = Field(0.1, ge=0)
    """AdamW's, on matrices."""
    clip: float = Field(1.0, gt=0)
    """Longest gradient, over all parameters."""
    log_every: int = Field(10, ge=1)
    """Steps between lines of the log."""
    arm: Arm = "dense"
    """With vectors; with the tokens alone; or with neither, on the same words in the same order."""
    rounds: int | None = Field(1, ge=0)
    """Rounds of filling; None fills one by one, each place computed once."""
    random_rounds: bool = False
    """Draw the rounds of each step from 0 to `rounds` (PonderLM-2, arXiv 2509.23184)."""
    gradient: Gradient = Gradient()
    """Which ways the gradient takes through the vectors."""
    emission: float = Field(0.0, ge=0)
    """Weight of the loss by which the model learns to emit dense tokens; 0 leaves the dense targets out."""

    @property
    def plain(self) -> Training:
        """What optimizer and schedule have to know."""
        shared = ("steps", "batch", "learning_rate", "weight_decay", "clip")
        return Training(**{name: getattr(self, name) for name in shared})


def train_dense(
    model: DenseModel,
    kept: Kept,
    options: DenseTraining,
    seed: int = 0,
    log: Path | None = None,
    progress: Callable[[int, str], None] | None = None,
) -> dict[str, Any]:
    """Train on what phase 1 kept, teacher forced; gives the held-out figures before and after.

    Step n is a function of (seed, n), and its words are the same for every arm. Raises HornbookError when the loss is
    not a number.
    """
    model.train()
    before = measure(model, kept, seed)
    optimizers = make_optimizers(model.model, plain := options.plain)
    written = Log(log, 0) if log else None
    for step in range(options.steps):
        torch.manual_seed(key(seed, "dropout", step))
        ids, layout, rounds = make_batch(model, kept, options, seed, step)
        filled = model(ids, layout, rounds, options.gradient)
        found = losses(filled, ids, layout, model.dense_id)
        count = int((layout.follows & ~layout.dense).sum())
        loss = found.words.sum() / count
        if options.emission and options.arm != "plain":
            loss = loss + options.emission * found.emission.sum() / count
        loss.backward()
        norm = float(torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip))
        words = float(found.words.detach().sum()) / count
        if not (math.isfinite(words) and math.isfinite(norm)):
            raise HornbookError(
                f"step {step + 1}: the loss is {words} and the gradient's length {norm}: try a lower learning rate "
                f"than {options.learning_rate}"
            )
        rate = learning_rate(plain, step)
        take_step(optimizers, rate)
        if (step + 1) % options.log_every == 0 or step + 1 == options.steps:
            if written:
                written.write(
                    "train", {"step": step + 1, "loss": words, "learning_rate": rate, "gradient_norm": norm}
                )
            if progress:
                progress(step + 1, f"loss {words:.3f}")
    after = measure(model, kept, seed)
    if written:
        written.write("evaluate", {"step": options.steps, **after})
    return {"before": before, "after": after}


@torch.inference_mode()
def measure(model: DenseModel, kept: Kept, seed: int, batch: int = 32) -> dict[str, float]:
    """Score held-out words in bits per byte: without dense tokens, with pause tokens, and with vectors.

    The words are the same for all three, the first of each window left out; the dense tokens stand at places that
    chance chooses, as many as in training, and are filled one by one.
    """
    was_training = model.training
    model.eval()
    count = kept.places.shape[1]
    weights = np.ones(kept.heldout.shape)
    weights[:, -1] = 0
    draws = Draws(seed, "measure", np.arange(len(kept.heldout)))
    places = choose_places(draws, "places", weights, 1, count)[:, 0]
    totals = {"plain": 0.0, "pause": 0.0, "dense": 0.0}
    for first in range(0, len(places), batch):
        words, after = kept.heldout[first : first + batch], places[first : first + batch]
        for arm in totals:
            put = words if arm == "plain" else insert(words, after, model.dense_id).ids
            ids = _tensor(model, put)
            layout = model.layout(ids)
            filled = model(ids, layout, None if arm == "dense" else 0)
            totals[arm] += float(losses(filled, ids, layout, model.dense_id).words.double().sum())
    model.train(was_training)
    scored = kept.heldout[:, 1:].size * kept.bytes_per_token * math.log(2)
    return {f"{arm} bits per byte": total / scored for arm, total in totals.items()}


def make_batch(
    model: DenseModel, kept: Kept, options: DenseTraining, seed: int, step: int
) -> tuple[Tensor, Any, int | None]:
    """Make the batch of a step: ids, layout and rounds."""
    epochs, places = np.divmod(step * options.batch + np.arange(options.batch), len(kept.words))
    rows: Ints = np.empty(options.batch, np.int64)
    for epoch in np.unique(epochs):
        here = epochs == epoch
        rows[here] = permute(places[here], len(kept.words), key(seed, "order", int(epoch)))
    words = kept.words[rows].astype(np.int64)
    put = words if options.arm == "plain" else insert(words, kept.places[rows], model.dense_id).ids
    ids = _tensor(model, put)
    rounds = options.rounds if options.arm == "dense" else 0
    if options.random_rounds and rounds:
        rounds = int(Draws(seed, step, np.zeros(1, np.int64)).integers("rounds", 1, rounds + 1)[0, 0])
    return ids, model.layout(ids), rounds


def _tensor(model: DenseModel, ids: Ints) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(ids, np.int64)).to(model.model.device)
