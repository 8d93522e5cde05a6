"""Which dense tokens are of no use: a first-order guess for all of them at once, then exact scoring."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hornbook.dense.insert import Ints, insert
from hornbook.dense.layout import Layout
from hornbook.dense.loss import losses
from hornbook.dense.model import DenseModel
from hornbook.dense.selection import Selection
from hornbook.errors import HornbookError
from hornbook.rng import CounterRNG

_PLACES = 2**13
"""Places that the model reads at once."""
_WITH_GRADIENT = 2**11
"""The same where a gradient is wanted, and with it all of their logits."""


def worth(model: DenseModel, ids: Tensor, layout: Layout, rounds: int | None = None) -> Tensor:
    """Estimate by how many nats a text's words would be less likely with each vector at zero: shape (B, T).

    That is -dL/dv . v, of the first order in v, from one backward pass for all vectors (as Michel, Levy and Neubig,
    2019, score attention heads). Below zero a vector does harm.
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
    """Take out the places `gone`, shape (B, T), and close the gaps to the left: ids and which are real, both (B, T)."""
    kept = real & ~gone
    order = torch.argsort((~kept).long(), dim=1, stable=True)
    return ids.gather(1, order).masked_fill(~kept.gather(1, order), pad), kept.gather(1, order)


def delete_useless(
    model: DenseModel, ids: Tensor, real: Tensor, rounds: int | None = None
) -> tuple[Tensor, npt.NDArray[np.float64]]:
    """Find dense tokens without which the words are at least as likely: a mask (B, T), and nats saved (B, T).

    Those that the first-order score holds for harmful are taken out one at a time, all of them scored in batches; each
    that is confirmed counts as useless. Two that are useless one by one need not be so together. What wasn't tried
    saved NaN. Raises HornbookError where words have no finite likelihood.
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
    """Drop the useless dense tokens of a selection's texts, in no text so that its words become less likely.

    Where those of a text do harm only one by one, and together don't, the one goes that harms most. The facts tell what
    the words' likelihood was before and after and, to compare with, with as many deleted by chance.
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
    """Drop what is useless of places (B, n) in words (B, L); also how many were suspected, and confirmed."""
    length = words.shape[1]
    ids, real, dense = _put(model, words, places)
    useless, saved = delete_useless(model, ids, real, rounds)
    harm = np.full(places.shape, -np.inf)
    # Both go from left to right, so the n-th dense token of a text is its n-th place.
    harm[places < length] = np.where(useless.cpu().numpy(), saved, -np.inf)[dense]
    harmful = np.isfinite(harm)
    # One of them, even of two that stand side by side and make the same text.
    worst = harmful & (np.arange(places.shape[1]) == harm.argmax(1)[:, None])
    together = _without(places, harmful, length)
    before = nats(model, ids, real, rounds)
    fine = (nats(model, *_put(model, words, together)[:2], rounds) <= before).cpu().numpy()
    left = np.where(fine[:, None], together, _without(places, worst, length))
    return left, int(np.isfinite(saved).sum()), int(useless.sum())


def _put(model: DenseModel, words: Ints, places: Ints) -> tuple[Tensor, Tensor, npt.NDArray[np.bool_]]:
    """Give ids, which are real, both (B, T), and which of them are dense."""
    put = insert(words, places, model.dense_id)
    device = model.model.device
    return torch.from_numpy(put.ids).to(device), torch.from_numpy(put.real).to(device), put.dense


def _without(places: Ints, gone: npt.NDArray[np.bool_], length: int) -> Ints:
    """Name none instead of the places that are gone, shape (B, n)."""
    return np.sort(np.where(gone, length, places), axis=1)


def _fewer(places: Ints, counts: Ints, uniform: npt.NDArray[np.float64], length: int) -> Ints:
    """Leave so many of each row's places, shape (B, n), as chance has it."""
    rank = np.where(places < length, uniform, 2.0).argsort(1).argsort(1)
    return _without(places, rank >= counts[:, None], length)
