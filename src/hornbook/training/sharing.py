"""How processes share a model in training: each holds the whole of it (DDP), or a part of it (FSDP2)."""

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from hornbook.errors import HornbookError
from hornbook.objectives.batch_to_loss import LossModule
from hornbook.optimizers import named_state, optimizer_state, restore_optimizers
from hornbook.recipe import Recipe


class Replicas:
    """Each process holds the whole model, and gradients are averaged over processes; one alone shares nothing."""

    sharded = False
    """Whether each process has a part of the model alone, so that none can save without the others."""

    def __init__(self, module: LossModule, accelerator: Accelerator) -> None:
        self.accelerator, self._whole = accelerator, module
        self.module: Any = module
        """What computes the loss in training."""

    @property
    def model(self) -> Any:
        """The model whose parameters are trained."""
        return self._whole.model

    def begin(self) -> None:
        """Begin to share; called before the first step."""
        self.module = self.accelerator.prepare(self._whole)

    def summing(self, more: bool) -> AbstractContextManager[Any]:
        """Share the gradients of the backward pass inside, unless `more` of them are to be summed first."""
        return self.accelerator.no_sync(self.module) if more else nullcontext()

    def clip(self, longest: float | None) -> Any:
        """Clip the gradient to a length, and give the length that it had."""
        return clip_grad_norm_(self.model.parameters(), longest or math.inf, foreach=True)

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Let the loop's own model have its weights inside; all processes must call this."""
        yield

    def state(self, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
        """Give the optimizers' state as whole tensors to the first process; all processes must call this."""
        return optimizer_state(self.model, optimizers)

    def restore(self, optimizers: Sequence[Optimizer], tensors: dict[str, Tensor]) -> None:
        """Put back what `state` gave."""
        restore_optimizers(self.model, optimizers, tensors)

    def end(self) -> None:
        """Let go of all that holds the group of processes; the loop's own model has its weights."""
        self.module = None
        self.accelerator.free_memory()  # else it keeps the wrapped module


class Shards(Replicas):
    """Each process holds a part of every weight, gradient and average (Zhao et al. 2023, arXiv:2304.11277).

    The loop's own model stays a plain one, which is without weights while steps are taken: callbacks, held-out loss and
    checkpoints use it as they always do, inside `gathered`.
    """

    sharded = True

    def __init__(self, module: LossModule, accelerator: Accelerator, layers: Sequence[nn.Module]) -> None:
        super().__init__(module, accelerator)
        mesh = init_device_mesh(accelerator.device.type, (accelerator.num_processes,))
        known: dict[int, Any] = {id(one): one for one in module.model.buffers()}  # both have the same ones
        copied, model = deepcopy((list(layers), module.model), known)
        self.module = LossModule(module.family, module.objective, model, module.bf16)
        try:
            for one in (*copied, self.module):
                part: Any = fully_shard(one, mesh=mesh)
                part.set_force_sum_reduction_for_comms(True)  # gloo has no averages
        except ValueError as error:
            raise HornbookError(f"training.shard: {error}; or set training.shard to false") from error
        self._is_whole = True

    @property
    def model(self) -> Any:
        """The model whose parameters are trained: their parts that are here."""
        return self.module.model

    def begin(self) -> None:
        """Drop the whole weights."""
        # A loss can be a view of another tensor, and nothing is added to it in place.
        warnings.filterwarnings("ignore", "FSDP2-wrapped module")
        self._drop()

    def summing(self, more: bool) -> AbstractContextManager[Any]:
        """Share the gradients of the backward pass inside, unless `more` of them are to be summed first."""
        self.module.set_requires_gradient_sync(not more)
        return nullcontext()

    def clip(self, longest: float | None) -> Any:
        """Clip the gradient, of which each process has a part, to a length, and give the length that it had."""
        return _whole(super().clip(longest))

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Let the loop's own model have its weights inside; all processes must call this."""
        if self._is_whole:
            yield
            return
        self._fill()
        try:
            yield
        finally:
            self._drop()

    def state(self, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
        """Give the optimizers' state as whole tensors to the first process; all processes must call this."""
        found = {}
        for name, one in named_state(self.model, optimizers):
            whole = _whole(one)
            if self.accelerator.is_main_process:  # the others would only need memory for it
                found[name] = whole.cpu()
        return found

    def restore(self, optimizers: Sequence[Optimizer], tensors: dict[str, Tensor]) -> None:
        """Put back this process's part of what `state` gave."""
        parts = dict(self.model.named_parameters())
        for name, tensor in tensors.items():
            part = parts[name.rpartition("|")[0]]
            if tensor.shape == part.shape:  # a count of steps isn't divided
                placed = tensor.to(part.device), part.device_mesh, part.placements
                tensors[name] = distribute_tensor(*placed, src_data_rank=None)
        super().restore(optimizers, tensors)

    def end(self) -> None:
        """Let go of all that holds the group of processes; the loop's own model has its weights."""
        self._fill()
        super().end()

    @torch.no_grad()
    def _fill(self) -> None:
        for there, part in self._pairs():
            there.data = _whole(part)
        self._is_whole = True

    def _drop(self) -> None:
        for there, _ in self._pairs():
            there.data = there.new_empty(0)
        self._is_whole = False

    def _pairs(self) -> Iterator[tuple[nn.Parameter, nn.Parameter]]:
        return zip(self._whole.parameters(), self.module.parameters(), strict=True)


def share(module: LossModule, accelerator: Accelerator, recipe: Recipe, trains: bool) -> Replicas:
    """Let the processes share a model as the recipe says; one alone, or a run that is finished, divides nothing."""
    if not (recipe.training.shard and trains and accelerator.num_processes > 1):
        return Replicas(module, accelerator)
    # A class of one's own may read weights of a list's members elsewhere than in their forward.
    return Shards(module, accelerator, [] if recipe.model.code else layers_of(module.model))


def layers_of(model: nn.Module) -> list[nn.Module]:
    """Find a model's layers: what stands in its outermost lists of modules."""
    found: list[nn.Module] = []
    for child in model.children():
        found += child if isinstance(child, nn.ModuleList) else layers_of(child)
    return found


def _whole(tensor: Tensor) -> Tensor:
    """Gather a tensor of which each process holds a part."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
