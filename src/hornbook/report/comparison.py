"""Which figures can be compared.

A figure per byte compares with every other one over the same text. A figure per label compares only if objective,
tokenizer and text are all the same: another objective asks another question, and another tokenizer cuts the same text
into another number of tokens.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hornbook.direction import apart
from hornbook.report.runs import PhaseRecord, RunRecord, SavedMeasure

NATS = "nats/label"
BITS = "bits/byte"


@dataclass(frozen=True)
class Scope:
    """Figures compare if measure, unit and scope are equal; a field that doesn't matter is empty."""

    corpus: str
    objective: str = ""
    tokenizer: str = ""


def scope(run: RunRecord, unit: str, questions: str = "") -> Scope:
    """Return the scope within which figures of this unit compare with this run's, or those over these questions."""
    if questions:
        return Scope(apart(questions))
    corpus = f"{apart(run.corpus.name)} ({run.corpus.fingerprint[:8]})"
    if unit.endswith("/byte"):
        return Scope(corpus)
    return Scope(corpus, apart(objective_of(run)), f"{apart(tokenizer_of(run))} ({run.tokenizer.hash[:8]})")


def distinguish(scopes: Sequence[Scope]) -> dict[Scope, str]:
    """Describe how each scope differs from the others; the text is empty if there is only one."""
    differing = [
        field
        for field in ("objective", "tokenizer", "corpus")
        if len({getattr(s, field) for s in scopes}) > 1
    ]
    return {s: ", ".join(filter(None, (getattr(s, field) for field in differing))) for s in scopes}


def objective_of(run: RunRecord) -> str:
    """The objective in words: `span corruption`."""
    return run.objective.replace("_", " ")


def tokenizer_of(run: RunRecord) -> str:
    """The tokenizer in words: `bpe 8192`."""
    return f"{run.tokenizer.kind} {run.tokenizer.vocab_size}"


def labels(runs: Sequence[RunRecord]) -> list[str]:
    """Name the runs; runs that share a name also get their folder's name."""
    names = [run.name for run in runs]
    return [f"{run.name} ({run.folder.name})" if names.count(run.name) > 1 else run.name for run in runs]


def final(run: RunRecord) -> tuple[SavedMeasure, ...]:
    """Return the final figures or, if there are none yet, those of the latest evaluation during training."""
    if run.measures or not run.evaluate:
        return run.measures
    point = run.evaluate[-1]
    told: dict[str, Any] = {
        "over": f"the held-out part at step {point.step:,}",
        "rule": "As evaluated during training.",
    }
    figures = [SavedMeasure("held-out loss so far", point.loss, NATS, **told)]
    if point.bits_per_byte is not None:
        figures.insert(0, SavedMeasure("bits per byte so far", point.bits_per_byte, BITS, **told))
    return tuple(figures)


def remarks(runs: Sequence[RunRecord]) -> list[str]:
    """Say in sentences which of these runs' figures compare, and what is unfinished or unreadable."""
    said = []
    objectives = _unique(objective_of(run) for run in runs)
    tokenizers = _unique(run.tokenizer.hash for run in runs)
    corpora = _unique(run.corpus.fingerprint for run in runs)
    if len(runs) > 1 and len(objectives) == len(tokenizers) == len(corpora) == 1:
        said.append(
            "These runs share objective, tokenizer and text: every figure of one compares with the others’."
        )
    if len(objectives) > 1:
        said.append(
            f"The runs learn by {len(objectives)} objectives ({', '.join(map(apart, objectives))}). Each objective’s "
            "loss answers a question of its own, so each has its own chart and its own column: a lower "
            "number in one says nothing about another."
        )
    if len(tokenizers) > 1:
        said.append(
            f"There are {len(tokenizers)} tokenizers. A token is another amount of text in each, so a loss "
            "per token compares only within one of them, and so do tokens seen; between them, only figures "
            "per byte compare."
        )
    if len(corpora) > 1:
        said.append(
            "The corpora differ: no figure compares between runs that were measured on different text."
        )
    for run, label in zip(runs, map(apart, labels(runs)), strict=True):
        if len(run.phases) > 1:
            said.append(f"{label} had {_growth(run.phases)}")
        done = run.last.step if run.last else 0
        if done < run.steps:
            said.append(f"{label} has done {done:,} of its {run.steps:,} steps.")
        if run.unread:
            lines = "1 line" if run.unread == 1 else f"{run.unread} lines"
            said.append(f"Left out: {lines} in the log of {label} that can’t be read.")
    return said


def _growth(phases: Sequence[PhaseRecord]) -> str:
    """Say how the length changed, and how many tokens trained each part of the position table."""
    lengths = ", then ".join(f"{phase.steps:,} steps of {phase.length:,} tokens" for phase in phases)
    tables = [phase.positions for phase in phases if phase.positions]
    if len(tables) < len(phases):
        return f"{lengths}; its positions aren’t learned ones, so there is no table of them to train."
    counts = []
    first = tables[0][0]
    for last in sorted({table[1] for table in tables}):
        tokens = [
            phase.tokens_per_position for phase, table in zip(phases, tables, strict=True) if table[1] >= last
        ]
        known = [number for number in tokens if number is not None]
        if len(known) < len(tokens):
            return f"{lengths}; how much each position learned depends on how long the documents are."
        counts.append(f"{first:,} to {last:,} from {sum(known):,}")
        first = last + 1
    return f"{lengths}; of its position table, the rows {', '.join(counts)} tokens each, padding counted."


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
