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
        """Change each place of text 0 in turn, and then what lies under a mask."""
        ids = network.ids(2)
        whole = torch.ones_like(ids)
        before = network.quietly(view, ids, whole if view.masked else None)
        moves = []
        for place in range(LENGTH):
            changed = with_another(network, place)
            moves.append(_distance(network.quietly(view, changed, whole if view.masked else None), before))
        leak = 0.0
        if view.masked:
            changed, mask = under_padding(network)
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


def with_another(network: Network, place: int) -> Tensor:
    """Give the probing ids with another word at one place of text 0."""
    ids, others = network.ids(2), network.ids(2, seed=2)
    ids[0, place] = _another(others[0, place], ids[0, place], network)
    return ids


def under_padding(network: Network) -> tuple[Tensor, Tensor]:
    """Give the probing ids with other words in the second half, and the mask that hides it."""
    ids, others = network.ids(2), network.ids(2, seed=2)
    mask = torch.ones_like(ids)
    mask[:, LENGTH // 2 :] = 0
    return torch.where(mask == 1, ids, torch.where(others == ids, ids.roll(1, 1), others)), mask


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
