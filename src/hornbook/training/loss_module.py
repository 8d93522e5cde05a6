"""A model with its objective, as one module: what Accelerate wraps."""

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from hornbook.families import Family
from hornbook.objectives import Objective


class LossModule(nn.Module):
    """Computes an objective's loss on a model.

    Distributed wrappers synchronise gradients around one module's forward, so the loss is computed inside it.
    """

    def __init__(
        self, family: Family, objective: Objective, model: PreTrainedModel, bf16: bool = False
    ) -> None:
        super().__init__()
        self.family, self.objective, self.model, self.bf16 = family, objective, model, bf16

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Give the objective's sums and counts, shape (terms,) each."""
        with torch.autocast(self.model.device.type, torch.bfloat16, enabled=self.bf16):
            return self.objective.loss(self.family, self.model, batch)
