"""What a teacher would ask of a class that somebody wrote: each probe measures one thing, and leaves it as it was."""

import copy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.overrides import TorchFunctionMode

from hornbook.blame import assigned_at, is_own, is_users, told
from hornbook.contract.probes.apart import evaluating, relative
from hornbook.contract.probes.network import LENGTH, Network, View
from hornbook.families.custom import Custom
from hornbook.objectives import Objective
from hornbook.objectives.batch_to_loss import compute_loss

_NOISE = 1e-5
_MAKERS = frozenset(
    getattr(torch, name)
    for name in "arange empty eye full linspace ones rand randint randn tensor zeros".split()  # noqa: SIM905
)


def no_numbers(module: nn.Module) -> list[str]:
    """Name the parameters that hold NaN or infinity, and where they are made."""
    return [
        f"{name} has {wrong:,} of {weight.numel():,} values that are no finite numbers{assigned_at(module, name)}"
        for name, weight in module.named_parameters()
        if (wrong := int((~weight.isfinite()).sum()))
    ]


def order_matters(network: Network, view: View) -> bool:
    """Swap the second word with the third, and see whether the output of another place moves."""
    ids = network.ids(2)
    swapped = ids.clone()
    swapped[0, 1:3] = ids[0, 1:3].flip(0)
    mask = torch.ones_like(ids) if view.masked else None
    before = network.quietly(view, ids, mask)
    apart = (network.quietly(view, swapped, mask) - before).abs()[0, 3:]
    return bool(apart.max() > _NOISE * before.abs().max())


def padding_before(network: Network, view: View) -> float:
    """Change the words under a mask before a text: the largest change of the text's outputs, relative."""
    ids, others = network.ids(2), network.ids(2, seed=2)
    mask = torch.ones_like(ids)
    mask[:, : LENGTH // 2] = 0
    changed = torch.where(mask == 1, ids, torch.where(others == ids, ids.roll(1, 1), others))
    ours, theirs = (network.quietly(view, one, mask)[:, LENGTH // 2 :] for one in (changed, ids))
    return relative(ours, theirs)


def unreached(network: Network, loss: "_Loss | None" = None) -> list[str]:
    """Name the parameters without gradient, and where they are made.

    All weights are moved a little first: what is zero at the start, by design, hides what stands before it.
    """
    module, generator = network.module, torch.Generator().manual_seed(0)
    weights = {name: one for name, one in module.named_parameters() if one.requires_grad}
    moved = {
        f"module.{name}": (
            one.detach() + 0.02 * torch.randn(one.shape, generator=generator).to(one)
        ).requires_grad_()
        for name, one in weights.items()
    }
    ids = network.ids(4, 2 * LENGTH).to(network.device)
    with torch.enable_grad(), evaluating(module):
        total = functional_call(_Total(network, loss), moved, (ids,))
        found = torch.autograd.grad(total, list(moved.values()), allow_unused=True)
    return [
        f"{name}{assigned_at(module, name)}"
        for name, gradient in zip(weights, found, strict=True)
        if gradient is None or not gradient.any()
    ]


class _Loss:
    """The loss of an objective on a batch."""

    def __init__(self, family: Custom, objective: Objective, batch: Mapping[str, Tensor]) -> None:
        self.family, self.objective, self.batch = family, objective, batch

    def __call__(self, model: Any) -> Tensor:
        batch = {name: value.to(model.device) for name, value in self.batch.items()}
        return compute_loss(self.family, self.objective, model, batch)[0].sum()


class _Total(nn.Module):
    """One number that depends on all that a network computes: its loss, and its outputs in a random direction."""

    def __init__(self, network: Network, loss: _Loss | None) -> None:
        super().__init__()
        self.module, self.network, self.loss = network.module, network, loss

    def forward(self, ids: Tensor) -> Tensor:
        """Add up the outputs of ids (batch, length), and the loss."""
        generator = torch.Generator().manual_seed(0)
        outputs = [view.run(ids, None) for view in self.network.views()]
        total = sum(
            (one.float() * torch.randn(one.shape, generator=generator).to(one)).sum() for one in outputs
        )
        return torch.as_tensor(total if self.loss is None else total + self.loss(self.module))


def random_in_evaluation(network: Network, view: View) -> float:
    """Give the largest difference between two runs of the same ids in evaluation mode, relative to the outputs."""
    ids = network.ids(2)
    mask = torch.ones_like(ids) if view.masked else None
    runs = [network.quietly(view, ids, mask, seed) for seed in (0, 1)]
    return float((runs[0] - runs[1]).abs().max() / runs[0].abs().max().clamp(min=1e-12))


def fails_in(network: Network, number: torch.dtype) -> str | None:
    """Say what goes wrong with a copy in another number format; None where nothing does."""
    copied = Network(
        copy.deepcopy(network.module).to(number).eval(), network.head, network.rows, network.words
    )
    try:
        with torch.no_grad():
            formats = {view.run(copied.ids(2).to(network.device), None).dtype for view in copied.views()}
    except Exception as error:  # whatever a forward raises
        return f"it can't be run: {told(error)}"
    return None if formats == {number} else f"it gives {formats.pop()}"


def made_without_device(network: Network) -> list[str]:
    """List the lines of a user's `forward` that make a tensor where nobody said, and never move it."""
    with _Makers() as makers:
        for view in network.views():
            network.quietly(view, network.ids(2))
    left = [
        f"{path or 'the module'}.{name} is a plain tensor{assigned_at(network.module, f'{path}.{name}'.strip('.'))}"
        for path, module in network.module.named_modules()
        for name, value in vars(module).items()
        if isinstance(value, Tensor) and is_users(module)
    ]
    return [*sorted(makers.lines), *left]


class _Makers(TorchFunctionMode):
    """Notes where a user's code makes tensors of more than one value without a device, and forgets those that move."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: set[str] = set()
        self._made: dict[int, tuple[Tensor, str]] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the function, and note what it makes."""
        result = func(*args, **(kwargs or {}))
        if func in _MAKERS:
            frame = sys._getframe(1)
            if (kwargs or {}).get("device") is None and is_own(frame.f_code.co_filename) and result.dim():
                self._note(result, f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
        elif args and (known := self._made.get(id(args[0]))):
            if getattr(func, "__name__", "") in ("to", "type_as", "cuda", "tolist", "item"):
                self.lines.discard(known[1])
            elif isinstance(result, Tensor):
                self._note(result, known[1])
        return result

    def _note(self, made: Tensor, line: str) -> None:
        self._made[id(made)] = (made, line)
        self.lines.add(line)


def make_loss(family: Custom, objective: Objective, batch: Mapping[str, Tensor]) -> _Loss:
    """Give the loss of a batch, for `unreached`."""
    return _Loss(family, objective, batch)
