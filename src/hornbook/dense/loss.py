"""What a model with dense tokens is trained and measured on: the words, and, where it is to learn it, the emission."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from hornbook.dense.layout import Layout
from hornbook.dense.model import Filled

_PLACES = 512
"""Places whose logits are computed at once where no gradient is wanted: 100 MiB for a Pythia."""


@dataclass(frozen=True)
class Losses:
    """-ln p of each place, shape (B, T), zero where nothing is predicted."""

    words: Tensor
    """Of each word, given that a word comes: the dense token's logit is taken out, so that this is a distribution
    over the same words as a plain model's."""
    emission: Tensor
    """Of whether a dense token comes or a word."""


def losses(filled: Filled, ids: Tensor, layout: Layout, dense_id: int) -> Losses:
    """Compare what each place predicts with what stands at the next one, ids (B, T).

    An ordinary cross-entropy over the whole vocabulary is the sum of both, since p(word) = p(no dense token)
    p(word | no dense token). So the emission may be left out or weighted, and the words' part stays comparable.
    """
    rows, columns = layout.follows.nonzero(as_tuple=True)
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
    """Compare what the place before each dense token predicts with the next word behind it: -ln p, shape (B, T).

    It stands at the dense token, zero elsewhere and where no word follows: an auxiliary loss, by which the vector knows
    already what a plain model would.
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
    """Take the dense token out of logits (..., V)."""
    return logits.index_fill(-1, torch.tensor(dense_id, device=logits.device), float("-inf"))


def emission_logit(logits: Tensor, dense_id: int) -> Tensor:
    """Give ln p(dense) - ln p(word) for logits (..., V): shape (...)."""
    return logits[..., dense_id] - word_logits(logits, dense_id).logsumexp(-1)


def _compare(logits: Tensor, targets: Tensor, dense_id: int) -> tuple[Tensor, Tensor]:
    """Give both losses for logits (N, V) and targets (N,): two of shape (N,)."""
    words = word_logits(logits, dense_id).logsumexp(-1)
    ahead = logits[:, dense_id] - words
    is_dense = targets == dense_id
    chosen = logits.gather(-1, targets[:, None]).squeeze(-1)
    return (words - chosen).masked_fill(is_dense, 0), softplus(torch.where(is_dense, -ahead, ahead))


def _precise(logits: Tensor) -> Tensor:
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
