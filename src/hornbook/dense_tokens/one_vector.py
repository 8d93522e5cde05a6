"""How much a single vector can help: one dense token in a text, everything else frozen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hornbook.dense_tokens.insert import Ints, insert
from hornbook.dense_tokens.loss import losses
from hornbook.dense_tokens.measure import to_tensor
from hornbook.dense_tokens.model import DenseModel

_STEPS = 60
_RATE = 0.1
"""Adam's learning rate, in root mean squares of the model's own vectors."""
_SHARES = (0.1, 0.3, 1.0)
"""Lengths of single steps along the negative gradient, in lengths of the model's own vector."""
_NEAR = 4


@dataclass(frozen=True)
class _Texts:
    """Texts with one dense token at the same column, and the likelihood of the words after it."""

    model: DenseModel
    ids: Tensor
    column: int
    """Where the dense token stands."""

    def nats(self, vectors: Tensor) -> Tensor:
        """Compute -ln p of the words after the dense token, shape (B, F), for one vector a text, (B, H)."""
        layout = self.model.layout(self.ids)
        given = vectors.new_zeros(*self.ids.shape, vectors.shape[1])
        given[:, self.column] = vectors
        filled = self.model.consume(self.ids, layout, given)
        return losses(filled, self.ids, layout, self.model.dense_id).words[:, self.column + 1 :]


def one_vector(
    model: DenseModel, words: Ints, following: int, progress: Callable[[float], None] | None = None
) -> dict[str, Any]:
    """Compare vectors for one dense token, which stands before the last `following` words of texts (B, L).

    Returns nats a word, over the first four words after the token and over all of them: for the plain text; without a
    vector; with the model's own vector; after a step from it along the negative gradient; with a vector that was
    optimised on the text; and with one that was optimised on another text. The optimised vector is an upper bound,
    since it has seen the words that it is scored on. Also tells where it lies, seen from the model's own vector.
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
    """Compute the gradient of each text's nats with respect to its vector, shape (B, H)."""
    vectors = vectors.detach().requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(texts.nats(vectors).sum(), vectors)
    return slope


def _optimise(texts: _Texts, vectors: Tensor, progress: Callable[[float], None] | None) -> Tensor:
    """Optimise each text's vector with Adam, so that the words become as likely as possible."""
    found = vectors.detach().clone()
    optimizer = torch.optim.Adam([found], lr=_RATE * float(vectors.pow(2).mean().sqrt()))
    for step in range(_STEPS):
        found.grad = _slope(texts, found)
        optimizer.step()
        if progress:
            progress((step + 1) / _STEPS)
    return found
