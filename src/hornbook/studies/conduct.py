"""A study from beginning to end: do its runs in parallel processes of one thread each, then compute the answers."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from hornbook.atomic import beside
from hornbook.errors import HornbookError, Interrupted, one_line
from hornbook.recipe import Recipe
from hornbook.report.study import write_study
from hornbook.report.tables import write_tables
from hornbook.reporter import Reporter
from hornbook.studies.asked import MEMORY, AskedMeasure
from hornbook.studies.cluster import On, check_cluster, send
from hornbook.studies.figure import Figure
from hornbook.studies.measure import ask, keep_memory, measure, measured, prepare_figure
from hornbook.studies.outcome import tell
from hornbook.studies.study import Design
from hornbook.studies.work import work
from hornbook.training.log import read_log
from hornbook.training.prepare import prepare
from hornbook.training.train import start

Train = Callable[[Recipe], None]
"""Trains a recipe's model to its end; an interrupted run is resumed."""

_PILOT, _ROUNDS = 30, 3
"""Steps of a run that measures the cost of a step, and how many such runs each arm has."""


def train_silently(recipe: Recipe) -> None:
    """Train a run to its end without any output; an interrupted run is resumed."""
    start(recipe, Reporter(silent=True)).train()


def conduct(
    design: Design,
    out: Path,
    processes: int,
    report: Reporter,
    train: Train = train_silently,
    on: On | None = None,
) -> dict[str, Any]:
    """Train each arm at each seed, measure, and compare; return plain values, as `answer.json` holds them.

    Finished work isn't repeated. Each run is an ordinary run in a folder within `out`; runs share tokenizers and
    tokens. A run that fails is told, and the others finish; the next call tries it again. With `on`, each run is a job
    of a cluster. Beside `answer.json` lie the page, and the table as CSV, Markdown and LaTeX. Raises HornbookError if
    something doesn't fit, before anything is trained, and if every run fails; and Interrupted after Ctrl-C or SIGTERM.
    """
    study, measures = design.study, design.study.asked()
    if on is not None:
        check_cluster(on)
        if study.seconds:
            raise HornbookError(
                "seconds are measured here, and the jobs run elsewhere: give the study tokens instead"
            )
    # These recipes are for preparation only: the number of steps may not be known yet.
    arms = {arm: design.recipe(arm, 0, out / "arms") for arm in design.arms}
    figures = design.figures(list(arms.values()))
    for asked in measures:
        asked.check(list(arms.values()))
    for line in design.replaced():
        report.say(line)
    with report.each_once():  # arms that differ in the model have one text
        for recipe in arms.values():
            prepare(recipe, report)  # makes tokenizer and tokens for all seeds, and finds problems
            for figure in figures.values():
                prepare_figure(recipe, figure)
    steps = {arm: recipe.training.steps for arm, recipe in arms.items()}
    if study.tokens:
        steps = {arm: _equal_tokens(recipe, study.tokens) for arm, recipe in arms.items()}
    if study.seconds:
        steps = _equal_time(design, out, train, report)
    # No evaluation during training: the study measures the checkpoints by its own figures.
    recipes = [
        design.recipe(arm, seed, out, steps=steps[arm], evaluate_every=steps[arm], keep=1000)
        for seed in range(study.seeds)
        for arm in design.arms
    ]
    jobs = {one.name: partial(_train_and_measure, train, one, figures, measures) for one in recipes}
    if on is None:
        apart = any(one.name == MEMORY for one in measures)
        found = dict(zip(jobs, work(list(jobs.values()), processes, report, apart), strict=True))
    else:
        found = send(jobs, on, study.cluster, out / "jobs", report)
    answers = tell(design, recipes, figures, found)
    with beside(out / "answer.json") as file:
        file.write_text(json.dumps(answers, indent=2, ensure_ascii=False), "utf-8")
    write_study(answers, out / "page.html")
    write_tables(answers, out)
    return answers


def _equal_tokens(recipe: Recipe, tokens: int) -> int:
    """Compute how many steps read so many tokens, whatever the lengths and batches of the recipe's phases."""
    each = sum(phase.steps * phase.length * phase.batch for phase in recipe.phases)
    return max(1, math.ceil(tokens * recipe.training.steps / each))


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
        for arm in design.arms
    ]
    costs = work([partial(_costs, train, pilot) for pilot in pilots], 1, report)
    steps = {}
    for number, arm in enumerate(design.arms):
        rounds = costs[number :: len(design.arms)]
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


def _train_and_measure(
    train: Train, recipe: Recipe, figures: Mapping[str, Figure], measures: Sequence[AskedMeasure]
) -> dict[str, Any]:
    """Do a run and measure it; a run that fails is a result, too: why it `failed`."""
    try:
        if (found := measured(recipe, figures)) is None:
            if any(one.name == MEMORY for one in measures):
                keep_memory(recipe, partial(train, recipe))
            else:
                train(recipe)
            found = measure(recipe, figures)
        return ask(recipe, found, [one for one in measures if one.suits(recipe)])
    except Interrupted:
        raise
    except HornbookError as error:
        return {"failed": str(error)}
    except Exception as error:  # a class of one's own can fail in any way
        return {"failed": f"{recipe.name}: {type(error).__name__}: {one_line(error)}"}
