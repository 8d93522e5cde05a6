"""How far a class that somebody wrote is from what it should equal: in fp32, relative to the largest value."""

import copy
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from hornbook.blame import assigned_at
from hornbook.contract.probes.network import LENGTH, Network
from hornbook.errors import HornbookError
from hornbook.families.custom import Custom
from hornbook.families.custom.declarations import taken
from hornbook.families.weights import read_weights, refuse_incomplete
from hornbook.internals import choose_mask
from hornbook.quiet import quiet

_APART = 1e-4
"""What may be between two ways to compute the same: another order of sums."""


def from_its_class(family: Custom, model: PreTrainedModel, batch: Mapping[str, Tensor]) -> float:
    """Compare the logits that the loss is computed from with those of `forward`: the largest difference, relative."""
    reads = family.inputs | {"labels"}  # which a text-to-text model shows its decoder
    given = {name: value[:2].to(model.device) for name, value in batch.items() if name in reads}
    known = taken(type(model), frozenset(given))
    with torch.no_grad(), evaluating(model):
        ours = family.logits(model, family.hidden(model, given))
        all_known = {name: value for name, value in given.items() if name in known}
        theirs = _logits(model(**all_known, **family.arguments))
    return relative(ours, theirs)


def from_parent(family: Custom, model: PreTrainedModel, network: Network) -> float | list[str]:
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
    return _networks_apart(*pair)


def from_its_document(family: Custom, model: PreTrainedModel, network: Network) -> float:
    """Compare a document in a packed row, told by positions that restart, with the document alone: relative."""
    ids = network.ids(2).to(model.device)
    half = LENGTH // 2
    places = torch.arange(LENGTH, device=model.device).remainder(half).expand_as(ids)
    with torch.no_grad(), evaluating(model):
        packed = family.hidden(model, {"input_ids": ids, "position_ids": places})[:, half:]
        alone = family.hidden(model, {"input_ids": ids[:, half:]})
    return relative(packed, alone)


def once_saved(model: PreTrainedModel, network: Network) -> tuple[float, list[str]]:
    """Save the model and open it by transformers alone: how far its outputs move, relative, and what isn't saved."""
    with tempfile.TemporaryDirectory() as folder, quiet():
        model.save_pretrained(folder)
        opened = refuse_incomplete(*read_weights(type(model), folder, torch.float32), folder).to(model.device)
    again = Network(opened, network.head, network.rows, network.words)
    saved = model.state_dict().keys()
    lost = [f"{name}{assigned_at(model, name)}" for name, _ in model.named_buffers() if name not in saved]
    return _networks_apart(network, again), sorted(
        lost, key=lambda one: not one.endswith(")")
    )  # a user's first


def share(difference: float) -> str:
    """Put a difference into words."""
    return f"{difference:.1%} of the largest" if difference < 10 else "more than ten times the largest"


def is_apart(difference: float) -> bool:
    """Tell whether a difference is more than another order of sums makes; one that is no number is."""
    return not difference <= _APART


def _networks_apart(ours: Network, theirs: Network) -> float:
    """Give the largest difference between two networks on the same ids, over all views, relative."""
    pairs = zip(ours.views(), theirs.views(), strict=True)
    ids = ours.ids(2)
    return max(relative(ours.quietly(one, ids), theirs.quietly(other, ids)) for one, other in pairs)


def relative(ours: Tensor, theirs: Tensor) -> float:
    """Give the largest difference of two tensors of one shape, relative to the second's largest value."""
    if ours.shape != theirs.shape:
        raise HornbookError(f"the shapes are {tuple(ours.shape)} and {tuple(theirs.shape)}")
    return float((ours.float() - theirs.float()).abs().max() / theirs.float().abs().max().clamp(min=1e-12))


def _logits(outputs: Any) -> Tensor:
    for name in ("logits", "prediction_logits"):
        if isinstance(found := getattr(outputs, name, None), Tensor):
            return found
    raise HornbookError(f"forward gives a {type(outputs).__name__}, and no logits by that name")


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Switch to evaluation mode for a while."""
    modes = {one: one.training for one in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for one, mode in modes.items():
            one.training = mode
