"""Seconds to the same held-out loss: how soon Hornbook's recipe is where the Trainer's ended."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.speed.contest import work
from benchmarks.speed.material import Material
from hornbook.evaluation.heldout_loss import heldout_loss
from hornbook.loading import load_model

SHARES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Of the Trainer's seconds: what Hornbook is given, one run after the other, until it gets there."""
_WINDOWS = 512
"""Held-out sequences, at most, over which the loss is taken."""


@dataclass(frozen=True)
class Arrival:
    """A run and its held-out loss."""

    name: str
    seconds: float
    """Spent on training, without start-up and evaluation."""
    steps: int
    tokens: int
    loss: float
    """In nats a label, over the same held-out text for all, in fp32."""


@dataclass(frozen=True)
class Race:
    """The Trainer's run, and Hornbook's, each of which had its whole schedule in a share of the Trainer's time."""

    title: str
    goal: Arrival
    runs: list[Arrival] = field(default_factory=list)

    @property
    def share(self) -> float | None:
        """What part of the Trainer's seconds Hornbook needed; None where it never got there."""
        return self.runs[-1].seconds / self.goal.seconds if self.runs[-1].loss <= self.goal.loss else None

    def facts(self) -> dict[str, Any]:
        """Give it as plain values."""
        return asdict(self) | {"share": self.share}


def race(material: Material, budget: float) -> Race:
    """Train the Trainer's recipe for `budget` seconds, then Hornbook's for larger and larger shares of that."""
    result = Race(material.case.title, _learn("trainer", material, budget, "whole"))
    for share in SHARES:
        result.runs.append(_learn("hornbook", material, share * result.goal.seconds, f"share-{share}"))
        if result.share is not None:
            break
    return result


def _learn(name: str, material: Material, seconds: float, out: str) -> Arrival:
    folder = material.folder / "runs" / f"{name}-{out}"
    with work(name, material, "--learn", str(seconds), "--out", str(folder)) as worker:
        learned = worker.receive()
    loaded = load_model(Path(learned["folder"]))
    loss = heldout_loss(loaded, material.recipe("none").objective, material.run.heldout, _WINDOWS)
    return Arrival(name, learned["seconds"], learned["steps"], learned["tokens"], loss.nats)
