"""Public tasks, and minimal pairs of one's own: what a model makes of them, kept in its run's folder."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hornbook.errors import HornbookError
from hornbook.evaluation.answers import measure_task
from hornbook.evaluation.harness_tasks import find_harness_tasks, measure_harness_task
from hornbook.evaluation.measure import Figure, Progress
from hornbook.evaluation.minimal_pairs import SUITES, PairsResult, measure_pairs, read_files, read_suite
from hornbook.evaluation.questions import TASKS, read_questions
from hornbook.loading import AnyModel, opened
from hornbook.sealed import write_sealed

FOLDER = "tasks"
"""The folder in a run's folder that holds a file for each task."""


def evaluate_tasks(
    model: AnyModel,
    tasks: Sequence[str] = (),
    pairs: Sequence[Path] = (),
    *,
    data: Path | None = None,
    limit: int | None = None,
    rule: str | None = None,
    run: Path | None = None,
    progress: Progress | None = None,
) -> list[Figure]:
    """Ask a model public tasks, and the minimal pairs in files of one's own; return the figures.

    A name that isn't one of Hornbook's own is lm-evaluation-harness's (extra `eval`). `data` is a folder of tasks, or
    one task's folder or file; without it the hub is asked. `limit` takes so many first
    questions, or pairs of each paradigm. `rule` says how minimal pairs are scored. In the folder of a `run`, each task
    gets a file `tasks/NAME.json`, which `compare` reads. Raises HornbookError for an unknown name, before anything is
    asked, for files that aren't the task's, and for a model that can't do it.
    """
    loaded, known = opened(model), [*SUITES, *TASKS]
    others = [name for name in tasks if name not in known]
    manager = find_harness_tasks(others, known) if others else None
    for name in tasks:
        if rule and name not in SUITES:
            raise HornbookError(f"--rule {rule} is for minimal pairs, and {name} has questions: leave it out")
        if name in TASKS:
            loaded.need(head="causal", reading="left to right")
    own = {file.stem: read_files([file], limit) for file in pairs}
    tell = progress or (lambda what, share: None)
    figures: list[Figure] = []
    for name in tasks:
        if name in SUITES:
            suite = SUITES[name]
            paradigms = read_suite(suite, data, limit)
            found = measure_pairs(loaded, suite.title, paradigms, rule, partial(tell, name))
        elif name in others:
            found = PairsResult(measure_harness_task(loaded, name, manager, data, limit), {})
        else:
            asked = read_questions(TASKS[name], data, limit)
            found = PairsResult(measure_task(loaded, TASKS[name], asked, partial(tell, name)), {})
        figures += _keep(run, _file(name, limit, rule), found)
    for name, paradigms in own.items():
        found = measure_pairs(loaded, name, paradigms, rule, partial(tell, name))
        figures += _keep(run, _file(f"pairs-{name}", limit, rule), found)
    return figures


def write_figures(run: Path, name: str, figures: Sequence[Figure], **details: Any) -> None:
    """Write a task's figures into a run's folder, where its page and `compare` find them."""
    write_sealed(run / FOLDER / f"{name}.json", {"measures": list(figures), **details})


def _file(name: str, limit: int | None, rule: str | None) -> str:
    """Name a task's file, so that a sample or another rule never replaces the whole."""
    return "-".join([name, *([rule] if rule else []), *([f"first-{limit}"] if limit else [])])


def _keep(run: Path | None, name: str, found: PairsResult) -> list[Figure]:
    if run and (run / "run.json").is_file():
        write_figures(run, name, found.figures, paradigms=found.details())
    return found.figures
