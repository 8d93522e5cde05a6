"""How much likelier a masked model finds the good half of each pair: pseudo-log-likelihood, by either rule."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch

from hornbook.errors import HornbookError
from hornbook.evaluation.minimal_pairs.encoding import Ids
from hornbook.evaluation.minimal_pairs.nats import label_nats
from hornbook.evaluation.parallel import side_by_side
from hornbook.loading import LoadedModel
from hornbook.objectives.objective import IGNORED

_TOKENS = 2**12
"""Most tokens in one forward pass."""


def scores(
    loaded: LoadedModel,
    halves: Sequence[Ids],
    progress: Callable[[float], None] | None = None,
    *,
    within_word: bool = True,
) -> npt.NDArray[np.float64]:
    """Compute the pseudo-log-likelihood of each half, in nats: shape (halves,).

    Each token is hidden in turn, and predicted from all others (Salazar et al., 2020, "Masked language model scoring",
    eq. 1). `within_word` hides the later tokens of its word too, since these give it away (Kauf and Ivanova, 2023, "A
    better way to do masked language model scoring", section 3). Raises HornbookError where a tokenizer doesn't tell
    where words begin.
    """
    loaded.need(head="masked")
    if within_word and loaded.vocabulary.edges is None:
        raise HornbookError(
            f"{loaded.name}: its tokenizer doesn't tell where words begin: score with --rule pseudo-likelihood"
        )
    distinct = list(dict.fromkeys(halves))
    places = {half: place for place, half in enumerate(distinct)}
    found, done = np.zeros(len(distinct)), 0
    lengths = np.array([len(half.ids) for half in distinct])
    batches = list(_batches(lengths))
    scored = side_by_side(
        lambda same: _score(loaded, [distinct[one] for one in same], within_word),
        batches,
        loaded.model.device,
    )
    for same, sums in zip(batches, scored, strict=True):
        found[same] = sums
        done += int(lengths[same].sum())
        if progress:
            progress(done / lengths.sum())
    return found[[places[half] for half in halves]]


def _batches(lengths: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """Group halves of one length, the longest first; each is read as often as it has ids."""
    for length in sorted(set(lengths.tolist()), reverse=True):
        same = (lengths == length).nonzero()[0]
        halves = max(1, _TOKENS // ((length + 2) * max(1, length)))
        yield from (same[first : first + halves] for first in range(0, len(same), halves))


def _score(loaded: LoadedModel, halves: list[Ids], within_word: bool) -> npt.NDArray[np.float64]:
    """Sum ln p of what is scored of each half; all have the same number of ids, so that nothing is padded."""
    vocabulary = loaded.vocabulary
    assert None not in (vocabulary.cls, vocabulary.sep, vocabulary.mask)  # it wouldn't have been opened
    cls, sep, mask = (int(one or 0) for one in (vocabulary.cls, vocabulary.sep, vocabulary.mask))
    ids = np.array([half.ids for half in halves], np.int64)
    length = ids.shape[1]
    if not length:
        return np.zeros(len(halves))
    words = vocabulary.begins_word(ids).cumsum(1) if within_word else np.zeros_like(ids)
    columns = np.arange(length)
    owners, places = (columns >= np.array([half.first for half in halves])[:, None]).nonzero()
    framed = np.pad(ids, ((0, 0), (1, 1)))
    framed[:, 0], framed[:, -1] = cls, sep
    sums = np.zeros(len(halves))
    for first in range(0, len(owners), rows := max(1, _TOKENS // (length + 2))):
        owner, place = owners[first : first + rows], places[first : first + rows]
        hidden = columns == place[:, None]
        if within_word:
            hidden |= (columns > place[:, None]) & (words[owner] == words[owner, place][:, None])
        inputs, labels = framed[owner], np.full((len(owner), length + 2), IGNORED)
        inputs[:, 1:-1][hidden] = mask
        labels[np.arange(len(owner)), place + 1] = ids[owner, place]
        batch = {
            name: torch.from_numpy(array).to(loaded.model.device)
            for name, array in (("input_ids", inputs), ("labels", labels))
        }
        states, asked = loaded.family.hidden_and_labels(loaded.model, batch)
        nats = label_nats(loaded, states[asked != IGNORED], asked[asked != IGNORED])
        sums -= np.bincount(owner, nats.cpu().numpy(), len(halves))
    return sums
