"""Find dense tokens that are of no use: a first-order guess for all of them at once, then exact scores."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hornbook.dense_tokens.insert import Ints, insert
from hornbook.dense_tokens.layout import Layout
from hornbook.dense_tokens.loss import losses
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.selection import Selection
from hornbook.errors import HornbookError
from hornbook.rng import CounterRNG

_PLACES = 2**13
"""Most places in one forward pass."""
_WITH_GRADIENT = 2**11
"""Most places in a pass that also needs the gradient, which keeps all of their logits in memory."""


def worth(model: DenseModel, ids: Tensor, layout: Layout, rounds: int | None = None) -> Tensor:
    """Estimate how many nats a text would lose if a vector were zero, for each vector: shape (B, T).

    The estimate is -dL/dv . v, of the first order in v. One backward pass gives it for all vectors (Michel, Levy and
    Neubig, 2019, score attention heads in this way). A vector with a value below zero does harm.
    """
    with torch.no_grad():
        vectors = model(ids, layout, rounds).vectors
    vectors = vectors.detach().requires_grad_()
    with torch.enable_grad():
        total = losses(model.consume(ids, layout, vectors), ids, layout, model.dense_id).words.sum()
        (gradient,) = torch.autograd.grad(total, vectors)
    return -(gradient * vectors).sum(-1).detach()


@torch.inference_mode()
def nats(model: DenseModel, ids: Tensor, real: Tensor, rounds: int | None = None) -> Tensor:
    """Sum -ln p over each text's words: shape (B,)."""
    layout = model.layout(ids, real)
    return losses(model(ids, layout, rounds), ids, layout, model.dense_id).words.double().sum(1)


def remove(ids: Tensor, real: Tensor, gone: Tensor, pad: int = 0) -> tuple[Tensor, Tensor]:
    """Remove the places where `gone`, shape (B, T), is true, and close the gaps: new `ids` and `real`, both (B, T)."""
    kept = real & ~gone
    order = torch.argsort((~kept).long(), dim=1, stable=True)
    return ids.gather(1, order).masked_fill(~kept.gather(1, order), pad), kept.gather(1, order)


