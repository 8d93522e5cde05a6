"""What a step needs in memory, estimated before it is taken: a machine that has far less kills the run in silence."""

from math import ceil
from typing import NamedTuple

import torch
from transformers import PreTrainedConfig, PreTrainedModel

from hornbook.errors import HornbookError
from hornbook.families import Family
from hornbook.memory import available_memory
from hornbook.recipe import Recipe
from hornbook.training.batches import BATCHES_AT_ONCE

_STATE = {"adamw": 4, "muon": 4, "adafactor": 3}
"""Numbers kept for each parameter: the weight, its gradient, and the optimizer's averages."""
_ROWS = 1024
"""Rows of logits that are there at once: those of a part of the loss, and their gradient."""
_SURE = 1.25
"""What is refused exceeds the memory by this factor: measured peaks are 0.8 to 1.3 times the estimate."""
_GIB = 2**30


class Needs(NamedTuple):
    """Bytes that a step needs in one process."""

    state: int
    """Weights, gradients, the optimizer's averages, and a part of the logits."""
    token: int
    """For each token of the part that is computed: what is kept for the backward pass."""
    read: int
    """For each token of a batch: the batches that are made ahead."""

    def step(self, tokens: int, parts: int) -> int:
        """Sum up for a step of so many tokens, computed in parts."""
        return self.state + self.read * tokens + self.token * ceil(tokens / parts)


def estimate(family: Family, model: PreTrainedModel, optimizer: str, ahead: int) -> Needs:
    """Estimate from a model, which may lie on the meta device, what its steps need.

    For the backward pass, each matrix keeps its input, and what follows it keeps the output: in fp32, 4 bytes times the
    sum of widths. A layer that shares its weights with others counts for each of them.
    """
    config, head = model.config, family.output(model)
    widths = sum(
        sum(module.get_parameter("weight").shape)
        for module in model.modules()
        if isinstance(module, family.matrices) and module is not head
    )
    shared = getattr(config, "num_hidden_layers", 1) // getattr(config, "num_hidden_groups", 10**9)
    vocabulary = getattr(config, "vocab_size", 0)
    parameters = sum(one.numel() for one in model.parameters())
    logits = 0 if head is not None else 3 * vocabulary  # a class of one's own may make them for every token
    return Needs(
        state=4
        * (_STATE.get(optimizer, 4) * parameters + _ROWS * vocabulary + (head.weight.numel() if head else 0)),
        token=4 * (widths * max(1, shared) + logits),
        read=24 * ahead,  # ids, labels and a mask, of 8 bytes each
    )


def check_memory(recipe: Recipe, config: PreTrainedConfig, processes: int = 1) -> None:
    """Refuse a step that needs far more memory than there is, with both figures and a setting that fits.

    Raises HornbookError. A class that can't be made on the meta device isn't checked.
    """
    family, training = recipe.model.family, recipe.training
    if (free := available_memory()) is None:
        return
    try:
        with torch.device("meta"):
            model = family.construct(config, recipe.objective.head)
    except HornbookError:
        return
    ahead = max(min(training.steps, BATCHES_AT_ONCE), 2 * training.workers)
    needs = estimate(family, model, training.optimizer, ahead)
    phase = max(recipe.phases, key=lambda one: one.length * one.batch)
    rows = ceil(phase.batch / processes)
    needed = needs.step(rows * phase.length, training.accumulate)
    if needed <= _SURE * free.bytes:
        return
    raise HornbookError(
        f"training.batch: {phase.batch:,} sequences of {phase.length:,} tokens need about {needed / _GIB:,.2f} GiB for "
        f"a step, and {free.what} {free.bytes / _GIB:,.2f} GiB: "
        f"{_way_out(needs, free.bytes, rows, phase.length, training.accumulate, processes)}"
    )


def _way_out(needs: Needs, free: int, rows: int, length: int, parts: int, processes: int) -> str:
    """Name the setting that makes a step fit, the one that changes least first."""
    room = free - needs.state - needs.read * rows * length
    if room >= needs.token * length:
        fitting = room // (needs.token * length)
        return f"set training.accumulate to {max(parts + 1, ceil(rows / fitting)):,}, which keeps the step the same"
    batch = (free - needs.state) // ((needs.read + needs.token) * length)
    if batch >= 1:
        return f"set training.batch to at most {batch * processes:,}"
    return f"its state alone takes {needs.state / _GIB:,.1f} GiB: take a smaller model, vocabulary or model.length"
