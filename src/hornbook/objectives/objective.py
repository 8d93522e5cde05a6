"""What every objective is: how many tokens an example takes, how a batch is made of them, how its loss is computed."""

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.families import Family
from hornbook.objectives.arithmetic import Arithmetic, judge
from hornbook.objectives.cross_entropy import linear_cross_entropy
from hornbook.objectives.vocabulary import Ids, Vocabulary
from hornbook.rng import CounterRNG
from hornbook.section import Section
from hornbook.store import Chunking, Plan, TokenStore, Windows, build
from hornbook.tokenizers import Head, Rule, Template

Batch = dict[str, Ids]
"""A batch as NumPy arrays, before `batch_to_loss.make_batch` makes tensors of them."""
Mask = npt.NDArray[np.bool_]
Writing = Literal["generate", "unmask", "infill"] | None
Reading = Literal["left to right", "right to left", "both ways"]
"""Right to left means that a text's tokens are reversed: the text's last token follows the end token."""

READING = "reading_direction"
"""The config.json key for the direction of a causal model that doesn't read from left to right."""

IGNORED = -100
"""The label of a place that the loss ignores: Hugging Face's convention."""


class Objective(Section):
    """An objective: its options, what it needs, its batches and its loss.

    Each objective has to declare every attribute that is annotated here without a value. If one is missing, registering
    the objective fails and names it.

    Batches are in Hugging Face's own form (`input_ids`, `labels`, unshifted, -100 where there is nothing to learn), so
    that any of its model classes takes them as they are and computes the same loss.
    """

    title: ClassVar[str]
    """Its name on pages and in tables."""
    paper: ClassVar[str]
    """Where it was published: authors, year, and the arXiv number or DOI."""
    head: ClassVar[Head]
    """The kind of model that serves it: any name under which a family offers a class."""
    template: ClassVar[Template]
    """How its texts are framed: the template of the tokenizer, and how the doctor looks at the model."""
    natural: ClassVar[frozenset[Head]]
    """The heads for which it is the default objective, as when a stranger's folder is measured."""
    measures: ClassVar[tuple[str, ...]]
    """The measures (`hornbook.measures`) that are valid for a model trained with it, in their order."""
    writes: ClassVar[Writing]
    """How such a model writes a sample: it continues a text, fills hidden words, fills spans, or can't write."""
    reading: ClassVar[Reading]
    """The direction in which such a model reads a text: measures and samples follow it, or are refused."""
    lesson: ClassVar[str]
    """What a learner should know about it, in one or two plain sentences: on the page, and with each preset."""
    whole_text: ClassVar[bool]
    """Whether every token of a text is a label, each once, so that the loss gives bits per byte."""
    sentences: ClassVar[bool] = False
    """Whether its token store has to know where sentences begin."""
    cuts_spans: ClassVar[bool] = False
    """Whether it cuts spans out of a text and puts sentinels in their place."""
    infill_mode: ClassVar[str] = ""
    """The special token that tells such a model to fill short gaps, where its tokenizer has it; empty for none."""
    terms: ClassVar[dict[str, float]]
    """The terms that `loss` gives, each with its weight in the training loss; weight 0 means only logged."""

    own_keys: ClassVar[frozenset[str]] = frozenset()
    """The keys of its batches that only its loss reads: the model doesn't get them."""
    predictor: ClassVar[str] = ""
    """The path in the model of the part that predicts words from hidden states; empty for the model itself."""

    forms: ClassVar[tuple[dict[str, Any], ...]] = ()
    """Other options that change its batches: `hornbook.testing` tries each of them too."""

    @classmethod
    def heads(cls) -> dict[Head, dict[str, str]]:
        """Name the kinds of model that can serve it, the most natural first, and the options that each asks for."""
        return {cls.head: {}}

    @classmethod
    def suited(cls, heads: Collection[Head]) -> dict[str, str]:
        """Give the options that follow from the heads that a model can have, if a recipe doesn't set them."""
        return next((options for head, options in cls.heads().items() if head in heads), {})

    @classmethod
    def refusal(cls, family: Family, values: Mapping[str, Any]) -> str | None:
        """Say why a family's model, with these values in its configuration, can't serve it; None where one can.

        Serving one of its forms is enough. The answer can be empty, like that of `Family.refusal`.
        """
        refusals = [family.refusal(head, values) for head in cls.heads()]
        return None if None in refusals else refusals[0]

    def sentinels(self, length: int) -> int:
        """Say how many <extra_id_*> a new tokenizer gets for it, unless the recipe says how many."""
        return 0

    def most_spans(self, length: int) -> int:
        """Count the spans that are cut out of one example of `length` tokens, at most: each needs a sentinel."""
        return 0

    def modes(self) -> tuple[str, ...]:
        """Name its own special tokens, which a tokenizer must have."""
        return ()

    def describe(self) -> str:
        """Name it with its options, in words, for readers of its figures."""
        options = dict(self)
        name = str(options.pop("name")).replace("_", " ")
        listed = ", ".join(filter(None, map(_told, options.keys(), options.values())))
        return f"{name} ({listed})" if listed else name

    @abstractmethod
    def problems(self, vocabulary: Vocabulary, length: int) -> list[str]:
        """Name everything about this tokenizer and length that doesn't fit, one line each."""

    @abstractmethod
    def end(self, vocabulary: Vocabulary) -> int | None:
        """Give the id of the token that ends a document."""

    @abstractmethod
    def window(self, length: int) -> int:
        """Count the tokens of text that one example of `length` tokens is made of."""

    def examples(self, length: int) -> str:
        """Put into words what examples of `length` tokens are: "windows of 128 tokens"."""
        return f"windows of {self.window(length)} tokens"

    def chunking(self, store: TokenStore, length: int) -> Chunking:
        """Say where examples of `length` tokens stand in a store; HornbookError where it can't have any."""
        return Windows(len(store.tokens), self.window(length))

    @property
    def words(self) -> bool:
        """Whether its token store has to know where words begin."""
        return False

    @property
    def copies(self) -> int | None:
        """The number of ways in which an example is made; None if it is made anew each time that it is read."""
        return None

    @property
    def restarts(self) -> bool:
        """Whether positions restart within an example, so that the tokens at each position can't be counted."""
        return False

    def plan(
        self, store: TokenStore, length: int, batch: int, seed: int, first: int = 0, epoch: int = 0
    ) -> Plan:
        """Plan in which step which example of `length` tokens is read, from step `first` on, which begins `epoch`."""
        return Plan(self.chunking(store, length), batch, seed, self.copies, first, epoch)

    def store(
        self,
        folder: Path,
        documents: Iterable[str],
        tokenizer: PreTrainedTokenizerBase,
        end: int,
        special: Rule = "text",
    ) -> TokenStore:
        """Tokenize documents into a new store, with all that this objective reads of one; raises as `build` does."""
        return build(folder, documents, tokenizer, end, None, self.sentences, special, self.words)

    def read(
        self, store: TokenStore, chunking: Chunking, starts: Ids, vocabulary: Vocabulary, rng: CounterRNG
    ) -> Batch:
        """Make a batch of the examples that begin at `starts` (B,), tokens of a store: arrays of shape (B, ...)."""
        return self.batch(store.windows(starts, chunking.window), vocabulary, rng)

    def batch(self, windows: Ids, vocabulary: Vocabulary, rng: CounterRNG) -> Batch:
        """Make a batch of windows, shape (B, window), without a loop over examples: arrays of shape (B, ...).

        An objective that doesn't read windows has its own `read` instead.
        """
        raise NotImplementedError

    def example(
        self, store: TokenStore, vocabulary: Vocabulary, rng: CounterRNG, hidden: Mask | None = None
    ) -> Batch:
        """Make a batch of one example, the first document of a store, whole: arrays of shape (1, ...).

        `hidden`, shape (tokens of the store,), is True at the tokens that are to be hidden instead of drawn ones. Where
        the whole text is learned, it stands between two end tokens, as documents do in training. Raises HornbookError
        where the objective hides no words, or not these.
        """
        if hidden is not None:
            raise HornbookError(
                f"the objective {self.title} hides no words that somebody chooses: leave --hide out"
            )
        document = store.document(0)
        text = np.concatenate([document[-1:], document]) if self.whole_text else document[:-1]
        return self.batch(text[None], vocabulary, rng)

    def loss(
        self,
        family: Family,
        model: PreTrainedModel,
        batch: dict[str, Tensor],
        hidden: Tensor,
        labels: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Compute the loss: the sums over the labels in nats, and the counts of labels, shape (terms,) each.

        `hidden` (B, T, hidden) and `labels` (B, T) are what the family made of the batch with the model's `predictor`.
        The head is applied only where there is a label, which saves time and changes nothing else.
        """
        model = model.get_submodule(self.predictor)
        targets = self.targets(labels).flatten()
        labelled = (targets != IGNORED).nonzero().squeeze(1)
        features = family.features(model, hidden.flatten(0, 1).index_select(0, labelled))
        targets, output = targets[labelled], family.output(model)
        if output is None:
            nats = nn.functional.cross_entropy(features.float(), targets, reduction="sum")
        else:
            nats = linear_cross_entropy(features, output, targets)
        return nats[None], torch.tensor([len(labelled)], device=nats.device)

    def arithmetic(
        self, family: Family, model: PreTrainedModel, batch: dict[str, Tensor]
    ) -> dict[str, Arithmetic]:
        """Compute the terms of the loss place by place, for somebody to look at: the sums of `loss`, by another way.

        A term that isn't a sum of -ln p, such as an accuracy, is left out.
        """
        hidden, labels = family.hidden(model, batch), self.targets(batch["labels"])
        rows, places = (labels != IGNORED).nonzero(as_tuple=True)
        logits = family.logits(model, hidden[rows, places])
        return {next(iter(self.terms)): judge(logits, labels[rows, places], rows, places)}

    def counts(self, batch: dict[str, Tensor]) -> Tensor:
        """Count the labels of a batch without computing its loss: shape (terms,)."""
        return (self.targets(batch["labels"]) != IGNORED).sum()[None]

    def targets(self, labels: Tensor) -> Tensor:
        """Say what each place's hidden state has to predict, shape (B, T): here, its own label."""
        return labels


def _told(option: str, value: object) -> str:
    """Put an option in words; an option that is off gives no words."""
    words = option.replace("_", " ")
    if isinstance(value, tuple):
        return f"{words}: " + "; ".join(" ".join(_told(*one) for one in part if one[1]) for part in value)
    if isinstance(value, bool) or value is None:
        return f"with {words}" if value else ""
    return f"{words} {value:g}" if isinstance(value, int | float) else f"{words} {value}"


def missing(**roles: int | None) -> list[str]:
    """Name the roles that a tokenizer lacks."""
    return [
        f"the tokenizer has no {role} token, which this objective needs: choose a tokenizer.style that has one, or "
        "add what is missing to an existing tokenizer with hornbook tokenizer reindex FOLDER --for FAMILY"
        for role, token in roles.items()
        if token is None
    ]
