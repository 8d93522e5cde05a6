"""What is tested: a family's tiny model, with an objective that it serves, and what both work on."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from hornbook.families import FAMILIES, Family
from hornbook.loading import LoadedModel
from hornbook.objectives import OBJECTIVES, Objective, Vocabulary, served
from hornbook.objectives.batch_to_loss import make_batch
from hornbook.rng import CounterRNG
from hornbook.store import TokenStore
from hornbook.testing.losses import CLASS_LOSSES, ClassLoss
from hornbook.testing.stories import make_stories
from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer, train

LENGTH = 32
"""Tokens in an example: a story is longer, so that examples begin and end within one."""
_VOCABULARY = 512

Twin = Callable[["Case", PreTrainedModel, Sequence[str]], list[float]]
"""Computes a measure's figures of a Hugging Face class on some documents, in the plainest way."""


@dataclass(frozen=True, eq=False)
class Case:
    """A family's tiny model and an objective; what is made of them is made when a check first asks for it."""

    family: Family
    preset: str
    objective: Objective
    class_losses: Mapping[str, ClassLoss] = field(default_factory=lambda: CLASS_LOSSES)
    """What the Hugging Face class of each head itself says of a batch."""
    twins: Mapping[str, Twin] = field(default_factory=dict)
    """A twin for each measure, by its name."""

    def __str__(self) -> str:
        model = self.family.name if self.preset in list(self.family.presets)[:1] else self.preset
        options = self.objective.model_dump(exclude_defaults=True).keys() - self.objective.suited(
            self.family.heads
        )
        return "-".join([model, self.objective.name, *sorted(options)])  # type: ignore[attr-defined]

    def require(self, holds: bool, sentence: str) -> None:
        """Raise AssertionError with this case's name and the sentence unless it holds."""
        if not holds:
            raise AssertionError(f"{self}: {sentence}")

    def values(self, dropout: float = 0.0) -> dict[str, Any]:
        """Change the preset's values: to the tiny ones, and to one share of dropout wherever there is any."""
        return tiny_values(self.family, dropout)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """A tokenizer of the family's style and kind, with the tokens that the objective asks for."""
        family, objective = self.family, self.objective
        trained = _train(family.kind, family.style, objective.sentinels(LENGTH), objective.modes())
        return build_fast_tokenizer(trained, objective.template, LENGTH, STYLES[family.style])

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Its ids by what they mean."""
        return Vocabulary.of(self.tokenizer)

    @cached_property
    def config(self) -> PretrainedConfig:
        """The tiny model's configuration, without dropout."""
        return self.family.configure(self.preset, self.tokenizer, LENGTH, self.values())

    def model(self, seed: int = 0) -> PreTrainedModel:
        """Make the family's model, as Hornbook trains it, in training mode."""
        return self.family.build(self.config, self.objective.head, seed)

    def plain(self, model: PreTrainedModel) -> PreTrainedModel:
        """Make Hugging Face's own class with the same weights and nothing replaced, in the same mode."""
        plain = self.family.construct(self.config, self.objective.head)
        plain.load_state_dict(model.state_dict())
        return plain.train(model.training)

    def loaded(self, model: PreTrainedModel, folder: Path | None = None) -> LoadedModel:
        """Put a model with its tokenizer, as if it had been opened from a folder."""
        head = self.objective.head
        return LoadedModel(
            folder or Path(), str(self), self.family, head, model.eval(), self.tokenizer, LENGTH
        )

    def store(self, texts: Sequence[str]) -> TokenStore:
        """Tokenize documents for the objective."""
        end = self.objective.end(self.vocabulary)
        assert end is not None, f"{self}: the objective's end is None, so its documents would run together"
        with TemporaryDirectory() as folder:
            return self.objective.store(Path(folder) / "tokens", texts, self.tokenizer, end)

    @cached_property
    def arrays(self) -> tuple[TokenStore, Any]:
        """A store of some stories, and where the objective's examples stand in it."""
        store = self.store(make_stories(40))
        return store, self.objective.chunking(store, LENGTH)

    def batch(self, rows: Sequence[int] = range(8), step: int = 0) -> dict[str, Tensor]:
        """Make a step's batch of these examples."""
        (store, chunking), numbers = self.arrays, np.array(rows)
        rng = CounterRNG(0, step, numbers)
        return make_batch(store, self.objective, chunking, chunking.starts(numbers), self.vocabulary, rng)

    @property
    def predicts_words(self) -> bool:
        """Whether the head is that of a language model, whose logits are words'."""
        return self.objective.head in CLASS_LOSSES

    def class_loss(self, plain: PreTrainedModel, batch: Mapping[str, Tensor]) -> Tensor:
        """Let the Hugging Face class compute the mean of each of the objective's terms: shape (terms,)."""
        head = self.objective.head
        self.require(
            head in self.class_losses,
            f"the head {head} is no language model's: give conformance class_losses={{{head!r}: a function}}",
        )
        return self.class_losses[head](self.family, plain, batch)

    def learned_loss(self, means: Tensor) -> Tensor:
        """Weigh the means of an objective's terms, shape (terms,), as the training loop does: a scalar."""
        return (means * torch.tensor(list(self.objective.terms.values()))).sum()


def tiny_values(family: Family, dropout: float = 0.0) -> dict[str, Any]:
    """Give a family's tiny values, with one share of dropout wherever its class has any."""
    names = (one.name for one in fields(family.config_class))
    shares = {name for name in names if "drop" in name and name in _numbers(family)}
    return family.tiny | dict.fromkeys(shares, dropout)


def kinds(family: Family) -> list[str]:
    """Name a preset of each kind that a family has: presets of one kind differ in nothing but numbers."""
    found: dict[str, str] = {}
    for name, preset in family.presets.items():
        kind = {key: value for key, value in preset.values.items() if key not in family.tiny}
        words = {key: value for key, value in kind.items() if isinstance(value, bool | str)}
        found.setdefault(repr(sorted(words.items())), name)
    return list(found.values())


def cases(
    families: Collection[str] | None = None, objectives: Collection[str] | None = None, **given: Any
) -> Iterator[Case]:
    """Give every registered family, or those named, with every objective that it serves, in each of its forms.

    `given` are further fields of each case.
    """
    for name in FAMILIES if families is None else families:
        family = FAMILIES.find(name)
        for preset in kinds(family):
            for one in served(family, {**family.presets[preset].values, **family.tiny}):
                if objectives is None or one in objectives:
                    objective = OBJECTIVES.find(one)
                    for form in ({}, *objective.forms):
                        asked = objective(**(objective.suited(family.heads) | form))
                        if not asked.restarts or "position_ids" in family.inputs:
                            yield Case(family, preset, asked, **given)


def _numbers(family: Family) -> set[str]:
    config = family.config_class()
    return {name for name, value in vars(config).items() if isinstance(value, int | float)}


@cache
def _train(kind: str, style: str, sentinels: int, modes: tuple[str, ...]) -> Tokenizer:
    options = TokenizerOptions(kind=kind, vocab_size=_VOCABULARY)
    return train(make_stories(), options, STYLES[style], sentinels, modes=modes)
