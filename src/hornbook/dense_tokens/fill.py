"""Filling: run a model so that each dense token gets a vector made of the hidden state before it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from hornbook.dense_tokens.layout import Layout

Run = Callable[[Tensor, Tensor, Tensor, Any], Tensor]
"""Maps embeddings (B, t, H), mask, positions, and a cache or None to the last hidden states (B, t, H)."""
Carry = Callable[[Tensor], Tensor]
"""Maps hidden states to vectors, both of shape (..., H)."""


def fill_one_by_one(
    run: Run, words: Tensor, layout: Layout, carry: Carry, cache: Any
) -> tuple[Tensor, Tensor]:
    """Fill from left to right: stop before each column in which any row has a dense token to fill.

    `words` are the embeddings (B, T, H). Each place is computed once, with its final vector. Returns the last hidden
    states and the vectors, both (B, T, H); vectors are zero where nothing is filled.
    """
    mask = layout.mask(words.dtype)
    hidden: list[Tensor] = []
    vectors: list[Tensor] = []
    for first, last in zip(layout.cuts, (*layout.cuts[1:], words.shape[1]), strict=True):
        part = words[:, first:last]
        if first:
            vector = carry(hidden[-1][:, -1:]).where(layout.fed[:, first : first + 1, None], 0)
            vectors.append(pad(vector, (0, 0, 0, last - first - 1)))
            part = part + vectors[-1]
        else:
            vectors.append(torch.zeros_like(part))
        seen = mask[:, :, first:last, :last]
        hidden.append(run(part, seen, layout.positions[:, first:last], cache))
    return torch.cat(hidden, 1), torch.cat(vectors, 1)


def fill_in_rounds(
    run: Run, words: Tensor, layout: Layout, carry: Carry, rounds: int, vectors: Tensor | None = None
) -> Tensor:
    """Start with the given vectors, or with zeros, and compute all of them anew in each round.

    Each round is a forward pass over all places. This is Jacobi's iteration for a triangular system: after r rounds,
    the first r vectors of a document and their gradients are exact. Returns the vectors (B, T, H).
    """
    vectors = torch.zeros_like(words) if vectors is None else vectors
    for _ in range(rounds):
        vectors = next_vectors(run_given(run, words, layout, vectors), layout, carry)
    return vectors


def next_vectors(hidden: Tensor, layout: Layout, carry: Carry) -> Tensor:
    """Make each dense token's vector from the hidden state before it: (B, T, H) to (B, T, H)."""
    rows, columns = layout.fed.nonzero(as_tuple=True)
    return torch.zeros_like(hidden).index_put((rows, columns), carry(hidden[rows, columns - 1]))


def run_given(run: Run, words: Tensor, layout: Layout, vectors: Tensor) -> Tensor:
    """Compute the last hidden states (B, T, H) for given vectors, in one pass."""
    return run(words + vectors, layout.mask(words.dtype), layout.positions, None)
