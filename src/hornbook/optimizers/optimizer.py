"""What every optimizer declares: its name, its usual learning rate, and which parameters it steps in which way."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Protocol

from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from transformers import PreTrainedModel


class OptimizerSettings(Protocol):
    """The part of a recipe's training section that an optimizer may read."""

    @property
    def betas(self) -> tuple[float, float]:
        """AdamW's two averages."""

    @property
    def epsilon(self) -> float:
        """AdamW's guard against division by zero."""

    @property
    def weight_decay(self) -> float:
        """Weight decay of matrices."""


class OptimizerSpec(ABC):
    """An optimizer that a recipe can name.

    Each optimizer has to declare every attribute that is annotated here without a value. If one is missing, registering
    the optimizer fails and names it. The schedule sets the learning rate before each step.
    """

    name: ClassVar[str]
    """Its name in a recipe."""
    title: ClassVar[str]
    """Its name on pages and in tables."""
    paper: ClassVar[str]
    """Where it was published."""
    learning_rate: ClassVar[float]
    """The highest learning rate, if a recipe states none."""
    elementwise: ClassVar[bool] = False
    """Whether a number's step depends on this number's own gradients alone, so that a part of a matrix is enough."""

    @abstractmethod
    def make(
        self, model: PreTrainedModel, settings: OptimizerSettings, matrices: tuple[type[nn.Module], ...]
    ) -> list[Optimizer]:
        """Make PyTorch's optimizers; each parameter that learns is in one of them.

        `matrices` are the layers whose `weight` is a matrix between hidden states, as the family declares them;
        empty where no family declares the architecture.
        """


def adamw(parameters: Sequence[Tensor], settings: OptimizerSettings) -> AdamW:
    """Make AdamW for these parameters: it decays matrices, but not biases and normalisations."""
    groups = [
        {"params": [one for one in parameters if one.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [one for one in parameters if one.ndim < 2], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=0.0, betas=settings.betas, eps=settings.epsilon, fused=True)


def trainable(model: nn.Module) -> list[Tensor]:
    """Give the parameters that learn, shared ones once."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]
