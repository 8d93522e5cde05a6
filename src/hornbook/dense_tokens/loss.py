"""The losses of a model with dense tokens: one for the words, and one for emitting dense tokens."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from hornbook.dense_tokens.layout import Layout
from hornbook.dense_tokens.model import Filled

_PLACES = 512
"""Without a gradient, the logits of so many places are computed at once: 100 MiB for a Pythia."""


@dataclass(frozen=True)
class Losses:
    """Two losses for each place, -ln p, shape (B, T); zero where nothing is predicted."""

    words: Tensor
    """The loss of the word, given that a word comes. The dense token's logit is left out, so that this is a
    distribution over the same words as a plain model's."""
    emission: Tensor
    """The loss of whether a dense token or a word comes."""


def losses(
    filled: Filled, ids: Tensor, layout: Layout, dense_id: int, scored: Tensor | None = None
) -> Losses:
    """Compute both losses for ids (B, T): each place predicts the next one, or only those that are `scored` (B, T).

    Their sum is the usual cross-entropy over the whole vocabulary, since p(word) = p(no dense token)
    p(word | no dense token). So the emission may be weighted or left out, and the words' loss stays comparable.
    """
    wanted = layout.follows if scored is None else layout.follows & scored
    rows, columns = wanted.nonzero(as_tuple=True)
    size = max(1, len(rows)) if torch.is_grad_enabled() else _PLACES
    hidden, targets = filled.hidden[rows, columns - 1].split(size), ids[rows, columns].split(size)
    parts = [
        _compare(_precise(filled.head(one)), other, dense_id)
        for one, other in zip(hidden, targets, strict=True)
    ]
    words, emission = (torch.cat(kind) for kind in zip(*parts, strict=True))
    zero = torch.zeros(ids.shape, dtype=words.dtype, device=ids.device)
    return Losses(zero.index_put((rows, columns), words), zero.index_put((rows, columns), emission))


def ahead(filled: Filled, ids: Tensor, layout: Layout, dense_id: int) -> Tensor:
    """Compute an auxiliary loss: the place before a dense token predicts the next word after it, -ln p, (B, T).

    So the vector already knows what a plain model would predict. The loss stands at the dense token; it is zero
    elsewhere, and where no word follows.
    """
    columns = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
    none = ids.shape[1]
    words = columns.masked_fill(layout.dense | ~layout.real, none)
    following = words.flip(1).cummin(1).values.flip(1)
    target = following.clamp(max=none - 1)
    same = layout.documents.gather(1, target) == layout.documents
    rows, places = (layout.fed & same & (following < none)).nonzero(as_tuple=True)
    logits = word_logits(_precise(filled.head(filled.hidden[rows, places - 1])), dense_id)
    nats = cross_entropy(logits, ids[rows, target[rows, places]], reduction="none")
    return torch.zeros(ids.shape, dtype=nats.dtype, device=ids.device).index_put((rows, places), nats)


def word_logits(logits: Tensor, dense_id: int) -> Tensor:
    """Set the dense token's logit to -infinity in logits (..., V)."""
    return logits.index_fill(-1, torch.tensor(dense_id, device=logits.device), float("-inf"))


def emission_logit(logits: Tensor, dense_id: int) -> Tensor:
    """Compute ln p(dense) - ln p(word) from logits (..., V): shape (...)."""
    return logits[..., dense_id] - word_logits(logits, dense_id).logsumexp(-1)


def _compare(logits: Tensor, targets: Tensor, dense_id: int) -> tuple[Tensor, Tensor]:
    """Compute both losses from logits (N, V) and targets (N,): two tensors of shape (N,)."""
    words = word_logits(logits, dense_id).logsumexp(-1)
    ahead = logits[:, dense_id] - words
    is_dense = targets == dense_id
    chosen = logits.gather(-1, targets[:, None]).squeeze(-1)
    return (words - chosen).masked_fill(is_dense, 0), softplus(torch.where(is_dense, -ahead, ahead))


def _precise(logits: Tensor) -> Tensor:
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
