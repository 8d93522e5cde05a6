"""How well a linear probe of a model's hidden states judges pairs of texts, whatever the model was trained on."""

from collections.abc import Iterator

import torch
from torch import Tensor

from hornbook.loading import LoadedModel
from hornbook.objectives import IGNORED
from hornbook.objectives.pairs import Pairs
from hornbook.rng import CounterRNG
from hornbook.store import TokenStore

_DRAWS = 4
"""Pairs made of each chunk of text, divided and labelled anew each time."""
_BATCH = 64
_RIDGE = 1e-2
"""Ridge penalty, as a share of the number of pairs: there are too many features for some hundred pairs."""


@torch.inference_mode()
def probe(
    loaded: LoadedModel, objective: Pairs, learn: TokenStore, judge: TokenStore, chunks: int = 1000
) -> float:
    """Fit a linear probe on pairs of `learn`, and return the share of pairs of `judge` that it judges rightly.

    The model isn't trained. It reads pairs without masked words, with segment ids if it knows them. The probe reads the
    hidden state of CLS, and the product and the absolute difference of both segments' mean hidden states (Conneau et
    al., 2017, section 3.1); it is fitted by ridge regression to -1 and 1. At most `chunks` chunks of each store are
    read.
    """
    features, wanted = _read(loaded, objective, learn, chunks)
    mean, deviation = features.mean(0), features.std(0).clamp(min=1e-6)
    features = _with_one((features - mean) / deviation)
    normal = features.T @ features + _RIDGE * len(features) * torch.eye(
        features.shape[1], dtype=features.dtype
    )
    weights = torch.linalg.solve(normal, features.T @ (2 * wanted - 1))
    features, wanted = _read(loaded, objective, judge, chunks)
    said = _with_one((features - mean) / deviation) @ weights > 0
    return float((said == wanted.bool()).double().mean())


def _with_one(features: Tensor) -> Tensor:
    return torch.nn.functional.pad(features, (0, 1), value=1.0)


def _read(loaded: LoadedModel, objective: Pairs, store: TokenStore, chunks: int) -> tuple[Tensor, Tensor]:
    """Compute the features (pairs, 3 * hidden) and labels (pairs,) of a store's pairs."""
    parts = [
        (_features(loaded, batch), batch[objective.label].double())
        for batch in _batches(loaded, objective, store, chunks)
    ]
    features, wanted = zip(*parts, strict=True)
    return torch.cat(features), torch.cat(wanted)


def _batches(
    loaded: LoadedModel, objective: Pairs, store: TokenStore, chunks: int
) -> Iterator[dict[str, Tensor]]:
    chunking = objective.chunking(store, loaded.length)
    chosen = torch.linspace(0, chunking.count - 1, min(chunks, chunking.count)).long().unique().numpy()
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
    if loaded.head == "pairs":  # other models have never seen the second segment's id
        inputs["token_type_ids"] = batch["token_type_ids"]
    hidden = loaded.family.hidden(loaded.model, inputs).double()
    second = batch["token_type_ids"].bool()
    first, second = (
        (hidden * part[..., None]).sum(1) / part.sum(1, keepdim=True)
        for part in (batch["attention_mask"].bool() & ~second, second)
    )
    return torch.cat([hidden[:, 0], first * second, (first - second).abs()], dim=1).cpu()
