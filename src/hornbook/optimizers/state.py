"""An optimizer's step, and its state as plain tensors by parameter name."""

from collections.abc import Iterator, Sequence

from torch import Tensor, nn
from torch.optim import Optimizer


def step_optimizers(optimizers: Sequence[Optimizer], rate: float) -> None:
    """Take one step at this learning rate, and free the gradients."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def named_state(model: nn.Module, optimizers: Sequence[Optimizer]) -> Iterator[tuple[str, Tensor]]:
    """Name every tensor of the optimizers' state after its parameter, such as `lm_head.weight|exp_avg`."""
    names: dict[Tensor, str] = {parameter: name for name, parameter in model.named_parameters()}
    for optimizer in optimizers:
        for parameter, state in optimizer.state.items():
            for key, value in state.items():
                yield f"{names[parameter]}|{key}", value.detach()


def optimizer_state(model: nn.Module, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
    """Copy the optimizers' state, each tensor under the name of `named_state`."""
    return {name: value.clone().contiguous() for name, value in named_state(model, optimizers)}


def restore_optimizers(model: nn.Module, optimizers: Sequence[Optimizer], tensors: dict[str, Tensor]) -> None:
    """Put back what `optimizer_state` gave."""
    parameters = dict(model.named_parameters())
    serving = {
        one: optimizer
        for optimizer in optimizers
        for group in optimizer.param_groups
        for one in group["params"]
    }
    for name, tensor in tensors.items():
        path, _, key = name.rpartition("|")
        parameter = parameters[path]
        serving[parameter].state[parameter][key] = tensor.to(parameter.device)
