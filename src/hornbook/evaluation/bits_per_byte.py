"""Bits per byte: how well a causal model predicts whole documents, comparable between tokenizers."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import cross_entropy

from hornbook.evaluation.likelihood import Likelihood, spread
from hornbook.loading import LoadedModel
from hornbook.store import TokenStore

_TOKENS = 2**12
"""Tokens that the model reads at once."""
_LOGITS = 2**22
"""Logits that are computed at once: 16 MiB."""

Ints = npt.NDArray[np.int64]


@torch.inference_mode()
def bits_per_byte(
    loaded: LoadedModel,
    store: TokenStore,
    documents: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Likelihood:
    """Sum -ln p of every token of every document, or of `documents` of them, evenly spread.

    Each document is scored alone: its first context is the end token, as in training, and its own end token
    counts too, so that the figures are a distribution over documents. One that is longer than the model is
    read in windows of the model's length that overlap by half or more: each token is predicted once, from at
    least half a length of context where there is that much. `progress` hears the share that is done. Raises
    HornbookError unless the model is causal.
    """
    loaded.need(head="causal")
    chosen = spread(len(store.ends), documents)
    begins, ends = np.concatenate([[0], store.ends[:-1]])[chosen], store.ends[chosen]
    first, scored, last = _cut(begins, ends, loaded.length)
    model, rows = loaded.model, max(1, _LOGITS // loaded.model.config.vocab_size)
    nats, done = 0.0, 0
    for batch in _batches(last - first):
        longest = int((last - first)[batch].max())
        # A causal model looks at nothing to the right of a place, so a short window needs no padding: what
        # follows it in the store will do. Before a document stands another's end token: the store is a ring.
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
    """Cut documents into windows: each one's first target, first scored one and end in the store."""
    windows = []
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        windows.append((begin, begin, min(begin + length, end)))
        # The last one reaches back as far as it can, rather than being short.
        windows += [
            (min(scored + length // 2, end) - length, scored, min(scored + length // 2, end))
            for scored in range(begin + length, end, length // 2)
        ]
    first, scored, last = np.array(windows, np.int64).T
    return first, scored, last


def _batches(sizes: Ints) -> Iterator[Ints]:
    """Group windows of similar size, the longest first, in batches of about `_TOKENS` tokens."""
    order = np.argsort(-sizes, kind="stable")
    while len(order):
        rows = max(1, _TOKENS // int(sizes[order[0]]))
        yield order[:rows]
        order = order[rows:]
