"""The optimizers that a recipe can name, and their state as plain tensors by parameter name."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.optim import Adafactor, AdamW, Optimizer
from transformers import PreTrainedModel

from hornbook.errors import HornbookError
from hornbook.recipe import Training
from hornbook.training.muon import Muon

# Against division by zero, and for parameters of size zero. PyTorch's own default of the first, 1.2e-7, is larger than
# the squared gradients of many a matrix, which then takes longer steps than the paper's; its square is used too, so
# that much below 1e-18 it would vanish in fp32, and rows without a gradient would become NaN.
_ADAFACTOR_GUARDS = (1e-18, 1e-3)


def make_optimizers(
    model: PreTrainedModel, training: Training, matrices: tuple[type[nn.Module], ...]
) -> list[Optimizer]:
    """Make what `training.optimizer` names; each parameter that learns is in one of the optimizers given.

    adamw (Loshchilov and Hutter, 2019) decays matrices, but not biases and normalisations. adafactor (Shazeer and
    Stern, 2018) takes steps in proportion to each parameter's size, as T5 was trained; it decays nothing. muon (Jordan
    et al., 2024) is for the matrices between hidden states, the `weight` of the layers in `matrices`; embeddings, the
    head and whatever is no matrix get AdamW. Raises HornbookError for muon where a matrix lies in another kind of
    layer, since nobody said what it is.
    """
    learned = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    if training.optimizer == "adafactor":
        return [Adafactor(learned.values(), lr=0.0, eps=_ADAFACTOR_GUARDS, weight_decay=0.0)]
    hidden = _hidden_matrices(model, matrices) if training.optimizer == "muon" else set()
    orthogonalised = [parameter for parameter in learned.values() if parameter in hidden]
    others = [parameter for parameter in learned.values() if parameter not in hidden]
    groups = [
        {"params": [one for one in others if one.ndim >= 2], "weight_decay": training.weight_decay},
        {"params": [one for one in others if one.ndim < 2], "weight_decay": 0.0},
    ]
    adamw = AdamW(groups, lr=0.0, betas=training.betas, eps=training.epsilon, fused=True)
    if not orthogonalised:
        return [adamw]
    return [adamw, Muon(orthogonalised, lr=0.0, weight_decay=training.weight_decay)]


def _hidden_matrices(model: PreTrainedModel, layers: tuple[type[nn.Module], ...]) -> set[Tensor]:
    """Find the matrices that don't touch the vocabulary; each has to be an embedding's, or of one of the `layers`."""
    head, found = model.get_output_embeddings(), set[Tensor]()
    for name, module in model.named_modules():
        if module is head or isinstance(module, nn.Embedding):
            continue
        for kind, parameter in module.named_parameters(recurse=False):
            if isinstance(module, layers) and kind == "weight":
                found.add(parameter)
            elif parameter.ndim >= 2:
                layer = type(module).__name__
                known = ", ".join(one.__name__ for one in layers) or "none"
                raise HornbookError(
                    f"{type(model).__name__}: {name}.{kind} is a matrix in a {layer}, and muon takes the weights of "
                    f"these layers: {known}. Add {layer} to `matrices` in the family, or set training.optimizer to "
                    "adamw"
                )
    return found


def take_step(optimizers: Sequence[Optimizer], rate: float) -> None:
    """Move every parameter by its gradient at this learning rate, and let go of the gradients."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def optimizer_state(model: nn.Module, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
    """Name every tensor of the optimizers' state after its parameter, such as `lm_head.weight|exp_avg`."""
    names: dict[Tensor, str] = {parameter: name for name, parameter in model.named_parameters()}
    return {
        f"{names[parameter]}|{key}": value.detach().clone().contiguous()
        for optimizer in optimizers
        for parameter, state in optimizer.state.items()
        for key, value in state.items()
    }


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
