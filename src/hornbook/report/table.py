"""The table of runs: what they are, how much they have trained, and their final figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hornbook.report.comparison import Scope, distinguish, final, labels, objective_of, scope, tokenizer_of
from hornbook.report.runs import RunRecord, SavedMeasure

LOW, HIGH = ", from", ", to"
"""What is added to a figure's key for the ends of its interval."""


@dataclass(frozen=True)
class Column:
    """Figures that compare with each other; `cells[i]` is run i's, or None where it has no such figure."""

    measure: str
    unit: str
    within: str
    """How this column differs from others of the same measure, in words; empty if it is the only one."""
    cells: tuple[SavedMeasure | None, ...]

    @property
    def heading(self) -> str:
        """The measure with its unit and scope on one line: `loss (nats/label; causal)`."""
        return f"{self.measure} ({'; '.join(filter(None, (self.unit, self.within)))})"


def columns(runs: Sequence[RunRecord]) -> list[Column]:
    """Put the runs' final figures in columns, each holding only figures that compare with each other."""
    cells: dict[tuple[str, str], dict[Scope, list[SavedMeasure | None]]] = {}
    for index, run in enumerate(runs):
        for figure in final(run):
            scopes = cells.setdefault((figure.measure, figure.unit), {})
            scopes.setdefault(scope(run, figure.unit, figure.scope), [None] * len(runs))[index] = figure
    return [
        Column(measure, unit, words, tuple(scopes[within]))
        for (measure, unit), scopes in cells.items()
        for within, words in distinguish(list(scopes)).items()
    ]


def compare_table(runs: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """Make one row for each run, all with the same keys; values are raw numbers, or None if unknown.

    Tokens are input tokens seen in training, and seconds are those of training. The final figures follow, with one key
    for each measure, unit and scope, and two more for the ends of its 95 % interval where any of the runs has one.
    """
    figures = columns(runs)
    return [
        {
            "name": label,
            "family": run.family,
            "preset": run.preset,
            "parameters": run.parameters,
            "tokenizer": tokenizer_of(run),
            "objective": objective_of(run),
            "length": run.length,
            "step": run.last.step if run.last else 0,
            "steps": run.steps,
            "tokens": run.last.tokens if run.last else 0,
            "tokens per second": run.tokens_per_second,
            "seconds": run.last.seconds if run.last else 0.0,
        }
        | {key: value for column in figures for key, value in _cell(column, index).items()}
        for index, (run, label) in enumerate(zip(runs, labels(runs), strict=True))
    ]


def parts(runs: Sequence[RunRecord]) -> frozenset[str]:
    """Name the keys of figures over a part of what another figure is over: `BLiMP, islands` beside `BLiMP`."""
    figures = columns(runs)
    wholes = tuple(f"{column.measure}, " for column in figures)
    return frozenset(
        key for column in figures if column.measure.startswith(wholes) for key in _cell(column, 0)
    )


def _cell(column: Column, index: int) -> dict[str, float | None]:
    cell = column.cells[index]
    found = {column.heading: cell.value if cell else None}
    if any(one and one.low is not None for one in column.cells):
        found |= {
            f"{column.heading}{LOW}": cell.low if cell else None,
            f"{column.heading}{HIGH}": cell.high if cell else None,
        }
    return found
