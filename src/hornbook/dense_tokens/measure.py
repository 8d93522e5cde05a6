"""Held-out bits per byte: without dense tokens, with pause tokens, and with vectors."""

import math
from typing import Literal

import numpy as np
import torch

from hornbook.dense_tokens.emit import emitted_places
from hornbook.dense_tokens.insert import Floats, Ints, choose_places, insert
from hornbook.dense_tokens.loss import losses
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.selection import Selection
from hornbook.rng import CounterRNG

Arm = Literal["dense", "pause", "plain"]
ARMS: tuple[Arm, ...] = ("plain", "pause", "dense")


def measure(model: DenseModel, kept: Selection, seed: int, emits: Arm | None = None) -> dict[str, float]:
    """Score held-out words in bits per byte, for each arm; dense tokens stand where `heldout_places` says.

    If the model `emits` tokens itself (dense or pause), also score with these, and count them. All arms score the same
    words: all but the first of each window.
    """
    places = heldout_places(kept, seed)
    scored = kept.heldout[:, 1:].size * kept.bytes_per_token * math.log(2)
    found = {
        f"{arm} bits per byte": float(window_nats(model, kept.heldout, places, arm).sum()) / scored
        for arm in ARMS
    }
    if emits:
        emitted = emitted_places(model, kept.heldout, seed, vectors=emits == "dense")
        nats = window_nats(model, kept.heldout, emitted, emits)
        found["emitted bits per byte"] = float(nats.sum()) / scored
        found["emitted tokens a word"] = int((emitted < kept.heldout.shape[1]).sum()) / kept.heldout.size
    return found


def heldout_places(kept: Selection, seed: int) -> Ints:
    """Say where dense tokens stand in the held-out windows, shape (M, n): as many as in training, on average.

    They are the text's own and, if these are fewer than in training, others at random places.
    """
    length = kept.heldout.shape[1]
    own = (
        kept.heldout_places if kept.heldout_places is not None else np.empty((len(kept.heldout), 0), np.int64)
    )
    mean = kept.tokens / len(kept.words) - int((own < length).sum()) / len(own)
    if not kept.tokens or (own.shape[1] and mean < 0.5):  # all were deleted, or the text's own are enough
        return own
    count = max(1, round(mean))
    weights = np.ones(kept.heldout.shape)
    weights[:, -1] = 0
    rng = CounterRNG(seed, "measure", np.arange(len(kept.heldout)))
    return np.sort(
        np.concatenate([own, choose_places(rng, "places", weights, 1, count)[:, 0]], axis=1), axis=1
    )


def window_nats(
    model: DenseModel, words: Ints, places: Ints, arm: Arm, rounds: int | None = None, batch: int = 32
) -> Floats:
    """Sum -ln p over the words of each window (M, L) but the first: shape (M,); the others as `word_nats` says."""
    return word_nats(model, words, places, arm, rounds, batch).sum(1)


@torch.inference_mode()
def word_nats(
    model: DenseModel, words: Ints, places: Ints, arm: Arm, rounds: int | None = None, batch: int = 32
) -> Floats:
    """Compute -ln p of each word of the windows (M, L), shape (M, L); a window's first word isn't predicted, and has 0.

    Tokens stand after the columns `places`, shape (M, n); L stands for none. Dense tokens are filled one by one, or in
    `rounds`; pause tokens have no vector; plain windows have no such tokens.
    """
    was_training = model.training
    model.eval()
    found = []
    for first in range(0, len(words), batch):
        part = slice(first, first + batch)
        put = insert(words[part], places[part, :0] if arm == "plain" else places[part], model.dense_id)
        ids = to_tensor(model, put.ids)
        layout = model.layout(ids, torch.from_numpy(put.real).to(ids.device))
        filled = model(ids, layout, rounds if arm == "dense" else 0)
        nats = losses(filled, ids, layout, model.dense_id).words.double().cpu().numpy()
        found.append(nats[put.real & ~put.dense].reshape(words[part].shape))
    model.train(was_training)
    return np.concatenate(found)


def to_tensor(model: DenseModel, ids: Ints) -> torch.Tensor:
    """Copy ids to the model's device."""
    return torch.from_numpy(np.ascontiguousarray(ids, np.int64)).to(model.model.device)
