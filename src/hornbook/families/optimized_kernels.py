"""Hugging Face's modules, made to compute the same in fewer passes over memory."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from hornbook.families import attention
from hornbook.families.dropout import Dropout
from hornbook.internals import choose_attention, read
from hornbook.machine import own_kernels

_NewGELUActivation: Any = read("transformers.activations:NewGELUActivation")


def apply_optimized_kernels(model: PreTrainedModel, attend: bool = True) -> PreTrainedModel:
    """Change how a model's modules compute, in place: never what they compute, nor what is saved.

    `attend` tells whether attention is among them.
    """
    for module in model.modules():
        if type(module) is nn.Dropout:
            module.__class__ = Dropout
        for name, child in module.named_children():
            if type(child) is _NewGELUActivation:
                setattr(module, name, Gelu(approximate="tanh"))
    if attend:
        choose_attention(model, attention.NAME)
    return model


class Gelu(nn.GELU):
    """GELU in its tanh form (Hendrycks and Gimpel, 2016), in half the time where no gradient is asked for.

    1 + tanh(u) is 2 sigmoid(2u), and PyTorch's tanh takes six times as long as its sigmoid on a CPU.
    """

    def forward(self, given: Tensor) -> Tensor:
        """Compute GELU of each number."""
        if torch.is_grad_enabled() or given.dtype != torch.float32 or not own_kernels(given.device):
            return super().forward(given)
        inner = given.square()
        torch.addcmul(given, inner, given, value=0.044715, out=inner)
        return inner.mul_(2 * math.sqrt(2 / math.pi)).sigmoid_().mul_(given)
