"""A batch is a function of its place: of text, seed, step and row, and of nothing else."""

from pathlib import Path

import torch

from hornbook.objectives import IGNORED
from hornbook.testing.case import Case


def batches(case: Case, folder: Path) -> None:
    """Each row is the same whenever it is made and whatever rows are made beside it, and rows of steps differ."""
    whole, again = case.batch(range(8)), case.batch(range(8))
    for name, expected in whole.items():
        case.require(
            torch.equal(again[name], expected),
            f"{name} of one batch, made twice, differ: batch() must draw from the CounterRNG that it gets alone",
        )
        apart = torch.cat([case.batch(rows)[name] for rows in (range(3), range(3, 8))])
        case.require(
            torch.equal(apart, expected),
            f"{name} of 8 rows, made at once and in two parts, differ: a row must not depend on its neighbours",
        )
        case.require(
            expected.dtype == torch.int64 and len(expected) == 8,
            f"{name} of 8 rows is {expected.dtype} of shape {tuple(expected.shape)}, not 8 rows of int64",
        )
    labels, size = whole["labels"], case.config.vocab_size
    learned = labels[labels != IGNORED]
    case.require(len(learned) > 0, "no place of 8 examples has a label")
    for name, ids in (("input_ids", whole["input_ids"]), ("labels", learned)):
        case.require(
            int(ids.min()) >= 0 and int(ids.max()) < size,
            f"{name} has ids from {int(ids.min())} to {int(ids.max())}, and the model has rows for 0 to {size - 1}",
        )
