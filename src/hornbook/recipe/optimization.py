"""How the steps of any training are taken: how many, how large, with which optimizer and learning rate."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from hornbook.errors import HornbookError
from hornbook.optimizers import OPTIMIZERS
from hornbook.registry import Registry
from hornbook.schedules import SCHEDULES
from hornbook.section import Section

Decay = Annotated[float, Field(ge=0, lt=1)]


class Optimization(Section):
    """Steps, optimizer, learning rate and schedule, and how often they are written down and saved."""

    usual: ClassVar[float] = 1.0
    """The share of the optimizer's own learning rate that is taken where none is given."""

    steps: int = Field(ge=1, le=10**12)
    """Optimizer steps."""
    batch: int = Field(32, ge=1, le=10**9)
    """Sequences in a step, over all processes."""
    optimizer: str = "adamw"
    """The optimizer: adamw, adafactor, muon (for the hidden matrices, with AdamW for the rest), or one that another
    package registers."""
    learning_rate: float = Field(1e-3, gt=0, le=1e30)
    """The highest learning rate of the schedule. By default it is the optimizer's own: 1e-3, or 1e-2 for adafactor,
    which multiplies it by each parameter's size."""
    schedule: str = "cosine"
    """How the learning rate falls after the warmup: linear, cosine, inverse-square-root, constant, or one that another
    package registers."""
    warmup: int | None = Field(None, ge=0, le=10**12)
    """Steps in which the learning rate rises from 0. By default a twentieth of all steps, but at least 100, or a
    quarter of all steps if that is fewer."""
    floor: float = Field(0.0, ge=0, le=1)
    """The learning rate at the end of linear and cosine, as a share of the highest."""
    betas: tuple[Decay, Decay] = (0.9, 0.95)
    """The decay rates of AdamW's two averages, from 0 to below 1."""
    epsilon: float = Field(1e-8, gt=0, le=1)
    """AdamW's guard against division by zero."""
    weight_decay: float = Field(0.1, ge=0, le=1000)
    """Weight decay of AdamW and Muon, on matrices; biases and normalisations get none."""
    clip: float | None = Field(1.0, gt=0, le=1e30)
    """The largest norm of the gradient, over all parameters; a larger gradient is clipped to it."""
    checkpoint_every: int | None = Field(None, ge=1, le=10**12)
    """Steps between checkpoints; by default a tenth of all steps."""
    keep: int = Field(2, ge=1, le=10**9)
    """How many of the newest checkpoints are kept; if the newest is damaged, the one before it is used."""
    log_every: int = Field(10, ge=1, le=10**12)
    """Steps between lines of the log."""

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, given: Any) -> Any:
        """Take the optimizer's own learning rate where none is given."""
        if isinstance(given, dict) and (spec := OPTIMIZERS.get(given.get("optimizer", "adamw"))):
            return {"learning_rate": cls.usual * spec.learning_rate} | given
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
    def _warms_up(self) -> Self:
        if self.warmup_steps >= self.steps:
            raise ValueError(
                f"warmup {self.warmup_steps} leaves nothing of steps {self.steps}: take a smaller warmup"
            )
        return self

    @property
    def warmup_steps(self) -> int:
        """Steps of warmup, with the default worked out."""
        # A short run needs a warmup too: Adam's averages are of few gradients at first.
        return max(self.steps // 20, min(100, self.steps // 4)) if self.warmup is None else self.warmup

    def every(self, chosen: int | None) -> int:
        """Work out the default for evaluate_every and checkpoint_every."""
        return chosen or max(1, self.steps // 10)
