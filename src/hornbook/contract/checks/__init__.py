"""The checks, grouped by what they look at; importing this enters them in the table."""

from hornbook.contract.checks import (
    batches,
    census,
    files,
    heads,
    learning,
    marks,
    positions,
    rows,
    special_ids,
    t5,
    templates,
    text,
)

__all__ = [
    "batches",
    "census",
    "files",
    "heads",
    "learning",
    "marks",
    "positions",
    "rows",
    "special_ids",
    "t5",
    "templates",
    "text",
]
