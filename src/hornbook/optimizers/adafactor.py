"""Adafactor (Shazeer and Stern 2018, arXiv:1804.04235), as T5 was trained."""

from torch import nn
from torch.optim import Adafactor, Optimizer
from transformers import PreTrainedModel

from hornbook.optimizers.optimizer import OptimizerSettings, OptimizerSpec, trainable

# The first guards against division by zero, the second is for parameters of size zero. PyTorch's own default of the
# first, 1.2e-7, is larger than the squared gradients of many matrices, whose steps are then longer than the paper's.
# Its square is used too: much below 1e-18, the square would vanish in fp32, and rows without a gradient would be NaN.
_GUARDS = (1e-18, 1e-3)


class AdafactorSpec(OptimizerSpec):
    """Takes steps in proportion to each parameter's size, without weight decay."""

    name = "adafactor"
    title = "Adafactor"
    paper = "Shazeer and Stern 2018, arXiv:1804.04235"
    learning_rate = 1e-2

    def make(
        self, model: PreTrainedModel, settings: OptimizerSettings, matrices: tuple[type[nn.Module], ...]
    ) -> list[Optimizer]:
        """Make Adafactor."""
        return [Adafactor(trainable(model), lr=0.0, eps=_GUARDS, weight_decay=0.0)]
