"""A run that was killed and started again ends with the same bits as one that never stopped.

Chance decides when a run is killed; what it decided is printed, and KILL=NUMBER has it decide so again.
"""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
import yaml

from hornbook.families import FAMILIES, Family
from hornbook.testing import Case, cases
from hornbook.testing.case import tiny_values
from hornbook.testing.runs import weights_of

pytestmark = pytest.mark.long

STEPS = 16
CHANCE = int(os.environ.get("KILL", time.time_ns() % 10**6))
GROWING = {"phases": [{"length": 16, "steps": 9, "batch": 12}, {"length": 32, "steps": 7}]}
"""The second phase begins within a checkpoint's two steps, and goes on for several of them."""

TRAIN = """
from pathlib import Path
import torch
from hornbook.training.train import start
from hornbook.recipe import read_recipe
from hornbook.reporter import Reporter
torch.set_num_threads({threads})
start(read_recipe(Path({recipe!r})), Reporter()).train()
"""

Train = Callable[..., ForkServerProcess]
Write = Callable[..., Path]


@pytest.fixture(scope="session")
def train() -> Train:
    """Give what trains a recipe in a process of its own, which is forked from one that has imported everything."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["hornbook.training.train", "hornbook.training.loop", "hornbook.contract"])

    def begin(recipe: Path, threads: int = 1) -> ForkServerProcess:
        # What a forked process calls has to be importable there, and these modules aren't.
        process = context.Process(target=exec, args=(TRAIN.format(recipe=str(recipe), threads=threads), {}))
        process.start()
        return process

    return begin


@pytest.fixture
def write(tmp_path: Path, cache: Path, story_file: Path) -> Write:
    """Give what writes the recipe of a run in the test's folder."""

    def write_recipe(name: str, model: dict[str, Any], objective: Any, **training: Any) -> Path:
        recipe = {
            "name": name,
            "out": str(tmp_path / name),
            "cache": str(cache),
            "corpus": {"path": str(story_file), "documents": "line", "heldout_fraction": 0.1},
            "tokenizer": {"vocab_size": 512},
            "model": model,
            "objective": objective,
            "training": {
                "steps": STEPS,
                "batch": 8,
                "accumulate": 2,
                "checkpoint_every": 2,
                "evaluate_every": STEPS,
                "evaluate_windows": 8,
                "log_every": 1,
                "trackers": [],
                **training,
            },
        }
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(recipe))
        return path

    return write_recipe


def finish(process: ForkServerProcess) -> None:
    process.join()
    assert process.exitcode == 0


def wait_for(steps: int, run: Path, process: ForkServerProcess) -> None:
    while steps_logged(run) < steps and process.is_alive():
        time.sleep(0.002)


def steps_logged(run: Path) -> int:
    log = run / "log.jsonl"
    return log.read_text().count('"train"') if log.exists() else 0


def disturb(recipe: Path, train: Train, threads: int = 1) -> Path:
    """Kill a run at a random moment, sometimes tear its newest checkpoint as well, and let it go on to its end."""
    run, given = recipe.with_suffix(""), yaml.safe_load(recipe.read_text())
    chance = Random(f"{CHANCE} {given['model']} {given['objective']}")
    moment, pause = chance.randrange(4, STEPS - 1), chance.random() * 0.05
    victim = train(recipe, threads)
    wait_for(moment, run, victim)
    time.sleep(pause)
    victim.kill()
    victim.join()
    # If it came to the end after all, it is made to look as if it had not: else nothing would go on.
    shutil.rmtree(run / "model", ignore_errors=True)
    shutil.rmtree(run / "checkpoints" / f"step-{STEPS:08d}", ignore_errors=True)
    checkpoints = sorted((run / "checkpoints").glob("step-*"))
    assert checkpoints
    torn = len(checkpoints) > 1 and chance.random() < 0.5
    print(
        f"KILL={CHANCE}: after {steps_logged(run)} steps and {pause:.3f} s, {len(checkpoints)} checkpoints, {torn=}"
    )
    if torn:
        with (checkpoints[-1] / "optimizer.safetensors").open("ab") as file:
            file.truncate(100)
    finish(train(recipe, threads))
    return run


