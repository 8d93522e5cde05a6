"""Where a model puts dense tokens of its own accord, in a text that is given."""

import numpy as np
import torch

from hornbook.dense.insert import Ints
from hornbook.dense.loss import emission_logit
from hornbook.dense.model import DenseModel
from hornbook.dense.reading import Reading
from hornbook.rng import CounterRNG


@torch.inference_mode()
def emitted_places(model: DenseModel, words: Ints, seed: int, vectors: bool = True, batch: int = 128) -> Ints:
    """Read words (M, L) and think where the model emits a dense token: columns after which it does, shape (M, n).

    After each word it does with the probability that it gives the token there, at most once, and as long as the words
    left have room; without `vectors` what it emits are pause tokens. It knows none of these words, so that what it
    makes of them is comparable with any model's. Rows with fewer have L at their end.
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
    """Tell after which words (B, L) the model emits one: shape (B, L)."""
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
