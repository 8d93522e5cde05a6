"""Where in a module something first goes a way that it shouldn't: the innermost layer, and the user's line."""

from typing import Any

import torch
from torch import Tensor, nn

from hornbook.blame import assigned_at, is_users, written_at
from hornbook.contract.probes.network import Network, View

_NOISE = 1e-5


def origin(
    network: Network,
    view: View,
    ids: Tensor,
    changed: Tensor,
    masks: tuple[Tensor | None, Tensor | None],
    watched: Tensor,
) -> str:
    """Say which layer is the first whose outputs move at the places `watched` (batch, length) while its inputs don't.

    `ids` and `changed` (batch, length) are the two inputs, with a mask each. Given as the end of a sentence, with the
    line in the user's code where the layer is written or made; empty where no such layer or line is found.
    """
    (given, before), (also, after) = (
        _record(network, view, one, mask) for one, mask in zip((ids, changed), masks, strict=True)
    )
    for path in before:
        moved = _moved(before[path], after.get(path, []), watched)
        if moved and not _moved(given[path], also.get(path, []), watched):
            module = network.module.get_submodule(path)
            if is_users(module):
                return f"; the first layer to let it through is {path or 'the module itself'} ({written_at(module)})"
            if line := assigned_at(network.module, path):
                return f"; the first layer to let it through is {path}, a {type(module).__name__}{line}"
            return ""
    return ""


def _record(
    network: Network, view: View, ids: Tensor, mask: Tensor | None
) -> tuple[dict[str, list[Tensor]], dict[str, list[Tensor]]]:
    """Run, and keep the inputs and outputs of each layer, in the order in which the layers end."""
    given: dict[str, list[Tensor]] = {}
    gives: dict[str, list[Tensor]] = {}

    def keep(path: str) -> Any:
        def hook(_: nn.Module, args: Any, kwargs: Any, outputs: Any) -> None:
            found = outputs if isinstance(outputs, tuple | list) else [outputs]
            found = [*found, *outputs.values()] if isinstance(outputs, dict) else found
            given.setdefault(path, _of_places([*args, *kwargs.values()], ids))  # a shared layer's first run
            gives.setdefault(path, _of_places(found, ids))

        return hook

    hooks = [
        module.register_forward_hook(keep(path), with_kwargs=True)
        for path, module in network.module.named_modules()
    ]
    try:
        network.quietly(view, ids, mask)
    finally:
        for hook in hooks:
            hook.remove()
    return given, gives


def _of_places(found: Any, ids: Tensor) -> list[Tensor]:
    """Keep the tensors (batch, length, ...) that say something of each place."""
    return [
        one.detach().float().cpu() for one in found if isinstance(one, Tensor) and one.shape[:2] == ids.shape
    ]


def _moved(before: list[Tensor], after: list[Tensor], watched: Tensor) -> bool:
    """Tell whether any of some tensors changes at the watched places, beyond rounding."""
    return any(
        bool(((one - other)[watched].abs() > _NOISE * one.abs().max()).any())
        for one, other in zip(before, after, strict=False)
        if one.shape == other.shape
    )


def watch(ids: Tensor, row: int, first: int, last: int) -> Tensor:
    """Mark the places from `first` to before `last` of one text: True there, (batch, length)."""
    watched = torch.zeros_like(ids, dtype=torch.bool)
    watched[row, first:last] = True
    return watched
