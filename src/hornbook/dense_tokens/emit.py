"""Where a model itself emits dense tokens while it reads a given text."""

import numpy as np
import torch

from hornbook.dense_tokens.insert import Ints
from hornbook.dense_tokens.loss import emission_logit
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.reading import Reading
from hornbook.rng import CounterRNG


@torch.inference_mode()
def emitted_places(model: DenseModel, words: Ints, seed: int, vectors: bool = True, batch: int = 128) -> Ints:
    """Let the model read words (M, L) and emit dense tokens: the columns after which it does, shape (M, n).

    After each word the model emits at most one dense token, with the probability that it gives this token there, as
    long as the rest of the words still fits. Without `vectors` it emits pause tokens. The model hasn't seen a word when
    it predicts it, so that its likelihoods compare with any other model's. Shorter rows are filled up with L.
    """
    length = words.shape[1]
    uniform = CounterRNG(seed, "emit", np.arange(len(words))).uniform("token", length)
    was_training = model.training
    model.eval()
    found = np.zeros(words.shape, bool)
    for first in range(0, len(words), batch):
        part = slice(first, first + batch)
        found[part] = _read(model, words[part], uniform[part], vectors)
    model.train(was_training)
    count = int(found.sum(1).max(initial=0))
    return np.sort(np.where(found, np.arange(length), length), axis=1)[:, :count]


def _read(model: DenseModel, words: Ints, uniform: np.ndarray, vectors: bool) -> np.ndarray:
    """Mark the words (B, L) after which the model emits a dense token: shape (B, L)."""
    length = words.shape[1]
    ids = torch.from_numpy(words).to(model.model.device)
    drawn = torch.from_numpy(uniform).to(ids.device)
    emitted = torch.zeros_like(ids, dtype=torch.bool)
    every = torch.arange(len(ids), device=ids.device)
    column = torch.zeros_like(every)
    reading = Reading(model, ids[:, :1].tolist(), vectors)
    thought = torch.zeros_like(every, dtype=torch.bool)
    while bool((live := column < length - 1).any()):
        chance = emission_logit(model.logits(reading.hidden).double(), model.dense_id).sigmoid()
        able = live & ~thought & (reading.room - reading.price >= length - 1 - column)
        thinks = able & (drawn[every, column] < chance)
        emitted[every[thinks], column[thinks]] = True
        column = column + (live & ~thinks).long()
        thought = thinks
        reading.read(ids[every, column].masked_fill(thinks, model.dense_id), live)
    return emitted.cpu().numpy()
