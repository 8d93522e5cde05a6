"""Tells when a training changes nothing: its losses look like any other's, and only its end would show it."""

from typing import Any

import torch
from torch import Tensor, nn

from hornbook.reporter import Reporter
from hornbook.training.callbacks import Callback, TrainingLoop

_OF_EACH = 64
"""Numbers of each matrix that are compared."""


class Standstill(Callback):
    """Compares some weights before the first step with those when the first loss is logged."""

    def __init__(self, report: Reporter) -> None:
        self.report = report
        self._before: list[Tensor] | None = None

    def on_begin(self, loop: TrainingLoop) -> None:
        """Remember some weights."""
        self._before, self._first = _some(loop.model), loop.progress.step

    def on_log(self, loop: TrainingLoop, kind: str, facts: dict[str, Any]) -> None:
        """Compare them once, and warn if they are all the same."""
        if kind != "train" or self._before is None:
            return
        pairs = zip(self._before, _some(loop.model), strict=True)
        # A number that was 0, such as one of a pad token's row, takes on any step, however small.
        if self._before and all(torch.equal(before, now.where(before != 0, 0.0)) for before, now in pairs):
            self.report.warn(
                f"the first {loop.progress.step - self._first:,} steps moved no weight, at a learning rate of "
                f"{facts['learning_rate']:.3g} and a gradient of length {facts['gradient_norm']:.3g}: take a larger "
                "training.learning_rate, or a smaller training.epsilon"
            )
        self._before = None


def _some(model: nn.Module) -> list[Tensor]:
    """Copy some numbers of each matrix that learns, from all over it."""
    chosen = [one.detach().flatten() for one in model.parameters() if one.requires_grad and one.ndim >= 2]
    return [one[:: max(1, len(one) // _OF_EACH)].clone() for one in chosen]
