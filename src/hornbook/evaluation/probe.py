"""What a model's states tell of pairs of texts, whether or not it was ever asked about pairs."""

from collections.abc import Iterator

import torch
from torch import Tensor

from hornbook.loading import LoadedModel
from hornbook.objectives import IGNORED
from hornbook.objectives.pairs import Pairs
from hornbook.rng import CounterRNG
from hornbook.store import TokenStore

_DRAWS = 4
"""Pairs that are made of each stretch of text, divided and labelled anew each time."""
_BATCH = 64
_RIDGE = 1e-2
"""Penalty, as a share of the number of pairs: the features outnumber what some hundred pairs can tell."""


@torch.inference_mode()
def probe(
    loaded: LoadedModel, objective: Pairs, learn: TokenStore, judge: TokenStore, stretches: int = 1000
) -> float:
    """Give the share of pairs of `judge` that a linear reader judges rightly, having learned from those of `learn`.

    The model is left as it is, and sees pairs without hidden words, with segment ids if it knows them. The reader gets
    the product and the absolute difference of both segments' mean states (Conneau et al., 2017, section 3.1) and the
    state of CLS; it is fitted by ridge regression of -1 and 1. At most `stretches` stretches of text are read of each
    store.
    """
    features, wanted = _read(loaded, objective, learn, stretches)
    mean, deviation = features.mean(0), features.std(0).clamp(min=1e-6)
    features = _with_one((features - mean) / deviation)
    normal = features.T @ features + _RIDGE * len(features) * torch.eye(
        features.shape[1], dtype=features.dtype
    )
    weights = torch.linalg.solve(normal, features.T @ (2 * wanted - 1))
    features, wanted = _read(loaded, objective, judge, stretches)
    said = _with_one((features - mean) / deviation) @ weights > 0
    return float((said == wanted.bool()).double().mean())


def _with_one(features: Tensor) -> Tensor:
    return torch.nn.functional.pad(features, (0, 1), value=1.0)


def _read(loaded: LoadedModel, objective: Pairs, store: TokenStore, stretches: int) -> tuple[Tensor, Tensor]:
    """Give the features (pairs, 3 * hidden) and labels (pairs,) of a store's pairs."""
    parts = [
        (_features(loaded, batch), batch[objective.label].double())
        for batch in _batches(loaded, objective, store, stretches)
    ]
    features, wanted = zip(*parts, strict=True)
    return torch.cat(features), torch.cat(wanted)


def _batches(
    loaded: LoadedModel, objective: Pairs, store: TokenStore, stretches: int
) -> Iterator[dict[str, Tensor]]:
    chunking = objective.chunking(store, loaded.length)
    chosen = torch.linspace(0, chunking.count - 1, min(stretches, chunking.count)).long().unique().numpy()
    for turn in range(_DRAWS):
        for first in range(0, len(chosen), _BATCH):
            rows = chosen[first : first + _BATCH]
            arrays = objective.read(
                store, chunking, chunking.starts(rows), loaded.vocabulary, CounterRNG(turn, "probe", rows)
            )
            yield {name: torch.from_numpy(array).to(loaded.model.device) for name, array in arrays.items()}


def _features(loaded: LoadedModel, batch: dict[str, Tensor]) -> Tensor:
    text = torch.where(batch["labels"] != IGNORED, batch["labels"], batch["input_ids"])
    inputs = {"input_ids": text, "attention_mask": batch["attention_mask"]}
    if loaded.head == "pairs":  # another model has never seen a second segment's id
        inputs["token_type_ids"] = batch["token_type_ids"]
    hidden = loaded.family.hidden(loaded.model, inputs).double()
    second = batch["token_type_ids"].bool()
    first, second = (
        (hidden * part[..., None]).sum(1) / part.sum(1, keepdim=True)
        for part in (batch["attention_mask"].bool() & ~second, second)
    )
    return torch.cat([hidden[:, 0], first * second, (first - second).abs()], dim=1).cpu()
