"""How much likelier a causal model finds the good half of each pair."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hornbook.evaluation.minimal_pairs.encoding import EncodedPair
from hornbook.evaluation.minimal_pairs.nats import label_nats
from hornbook.evaluation.parallel import by_size, side_by_side
from hornbook.families.custom.family import Custom
from hornbook.families.positions import scheme_of
from hornbook.loading import LoadedModel

_TOKENS = 2**11
"""Most tokens in one forward pass: so few that what a layer computes stays in a core's cache."""


def beginning(loaded: LoadedModel) -> int:
    """Give the token before a text: the one that the tokenizer itself puts there, or else the one that ends
    documents."""
    tokenizer = loaded.tokenizer
    framed = tokenizer("")["input_ids"]
    if framed and framed[0] == tokenizer.bos_token_id:
        return int(framed[0])
    assert loaded.vocabulary.eos is not None  # the model wouldn't have been opened
    return loaded.vocabulary.eos


def harness_beginning(loaded: LoadedModel) -> int:
    """Give the token that lm-evaluation-harness puts before a text: the first in name, whatever training did."""
    bos = loaded.tokenizer.bos_token_id
    return beginning(loaded) if bos is None else int(bos)


def differences(
    loaded: LoadedModel,
    pairs: Sequence[EncodedPair],
    progress: Callable[[float], None] | None = None,
    *,
    begins: Callable[[LoadedModel], int] = beginning,
) -> npt.NDArray[np.float64]:
    """Compute ln p(good) - ln p(bad) of each pair: shape (pairs,).

    Both halves are read at once: what they share, then the rest of the one and the rest of the other, neither of which
    sees the other. What they share makes no difference, so no logits are computed there.
    """
    loaded.need(head="causal", reading="left to right")
    begin, reach = begins(loaded), _reach(loaded)
    rows: list[_Row] = []
    owners: list[int] = []
    for number, pair in enumerate(pairs):
        joined = _Row.of(pair, begin)
        whole = joined.length <= reach
        rows += [joined] if whole else [_Row.of_one(pair, begin, good) for good in (True, False)]
        owners += [number] * (1 if whole else 2)
    found, done = np.zeros(len(pairs)), 0
    batches = list(by_size(np.array([row.length for row in rows]), _TOKENS))
    scored = side_by_side(
        lambda chosen: _sums(loaded, [rows[one] for one in chosen]), batches, loaded.model.device
    )
    for chosen, sums in zip(batches, scored, strict=True):
        np.add.at(found, np.array(owners)[chosen], sums)
        done += len(chosen)
        if progress:
            progress(done / len(rows))
    return found


class _Row:
    """Ids to read, where each stands in its text, which part it is in (0 shared, 1, 2), and what is predicted."""

    def __init__(
        self, begin: int, shared: Sequence[int], rests: Sequence[tuple[int, tuple[int, ...], int]]
    ) -> None:
        self.ids = [begin, *shared]
        self.positions = list(range(len(self.ids)))
        self.parts = [0] * len(self.ids)
        self.targets: list[tuple[int, int, int]] = []
        """The place in the row that predicts, the id, and its sign in the sum."""
        last = len(self.ids) - 1
        for part, (sign, rest, skipped) in enumerate(rests, 1):
            at = [last, *range(len(self.ids), len(self.ids) + len(rest) - 1)]
            self.targets += list(zip(at[skipped:], rest[skipped:], [sign] * len(rest), strict=False))
            self.ids += rest[:-1]
            self.positions += range(last + 1, last + len(rest))
            self.parts += [part] * (len(rest) - 1)

    @property
    def length(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, pair: EncodedPair, begin: int) -> "_Row":
        shared = pair.shared
        halves = ((1, pair.good), (-1, pair.bad))
        rests = [(sign, one.ids[shared:], max(0, one.first - shared)) for sign, one in halves]
        return cls(begin, pair.good.ids[:shared], [rest for rest in rests if rest[1]])

    @classmethod
    def of_one(cls, pair: EncodedPair, begin: int, good: bool) -> "_Row":
        sign, one = (1, pair.good) if good else (-1, pair.bad)
        return cls(begin, (), [(sign, one.ids, max(one.first, pair.shared))] if one.ids else [])


def _reach(loaded: LoadedModel) -> int:
    """Say how long a row with two texts may be: no longer than the window, where layers see only a window.

    It is 0 where a text must stand alone: ALiBi counts columns, and so may a class of a user's own.
    """
    config = loaded.model.config
    own = isinstance(loaded.family, Custom) or scheme_of(config) == "alibi"
    if own or not {"position_ids", "attention_mask"} <= loaded.family.inputs:
        return 0
    windows = [getattr(config, name, None) for name in ("window_size", "sliding_window")]
    return min([loaded.length * 2, *(window for window in windows if window)])


def _sums(loaded: LoadedModel, rows: list[_Row]) -> npt.NDArray[np.float64]:
    """Sum ln p of what each row predicts, with its signs: shape (rows,)."""
    shape = (len(rows), max(row.length for row in rows))
    ids, positions, parts = np.zeros((3, *shape), np.int64)
    for number, row in enumerate(rows):
        ids[number, : row.length], positions[number, : row.length] = row.ids, row.positions
        parts[number, : row.length] = row.parts
    owner, at, wanted, signs = np.array(
        [(number, *target) for number, row in enumerate(rows) for target in row.targets], np.int64
    ).T
    # Where the halves part, one state predicts both.
    asked, places = np.unique(owner * shape[1] + at, return_inverse=True)
    order = np.argsort(places, kind="stable")
    device = loaded.model.device
    batch = {"input_ids": torch.from_numpy(ids).to(device)}
    if (parts > 1).any():  # two texts stand in a row
        batch["position_ids"] = torch.from_numpy(positions).to(device)
        batch["attention_mask"] = _seen(torch.from_numpy(parts).to(device))
    states = loaded.family.hidden(loaded.model, batch).flatten(0, 1)[torch.from_numpy(asked).to(device)]
    labels, predicting = (torch.from_numpy(one[order]).to(device) for one in (wanted, places))
    nats = label_nats(loaded, states, labels, predicting).cpu().numpy()
    return np.bincount(owner[order], -signs[order] * nats, len(rows)).astype(np.float64)


def _seen(parts: Tensor) -> Tensor:
    """Tell which place sees which: those before it, in its own part or the shared one; (rows, 1, length, length)."""
    asks, asked = parts[:, :, None], parts[:, None, :]
    before = torch.ones(parts.shape[1], parts.shape[1], dtype=torch.bool, device=parts.device).tril()
    return (before & ((asks == asked) | (asked == 0)))[:, None]
