"""What a contender is to the benchmark."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from benchmarks.speed.gate import Gate
from benchmarks.speed.material import Material
from hornbook.machine import choose_precision


@dataclass(frozen=True)
class Task:
    """What a contender is asked to do."""

    material: Material
    nanogpt: Path | None = None
    """A clone of nanoGPT."""
    log_every: int = 10
    """Steps between the lines of Hornbook's log, at which it can be stopped."""

    @property
    def bf16(self) -> bool:
        """Whether this machine has units for bf16; then all who can use them do."""
        return choose_precision("auto").chosen == "bf16"

    @property
    def device(self) -> torch.device:
        """The GPU where there is one."""
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def batch(self) -> dict[str, torch.Tensor]:
        """Give the batch on which losses are compared, where the models are."""
        return {name: tensor.to(self.device) for name, tensor in self.material.batch().items()}


@dataclass(frozen=True)
class Learned:
    """What came of training for some time."""

    folder: Path
    """The model, a Hugging Face folder."""
    seconds: float
    """From the first step's batch to the last step's end."""
    steps: int
    tokens: int


class Contender(Protocol):
    """A training loop that is timed."""

    def about(self) -> dict[str, Any]:
        """Tell how it is set."""

    def check(self) -> float | None:
        """Compute the mean loss of the common batch on the common weights, in fp32, without dropout.

        None where its model is another one, of the same size.
        """

    def train(self, gate: Gate) -> None:
        """Train until the gate ends the process."""


class LossModule(Contender, Protocol):
    """One that also goes for a held-out loss."""

    def learn(self, seconds: float, out: Path) -> Learned:
        """Train for about so many seconds, with a schedule that ends there, and save the model."""
