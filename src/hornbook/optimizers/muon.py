"""Muon for matrices, with the orthogonalisation in fp32; AdamW for all else."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from transformers import PreTrainedModel

from hornbook.dtypes import sum_dtype, without_autocast
from hornbook.errors import HornbookError
from hornbook.optimizers.optimizer import OptimizerSettings, OptimizerSpec, adamw, trainable


class Muon(torch.optim.Muon):
    """PyTorch's Muon (Jordan et al., 2024, kellerjordan.github.io/posts/muon), in fp32 from end to end.

    PyTorch rounds the gradient to bf16 before the Newton-Schulz steps on every device. A CPU without bf16 units takes
    about twenty times longer for these steps than in fp32. For parameters in a narrower dtype, momentum and steps are
    in fp32 too; for parameters in fp64, they are in fp64.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take one step with Nesterov momentum: along the nearest (semi-)orthogonal matrix, 0.2 sqrt(max(m, n)) long.

        That length is Liu et al.'s (2025, "Muon is scalable for LLM training", section 2.2): the root mean square of
        a step then equals that of an AdamW step, so that one learning rate and one weight decay serve both.
        """
        for group in self.param_groups:
            rate, momentum = group["lr"], group["momentum"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                gradient = parameter.grad.to(sum_dtype(parameter.dtype))
                state = self.state[parameter]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(gradient)
                mean = state["momentum_buffer"].lerp_(gradient, 1 - momentum)
                update = orthogonalise(
                    gradient.lerp(mean, momentum), group["ns_coefficients"], group["ns_steps"]
                )
                parameter.mul_(1 - rate * group["weight_decay"])
                parameter.add_(update, alpha=-rate * 0.2 * max(parameter.shape) ** 0.5)


def orthogonalise(matrix: Tensor, coefficients: tuple[float, float, float], steps: int) -> Tensor:
    """Bring all singular values of a matrix (m, n) near 1, between about 0.7 and 1.2, and keep its singular vectors.

    Each of the `steps` applies an odd polynomial of fifth degree to the singular values (Newton-Schulz).
    """
    first, third, fifth = coefficients
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.mT
    wide = wide / wide.norm().clamp(min=1e-7)
    with without_autocast(matrix.device.type):
        for _ in range(steps):
            gram = wide @ wide.mT
            wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=third, alpha=fifth), wide, beta=first)
    return wide if matrix.shape[0] <= matrix.shape[1] else wide.mT


class MuonSpec(OptimizerSpec):
    """Muon for the matrices between hidden states; AdamW for embeddings, the head and all that isn't a matrix."""

    name = "muon"
    title = "Muon"
    paper = "Jordan et al. 2024, kellerjordan.github.io/posts/muon"
    learning_rate = 1e-3

    def make(
        self, model: PreTrainedModel, settings: OptimizerSettings, matrices: tuple[type[nn.Module], ...]
    ) -> list[Optimizer]:
        """Make both. Raises HornbookError if a matrix is in a layer that the family doesn't declare, or none does."""
        if not matrices:
            raise HornbookError(
                f"muon has to know which layers hold matrices, and no family declares it of the model type "
                f"{model.config.model_type!r}: take the optimizer adamw instead"
            )
        hidden = _hidden_matrices(model, matrices)
        orthogonalised = [parameter for parameter in trainable(model) if parameter in hidden]
        others = adamw([parameter for parameter in trainable(model) if parameter not in hidden], settings)
        if not orthogonalised:
            return [others]
        return [others, Muon(orthogonalised, lr=0.0, weight_decay=settings.weight_decay)]


def _hidden_matrices(model: PreTrainedModel, layers: tuple[type[nn.Module], ...]) -> set[Tensor]:
    """Find the matrices between hidden states; each matrix must be in an embedding, the head or one of `layers`."""
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
                    f"{type(model).__name__}: {name}.{kind} is a matrix in a {layer}, but muon only takes the weights "
                    f"of these layers: {known}. Add {layer} to `matrices` in the family, or set training.optimizer to "
                    "adamw"
                )
    return found