def assert_same(run: Path, other: Path) -> None:
    expected, found = (weights_of(one / "model") for one in (run, other))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def model_of(family: Family) -> dict[str, Any]:
    """Shrink a family's first preset, and let it drop a tenth of whatever it can."""
    return {"preset": next(iter(family.presets)), "length": 32, "config": tiny_values(family, 0.1)}


def every_case() -> Iterator[Any]:
    """Give every objective in every family; it is slow but in the first family that serves it in this form."""
    seen = set()
    for case in cases():
        objective = case.objective.model_dump(mode="json")
        marks = [pytest.mark.slow] if str(objective) in seen else []
        seen.add(str(objective))
        yield pytest.param(case, objective, id=str(case), marks=marks)


@pytest.mark.parametrize(("case", "objective"), every_case())
def test_every_objective_in_every_family(
    case: Case, objective: dict[str, Any], write: Write, train: Train, tmp_path: Path
) -> None:
    """Killed at any moment; `hornbook.testing` lets each of them go on from a checkpoint."""
    model = model_of(case.family) | {"preset": case.preset}
    finish(train(write("whole", model, objective)))
    assert_same(tmp_path / "whole", disturb(write("killed", model, objective), train))


@pytest.mark.parametrize(
    ("family", "objective", "training", "threads"),
    [
        ("gpt_neo", "causal", {}, 2),
        pytest.param("bert", "masked", GROWING, 1, marks=pytest.mark.slow),
        ("albert", {"name": "masked_next_sentence", "duplicates": 2}, GROWING, 1),
        pytest.param("bert", "masked", {"optimizer": "muon"}, 1, marks=pytest.mark.slow),
        pytest.param("t5", "span_corruption", {"optimizer": "adafactor"}, 1, marks=pytest.mark.slow),
    ],
)
def test_every_way_of_training(
    family: str, objective: Any, training: Any, threads: int, write: Write, train: Train, tmp_path: Path
) -> None:
    """Threads, lengths that grow, optimizers; and workers that load batches ahead of time change nothing."""
    # And every way to tell positions: with Muon, whose state is of another kind, a table that has none.
    schemes = {
        "gpt_neo": "alibi",
        "albert": "rotary",
        "bert": "none" if "optimizer" in training else "sinusoidal",
    }
    model = model_of(FAMILIES[family]) | {"positions": schemes.get(family)}
    finish(train(write("whole", model, objective, **training), threads))
    finish(train(write("workers", model, objective, **training, workers=2), threads))
    assert_same(tmp_path / "whole", tmp_path / "workers")
    killed = disturb(write("killed", model, objective, **training), train, threads)
    assert_same(tmp_path / "whole", killed)
    log = [json.loads(line) for line in (killed / "log.jsonl").read_text().splitlines()]
    assert sum(line["kind"] == "train" for line in log) == STEPS
    if "phases" in training:
        ends = [(line["step"], line["tokens"]) for line in log if line["kind"] == "phase"]
        assert ends == [(9, 9 * 12 * 16), (16, 9 * 12 * 16 + 7 * 8 * 32)]


def test_a_signal_saves_and_the_same_command_goes_on(write: Write, train: Train, tmp_path: Path) -> None:
    model = model_of(FAMILIES["gpt_neo"])
    finish(train(write("whole", model, "causal")))
    stopped = write("stopped", model, "causal", checkpoint_every=1000)
    process = train(stopped)
    wait_for(5, tmp_path / "stopped", process)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGTERM)
    process.join()
    assert process.exitcode == 1
    [checkpoint] = (tmp_path / "stopped" / "checkpoints").iterdir()
    assert 5 <= int(checkpoint.name.removeprefix("step-")) < STEPS
    finish(train(stopped))
    assert_same(tmp_path / "whole", tmp_path / "stopped")
