"""What a single vector can do: one dense token in a text, everything else frozen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hornbook.dense.insert import Ints, insert
from hornbook.dense.loss import losses
from hornbook.dense.measure import to_tensor
from hornbook.dense.model import DenseModel

_STEPS = 60
_RATE = 0.1
"""Of the optimisation, in root mean squares of the model's own vectors."""
_SHARES = (0.1, 0.3, 1.0)
"""Lengths of single steps along the negative gradient, in lengths of the model's own vector."""
_NEAR = 4


@dataclass(frozen=True)
class _Texts:
    """Texts with a dense token after one of their columns, and how likely the words behind it are."""

    model: DenseModel
    ids: Tensor
    column: int
    """Where the dense token stands."""

    def nats(self, vectors: Tensor) -> Tensor:
        """Give -ln p of the words that follow, shape (B, F), with a vector (B, H) for each text."""
        layout = self.model.layout(self.ids)
        given = vectors.new_zeros(*self.ids.shape, vectors.shape[1])
        given[:, self.column] = vectors
        filled = self.model.consume(self.ids, layout, given)
        return losses(filled, self.ids, layout, self.model.dense_id).words[:, self.column + 1 :]


def one_vector(
    model: DenseModel, words: Ints, following: int, progress: Callable[[float], None] | None = None
) -> dict[str, Any]:
    """Compare vectors in one dense token, put into texts (B, L) before their last `following` words.

    Gives nats a word, over the first four words behind it and over all: of the plain text; with no vector; with the
    model's own; after a step from it along the negative gradient; with one optimised on each text, which is an upper
    bound, since it has seen the words that it is scored on; and with one that was optimised on another text. Also
    where the optimised vector lies, seen from the model's own.
    """
    after = words.shape[1] - following - 1
    put = insert(words, np.full((len(words), 1), after), model.dense_id)
    texts = _Texts(model, to_tensor(model, put.ids), after + 1)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        ids = to_tensor(model, words)
        layout = model.layout(ids)
        plain = losses(model(ids, layout, 0), ids, layout, model.dense_id).words[:, after + 1 :]
        own = model(texts.ids).vectors[:, texts.column]
    slope = _slope(texts, own)
    down = -slope / slope.norm(dim=-1, keepdim=True).clamp(min=1e-30)
    best = _optimise(texts, own, progress)
    steps = {
        f"own, a step of {share:g} down": own + share * own.norm(dim=-1, keepdim=True) * down
        for share in _SHARES
    }
    vectors = {"zero": torch.zeros_like(own), "own": own, **steps, "optimised on its text": best}
    vectors["optimised on another text"] = best.roll(1, 0)
    with torch.no_grad():
        found = {"plain text": plain} | {name: texts.nats(vector) for name, vector in vectors.items()}
    model.train(was_training)
    moved = best - own
    return {
        "texts": len(words),
        "following": following,
        "nats": {
            name: {f"first {_NEAR}": float(nats[:, :_NEAR].mean()), "all": float(nats.mean())}
            for name, nats in found.items()
        },
        "cosine of the way to the optimised one with the negative gradient": float(
            torch.cosine_similarity(moved, down, dim=-1).mean()
        ),
        "length of that way, in lengths of the own vector": float(
            (moved.norm(dim=-1) / own.norm(dim=-1)).mean()
        ),
    }


def _slope(texts: _Texts, vectors: Tensor) -> Tensor:
    """Give the gradient of each text's nats with respect to its vector, shape (B, H)."""
    vectors = vectors.detach().requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(texts.nats(vectors).sum(), vectors)
    return slope


def _optimise(texts: _Texts, vectors: Tensor, progress: Callable[[float], None] | None) -> Tensor:
    """Move each text's vector to where its words are likeliest, with Adam."""
    found = vectors.detach().clone()
    optimizer = torch.optim.Adam([found], lr=_RATE * float(vectors.pow(2).mean().sqrt()))
    for step in range(_STEPS):
        found.grad = _slope(texts, found)
        optimizer.step()
        if progress:
            progress((step + 1) / _STEPS)
    return found
