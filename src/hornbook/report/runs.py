"""Read a run's folder: what was trained, how the training went, and the results.

A folder holds `run.json` (what was trained), `log.jsonl` (a line for every logged step and every evaluation),
`evaluation.json` (the final figures and samples), `tasks/` (a file of figures for each public task) and `recipe.yaml`.
All but the first may be missing, and the log may end in half a line, so that a run that is still going, or was killed,
can also be read.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from hornbook.errors import Damaged, HornbookError
from hornbook.gate import plain_file
from hornbook.sealed import read_sealed
from hornbook.training.log import read_line


@dataclass(frozen=True)
class TokenizerRecord:
    """The tokenizer of a run; runs with the same `hash` cut text into the same tokens."""

    kind: str
    vocab_size: int
    hash: str


@dataclass(frozen=True)
class Part:
    """The size of one part of a corpus."""

    documents: int
    bytes: int
    tokens: int


@dataclass(frozen=True)
class Text:
    """The corpus of a run; runs with the same `fingerprint` were trained and measured on the same text."""

    name: str
    fingerprint: str
    train: Part
    heldout: Part


@dataclass(frozen=True)
class PhaseRecord:
    """Some steps with sequences of one length; `positions` are the first and last trained row of the position table."""

    steps: int
    length: int
    batch: int
    positions: tuple[int, int] | None = None
    tokens_per_position: int | None = None


@dataclass(frozen=True)
class TrainPoint:
    """A logged training step: loss in nats per label; tokens and training seconds since the first step."""

    step: int
    loss: float
    tokens: int
    seconds: float
    learning_rate: float | None = None
    gradient_norm: float | None = None
    tokens_per_second: float | None = None


@dataclass(frozen=True)
class EvaluatePoint:
    """An evaluation on the held-out part: loss in nats per label and, if known, bits per byte."""

    step: int
    loss: float
    tokens: int
    seconds: float
    bits_per_byte: float | None = None


@dataclass(frozen=True)
class SavedMeasure:
    """A final figure: value and unit, the text it is over, how it was computed, and what it compares with."""

    measure: str
    value: float
    unit: str
    over: str = ""
    rule: str = ""
    comparable: str = ""
    low: float | None = None
    """The ends of its 95 % interval, where it has one."""
    high: float | None = None
    baseline: float | None = None
    """What always giving the most frequent answer gets, or for a loss the least that word frequencies alone get."""
    scope: str = ""
    """The questions that it is over, where these and not the run's own text decide what it compares with."""


@dataclass(frozen=True)
class SavedCandidate:
    """A token that a model puts in a masked place, its probability, and the text with it filled in."""

    token: str
    probability: float
    text: str = ""


@dataclass(frozen=True)
class Sample:
    """What a model wrote for a prompt; `kind` is `generate`, `unmask` or `infill` (filled spans within ⟦ ⟧)."""

    kind: str
    prompt: str
    output: str
    candidates: tuple[SavedCandidate, ...] | None = None


@dataclass(frozen=True)
class RunRecord:
    """A run as its folder describes it."""

    name: str
    family: str
    objective: str
    parameters: int
    tokenizer: TokenizerRecord
    corpus: Text
    length: int
    steps: int
    preset: str = ""
    head: str = ""
    batch: int | None = None
    phases: tuple[PhaseRecord, ...] = ()
    seed: int | None = None
    precision: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    command: str = ""

    # These fields come from other files than run.json.
    folder: Path = Path()
    recipe: str = ""
    train: tuple[TrainPoint, ...] = ()
    evaluate: tuple[EvaluatePoint, ...] = ()
    unread: int = 0
    """Lines of the log that can't be read."""
    measures: tuple[SavedMeasure, ...] = ()
    samples: tuple[Sample, ...] = ()

    @property
    def last(self) -> TrainPoint | EvaluatePoint | None:
        """The latest point of the log, or None before the first."""
        return max(self.train[-1:] + self.evaluate[-1:], key=lambda point: point.step, default=None)

    @property
    def tokens_per_second(self) -> float | None:
        """Input tokens a second over all of the training so far, or None before the first point."""
        return self.last.tokens / self.last.seconds if self.last and self.last.seconds > 0 else None


