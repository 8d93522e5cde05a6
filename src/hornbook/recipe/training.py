"""The training of a run: lengths, batches and parts of its steps, and what is recorded."""

from itertools import pairwise
from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from hornbook.optimizers import OPTIMIZERS
from hornbook.recipe.optimization import Optimization
from hornbook.section import Section


class Phase(Section):
    """Steps of a run with sequences of one length, such as BERT's 128 tokens for 90 % of the steps, then 512."""

    length: int = Field(ge=2, le=10**9)
    """Tokens in a sequence, special tokens included; at most model.length."""
    share: float | None = Field(None, gt=0, le=1)
    """Share of the steps, instead of their number; the shares of all phases add up to 1."""
    steps: int | None = Field(None, ge=1, le=10**12)
    """Optimizer steps, instead of a share; the steps of all phases add up to training.steps."""
    batch: int | None = Field(None, ge=1, le=10**9)
    """Sequences in a step; by default training.batch."""


class ResolvedPhase(NamedTuple):
    """A phase with its steps and batch worked out."""

    length: int
    steps: int
    batch: int


class Training(Optimization):
    """The keys of `training`; those that the training of dense tokens has, too, are in `Optimization`."""

    accumulate: int = Field(1, ge=1, le=10**9)
    """Micro-batches into which each process splits its share of `batch`, for less memory (gradient accumulation). The
    gradients are the same: unlike transformers' gradient_accumulation_steps, it doesn't make a step's batch larger."""
    shard: bool = Field(False, strict=True)
    """Whether several processes divide weights, gradients and the optimizer's state among them (FSDP2), for less memory
    in each. Otherwise each holds all of it (DDP). One process alone is not changed by it."""
    phases: tuple[Phase, ...] = ()
    """Lengths and batches that change during training; by default, all steps have model.length and batch."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Number format of the matrix products; auto takes what HORNBOOK_PRECISION says, or else bf16 where
    the machine has units for it."""
    evaluate_every: int | None = Field(None, ge=1, le=10**12)
    """Steps between measurements of the held-out loss; by default a tenth of all steps."""
    evaluate_windows: int = Field(256, ge=1, le=10**9)
    """How many held-out sequences are measured at most; always the same ones."""
    workers: int = Field(0, ge=0, le=1024)
    """Processes that make batches ahead of time; with 0 the training process makes them, at almost no cost."""
    trackers: list[str] = Field(default_factory=lambda: ["tensorboard"])
    """Accelerate's trackers, or those that other packages register; log.jsonl is always written as well."""

    @model_validator(mode="after")
    def _has_parts(self) -> "Training":
        if self.shard and not OPTIMIZERS[self.optimizer].elementwise:
            raise ValueError(
                f"optimizer {self.optimizer} needs whole matrices, and with shard each process has a part of them: set "
                "training.optimizer to adamw, or training.shard to false"
            )
        return self

    @model_validator(mode="after")
    def _batches_split(self) -> "Training":
        for batch in [self.batch, *(phase.batch for phase in self.phases if phase.batch)]:
            if batch < self.accumulate:
                raise ValueError(
                    f"a batch of {batch} can't be split into accumulate {self.accumulate} micro-batches: make batch "
                    "larger, or accumulate smaller"
                )
        if self.phases:
            self._steps_of(self.phases)
        return self

    def resolve_phases(self, length: int) -> list[ResolvedPhase]:
        """Work out the phases; without any, all steps are one phase, with sequences of `length` tokens."""
        phases = self.phases or (Phase(length=length, steps=self.steps),)
        return [
            ResolvedPhase(phase.length, steps, phase.batch or self.batch)
            for phase, steps in zip(phases, self._steps_of(phases), strict=True)
        ]

    def _steps_of(self, phases: tuple[Phase, ...]) -> list[int]:
        """Count each phase's steps. Raises ValueError if they aren't given, or don't add up."""
        counted = [phase.steps for phase in phases if phase.steps is not None]
        shares = [phase.share for phase in phases if phase.share is not None]
        if (len(counted), len(shares)) not in ((len(phases), 0), (0, len(phases))):
            raise ValueError(
                "phases: give each its steps or its share, and choose the same one for all of them"
            )
        if counted:
            if sum(counted) != self.steps:
                raise ValueError(
                    f"phases: their steps add up to {sum(counted)}, but steps is {self.steps}: make them equal"
                )
            return counted
        if abs(sum(shares) - 1) > 1e-6:
            raise ValueError(f"phases: their shares add up to {sum(shares):g}, not to 1: change one of them")
        edges = [round(self.steps * sum(shares[:number])) for number in range(len(shares) + 1)]
        steps = [last - first for first, last in pairwise(edges)]
        if 0 in steps:
            raise ValueError(
                f"phases: a share of {shares[steps.index(0)]:g} is less than one step of steps {self.steps}: "
                "take a larger share, or more steps"
            )
        return steps
