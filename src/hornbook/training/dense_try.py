"""Try dense tokens on somebody's own text: train each arm from the same weights, as long as its compute reaches."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from hornbook.atomic import beside
from hornbook.dense_tokens.folder import save_dense
from hornbook.dense_tokens.measure import Arm
from hornbook.dense_tokens.model import DenseModel
from hornbook.errors import HornbookError
from hornbook.reporter import Reporter
from hornbook.training.dense import DenseTraining, train_dense
from hornbook.training.tried import Tried

_LOOKS, _LOOKED_AT = 6, 64
"""How often a training is looked at on its way, and on how many held-out texts."""
_DIGITS = 6
_TRIED = "try.json"


@dataclass(frozen=True)
class Way:
    """How an arm trains, and what it costs."""

    arm: Arm
    steps: int
    places: float
    """Places that the layers compute in a step, padding left out."""


def ways(tried: Tried, options: DenseTraining) -> dict[str, Way]:
    """Give each arm as many steps as the dense arm's compute pays for, counted in places that the layers compute.

    A dense step of r rounds computes its places r + 1 times; filling one by one computes each place once.
    """
    rounds = options.rounds or 0
    passes = 1 + (rounds / 2 if options.random_rounds else rounds)
    words, tokens = (options.batch * tried.size(arm) for arm in ("plain", "pause"))
    paid = options.steps * passes * tokens
    return {
        "dense": Way("dense", options.steps, passes * tokens),
        "pause": Way("pause", max(1, round(paid / tokens)), tokens),
        "plain": Way("plain", max(1, round(paid / words)), words),
        "plain, same steps": Way("plain", options.steps, words),
    }


def refuse_other(out: Path, facts: Mapping[str, Any]) -> None:
    """Raise HornbookError for a folder that holds trainings of something else, or other files."""
    saved, now = out / _TRIED, _flat(json.loads(json.dumps(facts)))
    if saved.exists():
        was = _flat(json.loads(saved.read_text("utf-8")))
        other = [name for name in {**was, **now} if was.get(name) != now.get(name)]
        if other:
            before, after = (", ".join(f"{name} {of.get(name)}" for name in other) for of in (was, now))
            raise HornbookError(
                f"{out}: holds trainings with {before}, not {after}: give those, or another folder with --out"
            )
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise HornbookError(
            f"{out}: is there already, and holds no such trainings: give another folder with --out"
        )


def _flat(facts: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Name what is inside of facts by dots: training.steps."""
    found: dict[str, Any] = {}
    for name, value in facts.items():
        found |= _flat(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": value}
    return found


def write_down(out: Path, facts: Mapping[str, Any]) -> None:
    """Write down what is tried, once it is known that it can be."""
    with beside(out / _TRIED) as file:
        file.write_text(json.dumps(facts, indent=2), "utf-8")


def train_ways(
    opened: Callable[[], tuple[DenseModel, PreTrainedTokenizerBase]],
    tried: Tried,
    options: DenseTraining,
    seeds: int,
    out: Path,
    report: Reporter,
) -> dict[str, list[dict[str, Any]]]:
    """Train every arm with every seed, and return for each arm its trainings, as `out` keeps them.

    `opened` opens the model anew. A training has `looks` (held-out nats a word by step), `nats` (for each held-out text
    those of its words) and `right`. One that is finished is read from `out`; one that was cut off goes on.
    """
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ways(tried, options)}
    for seed in range(seeds):
        for name, way in ways(tried, options).items():
            file = out / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}.json"
            if not file.exists():
                _train(opened, tried, options, way, seed, file, f"{name}, seed {seed}", report)
            found[name].append(json.loads(file.read_text("utf-8")))
    return found


def _train(
    opened: Callable[[], tuple[DenseModel, PreTrainedTokenizerBase]],
    tried: Tried,
    options: DenseTraining,
    way: Way,
    seed: int,
    file: Path,
    title: str,
    report: Reporter,
) -> None:
    """Train one model. The model of a dense arm is kept; checkpoints and looks beside it are there until then."""
    model, tokenizer = opened()
    folder = file.with_suffix("")
    checkpoints, seen = (folder.with_name(f"{folder.name}.{kind}") for kind in ("checkpoints", "looks.json"))
    looks = json.loads(seen.read_text("utf-8")) if seen.exists() else {}
    wanted = {round(way.steps * number / _LOOKS) for number in range(1, _LOOKS + 1)}

    def look(step: int) -> None:
        nats = np.concatenate(tried.read(model, way.arm, _LOOKED_AT).nats)
        looks[str(step)] = round(float(nats.mean()), _DIGITS)
        with beside(seen) as new:
            new.write_text(json.dumps(looks), "utf-8")

    if not looks:
        look(0)
    with report.steps(f"Training, {title}", 0, way.steps) as reach:

        def progress(step: int, figures: str) -> None:
            reach(step, figures)
            if step in wanted:  # before the checkpoint of this step, so that no look is lost
                look(step)

        every_step = options.model_copy(update={"arm": way.arm, "steps": way.steps, "log_every": 1})
        train_dense(model, tried.lessons, every_step, seed, None, progress, checkpoints, report.warn)
    read = tried.read(model, way.arm)
    if way.arm == "dense":
        save_dense(model, tokenizer, folder)
    result = {
        "arm": way.arm,
        "steps": way.steps,
        "places": way.places,
        "looks": looks,
        "nats": [np.round(one, _DIGITS).tolist() for one in read.nats],
        "right": None if read.right is None else read.right.tolist(),
    }
    with beside(file) as new:
        new.write_text(json.dumps(result), "utf-8")
    shutil.rmtree(checkpoints)
    seen.unlink()
