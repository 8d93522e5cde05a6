"""Score continuations of texts: how likely a causal model finds them, and whether it would write them itself."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.tokenizers import encode_at

_TOKENS = 2**12
"""Most tokens in one forward pass."""

Hidden = Callable[[Tensor, Tensor], Tensor]
"""Maps ids and a mask, False at padding, both (B, T), to the last hidden states (B, T, H)."""


@dataclass(frozen=True)
class Scores:
    """The scores of N continuations."""

    nats: npt.NDArray[np.float64]
    """The sum of -ln p over each continuation's tokens."""
    greedy: npt.NDArray[np.bool_]
    """Whether greedy decoding would write the continuation."""


@torch.inference_mode()
def score_continuations(
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[tuple[str, str]],
    hidden: Hidden,
    logits: Callable[[Tensor], Tensor],
    length: int,
    device: torch.device,
    between: Sequence[int] = (),
    progress: Callable[[float], None] | None = None,
    special: Collection[str] = (),
) -> Scores:
    """Score (context, continuation) pairs; the ids `between` stand between the two, and are not scored.

    Context and continuation are tokenized as one text, which begins with the end token, as documents do in training;
    a token of `special` that is written out in it is that token. A context that is too long for `length` tokens loses
    its beginning. Raises HornbookError for a continuation that is too long even alone.
    """
    texts, starts = [], []
    for before, continuation in encode_pairs(tokenizer, pairs, special):
        begin = before[-room_before(tokenizer, continuation, length - len(between)) :]
        texts.append([*begin, *between, *continuation])
        starts.append(len(begin) + len(between))
    sizes = np.array([len(text) for text in texts])
    nats, greedy = np.empty(len(texts)), np.empty(len(texts), bool)
    order, done = np.argsort(-sizes, kind="stable"), 0
    while done < len(order):
        rows = order[done : done + max(1, _TOKENS // int(sizes[order[done]]))]
        nats[rows], greedy[rows] = _score(
            [texts[row] for row in rows], np.array(starts)[rows], hidden, logits, device
        )
        done += len(rows)
        if progress:
            progress(done / len(order))
    return Scores(nats, greedy)


def encode_pairs(
    tokenizer: PreTrainedTokenizerBase, pairs: Sequence[tuple[str, str]], special: Collection[str] = ()
) -> list[tuple[list[int], list[int]]]:
    """Encode each context with its continuation as one text: the ids of both, the context's behind the end token.

    Raises HornbookError for an empty context where the tokenizer has no end token.
    """
    encoded = encode_at(
        tokenizer,
        [context + continuation for context, continuation in pairs],
        [[len(context)] for context, _ in pairs],
        special,
    )
    begin = [] if tokenizer.eos_token_id is None else [int(tokenizer.eos_token_id)]
    found = [([*begin, *ids[:place]], ids[place:]) for ids, (place,) in encoded]
    if not all(before for before, _ in found):
        raise HornbookError("a context is empty, and the tokenizer has no end token to begin with")
    return found


def room_before(tokenizer: PreTrainedTokenizerBase, continuation: Sequence[int], length: int) -> int:
    """Count the tokens of `length` that are left before a continuation; raises HornbookError where there are none."""
    if length - len(continuation) < 1:
        raise HornbookError(
            f"a continuation of {len(continuation):,} tokens ({tokenizer.decode(list(continuation))[:40]!r}...) leaves "
            f"no room in a model of {length:,}"
        )
    return length - len(continuation)


def _score(
    texts: list[list[int]],
    starts: npt.NDArray[np.int64],
    hidden: Hidden,
    logits: Callable[[Tensor], Tensor],
    device: torch.device,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Score a batch, padded on the right."""
    ids = torch.zeros(len(texts), max(map(len, texts)), dtype=torch.long)
    real = torch.zeros_like(ids, dtype=torch.bool)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
        real[row, : len(text)] = True
    columns = torch.arange(ids.shape[1])
    rows, places = (real & (columns >= torch.from_numpy(starts)[:, None])).nonzero(as_tuple=True)
    ids, real, rows, places = (one.to(device) for one in (ids, real, rows, places))
    predicted = logits(hidden(ids, real)[rows, places - 1]).float()
    wanted = ids[rows, places]
    lost = -predicted.log_softmax(-1).gather(-1, wanted[:, None]).squeeze(-1).double()
    missed = (predicted.argmax(-1) != wanted).double()
    nats, misses = torch.zeros(2, len(texts), dtype=torch.float64, device=device)
    nats.index_add_(0, rows, lost)
    misses.index_add_(0, rows, missed)
    return nats.cpu().numpy(), (misses == 0).cpu().numpy()
