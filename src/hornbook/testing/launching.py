"""Starts `hornbook train` in several processes, as a launcher does, and waits for all of their ends.

The processes are forked from one that has imported everything, which saves a dozen seconds for each of them.
"""

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

LONGEST = 60.0
"""Seconds after which a process counts as one that never ends."""

# Forked from one process that has imported everything, where the system can.
_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_CONTEXT: Any = multiprocessing.get_context("forkserver" if _FORKS else "spawn")
if _FORKS:
    _CONTEXT.set_forkserver_preload(
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
            _CONTEXT.Process(target=_train, args=(str(path), environment, str(consoles[-1]), before))
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
