"""Optimizers, and their state as plain tensors by parameter name."""

import torch
from torch import Tensor, nn

from hornbook.recipe import Training


def make_optimizer(model: nn.Module, training: Training) -> torch.optim.Optimizer:
    """Make AdamW (Loshchilov and Hutter, 2019), decaying matrices but not biases or normalisations."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [one for one in parameters if one.ndim >= 2], "weight_decay": training.weight_decay},
        {"params": [one for one in parameters if one.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=training.betas, eps=training.epsilon, fused=True)


def optimizer_state(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Name every tensor of the optimizer's state after its parameter, such as `lm_head.weight|exp_avg`."""
    names: dict[Tensor, str] = {parameter: name for name, parameter in model.named_parameters()}
    return {
        f"{names[parameter]}|{key}": value.detach().clone().contiguous()
        for parameter, state in optimizer.state.items()
        for key, value in state.items()
    }


def restore_optimizer(model: nn.Module, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what `optimizer_state` gave."""
    parameters = dict(model.named_parameters())
    for name, tensor in tensors.items():
        parameter, _, key = name.rpartition("|")
        device = parameters[parameter].device
        optimizer.state[parameters[parameter]][key] = tensor.to(device)
