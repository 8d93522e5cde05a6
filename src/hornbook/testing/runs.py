"""Runs of tiny models: one that goes on ends with the same bits, and two processes compute what one does."""

import gc
import json
import multiprocessing
import os
import shutil
import socket
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import yaml
from safetensors.torch import load_file

from hornbook.cli.train import start
from hornbook.recipe import make_recipe
from hornbook.testing.case import LENGTH, Case, tiny_values
from hornbook.testing.stories import make_stories
from hornbook.training.progress import Reporter

STEPS, MIDDLE = 3, 2
PRECISION = 2e-6
"""How far a loss of two processes may be from one process's, in nats: the order of sums differs."""
PATIENCE = 120
"""Seconds that two processes may take."""


def recipe_of(case: Case, folder: Path, dropout: float, **training: Any) -> dict[str, Any]:
    """Describe a run of a case in a folder, with other options of training as keywords."""
    shared = Path(_shared().name)
    return {
        "name": "run",
        "out": str(folder),
        "cache": str(shared / "cache"),
        "corpus": {"path": str(shared / "stories.txt"), "documents": "line", "heldout_fraction": 0.1},
        "tokenizer": {"vocab_size": 512},
        "model": {"preset": case.preset, "length": LENGTH, "config": tiny_values(case.family, dropout)},
        "objective": case.objective.model_dump(mode="json"),
        "training": {
            "steps": STEPS,
            "batch": 4,
            "accumulate": 2,
            "checkpoint_every": MIDDLE,
            "evaluate_every": STEPS,
            "evaluate_windows": 4,
            "log_every": 1,
            "trackers": [],
            **training,
        },
    }


@cache
def _shared() -> TemporaryDirectory[str]:
    """Keep a corpus, and what is made of it, for all runs of this process."""
    # Each run ends by collecting garbage, which takes a second where it looks through all that was imported.
    gc.freeze()
    folder = TemporaryDirectory(prefix="hornbook-testing-")
    (Path(folder.name) / "stories.txt").write_text("\n".join(make_stories(200)), "utf-8")
    return folder


def exact_resume(case: Case, folder: Path) -> None:
    """A run that was cut off goes on to the same bits, with dropout, in fp32."""
    _resume(case, folder / "run", "fp32")


def exact_resume_bf16(case: Case, folder: Path) -> None:
    """A run that was cut off goes on to the same bits, with dropout, in bf16."""
    _resume(case, folder / "run", "bf16")


def _resume(case: Case, folder: Path, precision: str) -> None:
    """Train, make it look as if the run had been killed after its first checkpoint, and go on."""
    recipe = make_recipe(recipe_of(case, folder, 0.1, precision=precision), [])
    finished = folder / "model" / "model.safetensors"
    start(recipe, Reporter(silent=True)).train()
    ended = load_file(finished)
    middle, last = sorted((folder / "checkpoints").iterdir())
    begun = load_file(middle / "model.safetensors")
    shutil.rmtree(last)
    shutil.rmtree(finished.parent)
    start(recipe, Reporter(silent=True)).train()
    found = load_file(finished)
    different = [name for name in ended if name not in found or not torch.equal(found[name], ended[name])]
    case.require(
        not different and found.keys() == ended.keys(),
        f"after going on from step {MIDDLE} of {STEPS}, {', '.join(different)} differ from those of a run without a break",
    )
    learned = sum(not torch.equal(begun[name], ended[name]) for name in ended)
    case.require(
        learned > len(ended) / 2, f"{learned} of {len(ended)} weights changed in the last step: it trains nothing"
    )
    wrong = [name for name, one in ended.items() if one.dtype != torch.float32 or not one.isfinite().all()]
    case.require(not wrong, f"after {STEPS} steps in {precision}, {', '.join(wrong)} aren't finite fp32")
    losses = [loss for _, _, loss in logged(folder)]
    case.require(
        len(losses) == STEPS + 1 and bool(torch.tensor(losses).isfinite().all()),
        f"the log of {STEPS} steps and one evaluation, of which the last step ran again, has the losses {losses}",
    )


def two_processes(case: Case, folder: Path) -> None:
    """Two processes, by gloo on the CPU, log the losses of one."""
    losses = []
    for count in (1, 2):
        run = folder / str(count)
        recipe = recipe_of(case, run, 0.0, batch=9, precision="fp32", evaluate_windows=24)
        path = folder / f"{count}.yaml"
        path.write_text(yaml.safe_dump(recipe), "utf-8")
        codes = _launch(count, path)
        printed = (folder / f"{count}.txt").read_text("utf-8")
        case.require(codes == [0] * count, f"{count} processes ended with {codes} and said: {printed[-2000:]}")
        losses.append([loss for _, _, loss in logged(run)])
    one, two = losses
    case.require(
        len(one) == len(two) and all(abs(a - b) <= PRECISION for a, b in zip(one, two, strict=True)),
        f"two processes have the losses {two}, and one {one}",
    )


def logged(run: Path) -> list[tuple[str, int, float]]:
    """Read a run's losses, of training and held-out text: kind, step, nats."""
    lines = map(json.loads, (run / "log.jsonl").read_text("utf-8").splitlines())
    return [(line["kind"], line["step"], line["loss"]) for line in lines]


def _launch(count: int, path: Path) -> list[int | None]:
    """Train a recipe with as many processes, as a launcher would, and give their exit codes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
    shared |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port} if count > 1 else {}
    context, workers = multiprocessing.get_context("spawn"), []
    for rank in map(str, range(count)):
        environment = {"OMP_NUM_THREADS": "1", "HORNBOOK_DEVICE": "cpu"}
        environment |= shared | {"RANK": rank, "LOCAL_RANK": rank} if count > 1 else {}
        workers.append(context.Process(target=_train, args=(str(path), environment)))
        workers[-1].start()
    for worker in workers:
        worker.join(PATIENCE)
        worker.kill()
        worker.join()
    return [worker.exitcode for worker in workers]


def _train(path: str, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    console = os.open(Path(path).with_suffix(".txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(console, descriptor)
    from hornbook.cli import main

    torch.set_num_threads(1)
    sys.argv = ["hornbook", "train", path]
    main()
