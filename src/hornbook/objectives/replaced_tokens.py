"""ELECTRA's objective: tell which words of a text a small masked model put there."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import PreTrainedModel

from hornbook.dtypes import sum_dtype
from hornbook.families import Family
from hornbook.objectives.arithmetic import Arithmetic, judge
from hornbook.objectives.masked import Masked
from hornbook.objectives.objective import IGNORED, Batch, Mask
from hornbook.objectives.vocabulary import Ids, Vocabulary
from hornbook.rng import CounterRNG
from hornbook.store import TokenStore

_DRAWS = 2**23
"""How many random numbers there are for a word: as many as fp32 can divide and multiply without ever reaching 1."""
_ROWS = 512
"""Words that are drawn at once: each takes a row of the vocabulary's length."""


class ReplacedTokens(Masked):
    """Tell the tokens of a text that a generator replaced from the original ones (Clark et al., 2020, section 2).

    The generator predicts hidden words, as in masked language modelling. At each hidden place a word is drawn from
    its prediction. The model then judges every place of the filled text, except padding. A word that happens to
    be the original one counts as original. No gradient flows through the drawing.

    The loss is the generator's plus 50 times the detection's, each the mean over its own places. Accuracies are over
    all places that are judged; the last one is that of calling every token original, a baseline for the other.
    The objective needs a model with the head `detection`: the model gives a logit for each place, and its `generator`
    is a masked model of the same family.
    """

    title = "replaced tokens"
    paper = "Clark et al. 2020, arXiv:2003.10555"
    head = "detection"
    natural = frozenset({"detection"})
    own_keys = frozenset({"draws"})
    predictor = "generator"
    terms: ClassVar = {
        "masked-token loss": 1.0,
        "detection loss": 50.0,
        "detection accuracy": 0.0,
        "all-original accuracy": 0.0,
    }
    measures = ("loss",)
    writes = None
    whole_text = False
    reading = "both ways"
    lesson = (
        "A small model replaces some words of a text by words that might stand there. The model learns to tell, for "
        "every word, whether it is the original."
    )
    name: Literal["replaced_tokens"] = "replaced_tokens"  # type: ignore[assignment]
    mask: float = Field(0.85, ge=0, le=1)
    """Share of the hidden words that become the mask token; the others stay, as in google-research/electra."""
    random: float = Field(0.0, ge=0, le=1)
    """Share of the hidden words that become a random word."""

    def batch(
        self, windows: Ids, vocabulary: Vocabulary, rng: CounterRNG, words: Mask | None = None
    ) -> Batch:
        """Give what masking gives, and `draws` (B, length): a random number for each place, from 0 to 2**23 - 1."""
        return _with_draws(super().batch(windows, vocabulary, rng, words), rng)

    def example(
        self, store: TokenStore, vocabulary: Vocabulary, rng: CounterRNG, hidden: Mask | None = None
    ) -> Batch:
        """Add the random numbers to a masked example."""
        return _with_draws(super().example(store, vocabulary, rng, hidden), rng)

    def loss(
        self,
        family: Family,
        model: PreTrainedModel,
        batch: dict[str, Tensor],
        hidden: Tensor,
        labels: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Compute the two losses in nats, how many places were judged correctly, and how many are original."""
        words, _ = super().loss(family, model, batch, hidden, labels)
        given = _given(batch)
        chosen = batch["labels"] != IGNORED
        drawn = draw(family, model.generator, hidden[labels != IGNORED], batch["draws"][chosen])
        text = given["input_ids"].masked_scatter(chosen, drawn)
        replaced = chosen & (text != batch["labels"])
        real = _real(batch)
        judged = model(**given | {"input_ids": text}).logits[real]
        wanted = replaced[real].to(sum_dtype(judged.dtype))
        nats = binary_cross_entropy_with_logits(judged.to(wanted.dtype), wanted, reduction="sum")
        right = ((judged > 0) == wanted.bool()).sum()
        return torch.stack([words[0], nats, right, (wanted == 0).sum()]), self.counts(batch)

    def arithmetic(
        self, family: Family, model: PreTrainedModel, batch: dict[str, Tensor]
    ) -> dict[str, Arithmetic]:
        """Add what the model says of each place: its logit z means replaced, and original has the logit 0."""
        given, chosen = _given(batch), batch["labels"] != IGNORED
        words = super().arithmetic(family, model.generator, given | {"labels": batch["labels"]})
        hidden = family.hidden(model.generator, given)[chosen]
        drawn = draw(family, model.generator, hidden, batch["draws"][chosen])
        text = given["input_ids"].masked_scatter(chosen, drawn)
        rows, places = _real(batch).nonzero(as_tuple=True)
        z = model(**given | {"input_ids": text}).logits[rows, places]
        replaced = (chosen & (text != batch["labels"]))[rows, places].long()
        logits = torch.stack([torch.zeros_like(z), z], 1)
        judged = judge(logits, replaced, rows, places, ("original", "replaced"), text[rows, places])
        return words | {"detection loss": judged}

    def counts(self, batch: dict[str, Tensor]) -> Tensor:
        """Count the hidden words and, for all else, the places that are judged."""
        return torch.cat([super().counts(batch), _real(batch).sum().expand(3)])


@torch.no_grad()
def draw(family: Family, generator: PreTrainedModel, hidden: Tensor, draws: Tensor) -> Tensor:
    """Draw a word from what a masked model predicts, for each of its hidden states (N, hidden): ids (N,).

    `draws` (N,), from 0 to 2**23 - 1, are the random numbers: a word's share of them is its probability.
    """
    words = []
    for states, numbers in zip(hidden.split(_ROWS), draws.split(_ROWS), strict=True):
        logits = family.logits(generator, states)
        until = logits.to(sum_dtype(logits.dtype)).softmax(-1).cumsum(-1)
        # Rounding lets the last sum differ from 1.
        places = numbers[:, None].to(until.dtype) / _DRAWS * until[:, -1:]
        words.append(torch.searchsorted(until, places, right=True).squeeze(1))
    return torch.cat(words)


def _with_draws(batch: Batch, rng: CounterRNG) -> Batch:
    return batch | {"draws": rng.integers("draws", batch["labels"].shape[1], _DRAWS)}


def _given(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Take what both models read of a batch."""
    return {name: one for name, one in batch.items() if name not in ("labels", "draws")}


def _real(batch: dict[str, Tensor]) -> Tensor:
    """Tell text from padding."""
    mask = batch.get("attention_mask")
    return torch.ones_like(batch["labels"], dtype=torch.bool) if mask is None else mask.bool()
