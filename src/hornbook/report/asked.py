"""What a model was asked, what it answered and what is right; and a longer run to compare its curve with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class AskedQuestion:
    """A question with a blank, the words that are right there, and the model's first guess."""

    question: str
    wanted: tuple[str, ...]
    came: str
    probability: float

    @property
    def right(self) -> bool:
        """Whether the first guess is one of the words."""
        return self.came in self.wanted


@dataclass(frozen=True)
class Longer:
    """The curve of a run that took longer, measured elsewhere, with the number of questions that it answers rightly."""

    name: str
    objective: str
    corpus: str
    machine: str
    right: int
    step: list[int]
    tokens: list[int]
    seconds: list[float]
    value: list[float]


def put_beside(charts: Sequence[dict[str, Any]], longer: Longer, runs: int) -> None:
    """Add the curve of a longer run to the chart of its objective; its colour is the first after those of the runs."""
    nothing: dict[str, list[float]] = {axis: [] for axis in ("step", "tokens", "seconds", "value")}
    curve = {axis: getattr(longer, axis) for axis in nothing}
    for chart in charts:
        if chart["title"] == f"{longer.objective} loss":
            chart["curves"].append(
                {
                    "run": runs,
                    "name": f"a longer run, measured elsewhere: {longer.name}",
                    "last": longer.value[-1],
                    "train": nothing,
                    "evaluate": curve,
                }
            )
