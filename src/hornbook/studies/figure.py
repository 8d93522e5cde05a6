"""The figures by which a study judges its arms: the same question to each, on the same held-out text and places."""

from collections.abc import Callable
from typing import Any

from pydantic import field_validator, model_validator

from hornbook.objectives import OBJECTIVES, AnyObjective, Objective
from hornbook.objectives.pairs import Pairs
from hornbook.section import Section


class Figure(Section):
    """A figure that judges every arm on the same held-out text and places, whatever the arm's own objective."""

    loss: AnyObjective | None = None
    """The held-out loss of this objective, in nats a label."""
    words: AnyObjective | None = None
    """An objective that cuts spans out of a text, for a text-to-text model: the figure is the loss on the first word of
    each span, where only words are possible."""
    probe: AnyObjective | None = None
    """The share of this objective's pairs that a linear probe of the model's hidden states judges rightly."""

    @field_validator("loss", "words", "probe", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return {"name": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one(self) -> "Figure":
        if sum(one is not None for one in (self.loss, self.words, self.probe)) != 1:
            raise ValueError("a figure is one of loss, words and probe: name an objective for one of them")
        if self.words is not None and not (self.words.cuts_spans and self.words.head == "seq2seq"):
            cutting = _named_where(lambda kind: kind.cuts_spans)
            raise ValueError(f"{self.words.name} cuts out no spans for a text-to-text model: take {cutting}")
        if self.probe is not None and not isinstance(self.probe, Pairs):
            over_pairs = _named_where(lambda kind: issubclass(kind, Pairs))
            raise ValueError(f"{self.probe.name} has no pairs to probe for: take {over_pairs}")
        return self

    @property
    def objective(self) -> AnyObjective:
        """The objective that makes the figure's batches."""
        objective = self.loss or self.words or self.probe
        assert objective is not None
        return objective

    @property
    def unit(self) -> str:
        """The unit of the values."""
        return "nats/label" if self.lower else "share of pairs"

    @property
    def lower(self) -> bool:
        """Whether lower values are better."""
        return self.probe is None


def _named_where(fits: Callable[[type[Objective]], bool]) -> str:
    """Name the objectives that fit."""
    return " or ".join(name for name, kind in OBJECTIVES.items() if fits(kind))
