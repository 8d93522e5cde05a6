"""A study from beginning to end: do its runs in parallel processes of one thread each, then compute the answers."""

import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import torch

from hornbook.atomic import beside
from hornbook.errors import Interrupted
from hornbook.machine import use_threads
from hornbook.recipe import Recipe
from hornbook.report.study import write_study
from hornbook.reporter import Reporter
from hornbook.studies.answer import answer, uneven
from hornbook.studies.measure import measure, measured, prepare_figure
from hornbook.studies.study import Design
from hornbook.training.interrupt import watch
from hornbook.training.log import read_log
from hornbook.training.prepare import prepare
from hornbook.training.train import start

Train = Callable[[Recipe], None]
"""Trains a recipe's model to its end; an interrupted run is resumed."""

_PILOT, _ROUNDS = 30, 3
"""Steps of a run that measures the cost of a step, and how many such runs each arm has."""

T = TypeVar("T")


def train_silently(recipe: Recipe) -> None:
    """Train a run to its end without any output; an interrupted run is resumed."""
    start(recipe, Reporter(silent=True)).train()


def conduct(
    design: Design, out: Path, processes: int, report: Reporter, train: Train = train_silently
) -> dict[str, Any]:
    """Train each arm at each seed, measure, and compare; return plain values, as `answer.json` holds them.

    Finished work isn't repeated. Each run is an ordinary run in a folder within `out`; runs share tokenizers and
    tokens. Raises HornbookError if something doesn't fit, before anything is trained, and Interrupted after Ctrl-C or
    SIGTERM.
    """
    study = design.study
    # These recipes are for preparation only: the number of steps may not be known yet.
    arms = {arm: design.recipe(arm, 0, out / "arms") for arm in study.arms}
    figures = design.figures(next(iter(arms.values())))
    for recipe in arms.values():
        prepare(recipe, report)  # makes tokenizer and tokens for all seeds, and finds problems
        for figure in figures.values():
            prepare_figure(recipe, figure)
    steps = {arm: recipe.training.steps for arm, recipe in arms.items()}
    if study.seconds:
        steps = _equal_time(design, out, train, report)
    # No evaluation during training: the study measures the checkpoints by its own figures.
    recipes = [
        design.recipe(arm, seed, out, steps=steps[arm], evaluate_every=steps[arm], keep=1000)
        for seed in range(study.seeds)
        for arm in study.arms
    ]
    jobs = [partial(_train_and_measure, train, recipe, figures) for recipe in recipes]
    found = dict(zip((recipe.name for recipe in recipes), _work(jobs, processes, report), strict=True))
    answers = tell(design, recipes, found)
    with beside(out / "answer.json") as file:
        file.write_text(json.dumps(answers, indent=2, ensure_ascii=False), "utf-8")
    write_study(answers, out / "page.html")
    return answers


