"""The training of a run: how many steps, how large, with which optimizer and learning rate, and what is recorded."""

from itertools import pairwise
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationInfo, field_validator, model_validator

from hornbook.errors import HornbookError
from hornbook.optimizers import OPTIMIZERS
from hornbook.registry import Registry
from hornbook.schedules import SCHEDULES
from hornbook.section import Section


class Phase(Section):
    """Steps of a run with sequences of one length, such as BERT's 128 tokens for 90 % of the steps, then 512."""

    length: int = Field(ge=2)
    """Tokens in a sequence, special tokens included; at most model.length."""
    share: float | None = Field(None, gt=0, le=1)
    """Share of the steps, instead of their number; the shares of all phases add up to 1."""
    steps: int | None = Field(None, ge=1)
    """Optimizer steps, instead of a share; the steps of all phases add up to training.steps."""
    batch: int | None = Field(None, ge=1)
    """Sequences in a step; by default training.batch."""


class ResolvedPhase(NamedTuple):
    """A phase with its steps and batch worked out."""

    length: int
    steps: int
    batch: int


class Training(Section):
    """How long, how fast and how it is recorded."""

    steps: int = Field(ge=1)
    """Optimizer steps."""
    batch: int = Field(32, ge=1)
    """Sequences in a step, over all processes."""
    accumulate: int = Field(1, ge=1)
    """Parts in which each process computes its share of a step, for less memory; the gradients are the same."""
    optimizer: str = "adamw"
    """The optimizer: adamw, adafactor, muon (for the hidden matrices, with AdamW for the rest), or one that another
    package registers."""
    phases: tuple[Phase, ...] = ()
    """Lengths and batches that change during training; by default, all steps have model.length and batch."""
    learning_rate: float = Field(1e-3, gt=0)
    """The highest learning rate of the schedule. By default it is the optimizer's own: 1e-3, or 1e-2 for adafactor,
    which multiplies it by each parameter's size."""
    schedule: str = "cosine"
    """How the learning rate falls after the warmup: linear, cosine, inverse-square-root, constant, or one that another
    package registers."""
    warmup: int | None = Field(None, ge=0)
    """Steps in which the learning rate rises from 0. By default a twentieth of all steps, but at least 100, or a
    quarter of all steps if that is fewer."""
    floor: float = Field(0.0, ge=0, le=1)
    """The learning rate at the end of linear and cosine, as a share of the highest."""
    betas: tuple[float, float] = (0.9, 0.95)
    """The decay rates of AdamW's two averages."""
    epsilon: float = Field(1e-8, gt=0)
    """AdamW's guard against division by zero."""
    weight_decay: float = Field(0.1, ge=0)
    """Weight decay of AdamW and Muon, on matrices; biases and normalisations get none."""
    clip: float | None = Field(1.0, gt=0)
    """The largest norm of the gradient, over all parameters; a larger gradient is clipped to it."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Number format of the matrix products; auto takes what HORNBOOK_PRECISION says, or else bf16 where
    the machine has units for it."""
    evaluate_every: int | None = Field(None, ge=1)
    """Steps between measurements of the held-out loss; by default a tenth of all steps."""
    evaluate_windows: int = Field(256, ge=1)
    """How many held-out sequences are measured at most; always the same ones."""
    checkpoint_every: int | None = Field(None, ge=1)
    """Steps between checkpoints; by default a tenth of all steps."""
    keep: int = Field(2, ge=1)
    """How many of the newest checkpoints are kept; if the newest is damaged, the one before it is used."""
    log_every: int = Field(10, ge=1)
    """Steps between lines of the log."""
    workers: int = Field(0, ge=0)
    """Processes that make batches ahead of time; with 0 the training process makes them, at almost no cost."""
    trackers: list[str] = Field(default_factory=lambda: ["tensorboard"])
    """Accelerate's trackers, or those that other packages register; log.jsonl is always written as well."""

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, given: Any) -> Any:
        """Take the optimizer's own learning rate if none is given."""
        if isinstance(given, dict) and (spec := OPTIMIZERS.get(given.get("optimizer", "adamw"))):
            return {"learning_rate": spec.learning_rate} | given
        return given

    @field_validator("optimizer", "schedule")
    @classmethod
    def _registered(cls, name: str, about: ValidationInfo) -> str:
        registry: Registry[Any] = OPTIMIZERS if about.field_name == "optimizer" else SCHEDULES
        try:
            registry.find(name)
        except HornbookError as error:
            raise ValueError(str(error)) from error  # told with the recipe's other problems
        return name

    @model_validator(mode="after")
    def _fit(self) -> "Training":
        for batch in [self.batch, *(phase.batch for phase in self.phases if phase.batch)]:
            if batch < self.accumulate:
                raise ValueError(
                    f"batch {batch} can't be computed in accumulate {self.accumulate} parts: make it larger"
                )
        if self.warmup_steps >= self.steps:
            raise ValueError(
                f"warmup {self.warmup_steps} leaves nothing of steps {self.steps}: take a smaller warmup"
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

    @property
    def warmup_steps(self) -> int:
        """Steps of warmup, with the default worked out."""
        # A short run needs a warmup too: at first, Adam's averages hold few gradients.
        return max(self.steps // 20, min(100, self.steps // 4)) if self.warmup is None else self.warmup

    def every(self, chosen: int | None) -> int:
        """Work out the default for evaluate_every and checkpoint_every."""
        return chosen or max(1, self.steps // 10)