def delete_useless(
    model: DenseModel, ids: Tensor, real: Tensor, rounds: int | None = None
) -> tuple[Tensor, npt.NDArray[np.float64]]:
    """Find dense tokens without which the words are at least as likely: a mask (B, T), and nats saved (B, T).

    A token is tried if its first-order estimate is below zero. Its text is then scored exactly without it, and the
    token is useless if the words don't become less likely. Two tokens that are useless one by one may be useful
    together. `saved` is NaN for tokens that were not tried. Raises HornbookError where words have no finite likelihood.
    """
    layout = model.layout(ids, real)
    suspects = layout.fed & (worth(model, ids, layout, rounds) < 0)
    before = nats(model, ids, real, rounds)
    if not bool(before.isfinite().all()):
        raise HornbookError(
            f"the words of {int((~before.isfinite()).sum()):,} of {len(before):,} texts have no finite likelihood: "
            "look at the model's weights"
        )
    rows, columns = suspects.nonzero(as_tuple=True)
    saved = np.full(ids.shape, np.nan)
    useless = torch.zeros_like(suspects)
    step = max(1, _PLACES // ids.shape[1])
    for first in range(0, len(rows), step):
        some = torch.arange(first, min(first + step, len(rows)), device=ids.device)
        gone = torch.zeros(len(some), ids.shape[1], dtype=torch.bool, device=ids.device)
        gone[torch.arange(len(some), device=ids.device), columns[some]] = True
        after = nats(model, *remove(ids[rows[some]], real[rows[some]], gone), rounds)
        gains = before[rows[some]] - after
        saved[rows[some].cpu().numpy(), columns[some].cpu().numpy()] = gains.cpu().numpy()
        useless[rows[some], columns[some]] = gains >= 0
    return useless, saved


def delete_from(
    model: DenseModel,
    kept: Selection,
    rounds: int | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Selection:
    """Drop useless dense tokens from a selection's texts; no text's words become less likely.

    If a text's words become less likely without all of its useless tokens, only the most harmful token is dropped. The
    facts give the likelihood of the words before, after, and, for comparison, with as many tokens deleted by chance.
    """
    places, length = kept.places.copy(), kept.words.shape[1]
    counts = np.zeros(2, np.int64)
    scored = {"before": 0.0, "after": 0.0, "as many by chance": 0.0}
    step = max(1, _WITH_GRADIENT // (length + places.shape[1]))
    for first in range(0, len(places), step):
        part = slice(first, first + step)
        words, now = kept.words[part].astype(np.int64), kept.places[part]
        places[part], *some = _drop(model, words, now, rounds)
        counts += some
        rng = CounterRNG(seed, "delete", np.arange(first, first + len(now)))
        chance = _fewer(now, (places[part] < length).sum(1), rng.uniform("chance", now.shape[1]), length)
        for name, chosen in (("before", now), ("after", places[part]), ("as many by chance", chance)):
            scored[name] += float(nats(model, *_put(model, words, chosen)[:2], rounds).sum())
        if progress:
            progress(min(1.0, (first + len(now)) / len(places)))
    fewer = replace(kept, places=places)
    words_scored = kept.words[:, 1:].size
    told = {
        "unit": "nats a word",
        "dense tokens": kept.tokens,
        "suspected": int(counts[0]),
        "confirmed": int(counts[1]),
        "deleted": kept.tokens - fewer.tokens,
        **{name: total / words_scored for name, total in scored.items()},
    }
    return replace(fewer, facts=kept.facts | {"deleted": told})


def _drop(model: DenseModel, words: Ints, places: Ints, rounds: int | None) -> tuple[Ints, int, int]:
    """Drop the useless ones of places (B, n) in words (B, L); also count the suspected and the confirmed."""
    length = words.shape[1]
    ids, real, dense = _put(model, words, places)
    useless, saved = delete_useless(model, ids, real, rounds)
    harm = np.full(places.shape, -np.inf)
    # Dense tokens and places are both in order, so the n-th dense token of a text stands at its n-th place.
    harm[places < length] = np.where(useless.cpu().numpy(), saved, -np.inf)[dense]
    harmful = np.isfinite(harm)
    # Exactly one for each text, even where removing either of two neighbours gives the same text.
    worst = harmful & (np.arange(places.shape[1]) == harm.argmax(1)[:, None])
    together = _without(places, harmful, length)
    before = nats(model, ids, real, rounds)
    fine = (nats(model, *_put(model, words, together)[:2], rounds) <= before).cpu().numpy()
    left = np.where(fine[:, None], together, _without(places, worst, length))
    return left, int(np.isfinite(saved).sum()), int(useless.sum())


def _put(model: DenseModel, words: Ints, places: Ints) -> tuple[Tensor, Tensor, npt.NDArray[np.bool_]]:
    """Insert dense tokens: ids (B, T), and masks of the real places and of the dense tokens."""
    put = insert(words, places, model.dense_id)
    device = model.model.device
    return torch.from_numpy(put.ids).to(device), torch.from_numpy(put.real).to(device), put.dense


def _without(places: Ints, gone: npt.NDArray[np.bool_], length: int) -> Ints:
    """Replace the places where `gone`, shape (B, n), is true by `length`, which stands for no place."""
    return np.sort(np.where(gone, length, places), axis=1)


def _fewer(places: Ints, counts: Ints, uniform: npt.NDArray[np.float64], length: int) -> Ints:
    """Keep `counts[row]` places of each row, shape (B, n), chosen at random."""
    rank = np.where(places < length, uniform, 2.0).argsort(1).argsort(1)
    return _without(places, rank >= counts[:, None], length)