@dataclass(frozen=True)
class _Outcome:
    """The content of `evaluation.json`, and of a task's file."""

    measures: tuple[SavedMeasure, ...] = ()
    samples: tuple[Sample, ...] = ()


T = TypeVar("T")
Point = TypeVar("Point", TrainPoint, EvaluatePoint)
_LONGEST_LOG = 2**30
"""Bytes of a log; a line has some hundred."""
_WAY_ON = "`hornbook train` or `evaluate` writes it anew"
_TRAIN = TypeAdapter(TrainPoint)
_EVALUATE = TypeAdapter(EvaluatePoint)


def read_run(folder: Path | str) -> RunRecord:
    """Read a run from its folder; raises HornbookError for figures or a `run.json` that aren't valid."""
    folder = Path(folder)
    if not (folder / "run.json").is_file():
        raise HornbookError(
            f"{folder} is no run: it has no run.json; give a folder that `hornbook train` wrote"
        )
    facts = _read(folder / "run.json", TypeAdapter(dict[str, Any]))
    run = _valid(folder / "run.json", facts, TypeAdapter(RunRecord))
    outcome = _Outcome()
    if (folder / "evaluation.json").is_file():
        outcome = _read(folder / "evaluation.json", TypeAdapter(_Outcome))
    tasks = [_read(path, TypeAdapter(_Outcome)) for path in sorted((folder / "tasks").glob("*.json"))]
    train, evaluate, unread = _read_log(folder / "log.jsonl")
    return replace(
        run,
        folder=folder,
        recipe=_recipe(folder, facts),
        train=train,
        evaluate=evaluate,
        unread=unread,
        measures=outcome.measures + tuple(one for task in tasks for one in task.measures),
        samples=outcome.samples,
    )


def _read(path: Path, kind: TypeAdapter[T]) -> T:
    return _valid(path, read_sealed(path, _WAY_ON), kind)


def _valid(path: Path, facts: dict[str, Any], kind: TypeAdapter[T]) -> T:
    try:
        return kind.validate_python(facts)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise Damaged(f"{path} can't be read: {where}: {first['msg']}; {_WAY_ON}") from None


def _recipe(folder: Path, facts: dict[str, Any]) -> str:
    """Give the recipe as text: from run.json, which knows its hash, or else as it lies there."""
    if "values" in facts:
        return yaml.safe_dump(facts["values"], sort_keys=False, allow_unicode=True)
    path = folder / "recipe.yaml"
    return plain_file(path).read_text("utf-8", errors="replace") if path.is_file() else ""


def _read_log(path: Path) -> tuple[tuple[TrainPoint, ...], tuple[EvaluatePoint, ...], int]:
    train: list[TrainPoint] = []
    evaluate: list[EvaluatePoint] = []
    unread = 0
    text = plain_file(path, _LONGEST_LOG).read_text("utf-8", errors="replace") if path.is_file() else ""
    for line in text.splitlines():
        try:
            record = read_line(line) or {}
            kind = record["kind"]
            if kind == "train":
                _append(train, _TRAIN.validate_python(record))
            elif kind == "evaluate":
                _append(evaluate, _EVALUATE.validate_python(record))
        except (ValueError, KeyError):  # it is damaged, or a field is missing
            unread += 1
    return tuple(train), tuple(evaluate), unread


def _append(points: list[Point], point: Point) -> None:
    # A killed run resumes from a checkpoint before its last logged step. The steps that it takes again replace those
    # that the killed process logged.
    while points and points[-1].step >= point.step:
        points.pop()
    points.append(point)
