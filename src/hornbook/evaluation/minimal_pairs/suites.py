"""The published suites of minimal pairs: where they are had, and how their rows are read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hornbook.evaluation.minimal_pairs.pair import Half, MinimalPair

Row = dict[str, Any]

FIELDS = {
    "anaphor agreement": "morphology",
    "argument structure": "syntax",
    "binding": "syntax-semantics",
    "control raising": "syntax-semantics",
    "determiner noun agreement": "morphology",
    "ellipsis": "syntax",
    "filler gap dependency": "syntax",
    "irregular forms": "morphology",
    "island effects": "syntax",
    "npi licensing": "semantics",
    "quantifiers": "semantics",
    "subject verb agreement": "morphology",
}
"""BLiMP's phenomena with their fields, as in the paper's table 1. A few of the files name others."""


@dataclass(frozen=True)
class Suite:
    """A published set of paradigms."""

    name: str
    title: str
    paper: str
    folder: str
    """Its folder in a folder of tasks."""
    dataset: str | None
    """Its name on the hub; None where it isn't there."""
    fields: tuple[str, ...]
    """The fields that a row must have."""
    pairs: Callable[[Row], tuple[MinimalPair, ...]]
    paradigm: Callable[[Row, str], str]
    """Names a row's paradigm, given the name of its file."""
    groups: Callable[[Row], tuple[str, ...]] = lambda row: ()
    configs: bool = False
    """Whether each paradigm is a configuration of the data set on the hub."""
    split: str = "train"
    """The split on the hub."""
    paradigms: int | None = None
    """How many it has as published."""


def sentences(row: Row) -> tuple[MinimalPair, ...]:
    """Read a row of BLiMP's form: two whole sentences."""
    return (MinimalPair(Half(row["sentence_good"]), Half(row["sentence_bad"])),)


def plain(row: Row) -> tuple[MinimalPair, ...]:
    """Read a row of one's own: a good and a bad text, and what stands before them, if anything does."""
    context = row.get("context", "")
    return (MinimalPair(Half(row["good"], context), Half(row["bad"], context)),)


def _two_contexts(row: Row) -> tuple[MinimalPair, ...]:
    """Read a row of EWoK: is each target likelier after its own context than after the other?"""
    contexts, targets = (row["Context1"], row["Context2"]), (row["Target1"], row["Target2"])
    return tuple(
        MinimalPair(Half(targets[own], contexts[own]), Half(targets[own], contexts[1 - own]))
        for own in (0, 1)
    )


def _phenomenon(row: Row) -> tuple[str, ...]:
    """Name BLiMP's field and phenomenon; the paper counts s-selection as argument structure."""
    term = str(row["linguistics_term"]).replace("_", " ").replace("s-selection", "argument structure")
    field = FIELDS.get(term, str(row["field"]).replace("_", "-").replace("/", "-"))
    return f"field: {field}", term


SUITES = {
    suite.name: suite
    for suite in (
        Suite(
            "blimp",
            "BLiMP",
            "Warstadt et al. 2020, arXiv:1912.00582",
            "blimp",
            "nyu-mll/blimp",
            ("sentence_good", "sentence_bad", "UID", "field", "linguistics_term"),
            sentences,
            lambda row, file: str(row["UID"]),
            _phenomenon,
            configs=True,
            paradigms=67,
        ),
        Suite(
            "blimp_supplement",
            "BLiMP supplement",
            "Warstadt et al. 2023, doi:10.18653/v1/2023.conll-babylm.1",
            "supplement",
            None,
            ("sentence_good", "sentence_bad"),
            sentences,
            lambda row, file: str(row.get("UID", file)),
        ),
        Suite(
            "ewok",
            "EWoK",
            "Ivanova et al. 2024, arXiv:2405.09605",
            "ewok",
            "ewok-core/ewok-core-1.0",
            ("Domain", "Context1", "Context2", "Target1", "Target2"),
            _two_contexts,
            lambda row, file: str(row["Domain"]),
            split="test",
        ),
    )
}
