"""Phase 1: propose places for dense tokens, fill them, and keep those that help most."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field, model_validator

from hornbook.dense_tokens.insert import Floats, Ints, choose_places, insert
from hornbook.dense_tokens.loss import losses, word_logits
from hornbook.dense_tokens.model import DenseModel
from hornbook.errors import HornbookError
from hornbook.rng import CounterRNG
from hornbook.section import Section

_PLACES = 2**13
"""Most places in one forward pass."""

How = Literal["texts", "places", "chance"]


class SelectOptions(Section):
    """What is proposed and what is kept."""

    proposals: int = Field(4, ge=1)
    """Proposals for each text."""
    count: int = Field(4, ge=0)
    """Dense tokens in a proposal, beside those that the text has of its own."""
    rounds: int = Field(1, ge=1)
    """Rounds of filling; one more pass scores the proposals."""
    places: Literal["chance", "least-sure"] = "chance"
    """chance: anywhere. least-sure: in proportion to the entropy of the model's next word."""
    keep: How = "texts"
    """places: the best proposal of every text. texts: the best proposals of those texts that it helps most. chance, for
    comparison: the first proposals of random texts."""
    share: float = Field(0.5, gt=0, le=1)
    """The share of texts that are kept, for texts and chance."""

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, given: Any) -> Any:
        """Take the default for what is None, as if it hadn't been given."""
        return {k: v for k, v in given.items() if v is not None} if isinstance(given, dict) else given

    def beside(self, own: int) -> "SelectOptions":
        """Fit the options to a text with so many dense tokens of its own: what isn't given proposes none beside them.

        Where none are proposed, there is nothing to choose, and all texts are kept. Raises HornbookError if a text
        without any gets none.
        """
        given = {name: getattr(self, name) for name in self.model_fields_set}
        count = given.get("count", 0 if own else self.count)
        if not count and not own:
            raise HornbookError(
                "count is 0, and the text has no dense tokens of its own: propose at least one"
            )
        return self if count else SelectOptions(**{"share": 1.0} | given | {"count": 0, "proposals": 1})


@dataclass(frozen=True)
class Scored:
    """Proposals for B texts, K each."""

    places: Ints
    """Columns after which the n dense tokens stand, shape (B, K, n)."""
    gains: Floats
    """Nats that vectors save against zero vectors, over the words after the first dense token, shape (B, K)."""
    counted: Ints
    """How many words these are, shape (B, K)."""
    words: Ints
    """How many words each text has, shape (B,)."""

    @property
    def falls(self) -> Floats:
        """By how much a text's ln perplexity falls, shape (B, K); proposals are compared by this."""
        return self.gains / self.words[:, None]


@torch.inference_mode()
def score(
    model: DenseModel,
    words: Ints,
    real: npt.NDArray[np.bool_],
    options: SelectOptions,
    seed: int,
    purpose: str = "proposals",
    rows: Ints | None = None,
    own: Ints | None = None,
    progress: Callable[[float], None] | None = None,
) -> Scored:
    """Propose insertions for words (B, L), with `real` False at padding, and score them without a gradient.

    The reference costs nothing extra: the first pass has zero vectors, so K proposals cost K times (rounds + 1) passes.
    `rows` are the texts' numbers, from which random places are drawn. The texts' own dense tokens stand after the
    columns `own`, shape (B, n), in every proposal; column L stands for none. Raises HornbookError for texts with fewer
    words than dense tokens, and where a score is NaN or infinite.
    """
    rows = np.arange(len(words)) if rows is None else rows
    weights = _weights(model, words, real, options.places)
    if (weights > 0).sum(1).min() < options.count:
        raise HornbookError(
            f"a text has {int((weights > 0).sum(1).min()):,} places for a dense token, and {options.count} are to be "
            "put in: give longer texts, or a smaller count"
        )
    places = choose_places(
        CounterRNG(seed, "select", rows), purpose, weights, options.proposals, options.count
    )
    if own is not None:
        repeated = np.broadcast_to(own[:, None], (*places.shape[:2], own.shape[1]))
        places = np.sort(np.concatenate([places, repeated], axis=2), axis=2)
    batch, proposals, count = places.shape
    flat = places.reshape(-1, count)
    gains, counted = np.empty(len(flat)), np.empty(len(flat), np.int64)
    step = max(1, _PLACES // (words.shape[1] + count))
    for first in range(0, len(flat), step):
        chosen = np.arange(first, min(first + step, len(flat)))
        gains[chosen], counted[chosen] = _gain(
            model, words[chosen // proposals], real[chosen // proposals], flat[chosen], options.rounds
        )
        if progress:
            progress((first + len(chosen)) / len(flat))
    if not np.isfinite(gains).all():
        raise HornbookError(
            f"{int((~np.isfinite(gains)).sum()):,} of {len(gains):,} scores are no numbers: look at the model's weights"
        )
    return Scored(places, gains.reshape(batch, proposals), counted.reshape(batch, proposals), real.sum(1))


def keep(scored: Scored, options: SelectOptions, seed: int) -> tuple[Ints, Ints]:
    """Choose by `options.keep`: the numbers of the kept texts, ascending, and the kept proposal of each."""
    texts = len(scored.gains)
    wanted = max(1, round(options.share * texts))
    best = scored.falls.argmax(1)
    if options.keep == "places":
        return np.arange(texts), best
    if options.keep == "texts":
        kept = np.sort(np.argsort(-scored.falls.max(1), kind="stable")[:wanted])
        return kept, best[kept]
    kept = CounterRNG(seed, "keep", np.zeros(1, np.int64)).choose("chance", texts, wanted)[0]
    return kept, np.zeros(wanted, np.int64)


def _weights(model: DenseModel, words: Ints, real: npt.NDArray[np.bool_], places: str) -> Floats:
    """Weigh each column for the draw, shape (B, L); the weight is 0 where no word follows."""
    able = real.copy()
    able[:, :-1] &= real[:, 1:]
    able[:, -1] = False
    if places == "chance":
        return able.astype(np.float64)
    device = model.model.device
    weights = np.empty(words.shape)
    step = max(1, _PLACES // words.shape[1])
    for first in range(0, len(words), step):
        part = slice(first, first + step)
        ids = torch.from_numpy(words[part]).to(device)
        filled = model(ids, model.layout(ids, torch.from_numpy(real[part]).to(device)), rounds=0)
        for row in range(len(ids)):  # one text's logits at a time: a vocabulary is wide
            logits = word_logits(filled.head(filled.hidden[row]).float(), model.dense_id)
            weights[first + row] = torch.distributions.Categorical(logits=logits).entropy().cpu().numpy()
    return np.where(able, np.maximum(weights, 1e-6), 0.0)


def _gain(
    model: DenseModel, words: Ints, real: npt.NDArray[np.bool_], places: Ints, rounds: int
) -> tuple[Floats, Ints]:
    """Compare the last round with the first, which has zero vectors: nats saved and words counted, both (N,)."""
    put = insert(words, places, model.dense_id)
    device = model.model.device
    ids = torch.from_numpy(put.ids).to(device)
    layout = model.layout(ids, torch.from_numpy(np.take_along_axis(real, put.origin, 1)).to(device))
    found = model.refine(ids, layout, rounds)
    without, with_vectors = (losses(one, ids, layout, model.dense_id).words for one in (found[0], found[-1]))
    after = (layout.dense.cumsum(1) > 0) & layout.follows & ~layout.dense
    gained = ((without - with_vectors) * after).double().sum(1)
    return gained.cpu().numpy(), after.sum(1).cpu().numpy()
