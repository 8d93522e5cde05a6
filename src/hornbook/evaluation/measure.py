"""The base class of measures, which judge a model on held-out documents and say what their figures compare with."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hornbook.evaluation.likelihood import Likelihood
from hornbook.loading import LoadedModel
from hornbook.objectives import Objective, Reading
from hornbook.store import TokenStore
from hornbook.tokenizers import encode_documents

Progress = Callable[[str, float], None]
"""Is called with the name of the work, and the share of it that is done."""

Figure = dict[str, Any]
"""`measure`, `value`, `unit`, `over`, `rule` and `comparable`, as in evaluation.json and on the page."""

BITS, NATS = "bits/byte", "nats/label"


@dataclass(frozen=True)
class Heldout:
    """A model, and the documents that it is judged on."""

    loaded: LoadedModel
    objective: Objective
    texts: Sequence[str]
    store: TokenStore
    """The texts' tokens."""
    documents: int | None = None
    """How many documents are read, evenly spread; None is all."""
    windows: int = 2000
    """Most windows or pairs that the objective's loss is over."""


class Measure(ABC):
    """One way to judge a model. An objective names the measures that are valid for it."""

    name: str
    """The name by which objectives declare it."""
    reads: frozenset[Reading]
    """The directions of reading that it can judge."""

    @abstractmethod
    def measure(self, heldout: Heldout, tell: Progress) -> list[Figure]:
        """Return the figures. Raises HornbookError if the measure doesn't suit the model."""


def figure(measure: str, value: float, unit: str, over: str, rule: str, comparable: str) -> Figure:
    """Make a figure: its value, the text it is over, how it was computed, and what it compares with."""
    named = {"measure": measure, "value": value, "unit": unit}
    return named | {"over": over, "rule": rule, "comparable": comparable}


def over(found: Likelihood, documents: int) -> str:
    """Describe the text of a likelihood, chosen from so many documents."""
    spread = "" if found.documents == documents else f", spread evenly over {documents:,}"
    return f"{found.documents:,} documents{spread}: {found.bytes:,} bytes, {found.tokens:,} tokens"


def lossy(loaded: LoadedModel, texts: Sequence[str]) -> str:
    """Return a warning if the tokenizer loses some of the text, since lost text needn't be predicted."""
    ids = encode_documents(loaded.tokenizer, list(texts[:100]))
    if all(loaded.tokenizer.decode(one) == text for one, text in zip(ids, texts, strict=False)):
        return ""
    return (
        " Its tokenizer loses some of the text (spaces, case or rare characters), which flatters the figure."
    )
