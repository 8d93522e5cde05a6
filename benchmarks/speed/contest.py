"""Rounds: every contender in a process of its own, one at work at a time."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.speed.contenders import NAMES
from benchmarks.speed.material import Material

ROOT = Path(__file__).parents[2]
_GRACE = 20
"""Seconds in which a process that isn't asked for anything more has to end."""
LOG_EVERY = 10
"""Steps between lines of Hornbook's log, by default."""


@dataclass(frozen=True)
class Settings:
    """How long is measured."""

    rounds: int = 5
    seconds: float = 3.0
    """For how long a contender is at work in each round; at least a step."""
    steps: int | None = None
    """How many steps instead, the same for all."""
    nanogpt: Path | None = None
    busy: int = 0
    """How many processes that never rest are at work all the while: the machine is shared."""


@dataclass
class Worker:
    """A contender's process, from this side of the pipe."""

    name: str
    process: subprocess.Popen[str]
    log: Path

    def receive(self) -> dict[str, Any]:
        """Wait for an answer. Raises RuntimeError with the process's last words where it ended instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            words = "\n".join(self.log.read_text("utf-8", errors="replace").splitlines()[-15:])
            raise RuntimeError(f"{NAMES[self.name]} ended with {self.process.wait()}:\n{words}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def take(self, steps: int) -> dict[str, Any]:
        """Have it take so many steps, or the few more after which it can stop."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"steps": steps}) + "\n")
        self.process.stdin.flush()
        return self.receive()


@contextmanager
def work(name: str, material: Material, *options: str) -> Iterator[Worker]:
    """Start a contender's process; it ends with the block."""
    log = material.folder / f"{name}.log"
    command = [sys.executable, "-m", "benchmarks.speed.worker", name, str(material.folder), *options]
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "TOKENIZERS_PARALLELISM": "false"},
        )
        try:
            yield Worker(name, process, log)
        finally:
            # At the end of its orders it ends by itself. Hornbook takes SIGTERM for a wish to save first.
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@dataclass
class Timed:
    """What a contender did in a case."""

    name: str
    about: dict[str, Any]
    loss: float | None
    """On the common batch, at the common weights; None where its model is another one."""
    tokens_per_second: list[float] = field(default_factory=list)
    """One figure a round."""
    steps: int = 0
    """Steps in a round."""
    memory: int = 0
    """Bytes at the peak of training."""


def compete(
    material: Material, names: list[str], settings: Settings, say: Callable[[str], None]
) -> list[Timed]:
    """Time contenders in turns; `say` hears how far it is.

    Raises RuntimeError where the losses of those that train the same model differ by more than 1e-4 of their size.
    """
    every = min(LOG_EVERY, settings.steps or LOG_EVERY)
    options = ["--log-every", str(every)]
    if settings.nanogpt:
        options += ["--nanogpt", str(settings.nanogpt.resolve())]
    with ExitStack() as stack:
        for _ in range(settings.busy):
            stack.enter_context(_busy())
        workers: list[Worker] = []
        timed: list[Timed] = []
        for (
            name
        ) in names:  # each is at its gate before the next one begins: Hornbook looks for cores that are free
            worker = stack.enter_context(work(name, material, *options))
            one = Timed(worker.name, **worker.receive())
            workers.append(worker)
            timed.append(one)
            _compare([one for one in timed if one.loss is not None])
            worker.take(1)
            warm = worker.take(1)
            pace = warm["seconds"] / warm["steps"]
            say(f"{material.case.name}: {NAMES[one.name]} is warm, {pace:.2g} s a step")
            one.steps = settings.steps or max(1, round(settings.seconds / pace))
        for number in range(settings.rounds):
            say(f"{material.case.name}: round {number + 1} of {settings.rounds}")
            for place in range(len(workers)):
                turn = (number + place) % len(workers)
                answer = workers[turn].take(timed[turn].steps)
                rate = answer["steps"] * material.case.tokens / answer["seconds"]
                timed[turn].tokens_per_second.append(rate)
                timed[turn].steps, timed[turn].memory = answer["steps"], answer["memory"]
    return timed


@contextmanager
def _busy() -> Iterator[None]:
    """Keep a core busy, as another program does."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def _compare(timed: list[Timed]) -> None:
    losses = {one.name: one.loss for one in timed if one.loss is not None}
    if losses and max(losses.values()) - min(losses.values()) > 1e-4 * max(losses.values()):
        told = ", ".join(f"{NAMES[name]} {loss:.6f}" for name, loss in losses.items())
        raise RuntimeError(f"the contenders don't compute the same loss on the same batch: {told}")


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Give the first quartile, the median and the third."""
    first, third = np.quantile(values, [0.25, 0.75])
    return float(first), median(values), float(third)


def ratios(timed: list[Timed], name: str, to: str) -> list[float]:
    """Give how many times as fast one contender was as another, round by round."""
    rates = {one.name: one.tokens_per_second for one in timed}
    if name not in rates or to not in rates:
        return []
    return [one / other for one, other in zip(rates[name], rates[to], strict=True)]
