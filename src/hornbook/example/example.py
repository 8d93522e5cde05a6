"""One example, from its text to its loss."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from hornbook.example.blocks import (
    Block,
    batch_block,
    loss_block,
    sequence_block,
    term_block,
    text_block,
)
from hornbook.example.html import render, write_page
from hornbook.example.parts import Sequence, Term, Token


@dataclass(frozen=True)
class Example:
    """One example, from its text to its loss."""

    title: str
    """Whose it is: the model or recipe, and the objective."""
    lesson: str
    """What the objective teaches, in a sentence or two."""
    text: tuple[Token, ...]
    """The text before anything was done to it."""
    sequences: tuple[Sequence, ...]
    terms: tuple[Term, ...]
    loss: float
    """The loss of this example as training computes it, in nats, in fp32 and without dropout."""
    remarks: tuple[str, ...] = ()
    batch: dict[str, Tensor] = field(default_factory=dict, repr=False, compare=False)
    """The tensors that the model gets, shape (1, ...)."""

    def facts(self) -> dict[str, Any]:
        """Give all of it as plain values, for JSON."""
        facts = asdict(self) | {"batch": {name: one.tolist() for name, one in self.batch.items()}}
        for told, term in zip(facts["terms"], self.terms, strict=True):
            told["mean"] = term.mean
        return facts

    def blocks(self) -> list[Block]:
        """Lay it out: its text, its tensors, what the model reads, each term of the loss, and the loss."""
        return [
            Block(self.title, (self.lesson, *self.remarks)),
            text_block(self.text),
            batch_block(self.batch),
            *map(sequence_block, self.sequences),
            *(term_block(term) for term in self.terms if term.steps),
            loss_block(self.terms, self.loss),
        ]

    def write_html(self, path: Path) -> Path:
        """Write it as a page. Raises HornbookError where something else is there, or the path can't be written."""
        return write_page(self.title, self.blocks(), path)

    def _repr_html_(self) -> str:
        """Draw it in a notebook."""
        return render(self.title, self.blocks())
