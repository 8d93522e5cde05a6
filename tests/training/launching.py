"""Starts `hornbook train` in several processes, as a launcher does, and waits for all of their ends.

The processes are forked from one that has imported everything, which saves a dozen seconds for each of them.
"""

import json
import multiprocessing
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import yaml

LONGEST = 60.0
"""Seconds after which a process counts as one that never ends."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    [
        "hornbook.training.train",
        "hornbook.training.loop",
        "hornbook.training.processes",
        "hornbook.contract",
        "hornbook.evaluation.evaluate",
        "hornbook.report",
        "torch.nn.parallel",
    ]
)

SMALL = {
    "preset": "tinystories-1m",
    "length": 16,
    "config": {"hidden_size": 16, "num_layers": 1, "num_heads": 2, "attention_types": [[["global"], 1]]},
}


@dataclass
class Ended:
    """What came of a launch: each process's exit code and what it printed."""

    codes: list[int | None]
    printed: list[str]

    @property
    def told(self) -> list[str]:
        """Give the sentences with which the command line ends, over all processes."""
        lines = "\n".join(self.printed).splitlines()
        return [line for line in lines if line.startswith("hornbook: ")]


@dataclass
class Launched:
    """Processes at work."""

    workers: list[BaseProcess]
    consoles: list[Path]
    began: float = field(default_factory=time.monotonic)

    def wait(self, seconds: float = LONGEST) -> Ended:
        """Wait for all; one that doesn't end is killed, and its code is None."""
        end, codes = time.monotonic() + seconds, []
        for worker in self.workers:
            worker.join(max(0.0, end - time.monotonic()))
            codes.append(worker.exitcode)
            worker.kill()
            worker.join()
        return Ended(codes, [_without_gloo(console.read_text("utf-8")) for console in self.consoles])


def _without_gloo(text: str) -> str:
    """Leave out what PyTorch 2.9's own C++ prints where processes join."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("[Gloo] "))


def launch(
    count: int, path: Path, before: Callable[[], None] | None = None, started: Iterable[int] | None = None
) -> Launched:
    """Start `count` processes on a recipe, or those of them whose ranks are in `started`; `before` runs in each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    workers, consoles = [], []
    for rank in range(count) if started is None else started:
        environment = {"OMP_NUM_THREADS": "1", "HORNBOOK_DEVICE": "cpu"}
        if count > 1:
            environment |= {name: str(value) for name, value in shared.items()}
            environment |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        consoles.append(path.with_name(f"{path.stem}-{len(os.listdir(path.parent))}.console"))
        consoles[-1].touch()
        workers.append(
            _context.Process(target=_train, args=(str(path), environment, str(consoles[-1]), before))
        )
        workers[-1].start()
    return Launched(workers, consoles)


def _train(path: str, environment: dict[str, str], console: str, before: Callable[[], None] | None) -> None:
    os.environ.update(environment)
    file = os.open(console, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(file, descriptor)
    import torch

    torch.set_num_threads(1)
    from hornbook.cli import main

    if before:
        before()
    sys.argv = ["hornbook", "train", path]
    main()


def write_recipe(folder: Path, story_file: Path, name: str, **changes: Any) -> Path:
    """Write the recipe of a tiny run; `training` is added to, all else replaced."""
    given = {
        "name": name,
        "out": str(folder / name),
        "cache": str(folder / "cache"),
        "corpus": {"path": str(story_file), "documents": "line", "heldout_fraction": 0.1},
        "tokenizer": {"vocab_size": 512},
        "model": SMALL,
        "objective": "causal",
        **changes,
        "training": {
            "steps": 6,
            "batch": 7,
            "log_every": 1,
            "precision": "fp32",
            "evaluate_windows": 24,
            "trackers": [],
        }
        | changes.get("training", {}),
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(given), "utf-8")
    return path


def logged(run: Path) -> list[tuple[str, int, float]]:
    """Read a run's losses: of training and held-out text."""
    if not (run / "log.jsonl").exists():
        return []
    lines = map(json.loads, (run / "log.jsonl").read_text("utf-8").splitlines())
    return [(line["kind"], line["step"], line["loss"]) for line in lines]


def wait_for_step(run: Path, step: int) -> None:
    """Wait until a step is logged."""
    end = time.monotonic() + LONGEST
    while not any(done >= step for _, done, _ in logged(run)):
        assert time.monotonic() < end, f"{run}: step {step} was never reached"
        time.sleep(0.02)


def counts(run: Path) -> list[int]:
    """Read how many processes took the run's steps, one number for each change."""
    facts = json.loads((run / "run.json").read_text("utf-8"))
    assert facts["machine"]["processes"] == facts["processes"][-1]["processes"]
    return [one["processes"] for one in facts["processes"]]
