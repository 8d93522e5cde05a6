"""How much likelier a text-to-text model finds the good half of each pair: word by word, as cut spans."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hornbook.errors import HornbookError
from hornbook.evaluation.minimal_pairs.encoding import Ids
from hornbook.evaluation.minimal_pairs.nats import label_nats
from hornbook.evaluation.parallel import side_by_side
from hornbook.loading import LoadedModel
from hornbook.objectives import OBJECTIVES
from hornbook.objectives.objective import IGNORED

_TOKENS = 2**12
"""Most tokens of input in one forward pass."""


def scores(
    loaded: LoadedModel, halves: Sequence[Ids], progress: Callable[[float], None] | None = None
) -> npt.NDArray[np.float64]:
    """Compute the span score of each half, in nats: shape (halves,).

    Each word is cut out in turn, as in training: a sentinel takes its place in the input, and the model writes the
    sentinel and the word. What counts is ln p of the word's tokens, and that the span is over then (by the next
    sentinel or the end token). So it is a pseudo-log-likelihood, by words: a word's first tokens are predicted without
    its last ones (Kauf and Ivanova, 2023), and the model is asked only for what it learned to write. Writing the whole
    sentence for one sentinel (as BabyLM's pipeline has it) asks for spans far longer than any in training. Raises
    HornbookError where the tokenizer has no sentinel, or doesn't tell where words begin.
    """
    loaded.need("seq2seq")
    if not len(loaded.vocabulary.sentinels) or loaded.vocabulary.edges is None:
        lacks = (
            "has no sentinels" if not len(loaded.vocabulary.sentinels) else "doesn't tell where words begin"
        )
        raise HornbookError(
            f"{loaded.name}: its tokenizer {lacks}, and its minimal pairs are scored by cut words"
        )
    distinct = list(dict.fromkeys(halves))
    spans = [(number, *span) for number, half in enumerate(distinct) for span in _words(loaded, half)]
    spans.sort(key=lambda span: -len(distinct[span[0]].ids))
    batches, begun = [], 0
    while begun < len(spans):
        rows = max(1, _TOKENS // (len(distinct[spans[begun][0]].ids) + 3))
        batches.append(spans[begun : begun + rows])
        begun += rows
    scored = side_by_side(
        lambda chosen: _score(loaded, [(distinct[number], first, last) for number, first, last in chosen]),
        batches,
        loaded.model.device,
    )
    found, done = np.zeros(len(distinct)), 0
    for chosen, sums in zip(batches, scored, strict=True):
        np.add.at(found, [number for number, _, _ in chosen], sums)
        done += len(chosen)
        if progress:
            progress(done / len(spans))
    places = {half: place for place, half in enumerate(distinct)}
    return found[[places[half] for half in halves]]


def _words(loaded: LoadedModel, half: Ids) -> list[tuple[int, int]]:
    """Find the first id of each scored word, and the one after its last."""
    if not half.scored:
        return []
    begins = loaded.vocabulary.begins_word(np.array([half.ids], np.int64))[0]
    begins[half.first] = True
    edges = [*(begins.nonzero()[0]).tolist(), len(half.ids)]
    return [(one, after) for one, after in pairwise(edges) if one >= half.first]


def _score(loaded: LoadedModel, spans: list[tuple[Ids, int, int]]) -> npt.NDArray[np.float64]:
    """Sum ln p of each span and that it is over: shape (spans,)."""
    vocabulary, device = loaded.vocabulary, loaded.model.device
    assert vocabulary.eos is not None
    sentinel, named = int(vocabulary.sentinels[0]), vocabulary.named
    modes = [named[kind.infill_mode] for kind in OBJECTIVES.values() if kind.infill_mode in named]
    inputs = _padded(
        [
            [*modes[:1], *half.ids[:first], sentinel, *half.ids[last:], vocabulary.eos]
            for half, first, last in spans
        ]
    )
    # The last label only makes the model read all of the word: what it says there is the end.
    written = _padded([[sentinel, *half.ids[first:last], vocabulary.eos] for half, first, last in spans])
    batch = {
        "input_ids": inputs.clamp(min=0).to(device),
        "attention_mask": (inputs != IGNORED).long().to(device),
        "labels": written.to(device),
    }
    hidden = loaded.family.hidden(loaded.model, batch)
    rows, last = torch.arange(len(spans)), (written != IGNORED).sum(1) - 1
    word = written != IGNORED
    word[:, 0] = word[rows, last] = False  # the sentinel is given
    nats = label_nats(loaded, hidden[word], written[word].to(device)).cpu().numpy()
    sums = np.bincount(word.nonzero()[:, 0].numpy(), -nats, len(spans))
    # In training, the next sentinel follows a span, or the end token where it was the text's last.
    ends = [vocabulary.eos, *vocabulary.sentinels[1:2].tolist()]
    over = [
        -label_nats(loaded, hidden[rows, last], torch.full((len(spans),), end, device=device)) for end in ends
    ]
    return np.asarray(sums + torch.stack(over).logsumexp(0).cpu().numpy())


def _padded(rows: list[list[int]]) -> Tensor:
    """Put rows of ids into one tensor, filled up with IGNORED."""
    filled = torch.full((len(rows), max(map(len, rows))), IGNORED)
    for number, row in enumerate(rows):
        filled[number, : len(row)] = torch.tensor(row)
    return filled
