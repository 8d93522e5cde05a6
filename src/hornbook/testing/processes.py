"""Two processes that share a run compute what one does."""

import multiprocessing
import os
import socket
import sys
from pathlib import Path
from typing import Any

from hornbook.cli.train import one_voice
from hornbook.recipe import make_recipe
from hornbook.reporter import Reporter
from hornbook.testing.case import Case
from hornbook.testing.runs import logged, recipe_of
from hornbook.training.processes import join
from hornbook.training.train import start

PRECISION = 2e-6
"""How far a loss of two processes may be from one process's, in nats: the order of sums differs."""
PATIENCE = 120
"""Seconds that two processes may take."""


def two_processes(case: Case, folder: Path) -> None:
    """Two processes, which speak by gloo on the CPU, have the losses of one."""
    options = {"batch": 9, "precision": "fp32", "evaluate_windows": 24}
    one, two = (recipe_of(case, folder / name, 0.0, **options) for name in ("one", "two"))
    start(make_recipe(one, []), Reporter(silent=True)).train()
    console = folder / "two.txt"
    codes = _launch(2, two, console)
    case.require(
        codes == [0, 0],
        f"two processes ended with the codes {codes} and said: {console.read_text('utf-8')[-2000:]}",
    )
    expected, found = ([loss for _, _, loss in logged(folder / name)] for name in ("one", "two"))
    case.require(
        len(found) == len(expected)
        and all(abs(a - b) <= PRECISION for a, b in zip(found, expected, strict=True)),
        f"two processes have the losses {found}, and one {expected}",
    )


def _launch(count: int, recipe: dict[str, Any], console: Path) -> list[int | None]:
    """Start processes on a recipe, as a launcher does, and give their exit codes; None where one doesn't end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    shared |= {"OMP_NUM_THREADS": 1, "HORNBOOK_DEVICE": "cpu"}
    # Forked from one process that has imported everything, where the system can.
    forks = "forkserver" in multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("forkserver" if forks else "spawn")
    if forks:
        context.set_forkserver_preload([__name__, "hornbook.contract", "torch.nn.parallel"])
    console.touch()
    workers = []
    for rank in range(count):
        environment = {
            name: str(value) for name, value in {**shared, "RANK": rank, "LOCAL_RANK": rank}.items()
        }
        workers.append(context.Process(target=_train, args=(recipe, environment, str(console))))
        workers[-1].start()
    codes = []
    for worker in workers:
        worker.join(PATIENCE)
        codes.append(worker.exitcode)
        worker.kill()
        worker.join()
    return codes


def _train(recipe: dict[str, Any], environment: dict[str, str], console: str) -> None:
    os.environ.update(environment)
    file = os.open(console, os.O_WRONLY | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(file, descriptor)
    processes = join()
    with one_voice(processes):
        start(make_recipe(recipe, []), Reporter(silent=True), processes).train()
    sys.stdout.flush()
