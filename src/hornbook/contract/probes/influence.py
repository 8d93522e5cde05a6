"""Which inputs change which outputs: change one token, and look at every output."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from hornbook.contract.probes.network import LENGTH, Network, View

_NOISE = (
    1e-5  # relative; float32 kernels differ by some 1e-7 between shapes, and these shapes are all the same
)


@dataclass(frozen=True)
class Influence:
    """How far outputs move when one token changes."""

    moves: Tensor
    """Largest change, by changed place of text 0, text, and place of the output: (length, 2, length)."""
    padding: float
    """Largest change of an output before padding, when ids that the mask hides change."""
    scale: float
    """Largest output; changes are compared with it."""

    @property
    def noise(self) -> float:
        """Changes up to this are rounding."""
        return _NOISE * self.scale

    @classmethod
    def of(cls, network: Network | None) -> Iterator[tuple[View, "Influence"]]:
        """Measure every view of a network, once; a network that can't be run has none."""
        if network is None:
            return iter(())
        if network.influences is None:
            network.influences = [(view, cls.measure(network, view)) for view in network.views()]
        return iter(network.influences)

    @classmethod
    def measure(cls, network: Network, view: View) -> "Influence":
        """Change each place of text 0 in turn, and then the ids that a mask hides."""
        ids, others = network.ids(2), network.ids(2, seed=2)
        whole = torch.ones_like(ids)
        before = network.quietly(view, ids, whole if view.masked else None)
        moves = []
        for place in range(LENGTH):
            changed = ids.clone()
            changed[0, place] = _another(others[0, place], ids[0, place], network)
            moves.append(_distance(network.quietly(view, changed, whole if view.masked else None), before))
        leak = 0.0
        if view.masked:
            mask = whole.clone()
            mask[:, LENGTH // 2 :] = 0
            changed = ids.clone()
            changed[:, LENGTH // 2 :] = torch.where(others == ids, ids.roll(1, 1), others)[:, LENGTH // 2 :]
            apart = _distance(network.quietly(view, changed, mask), network.quietly(view, ids, mask))
            leak = float(apart[:, : LENGTH // 2].max())
        return cls(torch.stack(moves), leak, float(before.abs().max()))

    @cached_property
    def _moved(self) -> Tensor:
        return self.moves > self.noise

    def ahead(self) -> tuple[int, int] | None:
        """Find a token whose change moves an output before it: (its place, the output's)."""
        return _first(torch.tril(self._moved[:, 0], -1))

    def across(self) -> tuple[int, int] | None:
        """Find a token of text 0 whose change moves an output of text 1."""
        return _first(self._moved[:, 1])

    def reaches_any(self) -> bool:
        """Tell whether any token moves another place's output."""
        return bool((self._moved[:, 0] & ~torch.eye(LENGTH, dtype=torch.bool)).any())

    def reaches_back(self) -> bool:
        """Tell whether any token moves an output before it."""
        return self.ahead() is not None


def _distance(one: Tensor, other: Tensor) -> Tensor:
    """Give the largest change of each place: (batch, length)."""
    return (one - other).abs()[..., None].flatten(2).amax(2)


def _another(candidate: Tensor, known: Tensor, network: Network) -> int:
    if candidate != known:
        return int(candidate)
    return int(next(word for word in network.words if word != int(known)))


def _first(found: Tensor) -> tuple[int, int] | None:
    places = found.nonzero()
    return (int(places[0, 0]), int(places[0, 1])) if len(places) else None
