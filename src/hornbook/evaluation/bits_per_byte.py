"""Bits per byte: how well a causal model predicts whole documents, comparable between tokenizers."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import cross_entropy

from hornbook.evaluation.likelihood import Likelihood, spread
from hornbook.evaluation.parallel import by_size
from hornbook.loading import LoadedModel
from hornbook.store import TokenStore

_TOKENS = 2**12
"""Most tokens in one forward pass."""
_LOGITS = 2**22
"""Most logits computed at once: 16 MiB."""

Ints = npt.NDArray[np.int64]


@torch.inference_mode()
def bits_per_byte(
    loaded: LoadedModel,
    store: TokenStore,
    documents: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Likelihood:
    """Sum -ln p over the tokens of all documents, or of `documents` evenly spread ones.

    Each document is scored alone. It begins after an end token, as in training, and its own end token counts too, so
    that the model gives a distribution over documents. A document that is longer than the model is read in windows of
    the model's length that overlap by half or more. Each token is predicted once, with at least half a window of
    context if the document has so much. `progress` is called with the share that is done. Raises HornbookError unless
    the model is causal.
    """
    loaded.need(head="causal")
    chosen = spread(len(store.ends), documents)
    begins, ends = np.concatenate([[0], store.ends[:-1]])[chosen], store.ends[chosen]
    first, scored, last = _cut(begins, ends, loaded.length)
    model, rows = loaded.model, max(1, _LOGITS // loaded.model.config.vocab_size)
    nats, done = 0.0, 0
    for batch in by_size(last - first, _TOKENS):
        longest = int((last - first)[batch].max())
        # A causal model sees nothing to the right, so short windows need no padding: they are filled with whatever
        # follows in the store. Another document's end token stands before each document, since the store is a ring.
        tokens = store.windows(first[batch] - 1, longest + 1)
        places = first[batch][:, None] + np.arange(longest)
        counts = (places >= scored[batch][:, None]) & (places < last[batch][:, None])
        targets = torch.from_numpy(tokens[:, 1:][counts]).to(model.device)
        inputs = torch.from_numpy(tokens[:, :-1]).to(model.device)
        hidden = loaded.family.hidden(model, {"input_ids": inputs})[torch.from_numpy(counts).to(model.device)]
        for states, labels in zip(hidden.split(rows), targets.split(rows), strict=True):
            logits = loaded.family.logits(model, states).float()
            nats += float(cross_entropy(logits, labels, reduction="none").double().sum())
        done += len(hidden)
        if progress:
            progress(done / int((ends - begins).sum()))
    return Likelihood(nats, done, int(store.bytes[chosen].sum()), len(chosen))


def _cut(begins: Ints, ends: Ints, length: int) -> tuple[Ints, Ints, Ints]:
    """Cut documents into windows: the first target, the first scored target and the end of each in the store."""
    windows = []
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        windows.append((begin, begin, min(begin + length, end)))
        # The last window is not shorter: it reaches back further.
        windows += [
            (min(scored + length // 2, end) - length, scored, min(scored + length // 2, end))
            for scored in range(begin + length, end, length // 2)
        ]
    first, scored, last = np.array(windows, np.int64).T
    return first, scored, last
