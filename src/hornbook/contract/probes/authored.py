"""What a teacher would ask of a class that somebody wrote: each probe measures one thing, and leaves it as it was."""

import copy
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.overrides import TorchFunctionMode
from transformers import PreTrainedModel

from hornbook.blame import assigned_at, is_own, is_users, told
from hornbook.contract.probes.network import LENGTH, Network, View
from hornbook.errors import HornbookError
from hornbook.families.custom import Custom
from hornbook.families.custom.declarations import taken
from hornbook.families.weights import read_weights, whole
from hornbook.internals import choose_mask
from hornbook.objectives import Objective
from hornbook.quiet import quiet

_NOISE = 1e-5
_APART = 1e-4
"""Relative: how far two ways to compute the same may be from each other in fp32."""

_MAKERS = frozenset(
    getattr(torch, name)
    for name in (
        "arange",
        "empty",
        "eye",
        "full",
        "linspace",
        "ones",
        "rand",
        "randint",
        "randn",
        "tensor",
        "zeros",
    )
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


def without_positions(family: Custom, model: Any) -> bool:
    """Tell whether the recipe left the position table at zero (`Family.forget_positions`)."""
    if family.position_table is None:
        return False
    return not model.base_model.get_submodule(family.position_table).weight.requires_grad


def padding_before(network: Network, view: View) -> float:
    """Change the words under a mask before a text: the largest change of the text's outputs, relative."""
    ids, others = network.ids(2), network.ids(2, seed=2)
    mask = torch.ones_like(ids)
    mask[:, : LENGTH // 2] = 0
    changed = torch.where(mask == 1, ids, torch.where(others == ids, ids.roll(1, 1), others))
    ours, theirs = (network.quietly(view, one, mask)[:, LENGTH // 2 :] for one in (changed, ids))
    return _relative(ours, theirs)


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
    with torch.enable_grad(), _evaluating(module):
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
        return self.objective.loss(self.family, model, batch)[0].sum()


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
    ids, runs = network.ids(2), []
    for seed in (0, 1):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            runs.append(network.quietly(view, ids, torch.ones_like(ids) if view.masked else None))
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
        """Compute as ever."""
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


def apart_from_its_class(family: Custom, model: PreTrainedModel, batch: Mapping[str, Tensor]) -> float:
    """Compare the logits that the loss is computed from with those of `forward`: the largest difference, relative."""
    given = {name: value[:2].to(model.device) for name, value in batch.items()}
    known = taken(type(model), frozenset(given))
    with torch.no_grad(), _evaluating(model):
        ours = family.logits(model, family.hidden(model, given))
        all_known = {name: value for name, value in given.items() if name in known}
        theirs = _logits(model(**all_known, **family.arguments))
    return _relative(ours, theirs)


def apart_from_parent(family: Custom, model: PreTrainedModel, network: Network) -> float | list[str]:
    """Make the class and its parent with the values under which they should be one, and compare their logits.

    Gives the largest difference, relative, or the names of the parent's weights for which the class has no place.
    """
    config = copy.deepcopy(model.config)
    choose_mask(
        config, "eager"
    )  # ours is chosen once a model is made, and some classes refuse to begin with it
    for name, value in (family.same_as_parent or {}).items():
        setattr(config, name, value)
    assert family.parent is not None
    with torch.random.fork_rng(devices=[]), quiet():
        torch.default_generator.manual_seed(0)
        own, parent = type(model)(copy.deepcopy(config)).eval(), family.parent(copy.deepcopy(config)).eval()
    lost = own.load_state_dict(parent.state_dict(), strict=False).unexpected_keys
    if lost:
        return list(lost)
    pair = [Network(one, network.head, network.rows, network.words) for one in (own, parent)]
    ours, theirs = (torch.cat([one.quietly(view, one.ids(2)) for view in one.views()]) for one in pair)
    return _relative(ours, theirs)


def apart_from_its_document(family: Custom, model: PreTrainedModel, network: Network) -> float:
    """Compare a document in a packed row, told by positions that restart, with the document alone: relative."""
    ids = network.ids(2).to(model.device)
    half = LENGTH // 2
    places = torch.arange(LENGTH, device=model.device).remainder(half).expand_as(ids)
    with torch.no_grad(), _evaluating(model):
        packed = family.hidden(model, {"input_ids": ids, "position_ids": places})[:, half:]
        alone = family.hidden(model, {"input_ids": ids[:, half:]})
    return _relative(packed, alone)


def apart_once_saved(model: PreTrainedModel, network: Network) -> tuple[float, list[str]]:
    """Save the model and open it by transformers alone: how far its outputs move, relative, and what isn't saved."""
    with tempfile.TemporaryDirectory() as folder, quiet():
        model.save_pretrained(folder)
        opened = whole(*read_weights(type(model), folder, torch.float32), folder).to(model.device)
    again = Network(opened, network.head, network.rows, network.words)
    before, after = (
        torch.cat([one.quietly(view, one.ids(2)) for view in one.views()]) for one in (network, again)
    )
    saved = model.state_dict().keys()
    lost = [f"{name}{assigned_at(model, name)}" for name, _ in model.named_buffers() if name not in saved]
    return _relative(before, after), sorted(lost, key=lambda one: not one.endswith(")"))  # a user's first


def make_loss(family: Custom, objective: Objective, batch: Mapping[str, Tensor]) -> _Loss:
    """Give the loss of a batch, for `unreached`."""
    return _Loss(family, objective, batch)


def share(relative: float) -> str:
    """Put a difference into words."""
    return f"{relative:.1%} of the largest" if relative < 10 else "more than ten times the largest"


def is_apart(relative: float) -> bool:
    """Tell whether a difference is more than another order of sums makes; one that is no number is."""
    return not relative <= _APART


def _relative(ours: Tensor, theirs: Tensor) -> float:
    if ours.shape != theirs.shape:
        raise HornbookError(f"the shapes are {tuple(ours.shape)} and {tuple(theirs.shape)}")
    return float((ours.float() - theirs.float()).abs().max() / theirs.float().abs().max().clamp(min=1e-12))


def _logits(outputs: Any) -> Tensor:
    found = next(
        getattr(outputs, name)
        for name in ("logits", "prediction_logits")
        if isinstance(getattr(outputs, name, None), Tensor)
    )
    return torch.as_tensor(found)


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """Switch to evaluation mode for a while."""
    modes = {one: one.training for one in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for one, mode in modes.items():
            one.training = mode
