"""AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101)."""

from torch import nn
from torch.optim import Optimizer
from transformers import PreTrainedModel

from hornbook.optimizers.optimizer import OptimizerSettings, OptimizerSpec, adamw, trainable


class AdamWSpec(OptimizerSpec):
    """AdamW for every parameter; only matrices have weight decay."""

    name = "adamw"
    title = "AdamW"
    paper = "Loshchilov and Hutter 2019, arXiv:1711.05101"
    learning_rate = 1e-3
    elementwise = True

    def make(
        self, model: PreTrainedModel, settings: OptimizerSettings, matrices: tuple[type[nn.Module], ...]
    ) -> list[Optimizer]:
        """Make AdamW."""
        return [adamw(trainable(model), settings)]
