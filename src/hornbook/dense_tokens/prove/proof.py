"""The whole proof: run every arm on every task, spread over the processor's cores, and draw the conclusion."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
import transformers

from hornbook.dense_tokens.prove.arms import ARMS
from hornbook.dense_tokens.prove.claims import ENOUGH, NEAR, claims
from hornbook.dense_tokens.prove.learning import ProofSettings, seen
from hornbook.dense_tokens.prove.statistics import accuracy, difference, mcnemar
from hornbook.dense_tokens.prove.tasks import TASKS
from hornbook.dense_tokens.prove.trial import Trial, run_trial
from hornbook.errors import HornbookError, nearest
from hornbook.machine import choose_instructions, cores, describe, processor
from hornbook.spawning import without_main
from hornbook.threads import choose_threads, use_threads

SEEDS = (0, 1, 2, 3, 4)


def prove(
    tasks: Sequence[str] = tuple(TASKS),
    seeds: Sequence[int] = SEEDS,
    settings: ProofSettings | None = None,
    processes: int | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, Any]:
    """Train every arm on every task and compare; return plain values, for JSON and for the page.

    Raises HornbookError for an unknown task, and for fewer than two seeds, which have no interval.
    """
    for name in tasks:
        if name not in TASKS:
            raise HornbookError(f"there is no task {name!r}{nearest(name, list(TASKS))}")
    if len(set(seeds)) < 2:
        raise HornbookError(
            f"seeds are {list(seeds)}: an interval over seeds takes at least two different ones"
        )
    settings, began = settings or ProofSettings(), time.perf_counter()
    # The longest jobs come first, so that no core waits at the end.
    jobs = sorted(((task, arm) for arm in ARMS for task in tasks), key=lambda job: -_work(*job))
    processes = min(processes or cores(), len(jobs))
    trials: dict[tuple[str, str], Trial] = {}
    context = multiprocessing.get_context("spawn")
    # One thread in each process: models this small give no work to more.
    with ProcessPoolExecutor(processes, mp_context=context, initializer=use_threads, initargs=(1,)) as pool:
        with without_main():
            waiting = {
                pool.submit(_run, task, arm, tuple(seeds)[: ARMS[arm].most_seeds], settings): (task, arm)
                for task, arm in jobs
            }
        for done, future in enumerate(as_completed(waiting), 1):
            trials[waiting[future]] = future.result()
            if progress:
                progress(f"{', '.join(waiting[future])}", done / len(jobs))
    told = [tell(name, {arm: trials[name, arm] for arm in ARMS}, seeds, settings) for name in tasks]
    return {
        "holds": all(task["holds"] for task in told),
        "tasks": told,
        "arms": {
            arm.name: {
                "title": arm.title,
                "told": arm.told,
                "layers": arm.layers,
                "seeds": len(seeds[: arm.most_seeds]),
            }
            for arm in ARMS.values()
        },
        "seeds": list(seeds),
        "settings": settings.model_dump(),
        "seconds": time.perf_counter() - began,
        "machine": {
            "processor": processor(),
            "cores": processes,
            "choices": describe([choose_threads(1), choose_instructions()]),
        },
        "versions": {
            "hornbook": version("hornbook"),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
    }


def _work(task: str, arm: str) -> int:
    """Estimate a trial's relative time: steps times layers; filling one by one counts as three layers."""
    return TASKS[task].steps * (3 if ARMS[arm].vectors == "own" else ARMS[arm].layers)


def _run(task: str, arm: str, seeds: tuple[int, ...], settings: ProofSettings) -> Trial:
    return run_trial(TASKS[task], ARMS[arm], seeds, settings)


def tell(
    name: str, trials: dict[str, Trial], seeds: Sequence[int], settings: ProofSettings
) -> dict[str, Any]:
    """Compute a task's figures from its trials."""
    task, dense = TASKS[name], trials["dense"]
    deepest = {arm: trial.right[task.depth] for arm, trial in trials.items()}
    controls = [arm for arm in trials if ARMS[arm].vectors != "own"]
    against = {
        arm: asdict(difference(deepest["dense"][: len(right)], right))
        | {"p": max(map(mcnemar, deepest["dense"][: len(right)], right))}
        for arm, right in deepest.items()
        if arm != "dense"
    }
    least = float(deepest["dense"].mean(1).min())
    pause = asdict(accuracy(deepest["pause"]))
    ablated = {kind: asdict(accuracy(right)) for kind, right in dense.ablated.items()}
    most = max(pause["high"], task.chance) + NEAR
    held = {
        "every seed answers": least >= ENOUGH,
        "every control is behind": all(against[arm]["low"] > 0 for arm in controls),
        "other vectors answer nothing": all(one["mean"] <= most for one in ablated.values()),
    }
    return {
        "name": name,
        "title": task.title,
        "told": task.told,
        "depth": task.depth,
        "steps": settings.steps or task.steps,
        "seen": max(seen(task, settings, seed) for seed in seeds),
        "chance": task.chance,
        "least": least,
        "held": held,
        "holds": all(held.values()),
        "claims": claims(trials, task.depth, most, seeds),
        "arms": {arm: _arm(trial) for arm, trial in trials.items()},
        "against": against,
        "pause": pause,
        "ablated": ablated,
        "rounds": [dense.rounds[number] for number in sorted(dense.rounds)],
        "decoded": dense.decoded,
        "shown": dense.shown,
    }


def _arm(trial: Trial) -> dict[str, Any]:
    """Compute the figures of one arm's trial."""
    deepest = trial.right[max(trial.right)].mean(1)
    return {
        "parameters": trial.parameters,
        "steps": trial.course.steps,
        "places": trial.course.places,
        "seconds": trial.seconds,
        "by_depth": {str(depth): asdict(accuracy(right)) for depth, right in trial.right.items()},
        "beyond": {str(depth): asdict(accuracy(right)) for depth, right in trial.beyond.items()},
        "by_seed": np.round(deepest, 4).tolist(),
        "looks": trial.course.looks,
    }
