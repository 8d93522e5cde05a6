"""What every optimizer is: what it is called, its usual learning rate, and which parameters it gives to whom."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Protocol

from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from transformers import PreTrainedModel


class OptimizerSettings(Protocol):
    """What of a recipe's training section an optimizer may read."""

    @property
    def betas(self) -> tuple[float, float]:
        """AdamW's two averages."""

    @property
    def epsilon(self) -> float:
        """AdamW's guard against division by zero."""

    @property
    def weight_decay(self) -> float:
        """For matrices."""


class OptimizerSpec(ABC):
    """An optimizer that a recipe can name.

    What is annotated here without a value has to be declared: one that is missing is refused by name when it is
    registered. The learning rate is set before each step, by the schedule.
    """

    name: ClassVar[str]
    """As in a recipe."""
    title: ClassVar[str]
    """As people write it."""
    paper: ClassVar[str]
    """Where it was published."""
    learning_rate: ClassVar[float]
    """The highest learning rate, where a recipe states none."""

    @abstractmethod
    def make(
        self, model: PreTrainedModel, settings: OptimizerSettings, matrices: tuple[type[nn.Module], ...]
    ) -> list[Optimizer]:
        """Make PyTorch's optimizers; each parameter that learns is in one of them.

        `matrices` are the layers whose `weight` is a matrix between hidden states, as the family declares them.
        """


def adamw(parameters: Sequence[Tensor], settings: OptimizerSettings) -> AdamW:
    """Make AdamW for these parameters: it decays matrices, but not biases and normalisations."""
    groups = [
        {"params": [one for one in parameters if one.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [one for one in parameters if one.ndim < 2], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=0.0, betas=settings.betas, eps=settings.epsilon, fused=True)


def learned(model: nn.Module) -> list[Tensor]:
    """Give the parameters that learn, shared ones once."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]
