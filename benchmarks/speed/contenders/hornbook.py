"""Hornbook: the loop of `hornbook train`, with what it chooses by default."""

import json
from pathlib import Path
from typing import Any

import torch

from benchmarks.speed.cases import FOREVER, SHARED_TRAINING
from benchmarks.speed.contenders.contender import Learned, Task
from benchmarks.speed.gate import Gate
from hornbook.machine import choose_precision
from hornbook.objectives.batch_to_loss import LossModule
from hornbook.reporter import Reporter
from hornbook.training.callbacks import Callback, TrainingLoop
from hornbook.training.train import start

_TRIAL = 20
"""Steps after which the time of a step is known."""


class GateCallback(Callback):
    """Passes the gate at the beginning and at every line of the log."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def on_begin(self, loop: TrainingLoop) -> None:
        """Pass it before the first step."""
        self._gate.passed(0)

    def on_log(self, loop: TrainingLoop, kind: str, facts: dict[str, Any]) -> None:
        """Pass it after some steps."""
        if kind == "train":
            self._gate.passed(facts["step"])


class Hornbook:
    """The loop as a recipe sets it up; steps come in as many as it logs at once."""

    def __init__(self, task: Task) -> None:
        self.task, self.material = task, task.material

    def about(self) -> dict[str, Any]:
        """Tell precision and optimizer."""
        return {"precision": choose_precision("auto").chosen, "optimizer": "AdamW, fused"}

    def check(self) -> float | None:
        """Open the weights as a run that goes on does, and compute the loss as the loop does."""
        recipe = self.material.recipe("check")
        family, objective = recipe.model.family, recipe.objective
        model = family.open(self.material.weights, objective.head).to(self.task.device)
        with torch.no_grad():
            sums, counts = LossModule(family, objective, model)(self.task.batch())
        return float((sums / counts).sum())

    def train(self, gate: Gate) -> None:
        """Train a recipe of very many steps."""
        training = SHARED_TRAINING | {"steps": FOREVER, "evaluate_every": FOREVER}
        recipe = self.material.recipe("timed", training | {"log_every": self.task.log_every})
        start(recipe, Reporter(silent=True), callbacks=[GateCallback(gate)]).train()

    def learn(self, seconds: float, out: Path) -> Learned:
        """Train with the options of the recipe that comes with Hornbook, the steps chosen to fit the time."""
        trial = self._learn("trial", _TRIAL)
        lines = [line["seconds"] for line in trial if line["kind"] == "train"]
        each = (lines[-1] - lines[0]) / (len(lines) - 1)
        steps = max(2, round((seconds - lines[0]) / each))
        last = self._learn(out.name, steps)[-1]
        return Learned(self._folder(out.name) / "model", last["seconds"], steps, last["tokens"])

    def _learn(self, out: str, steps: int) -> list[dict[str, Any]]:
        """Train, and give the log's lines."""
        case = self.material.case
        training = case.own | {"steps": steps, "evaluate_every": steps}
        if steps == _TRIAL and out == "trial":
            training["log_every"] = 1
        start(self.material.recipe(out, training, case.own_config), Reporter(silent=True)).train()
        lines = (self._folder(out) / "log.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def _folder(self, out: str) -> Path:
        return self.material.recipe(out).folder


def make(task: Task) -> Hornbook:
    """Make it."""
    return Hornbook(task)
