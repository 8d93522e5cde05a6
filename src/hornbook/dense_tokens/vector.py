"""The vector that is added to a dense token's embedding."""

from collections.abc import Callable
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

_TINY = 1e-6
"""Added to a mean square before the division, as in every RMSNorm."""

Ablation = Literal["zero", "shuffle", "mean", "noise"]
ABLATIONS: tuple[Ablation, ...] = ("zero", "shuffle", "mean", "noise")


class Carrier:
    """Turns hidden states into vectors, both of shape (..., H); valid until the embedding table (V, H) changes.

    `rms` scales each to the table's root mean square, since at the start a hidden state is some fifty times as long as
    an embedding (measured for d = 64 and Hugging Face's initialisation). `raw` leaves it as it is, as in Coconut (arXiv
    2412.06769). `soft` is the mean embedding, weighted by the prediction without the token `without`, as in PonderLM
    (arXiv 2505.20674). `weight` multiplies the gradient through the vectors, not their values.
    """

    def __init__(
        self, kind: str, table: Tensor, head: Callable[[Tensor], Tensor], without: int, weight: float = 1.0
    ) -> None:
        self.kind, self.table, self.head, self.without, self.weight = kind, table, head, without, weight

    def __call__(self, hidden: Tensor) -> Tensor:
        """Turn hidden states into vectors."""
        vectors = self._make(hidden)
        if self.weight == 1.0:
            return vectors
        if self.weight == 0.0:
            return vectors.detach()
        return self.weight * vectors + (1 - self.weight) * vectors.detach()

    @cached_property
    def size(self) -> Tensor:
        """The table's root mean square, computed once: for a large table it costs as much as the head."""
        return self.table.detach().pow(2).mean().sqrt()

    def _make(self, hidden: Tensor) -> Tensor:
        if self.kind == "raw":
            return hidden
        if self.kind == "soft":
            logits = self.head(hidden)
            logits = logits.index_fill(-1, torch.tensor(self.without, device=logits.device), float("-inf"))
            return logits.softmax(-1) @ self.table
        return hidden * hidden.pow(2).mean(-1, keepdim=True).add(_TINY).rsqrt() * self.size


def ablate(kind: Ablation, vectors: Tensor, fed: Tensor, rng: torch.Generator) -> Tensor:
    """Replace the vectors of a filled batch, shape (B, T, H), by vectors that hold less; `fed` (B, T) tells where.

    `zero` leaves the embedding alone. `shuffle` gives a row all the vectors of another row (rows must have the same
    layout). `mean` gives each column its mean over the rows. `noise` keeps a vector's length and draws its direction.
    """
    if kind == "zero":
        return torch.zeros_like(vectors)
    if kind == "shuffle":
        rows = len(vectors)
        # A cycle through the rows in random order: no row keeps its own.
        order = torch.randperm(rows, generator=rng, device=rng.device)
        other = torch.empty_like(order)
        other[order] = order.roll(1)
        replaced = vectors[other.to(vectors.device)]
    elif kind == "mean":
        counts = fed.sum(0).clamp(min=1)
        replaced = (vectors.sum(0) / counts[:, None]).expand_as(vectors)
    else:
        noise = torch.randn(vectors.shape, generator=rng, dtype=vectors.dtype, device=rng.device)
        noise = noise.to(vectors.device)
        replaced = noise * (vectors.norm(dim=-1, keepdim=True) / noise.norm(dim=-1, keepdim=True))
    return replaced * fed[..., None]