def tell(design: Design, recipes: Sequence[Recipe], found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Collect the runs' figures and the answers."""
    study, facts = design.study, json.loads((recipes[0].folder / "run.json").read_text("utf-8"))
    figures = design.figures(recipes[0])
    arms = {}
    for number, arm in enumerate(study.arms):
        runs = recipes[number :: len(study.arms)]
        last = [found[run.name]["curve"][-1] for run in runs]
        arms[arm] = {
            "changes": study.arms[arm],
            "runs": [str(run.folder) for run in runs],
            "steps": last[0]["step"],
            "tokens": last[0]["tokens"],
            "seconds": [one["seconds"] for one in last],
            "values": {name: [found[run.name]["figures"][name] for run in runs] for name in figures},
            "curves": [found[run.name]["curve"] for run in runs],
        }
    return {
        "name": design.name,
        "question": study.question,
        "about": study.about,
        "equal_seconds": study.seconds,
        "remarks": uneven({arm: one["seconds"] for arm, one in arms.items()}) if study.seconds else [],
        "figures": {
            name: {"unit": figure.unit, "objective": figure.objective.describe(), "lower": figure.lower}
            for name, figure in figures.items()
        },
        "arms": arms,
        "answers": [
            asdict(one)
            for name, figure in figures.items()
            for one in answer(name, figure, {arm: arms[arm]["values"][name] for arm in arms})
        ],
        "seeds": study.seeds,
        "settings": list(design.settings),
        "study": study.model_dump(mode="json", exclude_defaults=True),
        "recipe": recipes[0].to_yaml(),
        **{name: facts[name] for name in ("corpus", "tokenizer", "precision", "versions", "machine")},
    }


def _equal_time(design: Design, out: Path, train: Train, report: Reporter) -> dict[str, int]:
    """Compute how many steps of each arm take the study's seconds, from short runs of the arms in turn.

    Other programs may slow down any of these runs. So each arm's quickest round is taken, which is nearest to its cost
    on a quiet machine.
    """
    assert design.study.seconds is not None
    often = {"steps": _PILOT, "evaluate_every": _PILOT, "checkpoint_every": _PILOT, "log_every": 1}
    pilots = [
        design.recipe(arm, 0, out / f"pilots-{number}", **often)
        for number in range(_ROUNDS)
        for arm in design.study.arms
    ]
    costs = _work([partial(_costs, train, pilot) for pilot in pilots], 1, report)
    steps = {}
    for number, arm in enumerate(design.study.arms):
        rounds = costs[number :: len(design.study.arms)]
        steps[arm] = max(_PILOT, round(design.study.seconds / sum(map(min, zip(*rounds, strict=True)))))
    return steps


def _costs(train: Train, pilot: Recipe) -> list[float]:
    """Train a pilot and return the seconds that each phase adds to an average step."""
    train(pilot)
    ends = [line["seconds"] for line in read_log(pilot.folder / "log.jsonl") if line["kind"] == "train"]
    each = [last - first for first, last in pairwise([0.0, *ends])]
    costs, first = [], 0
    for phase in pilot.phases:
        # The median, since the first steps of each length are slow.
        costs.append(phase.steps / _PILOT * median(each[first : first + phase.steps]))
        first += phase.steps
    return costs


def _train_and_measure(train: Train, recipe: Recipe, figures: dict[str, Any]) -> dict[str, Any]:
    if (found := measured(recipe, figures)) is not None:
        return found
    train(recipe)
    return measure(recipe, figures)


@dataclass(frozen=True)
class _Stopped:
    """The result of a job that was stopped."""

    signal_number: int


def _heed(job: Callable[[], T]) -> T | _Stopped:
    """Do a job, and turn Interrupted into a value, since the exception can't be sent to the parent process."""
    try:
        return job()
    except Interrupted as stop:
        return _Stopped(stop.exit_code - 128)


def _work(jobs: Sequence[Callable[[], T]], processes: int, report: Reporter) -> list[T]:
    """Do the jobs, `processes` at a time and with one thread each, and return their results in order."""
    began = time.perf_counter()
    with report.shares() as share:

        def tell(ready: int) -> None:
            share("Runs", ready / len(jobs))
            if not report.bars:
                report.say(f"{ready} of {len(jobs)} runs after {(time.perf_counter() - began) / 60:.1f} min")

        return _here(jobs, tell) if processes == 1 else _beside(jobs, processes, tell)


def _here(jobs: Sequence[Callable[[], T]], tell: Callable[[int], None]) -> list[T]:
    """Do the jobs one after the other, in this process."""
    threads, found = torch.get_num_threads(), []
    use_threads(1)
    try:
        for job in jobs:
            found.append(job())
            tell(len(found))
    finally:
        torch.set_num_threads(threads)
    return found


def _beside(jobs: Sequence[Callable[[], T]], processes: int, tell: Callable[[int], None]) -> list[T]:
    """Do the jobs in parallel processes: for small models, two processes of one thread beat one process of two."""
    context = multiprocessing.get_context("spawn")
    with (
        watch() as signals,
        ProcessPoolExecutor(min(processes, len(jobs)), context, use_threads, (1,)) as pool,
    ):
        futures = [pool.submit(_heed, job) for job in jobs]
        waiting = set(futures)
        try:
            while waiting:
                done, waiting = wait(waiting, 1.0, FIRST_COMPLETED)
                found = [one.result() for one in done]
                stopped = [one.signal_number for one in found if isinstance(one, _Stopped)]
                if number := signals.received or max(stopped, default=0):
                    text = "the study was stopped, and its runs are saved; run the same command to go on"
                    raise Interrupted(text, number)
                if done:
                    tell(len(jobs) - len(waiting))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            # A terminated run saves itself, except on Windows, where it ends at once. There Ctrl-C has already reached
            # every process, and each is left alone to save itself.
            if sys.platform != "win32" or not signals.received:
                for child in multiprocessing.active_children():
                    child.terminate()
            raise
    return [one.result() for one in futures]  # type: ignore[misc]
